"""What is fixed before the first batch: pathways, people, prices, hospitals and calendar as arrays, and odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.admission_days import AdmissionDays, admission_days
from drgsim.synthetic.care_pathways import LEVELS
from drgsim.synthetic.choices import NEVER, Choices, Flags, Floats, Ints, chance, intercepts, log_odds, normal_nodes
from drgsim.synthetic.invented_hospitals import Hospitals, hospital_choices
from drgsim.synthetic.pathway_arrays import CodeNumbers, PathwayArrays, diagnosis_codes, pathway_arrays, procedure_codes
from drgsim.synthetic.people_arrays import ChronicArrays, ComplicationArrays, chronic_arrays, complication_arrays, people_codes
from drgsim.synthetic.people_file import WARDS
from drgsim.synthetic.price_arrays import PriceArrays, price_arrays
from drgsim.synthetic.price_changes import PriceChanges, price_changes
from drgsim.synthetic.region_priors import RegionPriors
from drgsim.synthetic.synth_parameters import Parameters
from drgsim.units.schemes.pack import load_scheme

_BAND = ("low", "high", "weight")
_WITHIN_BAND = np.array([1 / 6, 1 / 2, 5 / 6])  # places that stand for the ages of a band
SCHEME = "chs-drg-2.0"  # whose MCC and CC lists say which companions are severe


@dataclass(frozen=True)
class DrawPlan:
    """Fixed choices of a region.

    Attributes
    ----------
    cells
        Draws ``pathway * 3 + level place``.
    hospitals_of
        Draws a hospital by ``ward * 3 + level place``.
    death, icu, ventilator
        (pathways,) log odds at mean age and usual severity, such that the prior's share is met over ages and severities.
    companion
        (pathways, companions) log odds likewise.
    base_stay
        (pathways, 3) mean days before what complications add.
    severity
        (diagnoses,) 2 MCC, 1 CC, 0 neither.
    category
        (diagnoses,) number of the three characters.
    ventilation
        (procedures,) 1 invasive ventilation below 96 hours, 2 from 96 hours on, 0 something else.
    price
        Factor on all prices, so that the pilot meets the regional mean.
    """

    parameters: Parameters
    priors: RegionPriors
    hospitals: Hospitals
    years: tuple[int, ...]
    diagnoses: list[str]
    procedures: list[str]
    pathways: PathwayArrays
    chronic: ChronicArrays
    complications: ComplicationArrays
    prices: PriceArrays
    days: AdmissionDays
    cells: Choices
    hospitals_of: Choices
    death: Floats
    icu: Floats
    ventilator: Floats
    companion: Floats
    base_stay: Floats
    severity: Ints
    category: Ints
    ventilation: Ints
    changes: PriceChanges
    price: float = 1.0


def make_plan(priors: RegionPriors, parameters: Parameters, hospitals: Hospitals, years: tuple[int, ...]) -> DrawPlan:
    """Work out everything that the batches share."""
    both = (*priors.pathways, *priors.tail)
    diagnoses = CodeNumbers(diagnosis_codes(both) | people_codes(priors.people))
    procedures = CodeNumbers(procedure_codes(both))
    listed = load_scheme(SCHEME).severities
    severity = np.array([{"MCC": 2, "CC": 1}.get(listed[c].level, 0) if c in listed else 0 for c in diagnoses.codes], np.int32)
    severe = {code for code, grade in zip(diagnoses.codes, severity, strict=True) if grade}
    arrays = pathway_arrays(priors.pathways, priors.tail, parameters["case_mix.tail_share"], (diagnoses, procedures), severe)
    complications = complication_arrays(priors.people, diagnoses)
    cases = _cells(arrays, hospitals.levels_present())
    slope = parameters["course.icu_severity"]
    return DrawPlan(
        parameters=parameters,
        priors=priors,
        hospitals=hospitals,
        years=years,
        diagnoses=diagnoses.codes,
        procedures=procedures.codes,
        pathways=arrays,
        chronic=chronic_arrays(priors.people, arrays, diagnoses),
        complications=complications,
        prices=price_arrays(priors.prices, arrays, procedures.codes),
        changes=price_changes(parameters, diagnoses.codes, procedures.codes),
        days=admission_days(years, parameters, arrays),
        cells=Choices([(np.arange(cases.size).tolist(), cases.ravel().tolist())]),
        hospitals_of=hospital_choices(hospitals, parameters, WARDS),
        death=_death(arrays, parameters["course.death_severity"]),
        icu=_tilted(arrays.icu[:, 0], slope),
        ventilator=_tilted(arrays.ventilator[:, 0], slope),
        companion=_companions(arrays, parameters),
        base_stay=_base_stay(arrays, complications, parameters),
        severity=severity,
        category=np.unique([code[:3] for code in diagnoses.codes], return_inverse=True)[1].astype(np.int32),
        ventilation=np.array([{"96.71": 1, "96.72": 2}.get(code[:5], 0) for code in procedures.codes], dtype=np.int32),
    )


def _cells(pathways: PathwayArrays, present: list[bool]) -> Floats:
    """Share of every pathway x level; levels without a hospital give theirs to the first that has one."""
    cases: Floats = pathways.cases[:, None] * pathways.levels
    there = np.array(present)
    missing = cases[:, ~there].sum(axis=1)
    cases[:, ~there] = 0.0
    cases[:, int(np.flatnonzero(there)[0])] += missing
    return cases


def _tilted(share: Floats, slope: float) -> Floats:
    """Log odds at usual severity of what grows with severity by ``slope`` and happens to ``share`` of the cases."""
    places, weight = normal_nodes()
    flat = share.ravel()
    return intercepts(flat, np.full((len(flat), 1), slope) * places[None, :], weight).reshape(share.shape)


def _death(pathways: PathwayArrays, slope: float) -> Floats:
    """Log odds of death at the pathway's mean age; its ages are those of its bands, three to a band."""
    places, weight = normal_nodes()
    out = np.full(len(pathways.pathways), NEVER)
    bands = np.array([len(one.ages) for one in pathways.pathways])
    for count in np.unique(bands):
        rows = np.flatnonzero((bands == count) & (pathways.deaths > 0))
        if not len(rows):
            continue
        each = [pathways.pathways[row].ages for row in rows]
        low, high, share = (np.array([[getattr(band, name) for band in ages] for ages in each]) for name in _BAND)
        ages = (low[:, :, None] + (high - low + 1)[:, :, None] * _WITHIN_BAND).reshape(len(rows), -1)
        share = np.repeat(share / share.sum(axis=1, keepdims=True) / len(_WITHIN_BAND), len(_WITHIN_BAND), axis=1)
        by_age = pathways.death_age[rows, None] * (ages - pathways.mean_age[rows, None])
        shift = (by_age[:, :, None] + slope * places).reshape(len(rows), -1)
        both = (share[:, :, None] * weight).reshape(len(rows), -1)
        out[rows] = intercepts(pathways.deaths[rows], shift, both)
    return out


def _companions(pathways: PathwayArrays, parameters: Parameters) -> Floats:
    """Log odds of companions; for those that follow severity and age, the spread of ages counts as more spread of severity."""
    places, weight = normal_nodes()
    slope = np.hypot(parameters["course.companion_severity"], parameters["course.companion_age"] * pathways.age_spread)
    slopes = np.broadcast_to(slope[:, None], pathways.companion_share.shape)
    plain = log_odds(pathways.companion_share)
    out: Floats = plain.copy()
    mark: Flags = pathways.companion_tilted & (plain > NEVER)
    out[mark] = intercepts(pathways.companion_share[mark], slopes[mark][:, None] * places[None, :], weight)
    return out


def _base_stay(pathways: PathwayArrays, complications: ComplicationArrays, parameters: Parameters) -> Floats:
    """Mean days such that with complications, and the shorter stays of those who die, the prior's mean is met."""
    odds = complications.log_odds[pathways.ward]
    odds = odds + complications.age * (pathways.mean_age[:, None] - complications.at_age)
    odds = odds + complications.icu * pathways.icu[:, :1] + complications.severity**2 / 2 * 0.5
    fits = (pathways.mean_age[:, None] >= complications.ages[:, 0]) & (pathways.mean_age[:, None] <= complications.ages[:, 1])
    fits &= ~complications.after_operation | pathways.surgical[:, None]
    added = (np.where(fits, chance(odds), 0.0) * complications.days).sum(axis=1)
    shorter = 1 - pathways.deaths * (1 - parameters["course.stay_death"])
    base: Floats = np.maximum(pathways.stay - added[:, None], 0.5 * pathways.stay) / shorter[:, None]
    assert base.shape[1] == len(LEVELS)
    return base
