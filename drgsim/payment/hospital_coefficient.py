"""The hospital coefficient (差异系数) of each case, and where it comes from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.parameters.evidence import Evidence
from drgsim.payment.policy_lookup import PolicyLookup

Floats = NDArray[np.float64]
OWN, OF_CLASS, OF_PAIR, OF_LEVEL_PAIR, OF_GROUP, OF_HOSPITAL, OF_LEVEL, DEFAULT, NONE = range(9)
# in the words of ``rule``; the first that is there counts
SOURCES = (
    text("of the case"),
    text("of the group's class"),
    text("of the hospital and group"),
    text("of the level and group"),
    text("of the group"),
    text("of the hospital"),
    text("of the level"),
    text("by default"),
    "",
)


def coefficients(lookup: PolicyLookup) -> tuple[Floats, NDArray[np.int8]]:
    """Coefficient of each case and place of its source in :data:`SOURCES`.

    The order: the case's own column; the class of the group (basic groups: 1); hospital and group; level and group; group (and
    level, in the table of groups); hospital; level; the policy's default. A table given with the call goes before the policy's.
    Hospitals' own coefficients do not count in classes of groups that take that of the level only.
    """
    cases, classes = lookup.cases, lookup.file.group_classes
    of_class = lookup.value_of_class("coefficient", np.nan)
    of_class = np.where(np.isnan(of_class), lookup.keyed_of_class("coefficient_by"), of_class)
    by_source = {OWN: cases.numbers["coefficient"], OF_CLASS: of_class, **_of_tables(lookup)}
    _put(by_source, OF_HOSPITAL, _of_hospitals(lookup))
    _put(by_source, OF_LEVEL, lookup.keyed(lookup.file.coefficient.by))
    level_only = np.array([bool(name) and classes[name].coefficient_of_level for name in lookup.class_names])
    for number in {OF_PAIR, OF_HOSPITAL} & by_source.keys() if level_only.any() else ():
        by_source[number] = np.where(level_only[lookup.group_class], np.nan, by_source[number])
    result = np.full(cases.size, np.nan)
    source = np.full(cases.size, NONE, np.int8)
    for number, values in sorted(by_source.items(), key=lambda entry: entry[0]):
        taken = np.isnan(result) & ~np.isnan(values)
        result, source = np.where(taken, values, result), np.where(taken, np.int8(number), source)
    result, source = _with_default(lookup, result, source)
    cap = lookup.value_of_class("coefficient_cap", np.inf)
    above = (result > cap) & (source != OWN)
    return np.where(above, cap, result), np.where(above, np.int8(OF_CLASS), source)


def _put(by_source: dict[int, Floats], number: int, values: Floats | None) -> None:
    """Values of a source, after those that it has already."""
    if values is not None:
        known = by_source.get(number)
        by_source[number] = values if known is None else np.where(np.isnan(known), values, known)


def _of_tables(lookup: PolicyLookup) -> dict[int, Floats]:
    """What the tables of coefficients say, the one given with the call first, and the table of groups."""
    cases, found = lookup.cases, dict[int, Floats]()
    given = cases.coefficients
    table = lookup.policy.coefficients if given is None else given.over(lookup.policy.coefficients)
    if table is not None:
        values = table.lookup(cases.hospital.values, cases.unit.values)
        pairs, groups, of_hospital = values[:-1, :-1], values[-1, :-1], values[:-1, -1]
        edged = np.pad(pairs, ((0, 1), (0, 1)), constant_values=np.nan)  # place -1: no hospital, no group
        found[OF_PAIR] = edged[cases.hospital.ids, cases.unit.ids]
        found[OF_GROUP] = np.append(groups, np.nan)[cases.unit.ids]
        found[OF_HOSPITAL] = np.append(of_hospital, np.nan)[cases.hospital.ids]
        if table.levels:
            of_levels = np.pad(table.of_levels([levels for levels, _ in lookup.keys], cases.unit.values), ((0, 0), (0, 1)))
            of_levels[:, -1] = np.nan  # place -1: no group
            found[OF_LEVEL_PAIR] = of_levels[lookup.combination, np.where(cases.unit.ids < 0, -1, cases.unit.ids)]
            found[OF_LEVEL] = of_levels[lookup.combination, -2]
    if lookup.file.relative_value.coefficient_from_table:
        _put(found, OF_GROUP, lookup.from_table("coef"))
    return found


def _of_hospitals(lookup: PolicyLookup) -> Floats | None:
    """What the list of hospitals states, where the policy takes it from there."""
    cases = lookup.cases
    if cases.hospitals is None:
        return None
    entries = [cases.hospitals.get(name) for name in cases.hospital.values]
    stated = np.array([np.nan if entry is None else entry.coefficient for entry in entries] + [np.nan])[cases.hospital.ids]
    if lookup.file.coefficient.by_hospital:
        return stated
    cases.warn(
        "settle-coefficient-unused", ~np.isnan(stated),
        text("the list of hospitals states a coefficient, which this policy does not take from hospitals; it is not used"),
        text("set coefficient.by_hospital in the policy, or give it with --coefficients"),
    )  # fmt: skip
    return None


def _with_default(lookup: PolicyLookup, result: Floats, source: NDArray[np.int8]) -> tuple[Floats, NDArray[np.int8]]:
    default = lookup.file.coefficient.default
    if default is None:
        return result, source
    blank = np.isnan(result)
    if default.evidence is Evidence.ASSUMPTION:
        lookup.cases.warn(
            "settle-assumed-coefficient", blank & (lookup.cases.faults < 0),
            text("no coefficient is known; the assumed {default:g} is used", default=default.value),
            text("state coefficient in hospitals.csv, in a column of the cases, or in a table with --coefficients"),
        )  # fmt: skip
    return np.where(blank, default.value, result), np.where(blank, np.int8(DEFAULT), source)
