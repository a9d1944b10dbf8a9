"""What columns, tables and words of results are called in both languages, and how numbers of a column look.

``result_titles.csv`` holds them: ``of`` (column, table, word), ``id``, ``en``, ``zh``, ``look``. A column that means something
else in one table has an entry ``table.column``; a word is one of the values of a column, ``column.value``. Ids stay in CSV and
Parquet; titles are what a workbook shows. Titles of columns that drgsim reads are names under which it knows them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from drgsim.language import Text, bilingual, text

FILE = Path(__file__).with_name("result_titles.csv")
_PLAIN = frozenset({"year", "month"})  # whole numbers that count nothing


class Title(NamedTuple):
    """A title, and the look of numbers below it: one of ``STYLES``, ``plain`` for none, empty where the type says it."""

    said: Text
    look: str


@lru_cache(maxsize=1)
def titles() -> Mapping[tuple[str, str], Title]:
    """All entries of the file, by what they are of and their id."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {(row["of"], row["id"]): Title(bilingual(row["en"], row["zh"]), row["look"]) for row in csv.DictReader(file)}


def _composed(column: str, table: str) -> Title | None:
    """The title of a column that is one side of another: before, after, baseline, scenario, first, second."""
    for part, end in (("from_", False), ("to_", False), ("baseline_", False), ("scenario_", False), ("change ", False),
                      ("_first", True), ("_second", True), ("_difference", True)):  # fmt: skip
        if not (column.endswith(part) if end else column.startswith(part)):
            continue
        rest = column.removesuffix(part) if end else column.removeprefix(part)
        inner = column_title(rest, table)
        what = inner.said if inner is not None else rest
        said = {
            "from_": text("{column}, old", column=what),
            "to_": text("{column}, new", column=what),
            "baseline_": text("{column}, baseline", column=what),
            "scenario_": text("{column}, scenario", column=what),
            "change ": text("Change of {path}", path=rest),
            "_first": text("{column}, first run", column=what),
            "_second": text("{column}, second run", column=what),
            "_difference": text("{column}, difference", column=what),
        }[part]
        return Title(said, inner.look if inner is not None and part != "change " else "")
    return None


def column_title(column: str, table: str = "") -> Title | None:
    """The title of a column of a table; None where it has none.

    Examples
    --------
    >>> str(column_title("baseline_cases").said), column_title("ratio", "hospitals").look, column_title("x")
    ('Cases, baseline', 'share', None)
    """
    known, inner = titles(), table.removeprefix("budget_")  # a budget's tables within a report
    return known.get(("column", f"{inner}.{column}")) or known.get(("column", column)) or _composed(column, table)


def table_title(table: str) -> str:
    """The title of a table, its id where it has none."""
    found = titles().get(("table", table))
    return found.said if found else table


def word_title(column: str, value: str) -> str:
    """One of the words of a column as a reader says it; the word itself where it is none.

    Examples
    --------
    >>> word_title("verdict", "same"), word_title("verdict", "H001")
    ('the same', 'H001')
    """
    found = titles().get(("word", f"{column}.{value}"))
    return found.said if found else value


def look_of(field: pa.Field, table: str = "") -> str | None:
    """The look of a column's numbers, by its entry, else by its type and name; None for a plain one.

    Examples
    --------
    >>> look_of(pa.field("cost", pa.decimal128(18, 2))), look_of(pa.field("bed_share", pa.float64()))
    ('yuan', 'share')
    """
    found = column_title(field.name, table)
    if found is not None and found.look:
        return None if found.look == "plain" else found.look
    if pa.types.is_decimal(field.type):
        return "yuan"
    if pa.types.is_integer(field.type):
        return None if field.name in _PLAIN else "count"
    if pa.types.is_floating(field.type):
        return "share" if field.name == "share" or field.name.endswith("_share") else "number"
    return None


def shown_columns(names: Iterable[str], language: str) -> dict[str, str]:
    """The columns that a reader of a language is shown -> the column whose title they have.

    Of ``step``, ``step_zh`` and ``step_en`` one is enough.

    Examples
    --------
    >>> shown_columns(["step", "step_zh", "step_en", "title_zh"], "zh")
    {'step_zh': 'step', 'title_zh': 'title_zh'}
    >>> shown_columns(["step", "step_zh", "step_en", "title_zh"], "en")
    {'step_en': 'step', 'title_zh': 'title_zh'}
    """
    given = list(names)
    shown: dict[str, str] = {}
    for name in given:
        base = name.removesuffix("_zh").removesuffix("_en")
        others = [base, f"{base}_en", f"{base}_zh"]
        own = [other for other in others if other in given]
        if len(own) == 1:
            shown[name] = name
            continue
        preferred = others[2] if language == "zh" else others[1]
        chosen = preferred if preferred in own else next(other for other in others if other in own)
        if name == chosen:
            shown[name] = base
    return shown
