"""The page for research: how well groups explain costs, which spread most, how their costs lie, where they might be split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from drgsim.accounts.group_research import LIMITS, GroupResearch
from drgsim.accounts.group_spread import ALIKE, CAP, FLAGS, ONE_CASE, QUANTILES, CostsExplained
from drgsim.language import Text, joined, text
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    Choice,
    KeyFigure,
    NamedCode,
    PageAssumption,
    PagePart,
    PageTable,
    Points,
    TableColumn,
    Words,
    shown_value,
)
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotDots, PlotGuide
from drgsim.report.report_parts import ReportChoices

TITLE = text("Research report on groups")
OUTER = (QUANTILES[0], QUANTILES[-1])  # left out on a phone
MOST_GROUPS = 40  # lines of the table of groups
WAY_TITLES = {
    "untrimmed": text("all cases, untrimmed"),
    "trimmed": text("trimmed"),
    "capped": text("costs above the {share} quantile set to it", share=f"{100 * CAP:g} %"),
    "logarithms": text("logarithms of costs"),
}
FLAG_TITLES = {
    "few_cases": text("few cases"),
    "high_cv": text("CV above the limit"),
    "high_cv_trimmed": text("CV above the limit even after trimming"),
    "one_case": text("one case makes more than {share} of its spread", share=f"{ONE_CASE:.0%}"),
    "inverted": text("cheaper than the lighter group of its family"),
    "alike": text("costs less than {share} more than the lighter group of its family", share=f"{ALIKE:.0%}"),
}


def research_page(found: GroupResearch, choices: ReportChoices) -> str:
    """HTML of the page with the warnings and links of ``choices``."""
    by_way = {line.way: line for line in found.measures if line.scope == "all"}
    return page_html(Page(
        title=TITLE,
        subtitle=joined(" · ", _subtitle(found)),
        lead=lead_of(found),
        warnings=choices.warnings,
        links=choices.links,
        figures=_figures(by_way),
        summary=[_measures_table(found)],
        cards=[*_by_mdc(found), _evaluation(found), _distributions(found), _splits(found)],
        assumptions=limits_of(found),
        notes=[*found.weights.settings.describe(), *(problem.what for problem in found.problems)],
        footer=[text("scheme {ids}", ids=", ".join(found.cases.schemes) or "–")],
    ))  # fmt: skip


def _subtitle(found: GroupResearch) -> list[Text | str]:
    """Years of discharge where they are known, and the schemes."""
    years = sorted({int(year) for year in np.unique(found.history.year) if year > 1900})  # files without dates are numbered
    period = [str(years[0]) if len(years) == 1 else text("{first} to {last}", first=years[0], last=years[-1])] if years else []
    return [*period, ", ".join(found.cases.schemes) or text("groups as the file names them")]


def lead_of(found: GroupResearch) -> Text:
    """What a researcher has to know at once."""
    untrimmed = next(line for line in found.measures if line.scope == "all" and line.way == "untrimmed")
    said = text(
        "{groups:,} groups with {cases:,} usable cases explain {share} of the variance of costs.",
        groups=untrimmed.groups, cases=untrimmed.cases, share=shown_value(untrimmed.r2, "share"),
    )  # fmt: skip
    rows = found.groups.select(["group", "unexplained_share", "largest_share"]).to_pylist()
    share, group = max(
        (((row["unexplained_share"] or 0) * (row["largest_share"] or 0), row["group"]) for row in rows), default=(0, "")
    )
    single = text(
        "One case of {group} makes {share} of what they leave unexplained: look at it before any verdict.",
        group=group, share=shown_value(share, "share"),
    )  # fmt: skip
    return joined(" ", [said, single]) if share >= 0.1 else said


def _figures(by_way: dict[str, CostsExplained]) -> list[KeyFigure]:
    untrimmed, trimmed = by_way["untrimmed"], by_way["trimmed"]
    return [
        KeyFigure(text("usable cases"), f"{untrimmed.cases:,}", text("{count:,} after trimming", count=trimmed.cases)),
        KeyFigure(text("groups"), f"{untrimmed.groups:,}"),
        KeyFigure(text("RIV, untrimmed"), shown_value(untrimmed.r2, "share"), text("equals R2")),
        KeyFigure(text("RIV, trimmed"), shown_value(trimmed.r2, "share")),
        KeyFigure(text("R2, capped"), shown_value(by_way["capped"].r2, "share")),
        KeyFigure(text("R2 of logarithms"), shown_value(by_way["logarithms"].r2, "share")),
        KeyFigure(text("CV within groups"), shown_value(untrimmed.cv_within, ".3f"), text("weighted by cases, untrimmed")),
        KeyFigure(text("groups with CV below the limit"), shown_value(untrimmed.stable_share, "share")),
    ]


_MEASURES = [
    TableColumn(text("cases"), "cases", "count"), TableColumn(text("groups"), "groups", "count", minor=True),
    TableColumn(text("mean cost (yuan)"), "mean", ",.0f", minor=True), TableColumn("RIV = R2", "r2", "share"),
    TableColumn(text("CV within groups"), "cv_within", ".3f"), TableColumn(text("CV of all"), "cv_all", ".3f", minor=True),
    TableColumn(text("CV below the limit"), "stable_share", "share", minor=True),
    TableColumn(text("mean error / mean"), "error", "share"),
]  # fmt: skip


def _measures_table(found: GroupResearch) -> PageTable:
    rows = [{**vars(line), "title": WAY_TITLES[line.way]} for line in found.measures if line.scope == "all"]
    return PageTable(
        text("How much the groups explain"), [TableColumn(text("costs"), "title"), *_MEASURES], rows,
        note=text(
            "RIV is the share of the variance of all costs that the groups explain; published real data often stay far below "
            "70 %. Mean error: how far a case lies from the mean of its group, over the mean of all."
        ),
    )  # fmt: skip


def _by_mdc(found: GroupResearch) -> list[Card]:
    """Untrimmed and trimmed side by side, by MDC; kinds of DIP have none."""
    lines = {(line.scope, line.way): line for line in found.measures if line.scope != "all"}
    rows = [
        {**vars(line), "trimmed": lines[scope, "trimmed"].r2, "cv_trimmed": lines[scope, "trimmed"].cv_within,
         "named": NamedCode(scope, found.category_names.get(scope, ""))}
        for (scope, way), line in lines.items()
        if way == "untrimmed" and scope
    ]  # fmt: skip
    if not rows:
        return []
    columns = [
        TableColumn(text("MDC"), "named"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("groups"), "groups", "count"), TableColumn(text("mean cost (yuan)"), "mean", ",.0f", minor=True),
        TableColumn(text("RIV, untrimmed"), "r2", "share"), TableColumn(text("RIV, trimmed"), "trimmed", "share"),
        TableColumn(text("CV within groups, untrimmed"), "cv_within", ".3f"),
        TableColumn(text("CV within groups, trimmed"), "cv_trimmed", ".3f"),
    ]  # fmt: skip
    return [Card(text("By major diagnostic category"), [PageTable(text("Measures by MDC"), columns, rows)])]


def _evaluation(found: GroupResearch) -> Card:
    """The groups that hold most of the unexplained squares, with what to look at in each."""
    rows = found.groups.to_pylist()
    counted = Counter(flag for row in rows for flag in row["flags"].split("|") if flag)
    rows.sort(key=lambda row: (-(row["unexplained_share"] or 0), row["group"]))
    shown = [
        {**row, "named": NamedCode(row["group"], row["name"]), "words": flag_words(row["flags"])} for row in rows[:MOST_GROUPS]
    ]
    columns = [
        TableColumn(text("group"), "named"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("mean cost (yuan)"), "mean", ",.0f"), TableColumn(text("median"), "p50", ",.0f", minor=True),
        TableColumn("CV", "cv", ".3f"), TableColumn(text("CV, trimmed"), "cv_trimmed", ".3f"),
        TableColumn(text("of all unexplained"), "unexplained_share", "share"),
        TableColumn(text("of it one case"), "largest_share", "share", minor=True), TableColumn(text("look at"), "words"),
    ]  # fmt: skip
    parts: list[PagePart] = [
        BarChart(text("Groups with a flag"), [FLAG_TITLES[flag] for flag in FLAGS if counted[flag]],
                 [BarSeries("", [counted[flag] for flag in FLAGS if counted[flag]])]),
        _spread_plot(rows, found),
        PageTable(
            text("Groups that leave most unexplained"), columns, shown,
            note=text("{shown} of {all:,} groups; all of them stand in the workbook.", shown=len(shown), all=len(rows)),
        ),
    ]  # fmt: skip
    return Card(text("Evaluation of the groups"), parts)


def flag_words(flags: str) -> Text | str:
    """The flags of a group in words."""
    return joined("; ", [FLAG_TITLES[flag] for flag in flags.split("|")]) if flags else ""


def _spread_plot(rows: Sequence[dict[str, Any]], found: GroupResearch) -> Plot:
    drawn = [row for row in rows if row["cases"] > 1 and row["cv"]]
    return Plot(
        text("CV of each group by its cases; the area stands for what it leaves unexplained"),
        [PlotDots(
            "", [row["cases"] for row in drawn], [row["cv"] for row in drawn],
            names=[NamedCode(row["group"], row["name"]) for row in drawn],
            sizes=[row["unexplained_share"] or 0 for row in drawn], labelled=12,
        )],
        PlotAxis(text("cases"), log=True), PlotAxis("CV", ".1f", zero=True),
        [PlotGuide("y", found.weights.settings.maximum_cv, text("limit"))], most_numbers=0,
    )  # fmt: skip


def _distributions(found: GroupResearch) -> Card:
    """How costs lie in the largest groups and in those that spread most."""
    rows = {row["group"]: row for row in found.groups.to_pylist()}
    chosen = list(dict.fromkeys([*found.largest, *found.most_spread]))
    names = [NamedCode(code, rows[code]["name"]) for code in chosen]
    quantiles = [
        TableColumn(text("group"), "named"), TableColumn(text("cases"), "cases", "count"),
        *(TableColumn(f"P{100 * share:g}", f"p{100 * share:g}", ",.0f", minor=share in OUTER) for share in QUANTILES),
        TableColumn(text("mean"), "mean", ",.0f"), TableColumn("CV", "cv", ".3f"),
    ]  # fmt: skip
    table = PageTable(
        text("Quantiles of costs, yuan"), quantiles,
        [{**rows[code], "named": name} for code, name in zip(chosen, names, strict=True)],
        note=text("The largest groups first, then those that leave most unexplained."),
    )  # fmt: skip
    options = [(name, [_histogram_plot(found, code)]) for code, name in zip(chosen, names, strict=True)]
    return Card(
        text("How costs are distributed"), [table, Choice("distribution", text("Group"), options)] if options else [table]
    )


def _histogram_plot(found: GroupResearch, code: str) -> Plot:
    made = found.histogram(code)
    bars = [f"{low:,.0f}" for low in made.edges[:-1]]
    return Plot(
        text("Cases by cost, in steps of equal ratio; the number below is where a bar begins, yuan"),
        [PlotColumns("", list(range(len(bars))), made.counts.tolist(), labels=True)],
        PlotAxis(text("cost (yuan) from"), names=bars), PlotAxis(text("cases"), zero=True), height=280, most_numbers=0,
    )  # fmt: skip


def _splits(found: GroupResearch) -> Card:
    """Divisions that would part the costs of a group, with the warning that they are hints."""
    title = text("Where groups might be split: a hint, not a test")
    if found.without_hints is not None:
        return Card(title, [Words([found.without_hints], soft=False)])
    rows = [
        {**row, "named": NamedCode(row["group"], found.names.get(row["group"], "")), "words": words}
        for row, words in zip(found.hints.to_pylist(), found.hint_titles, strict=True)
    ]
    said = Points([
        text("Groups with at least {cases:,} cases and a CV above the mean are divided by every question, on trimmed costs.",
             cases=LIMITS.cases),
        text("Nobody has tested them: no interval, no other year, no clinician. Many questions are asked, so some answers "
             "are chance."),
        text("Stay and way of discharge can be steered by who is paid by them; a procedure may stand for another that is done "
             "with it."),
    ])  # fmt: skip
    if not rows:
        return Card(title, [said, Words([text("No division parts costs by the limits below.")], soft=False)])
    columns = [
        TableColumn(text("group"), "named"), TableColumn(text("divided by"), "words"),
        TableColumn(text("cases with it"), "cases_yes", "count"), TableColumn(text("mean (yuan)"), "mean_yes", ",.0f"),
        TableColumn(text("cases without"), "cases_no", "count"), TableColumn(text("mean without"), "mean_no", ",.0f"),
        TableColumn(text("ratio"), "ratio", ".2f"), TableColumn(text("explains of the group"), "gain", "share"),
        TableColumn(text("CV"), "cv", ".3f", minor=True),
    ]  # fmt: skip
    return Card(title, [said, PageTable(text("Hints"), columns, rows)])


def limits_of(found: GroupResearch) -> list[PageAssumption]:
    settings = found.weights.settings
    said = [
        ("group_evaluation.minimum_cases", settings.minimum_cases, text("cases"), text("below it a group has few cases")),
        ("group_evaluation.maximum_cv", settings.maximum_cv, "", text("above it a group is unstable (rule book 1.3)")),
        ("group_evaluation.one_case", ONE_CASE, text("share of a group's variance"), text("chosen here")),
        ("group_evaluation.alike", ALIKE, text("relative difference of means"), text("chosen here")),
        ("explained_costs.cap", CAP, text("quantile of all costs"), text("chosen here")),
        ("split_hints.cases", LIMITS.cases, text("cases of a group"), text("chosen here")),
        ("split_hints.part", LIMITS.part, text("cases of each part"), text("chosen here")),
        ("split_hints.ratio", LIMITS.ratio, text("ratio of means"), text("chosen here")),
        ("split_hints.gain", LIMITS.gain, text("share of the group's variance"), text("chosen here")),
    ]
    return [PageAssumption(path, f"{value:g}", unit, note) for path, value, unit, note in said]
