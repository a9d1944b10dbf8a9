"""Payments that are not per case: prepayment, yearly clearing of points, procurement surplus, fixed amounts, bands.

All amounts are int64 fen; each result is rounded once, half away from zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from drgsim.money import exact, round_half_away

Number = float | int | str | Fraction


def prepayment(standards: int, patient_paid: int, share: Number, deductions: int = 0) -> int:
    """Monthly prepayment (月度预结): (standards - patients' part) x share - deductions (rule book 1.6 and 3.7).

    Examples
    --------
    >>> prepayment(1_200_000, 250_000, 0.9, 20_000)
    835000
    """
    return round_half_away(exact(standards - patient_paid) * exact(share) - deductions)


def yearly_clearing(units: Number, unit_value: Number, fund_share: Number, assessment: Number = 1, deductions: int = 0) -> int:
    """Yearly clearing (年度清算): units x unit value (yuan) x fund share x assessment coefficient - deductions (rule book 3.7).

    Examples
    --------
    >>> yearly_clearing(1_000_000, 7, 0.65, 0.98, 1_200_000)
    444700000
    """
    gross = exact(units) * exact(unit_value) * exact(fund_share) * exact(assessment) * 100
    return round_half_away(gross - deductions)


def budget_point_value(cost: Sequence[Number], score: Sequence[Number], weights: Sequence[Number] = ()) -> Fraction:
    """Budget point value (预算点值): sum of w_y cost_y / sum of w_y score_y over the years, yuan (rule book 3.3).

    Parameters
    ----------
    cost, score
        Cost (yuan) and scores of each year.
    weights
        Weights of the years, such as 1, 2, 7 from the oldest on; all alike by default.

    Examples
    --------
    >>> float(budget_point_value([9_800_000], [1_400_000]))
    7.0
    """
    shares = weights or (1,) * len(cost)
    total = sum((exact(w) * exact(c) for w, c in zip(shares, cost, strict=True)), Fraction(0))
    return total / sum((exact(w) * exact(s) for w, s in zip(shares, score, strict=True)), Fraction(0))


def floating_value(budget_value: Number, settlement_value: Number, base_share: Number) -> Fraction:
    """Floating point value (浮动点值): base share x budget value + the rest x settlement value.

    The draft of DIP 3.0 names the shares 8:2 and 7:3 of base and increment only; that they weigh the two point values is an
    assumption.

    Examples
    --------
    >>> float(floating_value(7, 6.5, 0.8))
    6.9
    """
    share = exact(base_share)
    return share * exact(budget_value) + (1 - share) * exact(settlement_value)


def kept_surplus(surplus: Mapping[str, int], kept_share: Mapping[str, Number]) -> dict[str, int]:
    """What a hospital keeps of the surplus from procurement (带量采购结余留用), by product class (rule book 4.4).

    Parameters
    ----------
    surplus
        Fen by product class.
    kept_share
        Share kept by product class, as in ``procurement.kept_share`` of a policy.

    Raises
    ------
    KeyError
        A class without a share.

    Examples
    --------
    >>> kept_surplus({"a": 120_000_000, "b": 60_000_000, "c": 20_000_000}, {"a": 1, "b": 0.7, "c": 0.5})
    {'a': 120000000, 'b': 42000000, 'c': 10000000}
    """
    return {name: round_half_away(exact(amount) * exact(kept_share[name])) for name, amount in surplus.items()}


def price_saving(cost: int, fall: Number) -> int:
    """Saving on products of a cost (fen) when their price falls by a share.

    Examples
    --------
    >>> price_saving(1_000_000, 0.383)
    383000
    """
    return round_half_away(exact(cost) * exact(fall))


def fixed_amount(cost: int, fund_amount: int, personal_limit: int) -> tuple[int, int]:
    """Single disease (单病种): the fund pays its fixed amount, the patient the rest up to a limit (rule book 4.5).

    Returns
    -------
    tuple of int
        Fund and patient payment, fen. The fund amount is paid whatever the cost.

    Examples
    --------
    >>> fixed_amount(900_000, 600_000, 200_000)
    (600000, 200000)
    """
    return fund_amount, max(min(cost - fund_amount, personal_limit), 0)


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
