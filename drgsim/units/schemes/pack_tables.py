"""Read the CSV tables of a scheme pack strictly: exact columns, no duplicate rows, every problem with its line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

from drgsim.errors import UNREAD, Problem, did_you_mean, words_of
from drgsim.language import text

Row = tuple[str, ...]


def read_table(path: Path, columns: Sequence[str], key: Sequence[str], problems: list[Problem]) -> list[Row]:
    """Rows of a table, cells in the order of ``columns``; rows in doubt are left out and reported.

    Parameters
    ----------
    path
        A UTF-8 CSV file with a header row.
    columns
        The columns that the table has, no more and no fewer.
    key
        The columns that name a row: two rows with the same key are a duplicate.
    problems
        Receives what is wrong, with file and line.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(
            Problem(
                "pack-unreadable-table",
                text("{name} is not a UTF-8 CSV table: {error}", name=name, error=words_of(error, UNREAD)),
                where=name,
            )
        )
        return []
    header = lines[0] if lines else []
    if not _header_holds(name, header, columns, problems):
        return []
    pick = itemgetter(*(header.index(column) for column in columns))
    mark_of = itemgetter(*(list(columns).index(column) for column in key))
    rows = [pick(cells) for cells in lines[1:] if len(cells) == len(header)]
    if len(rows) == len(lines) - 1 and len(set(map(mark_of, rows))) == len(rows):
        return rows  # nearly always: only a table with a row in doubt is gone through line by line
    return _sound_rows(name, lines, pick, mark_of, problems)


def _sound_rows(
    name: str,
    lines: list[list[str]],
    pick: Callable[[Sequence[str]], Row],
    mark_of: Callable[[Row], Row | str],
    problems: list[Problem],
) -> list[Row]:
    rows: list[Row] = []
    seen: dict[Row | str, int] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(lines[0]):
            if cells:
                what = text(
                    "line {number} of {name} has {cells_count} cells, the header has {lines_count}",
                    number=number,
                    name=name,
                    cells_count=len(cells),
                    lines_count=len(lines[0]),
                )
                problems.append(Problem("pack-broken-row", what, where=f"{name}:{number}"))
            continue
        row = pick(cells)
        mark = mark_of(row)
        if mark in seen:
            shown = mark if isinstance(mark, str) else ", ".join(mark)
            what = text(
                "{shown} stands twice in {name}, on lines {seen} and {number}",
                shown=shown,
                name=name,
                seen=seen[mark],
                number=number,
            )
            problems.append(
                Problem("pack-duplicate-row", what, where=f"{name}:{number}", fix=text("remove one of the two rows"))
            )
            continue
        seen[mark] = number
        rows.append(row)
    return rows


def _header_holds(name: str, header: Sequence[str], columns: Sequence[str], problems: list[Problem]) -> bool:
    before = len(problems)
    for column in header:
        if column not in columns:
            hint = did_you_mean(column, list(columns))
            what = text("{name} has a column {column!r} that no pack table of this name has", name=name, column=column)
            fix = hint or text("the columns are {columns}", columns=", ".join(columns))
            problems.append(Problem("pack-unknown-column", what, where=f"{name}:1", fix=fix))
    missing = [column for column in columns if column not in header]
    if missing:
        what = text("{name} lacks the column {missing}", name=name, missing=", ".join(missing))
        problems.append(
            Problem(
                "pack-missing-column",
                what,
                where=f"{name}:1",
                fix=text("the columns are {columns}", columns=", ".join(columns)),
            )
        )
    if len(set(header)) < len(header):
        problems.append(Problem("pack-duplicate-column", text("{name} names a column twice", name=name), where=f"{name}:1"))
    return len(problems) == before
