"""The page of budget years: the fund, waterfalls of the index, use by month, quality, sharing, cash, and the assumptions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from drgsim.budgets.budget_index import STEPS, STEPS_ZH
from drgsim.budgets.budget_tables import fund_lines, words
from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.case_bills import UNITS, UNITS_ZH
from drgsim.budgets.cash import LINES
from drgsim.budgets.quality_score import indicator_title
from drgsim.budgets.sharing import settled
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import PAYERS_ZH
from drgsim.region.hospital_year_sums import MONTHS
from drgsim.report.page import COLOURS, chart, render_page

WAN = 1_000_000  # fen of ten thousand yuan (万元)
MOST_ROWS = 60  # hospitals that charts by hospital show
MOST_ON_A_LINE = 8  # indicators whose names stand side by side unbroken
_FINE = 241  # points of the sharing curve


def budget_page(years: Sequence[BudgetYear], policy: Policy, notes: Sequence[str]) -> str:
    """HTML of the page; charts show the last year, the cards and the table of years all of them."""
    last = years[-1]
    terms = last.terms
    shown = np.argsort(-last.index.index, kind="stable")[:MOST_ROWS]
    cards = [
        ("fund 基金预算 (万元)", f"{last.fund.budget / WAN:,.1f}"),
        ("index 指标合计 (万元)", f"{last.fund.index / WAN:,.1f}"),
        ("scaling 总额平衡系数", f"{last.index.scaling:.4f}"),
        ("in surplus 结余机构", f"{int(last.in_surplus.sum())} / {last.figures.size}"),
        ("warned in December 年末预警", f"{int(last.warnings.warned[:, -1].sum())} / {last.figures.size}"),
        ("balance 基金结余 (万元)", f"{last.fund.balance / WAN:,.1f}"),
    ]
    return render_page(
        "budget.html",
        title=f"Budget year {last.year} 总额预算",
        policy=policy.file,
        terms=terms,
        cards=cards,
        notes=notes,
        years=years,
        wan=WAN,
        fund_chart=chart(fund_chart(last), 380),
        index_chart=chart(index_chart(last, shown), 470, top=70),
        heat_chart=chart(heat_chart(last, shown), 110 + 26 * len(shown), top=60),
        sharing_chart=chart(sharing_chart(last), 430),
        liquidity_chart=chart(liquidity_chart(years, shown), 440, top=70),
        least=[_least(years, int(place)) for place in shown],
        pools=[(PAYERS_ZH[payer], payer, pool) for payer, pool in last.pools.items()],
        agreed=_agreed(last),
        quality_chart=chart(quality_chart(last, shown), 140 + 26 * len(shown), top=110),
        units=[(UNITS_ZH[name], name, int(last.units[:, place].sum())) for place, name in enumerate(UNITS)],
        hospitals=[_row(last, int(place)) for place in shown],
        hospital_count=last.figures.size,
        bands=_bands(last),
        ledger=[
            (LINES[line], line, month, due, paid, balance) for month, line, due, paid, balance in last.cash.lines(shown[0])
        ],
        ledger_of=last.figures.names[shown[0]],
        parameters=[(parameter, words(parameter.value)) for parameter in terms.parameters],
        assumed=len(terms.assumptions),
    )


def fund_chart(year: BudgetYear) -> go.Figure:
    """From what is set aside before the index to the fund's balance."""
    lines = [line for line in fund_lines(year.fund) if line[2]]
    labels = [f"{title}<br>{name}" for name, title, _ in lines] + ["基金结余<br>balance"]
    figure = go.Figure(_waterfall(labels, [amount / WAN for _, _, amount in lines], year.fund.balance / WAN))
    figure.update_yaxes(title="万元")
    figure.update_xaxes(tickangle=0)
    return figure


def index_chart(year: BudgetYear, shown: np.ndarray) -> go.Figure:
    """Waterfall of the index, one hospital at a time from a list; steps that change nothing are left out."""
    figure = go.Figure()
    buttons = []
    for number, place in enumerate(shown):
        amounts = year.index.waterfall[place] / WAN
        kept = [step for step in range(len(STEPS)) if amounts[step] or step == 0]
        labels = [f"{STEPS_ZH[STEPS[step]]}<br>{STEPS[step]}" for step in kept] + ["总额指标<br>index"]
        trace = _waterfall(labels, [float(amounts[step]) for step in kept], year.index.index[place] / WAN)
        figure.add_trace(trace.update(visible=number == 0))
        height = np.cumsum(amounts)
        margin = max(0.3 * (height.max() - height.min()), 0.02 * height.max())
        span = [max(height.min() - 2 * margin, 0), height.max() + margin]
        visible = [other == number for other in range(len(shown))]
        layout = {"yaxis.range": span}
        buttons.append({"label": year.figures.names[place], "method": "update", "args": [{"visible": visible}, layout]})
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.2, "yanchor": "top", "showactive": True}
    figure.update_layout(updatemenus=[menu], showlegend=False)
    figure.update_yaxes(title="万元", range=buttons[0]["args"][1]["yaxis.range"])
    figure.update_xaxes(tickangle=0, tickfont={"size": 11})
    return figure


def _waterfall(labels: list[str], amounts: list[float], end: float) -> go.Waterfall:
    """Amounts one after the other, and the bar in which they end."""
    signed = [f"{amount:+,.1f}" if place else f"{amount:,.1f}" for place, amount in enumerate(amounts)]
    return go.Waterfall(
        x=labels,
        y=[*amounts, 0],
        measure=["absolute", *["relative"] * (len(amounts) - 1), "total"],
        text=[*signed, f"{end:,.1f}"],
        textposition="outside",
        cliponaxis=False,
        **_waterfall_colours(),
    )


def _waterfall_colours() -> dict[str, object]:
    return {
        "increasing": {"marker": {"color": COLOURS["green"]}},
        "decreasing": {"marker": {"color": COLOURS["red"]}},
        "totals": {"marker": {"color": COLOURS["blue"]}},
        "connector": {"line": {"color": COLOURS["grey"], "width": 1}},
    }


def heat_chart(year: BudgetYear, shown: np.ndarray) -> go.Figure:
    """Share of the index used against the same period, hospital by month; above 100 % is the warning list."""
    ratio = 100 * year.warnings.ratio[shown][::-1]
    limit, attention = (100 * spec.value for spec in (year.terms.file.warning.limit, year.terms.file.warning.attention))
    low, high = min(60.0, attention - 10), max(140.0, limit + 20)

    def at(value: float) -> float:
        return (value - low) / (high - low)

    scale = [
        (0, "#dcebe1"), (at(attention), "#eef5f0"), (at(attention), "#fff1cc"), (at(limit), "#fbe3a4"), (at(limit), "#f3b7b4"),
        (1, COLOURS["red"]),
    ]  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            z=ratio,
            x=[f"{month} 月" for month in range(1, MONTHS + 1)],
            y=[year.figures.names[place] for place in shown[::-1]],
            text=[[f"{value:.0f}" if value == value else "" for value in row] for row in ratio],
            texttemplate="%{text}",
            colorscale=scale,
            zmin=low,
            zmax=high,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{y}, %{x}: %{z:.1f} %<extra></extra>",
        )
    )
    figure.update_xaxes(side="top")
    return figure


def sharing_chart(year: BudgetYear) -> go.Figure:
    """What is settled over what is due, both against the index, with the hospitals on the curve."""
    grid = np.linspace(0.5, 1.4, _FINE)
    whole = np.full(_FINE, 10_000_000, np.int64)
    due = np.rint(grid * whole).astype(np.int64)
    figure = go.Figure()
    line = {"color": COLOURS["grey"], "dash": "dot"}
    figure.add_scatter(x=100 * grid, y=100 * grid, mode="lines", name="by item 据实", line=line, hoverinfo="skip")
    curve = settled(due, whole, year.terms.schedule) / whole
    name = "schedule at a neutral score 分担曲线（质量分中性）"
    figure.add_scatter(x=100 * grid, y=100 * curve, mode="lines", name=name, line_color=COLOURS["blue"], hoverinfo="skip")
    index = year.index.index
    known = index > 0
    figure.add_scatter(
        x=100 * year.ratio[known], y=100 * (year.settled[known] / index[known]), mode="markers", name="hospitals 医院",
        marker={"size": 10, "color": COLOURS["amber"], "line": {"color": "white", "width": 1}},
        text=[f"{name}, score {score:.0f}" for name, score in zip(
            np.array(year.figures.names)[known], year.scores.score[known], strict=True)],
        hovertemplate="%{text}<br>due %{x:.1f} %, settled %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="due by units of payment, % of the index 应付占指标", ticksuffix=" %")
    figure.update_yaxes(title="settled, % of the index 清算占指标", ticksuffix=" %")
    return figure


def liquidity_chart(years: Sequence[BudgetYear], shown: np.ndarray) -> go.Figure:
    """Balance by month with and without money paid ahead, over all years, one hospital at a time from a list."""
    figure = go.Figure()
    months = [f"{year.year}-{month:02d}" for year in years for month in range(1, MONTHS + 1)]
    lines = (
        ("with money paid ahead 含预付", "balance", {"color": COLOURS["blue"], "width": 2.5}),
        ("without 无预付", "balance_without", {"color": COLOURS["grey"], "dash": "dot"}),
    )
    buttons = []
    for number, place in enumerate(shown):
        for name, attribute, line in lines:
            balance = np.concatenate([getattr(year.liquidity, attribute)[place] for year in years]) / WAN
            figure.add_scatter(x=months, y=balance, mode="lines", name=name, line=line, visible=number == 0)
        ahead = np.concatenate([year.liquidity.ahead[place] for year in years]) / WAN
        colour = {"color": COLOURS["amber"]}
        figure.add_bar(x=months, y=ahead, name="paid ahead (+), recovered (−) 预付与收回", marker=colour, visible=number == 0)
        visible = [other // 3 == number for other in range(3 * len(shown))]
        buttons.append({"label": years[-1].figures.names[place], "method": "update", "args": [{"visible": visible}]})
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.2, "yanchor": "top", "showactive": True}
    figure.update_layout(updatemenus=[menu], legend={"orientation": "h", "x": 0, "y": -0.1})
    figure.update_yaxes(title="万元", zeroline=True, zerolinecolor=COLOURS["red"])
    return figure


def _least(years: Sequence[BudgetYear], place: int) -> dict[str, object]:
    """The month in which a hospital has the least cash, over all years."""
    balance = np.concatenate([year.liquidity.balance[place] for year in years])
    days = np.concatenate([year.liquidity.days(year.liquidity.balance)[place] for year in years])
    without = np.concatenate([year.liquidity.balance_without[place] for year in years])
    at = int(balance.argmin())
    return {
        "name": years[-1].figures.names[place], "month": f"{years[at // MONTHS].year}-{at % MONTHS + 1:02d}",
        "balance": balance[at] / WAN, "days": days[at], "without": without.min() / WAN, "short": int((balance < 0).sum()),
        "short_without": int((without < 0).sum()),
    }  # fmt: skip


def _agreed(year: BudgetYear) -> list[tuple[str, float, str]]:
    """Hospital, what was negotiated comes to in its index (万元), and why."""
    effect, figures = year.index.waterfall[:, STEPS.index("negotiated")], year.figures
    return [
        (figures.names[place], effect[place] / WAN, figures.reasons.get((figures.hospitals[place], year.year), ""))
        for place in np.flatnonzero(effect).tolist()
    ]


def quality_chart(year: BudgetYear, shown: np.ndarray) -> go.Figure:
    """Points of every indicator and the score."""
    names = year.figures.indicator_names
    points = np.concatenate([year.scores.points, year.scores.score[:, None]], axis=1)[shown][::-1]
    of, cut = year.terms.file.quality, "_" if len(names) <= MOST_ON_A_LINE else "_<br>"
    titles = [f"{indicator_title(name, of)}<br>{name.replace('_', cut)}" for name in names] + ["<b>得分<br>score</b>"]
    figure = go.Figure(
        go.Heatmap(
            z=points,
            x=titles,
            y=[year.figures.names[place] for place in shown[::-1]],
            text=[[f"{value:.0f}" if value == value else "–" for value in row] for row in points],
            texttemplate="%{text}",
            colorscale=[(0, "#f3b7b4"), (0.5, "#fff6df"), (1, "#a9d3b8")],
            zmin=0,
            zmax=100,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{y}, %{x}: %{z:.1f}<extra></extra>",
        )
    )
    figure.update_xaxes(side="top", tickangle=0, tickfont={"size": 11})
    return figure


def _bands(year: BudgetYear) -> list[tuple[str, str, str]]:
    schedule = year.terms.schedule
    return [
        (title, f"{band.lower:.0%} – " + ("" if band.upper is None else f"{band.upper:.0%}"), f"{float(band.share):.0%}")
        for title, bands in (("surplus 结余", schedule.surplus), ("overspend 超支", schedule.overspend))
        for band in bands
    ]


def _row(year: BudgetYear, place: int) -> dict[str, object]:
    return {
        "id": year.figures.hospitals[place],
        "name": year.figures.names[place],
        "level": year.figures.level[place],
        "index": year.index.index[place] / WAN,
        "recorded": year.recorded[place] / WAN,
        "ratio": year.ratio[place],
        "score": year.scores.score[place],
        "settled": year.settled[place] / WAN,
        "shared": (year.settled[place] - year.recorded[place]) / WAN,
        "procurement": year.procurement_kept[place] / WAN,
        "forfeited": year.cash.due["deposit_forfeited"][place] / WAN,
        "cash": year.cash.received[place] / WAN,
        "warned": int(year.warnings.warned[place].sum()),
    }
