"""What budgets add to a bureau's report: the fund's account, use of the indices, warnings, scores, settlement by hospital."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgsim.budgets.budget_tables import words
from drgsim.budgets.budget_year import BudgetYear
from drgsim.language import text
from drgsim.report.budget_charts import fund_chart, heat_chart, quality_chart
from drgsim.report.page_parts import Card, KeyFigure, NamedCode, PageAssumption, PageTable, TableColumn

WAN = 1_000_000  # fen of ten thousand yuan (万元)
MOST_ROWS = 60  # hospitals


def budget_figures(years: Sequence[BudgetYear]) -> list[KeyFigure]:
    """The fund in numbers; none without budgets."""
    if not years:
        return []
    last = years[-1]
    warned = int(last.warnings.warned.any(axis=1).sum())
    return [
        KeyFigure(text("budget of the fund (10k yuan)"), f"{last.fund.budget / WAN:,.1f}", str(last.year)),
        KeyFigure(text("balance of the fund (10k yuan)"), f"{last.fund.balance / WAN:+,.1f}", tone=_tone(last.fund.balance)),
        KeyFigure(text("hospitals in surplus"), f"{int(last.in_surplus.sum())} / {last.figures.size}"),
        KeyFigure(text("hospitals warned in a month"), f"{warned} / {last.figures.size}"),
    ]


def budget_cards(years: Sequence[BudgetYear]) -> list[Card]:
    """Fund, index use by hospital, warnings, quality of the last year."""
    last = years[-1]
    shown = np.argsort(-last.index.index, kind="stable")[:MOST_ROWS].tolist()
    figures = last.figures
    rows = [
        {
            "named": NamedCode(figures.hospitals[place], figures.names[place]), "level": str(figures.level[place]) or "–",
            "index": last.index.index[place] / WAN, "recorded": last.recorded[place] / WAN, "ratio": float(last.ratio[place]),
            "surplus": last.surplus[place] / WAN, "settled": last.settled[place] / WAN,
            "shared": (last.settled[place] - last.recorded[place]) / WAN, "score": float(last.scores.score[place]),
            "warned": int(last.warnings.warned[place].sum()),
        }
        for place in shown
    ]  # fmt: skip
    money = ",.2f"
    columns = [
        TableColumn(text("hospital"), "named"), TableColumn(text("level"), "level", minor=True),
        TableColumn(text("index (10k yuan)"), "index", money), TableColumn(text("used (10k yuan)"), "recorded", money),
        TableColumn(text("used of the index"), "ratio", "share"),
        TableColumn(text("surplus (10k yuan)"), "surplus", money, signed=True, minor=True),
        TableColumn(text("settled (10k yuan)"), "settled", money, minor=True),
        TableColumn(text("by sharing (10k yuan)"), "shared", money, signed=True),
        TableColumn(text("quality score"), "score", ".1f"), TableColumn(text("months warned"), "warned", "count"),
    ]  # fmt: skip
    note = text("By sharing: what keeping a surplus or bearing an overspend adds (+) to or takes (−) from what is due.")
    return [
        Card(text("The fund in {year}", year=last.year), [fund_chart(last)]),
        Card(text("Use of the indices"), [PageTable(text("Index and its use by hospital"), columns, rows, note=note)]),
        Card(text("Monthly warning list"), [heat_chart(last, shown)]),
        Card(text("Scores of quality"), [quality_chart(last, shown)]),
    ]


def budget_assumptions(years: Sequence[BudgetYear]) -> list[PageAssumption]:
    """Terms of the budget that no source states."""
    if not years:
        return []
    return [
        PageAssumption(f"budget.{entry.path}", words(entry.value), entry.unit, entry.note)
        for entry in years[-1].terms.assumptions
    ]


def _tone(amount: int) -> str:
    return "up" if amount > 0 else "down" if amount < 0 else ""
