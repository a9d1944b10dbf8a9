"""The page of a switch for a director: headline, from old to new payment, hospitals, departments, flows, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import bilingual, counted, current_language, speaking, text
from drgsim.payment.rules.no_group import UNGROUPED_CODES
from drgsim.report.bar_charts import BarChart, BarSeries, StepChart
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    KeyFigure,
    Name,
    NamedCode,
    PagePart,
    PageTable,
    TableColumn,
    Words,
    shown_money,
    shown_value,
    shown_wan,
)  # fmt: skip
from drgsim.report.sankey import FlowChart, SankeyFlow
from drgsim.simulation.scheme_switch import SchemeSwitch
from drgsim.simulation.switch_rules import RULES
from drgsim.simulation.switch_tables import END, START
from drgsim.units.schemes.scheme_differences import SchemeDifference

WAN = 10_000  # yuan of ten thousand yuan (万元)
FLOWS, TOP, WORK, MOST = 30, 10, 20, 60
STAYS = ("same", "renumbered", "no_group")  # causes of flows that are not drawn
_KEEP = {
    "budget": text("the fund's budget is kept (shared out by points)"),
    "rate": text("the unit value is kept"),
    "weight": text("the unit value and the total weight are kept"),
}
_VERDICT = {"wins": text("gains"), "loses": text("loses"), "unclear": text("unclear"), "same": text("same")}
_DIFFERENCES = {
    "adrg_new": text("ADRGs new"), "adrg_gone": text("ADRGs gone"), "adrg_renamed": text("ADRGs renamed"),
    "adrg_split": text("ADRGs split"), "drg_added": text("DRG codes new"), "drg_removed": text("DRG codes gone"),
    "diagnosis_moved": text("diagnoses moved"), "procedure_moved": text("procedures moved"),
    "severity_changed": text("MCC or CC changed"),
}  # fmt: skip


def switch_page(
    switch: SchemeSwitch, tables: Mapping[str, pa.Table], notes: Sequence[Problem], language: str | None = None,
    difference: SchemeDifference | None = None,
) -> str:  # fmt: skip
    """HTML of the page; ``language`` is ``zh`` or ``en``, by default the current one.

    ``difference`` are the differences of the two DRG schemes, for the appendix.
    """
    with speaking(language or current_language()):
        headline = {row["figure"]: row for row in tables["headline"].to_pylist()}
        hospitals = sorted(tables["hospitals"].to_pylist(), key=lambda row: float(row["payment_change"]))
        left, right = (side.choice.name for side in switch.sides)
        method = text("the same cases, grouped by both, settled by one method")
        kept = _KEEP[switch.options.keep]
        return page_html(Page(
            title=text("Switch from {before} to {after}", before=left, after=right),
            subtitle=text("{region} · {year} · {method} · {kept}", region=switch.region.folder.name, year=switch.year,
                          method=method, kept=kept),
            lead=_sentence(headline, hospitals),
            figures=_figures(headline, [row["verdict"] for row in hospitals]),
            summary=[_steps(tables["waterfall"].to_pylist())],
            cards=[
                _hospitals(hospitals, switch), _departments(tables["departments"].to_pylist()), _flows(tables["flows"]),
                _work(tables["work"]), *_worst(tables["work"]), *_differences(difference, left, right),
                _basis(switch, left, right),
            ],
            notes=[note.what for note in notes],
        ))  # fmt: skip


def _sentence(headline: Mapping[str, Any], hospitals: Sequence[Mapping[str, Any]]) -> str:
    """What a director has to know, in one line."""
    cases, moved = headline["cases"]["to"], headline["moved"]["to"]
    gained = sum(float(row["payment_change"]) for row in hospitals if float(row["payment_change"]) > 0)
    best, worst = (hospitals[-1], hospitals[0]) if hospitals else (None, None)
    return text(
        "{moved:,.0f} of {cases:,.0f} cases ({share:.1f} %) change group; payment to all hospitals changes by {change}, and "
        "{gained} move between hospitals. Gains most: {best}; loses most: {worst}.",
        moved=moved, cases=cases, share=100 * moved / cases if cases else 0.0,
        change=shown_money(headline["payment"]["change"], signed=True), gained=shown_money(gained), best=_named(best),
        worst=_named(worst),
    )  # fmt: skip


def _named(row: Mapping[str, Any] | None) -> str:
    if row is None or not float(row["payment_change"]):
        return text("(none)")
    name, change = row["name"] or row["hospital_id"], shown_money(row["payment_change"], signed=True)
    if row["payment_change_share"] is None:
        return text("{name} ({change})", name=name, change=change)
    return text("{name} ({change}, {share:+.2f} %)", name=name, change=change, share=100 * row["payment_change_share"])


def _figures(headline: Mapping[str, Any], verdicts: Sequence[str]) -> list[KeyFigure]:
    def both(name: str, form: str = "count") -> str:
        return " → ".join(shown_value(headline[name][side], form) for side in ("from", "to"))

    counts = " · ".join(f"{verdicts.count(word)}" for word in ("wins", "loses", "unclear"))
    return [
        KeyFigure(text("cases that move"), f"{headline['moved']['to']:,.0f}"), KeyFigure("CMI", both("cmi", ".3f")),
        KeyFigure(text("no group"), both("ungrouped")), KeyFigure(text("ambiguous (QY)"), both("ambiguous")),
        KeyFigure(text("high cases"), both("high")), KeyFigure(text("low cases"), both("low")),
        KeyFigure(text("hospitals: gain · lose · unclear"), counts),
    ]  # fmt: skip


def _steps(rows: Sequence[Mapping[str, Any]]) -> PagePart:
    whole = [row for row in rows if row["scope"] == "all" and (row["amount"] or row["step"] == START) and row["step"] != END]
    end = next(row for row in rows if row["scope"] == "all" and row["step"] == END)
    caption = text(
        "From the payment before to the payment after, 10k yuan. Steps are exact to the fen and add up: first the unit \
value at the weights of before, the rest by the one cause of each case."
    )
    steps = [(bilingual(row["step_en"], row["step_zh"]), float(row["amount"]) / WAN) for row in whole]
    return StepChart(caption, steps, bilingual(end["step_en"], end["step_zh"]))


def _hospitals(rows: Sequence[Mapping[str, Any]], switch: SchemeSwitch) -> Card:
    """Hospitals from the largest gain to the largest loss; of many those at both ends."""
    ordered = list(rows)[::-1]
    shown = ordered if len(ordered) <= MOST else [*ordered[: MOST // 2], *ordered[-MOST // 2 :]]
    closed = switch.closed is not None
    columns = [
        TableColumn(text("hospital"), "label"), TableColumn(text("cases"), "from_cases", "count", minor=True),
        TableColumn(text("moved"), "moved", "count", minor=True),
        TableColumn(text("CMI before"), "from_cmi", ".3f", minor=True),
        TableColumn(text("CMI after"), "to_cmi", ".3f", minor=True),
        TableColumn(text("payment before (10k yuan)"), "from_payment", "wan", minor=True),
        TableColumn(text("change (10k yuan)"), "payment_change", "wan", signed=True),
        TableColumn("%", "share", ".2f", signed=True),
        TableColumn(text("{level:.0%} interval (10k yuan)", level=switch.options.level), "interval", minor=True),
        TableColumn(text("verdict"), "word"),
    ]  # fmt: skip
    if closed:
        columns += [
            TableColumn(text("budget index (10k yuan)"), "from_index", "wan", minor=True),
            TableColumn(text("surplus, change (10k yuan)"), "surplus_change", "wan", signed=True, minor=True),
        ]
    remarks = [text("Unclear: the interval holds 0, so that slightly other cases could turn the sign.")]
    if closed:
        remarks.append(text("The budget index is the same on both sides: what is due more leaves less surplus."))
    if len(shown) < len(ordered):
        remarks.append(
            text("{shown:,} of {all:,}, those that gain and those that lose most.", shown=len(shown), all=len(ordered))
        )
    title = text("Hospitals")
    return Card(title, [PageTable(title, columns, [_hospital(row) for row in shown]), Words(remarks)])


def _hospital(row: Mapping[str, Any]) -> dict[str, Any]:
    low, share = row["change_low"], row["payment_change_share"]
    return {
        **row,
        "label": row["name"] or row["hospital_id"] or text("(none)"),
        "interval": "" if low is None else f"{shown_wan(low, signed=True)} … {shown_wan(row['change_high'], signed=True)}",
        "word": _VERDICT[row["verdict"]],
        "share": None if share is None else 100 * share,
    }


def _departments(rows: Sequence[Mapping[str, Any]]) -> Card:
    """The ten departments that gain and the ten that lose most."""
    ordered = sorted(rows, key=lambda row: -float(row["payment_change"]))
    sides = (
        (
            text("Departments that gain most, change in 10k yuan"),
            [row for row in ordered if float(row["payment_change"]) > 0][:TOP],
        ),
        (
            text("Departments that lose most, change in 10k yuan"),
            [row for row in ordered[::-1] if float(row["payment_change"]) < 0][:TOP],
        ),
    )
    parts: list[PagePart] = []
    for caption, some in sides:
        if some:
            change = BarSeries("", [float(row["payment_change"]) for row in some], "sign", shown=[_change(row) for row in some])
            parts.append(BarChart(caption, [_department(row) for row in some], [change]))
    return Card(text("Departments that change most"), parts or [Words([text("none")])])


def _department(row: Mapping[str, Any]) -> str:
    return text(
        "{hospital} · {department}", hospital=row["name"] or row["hospital_id"], department=row["department"] or text("(none)")
    )


def _change(row: Mapping[str, Any]) -> str:
    change, share = shown_wan(row["payment_change"], signed=True), row["payment_change_share"]
    return change if share is None else f"{change} ({100 * share:+.1f} %)"


def _flows(flows: pa.Table) -> Card:
    """The largest flows between groups that differ."""
    rows = [row for row in flows.to_pylist() if row["cause"] not in STAYS][:FLOWS]
    labels: tuple[dict[str, Name], dict[str, Name]] = {}, {}
    for row in rows:
        for side, known in zip(("from", "to"), labels, strict=True):
            code, name = row[f"{side}_group"], row[f"{side}_name"]
            known[code] = text("no group") if code in UNGROUPED_CODES else NamedCode(code, name)
    drawn = [
        SankeyFlow(
            row["from_group"], row["to_group"], row["cases"],
            text("{before} → {after}: {cases}, {change}", before=NamedCode(row["from_group"], row["from_name"]),
                 after=NamedCode(row["to_group"], row["to_name"]),
                 cases=counted(row["cases"], "{count} case", "{count:,} cases"),
                 change=shown_money(row["change"], signed=True)),
            "green" if row["change"] > 0 else "red" if row["change"] < 0 else "light",
        )
        for row in rows
    ]  # fmt: skip
    caption = text("Left before, right after; the width stands for cases. Green is paid more, red less.")
    title = counted(len(rows), "The largest flow between groups", "The {count} largest flows between groups")
    return Card(title, [FlowChart(caption, drawn, labels)] if rows else [Words([text("none")])])


def _work(work: pa.Table) -> Card:
    """The work list added up by rule."""
    sums: dict[str, dict[str, Any]] = {}
    for row in work.to_pylist():
        of_rule = sums.setdefault(row["rule"], {"cases": 0, "change": 0.0, "stake": None})
        of_rule["cases"] += row["cases"]
        of_rule["change"] += float(row["change"])
        if row["at_stake"] is not None:
            of_rule["stake"] = (of_rule["stake"] or 0.0) + float(row["at_stake"])
    rows = [
        {"title": bilingual(rule.title, rule.title_zh), "todo": bilingual(rule.todo, rule.todo_zh), **sums[name],
         "each": None if sums[name]["stake"] is None else sums[name]["stake"] / sums[name]["cases"]}
        for name, rule in RULES.items() if name in sums
    ]  # fmt: skip
    title = text("What to do before the switch")
    if not rows:
        return Card(title, [Words([text("Nothing to do.")])])
    columns = [
        TableColumn(text("what"), "title"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("change (10k yuan)"), "change", "wan", signed=True),
        TableColumn(text("per case (10k yuan)"), "each", "wan", minor=True),
        TableColumn(text("what to do"), "todo", minor=True),
    ]  # fmt: skip
    remark = text(
        "A case may have several. Per case: the mean difference to the group of now where the record has it; no target, codes \
follow the record. By department and code: work.csv; case by case: work_cases.csv."
    )
    return Card(title, [PageTable(title, columns, rows, note=remark)])


def _worst(work: pa.Table) -> list[Card]:
    """Entries of the work list with the largest loss."""
    rows = [row for row in work.to_pylist() if row["rule"] != "field" and float(row["change"]) < 0]
    rows = sorted(rows, key=lambda row: (float(row["change"]), row["hospital_id"], row["code"]))[:WORK]
    for row in rows:
        row["title"] = bilingual(RULES[row["rule"]].title, RULES[row["rule"]].title_zh)
        row["named"] = NamedCode(row["code"] or "", row["code_name"] or "")
        row["where"] = f"{row['hospital_id']} · {row['department']}"
        row["moves"] = row["detail"].split(": ")[0]
    columns = [
        TableColumn(text("hospital · department"), "where"), TableColumn(text("what"), "title", minor=True),
        TableColumn(text("code"), "named"), TableColumn(text("from → to"), "moves", minor=True),
        TableColumn(text("cases"), "cases", "count"), TableColumn(text("change (10k yuan)"), "change", "wan", signed=True),
    ]  # fmt: skip
    title = text("Codes that lose most")
    return [Card(title, [PageTable(title, columns, rows)])] if rows else []


def _differences(difference: SchemeDifference | None, left: str, right: str) -> list[Card]:
    """How many things differ between two DRG schemes; nothing where one side is a catalogue."""
    if difference is None:
        return []
    found = difference.summary()
    rows = [(words, found[name]) for name, words in _DIFFERENCES.items() if name in found]
    title = text("Appendix: what differs between the schemes")
    table = PageTable(title, [TableColumn(text("difference"), 0), TableColumn(text("number"), 1, "count")], rows)
    command = f"drgsim schemes diff {left} {right} --full"
    return [Card(title, [table, Words([text("In full: schemes-diff.html in the same folder, or {command}", command=command)])])]


def _basis(switch: SchemeSwitch, left: str, right: str) -> Card:
    rows = [
        (name, side.choice.policy.id, side.weights_label, [f"{key} {value:,.2f}" for key, value in side.unit_values.items()])
        for name, side in zip((left, right), switch.sides, strict=True)
    ]
    columns = [TableColumn(text("scheme"), 0), TableColumn(text("policy"), 1), TableColumn(text("weights"), 2),
               TableColumn(text("unit value (yuan)"), 3)]  # fmt: skip
    title = text("Policies and unit values")
    parts: list[PagePart] = [PageTable(title, columns, rows)]
    if switch.budget_source:
        parts.append(Words([text("Budget: {source}", source=switch.budget_source)]))
    return Card(title, parts)
