"""All records of case-mix files or of a table in memory: canonical columns first, then their own under their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import InputError
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.case_file import CaseFile
from drgsim.records.database_address import file_or_url
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.layout import GENERAL, LayoutReading
from drgsim.records.python_tables import python_table
from drgsim.records.read import canonical_table, open_source
from drgsim.records.read_arrow import NAME, ArrowSource
from drgsim.records.recipes import AS_IS, Recipe
from drgsim.records.recognise import recognise
from drgsim.records.schema import BROKEN_LINE, columns
from drgsim.records.vocabulary import group_column, words

FILE_COLUMN = "file"  # numbers the files that a table was read from


@dataclass
class CaseTable:
    """Records in memory, and how they were read.

    Attributes
    ----------
    table
        Canonical columns, then the others; ``file`` numbers the files, ``__broken_line`` marks records whose line did not
        fit the header.
    readings
        What the layout of each file or of the table makes of its columns.
    noted
        What was left out in reading, such as diagnoses of Chinese medicine.
    paths
        The files; none for a table that was handed in.
    index
        The index of a frame that was handed in.
    grouped_by
        Ids of the schemes or of the catalogue that the groups are of; empty where they are not known.
    """

    table: pa.Table
    readings: list[LayoutReading]
    noted: Counter[str] = field(default_factory=Counter)
    paths: list[Path] = field(default_factory=list)
    index: Any = None
    grouped_by: tuple[str, ...] = ()

    @property
    def records(self) -> pa.Table:
        """The table without the mark of broken lines."""
        return self.table.drop_columns([BROKEN_LINE]) if BROKEN_LINE in self.table.column_names else self.table

    @property
    def canonical(self) -> list[str]:
        """Names of the canonical columns."""
        return [name for name in self.table.column_names if name in columns()]

    @property
    def layouts(self) -> list[str]:
        """Layout of each file or of the table, as it was recognised or named."""
        return [reading.layout.name for reading in self.readings]

    def check_for_grouping(self, options: InputOptions) -> None:
        """Refuse records that lack what grouping needs, as grouped cases may.

        Raises
        ------
        InputError
            ``input-missing-column``.
        """
        canonical = self.canonical
        if any(column.required and name not in canonical for name, column in columns().items()):
            recognise(self.table.column_names, NAME, replace(options, format=GENERAL))

    def source(self, options: InputOptions) -> ArrowSource:
        """The records as a file to read once more; its columns are canonical already.

        Raises
        ------
        InputError
            As :meth:`check_for_grouping`.
        """
        self.check_for_grouping(options)
        recipes = {name: Recipe(AS_IS, (name,)) for name in self.canonical}
        return ArrowSource(self.table, options, reading=LayoutReading(self.readings[0].layout, recipes))


def is_grouped(names: Iterable[str]) -> bool:
    """Whether a table with these columns names the groups of its cases.

    Examples
    --------
    >>> is_grouped(["discharge_id", "DRG"]), is_grouped(["discharge_id", "diagnoses"])
    (True, False)
    """
    return group_column(names) is not None


def settling() -> Purpose:
    """Nothing is required: settling says itself what it misses."""
    return Purpose(required=(), also=own_columns())


def own_columns() -> frozenset[str]:
    """Names of the columns that settling reads beside the canonical ones."""
    return frozenset(str(alias) for name, known in words()["columns"].items() for alias in (name, *known))


def open_all(
    inputs: Iterable[Any], options: InputOptions, opened: Callable[[str | Path, InputOptions], CaseFile] = open_source
) -> list[CaseFile]:
    """Open every input before any is read, so that a bad last file does not cost the time of the first.

    Parameters
    ----------
    inputs
        Files, tables as :func:`drgsim.records.python_tables.python_table` takes them, or records read before.
    options
        How files and tables are read.
    opened
        Opens a file; for grouping by default.

    Raises
    ------
    InputError
        A file cannot be read or lacks a required column; the problems of all files at once.
    """
    sources: list[CaseFile] = []
    errors: list[InputError] = []
    for each in inputs:
        try:
            if isinstance(each, str | Path):
                sources.append(opened(file_or_url(each), options))
            elif isinstance(each, CaseTable):
                sources.append(each.source(options))
            else:
                sources.append(ArrowSource(python_table(each)[0], options))
        except InputError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputError([problem for error in errors for problem in error.problems])
    return sources


def read_case_files(paths: Sequence[str | Path], options: InputOptions, *, strict: bool = True) -> CaseTable:
    """Read files whole; one that names the groups of its cases need not have what grouping asks for.

    When not ``strict``, no file need have it.

    Raises
    ------
    InputError
        As :func:`open_all`.
    """
    sources = open_all(paths, options, _open_grouped_or_not if strict else _open_for_settling)
    tables = [numbered(whole_table(source), number) for number, source in enumerate(sources)]
    noted = sum((source.noted for source in sources), Counter[str]())
    return CaseTable(joined_tables(tables), [source.reading for source in sources], noted, [source.path for source in sources])


def whole_cases(given: Any, options: InputOptions, *, strict: bool = True) -> CaseTable:
    """One file, table, or records read before, as records in memory; ``strict`` as :func:`read_case_files` has it."""
    if isinstance(given, CaseTable):
        return given
    if isinstance(given, str | Path):
        return read_case_files([file_or_url(given)], options, strict=strict)
    return as_case_table(given, options, None if strict else settling())


def numbered(table: pa.Table, number: int) -> pa.Table:
    """A table with the number of its file."""
    if FILE_COLUMN in table.column_names:
        table = table.drop_columns([FILE_COLUMN])
    return table.append_column(FILE_COLUMN, pa.array([number] * table.num_rows, pa.int32()))


def _open_grouped_or_not(path: str | Path, options: InputOptions) -> CaseFile:
    """A file for settling where it names the groups of its cases, else for grouping."""
    source = _open_for_settling(path, options)
    return source if is_grouped([*source.names, *source.reading.recipes]) else open_source(path, options)


def _open_for_settling(path: str | Path, options: InputOptions) -> CaseFile:
    return open_source(path, options, settling())


def as_case_table(records: Any, options: InputOptions, purpose: Purpose | None = None) -> CaseTable:
    """A frame, an Arrow table or dictionaries with their known columns under canonical names.

    Without a purpose, a table that names the groups of its cases need not have what grouping asks for.

    Raises
    ------
    InputError
        A required column is missing.
    UsageError
        ``group-unknown-records`` when it is no table.
    """
    table, index = python_table(records)
    if purpose is None:
        purpose = settling() if is_grouped(table.column_names) else GROUPING
    reading = recognise(table.column_names, NAME, options, purpose)
    canonical, noted = canonical_table(table, reading)
    others = [name for name in _unread(table.column_names, reading) if name not in canonical.column_names]
    if not canonical.num_columns:  # a table without columns has no length that others could share
        canonical = table.select(others)
    for name in others:
        if name not in canonical.column_names:
            canonical = canonical.append_column(name, table.column(name))
    return CaseTable(canonical, [reading], noted, index=index)


def _unread(names: Iterable[str], reading: LayoutReading) -> list[str]:
    """Columns that no canonical one repeats."""
    used = {own for recipe in reading.recipes.values() for own in recipe.needs}
    return [name for name in names if name not in used]


def whole_table(source: CaseFile) -> pa.Table:
    """All records of a file: canonical columns, then its own under their names where these are not taken.

    A line that does not fit the header has its id, the number of the line in ``__broken_line`` and nothing else.
    """
    batches = list(source.batches(list(source.reading.recipes), keep=_unread(source.names, source.reading)))
    tables = []
    for batch in batches:
        names = [name.removeprefix("=") for name in batch.schema.names]
        kept = [place for place, name in enumerate(names) if names.index(name) == place]
        tables.append(pa.Table.from_batches([batch.select(kept)]).rename_columns([names[place] for place in kept]))
    return joined_tables(tables)


def joined_tables(tables: Sequence[pa.Table]) -> pa.Table:
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
