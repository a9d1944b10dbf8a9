"""The rates at which the fund's budget is just spent (平衡费率), and which of them is taken.

What the fund pays rises with the rate between the limits of the curve, and falls where a case passes one: at a higher rate a
high case becomes a normal one, a normal case a low one. Several rates may therefore spend the same budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MOST_TRIALS = 400  # settlements after which the search for further rates ends


@dataclass(frozen=True)
class Spending:
    """What is paid at one rate.

    Attributes
    ----------
    rate
        Fen per unit.
    total
        Fen of the fund over all cases of the payer, each as often as it counts.
    fund, amount, standard, cost
        Fen per paid case of the payer; ``fund`` is what the amount alone leaves to it.
    cell
        Cases below 0 are made up by others of their cell, and a cell pays nothing below 0; None: no such limit.
    case_class
        Place in ``case_class.CLASSES``.
    """

    rate: int
    total: int
    fund: Ints
    amount: Ints
    standard: Ints
    cost: Ints
    case_class: NDArray[np.int8]
    cell: NDArray[np.integer] | None = None

    def of_fund(self, fund: Ints) -> int:
        """What the fund pays in all where the cases leave it ``fund`` fen each."""
        if self.cell is None or not fund.size:
            return int(fund.sum())
        return int(np.maximum(np.bincount(self.cell, fund), 0).sum())


def balancing_rates(spending: Callable[[int], Spending], fund: int, low: int, high: int) -> Iterator[int]:
    """Rates (fen per unit) from ``low`` to ``high`` at which a fund is just spent, the smallest first.

    A rate just spends the fund when it does not overspend it and one fen more would. Intervals in which no case can pay enough,
    or little enough, are left out; the others are halved.

    Parameters
    ----------
    spending
        What is paid at a rate.
    fund
        Budget of the fund, fen.

    Yields
    ------
    int
        In rising order; the search ends after :data:`MOST_TRIALS` settlements.
    """
    stack = [(spending(low), spending(high))]
    trials = 2
    while stack and trials < MOST_TRIALS:
        left, right = stack.pop()
        least, most, steady = _between(left, right)
        if most <= fund or least > fund:
            continue
        if right.rate - left.rate == 1:
            if left.total <= fund < right.total:
                yield left.rate
            continue
        middle = spending(_next_rate(left, right, fund, steady))
        trials += 1
        stack += [(middle, right), (left, middle)]


def _between(left: Spending, right: Spending) -> tuple[int, int, bool]:
    """Least and most that the fund may pay between two rates, and whether no case changes its class.

    A case of one class at both rates pays between what it pays there. Another may in between also be paid its standard or its
    cost; the fund's part moves by no more than the amount.
    """
    least, most = np.minimum(left.fund, right.fund), np.maximum(left.fund, right.fund)
    moved = left.case_class != right.case_class
    if moved.any():
        top = np.maximum(right.standard, right.cost) - np.maximum(left.amount, right.amount)
        bottom = np.minimum(left.amount, right.amount) - np.minimum(left.standard, left.cost)
        most, least = most + np.where(moved, np.maximum(top, 0), 0), least - np.where(moved, np.maximum(bottom, 0), 0)
    return left.of_fund(least), left.of_fund(most), not moved.any()


def _next_rate(left: Spending, right: Spending, fund: int, steady: bool) -> int:
    """Where to look between two rates: in the middle, or, where all is linear, where the line meets the fund."""
    if not steady or right.total == left.total:
        return (left.rate + right.rate) // 2
    place = left.rate + (fund - left.total) * (right.rate - left.rate) // (right.total - left.total)
    return min(max(place, left.rate + 1), right.rate - 1)
