"""Case-mix figures of a grouped run: distinct groups, largest groups, case-mix index."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from drgsim.assets import asset_root
from drgsim.errors import DrgsimError
from drgsim.language import text
from drgsim.units.drg.drg_grouper import GroupCounts
from drgsim.units.schemes.scheme_lowering import CompiledScheme


def relative_weights(table: str) -> dict[str, float]:
    """Relative weights (RW, 相对权重) of a payment table such as ``national/2.0``; groups without one are left out.

    Raises
    ------
    DrgsimError
        ``weights-unknown-table`` when there is no such table.
    """
    path = asset_root("payment_tables") / table / "weights.csv"
    if not path.is_file():
        raise DrgsimError.single(
            "weights-unknown-table", text("there is no payment table {table}", table=table), where=str(path)
        )
    with path.open(encoding="utf-8", newline="") as file:
        return {row["drg"]: float(row["weight"]) for row in csv.DictReader(file) if row["weight"]}


@dataclass(frozen=True)
class CaseMix:
    """Case mix of a run.

    Attributes
    ----------
    groups
        Number of different DRGs that occur (ambiguous groups apart).
    cmi
        Case-mix index: sum of n * RW over the groups that have a weight, divided by their cases; None without weights or cases.
    weighted_share
        Share of the grouped cases that the index covers.
    """

    groups: int
    cmi: float | None
    weighted_share: float


def case_mix(counts: GroupCounts, compiled: CompiledScheme, weights: Mapping[str, float] | None = None) -> CaseMix:
    """Figures of the grouped records; ``weights`` default to the scheme's reference weights."""
    if weights is None:
        weights = relative_weights(compiled.reference_weights) if compiled.reference_weights else {}
    ambiguous = compiled.arrays.row_ambiguous[compiled.arrays.drg_row]
    cases = {code: int(n) for code, n, qy in zip(compiled.drg_codes, counts.groups, ambiguous, strict=True) if n and not qy}
    total = sum(cases.values())
    covered = sum(n for code, n in cases.items() if code in weights)
    cmi = sum(n * weights[code] for code, n in cases.items() if code in weights) / covered if covered else None
    return CaseMix(len(cases), cmi, covered / total if total else 0.0)


def largest_groups(counts: GroupCounts, compiled: CompiledScheme, most: int = 10) -> list[tuple[str, str, int]]:
    """Code, name and cases of the groups with most cases; ties in the order of the scheme."""
    order = sorted(range(len(counts.groups)), key=lambda row: (-int(counts.groups[row]), row))
    return [
        (compiled.drg_codes[row], compiled.drg_names[row], int(counts.groups[row]))
        for row in order[:most]
        if counts.groups[row]
    ]
