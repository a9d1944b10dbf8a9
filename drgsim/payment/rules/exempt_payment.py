"""Exempt payment (除外支付) of new drugs and technology beside the group."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, MISSING, exact, to_fen
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import after, before
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def exempt(ledger: Ledger) -> None:
    """Exempt payment (除外支付): standard + actual cost of the exempt items - the group's mean cost of their class.

    A case qualifies when total > multiple x mean cost and exempt / total > share, both exclusive, within the validity dates.
    """
    spec, cases = ledger.policy.file.exempt, ledger.cases
    cost, item = ledger.cost, cases.money["exempt_cost"]
    if spec is None or not has_items(cases).any():
        return
    candidates = has_items(cases) & (cases.faults < 0) & (ledger.standard != MISSING)
    candidates &= ledger.is_class(CaseClass.NORMAL, CaseClass.HIGH, CaseClass.LOW)
    above = candidates & (item > cost)
    cases.warn(
        "settle-exempt-above-total",
        above,
        text("exempt_cost is above total_cost, of which it is a part; paid as ordinary cases"),
        text("correct the costs in the source"),
    )
    candidates &= ~above
    candidates &= _valid(ledger, candidates)
    mean = cases.money["exempt_mean_cost"].copy()
    for name in cases.exempt_class.values:
        column = f"mean_{name}"
        if ledger.policy.prices is not None and column in ledger.policy.prices.numbers:
            values = to_fen(np.append(ledger.policy.prices.numbers[column], np.nan))[ledger.terms.place]
            of_class = cases.exempt_class.ids == cases.exempt_class.values.index(name)
            mean = np.where((mean == MISSING) & of_class, values, mean)
    unknown = candidates & (mean == MISSING)
    cases.warn(
        "settle-exempt-mean",
        unknown,
        text("exempt items, but no mean cost of their class in the group; paid as an ordinary case"),
        text("state exempt_mean_cost (yuan)"),
    )
    multiple, share = exact(spec.total_multiple.value), exact(spec.cost_share.value)
    qualified = np.zeros(cases.size, np.bool_)
    for place in np.flatnonzero(candidates & ~unknown).tolist():
        exact_values = ledger.terms.exact_values(place, exact(ledger.policy.file.relative_value.scale.value))
        group_mean = exact_values["mean"] or Fraction(0)
        total = Fraction(int(cost[place]))
        if total > multiple * group_mean * FEN_PER_YUAN and Fraction(int(item[place])) > share * total:
            qualified[place] = True
    ledger.decide(
        qualified,
        CaseClass.EXEMPT,
        text(
            "exempt payment: total > {multiple:g} x mean and exempt share > {share:.0%}: "
            "standard + exempt cost - mean cost of its class",
            multiple=spec.total_multiple.value,
            share=spec.cost_share.value,
        ),
    )
    ledger.pay_standard(qualified)
    ledger.extra[qualified] = (item - mean)[qualified]


def _valid(ledger: Ledger, candidates: Mask) -> Mask:
    """Where the exempt item is on the list on the day of discharge; without a list only the policy's dates count."""
    spec, cases = ledger.policy.file.exempt, ledger.cases
    assert spec is not None
    day = cases.discharged
    entries = ledger.policy.exempt_list
    starts = [spec.total_multiple.effective_from, spec.valid_from.value if spec.valid_from is not None else None]
    start = max((entry for entry in starts if entry is not None), default=None)
    end = spec.valid_to.value if spec.valid_to is not None else None
    valid = ~before(cases, start) & ~after(cases, end)
    if entries is not None:
        dates = [entries.get(code) for code in cases.exempt_code.values]
        first = np.array([2**40 if entry is None else entry[0] for entry in dates] + [2**40])[cases.exempt_code.ids]
        last = np.array([-(2**40) if entry is None else entry[1] for entry in dates] + [-(2**40)])[cases.exempt_code.ids]
        valid &= (day >= first) & (day <= last)
    if start is not None or end is not None or entries is not None:
        undated = candidates & (day == MISSING)
        cases.warn(
            "settle-exempt-no-date",
            undated,
            text(
                "exempt items without a date of discharge: whether they were on the list is not known; paid as ordinary cases"
            ),
            text("state discharged"),
        )
        valid &= day != MISSING
    cases.warn(
        "settle-exempt-dates", candidates & ~valid & (day != MISSING),
        text("exempt items that were not on the list on the day of discharge; paid as ordinary cases"),
        sample=cases.exempt_code.sample(candidates & ~valid),
    )  # fmt: skip
    return np.asarray(valid)


def has_items(cases: Cases) -> Mask:
    """Where a case has exempt items."""
    item = cases.money["exempt_cost"]
    return np.asarray((item != MISSING) & (item > 0))


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Whether a case qualifies may depend on its price; without items, or any mean cost of their class, none ever does."""
    if policy.file.exempt is None or not has_items(cases).any():
        return Repricing.KEPT
    of_group = policy.prices is not None and any(f"mean_{name}" in policy.prices.numbers for name in cases.exempt_class.values)
    return Repricing.AGAIN if of_group or (cases.money["exempt_mean_cost"] != MISSING).any() else Repricing.KEPT


RULE = Rule(
    "exempt_payment", "exempt payment", "除外支付", Stage.AFTER_CURVE, exempt, reads=("exempt",),
    columns=("exempt_cost", "exempt_class", "exempt_code", "exempt_mean_cost", "discharged"), classes=(CaseClass.EXEMPT,),
    repricing=_repricing,
)  # fmt: skip
