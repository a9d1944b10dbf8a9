"""Costs by category against what cases of the same groups cost: of a hospital, and of its departments."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.cost_categories import CategoryCosts
from drgsim.accounts.hospital_sums import HospitalCases
from drgsim.accounts.reference_groups import mean_of
from drgsim.money import exact_sum, money_column
from drgsim.payment.case_columns import Texts

Fen = NDArray[np.int64]
TOTAL, NO_DEPARTMENT = "", "–"


def category_table(hospital: HospitalCases, costs: CategoryCosts) -> pa.Table:
    """By department and category; ``department`` is empty in the lines of the whole hospital.

    Columns: ``department``, ``category``, ``cases`` (with a group), ``cost`` (yuan, of all cases), ``share`` (of the sum of all
    categories), ``grouped_cost`` (yuan, of cases with a group), ``expected`` (yuan: the mean of the category in the group of
    each such case among all settled cases) and ``difference`` (yuan).
    """
    cases, own = hospital.cases, hospital.own
    everyone = np.ones(cases.size, np.bool_)
    department = cases.department
    number = np.where(department.ids < 0, len(department.values), department.ids)
    size = len(department.values) + 1
    grouped = own & (cases.group.ids >= 0)
    groups = len(cases.group.values) + 1
    by_group = np.bincount(number[grouped] * groups + cases.group.ids[grouped], minlength=size * groups).reshape(size, groups)
    parts = []
    for fen in costs.fen:
        mean = np.nan_to_num(mean_of(fen.astype(np.float64), cases.group, everyone))
        total, of_grouped = np.zeros(size, np.int64), np.zeros(size, np.int64)
        np.add.at(total, number[own], fen[own])
        np.add.at(of_grouped, number[grouped], fen[grouped])
        expected = np.array([round(fsum((row * mean).tolist())) for row in by_group], np.int64)
        parts.append(np.stack([total, of_grouped, expected]))
    count = np.bincount(number[own], minlength=size), np.bincount(number[grouped], minlength=size)
    return _table(department, count, parts, costs)


def _table(department: Texts, count: tuple[Fen, Fen], parts: list[Fen], costs: CategoryCosts) -> pa.Table:
    names = [*department.values, NO_DEPARTMENT]
    order = sorted(np.flatnonzero(count[0]).tolist(), key=lambda place: (place == len(department.values), names[place]))
    rows: list[dict[str, Any]] = []
    for name, where in ((TOTAL, order), *((names[place], [place]) for place in order)):
        sums = [[exact_sum(column[where]) for column in part] for part in parts]
        whole = sum(total for total, _, _ in sums)
        rows += [
            {"department": name, "category": category.id, "cases": int(count[1][where].sum()), "cost": cost,
             "share": cost / whole if whole else None, "grouped_cost": of_grouped, "expected": expected,
             "difference": of_grouped - expected}
            for category, (cost, of_grouped, expected) in zip(costs.categories, sums, strict=True)
        ]  # fmt: skip
    kinds = {"department": pa.string(), "category": pa.string(), "cases": pa.int64(), "share": pa.float64()}
    names_of_columns = ("department", "category", "cases", "cost", "share", "grouped_cost", "expected", "difference")
    return pa.table({
        name: pa.array([row[name] for row in rows], kinds[name]) if name in kinds
        else money_column(np.array([row[name] for row in rows], np.int64))
        for name in names_of_columns
    })  # fmt: skip
