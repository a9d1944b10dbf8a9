"""Tables as files: CSV, Parquet or XLSX by suffix, batch by batch, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.errors import OutputError, Problem, UsageError
from drgsim.language import text
from drgsim.leftovers import scratch_folder
from drgsim.records.arrow import as_cells, with_unique_dictionaries
from drgsim.records.database_address import address_of, is_database
from drgsim.records.schema import columns, header_key, header_names
from drgsim.results.database_table import DatabaseWriter, open_database_writer
from drgsim.results.raw_cells import cells_are_raw
from drgsim.results.result_titles import table_title
from drgsim.results.safe_cells import safe_text, safe_texts
from drgsim.results.whole_outputs import whole_file
from drgsim.results.workbook import XLSX_ROWS, XLSX_TEXT, Workbook, too_many_rows
from drgsim.results.workbook_about import About

WRITABLE = (".csv", ".parquet", ".xlsx")
ROW_GROUP = 1 << 19
BATCH = 65_536


class TableWriter(ABC):
    """Writes batches to one file."""

    def __init__(self, path: Path, beside: Path) -> None:
        self.path = path
        self.beside = beside

    @abstractmethod
    def encode(self, batch: pa.RecordBatch) -> object:
        """The part of the work that may run in any thread."""

    @abstractmethod
    def write(self, encoded: object) -> None:
        """Write an encoded batch; batches come in the order of the file."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


AnyWriter = TableWriter | DatabaseWriter
STANDARD_OUTPUT = "-"


def is_stream_or_table(output: str | Path) -> bool:
    """Whether a table goes to standard output or into a database, where nothing can stand beside it."""
    return str(output) == STANDARD_OUTPUT or is_database(output)


def place_of(output: str | Path) -> str | Path:
    """Where a table goes: a file (a link is written through, not replaced), ``-`` or the URL of a table."""
    return str(output) if is_stream_or_table(output) else Path(output).resolve()


def shown_place(place: str | Path | None) -> Path | None:
    """The name that messages and records call a place by."""
    if isinstance(place, str) and is_database(place):
        return address_of(place).path
    return Path("standard output") if place == STANDARD_OUTPUT else None if place is None else Path(place)


@contextmanager
def _to_standard_output(schema: pa.Schema) -> Iterator[TableWriter]:
    """A CSV that goes to standard output when it is whole."""
    with scratch_folder() as folder:
        file = Path(folder, "table.csv")
        with open_writer(file, schema) as writer:
            yield writer  # type: ignore[misc]
        sys.stdout.flush()
        with file.open("rb") as whole:
            shutil.copyfileobj(whole, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()


@contextmanager
def open_writer(
    path: str | Path, schema: pa.Schema, *, replace: bool = True, about: About | None = None
) -> Iterator[AnyWriter]:
    """Open a writer by the suffix of the path; leaving it by an exception discards the file.

    ``-`` is standard output, which gets a CSV; the URL of a database names a table. ``about`` is what the first sheet of a
    workbook says.

    Raises
    ------
    UsageError
        For a suffix that cannot be written.
    OutputError
        When the folder does not exist or cannot be written to, or the file is there and is not to be replaced.
    """
    if isinstance(path, str) and is_database(path):
        with open_database_writer(path, schema.names, replace=replace) as rows:
            yield rows
        return
    if str(path) == STANDARD_OUTPUT:
        with _to_standard_output(schema) as text:
            yield text
        return
    path = Path(path)
    check_writable(path)
    kinds: dict[str, Callable[..., TableWriter]] = {
        ".csv": CsvWriter, ".parquet": ParquetWriter, ".xlsx": partial(SheetWriter, about=about),
    }  # fmt: skip
    with whole_file(path, replace=replace) as beside:
        writer = kinds[path.suffix.lower()](path, beside, schema)
        try:
            yield writer
        except BaseException:
            with contextlib.suppress(Exception):  # the file is discarded, and the first error is the one to tell
                writer.close()
            raise
        writer.close()


def write_table(path: str | Path, table: pa.Table, *, replace: bool = True, about: About | None = None) -> None:
    """Write one table by the suffix of its name; ``about`` as in :func:`open_writer`."""
    with open_writer(path, table.schema, replace=replace, about=about) as writer:
        for batch in table.to_batches(max_chunksize=BATCH):
            writer.write(writer.encode(batch))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A small table as packs and regions hold it, to be read by people and versioned: comma, LF, no byte-order mark.

    Texts stay as they are: packs and regions are read back word for word.

    Examples
    --------
    >>> csv_text(("code", "name"), [("BR23", "a, b")])
    'code,name\\nBR23,"a, b"\\n'
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def check_writable(path: str | Path, most_rows: int | None = None) -> None:
    """Refuse a target that cannot work before any time is spent on it."""
    if str(path) == STANDARD_OUTPUT:
        return
    if isinstance(path, str) and is_database(path):
        address_of(path).check_driver()
        return
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise UsageError(
            [
                Problem(
                    "output-unknown-suffix",
                    text("{file}: cannot tell the format to write", file=path.name),
                    where=str(path),
                    fix=text("name it with one of {writable}", writable=", ".join(WRITABLE)),
                )
            ]
        )
    if path.is_dir():
        raise OutputError.single(
            "output-is-folder", text("{path} is a folder", path=path), where=str(path), fix=text("name a file")
        )
    if not path.parent.is_dir():
        raise OutputError.single(
            "output-no-folder",
            text("the folder {parent} does not exist", parent=path.parent),
            where=str(path),
            fix=text("make the folder first"),
        )
    if suffix == ".xlsx" and most_rows is not None and most_rows > XLSX_ROWS:
        raise too_many_rows(str(path))


class ParquetWriter(TableWriter):
    """Parquet with zstd; texts are plain strings to every reader, dictionary-encoded inside.

    Batches are gathered into row groups of ``ROW_GROUP`` records: small row groups repeat their dictionaries and read slowly.
    """

    def __init__(self, path: Path, beside: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        super().__init__(path, beside)
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
            table = with_unique_dictionaries(pa.Table.from_batches(self._gathered))
            self._writer.write_table(table, row_group_size=ROW_GROUP * 2)
        self._gathered, self._rows = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


class CsvWriter(TableWriter):
    """UTF-8 CSV with a byte-order mark, which spreadsheets need to read Chinese; cells are quoted where they must be.

    Texts that a spreadsheet would run as formulas get a ``'``, see :mod:`drgsim.results.safe_cells`.
    """

    def __init__(self, path: Path, beside: Path, schema: pa.Schema) -> None:
        super().__init__(path, beside)
        self._raw = cells_are_raw()  # asked here: batches are encoded in other threads
        self._file = self.beside.open("wb")
        given = schema.names if self._raw else [safe_text(name) for name in schema.names]
        names = (f'"{name.replace(chr(34), chr(34) * 2)}"' if set(name) & set(',"\r\n') else name for name in given)
        self._file.write(("\ufeff" + ",".join(names) + "\n").encode())

    def encode(self, batch: pa.RecordBatch) -> object:
        from pyarrow import csv as pacsv

        cells = as_cells(batch)
        if not self._raw:
            cells = type(cells).from_arrays([safe_texts(column) for column in cells.columns], cells.schema.names)
        sink = pa.BufferOutputStream()
        pacsv.write_csv(cells, sink, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
        return sink.getvalue()

    def write(self, encoded: object) -> None:
        self._file.write(encoded)  # type: ignore[arg-type]

    def close(self) -> None:
        self._file.close()


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?")
_AMOUNT = re.compile(r"^cost_|[费额]$|费用", re.IGNORECASE)


def _look_of_input(name: str) -> str | None:
    """The look of a column of numbers of an input, which a sheet should be able to add up; codes and ids never are numbers.

    Examples
    --------
    >>> [_look_of_input(name) for name in ("年龄", "total_cost", "西药费", "discharge_id", "主要手术操作编码")]
    ['number', 'yuan', 'yuan', None, None]
    """
    canonical = header_names().get(header_key(name))
    if canonical is None:
        return "yuan" if _AMOUNT.search(name) else None
    unit = columns()[canonical].unit
    return "yuan" if unit == "yuan" else "number" if unit else None


def _as_number(cell: object) -> object:
    """A text that spells a number as that number, everything else as it is."""
    if not isinstance(cell, str) or not _NUMBER.fullmatch(cell):
        return cell
    return float(cell) if "." in cell else int(cell)


class SheetWriter(TableWriter):
    """A workbook of one table, behind a first sheet that says what it is; with raw cells the table alone, under its own names.

    Columns of the input keep their names.
    """

    def __init__(self, path: Path, beside: Path, schema: pa.Schema, about: About | None = None) -> None:
        super().__init__(path, beside)
        looks = {field.name: _look_of_input(field.name) for field in schema if pa.types.is_string(field.type)}
        self._numbers = {name for name, look in looks.items() if look}
        if cells_are_raw():
            self._book = Workbook()
            self._sheet = self._book.sheet("drgsim", schema.names)
            return
        said = about or About(table_title("results"))
        self._book = Workbook(said)
        own = {name: look for name, look in looks.items() if look}
        self._sheet = self._book.table_sheet("results", schema, titles={name: name for name in said.kept}, looks=own)
        self._sheet.raw.activate()

    def encode(self, batch: pa.RecordBatch) -> object:
        cells = as_cells(batch, times_as_text=True)
        self._refuse_long_texts(cells)
        return [
            [_as_number(cell) for cell in column.to_pylist()] if name in self._numbers else column.to_pylist()
            for name, column in zip(cells.schema.names, cells.columns, strict=True)
        ]

    def _refuse_long_texts(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_string(column.type) and len(column) and (pc.max(pc.utf8_length(column)).as_py() or 0) > XLSX_TEXT:
                raise OutputError.single(
                    "output-too-long-text",
                    text(
                        "a cell of a sheet holds at most {xlsx_text:,} characters, and one of {name} has more",
                        xlsx_text=XLSX_TEXT,
                        name=name,
                    ),
                    where=str(self.path),
                    fix=text("write .parquet or .csv"),
                )

    def write(self, encoded: object) -> None:
        columns: list[list[object]] = encoded  # type: ignore[assignment]
        if self._sheet.rows + len(columns[0]) > XLSX_ROWS:
            raise too_many_rows(str(self.path))
        for row in zip(*columns, strict=True):
            self._sheet.add(row)

    def close(self) -> None:
        self.beside.write_bytes(self._book.close())
