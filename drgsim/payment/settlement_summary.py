"""Summaries of a settlement, by hospital, department, group, insurance and case class."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.money import MISSING, money_column
from drgsim.payment.case_class import CASE_CLASS_ZH, CLASSES, CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.patient_share import PaidParts
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.shadow import Shadow
from drgsim.records.vocabulary import INSURANCES

DIMENSIONS = ("hospital", "department", "group", "insurance", "case_class")
DIGITS = 7


class _Count(IntEnum):
    CASES = 0
    PAID = 1
    WEIGHTED = 2
    HIGH = 3
    LOW = 4
    DAYS = 5
    COST_INDEX = 6
    TIME_INDEX = 7


class _Money(IntEnum):
    COST = 0
    PAYMENT = 1
    PATIENT_PAID = 2
    OTHER_PAID = 3
    FUND_PAYMENT = 4
    ABOVE_STANDARD = 5
    MARGIN = 6


class _Sum(IntEnum):
    WEIGHT = 0
    DAYS = 1
    COST_INDEX = 2
    TIME_INDEX = 3


_COUNTS, _MONEY, _SUMS = (tuple(entry.name.lower() for entry in kind) for kind in (_Count, _Money, _Sum))


class ReferenceMeans(NamedTuple):
    """What cases are compared with: mean cost (yuan) and mean days by number of the group, NaN where unknown.

    The last place is that of cases without a group.
    """

    cost: NDArray[np.float64]
    days: NDArray[np.float64]


class Summaries:
    """All summaries of a settlement; what the cases have in common is computed once.

    Indices compare with ``means`` where these are given, else with the mean of all cases of the group."""

    def __init__(
        self, ledger: Ledger, parts: PaidParts, shadow: Shadow | None = None, means: ReferenceMeans | None = None
    ) -> None:
        self.ledger, self.parts, self.shadow = ledger, parts, shadow
        cases = ledger.cases
        cost, days = cases.money["total_cost"], cases.numbers["los_days"]
        named = np.array([*map(is_group, cases.unit.values), False])  # cases without a group have nothing in common
        grouped = named[cases.unit.ids] & (cost != MISSING) & (cost >= 0)
        scale = ledger.policy.file.relative_value.scale.value
        yuan, days_grouped = np.where(grouped, cost / 100.0, np.nan), np.where(grouped, days, np.nan)
        self.values = (
            ledger.terms.relative_value / scale,
            days,
            _over_group_mean(yuan, cases.unit.ids) if means is None else yuan / means.cost[cases.unit.ids],
            _over_group_mean(days_grouped, cases.unit.ids) if means is None else days_grouped / means.days[cases.unit.ids],
        )

    def by(self, dimension: str) -> pa.Table:
        """One row per value of a dimension, or one in all for ``all``.

        Columns: ``cases``, ``unpaid`` (no amount), ``weight`` (sum of relative weights; 1 = the mean case) and ``cmi`` over the
        cases that have one, ``cost``, ``payment`` and the parts that make it up, ``patient_paid``, ``other_paid``,
        ``fund_payment`` and ``above_standard`` (:class:`drgsim.payment.patient_share.PaidParts`), ``margin`` (yuan, over paid
        cases), ``high_share``, ``low_share`` (of paid cases), ``mean_days``, ``cost_index`` and ``time_index`` (own mean over
        the mean of all, group by group, weighted by cases; rule book 1.9; cases without a plain group are left out). Where
        groups are simulated: ``shadow_cases``, ``shadow_payment`` and ``shadow_margin`` (yuan, over these cases).
        """
        return self.along(dimension, *_members(self.ledger, dimension))

    def along(self, dimension: str, ids: NDArray[np.int64], names: Sequence[str]) -> pa.Table:
        """One row, as :meth:`by` has it, for each of ``names`` that has cases, in their order.

        ``ids`` are the places of the cases among the names, -1 for cases that are left out.
        """
        ids = np.where(ids < 0, len(names), ids)
        names = [*names, ""]  # the last row takes what is left out
        counts, money, sums = _add_up(
            ids, len(names), self.ledger.cases.money["total_cost"], self.ledger.amount, self.parts.patient, self.parts.other,
            self.parts.fund, self.parts.above_standard,
            self.ledger.is_class(CaseClass.HIGH), self.ledger.is_class(CaseClass.LOW), *self.values,
        )  # fmt: skip
        count = dict(zip(_COUNTS, counts.T, strict=True))
        # sums of floats depend on their order in the last digits, which are left out
        total = dict(zip(_SUMS, np.round(sums.T, DIGITS), strict=True))
        columns: dict[str, Any] = {
            dimension: pa.array(names),
            "cases": count["cases"],
            "unpaid": count["cases"] - count["paid"],
            "weight": total["weight"],
            "cmi": _ratio(total["weight"], count["weighted"]),
        }
        columns |= {name: money_column(amounts) for name, amounts in zip(_MONEY, money.T, strict=True)}
        if self.shadow is not None:
            columns |= self.shadow.sums(ids, len(names))
        columns |= {
            "high_share": _ratio(count["high"], count["paid"]),
            "low_share": _ratio(count["low"], count["paid"]),
            "mean_days": _ratio(total["days"], count["days"]),
            "cost_index": _ratio(total["cost_index"], count["cost_index"]),
            "time_index": _ratio(total["time_index"], count["time_index"]),
        }
        if dimension == "case_class":
            columns["case_class_zh"] = pa.array([CASE_CLASS_ZH[CaseClass(name)] if name else "" for name in names])
        return pa.table(columns).slice(0, len(names) - 1).filter(pa.array(count["cases"][:-1] > 0))


def _ratio(total: NDArray[Any], count: NDArray[Any]) -> pa.Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return pa.array(total / count, from_pandas=True)


@njit(cache=True, nogil=True)
def _add_up(
    ids: Any, size: int, cost: Any, amount: Any, patient: Any, other: Any, fund: Any, above: Any, high: Any, low: Any,
    weight: Any, days: Any, cost_over: Any, time_over: Any,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Counts, fen and sums per row, in the order of the names above; sums of fen are exact."""
    counts = np.zeros((size, len(_COUNTS)), np.int64)
    money = np.zeros((size, len(_MONEY)), np.int64)
    sums = np.zeros((size, len(_SUMS)), np.float64)
    for i in range(ids.size):
        row = ids[i]
        counts[row, _Count.CASES.value] += 1
        if amount[i] != MISSING:
            counts[row, _Count.PAID.value] += 1
            counts[row, _Count.HIGH.value] += high[i]
            counts[row, _Count.LOW.value] += low[i]
            money[row, _Money.COST.value] += cost[i]
            money[row, _Money.PAYMENT.value] += amount[i]
            money[row, _Money.OTHER_PAID.value] += other[i]
            money[row, _Money.MARGIN.value] += amount[i] - cost[i]
            if patient[i] != MISSING:
                money[row, _Money.PATIENT_PAID.value] += patient[i]
            if fund[i] != MISSING:  # else its parts are unknown
                money[row, _Money.FUND_PAYMENT.value] += fund[i]
                money[row, _Money.ABOVE_STANDARD.value] += above[i]
                money[row, _Money.MARGIN.value] -= above[i]
        if weight[i] >= 0:
            counts[row, _Count.WEIGHTED.value] += 1
            sums[row, _Sum.WEIGHT.value] += weight[i]
        if days[i] >= 0:
            counts[row, _Count.DAYS.value] += 1
            sums[row, _Sum.DAYS.value] += days[i]
        if cost_over[i] >= 0:
            counts[row, _Count.COST_INDEX.value] += 1
            sums[row, _Sum.COST_INDEX.value] += cost_over[i]
        if time_over[i] >= 0:
            counts[row, _Count.TIME_INDEX.value] += 1
            sums[row, _Sum.TIME_INDEX.value] += time_over[i]
    return counts, money, sums


def _members(ledger: Ledger, by: str) -> tuple[NDArray[np.int64], list[str]]:
    """Number of each case's row in the summary, and the rows' names; a blank is a row of its own, at the end."""
    cases = ledger.cases
    ids: NDArray[Any]
    if by == "all":
        return np.zeros(cases.size, np.int64), ["all"]
    if by in ("hospital", "department", "group"):
        texts = {"hospital": cases.hospital, "department": cases.department, "group": cases.unit}[by]
        ids, names = texts.ids, texts.values
    elif by == "insurance":
        ids, names = cases.insurance, list(INSURANCES)
    else:
        ids, names = ledger.case_class, [str(name) for name in CLASSES]
    order = sorted(range(len(names)), key=names.__getitem__) if by != "case_class" else list(range(len(names)))
    place = np.empty(len(names) + 1, np.int64)
    place[order] = np.arange(len(names))
    place[-1] = len(names)
    return place[ids], [*(names[number] for number in order), ""]


@njit(cache=True, nogil=True)
def _over_group_mean(values: Any, group: Any) -> Any:  # pragma: no cover - compiled
    """Each value over the mean of its group; NaN where there is no value."""
    size = 1
    for i in range(group.size):
        size = max(size, group[i] + 1)
    total, count = np.zeros(size), np.zeros(size)
    for i in range(values.size):
        if values[i] >= 0 and group[i] >= 0:
            total[group[i]] += values[i]
            count[group[i]] += 1
    result = np.full(values.size, np.nan)
    for i in range(values.size):
        if values[i] >= 0 and group[i] >= 0 and total[group[i]] > 0:
            result[i] = values[i] * count[group[i]] / total[group[i]]
    return result
