"""Members, groups and price level that a policy leaves to the past: found by its stated rules, and told.

A policy of a pilot may say how many institutions and groups took part and not which. What is found here takes the place of
the rule in the policy, so that everything after it sees names only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.statistics import group_statistics
from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.language import counted, text
from drgsim.money import FEN_PER_YUAN
from drgsim.parameters.evidence import Evidence, Keyed
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.policy import Policy
from drgsim.payment.price_table import PriceTable
from drgsim.payment.selection_model import HistoryRule, Members
from drgsim.payment.weights_from_history import numbered_groups
from drgsim.records.vocabulary import level_keys

_BY = {"cost": text("cost"), "cases": text("cases")}
SOURCE = "from-history"
TABLE_COLUMNS = ("cases", "mean_cost", "cv")


@dataclass(frozen=True)
class GroupCosts:
    """Cost of groups in the past.

    Attributes
    ----------
    codes
        Groups.
    cases, cost, cv
        Number of cases, their total cost in fen, and its CV (population) by group; NaN where unknown.
    """

    codes: tuple[str, ...]
    cases: NDArray[np.float64]
    cost: NDArray[np.float64]
    cv: NDArray[np.float64]

    def choose(self, rule: HistoryRule) -> tuple[str, ...]:
        """The groups that a rule chooses, in the order of their codes.

        Examples
        --------
        >>> from drgsim.parameters.evidence import Value
        >>> def said(value): return Value(value=value, unit="", source="s", evidence="assumption")
        >>> rule = HistoryRule(groups=said(2), maximum_cv=said(1.0), by=said("cost"))
        >>> cases, cost, cv = np.full(4, 9), np.array([5, 8, 7, 9]), np.array([0.5, 0.5, 0.9, 1.0])
        >>> GroupCosts(("A", "B", "C", "D"), cases, cost, cv).choose(rule)
        ('B', 'C')
        """
        size = self.cost if rule.by.value == "cost" else self.cases
        with np.errstate(invalid="ignore"):
            fits = (self.cv < rule.maximum_cv.value) & (self.cases > 1) & (size > 0)
        ranked = sorted(np.flatnonzero(fits).tolist(), key=lambda place: (-size[place], self.codes[place]))
        return tuple(sorted(self.codes[place] for place in ranked[: rule.groups.value]))


def is_open(policy: Policy) -> bool:
    """Whether the policy leaves members, groups or the unit value to the past."""
    members, groups, flag = policy.file.members, policy.file.group_selection, policy.file.unit_value_from_history
    open_members = members is not None and not members.hospitals and members.count is not None
    open_value = flag is not None and flag.value and policy.file.unit_value is None
    return open_members or (groups is not None and not groups.groups) or open_value


def selected(
    policy: Policy, history: Sequence[Cases], where: str, priced: bool = False
) -> tuple[Policy, tuple[Problem, ...]]:  # fmt: skip
    """The policy with what it leaves to the past, and what a reader is told of it.

    Parameters
    ----------
    policy
        With its table of relative values, where it has one.
    history
        Cases of the past; those of hospitals that are no members do not count.
    where
        What these cases are, in words.
    priced
        A budget gives the unit value, so that none is looked for.

    Raises
    ------
    InputError
        ``settle-unknown-member``: hospitals that nobody knows.
    """
    told = check_members(policy, history)
    if not is_open(policy):
        return policy, tuple(told)
    policy = _with_members(policy, history, where, told)
    payable = [each.take(np.flatnonzero(member_mask(policy, each) & (each.faults < 0))) for each in history]
    policy = _with_groups(policy, payable, where, told)
    return policy if priced else _with_unit_value(policy, payable, where, told), tuple(told)


# -- members -----------------------------------------------------------------------------------------------------------
def check_members(policy: Policy, history: Iterable[Cases]) -> list[Problem]:
    """Refuse members that no list of hospitals knows; without a list, tell those that have no case."""
    spec = policy.file.members
    if spec is None or not spec.hospitals:
        return []
    known: dict[str, None] = {}
    listed = False
    for cases in history:
        listed = listed or cases.hospitals is not None
        known |= dict.fromkeys([*(cases.hospitals or ()), *cases.hospital.values])
    unknown = [name for name in spec.hospitals if name not in known]
    if unknown and not listed:
        whole = len(spec.hospitals)
        what = text(
            "{count} of the {whole} members of {policy} have no case here: {names}",
            count=len(unknown),
            whole=whole,
            policy=policy.id,
            names=", ".join(unknown[:12]),
        )
        return [Problem("settle-members-absent", what, fix=text("give hospitals.csv, so that a mistyped id is found"))]
    problems = [
        Problem(
            "settle-unknown-member",
            text("{policy} names the member {name!r}, which is no hospital here", policy=policy.id, name=name),
            where="members.hospitals",
            why=text("its cases could not be told from those of others"),
            fix=did_you_mean(name, list(known)) or text("the hospitals are {names}", names=", ".join(list(known)[:12])),
        )
        for name in unknown
    ]
    if problems:
        raise InputError(problems)
    return []


def member_mask(policy: Policy, cases: Cases) -> NDArray[np.bool_]:
    """(N,) whether each case is of a member; all are where the policy names none."""
    spec = policy.file.members
    if spec is None:
        return np.ones(cases.size, np.bool_)
    named = cases.hospital.among(spec.hospitals)
    if spec.count is not None:
        return named
    wanted = set(spec.levels)
    return np.asarray(named | np.array([bool(wanted & set(keys)) for keys in cases.levels] or [False])[cases.level])


def _with_members(policy: Policy, history: Sequence[Cases], where: str, told: list[Problem]) -> Policy:
    spec = policy.file.members
    if spec is None or spec.hospitals or spec.count is None:
        return policy
    listed = sorted({
        name for cases in history for name, entry in (cases.hospitals or {}).items() if policy.id in entry.member_of
    })  # fmt: skip
    if listed:
        how = text("as hospitals.csv names them")
    else:
        listed = _largest(spec, history)
        hospitals = _hospitals(listed)
        if spec.levels:
            hospitals = text("{hospitals} of level {levels}", hospitals=hospitals, levels=", ".join(spec.levels))
        how = text("the {hospitals} with most discharges in {where}", hospitals=hospitals, where=where)
        if len(listed) != spec.count:
            how = text("{how}; {count} were asked for", how=how, count=spec.count)
        how = text("{how}; assumption, as no list names them", how=how)
        if not listed:
            how = text("no hospital has a discharge in {where}", where=where)
            if spec.levels:
                how = text(
                    "no hospital of level {levels} has a discharge in {where}", levels=", ".join(spec.levels), where=where
                )
    what = text("{policy} has no members, and every case is paid by item: {how}", policy=policy.id, how=how)
    if listed and _simulated(policy):
        what = text(
            "{policy} simulates {hospitals} without paying by groups: {listed} ({how})",
            policy=policy.id,
            hospitals=_hospitals(listed),
            listed=", ".join(listed),
            how=how,
        )
    elif listed:
        what = text(
            "{policy} pays {hospitals} by groups and all others by item: {listed} ({how})",
            policy=policy.id,
            hospitals=_hospitals(listed),
            listed=", ".join(listed),
            how=how,
        )
    fix = (
        ""
        if how.startswith("as ")
        else text("name {policy} in the column member_of of hospitals.csv, or set members.hospitals", policy=policy.id)
    )
    told.append(Problem("settle-members", what, fix=fix))
    note = text("{note}; {how}", note=spec.note, how=how) if spec.note else how
    return _with(policy, members=spec.model_copy(update={"hospitals": tuple(listed), "note": note}))


def _hospitals(listed: Sequence[str]) -> str:
    return counted(len(listed), "{count} hospital", "{count} hospitals")


def _simulated(policy: Policy) -> bool:
    """Whether the policy pays every case by item, and tells beside it what groups would pay."""
    return policy.file.shadow is not None and policy.file.shadow.value


def _largest(spec: Members, history: Sequence[Cases]) -> list[str]:
    count: dict[str, int] = {}
    for cases in history:
        of_level = np.array([not spec.levels or bool(set(spec.levels) & set(keys)) for keys in cases.levels] or [True])
        number = np.bincount(cases.hospital.ids[of_level[cases.level]] + 1, minlength=len(cases.hospital.values) + 1)
        for name, cases_of in zip(cases.hospital.values, number[1:].tolist(), strict=True):
            entry = (cases.hospitals or {}).get(name)
            listed = entry is None or not spec.levels or bool(set(spec.levels) & set(level_keys(entry.level, entry.grade)))
            if cases_of and listed:
                count[name] = count.get(name, 0) + cases_of
    return sorted(sorted(count, key=lambda name: (-count[name], name))[: spec.count])


# -- groups ------------------------------------------------------------------------------------------------------------
def _with_groups(policy: Policy, payable: Sequence[Cases], where: str, told: list[Problem]) -> Policy:
    spec = policy.file.group_selection
    if spec is None or spec.groups or spec.from_history is None:
        return policy
    costs = _of_table(policy.prices) if policy.prices is not None else None
    where = text("the table of weights") if costs is not None else where
    groups = (costs or _of_cases(payable)).choose(spec.from_history)
    rule = spec.from_history
    how = text(
        "those of largest {by} with CV below {cv:g} in {where}",
        by=_BY[rule.by.value],
        cv=rule.maximum_cv.value,
        where=where,
    )
    if len(groups) != rule.groups.value:
        how = text("{how}; {count} were asked for, and no more fit", how=how, count=rule.groups.value)
    number = f"{len(groups)} group" + ("" if len(groups) == 1 else "s")
    what = text(
        "{policy} pays {number} by their prices and all others by item: {how}",
        policy=policy.id,
        number=number,
        how=how,
    )
    if _simulated(policy):
        what = text(
            "{policy} simulates {number} without paying by them: {how}",
            policy=policy.id,
            number=number,
            how=how,
        )
    told.append(Problem("settle-groups-chosen", what, where=", ".join([*groups[:12], *(["..."] if groups[12:] else [])])))
    return _with(policy, group_selection=spec.model_copy(update={"groups": groups, "note": how}))


def _of_table(prices: PriceTable) -> GroupCosts | None:
    """Costs by group that a table of weights states; None where it lacks a column."""
    if any(name not in prices.numbers for name in TABLE_COLUMNS):
        return None
    cases, mean, cv = (prices.numbers[name] for name in TABLE_COLUMNS)
    return GroupCosts(prices.codes, cases, np.round(cases * mean * FEN_PER_YUAN), cv)


def _of_cases(history: Sequence[Cases]) -> GroupCosts:
    codes, groups = numbered_groups(history)
    costs = np.concatenate([each.money["total_cost"] for each in history])
    used = (groups >= 0) & (costs > 0)
    statistics = group_statistics(costs[used] / FEN_PER_YUAN, groups[used], len(codes))
    total = np.zeros(len(codes), np.int64)
    np.add.at(total, groups[used], costs[used])
    return GroupCosts(codes, statistics.count.astype(np.float64), total.astype(np.float64), statistics.cv)


# -- the price level ---------------------------------------------------------------------------------------------------
def _with_unit_value(policy: Policy, payable: Sequence[Cases], where: str, told: list[Problem]) -> Policy:
    """Unit value = cost / relative value of the cases that groups would have paid (rule book 1.5, all cases alike)."""
    flag = policy.file.unit_value_from_history
    if flag is None or not flag.value or policy.file.unit_value is not None:
        return policy
    cost, value = 0, 0.0
    for cases in payable:
        worth = _values(policy, cases)
        used = ~np.isnan(worth) & (worth > 0) & (cases.money["total_cost"] > 0) & chosen_mask(policy, cases)
        cost += int(cases.money["total_cost"][used].sum())
        value += float(np.round(worth[used] * 10_000).sum()) / 10_000
    if not value:
        return policy
    price = round(cost / FEN_PER_YUAN / value, 2)
    what = text(
        "{policy} states no unit value: {price:,.2f} yuan, the cost per relative value of these groups in {where}",
        policy=policy.id,
        price=price,
        where=where,
    )
    told.append(Problem("settle-unit-value-of-history", what, fix=text("set unit_value, or give a budget")))
    keyed = Keyed(
        values={"*": price}, unit=text("yuan per unit"), source=SOURCE, evidence=Evidence.ASSUMPTION,
        note=text("cost per relative value in {where}", where=where),
    )  # fmt: skip
    return _with(policy, unit_value=keyed)


def _values(policy: Policy, cases: Cases) -> NDArray[np.float64]:
    """Relative value of each case: its own, else that of the table; NaN where there is none."""
    scale = policy.file.relative_value.scale.value
    own = cases.numbers["relative_value"]
    own = np.where(np.isnan(own), cases.numbers["relative_weight"] * scale, own)
    if policy.prices is None:
        return own
    name, values = policy.prices.relative_value
    place = np.array([policy.prices.places.get(code, -1) for code in cases.unit.values] + [-1])[cases.unit.ids]
    table = np.append(values * (scale if name == "weight" else 1.0), np.nan)[place]
    return np.where(np.isnan(own), table, own)


def chosen_mask(policy: Policy, cases: Cases) -> NDArray[np.bool_]:
    """(N,) whether the group of each case is one of those chosen; all are where the policy chooses none."""
    spec = policy.file.group_selection
    return np.ones(cases.size, np.bool_) if spec is None else cases.unit.among(set(spec.groups))


def _with(policy: Policy, **sections: Any) -> Policy:
    return replace(policy, file=policy.file.model_copy(update=sections))


def selection_record(policy: Policy) -> Mapping[str, Any]:
    """Members and groups by which a policy was settled, for the record of a run; nothing where it pays all alike."""
    members, groups = policy.file.members, policy.file.group_selection
    record: dict[str, Any] = {}
    if members is not None:
        record["members"] = {"hospitals": list(members.hospitals), "levels": list(members.levels), "how": members.note}
    if groups is not None:
        record["groups"] = {"groups": list(groups.groups), "how": groups.note}
    return {"selection": record} if record else {}
