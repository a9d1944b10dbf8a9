"""Who keeps a surplus and who bears an overspend (结余留用、超支分担): schedules of bands, linear inside a band."""

from __future__ import annotations

from math import lcm

import numpy as np
from numpy.typing import ArrayLike

from drgsim.budgets.sharing_schedule import Schedule, ShareBand
from drgsim.money import exact, round_floats
from drgsim.region.hospital_year_sums import Floats, Ints


def settled(amounts: Ints, index: Ints, schedule: Schedule, kept_factor: Floats | None = None) -> Ints:
    """What is settled for amounts due by units against an index, fen.

    With r = amount / index and f(r) the fund's share of the band at r:
    settled = index x (1 - integral of f from r to 1) below the index, index x (1 + integral of f from 1 to r) above.
    Where the hospital keeps a share 1 - f > 0 of a surplus, ``kept_factor`` multiplies it, up to 1. The result rises
    with r, has no jumps, is never below 0 and never above amount where a surplus or an overspend is not the hospital's.

    Parameters
    ----------
    amounts, index
        (H,) fen, 0 or more. Without an index nothing is settled by bands: the amount is overspend and stays unpaid.
    schedule
        The bands.
    kept_factor
        (H,) factor on the hospital's share of a surplus, as the quality score gives it; default 1.

    Examples
    --------
    >>> from drgsim.budgets.terms import load_terms
    >>> bands = load_terms("general").file.sharing.schedules["example-ratio"]
    >>> settled(np.array([8_000, 9_500, 10_500, 12_000]), np.full(4, 10_000), bands).tolist()
    [8889, 10000, 10300, 10600]
    """
    factors = np.ones(amounts.size) if kept_factor is None else kept_factor
    used, whole = amounts.astype(np.float64), index.astype(np.float64)
    result = whole.copy()
    for band in schedule.surplus:
        lower, upper = band.lower * whole, (1.0 if band.upper is None else band.upper) * whole
        result -= _fund_share(band, factors) * np.clip(upper - np.maximum(used, lower), 0, None)
    for band in schedule.overspend:
        lower = band.lower * whole
        upper = used if band.upper is None else np.minimum(used, band.upper * whole)
        result += float(band.share) * np.clip(upper - lower, 0, None)
    fen, close = round_floats(np.maximum(result, 0))
    doubtful = np.flatnonzero(close)
    if doubtful.size:
        bands = _Exact(schedule)
        for place in doubtful:
            fen[place] = bands.settled(int(amounts[place]), int(index[place]), float(factors[place]))
    return np.where(index > 0, fen, 0)


def _fund_share(band: ShareBand, factors: Floats) -> Floats:
    share = float(band.share)
    return np.full(factors.size, share) if share >= 1 else 1 - np.minimum((1 - share) * factors, 1)


class _Exact:
    """A schedule in integers: limits over ``limit_scale``, shares over ``share_scale``, as they were written."""

    def __init__(self, schedule: Schedule) -> None:
        limits = [exact(limit) for band in (*schedule.surplus, *schedule.overspend) for limit in (band.lower, band.upper or 0)]
        shares = [band.share for band in (*schedule.surplus, *schedule.overspend)]
        self.limit_scale = lcm(*(limit.denominator for limit in limits))
        self.share_scale = lcm(*(share.denominator for share in shares))
        self.surplus = [self._band(band) for band in schedule.surplus]
        self.overspend = [self._band(band) for band in schedule.overspend]

    def _band(self, band: ShareBand) -> tuple[int, int | None, int]:
        upper = None if band.upper is None else int(exact(band.upper) * self.limit_scale)
        return int(exact(band.lower) * self.limit_scale), upper, int(band.share * self.share_scale)

    def settled(self, amount: int, index: int, factor: float) -> int:
        """One hospital, rounded once, half away from zero."""
        kept = exact(factor)
        whole_share = self.share_scale * kept.denominator
        used, result = amount * self.limit_scale, index * self.limit_scale * whole_share
        for lower, upper, share in self.surplus:
            own = max(self.share_scale - share, 0) * kept.numerator
            fund = share * kept.denominator if share >= self.share_scale else whole_share - min(own, whole_share)
            result -= fund * max((upper or 0) * index - max(used, lower * index), 0)
        for lower, upper, share in self.overspend:
            end = used if upper is None else min(used, upper * index)
            result += share * kept.denominator * max(end - lower * index, 0)
        scale = self.limit_scale * whole_share
        return (2 * max(result, 0) + scale) // (2 * scale)


def marginal_share(ratio: ArrayLike, schedule: Schedule) -> Floats:
    """What one more yuan due adds to what is settled, at r = due / index: the incentive that the schedule sets.

    Examples
    --------
    >>> from drgsim.budgets.terms import load_terms
    >>> bands = load_terms("general").file.sharing.schedules["example-ratio"]
    >>> marginal_share([0.95, 1.05, 1.2], bands).tolist()
    [0.0, 0.6, 0.0]
    """
    bands = [*schedule.surplus, *schedule.overspend]
    starts, shares = np.array([band.lower for band in bands]), np.array([float(band.share) for band in bands])
    result: Floats = shares[np.searchsorted(starts, np.asarray(ratio, np.float64), side="right") - 1]
    return result
