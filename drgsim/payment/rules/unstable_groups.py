"""Unstable groups (非稳定组): too few cases, or costs that spread too widely; the policy's class says what they are paid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.statistics import group_statistics
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.policy_lookup import ORDINARY
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage

TABLE, CASES, NEVER = DETECT = ("table", "cases", "never")
_WHERE = {TABLE: text("in the table of groups"), CASES: text("among these cases")}


def mark_unstable(ledger: Ledger) -> None:
    """Put unstable groups into the class that the policy names for them.

    Only groups of no other class can be unstable. ``ledger.unstable`` (``table``, ``cases`` or ``never``) goes before what the
    policy says of where they are found.
    """
    spec, cases, lookup = ledger.policy.file.unstable, ledger.cases, ledger.lookup
    where = ledger.unstable or (spec.detect.value if spec is not None else NEVER)
    if spec is None or where == NEVER:
        return
    count, cv = _among_cases(cases) if where == CASES else _in_table(ledger)
    with np.errstate(invalid="ignore"):
        few, wild = (count < spec.minimum_cases.value) & (count > 0), cv > spec.maximum_cv.value
    members = np.append(few | wild, False)[cases.unit.ids] & (lookup.group_class == ORDINARY)
    groups = np.unique(cases.unit.ids[members])
    cases.warn(
        "settle-unstable-groups",
        members,
        text(
            "{count} groups are unstable {where} (fewer than {cases} cases or CV above "
            "{cv:g}) and are settled as {group_class}",
            count=groups.size,
            where=_WHERE[where],
            cases=spec.minimum_cases.value,
            cv=spec.maximum_cv.value,
            group_class=spec.group_class,
        ),
        sample=cases.unit.sample(members),
    )
    lookup.group_class = np.where(members, lookup.class_names.index(spec.group_class), lookup.group_class).astype(np.int16)


def _among_cases(cases: Cases) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cases and CV of each group; the CV is the population one, untrimmed."""
    cost = cases.money["total_cost"]
    used = np.where((cost != MISSING) & (cost > 0) & (cases.faults < 0), cost / 100.0, np.nan)
    statistics = group_statistics(used, cases.unit.ids.astype(np.int64), len(cases.unit.values))
    return statistics.count.astype(np.float64), statistics.cv


def _in_table(ledger: Ledger) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cases, prices = ledger.cases, ledger.policy.prices
    if prices is None or not {"cases", "cv"} & set(prices.numbers):
        cases.warn(
            "settle-unstable-unknown", cases.size,
            text("the policy settles unstable groups in another way, and nothing says which groups are unstable"),
            text("give --weights with the columns cases and cv (drgsim weights writes them), or --unstable cases"),
        )  # fmt: skip
        blank = np.full(len(cases.unit.values), np.nan)
        return blank, blank
    places = np.array([prices.places.get(code, -1) for code in cases.unit.values], np.int64)
    count, cv = (np.append(prices.column(name), np.nan)[places] for name in ("cases", "cv"))
    return count, cv


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Which groups are unstable among the cases is not known from one case of each group."""
    spec = policy.file.unstable
    return Repricing.REFUSED if spec is not None and spec.detect.value == CASES else Repricing.KEPT


RULE = Rule(
    "unstable_groups", "unstable groups", "非稳定组", Stage.GROUPS, mark_unstable, reads=("unstable", "group_classes"),
    repricing=_repricing,
)  # fmt: skip
