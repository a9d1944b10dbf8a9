"""The page of a DIP catalogue: sizes by type, coverage curve, CV, largest kinds, how good it is, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from drgsim.authoring.dip.catalogue_differences import CHANGES, CatalogueDiff
from drgsim.report.page import COLOURS, chart, render_page
from drgsim.units.dip.dip_catalogue import CORE_KINDS, KINDS, Catalogue, Kind

MOST_ROWS = 30
EVIDENCE_ZH = {"official": "官方", "secondary": "二手", "assumption": "假设", "derived": "推算"}


def catalogue_page(catalogue: Catalogue, summary: Mapping[str, Any], diff: CatalogueDiff | None) -> str:
    """HTML of the page, with everything in it; the same catalogue gives the same bytes."""
    kinds = [kind for kind in catalogue.by_code.values() if not kind.aux or kind.kind == "first"]
    core = [kind for kind in kinds if kind.kind in CORE_KINDS]
    counted = sorted((kind for kind in core if kind.cases), key=lambda kind: (-(kind.cases or 0), kind.code))
    cards = [("core kinds 核心病种", f"{len(core):,}")]
    cards.append(("without · with procedure 保守·手术", f"{_surgical(core, False):,} · {_surgical(core, True):,}"))
    cards.append(("comprehensive 综合病种", f"{sum(kind.kind == 'comprehensive' for kind in kinds):,}"))
    cards.append(("auxiliary levels 辅助目录", f"{sum(bool(kind.aux) for kind in catalogue.by_code.values()):,}"))
    if summary:
        cards.append(("core coverage 核心覆盖率", f"{100 * summary['core_coverage']:.1f} %"))
        cards.append(("mean cost 例均费用 (元)", f"{summary['mean_cost_yuan']:,.0f}"))
    charts = [("Kinds by type 各类病种数", "", chart(_types(catalogue), 260, name="types"))]
    if counted:
        charts.append(_coverage(counted, kinds))
    spread = [kind.cv for kind in core if kind.cv is not None and (kind.cases or 0) > 1]
    if spread:
        charts.append(_spread(spread, summary))
    if any(kind.score for kind in core):
        charts.append(_scores(core))
    evaluation = summary.get("evaluation") or {}
    if evaluation.get("prediction"):
        charts.append(_prediction(evaluation["prediction"]))
    return render_page(
        "dip_catalogue.html",
        title=f"{catalogue.id} {catalogue.title_zh}",
        catalogue=catalogue,
        summary=summary,
        cards=cards,
        charts=charts,
        largest=counted[:MOST_ROWS],
        cases=sum(kind.cases or 0 for kind in kinds),
        explained=evaluation.get("explained", []),
        words=evaluation.get("notes", []),
        stability=summary.get("stability"),
        plain=summary.get("plain_list"),
        evidence_zh=EVIDENCE_ZH,
        assumed=[entry for entry in summary.get("parameters", []) if entry["evidence"] == "assumption"],
        founded=[entry for entry in summary.get("parameters", []) if entry["evidence"] != "assumption"],
        diff=diff,
        changes=[(change, title, diff.count(change)) for change, title in CHANGES.items()] if diff else [],
        moved=_most(diff, ("score",)) if diff else [],
        came=_most(diff, ("new", "split")) if diff else [],
        gone=_most(diff, ("gone", "merged")) if diff else [],
    )


def _surgical(core: list[Kind], wanted: bool) -> int:
    return sum(bool(kind.procedure) == wanted for kind in core)


def _most(diff: CatalogueDiff, changes: tuple[str, ...]) -> list[Any]:
    chosen = [each for each in diff.changes if each.change in changes]
    return sorted(chosen, key=lambda each: (-each.weight, each.code))[:MOST_ROWS]


def _types(catalogue: Catalogue) -> go.Figure:
    plain = [kind for kind in catalogue.by_code.values() if not kind.aux or kind.kind == "first"]
    counts = {f"{title} {name}": sum(kind.kind == name for kind in plain) for name, title in KINDS.items()}
    counts["辅助目录 auxiliary levels"] = len(catalogue.by_code) - len(plain)
    counts = {name: number for name, number in counts.items() if number}
    figure = go.Figure()
    figure.add_bar(
        y=list(counts), x=list(counts.values()), orientation="h", marker_color=COLOURS["blue"],
        text=[f"{number:,}" for number in counts.values()], textposition="outside", cliponaxis=False,
        hovertemplate="%{y}: %{x:,}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _coverage(counted: list[Kind], kinds: list[Kind]) -> tuple[str, str, str]:
    """Share of all cases that the n largest core kinds cover."""
    total = sum(kind.cases or 0 for kind in kinds)
    share = np.cumsum([kind.cases or 0 for kind in counted]) / total
    at = np.unique(np.round(np.geomspace(1, len(counted), 300)).astype(int)) - 1
    figure = go.Figure()
    figure.add_scatter(
        x=(at + 1).tolist(), y=(100 * share[at]).round(2).tolist(), mode="lines", line={"color": COLOURS["blue"], "width": 3},
        hovertemplate="%{x:,} kinds cover %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=95, line_dash="dot", line_color=COLOURS["grey"], annotation_text="95 %")
    figure.update_xaxes(type="log", title="core kinds, the largest first 核心病种数（由大到小）", dtick=1)
    figure.update_yaxes(title="% of cases 病例占比", range=[0, 102])
    half = int(np.searchsorted(share, 0.5)) + 1
    words = f"{half:,} kinds cover half of the cases; all {len(counted):,} core kinds {100 * share[-1]:.1f} %."
    if half > len(counted):
        words = f"All {len(counted):,} core kinds cover {100 * share[-1]:.1f} % of the cases."
    return "Coverage curve 覆盖率曲线", words, chart(figure, 360, name="coverage")


def _spread(values: list[float], summary: Mapping[str, Any]) -> tuple[str, str, str]:
    limit = next((p["value"] for p in summary.get("parameters", []) if p["path"] == "checks.cv_auxiliary"), 0.7)
    edges = np.linspace(0, 2, 41)
    number, _ = np.histogram(np.minimum(values, 1.999), edges)
    figure = go.Figure()
    figure.add_bar(
        x=((edges[:-1] + edges[1:]) / 2).round(3).tolist(), y=number.tolist(), width=0.048, marker_color=COLOURS["green"],
        hovertemplate="CV about %{x:.2f}: %{y:,} kinds<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=limit, line_dash="dot", line_color=COLOURS["red"], annotation_text=f"{limit:g}")
    figure.update_xaxes(title="CV of cost within the kind 病种内费用变异系数 (2 and more together)")
    figure.update_yaxes(title="kinds 病种数")
    above = sum(value > limit for value in values)
    words = f"Mean {np.mean(values):.3f}; {above:,} of {len(values):,} core kinds with two cases or more lie above {limit:g}."
    return "Spread of cost within kinds 病种内费用离散程度", words, chart(figure, 320, name="spread")


def _scores(core: list[Kind]) -> tuple[str, str, str]:
    scores = [kind.score for kind in core if kind.score]
    edges = np.geomspace(min(scores) * 0.999, max(scores) * 1.001, 61)
    number, _ = np.histogram(scores, edges)
    figure = go.Figure()
    figure.add_bar(
        x=np.sqrt(edges[:-1] * edges[1:]).round(1).tolist(), y=number.tolist(), width=np.diff(edges).round(2).tolist(),
        marker_color=COLOURS["light"], hovertemplate="score about %{x:,.0f}: %{y:,} kinds<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="log", title="score 分值 (1000 = mean case 例均)", dtick=1)
    figure.update_yaxes(title="kinds 病种数")
    words = f"Core kinds from {min(scores):,.1f} to {max(scores):,.1f}, median {np.median(scores):,.1f}."
    return "Scores 分值分布", words, chart(figure, 300, name="scores")


def _prediction(rows: list[Mapping[str, Any]]) -> tuple[str, str, str]:
    figure = go.Figure()
    for name, title, colour in (("error", "found 实际误差", "blue"), ("chance", "by chance alone 随机误差", "grey")):
        figure.add_bar(
            x=[row["size"] for row in rows], y=[round(100 * row[name], 2) for row in rows], name=title,
            marker_color=COLOURS[colour], customdata=[[row["kinds"], row["cases"]] for row in rows],
            hovertemplate="%{x} cases: %{y:.1f} %<br>%{customdata[0]:,} kinds, %{customdata[1]:,} discharges<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="group")
    figure.update_xaxes(title="cases of the kind in the half that predicts 病种例数", type="category")
    figure.update_yaxes(title="mean error 平均误差 (%)")
    words = (
        "Scores from one half of the discharges against those of the other half, weighted by cases; chance: what samples of \
this size and spread would show if nothing else differed."
    )
    return "Prediction by size of kind 分值预测误差", words, chart(figure, 340, name="prediction")
