"""Care pathways as flat arrays, so that a batch indexes them without a loop over cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from drgsim.synthetic.care_pathways import LEVELS, CarePathway
from drgsim.synthetic.choices import Choices, Flags, Floats, Ints
from drgsim.synthetic.people_file import WARDS
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.prior_models import Season

SEASONS: tuple[str, ...] = ("flat", *get_args(Season))
USUAL_BIRTH_WEIGHT = (2510.0, 4600.0)
SURGICAL_LETTERS = "ABCDEFGHJ"  # second letter of the ADRGs of operations


class CodeNumbers:
    """Codes by number in sorted order."""

    def __init__(self, codes: set[str]) -> None:
        self.codes = sorted(codes)
        self.number = {code: place for place, code in enumerate(self.codes)}

    def matrix(self, rows: Sequence[Sequence[str]]) -> Ints:
        """One row of code numbers for each, filled up with -1."""
        out = np.full((len(rows), max((len(row) for row in rows), default=0) or 1), -1, dtype=np.int32)
        for place, row in enumerate(rows):
            out[place, : len(row)] = [self.number[code] for code in row]
        return out


@dataclass(frozen=True)
class PathwayArrays:
    """One entry (or row) per pathway, those of the tail behind the others; -1 for no code, NaN for what is not stated.

    ``principals`` draws a diagnosis, ``sets`` a row of ``set_codes`` (procedures done together, principal first), ``ages`` a
    band of ``bands`` (first and last year) and ``newborn_band``. ``companion_tilted`` marks companions that follow severity.
    ``disease`` numbers the diseases; ``day`` is (pathways, CATEGORIES) yuan.
    """

    pathways: tuple[CarePathway, ...]
    cases: Floats
    tail: Flags
    disease: Ints
    disease_ids: list[str]
    ward: Ints
    surgical: Flags
    levels: Floats
    principals: Choices
    sets: Choices
    set_codes: Ints
    usual_codes: Ints
    usual_share: Floats
    companion_codes: Ints
    companion_share: Floats
    companion_tilted: Flags
    ages: Choices
    bands: Ints
    newborn_band: Flags
    mean_age: Floats
    age_spread: Floats
    age_limits: Ints
    male: Floats
    birth_weight: Floats
    stay: Floats
    spread: Floats
    deaths: Floats
    death_age: Floats
    readmission: Floats
    returns: Floats
    emergency: Floats
    season: Ints
    peak: Floats
    icu: Floats
    ventilator: Floats
    day: Floats
    admission: Floats
    extra: Floats

    def of_wards(self, pathway: Ints, wards: Sequence[str]) -> Flags:
        """Whether each of these pathways belongs to one of the kinds of ward."""
        return np.isin(WARDS, wards)[self.ward[pathway]]


def diagnosis_codes(pathways: Sequence[CarePathway]) -> set[str]:
    """All diagnoses that pathways may write."""
    return {code for one in pathways for code in (*one.codes, *one.companions)}


def procedure_codes(pathways: Sequence[CarePathway]) -> set[str]:
    """All procedures that pathways may write."""
    return {code for one in pathways for code in (*one.usual, *one.rare, *(c for each in one.procedures for c in each.codes))}


def pathway_arrays(
    pathways: Sequence[CarePathway],
    tail: Sequence[CarePathway],
    tail_share: float,
    numbers: tuple[CodeNumbers, CodeNumbers],
    severe: set[str],
) -> PathwayArrays:
    """Flatten pathways.

    Parameters
    ----------
    tail_share
        Share of the region's cases that the tail has.
    numbers
        Of diagnoses and procedures.
    severe
        Diagnoses that follow severity where a disease does not say which do.
    """
    both = (*pathways, *tail)
    is_tail = np.arange(len(both)) >= len(pathways)
    ids = list(dict.fromkeys(one.disease for one in both))
    place = {name: number for number, name in enumerate(ids)}
    cases = np.array([one.cases for one in both])
    for part, share in ((~is_tail, 1 - tail_share if len(tail) else 1.0), (is_tail, tail_share if len(pathways) else 1.0)):
        cases[part] *= share / cases[part].sum() if part.any() else 1.0
    return PathwayArrays(
        pathways=both,
        cases=cases,
        tail=is_tail,
        disease=np.array([place[one.disease] for one in both], dtype=np.int32),
        disease_ids=ids,
        ward=np.array([WARDS.index(one.ward) for one in both], dtype=np.int32),
        surgical=np.array([one.adrg[1] in SURGICAL_LETTERS for one in both]),
        levels=np.array([[one.levels.get(level, 0.0) for level in LEVELS] for one in both]),
        **_codes(both, numbers, severe),
        **_persons(both),
        stay=np.array([one.stay for one in both]),
        **_numbers(both, ("spread", "deaths", "death_age", "readmission", "emergency")),
        returns=np.array([np.nan if one.returns is None else one.returns for one in both]),
        season=np.array([SEASONS.index(one.peak[0]) if one.peak else 0 for one in both], dtype=np.int32),
        peak=np.array([one.peak[1] if one.peak else 1.0 for one in both]),
        icu=np.array([(one.icu.share, one.icu.hours) if one.icu else (0.0, 1.0) for one in both]),
        ventilator=np.array([(one.ventilator.share, one.ventilator.hours) if one.ventilator else (0.0, 1.0) for one in both]),
        day=np.array([[one.day.get(name, np.nan) for name in CATEGORIES] for one in both]),
        admission=np.array([np.nan if one.admission is None else one.admission for one in both]),
        extra=np.array([[one.extra.get(name, 0.0) for name in CATEGORIES] for one in both]),
    )


def _numbers(both: Sequence[CarePathway], names: Sequence[str]) -> dict[str, Any]:
    return {name: np.array([getattr(one, name) for one in both], dtype=np.float64) for name in names}


def _codes(both: Sequence[CarePathway], numbers: tuple[CodeNumbers, CodeNumbers], severe: set[str]) -> dict[str, Any]:
    """Fields of :class:`PathwayArrays` about codes."""
    diagnoses, procedures = numbers
    sets = [one.procedures for one in both]
    starts = np.cumsum([0, *(len(one) for one in sets)])
    usual = [{**one.usual, **one.rare} for one in both]
    tilted = [[code in (severe if one.severe is None else one.severe) for code in one.companions] for one in both]
    return {
        "principals": Choices([([diagnoses.number[c] for c in one.codes], list(one.codes.values())) for one in both]),
        "sets": Choices([(range(starts[i], starts[i + 1]), [each.share for each in one]) for i, one in enumerate(sets)]),
        "set_codes": procedures.matrix([each.codes for one in sets for each in one]),
        "usual_codes": procedures.matrix([list(row) for row in usual]),
        "usual_share": _padded([list(row.values()) for row in usual]),
        "companion_codes": diagnoses.matrix([list(one.companions) for one in both]),
        "companion_share": _padded([list(one.companions.values()) for one in both]),
        "companion_tilted": _padded(tilted).astype(bool),
    }


def _persons(both: Sequence[CarePathway]) -> dict[str, Any]:
    """Fields of :class:`PathwayArrays` about ages, sexes and weights."""
    bands = [band for one in both for band in one.ages]
    first = np.cumsum([0, *(len(one.ages) for one in both)])
    mean_age, age_spread = _age_moments(both)
    return {
        "ages": Choices([(range(first[i], first[i + 1]), [band.weight for band in one.ages]) for i, one in enumerate(both)]),
        "bands": np.array([(band.low, band.high) for band in bands], dtype=np.int32),
        "newborn_band": np.array([band.newborn for band in bands]),
        "mean_age": mean_age,
        "age_spread": age_spread,
        "age_limits": np.array([one.age_limits for one in both], dtype=np.int32),
        "male": np.array([one.male for one in both]),
        "birth_weight": np.array([one.birth_weight or USUAL_BIRTH_WEIGHT for one in both]),
    }


def _padded(rows: Sequence[Sequence[float]]) -> Floats:
    out = np.zeros((len(rows), max((len(row) for row in rows), default=0) or 1))
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out


def _age_moments(pathways: Sequence[CarePathway]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of age in each pathway."""
    mean, spread = [], []
    for one in pathways:
        weight = np.array([band.weight for band in one.ages])
        weight = weight / weight.sum()
        middle = np.array([(band.low + band.high) / 2 for band in one.ages])
        within = np.array([(band.high - band.low + 1) ** 2 / 12 for band in one.ages])
        mean.append(float(weight @ middle))
        spread.append(float(np.sqrt(weight @ (within + (middle - mean[-1]) ** 2))))
    return np.array(mean), np.array(spread)
