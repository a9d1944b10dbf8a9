"""Figures of a run by a DIP catalogue: cases by type of kind and by auxiliary list, largest kinds, points."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from drgsim.units.batch_grouper import GroupCounts
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.dip.dip_catalogue import KINDS


@dataclass(frozen=True)
class KindMix:
    """What kinds the cases of a run have.

    Attributes
    ----------
    kinds
        Number of different kinds that occur, the blank group apart.
    by_type
        Cases by type of kind, in the order of :data:`drgsim.units.dip.dip_catalogue.KINDS`; types that occur only.
    by_list
        Cases whose kind asks for a level, by auxiliary list, most first.
    points
        Sum of the scores; cases without one add nothing.
    mean_score
        Points per case that has a score, None without any.
    """

    kinds: int
    by_type: dict[str, int]
    by_list: dict[str, int]
    points: float
    mean_score: float | None


def kind_mix(counts: GroupCounts, compiled: CompiledCatalogue) -> KindMix:
    """Figures of a run, from what was counted by line of the catalogue."""
    lines, cases = compiled.lines, counts.groups
    by_type: Counter[str] = Counter()
    by_list: Counter[str] = Counter()
    for row in np.flatnonzero(cases):
        by_type[lines["kind"][row]] += int(cases[row])
        if lines["aux"][row]:
            by_list[lines["aux"][row]] += int(cases[row])
    scores = compiled.arrays.line_score
    scored = cases[~np.isnan(scores)]
    points = float((scored * scores[~np.isnan(scores)]).sum())
    codes = {lines["code"][row] for row in np.flatnonzero(cases) if lines["kind"][row] != "blank"}
    return KindMix(
        len(codes),
        {kind: by_type[kind] for kind in KINDS if by_type[kind]},
        dict(by_list.most_common()),
        points,
        points / int(scored.sum()) if scored.sum() else None,
    )
