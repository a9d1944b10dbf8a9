"""Files of settling and weighing: read grouped discharges of any shape."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.engines.group_run import GroupRun
from drgsim.engines.in_memory import group_cases
from drgsim.errors import InputError
from drgsim.language import bilingual, joined, text
from drgsim.records.case_table import is_grouped, joined_tables, numbered, whole_cases
from drgsim.records.findings import BY_CODE
from drgsim.records.input_options import InputOptions
from drgsim.records.noted_titles import NOTED_TITLES
from drgsim.records.vocabulary import GROUP_KINDS
from drgsim.units.batch_grouper import STATUSES, GroupCounts

_STATUSES = {"ambiguous": text("ambiguous"), "ungroupable": text("ungroupable"), "invalid": text("invalid")}

GROUP_COLUMNS = (
    "mdc", "adrg", "drg", "drg_name", "dip", "dip_name", "kind", "score", "aux", "aux_level",
    "status", "scheme",
)  # fmt: skip  # what settling may ask of a group


def read_grouped(
    inputs: Iterable[Any], scheme: str | None, options: InputOptions | None = None, *, needed: bool = True
) -> tuple[pa.Table, list[str]]:
    """Read discharges of one or more files or tables; those without a group column are grouped by the scheme.

    Parameters
    ----------
    inputs
        CSV, Parquet, XLSX or JSON files, in any layout that ``drgsim group`` reads; tables, or records read before.
    scheme
        DRG scheme or DIP catalogue to group by where a file names no groups.
    options
        Layout, mappings and edition of the codes, as for grouping; the columns of settling may be mapped to as well.
    needed
        Whether cases must have a group; methods that pay every case alike go without.

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
    tables: list[pa.Table] = []
    notes: list[str] = []
    for number, each in enumerate(inputs):
        cases = whole_cases(each, options, strict=scheme is not None)
        name = each.name if isinstance(each, Path) else text("the table")
        table = cases.records
        if not is_grouped(table.column_names) and (needed or scheme is not None):
            if scheme is None:
                kinds = ", ".join(GROUP_KINDS)
                raise InputError.single(
                    "settle-not-grouped",
                    text(
                        "{name} has none of the columns {kinds}, and no scheme is known to group it by", name=name, kinds=kinds
                    ),
                    where=str(each) if isinstance(each, Path) else "",
                    fix=text('group it first, name a scheme with --scheme, or map its column: --map "病组=drg"'),
                )
            answers, run = group_cases(cases, scheme, options.code_version)
            table = with_groups(table, answers)
            notes += [text("{name}: {said}", name=name, said=said) for said in _grouping_told(run, scheme, table.num_rows)]
        for what, count in sorted(cases.noted.items()):
            if count:
                told = text("{what}: {count:,}", what=NOTED_TITLES.get(what, what), count=count)
                notes.append(text("{name}: {said}", name=name, said=told))
        tables.append(numbered(table, number))
    return joined_tables(tables), notes


def with_groups(table: pa.Table, answers: pa.Table) -> pa.Table:
    """Cases with what settling may ask of their groups; an answer replaces a column of its name."""
    for name in [name for name in GROUP_COLUMNS if name in answers.column_names]:
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, answers.column(name))
    return table


def _grouping_told(run: GroupRun, scheme: str, count: int) -> list[str]:
    """What grouping the cases of a file did, and its doubts."""
    said, left = (
        text("{count:,} cases grouped by {scheme}", count=count, scheme=_grouped_by(run, scheme)),
        _left_out(run.counts),
    )
    return [text("{said} ({left})", said=said, left=left) if left else said, *_doubts(run.counts)]


def _grouped_by(run: GroupRun, scheme: str) -> str:
    """The scheme as it was named; what it came to where dates of discharge chose it."""
    if not run.by_date:
        return scheme
    schemes = ", ".join(f"{each.id} {counts.records:,}" for each, counts in run.parts)
    said = text("{schemes} by date of discharge", schemes=schemes)
    if run.counts.without_date:
        return text("{said}, {count:,} without a date", said=said, count=run.counts.without_date)
    return said


def _left_out(counts: GroupCounts) -> str:
    """Words on what could not be grouped or was converted."""
    left = [
        text("{count:,} {status}", count=count, status=_STATUSES[name])
        for name, count in zip(STATUSES[1:], counts.status[1:].tolist(), strict=True)
        if count
    ]
    if counts.conversion is not None:
        values = counts.conversion.to_dict()
        changed = sum(values[kind]["changed"] for kind in ("diagnoses", "procedures"))
        first, second = values["from"], values["to"]
        left.append(text("{count:,} codes converted from {first} to {second}", count=changed, first=first, second=second))
    return joined(text(", "), left) if left else ""


def _doubts(counts: GroupCounts) -> list[str]:
    """The doubts about the records, which may have moved their groups and so their money: nothing passes in silence."""
    if not counts.warnings:
        return []
    told = joined(text(", "), (
        text("{doubt} {count:,}", doubt=bilingual(code, BY_CODE[code].title_zh), count=count)
        for code, count in counts.warnings.most_common()
    ))  # fmt: skip
    return [text("doubts about the records: {told} (of which records: drgsim group)", told=told)]
