"""Invented hospitals of the synthetic region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.care_pathways import LEVELS
from drgsim.synthetic.choices import Choices, Floats, Ints
from drgsim.synthetic.people_file import CodingHabit
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.synth_parameters import Parameters

GRADES = ("甲等", "乙等")


@dataclass(frozen=True)
class Hospitals:
    """One entry per hospital.

    Attributes
    ----------
    style
        (hospitals, CATEGORIES) factor on costs, mean about 1.
    stay
        Factor on days, mean about 1.
    habit
        Factor on what is not always written down.
    propensity
        To planted behaviour.
    """

    id: list[str]
    name: list[str]
    level: Ints
    grade: list[str]
    kind: list[str]
    beds: Ints
    district: Ints
    style: Floats
    stay: Floats
    habit: Floats
    propensity: Floats

    def __len__(self) -> int:
        return len(self.id)

    def members(self, of: Mapping[str, int]) -> list[str]:
        """Policies that each hospital is a member of, parted by ``;``; of level 3 and 2 as many as each policy has members."""
        place = {number: rank for rank, number in enumerate(np.flatnonzero(self.level > 1).tolist())}
        return [";".join(name for name, count in of.items() if place.get(i, count) < count) for i in range(len(self))]

    def levels_present(self) -> list[bool]:
        """Whether level 3, 2, 1 has a hospital."""
        return [bool(np.any(self.level == level)) for level in LEVELS]


def _levels(count: int, share: dict[int, float]) -> list[int]:
    third = max(1, round(share[3] * count))
    first = min(round(share[1] * count), count - third)
    return [3] * third + [2] * (count - third - first) + [1] * first


def _kinds(levels: list[int]) -> list[str]:
    """Special hospitals take their place behind the first general ones of level 3 and 2."""
    kinds = []
    special: dict[int, dict[int, str]] = {
        3: {2: "oncology", 3: "maternity", 4: "tcm"},
        2: {1: "tcm", 2: "maternity", 4: "orthopaedic", 7: "tcm"},
        1: {},
    }
    for place, level in enumerate(levels):
        within = place - levels.index(level)
        kinds.append("township" if level == 1 else special[level].get(within, "general"))
    return kinds


def _spread(rng: np.random.Generator, spread: float, count: int) -> Floats:
    """Log-normal factors with a mean of about 1."""
    return np.asarray(np.exp(rng.normal(0.0, spread, count) - spread**2 / 2))


def make_hospitals(count: int, parameters: Parameters, habit: CodingHabit, rng: np.random.Generator) -> Hospitals:
    """Draw ``count`` hospitals: about a quarter of level 3, a third of level 1, the rest level 2."""
    levels = _levels(count, parameters["hospitals.level_share"])
    kinds = _kinds(levels)
    titles = {key: kind["title"] for key, kind in parameters["hospitals.kinds"].items()}
    districts = parameters["region.districts"]
    city = parameters["region.name"]
    district = np.array([i % len(districts) for i in range(count)], dtype=np.int32)
    names = []
    seen: dict[str, int] = {}
    for kind, level, place in zip(kinds, levels, district, strict=True):
        stem = city if level == 3 else city + districts[place]
        seen[stem + kind] = seen.get(stem + kind, 0) + 1
        number = seen[stem + kind]
        names.append(f"{stem}第{number}{titles[kind]}（合成）")
    beds = parameters["hospitals.beds"]
    drawn = [round(float(rng.uniform(*beds[level])) / 10) * 10 for level in levels]
    grade = rng.random(count) < parameters["hospitals.grade_a_share"]
    spread = parameters["hospitals.cost_spread"]
    factor = _spread(rng, spread, count)
    leaning = parameters["hospitals.style_spread"]
    style = factor[:, None] * np.stack([_spread(rng, leaning[name], count) for name in CATEGORIES], axis=1)
    by_level = {int(level): factor for level, factor in habit.level.items()}
    usual = np.array([by_level[level] for level in levels])
    concentration = parameters["behaviour.concentration"]
    return Hospitals(
        id=[f"H{i + 1:03d}" for i in range(count)],
        name=names,
        level=np.array(levels, dtype=np.int32),
        grade=[GRADES[0] if best else GRADES[1] for best in grade],
        kind=[titles[kind] for kind in kinds],
        beds=np.array(drawn, dtype=np.int32),
        district=district,
        style=style,
        stay=_spread(rng, parameters["hospitals.stay_spread"], count),
        habit=usual * np.exp(rng.normal(0.0, habit.spread, count)),
        propensity=np.exp(rng.normal(0.0, concentration, count)),
    )


def hospital_choices(hospitals: Hospitals, parameters: Parameters, wards: Sequence[str]) -> Choices:
    """List ``ward number * 3 + level place``: hospitals of the level, by beds and by what their kind treats."""
    kinds = {kind["title"]: kind["affinity"] for kind in parameters["hospitals.kinds"].values()}
    lists: list[tuple[list[int], list[float]]] = []
    for ward in wards:
        for level in LEVELS:
            rows = [i for i in range(len(hospitals)) if hospitals.level[i] == level]
            weights = []
            for i in rows:
                affinity = kinds[hospitals.kind[i]]
                weights.append(float(hospitals.beds[i]) * affinity.get(ward, affinity.get("default", 1.0)))
            lists.append((rows, weights))
    return Choices(lists)
