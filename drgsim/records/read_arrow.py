"""A table in memory read as if it were a case-mix file, so that whatever takes files takes tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from drgsim.records.case_file import BATCH_ROWS, CaseFile
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.layout import LayoutReading
from drgsim.records.schema import BROKEN_LINE

NAME = "the table"  # what messages call it


class ArrowSource(CaseFile):
    """An Arrow table; with a ``reading``, its columns are taken for what that says."""

    side_rows = False

    def __init__(
        self, table: pa.Table, options: InputOptions, purpose: Purpose = GROUPING, reading: LayoutReading | None = None
    ) -> None:
        self.table = table
        super().__init__(Path(NAME), table.column_names, options, reading, purpose)
        self.rows = table.num_rows

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        marks = [BROKEN_LINE] if BROKEN_LINE in self.table.column_names else []
        read = 0
        for batch in self.table.select(list(dict.fromkeys([*names, *marks]))).to_batches(max_chunksize=BATCH_ROWS):
            read += batch.num_rows
            self.done = read / (self.rows or 1)
            yield batch
