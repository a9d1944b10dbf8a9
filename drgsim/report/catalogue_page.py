"""The page of a DIP catalogue: sizes by type, coverage curve, CV, largest kinds, how good it is, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drgsim.authoring.dip.catalogue_differences import CHANGES, CatalogueDiff
from drgsim.language import bilingual, from_both_languages, joined, term, text
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, NamedCode, PageAssumption, PageTable, TableColumn, Words, founded_card
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotGuide, PlotLine
from drgsim.units.dip.dip_catalogue import CORE_KINDS, KINDS, Catalogue, Kind

MOST_ROWS = 30


def catalogue_page(catalogue: Catalogue, summary: Mapping[str, Any], diff: CatalogueDiff | None) -> str:
    """HTML of the page, with everything in it; the same catalogue gives the same bytes."""
    kinds = [kind for kind in catalogue.by_code.values() if not kind.aux or kind.kind == "first"]
    core = [kind for kind in kinds if kind.kind in CORE_KINDS]
    values = [(_assumption(entry, summary), entry["evidence"]) for entry in summary.get("parameters", [])]
    footer = [text("catalogue {catalogue} ({digest})", catalogue=catalogue.id, digest=catalogue.digest[:12])]
    if summary:
        made = summary["specification"]
        footer.append(text("specification {specification} ({digest}) · {method}", specification=made["id"],
                           digest=made["digest"][:12],
                           method=summary["method"]))  # fmt: skip
    return page_html(Page(
        title=bilingual(f"{catalogue.id} {catalogue.title}", f"{catalogue.id} {catalogue.title_zh}"),
        subtitle=joined("; ", catalogue.sources),
        warnings=list(catalogue.notes),
        figures=_figures(catalogue, kinds, core, summary),
        summary=[_types(catalogue)],
        cards=[
            *_charts(core, kinds, summary), *_explained(summary), *_largest(core, kinds), *(_changes(diff) if diff else []),
            *founded_card([(value, evidence) for value, evidence in values if evidence != "assumption"]),
        ],
        assumptions=[value for value, evidence in values if evidence == "assumption"],
        footer=footer,
    ))  # fmt: skip


def _assumption(entry: Mapping[str, Any], summary: Mapping[str, Any]) -> PageAssumption:
    value = entry["value"]
    shown = str(value) if isinstance(value, str | int | float) else ", ".join(map(str, value))
    return PageAssumption(
        entry["path"], shown, entry["unit"], " · ".join(filter(None, (entry["note"], summary["sources"][entry["source"]])))
    )


def _figures(catalogue: Catalogue, kinds: Sequence[Kind], core: Sequence[Kind], summary: Mapping[str, Any]) -> list[KeyFigure]:
    with_procedure = sum(bool(kind.procedure) for kind in core)
    figures = [
        KeyFigure(text("core kinds"), f"{len(core):,}"),
        KeyFigure(text("without · with procedure"), f"{len(core) - with_procedure:,} · {with_procedure:,}"),
        KeyFigure(text("comprehensive kinds"), f"{sum(kind.kind == 'comprehensive' for kind in kinds):,}"),
        KeyFigure(text("auxiliary levels"), f"{sum(bool(kind.aux) for kind in catalogue.by_code.values()):,}"),
    ]
    if summary:
        figures.append(KeyFigure(text("core coverage"), f"{100 * summary['core_coverage']:.1f} %"))
        figures.append(KeyFigure(text("mean cost (yuan)"), f"{summary['mean_cost_yuan']:,.0f}"))
    return figures


# -- charts
def _charts(core: Sequence[Kind], kinds: Sequence[Kind], summary: Mapping[str, Any]) -> list[Card]:
    cards = []
    counted_kinds = _by_cases(core)
    if counted_kinds:
        cards.append(_coverage(counted_kinds, kinds))
    spread = [kind.cv for kind in core if kind.cv is not None and (kind.cases or 0) > 1]
    if spread:
        cards.append(_spread(spread, summary))
    if any(kind.score for kind in core):
        cards.append(_scores(core))
    prediction = (summary.get("evaluation") or {}).get("prediction")
    return [*cards, _prediction(prediction)] if prediction else cards


def _by_cases(core: Sequence[Kind]) -> list[Kind]:
    return sorted((kind for kind in core if kind.cases), key=lambda kind: (-(kind.cases or 0), kind.code))


def _types(catalogue: Catalogue) -> BarChart:
    plain = [kind for kind in catalogue.by_code.values() if not kind.aux or kind.kind == "first"]
    counts = [
        (bilingual(name.replace("_", " "), title), sum(kind.kind == name for kind in plain)) for name, title in KINDS.items()
    ]
    counts.append((text("auxiliary levels"), len(catalogue.by_code) - len(plain)))
    shown = [(name, number) for name, number in counts if number]
    return BarChart(text("Kinds by type"), [name for name, _ in shown], [BarSeries("", [number for _, number in shown])])


def _coverage(counted_kinds: Sequence[Kind], kinds: Sequence[Kind]) -> Card:
    """Share of all cases that the n largest core kinds cover."""
    total = sum(kind.cases or 0 for kind in kinds)
    share = np.cumsum([kind.cases or 0 for kind in counted_kinds]) / total
    at = np.unique(np.round(np.geomspace(1, len(counted_kinds), 300)).astype(int)) - 1
    line = PlotLine("", (at + 1).tolist(), (100 * share[at]).round(2).tolist())
    half, size = int(np.searchsorted(share, 0.5)) + 1, len(counted_kinds)
    words = text(
        "{half:,} kinds cover half of the cases; all {all:,} core kinds {share:.1f} %.",
        half=half,
        all=size,
        share=100 * share[-1],
    )
    if half > size:
        words = text("All {all:,} core kinds cover {share:.1f} % of the cases.", all=size, share=100 * share[-1])
    plot = Plot(text("Share of the cases that the largest core kinds cover"), [line],
                PlotAxis(text("core kinds, the largest first"), log=True), PlotAxis(text("% of cases"), low=0, high=102),
                [PlotGuide("y", 95, "95 %")])  # fmt: skip
    return Card(text("Coverage curve"), [plot], words)


def _spread(values: Sequence[float], summary: Mapping[str, Any]) -> Card:
    limit = next((p["value"] for p in summary.get("parameters", []) if p["path"] == "checks.cv_auxiliary"), 0.7)
    edges = np.linspace(0, 2, 41)
    number, _ = np.histogram(np.minimum(values, 1.999), edges)
    bars = PlotColumns("", (edges[:-1] + edges[1:]) / 2, number, "green", np.diff(edges))
    words = text("Mean {mean:.3f}; {above:,} of {all:,} core kinds with two cases or more lie above {limit:g}.",
                 mean=np.mean(values),
                 above=sum(value > limit for value in values), all=len(values), limit=limit)  # fmt: skip
    plot = Plot(text("Core kinds by CV of cost within the kind (2 and more together)"), [bars], PlotAxis("CV", ".2f"),
                PlotAxis(text("kinds")), [PlotGuide("x", limit, f"{limit:g}", "red")], height=300)  # fmt: skip
    return Card(text("Spread of cost within kinds"), [plot], words)


def _scores(core: Sequence[Kind]) -> Card:
    scores = [kind.score for kind in core if kind.score]
    edges = np.geomspace(min(scores) * 0.999, max(scores) * 1.001, 61)
    number, _ = np.histogram(scores, edges)
    bars = PlotColumns("", (edges[:-1] + edges[1:]) / 2, number, "light", np.diff(edges))
    words = text("Core kinds from {least:,.1f} to {most:,.1f}, median {median:,.1f}.", least=min(scores), most=max(scores),
                 median=np.median(scores))  # fmt: skip
    plot = Plot(text("Core kinds by score"), [bars], PlotAxis(text("score (1000 = mean case)"), log=True),
                PlotAxis(text("kinds")),
                height=300, most_numbers=0)  # fmt: skip
    return Card(text("Scores"), [plot], words)


def _prediction(rows: Sequence[Mapping[str, Any]]) -> Card:
    series = [
        BarSeries(title, [100 * row[name] for row in rows], tone)
        for name, title, tone in (("error", term("of an error", "found"), "blue"), ("chance", text("by chance alone"), "grey"))
    ]
    words = text("Scores from one half of the discharges against those of the other half, weighted by cases; chance: what \
samples of this size and spread would show if nothing else differed.")  # fmt: skip
    names = [text("{size} cases", size=row["size"]) for row in rows]
    caption = text("Mean error (%) by cases of the kind in the half that predicts")
    return Card(text("Prediction by size of kind"), [BarChart(caption, names, series, ".1f")], words)


# -- tables
def _explained(summary: Mapping[str, Any]) -> list[Card]:
    evaluation, plain = summary.get("evaluation") or {}, summary.get("plain_list")
    if not evaluation.get("explained"):
        return []
    rows = [{**each, "label": bilingual(each["name"], each["name_zh"])} for each in evaluation["explained"]]
    if plain:
        rows += [
            {**each, "label": text("plain list, {name}", name=bilingual(each["name"], each["name_zh"]))}
            for each in plain["explained"][:2]
        ]
    columns = [
        TableColumn(text("grouped by"), "label"), TableColumn(text("groups"), "groups", "count"),
        TableColumn("RIV", "riv", ".4f"),
        TableColumn(text("RIV adjusted"), "adjusted", ".4f", minor=True), TableColumn(text("RIV unseen"), "riv_out", ".4f"),
        TableColumn("CV", "cv", ".4f", minor=True), TableColumn(text("CV unseen"), "cv_out", ".4f", minor=True),
        TableColumn(text("in groups < 10"), "small_share", "share", minor=True),
    ]  # fmt: skip
    title = text("Explained variance beside DRG")
    told = text("RIV = 1 − SS within / SS total on all discharges with a DRG, nothing trimmed; adjusted for the number of \
groups; unseen: one half of the discharges makes the kinds and means, the other half is judged, both ways.")  # fmt: skip
    words = Words([*from_both_languages("notes", evaluation), told, *_stability(summary)])
    return [Card(title, [PageTable(title, columns, rows), words])]


def _stability(summary: Mapping[str, Any]) -> list[str]:
    stability, plain = summary.get("stability"), summary.get("plain_list")
    if not stability:
        return []
    words: list[str] = [text("Stability: kinds built from {samples} samples of {share:.0%} of the discharges agree with \
those of the whole by an adjusted Rand index of {mean:.3f} (least {least:.3f}).",
                samples=stability["samples"], share=stability["share"], mean=stability["mean"],
                  least=stability["least"])]  # fmt: skip
    if plain and plain.get("stability"):
        words.append(text("The plain list agrees by {mean:.3f}.", mean=plain["stability"]["mean"]))
    return words


def _largest(core: Sequence[Kind], kinds: Sequence[Kind]) -> list[Card]:
    total = sum(kind.cases or 0 for kind in kinds)
    rows = [
        {"label": NamedCode(kind.code, kind.name), "cases": kind.cases, "share": (kind.cases or 0) / total, "score": kind.score,
         "mean_cost": kind.mean_cost, "cv": kind.cv}
        for kind in _by_cases(core)[:MOST_ROWS]
    ]  # fmt: skip
    columns = [
        TableColumn(text("kind of disease"), "label"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("share"), "share", "share"), TableColumn(text("points per case"), "score", ",.2f"),
        TableColumn(text("mean cost (yuan)"), "mean_cost", "count", minor=True), TableColumn("CV", "cv", ".3f", minor=True),
    ]  # fmt: skip
    title = text("Largest core kinds")
    return [Card(title, [PageTable(title, columns, rows)])] if rows else []


def _changes(diff: CatalogueDiff) -> list[Card]:
    counts = [(bilingual(change, title), diff.count(change)) for change, title in CHANGES.items()]
    columns = [TableColumn(text("change"), 0), TableColumn(text("kinds"), 1, "count")]
    title = text("Changes since {catalogue}", catalogue=diff.old.id)
    note = ""
    if diff.mean_change is not None:
        note = text(
            "Scores of kinds in both move by {share:.1f} % on average, weighted by cases.", share=100 * diff.mean_change
        )
    sides = (
        (text("Scores that moved most"), ("score",), text("By cases × relative change.")),
        (text("New kinds"), ("new", "split"), ""), (text("Kinds that are gone"), ("gone", "merged"), ""),
    )  # fmt: skip
    return [
        Card(title, [PageTable(title, columns, counts)], note),
        *(Card(head, [_changes_table(head, rows)], words) for head, kinds, words in sides if (rows := _most(diff, kinds))),
    ]


def _most(diff: CatalogueDiff, changes: tuple[str, ...]) -> list[Any]:
    chosen = [each for each in diff.changes if each.change in changes]
    return sorted(chosen, key=lambda each: (-each.weight, each.code))[:MOST_ROWS]


def _changes_table(title: str, changes: Sequence[Any]) -> PageTable:
    rows = [
        {"label": NamedCode(each.code, each.name), "cases": each.cases_before if each.cases_after is None else each.cases_after,
         "before": each.before, "after": each.after, "ratio": None if each.ratio is None else each.ratio - 1,
         "into": ", ".join(each.into[:3]) + (", …" if len(each.into) > 3 else "")}
        for each in changes
    ]  # fmt: skip
    columns = [
        TableColumn(text("kind of disease"), "label"), TableColumn(text("cases"), "cases", "count", minor=True),
        TableColumn(text("points before"), "before", ",.1f"), TableColumn(text("points after"), "after", ",.1f"),
        TableColumn(text("change"), "ratio", "share", signed=True), TableColumn(text("combinations in"), "into", minor=True),
    ]  # fmt: skip
    return PageTable(title, columns, rows)
