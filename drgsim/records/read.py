"""Open a case-mix file (CSV, Parquet, XLSX or JSON) and hand it out in batches of canonical columns.

Memory does not grow with the file: CSV and Parquet are read batch by batch, JSON record by record. An XLSX sheet has at
most 1,048,576 rows and is read whole.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from drgsim.errors import InputError, Problem, UsageError
from drgsim.records.case_file import BROKEN_LINE, CaseFile
from drgsim.records.input_options import GROUPING, RAW, InputOptions, Purpose
from drgsim.records.layout import LayoutReading
from drgsim.records.recipes import AS_IS, derive
from drgsim.records.recognise import recognise

_TABLES = (".csv", ".tsv", ".txt", ".csv.gz")
_SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_JSON = (".json", ".jsonl", ".ndjson")
READABLE = (*_TABLES, ".parquet", *_SHEETS, *_JSON)


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
        from drgsim.records.read_parquet import ParquetSource

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
    raise UsageError.single(
        "input-unknown-suffix",
        f"{path.name}: cannot tell the file's format",
        where=str(path),
        fix=f"name it with one of {', '.join(READABLE)}",
    )


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
    return canonical_table(table, recognise(table.schema.names, where, options))[0]


def canonical_table(table: pa.Table, reading: LayoutReading) -> tuple[pa.Table, Counter[str]]:
    """The canonical columns of a table as its layout was read, and what was left out in making them."""
    noted: Counter[str] = Counter()
    arrays = {
        name: table.column(recipe.columns[0]) if recipe.how == AS_IS else derive(recipe, table, noted)
        for name, recipe in reading.recipes.items()
    }
    return pa.table(arrays), noted
