"""The code and group tables of the synthetic region as flat arrays that a batch can index without a loop over cases."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

SEVERITIES = ("none", "CC", "MCC")
WHO = ("adult", "child", "mother", "newborn")
LEVELS = (3, 2, 1)


class Choices:
    """Weighted lists that many rows draw from at once.

    The cumulative weights of list ``i`` are stored as ``i + cumulative share``, so that one ``searchsorted`` over all
    lists
    answers the draws of every row, whatever list each row asks.
    """

    def __init__(self, lists: Sequence[tuple[Sequence[int], Sequence[float]]]) -> None:
        self.size = np.array([len(items) for items, _ in lists], dtype=np.int32)
        self.start = np.concatenate(([0], np.cumsum(self.size)))[:-1].astype(np.int64)
        # a last -1, so that an empty list at the end has something to point at
        parts = [*(np.asarray(items, dtype=np.int32) for items, _ in lists), np.array([-1], dtype=np.int32)]
        self.items = np.concatenate(parts)
        steps = [np.empty(0)]
        for index, (_, weights) in enumerate(lists):
            if len(weights):
                total = np.cumsum(np.asarray(weights, dtype=np.float64))
                steps.append(index + total / total[-1])
        self.edges = np.concatenate(steps)

    def draw(self, rows: NDArray[np.integer], uniform: Floats) -> Ints:
        """One item of list ``rows[i]`` for each i; -1 where that list is empty. ``uniform`` lies in [0, 1)."""
        at = np.searchsorted(self.edges, rows + uniform * (1 - 1e-12), side="right")
        last = self.start[rows] + self.size[rows] - 1
        at = np.minimum(np.maximum(at, self.start[rows]), np.maximum(last, 0))
        return np.where(self.size[rows] > 0, self.items[at], -1).astype(np.int32)


@dataclass(frozen=True)
class Tables:
    """Everything that the batches look up.

    Groups: ``drg`` names (the last entries are ambiguous ``?QY`` groups and ``0000``), ``adrg_of`` index into ``adrg``,
    ``cost_index`` (mean cost over the regional mean), ``mean_los_days``, ``cases`` (group x level 3, 2, 1), ``allowed``
    (group x none, CC, MCC). Templates: one row each, -1 for no code. Pools: list number by ADRG, person and severity.
    """

    drg: list[str]
    adrg: list[str]
    adrg_of: Ints
    cost_index: Floats
    mean_los_days: Floats
    cases: Floats
    allowed: NDArray[np.bool_]
    diagnoses: list[str]
    procedures: list[str]
    template_adrg: Ints
    template_diagnosis: Ints
    template_others: Ints
    template_procedures: Ints
    template_companions: Ints
    template_weight: Floats
    template_male_share: Floats
    template_age: list[str]
    template_min_age: Ints
    template_base: Ints
    pool_of: Ints
    pools: Choices


def _rows(name: str) -> list[dict[str, str]]:
    with files(__package__).joinpath(name).open("r", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _matrix(rows: list[dict[str, str]], column: str, index: dict[str, int], width: int) -> Ints:
    out = np.full((len(rows), width), -1, dtype=np.int32)
    for place, row in enumerate(rows):
        for slot, code in enumerate(row[column].split("|")[:width] if row[column] else []):
            out[place, slot] = index[code]
    return out


def load_tables() -> Tables:
    """Read groups.csv, templates.csv and pools.csv of this package.

    Ambiguous groups and ``0000`` have no published numbers: cost index 1 and a stay of 8 days (assumption).
    """
    groups, templates, pools = _rows("groups.csv"), _rows("templates.csv"), _rows("pools.csv")
    known = {row["drg"] for row in groups}
    extra = [a for a in dict.fromkeys(row["adrg"] for row in templates) if a not in {drg[:3] for drg in known}]
    drg = [row["drg"] for row in groups] + extra
    adrg = list(dict.fromkeys([row["drg"][:3] for row in groups] + extra))
    place = {name: i for i, name in enumerate(adrg)}

    split_pools = [[pair.rpartition(":")[::2] for pair in row["codes"].split("|")] for row in pools]
    diagnoses = sorted(
        {row["diagnosis"] for row in templates}
        | {code for row in templates for code in row["other_diagnoses"].split("|") if code}
        | {code for pool in split_pools for code, _ in pool}
    )
    procedures = sorted({c for row in templates for key in ("procedures", "companions") for c in row[key].split("|") if c})
    dx = {code: i for i, code in enumerate(diagnoses)}
    px = {code: i for i, code in enumerate(procedures)}

    pool_of = np.full((len(adrg), len(WHO), len(SEVERITIES)), len(pools), dtype=np.int32)
    for number, row in enumerate(pools):
        pool_of[place[row["adrg"]], WHO.index(row["who"]), SEVERITIES.index(row["level"])] = number
    lists: list[tuple[Sequence[int], Sequence[float]]] = [
        ([dx[code] for code, _ in pool], [float(weight) for _, weight in pool]) for pool in split_pools
    ]
    lists.append(([], []))

    def numbers(column: str, other: float) -> Floats:
        return np.array([float(row[column]) for row in groups] + [other] * len(extra))

    cases = np.stack([numbers(f"cases_level_{level}", 0.0) for level in LEVELS], axis=1)
    severity = [row["severity"].split() for row in groups] + [list(SEVERITIES)] * len(extra)
    return Tables(
        drg=drg,
        adrg=adrg,
        adrg_of=np.array([place[row["drg"][:3]] for row in groups] + [place[a] for a in extra], dtype=np.int32),
        cost_index=numbers("cost_index", 1.0),
        mean_los_days=numbers("mean_los_days", 8.0),
        cases=cases,
        allowed=np.array([[level in levels for level in SEVERITIES] for levels in severity]),
        diagnoses=diagnoses,
        procedures=procedures,
        template_adrg=np.array([place[row["adrg"]] for row in templates], dtype=np.int32),
        template_diagnosis=np.array([dx[row["diagnosis"]] for row in templates], dtype=np.int32),
        template_others=_matrix(templates, "other_diagnoses", dx, 2),
        template_procedures=_matrix(templates, "procedures", px, 3),
        template_companions=_matrix(templates, "companions", px, 4),
        template_weight=np.array([float(row["weight"]) for row in templates]),
        template_male_share=np.array([float(row["male_share"]) for row in templates]),
        template_age=[row["age"] for row in templates],
        template_min_age=np.array([int(row["min_age"]) for row in templates], dtype=np.int32),
        template_base=np.array([SEVERITIES.index(row["base"]) for row in templates], dtype=np.int32),
        pool_of=pool_of,
        pools=Choices(lists),
    )
