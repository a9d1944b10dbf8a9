"""What each settled case brings to the figures of its hospital: unit of payment, bill, what the fund owes and spent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.terms import BudgetTerms
from drgsim.money import MISSING
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.settlement import Settlement
from drgsim.records.vocabulary import INSURANCES
from drgsim.region.hospital_year_sums import MONTHS, Floats, HospitalCells, Ints

UNITS = ("drg", "dip", "per_diem", "single_disease", "capitation", "by_item", "outpatient")
UNITS_ZH = {
    "drg": "按DRG", "dip": "按DIP", "per_diem": "按床日", "single_disease": "单病种", "capitation": "按人头",
    "by_item": "按项目", "outpatient": "门诊",
}  # fmt: skip
MICRO = 1_000_000
_BY_ITEM = (CaseClass.BY_ITEM, CaseClass.AMBIGUOUS, CaseClass.UNGROUPED, CaseClass.OVER_60_DAYS)


@dataclass(frozen=True)
class CaseBills:
    """What N cases bring to the figures of their hospitals; fen.

    Attributes
    ----------
    insured, paid, chronic
        Insured cases with a known cost, those of them that have a payment, and stays that the terms' capitation covers.
    cost, patient, owed, spent
        Total cost, the patient's part, what the fund owes, and what counts as spent.
    others
        What patients and other funds pay of the bill by item.
    payer
        Payer of each case, as place in :data:`INSURANCES`.
    weight, unit
        Relative weight (1 = the mean case), and unit of payment as place in :data:`UNITS`.
    """

    insured: NDArray[np.bool_]
    paid: NDArray[np.bool_]
    chronic: NDArray[np.bool_]
    cost: Ints
    patient: Ints
    owed: Ints
    spent: Ints
    others: Ints
    weight: Floats
    unit: Ints
    payer: NDArray[np.int8]

    def of_payer(self, payer: str) -> CaseBills:
        """The same with the cases of one payer alone; a case that states none counts with the residents."""
        mine = self.payer == INSURANCES.index("employee")
        mine = mine if payer == "employee" else ~mine
        return replace(self, insured=self.insured & mine, paid=self.paid & mine)

    def sums(self, cells: HospitalCells, terms: BudgetTerms) -> dict[str, Any]:
        """Figure of :class:`HospitalFigures` -> (H, Y, ...) sums."""
        weighted = self.insured & (self.weight > 0)
        light = weighted & (self.weight <= terms.file.measure.low_weight.value)
        return {
            "payment": cells.by_unit(self.paid, self.owed, self.unit, len(UNITS)),
            "capitated": cells.by_unit(self.paid & self.chronic, self.owed, self.unit, len(UNITS)),
            "spending": cells.monthly(self.insured, self.spent),
            "bills": cells.monthly(self.insured, self.cost), "others": cells.monthly(self.insured, self.others),
            "cost": cells.yearly(self.insured, self.cost), "patient": cells.yearly(self.insured, self.patient),
            "cases": cells.yearly(self.insured), "weighted": cells.yearly(weighted),
            "low_weight": cells.yearly(light, self.spent), "unpaid": cells.yearly(self.insured & ~self.paid),
            "weight": cells.yearly(weighted, micro(self.weight)) / MICRO,
        }  # fmt: skip


def bills_of(settlement: Settlement, terms: BudgetTerms) -> CaseBills:
    """What settled cases bring to the figures."""
    ledger, cases = settlement.ledger, settlement.ledger.cases
    cost, patient = cases.money["total_cost"], cases.money["patient_paid"]
    insured = sound_cost(cost) & (cases.insurance != INSURANCES.index("self"))
    paid = insured & (settlement.fund_payment != MISSING)
    owed = np.where(paid, settlement.fund_payment, 0)
    item = by_item(cases)
    spent = item if terms.file.measure.spending.value == "by_item" else owed
    weight = ledger.terms.relative_value / ledger.policy.file.relative_value.scale.value
    chronic = chronic_stays(cases, terms)
    units, others = units_of(settlement), np.where(insured, cost - item, 0)
    return CaseBills(insured, paid, chronic, cost, zero(patient), owed, spent, others, weight, units, cases.insurance)


def sound_cost(cost: Ints) -> NDArray[np.bool_]:
    """(N,) whether a cost is known and not below 0."""
    return np.asarray((cost != MISSING) & (cost >= 0))


def month_of(cases: Cases) -> Ints:
    """(N,) month of discharge from 0 on; 0 without a date."""
    return periods_of(cases.discharged, "M") % MONTHS


def units_of(settlement: Settlement) -> Ints:
    """(N,) unit of payment of each case, as place in :data:`UNITS`."""
    ledger = settlement.ledger
    unit = np.full(ledger.cases.size, UNITS.index("dip" if ledger.policy.file.method == "dip" else "drg"))
    unit[ledger.is_class(*_BY_ITEM)] = UNITS.index("by_item")
    unit[ledger.is_class(CaseClass.PER_DIEM)] = UNITS.index("per_diem")
    unit[ledger.is_class(CaseClass.FIXED)] = UNITS.index("single_disease")
    return unit


def chronic_stays(cases: Cases, terms: BudgetTerms) -> NDArray[np.bool_]:
    """(N,) stays in the groups whose patients the terms' capitation would pay for."""
    starts = tuple(start for groups in terms.file.capitation.groups.values() for start in groups)
    return np.array([code.startswith(starts) for code in cases.unit.values] + [False], np.bool_)[cases.unit.ids]


def by_item(cases: Cases) -> Ints:
    """What the fund pays of each bill by item, fen: cost less the parts of patients and other funds; 0 for self-payers."""
    cost, patient = cases.money["total_cost"], cases.money["patient_paid"]
    insured = sound_cost(cost) & (cases.insurance != INSURANCES.index("self"))
    insured &= (patient >= 0) | (patient == MISSING)
    left = np.where(insured, cost - zero(patient) - zero(cases.money["other_paid"]), 0)
    return np.maximum(left, 0)


def zero(amounts: Ints) -> Ints:
    return np.where(amounts == MISSING, 0, amounts)


def micro(values: Floats) -> Ints:
    """Millionths: sums of integers do not depend on the order of the cases."""
    return np.rint(np.nan_to_num(values) * MICRO).astype(np.int64)
