"""The case-mix page: what a grouped file holds, as one self-contained HTML file."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc

from drgsim.analysis.casemix import case_mix, relative_weights
from drgsim.engines.group_run import GroupRun
from drgsim.records.findings import BY_CODE
from drgsim.report.page import COLOURS, chart, render_page
from drgsim.units.drg.drg_grouper import STATUSES
from drgsim.units.schemes.scheme import KINDS, Scheme

_STATUS_COLOURS = dict(zip(STATUSES, ("green", "amber", "red", "grey"), strict=True))
_KIND_COLOURS = {"surgical": "blue", "procedure": "amber", "medical": "light"}
MOST_GROUPS = 20


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
    weights = relative_weights(run.drg_scheme.reference_weights) if run.drg_scheme.reference_weights else {}
    mix = case_mix(run.counts, run.drg_scheme, weights)
    in_group = grouped.filter(pc.equal(grouped["status"], "grouped"))
    has_cost = "total_cost" in grouped.schema.names
    groups = _groups(in_group, scheme, weights, has_cost)
    charts = [("Status 入组情况", "", chart(_status_bar(run), 150)), _by_mdc(groups, scheme)]
    charts.append(_largest(groups))
    if has_cost:
        charts.append(_cost_and_volume(groups, scheme))
    if weights and "hospital_id" in grouped.schema.names:
        charts.append(_hospitals(in_group, weights))
    share = run.counts.status[0] / run.counts.records
    cards = [
        ("records 病案", f"{run.counts.records:,}"),
        ("grouped 入组率", f"{100 * share:.1f} %"),
        ("groups 组数", f"{mix.groups:,}"),
        ("CMI", "–" if mix.cmi is None else f"{mix.cmi:.3f}"),
    ]
    if has_cost:
        mean = pc.mean(pc.cast(grouped["total_cost"], pa.float64())).as_py()
        cards.append(("mean cost 例均费用 (元)", f"{mean:,.0f}"))
    return render_page(
        "casemix.html",
        title=title,
        subtitle=", ".join(path.name for path in run.inputs),
        note=note,
        scheme=scheme,
        cards=cards,
        charts=charts,
        groups=groups[:MOST_GROUPS],
        has_cost=has_cost,
        weights=run.drg_scheme.reference_weights,
        reasons=[(BY_CODE[code], n) for code, n in run.counts.reasons.most_common()],
        warnings=[(BY_CODE[code], n) for code, n in run.counts.warnings.most_common()],
    )


def mdc_chart(run: GroupRun, grouped: pa.Table, scheme: Scheme) -> str:
    """Cases by MDC and kind of group, as a fragment of HTML."""
    weights = relative_weights(run.drg_scheme.reference_weights) if run.drg_scheme.reference_weights else {}
    in_group = grouped.filter(pc.equal(grouped["status"], "grouped"))
    return _by_mdc(_groups(in_group, scheme, weights, has_cost=False), scheme)[2]


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
            "name": scheme.drgs[entry["drg"]].name,
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


def _status_bar(run: GroupRun) -> go.Figure:
    figure = go.Figure()
    titles = {
        "grouped": "grouped 入组",
        "ambiguous": "ambiguous 歧义",
        "ungroupable": "ungroupable 未入组",
        "invalid": "invalid 无效",
    }
    for status, number in zip(STATUSES, run.counts.status.tolist(), strict=True):
        figure.add_bar(
            y=[""],
            x=[number],
            name=f"{titles[status]} {number:,}",
            orientation="h",
            marker_color=COLOURS[_STATUS_COLOURS[status]],
            hovertemplate=f"{status}: %{{x:,}}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_yaxes(visible=False)
    return figure


def _by_mdc(groups: list[dict[str, Any]], scheme: Scheme) -> tuple[str, str, str]:
    figure = go.Figure()
    order = [mdc for mdc in scheme.mdcs if any(group["mdc"] == mdc.code for group in groups)]
    labels = [f"{mdc.code} {mdc.name}" for mdc in order]
    for kind, colour in _KIND_COLOURS.items():
        cases = [sum(g["cases"] for g in groups if g["mdc"] == mdc.code and g["kind"] == kind) for mdc in order]
        figure.add_bar(
            y=labels,
            x=cases,
            name=f"{kind} {KINDS[kind]}",
            orientation="h",
            marker_color=COLOURS[colour],
            hovertemplate="%{y}<br>%{x:,} cases<extra>" + kind + "</extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return "Cases by major diagnostic category 各主要诊断大类病例数", "", chart(figure, 80 + 26 * len(order))


def _largest(groups: list[dict[str, Any]]) -> tuple[str, str, str]:
    top = groups[:MOST_GROUPS]
    figure = go.Figure()
    figure.add_bar(
        y=[f"{g['drg']} {g['name']}" for g in top],
        x=[g["cases"] for g in top],
        orientation="h",
        marker_color=COLOURS["blue"],
        text=[f"{g['cases']:,}" for g in top],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{x:,}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    covered = sum(g["share"] for g in top)
    return (
        f"The {len(top)} largest groups 最大的{len(top)}个组",
        f"{100 * covered:.1f} % of the grouped cases",
        chart(figure, 60 + 27 * len(top)),
    )


def _cost_and_volume(groups: list[dict[str, Any]], scheme: Scheme) -> tuple[str, str, str]:
    figure = go.Figure()
    for kind, colour in _KIND_COLOURS.items():
        chosen = [g for g in groups if g["kind"] == kind and g["mean_cost"]]
        figure.add_scatter(
            x=[g["cases"] for g in chosen],
            y=[g["mean_cost"] for g in chosen],
            mode="markers",
            name=f"{kind} {KINDS[kind]}",
            marker={"color": COLOURS[colour], "size": 8, "opacity": 0.75},
            text=[f"{g['drg']} {g['name']}" for g in chosen],
            hovertemplate="%{text}<br>%{x:,} cases · mean %{y:,.0f} yuan<extra></extra>",
        )
    figure.update_xaxes(type="log", title="cases 例数", dtick=1)
    figure.update_yaxes(type="log", title="mean cost 例均费用 (yuan 元)", dtick=1, automargin=True)
    return "Volume and cost of the groups 各组例数与例均费用", "One dot per group; both axes logarithmic.", chart(figure, 460)


def _hospitals(in_group: pa.Table, weights: dict[str, float]) -> tuple[str, str, str]:
    cells = in_group.group_by(["hospital_id", "drg"]).aggregate([("drg", "count")]).to_pylist()
    sums: dict[str, list[float]] = {}
    for cell in cells:
        if cell["drg"] in weights and cell["hospital_id"] is not None:
            held = sums.setdefault(str(cell["hospital_id"]), [0, 0.0])
            held[0] += cell["drg_count"]
            held[1] += cell["drg_count"] * weights[cell["drg"]]
    ranked = sorted(((weight / cases, name, cases) for name, (cases, weight) in sums.items()), reverse=True)[:40]
    figure = go.Figure()
    figure.add_bar(
        x=[name for _, name, _ in ranked],
        y=[cmi for cmi, _, _ in ranked],
        marker_color=COLOURS["green"],
        customdata=[cases for _, _, cases in ranked],
        hovertemplate="%{x}<br>CMI %{y:.3f}<br>%{customdata:,} cases<extra></extra>",
    )
    figure.update_yaxes(title="CMI")
    figure.update_xaxes(type="category")
    return (
        "Case-mix index of the hospitals 各医院CMI",
        "Mean relative weight of the cases whose group has one.",
        chart(figure, 340),
    )
