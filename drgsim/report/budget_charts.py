"""Charts of a budget year: the fund, how an index comes about, use by month, sharing, quality, cash."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgsim.budgets.budget_index import STEPS, STEPS_ZH
from drgsim.budgets.budget_tables import fund_lines
from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.quality_score import indicator_title
from drgsim.budgets.sharing import settled
from drgsim.language import bilingual, term, text
from drgsim.region.hospital_year_sums import MONTHS
from drgsim.report.bar_charts import HeatTable, StepChart, shaded
from drgsim.report.page_parts import Choice, Name
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotDots, PlotLayer, PlotLine

WAN = 1_000_000  # fen of ten thousand yuan (万元)
MOST_INDEX = 20  # hospitals whose index can be chosen
MOST_CASH = 12  # hospitals whose cash can be chosen
_FINE = 241  # points of the sharing curve
_UNSHADED = ("", 0.0)


def fund_chart(year: BudgetYear) -> StepChart:
    """From what is set aside before the index to the fund's balance."""
    steps = [
        (bilingual(name.replace("_", " "), title), amount / WAN) for name, title, amount in fund_lines(year.fund) if amount
    ]
    caption = text("From what is set aside before the index to the balance, 10k yuan: what sharing returns to the fund or \
costs it, and deposits that are not released.")  # fmt: skip
    return StepChart(caption, steps, text("balance of the fund"), from_first=False)


def index_chart(year: BudgetYear, place: int) -> StepChart:
    """How the index of a hospital comes about; steps that change nothing are left out."""
    amounts = year.index.waterfall[place] / WAN
    steps: list[tuple[Name, float]] = [
        (bilingual(name.replace("_", " "), STEPS_ZH[name]), float(amount))
        for number, (name, amount) in enumerate(zip(STEPS, amounts, strict=True)) if amount or number == 0
    ]  # fmt: skip
    caption = text("Index of {hospital}, 10k yuan", hospital=year.figures.names[place])
    return StepChart(caption, steps, text("budget index"))


def index_choice(year: BudgetYear, shown: Sequence[int]) -> Choice:
    """The index of the largest hospitals, one at a time."""
    options = [(year.figures.names[place], [index_chart(year, place)]) for place in shown[:MOST_INDEX]]
    return Choice("index", text("Hospital"), options)


def heat_chart(year: BudgetYear, shown: Sequence[int]) -> HeatTable:
    """Share of the index used against the same period, hospital by month; above the limit is the warning list."""
    limit, attention = (100 * spec.value for spec in (year.terms.file.warning.limit, year.terms.file.warning.attention))

    def shade(value: float) -> tuple[str, float]:
        if not np.isfinite(value):
            return _UNSHADED
        return ("red", min(0.35 + (value - limit) / 100, 0.75)) if value > limit else ("amber", 0.4) if value > attention else (
            "green", 0.12)  # fmt: skip

    ratio = 100 * year.warnings.ratio[list(shown)]
    months = [term("month of a year", "{month}", month=month) for month in range(1, MONTHS + 1)]
    note = text("Share of the index used against the same period, %; red: above {limit:.0f} %, amber: above {attention:.0f} %.",
                limit=limit, attention=attention)  # fmt: skip
    names = [year.figures.names[place] for place in shown]
    return HeatTable(text("Use of the index by hospital and month, %"), names, months, ratio.tolist(),
                     [[shade(value) for value in row] for row in ratio.tolist()], note=note)  # fmt: skip


def sharing_chart(year: BudgetYear) -> Plot:
    """What is settled over what is due, both against the index, with the hospitals on the curve."""
    grid = np.linspace(0.5, 1.4, _FINE)
    whole = np.full(_FINE, 10_000_000, np.int64)
    curve = settled(np.rint(grid * whole).astype(np.int64), whole, year.terms.schedule) / whole
    index = year.index.index
    known = np.flatnonzero(index > 0)
    names = [year.figures.names[place] for place in known]
    layers: list[PlotLayer] = [
        PlotLine(text("by item"), 100 * grid, 100 * grid, "grey", dashed=True),
        PlotLine(text("schedule at a neutral score"), 100 * grid, 100 * curve, "blue"),
        PlotDots(text("Hospitals"), 100 * year.ratio[known], 100 * (year.settled[known] / index[known]), "amber", names,
                 labelled=6),
    ]  # fmt: skip
    caption = text("What is due and what is settled, both in % of the index. A hospital lies off the curve where its score \
moves the share of a surplus that it keeps, the fund cannot cover an overspend, or one of the year before counts.")  # fmt: skip
    return Plot(caption, layers, PlotAxis(text("due by units of payment, % of the index"), ",.0f"),
                PlotAxis(text("settled, % of the index"), ",.0f"), height=400)  # fmt: skip


def liquidity_choice(years: Sequence[BudgetYear], shown: Sequence[int]) -> Choice:
    """Balance by month with and without money paid ahead, over all years, one hospital at a time."""
    names = [f"{year.year}-{month:02d}" for year in years for month in range(1, MONTHS + 1)]
    options = []
    for place in shown[:MOST_CASH]:
        of = {kind: np.concatenate([getattr(year.liquidity, kind)[place] for year in years]) / WAN
              for kind in ("balance", "balance_without", "ahead")}  # fmt: skip
        layers: list[PlotLayer] = [
            PlotColumns(text("paid ahead (+), recovered (−)"), range(len(names)), of["ahead"], "amber"),
            PlotLine(text("balance with money paid ahead"), range(len(names)), of["balance"], "blue"),
            PlotLine(text("balance without"), range(len(names)), of["balance_without"], "grey", dashed=True),
        ]
        hospital = years[-1].figures.names[place]
        caption = text("Cash of {hospital} at the end of each month, 10k yuan", hospital=hospital)
        options.append((hospital, [Plot(caption, layers, PlotAxis(names=names), PlotAxis(text("10k yuan")))]))
    return Choice("liquidity", text("Hospital"), options)


def quality_chart(year: BudgetYear, shown: Sequence[int]) -> HeatTable:
    """Points of every indicator and the score."""
    of = year.terms.file.quality
    points = np.concatenate([year.scores.points, year.scores.score[:, None]], axis=1)[list(shown)].tolist()
    titles = [bilingual(name.replace("_", " "), indicator_title(name, of)) for name in year.figures.indicator_names]
    shades = [[shaded(value, 0, 50, 100) for value in row] for row in points]
    note = text("Points 0 to 100; – is not measured, and leaves its weight to the other indicators.")
    names = [year.figures.names[place] for place in shown]
    return HeatTable(text("Points of the quality indicators"), names, [*titles, text("score")], points, shades, note=note)
