"""The quality score (质量评价): points of indicators, weighted as the terms say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.indicator_formula import BEFORE, value_of
from drgsim.budgets.terms_model import INDICATORS_ZH, PerPoint, QualityTerms
from drgsim.money import FEN_PER_YUAN
from drgsim.region.hospital_year_sums import Floats


@dataclass(frozen=True)
class Scores:
    """Scores of a year.

    Attributes
    ----------
    values
        (H, K) what was measured, entered, or follows from a formula; NaN where nothing does.
    points
        (H, K) points of each indicator, 0 to 100; NaN where it is not measured.
    weights
        (H, K) share of each indicator in the score of the hospital; the rows sum to 1, or to 0 where nothing is measured.
    score
        (H,) the score, NaN where nothing is measured.
    """

    values: Floats
    points: Floats
    weights: Floats
    score: Floats


def score(figures: HospitalFigures, terms: QualityTerms, year: int) -> Scores:
    """Score of every hospital in a year: sum of weight x points over the indicators that are measured.

    ``points = 100 x (value - worst) / (best - worst)``, kept within 0 and 100; compared within levels, the value is first
    moved by the mean of all hospitals less the mean of the hospitals of its level.
    """
    measured_values = with_formulas(figures, terms, year)
    values = measured_values
    if terms.compare.value == "level":
        values = values + _mean(values) - _level_means(figures, values)
    points = np.full(values.shape, np.nan)
    weights = np.zeros(values.shape[1])
    for place, name in enumerate(figures.indicator_names):
        target = terms.targets.get(name)
        if target is not None:
            points[:, place] = np.clip(100 * (values[:, place] - target.worst) / (target.best - target.worst), 0, 100)
            weights[place] = terms.weights.values.get(name, 0.0)
    measured = ~np.isnan(points)
    own = np.where(measured, weights, 0.0)
    total = own.sum(axis=1, keepdims=True)
    share = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    result = (share * np.where(measured, points, 0.0)).sum(axis=1)
    return Scores(measured_values, points, share, np.where(total[:, 0] > 0, result, np.nan))


def with_formulas(figures: HospitalFigures, terms: QualityTerms, year: int) -> Floats:
    """(H, K) indicators of a year, those with a formula among them; what is entered goes before a formula."""
    at, names = figures.years.index(year), figures.indicator_names
    values: Floats = figures.indicators[:, at, :].copy()
    if not any(target.formula for target in terms.targets.values()):
        return values
    known = facts_of(figures, at)
    earlier = facts_of(figures, at - 1) if at else {name: np.full(figures.size, np.nan) for name in known}
    known |= {name + BEFORE: before for name, before in earlier.items()}
    for name, target in terms.targets.items():
        if target.formula and name in names:
            place = names.index(name)
            found = value_of(target.formula, known)
            values[:, place] = np.where(np.isnan(values[:, place]), found, values[:, place])
    return values


def facts_of(figures: HospitalFigures, at: int) -> dict[str, Floats]:
    """(H,) what a formula may name: the indicators as measured or entered, and facts of the hospital; money in yuan."""

    def over(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
        return np.asarray(np.divide(part, whole, out=np.full(figures.size, np.nan), where=whole > 0))

    money = {name: getattr(figures, name)[:, at] / FEN_PER_YUAN for name in ("cost", "patient", "outpatient_cost")}
    count = {name: getattr(figures, name)[:, at].astype(np.float64) for name in ("cases", "people", "visits", "heads")}
    indicators = dict(zip(figures.indicator_names, figures.indicators[:, at, :].T, strict=True))
    return {
        **indicators, **money, **count, "cmi": over(figures.weight[:, at], figures.weighted[:, at]),
        "visits_per_head": over(count["visits"], count["heads"]),
        "cost_per_visit": over(money["outpatient_cost"], count["visits"]), "cost_per_case": over(money["cost"], count["cases"]),
    }  # fmt: skip


def indicator_title(name: str, terms: QualityTerms) -> str:
    """Chinese title of an indicator: of those that are measured, or as the terms have it; the name where there is none."""
    target = terms.targets.get(name)
    return INDICATORS_ZH.get(name) or (target.title_zh if target is not None else "") or name


def _mean(values: Floats) -> Floats:
    """(K,) means over the hospitals where the indicator is measured, NaN where it is nowhere."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0))


def _level_means(figures: HospitalFigures, values: Floats) -> Floats:
    """(H, K) means of the hospitals of the same level."""
    result = np.empty_like(values)
    for level in np.unique(figures.level):
        alike = figures.level == level
        result[alike] = _mean(values[alike])
    return result


def factor(scores: Floats, terms: PerPoint) -> Floats:
    """Factor that follows a score: 1 + per_point x (score - neutral) within its bounds; 1 where there is no score.

    Examples
    --------
    >>> spec = PerPoint(neutral=75, per_point=0.01, low=0.9, high=1.2, unit="", source="", evidence="assumption")
    >>> factor(np.array([75.0, 85.0, 20.0, np.nan]), spec).tolist()
    [1.0, 1.1, 0.9, 1.0]
    """
    moved = np.clip(1 + terms.per_point * (scores - terms.neutral), terms.low, terms.high)
    return np.where(np.isnan(scores), 1.0, moved)
