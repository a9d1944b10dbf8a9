"""The rules of settling in their order: the one list that settling and the quick way of simulation walk."""

from __future__ import annotations

from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules import (
    by_item,
    chosen_groups,
    daily_value,
    dates_in_force,
    exempt_payment,
    extreme_cap,
    group_classes,
    incomplete_stay,
    long_stay,
    member_institutions,
    no_group,
    payment_curve,
    per_diem,
    readmission,
    self_pay,
    simulated_payment,
    single_disease,
    special_course,
    special_review,
    unstable_groups,
)
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage

RULES: tuple[Rule, ...] = (
    unstable_groups.RULE,
    dates_in_force.RULE,
    incomplete_stay.RULE,
    readmission.RULE,
    self_pay.RULE,
    by_item.RULE,
    member_institutions.RULE,
    simulated_payment.RULE,
    single_disease.RULE,
    no_group.RULE,
    group_classes.RULE,
    daily_value.RULE,
    per_diem.RULE,
    chosen_groups.RULE,
    long_stay.RULE,
    payment_curve.RULE,
    special_course.RULE,
    exempt_payment.RULE,
    extreme_cap.RULE,
    special_review.RULE,
)


def walk(ledger: Ledger, stage: Stage) -> None:
    """Apply the rules of a stage, one after the other."""
    for rule in RULES:
        if rule.stage is stage:
            rule.settle(ledger)


def walked_again(policy: Policy, cases: Cases) -> tuple[Rule, ...] | None:
    """Rules to walk again after the curve when prices and curves change; None where a rule needs the whole settlement."""
    again = []
    for rule in RULES:
        answer = rule.repricing(policy, cases)
        if answer is Repricing.REFUSED or (answer is Repricing.AGAIN and rule.stage < Stage.CURVE):
            return None
        if answer is Repricing.AGAIN and rule.stage is Stage.AFTER_CURVE:
            again.append(rule)
    return tuple(again)
