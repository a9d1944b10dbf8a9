"""Summaries of a settlement, by hospital, department, group, insurance and case class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.payment.cases import INSURANCES
from drgsim.payment.curve import CLASSES
from drgsim.payment.model import CASE_CLASS_ZH, CaseClass
from drgsim.payment.money import MISSING, money_column

if TYPE_CHECKING:
    from drgsim.payment.ledger import Ledger

DIMENSIONS = ("hospital", "department", "group", "insurance", "case_class")


def summarise(ledger: Ledger, fund_payment: NDArray[np.int64], by: str) -> pa.Table:
    """One row per value of a dimension.

    Columns: ``cases``, ``unpaid`` (no amount), ``weight`` (sum of relative weights; 1 = the mean case) and ``cmi`` over the cases
    that have one, ``cost``, ``payment``, ``fund_payment``, ``margin`` (yuan, over paid cases), ``high_share``, ``low_share`` (of
    paid cases), ``mean_days``, ``cost_index`` and ``time_index`` (sum over groups of own mean / mean of all, weighted by cases; rule
    book 1.9).
    """
    ids, names = _members(ledger, by)
    size = len(names)
    terms, cases = ledger.terms, ledger.cases
    cost, amount = cases.money["total_cost"], ledger.amount
    paid = amount != MISSING
    known_cost = (cost != MISSING) & (cost >= 0)
    grouped = (cases.unit.ids >= 0) & known_cost
    weight = terms.relative_value / ledger.policy.file.relative_value.scale.value
    weighted = ~np.isnan(weight)
    days = cases.numbers["los_days"]

    def count(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(ids[where], minlength=size).astype(np.int64)

    def money(values: NDArray[np.int64], where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return _exact_sums(ids, np.where(where, values, 0), size)

    def mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        total = np.bincount(ids[where], values[where], minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total / count(where))

    paid_count = count(paid)
    high, low = ledger.is_class(CaseClass.HIGH), ledger.is_class(CaseClass.LOW)
    with np.errstate(invalid="ignore", divide="ignore"):
        high_share, low_share = count(high & paid) / paid_count, count(low & paid) / paid_count
    stay = grouped & (days >= 0)
    weight_sum = np.bincount(ids[weighted], weight[weighted], minlength=size)
    columns: dict[str, object] = {
        by: pa.array(names),
        "cases": np.bincount(ids, minlength=size).astype(np.int64),
        "unpaid": count(~paid),
        "weight": weight_sum,
        "cmi": pa.array(mean(weight, weighted), from_pandas=True),
        "cost": money_column(money(cost, paid & known_cost)),
        "payment": money_column(money(amount, paid)),
        "fund_payment": money_column(money(fund_payment, fund_payment != MISSING)),
        "margin": money_column(money(amount - cost, paid & known_cost)),
        "high_share": pa.array(high_share, from_pandas=True),
        "low_share": pa.array(low_share, from_pandas=True),
        "mean_days": pa.array(mean(days, days >= 0), from_pandas=True),
        "cost_index": pa.array(mean(_over_group_mean(cost / 100.0, cases.unit.ids, grouped), grouped), from_pandas=True),
        "time_index": pa.array(mean(_over_group_mean(days, cases.unit.ids, stay), stay), from_pandas=True),
    }
    if by == "case_class":
        columns["case_class_zh"] = pa.array([CASE_CLASS_ZH.get(CaseClass(name), "") if name else "" for name in names])
    table = pa.table(columns)
    return table.filter(pa.array(np.bincount(ids, minlength=size) > 0))


def _members(ledger: Ledger, by: str) -> tuple[NDArray[np.int64], list[str]]:
    """Number of each case's row in the summary, and the rows' names; a blank is a row of its own, at the end."""
    cases = ledger.cases
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
    return place[ids.astype(np.int64)], [*(names[number] for number in order), ""]


def _exact_sums(ids: NDArray[np.int64], values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Sums of integers by row; halves keep every float sum below 2**53, so that it is exact."""
    low, high = values & 0xFFFFFF, values >> 24
    low_sum = np.bincount(ids, low, minlength=size).astype(np.int64)
    high_sum = np.bincount(ids, high, minlength=size).astype(np.int64)
    return low_sum + (high_sum << 24)


def _over_group_mean(
    values: NDArray[np.float64], group: NDArray[np.int32], where: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Each value over the mean of its group."""
    if not where.any():
        return np.full(values.size, np.nan)
    total = np.bincount(group[where], values[where])
    count = np.bincount(group[where])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        result: NDArray[np.float64] = values / np.append(mean, np.nan)[np.where(where, group, -1)]
    return result
