"""Who the cases belong to: birth dates, and patients that come more than once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.synthetic.discharge_batches import Columns
from drgsim.synthetic.draw_plan import DrawPlan

Days = NDArray[np.int64]


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


def assign_patients(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``patient`` (number within the batch) and ``birth`` (days since 1970); age, sex and payer agree with them.

    A grown patient's stay may continue an earlier one of the same ADRG, sex and age that ended before it; the halves
    of a split stay belong to one patient.
    """
    count = len(batch["group"])
    age = batch["age"].astype(np.int64)
    year_days = 365.2425
    old = np.rint((age + 0.02 + 0.95 * rng.random(count)) * year_days).astype(np.int64)
    birth = batch["admitted"] - np.where(age == 0, np.maximum(batch["age_days"], 0), old)
    head = _heads(plan, batch, rng)
    if "row_of_half" in batch:
        late = batch["half"] == 2
        head[late] = head[batch["row_of_half"][late]]
    birth = birth[head]
    batch["patient"] = head
    batch["birth"] = birth
    for name in ("insurance", "district", "sex"):
        batch[name] = batch[name][head]
    years = age_in_years(birth, batch["admitted"])
    batch["age"] = np.where(batch["age"] == 0, batch["age"], np.maximum(years, 1)).astype(np.int32)


def _heads(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> NDArray[np.int64]:
    """Row of the first stay of the patient of each row."""
    count = len(batch["group"])
    adrg = plan.tables.adrg_of[batch["group"]]
    order = np.lexsort((batch["admitted"], batch["age"], batch["sex"], adrg))
    now, before = order[1:], order[:-1]
    same = (
        (adrg[now] == adrg[before]) & (batch["sex"][now] == batch["sex"][before]) & (batch["age"][now] == batch["age"][before])
    )
    same &= (batch["age"][now] >= 18) & (batch["who"][now] == 0)
    same &= batch["admitted"][now] > batch["discharged"][before]
    same &= (batch["discharge_way"][before] != 5) & (batch["half"][now] == 0) & (batch["half"][before] == 0)
    same &= rng.random(count - 1) < plan.parameters["region.people_per_patient_batch"]
    first = np.concatenate(([True], ~same))
    start = np.maximum.accumulate(np.where(first, np.arange(count), 0))
    head = np.empty(count, dtype=np.int64)
    head[order] = order[start]
    return head
