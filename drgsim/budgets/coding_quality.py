"""Coding quality from the rules of ``drgsim validate``: share of a hospital's records without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from drgsim.quality.file_check import check_files
from drgsim.quality.quality_rules import chosen_rules


class _Erring:
    """Counts the records with an error by hospital; a record with several counts once."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()

    def write(self, hits: pa.RecordBatch) -> None:
        self.seen.update(zip(hits.column("hospital_id").to_pylist(), hits.column("discharge_id").to_pylist(), strict=True))


def coding_quality(paths: Mapping[int, Path], scheme: str) -> dict[tuple[str, int, str], float]:
    """Share of records without an error by hospital and year, as figures entered for the indicator ``coding``.

    Parameters
    ----------
    paths
        Year -> file of discharges.
    scheme
        Scheme that the records are grouped by: some rules compare a record with its group.
    """
    result: dict[tuple[str, int, str], float] = {}
    for year, path in paths.items():
        erring = _Erring()
        report = check_files([path], scheme, chosen=chosen_rules(severity="error"), sink=erring)
        wrong = Counter(hospital for hospital, _ in erring.seen)
        records: Counter[str] = Counter()
        for (hospital, _), number in report.place_records.items():
            records[hospital] += number
        result |= {(hospital, year, "coding"): 1 - wrong[hospital] / number for hospital, number in records.items() if number}
    return result
