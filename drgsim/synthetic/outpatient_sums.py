"""Outpatient care (门诊) of every hospital and year by payer: visits, patients, cost and the fund's part of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drgsim.records.vocabulary import PAYERS
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns
from drgsim.synthetic.synth_files import LABEL

HEADER = ("year", "month", "hospital_id", "unit", "amount_yuan", "insurance", "visits", "heads", "cost_yuan", "label")


class OutpatientSums:
    """Outpatient care, as much as a hospital's discharges of the payer let expect.

    Attributes
    ----------
    cases
        (hospitals, years, payers) discharges.
    """

    def __init__(self, plan: DrawPlan) -> None:
        self.plan = plan
        self.cases = np.zeros((len(plan.hospitals), len(plan.years), len(PAYERS)), np.int64)

    def add(self, batch: Columns) -> None:
        """Count the insured discharges of a batch."""
        insured = batch["insurance"] < len(PAYERS)
        np.add.at(self.cases, (batch["hospital"][insured], batch["year"][insured], batch["insurance"][insured]), 1)

    def draw(self, rng: np.random.Generator) -> OutpatientYears:
        """Visits, patients, cost and the fund's part, once for the region."""
        parameters, levels = self.plan.parameters, self.plan.hospitals.level
        of_level = {
            name: np.array([parameters[f"outpatient.{name}"][level] for level in levels])[:, None, None]
            for name in ("visits", "visits_per_head", "visit_cost")
        }
        chance = np.exp(rng.normal(0.0, parameters["outpatient.spread"], (2, *self.cases.shape)))
        visits = np.rint(self.cases * of_level["visits"] * chance[0]).astype(np.int64)
        heads = np.ceil(visits / of_level["visits_per_head"]).astype(np.int64)
        growth = (1 + parameters["time.cost_growth"]) ** np.arange(len(self.plan.years))[:, None]
        cost = np.rint(visits * of_level["visit_cost"] * growth * chance[1] * 100).astype(np.int64)
        share = np.array([parameters["outpatient.fund_share"][payer] for payer in PAYERS])
        return OutpatientYears(self.plan, visits, heads, cost, np.rint(cost * share).astype(np.int64))


class OutpatientYears:
    """What was drawn, (hospitals, years, payers) each; ``cost`` and ``fund`` in fen."""

    def __init__(self, plan: DrawPlan, *drawn: NDArray[np.int64]) -> None:
        self.plan = plan
        self.visits, self.heads, self.cost, self.fund = drawn

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Rows of payments.csv, of whole years; hospitals without insured discharges have none."""
        for y, year in enumerate(self.plan.years):
            for h, hospital in enumerate(self.plan.hospitals.id):
                for p, payer in enumerate(PAYERS):
                    at = h, y, p
                    if self.visits[at]:
                        yield (
                            year, "", hospital, "outpatient", yuan(self.fund[at]), payer, self.visits[at], self.heads[at],
                            yuan(self.cost[at]), LABEL,
                        )  # fmt: skip


def yuan(fen: int) -> str:
    """Fen as yuan with two places."""
    return f"{fen // 100}.{fen % 100:02d}"
