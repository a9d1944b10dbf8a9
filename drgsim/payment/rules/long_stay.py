"""Stays longer than a limit (超长住院) are paid by item."""

from __future__ import annotations

import numpy as np

from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept


def settle_long_stays(ledger: Ledger) -> None:
    """Stays longer than the limit are paid by item."""
    limit = ledger.policy.file.stays.long_days
    if limit is None:
        return
    unknown = ledger.open_cases & np.isnan(ledger.cases.numbers["los_days"])
    ledger.cases.warn(
        "settle-no-days", unknown, f"the stay is not known: whether it is longer than {limit.value:g} days cannot be told",
        "state los_days, or admitted and discharged",
    )  # fmt: skip
    long = ledger.open_cases & (ledger.cases.numbers["los_days"] > limit.value)
    ledger.decide(long, CaseClass.OVER_60_DAYS, f"stay longer than {limit.value:g} days: paid by item (the actual cost)")
    ledger.pay_yuan(long, ledger.cost)


RULE = Rule(
    "long_stay", "long stays", "超长住院", Stage.BEFORE_CURVE, settle_long_stays, reads=("stays",), columns=("los_days",),
    classes=(CaseClass.OVER_60_DAYS,), repricing=kept,
)  # fmt: skip
