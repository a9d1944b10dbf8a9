"""Why hospital payment and the fund's spending change: parts that sum to the change exactly, to the fen.

For the cases of a hospital and payer that are paid by groups, payment = N x (W / N) x (S / W) x (I / S): cases, case mix, unit
value, curve, with N cases, W sum of relative weights, S sum of standards, I what they are paid. The four factors move
from the baseline to the scenario one after the other (``sequential``, in this order), or averaged over all 24 orders
(``shapley``). Beside them stand the payment of cases outside the groups, what patients pay, and what is settled beside
the cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drgsim.money import exact, round_half_away
from drgsim.simulation.runner import ADJUSTMENTS, Outcome

Method = Literal["sequential", "shapley"]
FACTORS = ("volume", "case_mix", "unit_value", "curve")
EFFECTS = (*FACTORS, "outside", "patients", *ADJUSTMENTS)
EFFECTS_ZH = {
    "volume": "服务量", "case_mix": "病例组合", "unit_value": "费率、点值", "curve": "支付曲线", "outside": "病组外支付",
    "patients": "个人负担", "capitation": "按人头清算", "procurement": "集采结余上缴", "sharing": "结余留用、超支分担",
}  # fmt: skip


def decompose(baseline: Outcome, scenario: Outcome, method: Method = "sequential") -> dict[str, NDArray[np.int64]]:
    """Effects on the fund's spending per hospital, fen.

    Returns
    -------
    dict
        Name of :data:`EFFECTS` -> fen per hospital of ``scenario.hospitals``. Their sum is the change of what the fund pays,
        adjustments included; without ``patients`` it is the change of hospital payment.

    Raises
    ------
    ValueError
        The runs do not have the same hospitals.
    """
    if baseline.hospitals != scenario.hospitals:
        raise ValueError("the two runs have different hospitals")
    hospitals, payers = len(scenario.hospitals), len(scenario.by_payer.names) // len(scenario.hospitals)
    effects = {name: np.zeros(hospitals, np.int64) for name in EFFECTS}
    old, new = baseline.by_payer, scenario.by_payer
    for row in range(hospitals * payers):
        first, second = _numbers(baseline, row), _numbers(scenario, row)
        for name, amount in zip(FACTORS, split(first, second, method), strict=True):
            effects[name][row // payers] += amount
    moved = {name: (new.money[name] - old.money[name]).reshape(hospitals, payers).sum(1) for name in new.money}
    effects["outside"] = moved["payment"] - moved["inside"]
    effects["patients"] = moved["fund"] - moved["payment"]
    for name in ADJUSTMENTS:
        effects[name] = scenario.adjustments[name] - baseline.adjustments[name]
    return effects


def _numbers(outcome: Outcome, row: int) -> tuple[Fraction, Fraction, int, int]:
    totals = outcome.by_payer
    return (
        exact(float(totals.counts["priced"][row])), exact(float(totals.weight[row])),
        int(totals.money["standard"][row]), int(totals.money["inside"][row]),
    )  # fmt: skip


def split(
    first: tuple[Fraction, Fraction, int, int], second: tuple[Fraction, Fraction, int, int], method: Method = "sequential"
) -> tuple[int, int, int, int]:
    """Effects of cases, case mix, unit value and curve on one amount; they sum to its change.

    Parameters
    ----------
    first, second
        Cases, sum of weights, sum of standards (fen), payment (fen).
    method
        In the order of the names, or averaged over all orders.

    Examples
    --------
    >>> one, two = (Fraction(100), Fraction(100), 1000, 1000), (Fraction(110), Fraction(121), 1331, 1331)
    >>> split(one, two), split(one, two, "shapley")
    ((100, 110, 121, 0), (111, 110, 110, 0))
    """
    before, after = first[3], second[3]
    if any(part <= 0 for part in (*first, *second)):
        return after - before, 0, 0, 0  # a service that starts or ends is volume
    (n0, w0, s0, i0), (n1, w1, s1, i1) = ([Fraction(part) for part in side] for side in (first, second))
    factors = (n1 / n0, (w1 / n1) / (w0 / n0), (s1 / w1) / (s0 / w0), (i1 / s1) / (i0 / s0))
    if method == "sequential":
        levels, level = [before], Fraction(before)
        for factor in factors:
            level *= factor
            levels.append(round_half_away(level))
        a, b, c, d = (later - earlier for earlier, later in pairwise(levels))
        return a, b, c, d
    return _whole([_shapley(before, factors, place) for place in range(4)], after - before)


def _shapley(start: int, factors: tuple[Fraction, ...], place: int) -> Fraction:
    others = [factor for number, factor in enumerate(factors) if number != place]
    total = Fraction(0)
    for size in range(len(others) + 1):
        weight = Fraction(factorial(size) * factorial(len(others) - size), factorial(len(factors)))
        for chosen in combinations(others, size):
            product = Fraction(start)
            for factor in chosen:
                product *= factor
            total += weight * product * (factors[place] - 1)
    return total


def _whole(parts: list[Fraction], whole: int) -> tuple[int, int, int, int]:
    floors = [part.numerator // part.denominator for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (floors[place] - parts[place], place))
    for place in order[: whole - sum(floors)]:
        floors[place] += 1
    a, b, c, d = floors
    return a, b, c, d


def total(effects: Mapping[str, NDArray[np.int64]]) -> dict[str, int]:
    """Effects of the region, fen."""
    return {name: int(amounts.sum()) for name, amounts in effects.items()}
