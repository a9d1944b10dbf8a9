"""Why cases of a hospital have no amount, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from drgsim.accounts.hospital_sums import HospitalCases


class UnpaidReason(NamedTuple):
    """One reason: how many cases it keeps from payment, in words, and the next step."""

    cases: int
    what: str
    fix: str


def unpaid_reasons(hospital: HospitalCases) -> list[UnpaidReason]:
    """Reasons of a hospital's unpaid cases, the most frequent first; of each case the first that was found."""
    read = hospital.cases.settlement.ledger.cases
    faults = [problem for problem in hospital.cases.settlement.problems if problem.why]
    found = []
    for number, words in enumerate(read.fault_words):
        count = int((hospital.own & (read.faults == number)).sum())
        if count:
            fix = next((problem.fix for problem in faults if problem.what.endswith(words)), "")
            found.append(UnpaidReason(count, words, fix))
    return sorted(found, key=lambda reason: -reason.cases)
