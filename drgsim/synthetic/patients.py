"""Who the cases belong to: patients and their birth dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.sparse_columns import Columns

Days = NDArray[np.int64]
YEAR_DAYS = 365.2425


def age_in_years(birth: Days, on: Days) -> NDArray[np.int32]:
    """Completed years between two days since 1970.

    Examples
    --------
    >>> day = lambda text: np.array([np.datetime64(text, "D").astype(np.int64)])
    >>> age_in_years(day("2000-03-02"), day("2024-03-01"))
    array([23], dtype=int32)
    """
    born, now = birth.astype("datetime64[D]"), on.astype("datetime64[D]")
    months = now.astype("datetime64[M]").astype(np.int64) - born.astype("datetime64[M]").astype(np.int64)
    early = (now - now.astype("datetime64[M]")) < (born - born.astype("datetime64[M]"))
    return np.asarray(((months - early) // 12).astype(np.int32))


def assign_patients(batch: Columns, rng: np.random.Generator) -> None:
    """Add ``patient`` (row of the first stay) and ``birth`` (days since 1970); age and payer agree with them."""
    head = batch["head"]
    age = batch["age"].astype(np.int64)
    old = np.rint((age + 0.02 + 0.95 * rng.random(len(age))) * YEAR_DAYS).astype(np.int64)
    birth = (batch["admitted"] - np.where(age == 0, np.maximum(batch["age_days"], 0), old))[head]
    batch["patient"], batch["birth"] = head, birth
    for name in ("insurance", "district", "sex"):
        batch[name] = batch[name][head]
    years = age_in_years(birth, batch["admitted"])
    batch["age"] = np.where(batch["age"] == 0, batch["age"], np.maximum(years, 1)).astype(np.int32)
