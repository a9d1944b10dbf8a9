"""One batch of discharges: who, where, when, and the codes that a ward would write. No loop over cases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.synth_tables import SEVERITIES, WHO, Choices

Columns = dict[str, NDArray[Any]]
PLAIN_SLOTS = 5


def draw_cases(plan: DrawPlan, count: int, rng: np.random.Generator) -> Columns:
    """Draw ``count`` cases with group, template, person, hospital, dates and codes.

    Columns: ``group, template, level`` (place in LEVELS), ``hospital, severity`` (0 none, 1 CC, 2 MCC), ``sex, age,
    age_days, birth_weight_g, admission_weight_g, discharged, admitted`` (days since 1970), ``los_days, los_z``,
    ``diagnoses`` and ``procedures`` (code numbers, -1 for none), ``discharge_way``, and ``icu_hours`` and
    ``ventilator_hours`` (-1: none).
    """
    cell = plan.cells.draw(np.zeros(count, dtype=np.int32), rng.random(count))
    batch: Columns = {"group": cell // 3, "level": cell % 3}
    group, level = batch["group"], batch["level"]
    batch["template"] = plan.templates.draw(group, rng.random(count))
    batch["hospital"] = plan.hospitals_of.draw(plan.letter_of[group] * 3 + level, rng.random(count))
    _person(plan, batch, rng)
    _dates(plan, batch, rng)
    _codes(plan, batch, rng)
    _course(plan, batch, rng)
    return batch


def _person(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    tables, template = plan.tables, batch["template"]
    count = len(template)
    profile = plan.template_profile[template]
    band = plan.age_bands[plan.ages.draw(profile, rng.random(count))]
    age = band[:, 0] + (rng.random(count) * (band[:, 1] - band[:, 0] + 1)).astype(np.int32)
    age = np.maximum(age, tables.template_min_age[template]).astype(np.int32)
    newborn = profile == plan.profiles.index("newborn")
    days = np.where(newborn, np.minimum(rng.exponential(4.0, count), 28), 29 + rng.random(count) * 335).astype(np.int32)
    batch["age"] = age
    batch["age_days"] = np.where(age == 0, days, -1).astype(np.int32)
    batch["sex"] = np.where(rng.random(count) < tables.template_male_share[template], 1, 2).astype(np.int8)
    weight = np.clip(rng.normal(3280, 420, count), 2510, 4600)
    adrg = np.array(tables.adrg)[tables.template_adrg]
    for name, low, high in (("PS1", 700, 1490), ("PS2", 1510, 1990), ("PS3", 2010, 2490), ("PS4", 2510, 3200)):
        weight = np.where((adrg == name)[template], low + rng.random(count) * (high - low), weight)
    birth = (weight / 10).astype(np.int32) * 10
    batch["birth_weight_g"] = np.where(newborn, birth, -1).astype(np.int32)
    gained = (birth * (0.96 + 0.1 * rng.random(count)) / 10).astype(np.int32) * 10
    batch["admission_weight_g"] = np.where(newborn, gained, -1).astype(np.int32)
    who = np.zeros(count, dtype=np.int32)
    who[age < 15] = WHO.index("child")
    who[profile == plan.profiles.index("mother")] = WHO.index("mother")
    who[newborn] = WHO.index("newborn")
    batch["who"] = who


def _dates(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    parameters, group = plan.parameters, batch["group"]
    count = len(group)
    growth = (1 + parameters["time.volume_growth"]) ** np.arange(len(plan.years))
    year = Choices([(list(range(len(plan.years))), growth.tolist())]).draw(np.zeros(count, np.int32), rng.random(count))
    breath = np.array([name[0] == "E" for name in plan.tables.drg])[group]
    month = plan.months.draw(breath.astype(np.int32), rng.random(count))
    first = np.array([[np.datetime64(f"{y}-{m:02d}-01", "D") for m in range(1, 13)] for y in plan.years]).astype(np.int64)
    after = np.concatenate([first[:, 1:], first[:, -1:] + 31], axis=1)
    discharged = first[year, month] + (rng.random(count) * (after - first)[year, month]).astype(np.int64)
    spread = parameters["stay.spread"]
    z = rng.standard_normal(count)
    mean = plan.mean_stay[group, batch["level"]]
    los = np.maximum(np.rint(mean * np.exp(spread * z - spread**2 / 2)), 1.0)
    slow = (rng.random(count) < parameters["stay.over_60_share"] / 0.8) & (batch["age"] >= 15) & (batch["who"] == 0)
    long_stay = np.minimum(61 + rng.exponential(parameters["stay.over_60_tail_days"], count), 300)
    los = np.where(slow, long_stay, los).astype(np.int32)
    batch["year"] = year
    batch["long_factor"] = np.where(slow, (los / mean) ** parameters["cost.stay_elasticity"], 1.0)
    batch["los_z"] = np.where(slow, 0.0, z)
    batch["los_days"] = los
    batch["discharged"] = discharged
    batch["admitted"] = discharged - los


def _codes(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    tables, parameters = plan.tables, plan.parameters
    group, template, who = batch["group"], batch["template"], batch["who"]
    count = len(group)
    drawn = (rng.random(count)[:, None] >= plan.severity_odds[group]).sum(axis=1).clip(0, 2)
    severity = np.maximum(drawn, tables.template_base[template]).astype(np.int32)
    adrg = tables.adrg_of[group]

    def pick(level: int, wanted: NDArray[np.bool_]) -> NDArray[np.int32]:
        code = tables.pools.draw(tables.pool_of[adrg, who, level], rng.random(count))
        adult = tables.pools.draw(tables.pool_of[adrg, np.zeros_like(who), level], rng.random(count))
        code = np.where((code < 0) & (level > 0) & (who == WHO.index("child")), adult, code)
        return np.where(wanted, code, -1).astype(np.int32)

    means = parameters["case_mix.plain_diagnoses"]
    mean = np.array([means["adult"], means["child"], means["mother"], means["newborn"]])[who]
    mean = np.where((who == 0) & (batch["age"] >= 65), means["elder"], mean)
    plain = rng.poisson(mean)
    needs_cc = (severity == 1) & (tables.template_base[template] < 1)
    needs_mcc = (severity == 2) & (tables.template_base[template] < 2)
    columns = [
        tables.template_diagnosis[template],
        tables.template_others[template, 0],
        tables.template_others[template, 1],
    ]
    columns.append(pick(2, needs_mcc))
    columns.append(pick(1, needs_cc | ((severity == 2) & (rng.random(count) < 0.5))))
    columns.append(pick(1, (severity >= 1) & (rng.random(count) < 0.35)))
    columns += [pick(0, plain > slot) for slot in range(PLAIN_SLOTS)]
    batch["diagnoses"] = drop_repeats(np.stack(columns, axis=1))
    batch["severity"] = severity
    extra = tables.template_companions[template]
    chance = np.array(parameters["case_mix.companion_probability"])
    extra = np.where(rng.random(extra.shape) < chance, extra, -1)
    batch["companions"] = (extra >= 0).sum(axis=1)
    batch["procedures"] = drop_repeats(np.concatenate([tables.template_procedures[template], extra], axis=1))


def drop_repeats(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Set a code to -1 where the same row holds it further left."""
    out = codes.astype(np.int32, copy=True)
    for right in range(1, out.shape[1]):
        same = (out[:, :right] == out[:, right : right + 1]).any(axis=1)
        out[same, right] = -1
    return out


def _course(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Discharge way, hours in intensive care and on the ventilator."""
    parameters, group, severity = plan.parameters, batch["group"], batch["severity"]
    count = len(group)
    death = parameters["outcome.death"]
    chance = np.array([death[s] for s in SEVERITIES])[severity] * np.where(batch["age"] < 15, 0.2, 1.0)
    chance = chance * np.where(batch["who"] == WHO.index("mother"), 0.02, 1.0)
    critical = parameters["outcome.death_critical"]
    least = np.array([critical.get(name[0], 0.0) for name in plan.tables.drg])[group]
    chance = np.maximum(chance, np.where(batch["age"] >= 15, least, 0.0))
    u = rng.random(count)
    way = np.full(count, 1, dtype=np.int8)
    edge = chance
    way[u < edge] = 5
    for number, share in parameters["outcome.other_ways"].items():
        way[(u >= edge) & (u < edge + share)] = number
        edge = edge + share
    batch["discharge_way"] = way
    adrg = np.array(plan.tables.adrg)[plan.tables.adrg_of]
    long_air = (adrg == "AH2")[group]
    short_air = np.isin(adrg, ["EK1", "PK1"])[group]
    hours = np.where(long_air, 96 + rng.exponential(110, count), np.where(short_air, 4 + rng.random(count) * 90, -1))
    hours = np.minimum(hours, batch["los_days"] * 24)
    batch["ventilator_hours"] = np.where(hours > 0, np.rint(hours), -1).astype(np.int32)
    cared = (rng.random(count) < np.where(severity == 2, 0.15, 0.012)) | long_air | short_air
    icu = np.minimum(np.maximum(6 + rng.exponential(60, count), hours), batch["los_days"] * 24)
    batch["icu_hours"] = np.where(cared, np.rint(icu), -1).astype(np.int32)
    too_short = long_air & (batch["los_days"] < 5)
    batch["los_days"] = np.where(too_short, 5, batch["los_days"]).astype(np.int32)
    batch["admitted"] = batch["discharged"] - batch["los_days"]
    batch["ventilator_hours"] = np.where(too_short, 97, batch["ventilator_hours"]).astype(np.int32)
