"""Records broken on purpose, in named ways, so that checks can be measured against the truth column."""

from __future__ import annotations

import numpy as np

from drgsim.records.code_dictionaries import national_codes
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns

KINDS = (
    "missing_sex",
    "sex_conflict",
    "age_conflict",
    "principal_missing",
    "unknown_code",
    "discharge_before_admission",
    "los_conflict",
    "cost_ten_times",
    "cost_zero",
    "negative_payment",
    "duplicate_id",
)


def cut_codes(codes: list[str]) -> list[str]:
    """Codes cut to the four characters of the WHO classification, as old interfaces send them.

    Examples
    --------
    >>> cut_codes(["I63.900x007", "J18.900"])
    ['I63.9', 'J18.9']
    """
    return [code[:5] for code in codes]


def grey_codes(codes: list[str]) -> list[str]:
    """The grey code (灰码) above each code, which an old front page still writes; the code itself where none is above it.

    Examples
    --------
    >>> grey_codes(["I21.300x003", "J18.900"])
    ['I21.300', 'J18.900']
    """
    grey = national_codes().diagnoses.grey
    above = [f"{code[:5]}00" for code in codes]
    return [parent if parent in grey else code for parent, code in zip(above, codes, strict=True)]


def vocabulary(plan: DrawPlan) -> list[str]:
    """Diagnosis codes by number: those of the priors, cut short, the grey ones above; none and one of no dictionary."""
    codes = plan.diagnoses
    return [*codes, *cut_codes(codes), *grey_codes(codes), "", "XX9.999"]


def miscode(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """The usual share of wrong principal diagnoses of a real region (not dirty records): cut short, grey or missing."""
    u = rng.random(len(batch["pathway"]))
    size = len(plan.diagnoses)
    principal = batch["diagnoses"][:, 0]
    free = (batch["truth"] == 0) & (principal >= 0)
    edge = 0.0
    for name, written in (
        ("cut", principal + size),
        ("grey", principal + 2 * size),
        ("none", np.full_like(principal, 3 * size)),
    ):
        share = plan.parameters[f"case_mix.{name}_code_share"]
        principal = np.where(free & (u >= edge) & (u < edge + share), written, principal)
        edge += share
    batch["diagnoses"][:, 0] = principal


def break_records(plan: DrawPlan, batch: Columns, share: float, rng: np.random.Generator) -> None:
    """Break ``share`` of the records; ``dirty`` holds 1 + the place in KINDS, 0 for sound records."""
    count = len(batch["pathway"])
    broken = np.zeros(count, dtype=bool)
    broken[rng.permutation(count)[: round(share * count)]] = True
    broken[0] = False  # the first record has no record before it to repeat
    kind = np.where(broken, 1 + (rng.random(count) * len(KINDS)).astype(np.int8), 0).astype(np.int8)
    one_sex = np.isin(plan.pathways.male, (0.0, 1.0))[batch["pathway"]]
    number = {name: place + 1 for place, name in enumerate(KINDS)}
    kind[(kind == number["sex_conflict"]) & ~one_sex] = number["missing_sex"]
    kind[(kind == number["age_conflict"]) & (batch["age"] == 0)] = number["missing_sex"]
    batch["dirty"] = kind

    def rows(name: str) -> np.ndarray:
        return np.asarray(kind == number[name])

    size = len(plan.diagnoses)
    batch["sex"] = np.where(rows("sex_conflict"), 3 - batch["sex"], batch["sex"])
    batch["sex"] = np.where(rows("missing_sex"), -1, batch["sex"])
    batch["age"] = np.where(rows("age_conflict"), (batch["age"] + 37) % 100 + 1, batch["age"])
    batch["diagnoses"][rows("principal_missing"), 0] = 3 * size
    batch["diagnoses"][rows("unknown_code"), 0] = 3 * size + 1
    swap = rows("discharge_before_admission")
    batch["admitted"][swap] = batch["discharged"][swap] + 3
    batch["los_days"] = np.where(rows("los_conflict"), batch["los_days"] + 11, batch["los_days"])
    batch["total_fen"] = np.where(rows("cost_ten_times"), batch["total_fen"] * 10, batch["total_fen"])
    batch["total_fen"] = np.where(rows("cost_zero"), 0, batch["total_fen"])
    batch["patient_fen"] = np.where(rows("negative_payment"), -batch["patient_fen"], batch["patient_fen"])
