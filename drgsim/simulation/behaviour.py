"""How hospitals may answer to a scenario: off by default, each answer with a parameter, a unit, a source and its evidence.

The answers start from two settlements of the same cases: the baseline, and the scenario while nobody moves (static). For
each hospital and
group they compare what is paid; the cases then change in this order, and the scenario is settled again:

1. cost response: cost' = cost x (1 - s) where groups replace payment by item, and cost x (1 + e x d) elsewhere, with d the
relative change
   of the group's payment at the hospital, kept within -0.5 and 0.5;
2. stay: days' = days x (1 + e x relative change of the case's cost);
3. volume: discharges' = discharges x (1 + e x d');  d' is the relative change of payment over cost;
4. coding drift (高编): a share of cases takes the next severer group of its ADRG, where that group is worth more;
5. splitting (分解住院): a share of cases that lose money become two stays, each of half the cost and days plus an overhead;
6. shift between levels (分级诊疗): a share of light cases of tertiary hospitals moves to the secondary hospitals, by their
volume.

Who is picked follows from the case's own key, so that scenarios pick alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.money import MISSING, round_floats
from drgsim.payment.case_columns import Texts
from drgsim.payment.weight_estimation import SEVERITY_ORDER
from drgsim.simulation import draws
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.scenario_cases import SEED, State, with_cost
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region

PREFIX = "behaviour."
_SWITCHES = (
    "cost_response.new_prospective", "cost_response.elasticity", "volume.elasticity", "coding.drift", "splitting.share",
    "shift.share",
)  # fmt: skip
_LIMIT = 0.5  # relative changes beyond this are not extrapolated


def active(setup: Setup) -> bool:
    """Whether any answer is switched on."""
    return any(setup.settings[PREFIX + name] for name in _SWITCHES)


def without_behaviour(setup: Setup) -> Setup:
    """The setup with every answer off."""
    off = {PREFIX + name: 0 for name in (*_SWITCHES, "stay.elasticity")}
    return replace(setup, settings={**setup.settings, **off})


def respond(setup: Setup, before: Lines, static: Lines, region: Region) -> State:
    """The cases after hospitals have answered.

    Parameters
    ----------
    setup
        The scenario, with its ``behaviour`` settings.
    before, static
        Settled cases of the baseline and of the scenario without behaviour, of the same discharges.
    """
    ask = {name.removeprefix(PREFIX): value for name, value in setup.settings.items() if name.startswith(PREFIX)}
    state = static.state
    state = _costs(state, ask, before, static)
    state = _days(state, ask, static)
    state = _volume(state, ask, before, static)
    state = _coding(state, ask, static)
    state = _splitting(state, ask, static)
    return _shift(state, ask, static, region)


def _cells(state: State) -> NDArray[np.int64]:
    """Number of each case's hospital and group."""
    return (state.hospital.ids.astype(np.int64) + 1) * (len(state.unit.values) + 1) + state.unit.ids + 1


def _per_cell(cells: NDArray[np.int64], values: NDArray[Any], parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weighted sum of each case's cell, one value per case."""
    return np.asarray(np.bincount(cells, values.astype(np.float64) * parts)[cells])


def _change(new: NDArray[np.float64], old: NDArray[np.float64]) -> NDArray[np.float64]:
    change = np.divide(new, old, out=np.ones(new.size), where=(old > 0) & (new > 0)) - 1.0
    return np.asarray(np.clip(change, -_LIMIT, _LIMIT))


def _mean_payment(lines: Lines, cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """What a case of the hospital and group is paid on average."""
    parts = lines.state.parts
    total, count = _per_cell(cells, lines.money[Measure.PAYMENT], parts), _per_cell(cells, lines.marks.paid, parts)
    return np.divide(total, count, out=np.zeros(total.size), where=count > 0)


def _costs(state: State, ask: Mapping[str, float], before: Lines, static: Lines) -> State:
    share, elasticity = ask["cost_response.new_prospective"], ask["cost_response.elasticity"]
    if not share and not elasticity:
        return state
    cells = _cells(static.state)
    change = _change(_mean_payment(static, cells), _mean_payment(before, cells))
    newly = static.marks.priced & ~before.marks.priced
    known_before = static.marks.priced & before.marks.priced
    factor = np.where(newly, 1.0 - share, np.where(known_before, 1.0 + elasticity * change, 1.0))
    known = (state.cost != MISSING) & (factor != 1.0)
    cost, _ = round_floats(np.where(known, state.cost * factor, 0.0))
    return with_cost(state, np.where(known, np.maximum(cost, state.exempt), state.cost))


def _days(state: State, ask: Mapping[str, float], static: Lines) -> State:
    if not ask["stay.elasticity"]:
        return state
    base = static.state.cost
    change = np.divide(state.cost, base, out=np.ones(base.size), where=(base > 0) & (state.cost > 0)) - 1.0
    days = np.maximum(np.rint(state.days * (1.0 + ask["stay.elasticity"] * change)), np.minimum(state.days, 1.0))
    return replace(state, days=np.where(change != 0, days, state.days))


def _volume(state: State, ask: Mapping[str, float], before: Lines, static: Lines) -> State:
    if not ask["volume.elasticity"]:
        return state
    cells = _cells(static.state)
    ratios = []
    for lines in (static, before):
        paid = _per_cell(cells, lines.money[Measure.PAYMENT], lines.state.parts)
        cost = _per_cell(cells, lines.money[Measure.COST], lines.state.parts)
        ratios.append(np.divide(paid, cost, out=np.zeros(paid.size), where=cost > 0))
    change = np.where(static.marks.priced, _change(ratios[0], ratios[1]), 0.0)
    return replace(state, parts=np.rint(state.parts * (1.0 + ask["volume.elasticity"] * change)).astype(np.int64))


def _coding(state: State, ask: Mapping[str, float], static: Lines) -> State:
    drift = ask["coding.drift"]
    if not drift:
        return state
    target = _severer(state.unit, _unit_weights(static))
    draw = draws.uniform(state.cohort.key, SEED, "coding")
    moves = static.marks.priced & (draw < drift) & (np.append(target, -1)[state.unit.ids] >= 0)
    ids = np.where(moves, np.append(target, -1)[state.unit.ids], state.unit.ids).astype(np.int32)
    return replace(state, unit=Texts(ids, state.unit.values))


def _unit_weights(lines: Lines) -> NDArray[np.float64]:
    """Relative weight of each group that occurs, NaN where none is paid by it."""
    weight = np.full(len(lines.state.unit.values) + 1, np.nan)
    used = lines.marks.priced
    weight[lines.state.unit.ids[used]] = lines.weight[used]
    return weight[:-1]


def _severer(unit: Texts, weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of the next severer group of the same ADRG that occurs and is worth more, -1 where there is none."""
    families: dict[str, list[int]] = {}
    for place, code in enumerate(unit.values):
        if code[-1:] in SEVERITY_ORDER and not np.isnan(weight[place]):
            families.setdefault(code[:-1], []).append(place)
    target = np.full(len(unit.values), -1, np.int64)
    for members in families.values():
        members.sort(key=lambda place: SEVERITY_ORDER.index(unit.values[place][-1]))
        for severe, light in pairwise(members):
            if weight[severe] > weight[light]:
                target[light] = severe
    return target


def _splitting(state: State, ask: Mapping[str, float], static: Lines) -> State:
    share = ask["splitting.share"]
    if not share:
        return state
    loses = static.marks.priced & (static.money[Measure.PAYMENT] < static.money[Measure.COST])
    splits = loses & (draws.uniform(state.cohort.key, SEED, "splitting") < share) & (state.days >= 2)
    half = 0.5 + ask["splitting.overhead"]
    cost, _ = round_floats(np.where(splits, state.cost * half, 0.0))
    moved = with_cost(state, np.where(splits, cost, state.cost))
    return replace(
        moved, parts=np.where(splits, 2 * state.parts, state.parts), days=np.where(splits, np.ceil(state.days / 2), state.days)
    )


def _shift(state: State, ask: Mapping[str, float], static: Lines, region: Region) -> State:
    share = ask["shift.share"]
    if not share:
        return state
    levels = np.array([region.level(name) for name in state.hospital.values] + [""])
    named = np.flatnonzero(levels[:-1] == "2").tolist()
    secondary = np.array(sorted(named, key=state.hospital.values.__getitem__), np.int64)
    light = static.marks.priced & (static.weight <= ask["shift.weight"]) & (levels[state.hospital.ids] == "3")
    moves = light & (draws.uniform(state.cohort.key, SEED, "shift") < share)
    if not secondary.size or not moves.any():
        return state
    volume = np.bincount(state.hospital.ids[state.hospital.ids >= 0], minlength=len(state.hospital.values))[secondary]
    bounds = np.cumsum(volume) / volume.sum()
    draw = draws.uniform(state.cohort.key, SEED, "shift to")
    to = secondary[np.minimum(np.searchsorted(bounds, draw, side="right"), secondary.size - 1)]
    cost, _ = round_floats(np.where(moves, state.cost * ask["shift.cost"], 0.0))
    moved = with_cost(state, np.where(moves, cost, state.cost))
    hospital = Texts(np.where(moves, to, state.hospital.ids).astype(np.int32), state.hospital.values)
    return replace(moved, hospital=hospital)
