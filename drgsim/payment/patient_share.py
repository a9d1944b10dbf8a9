"""The patient's part (个人支付): what the fund pays of an amount, and what is left to the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import MISSING, exact, round_floats, round_half_away
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import INSURANCES

MOST_PERIODS = 1200  # months of a century


@dataclass(frozen=True)
class Netting:
    """Over which cases a fund's part below 0 is made up by other cases before it is cut off at 0.

    Attributes
    ----------
    level
        ``none`` (a part below 0 stays), ``case``, or ``cells``.
    cell
        (N,) cell of each case: its hospital, payer and period; empty where cases do not net.
    cells
        Number of cells.
    """

    level: Literal["none", "case", "cells"]
    cell: NDArray[np.int32]
    cells: int

    @classmethod
    def of(cls, policy: Policy, cases: Cases) -> Netting:
        """As the policy says; discharges without a date or a hospital net among themselves."""
        spec = policy.file.patient_share
        if not spec.floor_at_zero.value:
            return cls("none", np.zeros(0, np.int32), 0)
        if spec.netting == "case":
            return cls("case", np.zeros(0, np.int32), 0)
        dated = cases.discharged != MISSING
        period = periods_of(cases.discharged, "Y" if spec.netting == "hospital_year" else "M")
        first, last = (int(period[dated].min()), int(period[dated].max())) if dated.any() else (0, 0)
        place, periods = np.where(dated, period - first + 1, 0), last - first + 2
        if periods > MOST_PERIODS:  # dates that no region has: number the periods that occur
            known, place = np.unique(place, return_inverse=True)
            periods = known.size
        payers, hospital = len(INSURANCES) + 1, cases.hospital.ids.astype(np.int64) + 1
        cell = (hospital * payers + cases.insurance + 1) * periods + place
        return cls("cells", cell.astype(np.int32), (len(cases.hospital.values) + 1) * payers * periods)

    def net(self, parts: NDArray[np.int64], weight: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """What the fund pays of each case whose amount leaves it ``parts`` (fen, ``money.MISSING`` where unpaid).

        A cell whose cases come to less than 0, each as often as its ``weight`` says, gets nothing for any of them.
        """
        if self.level == "none":
            return parts
        paid = parts != MISSING
        if self.level == "case":
            return np.where(paid, np.maximum(parts, 0), MISSING)
        counted = known_fen(parts) if weight is None else known_fen(parts) * weight
        below = np.bincount(self.cell, counted, self.cells) < 0
        return np.where(paid & below[self.cell], 0, parts) if below.any() else parts


@dataclass(frozen=True)
class PaidParts:
    """Who pays the amounts of cases; fen, ``money.MISSING`` where a case is unpaid.

    ``amount = fund + patient + other + above_standard`` for every case.

    Attributes
    ----------
    fund
        What the fund pays after netting; below 0 where a case takes from what its hospital's other cases are owed.
    before_netting
        What the amount leaves to the fund, case by case.
    patient, other
        The parts of the patient and of other funds.
    above_standard
        What these parts leave of the amount: below 0 by what patients and other funds paid above it and no other case of the
        hospital makes up. The hospital has received it: its revenue is the amount less this figure.
    """

    netting: Netting
    fund: NDArray[np.int64]
    before_netting: NDArray[np.int64]
    patient: NDArray[np.int64]
    other: NDArray[np.int64]
    above_standard: NDArray[np.int64]


def paid_parts(ledger: Ledger) -> PaidParts:
    """Divide amounts among the fund, patients and other funds; see ``policy_model.PatientShare``."""
    spec, money, amount = ledger.policy.file.patient_share, ledger.cases.money, ledger.amount
    paid, other = amount != MISSING, known_fen(money["other_paid"])
    netting = Netting.of(ledger.policy, ledger.cases)
    by_ratio = spec.mode.value == "ratio"
    if by_ratio:
        left, paid = _of_ratio(ledger)
        left = np.maximum(left, 0) if spec.floor_at_zero.value else left  # a share of nothing; no other case pays for it
    else:
        _tell_unknown_patients(ledger, paid)
        left = amount - taken_off(ledger.cases)
    self_pay, fixed = ledger.is_class(CaseClass.SELF_PAY), ledger.fixed_fund != MISSING
    left = np.where(fixed, ledger.fixed_fund, np.where(self_pay, 0, left))
    left = np.where(paid, left, MISSING)
    fund = netting.net(left, ledger.weight)
    rest = by_ratio | self_pay | fixed  # whatever the fund does not pay of the amount is theirs
    patient = np.where(rest & paid, np.maximum(amount - left - other, 0), money["patient_paid"])
    above = np.where(paid, amount - fund - known_fen(patient) - other, MISSING)
    return PaidParts(netting, fund, left, patient, other, above)


def _tell_unknown_patients(ledger: Ledger, paid: NDArray[np.bool_]) -> None:
    if "patient_paid" not in ledger.cases.present:
        ledger.cases.warn(
            "settle-no-patient-share",
            int(paid.sum()),
            text("no column patient_paid: the fund is taken to pay the whole amount"),
            text("state patient_paid (yuan)"),
        )
    else:
        blank = paid & (ledger.cases.money["patient_paid"] == MISSING)
        ledger.cases.warn("settle-blank-patient-share", blank, text("patient_paid is blank and counts as 0"))


def _of_ratio(ledger: Ledger) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The fund's ratio of what own pay, pre-pay and deductible leave of each amount, and which cases have one."""
    money, paid = ledger.cases.money, ledger.amount != MISSING
    left = ledger.amount - known_fen(money["own_pay"]) - known_fen(money["pre_pay"]) - known_fen(money["deductible"])
    ratio = ledger.lookup.keyed(ledger.policy.file.patient_share.benefit_ratio)
    result, close = round_floats(np.where(paid, left, 0) * ratio)
    for place in np.flatnonzero(close & paid):
        result[place] = round_half_away(exact(int(left[place])) * exact(float(ratio[place])))
    missing = paid & np.isnan(ratio)
    ledger.cases.warn("settle-missing-benefit-ratio", missing, text("no benefit ratio is known; no fund payment is given"))
    return result, paid & ~missing


def deduction_of(policy: Policy, cases: Cases) -> NDArray[np.int64] | None:
    """Fen that are taken off each amount whatever it is; None where the fund pays a share of the amount."""
    return taken_off(cases) if policy.file.patient_share.mode.value == "remainder" else None


def taken_off(cases: Cases) -> NDArray[np.int64]:
    """Shares of the patient and of other funds, fen."""
    return known_fen(cases.money["patient_paid"]) + known_fen(cases.money["other_paid"])


def known_fen(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fen, 0 where missing."""
    return np.where(amounts == MISSING, 0, amounts)
