"""Open a case-mix file (CSV, Parquet or XLSX) and hand it out in batches of canonical columns.

Memory does not grow with the file: CSV and Parquet are read batch by batch. An XLSX sheet has at most 1,048,576 rows
and is read whole.
"""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import InputError, Problem, UsageError, did_you_mean
from drgsim.records.batch import BLANK
from drgsim.records.schema import columns, header_key, header_names

BATCH_ROWS = 1 << 16
READABLE = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".xlsx", ".xls", ".xlsb", ".ods")
BROKEN_LINE = "__broken_line"  # marks records made from a line whose cells do not fit the header
_CSV_BLOCK = 1 << 23
_SNIFFED = 1 << 20
_MOST_BROKEN_LINES = 100_000


class Source(ABC):
    """A case-mix file that is open for reading.

    Attributes
    ----------
    path
        The file.
    names
        Its column names, in order.
    canonical
        Canonical name -> the file's own name, for the columns that drgsim knows.
    rows
        Number of records, where it is known before reading.
    done
        Share of the file that has been read, 0 to 1.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self.names = list(names)
        self.canonical = match_columns(self.names, str(path.name))
        self.rows: int | None = None
        self.done = 0.0

    def batches(self, wanted: Iterable[str], *, keep: bool | Iterable[str] = False) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted canonical columns that the file has.

        With ``keep``, all columns of the file (or the named ones) come along under their own names, after the canonical
        ones, with a leading ``=``.
        """
        chosen = [(name, self.canonical[name]) for name in wanted if name in self.canonical]
        own_names = self.names if keep is True else list(keep or ())
        kept = [(f"={name}", name) for name in own_names]
        total = 0
        for batch in self._read(list(dict.fromkeys(own for _, own in (*chosen, *kept)))):
            arrays = {name: batch.column(own) for name, own in (*chosen, *kept)}
            if BROKEN_LINE in batch.schema.names:
                arrays[BROKEN_LINE] = batch.column(BROKEN_LINE)
            total += batch.num_rows
            if batch.num_rows:
                yield pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
        if total == 0:
            raise InputError.single(
                "input-no-rows",
                f"{self.path.name} has a header and no records",
                where=str(self.path),
                fix="check the export: there is nothing to group",
            )
        self.done = 1.0

    @abstractmethod
    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches with the file's own columns of these names."""


def open_source(path: str | Path) -> Source:
    """Open a case-mix file by its suffix.

    Raises
    ------
    InputError
        When the file is missing, broken or empty, or lacks a required column.
    UsageError
        When the suffix is none of ``READABLE``.
    """
    path = Path(path)
    if not path.is_file():
        what = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
        raise InputError.single("input-not-found", what, where=str(path), fix="check the path")
    name = path.name.lower()
    if path.stat().st_size == 0:
        raise InputError.single("input-empty-file", f"{path.name} is empty", where=str(path), fix="check the export")
    if name.endswith(".parquet"):
        return ParquetSource(path)
    if name.endswith((".xlsx", ".xls", ".xlsb", ".ods")):
        return SheetSource(path)
    if name.endswith((".csv", ".tsv", ".txt", ".csv.gz")):
        return CsvSource(path)
    raise UsageError(
        [
            Problem(
                "input-unknown-suffix",
                f"{path.name}: cannot tell the file's format",
                where=str(path),
                fix=f"name it with one of {', '.join(READABLE)}",
            )
        ]
    )


def match_columns(names: Sequence[str], where: str) -> dict[str, str]:
    """Canonical name -> the name in ``names``, by canonical names and aliases.

    Raises
    ------
    InputError
        When a required column is missing or two columns claim the same canonical name; all problems at once.
    """
    known = header_names()
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:
        canonical = known.get(header_key(name))
        if canonical is None:
            continue
        if canonical in found:
            exact = [own for own in (found[canonical], name) if own == canonical]
            if len(exact) == 1:  # a file that has the canonical name means it
                found[canonical] = canonical
                continue
            what = f"the columns {found[canonical]!r} and {name!r} both mean {canonical}"
            problems.append(
                Problem("input-ambiguous-column", what, where=f"{where}, line 1", fix="rename or remove one of the two")
            )
        else:
            found[canonical] = name
    for column in columns().values():
        if column.required and column.name not in found:
            near = did_you_mean(column.name, names, prefix="is it ")
            accepted = ", ".join((column.name, *column.aliases))
            problems.append(
                Problem(
                    "input-missing-column",
                    f"the file has no column {column.name} ({column.title_zh})",
                    where=f"{where}, line 1",
                    why="grouping without it would give wrong groups in silence",
                    fix=f"{near} rename it; names that are understood: {accepted}".strip(),
                )
            )
    if problems:
        raise InputError(problems)
    return found


# -- Parquet --------------------
class ParquetSource(Source):
    """A Parquet file, read row group by row group."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, error) from error
        super().__init__(path, self._file.schema_arrow.names)
        self.rows = self._file.metadata.num_rows

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        read = 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=list(names)):
                read += batch.num_rows
                self.done = read / (self.rows or 1)
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise _broken(self.path, error) from error


# -- CSV --------------------
class CsvSource(Source):
    """A CSV file in UTF-8 (with or without a byte-order mark), GB18030 or UTF-16; every cell is read as text."""

    def __init__(self, path: Path) -> None:
        with pa.input_stream(str(path), compression="detect") as stream:
            head = stream.read(_SNIFFED)
        self._encoding = sniff_encoding(head)
        text = head.decode(self._encoding, errors="replace")
        first = next((line for line in text.splitlines() if line.strip()), "")
        self._delimiter = max(",\t;", key=first.count)
        names = next(csv.reader(io.StringIO(text), delimiter=self._delimiter), [])
        if not any(names):
            raise InputError.single(
                "input-no-header",
                f"line 1 of {path.name} is blank",
                where=f"{path}, line 1",
                fix="put the column names into the first line",
            )
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError.single(
                "input-duplicate-column",
                f"the header names {', '.join(map(repr, twice))} twice",
                where=f"{path}, line 1",
                fix="give every column its own name",
            )
        super().__init__(path, names)
        self._broken: list[tuple[int | None, str]] = []

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        from pyarrow import csv as pacsv

        self._broken.clear()  # a file may be read more than once
        # UTF-16 has to be recoded to be split into lines; GB18030 and UTF-8 split at the same bytes and are decoded
        # cell by cell
        wide = self._encoding.startswith("utf-16")
        kind = pa.string() if wide else pa.binary()
        options = {
            "read_options": pacsv.ReadOptions(
                block_size=_CSV_BLOCK,
                skip_rows=1,
                column_names=self.names,
                encoding=self._encoding if wide else "utf8",
                use_threads=False,
            ),
            "parse_options": pacsv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._keep_broken_line
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.names, kind),
                include_columns=list(names),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=list(BLANK),
            ),
        }
        size = self.path.stat().st_size
        plain = not self.path.name.lower().endswith(".gz")
        raw = pa.OSFile(str(self.path))
        stream = raw if plain else pa.CompressedInputStream(raw, "gzip")
        try:
            with raw, pacsv.open_csv(stream, **options) as reader:
                for batch in reader:
                    self.done = min(raw.tell() / size, 1.0)
                    yield from _sliced(self._decoded(batch))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _broken(self.path, error) from error
        if self._broken:
            yield self._broken_batch(names)

    def _decoded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [self._decode(column, name) for column, name in zip(batch.columns, batch.schema.names, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, batch.schema.names)

    def _decode(self, column: pa.Array, name: str) -> pa.Array:
        if not pa.types.is_binary(column.type):
            return column
        if self._encoding != "gb18030":
            try:
                return column.cast(pa.string())
            except pa.ArrowInvalid:
                self._encoding = "gb18030"  # the part that was sniffed was plain ASCII, which both encodings share
        try:
            return pa.array([cell if cell is None else cell.decode("gb18030") for cell in column.to_pylist()], pa.string())
        except UnicodeDecodeError as error:
            raise InputError.single(
                "input-unknown-encoding",
                f"{self.path.name} is neither UTF-8 nor GB18030: column {name} holds {error.object!r}",
                where=str(self.path),
                fix="save the file as UTF-8",
            ) from error

    def _keep_broken_line(self, row: Any) -> str:
        self._broken.append((row.number, row.text))
        if len(self._broken) > _MOST_BROKEN_LINES:
            raise InputError.single(
                "input-broken-lines",
                f"more than {_MOST_BROKEN_LINES:,} lines have another number of cells than the header",
                where=f"{self.path}, line {row.number}",
                why=f"the header has {row.expected_columns} cells, this line {row.actual_columns}",
                fix="quote cells that hold the separator",
            )
        return "skip"

    def _broken_batch(self, names: Sequence[str]) -> pa.RecordBatch:
        """Lines that do not fit the header, as records of which only the id is believed."""
        own_id = self.canonical["discharge_id"]
        place = self.names.index(own_id)
        ids = []
        for _, text in self._broken:
            cells = next(csv.reader([text], delimiter=self._delimiter), [])
            ids.append(cells[place] if len(cells) > place else None)
        arrays = [pa.array(ids if name == own_id else [None] * len(ids), pa.string()) for name in names]
        numbers = pa.array([number for number, _ in self._broken], pa.int64())
        return pa.RecordBatch.from_arrays([*arrays, numbers], [*names, BROKEN_LINE])


def sniff_encoding(head: bytes) -> str:
    """Encoding of a file by its first bytes: a byte-order mark, else UTF-8 if it reads so, else GB18030.

    Examples
    --------
    >>> sniff_encoding("性别".encode()), sniff_encoding("性别".encode("gb18030")), sniff_encoding("性别".encode("utf-16"))
    ('utf8', 'gb18030', 'utf-16')
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for cut in range(4):  # the head may end inside a character
        try:
            head[: len(head) - cut].decode("utf8")
            return "utf8"
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:
                return "gb18030"
    return "gb18030"


def _sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


# -- sheets --------------------
class SheetSource(Source):
    """The first sheet of a workbook with records in it."""

    def __init__(self, path: Path) -> None:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            book = CalamineWorkbook.from_path(str(path))
            sheets = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
            rows = next((sheet for sheet in sheets if sheet), [])
        except (CalamineError, OSError) as error:
            raise _broken(path, error) from error
        if not rows:
            raise InputError.single(
                "input-no-header", f"no sheet of {path.name} holds anything", where=str(path), fix="check the export"
            )
        super().__init__(path, [str(cell) for cell in rows[0]])
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
    return None if text in BLANK else text


def _broken(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    problem = Problem(
        "input-broken-file",
        f"{path.name} cannot be read: {' '.join(str(error).split())}",
        where=str(path),
        fix="open it in the program that wrote it and export it again",
    )
    return InputError([problem])


def to_canonical(table: pa.Table, where: str = "the table") -> pa.Table:
    """A table with its known columns under their canonical names, the others left out."""
    found = match_columns(table.schema.names, where)
    return pa.table({name: table.column(own) for name, own in found.items()})
