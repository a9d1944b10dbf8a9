"""What a check of the coded records found, as plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drgsim.quality.quality_rules import SEVERITIES, QualityRule, Threshold

MOST_SAMPLES = 5


@dataclass(frozen=True)
class Sample:
    """A record with a finding: its id, the value that the finding is about, and its file."""

    discharge_id: str
    value: str
    file: str


@dataclass(frozen=True)
class RuleCount:
    """A rule with the exact number of records that break it, and at most ``MOST_SAMPLES`` of them."""

    rule: QualityRule
    records: int
    samples: tuple[Sample, ...]


@dataclass
class QualityReport:
    """What files hold and what is wrong or doubtful in them.

    Attributes
    ----------
    inputs, scheme
        The files, and the id of the scheme that they were grouped by; ids joined by ``|`` where there were several.
    by_scheme, without_date
        Where the date of discharge chose the scheme: records by scheme, and records that have no such date.
    records
        Number of records.
    by_severity
        Records with at least one finding of the severity.
    findings
        Most serious first, then most frequent.
    places
        (hospital, department, rule) -> records.
    place_records
        (hospital, department) -> records.
    unknown_codes
        For ``diagnoses`` and ``procedures``: codes outside the national dictionary and how often they occur.
    absent, unchecked
        Columns that no file has: asked for by the scheme's rules; asked for by quality rules, which then say nothing.
    cost_columns
        Columns of cost parts that were added up.
    thresholds
        As they were used.
    ids_complete
        False when the files had too many ids for the memory bound of the search for duplicates.
    layouts, kept_columns, noted, conversion
        Layout of each file; what was left out in reading; what code conversion did, where it was asked for.
    """

    inputs: list[Path]
    scheme: str
    records: int = 0
    by_severity: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(SEVERITIES, 0)))
    findings: list[RuleCount] = field(default_factory=list)
    places: Counter[tuple[str, ...]] = field(default_factory=Counter)
    place_records: Counter[tuple[str, ...]] = field(default_factory=Counter)
    unknown_codes: dict[str, Counter[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    cost_columns: list[str] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    ids_complete: bool = True
    layouts: list[str] = field(default_factory=list)
    kept_columns: list[str] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)
    conversion: dict[str, Any] | None = None
    by_scheme: dict[str, int] = field(default_factory=dict)
    without_date: int = 0

    @property
    def passed(self) -> bool:
        """The verdict: no record has an error."""
        return self.by_severity["error"] == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "inputs": [str(path) for path in self.inputs],
            "scheme": self.scheme,
            **({"by_scheme": self.by_scheme, "without_date": self.without_date} if self.by_scheme else {}),
            "layouts": self.layouts,
            "kept_columns": self.kept_columns,
            "left_out": dict(self.noted),
            "code_conversion": self.conversion,
            "passed": self.passed,
            "records": self.records,
            "records_with": dict(self.by_severity),
            "findings": [
                {
                    "code": count.rule.code,
                    "severity": count.rule.severity,
                    "title": count.rule.title,
                    "title_zh": count.rule.title_zh,
                    "why": count.rule.why,
                    "fix": count.rule.fix,
                    "fix_zh": count.rule.fix_zh,
                    "records": count.records,
                    "samples": [asdict(sample) for sample in count.samples],
                }
                for count in self.findings
            ],
            "hospitals": [
                {"hospital_id": hospital, "records": records, "findings": dict(found.most_common())}
                for hospital, records, found in self.by_hospital()
            ],
            "unknown_codes": {name: dict(codes.most_common()) for name, codes in self.unknown_codes.items()},
            "absent_columns": self.absent,
            "unchecked_columns": self.unchecked,
            "cost_columns": self.cost_columns,
            "thresholds": {t.name: {"value": t.value, "unit": t.unit, "evidence": t.evidence} for t in self.thresholds},
            "ids_complete": self.ids_complete,
        }

    def by_hospital(self) -> list[tuple[str, int, Counter[str]]]:
        """Hospital, records, findings by rule; in the order of the ids."""
        records: Counter[str] = Counter()
        found: dict[str, Counter[str]] = {}
        for (hospital, _), number in self.place_records.items():
            records[hospital] += number
        for (hospital, _, code), number in self.places.items():
            found.setdefault(hospital, Counter())[code] += number
        return [(name, records[name], found.get(name, Counter())) for name in sorted(records)]
