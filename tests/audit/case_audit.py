"""What each case is paid, computed a second time: dictionaries and fractions, from the policy's text and the rule book.

The formulas, in our own words:

- A case is worth relative value x coefficient x unit value (rule book 1.5, 2.1, 3.2); where a region publishes standards, that
  (:mod:`tests.audit.case_values`).
- The curve of the cost ratio gives what is paid per unit of relative value; a bill (``actual``) is paid in yuan (1.7, 1.8, 2.4,
  3.6; :mod:`tests.audit.case_curve`).
- With a budget the unit value follows from everyone's units (2.2, 3.3; :mod:`tests.audit.case_prices`).
- The fund owes amount - patient - other funds, together not below 0 for a hospital, payer and year (1.6, 2.2, 3.7;
  :mod:`tests.audit.case_reviews`).
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.audit.audited_case import Given, Paid, Row, Stay, text
from tests.audit.case_curve import CaseCurve
from tests.audit.case_prices import CasePrices
from tests.audit.case_reviews import cap_high_cases, divide_payers, pay_exempt, pay_reviewed
from tests.audit.case_routes import CaseRoutes, shorten_returns
from tests.audit.case_values import CaseValues
from tests.audit.chosen_by_history import Chosen
from tests.audit.policy_text import PolicyText, level_keys

BY_NO_GROUP = ("by_item", "ungrouped", "ambiguous", "over_60_days", "per_diem")  # nothing that groups would have paid


class Audit:
    """One settlement of cases under a policy; ``as_if_paid``: what groups would pay for cases that are only simulated."""

    def __init__(
        self, policy: PolicyText, rows: Sequence[Row | Stay], given: Given | None = None, as_if_paid: bool = False
    ) -> None:  # fmt: skip
        self.policy, self.given = policy, given or Given()
        self.values = CaseValues(policy, self.given)
        self._levels: dict[tuple[str, str], list[str]] = {}
        self.cases = [self._begin(row if isinstance(row, Stay) else Stay(row)) for row in rows]
        self.chosen = Chosen(self.values, self.cases)
        shorten_returns(self.values, self.cases)
        routes = CaseRoutes(self.values, self.chosen, as_if_paid)
        for case in self.cases:
            if not case.case_class:
                routes.route(case)
        self._settle()
        simulated = [case for case in self.cases if case.simulated]
        if simulated:
            shadow = Audit(policy, [case.stay for case in self.cases], given, as_if_paid=True)
            for case, other in zip(self.cases, shadow.cases, strict=True):
                case.shadow = other if case.simulated and other.case_class not in BY_NO_GROUP else None

    def _settle(self) -> None:
        """Curve, prices, and what stands beside them."""
        curve = CaseCurve(self.values, self.cases)
        prices = CasePrices(self.values, self.cases, self.chosen.price)
        prices.stated(curve.reference)
        for case in self.cases:
            if case.curve is not None:
                curve.compare(case)
        prices.from_budget()
        prices.amounts()
        pay_exempt(self.policy, self.cases)
        cap_high_cases(self.policy, self.cases)
        pay_reviewed(self.policy, self.cases)
        if self.given.budget is not None:
            prices.from_budget()
            prices.amounts()
        divide_payers(self.policy, self.cases)

    def _begin(self, stay: Stay) -> Paid:
        """The case with its levels and group; what is wrong with the record refuses it."""
        listed = (self.given.hospitals or {}).get(stay.hospital, {})
        level = stay.level or str(listed.get("level") or "")
        grade = stay.grade or str(listed.get("grade") or "")
        if (level, grade) not in self._levels:
            keys = level_keys(level, grade)
            classes = self.policy.at("hospital_classes.values", {})
            # the class that a level is taken for comes last
            self._levels[level, grade] = keys + next(([classes[key]] for key in keys if key in classes), [])
        kinds = ("unit", "dip", "drg") if self.values.dip else ("unit", "drg", "dip")
        column = next((kind for kind in kinds if kind in stay.row), "drg")
        case = Paid(stay, self._levels[level, grade], text(stay.row, column))
        if stay.cost is None or stay.cost < 0:
            case.unpaid("no cost")
        elif stay.wrong_part:
            case.unpaid("a part of the bill is below 0")
        elif self.given.hospitals is not None and stay.hospital not in self.given.hospitals:
            case.unpaid("hospital not listed")
        case.refused = bool(case.case_class)
        return case
