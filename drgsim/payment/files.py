"""Files of settling and weighing: read grouped discharges of any shape, write results whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as pacsv

from drgsim.errors import InputError, OutputError, Problem
from drgsim.payment.cases import LEADING, words
from drgsim.records.csv_text import BLOCK, CleanStream, CsvText
from drgsim.records.read import READABLE
from drgsim.records.schema import header_key
from drgsim.records.write import open_writer
from drgsim.schemes.pack import load_scheme

BATCH = 65_536
RUN_FILE = "run.json"


def read_table(path: Path) -> pa.Table:
    """Read a file with all its columns; texts stay texts, so that codes keep their zeros.

    Raises
    ------
    InputError
        The file is missing, empty or broken.
    """
    if not path.is_file():
        raise InputError.single("input-not-found", f"there is no file {path}", where=str(path), fix="check the path")
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            table = pq.read_table(path)
        elif name.endswith((".csv", ".tsv", ".txt")):
            table = _read_csv(path)
        elif name.endswith(".xlsx"):
            table = _read_sheet(path)
        else:
            fix = f"name it with one of {', '.join(READABLE)}"
            raise InputError.single(
                "input-unknown-suffix", f"{path.name}: cannot tell the file's format", where=str(path), fix=fix
            )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = f"{path.name} cannot be read: {' '.join(str(error).split())}"
        raise InputError.single("input-broken-file", what, where=str(path), fix="export it again") from error
    if table.num_rows == 0:
        raise InputError.single("input-no-rows", f"{path.name} holds no records", where=str(path), fix="check the export")
    return table


def _read_csv(path: Path) -> pa.Table:
    """All columns as text; a line that does not fit the header keeps its id and nothing else, so that it is found unpaid."""
    text = CsvText(path, lambda names: True)
    table = pacsv.read_csv(
        pa.PythonFile(CleanStream(text), mode="r"),
        read_options=pacsv.ReadOptions(block_size=BLOCK, column_names=text.names),
        parse_options=pacsv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(text.names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    return table.select(text.own_names)


def _read_sheet(path: Path) -> pa.Table:
    from python_calamine import CalamineWorkbook

    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    header, *body = rows or [[]]
    columns = {
        str(name): pa.array([None if row[place] == "" else _text(row[place]) for row in body], pa.string())
        for place, name in enumerate(header)
    }
    return pa.table(columns)


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def read_grouped(paths: Sequence[Path], scheme: str | None) -> tuple[pa.Table, list[str]]:
    """Read discharges of one or more files; those without a group column are grouped by the scheme.

    Returns
    -------
    tuple
        The table, with a column ``file`` that numbers the files, and notes on what was done.

    Raises
    ------
    InputError
        A file cannot be read, or has no group and there is no scheme to group it by.
    """
    tables, notes = [], []
    for number, path in enumerate(paths):
        table = read_table(path)
        if not is_grouped(table):
            if scheme is None:
                raise InputError.single(
                    "settle-not-grouped",
                    f"{path.name} has none of the columns {', '.join(LEADING)}, and no scheme is known to group it by",
                    where=str(path), fix="group it first, or name a scheme with --scheme",
                )  # fmt: skip
            from drgsim.grouping.batch import group

            answers = group(table, load_scheme(scheme))
            for name in ("mdc", "adrg", "drg"):
                if name not in table.column_names:
                    table = table.append_column(name, answers.column(name))
            notes.append(f"{path.name}: grouped by {scheme}")
        tables.append(table.append_column("file", pa.array([number] * table.num_rows, pa.int32())))
    return pa.concat_tables(tables, promote_options="permissive"), notes


def is_grouped(table: pa.Table) -> bool:
    """Whether a table names the groups of its cases."""
    known = {header_key(alias) for alias in words()["columns"]["unit"]} | {header_key("unit")}
    return any(header_key(name) in known for name in table.column_names)


def digest_of(paths: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of files, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def write_results(
    folder: Path,
    tables: Mapping[str, pa.Table],
    record: Mapping[str, Any],
    others: Mapping[str, Callable[[Path], None]] | None = None,
) -> list[Path]:
    """Write tables and the record of the run into a folder that appears whole or not at all.

    Parameters
    ----------
    folder
        New, empty, or a folder of an earlier run, which is replaced.
    tables
        File name (.csv, .parquet, .xlsx) -> table.
    record
        Written as ``run.json``.
    others
        File name -> what writes it to a path: pages and workbooks.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / RUN_FILE).is_file())):
        raise OutputError.single(
            "output-not-ours", f"{folder} is there and is not the result of an earlier run", where=str(folder),
            fix="name a new folder",
        )  # fmt: skip
    beside = folder.with_name(f".{folder.name}.part")
    old = folder.with_name(f".{folder.name}.old")
    try:
        for stale in (beside, old):
            shutil.rmtree(stale, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, table in tables.items():
            write_table(beside / name, table)
        for name, write in (others or {}).items():
            write(beside / name)
        text = json.dumps(record, ensure_ascii=False, indent=2, default=str) + "\n"
        (beside / RUN_FILE).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError.single(
            "output-not-writable", f"{folder} cannot be written: {error.strerror}", where=str(folder)
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return [folder / name for name in (*tables, *(others or {}), RUN_FILE)]


def write_table(path: Path, table: pa.Table) -> None:
    """Write one table by the suffix of its name."""
    with open_writer(path, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=BATCH):
            writer.write(writer.encode(batch))


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as plain values."""
    return [{"code": problem.code, "what": problem.what, "where": problem.where, "fix": problem.fix} for problem in problems]
