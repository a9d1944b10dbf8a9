"""The quality score (质量评价): points of indicators, weighted as the terms say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms_model import PerPoint, QualityTerms
from drgsim.region.hospital_year_sums import Floats


@dataclass(frozen=True)
class Scores:
    """Scores of a year.

    Attributes
    ----------
    points
        (H, K) points of each indicator, 0 to 100; NaN where it is not measured.
    weights
        (H, K) share of each indicator in the score of the hospital; the rows sum to 1, or to 0 where nothing is measured.
    score
        (H,) the score, NaN where nothing is measured.
    """

    points: Floats
    weights: Floats
    score: Floats


def score(figures: HospitalFigures, terms: QualityTerms, year: int) -> Scores:
    """Score of every hospital in a year: sum of weight x points over the indicators that are measured.

    ``points = 100 x (value - worst) / (best - worst)``, kept within 0 and 100; compared within levels, the value is first
    moved by the mean of all hospitals less the mean of the hospitals of its level.
    """
    values = figures.indicators[:, figures.years.index(year), :]
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
    return Scores(points, share, np.where(total[:, 0] > 0, result, np.nan))


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
