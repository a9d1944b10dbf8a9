"""A few invented discharges for files to begin with, taken from the synthetic region that comes with drgsim."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from drgsim.assets import sample_path

LABEL = "合成数据 synthetic data, not real patients, not official"
# columns that a settlement list or front page has, in the order of a form
COLUMNS = (
    "discharge_id", "hospital_id", "patient_id", "sex", "birth_date", "age", "age_days", "birth_weight_g", "admitted",
    "discharged", "los_days", "discharge_department", "discharge_way", "insurance", "diagnoses", "procedures", "icu_hours",
    "ventilator_hours", "total_cost", "patient_paid", "fund_paid",
)  # fmt: skip


def example_cases(year: int, cases: Mapping[str, int]) -> pa.Table:
    """The first discharges of some hospitals of the synthetic region.

    Parameters
    ----------
    year
        One of the years of the region.
    cases
        Hospital -> how many.
    """
    whole = pq.read_table(sample_path("region") / f"discharges-{year}.parquet", columns=list(COLUMNS))
    of = whole["hospital_id"]
    parts = [whole.filter(pc.equal(of, hospital)).slice(0, count) for hospital, count in cases.items()]
    return pa.concat_tables(parts).replace_schema_metadata(None)
