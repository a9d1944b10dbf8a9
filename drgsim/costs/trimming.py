"""Trimming (裁剪): which cases of a group are too far out to enter its mean cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drgsim.compiled_code import njit
from drgsim.language import text

METHODS = ("none", "iqr", "percentile", "multiple")
_CODES = {name: code for code, name in enumerate(METHODS)}


@dataclass(frozen=True)
class TrimRule:
    """How the limits of a group follow from its costs.

    ``iqr``: Q1 - low x IQR and Q3 + high x IQR, quartiles by linear interpolation (type 7); ``percentile``: the low and high
    percentiles, 0 to 100; ``multiple``: low x mean and high x mean; ``none``. Limits belong to the kept cases.
    """

    method: Literal["none", "iqr", "percentile", "multiple"] = "iqr"
    low: float = 1.5
    high: float = 1.5

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                text("trimming {method!r} is not one of {methods}", method=self.method, methods=", ".join(METHODS))
            )
        if self.low < 0 or self.high < 0 or (self.method == "percentile" and not self.low < self.high <= 100):
            raise ValueError(
                text(
                    "the limits {low:g} and {high:g} make no sense for {method}",
                    low=self.low,
                    high=self.high,
                    method=self.method,
                )
            )

    def __str__(self) -> str:
        return {
            "none": "no trimming",
            "iqr": text("kept: Q1 - {low:g} IQR to Q3 + {high:g} IQR of the group", low=self.low, high=self.high),
            "percentile": text("kept: percentile {low:g} to {high:g} of the group", low=self.low, high=self.high),
            "multiple": text("kept: {low:g} to {high:g} times the mean of the group", low=self.low, high=self.high),
        }[self.method]


def trim(values: ArrayLike, group: ArrayLike, rule: TrimRule = TrimRule()) -> NDArray[np.bool_]:
    """Which cases are kept.

    Parameters
    ----------
    values
        Cost of each case; NaN is never kept.
    group
        Number of each case's group, below 0 for none (never kept).

    Examples
    --------
    >>> costs = [1000, 5000, 5200, 5400, 5600, 5800, 6000, 6200, 6400, 60000]
    >>> trim(costs, [0] * 10).sum()
    np.int64(8)
    """
    x = np.ascontiguousarray(values, np.float64)
    g = np.ascontiguousarray(group, np.int64)
    low, high = limits(x, g, rule)
    used = ~np.isnan(x) & (g >= 0)
    place = np.where(used, g, 0)
    if not low.size:
        return np.zeros(x.size, np.bool_)
    return np.asarray(used & (x >= low[place]) & (x <= high[place]))


def limits(
    values: NDArray[np.float64], group: NDArray[np.int64], rule: TrimRule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest kept cost of each group; NaN for a group without cases."""
    size = int(group.max()) + 1 if group.size else 0
    low, high = _limits(values, group, max(size, 0), _CODES[rule.method], rule.low, rule.high)
    return low, high


@njit(cache=True, nogil=True)
def _limits(values: Any, group: Any, size: int, method: int, low: float, high: float) -> Any:  # pragma: no cover
    """Bucket the cases by group, sort each bucket once, and read the limits from it."""
    start = np.zeros(size + 1, np.int64)
    for i in range(values.size):
        if group[i] >= 0 and not np.isnan(values[i]):
            start[group[i] + 1] += 1
    for g in range(size):
        start[g + 1] += start[g]
    place = start[:-1].copy()
    bucket = np.empty(start[size], np.float64)
    for i in range(values.size):
        if group[i] >= 0 and not np.isnan(values[i]):
            bucket[place[group[i]]] = values[i]
            place[group[i]] += 1
    lower, upper = np.full(size, np.nan), np.full(size, np.nan)
    for g in range(size):
        cases = bucket[start[g] : start[g + 1]]
        if cases.size == 0:
            continue
        if method == 0:
            lower[g], upper[g] = -np.inf, np.inf
        elif method == 3:
            mean = cases.mean()
            lower[g], upper[g] = low * mean, high * mean
        else:
            cases.sort()
            if method == 1:
                q1, q3 = _quantile(cases, 0.25), _quantile(cases, 0.75)
                lower[g], upper[g] = q1 - low * (q3 - q1), q3 + high * (q3 - q1)
            else:
                lower[g], upper[g] = _quantile(cases, low / 100.0), _quantile(cases, high / 100.0)
    return lower, upper


@njit(cache=True, nogil=True)
def _quantile(cases: Any, share: float) -> float:  # pragma: no cover - compiled
    """Linear interpolation between order statistics (type 7)."""
    at = (cases.size - 1) * share
    below = int(np.floor(at))
    above = min(below + 1, cases.size - 1)
    return float(cases[below] + (at - below) * (cases[above] - cases[below]))
