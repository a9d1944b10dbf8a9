"""The discharges of a synthetic region as a frame for its report: grouped, with levels, bands of age and names of codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import drgsim
from drgsim.records.code_dictionaries import national_codes

SEVERITIES = {"1": "MCC", "3": "CC", "5": "none"}
DIED = 5
AGE_EDGES = (0, 18, 30, 45, 55, 65, 75, 85, 200)
AGE_BANDS = ("0-17", "18-29", "30-44", "45-54", "55-64", "65-74", "75-84", "85+")


def load(folder: Path, schemes: tuple[str, ...] = ("chs-drg-2.0", "chs-drg-3.0")) -> pd.DataFrame:
    """Discharges with their groups, ``level``, ``year``, ``band``, money as float yuan and codes as tuples.

    ``drg, severity, status, reason`` are of the first scheme, ``drg:SCHEME`` of each that is there; the tuples are
    ``diagnosis_codes`` and ``procedure_codes``.
    """
    levels = pd.read_csv(folder / "hospitals.csv").set_index("id")["level"]
    table = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("discharges-*.parquet"))])
    frame = _floats(table).to_pandas()
    known = [one for one in schemes if one in drgsim.scheme_ids()]
    for scheme in known:
        answers = drgsim.group(table, scheme).to_pandas()
        if scheme == known[0]:
            frame = frame.assign(**{name: answers[name].to_numpy() for name in ("drg", "severity", "status", "reason")})
        frame[f"drg:{scheme}"] = answers["drg"].to_numpy()
    frame["level"] = frame["hospital_id"].map(levels)
    frame["year"] = pd.to_datetime(frame["discharged"]).dt.year
    frame["band"] = pd.cut(frame["age"], AGE_EDGES, right=False, labels=AGE_BANDS)
    for name in ("diagnoses", "procedures"):
        frame[f"{name[:-1] if name == 'procedures' else 'diagnosis'}_codes"] = frame[name].fillna("").map(_codes)
    return frame


def _floats(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(place, field.name, table.column(place).cast("float64"))
    return table


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.split("|") if code)


def name_of(code: str) -> str:
    """Chinese name of a diagnosis or procedure, empty when it is unknown."""
    book = national_codes()
    return book.diagnoses.name(code) or book.procedures.name(code)


def shares(lists: pd.Series, size: int | None = None) -> pd.Series:
    """Share of cases that have each code, the most frequent first; a code counts once per case."""
    flat = [code for codes in lists for code in set(codes)]
    return pd.Series(flat, dtype=object).value_counts() / max(len(lists) if size is None else size, 1)


def riv(frame: pd.DataFrame, by: str) -> float:
    """1 - squares inside groups / total squares of cost (rule book 1.3)."""
    cost = frame["total_cost"]
    inside = ((cost - cost.groupby(frame[by]).transform("mean")) ** 2).sum()
    return float(1 - inside / ((cost - cost.mean()) ** 2).sum())


def trimmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Stays up to 60 days and 5 yuan or more, then Q1 - 1.5 IQR to Q3 + 1.5 IQR inside each group (rule book 1.2)."""
    frame = frame[(frame["los_days"] <= 60) & (frame["total_cost"] >= 5)]
    q = frame.groupby("drg")["total_cost"].quantile([0.25, 0.75]).unstack()
    width = 1.5 * (q[0.75] - q[0.25])
    low, high = frame["drg"].map(q[0.25] - width), frame["drg"].map(q[0.75] + width)
    return frame[frame["total_cost"].between(low, high)]


def spread(frame: pd.DataFrame, groups: pd.Index) -> pd.Series:
    """Coefficient of variation of cost (sample standard deviation) of the named groups."""
    grouped = frame.groupby("drg")["total_cost"]
    return (grouped.std(ddof=1) / grouped.mean())[groups]


def percent(value: float, digits: int = 1) -> str:
    """A share as text; a dash where there is nothing to divide by."""
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.{digits}f} %"
