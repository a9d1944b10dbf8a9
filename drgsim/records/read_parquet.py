"""Parquet files, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from drgsim.records.case_file import BATCH_ROWS, CaseFile, broken_file
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.parquet_sizes import batch_rows, check_growth
from drgsim.records.plain_types import plain_columns, refuse_twice


class ParquetSource(CaseFile):
    """A Parquet file."""

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING, content: Path | None = None) -> None:
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(content or path)
        except (pa.ArrowException, OSError) as error:
            raise broken_file(path, error) from error
        refuse_twice(self._file.schema_arrow.names, str(path))
        super().__init__(path, self._file.schema_arrow.names, options, purpose=purpose)
        self._content = content or path
        self.rows = self._file.metadata.num_rows

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        read = size = 0
        try:
            rows = batch_rows(self._file, self._content, names, BATCH_ROWS, self.path)
            for batch in self._file.iter_batches(batch_size=rows, columns=list(names)):
                read += batch.num_rows
                self.done = read / (self.rows or 1)
                plain = plain_columns(batch)
                size += plain.nbytes
                check_growth(size, self._content, self.path)
                yield plain
        except (pa.ArrowException, OSError) as error:
            raise broken_file(self.path, error) from error
