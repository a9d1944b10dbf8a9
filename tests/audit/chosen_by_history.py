"""Members, groups and price that a policy of a pilot leaves to history, found by the rules that its file states."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction

from tests.audit.audited_case import Paid
from tests.audit.case_values import CaseValues
from tests.audit.plain_numbers import fen, number
from tests.audit.policy_text import level_keys


class Chosen:
    """Who and what is paid by groups.

    Attributes
    ----------
    members, groups
        Ids and codes; None where the policy pays all alike.
    price
        Yuan per relative value; None where the policy or a budget gives it.
    """

    def __init__(self, values: CaseValues, cases: Sequence[Paid]) -> None:
        self.values, self.policy = values, values.policy
        self.members: set[str] | None = None
        self.groups: set[str] | None = None
        self.price: Fraction | None = None
        told = self.policy.at("members")
        self.names_members = bool(told)
        self.levels: set[str] = set() if not told or "count" in told else set(told.get("levels", []))
        if told:
            self.members = set(told.get("hospitals", [])) or (self._members(cases) if "count" in told else set())
        counted = [case for case in cases if not case.refused and self.is_member(case)]
        if self.policy.at("group_selection"):
            self.groups = set(self.policy.at("group_selection.groups", [])) or self._groups(counted)
        if self.policy.says("unit_value_from_history") and not self.policy.at("unit_value") and values.given.budget is None:
            self._price(counted)

    def is_member(self, case: Paid) -> bool:
        """Whether the case is one of a member; all are where none are named."""
        if self.members is None:
            return True
        return case.stay.hospital in self.members or bool(self.levels & set(case.levels))

    def is_chosen(self, case: Paid) -> bool:
        """Whether the group is paid by groups; all are where none are chosen."""
        return self.groups is None or case.group in self.groups

    def _members(self, cases: Sequence[Paid]) -> set[str]:
        """Those that hospitals.csv names, else the largest of the levels by discharges; equal ones by id."""
        hospitals = self.values.given.hospitals or {}
        told, name = self.policy.at("members"), self.policy.at("id")
        listed = {key for key, entry in hospitals.items() if name in entry.get("member_of", "").split(";")}
        if listed:
            return listed
        levels, size = set(told.get("levels", [])), Counter[str]()
        for case in cases:
            entry = hospitals.get(case.stay.hospital)
            fits = entry is None or bool(levels & set(level_keys(entry["level"], entry["grade"])))
            if case.stay.hospital and (not levels or (fits and levels & set(case.levels))):
                size[case.stay.hospital] += 1
        return set(sorted(size, key=lambda key: (-size[key], key))[: int(told["count"])])

    def _groups(self, counted: Sequence[Paid]) -> set[str]:
        """The groups of largest cost (or most cases) whose CV (population, untrimmed) lies below the limit; equal by code."""
        most = Fraction(self.policy.must("group_selection.from_history.maximum_cv"))
        by_cost = self.policy.value("group_selection.from_history.by") == "cost"
        size: dict[str, Fraction] = {}
        table = self.values.given.weights
        if table is not None and all({"cases", "mean_cost", "cv"} <= set(row) for row in table.values()):
            for group, row in table.items():
                cases, mean, cv = (number(row[name]) for name in ("cases", "mean_cost", "cv"))
                if cases is not None and mean is not None and cv is not None and cv < most and cases > 1:
                    size[group] = Fraction(fen(cases * mean)) if by_cost else cases
        else:
            costs: dict[str, list[int]] = defaultdict(list)
            for case in counted:
                if case.group and case.stay.cost_fen > 0:
                    costs[case.group].append(case.stay.cost_fen)
            for group, own in costs.items():
                total, squares = sum(own), sum(cost * cost for cost in own)
                variance = Fraction(squares, len(own)) - Fraction(total, len(own)) ** 2
                if len(own) > 1 and variance < (most * Fraction(total, len(own))) ** 2:
                    size[group] = Fraction(total if by_cost else len(own))
        ranked = sorted((group for group in size if size[group] > 0), key=lambda group: (-size[group], group))
        return set(ranked[: int(self.policy.must("group_selection.from_history.groups"))])

    def _price(self, counted: Sequence[Paid]) -> None:
        """Cost per relative value of what groups would have paid, all cases alike (1.5); a price is whole fen."""
        cost, worth = 0, Fraction(0)
        for case in counted:
            value = self.values.of_case(case)
            if value and case.stay.cost_fen > 0 and self.is_chosen(case):
                cost, worth = cost + case.stay.cost_fen, worth + value
        self.price = Fraction(fen(Fraction(cost, 100) / worth), 100) if worth else None
