"""Liquidity of hospitals by month, and money paid ahead (docs/budget.md, "Liquidity and money paid ahead"). Fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.audit.plain_numbers import fraction, shared_out, whole
from tests.audit.year_facts import Facts, Terms, Year


@dataclass
class Loan:
    """Money paid ahead, months as 12 x year + month; ``back``: month -> fen, empty where the clearing of its year takes it."""

    hospital: int
    amount: int
    paid: int
    back: dict[int, int] = field(default_factory=dict)


@dataclass
class Liquidity:
    """By hospital and month: from the fund, from others, spent, paid ahead less recovered; balances at the end of months."""

    fund: list[list[int]] = field(default_factory=list)
    others: list[list[int]] = field(default_factory=list)
    expenses: list[list[int]] = field(default_factory=list)
    ahead: list[list[int]] = field(default_factory=list)
    balance: list[list[int]] = field(default_factory=list)
    without: list[list[int]] = field(default_factory=list)


def pooled(parts: Sequence[Year]) -> Year:
    """What liquidity knows of the years of several pools: index, months and cash are sums."""
    size = range(len(parts[0].index))
    return Year(
        index=[sum(part.index[place] for part in parts) for place in size],
        monthly=[[sum(months) for months in zip(*(part.monthly[place] for part in parts), strict=True)] for place in size],
        cash=[{line: sum(part.cash[place][line] for part in parts) for line in parts[0].cash[place]} for place in size],
    )


def liquidity(facts: Facts, terms: Terms, years: Sequence[tuple[int, Year]]) -> list[Liquidity]:
    """Years (place and findings) one after the other; each goes on from the one before."""
    told, found = terms["cash"], list[Liquidity]()
    loans: list[Loan] = [
        Loan(hospital, amount, paid, {} if back is None else {back: amount}) for hospital, amount, paid, back in facts.advances
    ]
    for number, (at, year) in enumerate(years):
        loans += _by_rule(facts, told["advance"], facts.years[at], year)
        made = Liquidity()
        for hospital in range(len(facts.levels)):
            _spend(facts, told, made, hospital, at)
            before = (found[-1], years[number - 1][1]) if number else None
            _receive(told, made, hospital, year, before)
            start = 12 * facts.years[at]
            for loan in loans:
                if loan.hospital == hospital:
                    _move(told, made.ahead[-1], loan, start, first=not number)
            opening = without = whole(sum(made.expenses[-1]) * fraction(told["opening_days"]["value"]) / 365)
            if before:
                opening, without = before[0].balance[hospital][-1], before[0].without[hospital][-1]
            flows = [a + b - c for a, b, c in zip(made.fund[-1], made.others[-1], made.expenses[-1], strict=True)]
            made.without.append([without + sum(flows[: month + 1]) for month in range(12)])
            made.balance.append([
                opening + sum(flows[: month + 1]) + sum(made.ahead[-1][: month + 1]) for month in range(12)
            ])  # fmt: skip
        found.append(made)
    return found


def _spend(facts: Facts, told: Any, made: Liquidity, hospital: int, at: int) -> None:
    """What is spent, a share of all bills, and what others than the fund pay of them."""
    care = facts.outpatient[hospital][at]
    beside, year = facts.outpatient_cost[hospital][at] - sum(care), sum(care)
    patients = [whole(beside * (Fraction(month, year) if year else Fraction(1, 12))) for month in care]
    bills = [a + b + c for a, b, c in zip(facts.bills[hospital][at], facts.stated[hospital][at], patients, strict=True)]
    made.expenses.append([whole(fraction(told["expense_share"]["value"]) * bill) for bill in bills])
    made.others.append([a + b for a, b in zip(facts.others[hospital][at], patients, strict=True)])


def _receive(told: Any, made: Liquidity, hospital: int, year: Year, before: tuple[Liquidity, Year] | None) -> None:
    """Months some months late; deposit and clearing of the year before; the prepayment, recovered at clearing."""
    monthly, late = year.monthly[hospital], int(told["payment_lag"]["value"])
    earlier = before[1].monthly[hospital] if before else [sum(monthly) // 12] * 12
    fund = (earlier + monthly)[12 - late : 24 - late]
    ahead = [year.cash[hospital]["prepayment"], *[0] * 11]
    if before:
        cleared, month = before[1].cash[hospital], int(told["clearing_month"]["value"]) - 1
        fund[month] += cleared["released"] + cleared["clearing"]
        ahead[month] -= cleared["prepayment"]
    made.fund.append(fund)
    made.ahead.append(ahead)


def _move(told: Any, ahead: list[int], loan: Loan, start: int, *, first: bool) -> None:
    """What a loan brings or takes in the months of a year."""
    if start <= loan.paid < start + 12:
        ahead[loan.paid - start] += loan.amount
    for month, part in loan.back.items():
        if start <= month < start + 12:
            ahead[month - start] -= part
    if not loan.back and start - 12 <= loan.paid < start and not first:  # nothing of an earlier year is cleared in the first
        ahead[int(told["clearing_month"]["value"]) - 1] -= loan.amount


def _by_rule(facts: Facts, rule: Any, year: int, found: Year) -> list[Loan]:
    """Months of the index to the largest hospitals, recovered in equal parts or at clearing."""
    months = fraction(rule["months"])
    if not months or rule.get("year") not in (None, "", "null", str(year)):
        return []
    levels = set(rule.get("levels", ()))
    member = [place for place, keys in enumerate(facts.levels) if not levels or levels & set(keys)]
    ranked = sorted((place for place in member if found.index[place] > 0), key=lambda place: (-found.index[place], place))
    loans, start = [], 12 * year
    for place in ranked[: int(rule["largest"]) if "largest" in rule else None]:
        amount, back = whole(months * found.index[place] / 12), dict[int, int]()
        if "recovered" in rule:
            first, last = (int(month) for month in rule["recovered"])
            parts = shared_out(amount, [1] * (last - first + 1))
            back = {start + first - 1 + month: part for month, part in enumerate(parts)}
        loans.append(Loan(place, amount, start + int(rule["month"]) - 1, back))
    return loans
