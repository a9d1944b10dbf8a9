"""Errors and formulas in the sheets of binary workbooks: XLS and ET (BIFF records in a compound file) and XLSB.

Only what is needed to name cells that hold no value; the cells themselves are read elsewhere. The forms are described in
[MS-CFB], [MS-XLS] and [MS-XLSB] of Microsoft's Open Specifications.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit

ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip
_FREE, _END = 0xFFFFFFFF, 0xFFFFFFFE  # of chains of sectors
_ENTRY = 128  # bytes of an entry of a directory
_SHEET, _END_OF_SHEET, _FORMULAS, _ERROR_CELL = 0x85, 0x0A, (0x06, 0x0206, 0x0406), 0x0205
_XLSB_SHEET, _XLSB_ROW, _XLSB_ERROR = 156, 0, (3, 11)
_XLSB_RESULTS = _XLSB_STRING, _, _XLSB_TRUTH = 8, 9, 10  # of formulas: texts, numbers, truth values


class FormulaCell(NamedTuple):
    """A cell with a formula or an error: its place from 0, its error, and whether it has another value than 0 or blank."""

    row: int
    column: int
    error: str
    has_value: bool
    stored: bool = True  # whether the file says what its value is


# -- compound files --------------------
def workbook_stream(data: bytes) -> bytes:
    """The stream of a compound file that holds the workbook; empty where there is none."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    small = 1 << struct.unpack_from("<H", data, 32)[0]
    first_directory, cutoff, first_small, _, first_more, _ = struct.unpack_from("<I4xIIIII", data, 48)

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    def numbers(part: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(part) // 4}I", part)

    places = list(numbers(data[76:512]))
    while first_more < _END:
        *more, first_more = numbers(sector(first_more))
        places += more
    table = [entry for place in places if place != _FREE for entry in numbers(sector(place))]
    directory = b"".join(map(sector, _chain(table, first_directory)))
    root_start = None
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", errors="replace")
        start, total = struct.unpack_from("<II", directory, at + 116)
        root_start = start if at == 0 else root_start
        if name.lower() in ("workbook", "book"):
            if total >= cutoff:
                return b"".join(map(sector, _chain(table, start)))[:total]
            held = b"".join(map(sector, _chain(table, root_start or 0)))
            small_table = [entry for place in _chain(table, first_small) for entry in numbers(sector(place))]
            return b"".join(held[place * small : (place + 1) * small] for place in _chain(small_table, start))[:total]
    return b""


def _chain(table: list[int], start: int) -> Iterator[int]:
    seen = 0
    while start < len(table) and seen <= len(table):
        yield start
        start, seen = table[start], seen + 1


# -- XLS --------------------
def xls_formulas(path: Path, number: int) -> list[FormulaCell]:
    """Formulas and errors of the sheet of this number, from 0."""
    stream = workbook_stream(path.read_bytes())
    view = np.frombuffer(stream, np.uint8)
    starts = [struct.unpack_from("<I", stream, at)[0] for _, at, _ in _xls_records(view, 0, (_SHEET,))]
    if number >= len(starts):
        return []
    found = []
    for kind, at, length in _xls_records(view, starts[number], (*_FORMULAS, _ERROR_CELL)):
        body = stream[at : at + length]
        if kind != _ERROR_CELL and length >= 14:
            row, column, _, value = struct.unpack_from("<HHH8s", body)
            special = value[6:] == b"\xff\xff"
            error = ERRORS.get(value[2], "#ERROR!") if special and value[0] == 2 else ""
            empty = value[0] == 3 if special else not any(value)
            found.append(FormulaCell(row, column, error, not empty))
        elif kind == _ERROR_CELL and length >= 8 and body[7]:
            row, column = struct.unpack_from("<HH", body)
            found.append(FormulaCell(row, column, ERRORS.get(body[6], "#ERROR!"), True))
    return found


def _xls_records(stream: NDArray[np.uint8], at: int, kinds: tuple[int, ...]) -> list[list[int]]:
    """Kind, place of the body and length of each record of these kinds up to the end of the part that begins at ``at``."""
    found: list[list[int]] = _walk_xls(stream, at, np.array(kinds)).tolist()
    return found


@njit(cache=True, nogil=True)
def _walk_xls(stream: Any, at: Any, kinds: Any) -> Any:  # pragma: no cover - compiled
    found = np.empty((64, 3), np.int64)
    count = 0
    while at + 4 <= stream.size:
        kind = np.int64(stream[at]) | np.int64(stream[at + 1]) << 8
        length = np.int64(stream[at + 2]) | np.int64(stream[at + 3]) << 8
        if kind == _END_OF_SHEET:
            break
        if (kinds == kind).any() and at + 4 + length <= stream.size:
            if count == found.shape[0]:
                found = np.concatenate((found, np.empty_like(found)))
            found[count] = kind, at + 4, length
            count += 1
        at += 4 + length
    return found[:count].copy()


# -- XLSB --------------------
def xlsb_formulas(archive: zipfile.ZipFile, number: int) -> list[FormulaCell]:
    """Formulas and errors of the sheet of this number, from 0."""
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.bin.rels"))
    targets = {entry.get("Id"): entry.get("Target", "") for entry in links}
    book = archive.read("xl/workbook.bin")
    sheets = [_xlsb_text(book, at + 8) for _, at, _, _ in _xlsb_records(book, (_XLSB_SHEET,))]
    if number >= len(sheets):
        return []
    target = targets.get(sheets[number], "")
    data = archive.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    found: list[FormulaCell] = []
    for kind, at, _, row in _xlsb_records(data, (*_XLSB_ERROR, *_XLSB_RESULTS)):
        column = struct.unpack_from("<I", data, at)[0]
        if kind in _XLSB_ERROR:
            found.append(FormulaCell(row, column, ERRORS.get(data[at + 8], "#ERROR!"), True))
        else:
            value = data[at + 8 : at + (12 if kind == _XLSB_STRING else 16)]  # length of the text, or the number
            found.append(FormulaCell(row, column, "", kind == _XLSB_TRUTH or any(value)))
    return found


def xlsb_cells(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns, from 0, of the cells of a sheet that hold anything."""
    view = np.frombuffer(data, np.uint8)
    found = _walk_xlsb(view, np.arange(2, 12))
    places = found[:, 1]
    columns = sum(view[places + byte].astype(np.int64) << (8 * byte) for byte in range(4)) if len(found) else places
    return found[:, 3], columns


def _xlsb_text(data: bytes, at: int) -> str:
    length = struct.unpack_from("<I", data, at)[0]
    return data[at + 4 : at + 4 + 2 * length].decode("utf-16-le")


def _xlsb_records(data: bytes, kinds: tuple[int, ...]) -> list[list[int]]:
    """Kind, place of the body, length and row of each record of these kinds."""
    found: list[list[int]] = _walk_xlsb(np.frombuffer(data, np.uint8), np.array(kinds)).tolist()
    return found


@njit(cache=True, nogil=True)
def _walk_xlsb(data: Any, kinds: Any) -> Any:  # pragma: no cover - compiled
    found = np.empty((64, 4), np.int64)
    count = 0
    row: Any = np.int64(0)
    at: Any = np.int64(0)
    while at + 1 < data.size:
        kind = np.int64(data[at])
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (np.int64(data[at]) & 0x7F) << 7
            at += 1
        length: Any = np.int64(0)
        shift = 0
        while at < data.size and shift < 28:
            byte = np.int64(data[at])
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if at + length > data.size:
            break
        if kind == _XLSB_ROW:
            row = np.int64(0)
            for place in range(4):
                row |= np.int64(data[at + place]) << (8 * place)
        if (kinds == kind).any():
            if count == found.shape[0]:
                found = np.concatenate((found, np.empty_like(found)))
            found[count] = kind, at, length, row
            count += 1
        at += length
    return found[:count].copy()
