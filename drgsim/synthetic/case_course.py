"""How stays go: intensive care and ventilation, days, the way of discharge."""

from __future__ import annotations

import numpy as np

from drgsim.synthetic.choices import Floats, chance
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns

LONG_VENTILATION = 96  # hours, from which on 96.72 is coded
LEAST_SLOW = 7.5  # mean days of a pathway whose patients may stay for months: no bronchitis does
DIED, HOME = 5, 1  # ways of discharge


def draw_intensive_care(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``icu_hours`` and ``ventilator_hours`` (-1: none); hours agree with codes of ventilation (96.71, 96.72)."""
    arrays, pathway = plan.pathways, batch["pathway"]
    count = len(pathway)
    tilt = plan.parameters["course.icu_severity"] * batch["severity"]
    codes = batch["procedures"]
    coded = np.where(codes >= 0, plan.ventilation[codes], 0).max(axis=1)
    drawn = rng.random(count) < chance(plan.ventilator[pathway] + tilt)
    mean = np.where(arrays.ventilator[pathway, 0] > 0, arrays.ventilator[pathway, 1], 60.0)
    hours = mean * rng.gamma(1.5, 1 / 1.5, count)
    hours = np.where(coded == 1, 4 + np.minimum(hours, 2 * mean) % (LONG_VENTILATION - 5), hours)
    hours = np.where(coded == 2, LONG_VENTILATION + rng.exponential(np.maximum(mean - LONG_VENTILATION, 60.0)), hours)
    hours = np.where((coded > 0) | drawn, np.maximum(hours, 2.0), -1.0)
    # who is ventilated without a code of it was so for less than the long code asks
    hours = np.where((coded == 0) & drawn, np.minimum(hours, LONG_VENTILATION - 1), hours)
    cared = (rng.random(count) < chance(plan.icu[pathway] + tilt)) | (coded == 2)
    stayed = np.maximum(6 + arrays.icu[pathway, 1] * rng.gamma(1.5, 1 / 1.5, count), hours)
    batch["ventilator_hours"] = np.where(hours > 0, np.rint(hours), -1).astype(np.int32)
    batch["icu_hours"] = np.where(cared, np.rint(stayed), -1).astype(np.int32)


def draw_stay(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``los_days``: log-normal about the mean of pathway and level, with severity, age, hospital and complications."""
    arrays, pathway, parameters = plan.pathways, batch["pathway"], plan.parameters
    count = len(pathway)
    spread, tied = arrays.spread[pathway], parameters["course.stay_severity"]
    z = tied * batch["severity"] + np.sqrt(1 - tied**2) * rng.standard_normal(count)
    older = parameters["course.stay_age"] * (batch["age"] - arrays.mean_age[pathway])
    mean = plan.base_stay[pathway, batch["level"]] * plan.hospitals.stay[batch["hospital"]]
    days: Floats = mean * np.exp(spread * z - spread**2 / 2 + older) + batch["added_days"]
    days = np.where(batch["died"], days * parameters["course.stay_death"], days)
    slow = arrays.of_wards(pathway, parameters["course.over_60_wards"]) & (batch["age"] >= 15)
    slow &= (mean >= LEAST_SLOW) & ~batch["died"]
    share = parameters["course.over_60_share"]
    # the longer a usual stay and the more severe the illness, the likelier one without end
    weight = np.where(slow, mean**2 * np.exp(parameters["course.over_60_severity"] * batch["severity"]), 0.0)
    slow &= rng.random(count) < share * weight / max(float(weight.mean()), 1e-9)
    long_stay = np.minimum(61 + rng.exponential(parameters["course.over_60_tail_days"], count), 300)
    batch["long_stay"] = slow
    days = np.where(slow, np.maximum(long_stay, days), np.minimum(days, 360))
    least = np.maximum(np.maximum(batch["ventilator_hours"], 0), np.minimum(np.maximum(batch["icu_hours"], 0), days * 24)) / 24
    batch["los_days"] = np.maximum(np.maximum(np.rint(days), np.ceil(least)), 1).astype(np.int32)
    _fit_hours(batch)


def _fit_hours(batch: Columns) -> None:
    most = batch["los_days"] * 24
    for name in ("icu_hours", "ventilator_hours"):
        batch[name] = np.minimum(batch[name], most).astype(np.int32)


def draw_discharge_way(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``discharge_way``: 5 for those who died, else home and a few other ways."""
    u = rng.random(len(batch["pathway"]))
    way = np.full(len(u), HOME, dtype=np.int8)
    edge = 0.0
    for number, share in plan.parameters["course.other_ways"].items():
        way[(u >= edge) & (u < edge + share)] = number
        edge += share
    batch["discharge_way"] = np.where(batch["died"], DIED, way).astype(np.int8)
