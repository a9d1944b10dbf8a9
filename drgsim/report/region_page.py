"""The page of a region's budget year: its groups, weights, settlement, budget and one scenario, one section each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from drgsim.budgets.budget_year import BudgetYear
from drgsim.engines.group_run import GroupRun
from drgsim.language import bilingual, text
from drgsim.payment.group_evaluation import GroupEvaluation
from drgsim.payment.settlement import Settlement
from drgsim.payment.weight_estimation import EstimatedWeights
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.budget_charts import fund_chart, index_choice, sharing_chart
from drgsim.report.casemix_page import mdc_chart
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, KeyFigures, NamedCode, PageAssumption, PageTable, TableColumn, Words
from drgsim.report.settlement_page import margins_chart
from drgsim.report.whatif_page import ScenarioView
from drgsim.simulation.study import Study
from drgsim.units.schemes.scheme import Scheme

WAN = 1_000_000  # fen of ten thousand yuan (万元)
MOST_GROUPS = 20


@dataclass(frozen=True)
class RegionYear:
    """What the page shows.

    Attributes
    ----------
    run, grouped, scheme
        The run that grouped the discharges, its output, its scheme.
    weights, evaluation, history
        Weights from earlier years, how good the groups are, and in words where they come from.
    settlement
        The year's settlement.
    budgets
        Budget years; the last one is shown.
    study
        A simulation of one scenario or more; the first is shown.
    baseline
        How the baseline of the study differs from the budget year, if it does.
    assumptions
        Paths of every parameter in use that no source states.
    notes
        Remarks on how the year was computed.
    """

    run: GroupRun
    grouped: pa.Table
    scheme: Scheme
    weights: EstimatedWeights
    evaluation: Sequence[GroupEvaluation]
    history: Sequence[str]
    settlement: Settlement
    budgets: Sequence[BudgetYear]
    study: Study
    baseline: str
    assumptions: Sequence[str]
    notes: Sequence[str]


def year_page(year: RegionYear, *, title: str, note: str = "", links: Sequence[tuple[str, str]] = ()) -> str:
    """HTML of the page; ``links`` name further pages beside it with their relative addresses."""
    last = year.budgets[-1]
    policy = year.settlement.ledger.policy.file
    warning = text("{count} parameters in use are assumptions. No formula of BJ-GBI is public.", count=len(year.assumptions))
    return page_html(Page(
        title=title,
        subtitle=text("{year} · {policy}", year=last.year, policy=bilingual(policy.title, policy.title_zh)),
        warnings=[*([note] if note else []), warning],
        figures=_figures(year),
        summary=[fund_chart(last)],
        cards=[_groups(year), _weights(year), _settlement(year), *_budget(year), *_scenario(year)],
        assumptions=[PageAssumption(path) for path in year.assumptions],
        notes=year.notes,
        links=links,
        footer=[text("scheme {scheme} ({digest})", scheme=year.scheme.id, digest=year.scheme.digest[:12])],
    ))  # fmt: skip


def _figures(year: RegionYear) -> list[KeyFigure]:
    last, counts = year.budgets[-1], year.run.counts
    total = year.settlement.summaries["all"].to_pylist()[0]
    return [
        KeyFigure(text("share grouped"), f"{counts.status[0] / counts.records:.1%}"),
        KeyFigure("CMI", f"{total['cmi']:.3f}"),
        KeyFigure(text("payment (10k yuan)"), f"{float(total['payment']) / 10_000:,.0f}"),
        KeyFigure(text("margin (10k yuan)"), f"{float(total['margin']) / 10_000:+,.0f}"),
        KeyFigure(text("budget of the fund (10k yuan)"), f"{last.fund.budget / WAN:,.0f}"),
        KeyFigure(text("hospitals in surplus"), f"{int(last.in_surplus.sum())} / {last.figures.size}"),
    ]


def _groups(year: RegionYear) -> Card:
    note = text("{records:,} discharges of all years by {title} ({scheme}); cases by MDC.", records=year.run.counts.records,
                title=bilingual(year.scheme.title_en, year.scheme.title_zh), scheme=year.scheme.id)  # fmt: skip
    return Card(text("Groups"), [mdc_chart(year.run, year.grouped, year.scheme)], note)


def _weights(year: RegionYear) -> Card:
    """How good the groups are, and the largest groups' weights with two standard errors to each side."""
    weights = year.weights
    largest = np.argsort(-weights.statistics.count, kind="stable")[:MOST_GROUPS]
    values, error = weights.weight[largest], 2 * weights.standard_error[largest]
    names = [_named(year.scheme, weights.codes[place]) for place in largest]
    caption = text("Relative weights of the {count} largest groups (1 = the mean case) with two standard errors to each \
side. The settlement below pays by the policy's own weights.", count=len(names))  # fmt: skip
    chart = BarChart(caption, names, [BarSeries("", values, low=values - error, high=values + error)], ".3f", dots=True)
    columns = [
        TableColumn(text("groups evaluated"), "name"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("groups"), "groups", "count", minor=True),
        TableColumn(text("mean cost (yuan)"), "mean_cost", "count", minor=True), TableColumn("RIV", "riv", ".3f"),
        TableColumn("CV < 1", "stable_share", "share"), TableColumn(text("R² of the stay"), "r2_days", ".3f", minor=True),
    ]  # fmt: skip
    keys = ("cases", "groups", "mean_cost", "riv", "stable_share", "r2_days")
    rows = [
        {"name": text("after trimming") if line.trimmed else text("before trimming"),
         **{key: getattr(line, key) for key in keys}}
        for line in year.evaluation if line.scope == "all"
    ]  # fmt: skip
    return Card(text("Weights"), [Words(year.history), PageTable(text("How good the groups are"), columns, rows), chart])


def _named(scheme: Scheme, code: str) -> NamedCode:
    return NamedCode(code, scheme.drgs[code].name if code in scheme.drgs else "")


def _settlement(year: RegionYear) -> Card:
    summary, figures = year.settlement.summaries, year.budgets[-1].figures
    names = dict(zip(figures.hospitals, figures.names, strict=True))
    columns = [
        TableColumn(text("class of cases"), "label"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("cost (10k yuan)"), "cost", "wan", minor=True),
        TableColumn(text("payment (10k yuan)"), "payment", "wan"),
        TableColumn(text("fund (10k yuan)"), "fund_payment", "wan", minor=True),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
    ]  # fmt: skip
    rows = [
        {**row, "label": bilingual(row["case_class"].replace("_", " "), row["case_class_zh"])}
        for row in summary["case_class"].to_pylist()
    ]
    table = PageTable(text("Payment by class of cases"), columns, rows)
    return Card(text("Settlement"), [table, margins_chart(summary["hospital"].to_pylist(), names)])


def _budget(year: RegionYear) -> list[Card]:
    last = year.budgets[-1]
    shown = np.argsort(-last.index.index, kind="stable").tolist()
    note = text("Reserve {reserve:,.1f} and adjustment fund {adjustment:,.1f} first; the indices of all hospitals sum to \
the rest, \
{index:,.1f} (10k yuan, scaling {scaling:.4f}).", reserve=last.fund.reserve / WAN, adjustment=last.fund.adjustment_fund / WAN,
                index=last.fund.index / WAN, scaling=last.index.scaling)  # fmt: skip
    return [
        Card(text("Budget"), [index_choice(last, shown)], note),
        Card(text("Surplus and overspend"), [sharing_chart(last)]),
    ]


def _scenario(year: RegionYear) -> list[Card]:
    view = ScenarioView(year.study, year.study.results[0].plan.name)
    changes = view.changes()
    words = Words(
        [text("{scenario}. {baseline}", scenario=view.title, baseline=year.baseline) if year.baseline else view.title]
    )
    first = Card(text("What if: {title}", title=view.title), [words, KeyFigures(view.figures()), *changes.parts])
    return [first, *view.why(), Card(text("Winners and losers"), view.winners().parts[:1])]
