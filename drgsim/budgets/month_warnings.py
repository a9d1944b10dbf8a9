"""Use of the index month by month against the same period: the warning list (月度预警)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.cash import rounded
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms import BudgetTerms
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints


@dataclass(frozen=True)
class Warnings:
    """Use of the index month by month.

    Attributes
    ----------
    used, to_date
        (H, 12) fen used since January, and the index of the same period.
    ratio
        (H, 12) used / to_date; NaN without an index.
    attention, warned
        (H, 12) ratio above the limits of the terms.
    """

    used: Ints
    to_date: Ints
    ratio: Floats
    attention: NDArray[np.bool_]
    warned: NDArray[np.bool_]


def less_surplus(owed: Ints, surplus: Ints) -> Ints:
    """(H, 12) cumulative use since January without procurement surplus, which is taken out as the months are owed.

    December gives exactly what counts against the index at clearing.
    """
    to_date = np.cumsum(owed, axis=1)
    whole = to_date[:, -1:]
    share: Floats = np.divide(to_date, whole, out=np.zeros(to_date.shape), where=whole > 0)
    taken = rounded(surplus[:, None] * share)
    taken[:, -1] = surplus
    return to_date - taken


def warnings(figures: HospitalFigures, terms: BudgetTerms, year: int, index: Ints, used: Ints) -> Warnings:
    """Use of the index against the same period, month by month (rule book 0: warned above 100 % in Ningbo).

    ``used`` are (H, 12) fen since January that count against the index.
    """
    spec = terms.file.warning
    past = [place for place, known in enumerate(figures.years) if known < year]
    months = figures.spending[:, past].sum(axis=(0, 1)).astype(np.float64)
    if spec.season.value == "even" or months.sum() <= 0:
        months = np.ones(MONTHS)
    share = np.cumsum(months) / months.sum()
    share[-1] = 1.0
    to_date = rounded(index[:, None] * share)
    ratio = np.divide(used, to_date, out=np.full(used.shape, np.nan), where=to_date > 0)
    with np.errstate(invalid="ignore"):
        warned = ratio > spec.limit.value
        return Warnings(used, to_date, ratio, (ratio > spec.attention.value) & ~warned, warned)
