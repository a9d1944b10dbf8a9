"""Workbooks that drgsim wrote are read back: their first sheet says what the titles of columns stand for.

The sheet holds rows of sheet, title and column below a header whose third cell is :data:`MARK`, see
:mod:`drgsim.results.workbook`. It is no table, and titles of other sheets become the names of columns again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from drgsim.records.workbook_rows import SheetRows

MARK = "drgsim"  # heads the names of columns, in every language
_WIDTH = 3


def columns_of(sheet: SheetRows) -> dict[str, dict[str, str]] | None:
    """Sheet -> title -> column, as a first sheet says it; None for a sheet of another kind.

    Examples
    --------
    >>> rows = [["Results", "", ""], ["Sheet", "Column", "drgsim"], ["Cases", "DRG name", "drg_name"]]
    >>> columns_of(SheetRows("About", False, rows))
    {'Cases': {'DRG name': 'drg_name'}}
    """
    rows = [[str(cell).strip() for cell in row[:_WIDTH]] for row in sheet.rows if len(row) >= _WIDTH]
    at = next((place for place, row in enumerate(rows) if row[2] == MARK and row[0] and row[1]), None)
    if at is None:
        return None
    found: dict[str, dict[str, str]] = {}
    for name, title, column in rows[at + 1 :]:
        if name and title and column:
            found.setdefault(name, {})[title] = column
    return found


def without_titles(sheets: Iterable[SheetRows], *, whole: bool = False) -> Iterator[SheetRows]:
    """The sheets of a workbook as they are, or of one that drgsim wrote: columns under their names.

    Its first sheet is left out, unless ``whole``: who names sheets by their number counts it.
    """
    known: dict[str, dict[str, str]] = {}
    for number, sheet in enumerate(sheets):
        found = columns_of(sheet) if number == 0 else None
        if found is not None:
            known = found
            if whole:
                yield sheet
        elif sheet.name in known and sheet.rows:
            yield sheet._replace(rows=[[_column(cell, known[sheet.name]) for cell in sheet.rows[0]], *sheet.rows[1:]])
        else:
            yield sheet


def _column(cell: Any, titles: dict[str, str]) -> Any:
    return titles.get(str(cell).strip(), cell)
