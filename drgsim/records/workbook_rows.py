"""Sheets of a workbook as rows of cells, whatever it is written in: XLSX, XLSB, ODS, XLS, ET, HTML, the XML of Excel 2003."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

from drgsim import limits
from drgsim.errors import InputError
from drgsim.language import text
from drgsim.leftovers import scratch_folder
from drgsim.records.case_file import broken_file
from drgsim.records.file_kind import ARCHIVE_FAULTS, FileKind, kind_of
from drgsim.records.sheet_errors import mark_unreadable
from drgsim.records.sheet_extent import check_elements, check_workbook
from drgsim.records.text_encoding import sniff_encoding
from drgsim.records.unpacked import password_error

_SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"
_SUFFIX = {FileKind.WORKBOOK: ".xlsx", FileKind.OLD_WORKBOOK: ".xls", FileKind.DAMAGED_ZIP: ".xlsx"}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream of an XLSX behind a password, in a compound file
_ALIKE = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "utf-8": "utf-8", "utf8": "utf-8", "big5": "big5"}
_ROW_LIMIT = 1 << 26  # cells of a row of a page
_SPAN_LIMIT = 1 << 14  # columns of a sheet; a larger span is a mistake


class SheetRows(NamedTuple):
    """The rows of a sheet that hold anything.

    Attributes
    ----------
    name
        Its name; of an HTML table its number.
    hidden
        Whether the workbook hides it.
    rows
        Rows of equal length; a blank cell is an empty text.
    blank_after
        For each blank row between them, the number of rows before it.
    """

    name: str
    hidden: bool
    rows: list[list[Any]]
    blank_after: tuple[int, ...] = ()


def sheets_of(path: Path, shown: Path) -> Iterator[SheetRows]:
    """The sheets of a workbook in its order, each read when it is asked for.

    Parameters
    ----------
    path
        The file; what it is, its content says.
    shown
        The name that messages call it by.

    Raises
    ------
    InputError
        ``input-password``, ``input-broken-file``.
    """
    kind = kind_of(path)
    limits.check("workbook_bytes", path.stat().st_size, shown)
    if kind in (FileKind.PAGE, FileKind.XML_WORKBOOK):
        with path.open("rb") as file:
            check_elements(file, shown)
        found = _page_tables(path, shown) if kind is FileKind.PAGE else _xml_sheets(path, shown)
        return (_filled(sheet.name, sheet.hidden, sheet.rows, shown) for sheet in found)
    return _workbook_sheets(path, shown)


def _filled(name: str, hidden: bool, rows: list[list[Any]], shown: Path) -> SheetRows:
    """Rows with anything in them, all of the same length; blank ones below the last, which spreadsheets leave, are not told."""
    filled, blank = [], []
    for row in rows:
        if any(cell != "" for cell in row):
            filled.append(row)
        else:
            blank.append(len(filled))
    width = max((len(row) for row in filled), default=0)
    limits.check("columns", width, shown, name)
    limits.check("cells", width * len(filled), shown, name)
    even = [row if len(row) == width else [*row, *[""] * (width - len(row))] for row in filled]
    return SheetRows(name, hidden, even, tuple(before for before in blank if before < len(filled)))


def _workbook_sheets(path: Path, shown: Path) -> Iterator[SheetRows]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        check_workbook(path, shown)
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        for number, sheet in enumerate(book.sheets_metadata):
            cells = book.get_sheet_by_name(sheet.name)
            rows = cells.to_python()
            mark_unreadable(path, number, sheet.name, (rows, cells.start))
            yield _filled(sheet.name, sheet.visible != SheetVisibleEnum.Visible, rows, shown)
    except (CalamineError, OSError, KeyError, ParseError, *ARCHIVE_FAULTS) as error:
        raise _unreadable(path, shown, error) from error


def _unreadable(path: Path, shown: Path, error: Exception) -> InputError:
    """Why a workbook cannot be read, in words; the reader says it only of a file whose name fits its content."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    kind = kind_of(path)
    if kind is FileKind.OLD_WORKBOOK and _ENCRYPTED in path.read_bytes():
        return password_error(shown)
    with scratch_folder() as folder:
        named = Path(folder, "book" + _SUFFIX.get(kind, path.suffix))
        shutil.copyfile(path, named)
        try:
            CalamineWorkbook.from_path(str(named))
        except PasswordError:
            return password_error(shown)
        except (CalamineError, OSError) as cause:
            error = cause
    if kind is FileKind.DAMAGED_ZIP or str(error).startswith("Cfb error"):
        why = (
            text("the list of its parts at its end is missing")
            if kind is FileKind.DAMAGED_ZIP
            else text("parts of it are missing")
        )
        return InputError.single(
            "input-broken-file",
            text("{shown} is cut off or damaged 文件不完整或已损坏: {why}", shown=shown.name, why=why),
            where=str(shown),
            fix=text("copy or download it again, or export it again"),
        )
    return broken_file(shown, error)


# -- pages and XML --------------------
def _page_tables(path: Path, shown: Path) -> list[SheetRows]:
    """Tables of an HTML page; of nested ones each on its own."""
    from lxml import etree

    with path.open("rb") as file:
        head = file.read(1 << 16)
    said = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", head[:4096], re.IGNORECASE)
    encoding = _ALIKE.get(said[1].decode().lower(), sniff_encoding(head)) if said else sniff_encoding(head)
    encoding = "utf-8" if encoding == "gb18030" and sniff_encoding(head) == "utf-8" and not head.isascii() else encoding
    tables: list[list[list[Any]]] = []
    places: dict[Any, int] = {}
    spans: dict[Any, dict[int, int]] = {}
    total = 0
    try:
        events = etree.iterparse(
            str(path), events=("start", "end"), tag=("table", "tr"), html=True, encoding=encoding, huge_tree=True, recover=True
        )
        for event, element in events:
            if element.tag == "table":
                if event == "start":
                    places[element] = len(tables)
                    tables.append([])
            elif event == "end":
                table = next(element.iterancestors("table"), None)
                if table is not None and table in places:
                    below = spans.setdefault(table, {})
                    tables[places[table]].append(_page_row(element, below) if len(element) or below else [])
                    total += max(len(tables[places[table]][-1]), 1)
                    limits.check("cells", total, shown)
                element.clear(keep_tail=False)
    except (etree.LxmlError, OSError, UnicodeError) as error:
        raise broken_file(shown, error) from error
    return [SheetRows(f"table {number}", False, rows) for number, rows in enumerate(tables, start=1)]


def _page_row(row: Any, below: dict[int, int]) -> list[str]:
    """Cells of a row; a cell over several columns or rows counts in the first and leaves the others blank."""
    cells: list[str] = []

    def skip() -> None:
        while below.get(len(cells), 0) > 0:
            below[len(cells)] -= 1
            cells.append("")

    for cell in row.iterchildren("td", "th"):
        skip()
        at = len(cells)
        wide = _span(cell, "colspan")
        cells += [" ".join("".join(cell.itertext()).split()), *[""] * (wide - 1)]
        if (tall := _span(cell, "rowspan")) > 1:
            below |= dict.fromkeys(range(at, at + wide), tall - 1)
        if len(cells) > _ROW_LIMIT:  # told where the cells of all rows are counted
            return cells
    skip()
    return cells


def _span(cell: Any, name: str) -> int:
    text = cell.get(name, "1").strip()
    return min(max(int(text), 1), _SPAN_LIMIT) if text.isdecimal() else 1


def _xml_sheets(path: Path, shown: Path) -> list[SheetRows]:
    """Worksheets of the XML that Excel 2003 wrote; dates stay as they are written, 2024-09-02T00:00:00.000."""
    from lxml import etree

    sheets: list[SheetRows] = []
    total = 0
    try:
        events = etree.iterparse(
            str(path), events=("start", "end"), tag=(f"{_SPREADSHEET}Worksheet", f"{_SPREADSHEET}Row"),
            huge_tree=True, resolve_entities=False, no_network=True,
        )  # fmt: skip
        for event, element in events:
            kind = element.tag.removeprefix(_SPREADSHEET)
            if kind == "Worksheet" and event == "start":
                sheets.append(SheetRows(element.get(f"{_SPREADSHEET}Name", f"sheet {len(sheets) + 1}"), False, []))
            elif kind == "Row" and event == "end" and sheets:
                sheets[-1].rows.append(_xml_row(element))
                total += max(len(sheets[-1].rows[-1]), 1)
                limits.check("cells", total, shown)
                element.clear(keep_tail=False)
    except (etree.LxmlError, OSError) as error:
        raise broken_file(shown, error) from error
    return sheets


def _xml_row(row: Any) -> list[str]:
    cells: list[str] = []
    for cell in row.iterchildren(f"{_SPREADSHEET}Cell"):
        at = cell.get(f"{_SPREADSHEET}Index", "")
        if at.isdecimal():
            cells += [""] * (min(int(at), _SPAN_LIMIT) - 1 - len(cells))
        cells.append("".join(cell.itertext()).strip())
        over = cell.get(f"{_SPREADSHEET}MergeAcross", "0")
        cells += [""] * (min(int(over), _SPAN_LIMIT) if over.isdecimal() else 0)
    return cells
