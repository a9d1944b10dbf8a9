"""What is doubtful in budget years: amounts that were entered and cannot be meant so, hospitals that treated nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgsim.budgets.budget_year import BudgetYear
from drgsim.errors import Problem
from drgsim.money import FEN_PER_YUAN


def doubts(years: Sequence[BudgetYear]) -> list[Problem]:
    """Deductions above what is due, services moved of more than the base, and hospitals without a case, year by year."""
    return [problem for year in years for problem in _of_year(year)]


def _of_year(year: BudgetYear) -> list[Problem]:
    figures, at = year.figures, year.figures.years.index(year.year)
    due, deducted = year.settled + year.procurement_kept, figures.deductions[:, at]
    base, moved = year.index.waterfall[:, 0], figures.moved[:, at]
    entered = "adjustments.csv"
    fix = "check the row, its sign and its unit (yuan)"
    found = []
    for place in np.flatnonzero((deducted > 0) & (deducted > due)).tolist():
        what = f"{_name(year, place)}: {_yuan(deducted[place])} is deducted, {_yuan(due[place])} is due"
        found.append(Problem("budget-deduction-above-due", what, where=entered, why="the hospital would owe money", fix=fix))
    for place in np.flatnonzero(np.abs(moved) > base).tolist():
        what = f"{_name(year, place)}: services of {_yuan(moved[place])} are moved, the base is {_yuan(base[place])}"
        found.append(Problem("budget-moved-above-base", what, where=entered, fix=fix))
    for place in np.flatnonzero(year.idle & (year.index.index > 0)).tolist():
        what = (
            f"{_name(year, place)}: no case and nothing owed; its index of {_yuan(year.index.index[place])} stays with the fund"
        )
        found.append(Problem("budget-no-cases", what, fix="check that its discharges are in the file"))
    return found


def _name(year: BudgetYear, place: int) -> str:
    return f"{year.figures.hospitals[place]} in {year.year}"


def _yuan(fen: int) -> str:
    return f"{int(fen) / FEN_PER_YUAN:,.2f} yuan"
