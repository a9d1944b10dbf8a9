"""Upcoding (高编): a complication is written that was not there, so that the case moves to a more severe group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.batch_encoding import prepare_batch
from drgsim.synthetic.choices import Choices, Ints, chance
from drgsim.synthetic.draw_plan import SCHEME, DrawPlan
from drgsim.synthetic.people_file import WARDS
from drgsim.synthetic.sparse_columns import Columns, join_codes, propensity_order
from drgsim.units.drg.drg_kernel import EncodedForDrg, group_encoded
from drgsim.units.schemes.compiled_scheme import compile_scheme

TRIED_AT_ONCE = 4  # candidates for each case that is wanted
ROUNDS = 3
Rows = NDArray[np.integer]


def upcode(plan: DrawPlan, batch: Columns, wanted: int, rng: np.random.Generator) -> Rows:
    """Write an MCC or CC into up to ``wanted`` records whose group becomes a more severe one of the same ADRG; their rows.

    Cost and stay remain those of the true case.
    """
    order = propensity_order(batch["age"] >= 0, plan.hospitals.propensity[batch["hospital"]], rng)
    lists = _false_complications(plan)
    done: list[Rows] = []
    missing = wanted
    for start in range(ROUNDS):
        if missing <= 0:
            break
        size = TRIED_AT_ONCE * wanted
        rows = order[start * size : (start + 1) * size]
        written = _written(plan, batch, rows, lists, rng)
        hit = np.flatnonzero(_more_severe(plan, batch, rows, written))[:missing]
        batch["diagnoses"][rows[hit]] = written[hit]
        done.append(rows[hit])
        missing -= len(hit)
    return np.concatenate(done) if done else np.zeros(0, dtype=np.int64)


def _false_complications(plan: DrawPlan) -> Choices:
    """List ``ward``: MCC and CC among the codes of the ward's complications, by how often they are written there."""
    table, lists = plan.complications, []
    for ward in range(len(WARDS)):
        weights: dict[int, float] = {}
        for kind in range(len(table.ids)):
            share = float(chance(table.log_odds[ward, kind]))
            start = int(table.codes.start[kind * 2])
            for code in table.codes.items[start : start + int(table.codes.size[kind * 2])].tolist():
                if plan.severity[code] and share > 1e-9:
                    weights[code] = weights.get(code, 0.0) + share
        lists.append((list(weights), list(weights.values())))
    return Choices(lists)


def _written(plan: DrawPlan, batch: Columns, rows: Rows, lists: Choices, rng: np.random.Generator) -> Ints:
    """Diagnoses of the rows with a drawn code in the first free place behind the principal one."""
    slots = batch["diagnoses"][rows].copy()
    free = 1 + np.argmax(np.concatenate([slots[:, 1:] < 0, np.ones((len(rows), 1), dtype=bool)], axis=1), axis=1)
    slots = np.concatenate([slots, np.full((len(rows), 1), -1, dtype=np.int32)], axis=1)
    code = lists.draw(plan.pathways.ward[batch["pathway"][rows]], rng.random(len(rows)))
    new = (code >= 0) & ~(slots == code[:, None]).any(axis=1) & (free < slots.shape[1] - 1)
    slots[np.flatnonzero(new), free[new]] = code[new]
    return slots[:, :-1]


def _more_severe(plan: DrawPlan, batch: Columns, rows: Rows, written: Ints) -> NDArray[np.bool_]:
    """Whether the group of the changed record is another one of the same ADRG, for its severity."""
    before = _grouped(plan, batch, rows, batch["diagnoses"][rows])
    after = _grouped(plan, batch, rows, written)
    moved = (before[0] >= 0) & (after[0] >= 0) & (before[0] != after[0])
    return np.asarray(moved & (before[1] == after[1]) & (after[2] > before[2]))


def _grouped(plan: DrawPlan, batch: Columns, rows: Rows, diagnoses: Ints) -> tuple[NDArray[np.integer], ...]:
    """DRG row, ADRG row and severity of records."""
    scheme = compile_scheme(SCHEME)
    columns = {
        "diagnoses": join_codes(diagnoses, pa.array(plan.diagnoses)),
        "procedures": join_codes(batch["procedures"][rows], pa.array(plan.procedures)),
        **{name: pa.array(batch[name][rows].astype(np.int32)) for name in ("sex", "age")},
        **{
            name: pa.array(batch[name][rows], mask=batch[name][rows] < 0)
            for name in ("age_days", "birth_weight_g", "icu_hours", "los_days")
        },
    }
    ready = prepare_batch(pa.table(columns), scheme.diagnoses, scheme.procedures, scheme.text_words, scheme.variables)
    encoded = EncodedForDrg(*ready.diagnoses, *ready.procedures, ready.numbers, ready.texts, ready.invalid)
    answer = group_encoded(scheme.arrays, encoded)
    return answer.drg, scheme.arrays.drg_row[answer.drg], answer.severity
