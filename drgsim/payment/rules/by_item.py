"""Payment by item (按项目): the actual cost of cases outside the groups, or of all cases where that is the policy's method."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept


def settle_by_item(ledger: Ledger) -> None:
    """Cases that are marked ``by_item``, and under the method ``by_item`` every case, are paid what they cost."""
    if ledger.policy.file.method == "by_item":
        where, why = ledger.open_cases, text("the policy pays every case by item (the actual cost)")
    else:
        where, why = (
            ledger.open_cases & ledger.cases.flags["by_item"],
            text("outside the groups: paid by item (the actual cost)"),
        )
    ledger.decide(where, CaseClass.BY_ITEM, why)
    ledger.pay_yuan(where, ledger.cost)


RULE = Rule(
    "by_item",
    "payment by item",
    "按项目付费",
    Stage.BEFORE_CURVE,
    settle_by_item,
    reads=("method",),
    columns=("by_item",),
    classes=(CaseClass.BY_ITEM,),
    repricing=kept,
)
