"""The hospital coefficient (差异系数) of each case, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drgsim.payment.policy_model import Evidence

if TYPE_CHECKING:
    from drgsim.payment.policy_lookup import Resolver

Floats = NDArray[np.float64]
OWN, OF_CLASS, OF_PAIR, OF_LEVEL_PAIR, OF_GROUP, OF_HOSPITAL, OF_LEVEL, DEFAULT, NONE = range(9)
# in the words of ``rule``; the first that is there counts
SOURCES = ("of the case", "of the group's class", "of the hospital and group", "of the level and group", "of the group",
           "of the hospital", "of the level", "by default", "")  # fmt: skip


def coefficients(
    resolver: Resolver, place: NDArray[np.int32], group_class: NDArray[np.int16], names: list[str]
) -> tuple[Floats, NDArray[np.int8]]:
    """Coefficient of each case and place of its source in :data:`SOURCES`.

    The order: the case's own column; the class of the group (basic groups: 1); hospital and group; level and group; group (and
    level, in the table of groups); hospital; level; the policy's default. A table given with the call goes before the policy's.
    Hospitals' own coefficients do not count in classes of groups that take that of the level only.
    """
    spec, cases = resolver.file.coefficient, resolver.cases
    fixed = [resolver.file.group_classes[name].coefficient if name else None for name in names]
    of_class = np.array([np.nan if entry is None else entry.value for entry in fixed])
    by_source: dict[int, Floats] = {OWN: cases.numbers["coefficient"], OF_CLASS: of_class[group_class]}
    given = cases.coefficients
    table = resolver.policy.coefficients if given is None else given.over(resolver.policy.coefficients)
    if table is not None:
        lookup = table.lookup(cases.hospital.values, cases.unit.values)
        pairs, groups, of_hospital = lookup[:-1, :-1], lookup[-1, :-1], lookup[:-1, -1]
        edged = np.pad(pairs, ((0, 1), (0, 1)), constant_values=np.nan)  # place -1: no hospital, no group
        by_source[OF_PAIR] = edged[cases.hospital.ids, cases.unit.ids]
        by_source[OF_GROUP] = np.append(groups, np.nan)[cases.unit.ids]
        by_source[OF_HOSPITAL] = np.append(of_hospital, np.nan)[cases.hospital.ids]
        if table.levels:
            of_levels = np.pad(table.of_levels([levels for levels, _ in resolver.keys], cases.unit.values), ((0, 0), (0, 1)))
            of_levels[:, -1] = np.nan  # place -1: no group
            by_source[OF_LEVEL_PAIR] = of_levels[resolver.combination, np.where(cases.unit.ids < 0, -1, cases.unit.ids)]
            by_source[OF_LEVEL] = of_levels[resolver.combination, -2]
    if resolver.file.relative_value.coefficient_from_table:
        of_group = resolver.from_table("coef", place)
        known = by_source.get(OF_GROUP)
        by_source[OF_GROUP] = of_group if known is None else np.where(np.isnan(known), of_group, known)
    if cases.hospitals is not None:
        entries = [cases.hospitals.get(name) for name in cases.hospital.values]
        stated = np.array([np.nan if entry is None else entry.coefficient for entry in entries] + [np.nan])
        if spec.by_hospital:
            known = by_source.get(OF_HOSPITAL)
            of_list = stated[cases.hospital.ids]
            by_source[OF_HOSPITAL] = of_list if known is None else np.where(np.isnan(known), of_list, known)
        else:
            cases.warn(
                "settle-coefficient-unused", ~np.isnan(stated[cases.hospital.ids]),
                "the list of hospitals states a coefficient, which this policy does not take from hospitals; it is not used",
                "set coefficient.by_hospital in the policy, or give it with --coefficients",
            )  # fmt: skip
    of_level = resolver.keyed(spec.by)
    known = by_source.get(OF_LEVEL)
    by_source[OF_LEVEL] = of_level if known is None else np.where(np.isnan(known), of_level, known)
    level_only = np.array([bool(name) and resolver.file.group_classes[name].coefficient_of_level for name in names])[
        group_class
    ]
    if level_only.any():
        for number in (OF_PAIR, OF_HOSPITAL):
            if number in by_source:
                by_source[number] = np.where(level_only, np.nan, by_source[number])
    result = np.full(cases.size, np.nan)
    source = np.full(cases.size, NONE, np.int8)
    for number, values in sorted(by_source.items(), key=lambda entry: entry[0]):
        taken = np.isnan(result) & ~np.isnan(values)
        result, source = np.where(taken, values, result), np.where(taken, np.int8(number), source)
    if spec.default is not None:
        blank = np.isnan(result)
        if spec.default.evidence is Evidence.ASSUMPTION:
            cases.warn(
                "settle-assumed-coefficient", blank & (cases.faults < 0),
                f"no coefficient is known; the assumed {spec.default.value:g} is used",
                "state coefficient in hospitals.csv, in a column of the cases, or in a table with --coefficients",
            )  # fmt: skip
        result, source = np.where(blank, spec.default.value, result), np.where(blank, np.int8(DEFAULT), source)
    return result, source
