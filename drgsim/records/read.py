"""Open a case-mix file (CSV, Parquet, XLSX or JSON) and hand it out in batches of canonical columns.

Memory does not grow with the file: CSV and Parquet are read batch by batch, JSON record by record. An XLSX sheet has at
most 1,048,576 rows and is read whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from drgsim.errors import InputError, Problem, UsageError
from drgsim.records.input_options import GROUPING, RAW, InputOptions, Purpose
from drgsim.records.layout import LayoutReading
from drgsim.records.recipes import AS_IS, derive
from drgsim.records.recognise import recognise

BATCH_ROWS = 1 << 16
_TABLES = (".csv", ".tsv", ".txt", ".csv.gz")
_SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_JSON = (".json", ".jsonl", ".ndjson")
READABLE = (*_TABLES, ".parquet", *_SHEETS, *_JSON)
BROKEN_LINE = "__broken_line"  # marks records made from a line whose cells do not fit the header


class CaseFile(ABC):
    """A case-mix file that is open for reading.

    Attributes
    ----------
    path
        The file.
    names
        Its column names, in order.
    reading
        The layout that was recognised and how canonical columns are made of the file's own.
    canonical
        Canonical name -> the file's own name (of several the first), for the columns that drgsim knows.
    noted
        What was left out on the way, such as diagnoses of Chinese medicine, with exact counts.
    rows
        Number of records, where it is known before reading.
    done
        Share of the file that has been read, 0 to 1.
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        options: InputOptions,
        reading: LayoutReading | None = None,
        purpose: Purpose = GROUPING,
    ) -> None:
        self.path = path
        self.names = list(names)
        self.reading = reading or recognise(self.names, str(path.name), options, purpose)
        self.canonical = {name: recipe.columns[0] for name, recipe in self.reading.recipes.items()}
        self.noted: Counter[str] = Counter()
        self.rows: int | None = None
        self.done = 0.0

    def batches(self, wanted: Iterable[str], *, keep: bool | Iterable[str] = False) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted canonical columns that the file has.

        With ``keep``, all columns of the file (or the named ones) come along under their own names, after the canonical
        ones, with a leading ``=``.
        """
        recipes = {name: self.reading.recipes[name] for name in wanted if name in self.reading.recipes}
        kept = self.names if keep is True else list(keep or ())
        needed = [own for recipe in recipes.values() for own in recipe.needs]
        self.noted.clear()  # a file that is read twice notes everything once
        total = 0
        for batch in self._read(list(dict.fromkeys([*needed, *kept]))):
            arrays = {
                name: batch.column(recipe.columns[0]) if recipe.how == AS_IS else derive(recipe, batch, self.noted)
                for name, recipe in recipes.items()
            }
            arrays |= {f"={name}": batch.column(name) for name in kept}
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


def open_source(path: str | Path, options: InputOptions | None = None, purpose: Purpose = GROUPING) -> CaseFile:
    """Open a case-mix file by its suffix, or a folder of JSON files.

    Parameters
    ----------
    path
        CSV, Parquet, XLSX or JSON file; a folder is read for its .json and .jsonl files in the order of their names.
    options
        Layout and mappings; the layout is recognised by the headers when none is named.
    purpose
        Which columns the caller cannot do without; those that grouping needs by default.

    Raises
    ------
    InputError
        When the file is missing, broken or empty, or lacks a required column.
    UsageError
        When the suffix is none of ``READABLE``.
    """
    path, options = Path(path), options or InputOptions()
    if path.is_dir():
        from drgsim.records.read_json import JsonSource, json_files

        if json_files(path):
            return JsonSource(path, options)
        what = f"{path} is a folder without JSON files"
        raise InputError.single("input-not-found", what, where=str(path), fix="name the files themselves")
    if not path.is_file():
        raise InputError.single("input-not-found", f"there is no file {path}", where=str(path), fix="check the path")
    name = path.name.lower()
    if path.stat().st_size == 0:
        raise InputError.single("input-empty-file", f"{path.name} is empty", where=str(path), fix="check the export")
    if name.endswith(".parquet"):
        return ParquetSource(path, options, purpose)
    if name.endswith(_SHEETS):
        from drgsim.records.read_sheet import SheetSource

        return SheetSource(path, options, purpose)
    if name.endswith(_TABLES):
        from drgsim.records.read_csv import CsvSource

        return CsvSource(path, options, purpose)
    if name.endswith(_JSON):
        from drgsim.records.read_json import JsonSource

        return JsonSource(path, options)
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


# -- Parquet --------------------
class ParquetSource(CaseFile):
    """A Parquet file, read row group by row group."""

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING) -> None:
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise broken_file(path, error) from error
        super().__init__(path, self._file.schema_arrow.names, options, purpose=purpose)
        self.rows = self._file.metadata.num_rows

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        read = 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=list(names)):
                read += batch.num_rows
                self.done = read / (self.rows or 1)
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise broken_file(self.path, error) from error


def broken_file(path: Path, error: Exception) -> InputError:
    """The error for a file that a library cannot read."""
    if isinstance(error, InputError):
        return error
    problem = Problem(
        "input-broken-file",
        f"{path.name} cannot be read: {' '.join(str(error).split())}",
        where=str(path),
        fix="open it in the program that wrote it and export it again",
    )
    return InputError([problem])


def read_table(path: str | Path) -> pa.Table:
    """Read a table beside the cases, such as hospitals or weights, with all its columns under their own names.

    Cells of CSV files and workbooks stay texts, so that codes keep their zeros.

    Raises
    ------
    InputError
        The file is missing, empty or broken, or a line does not fit the header; all such lines.
    """
    source = open_source(path, purpose=RAW)
    batches = list(source.batches((), keep=True))
    lines = [line for batch in batches if BROKEN_LINE in batch.schema.names for line in batch.column(BROKEN_LINE).to_pylist()]
    broken = [line for line in lines if line is not None]
    if broken:
        fix = "give every line as many cells as the header"
        what = "the line does not fit the header"
        raise InputError([Problem("input-broken-line", what, where=f"{path}, line {line}", fix=fix) for line in broken])
    table = pa.Table.from_batches(batches)
    return table.rename_columns([name.removeprefix("=") for name in table.column_names])


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """Rows of a small table beside the cases, as stripped texts by column; blank where a cell is empty.

    Raises
    ------
    InputError
        As :func:`read_table`.
    """
    table = read_table(path)
    texts = {name.strip(): table.column(name).cast(pa.string()).to_pylist() for name in table.column_names}
    columns = [[(text or "").strip() for text in column] for column in texts.values()]
    return [dict(zip(texts, row, strict=True)) for row in zip(*columns, strict=True)]


def to_canonical(table: pa.Table, where: str = "the table", options: InputOptions | None = None) -> pa.Table:
    """A table with its known columns under their canonical names, the others left out."""
    reading = recognise(table.schema.names, where, options)
    noted: Counter[str] = Counter()
    return pa.table(
        {
            name: table.column(recipe.columns[0]) if recipe.how == AS_IS else derive(recipe, table, noted)
            for name, recipe in reading.recipes.items()
        }
    )
