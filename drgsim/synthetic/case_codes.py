"""What wards write: procedures of the pathway, companions of the disease, complications, chronic conditions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.choices import Floats, Ints, chance
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.sparse_columns import Columns, at_most, drop_repeats, in_slots

Pairs = tuple[NDArray[np.integer], Ints]


def draw_procedures(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``procedures``: one principal treatment, then its companions, each on its own; the principal one first."""
    arrays, pathway = plan.pathways, batch["pathway"]
    row = arrays.sets.draw(pathway, rng.random(len(pathway)))
    main = np.where((row >= 0)[:, None], arrays.set_codes[row], -1)
    share = arrays.usual_share[pathway]
    others = np.where(rng.random(share.shape) < share, arrays.usual_codes[pathway], -1)
    batch["procedures"] = drop_repeats(np.concatenate([main, others], axis=1))


def draw_diagnoses(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``diagnoses`` (principal, companions, complications, chronic), ``added_days`` and ``added_yuan`` of complications."""
    count = len(batch["pathway"])
    principal = plan.pathways.principals.draw(batch["pathway"], rng.random(count))
    batch["principal"] = principal
    companions = _companions(plan, batch, rng)
    rows, kind = _complications(plan, batch, rng)
    _add_up(plan, batch, rows, kind, rng)
    sex = batch["sex"]
    lists = plan.complications.codes
    befallen = lists.draw(kind * 2 + sex[rows] - 1, rng.random(len(rows)))
    ill, condition = _chronic(plan, batch, rng)
    chronic = plan.chronic.codes.draw(condition * 2 + sex[ill] - 1, rng.random(len(ill)))
    general = in_slots(np.concatenate([rows, ill]), np.concatenate([befallen, chronic]), count)
    own = drop_repeats(np.concatenate([principal[:, None], companions], axis=1))
    written = np.concatenate([own, general], axis=1)
    # general conditions give way to any code of the same three characters; a disease may write several of its own
    keys = np.where(written >= 0, plan.category[written], -1)
    batch["diagnoses"] = at_most(drop_repeats(written, keys, own.shape[1]), plan.parameters["case_mix.most_diagnoses"])


def _companions(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> Ints:
    arrays, pathway, parameters = plan.pathways, batch["pathway"], plan.parameters
    older = (batch["age"] - arrays.mean_age[pathway]) * parameters["course.companion_age"]
    tilt = parameters["course.companion_severity"] * batch["severity"] + older
    odds = plan.companion[pathway] + arrays.companion_tilted[pathway] * tilt[:, None]
    codes = arrays.companion_codes[pathway]
    return np.where(rng.random(codes.shape) < chance(odds), codes, -1).astype(np.int32)


def _complications(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> Pairs:
    """(rows, complications) that befall; the odds of death that a complication adds are its own odds among the dead."""
    table, pathway = plan.complications, batch["pathway"]
    ward = plan.pathways.ward[pathway]
    age, severity = batch["age"].astype(np.float64), batch["severity"]
    operated = plan.pathways.surgical[pathway]
    habit = np.log(plan.hospitals.habit)[batch["hospital"]]
    cared, aired, died = batch["icu_hours"] > 0, batch["ventilator_hours"] > 0, batch["died"]
    rows, kinds = [], []
    for kind in range(len(table.ids)):
        odds = table.log_odds[ward, kind] + table.age[kind] * (age - table.at_age[kind]) + table.severity[kind] * severity
        odds += table.icu[kind] * cared + table.ventilator[kind] * aired + table.deaths[kind] * died
        odds += table.written[kind] * habit
        fits = (age >= table.ages[kind, 0]) & (age <= table.ages[kind, 1]) & ~table.excluded[batch["principal"], kind]
        if table.after_operation[kind]:
            fits &= operated
        hit = np.flatnonzero(fits & (rng.random(len(age)) < chance(odds)))
        rows.append(hit)
        kinds.append(np.full(len(hit), kind, dtype=np.int32))
    return np.concatenate(rows), np.concatenate(kinds)


def _add_up(plan: DrawPlan, batch: Columns, rows: NDArray[np.integer], kind: Ints, rng: np.random.Generator) -> None:
    """What complications add to the stay and to the bill; days are drawn about their mean."""
    count, table = len(batch["pathway"]), plan.complications
    days = table.days[kind] * rng.exponential(1.0, len(rows))
    batch["added_days"] = np.bincount(rows, weights=days, minlength=count)
    yuan = [np.bincount(rows, weights=table.yuan[kind, place], minlength=count) for place in range(len(CATEGORIES))]
    batch["added_yuan"] = np.stack(yuan, axis=1)


def _chronic(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> Pairs:
    """(rows, conditions) that are written: prevalence x ward and disease x the person's burden x the hospital's habit."""
    table, people = plan.chronic, plan.priors.people
    count = len(batch["pathway"])
    band = np.searchsorted(table.band_starts, batch["age"], side="right") - 1
    share: Floats = table.prevalence[batch["sex"] - 1, band] * table.factor[batch["pathway"]]
    burden = np.exp(people.burden * rng.standard_normal(count) - people.burden**2 / 2)
    habit = plan.hospitals.habit[:, None] ** table.written
    share *= burden[:, None] * habit[batch["hospital"]]
    np.minimum(share, 0.95, out=share)
    share[table.excluded[batch["principal"]]] = 0.0
    u = rng.random(share.shape)
    has = np.zeros(share.shape, dtype=bool)
    for condition, raising in enumerate(table.raised):
        p = share[:, condition]
        for other, factor in raising:
            # those without the other condition have it 1 / (1 + (factor - 1) q) times as often, so that the mean stays
            p = p * np.where(has[:, other], factor, 1.0) / (1 + (factor - 1) * share[:, other])
        has[:, condition] = u[:, condition] < p
    rows, conditions = np.nonzero(has)
    return rows, conditions.astype(np.int32)
