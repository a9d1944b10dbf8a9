"""Summaries of a settlement, by hospital, department, group, insurance and case class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from drgsim.money import MISSING, money_column
from drgsim.payment.case_class import CASE_CLASS_ZH, CLASSES, CaseClass
from drgsim.records.vocabulary import INSURANCES

if TYPE_CHECKING:
    from drgsim.payment.ledger import Ledger

DIMENSIONS = ("hospital", "department", "group", "insurance", "case_class")
DIGITS = 7
_COUNTS = ("cases", "paid", "weighted", "high", "low", "days", "cost_index", "time_index")
_MONEY = ("cost", "payment", "fund_payment", "margin")
_MEANS = ("weight", "days", "cost_index", "time_index")


class Summaries:
    """All summaries of a settlement; what the cases have in common is computed once."""

    def __init__(self, ledger: Ledger, fund_payment: NDArray[np.int64]) -> None:
        self.ledger, self.fund_payment = ledger, fund_payment
        cases = ledger.cases
        cost, days = cases.money["total_cost"], cases.numbers["los_days"]
        grouped = (cases.unit.ids >= 0) & (cost != MISSING) & (cost >= 0)
        scale = ledger.policy.file.relative_value.scale.value
        self.values = (
            ledger.terms.relative_value / scale,
            days,
            _over_group_mean(np.where(grouped, cost / 100.0, np.nan), cases.unit.ids),
            _over_group_mean(np.where(grouped, days, np.nan), cases.unit.ids),
        )

    def by(self, dimension: str) -> pa.Table:
        """One row per value of a dimension, or one in all for ``all``.

        Columns: ``cases``, ``unpaid`` (no amount), ``weight`` (sum of relative weights; 1 = the mean case) and ``cmi`` over the
        cases that have one, ``cost``, ``payment``, ``fund_payment``, ``margin`` (yuan, over paid cases), ``high_share``,
        ``low_share`` (of paid cases), ``mean_days``, ``cost_index`` and ``time_index`` (own mean over the mean of all, group by
        group, weighted by cases; rule book 1.9).
        """
        ids, names = _members(self.ledger, dimension)
        counts, money, sums = _add_up(
            ids, len(names), self.ledger.cases.money["total_cost"], self.ledger.amount, self.fund_payment,
            self.ledger.is_class(CaseClass.HIGH), self.ledger.is_class(CaseClass.LOW), *self.values,
        )  # fmt: skip
        count = dict(zip(_COUNTS, counts.T, strict=True))
        # sums of floats depend on their order in the last digits, which are left out
        total = dict(zip(_MEANS, np.round(sums.T, DIGITS), strict=True))
        columns: dict[str, Any] = {
            dimension: pa.array(names),
            "cases": count["cases"],
            "unpaid": count["cases"] - count["paid"],
            "weight": total["weight"],
            "cmi": _ratio(total["weight"], count["weighted"]),
        }
        columns |= {name: money_column(amounts) for name, amounts in zip(_MONEY, money.T, strict=True)}
        columns |= {
            "high_share": _ratio(count["high"], count["paid"]),
            "low_share": _ratio(count["low"], count["paid"]),
            "mean_days": _ratio(total["days"], count["days"]),
            "cost_index": _ratio(total["cost_index"], count["cost_index"]),
            "time_index": _ratio(total["time_index"], count["time_index"]),
        }
        if dimension == "case_class":
            columns["case_class_zh"] = pa.array([CASE_CLASS_ZH[CaseClass(name)] if name else "" for name in names])
        return pa.table(columns).filter(pa.array(count["cases"] > 0))


def _ratio(total: NDArray[Any], count: NDArray[Any]) -> pa.Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return pa.array(total / count, from_pandas=True)


@njit(cache=True, nogil=True)
def _add_up(
    ids: Any, size: int, cost: Any, amount: Any, fund: Any, high: Any, low: Any,
    weight: Any, days: Any, cost_over: Any, time_over: Any,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Counts, fen and sums per row, in the order of the names above; sums of fen are exact."""
    counts = np.zeros((size, 8), np.int64)
    money = np.zeros((size, 4), np.int64)
    sums = np.zeros((size, 4), np.float64)
    for i in range(ids.size):
        row = ids[i]
        counts[row, 0] += 1
        if amount[i] != MISSING:
            counts[row, 1] += 1
            counts[row, 3] += high[i]
            counts[row, 4] += low[i]
            money[row, 0] += cost[i]
            money[row, 1] += amount[i]
            money[row, 3] += amount[i] - cost[i]
            if fund[i] != MISSING:
                money[row, 2] += fund[i]
        if weight[i] >= 0:
            counts[row, 2] += 1
            sums[row, 0] += weight[i]
        if days[i] >= 0:
            counts[row, 5] += 1
            sums[row, 1] += days[i]
        if cost_over[i] >= 0:
            counts[row, 6] += 1
            sums[row, 2] += cost_over[i]
        if time_over[i] >= 0:
            counts[row, 7] += 1
            sums[row, 3] += time_over[i]
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
