"""The page of a region's budget year: its groups, weights, settlement, budget and one scenario, one section each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa

from drgsim.budgets.budget_year import BudgetYear
from drgsim.engines.group_run import GroupRun
from drgsim.payment.group_evaluation import GroupEvaluation
from drgsim.payment.settlement import Settlement
from drgsim.payment.weight_estimation import EstimatedWeights
from drgsim.report.budget_page import fund_chart, index_chart, sharing_chart
from drgsim.report.casemix_page import mdc_chart
from drgsim.report.page import COLOURS, chart, render_page
from drgsim.report.settlement_page import margins_chart
from drgsim.report.whatif_page import scenario_part
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
    shown = np.argsort(-last.index.index, kind="stable")
    summary = year.settlement.summaries
    total = summary["all"].to_pylist()[0]
    counts = year.run.counts
    names = dict(zip(last.figures.hospitals, last.figures.names, strict=True))
    part = scenario_part(year.study, year.study.results[0].plan.name)
    return render_page(
        "year.html",
        title=title,
        note=note,
        links=links,
        year=last.year,
        policy=year.settlement.ledger.policy.file,
        scheme=year.scheme,
        cards=[
            ("grouped 入组率", f"{counts.status[0] / counts.records:.1%}"),
            ("CMI", f"{total['cmi']:.3f}"),
            ("payment 支付 (万元)", f"{float(total['payment']) / 10_000:,.0f}"),
            ("margin 盈余 (万元)", f"{float(total['margin']) / 10_000:+,.0f}"),
            ("fund budget 基金预算 (万元)", f"{last.fund.budget / WAN:,.0f}"),
            ("in surplus 结余机构", f"{int(last.in_surplus.sum())} / {last.figures.size}"),
        ],
        groups=mdc_chart(year.run, year.grouped, year.scheme),
        records=counts.records,
        evaluation=[line for line in year.evaluation if line.scope == "all"],
        history=year.history,
        weights=chart(_weights(year.weights), 130 + 24 * MOST_GROUPS),
        classes=summary["case_class"].to_pylist(),
        hospitals=summary["hospital"].to_pylist(),
        margins=chart(margins_chart(summary["hospital"].to_pylist(), names), 150 + 30 * last.figures.size),
        budget=last,
        wan=WAN,
        fund=chart(fund_chart(last), 380),
        index=chart(index_chart(last, shown), 470, top=70),
        sharing=chart(sharing_chart(last), 430),
        part=part,
        baseline=year.baseline,
        assumptions=year.assumptions,
        notes=year.notes,
    )


def _weights(weights: EstimatedWeights) -> go.Figure:
    """The largest groups' weights with two standard errors to each side."""
    largest = np.argsort(-weights.statistics.count, kind="stable")[:MOST_GROUPS][::-1]
    figure = go.Figure(
        go.Scatter(
            x=weights.weight[largest],
            y=[weights.codes[place] for place in largest],
            error_x={"type": "data", "array": 2 * weights.standard_error[largest], "color": COLOURS["grey"]},
            mode="markers",
            marker={"color": COLOURS["blue"], "size": 9},
            customdata=weights.statistics.count[largest],
            hovertemplate="%{y}: %{x:.3f} · %{customdata:,.0f} cases<extra></extra>",
        )
    )
    figure.update_xaxes(title="relative weight 权重 (1 = the mean case 例均), ± 2 standard errors", rangemode="tozero")
    return figure
