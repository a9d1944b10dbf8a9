"""Files of settling and weighing: read grouped discharges of any shape, write results whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.engines.grouper_of import grouper_of
from drgsim.errors import SHOWN_ALIKE, InputError, OutputError, Problem, UsageError
from drgsim.payment.grouped_cases import LEADING, WORKERS
from drgsim.records.arrow import one_chunk, plain_strings, to_text
from drgsim.records.case_file import BROKEN_LINE, CaseFile
from drgsim.records.input_options import InputOptions, Purpose
from drgsim.records.read import open_source
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import words
from drgsim.results.table_files import open_writer
from drgsim.units.batch_grouper import STATUSES, GroupCounts

BATCH = 65_536
RUN_FILE = "run.json"
KIND, WRITTEN = "kind", "written"  # in the record of a run: the command that wrote the folder, and its files
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what file managers leave in any folder
_GROUP_COLUMNS = ("mdc", "adrg", "drg", "dip", "kind", "score", "aux", "aux_level")  # what settling may ask of a group


def read_grouped(paths: Sequence[Path], scheme: str | None, options: InputOptions | None = None) -> tuple[pa.Table, list[str]]:
    """Read discharges of one or more files; those without a group column are grouped by the scheme.

    Parameters
    ----------
    paths
        CSV, Parquet, XLSX or JSON files, in any layout that ``drgsim group`` reads.
    scheme
        DRG scheme or DIP catalogue to group by where a file names no groups.
    options
        Layout, mappings and edition of the codes, as for grouping; the columns of settling may be mapped to as well.

    Returns
    -------
    tuple
        The table, with a column ``file`` that numbers the files, and notes on what was done.

    Raises
    ------
    InputError
        A file cannot be read, or has no group and there is no scheme to group it by.
    """
    options = options or InputOptions()
    tables, notes = [], []
    for number, path in enumerate(paths):
        source = open_source(path, options, Purpose(required=(), also=own_columns()))
        if is_grouped([*source.names, *source.reading.recipes]):
            table = _whole(source, source.reading.recipes)
        elif scheme is None:
            raise InputError.single(
                "settle-not-grouped",
                f"{path.name} has none of the columns {', '.join(LEADING)}, and no scheme is known to group it by",
                where=str(path), fix='group it first, name a scheme with --scheme, or map its column: --map "病组=drg"',
            )  # fmt: skip
        else:
            source = open_source(path, options)
            table, counted = _grouped(source, scheme, options)
            notes.append(f"{path.name}: {table.num_rows:,} cases grouped by {scheme}{counted}")
        notes += [f"{path.name}: {name}: {count:,}" for name, count in sorted(source.noted.items()) if count]
        tables.append(table.append_column("file", pa.array([number] * table.num_rows, pa.int32())))
    return _joined(tables), notes


def is_grouped(names: Iterable[str]) -> bool:
    """Whether a table with these columns names the groups of its cases."""
    known = {header_key(alias) for alias in words()["columns"]["unit"]} | {header_key("unit")}
    return any(header_key(name) in known for name in names)


def own_columns() -> frozenset[str]:
    """Names of the columns that settling reads beside the canonical ones."""
    return frozenset(str(alias) for name, known in words()["columns"].items() for alias in (name, *known))


def _whole(source: CaseFile, canonical: Iterable[str]) -> pa.Table:
    """All records: canonical columns, then the file's own under their names where these are not taken."""
    wanted = list(canonical)
    return _table(list(source.batches(wanted, keep=_kept(source, wanted))))


def _kept(source: CaseFile, canonical: Iterable[str]) -> list[str]:
    """The file's own columns that no canonical one repeats."""
    used = {own for name in canonical for own in source.reading.recipes[name].needs}
    return [name for name in source.names if name not in used]


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    """Batches as one table without the mark of a file's own columns; of two columns with one name the canonical one stays.

    A line that does not fit the header keeps its id and nothing else, so that it is found unpaid.
    """
    marked = [name for name in batches[0].schema.names if name != BROKEN_LINE]
    names = [name.removeprefix("=") for name in marked]
    kept = [place for place, name in enumerate(names) if names.index(name) == place]
    table = pa.Table.from_batches([batch.select([marked[place] for place in kept]) for batch in batches])
    return table.rename_columns([names[place] for place in kept])


def _grouped(source: CaseFile, scheme: str, options: InputOptions) -> tuple[pa.Table, str]:
    """A file with the answers of grouping, and words on what could not be grouped or was converted."""
    grouper = grouper_of(scheme, options.code_version)
    wanted = list(source.reading.recipes)
    parts = list(source.batches(wanted, keep=_kept(source, wanted)))
    with ThreadPoolExecutor(WORKERS) as pool:
        answered = list(pool.map(grouper.group_batch, parts))
    counts = GroupCounts.empty(grouper.group_count)
    for _, counted in answered:
        counts.add(counted)
    answers = pa.Table.from_batches([plain_strings(answer) for answer, _ in answered])
    table = _table(parts)
    for name in [name for name in _GROUP_COLUMNS if name in grouper.result_columns]:
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, answers.column(name))
    left = [f"{count:,} {name}" for name, count in zip(STATUSES[1:], counts.status[1:].tolist(), strict=True) if count]
    if counts.conversion is not None:
        values = counts.conversion.to_dict()
        changed = sum(values[kind]["changed"] for kind in ("diagnoses", "procedures"))
        left.append(f"{changed:,} codes converted from {values['from']} to {values['to']}")
    return table, f" ({', '.join(left)})" if left else ""


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Tables one below the other; a column whose types do not go together becomes text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        kinds: dict[str, set[pa.DataType]] = {}
        for table in tables:
            for column in table.schema:
                kinds.setdefault(column.name, set()).add(column.type)
        mixed = {name for name, types in kinds.items() if len(types) > 1}
        tables = [
            pa.table({
                name: to_text(one_chunk(table, name), name).cast(pa.string()) if name in mixed else table.column(name)
                for name in table.column_names
            })
            for table in tables
        ]  # fmt: skip
        return pa.concat_tables(tables, promote_options="permissive")


def check_output(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse to write over an input, or into a folder that holds one.

    Raises
    ------
    UsageError
        ``output-is-input``.
    """
    for path in inputs:
        same = output.exists() and path.exists() and output.resolve() in (path.resolve(), *path.resolve().parents)
        if same:
            fix = "name another output"
            what = f"{output} is also an input, or holds one"
            raise UsageError([Problem("output-is-input", what, where=str(path), why="inputs are never overwritten", fix=fix)])


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
        New, empty, or a folder of an earlier run of the same command that holds nothing else; it is replaced.
    tables
        File name (.csv, .parquet, .xlsx) -> table.
    record
        Written as ``run.json``, with the names of all files as ``written``; its ``kind`` names the command.
    others
        File name -> what writes it to a path: pages and workbooks.

    Raises
    ------
    OutputError
        The folder is not a result of this command (``output-not-ours``, ``output-other-kind``), holds files that no
        run wrote (``output-holds-more``), or cannot be written.
    """
    names = [*tables, *(others or {}), RUN_FILE]
    _check_replaceable(folder, str(record[KIND]), names)
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
        text = json.dumps({**record, WRITTEN: sorted(names)}, ensure_ascii=False, indent=2, default=str) + "\n"
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
    return [folder / name for name in names]


def _check_replaceable(folder: Path, kind: str, names: Sequence[str]) -> None:
    """Refuse a folder whose replacement would delete anything but the files of an earlier run of the same command.

    A record of an earlier version that lists no files answers for those that this run writes.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    place, fix = str(folder), "name a new folder"
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        what = f"{folder} is there and is not the result of an earlier run"
        raise OutputError.single("output-not-ours", what, where=place, fix=fix)
    earlier = record.get(KIND, kind)
    if earlier != kind:
        what = f"{folder} is a result of another command: {earlier}, not {kind}"
        raise OutputError.single("output-other-kind", what, where=place, why="it would be deleted", fix=fix)
    listed = record.get(WRITTEN, names)
    ours = {*listed, RUN_FILE} if isinstance(listed, list) else {RUN_FILE}
    more = sorted(
        f"{path.name}/" if path.is_dir() else path.name
        for path in folder.iterdir()
        if path.name not in _LITTER and (path.name not in ours or path.is_dir())
    )
    if more:
        shown = ", ".join(more[:SHOWN_ALIKE]) + (f" and {len(more) - SHOWN_ALIKE} more" if len(more) > SHOWN_ALIKE else "")
        raise OutputError.single(
            "output-holds-more", f"{folder} holds what the earlier run did not write: {shown}", where=place,
            why="replacing the result would delete it", fix="move it elsewhere, or name a new folder",
        )  # fmt: skip


def write_table(path: Path, table: pa.Table) -> None:
    """Write one table by the suffix of its name."""
    with open_writer(path, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=BATCH):
            writer.write(writer.encode(batch))


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as plain values."""
    return [{"code": problem.code, "what": problem.what, "where": problem.where, "fix": problem.fix} for problem in problems]
