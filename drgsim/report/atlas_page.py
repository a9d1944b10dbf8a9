"""The page of an atlas: policies ranked by payment over cost, and what makes the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa

from drgsim.errors import Problem
from drgsim.payment.atlas import EFFECTS, EFFECTS_ZH, MOST, NEARLY_ALL
from drgsim.payment.atlas_weights import CommonWeights
from drgsim.report.page import COLOURS, chart, render_page

WAN = 10_000  # yuan of ten thousand yuan (万元)
ROW = 19  # pixels of a policy in a chart
_EFFECT_COLOURS = dict(zip(EFFECTS, ("blue", "light", "green", "amber", "grey"), strict=True))
_METHODS = {"rate": ("rate 费率法", "blue"), "points": ("points 点数法", "green")}


def atlas_page(tables: Mapping[str, pa.Table], reference: str, common: CommonWeights, notes: Sequence[Problem] = ()) -> str:
    """HTML of the page from the tables of an atlas; ``notes`` are shown at its end."""
    rows = tables["policies"].to_pylist()
    middle = next(row for row in rows if row["policy"] == reference)
    ranked = [row for row in rows if row["paid"] >= MOST * row["cases"]] or rows
    ratios = [row["payment_to_cost"] for row in ranked if row["payment_to_cost"] is not None]
    return render_page(
        "atlas.html",
        title="Atlas of payment 全国支付图谱",
        cards=[
            ("cases 例数", f"{middle['cases']:,}"), ("policies 政策", f"{len(rows)}"),
            ("cost 费用 (万元)", f"{float(middle['cost']) / WAN:,.1f}"),
            ("lowest 最低", f"{100 * min(ratios):.1f} %"), ("reference 参照", f"{100 * middle['payment_to_cost']:.1f} %"),
            ("highest 最高", f"{100 * max(ratios):.1f} %"),
        ],
        reference=middle,
        ranked=chart(_ranked(rows, reference), 120 + ROW * len(rows), name="atlas-ranked"),
        effects=chart(_effects(ranked), 140 + ROW * len(ranked), name="atlas-effects"),
        rows=[{**row, "effects": [float(row[f"effect_{name}"]) / WAN for name in EFFECTS]} for row in rows],
        effect_names=[(name.replace("_", " "), EFFECTS_ZH[name]) for name in EFFECTS],
        left_out=tables["left_out"].to_pylist(),
        common=common,
        notes=notes,
    )  # fmt: skip


def _label(row: Mapping[str, Any]) -> str:
    return f"{row['region_zh']} {row['policy']}"


def _ranked(rows: Sequence[Mapping[str, Any]], reference: str) -> go.Figure:
    """Payment over cost, the highest on top; policies that pay not all cases are pale."""
    figure = go.Figure()
    for method, (title, colour) in _METHODS.items():
        mine = [row for row in rows if row["method"] == method]
        figure.add_bar(
            y=[_label(row) for row in mine], x=[100 * (row["payment_to_cost"] or 0) for row in mine], name=title,
            orientation="h", marker_color=COLOURS[colour],
            marker_opacity=[0.4 if row["paid"] < NEARLY_ALL * row["cases"] else 1 for row in mine],
            text=[f"{100 * (row['payment_to_cost'] or 0):.0f}" for row in mine], textposition="outside", cliponaxis=False,
            customdata=[[float(row["payment"]) / WAN, row["paid"], row["cases"]] for row in mine],
            hovertemplate="%{y}<br>%{x:.1f} %<br>%{customdata[0]:,.1f} 万元<br>%{customdata[1]:,} / %{customdata[2]:,}"
            "<extra></extra>",
        )  # fmt: skip
    middle = next(row for row in rows if row["policy"] == reference)
    figure.add_vline(x=100 * middle["payment_to_cost"], line_dash="dot", line_color=COLOURS["red"])
    figure.add_vline(x=100, line_color=COLOURS["grey"])
    figure.update_xaxes(title="payment / cost 支付占费用 (%)")
    figure.update_yaxes(automargin=True, categoryorder="array", categoryarray=[_label(row) for row in reversed(rows)],
                        tickfont={"size": 11}, range=[-0.7, len(rows) - 0.3])  # fmt: skip
    return figure


def _effects(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Parts of the difference to the reference, in per cent of the cost of all cases."""
    figure = go.Figure()
    for name in EFFECTS:
        shares = [100 * float(row[f"effect_{name}"]) / float(row["cost"]) if row["cost"] else 0.0 for row in rows]
        figure.add_bar(
            y=[_label(row) for row in rows], x=shares, name=f"{name.replace('_', ' ')} {EFFECTS_ZH[name]}", orientation="h",
            marker_color=COLOURS[_EFFECT_COLOURS[name]],
            hovertemplate="%{y}<br>%{x:+.1f} % of the cost 占费用<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="relative")
    figure.update_xaxes(title="difference to the reference, % of the cost 与参照之差占费用", zeroline=True)
    figure.update_yaxes(automargin=True, categoryorder="array", categoryarray=[_label(row) for row in reversed(rows)],
                        tickfont={"size": 11}, range=[-0.7, len(rows) - 0.3])  # fmt: skip
    return figure
