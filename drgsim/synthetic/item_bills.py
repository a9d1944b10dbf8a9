"""What the items of a record cost: admission, days, intensive care, procedures, complications; no group is looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drgsim.records.vocabulary import INSURANCES
from drgsim.synthetic.choices import Floats
from drgsim.synthetic.discharge_batches import draw_cases
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.price_changes import CONSUMABLES, add_technologies, cut_prices
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.sparse_columns import Columns
from drgsim.synthetic.stay_payers import draw_insurance

OPERATION, NURSING = CATEGORIES.index("operation"), CATEGORIES.index("nursing")
HOURS = 24
LEAST_FEN = 6_000


def item_bill(plan: DrawPlan, batch: Columns) -> tuple[Floats, Floats]:
    """Yuan by category at level 3 in the first year, without noise.

    ``admission and one-off items + days x ward + days of intensive care + days of ventilation + procedures + complications``;
    days of intensive care take the place of days in the ward, and of the operation fees only the dearest counts in full.

    Returns
    -------
    tuple
        (cases, 6) yuan in the order of CATEGORIES, and (cases, cuts) the part of the consumables under each price cut.
    """
    prices, pathway = plan.prices, batch["pathway"]
    days = batch["los_days"].astype(np.float64)
    intensive = np.minimum(np.maximum(batch["icu_hours"], 0) / HOURS, days)
    aired = np.maximum(batch["ventilator_hours"], 0) / HOURS
    in_ward = prices.day[pathway] * _heavier(plan, batch) * _earlier(plan, batch, days)
    yuan: Floats = prices.once[pathway] + (days - intensive)[:, None] * in_ward
    yuan += intensive[:, None] * prices.icu_day + aired[:, None] * prices.ventilator_day + batch["added_yuan"]
    device = np.zeros((len(days), len(plan.changes.falls)))
    fees, dearest = np.zeros(len(days)), np.zeros(len(days))
    for column in batch["procedures"].T:
        rows = np.flatnonzero(column >= 0)
        code = column[rows]
        price = prices.procedure[code]
        yuan[rows] += price + prices.daily[code] * days[rows, None]
        fees[rows] += price[:, OPERATION]
        dearest[rows] = np.maximum(dearest[rows], price[:, OPERATION])
        cut = plan.changes.cut_of[code]
        under = cut >= 0
        device[rows[under], cut[under]] += price[under, CONSUMABLES]
    yuan[:, OPERATION] -= (fees - dearest) * (1 - prices.second_operation)
    return yuan, device


def _heavier(plan: DrawPlan, batch: Columns) -> Floats:
    """Factor on a day in the ward: the severely ill get more drugs and examinations; its mean is 1."""
    effect = plan.parameters["cost.severity_effect"]
    factor = np.exp(effect * batch["severity"] - effect**2 / 2)
    out = np.ones((len(factor), len(CATEGORIES)))
    for name in ("drugs", "examinations"):
        out[:, CATEGORIES.index(name)] = factor
    return out


def _earlier(plan: DrawPlan, batch: Columns, days: Floats) -> Floats:
    """Factor on a day in the ward: days of short stays hold more than those of long ones; bed and nursing cost the same."""
    usual = plan.pathways.stay[batch["pathway"], batch["level"]]
    out = np.ones((len(days), len(CATEGORIES)))
    out[:] = (days / usual)[:, None] ** (plan.parameters["cost.days_elasticity"] - 1)
    out[:, NURSING] = 1.0
    return out


def circumstances(plan: DrawPlan, batch: Columns, bill: Floats, rng: np.random.Generator) -> Floats:
    """(cases, 6) factor on prices: level, hospital's style, year, payer and chance; ``bill`` is the sum of the items."""
    parameters = plan.parameters
    count = len(batch["pathway"])
    course, by_category = parameters["cost.noise"], parameters["cost.category_noise"]
    dearer = np.maximum(np.log(np.maximum(bill, 1.0) / plan.priors.prices.mean_bill.yuan), 0.0)
    noise = np.minimum(course["base"] + course["per_log_bill"] * dearer, course["highest"])
    spread = np.array([by_category[name] for name in CATEGORIES])
    log = noise * rng.standard_normal(count) - noise**2 / 2
    log = log[:, None] + spread * rng.standard_normal((count, len(CATEGORIES))) - spread**2 / 2
    resident = parameters["cost.resident_factor"]
    usual = 1 - parameters["payers.insurance_share"]["resident"] * (1 - resident)
    common = np.where(batch["insurance"] == INSURANCES.index("resident"), resident, 1.0) / usual
    u, size = rng.random(count), rng.random(count)
    costly, early = parameters["cost.costly_course"], parameters["cost.early_end"]
    common = np.where(u < costly["share"], common * (costly["from"] + size * (costly["to"] - costly["from"])), common)
    broken = (u >= costly["share"]) & (u < costly["share"] + early["share"])
    common = np.where(broken, common * (early["from"] + size * (early["to"] - early["from"])), common)
    common = common * plan.price * (1 + parameters["time.cost_growth"]) ** batch["year"]
    factor: Floats = np.exp(log) * plan.prices.level[batch["level"]] * plan.hospitals.style[batch["hospital"]]
    return np.asarray(factor * common[:, None])


def draw_bill(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``insurance, district, fen`` (cases x CATEGORIES), ``device_fen``, ``new_technology`` and ``new_technology_fen``."""
    count = len(batch["pathway"])
    batch["insurance"] = draw_insurance(plan, batch["age"], rng)
    near = rng.random(count) < 0.7
    anywhere = (rng.random(count) * len(plan.parameters["region.districts"])).astype(np.int32)
    batch["district"] = np.where(near, plan.hospitals.district[batch["hospital"]], anywhere)
    _fen(plan, batch, rng)
    cut_prices(plan.changes, batch)
    add_technologies(plan.changes, plan.parameters, batch, len(plan.years) - 1, rng)


def _fen(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    yuan, device = item_bill(plan, batch)
    factor = circumstances(plan, batch, yuan.sum(axis=1), rng)
    fen = np.rint(yuan * factor * 100).astype(np.int64)
    fen[:, -1] += np.maximum(LEAST_FEN - fen.sum(axis=1), 0)
    batch["fen"] = fen
    batch["device_fen"] = np.floor(device * factor[:, [CONSUMABLES]] * 100).astype(np.int64)


def calibrated(plan: DrawPlan) -> DrawPlan:
    """The plan with all prices moved by one factor, so that a pilot drawn with the fixed pilot seed meets the mean bill."""
    rng = np.random.Generator(np.random.PCG64(int(plan.parameters["cost.pilot_seed"])))
    pilot = draw_cases(plan, int(plan.parameters["cost.pilot_cases"]), rng)
    pilot["insurance"] = draw_insurance(plan, pilot["age"], rng)
    pilot["year"] = np.zeros_like(pilot["year"])
    _fen(plan, pilot, rng)
    mean = float(pilot["fen"].sum(axis=1).mean()) / 100
    return replace(plan, price=plan.price * plan.priors.prices.mean_bill.yuan / mean)
