"""The page of a simulation: what changes, the answers, who wins and loses, why, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa

from drgsim.report.page import COLOURS, chart, render_page
from drgsim.simulation.answer_tables import LEVELS_ZH
from drgsim.simulation.decompose import EFFECTS, EFFECTS_ZH
from drgsim.simulation.explore import TORNADO
from drgsim.simulation.headlines import headline_names
from drgsim.simulation.study import Study

WAN = 10_000  # yuan of ten thousand yuan (万元)
MOST_HOSPITALS = 40
MOST_GROUPS = 12
_CARDS = ("fund.balance", "hospital.payment", "hospital.margin", "patient.payment")


def whatif_page(study: Study, record: Mapping[str, Any], note: str = "") -> str:
    """HTML of the page, one part per scenario.

    Parameters
    ----------
    study
        What :func:`drgsim.simulation.session.run_all` gives.
    record
        Its record, for the assumptions and hashes.
    note
        A remark that is set off, such as that the data are synthetic.
    """
    parts = [scenario_part(study, result.plan.name) for result in study.results]
    return render_page(
        "whatif.html",
        title="What if 情景模拟",
        region=study.region.folder.name,
        year=study.year,
        note=note,
        parts=parts,
        notes=study.notes,
        record=record,
        assumptions=record["assumptions"],
    )


def _rows(study: Study, table: str, name: str) -> list[dict[str, Any]]:
    if table not in study.tables:
        return []
    return [row for row in study.tables[table].to_pylist() if row["scenario_name"] == name]


def scenario_part(study: Study, name: str) -> dict[str, Any]:
    """Everything that the page shows of one scenario."""
    result = next(one for one in study.results if one.plan.name == name)
    headlines = {row["figure"]: row for row in _rows(study, "headlines", name)}
    hospitals = sorted(_rows(study, "hospitals", name), key=lambda row: -float(row["margin_change"]))
    effects = next((row for row in _rows(study, "decomposition", name) if row["hospital"] == "all"), None)
    groups = sorted(_rows(study, "groups", name), key=lambda row: -abs(_moved(row, "payment")))[:MOST_GROUPS]
    count = Counter(row["verdict"] for row in hospitals)
    first = next(iter(headlines.values()), {})
    return {
        "name": name,
        "title": result.plan.title,
        "title_zh": result.plan.title_zh,
        "files": [scenario.file for scenario in result.plan.scenarios],
        "policy": f"{result.plan.baseline.policy.id} → {result.plan.setup.policy.id}"
        if result.plan.baseline.policy.id != result.plan.setup.policy.id
        else result.plan.setup.policy.id,
        "steps": [("baseline 基线", step) for step in result.plan.baseline_steps]
        + [("change 改动", step) for step in result.plan.steps],
        "unit_values": [
            (payer, result.baseline.unit_values.get(payer), value) for payer, value in result.outcome.unit_values.items()
        ],
        "cards": [_card(headlines[figure]) for figure in _CARDS if figure in headlines]
        + [("hospitals 赢/输", f"{count['wins']} / {count['loses']}", f"{count['same']} the same 不变")],
        "headlines": [_headline(row) for row in headlines.values()],
        "has_static": "static_change" in first and first["static_change"] is not None,
        "has_interval": "change_low" in first and first["change_low"] is not None,
        "why": chart(_waterfall(effects), 380) if effects else "",
        "winners": chart(_winners(hospitals[: MOST_HOSPITALS // 2] + hospitals[MOST_HOSPITALS // 2 :][-MOST_HOSPITALS // 2 :]),
                         120 + 26 * min(len(hospitals), MOST_HOSPITALS)),
        "hospitals": hospitals[:MOST_HOSPITALS],
        "hospital_count": len(hospitals),
        "levels": [{**row, "title": LEVELS_ZH.get(row["level"], row["level"])} for row in _rows(study, "levels", name)],
        "insurance": _rows(study, "insurance", name),
        "groups": [{**row, "moved": _moved(row, "payment"), "margin_moved": _moved(row, "margin")} for row in groups],
        "problems": result.outcome.problems,
        "tornado": _tornado(_rows(study, "sensitivity", name)),
        "grid": _grid(study, name),
        "years": _years(_rows(study, "years", name)),
        "solution": _rows(study, "solution", name),
        "liquidity": _liquidity(_rows(study, "liquidity", name)),
    }  # fmt: skip


def _liquidity(rows: list[dict[str, Any]]) -> str:
    """All hospitals' cash at the end of each month on both sides, and what is paid ahead less what is recovered."""
    if not rows:
        return ""
    figure = go.Figure()
    months = sorted({row["month"] for row in rows})
    for side, title, colour in (("baseline", "baseline 基线", "grey"), ("scenario", "scenario 情景", "blue")):
        sums = {kind: [sum(float(row[f"{side}_{kind}"]) for row in rows if row["month"] == month) / WAN for month in months]
                for kind in ("balance", "paid_ahead")}  # fmt: skip
        labels = [f"{month} 月" for month in months]
        figure.add_scatter(x=labels, y=sums["balance"], mode="lines+markers", name=title, line_color=COLOURS[colour])
        figure.add_bar(x=labels, y=sums["paid_ahead"], name=f"{title}: paid ahead 预付净额", marker_color=COLOURS[colour])
    figure.update_yaxes(title="万元")
    return chart(figure, 380)


def _moved(row: Mapping[str, Any], key: str) -> float:
    return float((row[f"scenario_{key}"] or 0) - (row[f"baseline_{key}"] or 0))


def words(value: float | None, unit: str, sign: bool = False) -> str:
    """A figure as a reader wants it: money in 万元, shares in per cent."""
    if value is None:
        return "–"
    plus = "+" if sign else ""
    if value == 0 and sign:
        return "0"
    if unit == "yuan":
        return f"{value / WAN:{plus},.2f} 万" if abs(value) >= WAN else f"{value:{plus},.2f}"
    if unit == "share":
        return f"{100 * value:{plus}.2f} %"
    if unit == "index":
        return f"{value:{plus}.4f}"
    return f"{value:{plus},.2f}" if abs(value) < 1000 else f"{value:{plus},.0f}"


def _card(row: Mapping[str, Any]) -> tuple[str, str, str]:
    label = f"{row['figure'].split('.')[0]} {row['title_zh']}"
    return label, words(row["change"], row["unit"], sign=True), f"→ {words(row['scenario'], row['unit'])}"


def _headline(row: Mapping[str, Any]) -> dict[str, Any]:
    unit = row["unit"]
    entry: dict[str, Any] = {"title": row["title"], "title_zh": row["title_zh"], "name": row["figure"]}
    for key in ("baseline", "scenario"):
        entry[key] = words(row[key], unit)
    for key in ("change", "static_change", "behaviour_change"):
        entry[key] = words(row.get(key), unit, sign=True)
    if row.get("change_low") is not None:
        entry["interval"] = f"{words(row['change_low'], unit, sign=True)} … {words(row['change_high'], unit, sign=True)}"
    return entry


def _waterfall(effects: Mapping[str, Any]) -> go.Figure:
    """Why the fund's spending changes: effects that sum to the change."""
    named = [(EFFECTS_ZH[name], name, float(effects[name]) / WAN) for name in EFFECTS if effects[name]]
    figure = go.Figure(
        go.Waterfall(
            x=[f"{zh}<br>{name}" for zh, name, _ in named] + ["基金支出变化<br>fund change"],
            y=[value for *_, value in named] + [float(effects["fund_change"]) / WAN],
            measure=["relative"] * len(named) + ["total"],
            text=[f"{value:+,.2f}" for *_, value in named] + [f"{float(effects['fund_change']) / WAN:+,.2f}"],
            textposition="outside", cliponaxis=False,
            increasing={"marker": {"color": COLOURS["amber"]}}, decreasing={"marker": {"color": COLOURS["green"]}},
            totals={"marker": {"color": COLOURS["blue"]}}, connector={"line": {"color": COLOURS["grey"], "width": 1}},
        )
    )  # fmt: skip
    figure.update_yaxes(title="万元", zeroline=True)
    figure.update_layout(showlegend=False)
    return figure


def _winners(hospitals: list[dict[str, Any]]) -> go.Figure:
    """Change of the margin by hospital; margin rates before and after on hover."""
    rows = list(reversed(hospitals))
    change = [float(row["margin_change"]) / WAN for row in rows]
    figure = go.Figure(
        go.Bar(
            y=[f"{row['name'] or row['hospital'] or '（未填）'} · {row['level'] or '–'}级" for row in rows],
            x=change,
            orientation="h",
            marker_color=[COLOURS["green"] if value > 0 else COLOURS["red"] for value in change],
            text=[f"{value:+,.1f}" for value in change],
            textposition="outside",
            cliponaxis=False,
            customdata=[[_rate(row["baseline_margin_rate"]), _rate(row["scenario_margin_rate"])] for row in rows],
            hovertemplate="%{y}<br>%{x:+,.2f} 万元<br>margin rate 盈余率 %{customdata[0]} → %{customdata[1]}<extra></extra>",
        )
    )
    span = max((abs(value) for value in change), default=1.0) or 1.0
    low, high = min([0.0, *change]), max([0.0, *change])
    figure.update_xaxes(
        title="change of margin 盈余变化, 万元", range=[low - 0.16 * span * (low < 0), high + 0.16 * span * (high > 0)]
    )
    figure.update_yaxes(automargin=True)
    return figure


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f} %"


def _tornado(rows: list[dict[str, Any]]) -> str:
    """Each change alone and each range at its ends: what it does to the fund's balance."""
    if not rows:
        return ""
    figure_name = TORNADO[0]
    order = sorted(
        {row["path"] for row in rows}, key=lambda path: max(abs(row[figure_name] or 0) for row in rows if row["path"] == path)
    )
    colours = {"alone": "blue", "low": "green", "high": "amber"}
    titles = {"alone": "change alone 单独改动", "low": "low end 下限", "high": "high end 上限"}
    figure = go.Figure()
    for kind, colour in colours.items():
        chosen = {row["path"]: row for row in rows if row["kind"] == kind}
        if not chosen:
            continue
        figure.add_bar(
            y=order, x=[(chosen[path][figure_name] or 0) / WAN if path in chosen else None for path in order], orientation="h",
            name=titles[kind], marker_color=COLOURS[colour],
            text=[chosen[path]["value"] if path in chosen else "" for path in order], textposition="auto",
        )  # fmt: skip
    figure.update_layout(barmode="relative" if "alone" not in {row["kind"] for row in rows} else "group")
    figure.update_xaxes(title="change of the fund's balance 基金结余变化, 万元")
    figure.update_yaxes(automargin=True)
    return chart(figure, 140 + 60 * len(order), top=40)


def _column(path: str) -> str:
    """Column of a path in the table of a grid."""
    return f"change {path}"


def _grid(study: Study, name: str) -> str:
    """The fund's balance and the hospitals' margin over a grid: a line for one path, a map for two."""
    if "grid" not in study.tables:
        return ""
    table: pa.Table = study.tables["grid"]
    rows = [row for row in table.to_pylist() if row["scenario_name"] == name]
    result = next(one for one in study.results if one.plan.name == name)
    paths = [path for scenario in result.plan.scenarios for path in scenario.grid]
    if not rows or not paths:
        return ""
    figure = go.Figure()
    known = headline_names()
    if len(paths) == 1:
        for figure_name, colour in (("fund.balance", "blue"), ("hospital.margin", "amber")):
            figure.add_scatter(
                x=[row[_column(paths[0])] for row in rows],
                y=[None if row[figure_name] is None else row[figure_name] / WAN for row in rows],
                mode="lines+markers", name=f"{figure_name} {known[figure_name]['title_zh']}", line_color=COLOURS[colour],
            )  # fmt: skip
        figure.update_xaxes(title=paths[0], type="category")
        figure.update_yaxes(title="万元")
        return chart(figure, 380, top=40)
    across, down = (list(dict.fromkeys(row[_column(path)] for row in rows)) for path in paths[:2])
    held = {path: rows[0][_column(path)] for path in paths[2:]}
    values = {
        (row[_column(paths[0])], row[_column(paths[1])]): row["fund.balance"]
        for row in rows
        if all(row[_column(path)] == value for path, value in held.items())
    }
    cells = [[(values.get((x, y)) or 0) / WAN for x in across] for y in down]
    figure.add_heatmap(
        x=across, y=down, z=cells, colorscale=[[0, COLOURS["red"]], [0.5, "#ffffff"], [1, COLOURS["green"]]], zmid=0,
        text=[[f"{value:+,.0f}" for value in line] for line in cells] if len(cells) * len(across) <= 200 else None,
        texttemplate="%{text}", colorbar={"title": "万元"},
    )  # fmt: skip
    figure.update_xaxes(title=paths[0], type="category")
    figure.update_yaxes(title=paths[1], type="category")
    return chart(figure, 420)


def _years(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    figure = go.Figure()
    for side, colour in (("baseline", "grey"), ("scenario", "blue")):
        own = [row for row in rows if row["side"] == side]
        figure.add_scatter(
            x=[str(row["year"]) for row in own], y=[row["fund.cumulative_balance"] / WAN for row in own], mode="lines+markers",
            name=f"{side} {'基线' if side == 'baseline' else '情景'}", line_color=COLOURS[colour],
        )  # fmt: skip
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="基金累计结余, 万元")
    return chart(figure, 360, top=40)
