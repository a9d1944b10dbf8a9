"""Members (试点机构): hospitals that the policy does not pay by groups are paid by item."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept
from drgsim.payment.selection_from_history import member_mask


def settle_others_by_item(ledger: Ledger) -> None:
    """Pay cases of other hospitals what they cost; a case without a hospital cannot be told from them and is not paid."""
    spec, cases = ledger.policy.file.members, ledger.cases
    if spec is None:
        return
    member = member_mask(ledger.policy, cases)
    unknown = ledger.open_cases & ~member & (cases.hospital.ids < 0)
    cases.fault(
        "settle-no-hospital",
        unknown,
        text("the policy pays some hospitals by groups, and the hospital of the case is not stated"),
        text("state hospital_id in the cases"),
    )
    others = ledger.open_cases & ~member
    ledger.decide(others, CaseClass.BY_ITEM, text("the hospital is no member: paid by item (the actual cost)"))
    ledger.pay_yuan(others, ledger.cost)


RULE = Rule(
    "member_institutions", "members", "试点机构", Stage.BEFORE_CURVE, settle_others_by_item, reads=("members",),
    columns=("hospital_id", "hospital_level"), classes=(CaseClass.BY_ITEM,), repricing=kept,
)  # fmt: skip
