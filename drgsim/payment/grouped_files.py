"""Files of settling and weighing: read grouped discharges of any shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from drgsim.engines.grouper_of import grouper_of
from drgsim.errors import InputError
from drgsim.payment.grouped_cases import WORKERS
from drgsim.records.arrow import one_chunk, plain_strings, to_text
from drgsim.records.case_file import BROKEN_LINE, CaseFile
from drgsim.records.input_options import InputOptions, Purpose
from drgsim.records.read import open_source
from drgsim.records.vocabulary import GROUP_KINDS, group_column, words
from drgsim.units.batch_grouper import STATUSES, GroupCounts

GROUP_COLUMNS = ("mdc", "adrg", "drg", "dip", "kind", "score", "aux", "aux_level")  # what settling may ask of a group


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
                f"{path.name} has none of the columns {', '.join(GROUP_KINDS)}, and no scheme is known to group it by",
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
    return group_column(names) is not None


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
    for name in [name for name in GROUP_COLUMNS if name in grouper.result_columns]:
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
