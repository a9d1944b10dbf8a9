"""The sample region as tests choose from it: by property, never by an id, year or count of today's."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

import pandas as pd

from drgsim.region.region_folder import read_region
from tests.conftest import ROOT

SAMPLE = ROOT / "data" / "samples" / "region"
YEARS = tuple(sorted(int(path.stem[-4:]) for path in SAMPLE.glob("discharges-*.parquet")))
YEAR = YEARS[-1]


def discharges(year: int = YEAR, folder: Path = SAMPLE) -> Path:
    """The discharges of a year."""
    return folder / f"discharges-{year}.parquet"


@cache
def fund_yuan(insurance: str, year: int = YEAR) -> Decimal:
    """The fund's budget of a payer as ``fund.csv`` states it, yuan."""
    table = pd.read_csv(SAMPLE / "fund.csv", dtype=str).set_index(["year", "insurance"])["budget_yuan"]
    return Decimal(str(table[str(year), insurance]))


@cache
def hospitals_by_size(level: str | None = None) -> tuple[str, ...]:
    """Hospitals of a level, or all, by their discharges of the last year, the largest first."""
    level_of = read_region(SAMPLE).hospitals
    size = pd.read_parquet(discharges(), columns=["hospital_id"]).hospital_id.value_counts()
    named = sorted(size.index[size.index.isin(list(level_of))], key=lambda name: (-size[name], name))
    return tuple(name for name in named if level in (None, str(level_of[name].level)))
