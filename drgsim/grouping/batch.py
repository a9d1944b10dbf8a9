"""Group batches and tables of discharges: canonical columns in, one answer per record out, in the same order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem, UsageError
from drgsim.grouping.kernel import MDC_CLAIMS, MDC_HOLDS, PROCEDURE_MISFIT, Encoded, Grouped, group_encoded
from drgsim.records.arrow import column_of, ids_of, plain_strings
from drgsim.records.batch import PreparedBatch, prepare_batch
from drgsim.records.conversion import ConversionReport, conversion_from
from drgsim.records.duplicates import SeenIds
from drgsim.records.findings import BITS, FINDINGS, INVALID, WARNING, codes_in, mask_of
from drgsim.records.options import OWN_VERSION, InputOptions
from drgsim.records.read import BATCH_ROWS, BROKEN_LINE, to_canonical
from drgsim.schemes.compile import compile_scheme
from drgsim.schemes.lower import CompiledScheme
from drgsim.schemes.model import UNGROUPED, Scheme

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("grouped", "ambiguous", "ungroupable", "invalid")
GROUPED, AMBIGUOUS, UNGROUPABLE_STATUS, INVALID_STATUS = range(4)
SEVERITIES = ("none", "CC", "MCC")
RESULT_COLUMNS = (
    "discharge_id",
    "mdc",
    "adrg",
    "drg",
    "drg_name",
    "severity",
    "status",
    "reason",
    "warnings",
    "mdc_hint",
)
# columns of a file that grouping reads
INPUT_COLUMNS = (
    "discharge_id",
    "sex",
    "age",
    "age_days",
    "birth_weight_g",
    "los_days",
    "icu_hours",
    "discharge_way",
    "admission_department",
    "diagnoses",
    "procedures",
)
_VARIABLE_COLUMNS = {
    "NL": "age",
    "XB": "sex",
    "XSRTL": "age_days",
    "XSRTZ": "birth_weight_g",
    "ZYTS": "los_days",
    "ICUXS": "icu_hours",
    "LYFS": "discharge_way",
    "RYKS": "admission_department",
}
_WARNING_MASK = mask_of(WARNING)
_INVALID_MASK = mask_of(INVALID)


@dataclass
class GroupCounts:
    """What a run counted; sums of batches in any order are equal."""

    status: NDArray[np.int64]
    drg: NDArray[np.int64]  # by DRG row
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    conversion: ConversionReport | None = None  # where codes of another edition were converted

    @classmethod
    def empty(cls, compiled: CompiledScheme) -> GroupCounts:
        """Zeros for a scheme."""
        return cls(np.zeros(len(STATUSES), np.int64), np.zeros(len(compiled.drg_codes), np.int64))

    def add(self, other: GroupCounts) -> None:
        """Add the counts of another batch."""
        self.status += other.status
        self.drg += other.drg
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


class Grouper:
    """A compiled scheme with the answer texts that every batch needs.

    ``code_version`` names the edition of the codes; other than 医保版 2.0 they are converted by the published maps.
    """

    def __init__(self, scheme: Scheme | CompiledScheme | str | Path, code_version: str = OWN_VERSION) -> None:
        self.compiled = compile_scheme(scheme)
        self.conversion = conversion_from(code_version)

    @cached_property
    def _answers(self) -> dict[str, tuple[NDArray[np.int32], pa.Array]]:
        """For each answer column: what each DRG row (and, last, no group) maps to, and the texts."""
        c = self.compiled
        rows = len(c.drg_codes)
        adrg = c.arrays.drg_row
        mdc = c.arrays.row_mdc[adrg]
        return {
            "mdc": (np.append(mdc, -1).astype(np.int32), pa.array(c.mdc_codes, pa.string())),
            "adrg": (np.append(adrg, -1).astype(np.int32), pa.array(c.adrg_codes, pa.string())),
            "drg": (np.arange(rows + 1, dtype=np.int32), pa.array([*c.drg_codes, UNGROUPED], pa.string())),
            "drg_name": (np.append(np.arange(rows), -1).astype(np.int32), pa.array(c.drg_names, pa.string())),
        }

    def new_report(self) -> ConversionReport | None:
        """An empty report of code conversion; None when codes are read as they are."""
        return ConversionReport(self.conversion) if self.conversion else None

    def prepare(self, batch: pa.RecordBatch | pa.Table, report: ConversionReport | None = None) -> PreparedBatch:
        """Encode a batch of canonical columns for this scheme; what conversion did is counted in ``report``."""
        c = self.compiled
        report = report or self.new_report()
        return prepare_batch(batch, c.diagnoses, c.procedures, c.text_words, c.variables, report)

    def absent_columns(self, names: Container[str]) -> list[str]:
        """Columns that the scheme's rules ask for and that are not among ``names``."""
        asked = self.compiled.variables
        return [column for variable, column in _VARIABLE_COLUMNS.items() if variable in asked and column not in names]

    def group_prepared(self, prepared: PreparedBatch, skip: NDArray[np.bool_]) -> Grouped:
        """Run the kernel on a prepared batch."""
        d, p = prepared.diagnoses, prepared.procedures
        encoded = Encoded(d.ids, d.offsets, p.ids, p.offsets, prepared.numbers, prepared.texts, skip)
        return group_encoded(self.compiled.arrays, encoded)

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
            ``RESULT_COLUMNS``, one row per record in the order of the batch; texts are dictionary arrays.
        counts
            What was counted.
        """
        report = self.new_report()
        prepared = self.prepare(batch, report)
        findings = prepared.findings if noted is None else prepared.findings | noted
        if BROKEN_LINE in batch.schema.names:  # such a record is its line only: nothing else is worth saying of it
            broken = batch.column(BROKEN_LINE).is_valid().to_numpy(zero_copy_only=False)
            findings = np.where(broken, np.int64(1 << BITS["line_broken"]), findings)
        invalid = (findings & _INVALID_MASK) != 0
        grouped = self.group_prepared(prepared, invalid)
        status, reason = self._verdicts(grouped, findings, invalid)
        answers = {"discharge_id": ids_of(batch)}
        for name, (places, texts) in self._answers.items():
            answers[name] = _texts(places[grouped.drg], texts)  # no group is -1, the last entry of places
        answers["severity"] = _texts(grouped.severity, pa.array(SEVERITIES))
        answers["status"] = _texts(status, pa.array(STATUSES))
        answers["reason"] = _texts(reason, _REASON_TEXTS)
        masks, answers["warnings"] = _warning_texts(findings)
        answers["mdc_hint"] = _texts(grouped.mdc, self._answers["mdc"][1])
        counts = self._count(grouped, status, reason, masks)
        counts.conversion = report
        return pa.RecordBatch.from_arrays(list(answers.values()), list(answers)), counts

    def _verdicts(
        self, grouped: Grouped, findings: NDArray[np.int64], invalid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Status and reason (number in FINDINGS, -1 for a grouped record) of each record."""
        arrays = self.compiled.arrays
        found = grouped.drg >= 0
        ambiguous = found & arrays.row_ambiguous[arrays.drg_row[grouped.drg]]
        status = np.select([invalid, ambiguous, found], [INVALID_STATUS, AMBIGUOUS, GROUPED], UNGROUPABLE_STATUS).astype(
            np.int8
        )
        lowest = findings & -findings  # invalid findings come first in the registry, the first of them is the reason
        first = np.log2(np.where(invalid, lowest, 1)).astype(np.int8)

        def noted(code: str) -> NDArray[np.bool_]:
            return (findings >> np.int64(BITS[code]) & 1) == 1

        reason = np.select(
            [
                invalid,
                ambiguous & (grouped.cause == PROCEDURE_MISFIT),
                ambiguous,
                found,
                noted("principal_unknown_code"),
                noted("principal_grey_code"),
                grouped.cause == MDC_CLAIMS,
                grouped.cause == MDC_HOLDS,
            ],
            [
                first,
                BITS["procedure_outside_mdc"],
                BITS["ambiguous_diagnosis"],
                -1,
                BITS["principal_unknown"],
                BITS["principal_grey"],
                BITS["mdc_rule_not_met"],
                BITS["no_group_in_mdc"],
            ],
            BITS["principal_in_no_mdc"],
        ).astype(np.int8)
        return status, reason

    def _count(self, grouped: Grouped, status: NDArray[np.int8], reason: NDArray[np.int8], masks: Counter[int]) -> GroupCounts:
        counts = GroupCounts.empty(self.compiled)
        counts.status += np.bincount(status, minlength=len(STATUSES))
        counts.drg += np.bincount(grouped.drg[grouped.drg >= 0], minlength=len(counts.drg))
        by_reason = np.bincount(reason[reason >= 0], minlength=len(FINDINGS))
        counts.reasons.update({f.code: int(n) for f, n in zip(FINDINGS, by_reason, strict=True) if n})
        for mask, number in masks.items():
            for code in codes_in(mask, WARNING):
                counts.warnings[code] += number
        return counts


_REASON_TEXTS = pa.array([finding.code for finding in FINDINGS], pa.string())


def _texts(numbers: NDArray[Any], texts: pa.Array) -> pa.DictionaryArray:
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
    return Counter(dict(zip(masks, counts.tolist(), strict=True))), _texts(np.where(silent[places], -1, places), texts)


def group(
    records: pa.Table | pa.RecordBatch | pd.DataFrame | Sequence[dict[str, Any]],
    scheme: Scheme | CompiledScheme | str | Path,
    options: InputOptions | None = None,
) -> Any:
    """Group a table of discharges.

    Parameters
    ----------
    records
        A pandas DataFrame, an Arrow table, or a list of dictionaries, with canonical columns or their aliases. Every
        record stands
        for itself: duplicate ids are noted and never mixed.
    scheme
        A scheme, or its id or folder.
    options
        Layout, own column names and edition of the codes, where they are not the usual ones.

    Returns
    -------
    DataFrame or Table
        ``RESULT_COLUMNS`` for every record in the same order; a DataFrame (with the same index) for a DataFrame,
        else an Arrow table.

    Raises
    ------
    InputError
        When a required column is missing or has a type that holds no text.
    UsageError
        When ``records`` is no table.

    Examples
    --------
    >>> record = {"discharge_id": 1, "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": ""}
    >>> group([record], "chs-drg-2.0").to_pylist()[0]["drg"]
    'FR15'
    """
    options = options or InputOptions()
    table, index = _as_table(records)
    canonical = to_canonical(table, options=options)
    ids = canonical.column("discharge_id")
    canonical = canonical.select([name for name in INPUT_COLUMNS if name in canonical.schema.names]).combine_chunks()
    grouper = Grouper(scheme, options.code_version)
    seen = SeenIds()
    parts = canonical.to_batches(max_chunksize=BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=canonical.schema)]
    noted = [seen.note(ids_of(part)) for part in parts]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        batches = [plain_strings(answers) for answers, _ in pool.map(grouper.group_batch, parts, noted)]
    result = pa.Table.from_batches(batches)
    result = result.set_column(0, "discharge_id", ids)  # as the caller has them, text or numbers
    if index is None:
        return result
    frame = result.to_pandas()
    frame.index = index
    return frame


def _as_table(records: Any) -> tuple[pa.Table, Any]:
    """Records as an Arrow table, and the index of a DataFrame."""
    if isinstance(records, pa.RecordBatch):
        return pa.Table.from_batches([records]), None
    if isinstance(records, pa.Table):
        return records, None
    if hasattr(records, "columns") and hasattr(records, "iloc"):
        return _from_frame(records), records.index
    if hasattr(records, "__arrow_c_stream__"):  # polars and other Arrow-backed frames
        return pa.table(records), None
    if (
        isinstance(records, Sequence)
        and not isinstance(records, str)
        and all(isinstance(record, Mapping) for record in records)
    ):
        names = dict.fromkeys(str(name) for record in records for name in record)
        return pa.table({name: column_of([record.get(name) for record in records]) for name in names}), None
    raise UsageError(
        [
            Problem(
                "group-unknown-records",
                f"a {type(records).__name__} is no table of discharges",
                fix="give a pandas DataFrame, an Arrow table or a list of dictionaries; for files call group_files",
            )
        ]
    )


def _from_frame(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table; a column of mixed types becomes text, as a person would read it."""
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError.single(
            "input-duplicate-column",
            f"the frame names {', '.join(map(repr, twice))} twice",
            fix="give every column its own name",
        )
    arrays = {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        try:
            arrays[name] = pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            arrays[name] = column_of(column.tolist())
    return pa.table(arrays)
