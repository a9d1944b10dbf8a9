"""Classes of groups (病组类别) that a policy pays by item, by a fixed amount, per day or not at all."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import GroupClass
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage, titled


def settle_classes(ledger: Ledger) -> None:
    """Pay the groups of each class as the policy says; those of classes that it pays by the curve stay open."""
    if not ledger.policy.file.by_groups:
        return
    for number, name in enumerate(ledger.terms.class_names):
        if name:
            members = ledger.open_cases & (ledger.terms.group_class == number)
            _settle_class(ledger, members, ledger.policy.file.group_classes[name])


def _settle_class(ledger: Ledger, members: Mask, entry: GroupClass) -> None:
    words = titled(entry)
    if entry.pays == "per_diem":
        ledger.cases.flags["per_diem"] = ledger.cases.flags["per_diem"] | members
    elif entry.pays == "by_item":
        share = 1.0 if entry.cost_share is None else entry.cost_share.value
        what = text("by item (the actual cost)") if share == 1 else text("{share:g} of the actual cost", share=share)
        ledger.pay_as("by_item", members, CaseClass.BY_ITEM, text("{words}: paid {what}", words=words, what=what), share)
    elif entry.pays == "standard":
        valued = members & (ledger.terms.relative_value > 0)
        ledger.pay_as("standard", valued, CaseClass.FIXED, text("{words}: fixed amount", words=words))
    elif entry.pays == "nothing":
        ledger.pay_as("nothing", members, CaseClass.FIXED, text("{words}: not paid by this policy", words=words))


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """A standard moves with its price."""
    fixed = any(entry.pays == "standard" for entry in policy.file.group_classes.values())
    return Repricing.REFUSED if fixed else Repricing.KEPT


RULE = Rule(
    "group_classes", "classes of groups", "病组类别", Stage.BEFORE_CURVE, settle_classes, reads=("group_classes",),
    classes=(CaseClass.BY_ITEM, CaseClass.FIXED), repricing=_repricing,
)  # fmt: skip
