"""Groups that are simulated and not paid (模拟结算): every case is paid by item, and beside it stands what groups would pay."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def settle_simulated_by_item(ledger: Ledger) -> None:
    """Pay every case that groups would have paid what it costs; in the shadow settlement itself groups pay it."""
    spec = ledger.policy.file.shadow
    if spec is None or not spec.value or ledger.as_if_paid:
        return
    where = ledger.open_cases
    ledger.simulated = ledger.simulated | where
    ledger.decide(where, CaseClass.BY_ITEM, text("groups are simulated and not paid: paid by item (the actual cost)"))
    ledger.pay_yuan(where, ledger.cost)


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """What the groups would pay moves with every price, and the quick way does not settle twice."""
    spec = policy.file.shadow
    return Repricing.REFUSED if spec is not None and spec.value else Repricing.KEPT


RULE = Rule(
    "simulated_payment", "groups simulated, not paid", "模拟结算", Stage.BEFORE_CURVE, settle_simulated_by_item,
    reads=("shadow",), classes=(CaseClass.BY_ITEM,), repricing=_repricing,
)  # fmt: skip
