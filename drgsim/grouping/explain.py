"""Explain one discharge: the reference grouper's trace with the verdict of the batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.grouping.batch import INPUT_COLUMNS, Grouper
from drgsim.grouping.reference import Discharge, Trace, discharge_from, trace_discharge
from drgsim.records.arrow import column_of
from drgsim.records.findings import BY_CODE
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


def explain(record: Mapping[str, Any], scheme: Scheme | str | Path, *, strict: bool = False) -> Explanation:
    """Explain the group of one discharge.

    Parameters
    ----------
    record
        Canonical columns or their aliases; ``diagnoses`` and ``procedures`` as a list of codes or a text separated by ``|``.
    scheme
        A scheme, or its id or folder.
    strict
        Refuse columns that no discharge has, such as a misspelt one; a record of a file may have columns of its own.

    Examples
    --------
    >>> explain({"diagnoses": "O80.000|Z37.001", "procedures": "73.5900", "sex": "2", "age": 29}, "chs-drg-2.0").trace.adrg
    'OR1'
    """
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    record = dict(record)  # a mapping of any kind, a pandas row for one
    unknown = [str(key) for key in record if header_key(str(key)) not in header_names()]
    if unknown and strict:
        known = list(columns())
        raise UsageError(
            [
                Problem("explain-unknown-column", f"{key!r} is no column of a discharge", fix=did_you_mean(key, known))
                for key in unknown
            ]
        )
    # a record typed by hand may leave columns out: what is not there is missing, and said so in the warnings
    blank = {name: None for name, column in columns().items() if column.required and not _has(record, name)}
    table = to_canonical(pa.table({name: [_cell(value)] for name, value in {**blank, **record}.items()}), "the record")
    batch = table.select([name for name in INPUT_COLUMNS if name in table.schema.names]).to_batches()[0]
    grouper = Grouper(scheme)
    answers, _ = grouper.group_batch(batch)
    answer = {name: answers.column(name)[0].as_py() or "" for name in answers.schema.names}
    discharge = discharge_from(batch.to_pylist()[0], grouper.prepare(batch).numbers[0])
    book = scheme.book
    return Explanation(
        answer["discharge_id"],
        discharge,
        tuple(
            CodeTrace(b.canonical(c), b.name(c), b.find(c) >= 0, b.is_grey(c))
            for b in (book.diagnoses,)
            for c in discharge.diagnoses
        ),
        tuple(
            CodeTrace(b.canonical(c), b.name(c), b.find(c) >= 0, b.is_grey(c))
            for b in (book.procedures,)
            for c in discharge.procedures
        ),
        answer["status"],
        answer["reason"],
        tuple(code for code in answer["warnings"].split("|") if code in BY_CODE),
        answer["mdc_hint"],
        trace_discharge(discharge, scheme),
    )


def _has(record: Mapping[str, Any], name: str) -> bool:
    return any(header_names().get(header_key(key)) == name for key in record)


def _cell(value: Any) -> Any:
    """A cell of a record as text; lists of codes are joined."""
    text: str | None = column_of([value])[0].as_py() if value is None or not isinstance(value, str) else value
    return "|".join(part or "" for part in text) if isinstance(text, list) else None if text is None else str(text)
