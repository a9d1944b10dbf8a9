"""Who keeps a surplus and who bears an overspend (结余留用、超支分担): schedules of bands, linear inside a band."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from drgsim.budget.figures import Floats, Ints
from drgsim.budget.model import Schedule, ShareBand
from drgsim.payment.money import exact, round_floats, round_half_away


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
    >>> from drgsim.budget.terms import load_terms
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
    for place in np.flatnonzero(close):
        fen[place] = _exactly(int(amounts[place]), int(index[place]), schedule, float(factors[place]))
    return np.where(index > 0, fen, 0)


def _fund_share(band: ShareBand, factors: Floats) -> Floats:
    share = float(band.share)
    return np.full(factors.size, share) if share >= 1 else 1 - np.minimum((1 - share) * factors, 1)


def _exactly(amount: int, index: int, schedule: Schedule, factor: float) -> int:
    """One hospital in fractions of the numbers as they were written."""
    result = Fraction(index)
    for band in schedule.surplus:
        lower, upper = exact(band.lower) * index, exact(1 if band.upper is None else band.upper) * index
        share = band.share if band.share >= 1 else 1 - min((1 - band.share) * exact(factor), Fraction(1))
        result -= share * max(upper - max(Fraction(amount), lower), Fraction(0))
    for band in schedule.overspend:
        lower = exact(band.lower) * index
        upper = Fraction(amount) if band.upper is None else min(Fraction(amount), exact(band.upper) * index)
        result += band.share * max(upper - lower, Fraction(0))
    return round_half_away(max(result, Fraction(0)))


def marginal_share(ratio: ArrayLike, schedule: Schedule) -> Floats:
    """What one more yuan due adds to what is settled, at r = due / index: the incentive that the schedule sets.

    Examples
    --------
    >>> from drgsim.budget.terms import load_terms
    >>> bands = load_terms("general").file.sharing.schedules["example-ratio"]
    >>> marginal_share([0.95, 1.05, 1.2], bands).tolist()
    [0.0, 0.6, 0.0]
    """
    bands = [*schedule.surplus, *schedule.overspend]
    starts, shares = np.array([band.lower for band in bands]), np.array([float(band.share) for band in bands])
    result: Floats = shares[np.searchsorted(starts, np.asarray(ratio, np.float64), side="right") - 1]
    return result
