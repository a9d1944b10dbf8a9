"""Years beyond the data: each from the year before by stated growth, with what the region states for it already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.outpatient_unit import PLACE
from drgsim.budgets.stated_figures import StatedFigures
from drgsim.budgets.terms import BudgetTerms
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.region.hospital_year_sums import Floats
from drgsim.region.region_folder import RegionFolder

MOST_YEARS = 20  # beyond the data
ONCE = ("deductions", "moved", "negotiated", "negotiated_share")  # what holds for the year that states it alone


def repeated(figures: HospitalFigures) -> HospitalFigures:
    """The figures with one more year, equal to the last; its fund is unknown until it is stated."""
    changed: dict[str, Any] = {"years": (*figures.years, figures.years[-1] + 1)}
    for name, values in _yearly(figures).items():
        changed[name] = np.concatenate([values, values[:, -1:]], axis=1)
    changed["fund"] = np.append(figures.fund, -1)
    changed["insured"] = np.append(figures.insured, figures.insured[-1])
    return replace(figures, **changed, pools={payer: repeated(pool) for payer, pool in figures.pools.items()})


def figures_ahead(figures: HospitalFigures, terms: BudgetTerms, region: RegionFolder, last: int) -> HospitalFigures:
    """The figures with all years up to ``last``.

    Volume, case mix, bills, prices, visits and the insured grow as ``outlook`` says; quality and procurement stay as they are.
    What the region states for these years is taken: the fund's budget, people insured, indicators, deductions, moved services
    and negotiated amounts; of the last three nothing is assumed.

    Raises
    ------
    UsageError
        ``budget-too-far-ahead``.
    """
    if last - figures.years[-1] > MOST_YEARS:
        what = text(
            "{last} lies {ahead} years beyond the data of {known}; the most are {most_years}",
            last=last,
            ahead=last - figures.years[-1],
            known=figures.years[-1],
            most_years=MOST_YEARS,
        )
        raise UsageError([Problem("budget-too-far-ahead", what, where=str(last))])
    while figures.years[-1] < last:
        figures = _next(figures, terms, region)
    return figures


def _next(figures: HospitalFigures, terms: BudgetTerms, region: RegionFolder) -> HospitalFigures:
    """One more year of all payers, and of each pool."""
    parts = np.stack([pool.spending[:, -1:].sum(axis=2) for pool in figures.pools.values()], axis=2) if figures.pools else None
    pools = {
        payer: _grown(pool, terms.of_pool(payer), StatedFigures(region, pool.hospitals, (pool.years[-1] + 1,), payer, parts))
        for payer, pool in figures.pools.items()
    }
    whole = _grown(figures, terms, StatedFigures(region, figures.hospitals, (figures.years[-1] + 1,)))
    if not pools:
        return whole
    sums = {name: sum(getattr(pool, name)[:, -1:] for pool in pools.values()) for name in _yearly(figures)}
    changed: dict[str, Any] = {
        name: np.concatenate([getattr(figures, name), values], axis=1)
        for name, values in sums.items()
        if name not in ("indicators", "negotiated_share")
    }
    pools = {payer: replace(pool, indicators=whole.indicators) for payer, pool in pools.items()}
    return replace(whole, **changed, pools=pools)


def _grown(figures: HospitalFigures, terms: BudgetTerms, stated: StatedFigures) -> HospitalFigures:
    """The figures with one more year; ``stated`` is what the region states for it."""
    spec = terms.file.outlook
    volume = 1 + figures.by_level(spec.volume)
    weight = volume * (1 + spec.case_mix.value)
    bill = weight * (1 + (spec.units if terms.file.measure.spending.value == "by_units" else spec.bills).value)
    visits = np.full(figures.size, 1 + spec.visits.value)
    insured = 1 + spec.insured.value
    factors: dict[str, Floats] = {
        **dict.fromkeys(("cases", "people", "weighted", "unpaid"), volume), "weight": weight,
        **dict.fromkeys(("bills", "others", "cost", "patient"), weight * (1 + spec.bills.value)),
        "low_weight": bill, "spending": bill, "capitated": weight * (1 + spec.units.value),
        "payment": weight * (1 + spec.units.value), "stated": weight * (1 + spec.units.value),
        **dict.fromkeys(("visits", "heads"), visits), "outpatient_cost": visits * (1 + spec.visit_cost.value),
        "registered": np.full(figures.size, insured),
    }  # fmt: skip
    longer = repeated(figures)
    arrays: dict[str, Any] = _yearly(longer)
    for name, factor in factors.items():
        arrays[name][:, -1] = _times(arrays[name][:, -1], factor)
    outpatient = _times(figures.stated[:, -1, :, PLACE], factors["outpatient_cost"])
    inside = figures.spending[:, -1] - figures.stated[:, -1, :, PLACE]
    arrays["spending"][:, -1] = _times(inside, bill) + outpatient
    for name in ("payment", "stated"):
        arrays[name][:, -1, :, PLACE] = outpatient
    entered = stated.arrays()
    for name in ONCE:
        arrays[name][:, -1] = entered[name][:, 0]
    stated.enter_indicators(figures.indicator_names, arrays["indicators"][:, -1:])
    fund, people = stated.fund()[0], stated.insured()[0]
    people = people if people else round(float(figures.insured[-1]) * insured)
    totals: dict[str, Any] = {"fund": np.append(figures.fund, fund), "insured": np.append(figures.insured, people)}
    return replace(longer, **arrays, **totals)


def _yearly(figures: HospitalFigures) -> dict[str, NDArray[Any]]:
    """All arrays by hospital and year."""
    found: Mapping[str, Any] = {each.name: getattr(figures, each.name) for each in fields(figures)}
    return {name: values for name, values in found.items() if isinstance(values, np.ndarray) and values.ndim >= 2}


def _times(values: NDArray[Any], factor: Floats) -> NDArray[Any]:
    """Values by hospital times a factor of the hospital; whole numbers stay whole."""
    result = values * factor.reshape(-1, *[1] * (values.ndim - 1))
    return np.rint(result).astype(values.dtype) if values.dtype.kind == "i" else result
