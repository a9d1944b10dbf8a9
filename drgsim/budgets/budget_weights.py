"""The relative values that the cases of a budget are paid by: the policy's, given ones, or those of the region's own past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from drgsim.language import joined, text
from drgsim.payment.grouped_cases import Cases, read_cases
from drgsim.payment.own_weights import has_given_values
from drgsim.payment.policy import Policy
from drgsim.payment.price_table import PriceTable
from drgsim.payment.selection_from_history import is_open, selected
from drgsim.payment.weights_from_history import table_from_history, with_history, years_of_history
from drgsim.region.region_folder import RegionFolder

GIVEN = "given"  # by the call, or of groups by the discharges themselves
OWN_VALUES = ("relative_value", "relative_weight")


@dataclass(frozen=True)
class Weighted:
    """A policy, before and after its changes, and the relative values that it pays by.

    Attributes
    ----------
    policy, changed
        As they were given.
    tables
        Year -> weights from history; none where the policy or the call has relative values.
    described
        Where they come from, for a record; nothing where they are the policy's own.
    notes
        What a reader is told.
    history
        Year -> cases, where the policy leaves members, groups or the unit value to the past.
    """

    policy: Policy
    changed: Policy
    tables: Mapping[int, PriceTable] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    history: Mapping[int, Cases] = field(default_factory=dict)

    def of_year(self, policy: Policy, year: int) -> tuple[Policy, list[str]]:
        """A policy as it pays the cases of a year, with what it leaves to the past found there, and what a reader is told."""
        policy = with_history(policy, self.tables[year]) if self.tables else policy
        if not self.history:
            return policy, []
        years = years_of_history(self.history, year)
        where = text("the discharges of {names}", names=", ".join(map(str, years)))
        policy, told = selected(policy, [self.history[each] for each in years], where)
        return policy, [text("{year}: {problem}", year=year, problem=problem.what) for problem in told]


def weighted(policy: Policy, changed: Policy, tables: Mapping[int, pa.Table], region: RegionFolder, scheme: str) -> Weighted:
    """Find the relative values of a policy.

    Parameters
    ----------
    policy, changed
        The policy before and after its changes, with given relative values where there are some.
    tables, region
        Year -> grouped discharges, and the region they are of.
    scheme
        What they were grouped by; ``given`` where they state their groups.
    """
    cases = _cases_to_weigh(tables, changed, region)
    past: dict[int, Cases] = {}
    if is_open(changed):
        past = cases or {year: read_cases(each, region.hospitals, changed.file.method) for year, each in tables.items()}
    table = changed.file.relative_value.table
    if table is not None and has_given_values(changed):
        told = table.note
        described = {"source": GIVEN, "scheme": scheme, "values": told}
        return Weighted(policy, changed, {}, described, (told,), past)
    if not cases:
        return Weighted(policy, changed, history=past)
    years = {year: years_of_history(cases, year) for year in cases}
    found = {year: table_from_history({each: cases[each] for each in of}, cases[year], changed) for year, of in years.items()}
    scale = changed.file.relative_value.scale.value
    listed = joined(
        text("; "), (text("{year} from {years}", year=year, years=", ".join(map(str, of))) for year, of in years.items())
    )
    groups = text("groups as the discharges state them") if scheme == GIVEN else text("groups of {scheme}", scheme=scheme)
    told = text(
        "{policy} has no table of groups: weights are estimated from the region's own discharges of "
        "all years before, those of the first year from itself ({listed}; {groups}; relative value = "
        "{scale:g} x weight; assumption)",
        policy=policy.id,
        listed=listed,
        groups=groups,
        scale=scale,
    )
    return Weighted(
        policy, changed, found, {"source": "history", "scheme": scheme, "scale": scale, "years": years}, (told,), past
    )


def _cases_to_weigh(tables: Mapping[int, pa.Table], policy: Policy, region: RegionFolder) -> dict[int, Cases]:
    """The cases of every year; none where the policy has a table or needs none, or cases bring their relative values."""
    if policy.prices is not None or not policy.file.by_groups:
        return {}
    cases = {year: read_cases(table, region.hospitals, policy.file.method) for year, table in tables.items()}
    own = (*OWN_VALUES, "score") if policy.file.relative_value.unit == "score" else OWN_VALUES
    return {} if any(name in each.present for each in cases.values() for name in own) else cases
