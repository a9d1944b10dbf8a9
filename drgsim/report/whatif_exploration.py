"""What a simulation was asked beside its answers: cash by month, a solution, sensitivity, a grid of values, years ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drgsim.language import bilingual, term, text, text_of_data
from drgsim.report.bar_charts import BarChart, BarSeries, HeatTable, shaded
from drgsim.report.page_parts import NOTHING, Card, KeyFigure, NotedText, Words
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotLine
from drgsim.simulation.explore import TORNADO
from drgsim.simulation.headlines import headline_names

WAN = 10_000  # yuan of ten thousand yuan (万元)
_SIDES = (("baseline", text("baseline"), "grey"), ("scenario", text("scenario"), "blue"))
Rows = list[dict[str, Any]]


def named_figure(row: Mapping[str, Any]) -> str:
    """Title of a headline figure."""
    return bilingual(row["title"], row["title_zh"])


def shown_figure(value: float | None, unit: str, signed: bool = False) -> str:
    """A figure as a reader wants it: money in 万元, shares in per cent."""
    if value is None:
        return NOTHING
    plus = "+" if signed else ""
    if value == 0 and signed:
        return "0"
    if unit == "yuan" and abs(value) >= WAN:
        return text("{amount} x 10k", amount=f"{value / WAN:{plus},.2f}")
    if unit == "share":
        return f"{100 * value:{plus}.2f} %"
    if unit == "index":
        return f"{value:{plus}.4f}"
    return f"{value:{plus},.2f}" if unit == "yuan" or abs(value) < 1000 else f"{value:{plus},.0f}"


def liquidity_card(rows: Rows) -> list[Card]:
    """All hospitals' cash at the end of each month on both sides, and what is paid ahead less what is recovered."""
    if not rows:
        return []
    months = sorted({row["month"] for row in rows})
    layers: list[PlotColumns | PlotLine] = []
    for side, title, tone in _SIDES:
        sums = {kind: [sum(float(row[f"{side}_{kind}"]) for row in rows if row["month"] == month) / WAN for month in months]
                for kind in ("balance", "paid_ahead")}  # fmt: skip
        ahead = text("{side}: paid ahead less recovered", side=title)
        layers.insert(0, PlotColumns(ahead, range(len(months)), sums["paid_ahead"], "light" if tone == "blue" else tone))
        layers.append(PlotLine(text("{side}: balance", side=title), range(len(months)), sums["balance"], tone, points=True))
    caption = text(
        "Cash of all hospitals at the end of each month. Every hospital and month is in liquidity.parquet and the \
workbook. Expenses are taken from bills."
    )
    names = [term("month of a year", "{month}", month=month) for month in months]
    return [Card(text("Liquidity"), [Plot(caption, layers, PlotAxis(names=names), PlotAxis(text("10k yuan")))])]


def solution_card(rows: Rows) -> list[Card]:
    """What a goal seek has found: the value that all figures of the page are under."""
    words = []
    for row in rows:
        words.append(text(
            "{path} goes from {old} to {new} {unit} ({change}) and brings {figure} to {reached:,.4f} (target {target:,.4f}).",
            path=row["path"], old=_in_cents(row["old"]), new=_in_cents(row["new"]),
            unit=text_of_data(row["new_unit"]), change=row["change"],
            figure=named_figure(headline_names()[row["figure"]]), reached=row["reached"], target=row["target"],
        ))  # fmt: skip
        if row["unit_values"]:
            words.append(text("Unit values under it, yuan: {unit_values}", unit_values=row["unit_values"]))
        if row["note"]:
            words.append(text_of_data(row["note"]))
    if not words:
        return []
    return [
        Card(text("Goal seek"), [Words([*words, text("All figures of this page are under the solved value.")], soft=False)])
    ]


def _in_cents(words: str) -> str:
    """A number of many digits with two, as the others are shown; anything else as it is.

    Examples
    --------
    >>> _in_cents("9,961.100551; published standards x 0.49"), _in_cents("20,425"), _in_cents("from the fund")
    ('9,961.10', '20,425', 'from the fund')
    """
    number = words.partition(";")[0]
    whole, _, digits = number.partition(".")
    if len(digits) <= 2 or not whole.replace(",", "").lstrip("-").isdecimal() or abs(float(number.replace(",", ""))) < 1:
        return number
    return f"{float(number.replace(',', '')):,.2f}"


def solved_figure(row: Mapping[str, Any]) -> KeyFigure:
    """The solved value, and what it was before."""
    new, old = (_in_cents(str(row[side])) for side in ("new", "old"))
    before = text("before: {old} {unit}", old=old, unit=text_of_data(row["new_unit"]))
    return KeyFigure(text("solved: {path}", path=row["path"]), new, before)


def tornado_card(rows: Rows) -> list[Card]:
    """Each change alone and each range at its ends: what it does to the fund's balance."""
    figure = TORNADO[0]
    if not rows:
        return []
    reach = {path: max(abs(row[figure] or 0) for row in rows if row["path"] == path) for path in {row["path"] for row in rows}}
    order = sorted(reach, key=lambda path: (-reach[path], path))
    series = []
    for kind, title, tone in (("alone", text("change alone"), "blue"), ("low", text("low end"), "green"),
                              ("high", text("high end"), "amber")):  # fmt: skip
        chosen = {row["path"]: row for row in rows if row["kind"] == kind}
        if chosen:
            values = [(chosen[path][figure] or 0) / WAN if path in chosen else None for path in order]
            hints = [str(chosen[path]["value"]) if path in chosen else "" for path in order]
            series.append(BarSeries(title, values, tone, hints=hints))
    names = [NotedText(path, " … ".join(str(row["value"]) for row in rows if row["path"] == path)) for path in order]
    chart = BarChart(text("Change of the fund's balance, 10k yuan"), names, series, ",.1f", signed=True)
    return [Card(text("Sensitivity"), [chart])]


def grid_card(rows: Rows, paths: list[str]) -> list[Card]:
    """The fund's balance and the hospitals' margin over a grid: lines for one path, a map for two."""
    if not rows or not paths:
        return []
    note = text("Every figure of every point is in grid.parquet and the workbook.")
    return [Card(text("Grid"), [_grid_lines(rows, paths[0]) if len(paths) == 1 else _grid_map(rows, paths)], note)]


def years_card(rows: Rows) -> list[Card]:
    """The fund's balance over the years."""
    if not rows:
        return []
    years = sorted({row["year"] for row in rows})
    lines = []
    for side, title, tone in _SIDES:
        own = {row["year"]: row["fund.cumulative_balance"] / WAN for row in rows if row["side"] == side}
        lines.append(PlotLine(title, range(len(years)), [own.get(year) for year in years], tone, points=True))
    names = [str(year) for year in years]
    plot = Plot(text("Cumulative balance of the fund"), lines, PlotAxis(names=names), PlotAxis(text("10k yuan")))
    return [Card(text("Years"), [plot])]


def _column(path: str) -> str:
    """Column of a path in the table of a grid."""
    return f"change {path}"


def _grid_lines(rows: list[dict[str, Any]], path: str) -> Plot:
    known = headline_names()
    lines = [
        PlotLine(bilingual(str(known[name]["title"]), str(known[name]["title_zh"])), range(len(rows)),
                 [None if row[name] is None else row[name] / WAN for row in rows], tone, points=True)
        for name, tone in (("fund.balance", "blue"), ("hospital.margin", "amber"))
    ]  # fmt: skip
    caption = text("Balance of the fund and margin of the hospitals by {path}", path=path)
    return Plot(caption, lines, PlotAxis(path, names=[str(row[_column(path)]) for row in rows]), PlotAxis(text("10k yuan")))


def _grid_map(rows: list[dict[str, Any]], paths: list[str]) -> HeatTable:
    across, down = (list(dict.fromkeys(row[_column(path)] for row in rows)) for path in paths[:2])
    held = {path: rows[0][_column(path)] for path in paths[2:]}
    values = {
        (row[_column(paths[0])], row[_column(paths[1])]): row["fund.balance"]
        for row in rows
        if all(row[_column(path)] == value for path, value in held.items())
    }
    cells = [[(values.get((x, y)) or 0) / WAN for x in across] for y in down]
    reach = max((abs(value) for line in cells for value in line), default=1.0)
    shades = [[shaded(value, -reach, 0.0, reach) for value in line] for line in cells]
    caption = text("Balance of the fund, 10k yuan: {across} across, {down} down", across=paths[0], down=paths[1])
    return HeatTable(caption, [str(y) for y in down], [str(x) for x in across], cells, shades, signed=True, note=caption)
