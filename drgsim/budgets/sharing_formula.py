"""Sharing of surplus and overspend (结余留用、超支分担) of one hospital, as section 5 of the rule book writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from drgsim.money import exact, round_half_away


@dataclass(frozen=True)
class SettlementBand:
    """A band of the settlement ratio r = cost / budget up to ``upto`` (None: no end).

    ``share`` is the fund's share of the cost above the lower limit of the band; ``divide_by`` pays cost / divide_by instead.
    """

    upto: float | None
    share: float = 0.0
    divide_by: float | None = None


def shared_settlement(cost: int, budget: int, bands: Sequence[SettlementBand]) -> int:
    """What is settled against a budget in bands (结余留用、超支分担, rule book 5).

    Bands up to ratio 1 pay the budget, or cost / ``divide_by``; bands above add their share of the excess.

    Examples
    --------
    >>> bands = [SettlementBand(0.9, divide_by=0.9), SettlementBand(1.0), SettlementBand(1.1, share=0.6), SettlementBand(None)]
    >>> [shared_settlement(cost, 10_000, bands) for cost in (8_000, 9_500, 10_500, 12_000)]
    [8889, 10000, 10300, 10600]
    """
    ratio = Fraction(cost, budget)
    paid, lower = Fraction(budget), Fraction(0)
    for band in bands:
        upper = None if band.upto is None else exact(band.upto)
        inside = upper is None or ratio < upper
        if inside and band.divide_by is not None:
            return round_half_away(Fraction(cost) / exact(band.divide_by))
        start = max(lower, Fraction(1))
        stop = ratio if inside or upper is None else upper
        paid += max(stop - start, Fraction(0)) * budget * exact(band.share)
        if inside:
            break
        lower = upper if upper is not None else lower
    return round_half_away(paid)
