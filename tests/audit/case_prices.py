"""Unit values, stated or from a budget: (budget / fund's share x (1 - adjustment fund) - what is fixed in yuan) / units.

Rule book 2.2 and 3.3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction

from tests.audit.audited_case import Paid
from tests.audit.case_values import CaseValues
from tests.audit.plain_numbers import fen


class CasePrices:
    """What a unit is worth for each case, and amounts that follow from it."""

    def __init__(self, values: CaseValues, cases: Sequence[Paid], price: Fraction | None) -> None:
        self.values, self.given, self.cases, self.price = values, values.given, cases, price
        self.unit_values: dict[str, Fraction] = {}

    def stated(self, reference: Callable[[Paid], Fraction | None]) -> None:
        """Unit values that are stated; or, with a budget, the one that would follow if every case were normal."""
        for case in self.cases:
            if case.value is not None:
                case.units = case.value * case.stay.auxiliary
            if self.given.budget is None and case.curve is not None:
                found = self.values.unit_value(case)
                case.unit_value = self.price if found is None else found
        if self.given.budget is None:
            return
        for case in self.cases:
            if self._budget(case.payer) is None and case.curve is not None:
                case.unpaid("a payer without a part in the budget")
        self._share_budget(lambda case: case.coefficient, reference)

    def from_budget(self) -> None:
        """What is left after everything that is fixed in yuan, over the units that are paid."""
        if self.given.budget is not None:
            self._share_budget(lambda case: case.paid_units)

    def amounts(self) -> None:
        """Amounts of everything that is paid in units."""
        for case in self.cases:
            price = case.price_of_one if case.used is not None else None
            case.standard = None if price is None or case.coefficient is None else price * case.coefficient
            if case.curve is not None:
                case.pay_units()
            elif case.points is not None:
                price = case.unit_value if self.given.budget else self.values.unit_value(case)
                case.amount = None if price is None else fen(case.points * price)

    def _budget(self, payer: str | None) -> tuple[str, Fraction] | None:
        budget = self.given.budget or {}
        key = payer if payer in budget else "*" if "*" in budget else None
        if key is None:
            return None
        whole, held = fen(budget[key] / self.given.fund_share), self.values.policy.fraction("adjustment_fund") or Fraction(0)
        return key, Fraction(whole - fen(held * whole / 100), 100)  # a budget is money: whole fen

    def _share_budget(
        self, per_unit: Callable[[Paid], Fraction | None], expected: Callable[[Paid], Fraction | None] | None = None
    ) -> None:
        """Unit values from what the budget leaves over the units, each case paid ``per_unit`` of its relative value.

        Where nothing is left, units are not paid; a price that is only ``expected`` decides so for cases that are compared with
        it, as they have no other reference.
        """
        units: dict[str, Fraction] = defaultdict(Fraction)
        fixed: dict[str, Fraction] = defaultdict(Fraction)
        of_budget = [(case, found) for case in self.cases if case.payer != "self" and (found := self._budget(case.payer))]
        for case, (key, _) in of_budget:
            share = per_unit(case) if case.curve is not None else None
            if case.points is not None:
                units[key] += case.points
            elif case.bare and share is not None:
                fixed[key] += Fraction(fen((case.price_of_one or 0) * share * case.factor), 100)
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
                if (expected is None or expected(case) is None) and (case.curve is not None or case.points is not None):
                    case.unpaid("the budget is used up")
