"""What a stay costs, what the cost is made of, and who pays. Yuan while it is drawn, int64 fen from then on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drgsim.records.vocabulary import INSURANCES, PAYERS
from drgsim.synthetic.discharge_batches import Columns, draw_cases
from drgsim.synthetic.draw_plan import CATEGORIES, DrawPlan
from drgsim.synthetic.synth_tables import LEVELS, SEVERITIES, Floats

Fen = NDArray[np.int64]


def calibrated(plan: DrawPlan) -> DrawPlan:
    """The plan with costs moved so that a pilot drawn with the fixed effects seed meets ``cost.regional_mean``.

    What moves the mean without being normalised away: long stays, costly courses, age, deaths, kinds of hospitals.
    """
    rng = np.random.Generator(np.random.PCG64(int(plan.parameters["cost.effects_seed"])))
    pilot = draw_cases(plan, int(plan.parameters["cost.pilot_cases"]), rng)
    pilot["insurance"] = draw_insurance(plan, pilot["age"], rng)
    pilot["year"] = np.zeros_like(pilot["year"])
    mean = float(draw_cost(plan, pilot, rng).mean())
    return replace(plan, yuan=plan.yuan * (plan.parameters["cost.regional_mean"] / mean))


def draw_money(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``insurance, district, fen`` (cases x CATEGORIES), ``new_technology`` and ``new_technology_fen``."""
    batch["insurance"] = draw_insurance(plan, batch["age"], rng)
    count = len(batch["group"])
    near = rng.random(count) < 0.7
    anywhere = (rng.random(count) * len(plan.parameters["region.districts"])).astype(np.int32)
    batch["district"] = np.where(near, plan.hospitals.district[batch["hospital"]], anywhere)
    yuan = draw_cost(plan, batch, rng)
    batch["fen"] = split_cost(plan, batch, yuan, rng)
    _time(plan, batch, rng)


def draw_insurance(plan: DrawPlan, age: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int8]:
    """Place in INSURANCES by age."""
    grown = np.cumsum([plan.parameters["payers.insurance_share"][name] for name in INSURANCES])
    child = np.cumsum([plan.parameters["payers.child_insurance_share"][name] for name in INSURANCES])
    edges = np.where((age < 18)[:, None], child, grown)
    return np.asarray((rng.random(len(age))[:, None] >= edges).sum(axis=1).clip(0, 2).astype(np.int8))


def draw_cost(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> Floats:
    """Total cost in yuan before price cuts and new technologies.

    ``mean of the group x level x hospital x insurance x exp(stay + codes + severity + age + death + noise)``;
    each random factor has mean 1 inside its group, so that the published group means are kept.
    """
    parameters, group, level = plan.parameters, batch["group"], batch["level"]
    count = len(group)
    elastic = parameters["cost.stay_elasticity"] * parameters["stay.spread"]
    log = elastic * batch["los_z"] - elastic**2 / 2
    log = log + plan.template_effect[batch["template"]]
    usual = sum(parameters["case_mix.companion_probability"]) * 0.7
    log = log + parameters["cost.companion_effect"] * (batch["companions"] - usual)
    severity = parameters["cost.severity_effect"]
    effect = np.array([severity[s] for s in SEVERITIES])
    odds = np.diff(plan.severity_odds, axis=1, prepend=0.0)
    log = log + effect[batch["severity"]] - (odds @ effect)[group]
    log = log + parameters["cost.age_effect"] * np.where(batch["age"] >= 15, batch["age"] - 55.0, 0.0)
    log = log + parameters["cost.death_effect"] * (batch["discharge_way"] == 5)
    noise = plan.noise[group]
    log = log + noise * rng.standard_normal(count) - noise**2 / 2
    resident = np.where(batch["insurance"] == 1, parameters["cost.resident_factor"], 1.0)
    share = parameters["payers.insurance_share"]["resident"]
    resident = resident / (1 - share * (1 - parameters["cost.resident_factor"]))
    yuan = plan.yuan[group] * plan.level_factor[level] * plan.hospitals.cost_factor[batch["hospital"]] * resident
    yuan = yuan * np.exp(log) * batch["long_factor"]
    u, size = rng.random(count), rng.random(count)
    costly, early = parameters["cost.costly_course"], parameters["cost.early_end"]
    yuan = np.where(u < costly["share"], yuan * (costly["from"] + size * (costly["to"] - costly["from"])), yuan)
    broken = (u >= costly["share"]) & (u < costly["share"] + early["share"])
    yuan = np.where(broken, yuan * (early["from"] + size * (early["to"] - early["from"])), yuan)
    growth = (1 + parameters["time.cost_growth"]) ** batch["year"]
    return np.asarray(np.maximum(yuan * growth, 60.0))


def split_cost(plan: DrawPlan, batch: Columns, yuan: Floats, rng: np.random.Generator) -> Fen:
    """Fen by category; the rows sum to the total in fen exactly (what rounding leaves goes to the last category)."""
    spread = plan.parameters["cost.category_spread"]
    share = plan.category_share[batch["group"]] * np.exp(rng.normal(0.0, spread, (len(yuan), len(CATEGORIES))))
    share[:, CATEGORIES.index("operation")] *= np.where((batch["procedures"] >= 0).any(axis=1), 1.0, 0.05)
    share /= share.sum(axis=1, keepdims=True)
    total = np.rint(yuan * 100).astype(np.int64)
    fen = np.floor(share * total[:, None]).astype(np.int64)
    fen[:, -1] += total - fen.sum(axis=1)
    return fen


def _time(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Price cuts of volume-based procurement from the second year on; new technologies in the last year."""
    adrg = np.array(plan.tables.adrg)[plan.tables.adrg_of]
    fen = batch["fen"]
    for cut in plan.parameters["time.vbp"]:
        hit = np.isin(adrg, cut["adrg"])[batch["group"]] & (batch["year"] >= 1)
        place = CATEGORIES.index("consumables")
        fen[hit, place] = np.rint(fen[hit, place] * (1 - cut["fall"])).astype(np.int64)
    name = np.zeros(len(fen), dtype=np.int8)
    added = np.zeros(len(fen), dtype=np.int64)
    last = (batch["year"] == len(plan.years) - 1) & (len(plan.years) > 1) & (batch["level"] == 0)
    for number, item in enumerate(plan.parameters["time.new_technology"], start=1):
        hit = last & np.isin(adrg, item["adrg"])[batch["group"]] & (rng.random(len(fen)) < item["share"]) & (name == 0)
        amount = np.rint(item["cost"] * 100 * np.exp(rng.normal(0.0, 0.1, len(fen)))).astype(np.int64)
        name[hit] = number
        added[hit] = amount[hit]
        fen[hit, CATEGORIES.index(item["category"])] += amount[hit]
    batch["new_technology"], batch["new_technology_fen"] = name, added


def pay(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``total_fen, own_pay_fen, pre_self_pay_fen, deductible_fen, patient_fen, fund_fen``.

    ``fund = (total - own pay - pre-self-pay - deductible) x ratio``, rounded down to the fen;
    ``patient = total - fund``.
    """
    parameters = plan.parameters
    total = batch["fen"].sum(axis=1)
    level = batch["level"]
    insured = batch["insurance"] < 2
    mean_own = np.array([parameters["payers.own_pay"][x] for x in LEVELS])[level]
    own_share = np.minimum(rng.gamma(2.0, 0.5, len(total)) * mean_own, 0.6)
    pre_share = np.minimum(rng.gamma(3.0, 1 / 3, len(total)) * parameters["payers.pre_self_pay"], 0.3)
    own = np.floor(total * own_share).astype(np.int64)
    pre = np.floor((total - own) * pre_share).astype(np.int64)
    deductible = np.array([parameters["payers.deductible"][x] * 100 for x in LEVELS])[level]
    deductible = np.minimum(deductible, total - own - pre)
    ratio = np.zeros((len(INSURANCES), len(LEVELS)))
    for place, name in enumerate(PAYERS):
        ratio[place] = [parameters["payers.ratio"][name][x] for x in LEVELS]
    # ratio in ten-thousandths, so that the product is exact in integers
    tenths = np.rint(ratio * 10_000).astype(np.int64)[batch["insurance"], level]
    fund = np.where(insured, (total - own - pre - deductible) * tenths // 10_000, 0)
    batch["total_fen"], batch["fund_fen"], batch["patient_fen"] = total, fund, total - fund
    batch["own_pay_fen"] = np.where(insured, own, total)
    batch["pre_self_pay_fen"] = np.where(insured, pre, 0)
    batch["deductible_fen"] = np.where(insured, deductible, 0)
