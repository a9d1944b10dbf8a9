"""Which rule decides on a case before its cost is compared: bills, days, fixed amounts, cases without a group, or the curve."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.audit.audited_case import Paid, text
from tests.audit.case_values import CaseValues
from tests.audit.chosen_by_history import Chosen
from tests.audit.plain_numbers import fen, number


def shorten_returns(values: CaseValues, cases: Sequence[Paid]) -> None:
    """A return in the same group within n days multiplies the earlier stay (2.1)."""
    policy = values.policy
    told = policy.at("readmission")
    if not told:
        return
    within, factor = int(told["within_days"]["value"]), policy.must("readmission.factor")
    anywhere = policy.value("readmission.scope") == "region"
    stays: dict[Any, list[Paid]] = defaultdict(list)
    for case in cases:
        if case.case_class or case.payer == "self" or not case.stay.patient or not case.group:
            continue
        if not case.group.startswith(tuple(told.get("except_groups", ()))):
            stays[case.stay.patient, "" if anywhere else case.stay.hospital, case.group].append(case)
    for group in stays.values():
        for earlier in group:
            if any(_returns(earlier, later, within) for later in group if later is not earlier):
                earlier.factor *= factor


def _returns(earlier: Paid, later: Paid, within: int) -> bool:
    admitted, discharged = later.stay.admitted, earlier.discharged
    if admitted is None or discharged is None or later.stay.marked("planned"):
        return False
    return 0 <= (admitted - discharged).days <= within


class CaseRoutes:
    """The rules before the curve; ``as_if_paid`` is the shadow settlement, in which groups pay what is only simulated."""

    def __init__(self, values: CaseValues, chosen: Chosen, as_if_paid: bool) -> None:
        self.values, self.policy, self.chosen, self.as_if_paid = values, values.policy, chosen, as_if_paid
        self.method = self.policy.at("method")
        self.needs_level = any(
            "levels" in band.get("when", {})
            for curve in self.policy.raw.get("curves", {}).values()
            for band in curve.get("bands", [])
        )

    def route(self, case: Paid) -> None:
        """Pay the case, leave it unpaid, or send it to its curve."""
        case.group_class, stay = self.values.class_of(case), case.stay
        if case.payer == "self":
            case.pays("self_pay", case.cost)
        elif stay.marked("by_item") or self.method == "by_item":
            case.pays("by_item", case.cost)
        elif self.chosen.names_members and not stay.hospital:
            case.unpaid("whether it is a member's is not known")
        elif not self.chosen.is_member(case):
            case.pays("by_item", case.cost)
        elif self.policy.says("shadow") and not self.as_if_paid:
            case.simulated = True
            case.pays("by_item", case.cost)
        elif self._single_disease(case) or (self.method in ("rate", "points", "dip") and self._has_no_group(case)):
            return
        else:
            self._by_class(case)

    def _by_class(self, case: Paid) -> None:
        pays, days = case.group_class.get("pays", "curve"), case.stay.days
        if pays == "by_item" and case.cost is not None:
            case.pays("by_item", case.cost * Fraction(case.group_class.get("cost_share", {}).get("value", "1")))
        elif pays == "daily" and self._daily(case):
            return
        elif pays == "per_diem" or self.method == "per_diem" or case.stay.marked("per_diem"):
            self._per_diem(case)
        elif not self.chosen.is_chosen(case) or self._within(days, "stays.short_days"):
            case.pays("by_item", case.cost)
        elif self.policy.at("stays.long_days") and days is not None and not self._within(days, "stays.long_days"):
            case.pays("over_60_days", case.cost)
        else:
            name = case.group_class.get("curve", "main")
            if case.stay.marked("incomplete") and self.policy.at("stays.incomplete_curve"):
                name = self.policy.at("stays.incomplete_curve")
            self._to_the_curve(case, self.policy.raw["curves"][name])

    def _within(self, days: Fraction | None, path: str) -> bool:
        most = self.policy.fraction(path)
        return most is not None and days is not None and days <= most

    def _single_disease(self, case: Paid) -> bool:
        """The fund's amount and what the patient pays of the rest up to a limit (4.5); the nearest row of level and payer."""
        named = text(case.row, "single_disease")
        codes = {row["code"] for row in self.policy.single_diseases}
        code = named if named in codes else case.group
        rows = [row for row in self.policy.single_diseases if row["code"] == code]
        if not rows:
            return False
        for level in (*case.levels, ""):
            for payer in (case.payer, ""):
                found = [row for row in rows if row["level"] == level and row["insurance"] == payer]
                if found:
                    fund, limit = Fraction(found[0]["fund_amount"]), Fraction(found[0]["personal_limit"])
                    patient = min(max((case.cost or Fraction(0)) - fund, Fraction(0)), limit)
                    case.pays("fixed", fund + patient)
                    case.fixed_fund = fen(fund)
                    return True
        case.unpaid("no amount of the disease for the level and payer")
        return True

    def _has_no_group(self, case: Paid) -> bool:
        """Blank, 0000 and ambiguous groups are no groups, unless the policy's table holds a value for the code (1.1)."""
        ambiguous = bool(re.fullmatch(r"[A-Z]?QY", case.group))
        if not ambiguous and case.group not in ("", "0000"):
            return False
        valued = case.group and (
            self.values.of_table(case.group) is not None or self.values.table_standard(case.group, case) is not None
        )
        if valued or "value_from_cases" in case.group_class:
            return False
        name = "ambiguous" if ambiguous else "ungrouped"
        if self.policy.value(name) == "standard":
            self._to_the_curve(case, {"compares": "false", "pieces": [{"case_class": name, "pays": "k"}]})
        elif self.policy.value(name) == "by_item" and case.cost is not None:
            case.pays(name, case.cost * Fraction(self.policy.at(f"{name}.cost_share", "1")))
        else:
            case.unpaid("the auditor knows no other way for cases without a group")
        return True

    def _daily(self, case: Paid) -> bool:
        """Relative value x days, without a coefficient; a group without a value goes on."""
        if "by_day" in case.group_class:
            return self._by_steps_of_days(case, case.group_class["by_day"])
        self.values.value(case)
        if case.stay.days is None:
            case.unpaid("paid per day, and the days are not known")
        elif case.value:
            case.case_class, case.points = "per_diem", case.value * case.stay.days
        return bool(case.case_class)

    def _by_steps_of_days(self, case: Paid, told: Mapping[str, Any]) -> bool:
        """Every day is worth the group's value of a day, times the factor of the step that it lies in."""
        code = max((each for each in told["weights"] if case.group.startswith(each)), key=len, default=None)
        if case.stay.days is None:
            case.unpaid("paid per day, and the days are not known")
        elif code is not None:
            mean, left, start, counted = Fraction(str(told["mean_days"][code])), case.stay.days, Fraction(0), Fraction(0)
            for step in told["steps"]:
                end = Fraction(str(step["upto"])) if "upto" in step else None
                within = left if end is None else min(left, (end - start) * mean)
                counted += within * Fraction(str(step["factor"]))
                left, start = left - within, end or start
            worth = Fraction(str(told["weights"][code])) * self.values.scale * counted
            if worth:
                case.case_class, case.points = "per_diem", worth
        return bool(case.case_class)

    def _per_diem(self, case: Paid) -> None:
        """Days x rate (4.5); a rate of the case goes before that of the policy. Acute stays are simulated and paid by item."""
        days = case.stay.days
        if self._within(days, "per_diem.acute_days"):
            if self.as_if_paid:
                self._to_the_curve(case, self.policy.raw["curves"][case.group_class.get("curve", "main")])
            else:
                case.simulated = True
                case.pays("by_item", case.cost)
            return
        rate = number(case.row.get("per_diem_rate")) or self.values.keyed(self.policy.at("per_diem.rate"), case)
        if self.policy.at("per_diem.rate_unit") == "point" and rate is not None and days is not None:
            case.case_class, case.points = "per_diem", rate * days
        else:
            case.pays("per_diem", None if rate is None or days is None else rate * days)

    def _to_the_curve(self, case: Paid, curve: Mapping[str, Any]) -> None:
        case.curve = curve
        case.coefficient = self.values.coefficient(case)
        case.published = self.values.published(case)
        self.values.value(case)
        case.factor *= self.values.factor(case)
        if not case.levels and self.needs_level:
            case.unpaid("the level decides and is not known")
        elif case.coefficient is None:
            case.unpaid("no coefficient")
        elif case.value is None and case.published is None and "value_from_cases" not in case.group_class:
            case.unpaid("no relative value")
