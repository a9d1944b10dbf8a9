"""The case-mix page: what a grouped file holds, as one self-contained HTML file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.analysis.casemix import case_mix, relative_weights
from drgsim.engines.group_run import GroupRun
from drgsim.language import bilingual, counted, text
from drgsim.records.findings import BY_CODE
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, NamedCode, NotedText, PageTable, TableColumn
from drgsim.report.plots import Plot, PlotAxis, PlotDots
from drgsim.units.drg.drg_grouper import STATUSES
from drgsim.units.schemes.scheme import KINDS, Scheme

STATUS_WORDS = dict(zip(STATUSES, (text("grouped"), text("ambiguous"), text("ungroupable"), text("invalid")), strict=True))
_STATUS_TONES = dict(zip(STATUSES, ("green", "amber", "red", "grey"), strict=True))
_KIND_TONES = {"surgical": "blue", "procedure": "amber", "medical": "light"}
MOST_GROUPS = 20
MOST_HOSPITALS = 40


def casemix_page(run: GroupRun, grouped: pa.Table, scheme: Scheme, *, title: str, note: str = "") -> str:
    """HTML of the page.

    Parameters
    ----------
    run
        The run that grouped the records.
    grouped
        Its output; ``total_cost`` (yuan) and ``hospital_id`` are used where they are there.
    scheme
        The scheme of the run.
    title, note
        Heading, and a remark that is set off (that the data are synthetic, say).
    """
    table_id = run.drg_scheme.reference_weights
    weights = relative_weights(table_id) if table_id else {}
    in_group = grouped.filter(pc.equal(grouped["status"], "grouped"))
    has_cost = "total_cost" in grouped.schema.names
    groups = _groups(in_group, scheme, weights, has_cost)
    cards = [_by_mdc(groups, scheme), _largest(groups, has_cost)]
    if has_cost:
        cards.append(_cost_and_volume(groups))
    if weights and "hospital_id" in grouped.schema.names:
        cards.append(_hospitals(in_group, weights))
    footer = [text("scheme {scheme} ({digest})", scheme=scheme.id, digest=scheme.digest[:12])]
    if table_id:
        footer.append(text("relative weights: payment table {table}", table=table_id))
    return page_html(Page(
        title=title,
        subtitle=text("{scheme} · {files}", scheme=bilingual(scheme.title_en, scheme.title_zh),
                      files=", ".join(path.name for path in run.inputs)),
        warnings=[note] if note else [],
        figures=_figures(run, grouped, weights, has_cost),
        summary=[_status_bar(run)],
        cards=[*cards, *_findings(run)],
        footer=[*footer, *scheme.sources],
    ))  # fmt: skip


def _figures(run: GroupRun, grouped: pa.Table, weights: dict[str, float], has_cost: bool) -> list[KeyFigure]:
    mix = case_mix(run.counts, run.drg_scheme, weights)
    figures = [
        KeyFigure(text("records"), f"{run.counts.records:,}"),
        KeyFigure(text("share grouped"), f"{100 * run.counts.status[0] / run.counts.records:.1f} %"),
        KeyFigure(text("groups"), f"{mix.groups:,}"),
        KeyFigure("CMI", "–" if mix.cmi is None else f"{mix.cmi:.3f}"),
    ]
    if has_cost:
        mean = pc.mean(pc.cast(grouped["total_cost"], pa.float64())).as_py()
        figures.append(KeyFigure(text("mean cost (yuan)"), f"{mean:,.0f}"))
    return figures


def mdc_chart(run: GroupRun, grouped: pa.Table, scheme: Scheme) -> BarChart:
    """Cases by MDC and kind of group."""
    weights = relative_weights(run.drg_scheme.reference_weights) if run.drg_scheme.reference_weights else {}
    in_group = grouped.filter(pc.equal(grouped["status"], "grouped"))
    return _mdc_bars(_groups(in_group, scheme, weights, has_cost=False), scheme)


def _groups(in_group: pa.Table, scheme: Scheme, weights: dict[str, float], has_cost: bool) -> list[dict[str, Any]]:
    """One entry per group that occurs, most cases first."""
    wanted: list[tuple[str, str]] = [("drg", "count")]
    table = in_group.select(["drg", "total_cost"] if has_cost else ["drg"])
    if has_cost:
        table = table.set_column(1, "total_cost", pc.cast(table["total_cost"], pa.float64()))
        wanted.append(("total_cost", "mean"))
    entries = table.group_by("drg").aggregate(wanted).to_pylist()
    total = max(in_group.num_rows, 1)
    groups = [
        {
            "drg": entry["drg"],
            "label": NamedCode(entry["drg"], scheme.drgs[entry["drg"]].name),
            "cases": entry["drg_count"],
            "share": entry["drg_count"] / total,
            "mean_cost": entry.get("total_cost_mean"),
            "weight": weights.get(entry["drg"]),
            "kind": scheme.adrgs[scheme.drgs[entry["drg"]].adrg].kind,
            "mdc": scheme.adrgs[scheme.drgs[entry["drg"]].adrg].mdc,
        }
        for entry in entries
    ]
    return sorted(groups, key=lambda group: (-group["cases"], group["drg"]))


def _status_bar(run: GroupRun) -> BarChart:
    numbers = run.counts.status.tolist()
    series = [
        BarSeries(text("{status} {count:,}", status=STATUS_WORDS[status], count=number), [number], _STATUS_TONES[status])
        for status, number in zip(STATUSES, numbers, strict=True)
    ]
    return BarChart(text("Records by status"), [text("records")], series, stacked=True)


def _mdc_bars(groups: list[dict[str, Any]], scheme: Scheme) -> BarChart:
    order = [mdc for mdc in scheme.mdcs if any(group["mdc"] == mdc.code for group in groups)]
    series = []
    for kind, tone in _KIND_TONES.items():
        cases = [sum(g["cases"] for g in groups if g["mdc"] == mdc.code and g["kind"] == kind) for mdc in order]
        series.append(BarSeries(bilingual(kind, KINDS[kind]), cases, tone))
    caption = text("Grouped cases by major diagnostic category and kind of group")
    return BarChart(caption, [NamedCode(mdc.code, mdc.name) for mdc in order], series, stacked=True)


def _by_mdc(groups: list[dict[str, Any]], scheme: Scheme) -> Card:
    return Card(text("Cases by major diagnostic category"), [_mdc_bars(groups, scheme)])


def _largest(groups: list[dict[str, Any]], has_cost: bool) -> Card:
    top = groups[:MOST_GROUPS]
    covered = text("{share:.1f} % of the grouped cases", share=100 * sum(g["share"] for g in top))
    columns = [
        TableColumn(text("group"), "label"),
        TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("share"), "share", "share"),
        *([TableColumn(text("mean cost (yuan)"), "mean_cost", "count")] if has_cost else []),
        TableColumn(text("weight"), "weight", ".4f", minor=True),
    ]
    title = counted(len(top), "The largest group", "The {count} largest groups")
    chart = BarChart(text("Cases of the largest groups"), [g["label"] for g in top], [BarSeries("", [g["cases"] for g in top])])
    return Card(title, [chart, PageTable(title, columns, top)], covered)


def _cost_and_volume(groups: list[dict[str, Any]]) -> Card:
    layers = []
    for number, (kind, tone) in enumerate(_KIND_TONES.items()):
        chosen = [g for g in groups if g["kind"] == kind and g["mean_cost"]]
        if chosen:
            xs, ys, names = ([g[key] for g in chosen] for key in ("cases", "mean_cost", "label"))
            layers.append(PlotDots(bilingual(kind, KINDS[kind]), xs, ys, tone, names, labelled=5 - number))
    caption = text("Cases and mean cost, one dot per group; both axes are logarithmic.")
    plot = Plot(caption, layers, PlotAxis(text("cases"), log=True), PlotAxis(text("mean cost (yuan)"), log=True), height=440)
    return Card(text("Volume and cost of the groups"), [plot])


def _hospitals(in_group: pa.Table, weights: dict[str, float]) -> Card:
    cells = in_group.group_by(["hospital_id", "drg"]).aggregate([("drg", "count")]).to_pylist()
    sums: dict[str, list[float]] = {}
    for cell in cells:
        if cell["drg"] in weights and cell["hospital_id"] is not None:
            held = sums.setdefault(str(cell["hospital_id"]), [0, 0.0])
            held[0] += cell["drg_count"]
            held[1] += cell["drg_count"] * weights[cell["drg"]]
    ranked = sorted(((weight / cases, name, cases) for name, (cases, weight) in sums.items()), reverse=True)[:MOST_HOSPITALS]
    names = [NotedText(name, counted(int(cases), "{count} case", "{count:,} cases")) for _, name, cases in ranked]
    caption = text("CMI: mean relative weight of the cases whose group has one")
    chart = BarChart(caption, names, [BarSeries("", [cmi for cmi, _, _ in ranked], "green")], ".3f")
    return Card(text("Case-mix index of the hospitals"), [chart])


def _findings(run: GroupRun) -> list[Card]:
    """Why records have no plain group, and doubts."""
    sides = (
        (text("Records without a plain group"), "", run.counts.reasons),
        (text("Doubts about the data"), text("A doubt never changes a group."), run.counts.warnings),
    )
    cards = []
    for title, note, counts in sides:
        if counts:
            rows = [
                (NotedText(bilingual(BY_CODE[code].title, BY_CODE[code].title_zh), code), n) for code, n in counts.most_common()
            ]
            columns = [TableColumn(text("what"), 0), TableColumn(text("records"), 1, "count")]
            cards.append(Card(title, [PageTable(title, columns, rows)], note))
    return cards
