"""Outpatient care (门诊) as a unit of payment: what the fund owes for visits or heads at the hospital's own amounts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drgsim.budgets.budget_index import year_shares
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.cash import rounded
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms_model import BudgetFile
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints

PLACE = UNITS.index("outpatient")


def in_budget(figures: HospitalFigures, terms: BudgetFile) -> HospitalFigures:
    """The figures without outpatient care where the terms leave it outside of the budget."""
    if terms.outpatient.use.value or not figures.stated[..., PLACE].any():
        return figures
    payment, stated = figures.payment.copy(), figures.stated.copy()
    spending = figures.spending - stated[..., PLACE]
    payment[..., PLACE] -= stated[..., PLACE]
    stated[..., PLACE] = 0
    nothing = np.zeros_like(figures.visits)
    pools = {payer: in_budget(pool, terms) for payer, pool in figures.pools.items()}
    return replace(
        figures, payment=payment, stated=stated, spending=spending, visits=nothing, heads=nothing, outpatient_cost=nothing,
        pools=pools,
    )  # fmt: skip


def outpatient_owed(figures: HospitalFigures, terms: BudgetFile, year: int) -> Ints:
    """(H, 12) what the fund owes for outpatient care of a year, fen.

    By visit or head: number x own amount of the base years, each grown by ``outpatient.growth`` to the year; a hospital without
    such an amount is paid what was spent. Months keep their part of the year.
    """
    at = figures.years.index(year)
    stated: Ints = figures.stated[:, at, :, PLACE]
    count = (figures.visits if terms.outpatient.pays.value == "by_visit" else figures.heads).astype(np.float64)
    spent = figures.stated[..., PLACE].sum(axis=2)
    each = np.divide(spent, count, out=np.zeros(count.shape), where=count > 0)
    lag = (year - np.asarray(figures.years)).clip(0)
    weight = np.where(count > 0, year_shares(terms, figures.years, year), 0.0)
    total = weight.sum(axis=1)
    grown = (weight * each * (1 + terms.outpatient.growth.value) ** lag).sum(axis=1)
    own = np.divide(grown, total, out=np.zeros(figures.size), where=total > 0)
    owed = np.where(own > 0, count[:, at] * own, spent[:, at])
    return _by_month(owed, stated)


def _by_month(amounts: Floats, months: Ints) -> Ints:
    """Amounts of a year by month, as (H, 12) others lie; evenly where there are none. They sum to the rounded year."""
    whole = months.sum(axis=1, keepdims=True)
    even = np.arange(1, MONTHS + 1) / MONTHS
    share = np.where(whole > 0, np.cumsum(months, axis=1) / np.maximum(whole, 1), even)
    return np.diff(rounded(amounts[:, None] * share), axis=1, prepend=0)
