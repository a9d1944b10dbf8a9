"""What each case is paid, computed a second time: dictionaries and fractions, from the policy's text and the rule book.

The formulas, in our own words:

- A case is worth relative value x coefficient x unit value (rule book 1.5, 2.1, 3.2); where a region publishes standards, that.
- r = cost / (what the group costs x coefficient), or without the coefficient where the curve says so; x = cost / what the
  group costs (2.4, 3.6). What it costs is, nearest first: the mean stated with the case, the table's mean, mean cost of all
  cases x weight, the mean of group and level among the cases, the price itself.
- The curve of r gives what is paid per unit of relative value; a bill (``actual``) is paid in yuan (1.7, 1.8, 2.4, 3.6).
- With a budget: unit value = (budget / fund's share x (1 - adjustment fund) - what is fixed in yuan) / units (2.2, 3.3).
- The fund owes amount - patient - other funds, together not below 0 for a hospital, payer and year (1.6, 2.2, 3.7).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.audit.plain_numbers import day, fen, formula, number
from tests.audit.policy_text import PolicyText, level_keys, nearest

PAYERS = {"employee": "employee", "resident": "resident", "self": "self", "310": "employee", "390": "resident"}
YES = {"1", "true", "True", "是"}
Row = Mapping[str, Any]


@dataclass
class Given:
    """What comes beside the policy: hospitals (id -> level, grade, coefficient), coefficients by hospital and group, a table of
    relative values of one's own, a budget or unit values by payer (``*`` for all).
    """

    hospitals: Mapping[str, Mapping[str, str]] | None = None
    coefficients: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, str]] | None = None
    budget: Mapping[str, Fraction] | None = None
    fund_share: Fraction = Fraction(1)
    unit_value: Mapping[str, Fraction] | None = None


@dataclass
class Paid:
    """A case on its way. Money in yuan as fractions, amounts in fen; ``amount`` None: unpaid."""

    row: Row
    cost: Fraction | None
    payer: str | None
    levels: list[str]
    group: str
    discharged: date | None
    case_class: str = ""
    group_class: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    refused: bool = False
    curve: Mapping[str, Any] | None = None
    used: Mapping[str, Any] | None = None  # the curve, also after a piece of it paid the bill
    multiple: Fraction | None = None
    limits: Mapping[str, Fraction | None] = field(default_factory=dict)
    units: Fraction | None = None  # relative value, with the auxiliary coefficient
    value: Fraction | None = None  # relative value alone
    weight: Fraction | None = None
    coefficient: Fraction | None = None
    factor: Fraction = Fraction(1)  # readmission, age, class
    published: Fraction | None = None
    unit_value: Fraction | None = None
    reference: Fraction | None = None  # without coefficient
    compared: Fraction | None = None  # what r divides by
    ratio: Fraction | None = None
    paid_units: Fraction | None = None
    standard: Fraction | None = None  # yuan, not rounded
    beside: Fraction = Fraction(0)  # yuan beside what the units are worth
    points: Fraction | None = None  # stated in points, whatever the curve says
    amount: int | None = None
    fund: int | None = None
    above: int | None = None

    @property
    def bare(self) -> bool:
        """A group with a published standard and no relative value: no unit value changes what it is paid."""
        return self.curve is not None and self.published is not None and self.value is None

    @property
    def cost_fen(self) -> int:
        """The bill."""
        assert self.cost is not None
        return fen(self.cost)

    def unpaid(self, why: str) -> None:
        """No rule gives an amount."""
        self.case_class, self.why, self.amount, self.curve, self.paid_units = "unpaid", why, None, None, None
        self.points = self.standard = None

    def pays(self, case_class: str, yuan: Fraction | None) -> None:
        """An amount fixed in yuan."""
        if yuan is None:
            self.unpaid(f"{case_class} lacks its amount")
            return
        self.case_class, self.amount, self.curve, self.paid_units = case_class, fen(yuan), None, None


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _marked(row: Row, name: str) -> bool:
    return _text(row, name) in YES


class Audit:
    """One settlement of cases under a policy."""

    def __init__(self, policy: PolicyText, rows: Sequence[Row], given: Given | None = None) -> None:
        self.policy, self.given = policy, given or Given()
        self.unit_values: dict[str, Fraction] = {}
        self.cases = [self._begin(row) for row in rows]
        self._readmissions()
        for case in self.cases:
            if not case.case_class:
                self._route(case)
        self._values_from_cases()
        self._means_from_cases()
        self._prices()
        for case in self.cases:
            if case.curve is not None:
                self._compare(case)
        self._unit_values()
        self._amounts()
        for case in self.cases:
            self._exempt(case)
        self._extreme_cap()
        self._special_review()
        self._unit_values()
        self._amounts()
        self._fund()

    # -- what a case is ----------------------------------------------------------------------------------------------
    def _begin(self, row: Row) -> Paid:
        name = _text(row, "hospital_id")
        listed = (self.given.hospitals or {}).get(name, {})
        level = _text(row, "hospital_level") or str(listed.get("level") or "")
        grade = _text(row, "hospital_grade") or str(listed.get("grade") or "")
        kinds = ("unit", "dip", "drg") if self.policy.at("method") == "dip" else ("unit", "drg", "dip")
        column = next((kind for kind in kinds if kind in row), "drg")
        cost, payer = number(row.get("total_cost")), PAYERS.get(_text(row, "insurance"))
        keys = level_keys(level, grade)
        classes = self.policy.at("hospital_classes.values", {})
        keys += next(([classes[key]] for key in keys if key in classes), [])  # the class that a level is taken for, last
        case = Paid(row, cost, payer, keys, _text(row, column), day(row.get("discharged")))
        if case.cost is None or case.cost < 0:
            case.unpaid("no cost")
        elif any((number(row.get(part)) or 0) < 0 for part in ("patient_paid", "other_paid")):
            case.unpaid("a part of the bill is below 0")
        elif self.given.hospitals is not None and name not in self.given.hospitals:
            case.unpaid("hospital not listed")
        case.refused = bool(case.case_class)
        return case

    def _readmissions(self) -> None:
        """A return in the same group within n days multiplies the earlier stay (2.1)."""
        told = self.policy.at("readmission")
        if not told:
            return
        within, factor = int(told["within_days"]["value"]), self.policy.must("readmission.factor")
        anywhere = self.policy.value("readmission.scope") == "region"
        stays: dict[Any, list[Paid]] = defaultdict(list)
        for case in self.cases:
            patient = _text(case.row, "patient_id")
            if case.case_class or case.payer == "self" or not patient or not case.group:
                continue
            if case.group.startswith(tuple(told.get("except_groups", ()))):
                continue
            place = "" if anywhere else _text(case.row, "hospital_id")
            stays[patient, place, case.group].append(case)
        for group in stays.values():
            for earlier in group:
                if earlier.discharged and any(_returns(earlier, later, within) for later in group if later is not earlier):
                    earlier.factor *= factor

    def _class_of(self, case: Paid) -> Mapping[str, Any]:
        row = self.policy.table.get(case.group, {})
        kind = _text(case.row, "kind") or row.get("kind", "")
        operation = _text(case.row, "operation_class")
        classes = self.policy.raw.get("group_classes", {})
        if self._unstable(case):
            return dict(classes[self.policy.at("unstable.group_class")])
        by_name = [entry for name, entry in classes.items() if row.get("class") == name]
        for key, word in (
            ("groups", case.group),
            ("tags", row.get("tag", "")),
            ("kinds", kind),
            ("operation_classes", operation),
        ):
            by_name += [entry for entry in classes.values() if word and word in entry.get(key, ())]
        return dict(by_name[0]) if by_name else {}

    def _unstable(self, case: Paid) -> bool:
        """Too few cases or too large a CV in the table of groups (2.1)."""
        if self.policy.value("unstable.detect") != "table" or self.given.weights is None:
            return False
        row = self.given.weights.get(case.group, {})
        cases, cv = number(row.get("cases")), number(row.get("cv"))
        least, most = self.policy.must("unstable.minimum_cases"), self.policy.must("unstable.maximum_cv")
        return (cases is not None and cases < least) or (cv is not None and cv > most)

    # -- which rule decides ------------------------------------------------------------------------------------------
    def _route(self, case: Paid) -> None:
        case.group_class = self._class_of(case)
        row, method = case.row, self.policy.at("method")
        if case.payer == "self":
            case.pays("self_pay", case.cost)
            return
        if _marked(row, "by_item") or method == "by_item":
            case.pays("by_item", case.cost)
            return
        if method in ("rate", "points", "dip") and self._has_no_group(case):
            return
        pays = case.group_class.get("pays", "curve")
        if pays == "by_item" and case.cost is not None:
            case.pays("by_item", case.cost * Fraction(case.group_class.get("cost_share", {}).get("value", "1")))
        elif pays == "per_diem" or method == "per_diem" or _marked(row, "per_diem"):
            self._per_diem(case)
        elif pays != "curve":
            case.unpaid(f"the auditor knows no class that pays {pays}")
        elif self._is_short(case):
            case.pays("by_item", case.cost)
        elif self._is_long(case):
            case.pays("over_60_days", case.cost)
        else:
            self._to_the_curve(case)

    def _has_no_group(self, case: Paid) -> bool:
        """Blank, 0000 and ambiguous groups are no groups, unless the policy's table holds a value for the code (1.1)."""
        ambiguous = bool(re.fullmatch(r"[A-Z]?QY", case.group))
        if not ambiguous and case.group not in ("", "0000"):
            return False
        row = self.policy.table.get(case.group, {})
        if case.group and (self._table_value(case.group) is not None or self._table_standard(row, case) is not None):
            return False
        if "value_from_cases" in case.group_class:
            return False
        name = "ambiguous" if ambiguous else "ungrouped"
        if self.policy.value(name) == "by_item" and case.cost is not None:
            case.pays(name, case.cost * Fraction(self.policy.at(f"{name}.cost_share", "1")))
        else:
            case.unpaid("the auditor knows no other way for cases without a group")
        return True

    def _per_diem(self, case: Paid) -> None:
        """Days x rate (4.5); a rate of the case goes before that of the policy."""
        rate = number(case.row.get("per_diem_rate")) or nearest(self.policy.at("per_diem.rate"), case.levels, case.payer)
        days = number(case.row.get("los_days"))
        if self.policy.at("per_diem.rate_unit") == "point" and rate is not None and days is not None:
            case.case_class, case.points = "per_diem", rate * days
        else:
            case.pays("per_diem", None if rate is None or days is None else rate * days)

    def _is_long(self, case: Paid) -> bool:
        most, days = self.policy.fraction("stays.long_days"), number(case.row.get("los_days"))
        return most is not None and days is not None and days > most

    def _is_short(self, case: Paid) -> bool:
        most, days = self.policy.fraction("stays.short_days"), number(case.row.get("los_days"))
        return most is not None and days is not None and days <= most

    def _to_the_curve(self, case: Paid) -> None:
        name = case.group_class.get("curve", "main")
        if _marked(case.row, "incomplete") and self.policy.at("stays.incomplete_curve"):
            name = self.policy.at("stays.incomplete_curve")
        case.curve = self.policy.raw["curves"][name]
        case.coefficient = self._coefficient(case)
        case.published = self._published(case)
        case.value = self._relative_value(case)
        scale = self.policy.must("relative_value.scale")
        if case.value is not None:
            case.value *= Fraction(case.group_class.get("value_factor", {}).get("value", "1"))
            case.weight = case.value / scale
        factor = number(case.group_class.get("factor", {}).get("value"))
        case.factor *= (1 if factor is None else factor) * self._age_factor(case)
        bands = [band for curve in self.policy.raw["curves"].values() for band in curve.get("bands", [])]
        if not case.levels and any("levels" in band.get("when", {}) for band in bands):
            case.unpaid("the level decides and is not known")
        elif case.coefficient is None:
            case.unpaid("no coefficient")
        elif case.value is None and case.published is None and "value_from_cases" not in case.group_class:
            case.unpaid("no relative value")

    def _age_factor(self, case: Paid) -> Fraction:
        age = number(case.row.get("age"))
        for entry in self.policy.raw.get("age_factors", []):
            if age is not None and age < Fraction(entry["age_below"]):
                return Fraction(entry["value"])
        return Fraction(1)

    # -- values, coefficients, standards -----------------------------------------------------------------------------
    def _table_value(self, group: str) -> Fraction | None:
        scale = self.policy.must("relative_value.scale")
        row = self.policy.table.get(group, {}) if self.given.weights is None else self.given.weights.get(group, {})
        for name in ("relative_value", "points", "score"):
            if row.get(name):
                return number(row[name])
        weight = number(row.get("weight"))
        return None if weight is None else weight * scale

    def _relative_value(self, case: Paid) -> Fraction | None:
        scale = self.policy.must("relative_value.scale")
        stated, weight = number(case.row.get("relative_value")), number(case.row.get("relative_weight"))
        if stated is not None:
            return stated
        if weight is not None:
            return weight * scale
        found = self._table_value(case.group)
        return number(case.row.get("score")) if found is None and self.policy.at("method") == "dip" else found

    def _published(self, case: Paid) -> Fraction | None:
        """The standard that a region publishes for a group, by level; a value or coefficient of the case, values of one's own
        and prices from outside go before it.
        """
        own = any(_text(case.row, name) for name in ("relative_value", "relative_weight", "coefficient"))
        if own or self.given.weights is not None:
            return None
        standard = self._table_standard(self.policy.table.get(case.group, {}), case)
        priced = self.given.budget is not None or self.given.unit_value is not None
        return None if priced and self._table_value(case.group) is not None else standard

    def _table_standard(self, row: Mapping[str, str], case: Paid) -> Fraction | None:
        if not self.policy.says("relative_value.standard_from_table"):
            return None
        for level in case.levels:
            for name in (f"standard_{level}_{case.payer}", f"standard_{level}"):
                if row.get(name):
                    return number(row[name])
        return number(row.get(f"standard_{case.payer}") or row.get("standard"))

    def _coefficient(self, case: Paid) -> Fraction | None:
        stated = number(case.row.get("coefficient"))
        if stated is not None:
            return stated
        fixed = number(case.group_class.get("coefficient", {}).get("value"))
        if fixed is not None:
            return fixed
        of_class = nearest(case.group_class.get("coefficient_by"), case.levels, case.payer, case.discharged)
        if of_class is not None:
            return of_class
        found, cap = self._coefficient_outside(case), number(case.group_class.get("coefficient_cap", {}).get("value"))
        return found if found is None or cap is None else min(found, cap)

    def _coefficient_outside(self, case: Paid) -> Fraction | None:
        """Of the group at the hospital, of the group, of the hospital, of its level, by default."""
        hospital, own = _text(case.row, "hospital_id"), "coefficient_of_level" not in case.group_class
        listed = self.given.coefficients
        if own and (hospital, case.group) in listed:
            return listed[hospital, case.group]
        if ("*", case.group) in listed:
            return listed["*", case.group]
        if self.policy.says("relative_value.coefficient_from_table"):
            row = self.policy.table.get(case.group, {})
            for level in case.levels:
                if row.get(f"coef_{level}"):
                    return number(row[f"coef_{level}"]) or None  # 0: the level does not treat the group, and is not paid
        if own and (hospital, "*") in listed:
            return listed[hospital, "*"]
        of_hospital = number((self.given.hospitals or {}).get(hospital, {}).get("coefficient"))
        if self.policy.says("coefficient.by_hospital") and own and of_hospital is not None:
            return of_hospital
        by_level = nearest(self.policy.at("coefficient.by"), case.levels, case.payer, case.discharged)
        return by_level if by_level is not None else self.policy.fraction("coefficient.default")

    def _values_from_cases(self) -> None:
        """A kind without a value is worth its mean cost over that of all cases that are settled (blank kinds of DIP)."""
        scale = self.policy.must("relative_value.scale")
        counted = [case for case in self.cases if self._counts_in_means(case)]
        lacking = [
            case
            for case in self.cases
            if case.curve is not None and case.value is None and "value_from_cases" in case.group_class
        ]
        if not lacking:
            return
        of_all = sum((case.cost for case in counted if case.cost), Fraction(0)) / max(1, len(counted))
        for group in {case.group for case in lacking}:
            costs = [case.cost for case in counted if case.group == group and case.cost is not None]
            for case in lacking:
                if case.group == group:
                    if costs and of_all:
                        case.weight = sum(costs, Fraction(0)) / len(costs) / of_all
                        case.value = scale * case.weight
                    else:
                        case.unpaid("no mean cost")

    def _counts_in_means(self, case: Paid) -> bool:
        """Whether a case counts in the mean of its group and of all: not refused, with a cost; self-payers too (3.2)."""
        return not case.refused and bool(case.cost)

    def _means_from_cases(self) -> None:
        self.means: dict[tuple[str, str], Fraction] = {}
        if not self.policy.says("reference.from_cases"):
            return
        sums: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
        for case in self.cases:
            if self._counts_in_means(case):
                sums[case.group, _digit(case)].append(case.cost)
        self.means = {key: sum(costs, Fraction(0)) / len(costs) for key, costs in sums.items()}

    # -- prices ------------------------------------------------------------------------------------------------------
    def _budget(self, payer: str | None) -> tuple[str, Fraction] | None:
        budget = self.given.budget or {}
        key = payer if payer in budget else "*" if "*" in budget else None
        if key is None:
            return None
        whole, held = fen(budget[key] / self.given.fund_share), self.policy.fraction("adjustment_fund") or Fraction(0)
        return key, Fraction(whole - fen(held * whole / 100), 100)  # a budget is money: whole fen

    def _prices(self) -> None:
        """Unit values that are stated; or, with a budget, the one that would follow if every case were normal."""
        for case in self.cases:
            aux = number(case.row.get("auxiliary_coefficient"))
            case.units = None if case.value is None else case.value * (1 if aux is None else aux)
            if self.given.budget is None and case.curve is not None:
                case.unit_value = self._stated_unit_value(case)
        if self.given.budget is None:
            return
        for case in self.cases:
            if self._budget(case.payer) is None and case.curve is not None:
                case.unpaid("a payer without a part in the budget")
        self._share_budget(lambda case: case.coefficient, expected=True)

    def _share_budget(self, per_unit: Callable[[Paid], Fraction | None], expected: bool = False) -> None:
        """Unit values from what the budget leaves over the units, each case paid ``per_unit`` of its relative value.

        Where nothing is left, units are not paid; an ``expected`` price decides so only for cases that are compared with it.
        """
        units: dict[str, Fraction] = defaultdict(Fraction)
        fixed: dict[str, Fraction] = defaultdict(Fraction)
        of_budget = [(case, found) for case in self.cases if case.payer != "self" and (found := self._budget(case.payer))]
        for case, (key, _) in of_budget:
            share = per_unit(case) if case.curve is not None else None
            if case.points is not None:
                units[key] += case.points
            elif case.bare and share is not None:
                fixed[key] += Fraction(fen((self._price_of_one(case) or 0) * share * case.factor), 100)
            elif share is not None and case.units is not None:
                units[key] += case.units * share * case.factor
                fixed[key] += case.beside
            elif case.amount is not None:
                fixed[key] += Fraction(case.amount, 100)
        for case, (key, whole) in of_budget:
            if case.bare or (case.used is None and case.curve is None and case.points is None) or not units[key]:
                continue
            if whole > fixed[key]:
                case.unit_value = self.unit_values[key] = (whole - fixed[key]) / units[key]
            else:
                case.unit_value = None
                if not expected or self._reference(case) is None:
                    self._used_up(case)

    @staticmethod
    def _used_up(case: Paid) -> None:
        if case.curve is not None or case.points is not None:
            case.unpaid("the budget is used up")

    def _stated_unit_value(self, case: Paid) -> Fraction | None:
        told = case.group_class.get("unit_value")
        if self.given.unit_value is not None:
            return nearest({"values": self.given.unit_value}, case.levels, case.payer)
        of_class = nearest(told, case.levels, case.payer, case.discharged)
        if of_class is not None:
            return of_class
        if case.published is not None and case.coefficient and case.units:
            return case.published / case.units / case.coefficient
        return nearest(self.policy.at("unit_value"), case.levels, case.payer, case.discharged)

    def _reference(self, case: Paid) -> Fraction | None:
        stated = number(case.row.get("group_mean_cost"))
        if stated is not None:
            return stated
        if self.policy.says("reference.mean_from_table"):
            row = (self.given.weights or self.policy.table).get(case.group, {})
            names = [f"mean_cost_{level}" for level in case.levels] + ["mean_cost"]
            for name in names:
                if row.get(name):
                    return number(row[name])
        mean = nearest(self.policy.at("reference.mean_cost"), case.levels, case.payer, case.discharged)
        if mean is not None and case.weight is not None:
            return mean * case.weight
        if (case.group, _digit(case)) in self.means:
            return self.means[case.group, _digit(case)]
        return None if self.policy.says("reference.from_cases") else self._price_of_one(case)

    def _compare(self, case: Paid) -> None:
        """Ratio, band and piece of the curve; what it pays per unit of relative value."""
        assert case.curve
        assert case.cost is not None
        assert case.coefficient is not None
        case.reference = self._reference(case)
        if case.reference is not None:
            with_coefficient = case.curve.get("with_coefficient", "true") == "true"
            case.compared = case.reference * (case.coefficient if with_coefficient else 1)
            case.ratio = case.cost / case.compared if case.compared else None
        if self._price_of_one(case) is None and self.given.budget is None:
            case.unpaid("no unit value")
            return
        band = self._band(case)
        if band is None:
            case.unpaid("no band of the curve fits")
            return
        multiple = case.multiple = number(band.get("K"))
        case.used = case.curve
        pieces = case.curve["pieces"]
        limits = case.limits = {"K": multiple, "L": number(band.get("L"))}
        found = (piece for piece in pieces if len(pieces) == 1 or _holds(piece, case.ratio, limits))
        piece = next(found, None)
        if piece is None:
            case.unpaid("nothing to compare the cost with")
            return
        if piece["pays"] == "actual":
            case.pays(piece["case_class"], case.cost)
            return
        names = {
            "r": case.ratio,
            "k": case.coefficient,
            "K": multiple,
            "E": number(band.get("E")),
            "x": case.cost / case.reference if case.reference else None,
        }
        per_unit = formula(piece["pays"], names)
        if per_unit is not None and "cap" in piece:
            cap = formula(piece["cap"], names)
            per_unit = per_unit if cap is None else min(per_unit, cap)
        if per_unit is None:
            case.unpaid("the formula of the piece lacks a number")
            return
        case.case_class = piece["case_class"]
        case.paid_units = max(per_unit, Fraction(0))  # per unit of relative value, until the amount is made

    def _band(self, case: Paid) -> Mapping[str, Any] | None:
        assert case.curve is not None
        for band in case.curve.get("bands", [{}]):
            when = band.get("when", {})
            closed = when.get("closed", "true") == "true"
            limits = [(when.get("weight_upto"), case.weight), (when.get("coefficient_upto"), case.coefficient)]
            fits = [
                value is not None and (value < Fraction(limit) or (closed and value == Fraction(limit)))
                for limit, value in limits
                if limit
            ]
            if "levels" in when:
                fits.append(bool(set(when["levels"]) & set(case.levels)))
            if "payers" in when:
                fits.append(case.payer in when["payers"])
            if all(fits):
                return dict(band)
        return None

    # -- amounts -----------------------------------------------------------------------------------------------------
    def _unit_values(self) -> None:
        """With a budget: what is left after everything that is fixed in yuan, over the units that are paid."""
        if self.given.budget is not None:
            self._share_budget(lambda case: case.paid_units)

    def _amounts(self) -> None:
        for case in self.cases:
            price = self._price_of_one(case) if case.used is not None else None
            case.standard = None if price is None or case.coefficient is None else price * case.coefficient
            if case.curve is not None:
                self._amount(case)
            elif case.points is not None:
                price = case.unit_value if self.given.budget else self._stated_unit_value(case)
                case.amount = None if price is None else fen(case.points * price)

    def _amount(self, case: Paid) -> None:
        assert case.paid_units is not None
        assert case.coefficient is not None
        price = self._price_of_one(case)
        if price is None:
            case.unpaid("no unit value")
            return
        case.amount = fen(price * case.paid_units * case.factor + case.beside)

    def _price_of_one(self, case: Paid) -> Fraction | None:
        """Yuan of the case without coefficient: relative value x auxiliary coefficient x unit value, or as published."""
        aux = number(case.row.get("auxiliary_coefficient"))
        if case.published is not None and case.coefficient:
            return case.published / case.coefficient * (1 if aux is None else aux)
        return None if case.units is None or case.unit_value is None else case.units * case.unit_value

    def _exempt(self, case: Paid) -> None:
        """New technology (4.3): total above m x the mean and item above s of the total, both exclusive; pays the standard
        and what the item costs above the group's mean of its class.
        """
        if not self.policy.at("exempt") or case.standard is None or case.cost is None or case.reference is None:
            return
        cost, mean = number(case.row.get("exempt_cost")), number(case.row.get("exempt_mean_cost"))
        multiple, share = self.policy.must("exempt.total_multiple"), self.policy.must("exempt.cost_share")
        begins = day(self.policy.value("exempt.valid_from"))
        if cost is None or cost > case.cost or (begins and case.discharged and case.discharged < begins):
            return
        if case.cost > multiple * case.reference and cost > share * case.cost and mean is not None:
            self._pay_standard(case, "exempt")
            case.beside = cost - mean
            self._amount(case)

    def _pay_standard(self, case: Paid, case_class: str) -> None:
        """Relative value x coefficient, whatever the curve says, with the factors of the case."""
        case.case_class, case.curve, case.paid_units = case_class, case.used, case.coefficient
        self._amount(case)

    def _extreme_cap(self) -> None:
        """High cases beyond a share of a hospital's discharges, the largest excess first, are paid the standard (1.7)."""
        share = self.policy.fraction("extreme_cap")
        if share is None:
            return
        by_hospital: dict[str, list[Paid]] = defaultdict(list)
        for case in self.cases:
            by_hospital[_text(case.row, "hospital_id")].append(case)
        for cases in by_hospital.values():
            high = [case for case in cases if case.case_class == "high" and case.standard is not None]
            high.sort(key=_by_excess)
            most = share * sum(case.case_class != "unpaid" for case in cases)
            for case in high[most.numerator // most.denominator :]:
                self._pay_standard(case, "high")

    def _special_review(self) -> None:
        """Cases put forward for single review: those with a loss, the largest excess over the standard first, get their bill,
        at most the quota of the pool's discharges (rule book 5); never before the rule's date.
        """
        quota = self.policy.fraction("special_review.quota")
        begins = day(self.policy.at("special_review.quota.effective_from"))
        if quota is None:
            return
        assert self.policy.value("special_review.pays") == "by_item"
        most = quota * sum(case.case_class != "unpaid" and case.payer != "self" for case in self.cases)
        put = []
        for case in self.cases:
            early = begins and case.discharged and case.discharged < begins
            open_to_it = case.case_class in ("normal", "high", "low", "incomplete", "exempt") and not early
            if open_to_it and _marked(case.row, "special_review") and case.cost_fen > (case.amount or 0):
                put.append(case)
        put.sort(key=_by_excess)
        for case in put[: most.numerator // most.denominator]:
            case.pays("special_review", case.cost)
            case.beside = Fraction(0)

    def _fund(self) -> None:
        """Amount less patient and other funds; below 0 over hospital, payer and year, the hospital keeps what patients paid."""
        periods: dict[Any, list[Paid]] = defaultdict(list)
        net = self.policy.value("patient_share.net") or "hospital_year"
        for place, case in enumerate(self.cases):
            if case.amount is None:
                continue
            parts = [number(case.row.get(part)) or Fraction(0) for part in ("patient_paid", "other_paid")]
            case.fund, case.above = case.amount - sum(fen(part) for part in parts), 0
            if case.case_class == "self_pay":  # the bill is the patient's
                case.fund = 0
                continue
            when = case.discharged
            period: Any = place
            if net != "case":
                months = when.month if when and net == "hospital_month" else 0
                period = (_text(case.row, "hospital_id"), case.payer, when.year if when else 0, months)
            periods[period].append(case)
        for cases in periods.values():
            owed = sum(case.fund or 0 for case in cases)
            if owed < 0 and self.policy.says("patient_share.floor_at_zero"):
                for case in cases:  # the fund pays nothing for any of them
                    case.fund, case.above = 0, case.fund


def _by_excess(case: Paid) -> Any:
    """The largest excess of the bill over the standard first; equal ones by bill, group, hospital and id."""
    standard = fen(case.standard or Fraction(0))
    return (
        standard - case.cost_fen,
        -case.cost_fen,
        case.group,
        _text(case.row, "hospital_id"),
        _text(case.row, "discharge_id"),
    )


def _digit(case: Paid) -> str:
    return next((key[0] for key in case.levels if key[0].isdigit()), "")


def _returns(earlier: Paid, later: Paid, within: int) -> bool:
    admitted = day(later.row.get("admitted"))
    if admitted is None or earlier.discharged is None or _marked(later.row, "planned"):
        return False
    return 0 <= (admitted - earlier.discharged).days <= within


def _holds(piece: Mapping[str, Any], ratio: Fraction | None, limits: Mapping[str, Fraction | None]) -> bool:
    if ratio is None or "upto" not in piece:
        return ratio is not None
    limit = limits[piece["upto"]] if piece["upto"] in limits else Fraction(piece["upto"])
    return limit is not None and (ratio < limit or (piece.get("closed", "false") == "true" and ratio == limit))
