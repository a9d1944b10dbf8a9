"""Readmissions: cases of a batch that become the next stay of an earlier case of the same disease."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.choices import Flags
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns

WITHIN = 30  # days that count as a readmission
TIMES_BROKEN = 6  # chains are begun again at most so often
AGE_JITTER = 3.0  # years, so that neighbours in age are met at random
BIRTH_WARDS = ("obstetrics", "neonatal")  # whose patients do not come back later for the same
Places = NDArray[np.int64]


@dataclass
class _Queue:
    """Cases in an order in which each may follow the one before it: same disease and sex, like age."""

    order: Places
    follows: Flags


def link_returns(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``head`` (row of the patient's first stay); a return takes over the patient, mostly the hospital, and a later date.

    The share of returns within 30 days comes near ``readmission`` of each disease; nobody returns after death, and no stay ends
    after the region's last day.
    """
    count = len(batch["pathway"])
    queue = _queue(plan, batch, rng)
    soon, chosen = _chosen(plan, batch, queue, rng)
    gap = _gaps(plan, batch, queue, soon, rng)
    chain_head, linked = _dated(plan, batch, queue, chosen, gap)
    batch["head"] = np.arange(count)
    rows, heads = queue.order[linked], queue.order[chain_head[linked]]
    batch["head"][rows] = heads
    batch["alone"] = np.bincount(batch["head"], minlength=count)[batch["head"]] == 1
    for name in ("sex", "age"):
        batch[name][rows] = batch[name][heads]
    allowed = plan.pathways.levels[batch["pathway"][rows], batch["level"][heads]] > 0
    same = allowed & (rng.random(len(rows)) < plan.parameters["returns.same_hospital"])
    for name in ("hospital", "level"):
        batch[name][rows[same]] = batch[name][heads[same]]


def _queue(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> _Queue:
    disease = plan.pathways.disease[batch["pathway"]]
    near = batch["age"] + AGE_JITTER * rng.standard_normal(len(disease))
    order = np.lexsort((near, batch["sex"], disease))
    now, before = order[1:], order[:-1]
    limits = plan.pathways.age_limits[batch["pathway"][now]]
    fits = (disease[now] == disease[before]) & (batch["sex"][now] == batch["sex"][before])
    fits &= (batch["age"][before] >= limits[:, 0]) & (batch["age"][before] <= limits[:, 1])
    fits &= (batch["age"][now] >= 1) & (batch["age"][before] >= 1) & ~batch["died"][before]
    return _Queue(order.astype(np.int64), np.concatenate(([False], fits)))


def _chosen(plan: DrawPlan, batch: Columns, queue: _Queue, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """Which cases of the queue return within the usual gap, and which at all; raised for those that have nobody to follow."""
    arrays = plan.pathways
    pathway = batch["pathway"][queue.order]
    disease = arrays.disease[pathway]
    cases = np.bincount(disease, minlength=len(arrays.disease_ids))
    able = np.bincount(disease, weights=queue.follows, minlength=len(arrays.disease_ids))
    over = cases / np.maximum(able, 1)
    usual = np.minimum(arrays.readmission[pathway] * over[disease], 0.97)
    grown = (batch["age"][queue.order] >= 18) & ~arrays.of_wards(pathway, BIRTH_WARDS)
    later = np.where(grown, plan.parameters["returns.later_share"], 0.0)
    u = rng.random(len(pathway))
    soon = u < usual
    return soon, queue.follows & (soon | (u < np.minimum(usual + later, 0.98)))


def _gaps(plan: DrawPlan, batch: Columns, queue: _Queue, soon: Flags, rng: np.random.Generator) -> Places:
    """Days between discharge and the next admission."""
    count = len(soon)
    usual = plan.pathways.returns[batch["pathway"][queue.order]]
    within = 1 + rng.random(count) * (WITHIN - 1)
    course = usual * (1 + plan.parameters["returns.gap_spread"] * rng.standard_normal(count))
    later = WITHIN + 1 + rng.exponential(plan.parameters["returns.later_days"], count)
    gap = np.where(soon, np.where(np.isnan(usual), within, np.maximum(course, 1.0)), later)
    return np.asarray(np.rint(gap).astype(np.int64))


def _dated(plan: DrawPlan, batch: Columns, queue: _Queue, chosen: Flags, gap: Places) -> tuple[Places, Flags]:
    """Admit returns after the stay before them; place of the first stay of each, and which are linked.

    A chain stops where a stay would end after the last day: that case stays where it is, and those behind it follow it instead.
    """
    order, place = queue.order, np.arange(len(queue.order))
    stay = batch["los_days"][order].astype(np.int64)
    for _ in range(TIMES_BROKEN):
        head = np.maximum.accumulate(np.where(chosen, 0, place))
        passed = np.cumsum(np.where(chosen, gap, 0) + stay)
        # from the head's admission: all stays and gaps of the chain before this one
        ended = passed - (passed[head] - stay[head])
        discharged = batch["admitted"][order[head]] + ended
        linked = chosen & (discharged <= plan.days.last)
        late = chosen & ~linked
        chosen = chosen & ~(late & ~np.concatenate(([False], late[:-1])))
    rows = order[linked]
    batch["admitted"][rows] = discharged[linked] - stay[linked]
    batch["discharged"][rows] = discharged[linked]
    return head, linked
