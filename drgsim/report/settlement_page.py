"""The page of a settlement: what is paid by class of case, hospital and department, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from drgsim.errors import Problem
from drgsim.payment.settlement import Settlement
from drgsim.report.page import COLOURS, chart, render_page

MOST_ROWS = 40  # hospitals, departments and groups shown, those of the largest cost
_HEADINGS = {
    "case_class": "Classes of cases 病例类别", "hospital": "Hospitals 医疗机构", "department": "Departments 科室",
    "group": "Groups 病组", "insurance": "Insurance 险种",
}  # fmt: skip


def settlement_page(settlement: Settlement, notes: Sequence[Problem] = ()) -> str:
    """HTML of the page; ``notes`` are shown at its end."""
    policy, summaries = settlement.ledger.policy, settlement.summaries
    total = summaries["all"].to_pylist()[0]
    hospitals = _largest(summaries["hospital"].to_pylist())
    money = [(title, f"{float(total[name]) / 10_000:,.1f}") for title, name in (
        ("cost 费用 (万元)", "cost"), ("payment 支付 (万元)", "payment"), ("fund 基金 (万元)", "fund_payment"),
        ("margin 盈余 (万元)", "margin"),
        *((("simulated payment 模拟支付 (万元)", "shadow_payment"), ("its margin 模拟盈余 (万元)", "shadow_margin"))
          if settlement.shadow is not None else ()),
    )]  # fmt: skip
    return render_page(
        "settlement.html",
        title=f"Settlement 结算 · {policy.id}",
        policy=policy.file,
        cards=[
            ("cases 例数", f"{total['cases']:,}"), ("unpaid 未付", f"{total['unpaid']:,}"),
            ("CMI", "–" if total["cmi"] is None else f"{total['cmi']:.3f}"), *money,
        ],
        tables=[
            (title, name, summaries[name].to_pylist() if name == "case_class" else _largest(summaries[name].to_pylist()))
            for name, title in _HEADINGS.items()
        ],
        margins=chart(margins_chart(hospitals), 150 + 30 * len(hospitals)),
        shadow=settlement.shadow is not None,
        unit_values=settlement.unit_values.items(),
        notes=notes,
        assumptions=[parameter.path for parameter in policy.assumptions],
        digest=policy.digest,
    )  # fmt: skip


def _largest(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -float(row["cost"]))[:MOST_ROWS]


def margins_chart(hospitals: Sequence[dict[str, Any]], names: Mapping[str, str] | None = None) -> go.Figure:
    """Cost and payment by hospital, the largest on top; ``names`` stand for the ids of hospitals."""
    rows = sorted(hospitals, key=lambda row: float(row["cost"]))
    label = [(names or {}).get(row["hospital"], row["hospital"]) for row in rows]
    figure = go.Figure()
    for key, title, colour in (("cost", "cost 费用", "light"), ("payment", "payment 支付", "blue")):
        amounts = [float(row[key]) / 10_000 for row in rows]
        figure.add_bar(y=label, x=amounts, name=title, orientation="h", marker_color=COLOURS[colour])
    figure.update_layout(barmode="group", legend_traceorder="reversed")
    figure.update_xaxes(title="万元")
    figure.update_yaxes(automargin=True)
    return figure
