"""The price table of a policy: one row per group, in the region's own codes and marks."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.money import HIGHEST_AMOUNT
from drgsim.payment.policy_model import PolicyFile
from drgsim.records.vocabulary import is_policy_key, level_hint, policy_column

KEYS = ("drg", "dip", "unit")
TEXTS = ("name", "class", "tag", "kind", "operation_class")
NUMBERS = (
    "relative_value", "weight", "points", "score", "standard", "mean_cost", "mean_los_days", "mean_drug", "mean_consumable",
    "mean_service", "cases", "cv",
)  # fmt: skip
FAMILIES = ("standard_", "coef_", "mean_cost_", "mean_los_", "rate_")
RELATIVE_VALUES = ("relative_value", "weight", "points", "score")
SMALLEST = 1e-9  # of a number of a table that is not 0
ORDINARY = ""


@dataclass(frozen=True)
class PriceTable:
    """Groups and their numbers.

    Attributes
    ----------
    codes, names
        Group codes and names in the order of the table.
    classes
        Class of each group as ``group_classes`` of the policy names it, empty for ordinary groups.
    tags, kinds, operation_classes
        The table's own marks; in DIP tables the kind of kind and the property of its procedures.
    numbers
        Column -> values, NaN where the table has none.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    tags: tuple[str, ...]
    numbers: Mapping[str, NDArray[np.float64]]
    kinds: tuple[str, ...] = ()
    operation_classes: tuple[str, ...] = ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Group code -> row."""
        return {code: row for row, code in enumerate(self.codes)}

    def column(self, name: str) -> NDArray[np.float64]:
        """A column, NaN throughout where the table lacks it."""
        return self.numbers.get(name, np.full(len(self.codes), np.nan))

    @property
    def relative_value(self) -> tuple[str, NDArray[np.float64]]:
        """Name and values of the first of relative_value, weight, points or score that the table has."""
        for name in RELATIVE_VALUES:
            if name in self.numbers:
                return name, self.numbers[name]
        return "weight", np.full(len(self.codes), np.nan)


def read_prices(path: Path, file: PolicyFile, problems: list[Problem]) -> PriceTable | None:
    """Read a price table strictly: known columns, numbers that are numbers, no group twice."""
    where = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            written, *lines = list(csv.reader(handle, strict=True))
    except FileNotFoundError:
        return None  # the caller reports every missing table
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        what = text("{path} is not a UTF-8 CSV table: {error}", path=path.name, error=error)
        problems.append(Problem("policy-unreadable-table", what, where=where))
        return None
    before = len(problems)
    header = [policy_column(name, FAMILIES) for name in written]
    key_column = _check_header(header, path.name, where, problems)
    if key_column is None:
        return None
    key = header.index(key_column)
    texts: dict[str, list[str]] = {name: [] for name in header if name in TEXTS}
    numbers: dict[str, list[float]] = {name: [] for name in header if name not in TEXTS and name not in KEYS}
    seen: dict[str, int] = {}
    for line, cells in enumerate(lines, start=2):
        if len(cells) != len(header):
            what = text(
                "line {line} of {path} has {count} cells, the header has {columns}", line=line, path=path.name,
                count=len(cells), columns=len(header),
            )  # fmt: skip
            problems.append(Problem("policy-table-row", what, where=f"{where}:{line}"))
            continue
        if cells[key] in seen:
            what = text(
                "{code} stands twice in {path}, on lines {seen} and {line}", code=cells[key], path=path.name,
                seen=seen[cells[key]], line=line,
            )  # fmt: skip
            problems.append(Problem("policy-table-row", what, where=f"{where}:{line}", fix=text("remove one of the two rows")))
            continue
        seen[cells[key]] = line
        for name, cell in zip(header, cells, strict=True):
            if name in texts:
                texts[name].append(cell)
            elif name in numbers:
                numbers[name].append(_number(cell, f"{where}:{line}", name, problems))
    if len(problems) > before:
        return None
    count = len(seen)
    blank = [""] * count
    own, tags, kinds, operations = (texts.get(name, blank) for name in ("class", "tag", "kind", "operation_class"))
    codes = tuple(seen)
    resolved = classes_of(file, codes, own, tags, kinds, operations)
    unknown = sorted(set(resolved) - set(file.group_classes) - {ORDINARY})
    for name in unknown:
        fix = did_you_mean(name, list(file.group_classes)) or text("add it to group_classes, or leave the cell empty")
        what = text("{path} uses the class {name!r}, which the policy does not define", path=path.name, name=name)
        problems.append(Problem("policy-unknown-class", what, where=where, fix=fix))
    arrays = {name: np.array(values, np.float64) for name, values in numbers.items()}
    names = tuple(texts.get("name", blank))
    return PriceTable(codes, names, resolved, tuple(tags), arrays, tuple(kinds), tuple(operations))


def _check_header(header: Sequence[str], file_name: str, where: str, problems: list[Problem]) -> str | None:
    """The column of groups; None where there is not exactly one. Unknown and repeated columns are reported."""
    for name in sorted({name for name in header if header.count(name) > 1}):
        what = text("{file_name} has two columns {name}", file_name=file_name, name=name)
        problems.append(Problem("policy-table-columns", what, where=f"{where}:1", fix=text("leave one of them")))
    keys = [name for name in header if name in KEYS]
    if len(keys) != 1:
        what = text("{file_name} needs exactly one column of {keys}", file_name=file_name, keys=", ".join(KEYS))
        problems.append(Problem("policy-table-columns", what, where=f"{where}:1"))
        return None
    for name in header:
        family = next((start for start in FAMILIES if name.startswith(start) and name not in NUMBERS), "")
        odd = [part for part in name.removeprefix(family).split("_") if not is_policy_key(part)] if family else []
        if odd:
            what = text(
                "the column {name} of {file_name} names no level or payer: {odd}",
                name=name,
                file_name=file_name,
                odd=", ".join(odd),
            )
            problems.append(Problem("policy-table-columns", what, where=f"{where}:1", fix=level_hint(odd[0])))
        if name not in (*KEYS, *TEXTS, *NUMBERS) and not name.startswith(FAMILIES):
            fix = did_you_mean(name, [*TEXTS, *NUMBERS]) or text(
                "columns may also start with {families}", families=", ".join(FAMILIES)
            )
            what = text("{file_name} has a column {name!r} that no price table has", file_name=file_name, name=name)
            problems.append(Problem("policy-table-columns", what, where=f"{where}:1", fix=fix))
    return keys[0]


def classes_of(
    file: PolicyFile, codes: Sequence[str], own: Sequence[str], tags: Sequence[str], kinds: Sequence[str],
    operations: Sequence[str],
) -> tuple[str, ...]:  # fmt: skip
    """Class of each group: its own word, else the class that names its code, tag, kind, operation class or beginning."""
    named: list[dict[str, str]] = [
        {word: name for name, entry in file.group_classes.items() for word in getattr(entry, where)}
        for where in ("named_groups", "tags", "kinds", "operation_classes")
    ]
    result = []
    for word, *keys in zip(own, codes, tags, kinds, operations, strict=True):
        found = [by.get(key, ORDINARY) for by, key in zip(named, keys, strict=True)]
        result.append(word or next(filter(None, found), class_by_start(file, keys[0])))
    return tuple(result)


def class_by_start(file: PolicyFile, code: str) -> str:
    """The class that names the beginning of a code, the longest beginning first; none where there is none."""
    starts = {start: name for name, entry in file.group_classes.items() for start in entry.starts if code.startswith(start)}
    return starts[max(starts, key=len)] if starts else ORDINARY


def _number(cell: str, where: str, column: str, problems: list[Problem]) -> float:
    if not cell.strip():
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        problems.append(
            Problem(
                "policy-table-number",
                text("{column} holds {cell!r}, which is no number", column=column, cell=cell),
                where=where,
            )
        )
        return float("nan")
    if not (number == 0 or SMALLEST <= number <= HIGHEST_AMOUNT):  # no number and infinity too
        what = text("{column} is {cell}; it must be 0 or more", column=column, cell=cell[:40])
        if number > 0:
            what = text("{what}, from {least:g} to {most:,}", what=what, least=SMALLEST, most=HIGHEST_AMOUNT)
        problems.append(Problem("policy-table-number", what, where=where))
    return number


def read_exempt(path: Path, problems: list[Problem]) -> dict[str, tuple[int, int]]:
    """Exempt list (除外清单): item code -> first and last day (days since 1970) on which it counts.

    Columns ``code``, ``valid_from``, ``valid_to`` and ``listed``, the day of the procurement listing on which the
    status is lost.
    """
    where = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        what = text("{path} is not a UTF-8 CSV table: {error}", path=path.name, error=error)
        problems.append(Problem("policy-unreadable-table", what, where=where))
        return {}
    entries: dict[str, tuple[int, int]] = {}
    for line, row in enumerate(rows, start=2):
        days = {}
        for name in ("valid_from", "valid_to", "listed"):
            written = (row.get(name) or "").strip()
            try:
                days[name] = int(np.datetime64(written or "NaT", "D").astype(np.int64)) if written else None
            except ValueError:
                what = text("{name} holds {written!r}, which is no date such as 2024-01-01", name=name, written=written)
                problems.append(Problem("policy-table-date", what, where=f"{where}:{line}"))
                days[name] = None
        ends = [day for day in (days["valid_to"], days["listed"] - 1 if days["listed"] else None) if day is not None]
        start = days["valid_from"]
        entries[row.get("code", "")] = (-(2**40) if start is None else start, min(ends, default=2**40))
    return entries
