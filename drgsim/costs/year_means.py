"""Means over several years of history that count unequally (1:2:7, 7:2:1, ...)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
YearMode = Literal["mean_of_means", "case_weighted"]
YEAR_MODES: tuple[YearMode, ...] = ("mean_of_means", "case_weighted")


def mean_over_years(total: ArrayLike, count: ArrayLike, weights: ArrayLike, mode: YearMode) -> Floats:
    """Mean cost per group over the years; NaN for a group without cases.

    Parameters
    ----------
    total, count
        Sum of costs and number of cases, each of shape (groups, years).
    weights
        Weight of each year, shape (years,).
    mode
        ``mean_of_means``: the years' means are averaged, sum w_y m_y / sum w_y; ``case_weighted``: each case counts with the
        weight of its year, sum w_y C_y / sum w_y n_y. The two differ (rule book 3.2). A year in which a group does not
        occur leaves its weight to the others.

    Examples
    --------
    >>> count = np.array([[100, 120, 150]])
    >>> total = count * [9000, 8500, 8000]
    >>> [round(float(mean_over_years(total, count, [1, 2, 7], mode)[0]), 6) for mode in YEAR_MODES]
    [8200.0, 8158.273381]
    """
    cost, n, w = np.asarray(total, np.float64), np.asarray(count, np.float64), np.asarray(weights, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if mode == "case_weighted":
            return np.asarray((cost * w).sum(-1) / (n * w).sum(-1))
        means = np.where(n > 0, cost / np.where(n > 0, n, 1.0), 0.0)
        return np.asarray((means * w).sum(-1) / ((n > 0) * w).sum(-1))
