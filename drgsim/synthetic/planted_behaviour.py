"""What auditors look for, planted at known rates and told in the truth column: upcoding, split and light stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.discharge_batches import Columns, drop_repeats
from drgsim.synthetic.draw_plan import CATEGORIES, DrawPlan
from drgsim.synthetic.synth_tables import Floats

TRUTHS = ("upcoded", "split", "low_standard")


def split_pairs(count: int, plan: DrawPlan) -> int:
    """Number of admissions to cut in two among ``count`` cases; both halves count towards the share."""
    share: float = plan.parameters["behaviour.split"]
    return round(count * share / 2)


def _choose(eligible: NDArray[np.bool_], wanted: int, weight: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of ``eligible`` without replacement, in proportion to ``weight`` (exponential keys)."""
    key = np.where(eligible, rng.exponential(1.0, len(weight)) / weight, np.inf)
    order = np.argsort(key, kind="stable")[: min(wanted, int(eligible.sum()))]
    return np.sort(order)


def plant(plan: DrawPlan, batch: Columns, count: int, rng: np.random.Generator) -> Columns:
    """Plant the three kinds; ``count`` is the number of cases wanted, so the batch grows by the split halves."""
    batch["truth"] = np.zeros(len(batch["group"]), dtype=np.int8)
    batch["half"] = np.zeros(len(batch["group"]), dtype=np.int8)
    propensity = plan.hospitals.propensity[batch["hospital"]]
    _upcode(plan, batch, round(count * plan.parameters["behaviour.upcoded"]), propensity, rng)
    _low_standard(plan, batch, round(count * plan.parameters["behaviour.low_standard"]), propensity, rng)
    return _split(plan, batch, count - len(batch["group"]), propensity, rng)


def _upcode(plan: DrawPlan, batch: Columns, wanted: int, propensity: Floats, rng: np.random.Generator) -> None:
    """Write a complication that was not treated: the codes move to the next more severe group, cost and stay do not."""
    target = plan.harder[batch["group"]]
    rows = _choose(target >= 0, wanted, propensity, rng)
    if not len(rows):
        return
    goal = target[rows]
    level = np.argmax(plan.tables.allowed[goal], axis=1)
    adrg = plan.tables.adrg_of[goal]
    code = plan.tables.pools.draw(plan.tables.pool_of[adrg, batch["who"][rows], level], rng.random(len(rows)))
    done = code >= 0
    rows, goal, level, code = rows[done], goal[done], level[done], code[done]
    slots = batch["diagnoses"][rows]
    slots[:, 3] = code
    batch["diagnoses"][rows] = drop_repeats(slots)
    batch["group"][rows] = goal
    batch["severity"][rows] = level
    batch["truth"][rows] = 1


def _low_standard(plan: DrawPlan, batch: Columns, wanted: int, propensity: Floats, rng: np.random.Generator) -> None:
    """Admission without need: a light medical case, one to three days, mostly examinations."""
    light = plan.tables.cost_index < 1.0
    letters = np.array([name[0] in "BDEFGIKLX" and name[1] in "RSTUVWXYZ" for name in plan.tables.drg])
    fits = (light & letters)[batch["group"]] & (batch["severity"] == 0) & (batch["truth"] == 0) & (batch["long_factor"] == 1.0)
    fits &= batch["discharge_way"] != 5
    rows = _choose(fits, wanted, propensity, rng)
    low, high = plan.parameters["behaviour.low_standard_cost"]
    factor = low + rng.random(len(rows)) * (high - low)
    fen = np.floor(batch["fen"][rows] * factor[:, None]).astype(np.int64)
    moved = fen[:, CATEGORIES.index("drugs")] // 2
    fen[:, CATEGORIES.index("drugs")] -= moved
    fen[:, CATEGORIES.index("examinations")] += moved
    batch["fen"][rows] = fen
    batch["los_days"][rows] = rng.integers(1, 4, len(rows))
    batch["admitted"][rows] = batch["discharged"][rows] - batch["los_days"][rows]
    batch["truth"][rows] = 3


def _split(plan: DrawPlan, batch: Columns, wanted: int, propensity: Floats, rng: np.random.Generator) -> Columns:
    """Cut stays in two: the patient is readmitted to the same hospital for the same illness within 15 days."""
    if wanted <= 0:
        return batch
    low, high = plan.parameters["behaviour.split_gap_days"]
    start = int(np.datetime64(f"{plan.years[0]}-01-01", "D").astype(np.int64))
    plain = (batch["truth"] == 0) & (batch["discharge_way"] == 1) & (batch["age"] >= 1) & (batch["new_technology"] == 0)
    plain &= ~np.isin(batch["who"], (2, 3))
    good = plain & (batch["los_days"] >= 6) & (batch["los_days"] <= 45) & (batch["discharged"] > start + 75)
    rows = _choose(good, wanted, propensity, rng)
    if len(rows) < wanted:  # tiny regions: any case will do, so that the number of cases stays what was asked
        rows = np.concatenate([rows, np.setdiff1d(np.arange(len(good)), rows)[: wanted - len(rows)]])
    second = {name: column[rows].copy() for name, column in batch.items()}
    days = batch["los_days"][rows]
    early = np.maximum((days * (0.4 + 0.2 * rng.random(len(rows)))).astype(np.int32), 1)
    late = np.maximum(days - early, 1)
    second["los_days"] = late
    second["admitted"] = second["discharged"] - late
    gap = rng.integers(low, high + 1, len(rows))
    batch["discharged"][rows] = second["admitted"] - gap
    batch["los_days"][rows] = early
    batch["admitted"][rows] = batch["discharged"][rows] - early
    extra = 1 + plan.parameters["behaviour.split_overhead"]
    share = early / (early + late)
    whole = batch["fen"][rows]
    batch["fen"][rows] = np.floor(whole * (share * extra)[:, None]).astype(np.int64)
    second["fen"] = np.floor(whole * ((1 - share) * extra)[:, None]).astype(np.int64)
    first_year = (batch["discharged"][rows].astype("datetime64[D]").astype("datetime64[Y]")).astype(np.int64) + 1970
    batch["year"][rows] = np.maximum(first_year - plan.years[0], 0)
    batch["truth"][rows] = 2
    batch["half"][rows] = 1
    second["truth"] = np.full(len(rows), 2, dtype=np.int8)
    second["half"] = np.full(len(rows), 2, dtype=np.int8)
    batch["row_of_half"] = np.arange(len(batch["group"]))
    second["row_of_half"] = rows
    return {name: np.concatenate([batch[name], second[name]]) for name in batch}
