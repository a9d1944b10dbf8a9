"""The book in which a settlement is made: one line per case, filled by one rule after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, MISSING, exact, exact_sum, round_floats, round_half_away, share_of
from drgsim.payment.case_class import CLASSES, CaseClass
from drgsim.payment.case_terms import Terms, terms_of
from drgsim.payment.curve import ExactCase, settle_exactly
from drgsim.payment.curve_kernel import NEAR, apply_curves
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.policy import Policy
from drgsim.payment.policy_lookup import PolicyLookup
from drgsim.records.vocabulary import INSURANCES

Mask = NDArray[np.bool_]
OPEN = -1  # no class yet
BY_CURVE = (CaseClass.NORMAL, CaseClass.HIGH, CaseClass.LOW, CaseClass.INCOMPLETE)


@dataclass
class Ledger:
    """Lines of the settlement.

    Attributes
    ----------
    case_class
        Place in ``case_class.CLASSES``, :data:`OPEN` before it is decided.
    ratio, units
        Cost ratio and relative value paid; NaN where none applies.
    amount, standard, extra
        Fen. ``extra`` is added to what the units are worth (exempt payment).
    in_yuan
        The amount does not depend on the unit value (by item, per diem, actual cost).
    fixed_fund
        Fen that the fund pays whatever the patient's share; ``money.MISSING`` where the share decides.
    rule
        Place in ``rules`` of the words that say what decided.
    weight
        Discharges that each case stands for; None where each stands for itself.
    pot
        Fen to share out by payer where a budget decides the unit value; empty where prices are given.
    unstable
        Where unstable groups are looked for, instead of what the policy says.
    as_if_paid
        What the policy only simulates is paid: the ledger of a shadow settlement.
    simulated
        Cases that are paid by item and that groups would pay in a shadow settlement.
    terms
        What the policy says for each case, after :meth:`look_up`.
    """

    policy: Policy
    cases: Cases
    lookup: PolicyLookup
    case_class: NDArray[np.int8]
    ratio: NDArray[np.float64]
    units: NDArray[np.float64]
    amount: NDArray[np.int64]
    standard: NDArray[np.int64]
    extra: NDArray[np.int64]
    in_yuan: Mask
    fixed_fund: NDArray[np.int64]
    rule: NDArray[np.int16]
    rules: list[str] = field(default_factory=list)
    weight: NDArray[np.float64] | None = None
    pot: Mapping[str, int] = field(default_factory=dict)
    unstable: str | None = None
    as_if_paid: bool = False
    terms: Terms = field(init=False)
    simulated: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.simulated = np.zeros(self.cases.size, np.bool_)

    @classmethod
    def open(
        cls, policy: Policy, cases: Cases, weight: NDArray[np.float64] | None = None, pot: Mapping[str, int] | None = None,
        unstable: str | None = None,
    ) -> Ledger:  # fmt: skip
        """An empty ledger for cases under a policy, before their terms are looked up."""
        n = cases.size
        return cls(
            policy, cases, PolicyLookup(policy, cases), np.full(n, OPEN, np.int8), np.full(n, np.nan), np.full(n, np.nan),
            np.full(n, MISSING), np.full(n, MISSING), np.zeros(n, np.int64), np.zeros(n, np.bool_), np.full(n, MISSING),
            np.full(n, -1, np.int16), weight=weight, pot=pot or {}, unstable=unstable,
        )  # fmt: skip

    def look_up(self) -> None:
        """Look the terms of all cases up, once the classes of their groups are known."""
        self.terms = terms_of(self.lookup, self.weight)

    @property
    def held(self) -> float:
        """Adjustment fund (调节金): the share of the budget that is held back first."""
        fund = self.policy.file.adjustment_fund
        return fund.value if fund is not None else 0.0

    @property
    def open_cases(self) -> Mask:
        """Cases that no rule has decided yet and that have no fault."""
        return np.asarray((self.case_class == OPEN) & (self.cases.faults < 0))

    @property
    def cost(self) -> NDArray[np.int64]:
        """Total cost, fen."""
        return self.cases.money["total_cost"]

    def is_class(self, *classes: CaseClass) -> Mask:
        """Where the case has one of the classes."""
        wanted = np.zeros(len(CLASSES) + 1, np.bool_)  # the last place answers for cases without a class
        wanted[[CLASSES.index(name) for name in classes]] = True
        return np.asarray(wanted[self.case_class])

    def decide(self, where: Mask, case_class: CaseClass, rule: str) -> None:
        """Give cases their class and the words of the rule."""
        if where.any():
            self.case_class[where] = CLASSES.index(case_class)
            self.rule[where] = self.word(rule)

    def word(self, rule: str) -> int:
        """Place of a rule's words."""
        if rule not in self.rules:
            self.rules.append(rule)
        return self.rules.index(rule)

    def pay_yuan(self, where: Mask, amounts: NDArray[np.int64] | int) -> None:
        """Pay amounts in fen that no unit value changes, instead of whatever was paid before."""
        self.amount[where] = amounts if isinstance(amounts, int) else amounts[where]
        self.in_yuan[where] = True
        self.units[where] = np.nan
        self.extra[where] = 0

    def pay_standard(self, where: Mask, times: float = 1.0) -> None:
        """Pay V x k with all factors (age, readmission, ...), at the published standard where that decides, or a multiple.

        The product is rounded once, whatever its factors.
        """
        terms = self.terms
        self.units[where] = (terms.relative_value * terms.coefficient * terms.factor * times)[where]
        self.in_yuan[where] = terms.bare[where]
        self.amount[where] = self.standard[where]
        changed = where & (self.standard != MISSING) & ((terms.factor != terms.auxiliary) | (times != 1))
        if not changed.any():
            return
        one = np.where(np.isnan(terms.published), terms.relative_value * terms.coefficient * terms.unit_value, terms.published)
        amounts, close = round_floats(np.where(changed, one * terms.factor * times * FEN_PER_YUAN, np.nan))
        for place in np.flatnonzero(close).tolist():
            share = exact(float(terms.factor[place])) / exact(float(terms.auxiliary[place])) * exact(times)
            amounts[place] = round_half_away(self._exact_standard(place) * share)
        self.amount[changed] = amounts[changed]

    def pay_as(self, pays: str, where: Mask, case_class: CaseClass, rule: str, share: float = 1.0) -> None:
        """Pay cases in one of the ways of ``policy_model.Pays``; those that it pays per day or by the curve stay open.

        ``share`` is what payment by item gives of the bill.
        """
        if pays == "per_diem":
            self.cases.flags["per_diem"] = self.cases.flags["per_diem"] | where
            return
        if pays in ("curve", "daily"):
            return
        self.decide(where, case_class, rule)
        if pays == "standard":
            self.pay_standard(where)  # with a budget its amount follows later from the unit value
        else:
            self.pay_yuan(where, share_of(self.cost, share) if pays == "by_item" else 0)

    # -- the curve ---------------------------------------------------------------------------------------------------
    def apply_curve(self, where: Mask) -> None:
        """Settle cases by the curve rows in ``terms.row``; doubtful floats are settled again by the oracle."""
        terms = self.terms
        usable = ~np.isnan(terms.mean) & ~np.isnan(terms.relative_value) & ~np.isnan(terms.coefficient)
        row = np.where(where & usable, terms.row, -1).astype(np.int32)
        piece, class_of, ratio, units, amount, doubtful = apply_curves(
            self.cost, terms.factor, terms.relative_value, terms.coefficient, terms.mean, terms.unit_value, row,
            self.lookup.book.arrays,
        )  # fmt: skip
        every = np.flatnonzero(doubtful)
        asked, answer_of = self._unlike(every, row, piece, ratio)
        for number, answer in enumerate(self.by_oracle(asked, self.cost[asked], terms.factor[asked])):
            case, curve = asked[number], self.lookup.book.rows[row[asked[number]]]
            piece[case], class_of[case] = answer.piece, CLASSES.index(curve.pieces[answer.piece].case_class)
            of_bill = answer.units is None or curve.pieces[answer.piece].terms is None
            units[case] = np.nan if of_bill else float(answer.units or 0)
            amount[case] = MISSING if answer.amount is None else answer.amount
        for values in (piece, class_of, units, amount):
            values[every] = values[asked[answer_of]]
        settled_here = row >= 0
        self.case_class[settled_here] = class_of[settled_here]
        self.ratio[settled_here], self.units[settled_here] = ratio[settled_here], units[settled_here]
        self.amount[settled_here] = amount[settled_here]
        self.in_yuan[settled_here] = np.isnan(units[settled_here]) | terms.bare[settled_here]
        self._note_pieces(row, piece)

    def _unlike(
        self, asked: NDArray[np.int64], row: NDArray[np.int32], piece: NDArray[np.int8], ratio: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of cases that the oracle is asked about, one for each answer, and which of them answers each.

        Inside a piece whose share does not follow from the cost, cases of the same terms are paid alike: half a fen of one unit
        value may be half a fen in every fourth case.
        """
        terms, arrays = self.terms, self.lookup.book.arrays
        c, p = row[asked], piece[asked]
        limits = arrays.upper[c]
        with np.errstate(invalid="ignore"):
            near = (np.abs(ratio[asked, None] - limits) <= NEAR * limits).any(axis=1)
        moves = (arrays.terms[c, p, 3:] != 0).any(axis=1) | (arrays.capped[c, p] & (arrays.cap[c, p, 3:] != 0).any(axis=1))
        own = near | moves | arrays.actual[c, p]
        columns = (
            c, p, terms.relative_value[asked], terms.coefficient[asked], terms.mean[asked], terms.unit_value[asked],
            terms.factor[asked], np.where(own, self.cost[asked], -1),
        )  # fmt: skip
        keys = np.nan_to_num(np.stack(columns, axis=1).astype(np.float64), nan=-1.0)
        _, first, answer_of = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return asked[first], answer_of.ravel()

    def by_oracle(self, lines: NDArray[np.int64], cost: NDArray[np.int64], factor: NDArray[np.float64]) -> Iterator[ExactCase]:
        """What the curves pay with fractions for costs (fen) and factors, at the terms of some lines."""
        terms, scale = self.terms, exact(self.policy.file.relative_value.scale.value)
        answers: dict[tuple[float, ...], ExactCase] = {}
        for line, fen, share in zip(lines.tolist(), cost.tolist(), factor.tolist(), strict=True):
            key = (
                fen, share, int(terms.row[line]), float(terms.relative_value[line]), float(terms.coefficient[line]),
                float(terms.unit_value[line]), float(terms.mean[line]),
            )  # fmt: skip
            if key not in answers:
                values = {**terms.exact_values(line, scale), "factor": exact(share)}
                answers[key] = settle_exactly(self.lookup.book.rows[terms.row[line]], fen, **values)  # type: ignore[arg-type]
            yield answers[key]

    def _note_pieces(self, row: NDArray[np.int32], piece: NDArray[np.int8]) -> None:
        rows = self.lookup.book.rows
        width = max((len(curve.pieces) for curve in rows), default=1)
        words = np.full((len(rows) + 1, width), -1, np.int16)
        for number, curve in enumerate(rows):
            for place, entry in enumerate(curve.pieces):
                words[number, place] = self.word(entry.rule)
        settled = row >= 0
        self.rule[settled] = words[row[settled], piece[settled]]

    # -- unit values -------------------------------------------------------------------------------------------------
    def price(self) -> None:
        """Standards of all priced cases: V x auxiliary coefficient x k x unit value, or the published one."""
        terms = self.terms
        value = terms.relative_value * terms.auxiliary * terms.coefficient * terms.unit_value * FEN_PER_YUAN
        self.standard, close = round_floats(value)
        seen: dict[tuple[float, ...], int] = {}
        for case in np.flatnonzero(close).tolist():
            key = (
                float(terms.relative_value[case]), float(terms.auxiliary[case]), float(terms.coefficient[case]),
                float(terms.unit_value[case]), float(terms.published[case]),
            )  # fmt: skip
            if key not in seen:
                seen[key] = round_half_away(self._exact_standard(case))
            self.standard[case] = seen[key]

    def _exact_standard(self, case: int) -> Fraction:
        """Fen of a case's standard before rounding."""
        terms = self.terms
        published, auxiliary = float(terms.published[case]), exact(float(terms.auxiliary[case]))
        if not np.isnan(published):
            return exact(published) * auxiliary * FEN_PER_YUAN
        parts = terms.relative_value[case], terms.coefficient[case], terms.unit_value[case]
        product = auxiliary
        for part in parts:
            product *= exact(float(part))
        return product * FEN_PER_YUAN

    def value_units(self) -> None:
        """Amounts of cases paid in units, after the unit value became known from a budget."""
        amounts, _ = round_floats(self.units * self.terms.unit_value * FEN_PER_YUAN)
        self.amount = np.where(self.in_units, amounts, self.amount)

    def solve_unit_values(self) -> dict[str, float]:
        """Unit value of each payer so that the budget pays for all units: PV = (budget x (1 - held) - yuan) / sum of units.

        Returns
        -------
        dict
            Payer -> yuan per unit. A payer whose budget is used up by what is fixed in yuan has none: its cases paid in units
            get a fault, and no published value stands in for the budget's.
        """
        values: dict[str, float] = {}
        for payer, amount in self.pot.items():
            members = self.paid_by(payer) & (self.cases.faults < 0)
            in_units = members & self.in_units
            units = self._sum(self.units, in_units)
            yuan_paid = members & self.in_yuan & (self.amount != MISSING)
            fixed = self._sum_fen(self.amount, yuan_paid) + self._sum_fen(self.extra, members)
            left = amount - round_half_away(exact(amount) * exact(self.held)) - fixed
            if units <= 0:
                continue
            if left <= 0:
                self._too_small(payer, in_units, fixed + left, fixed)
                continue
            values[payer] = left / FEN_PER_YUAN / units
            self.set_unit_value(payer, values[payer])
        return values

    @property
    def in_units(self) -> Mask:
        """Cases whose amount follows from the unit value."""
        return np.asarray(~self.in_yuan & ~np.isnan(self.units))

    def _too_small(self, payer: str, where: Mask, shared: int, fixed: int) -> None:
        """Refuse to pay cases for whose units the budget leaves nothing; sums in fen."""
        who = text("all payers") if payer == "*" else payer
        self.cases.fault(
            "settle-budget-too-small",
            where,
            text(
                "the budget of {who} leaves {shared:,.2f} yuan to share, and {fixed:,.2f} yuan are fixed "
                "whatever the unit value, so that nothing is left for the units",
                who=who,
                shared=shared / FEN_PER_YUAN,
                fixed=fixed / FEN_PER_YUAN,
            ),
            text("give a larger budget, patients' shares included, or settle without one"),
        )
        self.set_unit_value(payer, float("nan"))

    def set_unit_value(self, payer: str, value: float) -> None:
        """Put a unit value (yuan) in force for a payer, or for all insured (``*``), instead of published standards."""
        members = self.paid_by(payer) & ~self.terms.bare
        self.terms.unit_value = np.where(members, value, self.terms.unit_value)
        self.terms.published = np.where(members, np.nan, self.terms.published)

    def compare_with_expected_price(self, known: Mapping[str, float] | None = None) -> None:
        """Where cases are compared with a price that only the budget gives: the unit value if every case were normal.

        Expected unit value = (budget x (1 - held) - yuan already fixed) / sum of V x k; it serves the cost ratio only, and goes
        before a price that the policy publishes, as the budget does. A budget point value that is ``known`` by payer goes
        before it. Groups with a bare standard keep theirs.
        """
        terms = self.terms
        bare = terms.bare & (self.standard != MISSING)
        wanting = terms.priced_mean & ~bare & self.open_cases
        if not wanting.any():
            return
        normal = np.where(self.open_cases, terms.relative_value * terms.coefficient * terms.factor, self.units)
        for payer, amount in self.pot.items():
            members = self.paid_by(payer) & (self.cases.faults < 0)
            units = self._sum(normal, members & ~self.in_yuan & ~bare & ~np.isnan(normal))
            fixed = self._sum_fen(self.amount, members & self.in_yuan & (self.amount != MISSING))
            fixed += self._sum_fen(self.standard, members & bare & self.open_cases)
            left = amount - round_half_away(exact(amount) * exact(self.held)) - fixed
            price = (known or {}).get(payer, (known or {}).get("*"))
            if price is None and units > 0 and left > 0:
                price = left / FEN_PER_YUAN / units
            if price is not None:
                compared = members & wanting
                terms.mean = np.where(compared, price * terms.relative_value * terms.auxiliary, terms.mean)
                terms.priced_mean = terms.priced_mean & ~compared  # no longer a product of the unit value
            elif units > 0:
                self._too_small(payer, members & wanting & ~np.isnan(normal), fixed + left, fixed)

    def discharges(self, where: Mask) -> float:
        """How many discharges the marked cases stand for."""
        return float(where.sum()) if self.weight is None else fsum(self.weight[where].tolist())

    def _sum(self, values: NDArray[np.float64], where: Mask) -> float:
        """A sum that has no order."""
        return fsum((values[where] if self.weight is None else values[where] * self.weight[where]).tolist())

    def _sum_fen(self, amounts: NDArray[np.int64], where: Mask) -> int:
        if self.weight is None:
            return exact_sum(amounts[where])
        return round(fsum((amounts[where] * self.weight[where]).tolist()))

    def paid_by(self, payer: str) -> Mask:
        """Cases of a payer, or of all insured (``*``)."""
        insured = self.cases.insurance != INSURANCES.index("self")
        return insured if payer == "*" else np.asarray(self.cases.insurance == INSURANCES.index(payer))
