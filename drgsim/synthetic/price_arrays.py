"""Prices of items.yaml as arrays by ward, pathway and procedure; columns are CATEGORIES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.choices import Floats
from drgsim.synthetic.pathway_arrays import PathwayArrays
from drgsim.synthetic.price_list import CATEGORIES, PriceList


@dataclass(frozen=True)
class PriceArrays:
    """Yuan at level 3 in the first year.

    Attributes
    ----------
    day, once
        (pathways, 6) for a day in the ward; once for admission and what the pathway adds.
    icu_day, ventilator_day
        (6,) for 24 hours.
    procedure, daily
        (procedures, 6) once, and for each day of the stay.
    level
        (3, 6) factor at level 3, 2, 1.
    second_operation
        Factor on the operation fee of all procedures but the dearest.
    """

    day: Floats
    once: Floats
    icu_day: Floats
    ventilator_day: Floats
    procedure: Floats
    daily: Floats
    level: Floats
    second_operation: float


def price_arrays(prices: PriceList, pathways: PathwayArrays, procedures: Sequence[str]) -> PriceArrays:
    """Prices of every pathway and procedure; what a disease states of its day and admission takes the ward's place."""
    wards = {str(name): ward for name, ward in prices.wards.items()}
    used = [wards[one.ward] for one in pathways.pathways]
    day = np.array([ward.by_category for ward in used])
    nursing = CATEGORIES.index("nursing")
    own_bed = [one.day.get("bed", ward.bed) for one, ward in zip(pathways.pathways, used, strict=True)]
    own_nursing = [one.day.get("nursing", ward.nursing) for one, ward in zip(pathways.pathways, used, strict=True)]
    day = np.where(np.isnan(pathways.day), day, pathways.day)
    day[:, nursing] = np.add(own_bed, own_nursing)
    once = pathways.extra.copy()
    admission = np.array([ward.admission for ward in used])
    once[:, CATEGORIES.index("examinations")] += np.where(np.isnan(pathways.admission), admission, pathways.admission)
    procedure, daily = prices.procedure_prices(procedures)
    return PriceArrays(
        day=day,
        once=once,
        icu_day=prices.icu_day.by_category,
        ventilator_day=prices.ventilator_day.by_category,
        procedure=procedure,
        daily=daily,
        level=np.array([prices.level_factors(3), prices.level_factors(2), prices.level_factors(1)]),
        second_operation=prices.session.second_operation,
    )
