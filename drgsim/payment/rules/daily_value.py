"""Groups that are worth their relative value for each day of the stay (床日病组)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, round_floats
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import DayValues
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage, titled


def settle_daily_values(ledger: Ledger) -> None:
    """Pay relative value x days x unit value, without a coefficient; with ``by_day`` its value of a day, in steps of days."""
    terms, days = ledger.terms, ledger.cases.numbers["los_days"]
    for number, name in enumerate(terms.class_names):
        if not name or ledger.policy.file.group_classes[name].pays != "daily":
            continue
        entry = ledger.policy.file.group_classes[name]
        members = ledger.open_cases & (terms.group_class == number)
        unknown = members & np.isnan(days)
        ledger.cases.fault(
            "settle-missing-days", unknown, text("the stay is paid per day, but los_days is missing"), text("state los_days")
        )
        worth = terms.relative_value * days if entry.by_day is None else _stepped(entry.by_day, ledger, days)
        members &= ~unknown & (worth > 0)
        ledger.decide(
            members,
            CaseClass.PER_DIEM,
            text("{words}: relative value x days", words=titled(entry)),
        )
        ledger.units[members] = np.round(worth, 10)[members]
        amounts, _ = round_floats(np.where(members, ledger.units * terms.unit_value * FEN_PER_YUAN, np.nan))
        ledger.amount[members] = amounts[members]


def _stepped(spec: DayValues, ledger: Ledger, days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Value of each stay; NaN where the policy states none for its group. The longest code that a group starts with decides."""
    unit, scale = ledger.cases.unit, ledger.policy.file.relative_value.scale.value
    names = [max((code for code in spec.weights if group.startswith(code)), key=len, default="") for group in unit.values]
    weight, mean = (
        np.array([of.get(name, np.nan) for name in [*names, ""]])[unit.ids] for of in (spec.weights, spec.mean_days)
    )
    counted, start = np.zeros(days.size), 0.0
    for step in spec.steps:
        end = math.inf if step.upto is None else step.upto
        counted += step.factor * np.clip(days - start * mean, 0, (end - start) * mean)
        start = end
    return np.asarray(weight * scale * counted)


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """What a day is worth moves with the unit value."""
    daily = any(entry.pays == "daily" for entry in policy.file.group_classes.values())
    return Repricing.REFUSED if daily else Repricing.KEPT


RULE = Rule(
    "daily_value", "groups paid by value and day", "床日病组", Stage.BEFORE_CURVE, settle_daily_values,
    reads=("group_classes",), columns=("los_days",), classes=(CaseClass.PER_DIEM,), repricing=_repricing,
)  # fmt: skip
