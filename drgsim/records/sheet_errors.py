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
from typing import Any
from xml.etree import ElementTree

from drgsim.records.binary_sheets import FormulaCell, xls_formulas, xlsb_formulas
from drgsim.records.sheet_extent import cell_events, repeated

_BLOCK, _OVERLAP = 1 << 20, 64  # bytes
UNCALCULATED = "#FORMULA!"
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>/]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_TYPE = re.compile(rb'\bt="(\w+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>/]*>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_XLSX_DOUBT, _ODS_FORMULA = re.compile(rb't="e"|<(?:\w+:)?f[\s>/]'), re.compile(rb"table:formula=")
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_ODS_ERROR = re.compile(r"Err:\d+|#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class UnreadableCell(str):
    """The text in the place of a cell that cannot be read, with the name of the cell: ``#N/A (F2)``."""

    __slots__ = ()


def mark_unreadable(path: Path, number: int, name: str, cells: tuple[list[list[Any]], tuple[int, int] | None]) -> None:
    """Put texts that name them in the place of the cells of a sheet that cannot be read.

    A library that writes a workbook without calculating leaves 0 or nothing as the value of every formula. Where no formula of
    a sheet has another value, and no trace of a calculation is in the file, none of them was calculated.

    Parameters
    ----------
    path
        The workbook.
    number, name
        Place of the sheet in the workbook, from 0, and its name.
    cells
        The rows as they were read, changed in place, and row and column of the first of them in the sheet.
    """
    rows, start = cells
    if not rows:
        return
    found = _formulas(path, number, name)
    calculated = any(cell.has_value for cell in found if not cell.error)
    first_row, first_column = start or (0, 0)
    for cell in found:
        row, column = cell.row - first_row, cell.column - first_column
        text = cell.error or ("" if cell.stored and (calculated or cell.has_value) else UNCALCULATED)
        if text and 0 <= row < len(rows) and 0 <= column < len(rows[row]):
            rows[row][column] = UnreadableCell(f"{text} ({_letters(cell.column)}{cell.row + 1})")


def _formulas(path: Path, number: int, name: str) -> list[FormulaCell]:
    """Formulas and errors of a sheet, in whatever form the workbook is."""
    if not zipfile.is_zipfile(path):
        return xls_formulas(path, number)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "xl/workbook.bin" in names:
            return xlsb_formulas(archive, number)
        if "content.xml" in names:
            return list(_ods_formulas(archive, number)) if _may_hold(archive, "content.xml", _ODS_FORMULA) else []
        part = _part_of(archive, name)
        if part is None or not _may_hold(archive, part, _XLSX_DOUBT):
            return []
        return list(_xlsx_formulas(archive.read(part), calculated="xl/calcChain.xml" in names))


def _xlsx_formulas(data: bytes, calculated: bool) -> Iterator[FormulaCell]:
    """Formulas and errors of an XLSX sheet; ``calculated``: the workbook keeps the order of a calculation."""
    for cell in _CELL.finditer(data):
        attributes, inside = cell.groups()
        kind, place = _TYPE.search(attributes), _PLACE.search(attributes)
        value = _VALUE.search(inside)
        text = unescape(value[1].decode(errors="replace")).strip() if value else ""
        error = kind is not None and kind[1] == b"e"
        formula = _FORMULA.search(inside) is not None
        if place and (error or formula):
            blank_text = kind is not None and kind[1] == b"str"  # a formula whose result is an empty text
            row, column = int(place[2]) - 1, _column(place[1].decode())
            has_value = calculated or text not in ("", "0")
            yield FormulaCell(row, column, (text or "#ERROR!") if error else "", has_value, bool(text) or blank_text)


def _ods_formulas(archive: zipfile.ZipFile, number: int) -> Iterator[FormulaCell]:
    """Formulas and errors of a sheet of an ODS file; the program that wrote it shows an error in the text of its cell."""
    sheet = row = -1
    column = 0
    with archive.open("content.xml") as file:
        for event, element in cell_events(file):
            if element.tag == f"{_TABLE}table":
                sheet, row = (sheet + 1, -1) if event == "start" else (sheet, row)
            elif element.tag == f"{_TABLE}table-row" and event == "start":
                row, column = row + 1, 0
            elif element.tag == f"{_TABLE}table-row":
                row += repeated(element, "rows") - 1
            elif event == "end" and element.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                if sheet == number and f"{_TABLE}formula" in element.attrib:
                    yield _ods_cell(element, row, column)
                column += repeated(element, "columns")


def _ods_cell(cell: ElementTree.Element, row: int, column: int) -> FormulaCell:
    text = " ".join("".join(cell.itertext()).split())
    error = f"#{text.removeprefix('#')}" if _ODS_ERROR.fullmatch(text) else ""
    stored = f"{_OFFICE}value-type" in cell.attrib
    return FormulaCell(row, column, error, stored, stored)


def _may_hold(archive: zipfile.ZipFile, part: str, doubt: re.Pattern[bytes]) -> bool:
    """Whether a sheet has an error or a formula at all; most have none, and are not held in memory for it."""
    with archive.open(part) as file:
        rest = b""
        while block := file.read(_BLOCK):
            if doubt.search(rest + block):
                return True
            rest = block[-_OVERLAP:]
    return False


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(column: int) -> str:
    letters = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        letters, column = chr(65 + letter) + letters, column - 1
    return letters


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
