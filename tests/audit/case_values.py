"""What a group is worth at a hospital: class, relative value, coefficient, published standard, mean cost, stated unit value.

Rule book 1.5, 2.1, 3.2 and 3.4; the nearest source goes first. Nothing here looks at other cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.audit.audited_case import Given, Paid
from tests.audit.plain_numbers import number
from tests.audit.policy_text import PolicyText, nearest


class CaseValues:
    """Values by a policy and what is given beside it."""

    def __init__(self, policy: PolicyText, given: Given) -> None:
        self.policy, self.given = policy, given
        self.scale = policy.must("relative_value.scale")
        self.dip = policy.at("method") == "dip"
        self.sets_price = policy.says("reference.sets_price")
        self.publishes = policy.says("relative_value.standard_from_table")
        self.classes: Mapping[str, Mapping[str, Any]] = policy.raw.get("group_classes", {})
        self.coefficients = {**policy.coefficients, **given.coefficients}
        self.weights = policy.table if given.weights is None else given.weights
        self._found: dict[Any, Any] = {}
        self.listed = {  # classes that the table names groups of
            name for name, entry in self.classes.items()
            if any(
                row.get("class") == name or group in entry.get("groups", ()) or group.startswith(tuple(entry.get("starts", ())))
                or any(row.get(key) and row[key] in entry.get(f"{key}s", ()) for key in ("tag", "kind"))
                for group, row in policy.table.items()
            )
        }  # fmt: skip

    def keyed(self, told: Mapping[str, Any] | None, case: Paid) -> Fraction | None:
        """A number by level and payer, in force at the discharge; kept, as many cases ask for the same."""
        if told is None:
            return None
        key = (id(told), tuple(case.levels), case.payer, case.discharged if "earlier" in told else None)
        if key not in self._found:
            self._found[key] = nearest(told, case.levels, case.payer, case.discharged)
        found: Fraction | None = self._found[key]
        return found

    # -- class -------------------------------------------------------------------------------------------------------
    def class_of(self, case: Paid) -> Mapping[str, Any]:
        """Of the table, else by code, tag, kind, operation class or beginning of the code, the first that says something."""
        key = (case.group, case.stay.kind)
        if key not in self._found:
            self._found[key] = self._class_of(*key)
        found: Mapping[str, Any] = self._found[key]
        return found

    def _class_of(self, group: str, kind: str) -> Mapping[str, Any]:
        row = self.policy.table.get(group, {})
        if self._unstable(group):
            return self.classes[self.policy.at("unstable.group_class")]
        alike = [
            entry
            for entry in self.classes.values()
            if group in entry.get("same_price_as", {}) and (kind in entry.get("kinds", [kind]))
        ]
        by_name = alike + [entry for name, entry in self.classes.items() if row.get("class") == name]
        for where, word in (
            ("groups", group), ("tags", row.get("tag", "")), ("kinds", row.get("kind", "")),
            ("operation_classes", row.get("operation_class", "")),
        ):  # fmt: skip
            by_name += [entry for entry in self.classes.values() if word and word in entry.get(where, ())]
        by_name += [entry for entry in self.classes.values() if group and group.startswith(tuple(entry.get("starts", ())))]
        for name, entry in self.classes.items():  # as the case itself says, where no table says which groups belong there
            if (group not in self.weights or name not in self.listed) and kind and kind in entry.get("kinds", ()):
                by_name.append(entry)
        return by_name[0] if by_name else {}

    def _unstable(self, group: str) -> bool:
        """Too few cases or too large a CV in the table of groups (2.1)."""
        if self.policy.value("unstable.detect") != "table" or self.given.weights is None:
            return False
        row = self.given.weights.get(group, {})
        cases, cv = number(row.get("cases")), number(row.get("cv"))
        least, most = self.policy.must("unstable.minimum_cases"), self.policy.must("unstable.maximum_cv")
        return (cases is not None and cases < least) or (cv is not None and cv > most)

    # -- relative value ----------------------------------------------------------------------------------------------
    def priced_as(self, case: Paid) -> str:
        """The group whose row of the table counts: its own, or that of the same price (同病同价)."""
        return str(case.group_class.get("same_price_as", {}).get(case.group, case.group))

    def of_table(self, group: str) -> Fraction | None:
        """Relative value that the table states, a weight in the policy's own unit."""
        row = self.weights.get(group, {})
        for name in ("relative_value", "points", "score"):
            if row.get(name):
                return number(row[name])
        weight = number(row.get("weight"))
        return None if weight is None else weight * self.scale

    def of_case(self, case: Paid) -> Fraction | None:
        """Stated with the case, else by the table, else the score of a kind."""
        if case.stay.value is not None:
            return case.stay.value
        if case.stay.weight is not None:
            return case.stay.weight * self.scale
        found = self.of_table(self.priced_as(case))
        return number(case.row.get("score")) if found is None and self.dip else found

    def value(self, case: Paid) -> None:
        """Relative value and weight; where the mean cost is the price, that is the value, and the weight chooses the band."""
        value = self.of_case(case)
        times = number(case.group_class.get("value_factor", {}).get("value"))
        value = value if value is None or times is None else value * times
        case.weight = None if value is None else value / self.scale
        case.value = self.mean_cost(case) if self.sets_price else value

    def published(self, case: Paid) -> Fraction | None:
        """The standard that a region publishes for a group, by level; a value or coefficient of the case, values of one's own
        and prices from outside go before it.
        """
        stay = case.stay
        own = any(part is not None for part in (stay.value, stay.weight, stay.coefficient))
        if own or self.given.weights is not None:
            return None
        group = self.priced_as(case)
        priced = self.given.budget is not None or self.given.unit_value is not None
        return None if priced and self.of_table(group) is not None else self.table_standard(group, case)

    def table_standard(self, group: str, case: Paid) -> Fraction | None:
        """The table's standard of a group, by level and payer, of the level, of the payer, of all."""
        if not self.publishes:
            return None
        row = self.policy.table.get(group, {})
        for level in case.levels:
            for name in (f"standard_{level}_{case.payer}", f"standard_{level}"):
                if row.get(name):
                    return number(row[name])
        return number(row.get(f"standard_{case.payer}") or row.get("standard"))

    # -- coefficient -------------------------------------------------------------------------------------------------
    def coefficient(self, case: Paid) -> Fraction | None:
        """Of the case, of its class, then what hospitals, groups and levels have, at most the cap of the class."""
        if case.stay.coefficient is not None:
            return case.stay.coefficient
        fixed = number(case.group_class.get("coefficient", {}).get("value"))
        if fixed is not None:
            return fixed
        of_class = self.keyed(case.group_class.get("coefficient_by"), case)
        if of_class is not None:
            return of_class
        found, cap = self._coefficient_outside(case), number(case.group_class.get("coefficient_cap", {}).get("value"))
        return found if found is None or cap is None else min(found, cap)

    def _coefficient_outside(self, case: Paid) -> Fraction | None:
        """Of the group at the hospital, of the group, of the hospital, of its level, by default."""
        hospital, own, group = case.stay.hospital, "coefficient_of_level" not in case.group_class, case.group
        if own and (hospital, group) in self.coefficients:
            return self.coefficients[hospital, group]
        if ("*", group) in self.coefficients:
            return self.coefficients["*", group]
        if self.policy.says("relative_value.coefficient_from_table"):
            row = self.policy.table.get(self.priced_as(case), {})
            for level in case.levels:
                if row.get(f"coef_{level}"):
                    return number(row[f"coef_{level}"]) or None  # 0: the level does not treat the group, and is not paid
        if own and (hospital, "*") in self.coefficients:
            return self.coefficients[hospital, "*"]
        of_hospital = number((self.given.hospitals or {}).get(hospital, {}).get("coefficient"))
        if self.policy.says("coefficient.by_hospital") and own and of_hospital is not None:
            return of_hospital
        by_level = self.keyed(self.policy.at("coefficient.by"), case)
        return by_level if by_level is not None else self.policy.fraction("coefficient.default")

    # -- cost and price ----------------------------------------------------------------------------------------------
    def mean_cost(self, case: Paid) -> Fraction | None:
        """Mean cost of the group: stated with the case, or in the table by level and payer."""
        if case.stay.mean is not None:
            return case.stay.mean
        if not self.policy.says("reference.mean_from_table"):
            return None
        row = self.weights.get(self.priced_as(case), {})
        names = [f"mean_cost_{level}{payer}" for level in case.levels for payer in (f"_{case.payer}", "")]
        for name in (*names, f"mean_cost_{case.payer}", "mean_cost"):
            if row.get(name):
                return number(row[name])
        return None

    def unit_value(self, case: Paid) -> Fraction | None:
        """As given, of the class, as the published standard implies, of the policy."""
        if self.given.unit_value is not None:
            return nearest({"values": self.given.unit_value}, case.levels, case.payer)
        of_class = self.keyed(case.group_class.get("unit_value"), case)
        if of_class is not None:
            return of_class
        if case.published is not None and case.coefficient and case.units:
            return case.published / case.units / case.coefficient
        return self.keyed(self.policy.at("unit_value"), case)

    def factor(self, case: Paid) -> Fraction:
        """Of the class and of the age."""
        factor = number(case.group_class.get("factor", {}).get("value"))
        factor = Fraction(1) if factor is None else factor
        for entry in self.policy.raw.get("age_factors", []):
            if case.stay.age is not None and case.stay.age < Fraction(entry["age_below"]):
                return factor * Fraction(entry["value"])
        return factor
