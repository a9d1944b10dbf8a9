"""The index (总额指标) of every hospital from its own history (一院一测), closed on the fund's budget to the fen.

    index = (base x growth x people x volume x CMI x price and wage x technology x quality, all within limits
             - procurement savings + moved services) x scaling

The formula is an assumption: none is public (rule book 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.quality_score import factor
from drgsim.budgets.terms_model import Bounded, BudgetFile
from drgsim.money import allocate, exact, round_half_away
from drgsim.region.hospital_year_sums import Floats, Ints

STEPS = (
    "base", "growth", "people", "volume", "cmi", "price_wage", "technology", "quality", "limits", "procurement", "moved",
    "scaling",
)  # fmt: skip
STEPS_ZH = {
    "base": "基数（历史加权）", "growth": "总体增长", "people": "服务人数", "volume": "服务量", "cmi": "病例组合指数",
    "price_wage": "价格与人力成本", "technology": "新技术", "quality": "质量评价", "limits": "增减幅度限制",
    "procurement": "集采节约扣减", "moved": "分级诊疗转移", "scaling": "总额平衡",
}  # fmt: skip


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
    scaling
        Factor that closes the sum of all hospitals on the fund's budget.
    budget, reserve, adjustment_fund, pool, unallocated
        Fen: budget = reserve + adjustment fund + pool, and pool = sum of indices + unallocated.
    """

    index: Ints
    waterfall: Ints
    factors: Floats
    scaling: float
    budget: int
    reserve: int
    adjustment_fund: int
    pool: int
    unallocated: int


def set_index(figures: HospitalFigures, terms: BudgetFile, year: int, scores: Floats, budget: int, history: Floats) -> Index:
    """Index of every hospital.

    Parameters
    ----------
    scores
        (H,) quality scores that move the index, NaN where there is none.
    budget
        Budget of the fund in fen.
    history
        (H, Y) spending of past years in fen; columns from ``year`` on are not used.
    """
    spec = terms.index
    past = [place for place, known in enumerate(figures.years) if known < year][::-1]
    share = np.zeros(len(figures.years))
    weights = spec.year_weights.value[: len(past)]
    share[past[: len(weights)]] = weights if sum(weights) > 0 else 1.0
    this = figures.years.index(year) if year in figures.years else past[0]
    base, lacking = _own_history(figures, share, past[0], this, history)
    at = this if spec.timing.value == "actual" else past[0]
    cmi = np.divide(figures.weight, figures.weighted, out=np.zeros_like(figures.weight), where=figures.weighted > 0)
    chain = np.stack([
        np.full(figures.size, 1 + spec.growth.value),
        _bounded(figures.people, share, at, spec.people),
        _bounded(figures.cases, share, at, spec.volume),
        _bounded(cmi, share, at, spec.cmi),
        1 + figures.by_level(spec.price_wage),
        1 + figures.by_level(spec.technology),
        factor(scores, spec.quality),
    ], axis=1)  # fmt: skip
    chain[lacking, :] = 1.0  # what stands in for a missing history is of the year already
    running = np.concatenate([base[:, None], base[:, None] * np.cumprod(chain, axis=1)], axis=1)
    limited = np.clip(running[:, -1], spec.limits.low * base, spec.limits.high * base)
    limited = np.where(lacking, base, limited)
    savings = _savings(figures, spec.procurement.share, spec.procurement.most, base, past[0])
    moved = _moved(figures, terms, past[0], year)
    less = np.maximum(limited - savings, 0)
    raw = np.maximum(less + moved, 0)
    reserve = round_half_away(exact(budget) * exact(terms.fund.reserve.value))
    adjustment = round_half_away(exact(budget) * exact(terms.fund.adjustment_fund.value))
    pool = budget - reserve - adjustment
    total = float(raw.sum())
    scaling = pool / total if total > 0 else 0.0
    if terms.fund.closing.value == "at_most":
        scaling = min(scaling, 1.0)
    given = pool if terms.fund.closing.value == "exact" or total >= pool else round_half_away(exact(total))
    index = allocate(given, raw) if total > 0 else np.zeros(figures.size, np.int64)
    levels = np.rint(np.concatenate([running, limited[:, None], less[:, None], raw[:, None]], axis=1)).astype(np.int64)
    ends = np.concatenate([levels, index[:, None]], axis=1)
    waterfall = np.diff(ends, axis=1, prepend=0)
    left = pool - int(index.sum())
    return Index(index, waterfall, chain, scaling, budget, reserve, adjustment, pool, left)


def _own_history(
    figures: HospitalFigures, share: Floats, newest: int, this: int, history: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weighted yearly spending over the years in which the hospital worked, and where there was none.

    A hospital without history stands in with what its level spends per unit of weight, times its own weight.
    """
    worked = figures.cases > 0
    weight = np.where(worked, share, 0.0)
    total = weight.sum(axis=1)
    base = np.divide((weight * history).sum(axis=1), total, out=np.zeros(figures.size), where=total > 0)
    lacking = total <= 0
    if lacking.any():
        volume = figures.weight[:, newest]
        for keys in {figures.levels[place] for place in np.flatnonzero(lacking)}:
            alike = np.array([own == keys for own in figures.levels]) & ~lacking
            alike = alike if volume[alike].sum() > 0 else ~lacking
            rate = history[alike, newest].sum() / max(volume[alike].sum(), 1e-9)
            mine = np.array([own == keys for own in figures.levels]) & lacking
            base[mine] = rate * figures.weight[mine, this]
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
