"""Adding up what cases are paid: whole numbers in parts of a fen, so that any order and any split give the same sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.money import MISSING
from drgsim.simulation.scenario import ScenarioError
from drgsim.simulation.scenario_cases import PART

MEASURES = ("cost", "payment", "fund", "patient", "standard", "inside", "saving")
LARGEST = 9.0e18 / 2  # parts of a fen; half of what int64 holds, for whole() doubles sums
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


@njit(cache=True, nogil=True)
def gather(
    cost: Any, patient: Any, exempt: Any, exempt_patient: Any, saving: Any, by_item: Any, amount: Any, fund: Any, standard: Any,
    relative: Any, class_of: Any, outside: Any, self_pay: int, high: int, low: int,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Money of each case in the order of :data:`MEASURES` (0 where it is not paid), whether it is paid, and its classes.

    Self-payers pay their bill. A case is priced when it has a standard and a relative value and no class of ``outside``.
    Technologies beside the group are added to payment and fund.
    """
    money = np.zeros((7, cost.size), np.int64)
    paid = np.zeros(cost.size, np.bool_)
    classes = np.zeros((cost.size, 4), np.bool_)
    for i in range(cost.size):
        if amount[i] == MISSING:
            continue
        paid[i] = True
        money[0, i] = cost[i]
        money[1, i] = amount[i] + exempt[i]
        if class_of[i] == self_pay:
            money[3, i] = cost[i]
        else:
            if fund[i] != MISSING:
                money[2, i] = fund[i]
            money[2, i] += exempt[i] - exempt_patient[i]
            if patient[i] != MISSING:
                money[3, i] = patient[i]
        if standard[i] != MISSING and relative[i] > 0 and not outside[class_of[i]]:
            money[4, i] = standard[i]
            money[5, i] = money[1, i]
            money[6, i] = saving[i]
            classes[i, 0] = True
        classes[i, 1] = class_of[i] == high
        classes[i, 2] = class_of[i] == low
        classes[i, 3] = by_item[i]
    return money, paid, classes


def check_size(money: NDArray[np.int64], parts: NDArray[np.int64], where: str = "") -> None:
    """Refuse sums that no int64 holds.

    Parameters
    ----------
    money
        (measures, cases) or (cases,), fen.
    parts
        How often each case counts.

    Raises
    ------
    ScenarioError
        The sum of some measure may pass 2^63.
    """
    most = float(np.abs(money).max(initial=0))
    if most * float(parts.sum(dtype=np.float64)) < LARGEST:  # the quick bound; nearly always enough
        return
    total = (np.abs(money.astype(np.float64)) @ parts.astype(np.float64)).max()
    if total >= LARGEST:
        what = f"the amounts add up to {total / PART / 100:,.0f} yuan, more than sums to the fen can hold"
        raise ScenarioError([Problem("scenario-too-large", what, where=where, fix="multiply volumes, prices or rates by less")])


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
