"""Group batches of discharges by a DIP catalogue: canonical columns in, the kind of every record out, in the same order."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.arrow import one_chunk
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.cell_numbers import parse_money, read_numbers
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.findings import BITS
from drgsim.units.batch_grouper import (
    GROUPED,
    INPUT_COLUMNS,
    INVALID_STATUS,
    SEVERITIES,
    UNGROUPABLE_STATUS,
    Answers,
    BatchGrouper,
    first_invalid,
    noted,
    texts_by_number,
)
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.dip.charlson import CharlsonTable, comorbidity_index
from drgsim.units.dip.compiled_catalogue import compile_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_kernel import EXCLUDED, LEVEL_UNLISTED, NO_LINE, TIE, EncodedForDip, Matched, match_encoded
from drgsim.units.schemes.scheme import UNGROUPED

RESULT_COLUMNS = (
    "discharge_id",
    "dip",
    "dip_name",
    "kind",
    "score",
    "aux",
    "aux_level",
    "severity",
    "cci",
    "status",
    "reason",
    "warnings",
)
# findings about a missing value, in the order of the variables that compiled catalogues ask after
_MISSING = ("los_missing", "discharge_way_missing", "department_missing")


class DipGrouper(BatchGrouper):
    """A compiled DIP catalogue with the answer texts that every batch needs."""

    result_columns = RESULT_COLUMNS

    def __init__(self, catalogue: Catalogue | CompiledCatalogue | str | Path, code_version: str = OWN_VERSION) -> None:
        super().__init__(code_version)
        self.compiled = compile_catalogue(catalogue)
        if self.compiled.wants_cost:
            self.input_columns = (*INPUT_COLUMNS, "total_cost")

    @property
    def group_count(self) -> int:
        """Number of lines of the catalogue."""
        return len(self.compiled.lines["code"])

    @cached_property
    def _answers(self) -> dict[str, tuple[NDArray[np.int32], pa.Array]]:
        """For each text column: what each line (and, last, no line) maps to, and the texts."""
        places = np.append(np.arange(self.group_count), -1).astype(np.int32)
        lines = self.compiled.lines
        found = {}
        for column, name, none in (
            ("dip", "code", UNGROUPED), ("dip_name", "name", ""), ("kind", "kind", ""), ("aux", "aux", ""),
            ("aux_level", "aux_level", ""),
        ):  # fmt: skip
            texts = list(dict.fromkeys([*lines[name], none]))
            numbers = {text: -1 if text == "" else number for number, text in enumerate(texts)}
            mapped = np.array([numbers[text] for text in (*lines[name], none)], np.int32)
            found[column] = (mapped[places], pa.array(texts, pa.string()))
        return found

    def absent_columns(self, names: Container[str]) -> list[str]:
        """Columns that the conditions of levels or the steps of ties ask for and that are not among ``names``."""
        return super().absent_columns(names) + (
            ["total_cost"] if self.compiled.wants_cost and "total_cost" not in names else []
        )

    def match_prepared(
        self, prepared: PreparedBatch, skip: NDArray[np.bool_], cost: NDArray[np.float64]
    ) -> tuple[Matched, NDArray[np.int8]]:
        """Run the kernel on a prepared batch; the comorbidity index of every record comes with it."""
        d, p = prepared.diagnoses, prepared.procedures
        arrays = self.compiled.arrays
        table = CharlsonTable(arrays.cci_masks, arrays.cci_points)
        cci = comorbidity_index(d, table, principal=self.compiled.all_diagnoses)
        encoded = EncodedForDip(d.ids, d.offsets, p.ids, p.offsets, prepared.numbers, prepared.texts, cci, cost, skip)
        return match_encoded(arrays, encoded), cci

    def group_prepared(self, prepared: PreparedBatch, skip: NDArray[np.bool_]) -> Matched:
        """Run the kernel on a prepared batch without costs."""
        return self.match_prepared(prepared, skip, np.full(skip.size, np.nan))[0]

    def costs(self, batch: pa.RecordBatch | pa.Table) -> NDArray[np.float64]:
        """Total cost of each record in yuan where ties ask for it, NaN elsewhere and where it is missing."""
        if not self.compiled.wants_cost:
            return np.full(batch.num_rows, np.nan)
        return read_numbers(one_chunk(batch, "total_cost"), parse_money)[0]

    def answer(
        self,
        batch: pa.RecordBatch | pa.Table,
        prepared: PreparedBatch,
        findings: NDArray[np.int64],
        invalid: NDArray[np.bool_],
    ) -> Answers:
        """Kind, score, level, severity and comorbidity index."""
        cost = self.costs(batch)
        matched, cci = self.match_prepared(prepared, invalid, cost)
        findings = self._findings(prepared, findings, matched, cost)
        line = np.where((matched.notes & EXCLUDED) != 0, np.int32(NO_LINE), matched.line)
        columns: dict[str, pa.Array] = {}
        for name, (places, texts) in self._answers.items():
            columns[name] = texts_by_number(places[line], texts)
        score = np.append(self.compiled.arrays.line_score, np.nan)[line]
        columns["score"] = pa.array(score, mask=np.isnan(score))
        columns["severity"] = texts_by_number(matched.severity, pa.array(SEVERITIES))
        columns["cci"] = pa.array(cci)
        return Answers(columns, *self._verdicts(matched, findings, invalid), line, findings)

    def _findings(
        self, prepared: PreparedBatch, findings: NDArray[np.int64], matched: Matched, cost: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Findings with those of matching, and without missing values that no kind of the diagnosis asks for."""
        d, arrays = prepared.diagnoses, self.compiled.arrays
        principal = np.full(len(findings), -2, np.int64)
        has = np.diff(d.offsets) > 0
        principal[has] = d.ids[d.offsets[:-1][has]]
        asked = arrays.class_asks[arrays.dx_class[principal + 2]]
        findings = findings & ~np.int64(1 << BITS["icu_hours_missing"])  # hours are left blank where there were none
        for bit, code in enumerate(_MISSING):
            findings = np.where(asked >> bit & 1, findings, findings & ~np.int64(1 << BITS[code]))

        def note(code: str, where: NDArray[Any]) -> NDArray[np.int64]:
            return findings | (where.astype(np.int64) << np.int64(BITS[code]))

        findings = note("dip_tie", (matched.notes & TIE) != 0)
        findings = note("auxiliary_level_unlisted", ((matched.notes & LEVEL_UNLISTED) != 0) & (matched.line >= 0))
        if self.compiled.wants_cost:
            findings = note("dip_cost_missing", np.isnan(cost))
        return findings

    def _verdicts(
        self, matched: Matched, findings: NDArray[np.int64], invalid: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Status and reason (number in FINDINGS, -1 for a grouped record) of each record.

        The blank group (空白病组) is for cases that no kind takes: they are ungroupable, and have its code for the price.
        """
        blank = np.append(np.array([kind == "blank" for kind in self.compiled.lines["kind"]]), True)
        excluded = (matched.notes & EXCLUDED) != 0
        found = ~blank[matched.line] & ~excluded
        status = np.select([invalid, found], [INVALID_STATUS, GROUPED], UNGROUPABLE_STATUS).astype(np.int8)
        reason = np.select(
            [
                invalid,
                found,
                excluded,
                noted(findings, "principal_unknown_code"),
                (matched.notes & LEVEL_UNLISTED) != 0,
            ],
            [first_invalid(findings, invalid), -1, BITS["dip_excluded"], BITS["principal_unknown"], BITS["dip_no_level"]],
            BITS["dip_no_kind"],
        ).astype(np.int8)
        return status, reason
