"""Batches to Parquet, with the same bytes for the same region."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drgsim.records.vocabulary import INSURANCES
from drgsim.synthetic.broken_records import KINDS, vocabulary
from drgsim.synthetic.case_course import DIED
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.people_file import WARDS
from drgsim.synthetic.planted_behaviour import TRUTHS
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.sparse_columns import Columns, join_codes

LABEL = "合成数据 synthetic data, not real patients, not official"
MONEY = pa.decimal128(12, 2)
CHILD = 15  # years, below which a child is on 儿科


def fen_to_decimal(fen: NDArray[np.int64]) -> pa.Array:
    """Fen as decimal yuan, without floats: each value becomes the 16 little-endian bytes of the decimal.

    Decimals keep the fen exact for every reader; a sum over a float column would not.
    """
    words = np.empty((len(fen), 2), dtype="<i8")
    words[:, 0] = fen
    words[:, 1] = fen >> 63
    return pa.Array.from_buffers(MONEY, len(fen), [None, pa.py_buffer(words.tobytes())])


def _numbered(prefix: Sequence[str] | str, number: NDArray[np.int64], width: int) -> pa.Array:
    text = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    if isinstance(prefix, str):
        return pc.binary_join_element_wise(pa.scalar(prefix), text, "")
    return pc.binary_join_element_wise(pa.array(prefix), text, "")


def _maybe(values: NDArray[np.integer], kind: pa.DataType) -> pa.Array:
    return pa.array(values, mask=values < 0).cast(kind)


def _words(words: Sequence[str], places: NDArray[np.integer]) -> pa.Array:
    return pa.array(words).take(pa.array(places))


def _truth(batch: Columns) -> pa.Array:
    dirty = ["", *(f"dirty:{kind}" for kind in KINDS)]
    words = ["|".join(x for x in (a, b) if x) for a in ("", *TRUTHS) for b in dirty]
    return _words(words, batch["truth"].astype(np.int64) * len(dirty) + batch["dirty"])


def _departments(plan: DrawPlan, batch: Columns) -> tuple[list[str], NDArray[np.integer], NDArray[np.integer]]:
    """Names of departments, and places of those that admitted and discharged; children of medical wards are on 儿科."""
    names = plan.parameters["departments"]
    words = [names["intensive"], names["child"], *(names["wards"][ward] for ward in WARDS)]
    ward = 2 + plan.pathways.ward[batch["pathway"]]
    child = (batch["age"] < CHILD) & ~batch["newborn"] & ~plan.pathways.surgical[batch["pathway"]]
    ward = np.where(child, 1, ward)
    return words, ward, np.where((batch["icu_hours"] > 0) & (batch["discharge_way"] == DIED), 0, ward)


def to_arrow(plan: DrawPlan, batch: Columns, first_number: int) -> pa.Table:
    """A batch as canonical columns; ``first_number`` is the running number of its first case in the region."""
    rows = len(batch["pathway"])
    number = np.arange(first_number, first_number + rows)
    duplicate = batch["dirty"] == 1 + KINDS.index("duplicate_id")
    number[duplicate] -= 1
    patient = np.asarray(batch["patient"], dtype=np.int64) + first_number
    wards, ward, left = _departments(plan, batch)
    technologies = ["", *(item["name"] for item in plan.parameters["time.new_technology"])]

    def day(name: str) -> pa.Array:
        return pa.array(batch[name].astype("datetime64[D]"))

    columns = {
        "discharge_id": _numbered("D", number, 9),
        "hospital_id": _words(plan.hospitals.id, batch["hospital"]),
        "patient_id": _numbered("P", patient, 9),
        "sex": _maybe(batch["sex"], pa.int8()),
        "birth_date": day("birth"),
        "age": pa.array(batch["age"].astype(np.int16)),
        "age_days": _maybe(batch["age_days"], pa.int16()),
        "birth_weight_g": _maybe(batch["birth_weight_g"], pa.int16()),
        "admission_weight_g": _maybe(batch["admission_weight_g"], pa.int16()),
        "admitted": day("admitted"),
        "discharged": day("discharged"),
        "los_days": pa.array(batch["los_days"].astype(np.int16)),
        "admission_department": _words(wards, ward),
        "discharge_department": _words(wards, left),
        "discharge_way": pa.array(batch["discharge_way"].astype(np.int8)),
        "insurance": _words(INSURANCES, batch["insurance"]),
        "insured_district": _words(plan.parameters["region.districts"], batch["district"]),
        "diagnoses": join_codes(batch["diagnoses"], pa.array(vocabulary(plan))),
        "procedures": join_codes(batch["procedures"], pa.array(plan.procedures)),
        "icu_hours": _maybe(batch["icu_hours"], pa.int32()),
        "ventilator_hours": _maybe(batch["ventilator_hours"], pa.int32()),
        "total_cost": fen_to_decimal(batch["total_fen"]),
        **{f"cost_{name}": fen_to_decimal(batch["fen"][:, place]) for place, name in enumerate(CATEGORIES)},
        "patient_paid": fen_to_decimal(batch["patient_fen"]),
        "fund_paid": fen_to_decimal(batch["fund_fen"]),
        "deductible_paid": fen_to_decimal(batch["deductible_fen"]),
        "pre_self_paid": fen_to_decimal(batch["pre_self_pay_fen"]),
        "own_paid": fen_to_decimal(batch["own_pay_fen"]),
        "new_technology": _words(technologies, batch["new_technology"]),
        "new_technology_cost": fen_to_decimal(batch["new_technology_fen"]),
        "truth": _truth(batch),
    }
    return pa.table(columns).replace_schema_metadata({"label": LABEL})


class YearFiles:
    """One Parquet file per year, one row group per batch; zstd, no time of writing inside."""

    def __init__(self, folder: Path, years: Sequence[int]) -> None:
        self._folder = folder
        self._years = list(years)
        self._writers: dict[int, pq.ParquetWriter] = {}

    def add(self, table: pa.Table, year: NDArray[np.integer]) -> None:
        """Append the rows of ``table`` to the files of their years (``year`` is the place among the years)."""
        for place, name in enumerate(self._years):
            part = table.filter(pa.array(year == place))
            if name not in self._writers:
                path = self._folder / f"discharges-{name}.parquet"
                self._writers[name] = pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=6)
            if part.num_rows:
                self._writers[name].write_table(part, row_group_size=max(part.num_rows, 1))

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
