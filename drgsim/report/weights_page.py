"""The page of estimated weights: how good the groups are before and after trimming, the weights with their errors, flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from drgsim.errors import Problem
from drgsim.language import Text, joined, text
from drgsim.payment.group_evaluation import GroupEvaluation
from drgsim.payment.weight_estimation import FLAGS, EstimatedWeights
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, NamedCode, PagePart, PageTable, TableColumn, shown_value

MOST_DRAWN = 25  # groups of the chart
MOST_ROWS = 100  # groups of the table
FLAG_TITLES = {
    "unstable_cv": text("CV above the limit"),
    "few_cases": text("few cases"),
    "smoothed": text("smoothed towards its parent"),
    "pooled": text("pooled, so that a more severe group costs no less"),
    "parent_mean": text("mean of its ADRG"),
    "adjusted": text("adjusted by policy"),
}


def weights_page(
    weights: EstimatedWeights, lines: Sequence[GroupEvaluation], names: Mapping[str, str], notes: Sequence[Problem] = ()
) -> str:
    """HTML of the page; ``names`` are those of the groups, ``notes`` what was left out."""
    after, before = (next(line for line in lines if line.scope == "all" and line.trimmed is cut) for cut in (True, False))
    lead = text(
        "{groups:,} groups have a weight; the mean case that has weight 1 costs {mean} yuan.",
        groups=int(np.isfinite(weights.weight).sum()), mean=shown_value(weights.overall_mean, "yuan"),
    )  # fmt: skip
    return page_html(Page(
        title=text("Relative weights"),
        lead=lead,
        figures=[
            KeyFigure(text("cases used"), f"{after.cases:,}", text("of {count:,}", count=int(weights.kept.size))),
            KeyFigure(text("groups"), f"{after.groups:,}"),
            KeyFigure(text("RIV, untrimmed"), shown_value(before.riv, "share")),
            KeyFigure(text("RIV, trimmed"), shown_value(after.riv, "share")),
            KeyFigure(text("groups with CV below the limit"), shown_value(after.stable_share, "share"), text("trimmed")),
            KeyFigure(text("R² of the stay"), shown_value(after.r2_days, "share"), text("trimmed")),
        ],
        summary=[_evaluation(lines, "all")],
        cards=[_weights(weights, names), _flags(weights), Card(text("By major diagnostic category"), [_evaluation(lines)])],
        notes=[*weights.settings.describe(), *(joined(" ", filter(None, (note.what, note.fix))) for note in notes)],
    ))  # fmt: skip


def _evaluation(lines: Sequence[GroupEvaluation], scope: str = "") -> PageTable:
    """Measures before and after trimming: over all cases, or by MDC."""
    rows = [
        {**vars(line), "how": text("trimmed") if line.trimmed else text("untrimmed")}
        for line in lines
        if (line.scope == scope if scope else line.scope != "all")
    ]
    rows.sort(key=lambda row: (row["scope"], row["trimmed"]))
    columns = [
        *([] if scope else [TableColumn(text("MDC"), "scope")]), TableColumn(text("costs"), "how"),
        TableColumn(text("cases"), "cases", "count"), TableColumn(text("groups"), "groups", "count", minor=True),
        TableColumn(text("mean cost (yuan)"), "mean_cost", ",.0f"), TableColumn("RIV", "riv", "share"),
        TableColumn(text("CV of all"), "cv", ".3f", minor=True),
        TableColumn(text("CV below the limit"), "stable_share", "share"),
        TableColumn(text("R² of the stay"), "r2_days", "share", minor=True),
    ]  # fmt: skip
    return PageTable(text("How good the groups are"), columns, rows)


def _weights(weights: EstimatedWeights, names: Mapping[str, str]) -> Card:
    """The weights of the largest groups with two standard errors to each side."""
    statistics = weights.statistics
    order = np.lexsort((np.array(weights.codes), -statistics.count))
    order = order[statistics.count[order] > 0]
    drawn = order[:MOST_DRAWN]
    values, error = weights.weight[drawn], 2 * weights.standard_error[drawn]
    caption = text("Weights of the {count} largest groups (1 = the mean case) with two standard errors to each side",
                   count=len(drawn))  # fmt: skip
    titles = [NamedCode(weights.codes[place], names.get(weights.codes[place], "")) for place in order[:MOST_ROWS].tolist()]
    chart = BarChart(
        caption, titles[:MOST_DRAWN], [BarSeries("", values.tolist(), low=(values - error).tolist(),
                                                 high=(values + error).tolist())], ".3f", dots=True,
    )  # fmt: skip
    rows = [
        {"group": title, "cases": int(statistics.count[place]), "weight": weights.weight[place],
         "error": weights.standard_error[place], "mean": weights.mean_cost[place], "days": weights.mean_days[place],
         "cv": statistics.cv[place], "flags": _flag_words(weights.flags[place])}
        for title, place in zip(titles, order[:MOST_ROWS].tolist(), strict=True)
    ]  # fmt: skip
    columns = [
        TableColumn(text("group"), "group"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("weight"), "weight", ".4f"), TableColumn(text("standard error"), "error", ".4f", minor=True),
        TableColumn(text("mean cost (yuan)"), "mean", ",.0f"), TableColumn(text("mean stay (days)"), "days", ".1f", minor=True),
        TableColumn("CV", "cv", ".3f"), TableColumn(text("look at"), "flags"),
    ]  # fmt: skip
    note = text("{shown} of {all:,} groups, those with most cases; all of them stand in weights.csv.",
                shown=len(rows), all=len(order))  # fmt: skip
    return Card(text("Weights"), [chart, PageTable(text("The largest groups"), columns, rows, note=note)])


def _flags(weights: EstimatedWeights) -> Card:
    counted = Counter(flag for flags in weights.flags for flag in flags)
    found = [flag for flag in FLAGS if counted[flag]]
    parts: list[PagePart] = [
        BarChart(text("Groups with a flag"), [FLAG_TITLES[flag] for flag in found],
                 [BarSeries("", [counted[flag] for flag in found])])
    ]  # fmt: skip
    return Card(text("What happened to groups"), parts if found else [])


def _flag_words(flags: Sequence[str]) -> Text | str:
    return joined("; ", [FLAG_TITLES[flag] for flag in flags]) if flags else ""
