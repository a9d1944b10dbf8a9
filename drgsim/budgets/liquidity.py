"""A hospital's liquidity by month: what comes in from the fund and others, what is spent, with and without money paid ahead.

Money paid ahead (预付) is the prepayment of January, an advance by rule (``cash.advance``), and advances of single hospitals
and dates (advances.csv). It is no revenue: all of it is recovered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drgsim.budgets.cash import Cash, rounded, rounded_share
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.outpatient_unit import PLACE
from drgsim.budgets.terms_model import CashTerms
from drgsim.money import allocate
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints
from drgsim.region.region_tables import Advance

DAYS = 365


@dataclass(frozen=True)
class Loan:
    """Money paid ahead to a hospital.

    Attributes
    ----------
    place
        Of the hospital in the figures.
    amount
        Fen.
    paid
        Month in which it was paid: 12 x year + month, from 0 on.
    back
        (month, fen) that are recovered; none: at the clearing of the year in which it was paid.
    """

    place: int
    amount: int
    paid: int
    back: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Liquidity:
    """Money of hospitals in a year, fen.

    Attributes
    ----------
    opening, opening_without
        (H,) balance at the start of the year, with and without what was paid ahead.
    fund, others, expenses
        (H, 12) received from the fund for care, received from patients and other funds, and spent.
    ahead
        (H, 12) paid ahead less what was recovered of it.
    """

    opening: Ints
    opening_without: Ints
    fund: Ints
    others: Ints
    expenses: Ints
    ahead: Ints

    @property
    def balance(self) -> Ints:
        """(H, 12) balance at the end of each month."""
        return np.asarray(self.opening[:, None] + np.cumsum(self.fund + self.others - self.expenses + self.ahead, axis=1))

    @property
    def balance_without(self) -> Ints:
        """(H, 12) the same without money paid ahead."""
        return np.asarray(self.opening_without[:, None] + np.cumsum(self.fund + self.others - self.expenses, axis=1))

    def days(self, balance: Ints) -> Floats:
        """(H, 12) days of the year's expenses that a balance covers; NaN where nothing is spent."""
        spent = self.expenses.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(balance * DAYS, spent, out=np.full(balance.shape, np.nan), where=spent > 0))


def loans_of(figures: HospitalFigures, terms: CashTerms, year: int, index: Ints, before: tuple[Loan, ...]) -> tuple[Loan, ...]:
    """What is paid ahead in a year, and what of earlier years was not recovered before it."""
    start = MONTHS * year
    rows = {name: place for place, name in enumerate(figures.hospitals)}
    found = [loan for loan in before if any(month >= start for month, _ in loan.back)]
    for advance in figures.advances if not before else ():
        found += [loan for loan in _entered(advance, rows) if loan.paid < start and loan.back and loan.back[0][0] >= start]
    for advance in figures.advances:
        found += [loan for loan in _entered(advance, rows) if start <= loan.paid < start + MONTHS]
    rule = terms.advance
    if rule.months and rule.year in (None, year):
        member = figures.at_levels(rule.levels) if rule.levels else np.ones(figures.size, np.bool_)
        order = [place for place in np.argsort(-index, kind="stable").tolist() if member[place] and index[place] > 0]
        amounts = rounded_share(index, rule.months, MONTHS)
        found += [_by_rule(place, int(amounts[place]), start, terms) for place in order[: rule.largest]]
    return tuple(found)


def _entered(advance: Advance, rows: Mapping[str, int]) -> list[Loan]:
    """An advance of advances.csv; nothing where its hospital has no figures."""
    if advance.hospital not in rows:
        return []
    day = advance.recovered
    back = () if day is None else ((MONTHS * day.year + day.month - 1, advance.amount),)
    return [Loan(rows[advance.hospital], advance.amount, MONTHS * advance.paid.year + advance.paid.month - 1, back)]


def _by_rule(place: int, amount: int, start: int, terms: CashTerms) -> Loan:
    rule = terms.advance
    if rule.recovered is None:
        return Loan(place, amount, start + rule.month - 1)
    months = range(rule.recovered[0] - 1, rule.recovered[1])
    parts = allocate(amount, [1] * len(months)).tolist()
    return Loan(place, amount, start + rule.month - 1, tuple(zip((start + month for month in months), parts, strict=True)))


def with_loans(cash: Cash, loans: tuple[Loan, ...], year: int) -> Cash:
    """The flows with what is paid ahead and recovered; what is open at the end of the year is due in the next."""
    size, start = cash.received.size, MONTHS * year
    paid, back = np.zeros((size, MONTHS), np.int64), np.zeros((size, MONTHS), np.int64)
    cleared, brought, left = (np.zeros(size, np.int64) for _ in range(3))
    for loan in loans:
        if loan.paid >= start:
            paid[loan.place, loan.paid - start] += loan.amount
        else:
            brought[loan.place] += loan.amount - sum(part for month, part in loan.back if month < start)
        for month, part in loan.back:
            if start <= month < start + MONTHS:
                back[loan.place, month - start] += part
        left[loan.place] += sum(part for month, part in loan.back if month >= start + MONTHS)
        cleared[loan.place] += 0 if loan.back else loan.amount
    if not loans:
        return cash
    due = {**cash.due, "advance_brought": -brought, "advance_open": left}
    return Cash(due, {**cash.paid, "advance": paid, "advance_recovered": -back, "advance_cleared": -cleared})


def liquidity_of(
    figures: HospitalFigures, terms: CashTerms, year: int, cash: Cash, before: tuple[Liquidity, Cash] | None
) -> Liquidity:
    """Liquidity of a year, which goes on from the year before.

    Without a year before, the hospital has ``opening_days`` of its expenses, payments that are late are the mean of the
    year's own, and nothing of an earlier year is cleared.
    """
    at = figures.years.index(year)
    stated, unit = figures.stated[:, at].sum(axis=2), figures.stated[:, at, :, PLACE]
    bills = figures.bills[:, at] + stated
    outpatients = _other_payers(figures.outpatient_cost[:, at] - unit.sum(axis=1), unit)
    expenses = rounded_share(bills + outpatients, terms.expense_share.value)
    lag, clearing = terms.payment_lag.value, terms.clearing_month.value - 1
    monthly = cash.paid["monthly"]
    late = np.repeat(monthly.sum(axis=1, keepdims=True) // MONTHS, MONTHS, axis=1)
    ahead = cash.paid.get("advance", 0 * monthly) + cash.paid.get("advance_recovered", 0 * monthly)
    ahead[:, 0] += cash.paid["prepayment"]
    if before is not None:
        late = before[1].paid["monthly"]
    fund = np.concatenate([late, monthly], axis=1)[:, MONTHS - lag : 2 * MONTHS - lag].copy()
    if before is None:
        opening = rounded_share(expenses.sum(axis=1), terms.opening_days.value, DAYS)
        return Liquidity(opening, opening, fund, figures.others[:, at] + outpatients, expenses, ahead)
    earlier = before[1].paid
    fund[:, clearing] += earlier["clearing"] + earlier["deposit_released"]
    ahead[:, clearing] += earlier["prepayment_recovered"] + earlier.get("advance_cleared", 0)
    opening, without = before[0].balance[:, -1], before[0].balance_without[:, -1]
    return Liquidity(opening, without, fund, figures.others[:, at] + outpatients, expenses, ahead)


def _other_payers(amounts: Ints, months: Ints) -> Ints:
    """What others pay of outpatient care, by month as the fund's part lies."""
    whole = months.sum(axis=1, keepdims=True)
    share = np.divide(months, whole, out=np.full(months.shape, 1 / MONTHS), where=whole > 0)
    return rounded(amounts[:, None] * share)
