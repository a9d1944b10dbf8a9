"""What a hospital is compared with, group by group: a benchmark file, the other hospitals of the region, or itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.settled_cases import Mask, SettledCases
from drgsim.errors import InputError, Problem
from drgsim.language import Text, text
from drgsim.money import FEN_PER_YUAN, MISSING
from drgsim.payment.case_columns import Texts
from drgsim.payment.settlement_summary import ReferenceMeans
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import group_column

Floats = NDArray[np.float64]
_GROUP = ("group", "code", "病组编码", "组编码")
_NUMBERS = {
    "mean_cost": ("mean_cost", "次均费用", "例均费用", "均费", "病组均费", "平均费用"),
    "mean_days": ("mean_days", "mean_los_days", "mean_los", "平均住院日", "平均住院天数"),
    "weight": ("weight", "rw", "权重", "相对权重"),
    "cases": ("cases", "例数", "病例数"),
}  # fmt: skip


class ReferenceKind(StrEnum):
    """Whose means a hospital is compared with."""

    BENCHMARK = "benchmark"
    REGION = "region"
    OWN = "own"


@dataclass(frozen=True)
class ReferenceGroups:
    """Means by group of what a hospital is compared with.

    Attributes
    ----------
    kind, label
        Whose they are, and in words.
    means
        Mean cost (yuan) and days by number of the group of the settled cases, for indices.
    steady
        The same where enough cases stand behind it to judge a single case by.
    cmi
        Of the reference; None where it is not known, or is the hospital's own.
    """

    kind: ReferenceKind
    label: Text
    means: ReferenceMeans
    steady: ReferenceMeans
    cmi: float | None = None


def mean_of(values: Floats, group: Texts, where: Mask, least: int = 1) -> Floats:
    """Mean of some cases by number of the group, NaN below ``least`` cases and for cases without a group.

    ``values`` are whole numbers (fen, days) or NaN, so that their sums have no order.
    """
    size = len(group.values) + 1
    used = where & (group.ids >= 0) & ~np.isnan(values)
    count = np.bincount(group.ids[used], minlength=size)
    total = np.bincount(group.ids[used], np.where(used, values, 0)[used], minlength=size)
    return np.where(count >= max(least, 1), total / np.maximum(count, 1), np.nan)


def _fen_of(cases: SettledCases) -> Floats:
    """Cost in fen, NaN where unknown or below 0."""
    return np.where((cases.cost != MISSING) & (cases.cost >= 0), cases.cost.astype(np.float64), np.nan)


def reference_of_cases(cases: SettledCases, own: Mask, least: int) -> ReferenceGroups:
    """The region, where the cases are of other hospitals too; else the hospital itself."""
    everyone = np.ones(cases.size, np.bool_)
    means, steady = (
        ReferenceMeans(
            mean_of(_fen_of(cases), cases.group, everyone, n) / FEN_PER_YUAN, mean_of(cases.days, cases.group, everyone, n)
        )
        for n in (1, least)
    )
    if own.all():
        return ReferenceGroups(ReferenceKind.OWN, text("the hospital's own mean"), means, steady)
    weight = cases.weight[~np.isnan(cases.weight)]
    cmi = float(weight.mean()) if weight.size else None
    return ReferenceGroups(ReferenceKind.REGION, text("all hospitals of the file"), means, steady, cmi)


def reference_of_file(cases: SettledCases, table: pa.Table, name: str) -> ReferenceGroups:
    """A benchmark: ``group`` with ``mean_cost``, and, where known, ``mean_days``, ``weight`` and ``cases``.

    Raises
    ------
    InputError
        ``benchmark-missing-column``, ``benchmark-number``, ``benchmark-group-twice``; all at once.
    """
    known = {header_key(column): column for column in table.column_names}
    named = group_column(table.column_names)
    group = next((known[header_key(each)] for each in _GROUP if header_key(each) in known), named[1] if named else None)
    found = {
        number: next((known[header_key(each)] for each in aliases if header_key(each) in known), None)
        for number, aliases in _NUMBERS.items()
    }
    problems = [
        Problem("benchmark-missing-column", text("{file} has no column {column}", file=name, column=column),
                where=name, fix=text("a benchmark has the columns group and mean_cost; mean_days, weight and cases may follow"))
        for column, there in (("group", group), ("mean_cost", found["mean_cost"])) if there is None
    ]  # fmt: skip
    if problems or group is None:
        raise InputError(problems)
    codes = read_words(table, group).to_pylist()
    numbers = {number: _numbers(table, column, name, problems) for number, column in found.items() if column is not None}
    twice = sorted({code for code in codes if code and codes.count(code) > 1}) if len(set(codes)) < len(codes) else []
    problems += [
        Problem("benchmark-group-twice", text("{group} stands twice", group=code), where=name,
                fix=text("leave one line for each group"))
        for code in twice
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    row = {code: place for place, code in enumerate(codes)}
    place = np.array([row.get(code, -1) for code in cases.group.values] + [-1], np.int64)

    def by_group(number: str) -> Floats:
        values = numbers.get(number)
        return np.full(place.size, np.nan) if values is None else np.append(values, np.nan)[place]

    cmi = None
    if "weight" in numbers and "cases" in numbers:
        counted = ~np.isnan(numbers["weight"]) & ~np.isnan(numbers["cases"])
        total = numbers["cases"][counted].sum()
        cmi = float((numbers["weight"] * numbers["cases"])[counted].sum() / total) if total > 0 else None
    means = ReferenceMeans(by_group("mean_cost"), by_group("mean_days"))
    return ReferenceGroups(ReferenceKind.BENCHMARK, text("benchmark {file}", file=name), means, means, cmi)


def _numbers(table: pa.Table, column: str, name: str, problems: list[Problem]) -> Floats:
    values, broken = read_numbers(one_chunk(table, column))
    wrong = broken | (values < 0) | np.isinf(values)
    if wrong.any():
        what = text("{count:,} cells of {column} are no numbers above 0", count=int(wrong.sum()), column=column)
        where = f"{name}, {column}"
        problems.append(Problem("benchmark-number", what, where=where, fix=text("correct them or leave them empty")))
    return np.where(values > 0, values, np.nan)
