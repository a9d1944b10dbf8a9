"""Self-payers (自费): the fund pays nothing for patients without insurance."""

from __future__ import annotations

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept
from drgsim.records.vocabulary import INSURANCES


def settle_self_payers(ledger: Ledger) -> None:
    """The bill is the patient's."""
    self_pay = ledger.open_cases & (ledger.cases.insurance == INSURANCES.index("self"))
    ledger.decide(self_pay, CaseClass.SELF_PAY, text("self-pay patient: the bill is the patient's, the fund pays nothing"))
    ledger.pay_yuan(self_pay, ledger.cost)


RULE = Rule(
    "self_pay", "self-payers", "自费", Stage.BEFORE_CURVE, settle_self_payers, columns=("insurance",),
    classes=(CaseClass.SELF_PAY,), repricing=kept,
)  # fmt: skip
