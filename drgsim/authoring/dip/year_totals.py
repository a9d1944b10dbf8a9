"""Sums of cost by group and year, as integers: they add up exactly, whatever is put together later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.trimming import TrimRule, trim
from drgsim.costs.year_means import YearMode, mean_over_years
from drgsim.money import sums_by_place

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class YearTotals:
    """Number of cases and sum of cost (fen) of groups by year, each of shape (groups, years).

    Examples
    --------
    >>> totals = YearTotals.of(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([100, 200, 300]), 2, 2)
    >>> totals.cases.tolist(), totals.fen.tolist()
    ([[1, 1], [0, 1]], [[100, 200], [0, 300]])
    >>> totals.joined(np.array([0, 0]), 1).fen.tolist()
    [[100, 500]]
    """

    cases: NDArray[np.int64]
    fen: NDArray[np.int64]

    @classmethod
    def of(cls, group: NDArray[Any], year: NDArray[Any], fen: NDArray[Any], groups: int, years: int) -> YearTotals:
        """Totals of cases; a group below 0 does not count."""
        used = group >= 0
        cell = group[used].astype(np.int64) * years + year[used]
        cases = np.bincount(cell, minlength=groups * years)
        total = sums_by_place(cell, fen[used], groups * years)
        shape = (groups, years)
        return cls(cases.astype(np.int64).reshape(shape), total.reshape(shape))

    def joined(self, into: NDArray[Any], groups: int) -> YearTotals:
        """Totals of larger groups; ``into`` is the new group of each old one, below 0 for none."""
        used = into >= 0
        shape = (groups, self.cases.shape[1])
        cases, fen = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        np.add.at(cases, into[used], self.cases[used])
        np.add.at(fen, into[used], self.fen[used])
        return YearTotals(cases, fen)

    def mean(self, weights: Floats, mode: YearMode) -> Floats:
        """Mean cost in yuan of each group, the years weighed."""
        return mean_over_years(self.fen / 100.0, self.cases, weights, mode)


def kept_cases(
    fen: NDArray[np.int64], group: NDArray[Any], year: NDArray[np.int64], years: int, rule: TrimRule, minimum_cases: float = 0
) -> NDArray[np.bool_]:
    """Cases that trimming within group and year keeps; those without a group (below 0) are not kept.

    Where a group has fewer than ``minimum_cases`` in a year, all are kept: a percentile of ten cases is no case.

    Examples
    --------
    >>> fen = np.arange(1, 101)
    >>> rule = TrimRule("percentile", 2.5, 97.5)
    >>> int(kept_cases(fen, np.zeros(100), np.zeros(100, int), 1, rule, 40).sum())
    94
    >>> int(kept_cases(fen[:9], np.zeros(9), np.zeros(9, int), 1, rule, 40).sum())
    9
    """
    cell = np.where(group >= 0, group * years + year, -1).astype(np.int64)
    used = cell >= 0
    few = np.bincount(cell[used], minlength=1)[np.where(used, cell, 0)] < minimum_cases
    return trim(fen.astype(np.float64), cell, rule) | (used & few)
