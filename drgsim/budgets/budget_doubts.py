"""What is doubtful in budget years: amounts that were entered and cannot be meant so, hospitals that treated nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgsim.budgets.budget_year import BudgetYear
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN


def doubts(years: Sequence[BudgetYear]) -> list[Problem]:
    """Deductions above what is due, services moved of more than the base, and hospitals without a case, year by year."""
    return [problem for year in years for problem in _of_year(year)]


def _of_year(year: BudgetYear) -> list[Problem]:
    figures, at = year.figures, year.figures.years.index(year.year)
    due, deducted = year.settled + year.procurement_kept, figures.deductions[:, at]
    base, moved = year.index.waterfall[:, 0], figures.moved[:, at]
    entered = "adjustments.csv"
    fix = text("check the row, its sign and its unit (yuan)")
    found = []
    for place in np.flatnonzero((deducted > 0) & (deducted > due)).tolist():
        what = text(
            "{name}: {deducted} is deducted, {due} is due",
            name=_name(year, place),
            deducted=_yuan(deducted[place]),
            due=_yuan(due[place]),
        )
        found.append(
            Problem("budget-deduction-above-due", what, where=entered, why=text("the hospital would owe money"), fix=fix)
        )
    for place in np.flatnonzero(np.abs(moved) > base).tolist():
        what = text(
            "{name}: services of {moved} are moved, the base is {base}",
            name=_name(year, place),
            moved=_yuan(moved[place]),
            base=_yuan(base[place]),
        )
        found.append(Problem("budget-moved-above-base", what, where=entered, fix=fix))
    for place in np.flatnonzero(year.idle & (year.index.index > 0)).tolist():
        what = text(
            "{name}: no case and nothing owed; its index of {index} stays with the fund",
            name=_name(year, place),
            index=_yuan(year.index.index[place]),
        )
        found.append(Problem("budget-no-cases", what, fix=text("check that its discharges are in the file")))
    return found


def _name(year: BudgetYear, place: int) -> str:
    return f"{year.figures.hospitals[place]} in {year.year}"


def _yuan(fen: int) -> str:
    return f"{int(fen) / FEN_PER_YUAN:,.2f} yuan"
