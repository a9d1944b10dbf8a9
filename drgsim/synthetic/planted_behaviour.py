"""What auditors look for, planted at known rates and told in the truth column: upcoding, split and light stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.case_course import HOME
from drgsim.synthetic.discharge_batches import set_year
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.planted_upcoding import upcode
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.returning_patients import BIRTH_WARDS
from drgsim.synthetic.sparse_columns import Columns, propensity_order

TRUTHS = ("upcoded", "split", "low_standard")
Rows = NDArray[np.integer]


def split_pairs(count: int, plan: DrawPlan) -> int:
    """Number of admissions to cut in two among ``count`` cases; both halves count towards the share."""
    share: float = plan.parameters["behaviour.split"]
    return round(count * share / 2)


def plant(plan: DrawPlan, batch: Columns, count: int, rng: np.random.Generator) -> Columns:
    """Plant the three kinds; ``count`` is the number of cases wanted, so the batch grows by the split halves."""
    batch["truth"] = np.zeros(len(batch["pathway"]), dtype=np.int8)
    upcoded = upcode(plan, batch, round(count * plan.parameters["behaviour.upcoded"]), rng)
    batch["truth"][upcoded] = 1 + TRUTHS.index("upcoded")
    _low_standard(plan, batch, round(count * plan.parameters["behaviour.low_standard"]), rng)
    return _split(plan, batch, count - len(batch["pathway"]), rng)


def _chosen(plan: DrawPlan, batch: Columns, eligible: NDArray[np.bool_], wanted: int, rng: np.random.Generator) -> Rows:
    """Rows of ``eligible`` without replacement, in proportion to the propensity of their hospitals."""
    return np.sort(propensity_order(eligible, plan.hospitals.propensity[batch["hospital"]], rng)[:wanted])


def _low_standard(plan: DrawPlan, batch: Columns, wanted: int, rng: np.random.Generator) -> None:
    """Admission without need: a light medical case, one to three days, mostly examinations."""
    arrays, pathway = plan.pathways, batch["pathway"]
    fits = arrays.of_wards(pathway, plan.parameters["behaviour.low_standard_wards"]) & ~arrays.surgical[pathway]
    codes = batch["diagnoses"]
    severe = (np.where(codes[:, 1:] >= 0, plan.severity[codes[:, 1:]], 0) > 0).any(axis=1)
    fits &= ~severe & (batch["truth"] == 0) & ~batch["long_stay"] & ~batch["died"] & (batch["icu_hours"] < 0)
    fits &= (batch["ventilator_hours"] < 0) & (batch["los_days"] >= 4) & (batch["age"] >= 15)
    rows = _chosen(plan, batch, fits, wanted, rng)
    low, high = plan.parameters["behaviour.low_standard_cost"]
    factor = low + rng.random(len(rows)) * (high - low)
    for name in ("fen", "device_fen"):
        batch[name][rows] = np.floor(batch[name][rows] * factor[:, None]).astype(np.int64)
    fen = batch["fen"][rows]
    moved = fen[:, CATEGORIES.index("drugs")] // 2
    fen[:, CATEGORIES.index("drugs")] -= moved
    fen[:, CATEGORIES.index("examinations")] += moved
    batch["fen"][rows] = fen
    batch["new_technology"][rows], batch["new_technology_fen"][rows] = 0, 0
    batch["los_days"][rows] = rng.integers(1, 4, len(rows))
    batch["admitted"][rows] = batch["discharged"][rows] - batch["los_days"][rows]
    batch["truth"][rows] = 1 + TRUTHS.index("low_standard")


def _split(plan: DrawPlan, batch: Columns, wanted: int, rng: np.random.Generator) -> Columns:
    """Cut stays in two: the patient (``head``) is readmitted to the same hospital for the same illness within 15 days."""
    if wanted <= 0:
        return batch
    low, high = plan.parameters["behaviour.split_gap_days"]
    plain = (batch["truth"] == 0) & (batch["discharge_way"] == HOME) & (batch["age"] >= 1) & (batch["new_technology"] == 0)
    plain &= batch["alone"] & ~plan.pathways.of_wards(batch["pathway"], BIRTH_WARDS)
    good = plain & (batch["los_days"] >= 6) & (batch["los_days"] <= 45) & (batch["discharged"] > plan.days.first + 75)
    rows = _chosen(plan, batch, good, wanted, rng)
    if len(rows) < wanted:  # tiny regions: any case will do, so that the number of cases stays what was asked
        rows = np.concatenate([rows, np.setdiff1d(np.arange(len(good)), rows)[: wanted - len(rows)]])
    second = {name: column[rows].copy() for name, column in batch.items()}
    days = batch["los_days"][rows]
    early = np.maximum((days * (0.4 + 0.2 * rng.random(len(rows)))).astype(np.int32), 1)
    late = np.maximum(days - early, 1)
    second["los_days"] = late
    second["admitted"] = second["discharged"] - late
    batch["discharged"][rows] = second["admitted"] - rng.integers(low, high + 1, len(rows))
    batch["los_days"][rows] = early
    batch["admitted"][rows] = batch["discharged"][rows] - early
    _share_bill(plan, batch, second, rows, early / (early + late))
    for name in ("icu_hours", "ventilator_hours"):
        second[name] = np.full(len(rows), -1, dtype=np.int32)
        batch[name][rows] = np.minimum(batch[name][rows], early * 24)
    batch["truth"][rows] = second["truth"][:] = 1 + TRUTHS.index("split")
    whole = {name: np.concatenate([batch[name], second[name]]) for name in batch}
    set_year(plan, whole)
    return whole


def _share_bill(plan: DrawPlan, batch: Columns, second: Columns, rows: Rows, share: NDArray[np.float64]) -> None:
    """Divide bills between the halves, each with what is done twice; amounts of new technologies stay with none."""
    extra = 1 + plan.parameters["behaviour.split_overhead"]
    for name in ("fen", "device_fen"):
        whole = batch[name][rows]
        batch[name][rows] = np.floor(whole * (share * extra)[:, None]).astype(np.int64)
        second[name] = np.floor(whole * ((1 - share) * extra)[:, None]).astype(np.int64)
