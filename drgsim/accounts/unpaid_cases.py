"""Why cases have no amount, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from drgsim.accounts.settled_cases import Mask, SettledCases


class UnpaidReason(NamedTuple):
    """One reason: how many cases it keeps from payment, in words, the next step, and its code."""

    cases: int
    what: str
    fix: str
    code: str


def unpaid_reasons(cases: SettledCases, own: Mask) -> list[UnpaidReason]:
    """Reasons of the unpaid ones among some cases, the most frequent first; of each case the first that was found."""
    read = cases.settlement.ledger.cases
    faults = [problem for problem in cases.settlement.problems if problem.why]
    found = []
    for number, words in enumerate(read.fault_words):
        count = int((own & (read.faults == number)).sum())
        if count:
            problem = next((problem for problem in faults if problem.what.endswith(words)), None)
            fix, code = (problem.fix, problem.code) if problem is not None else ("", "")
            found.append(UnpaidReason(count, words, fix, code))
    return sorted(found, key=lambda reason: -reason.cases)
