"""Indicators of groups and hospitals: CV, RIV, R2, CMI, cost and time index, low-risk mortality.

All functions take arrays with one entry per case; ``group`` numbers the groups from 0. Cases with NaN are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drgsim.costs.statistics import GroupStatistics, group_statistics, r2, riv, share_of_stable_groups

__all__ = [
    "RISK_LEVELS", "RISK_LEVELS_ZH", "GroupStatistics", "cmi", "consumption_index", "group_statistics", "low_risk_mortality",
    "r2", "risk_levels", "riv", "share_of_stable_groups",
]  # fmt: skip
RISK_LEVELS = ("low", "mid_low", "mid_high", "high")
RISK_LEVELS_ZH = ("低风险", "中低风险", "中高风险", "高风险")


def cmi(weights: ArrayLike) -> float:
    """Case-mix index: sum n_g RW_g / sum n_g (rule book 1.9); cases without weight are left out.

    Examples
    --------
    >>> round(cmi([1, 1, 2]), 4)
    1.3333
    """
    x = np.asarray(weights, np.float64)
    x = x[~np.isnan(x)]
    return float(x.mean()) if x.size else float("nan")


def consumption_index(own_mean: ArrayLike, reference_mean: ArrayLike, cases: ArrayLike) -> float:
    """Cost or time index (费用、时间消耗指数): sum_g (own mean / reference mean) n_g / sum_g n_g (rule book 1.9).

    Examples
    --------
    >>> round(consumption_index([6500, 15000], [6500, 13000], [2, 1]), 6)
    1.051282
    """
    own, reference, n = (np.asarray(values, np.float64) for values in (own_mean, reference_mean, cases))
    used = (n > 0) & (reference > 0) & ~np.isnan(own)
    return float((own[used] / reference[used] * n[used]).sum() / n[used].sum()) if used.any() else float("nan")


def risk_levels(mortality: ArrayLike) -> NDArray[np.int8]:
    """Risk level of each group from its mortality: place in :data:`RISK_LEVELS`.

    ln(mortality) against its mean mu and population deviation s over the groups with deaths: low < mu - s <= mid-low <
    mu <= mid-high < mu + s <= high; groups without deaths are low (rule book 1.9: general knowledge).

    Examples
    --------
    >>> [RISK_LEVELS[level] for level in risk_levels([1e-4, 1e-3, 1e-2, 1e-1])]
    ['low', 'mid_low', 'mid_high', 'high']
    """
    rates = np.asarray(mortality, np.float64)
    died = rates > 0
    levels = np.zeros(rates.size, np.int8)
    if died.any():
        logs = np.log(rates[died])
        mean, deviation = logs.mean(), logs.std()
        levels[died] = np.searchsorted([mean - deviation, mean, mean + deviation], logs, side="right")
    return levels


def low_risk_mortality(died: ArrayLike, group: ArrayLike, levels: ArrayLike) -> float:
    """Deaths in low-risk groups over cases in low-risk groups (低风险组死亡率)."""
    low = np.asarray(levels)[np.asarray(group, np.int64)] == 0
    return float(np.asarray(died, np.float64)[low].mean()) if low.any() else float("nan")
