"""Measure the quality rules against the ``truth`` column of a synthetic region.

    python tools/measure_quality.py data/samples/region/discharges-*.parquet

For every way in which records were broken on purpose: how many there are and how many a rule found; for every rule: how
many of its findings stand on records that nobody broke.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from drgsim.quality.file_check import check_files

# way of breaking -> rules that are there to find it
MEANT = {
    "missing_sex": ("sex_missing",),
    "sex_conflict": ("sex_conflict_diagnosis", "sex_conflict_procedure", "mdc_rule_not_met", "ambiguous_diagnosis"),
    "age_conflict": ("age_contradicts_birth_date",),
    "principal_missing": ("principal_missing",),
    "unknown_code": ("principal_unknown_code",),
    "discharge_before_admission": ("discharged_before_admission",),
    "los_conflict": ("stay_contradicts_dates",),
    "cost_ten_times": ("cost_parts_do_not_sum",),
    "cost_zero": ("cost_zero", "cost_parts_do_not_sum"),
    "negative_payment": ("payment_negative",),
    "duplicate_id": ("id_duplicate",),
}


class _Gather:
    """Keeps which rules named which id; records of a duplicate id count together."""

    def __init__(self) -> None:
        self.rules: dict[str, set[str]] = {}

    def write(self, hits: pa.RecordBatch) -> None:
        for name, code in zip(hits.column("discharge_id").to_pylist(), hits.column("code").to_pylist(), strict=True):
            self.rules.setdefault(name, set()).add(code)


def measure(paths: Sequence[str]) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Way of breaking -> (records, found); rule -> (findings, those on records that nobody broke)."""
    gather = _Gather()
    check_files(paths, sink=gather)
    broken, found = Counter(), Counter()
    dirty: set[str] = set()
    for path in paths:
        table = pq.read_table(path, columns=["discharge_id", "truth"])
        table = table.filter(pc.match_substring(table["truth"], "dirty:"))
        for name, truth in zip(table["discharge_id"].to_pylist(), table["truth"].to_pylist(), strict=True):
            dirty.add(name)
            kind = truth.rpartition("dirty:")[2]
            broken[kind] += 1
            found[kind] += bool(gather.rules.get(name, set()) & set(MEANT[kind]))
    named, elsewhere = Counter(), Counter()
    for name, codes in gather.rules.items():
        named.update(codes)
        if name not in dirty:
            elsewhere.update(codes)
    kinds = {kind: (broken[kind], found[kind]) for kind in MEANT if broken[kind]}
    return kinds, {code: (named[code], elsewhere[code]) for code in sorted(named)}


def main() -> None:
    """Print both tables."""
    kinds, codes = measure(sys.argv[1:])
    print("| broken on purpose | records | found |\n|---|---|---|")
    for kind, (records, found) in kinds.items():
        print(f"| `{kind}` | {records:,} | {found:,} |")
    print("\n| rule | findings | on records that nobody broke |\n|---|---|---|")
    for code, (findings, elsewhere) in codes.items():
        print(f"| `{code}` | {findings:,} | {elsewhere:,} |")


if __name__ == "__main__":
    main()
