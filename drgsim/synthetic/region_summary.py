"""What a synthetic region holds: counts and sums of its batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drgsim.records.vocabulary import INSURANCES
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.planted_behaviour import TRUTHS
from drgsim.synthetic.sparse_columns import Columns


@dataclass
class Summary:
    """What was made: counts by year, level and truth, money in fen, and how many figures of the priors have which evidence."""

    folder: str
    hospitals: int
    cases: int
    years: list[int]
    seed: int
    dirty_share: float
    by_year: dict[str, int] = field(default_factory=dict)
    by_level: dict[str, int] = field(default_factory=dict)
    truth: dict[str, int] = field(default_factory=dict)
    dirty: int = 0
    diseases_drawn: int = 0
    pathways_drawn: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    own_priors: list[str] = field(default_factory=list)
    total_cost_fen: int = 0
    fund_paid_fen: int = 0


class Tally:
    """Running counts and sums of the region."""

    def __init__(self, plan: DrawPlan) -> None:
        shape = (len(plan.years), len(INSURANCES))
        self.plan = plan
        self.fund: NDArray[np.int64] = np.zeros(shape, np.int64)
        self.cases = np.zeros((*shape, len(plan.parameters["region.districts"])), np.int64)
        self.truth = np.zeros(len(TRUTHS) + 1, np.int64)
        self.levels = np.zeros(4, np.int64)
        self.pathways = np.zeros(len(plan.pathways.pathways), np.int64)
        self.dirty = 0
        self.total = 0

    def add(self, batch: Columns) -> None:
        np.add.at(self.fund, (batch["year"], batch["insurance"]), batch["fund_fen"])
        np.add.at(self.cases, (batch["year"], batch["insurance"], batch["district"]), 1)
        self.truth += np.bincount(batch["truth"], minlength=len(self.truth))
        self.levels += np.bincount(self.plan.hospitals.level[batch["hospital"]], minlength=4)
        self.pathways += np.bincount(batch["pathway"], minlength=len(self.pathways))
        self.dirty += int((batch["dirty"] > 0).sum())
        self.total += int(batch["total_fen"].sum())


def summarise(plan: DrawPlan, tally: Tally, output: Path, seed: int, dirty: float) -> Summary:
    """What was made, from the counts of all batches."""
    drawn = tally.pathways > 0
    return Summary(
        folder=str(output),
        hospitals=len(plan.hospitals),
        cases=int(tally.cases.sum()),
        years=list(plan.years),
        seed=seed,
        dirty_share=dirty,
        by_year={str(y): int(n) for y, n in zip(plan.years, tally.cases.sum(axis=(1, 2)), strict=True)},
        by_level={str(level): int(tally.levels[level]) for level in (3, 2, 1)},
        truth={name: int(tally.truth[place + 1]) for place, name in enumerate(TRUTHS)},
        dirty=tally.dirty,
        diseases_drawn=len(np.unique(plan.pathways.disease[drawn & ~plan.pathways.tail])),
        pathways_drawn=int(drawn.sum()),
        figures=dict(plan.priors.figures),
        own_priors=list(plan.priors.own),
        total_cost_fen=tally.total,
        fund_paid_fen=int(tally.fund.sum()),
    )
