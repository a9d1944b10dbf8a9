"""Explain one discharge: the reference grouper's trace with the verdict of the batch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.grouping.batch import INPUT_COLUMNS, Grouper
from drgsim.grouping.reference import Discharge, Trace, discharge_from, trace_discharge
from drgsim.records.arrow import column_of
from drgsim.records.codes import CodeList, split_codes
from drgsim.records.findings import BY_CODE
from drgsim.records.layout import GENERAL, layouts, numbered_names, read_header
from drgsim.records.options import InputOptions
from drgsim.records.read import to_canonical
from drgsim.records.schema import columns, header_key, header_names
from drgsim.schemes.model import Scheme
from drgsim.schemes.pack import load_scheme


@dataclass(frozen=True)
class CodeTrace:
    """A code of the record as it was understood."""

    code: str
    name: str
    known: bool
    grey: bool
    given: str = ""  # as the record has it, where it was converted from another edition


@dataclass(frozen=True)
class Explanation:
    """Why a discharge has its group.

    Attributes
    ----------
    discharge_id
        As the record gives it, may be empty.
    discharge
        The record as the rules see it.
    diagnoses, procedures
        Its codes with names, principal first.
    status, reason, warnings, mdc_hint
        As a batch reports them.
    trace
        Every MDC, ADRG and DRG that was tried. For an invalid record it says what the rules would answer, which then
        counts for nothing.
    """

    discharge_id: str
    discharge: Discharge
    diagnoses: tuple[CodeTrace, ...]
    procedures: tuple[CodeTrace, ...]
    status: str
    reason: str
    warnings: tuple[str, ...]
    mdc_hint: str
    trace: Trace

    @property
    def drg(self) -> str:
        """Code of the group, 0000 when there is none."""
        return "0000" if self.status == "invalid" else self.trace.drg

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists."""
        return {"drg": self.drg, **asdict(self)}

    def to_json(self) -> str:
        """The explanation as JSON, Chinese characters as they are."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)

    def __str__(self) -> str:
        from drgsim.grouping.narrative import explanation_text

        return explanation_text(self)


def explain(
    record: Mapping[str, Any],
    scheme: Scheme | str | Path,
    options: InputOptions | None = None,
    *,
    strict: bool = False,
) -> Explanation:
    """Explain the group of one discharge.

    Parameters
    ----------
    record
        Canonical columns or their aliases; ``diagnoses`` and ``procedures`` as a list of codes or a text separated by ``|``.
    scheme
        A scheme, or its id or folder.
    options
        Layout, own column names and edition of the codes.
    strict
        Refuse columns that no discharge has, such as a misspelt one; a record of a file may have columns of its own.

    Examples
    --------
    >>> explain({"diagnoses": "O80.000|Z37.001", "procedures": "73.5900", "sex": "2", "age": 29}, "chs-drg-2.0").trace.adrg
    'OR1'
    """
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    record = dict(record)  # a mapping of any kind, a pandas row for one
    options = options or InputOptions()
    special = _fits_another_layout(record)
    unknown = [] if special or options.maps else [str(key) for key in record if not _is_column(str(key))]
    if unknown and strict:
        known = list(columns())
        raise UsageError(
            [
                Problem("explain-unknown-column", f"{key!r} is no column of a discharge", fix=did_you_mean(key, known))
                for key in unknown
            ]
        )
    # a record typed by hand may leave columns out: what is not there is missing, and said so in the warnings
    cells = {name: [_cell(value)] for name, value in record.items()}
    if options == InputOptions(code_version=options.code_version) and not special:
        cells = {name: [None] for name, column in columns().items() if column.required and not _has(record, name)} | cells
    table = to_canonical(pa.table(cells), "the record", options)
    batch = table.select([name for name in INPUT_COLUMNS if name in table.schema.names]).to_batches()[0]
    grouper = Grouper(scheme, options.code_version)
    answers, _ = grouper.group_batch(batch)
    answer = {name: answers.column(name)[0].as_py() or "" for name in answers.schema.names}
    row = batch.to_pylist()[0]
    given = {name: split_codes(_listed(row.get(name))) for name in ("diagnoses", "procedures")}
    if grouper.conversion:
        row |= {name: grouper.conversion.text(name, row.get(name)) for name in given}
    discharge = discharge_from(row, grouper.prepare(batch).numbers[0])
    if not grouper.conversion:
        given = {"diagnoses": list(discharge.diagnoses), "procedures": list(discharge.procedures)}
    return Explanation(
        answer["discharge_id"],
        discharge,
        _traces(scheme.book.diagnoses, discharge.diagnoses, given["diagnoses"]),
        _traces(scheme.book.procedures, discharge.procedures, given["procedures"]),
        answer["status"],
        answer["reason"],
        tuple(code for code in answer["warnings"].split("|") if code in BY_CODE),
        answer["mdc_hint"],
        trace_discharge(discharge, scheme),
    )


def _traces(codes: CodeList, found: Sequence[str], given: Sequence[str]) -> tuple[CodeTrace, ...]:
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
