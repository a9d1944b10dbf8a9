"""``drgsim.read``: discharges of any layout as one table with canonical columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.api.argument_check import ArgumentKind, as_list, checked
from drgsim.api.given_records import CaseResult, case_table
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.records.case_table import CaseTable, own_columns
from drgsim.records.input_options import InputOptions
from drgsim.records.layout import layout_named
from drgsim.records.noted_titles import NOTED_TITLES
from drgsim.records.schema import BROKEN_LINE, columns
from drgsim.results.run_record import digest_of, run_record


class Discharges(CaseResult):
    """Discharges that were read, and what was recognised.

    Attributes
    ----------
    case_table
        The records with canonical columns, and how each file was read.
    code_version
        Edition of the codes.
    layouts
        Layout of each file: ``columns``, ``hqms``, ``settlement-list``, ``grouper``.
    """

    kind = "read"
    title = text("Discharges")

    def __init__(self, cases: CaseTable, code_version: str) -> None:
        self.case_table, self.code_version = cases, code_version
        self.layouts = cases.layouts
        tables = {"cases": cases.records, "columns": recognised_columns(cases)}
        super().__init__(tables, notes=reading_notes(cases), record=self._record)

    def _record(self) -> dict[str, Any]:
        return run_record(
            self.kind, inputs=digest_of(path for path in self.case_table.paths if path.is_file()), layouts=self.layouts,
            code_version=self.code_version, records=len(self), problems=self.notes,
        )  # fmt: skip

    def __len__(self) -> int:
        """Number of records."""
        return int(self.case_table.table.num_rows)

    def __repr__(self) -> str:
        layouts, listed = ", ".join(dict.fromkeys(self.layouts)), ", ".join(self.case_table.canonical)
        return f"<Discharges: {len(self):,} records, layout {layouts}, columns {listed}>"

    def _repr_html_(self) -> str:
        named = (layout_named(name) for name in dict.fromkeys(self.layouts))
        read = "; ".join(f"{layout.name} {layout.title_zh}" for layout in named if layout)
        return f"<p>{escape(f'{len(self):,} records 病案 · layout 格式: {read}')}</p>{super()._repr_html_()}"


@checked(
    maps=ArgumentKind(text('texts such as "own=canonical", or a mapping'), (str,), listed=True, keyed=True),
    sheets=ArgumentKind(text("names of sheets"), (str,), listed=True),
)
def read(
    records: Any,
    *,
    format: str | None = None,
    maps: Sequence[str] | Mapping[str, str] | None = None,
    map_file: str | Path | None = None,
    code_version: str = "yb2",
    sheets: Sequence[str] | None = None,
    source_column: str | None = None,
) -> Discharges:
    """Read discharges and recognise what their columns are. 读取病案

    Parameters
    ----------
    records
        Path of a case-mix file (.csv, .parquet, .xlsx, .json, or a folder of .json files), or a list of paths; a pandas
        frame, an Arrow table or a list of dictionaries, one row per discharge. A file that names the groups of its cases
        (``drg``, ``dip``) need not have diagnoses.
    format
        Layout of the input: ``columns``, ``hqms``, ``settlement-list`` or ``grouper``; recognised by the headers when None.
    maps
        Columns of your own: ``{"主诊": "principal_diagnosis"}``, or texts such as ``"主诊=principal_diagnosis"``.
    map_file
        Many mappings: a YAML file (own: canonical) or a CSV file (from,to).
    code_version
        Edition of the codes: ``yb2`` (医保版 2.0), or ``gl2`` (国临版 2.0), which grouping converts to 医保版.
    sheets
        Sheets of a workbook to read, by name or number; those that hold discharges when None.
    source_column
        Name of a column that says which file each record is of; None for no such column.

    Returns
    -------
    Discharges
        ``cases``: canonical columns (docs/input.md), then the input's own, in its order; ``columns``: which canonical
        column was made of which; ``notes``: what was left out.

    Raises
    ------
    InputError
        ``input-not-found``, ``input-missing-column``, ``input-layout-ambiguous`` and their like; all files at once.
    UsageError
        ``group-unknown-records`` for what is no table; ``map-malformed``, ``layout-unknown``, ``code-version-unknown``.

    Examples
    --------
    >>> import drgsim
    >>> record = {"病案号": "17", "性别": "女", "年龄": 29, "主要诊断": "O80.000", "其他诊断": "Z37.001", "手术操作": "73.5900"}
    >>> cases = drgsim.read([record])
    >>> cases.layouts, cases.to_arrow().column_names
    (['columns'], ['discharge_id', 'sex', 'age', 'diagnoses', 'procedures'])
    """
    pairs = [f"{own}={name}" for own, name in maps.items()] if isinstance(maps, Mapping) else as_list(maps)
    reading = InputOptions.of(format, pairs, map_file, code_version, own_columns(), as_list(sheets))
    reading = replace(reading, source_column=source_column)
    cases, options = case_table(records, reading)
    return Discharges(cases, options.code_version)


def recognised_columns(cases: CaseTable) -> pa.Table:
    """Canonical columns with the columns of the input that they were made of, by file."""
    rows = [
        {"column": name, "title_zh": columns()[name].title_zh, "unit": columns()[name].unit, "made_of": " ".join(recipe.needs),
         "layout": reading.layout.name, "file": file}
        for file, reading in enumerate(cases.readings)
        for name, recipe in reading.recipes.items()
        if name in columns()
    ]  # fmt: skip
    texts = [(name, pa.string()) for name in ("column", "title_zh", "unit", "made_of", "layout")]
    return pa.Table.from_pylist(rows, pa.schema([*texts, ("file", pa.int32())]))


def reading_notes(cases: CaseTable) -> list[Problem]:
    """What was left out in reading, and lines that do not fit the header."""
    notes = [
        Problem("left-out", text("{what}: {count:,}", what=NOTED_TITLES.get(name, name), count=count))
        for name, count in cases.noted.items()
        if count
    ]
    if BROKEN_LINE in cases.table.column_names:
        lines = pc.sum(pc.is_valid(cases.table.column(BROKEN_LINE))).as_py() or 0
        what = text("{lines:,} records have a line that does not fit the header: they have an id and nothing else", lines=lines)
        notes.append(Problem("line-broken", what, fix=text("quote cells that hold the separator; export the records again")))
    return notes
