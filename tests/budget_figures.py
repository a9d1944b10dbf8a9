"""Small regions for tests of budgets: figures by hand, with nothing where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    procurement = np.zeros((*shape, 3), np.int64)
    for place, entry in enumerate(entries):
        if "surplus" in entry:
            year, *amounts = entry["surplus"]
            procurement[place, list(years).index(year)] = [fen(amount) for amount in amounts]
    return HospitalFigures(
        hospitals=tuple(hospitals), names=tuple(hospitals), levels=tuple((str(entry["level"]),) for entry in entries),
        years=tuple(years), payment=payment, capitated=np.zeros_like(payment), conditions=("diabetes", "hypertension"),
        spending=np.array([[months(value) for value in entry["spending"]] for entry in entries], np.int64),
        registered=np.zeros((*shape, 2), np.int64), cost=yearly("cost", 0, 100), patient=yearly("patient", 0, 100),
        cases=yearly("cases", 100), people=yearly("people", 100), weight=yearly("weight", 100).astype(np.float64),
        weighted=yearly("weighted", 100), low_weight=yearly("low_weight", 0, 100), indicator_names=INDICATORS,
        indicators=np.full((*shape, len(INDICATORS)), np.nan), savings=yearly("savings", 0, 100), procurement=procurement,
        deductions=yearly("deductions", 0, 100), moved=yearly("moved", 0, 100), unpaid=np.zeros(shape, np.int64),
        fund=np.array([-1] * (len(years) - 1) + [fen(fund)], np.int64), insured=np.full(len(years), 1000),
    )  # fmt: skip
