"""Small regions for tests of budgets: figures by hand, with nothing where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms_model import INDICATORS
from drgsim.money import fen
from drgsim.region.hospital_year_sums import MONTHS


def months(yuan: float) -> list[int]:
    """An amount spread evenly over the months, to the fen."""
    whole = fen(yuan)
    return [whole // MONTHS + (month < whole % MONTHS) for month in range(MONTHS)]


def figures(years: Sequence[int], hospitals: Mapping[str, Mapping[str, Any]], fund: float) -> HospitalFigures:
    """Figures of hospitals that state lists by year; see tests/cases/budget/years.yaml."""
    shape = (len(hospitals), len(years))
    entries = list(hospitals.values())

    def yearly(name: str, default: int, scale: int = 1) -> np.ndarray:
        return np.array([[round(scale * value) for value in entry.get(name, [default] * len(years))] for entry in entries])

    payment = np.zeros((*shape, MONTHS, len(UNITS)), np.int64)
    payment[..., UNITS.index("drg")] = [[months(value) for value in entry["due"]] for entry in entries]
    nothing = [0] * len(years)
    stated = np.zeros_like(payment)
    outpatient = [[months(value) for value in entry.get("outpatient", nothing)] for entry in entries]
    stated[..., UNITS.index("outpatient")] = outpatient
    payment += stated
    procurement = np.zeros((*shape, 3), np.int64)
    for place, entry in enumerate(entries):
        if "surplus" in entry:
            year, *amounts = entry["surplus"]
            procurement[place, list(years).index(year)] = [fen(amount) for amount in amounts]
    return HospitalFigures(
        hospitals=tuple(hospitals), names=tuple(hospitals), levels=tuple((str(entry["level"]),) for entry in entries),
        years=tuple(years), payment=payment, capitated=np.zeros_like(payment), conditions=("diabetes", "hypertension"),
        spending=np.array([[months(value) for value in entry["spending"]] for entry in entries], np.int64) + stated.sum(axis=3),
        registered=np.zeros((*shape, 2), np.int64), cost=yearly("cost", 0, 100), patient=yearly("patient", 0, 100),
        cases=yearly("cases", 100), people=yearly("people", 100), weight=yearly("weight", 100).astype(np.float64),
        weighted=yearly("weighted", 100), low_weight=yearly("low_weight", 0, 100), indicator_names=INDICATORS,
        indicators=np.full((*shape, len(INDICATORS)), np.nan), savings=yearly("savings", 0, 100), procurement=procurement,
        stated=stated, visits=yearly("visits", 0), heads=yearly("heads", 0), outpatient_cost=yearly("outpatient", 0, 100),
        bills=np.array([[months(value) for value in entry.get("bills", nothing)] for entry in entries], np.int64),
        others=np.array([[months(value) for value in entry.get("others", nothing)] for entry in entries], np.int64),
        negotiated=yearly("negotiated", 0, 100),
        negotiated_share=np.array([entry.get("negotiated_share", nothing) for entry in entries], np.float64),
        deductions=yearly("deductions", 0, 100), moved=yearly("moved", 0, 100), unpaid=np.zeros(shape, np.int64),
        fund=np.array([-1] * (len(years) - 1) + [fen(fund)], np.int64), insured=np.full(len(years), 1000),
    )  # fmt: skip


SAME_IN_POOLS = ("indicators", "negotiated_share")  # not a sum of the pools'


def in_pools(whole: HospitalFigures, share: float = 0.4) -> HospitalFigures:
    """The figures with a pool of employees, who have about a share of everything, and one of residents, who have the rest."""
    parts: dict[str, dict[str, Any]] = {"employee": {}, "resident": {}}
    for each in fields(whole):
        values = getattr(whole, each.name)
        if not isinstance(values, np.ndarray) or each.name in SAME_IN_POOLS:
            continue
        first = (values * share).astype(values.dtype)
        rest = values - first
        if each.name == "fund":
            first, rest = np.where(values < 0, -1, first), np.where(values < 0, -1, rest)
        parts["employee"][each.name], parts["resident"][each.name] = first, rest
    return replace(whole, pools={payer: replace(whole, **arrays) for payer, arrays in parts.items()})
