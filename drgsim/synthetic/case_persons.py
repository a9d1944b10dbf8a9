"""Who the patients are: age, sex, weight of newborns, severity of the illness."""

from __future__ import annotations

import numpy as np

from drgsim.synthetic.age_curves import NEWBORN_DAYS
from drgsim.synthetic.choices import chance
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.pathway_arrays import USUAL_BIRTH_WEIGHT
from drgsim.synthetic.sparse_columns import Columns


def draw_persons(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``age, age_days`` (-1 from one year on), ``newborn, sex, birth_weight_g, admission_weight_g, severity, died``.

    ``severity`` is a standard normal number that stay, companions, complications and death share.
    """
    arrays, pathway = plan.pathways, batch["pathway"]
    count = len(pathway)
    band = arrays.ages.draw(pathway, rng.random(count))
    low, high = arrays.bands[band].T
    age = low + (rng.random(count) * (high - low + 1)).astype(np.int32)
    newborn = arrays.newborn_band[band]
    young = np.minimum(rng.exponential(4.0, count), NEWBORN_DAYS)
    days = np.where(newborn, young, NEWBORN_DAYS + 1 + rng.random(count) * (364 - NEWBORN_DAYS))
    batch["age"] = age
    batch["newborn"] = newborn
    batch["age_days"] = np.where(age == 0, days, -1).astype(np.int32)
    batch["sex"] = np.where(rng.random(count) < arrays.male[pathway], 1, 2).astype(np.int8)
    lightest, heaviest = arrays.birth_weight[pathway].T
    stated = (lightest != USUAL_BIRTH_WEIGHT[0]) | (heaviest != USUAL_BIRTH_WEIGHT[1])
    within = lightest + rng.random(count) * (heaviest - lightest)
    weight = np.where(stated, within, np.clip(rng.normal(3280, 420, count), *USUAL_BIRTH_WEIGHT))
    birth = (np.ceil(weight / 10) * 10).astype(np.int32)
    batch["birth_weight_g"] = np.where(newborn, birth, -1).astype(np.int32)
    gained = (birth * (0.96 + 0.1 * rng.random(count)) / 10).astype(np.int32) * 10
    batch["admission_weight_g"] = np.where(newborn, gained, -1).astype(np.int32)
    severity = rng.standard_normal(count)
    batch["severity"] = severity
    log_odds = plan.death[pathway] + arrays.death_age[pathway] * (age - arrays.mean_age[pathway])
    batch["died"] = rng.random(count) < chance(log_odds + plan.parameters["course.death_severity"] * severity)
