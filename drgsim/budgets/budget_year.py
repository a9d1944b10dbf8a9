"""A budget year: index, quality, what the units of payment use of it, sharing, cash, and the account of the fund.

Everything here works on :class:`drgsim.budgets.hospital_figures.HospitalFigures`, so that a year costs milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.budget_index import Index, set_index
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.cash import Cash, Dues, cash_flows, procurement_kept, rounded
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.quality_score import Scores, factor, score
from drgsim.budgets.sharing import settled
from drgsim.budgets.terms import BudgetTerms
from drgsim.budgets.terms_model import CapitationTerms
from drgsim.errors import Problem, UsageError
from drgsim.money import FEN_PER_YUAN, allocate, exact, round_half_away
from drgsim.payment.capitation import capitation_pot
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints
from drgsim.region.region_folder import PROCUREMENT_CLASSES


@dataclass(frozen=True)
class Warnings:
    """Use of the index month by month.

    Attributes
    ----------
    used, to_date
        (H, 12) fen used since January, and the index of the same period.
    ratio
        (H, 12) used / to_date; NaN without an index.
    attention, warned
        (H, 12) ratio above the limits of the terms.
    """

    used: Ints
    to_date: Ints
    ratio: Floats
    attention: NDArray[np.bool_]
    warned: NDArray[np.bool_]


@dataclass(frozen=True)
class FundAccount:
    """The fund's year in fen: budget = paid to hospitals (or carried over for them) + balance.

    Attributes
    ----------
    budget, reserve, adjustment_fund, index, unallocated
        budget = reserve + adjustment_fund + index + unallocated.
    returned, borne, not_covered
        Surplus left to the fund, overspend that it bears, and overspend that the schedule gives but the fund could not cover.
    procurement, deductions, forfeited
        Procurement surplus kept by hospitals, deductions, and deposits not released.
    paid
        What the year costs: settled + procurement - deductions - forfeited.
    balance
        budget - paid.
    from_adjustment_fund, from_reserve, deficit
        Where overspends and procurement surplus come from beyond what is left elsewhere.
    """

    budget: int
    reserve: int
    adjustment_fund: int
    index: int
    unallocated: int
    returned: int
    borne: int
    not_covered: int
    procurement: int
    deductions: int
    forfeited: int
    paid: int
    balance: int
    from_adjustment_fund: int
    from_reserve: int
    deficit: int


@dataclass(frozen=True)
class BudgetYear:
    """A budget year of all hospitals; H hospitals, U units of payment, fen.

    Attributes
    ----------
    history
        (H, Y) what past years count in the base, fen.
    index
        The indices and their waterfall.
    scores_before, scores
        Quality of the year before, which moves the index, and of the year, which moves the surplus share.
    units
        (H, U) what the units of payment give in the year.
    recorded
        (H,) the part of it that counts against the index: without procurement surplus.
    settled
        (H,) what is settled against the index.
    kept_factor
        (H,) factor of the quality score on the share of a surplus that the hospital keeps.
    procurement_kept
        (H,) procurement surplus that stays with the hospital.
    cash, carried_out
        The ledger, and what is carried to the next year.
    """

    year: int
    figures: HospitalFigures
    terms: BudgetTerms
    history: Floats
    index: Index
    scores_before: Scores | None
    scores: Scores
    units: Ints
    recorded: Ints
    settled: Ints
    kept_factor: Floats
    procurement_kept: Ints
    warnings: Warnings
    cash: Cash
    carried_out: Ints
    fund: FundAccount

    @property
    def ratio(self) -> Floats:
        """(H,) recorded / index, NaN without an index."""
        index = self.index.index
        return np.asarray(np.divide(self.recorded, index, out=np.full(index.size, np.nan), where=index > 0))

    @property
    def in_base(self) -> Floats:
        """(H,) what the year counts in the bases of later years, see ``terms_model.IndexTerms``, fen."""
        spec = self.terms.file.index
        borne, unborne = np.maximum(self.settled - self.index.index, 0), np.maximum(self.recorded - self.settled, 0)
        unborne = np.where(self.recorded > self.index.index, unborne, 0)
        if spec.base.value == "bills":
            bills = self.figures.spending[:, self.figures.years.index(self.year)].sum(axis=1)
            less = (1 - spec.overspend.borne) * borne + (1 - spec.overspend.unborne) * unborne
            return np.asarray(np.maximum(bills - less, 0.0))
        return np.asarray(self.settled - (1 - spec.overspend.borne) * borne + spec.overspend.unborne * unborne)

    @property
    def idle(self) -> NDArray[np.bool_]:
        """(H,) whether the hospital treated nobody and is owed nothing; its index stays with the fund."""
        return _idle(self.figures, self.figures.years.index(self.year), self.units)

    @property
    def in_surplus(self) -> NDArray[np.bool_]:
        """(H,) whether less than the index was recorded, of a hospital that worked."""
        return np.asarray((self.index.index > 0) & (self.recorded < self.index.index) & ~self.idle)

    @property
    def surplus(self) -> Ints:
        """(H,) index less recorded; negative for an overspend."""
        return self.index.index - self.recorded

    @property
    def received(self) -> Ints:
        """(H,) what the hospital gets for the year, cash of the year with what is carried to the next, fen."""
        return self.cash.received + self.carried_out - self.cash.due["carried_in"]


def budget_year(
    figures: HospitalFigures,
    terms: BudgetTerms,
    year: int,
    *,
    before: BudgetYear | None = None,
    fund: int | None = None,
    capitated: bool = False,
) -> BudgetYear:
    """Budget year of all hospitals.

    Parameters
    ----------
    figures, terms, year
        Figures with at least one year before ``year``, and ``year`` itself; the terms of the budget.
    before
        The year before, whose carried surplus enters the ledger and which counts in the base; by default it is made.
    fund
        Budget of the fund in fen; by default that of the figures, or the last known one with the growth of the terms.
    capitated
        Whether the payments of the year hold a capitation already, as those of a scenario with ``capitation.conditions`` do:
        that of the terms does not come on top of it.

    Raises
    ------
    UsageError
        The year is not in the figures, has no year before it, or no budget is known.
    """
    _check(figures, year)
    file = terms.file
    at = figures.years.index(year)
    scores = score(figures, file.quality, year)
    scores_before = score(figures, file.quality, year - 1) if year - 1 in figures.years else None
    prior = np.full(figures.size, np.nan) if scores_before is None else scores_before.score
    history = base_history(figures, terms, year, before)
    budget = fund if fund is not None else fund_of(figures, terms, year)
    index = set_index(figures, file, year, prior, budget, history)
    payment = figures.payment[:, at] if capitated else with_capitation(figures, file.capitation, at)
    owed = payment.sum(axis=2)
    surplus = np.minimum(figures.procurement[:, at, :].sum(axis=1), owed.sum(axis=1))
    kept = np.minimum(procurement_kept(figures.procurement[:, at, :], file.cash, PROCUREMENT_CLASSES), surplus)
    recorded = owed.sum(axis=1) - surplus
    kept_factor = factor(scores.score, file.sharing.quality)
    wanted = settled(recorded, index.index, terms.schedule, kept_factor)
    wanted = np.where(_idle(figures, at, owed), 0, wanted)  # no share of a surplus for treating nobody
    given = _covered(wanted, index, int(kept.sum()), file.fund.cover.value == "limited")
    carried_in = np.zeros(figures.size, np.int64) if before is None else before.carried_out
    dues = Dues(index.index, given, owed, surplus, kept, figures.deductions[:, at], carried_in, prior, scores.score)
    cash, carried_out = cash_flows(figures, file.cash, dues, file.sharing.carry_over.value)
    account = _account(index, wanted, dues, -cash.due["deposit_forfeited"])
    return BudgetYear(
        year, figures, terms, history, index, scores_before, scores, payment.sum(axis=1), recorded, given, kept_factor, kept,
        warnings(figures, terms, year, index.index, _less_surplus(owed, surplus)), cash, carried_out, account,
    )  # fmt: skip


def base_history(figures: HospitalFigures, terms: BudgetTerms, year: int, before: BudgetYear | None = None) -> Floats:
    """(H, Y) what each year before ``year`` counts in the base of the index, fen.

    A year that no budget is known for has no index: by ``settled`` what its units of payment gave counts, by ``bills`` its
    bills. The budgets of the years since then are made in turn, unless ``before``, the year before, is one of them.
    """
    by_units = terms.file.index.base.value == "settled"
    bills: Floats = figures.spending.sum(axis=2).astype(np.float64)
    history: Floats = figures.payment.sum(axis=(2, 3)).astype(np.float64) if by_units else bills
    if before is not None and before.year == year - 1:
        places = [place for place, known in enumerate(figures.years) if known < before.year]
        history[:, places] = before.history[:, places]
        history[:, figures.years.index(before.year)] = before.in_base
        return history
    made: BudgetYear | None = None
    known = [each for each, fund in zip(figures.years, figures.fund, strict=True) if fund >= 0]
    for earlier in figures.years[1:]:
        if known and known[0] <= earlier < year:
            made = budget_year(figures, terms, earlier, before=made)
    return history if made is None or made.year != year - 1 else base_history(figures, terms, year, made)


def budget_years(figures: HospitalFigures, terms: BudgetTerms, years: tuple[int, ...] | None = None) -> list[BudgetYear]:
    """Budget years one after the other, each with what the one before carries over; by default all that have a past."""
    wanted = [year for year in figures.years[1:] if years is None or year in years]
    if not wanted:
        _check(figures, figures.years[0] if years is None else years[0])
    result: list[BudgetYear] = []
    for year in wanted:
        before = result[-1] if result and result[-1].year == year - 1 else None
        result.append(budget_year(figures, terms, year, before=before))
    return result


def _check(figures: HospitalFigures, year: int) -> None:
    if year not in figures.years or year == figures.years[0]:
        listed = ", ".join(map(str, figures.years[1:])) or "none: one year alone has no history"
        what = f"no budget can be made for {year}: it needs discharges of the year and of a year before"
        raise UsageError([Problem("budget-no-history", what, where=str(year), fix=f"the years with a history are {listed}")])


def fund_of(figures: HospitalFigures, terms: BudgetTerms, year: int) -> int:
    """Budget of the fund in fen: as stated, or the last stated one with ``fund.growth`` a year.

    Raises
    ------
    UsageError
        No budget of this or an earlier year is known.
    """
    stated = [known for known, amount in zip(figures.years, figures.fund, strict=True) if known <= year and amount >= 0]
    if not stated:
        fix = "state it in fund.csv (year, insurance, budget_yuan)"
        raise UsageError([Problem("budget-no-fund", f"no budget of the fund is known for {year} or before", fix=fix)])
    last = int(figures.fund[figures.years.index(stated[-1])])
    growth = (1 + exact(terms.file.fund.growth.value)) ** (year - stated[-1])
    return round_half_away(last * growth)


def with_capitation(figures: HospitalFigures, terms: CapitationTerms, at: int) -> Ints:
    """(H, 12, U) payment of a year; where capitation is used, heads x amount take the place of the stays that it covers."""
    payment = figures.payment[:, at]
    if not terms.use.value:
        return payment
    amounts = [exact(terms.per_head.values[name]) * FEN_PER_YUAN for name in figures.conditions]
    heads = figures.registered[:, at]
    yearly = np.zeros(figures.size, np.int64)
    for row in np.flatnonzero(heads.any(axis=1)):
        yearly[row] = capitation_pot(zip(amounts, heads[row].tolist(), strict=True), terms.risk.value)
    member = yearly > 0
    payment = payment - np.where(member[:, None, None], figures.capitated[:, at], 0)
    month = np.arange(MONTHS)
    payment[:, :, UNITS.index("capitation")] += yearly[:, None] // MONTHS + (month < (yearly % MONTHS)[:, None])
    return payment


def _idle(figures: HospitalFigures, at: int, owed: Ints) -> NDArray[np.bool_]:
    """(H,) hospitals without cases that are owed (H, ...) nothing."""
    return np.asarray((figures.cases[:, at] == 0) & (np.abs(owed).sum(axis=1) == 0))


def _less_surplus(owed: Ints, surplus: Ints) -> Ints:
    """(H, 12) cumulative use since January without procurement surplus, which is taken out as the months are owed.

    December gives exactly what counts against the index at clearing.
    """
    to_date = np.cumsum(owed, axis=1)
    whole = to_date[:, -1:]
    share: Floats = np.divide(to_date, whole, out=np.zeros(to_date.shape), where=whole > 0)
    taken = rounded(surplus[:, None] * share)
    taken[:, -1] = surplus
    return to_date - taken


def warnings(figures: HospitalFigures, terms: BudgetTerms, year: int, index: Ints, used: Ints) -> Warnings:
    """Use of the index against the same period, month by month (rule book 0: warned above 100 % in Ningbo).

    ``used`` are (H, 12) fen since January that count against the index.
    """
    spec = terms.file.warning
    past = [place for place, known in enumerate(figures.years) if known < year]
    months = figures.spending[:, past].sum(axis=(0, 1)).astype(np.float64)
    if spec.season.value == "even" or months.sum() <= 0:
        months = np.ones(MONTHS)
    share = np.cumsum(months) / months.sum()
    share[-1] = 1.0
    to_date = rounded(index[:, None] * share)
    ratio = np.divide(used, to_date, out=np.full(used.shape, np.nan), where=to_date > 0)
    with np.errstate(invalid="ignore"):
        warned = ratio > spec.limit.value
        return Warnings(used, to_date, ratio, (ratio > spec.attention.value) & ~warned, warned)


def _covered(wanted: Ints, index: Index, procurement: int, limited: bool) -> Ints:
    """What is settled when overspends are borne only as far as the fund reaches; the rest is cut in proportion."""
    borne = np.maximum(wanted - index.index, 0)
    returned = int(np.maximum(index.index - wanted, 0).sum())
    left = max(index.reserve + index.adjustment_fund + index.unallocated + returned - procurement, 0)
    if not limited or int(borne.sum()) <= left:
        return wanted
    return np.asarray(wanted - borne + allocate(left, borne))


def _account(index: Index, wanted: Ints, dues: Dues, forfeited: Ints) -> FundAccount:
    given = dues.settled
    returned = int(np.maximum(index.index - given, 0).sum())
    borne = int(np.maximum(given - index.index, 0).sum())
    procurement, taken, held = int(dues.kept.sum()), int(dues.deductions.sum()), int(forfeited.sum())
    paid = int(given.sum()) + procurement - taken - held
    need = max(borne + procurement - returned - index.unallocated - taken - held, 0)
    from_adjustment = min(need, index.adjustment_fund)
    from_reserve = min(need - from_adjustment, index.reserve)
    return FundAccount(
        budget=index.budget, reserve=index.reserve, adjustment_fund=index.adjustment_fund, index=int(index.index.sum()),
        unallocated=index.unallocated, returned=returned, borne=borne, not_covered=int((wanted - given).sum()),
        procurement=procurement, deductions=taken, forfeited=held, paid=paid, balance=index.budget - paid,
        from_adjustment_fund=from_adjustment, from_reserve=from_reserve, deficit=need - from_adjustment - from_reserve,
    )  # fmt: skip
