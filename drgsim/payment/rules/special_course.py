"""Stays of a special course (特殊病程): transfers, deaths, leaving against advice, long stays with a rule of their own."""

from __future__ import annotations

import numpy as np

from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.course_model import Course
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage, titled


def settle_special_courses(ledger: Ledger) -> None:
    """Pay normal cases of a course that the policy names by item, or a multiple of their standard; the first entry decides."""
    normal = ledger.is_class(CaseClass.NORMAL) & (ledger.cases.faults < 0)
    for course in ledger.policy.file.courses:
        members = normal & of_course(course, ledger.cases)
        if course.ratio_over is not None:
            members &= ledger.ratio > course.ratio_over
        if course.ratio_upto is not None:
            members &= ledger.ratio <= course.ratio_upto
        normal &= ~members
        words = titled(course)
        if course.pays == "by_item":
            ledger.decide(members, course.case_class, text("{words}: paid by item (the actual cost)", words=words))
            ledger.pay_yuan(members, ledger.cost)
            continue
        ledger.decide(members, course.case_class, text("{words}: standard x {factor:g}", words=words, factor=course.pays))
        ledger.pay_standard(members, course.pays)


def of_course(course: Course, cases: Cases) -> Mask:
    """Cases that left in one of the ways and stayed as long as the entry says, whatever their cost."""
    days = cases.numbers["los_days"]
    found = np.isin(cases.discharge_way, course.ways) if course.ways else np.ones(cases.size, np.bool_)
    if course.days_from is not None:
        found &= days >= course.days_from
    if course.days_upto is not None:
        found &= days <= course.days_upto
    return np.asarray(found)


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Another price changes the cost ratio, which the entries look at."""
    concerned = any(of_course(course, cases).any() for course in policy.file.courses)
    return Repricing.REFUSED if concerned else Repricing.KEPT


RULE = Rule(
    "special_course",
    "stays of a special course",
    "特殊病程",
    Stage.AFTER_CURVE,
    settle_special_courses,
    reads=("courses",),
    columns=("discharge_way", "los_days"),
    classes=(CaseClass.INCOMPLETE, CaseClass.BY_ITEM, CaseClass.OVER_60_DAYS),
    repricing=_repricing,
)
