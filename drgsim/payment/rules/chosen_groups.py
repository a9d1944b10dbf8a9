"""Chosen groups (入选病组): where a policy pays some groups only, the others are paid by item."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept
from drgsim.payment.selection_from_history import chosen_mask


def settle_other_groups_by_item(ledger: Ledger) -> None:
    """Pay cases of groups that are not chosen what they cost."""
    spec = ledger.policy.file.group_selection
    if spec is None:
        return
    others = ledger.open_cases & ~chosen_mask(ledger.policy, ledger.cases)
    ledger.decide(
        others,
        CaseClass.BY_ITEM,
        text("the group is none of the {count} chosen: paid by item (the actual cost)", count=len(spec.groups)),
    )
    ledger.pay_yuan(others, ledger.cost)


RULE = Rule(
    "chosen_groups",
    "chosen groups",
    "入选病组",
    Stage.BEFORE_CURVE,
    settle_other_groups_by_item,
    reads=("group_selection",),
    classes=(CaseClass.BY_ITEM,),
    repricing=kept,
)
