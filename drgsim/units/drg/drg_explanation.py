"""Explain one discharge: the reference grouper's trace with the verdict of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.records.arrow import column_of
from drgsim.records.code_dictionaries import CodeBook, CodeList
from drgsim.records.code_mending import read_codes
from drgsim.records.damaged_codes import restored_text
from drgsim.records.findings import BY_CODE
from drgsim.records.input_options import InputOptions
from drgsim.records.layout import GENERAL, layouts, numbered_names, read_header
from drgsim.records.read import to_canonical
from drgsim.records.schema import columns, header_key, header_names
from drgsim.units.batch_grouper import BatchGrouper
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_narrative import CodeTrace, Explanation
from drgsim.units.drg.drg_reference import Discharge, discharge_from, trace_discharge
from drgsim.units.schemes.hole_findings import why_ambiguous, why_ungrouped
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import Scheme


@dataclass(frozen=True)
class ReadRecord:
    """A record as a grouper read it: its batch of one, the answers, and the codes as they were given.

    Attributes
    ----------
    batch
        Canonical columns of the record; None where it was read without a batch.
    answer
        Answer columns as texts, empty where there is none.
    discharge
        The record as the rules see it.
    diagnoses, procedures
        Its codes with names, principal first.
    warnings
        Codes of the warnings.
    """

    batch: pa.RecordBatch | None
    answer: Mapping[str, Any]
    discharge: Discharge
    diagnoses: tuple[CodeTrace, ...]
    procedures: tuple[CodeTrace, ...]
    warnings: tuple[str, ...]


def canonical_record(record: Mapping[str, Any], options: InputOptions, *, strict: bool = False) -> pa.Table:
    """One record, its columns named as the house names them.

    Raises
    ------
    UsageError
        With ``strict``, for columns that no discharge has.
    """
    record = dict(record)  # a mapping of any kind, a pandas row for one
    special = _fits_another_layout(record)
    unknown = [] if special or options.maps else [str(key) for key in record if not _is_column(str(key))]
    if unknown and strict:
        known = list(columns())
        raise UsageError(
            [
                Problem(
                    "explain-unknown-column", text("{key!r} is no column of a discharge", key=key), fix=did_you_mean(key, known)
                )
                for key in unknown
            ]
        )
    # a record typed by hand may leave columns out: what is not there is missing, and said so in the warnings
    cells = {name: [_cell(value)] for name, value in record.items()}
    if options == InputOptions(code_version=options.code_version) and not special:
        cells = {name: [None] for name, column in columns().items() if column.required and not _has(record, name)} | cells
    return to_canonical(pa.table(cells), "the record", options)


def read_record(
    record: Mapping[str, Any], grouper: BatchGrouper, book: CodeBook, options: InputOptions, *, strict: bool = False
) -> ReadRecord:
    """Read one record with its columns or their aliases, and group it.

    Raises
    ------
    UsageError
        With ``strict``, for columns that no discharge has.
    """
    table = canonical_record(record, options, strict=strict)
    batch = table.select([name for name in grouper.input_columns if name in table.schema.names]).to_batches()[0]
    answers, _ = grouper.group_batch(batch)
    answer = {name: answers.column(name)[0].as_py() for name in answers.schema.names}
    row = batch.to_pylist()[0]
    given: dict[str, list[str]] = {}
    if grouper.conversion:
        maps = grouper.conversion.maps
        given = {name: read_codes(_listed(row.get(name)), map_.codes) for name, map_ in maps.items()}
        row |= {name: grouper.conversion.text(name, row.get(name)) for name in given}
    else:
        row["procedures"] = restored_text(_listed(row.get("procedures")))
    discharge = discharge_from(row, grouper.prepare(batch).numbers[0])
    if not grouper.conversion:
        given = {"diagnoses": list(discharge.diagnoses), "procedures": list(discharge.procedures)}
    return ReadRecord(
        batch,
        {name: "" if value is None else value for name, value in answer.items()},
        discharge,
        code_traces(book.diagnoses, discharge.diagnoses, given["diagnoses"]),
        code_traces(book.procedures, discharge.procedures, given["procedures"]),
        tuple(code for code in (answer["warnings"] or "").split("|") if code in BY_CODE),
    )


def explain_group(
    record: Mapping[str, Any],
    scheme: Scheme | str | Path,
    options: InputOptions | None = None,
    *,
    strict: bool = False,
) -> Explanation:
    """Explain the DRG of one discharge; :func:`drgsim.explain` tells what the parameters are.

    Examples
    --------
    >>> record = {"diagnoses": "O80.000|Z37.001", "procedures": "73.5900", "sex": "2", "age": 29}
    >>> explain_group(record, "chs-drg-2.0").trace.adrg
    'OR1'
    """
    loaded = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    options = options or InputOptions()
    read = read_record(record, DrgGrouper(loaded, options.code_version), loaded.book, options, strict=strict)
    return explanation_of(read, loaded)


def explanation_of(read: ReadRecord, scheme: Scheme) -> Explanation:
    """The explanation of a record that is read and grouped."""
    trace = trace_discharge(read.discharge, scheme)
    return Explanation(
        read.answer["discharge_id"],
        read.discharge,
        read.diagnoses,
        read.procedures,
        read.answer["status"],
        read.answer["reason"],
        read.warnings,
        read.answer["mdc_hint"],
        trace,
        tuple(f"{mark.name} {mark.title}" for mark in scheme.marks_of(trace.drg)),
        _table_notes(read, scheme),
    )


def _table_notes(read: ReadRecord, scheme: Scheme) -> tuple[str, ...]:
    """What lists of the scheme that do not fit together did to a record."""
    if read.answer["status"] == "ungroupable" and read.discharge.diagnoses:
        return tuple(why_ungrouped(scheme.book.diagnoses.canonical(read.discharge.diagnoses[0]), scheme))
    if read.answer["status"] == "ambiguous":
        return tuple(why_ambiguous(map(scheme.book.procedures.canonical, read.discharge.procedures), scheme))
    return ()


def code_traces(codes: CodeList, found: Sequence[str], given: Sequence[str]) -> tuple[CodeTrace, ...]:
    """Codes with their names, and as they were given where that is otherwise."""
    return tuple(
        CodeTrace(
            codes.canonical(code), codes.name(code), codes.find(code) >= 0, codes.is_grey(code), own if own != code else ""
        )
        for code, own in zip(found, given, strict=True)
    )


def _listed(cell: Any) -> str:
    return cell or "" if isinstance(cell, str) or cell is None else "|".join(code or "" for code in cell)


def _has(record: Mapping[str, Any], name: str) -> bool:
    """Whether a record has a column, by one of its names or through its parts."""
    listed = columns()
    return any(
        name in (found, listed[found].part) for key in record if (found := header_names().get(header_key(key))) is not None
    )


def _is_column(key: str) -> bool:
    """Whether a name is one of a canonical column, numbered names included."""
    numbered = (alias for column in columns().values() for alias in column.aliases if "{" in alias)
    return header_key(key) in header_names() or any(numbered_names(alias, [key]) for alias in numbered)


def _fits_another_layout(record: Mapping[str, Any]) -> bool:
    """Whether the names of a record are the headers of a form that is not the general one."""
    return any(
        not read_header(layout, list(record), {}, "the record").missing for layout in layouts() if layout.name != GENERAL
    )


def _cell(value: Any) -> Any:
    """A cell of a record as text; lists of codes are joined."""
    text: str | None = column_of([value])[0].as_py() if value is None or not isinstance(value, str) else value
    return "|".join(part or "" for part in text) if isinstance(text, list) else None if text is None else str(text)
