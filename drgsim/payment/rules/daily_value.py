"""Groups that are worth their relative value for each day of the stay (床日病组)."""

from __future__ import annotations

import numpy as np

from drgsim.money import FEN_PER_YUAN, round_floats
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def settle_daily_values(ledger: Ledger) -> None:
    """Pay relative value x days x unit value, without a coefficient."""
    terms, days = ledger.terms, ledger.cases.numbers["los_days"]
    for number, name in enumerate(terms.class_names):
        if not name or ledger.policy.file.group_classes[name].pays != "daily":
            continue
        entry = ledger.policy.file.group_classes[name]
        members = ledger.open_cases & (terms.group_class == number)
        unknown = members & np.isnan(days)
        ledger.cases.fault(
            "settle-missing-days", unknown, "the stay is paid per day, but los_days is missing", "state los_days"
        )
        members &= ~unknown & (terms.relative_value > 0)
        ledger.decide(members, CaseClass.PER_DIEM, f"{entry.title} ({entry.title_zh}): relative value x days")
        ledger.units[members] = np.round(terms.relative_value * days, 10)[members]
        amounts, _ = round_floats(np.where(members, ledger.units * terms.unit_value * FEN_PER_YUAN, np.nan))
        ledger.amount[members] = amounts[members]


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """What a day is worth moves with the unit value."""
    daily = any(entry.pays == "daily" for entry in policy.file.group_classes.values())
    return Repricing.REFUSED if daily else Repricing.KEPT


RULE = Rule(
    "daily_value", "groups paid by value and day", "床日病组", Stage.BEFORE_CURVE, settle_daily_values,
    reads=("group_classes",), columns=("los_days",), classes=(CaseClass.PER_DIEM,), repricing=_repricing,
)  # fmt: skip
