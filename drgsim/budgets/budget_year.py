"""A budget year: index, quality, what the units of payment use of it, sharing, cash, and the account of the fund.

Everything here works on :class:`drgsim.budgets.hospital_figures.HospitalFigures`, so that a year costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.budget_index import History, Index, outpatient_part, set_index, together
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.cash import Cash, Dues, cash_flows, procurement_kept, rounded_share
from drgsim.budgets.fund_account import FundAccount, account_of, covered
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.liquidity import Liquidity, Loan, liquidity_of, loans_of, with_loans
from drgsim.budgets.month_warnings import Warnings, less_surplus, warnings
from drgsim.budgets.outpatient_unit import PLACE, in_budget, outpatient_owed
from drgsim.budgets.quality_score import Scores, factor, score
from drgsim.budgets.sharing import settled
from drgsim.budgets.terms import BudgetTerms
from drgsim.budgets.terms_model import CapitationTerms
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, exact, round_half_away
from drgsim.payment.capitation import capitation_pot
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints
from drgsim.region.region_tables import PROCUREMENT_CLASSES


@dataclass(frozen=True)
class BudgetYear:
    """A budget year of all hospitals; H hospitals, U units of payment, fen.

    Attributes
    ----------
    history
        What past years count in the base.
    index
        The indices and their waterfall.
    scores_before, scores
        Quality of the year before, which moves the index, and of the year, which moves the surplus share.
    units
        (H, U) what the units of payment give in the year.
    recorded
        (H,) the part of it that counts against the index: without procurement surplus.
    overspend_brought
        (H,) overspend of years before that counts as used in this one (``sharing.carry_overspend``).
    settled
        (H,) what is settled against the index.
    kept_factor
        (H,) factor of the quality score on the share of a surplus that the hospital keeps.
    procurement_kept
        (H,) procurement surplus that stays with the hospital.
    cash, carried_out, carried_overspend
        The ledger, the surplus that is carried to the next year, and the overspend that counts in it.
    liquidity, loans
        Balances by month, and what was paid ahead beside the prepayment.
    pools
        Payer -> the budget year of its pool, where employees and residents have budgets apart: all sums are those of the pools.
    """

    year: int
    figures: HospitalFigures
    terms: BudgetTerms
    history: History
    index: Index
    scores_before: Scores | None
    scores: Scores
    units: Ints
    recorded: Ints
    overspend_brought: Ints
    settled: Ints
    kept_factor: Floats
    procurement_kept: Ints
    warnings: Warnings
    cash: Cash
    carried_out: Ints
    carried_overspend: Ints
    fund: FundAccount
    liquidity: Liquidity
    loans: tuple[Loan, ...] = ()
    pools: Mapping[str, BudgetYear] = field(default_factory=dict)

    @property
    def ratio(self) -> Floats:
        """(H,) recorded / index, NaN without an index."""
        index = self.index.index
        return np.asarray(np.divide(self.recorded, index, out=np.full(index.size, np.nan), where=index > 0))

    @property
    def in_base(self) -> Floats:
        """(H,) what the year counts in the bases of later years, see ``terms_model.IndexTerms``, fen."""
        spec = self.terms.file.index
        used, index = self.recorded + self.overspend_brought, self.index.index
        settled = self.settled - np.maximum(np.minimum(self.settled, used) - self.recorded, 0) * (self.overspend_brought > 0)
        borne, unborne = np.maximum(settled - index, 0), np.maximum(self.recorded - settled, 0)
        unborne = np.where(self.recorded > index, unborne, 0)
        if spec.base.value == "bills":
            bills = self.figures.spending[:, self.figures.years.index(self.year)].sum(axis=1)
            less = (1 - spec.overspend.borne) * borne + (1 - spec.overspend.unborne) * unborne
            return np.asarray(np.maximum(bills - less, 0.0))
        return np.asarray(settled - (1 - spec.overspend.borne) * borne + spec.overspend.unborne * unborne)

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
        """(H,) what the hospital gets for the year, cash of the year with what is carried to the next, fen.

        What is paid ahead and not yet recovered is none of it.
        """
        due = self.cash.due
        own = self.cash.received + self.carried_out - due["carried_in"]
        return own - due["advance_open"] - due["advance_brought"] if "advance_open" in due else own


def budget_year(
    figures: HospitalFigures,
    terms: BudgetTerms,
    year: int,
    *,
    before: BudgetYear | None = None,
    fund: int | Mapping[str, int] | None = None,
    capitated: bool = False,
) -> BudgetYear:
    """Budget year of all hospitals; where the terms keep pools apart, of each pool, and what they come to together.

    Parameters
    ----------
    figures, terms, year
        Figures with at least one year before ``year``, and ``year`` itself; the terms of the budget.
    before
        The year before: what it carries over and paid ahead enters the ledger, it counts in the base, and liquidity goes on
        from it; by default its part of the base is made.
    fund
        Budget of the fund in fen, in all or by payer; by default that of the figures, or the last known one with the growth
        of the terms.
    capitated
        Whether the payments of the year hold a capitation already, as those of a scenario with ``capitation.conditions`` do:
        that of the terms does not come on top of it.

    Raises
    ------
    UsageError
        The year is not in the figures, has no year before it, or no budget is known; ``budget-no-pools`` where pools are
        apart and the figures are not; ``budget-negotiated-above-fund``.
    """
    _check(figures, year)
    figures = in_budget(figures, terms.file)
    if terms.file.pools.use.value == "joined":
        whole = sum(fund.values()) if isinstance(fund, Mapping) else fund
        return _with_cash_ahead(_one_budget(figures, terms, year, before, whole, capitated), before)
    if not figures.pools:
        fix = text("take the figures with the same terms (figures_of)")
        raise UsageError([Problem("budget-no-pools", text("the figures do not tell employees from residents"), fix=fix)])
    pools = {}
    for payer, pool in figures.pools.items():
        own, earlier = terms.of_pool(payer), before.pools[payer] if before is not None else None
        part = fund.get(payer) if isinstance(fund, Mapping) else fund_of(pool, own, year, payer)
        pools[payer] = _one_budget(pool, own, year, earlier, part, capitated)
    return _with_cash_ahead(_together(figures, terms, pools), before)


def _one_budget(
    figures: HospitalFigures, terms: BudgetTerms, year: int, before: BudgetYear | None, fund: int | None, capitated: bool
) -> BudgetYear:
    """Budget year of one pool, or of all payers where they are joined, before money is paid ahead beside the prepayment."""
    file = terms.file
    at = figures.years.index(year)
    scores = score(figures, file.quality, year)
    scores_before = score(figures, file.quality, year - 1) if year - 1 in figures.years else None
    prior = np.full(figures.size, np.nan) if scores_before is None else scores_before.score
    history = base_history(figures, terms, year, before)
    index = set_index(figures, file, year, prior, fund if fund is not None else fund_of(figures, terms, year), history)
    payment = figures.payment[:, at] if capitated else with_capitation(figures, file.capitation, at)
    if file.outpatient.pays.value != "by_item":
        payment = payment.copy()  # the figures stay as they are, for later years and other terms
        payment[..., PLACE] = outpatient_owed(figures, file, year)
    owed = payment.sum(axis=2)
    surplus = np.minimum(figures.procurement[:, at, :].sum(axis=1), owed.sum(axis=1))
    kept = np.minimum(procurement_kept(figures.procurement[:, at, :], file.cash, PROCUREMENT_CLASSES), surplus)
    recorded = owed.sum(axis=1) - surplus
    nothing = np.zeros(figures.size, np.int64)
    idle = _idle(figures, at, owed)
    brought = nothing if before is None else np.where(idle, 0, before.carried_overspend)
    kept_factor = factor(scores.score, file.sharing.quality)
    wanted = settled(recorded + brought, index.index, terms.schedule, kept_factor)
    wanted = np.where(idle, 0, wanted)  # no share of a surplus for treating nobody
    given = covered(wanted, index, int(kept.sum()), file.fund.cover.value == "limited")
    carried_in = nothing if before is None else before.carried_out
    dues = Dues(index.index, given, owed, surplus, kept, figures.deductions[:, at], carried_in, brought, prior, scores.score)
    cash, carried_out = cash_flows(figures, file.cash, dues, file.sharing.carry_over.value)
    unborne = np.where(recorded + brought > index.index, recorded + brought - given, 0)
    return BudgetYear(
        year, figures, terms, history, index, scores_before, scores, payment.sum(axis=1), recorded, brought, given, kept_factor,
        kept, warnings(figures, terms, year, index.index, less_surplus(owed, surplus)), cash, carried_out,
        rounded_share(unborne, file.sharing.carry_overspend.value),
        account_of(index, wanted, dues, -cash.due["deposit_forfeited"]),
        liquidity_of(figures, file.cash, year, cash, _money_of(before)),
    )  # fmt: skip


def _together(figures: HospitalFigures, terms: BudgetTerms, pools: Mapping[str, BudgetYear]) -> BudgetYear:
    """What the budget years of all pools come to."""
    parts = list(pools.values())
    first = parts[0]

    def total(name: str) -> Any:
        return sum((getattr(part, name) for part in parts[1:]), getattr(first, name))

    index = together([part.index for part in parts])
    flows = [
        {line: sum(getattr(part.cash, side)[line] for part in parts) for line in getattr(first.cash, side)}
        for side in ("due", "paid")
    ]
    used = sum((part.warnings.used for part in parts[1:]), first.warnings.used)
    kept = np.average([part.kept_factor for part in parts], axis=0)
    return replace(
        first, figures=figures, terms=terms, history=_histories(parts), index=index, units=total("units"),
        recorded=total("recorded"), overspend_brought=total("overspend_brought"), settled=total("settled"), kept_factor=kept,
        procurement_kept=total("procurement_kept"), warnings=warnings(figures, terms, first.year, index.index, used),
        cash=Cash(*flows), carried_out=total("carried_out"), carried_overspend=total("carried_overspend"), fund=total("fund"),
        pools=dict(pools),
    )  # fmt: skip


def _histories(parts: Sequence[BudgetYear]) -> History:
    """What past years count in the bases of all pools."""
    amounts: Floats = np.sum([part.history.amounts for part in parts], axis=0)
    outpatient = np.sum([part.history.amounts * part.history.outpatient for part in parts], axis=0)
    return History(amounts, np.divide(outpatient, amounts, out=np.zeros(amounts.shape), where=amounts > 0))


def _with_cash_ahead(year: BudgetYear, before: BudgetYear | None) -> BudgetYear:
    """The year with what is paid ahead beside the prepayment, and with the liquidity that follows."""
    terms, figures = year.terms.file.cash, year.figures
    loans = loans_of(figures, terms, year.year, year.index.index, () if before is None else before.loans)
    if not loans and not year.pools:
        return year  # whose liquidity is made
    cash = with_loans(year.cash, loans, year.year)
    liquidity = liquidity_of(figures, terms, year.year, cash, _money_of(before))
    return replace(year, loans=loans, cash=cash, liquidity=liquidity)


def _money_of(year: BudgetYear | None) -> tuple[Liquidity, Cash] | None:
    return None if year is None else (year.liquidity, year.cash)


def base_history(figures: HospitalFigures, terms: BudgetTerms, year: int, before: BudgetYear | None = None) -> History:
    """What each year before ``year`` counts in the base of the index.

    A year that no budget is known for has no index: by ``settled`` what its units of payment gave counts, by ``bills`` its
    bills. The budgets of the years since then are made in turn, unless ``before``, the year before, is one of them.
    """
    by_units = terms.file.index.base.value == "settled"
    bills: Floats = figures.spending.sum(axis=2).astype(np.float64)
    amounts: Floats = figures.payment.sum(axis=(2, 3)).astype(np.float64) if by_units else bills
    history = History(amounts, outpatient_part(figures, terms.file))
    if before is not None and before.year == year - 1:
        places = [place for place, known in enumerate(figures.years) if known < before.year]
        at = figures.years.index(before.year)
        history.amounts[:, places] = before.history.amounts[:, places]
        history.amounts[:, at] = before.in_base
        if by_units:
            history.outpatient[:, places] = before.history.outpatient[:, places]
            history.outpatient[:, at] = np.where(before.index.index > 0, before.index.outpatient, history.outpatient[:, at])
        return history
    made: BudgetYear | None = None
    known = [each for each, fund in zip(figures.years, figures.fund, strict=True) if fund >= 0]
    for earlier in figures.years[1:]:
        if known and known[0] <= earlier < year:
            made = _one_budget(figures, terms, earlier, made, None, False)
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
        listed = ", ".join(map(str, figures.years[1:])) or text("none: one year alone has no history")
        what = text("no budget can be made for {year}: it needs discharges of the year and of a year before", year=year)
        raise UsageError(
            [
                Problem(
                    "budget-no-history", what, where=str(year), fix=text("the years with a history are {listed}", listed=listed)
                )
            ]
        )


def fund_of(figures: HospitalFigures, terms: BudgetTerms, year: int, payer: str = "") -> int:
    """Budget of the fund in fen: as stated, or the last stated one with ``fund.growth`` a year.

    Raises
    ------
    UsageError
        No budget of this or an earlier year is known.
    """
    stated = [known for known, amount in zip(figures.years, figures.fund, strict=True) if known <= year and amount >= 0]
    if not stated:
        fix = text("state it in fund.csv (year, insurance, budget_yuan)")
        what = text("no budget of the fund is known for {year} or before", year=year)
        if payer:
            what = text("no budget of the fund for {payer} is known for {year} or before", payer=payer, year=year)
        raise UsageError([Problem("budget-no-fund", what, fix=fix)])
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
