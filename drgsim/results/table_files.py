"""Write result tables: CSV, Parquet or XLSX by suffix, whole or not at all.

A writer fills a file beside the target and renames it when everything has been written, so that a reader never sees
half a result and a
failed run leaves what was there before.
"""

from __future__ import annotations

import contextlib
import io
import os
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.errors import DrgsimError, OutputError, Problem, UsageError
from drgsim.records.arrow import as_cells

WRITABLE = (".csv", ".parquet", ".xlsx")
XLSX_ROWS = 1_048_575  # records that fit a sheet below its header
XLSX_TEXT = 32_767  # characters that fit a cell
ROW_GROUP = 1 << 19
_EPOCH = datetime(2000, 1, 1)  # the same input gives the same bytes, so no clock goes into a workbook


class TableWriter(ABC):
    """Writes batches to one file; use it as a context manager. Leaving it by an exception discards the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.beside = path.with_name(f".{path.name}.{os.getpid()}.part")

    @abstractmethod
    def encode(self, batch: pa.RecordBatch) -> object:
        """The part of the work that may run in any thread."""

    @abstractmethod
    def write(self, encoded: object) -> None:
        """Write an encoded batch; batches come in the order of the file."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.close()
                self.beside.replace(self.path)
            else:
                with contextlib.suppress(Exception):  # the file is discarded, and the first error is the one to tell
                    self.close()
        finally:
            self.beside.unlink(missing_ok=True)


def open_writer(path: str | Path, schema: pa.Schema) -> TableWriter:
    """Open a writer by the suffix of the path.

    Raises
    ------
    UsageError
        For a suffix that cannot be written.
    OutputError
        When the folder does not exist or cannot be written to.
    """
    path = Path(path)
    check_writable(path)
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            return CsvWriter(path, schema)
        return ParquetWriter(path, schema) if suffix == ".parquet" else SheetWriter(path, schema)
    except OSError as error:
        raise OutputError.single(
            "output-not-writable", f"{path} cannot be written: {error.strerror}", where=str(path)
        ) from error


def check_writable(path: Path, most_rows: int | None = None) -> None:
    """Refuse a target that cannot work before any time is spent on it."""
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise UsageError(
            [
                Problem(
                    "output-unknown-suffix",
                    f"{path.name}: cannot tell the format to write",
                    where=str(path),
                    fix=f"name it with one of {', '.join(WRITABLE)}",
                )
            ]
        )
    if path.is_dir():
        raise OutputError.single("output-is-folder", f"{path} is a folder", where=str(path), fix="name a file")
    if not path.parent.is_dir():
        raise OutputError.single(
            "output-no-folder", f"the folder {path.parent} does not exist", where=str(path), fix="make the folder first"
        )
    if suffix == ".xlsx" and most_rows is not None and most_rows > XLSX_ROWS:
        raise _too_many_rows(path)


def _too_many_rows(path: Path) -> DrgsimError:
    return OutputError.single(
        "output-too-many-rows", f"a sheet holds at most {XLSX_ROWS:,} records", where=str(path), fix="write .parquet or .csv"
    )


class ParquetWriter(TableWriter):
    """Parquet with zstd; texts are plain strings to every reader, dictionary-encoded inside.

    Batches are gathered into row groups of ``ROW_GROUP`` records: small row groups repeat their dictionaries and read slowly.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        super().__init__(path)
        self._writer = pq.ParquetWriter(
            self.beside,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if name != "discharge_id"],  # ids are all different
            write_statistics=False,  # groups are spread over the whole file: minima and maxima would help nobody
            store_schema=False,  # a dictionary array here is a plain string column to whoever reads the file
        )
        self._gathered: list[pa.RecordBatch] = []
        self._rows = 0

    def encode(self, batch: pa.RecordBatch) -> object:
        return batch

    def write(self, encoded: object) -> None:
        batch: pa.RecordBatch = encoded
        self._gathered.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._gathered:
            self._writer.write_table(pa.Table.from_batches(self._gathered).unify_dictionaries(), row_group_size=ROW_GROUP * 2)
        self._gathered, self._rows = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


class CsvWriter(TableWriter):
    """UTF-8 CSV with a byte-order mark, which spreadsheets need to read Chinese; cells are quoted where they must be."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path)
        self._file = self.beside.open("wb")
        names = (f'"{name.replace(chr(34), chr(34) * 2)}"' if set(name) & set(',"\n') else name for name in schema.names)
        self._file.write(("\ufeff" + ",".join(names) + "\n").encode())

    def encode(self, batch: pa.RecordBatch) -> object:
        from pyarrow import csv as pacsv

        sink = pa.BufferOutputStream()
        pacsv.write_csv(as_cells(batch), sink, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
        return sink.getvalue()

    def write(self, encoded: object) -> None:
        self._file.write(encoded)  # type: ignore[arg-type]

    def close(self) -> None:
        self._file.close()


class SheetWriter(TableWriter):
    """One sheet with a frozen header row and a filter; rows go to disk as they come."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import xlsxwriter

        super().__init__(path)
        self.beside.touch()
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._bytes = io.BytesIO()  # compressed, so small; a full disk is then an error of one plain write
        self._book = xlsxwriter.Workbook(self._bytes, options)
        self._book.set_properties({"created": _EPOCH})
        self._sheet = self._book.add_worksheet("drgsim")
        self._sheet.freeze_panes(1, 1)
        bold = self._book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        for place, name in enumerate(schema.names):
            self._sheet.set_column(place, place, 42 if name in ("drg_name", "diagnoses", "procedures", "warnings") else 16)
            self._sheet.write_string(0, place, name, bold)
        self._columns = len(schema.names)
        self._rows = 0

    def encode(self, batch: pa.RecordBatch) -> object:
        cells = as_cells(batch, dates_as_text=True)
        self._refuse_long_texts(cells)
        return [column.to_pylist() for column in cells.columns]

    def _refuse_long_texts(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_string(column.type) and len(column) and (pc.max(pc.utf8_length(column)).as_py() or 0) > XLSX_TEXT:
                raise OutputError.single(
                    "output-too-long-text",
                    f"a cell of a sheet holds at most {XLSX_TEXT:,} characters, and one of {name} has more",
                    where=str(self.path),
                    fix="write .parquet or .csv",
                )

    def write(self, encoded: object) -> None:
        columns: list[list[object]] = encoded  # type: ignore[assignment]
        if self._rows + len(columns[0]) > XLSX_ROWS:
            raise _too_many_rows(self.path)
        for row in zip(*columns, strict=True):
            self._rows += 1
            for place, value in enumerate(row):
                if value is not None:
                    self._sheet.write(self._rows, place, value)

    def close(self) -> None:
        if self._rows:
            self._sheet.autofilter(0, 0, self._rows, self._columns - 1)
        self._book.close()
        self.beside.write_bytes(self._bytes.getvalue())
