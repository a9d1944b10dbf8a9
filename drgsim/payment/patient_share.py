"""The patient's part (个人支付): what the fund pays of an amount, and what is left to the patient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.money import MISSING, exact, round_floats, round_half_away
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy


def fund_payment(ledger: Ledger) -> NDArray[np.int64]:
    """What the fund pays: amount less the shares of patient and other funds, or the ratio variant; see ``PatientShare``."""
    spec, money = ledger.policy.file.patient_share, ledger.cases.money
    paid = ledger.amount != MISSING
    if spec.mode.value == "ratio":
        left = ledger.amount - known_fen(money["own_pay"]) - known_fen(money["pre_pay"]) - known_fen(money["deductible"])
        ratio = ledger.lookup.keyed(spec.benefit_ratio)
        result, close = round_floats(np.where(paid, left, 0) * ratio)
        for place in np.flatnonzero(close & paid):
            result[place] = round_half_away(exact(int(left[place])) * exact(float(ratio[place])))
        missing = paid & np.isnan(ratio)
        ledger.cases.warn("settle-missing-benefit-ratio", missing, "no benefit ratio is known; no fund payment is given")
        paid = paid & ~missing
    else:
        if "patient_paid" not in ledger.cases.present:
            ledger.cases.warn(
                "settle-no-patient-share", int(paid.sum()), "no column patient_paid: the fund is taken to pay the whole amount",
                "state patient_paid (yuan)",
            )  # fmt: skip
        else:
            blank = paid & (money["patient_paid"] == MISSING)
            ledger.cases.warn("settle-blank-patient-share", blank, "patient_paid is blank and counts as 0")
        result = ledger.amount - taken_off(ledger.cases)
    if spec.floor_at_zero.value:
        result = np.maximum(result, 0)
    result = np.where(ledger.is_class(CaseClass.SELF_PAY), 0, result)
    result = np.where(ledger.fixed_fund != MISSING, ledger.fixed_fund, result)
    return np.where(paid, result, MISSING)


def deduction_of(policy: Policy, cases: Cases) -> NDArray[np.int64] | None:
    """Fen that are taken off each amount whatever it is; None where the fund pays a share of the amount."""
    return taken_off(cases) if policy.file.patient_share.mode.value == "remainder" else None


@njit(cache=True, nogil=True)
def remainder(amount: Any, deduction: Any, floor: bool) -> Any:  # pragma: no cover - compiled
    """What the fund pays of one amount after a deduction, fen; not below 0 where the policy says so."""
    return max(amount - deduction, 0) if floor else amount - deduction


def taken_off(cases: Cases) -> NDArray[np.int64]:
    """Shares of the patient and of other funds, fen."""
    return known_fen(cases.money["patient_paid"]) + known_fen(cases.money["other_paid"])


def known_fen(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fen, 0 where missing."""
    return np.where(amounts == MISSING, 0, amounts)
