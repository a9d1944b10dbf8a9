"""Adding up what cases are paid: whole numbers in parts of a fen, so that any order and any split give the same sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.simulation.cases import PART

MEASURES = ("cost", "payment", "fund", "patient", "standard", "inside", "saving")
COUNTS = ("cases", "paid", "priced", "high", "low", "by_item")


@njit(cache=True, nogil=True)
def add_up(
    ids: Any, size: int, parts: Any, paid: Any, classes: Any, money: Any, weight: Any, days: Any
) -> Any:  # pragma: no cover
    """Sums per row.

    Parameters
    ----------
    ids
        Row of each case.
    parts
        int64 parts that the case counts for.
    paid
        Whether the case has an amount; only then its money counts.
    classes
        bool (cases, 4): priced, high, low, by item.
    money
        int64 (measures, cases), fen.
    weight, days
        Relative weight and days; NaN counts as 0.

    Returns
    -------
    tuple
        counts (rows, 6) in parts; money (rows, measures) in parts of a fen; weight and days (rows, 2), weighted floats.
    """
    counts = np.zeros((size, 6), np.int64)
    total = np.zeros((size, money.shape[0]), np.int64)
    sums = np.zeros((size, 2))
    for i in range(ids.size):
        row, part = ids[i], parts[i]
        if part == 0:
            continue
        counts[row, 0] += part
        if days[i] >= 0:
            sums[row, 1] += days[i] * part
        if not paid[i]:
            continue
        counts[row, 1] += part
        for j in range(4):
            if classes[i, j]:
                counts[row, 2 + j] += part
        if classes[i, 0]:
            sums[row, 0] += weight[i] * part
        for m in range(money.shape[0]):
            total[row, m] += money[m, i] * part
    return counts, total, sums


def whole(parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Parts of a fen as fen, so that the rows sum to the rounded whole (largest remainder), column by column.

    Examples
    --------
    >>> whole(np.array([[5_000], [5_000], [10_000]]))[:, 0].tolist()
    [1, 0, 1]
    """
    floor, rest = parts // PART, parts % PART
    if not rest.any():
        return np.asarray(floor)
    wanted = (parts.sum(0) * 2 + PART) // (2 * PART)  # half up, of amounts that are not below 0 here
    for column in range(parts.shape[1]):
        left = int(wanted[column] - floor[:, column].sum())
        if left > 0:
            order = np.lexsort((np.arange(len(parts)), -rest[:, column]))
            floor[order[:left], column] += 1
    return np.asarray(floor)


@dataclass(frozen=True)
class Totals:
    """Sums by one dimension.

    Attributes
    ----------
    names
        Names of the rows.
    counts
        Name of :data:`COUNTS` -> discharges per row.
    money
        Name of :data:`MEASURES` -> fen per row.
    weight, days
        Sum of relative weights of priced cases, and of days.
    """

    names: tuple[str, ...]
    counts: dict[str, NDArray[np.float64]]
    money: dict[str, NDArray[np.int64]]
    weight: NDArray[np.float64]
    days: NDArray[np.float64]

    @classmethod
    def of(
        cls, names: tuple[str, ...], counts: NDArray[np.int64], money: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> Totals:
        """From what :func:`add_up` returns."""
        rounded = whole(money)
        return cls(
            names,
            {name: counts[:, place] / PART for place, name in enumerate(COUNTS)},
            {name: rounded[:, place] for place, name in enumerate(MEASURES)},
            sums[:, 0] / PART,
            sums[:, 1] / PART,
        )


NOTHING = Totals(
    (), {name: np.zeros(0) for name in COUNTS}, {name: np.zeros(0, np.int64) for name in MEASURES}, np.zeros(0), np.zeros(0)
)
