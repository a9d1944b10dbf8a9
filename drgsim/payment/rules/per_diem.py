"""Payment per bed day (按床日): days within the yearly cap x rate; short acute stays are paid by item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, product_fen, round_floats
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage

_PER = {"patient": text("patient"), "hospital": text("hospital")}


def settle_per_diem(ledger: Ledger) -> None:
    """Pay stays that are marked, whose class is paid per day, or all of them where that is the policy's method."""
    spec, cases = ledger.policy.file.per_diem, ledger.cases
    members = ledger.open_cases & (cases.flags["per_diem"] | (ledger.policy.file.method == "per_diem"))
    if not members.any():
        return
    days = cases.numbers["los_days"]
    if spec is not None and spec.acute_days is not None:
        acute = members & (days <= spec.acute_days.value)
        if not ledger.as_if_paid:  # else the shadow settlement, in which groups pay them
            ledger.simulated = ledger.simulated | acute
            rule = text("acute stay of at most {days} days: group simulated, paid by item", days=spec.acute_days.value)
            ledger.decide(acute, CaseClass.BY_ITEM, rule)
            ledger.pay_yuan(acute, ledger.cost)
        members = members & ~acute
    rate = cases.numbers["per_diem_rate"]
    if spec is not None and spec.rate is not None:
        rate = np.where(np.isnan(rate), ledger.lookup.keyed(spec.rate), rate)
    cases.fault(
        "settle-missing-per-diem-rate",
        members & np.isnan(rate),
        text("the stay is paid per day, but no rate per day is known"),
        text("set per_diem.rate in the policy, or state per_diem_rate"),
    )
    cases.fault(
        "settle-missing-days",
        members & ~(days >= 0),
        text("the stay is paid per day, but los_days is missing"),
        text("state los_days"),
    )
    members &= ledger.open_cases
    paid_days = np.where(members, days, 0.0)
    rule = text("per day: days x rate")
    if spec is not None and spec.day_cap is not None:
        paid_days = _capped(ledger, members, paid_days, spec.day_cap.value, spec.day_cap_per)
        rule = text(
            "per day: days x rate, at most {cap} days a year per {per}",
            cap=spec.day_cap.value,
            per=_PER[spec.day_cap_per],
        )
    ledger.decide(members, CaseClass.PER_DIEM, rule)
    if spec is not None and spec.rate_unit == "point":
        ledger.units[members] = (paid_days * rate)[members]
        ledger.in_yuan[members] = False
        amounts, _ = round_floats(ledger.units * ledger.terms.unit_value * FEN_PER_YUAN)
        ledger.amount[members] = amounts[members]
    else:
        ledger.pay_yuan(members, product_fen(paid_days, rate))


def _capped(ledger: Ledger, members: Mask, days: NDArray[np.float64], cap: int, per: str) -> NDArray[np.float64]:
    """Days that the cap leaves, served in the order of discharge within a year."""
    cases = ledger.cases
    owner = cases.patient.ids if per == "patient" else cases.hospital.ids
    places = np.flatnonzero(members)
    owner_of = owner[places].astype(np.int64)
    owner_of = np.where(owner_of < 0, np.int64(1 << 32) + places, owner_of)  # unknown owners share no cap
    when = cases.discharged[places]
    years = periods_of(when, "Y")
    ids = np.array(cases.ids.take(places).to_pylist()).astype(str)
    order = np.lexsort((ids, when, years, owner_of))
    running = np.cumsum(days[places][order])
    start = np.r_[True, (np.diff(owner_of[order]) != 0) | (np.diff(years[order]) != 0)]
    base = np.maximum.accumulate(np.where(start, np.r_[0.0, running[:-1]], 0.0))
    used_before = np.r_[0.0, running[:-1]] - base
    result = days.copy()
    result[places[order]] = np.clip(cap - used_before, 0.0, days[places][order])
    return result


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Points per day are worth more or less as the unit value moves, and so is the shadow settlement of acute stays."""
    spec = policy.file.per_diem
    moves = spec is not None and (spec.rate_unit == "point" or spec.acute_days is not None)
    return Repricing.REFUSED if moves else Repricing.KEPT


RULE = Rule(
    "per_diem", "payment per bed day", "按床日付费", Stage.BEFORE_CURVE, settle_per_diem, reads=("method", "per_diem"),
    columns=("per_diem", "per_diem_rate", "los_days", "patient_id", "discharged"),
    classes=(CaseClass.PER_DIEM, CaseClass.BY_ITEM), repricing=_repricing,
)  # fmt: skip
