"""What every grouper gives for a batch: statuses, reasons, warnings and counts, whether its groups are DRGs or DIP kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.arrow import ids_of
from drgsim.records.batch_encoding import PreparedBatch, prepare_batch
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.conversion import ConversionReport, conversion_from
from drgsim.records.findings import BITS, FINDINGS, INVALID, WARNING, codes_in, mask_of
from drgsim.records.schema import BROKEN_LINE

STATUSES = ("grouped", "ambiguous", "ungroupable", "invalid")
GROUPED, AMBIGUOUS, UNGROUPABLE_STATUS, INVALID_STATUS = range(4)
SEVERITIES = ("none", "CC", "MCC")
# columns of a file that grouping reads
INPUT_COLUMNS = (
    "discharge_id",
    "sex",
    "age",
    "age_days",
    "birth_date",
    "admitted",
    "discharged",
    "birth_weight_g",
    "los_days",
    "icu_hours",
    "discharge_way",
    "admission_department",
    "diagnoses",
    "procedures",
)
VARIABLE_COLUMNS = {
    "NL": "age",
    "XB": "sex",
    "XSRTL": "age_days",
    "XSRTZ": "birth_weight_g",
    "ZYTS": "los_days",
    "ICUXS": "icu_hours",
    "LYFS": "discharge_way",
    "RYKS": "admission_department",
}
# two dates -> columns that follow from them
_FROM_DATES = {("birth_date", "admitted"): ("age", "age_days"), ("admitted", "discharged"): ("los_days",)}
_WARNING_MASK = mask_of(WARNING)
_INVALID_MASK = mask_of(INVALID)
_REASON_TEXTS = pa.array([finding.code for finding in FINDINGS], pa.string())


@dataclass
class GroupCounts:
    """What a run counted; sums of batches in any order are equal."""

    status: NDArray[np.int64]
    groups: NDArray[np.int64]  # by DRG row, or by line of a DIP catalogue
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    conversion: ConversionReport | None = None  # where codes of another edition were converted
    by_scheme: dict[str, GroupCounts] = field(default_factory=dict)  # where the date of discharge chose the scheme
    without_date: int = 0  # records of those whose date of discharge is missing or unreadable

    @classmethod
    def empty(cls, groups: int) -> GroupCounts:
        """Zeros for a scheme with so many groups."""
        return cls(np.zeros(len(STATUSES), np.int64), np.zeros(groups, np.int64))

    def add(self, other: GroupCounts) -> None:
        """Add the counts of another batch."""
        self.groups += other.groups
        self._add_all_but_groups(other)
        self.without_date += other.without_date
        for scheme, part in other.by_scheme.items():
            self.by_scheme.setdefault(scheme, GroupCounts.empty(len(part.groups))).add(part)

    def add_part(self, scheme: str, part: GroupCounts) -> None:
        """Add the records of a batch that one scheme grouped, beside those of others."""
        self._add_all_but_groups(part)
        self.by_scheme[scheme] = replace(part, conversion=None)

    def _add_all_but_groups(self, other: GroupCounts) -> None:
        self.status += other.status
        self.reasons.update(other.reasons)
        self.warnings.update(other.warnings)
        if self.conversion is None:
            self.conversion = other.conversion
        elif other.conversion is not None:
            self.conversion.add(other.conversion)

    @property
    def records(self) -> int:
        """Number of records."""
        return int(self.status.sum())


class Answers(NamedTuple):
    """Answers of a batch: columns of the unit, status, reason (place in FINDINGS, -1 for none), group row, findings."""

    columns: dict[str, pa.Array]
    status: NDArray[np.int8]
    reason: NDArray[np.int8]
    group: NDArray[np.int32]
    findings: NDArray[np.int64]


class GroupsBatches(ABC):
    """What turns batches of records into answers, be it by one scheme or by several.

    ``code_version`` names the edition of the codes; other than 医保版 2.0 they are converted by the published maps.

    Attributes
    ----------
    compiled
        The compiled scheme or catalogue: its code tables, word lists and the variables that it asks for.
    result_columns
        Columns of the answers, in order.
    input_columns
        Canonical columns that grouping reads.
    """

    compiled: Any
    result_columns: tuple[str, ...]
    input_columns: tuple[str, ...] = INPUT_COLUMNS

    def __init__(self, code_version: str = OWN_VERSION) -> None:
        self.code_version = code_version
        self.conversion = conversion_from(code_version)

    @property
    @abstractmethod
    def group_count(self) -> int:
        """Number of group rows that counts have."""

    @abstractmethod
    def group_batch(
        self, batch: pa.RecordBatch | pa.Table, noted: NDArray[np.int64] | None = None
    ) -> tuple[pa.RecordBatch, GroupCounts]:
        """Group a batch of canonical columns.

        Parameters
        ----------
        batch
            Canonical columns; columns that grouping does not read are passed over.
        noted
            Findings that are known already (bits per record), such as a duplicate id.

        Returns
        -------
        answers
            ``result_columns``, one row per record in the order of the batch; texts are dictionary arrays.
        counts
            What was counted.
        """

    def absent_columns(self, names: Container[str]) -> list[str]:
        """Columns that the rules ask for and that are not among ``names``."""
        asked = self.compiled.variables
        counted = {name for given, found in _FROM_DATES.items() if all(name in names for name in given) for name in found}
        return [
            column
            for variable, column in VARIABLE_COLUMNS.items()
            if variable in asked and column not in names and column not in counted
        ]


class BatchGrouper(GroupsBatches):
    """A compiled scheme or catalogue that groups batches."""

    def prepare(self, batch: pa.RecordBatch | pa.Table, report: ConversionReport | None = None) -> PreparedBatch:
        """Encode a batch of canonical columns; what conversion did is counted in ``report``."""
        c = self.compiled
        report = report or self.new_report()
        return prepare_batch(batch, c.diagnoses, c.procedures, c.text_words, c.variables, report)

    @abstractmethod
    def group_prepared(self, prepared: PreparedBatch, skip: NDArray[np.bool_]) -> Any:
        """Run the kernel alone on an encoded batch."""

    @abstractmethod
    def answer(
        self,
        batch: pa.RecordBatch | pa.Table,
        prepared: PreparedBatch,
        findings: NDArray[np.int64],
        invalid: NDArray[np.bool_],
    ) -> Answers:
        """Group an encoded batch; records marked ``invalid`` get no group."""

    def new_report(self) -> ConversionReport | None:
        """An empty report of code conversion; None when codes are read as they are."""
        return ConversionReport(self.conversion) if self.conversion else None

    def group_batch(
        self, batch: pa.RecordBatch | pa.Table, noted: NDArray[np.int64] | None = None
    ) -> tuple[pa.RecordBatch, GroupCounts]:
        """Encode a batch and group it, as :meth:`GroupsBatches.group_batch` says."""
        report = self.new_report()
        prepared = self.prepare(batch, report)
        findings = prepared.findings if noted is None else prepared.findings | noted
        if BROKEN_LINE in batch.schema.names:  # such a record is its line only: nothing else is worth saying of it
            broken = batch.column(BROKEN_LINE).is_valid().to_numpy(zero_copy_only=False)
            findings = np.where(broken, np.int64(1 << BITS["line_broken"]), findings)
        given = self.answer(batch, prepared, findings, (findings & _INVALID_MASK) != 0)
        masks, warnings = _warning_texts(given.findings)
        columns = {
            **given.columns,
            "discharge_id": ids_of(batch),
            "status": texts_by_number(given.status, pa.array(STATUSES)),
            "reason": texts_by_number(given.reason, _REASON_TEXTS),
            "warnings": warnings,
        }
        counts = self._count(given, masks)
        counts.conversion = report
        names = list(self.result_columns)
        return pa.RecordBatch.from_arrays([columns[name] for name in names], names), counts

    def _count(self, given: Answers, masks: Counter[int]) -> GroupCounts:
        counts = GroupCounts.empty(self.group_count)
        counts.status += np.bincount(given.status, minlength=len(STATUSES))
        counts.groups += np.bincount(given.group[given.group >= 0], minlength=len(counts.groups))
        by_reason = np.bincount(given.reason[given.reason >= 0], minlength=len(FINDINGS))
        counts.reasons.update({f.code: int(n) for f, n in zip(FINDINGS, by_reason, strict=True) if n})
        for mask, number in masks.items():
            for code in codes_in(mask, WARNING):
                counts.warnings[code] += number
        return counts


def noted(findings: NDArray[np.int64], code: str) -> NDArray[np.bool_]:
    """Where a finding is noted."""
    where: NDArray[np.bool_] = (findings >> np.int64(BITS[code]) & 1) == 1
    return where


def first_invalid(findings: NDArray[np.int64], invalid: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Place of the first invalid finding of each record; invalid findings come first in the registry."""
    lowest = findings & -findings
    return np.log2(np.where(invalid, lowest, 1)).astype(np.int8)


def texts_by_number(numbers: NDArray[Any], texts: pa.Array) -> pa.DictionaryArray:
    """Texts by number; a number below 0 has none."""
    indices = pa.array(numbers, mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(indices, texts, safe=False)


def _warning_texts(findings: NDArray[np.int64]) -> tuple[Counter[int], pa.DictionaryArray]:
    """Warnings of each record joined by ``|``, and how often each combination occurs."""
    encoded = pa.array(findings & _WARNING_MASK).dictionary_encode()
    masks = encoded.dictionary.to_pylist()
    places = encoded.indices.to_numpy()
    counts = np.bincount(places, minlength=len(masks))
    texts = pa.array(["|".join(codes_in(mask, WARNING)) for mask in masks], pa.string())
    silent = np.array([mask == 0 for mask in masks], np.bool_)
    filled = texts_by_number(np.where(silent[places], -1, places), texts)
    return Counter(dict(zip(masks, counts.tolist(), strict=True))), filled
