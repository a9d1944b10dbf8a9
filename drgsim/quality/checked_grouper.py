"""DRGs with what a coder would check beside each of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.engines.dated_grouper import DatedGrouper
from drgsim.engines.grouper_of import AnyScheme, means_dip
from drgsim.errors import UsageError
from drgsim.language import text
from drgsim.quality.coding_checks import CodingChecks, Grouping
from drgsim.quality.quality_rules import rules, thresholds
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.units.batch_grouper import Answers, GroupsBatches, noted, texts_by_number
from drgsim.units.drg.drg_grouper import INPUT_COLUMNS, RESULT_COLUMNS, DrgGrouper
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme
from drgsim.units.schemes.schemes_in_force import AUTO

CHECK_COLUMNS = ("coding_checks", "coding_details")


def checked_grouper(scheme: AnyScheme, code_version: str = OWN_VERSION) -> GroupsBatches:
    """A grouper with coding checks for a scheme; ``auto`` takes the national schemes by date of discharge."""
    if scheme == AUTO:
        return DatedGrouper(code_version, CheckedGrouper)
    return CheckedGrouper(scheme, code_version)


class CheckedGrouper(DrgGrouper):
    """A grouper whose answers carry the findings of :class:`drgsim.quality.coding_checks.CodingChecks`.

    Column ``coding_checks`` names the rules that a record breaks, joined by ``|``, ``coding_details`` what they mean and
    which codes and groups are concerned. All other columns are those of :class:`DrgGrouper`: no check changes a group.

    Raises
    ------
    UsageError
        ``coding-checks-need-drg``: a DIP catalogue has no groups that the checks could try.
    """

    result_columns = (*RESULT_COLUMNS, *CHECK_COLUMNS)
    input_columns = (*INPUT_COLUMNS, "ventilator_hours")

    def __init__(self, scheme: AnyScheme, code_version: str = OWN_VERSION) -> None:
        if isinstance(scheme, CompiledScheme) or means_dip(scheme):
            what = text("coding checks try other DRGs and need the rules of a DRG scheme")
            raise UsageError.single(
                "coding-checks-need-drg", what, fix=text("name a DRG scheme, or group without coding checks")
            )
        loaded = scheme if isinstance(scheme, Scheme) else load_scheme(str(scheme))
        super().__init__(loaded, code_version)
        limits = {name: threshold.value for name, threshold in thresholds().items()}
        self._checks = CodingChecks(loaded, self.compiled, limits)

    def answer(
        self,
        batch: pa.RecordBatch | pa.Table,
        prepared: PreparedBatch,
        findings: NDArray[np.int64],
        invalid: NDArray[np.bool_],
    ) -> Answers:
        """The answers of grouping, and what a coder would check."""
        given = super().answer(batch, prepared, findings, invalid)
        codes: dict[int, list[str]] = {}
        details: dict[int, list[str]] = {}
        broken = noted(findings, "line_broken")
        for hit in self._checks.check(batch, prepared, Grouping(given.group, given.reason)):
            rows = hit.rows[~broken[hit.rows]]
            title = rules()[hit.code].title_zh
            texts = hit.detail(rows).to_pylist() if hit.detail else [""] * len(rows)
            for row, detail in zip(rows.tolist(), texts, strict=True):
                codes.setdefault(row, []).append(hit.code)
                details.setdefault(row, []).append(f"{title}: {detail}" if detail else title)
        place = np.full(batch.num_rows, -1, np.int32)
        place[list(codes)] = np.arange(len(codes))
        for name, lines in zip(CHECK_COLUMNS, (codes, details), strict=True):
            given.columns[name] = texts_by_number(place, pa.array(["|".join(line) for line in lines.values()], pa.string()))
        return given
