"""Read discharges from a workbook (XLSX, XLS, XLSB, ODS)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import InputError
from drgsim.records.options import GROUPING, InputOptions, Purpose
from drgsim.records.read import BATCH_ROWS, Source, broken_file


class SheetSource(Source):
    """The first sheet of a workbook with records in it."""

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING) -> None:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            book = CalamineWorkbook.from_path(str(path))
            sheets = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
            rows = next((sheet for sheet in sheets if sheet), [])
        except (CalamineError, OSError) as error:
            raise broken_file(path, error) from error
        if not rows:
            raise InputError.single(
                "input-no-header", f"no sheet of {path.name} holds anything", where=str(path), fix="check the export"
            )
        super().__init__(path, [str(cell) for cell in rows[0]], options, purpose=purpose)
        self._records = rows[1:]
        self.rows = len(self._records)

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        places = [self.names.index(name) for name in names]
        for start in range(0, len(self._records), BATCH_ROWS):
            part = self._records[start : start + BATCH_ROWS]
            self.done = (start + len(part)) / len(self._records)
            arrays = [pa.array([_cell(row[place]) for row in part], pa.string()) for place in places]
            yield pa.RecordBatch.from_arrays(arrays, list(names))


def _cell(value: Any) -> str | None:
    """A cell as text: whole numbers without a decimal point, blanks as missing."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text or None
