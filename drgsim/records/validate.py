"""What is wrong with a case-mix file, before grouping: exact counts of every finding, with samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgsim.grouping.batch import INPUT_COLUMNS, Grouper
from drgsim.records.arrow import ids_of, to_text
from drgsim.records.codes import CodeList, split_codes
from drgsim.records.duplicates import SeenIds
from drgsim.records.findings import BITS, FINDINGS, INVALID, Finding
from drgsim.records.read import BROKEN_LINE, open_source

MOST_SAMPLES = 5
# finding -> column whose value a sample shows
_SHOWN = {
    "age_impossible": "age",
    "age_unreadable": "age",
    "age_fraction": "age",
    "age_conflict": "age_days",
    "age_days_impossible": "age_days",
    "age_days_unreadable": "age_days",
    "weight_impossible": "birth_weight_g",
    "weight_unreadable": "birth_weight_g",
    "los_impossible": "los_days",
    "los_unreadable": "los_days",
    "icu_hours_impossible": "icu_hours",
    "icu_hours_unreadable": "icu_hours",
    "sex_unreadable": "sex",
    "principal_unknown_code": "diagnoses",
    "principal_grey_code": "diagnoses",
    "other_diagnosis_unknown": "diagnoses",
    "procedure_unknown": "procedures",
    "principal_procedure_grey": "procedures",
    "principal_procedure_missing": "procedures",
}
_UNKNOWN_CODES = {"diagnoses": ("principal_unknown_code", "other_diagnosis_unknown"), "procedures": ("procedure_unknown",)}


@dataclass(frozen=True)
class Sample:
    """A record with a finding: its id and the value that the finding is about."""

    discharge_id: str
    value: str


@dataclass(frozen=True)
class FindingCount:
    """A finding with the exact number of records that have it, and at most ``MOST_SAMPLES`` of them."""

    finding: Finding
    records: int
    samples: tuple[Sample, ...]


@dataclass
class ValidationReport:
    """What a file holds and what is doubtful in it.

    Attributes
    ----------
    records, invalid, doubtful
        Records; those to which no rule can be applied; those with at least one warning.
    findings
        Most frequent first.
    unknown_codes
        For ``diagnoses`` and ``procedures``: codes outside the national dictionary with the number of times they occur.
    absent
        Canonical columns that the scheme's rules ask for and the file does not have.
    """

    path: Path
    records: int = 0
    invalid: int = 0
    doubtful: int = 0
    findings: list[FindingCount] = field(default_factory=list)
    unknown_codes: dict[str, Counter[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "file": str(self.path),
            "records": self.records,
            "invalid": self.invalid,
            "doubtful": self.doubtful,
            "absent_columns": self.absent,
            "findings": [
                {
                    "code": count.finding.code,
                    "kind": count.finding.kind,
                    "title": count.finding.title,
                    "title_zh": count.finding.title_zh,
                    "fix": count.finding.fix,
                    "records": count.records,
                    "samples": [{"discharge_id": s.discharge_id, "value": s.value} for s in count.samples],
                }
                for count in self.findings
            ],
            "unknown_codes": {name: dict(codes.most_common()) for name, codes in self.unknown_codes.items()},
        }


def validate_file(
    path: str | Path, scheme: str | Path = "chs-drg-2.0", progress: Callable[[float, int], None] | None = None
) -> ValidationReport:
    """Check every record of a file.

    Parameters
    ----------
    path
        CSV, Parquet or XLSX.
    scheme
        Decides which codes are local and which columns its rules ask for.
    progress
        Called after every batch with the share done and the number of records.
    """
    from drgsim.schemes.pack import load_scheme

    source = open_source(path)
    grouper = Grouper(scheme)
    book = load_scheme(scheme).book
    report = ValidationReport(Path(path), absent=grouper.absent_columns(source.canonical))
    counts = np.zeros(len(FINDINGS), np.int64)
    samples: dict[str, list[Sample]] = {}
    unknown: dict[str, Counter[str]] = {name: Counter() for name in _UNKNOWN_CODES}
    seen = SeenIds()
    for batch in source.batches(INPUT_COLUMNS):
        ids = ids_of(batch)
        findings = grouper.prepare(batch).findings | seen.note(ids)
        if BROKEN_LINE in batch.schema.names:
            findings[batch.column(BROKEN_LINE).is_valid().to_numpy(zero_copy_only=False)] = 1 << BITS["line_broken"]
        report.records += batch.num_rows
        invalid = np.zeros(batch.num_rows, np.bool_)
        for bit, finding in enumerate(FINDINGS):
            has = (findings >> np.int64(bit) & 1) == 1
            number = int(has.sum())
            if not number:
                continue
            counts[bit] += number
            if finding.kind == INVALID:
                invalid |= has
            held = samples.setdefault(finding.code, [])
            for row in np.flatnonzero(has)[: MOST_SAMPLES - len(held)]:
                held.append(Sample(str(ids[row].as_py() or ""), _value(batch, int(row), finding.code)))
        report.invalid += int(invalid.sum())
        report.doubtful += int(((findings != 0) & ~invalid).sum())
        for name, codes in (("diagnoses", book.diagnoses), ("procedures", book.procedures)):
            _count_unknown(batch, findings, name, codes, unknown[name])
        if progress:
            progress(source.done, report.records)
    ordered = sorted(range(len(FINDINGS)), key=lambda bit: (FINDINGS[bit].kind != INVALID, -counts[bit], bit))
    report.findings = [
        FindingCount(FINDINGS[bit], int(counts[bit]), tuple(samples[FINDINGS[bit].code])) for bit in ordered if counts[bit]
    ]
    report.unknown_codes = {name: codes for name, codes in unknown.items() if codes}
    return report


def _value(batch: pa.RecordBatch, row: int, code: str) -> str:
    if code == "line_broken":
        number = batch.column(BROKEN_LINE)[row].as_py()
        return f"line {number}" if number is not None else ""
    name = _SHOWN.get(code)
    if name is None or name not in batch.schema.names:
        return ""
    value = batch.column(name)[row].as_py()
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)


def _count_unknown(batch: pa.RecordBatch, findings: Any, name: str, codes: CodeList, counts: Counter[str]) -> None:
    """Count the unknown codes of the records that have some; distinct texts are split once."""
    if name not in batch.schema.names:
        return
    mask = sum(1 << BITS[code] for code in _UNKNOWN_CODES[name])
    texts = batch.column(name).filter(pa.array((findings & mask) != 0))
    for entry in pc.value_counts(to_text(texts, name)).to_pylist():
        for code in split_codes(entry["values"] or ""):
            if code and codes.find(code) < 0:
                counts[codes.canonical(code)] += entry["counts"]
