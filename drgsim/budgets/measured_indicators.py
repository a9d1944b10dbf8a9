"""Quality indicators that follow from settled cases: costs, stays, deaths, returns, high cases, own payment, coding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.analysis.metrics import risk_levels
from drgsim.budgets.case_bills import MICRO, micro, sound_cost
from drgsim.money import MISSING
from drgsim.payment.case_class import CaseClass
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.rules.readmission import stays_followed
from drgsim.payment.settlement import Settlement
from drgsim.region.hospital_year_sums import Floats, HospitalCells, Ints

DIED = 5


def measured(settlement: Settlement, cells: HospitalCells, readmission_days: int) -> dict[str, Floats]:
    """Indicators over all cases whose cost is known, self-payers included: quality does not ask who pays."""
    ledger, cases, column = settlement.ledger, settlement.ledger.cases, cells.year
    known = cells.inside & sound_cost(cases.money["total_cost"])
    codes = cases.unit.values
    grouped = known & np.array([*map(is_group, codes), False], np.bool_)[cases.unit.ids]
    cost, days = cases.money["total_cost"], cases.numbers["los_days"]
    stay = grouped & (days >= 0)
    died = cases.discharge_way == DIED
    group = np.where(grouped, cases.unit.ids, 0)
    count = np.bincount(group[grouped], minlength=max(len(codes), 1))
    deaths = np.bincount(group[grouped & died], minlength=max(len(codes), 1))
    low_risk = grouped & (risk_levels(deaths / np.maximum(count, 1)) == 0)[group]
    back = np.zeros(cases.size, np.bool_)
    back[stays_followed(cases, readmission_days)] = True
    paid = known & (ledger.amount != MISSING)
    own = cases.money["own_pay"]
    has_own = known & (own != MISSING) & (own >= 0) & (cost > 0)
    place = group * cells.years + column  # groups are compared within their year
    kinds = {
        "cost_index": (grouped, _over_mean(cost.astype(np.float64), place, grouped), None),
        "time_index": (stay, _over_mean(days, place, stay), None),
        "low_risk_mortality": (low_risk, died.astype(np.float64), None),
        "readmission": (known & (cases.patient.ids >= 0), back.astype(np.float64), None),
        "high_cost_share": (paid, ledger.is_class(CaseClass.HIGH).astype(np.float64), None),
        "own_pay_share": (has_own, own / MICRO, cost / MICRO),
        "coding": (known, grouped.astype(np.float64), None),
    }
    found = {}
    for name, (where, values, over) in kinds.items():
        total = cells.yearly(where, micro(values))
        base = cells.yearly(where, micro(np.ones(cases.size) if over is None else over))
        found[name] = np.where(base > 0, total / np.maximum(base, 1), np.nan)
    return found


def _over_mean(values: Floats, place: Ints, where: NDArray[np.bool_]) -> Floats:
    """Each value over the mean of its place."""
    total = np.bincount(place[where], values[where])
    count = np.bincount(place[where])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total / count)[np.where(where, place, 0)]
        return np.where(where & (mean > 0), values / mean, 0.0)
