"""Groups that are paid another way: self-payers, cases without a group, and the classes of groups that a policy names."""

from __future__ import annotations

import numpy as np

from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy_model import CaseClass, GroupClass
from drgsim.records.vocabulary import INSURANCES

UNGROUPED_CODES = ("", "0000")
AMBIGUOUS_ENDING = "QY"


def settle_self_payers(ledger: Ledger) -> None:
    """The fund pays nothing for patients without insurance."""
    self_pay = ledger.open_cases & (ledger.cases.insurance == INSURANCES.index("self"))
    ledger.decide(self_pay, CaseClass.SELF_PAY, "self-pay patient: the bill is the patient's, the fund pays nothing")
    ledger.pay_yuan(self_pay, ledger.cost)


def settle_outside(ledger: Ledger) -> None:
    """Cases that are marked as outside the groups are paid by item."""
    by_item = ledger.open_cases & ledger.cases.flags["by_item"]
    ledger.decide(by_item, CaseClass.BY_ITEM, "outside the groups: paid by item (the actual cost)")
    ledger.pay_yuan(by_item, ledger.cost)


def settle_unusual_groups(ledger: Ledger) -> None:
    """Cases without a group, and groups that the policy pays another way."""
    cases, file = ledger.cases, ledger.policy.file
    priced = ~np.isnan(ledger.terms.relative_value)
    codes = cases.unit.values
    blank = np.array([code in UNGROUPED_CODES for code in codes] + [True])[cases.unit.ids]
    ambiguous = np.array([code.endswith(AMBIGUOUS_ENDING) for code in codes] + [False])[cases.unit.ids]
    for where, case_class, spec, words in (
        (blank & ~priced, CaseClass.UNGROUPED, file.ungrouped, "no group"),
        (ambiguous & ~priced, CaseClass.AMBIGUOUS, file.ambiguous, "ambiguous group"),
    ):
        rest = ledger.open_cases & where
        if spec is None:
            cases.fault(
                f"settle-{case_class}", rest, f"{words}, and the policy does not say what such cases are paid",
                f"set {case_class} in the policy, or correct the records",
            )  # fmt: skip
        else:
            _pay_as(ledger, rest, spec.value, case_class, f"{words}: paid {_PAYS_WORDS.get(spec.value, spec.value)}")
    for number, name in enumerate(ledger.terms.class_names):
        if name:
            entry = file.group_classes[name]
            members = ledger.open_cases & (ledger.terms.group_class == number)
            _settle_class(ledger, members, entry)


_PAYS_WORDS = {"by_item": "by item (the actual cost)", "standard": "the standard whatever the cost", "nothing": "nothing"}


def _settle_class(ledger: Ledger, members: Mask, entry: GroupClass) -> None:
    words = f"{entry.title} ({entry.title_zh})"
    if entry.pays == "per_diem":
        ledger.cases.flags["per_diem"] = ledger.cases.flags["per_diem"] | members
    elif entry.pays == "by_item":
        _pay_as(ledger, members, "by_item", CaseClass.BY_ITEM, f"{words}: paid by item (the actual cost)")
    elif entry.pays == "standard":
        _pay_as(ledger, members & (ledger.terms.relative_value > 0), "standard", CaseClass.FIXED, f"{words}: fixed amount")
    elif entry.pays == "nothing":
        _pay_as(ledger, members, "nothing", CaseClass.FIXED, f"{words}: not paid by this policy")


def _pay_as(ledger: Ledger, where: Mask, pays: str, case_class: CaseClass, rule: str) -> None:
    ledger.decide(where, case_class, rule)
    if pays == "by_item":
        ledger.pay_yuan(where, ledger.cost)
    elif pays == "standard":
        ledger.pay_standard(where)  # with a budget its amount follows later from the unit value
    else:
        ledger.pay_yuan(where, 0)
