"""What one more complication or comorbidity (CC, MCC) in the record is worth: from a group to the next of its ADRG.

A case of the group without CC would stand in the group with CC if the record held one. The worth is the difference of the
payment standards, at the case's own level, payer, coefficient and unit value; what a curve makes of high and low cases is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from drgsim.accounts.hospital_sums import HospitalCases
from drgsim.money import MISSING, money_column
from drgsim.payment.ledger import BY_CURVE
from drgsim.payment.other_groups import standards_in_groups
from drgsim.payment.settlement import unit_names
from drgsim.units.batch_grouper import SEVERITIES
from drgsim.units.schemes.rule_language import Always, And, CodeIn, Rule
from drgsim.units.schemes.scheme import Adrg, Scheme


@dataclass(frozen=True)
class SeverityStep:
    """From a group to the one that its cases would have with a complication of this level: ``CC`` or ``MCC``."""

    group: str
    to_group: str
    level: str


def severity_steps(scheme: Scheme) -> Iterator[SeverityStep]:
    """Steps within the ADRGs of a scheme: each group with the next that asks for a severer diagnosis and is else alike."""
    for adrg in scheme.adrgs.values():
        yield from _of_adrg(adrg)


def _of_adrg(adrg: Adrg) -> Iterator[SeverityStep]:
    read = [(drg.code, *_severity_and_rest(drg.rule)) for drg in adrg.drgs]
    for code, severity, rest in read:
        for level in range(severity + 1, len(SEVERITIES)):
            above = next((other for other, needed, others in read if needed == level and others == rest), None)
            if above is not None:
                yield SeverityStep(code, above, SEVERITIES[level])
                break


def _severity_and_rest(rule: Rule) -> tuple[int, frozenset[Rule]]:
    """The least severity that a rule asks for, as a place in ``SEVERITIES``, and its other tests."""
    tests = rule.rules if isinstance(rule, And) else (rule,)
    severe = [test for test in tests if isinstance(test, CodeIn) and set(test.sets) <= set(SEVERITIES)]
    rest = frozenset(test for test in tests if test not in severe and not isinstance(test, Always))
    return max((min(SEVERITIES.index(name) for name in test.sets) for test in severe), default=0), rest


def worth_of_steps(hospital: HospitalCases, scheme: Scheme) -> pa.Table:
    """What a step is worth to the cases of a hospital, the largest sum first.

    Columns: ``group``, ``name``, ``to_group``, ``to_name``, ``level``, ``cases`` (normal ones of the group, by the curve),
    ``worth`` (yuan per case, mean), ``dear_cases`` (those that cost more than the standard of the other group) and
    ``dear_worth`` (yuan, of these together).
    """
    cases, ledger = hospital.cases, hospital.cases.settlement.ledger
    steps = {step.group: step for step in severity_steps(scheme)}
    target = [steps[code].to_group if code in steps else "" for code in cases.group.values]
    has_step = np.array([bool(code) for code in target] + [False])[cases.group.ids]
    places = np.flatnonzero(hospital.own & has_step & ledger.is_class(*BY_CURVE) & (ledger.standard != MISSING))
    other = standards_in_groups(cases.settlement, places, target)
    known = other != MISSING
    places, other = places[known], other[known]
    gain = other - ledger.standard[places]
    unit = cases.group.ids[places]
    dear = cases.cost[places] > other
    size = len(cases.group.values)
    count, dear_count = (np.bincount(unit[where], minlength=size) for where in (slice(None), dear))
    worth, dear_worth = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(worth, unit, gain)
    np.add.at(dear_worth, unit[dear], gain[dear])
    used = sorted(np.flatnonzero(count).tolist(), key=lambda each: (-dear_worth[each], -worth[each], cases.group.values[each]))
    names = dict(zip(cases.group.values, unit_names(ledger), strict=True))
    of_row = [steps[cases.group.values[each]] for each in used]
    return pa.table({
        "group": pa.array([step.group for step in of_row], pa.string()),
        "name": pa.array([names[step.group] for step in of_row], pa.string()),
        "to_group": pa.array([step.to_group for step in of_row], pa.string()),
        "to_name": pa.array([names.get(step.to_group) or scheme.drgs[step.to_group].name for step in of_row], pa.string()),
        "level": pa.array([step.level for step in of_row], pa.string()),
        "cases": pa.array(count[used], pa.int64()),
        "worth": money_column(np.rint(worth[used] / np.maximum(count[used], 1)).astype(np.int64)),
        "dear_cases": pa.array(dear_count[used], pa.int64()),
        "dear_worth": money_column(dear_worth[used]),
    })  # fmt: skip
