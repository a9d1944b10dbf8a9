"""Read discharges from a workbook (XLSX, XLS, XLSB, ODS)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from drgsim.errors import InputError
from drgsim.records.case_file import BATCH_ROWS, CaseFile, broken_file
from drgsim.records.header import HEADER_LINES, header_test, refuse_duplicates
from drgsim.records.input_options import GROUPING, InputOptions, Purpose


class _Sheet(NamedTuple):
    name: str
    header: list[str]
    records: list[list[Any]]

    @property
    def columns(self) -> dict[str, int]:
        """Place of each named column."""
        return {name: place for place, name in enumerate(self.header) if name}


class SheetSource(CaseFile):
    """The sheets of a workbook that hold records: one, or several under the same header, in the order of the workbook.

    A sheet holds records when one of its first lines names columns of a discharge. Where none does, the first sheet that
    holds anything is taken at its word. Rows without any cell, which spreadsheets leave behind, are no records.
    """

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING) -> None:
        self._sheets = _sheets_with_records(path, options, purpose)
        first, *others = self._sheets
        different = [sheet.name for sheet in others if list(sheet.columns) != list(first.columns)]
        if different:
            raise InputError.single(
                "input-several-sheets",
                f"{path.name} holds records under different headers in the sheets {', '.join([first.name, *different])}",
                where=str(path),
                why="which of them is meant cannot be told",
                fix="save the sheet that is meant as a workbook or CSV file of its own",
            )
        names = [name for name in first.header if name]
        refuse_duplicates(names, path, f"sheet {first.name}")
        super().__init__(path, names, options, purpose=purpose)
        self.rows = sum(len(sheet.records) for sheet in self._sheets)

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        read = 0
        for sheet in self._sheets:
            places = [sheet.columns[name] for name in names]
            for start in range(0, len(sheet.records), BATCH_ROWS):
                part = sheet.records[start : start + BATCH_ROWS]
                read += len(part)
                self.done = read / (self.rows or 1)
                arrays = [pa.array([_cell(row[place]) for row in part], pa.string()) for place in places]
                yield pa.RecordBatch.from_arrays(arrays, list(names))


def _sheets_with_records(path: Path, options: InputOptions, purpose: Purpose) -> list[_Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook

    holds = header_test(options, purpose)
    found: list[_Sheet] = []
    filled: list[_Sheet] = []
    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = [row for row in book.get_sheet_by_name(name).to_python() if any(cell != "" for cell in row)]
            headers = [[str(cell).strip() for cell in row] for row in rows[:HEADER_LINES]]
            at = next((at for at, header in enumerate(headers) if holds(header)), None)
            if at is not None:
                found.append(_Sheet(name, headers[at], rows[at + 1 :]))
            elif rows:
                filled.append(_Sheet(name, headers[0], rows[1:]))
            if purpose.raw and found:
                break
    except (CalamineError, OSError) as error:
        raise broken_file(path, error) from error
    if not found and not filled:
        raise InputError.single(
            "input-no-header", f"no sheet of {path.name} holds anything", where=str(path), fix="check the export"
        )
    return found or filled[:1]


def _cell(value: Any) -> str | None:
    """A cell as text: whole numbers without a decimal point, blanks as missing."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text or None
