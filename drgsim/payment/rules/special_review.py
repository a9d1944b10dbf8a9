"""Special review (特例单议): cases with a loss that a hospital puts forward, up to the quota of the pool's discharges."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from drgsim.language import text
from drgsim.money import MISSING, exact, round_half_away
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import before
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import BY_CURVE, Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.extreme_cap import rank_by_excess
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def review(ledger: Ledger) -> None:
    """Accept applications that cost more than they are paid, the largest excess over the standard first, up to the quota."""
    spec, cases = ledger.policy.file.special_review, ledger.cases
    applied = cases.flags["special_review"] & (cases.faults < 0)
    if spec is None or not applied.any():
        return
    start = max((day for day in (spec.quota.effective_from, spec.pays.effective_from) if day is not None), default=None)
    early = applied & before(cases, start)
    cases.warn(
        "settle-review-early",
        early,
        text("applied for special review, which began on {start}; paid as other cases", start=start),
    )
    applied &= ~early
    open_to_it = ledger.is_class(*BY_CURVE, CaseClass.EXEMPT) & (ledger.standard != MISSING)
    loss = open_to_it & (ledger.cost > ledger.amount + ledger.extra)  # what review pays instead would be no loss
    cases.warn(
        "settle-review-refused",
        applied & ~loss,
        text(
            "applied for special review, but are paid by another rule or cost no more than they are paid; paid as other cases"
        ),
    )
    applied &= loss
    pool = int(ledger.discharges((cases.faults < 0) & ~ledger.is_class(CaseClass.SELF_PAY)))
    quota = int(exact(spec.quota.value) * pool)
    accepted = np.zeros(cases.size, np.bool_)
    accepted[rank_by_excess(ledger, np.flatnonzero(applied), quota)] = True
    cases.warn(
        "settle-review-quota",
        applied & ~accepted,
        text("special review beyond the quota of {quota} of {pool} discharges", quota=quota, pool=pool),
    )
    if spec.pays.value == "by_item" or spec.adjusted_factor is None:
        ledger.decide(accepted, CaseClass.SPECIAL_REVIEW, text("special review: paid by item (the actual cost)"))
        ledger.pay_yuan(accepted, ledger.cost)
    else:
        factor = exact(spec.adjusted_factor.value)
        ledger.decide(accepted, CaseClass.SPECIAL_REVIEW, text("special review: standard x {factor:g}", factor=float(factor)))
        amounts = np.zeros(cases.size, np.int64)
        for place in np.flatnonzero(accepted):
            amounts[place] = round_half_away(Fraction(int(ledger.standard[place])) * factor)
        ledger.pay_yuan(accepted, amounts)


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Who is within the quota depends on the other applications."""
    applied = policy.file.special_review is not None and cases.flags["special_review"].any()
    return Repricing.REFUSED if applied else Repricing.KEPT


RULE = Rule(
    "special_review", "special review", "特例单议", Stage.AFTER_CURVE, review, reads=("special_review",),
    columns=("special_review", "discharged"), classes=(CaseClass.SPECIAL_REVIEW,), repricing=_repricing,
)  # fmt: skip
