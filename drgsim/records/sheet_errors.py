"""Cells of a workbook that hold no value: errors (#N/A, #REF!) and formulas that were never calculated.

The library that reads workbooks gives such cells as blank ones; here they are found in the parts of the file itself and put
back as texts that name them, so that nothing becomes blank in silence.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

_BLOCK, _OVERLAP = 1 << 20, 64  # bytes
UNCALCULATED = "#FORMULA!"
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>/]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_TYPE = re.compile(rb'\bt="(\w+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>/]*>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class UnreadableCell(str):
    """The text in the place of a cell that cannot be read, with the name of the cell: ``#N/A (F2)``."""

    __slots__ = ()


class _ErrorCell(NamedTuple):
    row: int
    column: int
    text: UnreadableCell


def mark_unreadable(path: Path, sheet: str, rows: list[list[Any]], start: tuple[int, int] | None) -> None:
    """Put texts that name them in the place of the cells of a sheet that cannot be read.

    Parameters
    ----------
    path
        The workbook; other files than XLSX are left as they are.
    sheet
        Name of the sheet.
    rows
        Its cells as they were read, changed in place; a cell that holds a value stays.
    start
        Row and column of the first of them in the sheet.
    """
    if not rows or not zipfile.is_zipfile(path):
        return
    first_row, first_column = start or (0, 0)
    for found in _unreadable(path, sheet):
        row, column = found.row - first_row, found.column - first_column
        if 0 <= row < len(rows) and 0 <= column < len(rows[row]) and rows[row][column] == "":
            rows[row][column] = found.text


def _unreadable(path: Path, sheet: str) -> Iterator[_ErrorCell]:
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None or not _may_hold(archive, part):
            return
        data = archive.read(part)
    for cell in _CELL.finditer(data):
        attributes, inside = cell.groups()
        kind, place = _TYPE.search(attributes), _PLACE.search(attributes)
        value = _VALUE.search(inside)
        text = unescape(value[1].decode(errors="replace")).strip() if value else ""
        error = kind is not None and kind[1] == b"e"
        blank_text = kind is not None and kind[1] == b"str"  # a formula whose result is an empty text
        uncalculated = not text and not blank_text and _FORMULA.search(inside) is not None
        if place and (error or uncalculated):
            name = f"{place[1].decode()}{place[2].decode()}"
            named = UnreadableCell(f"{(text or '#ERROR!') if error else UNCALCULATED} ({name})")
            yield _ErrorCell(int(place[2]) - 1, _column(place[1].decode()), named)


def _may_hold(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet has an error or a formula at all; most have none, and are not held in memory for it."""
    with archive.open(part) as file:
        rest = b""
        while block := file.read(_BLOCK):
            if b't="e"' in (data := rest + block) or _FORMULA.search(data):
                return True
            rest = block[-_OVERLAP:]
    return False


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part of an XLSX that holds a sheet; None in a workbook of another kind."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    numbers = [entry.get(_RELATION) for entry in book.iter() if entry.tag.endswith("}sheet") and entry.get("name") == sheet]
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {entry.get("Id"): entry.get("Target", "") for entry in links}
    target = targets.get(numbers[0], "") if numbers else ""
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return part if part in names else None
