"""Group batches of discharges by a DRG scheme: canonical columns in, one answer per record out, in the same order."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.findings import BITS
from drgsim.units.batch_grouper import (
    AMBIGUOUS,
    GROUPED,
    INPUT_COLUMNS,
    INVALID_STATUS,
    SEVERITIES,
    STATUSES,
    UNGROUPABLE_STATUS,
    Answers,
    BatchGrouper,
    GroupCounts,
    first_invalid,
    noted,
    texts_by_number,
)
from drgsim.units.drg.drg_kernel import MDC_CLAIMS, MDC_HOLDS, PROCEDURE_MISFIT, EncodedForDrg, Grouped, group_encoded
from drgsim.units.schemes.compiled_scheme import compile_scheme
from drgsim.units.schemes.scheme import UNGROUPED, Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme

__all__ = ["INPUT_COLUMNS", "RESULT_COLUMNS", "SEVERITIES", "STATUSES", "DrgGrouper", "GroupCounts"]
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


class DrgGrouper(BatchGrouper):
    """A compiled DRG scheme with the answer texts that every batch needs."""

    result_columns: tuple[str, ...] = RESULT_COLUMNS

    def __init__(self, scheme: Scheme | CompiledScheme | str | Path, code_version: str = OWN_VERSION) -> None:
        super().__init__(code_version)
        self.compiled = compile_scheme(scheme)

    @property
    def group_count(self) -> int:
        """Number of DRG rows."""
        return len(self.compiled.drg_codes)

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

    def group_prepared(self, prepared: PreparedBatch, skip: NDArray[np.bool_]) -> Grouped:
        """Run the kernel on a prepared batch."""
        d, p = prepared.diagnoses, prepared.procedures
        encoded = EncodedForDrg(d.ids, d.offsets, p.ids, p.offsets, prepared.numbers, prepared.texts, skip)
        return group_encoded(self.compiled.arrays, encoded)

    def answer(
        self,
        batch: pa.RecordBatch | pa.Table,
        prepared: PreparedBatch,
        findings: NDArray[np.int64],
        invalid: NDArray[np.bool_],
    ) -> Answers:
        """MDC, ADRG, DRG, severity and what is known of the MDC."""
        grouped = self.group_prepared(prepared, invalid)
        columns: dict[str, pa.Array] = {}
        for name, (places, texts) in self._answers.items():
            columns[name] = texts_by_number(places[grouped.drg], texts)  # no group is -1, the last entry of places
        columns["severity"] = texts_by_number(grouped.severity, pa.array(SEVERITIES))
        columns["mdc_hint"] = texts_by_number(grouped.mdc, self._answers["mdc"][1])
        return Answers(columns, *self._verdicts(grouped, findings, invalid), grouped.drg, findings)

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
        reason = np.select(
            [
                invalid,
                ambiguous & (grouped.cause == PROCEDURE_MISFIT),
                ambiguous,
                found,
                noted(findings, "principal_unknown_code"),
                noted(findings, "principal_grey_code"),
                grouped.cause == MDC_CLAIMS,
                grouped.cause == MDC_HOLDS,
            ],
            [
                first_invalid(findings, invalid),
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
