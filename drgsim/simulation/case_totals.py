"""Adding up what cases are paid: whole numbers in parts of a fen, so that any order and any split give the same sum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import MISSING, from_parts
from drgsim.payment.case_class import CLASSES, OUTSIDE_GROUPS, CaseClass
from drgsim.simulation.scenario import ScenarioError
from drgsim.simulation.scenario_cases import PART

LARGEST = 9.0e18 / 2  # parts of a fen; half of what int64 holds, for from_parts() doubles sums


class Measure(IntEnum):
    """Rows of the money of cases, fen.

    ``INSIDE`` is the payment of cases that have a standard; ``SAVING`` what procurement took off their cost and they
    are still paid; ``SHADOW`` what groups would pay for cases that are simulated, ``SHADOW_COST`` the cost of these.
    """

    COST = 0
    PAYMENT = 1
    FUND = 2
    PATIENT = 3
    STANDARD = 4
    INSIDE = 5
    SAVING = 6
    SHADOW = 7
    SHADOW_COST = 8


class Count(IntEnum):
    """What discharges are counted as; ``PRICED``: those that have a standard."""

    CASES = 0
    PAID = 1
    PRICED = 2
    HIGH = 3
    LOW = 4
    BY_ITEM = 5


MEASURES = tuple(measure.name.lower() for measure in Measure)
COUNTS = tuple(count.name.lower() for count in Count)


class Bill(NamedTuple):
    """What a case costs and who pays beside the group, as a scenario has it; see ``scenario_cases.State``."""

    cost: NDArray[np.int64]
    patient: NDArray[np.int64]
    exempt: NDArray[np.int64]
    exempt_patient: NDArray[np.int64]
    saving: NDArray[np.int64]
    by_item: NDArray[np.bool_]
    days: NDArray[np.float64]


class Marks(NamedTuple):
    """What a case counts as, in the words of :class:`Count`."""

    paid: NDArray[np.bool_]
    priced: NDArray[np.bool_]
    high: NDArray[np.bool_]
    low: NDArray[np.bool_]
    by_item: NDArray[np.bool_]


class ClassNumbers(NamedTuple):
    """Places in ``case_class.CLASSES`` that sums ask for; ``outside``: by place, whether such cases lie outside the groups."""

    self_pay: int
    high: int
    low: int
    outside: NDArray[np.bool_]


CLASS_NUMBERS = ClassNumbers(
    CLASSES.index(CaseClass.SELF_PAY), CLASSES.index(CaseClass.HIGH), CLASSES.index(CaseClass.LOW),
    np.array([*(name in OUTSIDE_GROUPS for name in CLASSES), False]),  # the last place answers for cases without a class
)  # fmt: skip


@njit(cache=True, nogil=True)
def add_up(
    ids: Any, size: int, parts: Any, money: Any, marks: Any, weight: Any, days: Any
) -> Any:  # pragma: no cover - compiled
    """Sums per row.

    Parameters
    ----------
    ids
        Row of each case.
    parts
        int64 parts that the case counts for.
    money
        int64 (measures, cases), fen; counts where the case is paid.
    marks
        :class:`Marks`.
    weight, days
        Relative weight and days; NaN counts as 0.

    Returns
    -------
    tuple
        counts (rows, counts) in parts; money (rows, measures) in parts of a fen; weight and days (rows,), weighted floats.
    """
    paid, priced, high, low, by_item = marks.paid, marks.priced, marks.high, marks.low, marks.by_item
    counts = np.zeros((size, len(COUNTS)), np.int64)
    total = np.zeros((size, money.shape[0]), np.int64)
    weights, stays = np.zeros(size), np.zeros(size)
    for i in range(ids.size):
        row, part = ids[i], parts[i]
        if part == 0:
            continue
        counts[row, Count.CASES.value] += part
        if days[i] >= 0:
            stays[row] += days[i] * part
        if not paid[i]:
            continue
        counts[row, Count.PAID.value] += part
        if priced[i]:
            counts[row, Count.PRICED.value] += part
            weights[row] += weight[i] * part
        if high[i]:
            counts[row, Count.HIGH.value] += part
        if low[i]:
            counts[row, Count.LOW.value] += part
        if by_item[i]:
            counts[row, Count.BY_ITEM.value] += part
        for m in range(money.shape[0]):
            total[row, m] += money[m, i] * part
    return counts, total, weights, stays


@njit(cache=True, nogil=True)
def paid_case(
    amount: Any, fund: Any, below: Any, cost: Any, patient: Any, exempt: Any, exempt_patient: Any, self_pay: Any
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Payment, the fund's and the patient's part of a paid case (fen).

    ``below`` is what patients paid above the amount, which the hospital has beside it. Self-payers pay their bill.
    Technologies beside the group are added to payment and fund.
    """
    if self_pay:
        return amount + exempt, 0, cost
    of_fund = (0 if fund == MISSING else fund) + exempt - exempt_patient
    return amount + below + exempt, of_fund, 0 if patient == MISSING else patient


@njit(cache=True, nogil=True)
def is_priced(standard: Any, relative: Any, outside: Any) -> Any:  # pragma: no cover - compiled
    """Whether a case has a standard and a relative value and lies inside the groups."""
    return standard != MISSING and relative > 0 and not outside


@njit(cache=True, nogil=True)
def gather(
    bill: Any, amount: Any, fund: Any, above: Any, standard: Any, relative: Any, class_of: Any, numbers: Any
) -> Any:  # pragma: no cover - compiled
    """Money of each case by :class:`Measure` (0 where it is not paid), and its :class:`Marks`."""
    cost, patient, exempt, exempt_patient = bill.cost, bill.patient, bill.exempt, bill.exempt_patient
    saving, outside_groups = bill.saving, bill.by_item
    outside, self_pay, is_high, is_low = numbers.outside, numbers.self_pay, numbers.high, numbers.low
    size = amount.size
    money = np.zeros((len(MEASURES), size), np.int64)
    paid, priced = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    high, low, by_item = np.zeros(size, np.bool_), np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for i in range(size):
        if amount[i] == MISSING:
            continue
        payment, of_fund, of_patient = paid_case(
            amount[i],
            fund[i],
            0 if above[i] == MISSING else -above[i],
            cost[i],
            patient[i],
            exempt[i],
            exempt_patient[i],
            class_of[i] == self_pay,
        )
        paid[i] = True
        money[Measure.COST.value, i] = cost[i]
        money[Measure.PAYMENT.value, i] = payment
        money[Measure.FUND.value, i] = of_fund
        money[Measure.PATIENT.value, i] = of_patient
        if is_priced(standard[i], relative[i], outside[class_of[i]]):
            priced[i] = True
            money[Measure.STANDARD.value, i] = standard[i]
            money[Measure.INSIDE.value, i] = payment
            money[Measure.SAVING.value, i] = saving[i]
        high[i] = class_of[i] == is_high
        low[i] = class_of[i] == is_low
        by_item[i] = outside_groups[i]
    return money, Marks(paid, priced, high, low, by_item)


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
        what = text("the amounts add up to {total:,.0f} yuan, more than sums to the fen can hold", total=total / PART / 100)
        raise ScenarioError(
            [Problem("scenario-too-large", what, where=where, fix=text("multiply volumes, prices or rates by less"))]
        )


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
        cls, names: tuple[str, ...], counts: NDArray[np.int64], money: NDArray[np.int64], weight: NDArray[np.float64],
        days: NDArray[np.float64],
    ) -> Totals:  # fmt: skip
        """From what :func:`add_up` returns."""
        rounded = from_parts(money, PART)
        return cls(
            names,
            {name: counts[:, place] / PART for place, name in enumerate(COUNTS)},
            {name: rounded[:, place] for place, name in enumerate(MEASURES)},
            weight / PART,
            days / PART,
        )


NOTHING = Totals(
    (), {name: np.zeros(0) for name in COUNTS}, {name: np.zeros(0, np.int64) for name in MEASURES}, np.zeros(0), np.zeros(0)
)
