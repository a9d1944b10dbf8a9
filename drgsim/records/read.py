"""Open a case-mix file (CSV, Parquet, XLSX, HTML or JSON) and hand it out in batches of canonical columns.

Memory does not grow with the file: CSV and Parquet are read batch by batch, JSON record by record. An XLSX sheet has at
most 1,048,576 rows and is read whole.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text
from drgsim.records.arrow import one_chunk
from drgsim.records.birth_weights import all_in_kilograms, has_low_weights, with_unit
from drgsim.records.case_file import CaseFile
from drgsim.records.database_address import AdbcAddress, DatabaseAddress, address_of, is_database
from drgsim.records.file_kind import FileKind, head_of, kind_of
from drgsim.records.header import HEADER_LINES
from drgsim.records.input_options import GROUPING, RAW, InputOptions, Purpose
from drgsim.records.layout import LayoutReading
from drgsim.records.recipes import AS_IS, derive
from drgsim.records.recognise import recognise
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.text_encoding import sniff_encoding
from drgsim.records.unpacked import STANDARD_INPUT, standard_input, unpacked

_TABLES = (".csv", ".tsv", ".txt", ".csv.gz")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".et", ".xlsb", ".ods", ".html", ".htm")
_JSON = (".json", ".jsonl", ".ndjson")
_PACKED = (".zip", ".gz")
_WEIGHT = "birth_weight_g"
READABLE = (*_TABLES, ".parquet", *_SHEETS, *_JSON, *_PACKED)
_BOOKS = (FileKind.WORKBOOK, FileKind.OLD_WORKBOOK, FileKind.PAGE, FileKind.XML_WORKBOOK, FileKind.DAMAGED_ZIP)


def open_source(path: str | Path, options: InputOptions | None = None, purpose: Purpose = GROUPING) -> CaseFile:
    """Open a case-mix file, whatever its name says it is, a folder of JSON files, standard input (``-``) or a table.

    Parameters
    ----------
    path
        CSV, Parquet, XLSX, HTML or JSON file, alone in an archive or packed; a folder is read for its .json and .jsonl files
        in the order of their names. A URL with ``?table=`` names a table of a database.
    options
        Layout and mappings; the layout is recognised by the headers when none is named.
    purpose
        Which columns the caller cannot do without; those that grouping needs by default.

    Raises
    ------
    InputError
        When the file is missing, broken or empty, or lacks a required column.
    UsageError
        When the suffix is none of ``READABLE`` and the content tells nothing.
    """
    options = (options or InputOptions()).for_file(str(path))
    source = _open(path, options, purpose)
    source.kept = options.kept[0] if options.kept else None
    return source


def _open(path: str | Path, options: InputOptions, purpose: Purpose) -> CaseFile:
    if isinstance(path, str) and is_database(path):
        return _open_table(address_of(path), options, purpose)
    path = Path(path)
    if path.is_dir():
        from drgsim.records.read_json import JsonSource, json_files

        if json_files(path):
            return JsonSource(path, options)
        what = text("{path} is a folder without JSON files", path=path)
        raise InputError.single("input-not-found", what, where=str(path), fix=text("name the files themselves"))
    spooled = standard_input() if str(path) == STANDARD_INPUT else None
    path = Path(spooled.path.name) if spooled else path
    content = spooled.path if spooled else path
    if not content.is_file():
        raise InputError.single(
            "input-not-found", text("there is no file {path}", path=path), where=str(path), fix=text("check the path")
        )
    if content.stat().st_size == 0:
        raise InputError.single(
            "input-empty-file", text("{file} is empty", file=path.name), where=str(path), fix=text("check the export")
        )
    inner = unpacked(content)
    source = _opened(path, inner.path if inner else content, options, purpose)
    source.held = (spooled, inner)
    return source


def _open_table(address: DatabaseAddress | AdbcAddress, options: InputOptions, purpose: Purpose) -> CaseFile:
    if isinstance(address, AdbcAddress):
        from drgsim.records.read_adbc import AdbcSource

        return AdbcSource(address, options, purpose)
    from drgsim.records.read_database import DatabaseSource

    return DatabaseSource(address, options, purpose)


def _opened(path: Path, content: Path, options: InputOptions, purpose: Purpose) -> CaseFile:
    """The reader for what ``content`` is; ``path`` is what messages call it."""
    name, kind = content.name.lower(), kind_of(content)
    if kind is FileKind.PARQUET or name.endswith(".parquet"):
        from drgsim.records.read_parquet import ParquetSource

        return ParquetSource(path, options, purpose, content)
    if kind in _BOOKS or (name.endswith(_SHEETS) and not _is_table(content)):
        from drgsim.records.read_sheet import SheetSource

        return SheetSource(path, options, purpose, content)
    if name.endswith(_JSON) or (kind is FileKind.JSON and not name.endswith(_TABLES)):
        from drgsim.records.read_json import JsonSource

        return JsonSource(path, options, content)
    if name.endswith((*_TABLES, *_SHEETS, *_PACKED)) or content != path:
        from drgsim.records.read_csv import CsvSource

        return CsvSource(path, options, purpose, content)
    raise UsageError.single(
        "input-unknown-suffix",
        text("{file}: cannot tell the file's format", file=path.name),
        where=str(path),
        fix=text("name it with one of {readable}", readable=", ".join(READABLE)),
    )


def _is_table(path: Path) -> bool:
    """Whether a text that is named like a workbook is a table: one of its first lines has several cells."""
    head = head_of(path)
    lines = head.decode(sniff_encoding(head), errors="replace").splitlines()[:HEADER_LINES]
    return any(sign in line for line in lines for sign in ",\t;")


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
        fix = text("give every line as many cells as the header")
        what = text("the line does not fit the header")
        raise InputError(
            [
                Problem("input-broken-line", what, where=text("{path}, line {line}", path=path, line=line), fix=fix)
                for line in broken
            ]
        )
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
    if _WEIGHT in arrays:
        weights = one_chunk(pa.table(arrays), _WEIGHT)
        if has_low_weights(weights) and all_in_kilograms([weights]):
            arrays[_WEIGHT] = with_unit(weights)
    return pa.table(arrays), noted
