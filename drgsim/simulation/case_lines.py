"""Settled cases of a scenario as arrays, from which sums, draws and behaviour start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.settlement import Settlement, amounts_at_cost
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_totals import CLASS_NUMBERS, Bill, Marks, Measure, Totals, add_up, gather
from drgsim.simulation.pricing import Pricing
from drgsim.simulation.scenario_cases import State
from drgsim.simulation.simulated_region import Region


@dataclass(frozen=True)
class Lines:
    """What each case comes to: the arrays that sums, draws and behaviour start from.

    ``money`` is (measures, cases) by :class:`drgsim.simulation.case_totals.Measure`, fen, 0 where a case is not paid.
    """

    state: State
    cases: Cases
    pricing: Pricing
    money: NDArray[np.int64]
    marks: Marks
    weight: NDArray[np.float64]
    ratio: NDArray[np.float64]
    settlement: Settlement

    def counted(self, parts: NDArray[np.int64]) -> Lines:
        """The same cases with the fund's part netted as often as they count, in parts of a discharge (N,)."""
        shares = self.settlement.parts
        moved = shares.netting.net(shares.before_netting, parts) - shares.fund
        if not moved.any():
            return self
        money = self.money.copy()
        for measure, of in ((Measure.FUND, True), (Measure.PAYMENT, True), (Measure.INSIDE, self.marks.priced)):
            money[measure] += np.where(of, moved, 0)
        return replace(self, money=money)

    @property
    def unit_values(self) -> Mapping[str, float]:
        """Payer -> yuan per unit, where the budget decided."""
        return self.settlement.unit_values

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong or doubtful."""
        return self.settlement.problems


def retained_saving(state: State, settlement: Settlement) -> NDArray[np.int64]:
    """Fen of procurement's price fall that the hospital still has: less what the payment itself fell by.

    A case that is paid its bill, or a part of it, hands the fall on by that; only the rest is surplus (rule book 4.4).
    """
    if not state.saving.any():
        return state.saving
    uncut = uncut_cases(settlement.ledger.cases, state.saving)
    return left_of(state.saving, settlement.amount, amounts_at_cost(settlement, uncut.money["total_cost"]))


def uncut_cases(cases: Cases, saving: NDArray[np.int64]) -> Cases:
    """The cases with a saving (fen) put back on their cost."""
    cost = cases.money["total_cost"]
    return replace(cases, money={**cases.money, "total_cost": np.where(cost == MISSING, MISSING, cost + saving)})


def left_of(saving: NDArray[np.int64], amount: NDArray[np.int64], uncut: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of savings (fen) what is left where the payment is ``amount`` and would be ``uncut`` without them."""
    known = (amount != MISSING) & (uncut != MISSING)
    return np.where(known, np.clip(saving - (uncut - amount), 0, saving), 0)


def bill_of(state: State, saving: NDArray[np.int64]) -> Bill:
    """The arrays of a state that sums need; ``saving`` as :func:`retained_saving` has it."""
    return Bill(state.cost, state.patient, state.exempt, state.exempt_patient, saving, state.by_item, state.days)


def lines_of(state: State, cases: Cases, price: Pricing, settlement: Settlement) -> Lines:
    """Per-case arrays of a settlement."""
    ledger = settlement.ledger
    money, marks = gather(
        bill_of(state, retained_saving(state, settlement)), settlement.amount, settlement.parts.fund,
        settlement.parts.above_standard, ledger.standard, ledger.terms.relative_value, ledger.case_class, CLASS_NUMBERS,
    )  # fmt: skip
    if settlement.shadow is not None:
        known = settlement.shadow.known
        money[Measure.SHADOW] = np.where(known, settlement.shadow.amount, 0)
        money[Measure.SHADOW_COST] = np.where(known, settlement.shadow.cost, 0)
    weight = ledger.terms.relative_value / ledger.policy.file.relative_value.scale.value
    return Lines(state, cases, price, money, marks, weight, ledger.ratio, settlement)


def payer_rows(lines: Lines, region: Region) -> tuple[list[str], NDArray[np.int64]]:
    """Hospitals (those of the list, then others that occur, then none), and each case's row of hospital and insurance."""
    names = list(dict.fromkeys([*region.hospitals, *lines.state.hospital.values, ""]))
    place = {name: number for number, name in enumerate(names)}
    hospital = np.array([place[name] for name in lines.state.hospital.values] + [place[""]], np.int64)[lines.state.hospital.ids]
    insurance = np.where(lines.cases.insurance < 0, len(INSURANCES), lines.cases.insurance)
    return names, hospital * (len(INSURANCES) + 1) + insurance


def totals_of(ids: NDArray[Any], names: list[str], lines: Lines, parts: NDArray[np.int64]) -> Totals:
    """Sums by one dimension: the row of each case (-1: a row without a name, at the end), and the rows' names."""
    place = np.where(ids < 0, len(names), ids).astype(np.int64)
    sums = add_up(place, len(names) + 1, parts, lines.money, lines.marks, lines.weight, lines.state.days)
    rows = len(names) + bool((ids < 0).any())
    return Totals.of((*names, "")[:rows], *(column[:rows] for column in sums))
