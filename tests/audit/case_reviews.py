"""What stands beside the curve: exempt payment, the cap on high cases, special review; and who pays the amount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.audit.audited_case import Paid
from tests.audit.plain_numbers import day, number
from tests.audit.policy_text import PolicyText


def pay_exempt(policy: PolicyText, cases: Sequence[Paid]) -> None:
    """New technology (4.3): total above m x the mean and item above s of the total, both exclusive; pays the standard
    and what the item costs above the group's mean of its class.
    """
    if not policy.at("exempt"):
        return
    multiple, share = policy.must("exempt.total_multiple"), policy.must("exempt.cost_share")
    begins = day(policy.value("exempt.valid_from"))
    for case in cases:
        cost, mean = number(case.row.get("exempt_cost")), number(case.row.get("exempt_mean_cost"))
        if cost is None or mean is None or case.standard is None or case.cost is None or case.reference is None:
            continue
        early = begins and case.discharged and case.discharged < begins
        if not early and cost <= case.cost and case.cost > multiple * case.reference and cost > share * case.cost:
            case.beside = cost - mean
            case.pay_standard("exempt")


def cap_high_cases(policy: PolicyText, cases: Sequence[Paid]) -> None:
    """High cases beyond a share of a hospital's discharges, the largest excess first, are paid the standard (1.7)."""
    share = policy.fraction("extreme_cap")
    if share is None:
        return
    by_hospital: dict[str, list[Paid]] = defaultdict(list)
    for case in cases:
        by_hospital[case.stay.hospital].append(case)
    for own in by_hospital.values():
        high = [case for case in own if case.case_class == "high" and case.standard is not None]
        high.sort(key=lambda case: case.by_excess)
        most = share * sum(case.case_class != "unpaid" for case in own)
        for case in high[most.numerator // most.denominator :]:
            case.pay_standard("high")


def pay_reviewed(policy: PolicyText, cases: Sequence[Paid]) -> None:
    """Cases put forward for single review: those with a loss, the largest excess over the standard first, get their bill,
    at most the quota of the pool's discharges (rule book 5); never before the rule's date.
    """
    quota = policy.fraction("special_review.quota")
    begins = day(policy.at("special_review.quota.effective_from"))
    if quota is None:
        return
    assert policy.value("special_review.pays") == "by_item"
    most = quota * sum(case.case_class != "unpaid" and case.payer != "self" for case in cases)
    put = []
    for case in cases:
        early = begins and case.discharged and case.discharged < begins
        open_to_it = case.case_class in ("normal", "high", "low", "incomplete", "exempt") and not early
        if open_to_it and case.stay.marked("special_review") and case.stay.cost_fen > (case.amount or 0):
            put.append(case)
    put.sort(key=lambda case: case.by_excess)
    for case in put[: most.numerator // most.denominator]:
        case.pays("special_review", case.cost)
        case.beside = Fraction(0)


def divide_payers(policy: PolicyText, cases: Sequence[Paid]) -> None:
    """Amount less patient and other funds (1.6, 2.2, 3.7); below 0 over hospital, payer and year, the hospital keeps what
    patients paid. Of a single disease the fund's amount is fixed, and so is what the patient pays (4.5).
    """
    periods: dict[Any, list[Paid]] = defaultdict(list)
    net = policy.value("patient_share.net") or "hospital_year"
    for place, case in enumerate(cases):
        if case.amount is None:
            continue
        case.fund, case.above = case.amount - case.stay.others, 0
        if case.case_class == "self_pay":  # the bill is the patient's
            case.fund = 0
            continue
        if case.fixed_fund is not None:
            case.fund = case.fixed_fund
        when = case.discharged
        period: Any = place
        if net != "case":
            months = when.month if when and net == "hospital_month" else 0
            period = (case.stay.hospital, case.payer, when.year if when else 0, months)
        periods[period].append(case)
    for own in periods.values():
        if sum(case.fund or 0 for case in own) < 0 and policy.says("patient_share.floor_at_zero"):
            for case in own:  # the fund pays nothing for any of them
                case.fund, case.above = 0, case.fund
