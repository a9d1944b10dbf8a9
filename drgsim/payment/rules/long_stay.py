"""Stays longer than a limit (超长住院), or at most as long as another, are paid by item."""

from __future__ import annotations

import numpy as np

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept


def settle_long_stays(ledger: Ledger) -> None:
    """Stays longer than the one limit, or not longer than the other, are paid by item."""
    stays, days = ledger.policy.file.stays, ledger.cases.numbers["los_days"]
    limits = {text("longer than"): stays.long_days, text("of at most"): stays.short_days}
    for words, limit in limits.items():
        if limit is None:
            continue
        ledger.cases.warn(
            "settle-no-days", ledger.open_cases & np.isnan(days),
            text("the stay is not known: whether it is {words} {limit:g} days cannot be told", words=words, limit=limit.value),
            text("state los_days, or admitted and discharged"),
        )  # fmt: skip
        long = limit is stays.long_days
        where = ledger.open_cases & ((days > limit.value) if long else (days <= limit.value))
        case_class = CaseClass.OVER_60_DAYS if long else CaseClass.BY_ITEM
        ledger.decide(
            where,
            case_class,
            text("stay {words} {limit:g} days: paid by item (the actual cost)", words=words, limit=limit.value),
        )
        ledger.pay_yuan(where, ledger.cost)


RULE = Rule(
    "long_stay", "long and short stays", "超长与过短住院", Stage.BEFORE_CURVE, settle_long_stays, reads=("stays",),
    columns=("los_days",), classes=(CaseClass.OVER_60_DAYS, CaseClass.BY_ITEM), repricing=kept,
)  # fmt: skip
