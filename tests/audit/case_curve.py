"""The payment curve: what a cost is compared with, band and piece, what a piece pays per unit; courses of normal cases.

r = cost / (what the group costs x coefficient), or without the coefficient where the curve says so; x = cost / what the group
costs (rule book 2.4, 3.6). What it costs is, nearest first: the mean stated with the case, the table's mean, mean cost of all
cases x weight, the mean of group and level among the cases, the price itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.audit.audited_case import Paid
from tests.audit.case_values import CaseValues
from tests.audit.plain_numbers import formula, fraction, number


class CaseCurve:
    """Comparing cases with the mean of their group, among all cases where the policy says so."""

    def __init__(self, values: CaseValues, cases: Sequence[Paid]) -> None:
        self.values, self.policy = values, values.policy
        self.from_cases = self.policy.says("reference.from_cases")
        self._values_from_cases(cases)
        sums: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
        for case in cases if self.from_cases else ():
            if _counts(case) and case.cost:
                sums[case.group, case.digit].append(case.cost)
        self.means = {key: sum(costs, Fraction(0)) / len(costs) for key, costs in sums.items()}

    def _values_from_cases(self, cases: Sequence[Paid]) -> None:
        """A kind without a value is worth its mean cost over that of all cases that are settled (blank kinds of DIP)."""
        lacking = [
            case for case in cases
            if case.curve is not None and case.value is None and "value_from_cases" in case.group_class
        ]  # fmt: skip
        if not lacking:
            return
        counted = [case for case in cases if _counts(case)]
        of_all = sum((case.cost for case in counted if case.cost), Fraction(0)) / max(1, len(counted))
        for case in lacking:
            costs = [other.cost for other in counted if other.group == case.group and other.cost is not None]
            if costs and of_all:
                case.weight = sum(costs, Fraction(0)) / len(costs) / of_all
                case.value = self.values.scale * case.weight
            else:
                case.unpaid("no mean cost")

    def reference(self, case: Paid) -> Fraction | None:
        """What the group costs, without coefficient."""
        found = self.values.mean_cost(case)
        if found is not None or self.values.sets_price:
            return found
        mean = self.values.keyed(self.policy.at("reference.mean_cost"), case)
        if mean is not None and case.weight is not None:
            return mean * case.weight
        if self.from_cases:
            return self.means.get((case.group, case.digit))
        return case.price_of_one

    def compare(self, case: Paid) -> None:
        """Ratio, band and piece of the curve; what it pays per unit of relative value."""
        assert case.curve
        assert case.cost is not None
        assert case.coefficient is not None
        case.reference = self.reference(case) if "compares" not in case.curve else None  # a standard whatever the cost
        if case.reference is not None:
            with_coefficient = case.curve.get("with_coefficient", "true") == "true"
            case.compared = case.reference * (case.coefficient if with_coefficient else 1)
            case.ratio = case.cost / case.compared if case.compared else None
        if case.price_of_one is None and self.values.given.budget is None:
            case.unpaid("no unit value")
            return
        place = _band(case)
        if place is None:
            case.unpaid("no band of the curve fits")
            return
        case.band, band = place, case.curve.get("bands", [{}])[place]
        case.multiple = number(band.get("K"))
        case.used = case.curve
        pieces = case.curve["pieces"]
        case.limits = {"K": case.multiple, "L": number(band.get("L"))}
        found = (piece for piece in pieces if len(pieces) == 1 or holds(piece, case.ratio, case.limits))
        piece = next(found, None)
        if piece is None:
            case.unpaid("nothing to compare the cost with")
        elif piece["pays"] == "actual":
            case.pays(piece["case_class"], case.cost)
        else:
            _pays_units(case, piece, number(band.get("E")))
        self._course(case)

    def _course(self, case: Paid) -> None:
        """Normal cases of a course, the first entry that fits: by item, or a multiple of the standard."""
        if case.case_class != "normal":
            return
        for told in self.policy.raw.get("courses", []):
            if not _of_course(told, case):
                continue
            case_class = told.get("case_class", "incomplete")
            if told["pays"] == "by_item":
                case.pays(case_class, case.cost)
            elif case.coefficient is not None:
                case.case_class, case.curve, case.paid_units = case_class, case.used, case.coefficient * fraction(told["pays"])
            return


def _of_course(told: Mapping[str, Any], case: Paid) -> bool:
    """Whether a case meets every condition; a limit of something unknown is not met."""
    days, ratio = case.stay.days, case.ratio
    checks = [str(case.row.get("discharge_way")) in told["ways"]] if "ways" in told else []
    for name, value in (("days_from", days), ("days_upto", days), ("ratio_over", ratio), ("ratio_upto", ratio)):
        if name in told:
            limit = fraction(told[name])
            fits = {
                "days_from": lambda value, limit: value >= limit, "ratio_over": lambda value, limit: value > limit,
            }.get(name, lambda value, limit: value <= limit)  # fmt: skip
            checks.append(value is not None and fits(value, limit))
    return all(checks)


def _counts(case: Paid) -> bool:
    """Whether a case counts in the mean of its group and of all: not refused, with a cost; self-payers too (3.2)."""
    return not case.refused and bool(case.cost)


def _pays_units(case: Paid, piece: Mapping[str, Any], excess_from: Fraction | None) -> None:
    assert case.cost is not None
    names = {
        "r": case.ratio, "k": case.coefficient, "K": case.multiple, "E": excess_from,
        "x": case.cost / case.reference if case.reference else None,
    }  # fmt: skip
    per_unit = formula(piece["pays"], names)
    if per_unit is not None and "cap" in piece:
        cap = formula(piece["cap"], names)
        per_unit = per_unit if cap is None else min(per_unit, cap)
    if per_unit is None:
        case.unpaid("the formula of the piece lacks a number")
        return
    case.case_class = piece["case_class"]
    case.paid_units = max(per_unit, Fraction(0))


def _band(case: Paid) -> int | None:
    """Place of the first band that fits weight, coefficient, level and payer."""
    assert case.curve is not None
    for place, band in enumerate(case.curve.get("bands", [{}])):
        when = band.get("when", {})
        closed = when.get("closed", "true") == "true"
        limits = [(when.get("weight_upto"), case.weight), (when.get("coefficient_upto"), case.coefficient)]
        fits = [
            value is not None and (value < fraction(limit) or (closed and value == fraction(limit)))
            for limit, value in limits
            if limit
        ]
        if "levels" in when:
            fits.append(bool(set(when["levels"]) & set(case.levels)))
        if "payers" in when:
            fits.append(case.payer in when["payers"])
        if all(fits):
            return place
    return None


def holds(piece: Mapping[str, Any], ratio: Fraction | None, limits: Mapping[str, Fraction | None]) -> bool:
    """Whether a ratio lies in a piece, given that it lies in none before."""
    if ratio is None or "upto" not in piece:
        return ratio is not None
    limit = limits[piece["upto"]] if piece["upto"] in limits else fraction(piece["upto"])
    return limit is not None and (ratio < limit or (piece.get("closed", "false") == "true" and ratio == limit))
