"""Intervals of what a switch does to hospitals and departments: the bootstrap of :mod:`drgsim.simulation.uncertainty`.

Each draw takes as many cases of each hospital as it has, the same cases for both sides. Where a budget decides the unit value,
every draw decides it anew for both sides: unit value = (budget x (1 - held) - yuan fixed) / units. The curve keeps the class
that each case has.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, MISSING
from drgsim.payment.grouped_cases import WORKERS
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.draws import Bootstrap
from drgsim.simulation.switch_sides import SwitchSide
from drgsim.simulation.uncertainty import LEAST_DRAWS, about

_PAYERS = len(INSURANCES) + 1  # the last place is of cases without a payer
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SwitchDraws:
    """What was drawn: fen by which each row's payment changes, (draws, rows); rows are hospital x department."""

    change: Floats

    def ends(self, rows: NDArray[np.int64], count: int, found: NDArray[np.int64], level: float) -> tuple[Floats, Floats]:
        """Low and high end (fen) about the changes found, for sums of rows; NaN with fewer than :data:`LEAST_DRAWS` draws.

        Parameters
        ----------
        rows
            Where each row belongs, -1 for nowhere.
        count
            Number of sums.
        found
            Fen, the change of each sum by the cases as they are.
        level
            0.5 to 0.999.
        """
        if len(self.change) < LEAST_DRAWS:
            nothing = np.full(count, np.nan)
            return nothing, nothing
        sums = np.zeros((len(self.change), count))
        known = rows >= 0
        for number, drawn in enumerate(self.change):
            sums[number] = np.bincount(rows[known], drawn[known], count)
        low, high = about(found.astype(np.float64), sums, level, least=-np.inf)
        return low, high


def drawn_changes(
    sides: tuple[SwitchSide, SwitchSide], rows: NDArray[np.int64], count: int, draws: int, seed: int
) -> SwitchDraws:
    """Draw the cases ``draws`` times and add their changes up by row.

    Parameters
    ----------
    rows
        Row of each case, hospital x department.
    count
        Number of rows.
    """
    if draws < LEAST_DRAWS:
        return SwitchDraws(np.zeros((0, count)))
    cohort = sides[0].lines.state.cohort
    bootstrap = Bootstrap(cohort.key, cohort.cases.hospital.ids.astype(np.int64), seed)
    payer = np.where(cohort.cases.insurance < 0, _PAYERS - 1, cohort.cases.insurance).astype(np.int64)
    cells = rows * _PAYERS + payer
    parts = [_parts(side) for side in sides]
    patient = cohort.cases.money["patient_paid"]
    sound = (patient != MISSING) & (patient >= 0) & (cohort.cases.faults < 0)
    values = np.stack([*parts[0], *parts[1], np.where(sound, patient, 0).astype(np.float64)], axis=1)
    order = bootstrap.members  # by hospital and key, so that sums of floats do not depend on the order of the cases
    cells, values = cells[order], np.ascontiguousarray(values[order])
    whole = np.array([np.bincount(cells, column, count * _PAYERS) for column in values.T]).T
    budgets = [_budget(side, whole) for side in sides]

    def change(number: int) -> Floats:
        sums = bootstrap.sums(number, cells, values, count * _PAYERS)
        paid = [_paid(sums, side, budget, place) for place, (side, budget) in enumerate(zip(sides, budgets, strict=True))]
        return np.asarray((paid[1] - paid[0]).reshape(count, _PAYERS).sum(axis=1))

    with ThreadPoolExecutor(WORKERS) as pool:  # kernels do not hold the interpreter
        return SwitchDraws(np.array(list(pool.map(change, range(draws)))))


def _parts(side: SwitchSide) -> tuple[Floats, Floats]:
    """Fen of each case that no unit value moves, and its units; all is fixed where no budget decides."""
    payment = side.lines.money[Measure.PAYMENT].astype(np.float64)
    ledger = side.lines.settlement.ledger
    if not side.lines.unit_values:
        return payment, np.zeros(payment.size)
    inside = ledger.in_units & side.lines.marks.paid & ~np.isnan(ledger.terms.unit_value)
    units = np.where(inside, ledger.units, 0.0)
    return payment - units * np.where(inside, ledger.terms.unit_value, 0.0) * FEN_PER_YUAN, units


def _budget(side: SwitchSide, whole: Floats) -> Floats:
    """Fen by payer that a draw shares out before patients' parts; by all cases they give the unit value of the settlement."""
    left = np.full(_PAYERS, np.nan)
    place = {name: number for number, name in enumerate(INSURANCES)}
    for payer, amount in side.lines.settlement.ledger.pot.items():
        if payer in place:
            left[place[payer]] = amount - whole[:, 4].reshape(-1, _PAYERS).sum(axis=0)[place[payer]]
    return left


def _paid(sums: Floats, side: SwitchSide, budget: Floats, place: int) -> Floats:
    """Fen of each cell under a side, at the unit values that the draw gives."""
    fixed, units = sums[:, 2 * place], sums[:, 2 * place + 1]
    if not side.lines.unit_values:
        return fixed
    of_payer = sums.reshape(-1, _PAYERS, sums.shape[1]).sum(axis=0)
    held = side.lines.settlement.ledger.held
    left = (budget + of_payer[:, 4]) * (1 - held) - of_payer[:, 2 * place]
    total = of_payer[:, 2 * place + 1]
    known = ~np.isnan(left) & (total > 0)
    value = np.divide(left, total, out=np.zeros(_PAYERS), where=known)
    return np.asarray(fixed + units * np.tile(value, len(fixed) // _PAYERS))
