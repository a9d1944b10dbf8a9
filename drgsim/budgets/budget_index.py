"""The index (总额指标) of every hospital from its own history (一院一测), closed on the fund's budget to the fen.

    index = (base x growth x people x volume x CMI x price and wage x technology x quality, all within limits
             - procurement savings + moved services) x scaling + negotiated

The formula is an assumption: none is public (rule book 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.quality_score import factor
from drgsim.budgets.terms_model import Bounded, BudgetFile
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, allocate, exact, round_half_away
from drgsim.region.hospital_year_sums import Floats, Ints

STEPS = (
    "base", "growth", "people", "volume", "cmi", "price_wage", "technology", "quality", "limits", "procurement", "moved",
    "scaling", "negotiated",
)  # fmt: skip
STEPS_ZH = {
    "base": "基数（历史加权）", "growth": "总体增长", "people": "服务人数", "volume": "服务量", "cmi": "病例组合指数",
    "price_wage": "价格与人力成本", "technology": "新技术", "quality": "质量评价", "limits": "增减幅度限制",
    "procurement": "集采节约扣减", "moved": "分级诊疗转移", "scaling": "总额平衡", "negotiated": "谈判协商",
}  # fmt: skip


@dataclass(frozen=True)
class History:
    """What past years count in the base of an index.

    Attributes
    ----------
    amounts
        (H, Y) fen.
    outpatient
        (H, Y) the part of them that is outpatient care: that of the index where a year had one, so that no bill of the year
        moves it, else that of what the units of payment gave.
    """

    amounts: Floats
    outpatient: Floats


@dataclass(frozen=True)
class Index:
    """Indices of a year.

    Attributes
    ----------
    index
        (H,) fen; they sum to ``pool``, or to less where the closing is ``at_most``.
    waterfall
        (H, S) fen by step of :data:`STEPS`; the rows sum to the index.
    factors
        (H, F) factors of the steps from growth to quality, after their bounds.
    outpatient
        (H,) the part of the index that stands for outpatient care, before limits.
    scaling
        Factor that closes the sum of all hospitals on the fund's budget.
    budget, reserve, adjustment_fund, pool, unallocated
        Fen: budget = reserve + adjustment fund + pool, and pool = sum of indices + unallocated.
    """

    index: Ints
    waterfall: Ints
    factors: Floats
    outpatient: Floats
    scaling: float
    budget: int
    reserve: int
    adjustment_fund: int
    pool: int
    unallocated: int


def together(parts: Sequence[Index]) -> Index:
    """The indices of several pools as one: amounts add up, factors are those of the sums."""
    names = ("index", "waterfall", "budget", "reserve", "adjustment_fund", "pool", "unallocated")
    sums = {name: sum(getattr(part, name) for part in parts) for name in names}
    running = np.cumsum(sums["waterfall"][:, : parts[0].factors.shape[1] + 1], axis=1).astype(np.float64)
    factors = np.divide(running[:, 1:], running[:, :-1], out=np.ones(parts[0].factors.shape), where=running[:, :-1] > 0)
    before = float(sums["waterfall"][:, : STEPS.index("scaling")].sum())
    scaling = 1 + float(sums["waterfall"][:, STEPS.index("scaling")].sum()) / before if before > 0 else 0.0
    of_index = sum(part.outpatient * part.index for part in parts)
    outpatient = np.divide(of_index, sums["index"], out=np.zeros(len(factors)), where=sums["index"] > 0)
    return Index(factors=factors, outpatient=outpatient, scaling=scaling, **sums)


def set_index(figures: HospitalFigures, terms: BudgetFile, year: int, scores: Floats, budget: int, history: History) -> Index:
    """Index of every hospital.

    Parameters
    ----------
    scores
        (H,) quality scores that move the index, NaN where there is none.
    budget
        Budget of the fund in fen.
    history
        What past years count; columns from ``year`` on are not used.

    Raises
    ------
    UsageError
        ``budget-negotiated-above-fund``: more was negotiated than there is to give.
    """
    spec = terms.index
    past = [place for place, known in enumerate(figures.years) if known < year][::-1]
    share = year_shares(terms, figures.years, year)
    this = figures.years.index(year) if year in figures.years else None
    running, chain, outpatient = _before_limits(figures, terms, year, share, scores, history)
    base = running[:, 0]
    limited = np.clip(running[:, -1], spec.limits.low * base, spec.limits.high * base)
    lacking = _own_weights(figures, share).sum(axis=1) <= 0
    limited = np.where(lacking, base, limited)
    savings = _savings(figures, spec.procurement.share, spec.procurement.most, base, past[0])
    less = np.maximum(limited - savings, 0)
    raw = np.maximum(less + _moved(figures, terms, past[0], year), 0)
    reserve = round_half_away(exact(budget) * exact(terms.fund.reserve.value))
    adjustment = round_half_away(exact(budget) * exact(terms.fund.adjustment_fund.value))
    pool = budget - reserve - adjustment
    closed, scaling, measured = _close(figures, terms, this, raw, pool)
    levels = np.rint(np.concatenate([running, limited[:, None], less[:, None], raw[:, None]], axis=1)).astype(np.int64)
    waterfall = np.diff(np.concatenate([levels, measured[:, None], closed[:, None]], axis=1), axis=1, prepend=0)
    return Index(closed, waterfall, chain, outpatient, scaling, budget, reserve, adjustment, pool, pool - int(closed.sum()))


def year_shares(terms: BudgetFile, years: tuple[int, ...], year: int) -> Floats:
    """(Y,) weight of each year in the base of ``year``, the newest first as ``year_weights`` says."""
    past = [place for place, known in enumerate(years) if known < year][::-1]
    share = np.zeros(len(years))
    weights = terms.index.year_weights.value[: len(past)]
    share[past[: len(weights)]] = weights if sum(weights) > 0 else 1.0
    return share


def _own_weights(figures: HospitalFigures, share: Floats) -> Floats:
    """(H, Y) weight of each year in which the hospital treated anybody; all 0 of a hospital without a history."""
    return np.where((figures.cases > 0) | (figures.visits > 0), share, 0.0)


def _before_limits(
    figures: HospitalFigures, terms: BudgetFile, year: int, share: Floats, scores: Floats, history: History
) -> tuple[Floats, Floats, Floats]:
    """(H, 1 + F) base and what it is after each factor, fen, (H, F) the factors, and (H,) the part of outpatient care.

    Outpatient care has a base of its own, which heads and visits move in the place of patients and discharges; the factors of a
    hospital with both are those of the whole.
    """
    spec = terms.index
    newest = max(place for place, known in enumerate(figures.years) if known < year)
    at = figures.years.index(year) if spec.timing.value == "actual" and year in figures.years else newest
    weight = _own_weights(figures, share)
    outside = history.amounts * history.outpatient
    cmi = np.divide(figures.weight, figures.weighted, out=np.zeros_like(figures.weight), where=figures.weighted > 0)
    people, volume = (_bounded(figures.people, share, at, spec.people), _bounded(figures.cases, share, at, spec.volume))
    same = np.ones(figures.size)
    quality = factor(scores, spec.quality)
    mix = _bounded(cmi, share, at, spec.cmi)
    inside, chain = _part(figures, terms, year, weight, history.amounts - outside, (people, volume, mix, quality))
    if not outside.any() and not figures.visits.any():
        return inside, chain, np.zeros(figures.size)
    heads, visits = (_bounded(figures.heads, share, at, spec.people), _bounded(figures.visits, share, at, spec.volume))
    beside, _ = _part(figures, terms, year, weight, outside, (heads, visits, same, quality), outpatient=True)
    running = inside + beside
    both = np.divide(running[:, 1:], running[:, :-1], out=np.ones(chain.shape), where=running[:, :-1] > 0)
    part = np.divide(beside[:, -1], running[:, -1], out=np.zeros(figures.size), where=running[:, -1] > 0)
    return running, np.where((beside[:, :1] > 0), both, chain), part


def outpatient_part(figures: HospitalFigures, terms: BudgetFile) -> Floats:
    """(H, Y) outpatient care as part of what a year counts: of what the units of payment gave, or of the bills."""
    amount = figures.payment[..., UNITS.index("outpatient")].sum(axis=2)
    whole = figures.payment.sum(axis=(2, 3)) if terms.index.base.value == "settled" else figures.spending.sum(axis=2)
    return np.asarray(np.divide(amount, whole, out=np.zeros(amount.shape), where=whole > 0).clip(0, 1))


def _part(
    figures: HospitalFigures,
    terms: BudgetFile,
    year: int,
    weight: Floats,
    history: Floats,
    measured: tuple[Floats, Floats, Floats, Floats],
    *,
    outpatient: bool = False,
) -> tuple[Floats, Floats]:
    """Base and running index of inpatient or outpatient care, and the factors.

    ``weight`` are those of :func:`_own_weights`, ``measured`` the factors of people, volume, CMI and quality.
    """
    newest = max(place for place, known in enumerate(figures.years) if known < year)
    this = figures.years.index(year) if year in figures.years else newest
    base, lacking = _own_history(figures, weight, newest, this, history, outpatient)
    lag = (year - np.asarray(figures.years)).clip(0) if terms.index.lag.value == "compounded" else None
    growth, wage, technology = _rates(
        [np.full(figures.size, 1 + terms.index.growth.value), 1 + figures.by_level(terms.index.price_wage),
         1 + figures.by_level(terms.index.technology)], weight * history, lag,
    )  # fmt: skip
    people, volume, cmi, quality = measured
    chain = np.stack([growth, people, volume, cmi, wage, technology, quality], axis=1)
    chain[lacking, :] = 1.0  # what stands in for a missing history is of the year already
    return np.concatenate([base[:, None], base[:, None] * np.cumprod(chain, axis=1)], axis=1), chain


def _rates(rates: list[Floats], weight: Floats, lag: Ints | None) -> list[Floats]:
    """(H,) factors of yearly rates: once; or each base year's own number of times, the years weighted by (H, Y) ``weight``."""
    if lag is None:
        return rates
    result, sums = [], [weight]
    for rate in rates:
        sums.append(sums[-1] * rate[:, None] ** lag)
        before, after = sums[-2].sum(axis=1), sums[-1].sum(axis=1)
        result.append(np.divide(after, before, out=rate.copy(), where=before > 0))
    return result


def _close(figures: HospitalFigures, terms: BudgetFile, at: int | None, raw: Floats, pool: int) -> tuple[Ints, float, Ints]:
    """Indices that close on the pool, the factor that closes them, and the indices before what was negotiated (fen).

    What was negotiated is given as it was agreed: a share of the hospital's own index after closing, and an amount; all
    others are scaled to the rest. An index does not fall below 0.
    """
    agreed = np.zeros(figures.size, np.int64) if at is None else figures.negotiated[:, at].copy()
    wanted = raw * (1.0 if at is None else 1 + figures.negotiated_share[:, at])
    total, exactly = float(wanted.sum()), terms.fund.closing.value == "exact"
    while True:
        left = pool - int(agreed.sum())
        if left < 0:
            what = text(
                "{agreed:,.2f} yuan were negotiated, {pool:,.2f} are there to give",
                agreed=int(agreed.sum()) / FEN_PER_YUAN,
                pool=pool / FEN_PER_YUAN,
            )
            fix = text("check negotiated in adjustments.csv, its signs and its unit (yuan)")
            raise UsageError([Problem("budget-negotiated-above-fund", what, where="adjustments.csv", fix=fix)])
        scaling = left / total if total > 0 else 0.0
        scaling = scaling if exactly else min(scaling, 1.0)
        given = left if exactly or total >= left else round_half_away(exact(total))
        parts = allocate(given, wanted) if total > 0 else np.zeros(figures.size, np.int64)
        closed = parts + agreed
        below = closed < 0
        if not below.any():
            break
        wanted = np.where(below, 0.0, wanted)
        agreed[below] = 0
        total = float(wanted.sum())
    spoken = (agreed != 0) | (wanted != raw)
    return closed, scaling, np.where(spoken, np.rint(raw * scaling).astype(np.int64), closed)


def _own_history(
    figures: HospitalFigures, weight: Floats, newest: int, this: int, history: Floats, outpatient: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weighted yearly spending over the years in which the hospital worked, and where there was none.

    A hospital without history stands in with what its level spends per unit of weight, times its own weight; of outpatient care
    per visit.
    """
    total = weight.sum(axis=1)
    base = np.divide((weight * history).sum(axis=1), total, out=np.zeros(figures.size), where=total > 0)
    lacking = total <= 0
    if lacking.any():
        measure = figures.visits.astype(np.float64) if outpatient else figures.weight
        volume = measure[:, newest]
        for keys in {figures.levels[place] for place in np.flatnonzero(lacking)}:
            alike = np.array([own == keys for own in figures.levels]) & ~lacking
            alike = alike if volume[alike].sum() > 0 else ~lacking
            units = volume[alike].sum()
            rate = history[alike, newest].sum() / units if units > 0 else 0.0  # nobody to compare with: no base
            mine = np.array([own == keys for own in figures.levels]) & lacking
            base[mine] = rate * measure[mine, this]
    return base, lacking


def _bounded(values: Floats | Ints, share: Floats, at: int, spec: Bounded) -> Floats:
    """(value at the year / weighted mean of the base years) ^ elasticity, within bounds; 1 where either is 0."""
    worked = values > 0
    weight = np.where(worked, share, 0.0)
    total = weight.sum(axis=1)
    mean = np.divide((weight * values).sum(axis=1), total, out=np.zeros(len(values)), where=total > 0)
    ratio = np.divide(values[:, at], mean, out=np.ones(len(values)), where=(mean > 0) & worked[:, at])
    return np.asarray(np.clip(ratio**spec.elasticity, spec.low, spec.high))


def _savings(figures: HospitalFigures, share: float, most: float, base: Floats, newest: int) -> Floats:
    """The fund's part of procurement savings of the year before that leaves the index."""
    cost, patient = figures.cost[:, newest], figures.patient[:, newest]
    fund_part = np.divide(cost - patient, cost, out=np.zeros(figures.size), where=cost > 0).clip(0, 1)
    return np.asarray(np.minimum(share * figures.savings[:, newest] * fund_part, most * base))


def _moved(figures: HospitalFigures, terms: BudgetFile, newest: int, year: int) -> Floats:
    """Spending that moves between levels: what some lose others receive, plus what was entered by hand."""
    spec = terms.index.moved
    light = figures.low_weight[:, newest].astype(np.float64)
    given = figures.by_level(spec) * light
    received = np.where(figures.at_levels(spec.to_levels), light, 0.0)
    if received.sum() <= 0:
        given[:] = 0.0
        received[:] = 0.0
    else:
        received *= given.sum() / received.sum()
    entered = figures.moved[:, figures.years.index(year)] if year in figures.years else 0
    return received - given + entered
