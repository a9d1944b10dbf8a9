"""Sums of cases by hospital, year and month: one way to add up, whether cases are real or stand for several simulated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.money import add_at, from_parts, sums_by_place

MONTHS = 12
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class HospitalCells:
    """Where each of N cases counts: a hospital, a year and a month.

    Attributes
    ----------
    hospitals, years
        Number of hospitals and of years.
    hospital, year, month
        (N,) place of the hospital, of the year, and month from 0 on; a hospital below 0 counts nowhere.
    times, part
        (N,) how often a case counts, in parts of a discharge of which ``part`` are one; None where each counts once.
    """

    hospitals: int
    years: int
    hospital: Ints
    year: Ints
    month: Ints
    times: Ints | None = None
    part: int = 1

    @property
    def inside(self) -> Mask:
        """(N,) cases that count somewhere."""
        return np.asarray(self.hospital >= 0)

    @property
    def cell(self) -> Ints:
        """(N,) number of the hospital and year, -1 where a case counts nowhere."""
        return np.where(self.inside, self.hospital * self.years + self.year, -1)

    def yearly(self, where: Mask, amounts: Ints | None = None) -> Ints:
        """(H, Y) sums of amounts, or numbers of cases."""
        return self._sum(where, self.cell, amounts, (self.hospitals, self.years))

    def monthly(self, where: Mask, amounts: Ints) -> Ints:
        """(H, Y, 12) sums of amounts."""
        return self._sum(where, self.cell * MONTHS + self.month, amounts, (self.hospitals, self.years, MONTHS))

    def by_unit(self, where: Mask, amounts: Ints, unit: Ints, units: int) -> Ints:
        """(H, Y, 12, units) sums of amounts, ``unit`` being the place of each case in the last dimension."""
        cell = (self.cell * MONTHS + self.month) * units + unit
        return self._sum(where, cell, amounts, (self.hospitals, self.years, MONTHS, units))

    def _sum(self, where: Mask, cell: Ints, amounts: Ints | None, shape: tuple[int, ...]) -> Ints:
        """Sums per cell, of integers, which have no order."""
        used = where & self.inside
        size = int(np.prod(shape))
        if amounts is None:  # cases: below 2^53 the floats of bincount are exact
            total = np.bincount(cell[used], None if self.times is None else self.times[used].astype(np.float64), size)
            return np.rint(total / self.part).astype(np.int64).reshape(shape)
        if self.times is None:
            return sums_by_place(cell[used], amounts[used], size).reshape(shape)
        parts = np.zeros(size, np.int64)
        add_at(parts, cell[used], amounts[used] * self.times[used])
        return from_parts(parts[:, None], self.part)[:, 0].reshape(shape)
