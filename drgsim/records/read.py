"""Open a case-mix file (CSV, Parquet or XLSX) and hand it out in batches of canonical columns.

Memory does not grow with the file: CSV and Parquet are read batch by batch. An XLSX sheet has at most 1,048,576 rows
and is read whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import InputError, Problem, UsageError, did_you_mean
from drgsim.records.schema import columns, header_key, header_names

BATCH_ROWS = 1 << 16
READABLE = (".csv", ".tsv", ".txt", ".csv.gz", ".parquet", ".xlsx", ".xls", ".xlsb", ".ods")
BROKEN_LINE = "__broken_line"  # marks records made from a line whose cells do not fit the header


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
        self.noted: Counter[str] = Counter()
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
        from drgsim.records.read_csv import CsvSource

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
            raise broken_file(path, error) from error
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
            raise broken_file(self.path, error) from error


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
            raise broken_file(path, error) from error
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
    return text or None


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


def to_canonical(table: pa.Table, where: str = "the table") -> pa.Table:
    """A table with its known columns under their canonical names, the others left out."""
    found = match_columns(table.schema.names, where)
    return pa.table({name: table.column(own) for name, own in found.items()})
