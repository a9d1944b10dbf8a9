"""On which day people are admitted: growth, months, seasons of diseases, days of the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.choices import Choices, Floats, Ints
from drgsim.synthetic.pathway_arrays import SEASONS, PathwayArrays
from drgsim.synthetic.synth_parameters import Parameters

KINDS_OF_ADMISSION = ("emergency", "elective", "operation")
MONDAY = 4  # 1970-01-05: day 4 since 1970 is a Monday


@dataclass(frozen=True)
class AdmissionDays:
    """Lists ``kind of admission * len(SEASONS) + season`` of days since 1970.

    Attributes
    ----------
    first, last
        First and last day of the region's years.
    seasonal
        (pathways,) share of cases drawn from the list of the pathway's season instead of the flat one.
    """

    days: Choices
    first: int
    last: int
    seasonal: Floats


def season_shape(month: Floats, peak: float) -> Floats:
    """How much of the peak a month (0 January) has: 1 at the peak, 0 half a year away."""
    return np.asarray((1 + np.cos(2 * np.pi * (month - peak) / 12)) / 2)


def admission_days(years: tuple[int, ...], parameters: Parameters, pathways: PathwayArrays) -> AdmissionDays:
    """Weights of every day, so that the months of a pathway are ``flat * (1 + (peak - 1) * shape)``."""
    day = np.arange(np.datetime64(f"{years[0]}-01-01", "D"), np.datetime64(f"{years[-1] + 1}-01-01", "D"))
    number = day.astype(np.int64)
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970 - years[0]
    length = np.bincount(month)[month]
    flat = np.array(parameters["time.month_weight"])[month] / length * (1 + parameters["time.volume_growth"]) ** year
    peaks = parameters["time.season_peak"]
    shapes = [np.ones(len(day)), *(season_shape(month.astype(float), peaks[name]) for name in SEASONS[1:])]
    weekday = (number - MONDAY) % 7
    lists = []
    for kind in KINDS_OF_ADMISSION:
        within_week = np.array(parameters["time.weekday_weight"][kind])[weekday]
        lists += [(number.tolist(), (flat * shape * within_week).tolist()) for shape in shapes]
    mean = np.array([(flat * shape).sum() / flat.sum() for shape in shapes])
    added = (pathways.peak - 1) * mean[pathways.season]
    return AdmissionDays(Choices(lists), int(number[0]), int(number[-1]), added / (1 + added))


def draw_admissions(plan: AdmissionDays, pathways: PathwayArrays, pathway: Ints, rng: np.random.Generator) -> Ints:
    """Days of admission of cases of these pathways."""
    count = len(pathway)
    emergency = rng.random(count) < pathways.emergency[pathway]
    kind = np.where(emergency, 0, np.where(pathways.surgical[pathway], 2, 1))
    season = np.where(rng.random(count) < plan.seasonal[pathway], pathways.season[pathway], 0)
    return plan.days.draw(kind * len(SEASONS) + season, rng.random(count))
