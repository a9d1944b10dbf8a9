"""Draws of many rows at once: weighted lists, and chances that keep their mean while they depend on the case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER, ALWAYS = -40.0, 40.0  # log odds
_STEPS = 45


class Choices:
    """Weighted lists that many rows draw from at once.

    The cumulative weights of list ``i`` are stored as ``i + cumulative share``, so that one ``searchsorted`` over all
    lists answers the draws of every row, whatever list each row asks.
    """

    def __init__(self, lists: Sequence[tuple[Sequence[int], Sequence[float]]]) -> None:
        self.size = np.array([len(items) for items, _ in lists], dtype=np.int32)
        self.start = np.concatenate(([0], np.cumsum(self.size)))[:-1].astype(np.int64)
        # a last -1, so that an empty list at the end has something to point at
        parts = [*(np.asarray(items, dtype=np.int32) for items, _ in lists), np.array([-1], dtype=np.int32)]
        self.items = np.concatenate(parts)
        steps = [np.empty(0)]
        for index, (_, weights) in enumerate(lists):
            if len(weights):
                total = np.cumsum(np.asarray(weights, dtype=np.float64))
                steps.append(index + total / total[-1])
        self.edges = np.concatenate(steps)

    def draw(self, rows: NDArray[np.integer], uniform: Floats) -> Ints:
        """One item of list ``rows[i]`` for each i; -1 where that list is empty. ``uniform`` lies in [0, 1)."""
        at = np.searchsorted(self.edges, rows + uniform * (1 - 1e-12), side="right")
        last = self.start[rows] + self.size[rows] - 1
        at = np.minimum(np.maximum(at, self.start[rows]), np.maximum(last, 0))
        return np.where(self.size[rows] > 0, self.items[at], -1).astype(np.int32)


def chance(log_odds: Floats) -> Floats:
    """Probability of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def log_odds(share: Floats) -> Floats:
    """Log odds of a share; of 0 and 1 so far out that it never, or always, happens.

    Examples
    --------
    >>> log_odds(np.array([0.0, 0.5, 1.0])).tolist()
    [-40.0, 0.0, 40.0]
    """
    share = np.asarray(share, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(share) - np.log1p(-share), NEVER, ALWAYS))


def normal_nodes(count: int = 9) -> tuple[Floats, Floats]:
    """Places and weights that stand for a standard normal number (Gauss-Hermite)."""
    places, weights = np.polynomial.hermite_e.hermegauss(count)
    return places, weights / weights.sum()


def intercepts(share: Floats, shift: Floats, weight: Floats) -> Floats:
    """Log odds ``a`` with ``sum(weight * chance(a + shift)) = share`` in every row.

    Parameters
    ----------
    share
        (rows,) the share that shall be met.
    shift
        (rows, nodes) log odds that depend on the case.
    weight
        (nodes,) or (rows, nodes); sums to 1 over the nodes.

    Examples
    --------
    >>> places, weights = normal_nodes()
    >>> a = intercepts(np.array([0.02]), 1.2 * places[None, :], weights)
    >>> round(float((weights * chance(a[:, None] + 1.2 * places)).sum()), 6)
    0.02
    """
    low, high = np.full(len(share), NEVER - 20), np.full(len(share), ALWAYS + 20)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        below = (weight * chance(middle[:, None] + shift)).sum(axis=1) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(share <= 0, NEVER, np.where(share >= 1, ALWAYS, (low + high) / 2))
