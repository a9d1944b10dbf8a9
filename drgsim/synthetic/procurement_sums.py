"""Volume-based procurement (带量采购) at every hospital: savings, surplus by class of product, completion of the task."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns
from drgsim.synthetic.synth_files import LABEL

CLASSES = ("selected_within_volume", "selected_beyond_volume", "not_selected")
HEADER = ("year", "hospital_id", "savings_yuan", *(f"{name}_yuan" for name in CLASSES), "completion", "label")


class ProcurementSums:
    """Savings by hospital and year, gathered from finished batches.

    A price that fell by f saved cost x f / (1 - f) of what was still spent on the devices.
    """

    def __init__(self, plan: DrawPlan) -> None:
        self.plan = plan
        self.savings = np.zeros((len(plan.hospitals), len(plan.years)), np.int64)
        falls = plan.changes.falls
        self._over_rest = falls / (1 - falls)

    def add(self, batch: Columns) -> None:
        """Add the savings of a batch; prices fall from the second year on."""
        saved = np.rint(batch["device_fen"] * self._over_rest).astype(np.int64).sum(axis=1)
        np.add.at(self.savings, (batch["hospital"], batch["year"]), np.where(batch["year"] >= 1, saved, 0))

    def rows(self, rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
        """Rows of procurement.csv from the second year on; the classes sum to the savings to the fen."""
        parameters, made = self.plan.parameters, self.plan.hospitals
        shares = [parameters["procurement.class_share"][name] for name in CLASSES]
        mean, spread = parameters["procurement.completion"], parameters["procurement.completion_spread"]
        completion = np.clip(rng.normal(mean, spread, self.savings.shape), 0.0, 1.2)
        for place, year in enumerate(self.plan.years[1:], start=1):
            for hospital in range(len(made)):
                whole = int(self.savings[hospital, place])
                first, second = (int(whole * share) for share in shares[:2])
                parts = (first, second, whole - first - second)
                money = (f"{fen // 100}.{fen % 100:02d}" for fen in (whole, *parts))
                yield year, made.id[hospital], *money, f"{completion[hospital, place]:.3f}", LABEL
