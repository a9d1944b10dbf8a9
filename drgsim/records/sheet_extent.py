"""How many cells a sheet of a workbook spans, counted before it is read: one value far from the others asks for all between."""

from __future__ import annotations

import contextlib
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import numpy as np

from drgsim import limits
from drgsim.compiled_code import njit
from drgsim.language import text
from drgsim.records.binary_sheets import xlsb_cells

_BLOCK = 1 << 20
_STATE = 9  # of the scan: phase, column, row, first and last row, first and last column, quote, cells
_PHASE, _COLUMN, _ROW, _TOP, _BOTTOM, _LEFT, _RIGHT, _ENDING, _CELLS = range(_STATE)
_FAR = np.int64(1 << 40)
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
CELL_TAGS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_TARGET = re.compile(r"""Target\s*=\s*["']([^"']*)["']""")
_MOST_PACKED = 1032  # times that DEFLATE can make of a byte


def check_workbook(path: Path, shown: Path) -> None:
    """Refuse a workbook that is larger unpacked, or whose sheets span more cells, than the limits allow.

    Raises
    ------
    InputError
        ``input-too-large``.
    """
    limits.check("workbook_bytes", path.stat().st_size, shown)
    if not zipfile.is_zipfile(path):
        return  # a compound file is not packed, and has at most 65,536 rows and 256 columns
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        limits.check("workbook_bytes", sum(part.file_size for part in parts), shown)
        if sum(part.compress_size for part in parts) * _MOST_PACKED > limits.limit("workbook_bytes"):
            _check_true_sizes(archive, shown)
        linked = _linked_parts(archive)
        for part in parts:
            name = part.filename.lower()
            sheet = name in linked or name.startswith("xl/worksheets/")
            if name == "content.xml":
                with archive.open(part) as file:
                    check_elements(file, shown)
                _check_ods(archive, shown)
            elif sheet and name.endswith(".bin"):
                limits.check("cells", _extent_of(*xlsb_cells(archive.read(part))), shown, part.filename)
            elif sheet:
                with archive.open(part) as file:
                    limits.check("cells", _xlsx_extent(file), shown, part.filename)


def check_elements(file: IO[bytes], shown: Path) -> None:
    """Refuse XML or HTML of more elements than cells may be: each takes as much memory, whether it is one or not."""
    found = 0
    while block := file.read(_BLOCK):
        found += block.count(b"<") - block.count(b"</")
        if found > limits.limit("cells"):
            had = text("more than {limit:,} elements", limit=limits.limit("cells"))
            raise limits.too_large("cells", shown, found=had)


def _linked_parts(archive: zipfile.ZipFile) -> set[str]:
    """Parts that a workbook may read a sheet from, wherever they lie."""
    found = set()
    for kind in ("xml", "bin"):
        with contextlib.suppress(KeyError):  # a workbook of the other kind, or none
            links = archive.read(f"xl/_rels/workbook.{kind}.rels").decode(errors="replace")
            for target in _TARGET.findall(links):
                found.add((target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")).lower())
    return found


def cell_events(file: IO[bytes]) -> Iterator[tuple[str, ElementTree.Element]]:
    """Starts and ends of the elements of an ODS file; those that have ended are forgotten, but for the contents of a cell."""
    path: list[ElementTree.Element] = []
    cells = 0
    for event, element in ElementTree.iterparse(file, events=("start", "end")):
        is_cell = element.tag in CELL_TAGS
        if event == "start":
            path.append(element)
            cells += is_cell
            yield event, element
        else:
            path.pop()
            cells -= is_cell
            yield event, element
            if path and not cells:
                del path[-1][-1]


def _check_true_sizes(archive: zipfile.ZipFile, shown: Path) -> None:
    """Sizes as they are, where those that an archive states may be false; reading further than stated ends in an error."""
    total = 0
    for part in archive.infolist():
        with archive.open(part) as file:
            while block := file.read(_BLOCK):
                total += len(block)
                limits.check("workbook_bytes", total, shown, part.filename)


# -- XLSX --------------------
def _xlsx_extent(file: IO[bytes]) -> int:
    """Cells between the first and the last row and column of a sheet, as the names of its cells state them."""
    state = np.zeros(_STATE, np.int64)
    state[_TOP] = state[_LEFT] = _FAR
    while block := file.read(_BLOCK):
        _scan_names(np.frombuffer(block, np.uint8), state)
    if state[_BOTTOM] == 0:
        return 0
    width = max(int(state[_RIGHT] - state[_LEFT]) + 1, 1) if state[_RIGHT] else 1
    return max((int(state[_BOTTOM] - state[_TOP]) + 1) * width, int(state[_CELLS]))


@njit(cache=True, nogil=True)
def _scan_names(data: Any, state: Any) -> None:  # pragma: no cover - compiled
    """Find ``r="AB12"`` and ``r='AB12'`` after a blank, with blanks around the sign; ``state`` goes on with the next block.

    Phases: 0 text, 1 a blank before, 2 after ``r``, 3 after ``=``, 4 within the name.
    """
    phase = state[_PHASE]
    for byte in data:
        blank = byte == 0x20 or byte == 0x0A or byte == 0x0D or byte == 0x09
        if phase == 4:
            if _goes_on(byte, state):
                continue
            if byte == state[_ENDING] and state[_ROW] > 0:
                _note_name(state)
            phase = 1 if blank else 0
        elif phase == 3 and (byte == 0x22 or byte == 0x27):
            state[_ENDING], state[_COLUMN], state[_ROW] = byte, 0, 0
            phase = 4
        elif phase == 2 and byte == 0x3D:
            phase = 3
        elif phase == 1 and byte == 0x72:
            phase = 2
        elif phase < 2 or not blank:
            phase = 1 if blank else 0
    state[_PHASE] = phase


@njit(cache=True, nogil=True)
def _goes_on(byte: Any, state: Any) -> bool:  # pragma: no cover - compiled
    """Take a letter or digit of a name."""
    if 0x41 <= byte <= 0x5A and state[_ROW] == 0 and state[_COLUMN] < 1_000_000:
        state[_COLUMN] = state[_COLUMN] * 26 + byte - 0x40
        return True
    if 0x30 <= byte <= 0x39 and state[_ROW] < 1_000_000_000:
        state[_ROW] = state[_ROW] * 10 + byte - 0x30
        return True
    return False


@njit(cache=True, nogil=True)
def _note_name(state: Any) -> None:  # pragma: no cover - compiled
    """Note the place that a name states; the name of a row has no column."""
    state[_TOP] = min(state[_TOP], state[_ROW])
    state[_BOTTOM] = max(state[_BOTTOM], state[_ROW])
    if state[_COLUMN] > 0:
        state[_LEFT] = min(state[_LEFT], state[_COLUMN])
        state[_RIGHT] = max(state[_RIGHT], state[_COLUMN])
        state[_CELLS] += 1


# -- XLSB, ODS --------------------
def _extent_of(rows: Any, columns: Any) -> int:
    if not len(rows):
        return 0
    return (int(rows.max()) - int(rows.min()) + 1) * (int(columns.max()) - int(columns.min()) + 1)


def _check_ods(archive: zipfile.ZipFile, shown: Path) -> None:
    """Rows and columns may be stated as repeated; those of blank cells at the end of a row or sheet do not count."""
    row = column = bottom = right = 0
    filled = False
    with archive.open("content.xml") as file:
        for event, element in cell_events(file):
            if element.tag == f"{_TABLE}table" and event == "start":
                row = bottom = right = 0
            elif element.tag == f"{_TABLE}table-row" and event == "start":
                column, filled = 0, False
            elif element.tag == f"{_TABLE}table-row":
                row += repeated(element, "rows")
                bottom = row if filled else bottom
                limits.check("cells", bottom * right, shown, "content.xml")
            elif event == "end" and element.tag in CELL_TAGS:
                column += repeated(element, "columns")
                if len(element) or any(name.endswith("}value-type") for name in element.attrib):
                    filled, right = True, max(right, column)


def repeated(element: ElementTree.Element, what: str) -> int:
    """How often a row or column is repeated, as it says."""
    text = element.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
