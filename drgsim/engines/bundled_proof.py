"""Prove an installed copy: bundled cases through kernel and reference, against the groups that are expected."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from drgsim.assets import asset_root
from drgsim.engines.grouper_of import means_dip
from drgsim.records.read import to_canonical
from drgsim.units.batch_grouper import INPUT_COLUMNS
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_reference import trace_kind
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_reference import discharge_from, trace_discharge
from drgsim.units.schemes.pack import load_scheme, pack_ids


@dataclass(frozen=True)
class SchemeTest:
    """Cases of a scheme, and the ids of those where kernel or reference gave another group than expected."""

    scheme: str
    cases: int
    kernel_wrong: tuple[str, ...]
    reference_wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every case got its group from both."""
        return self.cases > 0 and not self.kernel_wrong and not self.reference_wrong


def bundled_cases(scheme: str) -> Path:
    """File with the bundled cases of a scheme."""
    return asset_root("data/samples") / "selftest" / f"{scheme}.csv"


def bundled_schemes() -> list[str]:
    """DRG schemes and DIP catalogues that have bundled cases."""
    return [name for name in pack_ids() if bundled_cases(name).is_file()]


def check_scheme(scheme: str, cases: Path | None = None) -> SchemeTest:
    """Run the cases of one scheme or catalogue; ``cases`` names another file of the same form."""
    with (cases or bundled_cases(scheme)).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = to_canonical(pa.Table.from_pylist([{key: value or None for key, value in row.items()} for row in rows]))
    batch = table.select([name for name in INPUT_COLUMNS if name in table.schema.names]).combine_chunks().to_batches()[0]
    check = _wrong_kinds if means_dip(scheme) else _wrong_groups
    return SchemeTest(scheme, len(rows), *check(scheme, rows, batch))


_Wrong = tuple[tuple[str, ...], tuple[str, ...]]  # ids of cases that the kernel and that the reference got wrong


def _wrong_groups(scheme: str, rows: list[dict[str, str]], batch: pa.RecordBatch) -> _Wrong:
    loaded = load_scheme(scheme)
    grouper = DrgGrouper(loaded)
    answers, _ = grouper.group_batch(batch)
    numbers = grouper.prepare(batch).numbers
    kernel = zip(*(answers.column(name).to_pylist() for name in ("mdc", "adrg", "drg", "severity")), strict=True)
    wrong: tuple[list[str], list[str]] = ([], [])
    for row, record, line, answer in zip(rows, batch.to_pylist(), numbers, kernel, strict=True):
        trace = trace_discharge(discharge_from(record, line), loaded)
        expected = (row["expected_mdc"], row["expected_adrg"], row["expected_drg"])
        got = tuple(text or "" for text in answer)
        if got[:3] != expected:
            wrong[0].append(row["case_id"])
        if (trace.mdc, trace.adrg, trace.drg) != expected or trace.severity != got[3]:
            wrong[1].append(row["case_id"])
    return tuple(wrong[0]), tuple(wrong[1])


def _wrong_kinds(catalogue: str, rows: list[dict[str, str]], batch: pa.RecordBatch) -> _Wrong:
    loaded = load_catalogue(catalogue)
    grouper = DipGrouper(loaded)
    answers, _ = grouper.group_batch(batch)
    numbers = grouper.prepare(batch).numbers
    kernel = zip(*(answers.column(name).to_pylist() for name in ("dip", "severity", "cci")), strict=True)
    wrong: tuple[list[str], list[str]] = ([], [])
    for row, record, line, answer in zip(rows, batch.to_pylist(), numbers, kernel, strict=True):
        trace = trace_kind(discharge_from(record, line), loaded)
        if answer[0] != row["expected_dip"]:
            wrong[0].append(row["case_id"])
        if (trace.dip, trace.severity, trace.cci) != (row["expected_dip"], *answer[1:]):
            wrong[1].append(row["case_id"])
    return tuple(wrong[0]), tuple(wrong[1])
