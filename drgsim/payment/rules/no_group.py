"""Cases without a group (未入组) and of ambiguous groups (歧义组): paid as the policy says, or not at all."""

from __future__ import annotations

import numpy as np

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.case_terms import valued_by_policy
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept

UNGROUPED_CODES = ("", "0000")
AMBIGUOUS_ENDING = "QY"
_WORDS = {"by_item": text("by item (the actual cost)"), "standard": text("the standard whatever the cost")}


def is_group(code: str) -> bool:
    """Whether a code is a group, and not a word for none or for an ambiguous one."""
    return code not in UNGROUPED_CODES and not code.endswith(AMBIGUOUS_ENDING)


def settle_without_group(ledger: Ledger) -> None:
    """Pay cases whose code is no group as the policy says, whatever value the cases state for themselves.

    Where the policy itself has a value for the code, or its class takes one from the cases, the code is a group like any other.
    """
    cases, file = ledger.cases, ledger.policy.file
    if not file.by_groups:
        return
    codes = cases.unit.values
    blank = np.array([code in UNGROUPED_CODES for code in codes] + [True])[cases.unit.ids]
    ambiguous = np.array([code.endswith(AMBIGUOUS_ENDING) for code in codes] + [False])[cases.unit.ids]
    if not (blank | ambiguous).any():
        return
    priced = valued_by_policy(ledger.lookup)
    for where, case_class, spec, words in (
        (blank & ~priced, CaseClass.UNGROUPED, file.ungrouped, text("no group")),
        (ambiguous & ~priced, CaseClass.AMBIGUOUS, file.ambiguous, text("ambiguous group")),
    ):
        rest = ledger.open_cases & where
        if spec is None:
            cases.fault(
                f"settle-{case_class}",
                rest,
                text("{words}, and the policy does not say what such cases are paid", words=words),
                text("set {case_class} in the policy, or correct the records", case_class=case_class),
            )
        else:
            if spec.value == "standard":
                lacking = rest & ~(ledger.terms.relative_value > 0)
                cases.fault(
                    "settle-missing-weight", lacking,
                    text("{words}: the policy pays its standard, and the code has no relative value", words=words),
                    text("state relative_value, or correct the records"),
                )  # fmt: skip
                rest &= ~lacking
            what = _WORDS.get(spec.value, spec.value)
            if spec.cost_share != 1:
                what = text("{share:g} of the actual cost", share=spec.cost_share)
            ledger.pay_as(spec.value, rest, case_class, text("{words}: paid {what}", words=words, what=what), spec.cost_share)


RULE = Rule(
    "no_group", "cases without a group", "未入组与歧义组", Stage.BEFORE_CURVE, settle_without_group,
    reads=("ungrouped", "ambiguous"), classes=(CaseClass.UNGROUPED, CaseClass.AMBIGUOUS), repricing=kept,
)  # fmt: skip
