"""Who gains and who loses, and why: the margin of each hospital taken apart into prices and own costs.

margin = (payment - usual cost) + (usual cost - own cost), where the usual cost of a hospital is what its cases would cost at
the mean cost of their groups over all hospitals. The first part follows from the prices of the groups that it treats, its
coefficient and its high and low cases; the second from costing more or less than others in the same groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.money import MISSING, allocate, money_column
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.settlement import Settlement
from drgsim.records.vocabulary import INSURANCES

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class HospitalBalance:
    """Sums by hospital over the cases that are paid, in fen, by id of the hospital; H hospitals.

    Attributes
    ----------
    hospitals
        Ids, in order.
    cases, cost, payment, margin
        (H,) paid cases, their bills, what hospitals have of them, and the difference.
    usual
        (H,) what the cases would cost at the mean cost of their groups; cases without a group at their own.
    """

    hospitals: tuple[str, ...]
    cases: Ints
    cost: Ints
    payment: Ints
    usual: Ints

    @property
    def margin(self) -> Ints:
        """(H,) payment less cost."""
        return self.payment - self.cost

    @property
    def of_prices(self) -> Ints:
        """(H,) payment less usual cost."""
        return self.payment - self.usual

    @property
    def of_costs(self) -> Ints:
        """(H,) usual cost less own cost."""
        return self.usual - self.cost

    @property
    def table(self) -> pa.Table:
        """Columns ``hospital``, ``cases``, ``cost``, ``payment``, ``margin``, ``margin_share`` (of the cost), ``of_prices``,
        ``of_costs`` (yuan)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(self.cost > 0, self.margin / self.cost, np.nan)
        return pa.table({
            "hospital": pa.array(self.hospitals, pa.string()), "cases": self.cases, "cost": money_column(self.cost),
            "payment": money_column(self.payment), "margin": money_column(self.margin),
            "margin_share": pa.array(np.round(share, 6), from_pandas=True), "of_prices": money_column(self.of_prices),
            "of_costs": money_column(self.of_costs),
        })  # fmt: skip


def hospital_balance(settlement: Settlement) -> HospitalBalance:
    """Take the margins of all hospitals apart; over all hospitals usual and own costs are the same, to the fen."""
    cases = settlement.ledger.cases
    cost, revenue = cases.money["total_cost"], settlement.revenue
    paid = (settlement.amount != MISSING) & (cost != MISSING)
    order = sorted(range(len(cases.hospital.values)), key=cases.hospital.values.__getitem__)
    rank = np.empty(len(order) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(order)), len(order)
    hospital = rank[cases.hospital.ids]
    size = len(order) + 1  # the last is of cases without a hospital

    def by_hospital(amounts: Ints) -> Ints:
        found = np.zeros(size, np.int64)
        np.add.at(found, hospital[paid], amounts[paid])
        return found

    own = by_hospital(cost)
    usual = by_hospital_usual(cost, paid, hospital, cases.unit.ids, cases.unit.values, size)
    whole = int(own.sum())
    shared = allocate(whole, usual) if whole > 0 and usual.max() > 0 else own
    count = np.bincount(hospital[paid], minlength=size).astype(np.int64)
    kept = np.flatnonzero(np.bincount(hospital, minlength=size))
    names = (*(cases.hospital.values[place] for place in order), "")
    return HospitalBalance(
        tuple(names[place] for place in kept.tolist()), count[kept], own[kept], by_hospital(revenue)[kept], shared[kept]
    )


def by_hospital_usual(
    cost: Ints, paid: NDArray[np.bool_], hospital: Ints, unit: NDArray[np.integer], units: list[str], size: int
) -> NDArray[np.float64]:
    """(H,) fen that the paid cases would cost at the mean of their groups; those without a group count as they are."""
    real = np.append(np.array([is_group(code) for code in units], np.bool_), False)[unit]
    grouped, bare = paid & real, paid & ~real
    total = np.zeros(len(units), np.int64)
    np.add.at(total, unit[grouped], cost[grouped])
    number = np.bincount(unit[grouped], minlength=len(units))
    cells = np.bincount(unit[grouped].astype(np.int64) * size + hospital[grouped], minlength=len(units) * size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, total / number, 0.0)
    usual = (cells.reshape(len(units), size) * mean[:, None]).sum(axis=0) if units else np.zeros(size)
    return np.asarray(usual + np.bincount(hospital[bare], cost[bare].astype(np.float64), minlength=size))


def unit_value_table(settlement: Settlement) -> pa.Table:
    """Unit values at work: one row for each payer and level of hospital, in order.

    Columns: ``insurance``, ``level`` (blank where unknown), ``cases`` whose amount follows from a unit value, ``units`` of
    relative value paid to them (with coefficients), ``payment`` (yuan), ``least`` and ``most`` (yuan per unit; they differ
    where a policy publishes prices by group), ``paid_per_unit`` (yuan: payment over units, rounded to the fen).
    """
    ledger, cases = settlement.ledger, settlement.ledger.cases
    value, units = ledger.terms.unit_value, ledger.units
    there = np.flatnonzero((settlement.amount != MISSING) & ~np.isnan(value) & ~np.isnan(units))
    level, levels = cases.plain_levels
    payers = (*INSURANCES, "")
    cell = (cases.insurance[there] % len(payers)).astype(np.int64) * len(levels) + level[there]
    cells, place = np.unique(cell, return_inverse=True)
    payment, least, most = np.zeros(cells.size, np.int64), np.full(cells.size, np.inf), np.full(cells.size, -np.inf)
    np.add.at(payment, place, settlement.amount[there])
    np.minimum.at(least, place, value[there])
    np.maximum.at(most, place, value[there])
    total = np.round(np.bincount(place, units[there], minlength=cells.size), 6)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_unit = np.round(np.where(total > 0, payment / 100 / total, np.nan), 2)
    return pa.table({
        "insurance": pa.array([payers[row // len(levels)] for row in cells.tolist()], pa.string()),
        "level": pa.array([levels[row % len(levels)] for row in cells.tolist()], pa.string()),
        "cases": np.bincount(place, minlength=cells.size).astype(np.int64), "units": total, "payment": money_column(payment),
        "least": np.round(least, 6), "most": np.round(most, 6), "paid_per_unit": pa.array(per_unit, from_pandas=True),
    })  # fmt: skip
