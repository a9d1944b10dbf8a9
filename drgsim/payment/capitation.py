"""Capitation (按人头): the fund pays a pot for the registered patients in the place of what their stays cost (rule book 4.5).

pot = amount per head x registered patients x risk factor. The amount is stated, or follows from what the fund spent on such
patients before. Of a pot above the cost the hospitals keep a share, of a cost above the pot the fund bears a share. The
formula is general knowledge; no official amounts are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from drgsim.money import Number, exact, round_half_away


def derived_amount(spent: int, heads: int, rate: Number) -> Fraction:
    """Fen per head and year where none is stated: ``rate`` x what the fund spent (fen) per registered patient of the past.

    Examples
    --------
    >>> float(derived_amount(spent=12_000_000, heads=100, rate=0.9))
    108000.0
    """
    return exact(spent) * exact(rate) / heads


def capitation_pot(amounts: Iterable[tuple[Number, int]], risk: Number = 1) -> int:
    """The pot of a year in fen, rounded once: sum of fen per head x heads over the conditions, times the risk factor.

    Examples
    --------
    >>> capitation_pot([(120_000, 1000)], risk=1.1)
    132000000
    """
    return round_half_away(sum((exact(amount) * heads for amount, heads in amounts), Fraction(0)) * exact(risk))


def capitation_paid(pot: int, cost: int, kept_share: Number = 1, overspend_share: Number = 0) -> int:
    """What the fund pays in the end (fen) for patients whose stays cost it ``cost`` by item.

    Examples
    --------
    >>> capitation_paid(132_000_000, 125_000_000), capitation_paid(132_000_000, 125_000_000, kept_share=0.5)
    (132000000, 128500000)
    >>> capitation_paid(132_000_000, 142_000_000), capitation_paid(132_000_000, 142_000_000, overspend_share=0.3)
    (132000000, 135000000)
    """
    if pot >= cost:
        return cost + round_half_away((pot - cost) * exact(kept_share))
    return pot + round_half_away((cost - pot) * exact(overspend_share))
