"""What is fixed before the first batch: how likely groups are at each level, their templates, their cost factors."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.invented_hospitals import Hospitals, hospital_choices
from drgsim.synthetic.synth_parameters import Parameters
from drgsim.synthetic.synth_tables import LEVELS, SEVERITIES, Choices, Floats, Ints, Tables

CATEGORIES = ("drugs", "consumables", "examinations", "operation", "nursing", "other")


@dataclass(frozen=True)
class DrawPlan:
    """Fixed choices of a region.

    ``cells`` draws ``group * 3 + level place``; ``templates`` a template of a group; ``hospitals_of`` a hospital by
    ``letter * 3 + level place``; ``yuan`` is the mean cost of a group in level 3 in the first year,
    ``mean_stay`` (group x level) its mean stay;
    ``template_effect`` the log cost effect of a template inside its group; ``noise`` the log cost spread of a group.
    """

    parameters: Parameters
    tables: Tables
    hospitals: Hospitals
    years: tuple[int, ...]
    cells: Choices
    templates: Choices
    hospitals_of: Choices
    letter_of: Ints
    yuan: Floats
    level_factor: Floats
    mean_stay: Floats
    template_effect: Floats
    noise: Floats
    category_share: Floats
    surgical: NDArray[np.bool_]
    severity_odds: Floats
    harder: Ints
    ages: Choices
    age_bands: NDArray[np.int32]
    template_profile: Ints
    profiles: list[str]
    months: Choices


def _fixed_normal(names: Sequence[str], salt: str, seed: int) -> Floats:
    """A standard normal number per name that no run, order or region changes."""
    seeds = [zlib.crc32(f"{salt}:{name}".encode()) for name in names]
    return np.array([np.random.default_rng([seed, s]).standard_normal() for s in seeds])


def _cases(tables: Tables, parameters: Parameters, levels_present: list[bool]) -> Floats:
    """Expected share of every group x level, published volumes changed where the parameters say so; sums to 1."""
    letters = [name[0] for name in tables.drg]
    cases = tables.cases.copy()
    many, first = parameters["case_mix.mdc_multiplier"], parameters["case_mix.level_1_multiplier"]
    only_third = set(parameters["case_mix.level_3_only"])
    normal = np.array([not name.endswith("QY") and name != "0000" for name in tables.drg])
    for row, letter in enumerate(letters):
        cases[row] *= many.get(letter, 1.0)
        cases[row, 2] *= first.get(letter, 1.0)
        if letter in only_third:
            cases[row] = [cases[row].sum(), 0.0, 0.0]
    floor = parameters["case_mix.floor_cases"]
    cases[:, 0] += np.where(normal & (cases.sum(axis=1) < floor), floor - cases.sum(axis=1), 0.0)
    total = cases.sum()
    by_letter = {letter: cases[[x == letter for x in letters]].sum(axis=0) for letter in set(letters)}
    for row, name in enumerate(tables.drg):
        if name == "0000":
            cases[row] = cases[normal].sum(axis=0) / total
    ungroupable = np.array([name == "0000" for name in tables.drg])
    ambiguous = ~normal & ~ungroupable
    for place in np.flatnonzero(ambiguous):
        cases[place] = by_letter[letters[place]]
    cases[ambiguous] *= parameters["case_mix.ambiguous_share"] / cases[ambiguous].sum()
    cases[ungroupable] *= parameters["case_mix.ungroupable_share"] / cases[ungroupable].sum()
    rest = 1.0 - parameters["case_mix.ambiguous_share"] - parameters["case_mix.ungroupable_share"]
    cases[normal] *= rest / cases[normal].sum()
    present = np.array(levels_present)
    missing = cases[:, ~present].sum(axis=1)
    cases[:, ~present] = 0.0
    cases[:, int(np.flatnonzero(present)[0])] += missing
    return np.asarray(cases / cases.sum())


def _category_share(tables: Tables, parameters: Parameters, surgical: NDArray[np.bool_]) -> Floats:
    shares = parameters["cost.categories"]
    devices, drugs = tuple(parameters["cost.device_groups"]), tuple(parameters["cost.drug_groups"])
    out = []
    for name, operated in zip(tables.drg, surgical, strict=True):
        kind = "surgical" if operated else "medical"
        if name[1] in "KLMNPQ" and name[2:] != "QY":
            kind = "procedure"
        if name.startswith(devices):
            kind = "devices"
        elif name.startswith(drugs):
            kind = "oncology_drugs"
        out.append([shares[kind][category] for category in CATEGORIES])
    return np.array(out)


def _mean_over_levels(cases: Floats, factor: Floats, otherwise: float) -> Floats:
    """Mean of a factor by level over the cases of each group; ``otherwise`` for a group without cases."""
    by_group = cases.sum(axis=1)
    safe = np.where(by_group > 0, by_group, 1.0)
    return np.where(by_group > 0, (cases * factor).sum(axis=1) / safe, otherwise)


def _template_effect(tables: Tables, parameters: Parameters, by_adrg: Sequence[NDArray[np.integer]], seed: int) -> Floats:
    """Log cost effect of each template by its diagnosis and principal procedure; its mean over an ADRG is no effect."""
    dx = _fixed_normal(tables.diagnoses, "diagnosis", seed) * parameters["cost.diagnosis_spread"]
    px = _fixed_normal(tables.procedures, "procedure", seed) * parameters["cost.procedure_spread"]
    main = tables.template_procedures[:, 0]
    effect: Floats = dx[tables.template_diagnosis] + np.where(main >= 0, px[main], 0.0)
    for rows in by_adrg:
        if len(rows):
            effect[rows] -= np.log(np.average(np.exp(effect[rows]), weights=tables.template_weight[rows]))
    return effect


def _noise(tables: Tables, parameters: Parameters, index: Floats, seed: int) -> Floats:
    """Log cost spread of each group: it grows with cost, and differs where a device makes most of the cost."""
    noise = parameters["cost.noise"]
    draw = np.abs(_fixed_normal(tables.drg, "group", seed)) * noise["spread"]
    spread = noise["base"] + noise["per_log_index"] * np.maximum(np.log(index), 0.0) + draw
    devices = tuple(parameters["cost.device_groups"])
    spread *= np.where([name.startswith(devices) for name in tables.drg], noise["devices"], 1.0)
    return np.asarray(np.clip(spread, noise["lowest"], noise["highest"]))


def make_plan(tables: Tables, parameters: Parameters, hospitals: Hospitals, years: tuple[int, ...]) -> DrawPlan:
    """Work out everything that the batches share."""
    cases = _cases(tables, parameters, hospitals.levels_present())
    groups = len(tables.drg)
    letters = sorted({name[0] for name in tables.drg})
    seed = int(parameters["cost.effects_seed"])

    by_adrg = [np.flatnonzero(tables.template_adrg == a) for a in range(len(tables.adrg))]
    hardest = np.where(tables.allowed, np.arange(3), -1).max(axis=1)
    easiest = np.where(tables.allowed, np.arange(3), 9).min(axis=1)
    rows_of = []
    for group in range(groups):
        rows = by_adrg[tables.adrg_of[group]]
        fit = rows[(tables.template_base[rows] <= hardest[group])]
        rows_of.append(fit if len(fit) else rows)

    effect = _template_effect(tables, parameters, by_adrg, seed)
    level = parameters["cost.level_factor"]
    level_factor = np.array([level[x] for x in LEVELS])
    mean_level = _mean_over_levels(cases, level_factor, level_factor[0])
    stay = parameters["stay.level_factor"]
    stay_factor = np.array([stay[x] for x in LEVELS])
    index = tables.cost_index / (tables.cost_index * cases.sum(axis=1)).sum()

    odds = parameters["case_mix.severity_odds"]
    allowed_odds = tables.allowed * np.array([odds[s] for s in SEVERITIES])
    surgical = np.array([name[1] in "ABCDEFGHJ" and name != "0000" for name in tables.drg])
    bands = parameters["ages"]
    profiles = list(bands)
    flat = [(low, high) for name in profiles for low, high, _ in bands[name]]
    starts = np.cumsum([0] + [len(bands[name]) for name in profiles])
    month = parameters["time.month_weight"]
    breath = parameters["time.respiratory_weight"]
    return DrawPlan(
        parameters=parameters,
        tables=tables,
        hospitals=hospitals,
        years=years,
        cells=Choices([(np.arange(groups * 3).tolist(), cases.ravel().tolist())]),
        templates=Choices([(rows.tolist(), tables.template_weight[rows].tolist()) for rows in rows_of]),
        hospitals_of=hospital_choices(hospitals, parameters, letters),
        letter_of=np.array([letters.index(name[0]) for name in tables.drg], dtype=np.int32),
        yuan=parameters["cost.regional_mean"] * index / mean_level,
        level_factor=level_factor,
        mean_stay=(tables.mean_los_days / _mean_over_levels(cases, stay_factor, 1.0))[:, None] * stay_factor,
        template_effect=effect,
        noise=_noise(tables, parameters, index, seed),
        category_share=_category_share(tables, parameters, surgical),
        surgical=surgical,
        severity_odds=np.cumsum(allowed_odds / allowed_odds.sum(axis=1, keepdims=True), axis=1),
        harder=_harder(tables, easiest, hardest),
        ages=Choices(
            [(np.arange(starts[i], starts[i + 1]).tolist(), [w for _, _, w in bands[n]]) for i, n in enumerate(profiles)]
        ),
        age_bands=np.array(flat, dtype=np.int32),
        template_profile=np.array([profiles.index(name) for name in tables.template_age], dtype=np.int32),
        profiles=profiles,
        months=Choices([(list(range(12)), month), (list(range(12)), breath)]),
    )


def _harder(tables: Tables, easiest: NDArray[np.integer], hardest: NDArray[np.integer]) -> Ints:
    """For each group the next more severe group of its ADRG, -1 when there is none: where upcoding leads."""
    out = np.full(len(tables.drg), -1, dtype=np.int32)
    for group in range(len(tables.drg)):
        siblings = np.flatnonzero(tables.adrg_of == tables.adrg_of[group])
        above = siblings[easiest[siblings] > hardest[group]]
        if len(above):
            out[group] = above[np.argmin(easiest[above])]
    return out
