"""The page of a simulation: what changes, the answers, who wins and loses, why, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from drgsim.language import bilingual, joined, term, text, text_of_data
from drgsim.report.bar_charts import BarChart, BarSeries, StepChart
from drgsim.report.hospital_words import PAYERS
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    NOTHING,
    Card,
    KeyFigure,
    NamedCode,
    PageAssumption,
    PageTable,
    ReplacedText,
    TableColumn,
    Words,
)
from drgsim.report.whatif_exploration import (
    grid_card,
    liquidity_card,
    named_figure,
    shown_figure,
    solution_card,
    solved_figure,
    tornado_card,
    years_card,
)
from drgsim.results.result_titles import word_title
from drgsim.simulation.answer_tables import LEVELS_ZH
from drgsim.simulation.decompose import EFFECTS, EFFECTS_ZH
from drgsim.simulation.study import ScenarioResult, Study

WAN = 10_000  # yuan of ten thousand yuan (万元)
MOST_HOSPITALS, MOST_ROWS = 40, 400  # of a chart, of its table
MOST_GROUPS = 12
_PAYERS = {**PAYERS, "adjustments": text("adjustments outside the cases")}
_FIGURES = ("fund.balance", "hospital.payment", "hospital.margin", "patient.payment")


def whatif_page(study: Study, record: Mapping[str, Any], note: str = "") -> str:
    """HTML of the page, one set of cards per scenario.

    Parameters
    ----------
    study
        What :func:`drgsim.simulation.session.run_all` gives.
    record
        Its record, for the assumptions and hashes.
    note
        A remark that is set off, such as that the data are synthetic.
    """
    views = [ScenarioView(study, result.plan.name) for result in study.results]
    first = views[0]
    return page_html(Page(
        title=text("What if: {title}", title=first.title) if len(views) == 1 else text("What if"),
        subtitle=f"{study.region.folder.name} · {study.year}",
        warnings=[note] if note else [],
        lead=first.described if len(views) == 1 else "",
        figures=first.figures() if len(views) == 1 else [],
        summary=[part for card in first.why() for part in card.parts] if len(views) == 1 else [_side_by_side(views)],
        cards=[card for view in views for card in view.cards(alone=len(views) == 1)],
        assumptions=[
            PageAssumption(row["path"], str(row["value"]), row["unit"], row["source"], row["of"])
            for row in record["assumptions"]
        ],
        notes=study.notes,
        footer=[" · ".join(f"{entry['name']} {entry['setup']['digest'][:12]} / {entry['baseline']['digest'][:12]}"
                           for entry in record["scenarios"])],
    ))  # fmt: skip


def _side_by_side(views: list[ScenarioView]) -> PageTable:
    """The headline figures' changes, a column for each scenario."""
    columns = [TableColumn(text("change of"), "name")]
    columns += [TableColumn(view.title, number) for number, view in enumerate(views)]
    rows = [
        {"name": named_figure(view_row), **{number: view.change_of(figure) for number, view in enumerate(views)}}
        for figure, view_row in views[0].headlines.items()
    ]
    return PageTable(text("Headline figures of all scenarios"), columns, rows)


class ScenarioView:
    """What a page shows of one scenario of a study.

    Attributes
    ----------
    title, described
        Its name, and in a line what it is of: policy, authors, evidence.
    headlines
        Rows of the table of headline figures by figure.
    """

    def __init__(self, study: Study, name: str) -> None:
        self.study, self.name = study, name
        self.result: ScenarioResult = next(one for one in study.results if one.plan.name == name)
        plan = self.result.plan
        self.title = bilingual(plan.title, plan.title_zh)
        self.headlines = {row["figure"]: row for row in self._rows("headlines")}
        self.hospitals = sorted(self._rows("hospitals"), key=lambda row: -float(row["margin_change"]))

    def _rows(self, table: str) -> list[dict[str, Any]]:
        if table not in self.study.tables:
            return []
        return [row for row in self.study.tables[table].to_pylist() if row["scenario_name"] == self.name]

    @property
    def described(self) -> str:
        """Policy, and of every file its author, reference and evidence."""
        plan = self.result.plan
        before, after = plan.baseline.policy.id, plan.setup.policy.id
        files = [
            joined(" · ", filter(None, (s.file.author, s.file.reference, word_title("evidence", str(s.file.evidence)))))
            for s in plan.scenarios
        ]
        return joined(" · ", [after if before == after else f"{before} → {after}", *filter(None, files)])

    def cards(self, alone: bool) -> list[Card]:
        """All cards; where there are several scenarios each carries the scenario's name."""
        cards = [
            *solution_card(self._rows("solution")),
            Card(text("Headline figures"), [*([] if alone else [Words([self.described])]), self.headline_table()]),
            self.changes(),
            *([] if alone else self.why()), self.winners(), self._levels(), self._groups(), *self._explored(), *self._doubts(),
        ]  # fmt: skip
        if alone:
            return cards
        titled = [text("{scenario}: {card}", scenario=self.title, card=card.title) for card in cards]
        return [Card(title, card.parts, card.note) for title, card in zip(titled, cards, strict=True)]

    # -- answers
    def figures(self) -> list[KeyFigure]:
        """Changes of the most important figures, and how many hospitals win and lose."""
        count = Counter(row["verdict"] for row in self.hospitals)
        figures = [solved_figure(row) for row in self._rows("solution")]
        figures += [_key_figure(self.headlines[figure]) for figure in _FIGURES if figure in self.headlines]
        same = text("{count:,} the same", count=count["same"])
        return [*figures, KeyFigure(text("hospitals: win / lose"), f"{count['wins']} / {count['loses']}", same)]

    def change_of(self, figure: str) -> str:
        """Change of a headline figure in words."""
        row = self.headlines.get(figure)
        return NOTHING if row is None else shown_figure(row["change"], row["unit"], signed=True)

    def headline_table(self) -> PageTable:
        """All headline figures: both sides, change, static and behavioural part, interval."""
        first = next(iter(self.headlines.values()), {})
        columns = [TableColumn(text("figure"), "title"), TableColumn(text("baseline"), "baseline", "shown"),
                   TableColumn(text("scenario"), "scenario", "shown"),
                   TableColumn(text("change"), "change", "shown")]  # fmt: skip
        if first.get("static_change") is not None:
            columns += [TableColumn(text("static change"), "static_change", "shown", minor=True),
                        TableColumn(text("by behaviour"), "behaviour_change", "shown", minor=True)]  # fmt: skip
        if first.get("change_low") is not None:
            columns.append(TableColumn(text("interval of the change"), "interval", "shown", minor=True))
        return PageTable(text("Headline figures"), columns, [_headline(row) for row in self.headlines.values()])

    def changes(self) -> Card:
        """What changes: path, old and new value."""
        steps = [(text("baseline"), step) for step in self.result.plan.baseline_steps]
        steps += [(term("of a scenario", "change"), step) for step in self.result.plan.steps]
        rows = [
            ([ReplacedText(now=step.path, formula=True), *([step.title_zh] if step.title_zh else [])], kind, step.old, step.new,
             text_of_data(step.unit)) for kind, step in steps
        ]  # fmt: skip
        columns = [TableColumn(text("what"), 0), TableColumn(text("side"), 1, minor=True), TableColumn(text("old value"), 2),
                   TableColumn(text("new value"), 3), TableColumn(text("unit"), 4, minor=True)]  # fmt: skip
        title = text("What changes")
        remarks = [*self._unit_values(), *(note for s in self.result.plan.scenarios for note in s.file.notes)]
        return Card(title, [PageTable(title, columns, rows), *([Words(remarks)] if remarks else [])])

    def _unit_values(self) -> Iterator[str]:
        before = self.result.baseline.unit_values
        for payer, value in self.result.outcome.unit_values.items():
            old = before.get(payer)
            yield text("unit value ({payer}): {old} → {new}", payer=PAYERS.get(payer, payer),
                       old=NOTHING if old is None else f"{old:,.4f}",
                       new=f"{value:,.4f}")  # fmt: skip

    def why(self) -> list[Card]:
        """Effects that sum to the change of the fund's spending."""
        effects = next((row for row in self._rows("decomposition") if row["hospital"] == "all"), None)
        if effects is None:
            return []
        steps = [
            (bilingual(name.replace("_", " "), EFFECTS_ZH[name]), float(effects[name]) / WAN)
            for name in EFFECTS
            if effects[name]
        ]
        caption = text(
            "Effects on the fund's spending, 10k yuan; they sum to the change to the fen. For cases paid by groups: volume, \
case mix, unit value and curve; then cases outside the groups, what patients pay, and what is settled beside the cases."
        )
        end = text("change of the fund's spending")
        chart = StepChart(caption, steps, end, ",.2f", from_first=False, good="amber")
        return [Card(text("Why the fund's spending changes"), [chart])]

    # -- who wins and loses
    def winners(self) -> Card:
        """Change of the margin by hospital, and their figures."""
        half = MOST_HOSPITALS // 2
        shown = self.hospitals if len(self.hospitals) <= MOST_HOSPITALS else [*self.hospitals[:half], *self.hospitals[-half:]]
        change = BarSeries("", [float(row["margin_change"]) for row in shown], "sign")
        caption = text(
            "Change of the hospitals' margin, 10k yuan. Margin: what the hospital receives, adjustments included, less \
the cost of its cases."
        )
        chart = BarChart(caption, [_hospital_name(row) for row in shown], [change], "wan", signed=True)
        columns = [
            TableColumn(text("hospital"), "label"),
            *_pair(text("payment before (10k yuan)"), text("payment after (10k yuan)"), "payment", "wan"),
            *_pair(text("margin before (10k yuan)"), text("margin after (10k yuan)"), "margin", "wan", signed=True),
            *_pair(text("margin rate before"), text("margin rate after"), "margin_rate", "share", signed=True),
        ]  # fmt: skip
        note = ""
        if len(self.hospitals) > MOST_ROWS:
            note = text("{shown:,} of {all:,} hospitals; all in the workbook.", shown=MOST_ROWS, all=len(self.hospitals))
        title = text("Winners and losers")
        rows = [{**row, "label": _hospital_name(row)} for row in self.hospitals[:MOST_ROWS]]
        return Card(title, [chart, PageTable(text("Hospitals"), columns, rows, note=note)])

    def _levels(self) -> Card:
        rows = [
            {**row, "label": bilingual(row["level"], LEVELS_ZH.get(row["level"], row["level"]))} for row in self._rows("levels")
        ]
        rows += [{**row, "label": _PAYERS.get(row["insurance"], row["insurance"])} for row in self._rows("insurance")]
        columns = [
            TableColumn(text("level or insurance"), "label"),
            *_pair(text("cases before"), text("cases after"), "cases", "count"),
            *_pair(text("payment before (10k yuan)"), text("payment after (10k yuan)"), "payment", "wan"),
            *_pair(text("fund before (10k yuan)"), text("fund after (10k yuan)"), "fund", "wan", minor=True),
            *_pair(text("patients before (10k yuan)"), text("patients after (10k yuan)"), "patient", "wan", minor=True),
        ]  # fmt: skip
        title = text("Levels and insurance")
        return Card(title, [PageTable(title, columns, rows)])

    def _groups(self) -> Card:
        rows = sorted(self._rows("groups"), key=lambda row: -abs(_moved(row, "payment")))[:MOST_GROUPS]
        names = self._group_names()
        rows = [
            {
                **row,
                "label": NamedCode(row["group"], names.get(row["group"], "")) if row["group"] else text("no group"),
                "moved": _moved(row, "payment"),
                "margin_moved": _moved(row, "margin"),
            }
            for row in rows
        ]
        columns = [
            TableColumn(text("group"), "label"),
            *_pair(text("cases before"), text("cases after"), "cases", "count", minor=True),
            *_pair(text("payment before (10k yuan)"), text("payment after (10k yuan)"), "payment", "wan", minor=True),
            TableColumn(text("change (10k yuan)"), "moved", "wan", signed=True),
            TableColumn(text("change of margin (10k yuan)"), "margin_moved", "wan", signed=True),
        ]  # fmt: skip
        title = text("Groups that move most")
        return Card(title, [PageTable(title, columns, rows)])

    def _group_names(self) -> dict[str, str]:
        """Names of groups as the policies' tables have them."""
        plan = self.result.plan
        tables = [setup.policy.prices for setup in (plan.baseline, plan.setup)]
        return {
            code: name for table in tables if table is not None for code, name in zip(table.codes, table.names, strict=True)
        }

    def _explored(self) -> Iterator[Card]:
        """What was asked beside the answers: cash by month, sensitivity, a grid, years ahead."""
        yield from liquidity_card(self._rows("liquidity"))
        yield from tornado_card(self._rows("sensitivity"))
        yield from grid_card(self._rows("grid"), [path for scenario in self.result.plan.scenarios for path in scenario.grid])
        yield from years_card(self._rows("years"))

    def _doubts(self) -> list[Card]:
        problems = self.result.outcome.problems
        return [Card(text("Doubts about the data"), [Words([one.what for one in problems])])] if problems else []


def _moved(row: Mapping[str, Any], key: str) -> float:
    return float((row[f"scenario_{key}"] or 0) - (row[f"baseline_{key}"] or 0))


def _pair(before: str, after: str, key: str, form: str, **kinds: bool) -> list[TableColumn]:
    """Columns of both sides; on a phone the scenario's alone."""
    return [
        TableColumn(before, f"baseline_{key}", form, **{**kinds, "minor": True}),
        TableColumn(after, f"scenario_{key}", form, **kinds),
    ]


def _hospital_name(row: Mapping[str, Any]) -> str:
    name = row["name"] or row["hospital"] or text("(none)")
    return text("{hospital} · level {level}", hospital=name, level=row["level"]) if row["level"] else name


def _key_figure(row: Mapping[str, Any]) -> KeyFigure:
    change = shown_figure(row["change"], row["unit"], signed=True)
    return KeyFigure(named_figure(row), change, text("now {value}", value=shown_figure(row["scenario"], row["unit"])))


def _headline(row: Mapping[str, Any]) -> dict[str, Any]:
    unit = row["unit"]
    entry: dict[str, Any] = {"title": named_figure(row)}
    for key in ("baseline", "scenario"):
        entry[key] = shown_figure(row[key], unit)
    for key in ("change", "static_change", "behaviour_change"):
        entry[key] = shown_figure(row.get(key), unit, signed=True)
    if row.get("change_low") is not None:
        ends = [shown_figure(row[key], unit, signed=True) for key in ("change_low", "change_high")]
        entry["interval"] = joined(" … ", ends)
    return entry
