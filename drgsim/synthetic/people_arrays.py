"""Chronic conditions and complications of people.yaml as arrays by pathway, ward, sex, age and principal diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.choices import NEVER, Choices, Flags, Floats, Ints, intercepts, normal_nodes
from drgsim.synthetic.pathway_arrays import CodeNumbers, PathwayArrays
from drgsim.synthetic.people_file import SEXES, WARDS, PeoplePriors, WrittenCondition
from drgsim.synthetic.price_list import CATEGORIES


@dataclass(frozen=True)
class ChronicArrays:
    """Chronic conditions: (conditions,) unless said.

    Attributes
    ----------
    prevalence
        (2 sexes, bands, conditions) share of inpatients.
    factor
        (pathways, conditions) of ward and disease.
    raised
        Of each condition (other, factor): those who have ``other`` have the condition ``factor`` times as often.
    excluded
        (diagnoses, conditions) principal diagnoses with which it is not written.
    codes
        Lists ``condition * 2 + sex place`` of diagnoses.
    """

    ids: tuple[str, ...]
    band_starts: Ints
    prevalence: Floats
    factor: Floats
    written: Floats
    raised: tuple[tuple[tuple[int, float], ...], ...]
    excluded: Flags
    codes: Choices


@dataclass(frozen=True)
class ComplicationArrays:
    """Complications: (complications,) unless said; ``log_odds`` is (wards, complications) at ``at_age``, severity 0."""

    ids: tuple[str, ...]
    log_odds: Floats
    excluded: Flags
    at_age: Floats
    ages: Ints
    age: Floats
    severity: Floats
    icu: Floats
    ventilator: Floats
    after_operation: Flags
    written: Floats
    days: Floats
    yuan: Floats
    deaths: Floats
    codes: Choices


def people_codes(people: PeoplePriors) -> set[str]:
    """All diagnoses that people.yaml may write."""
    entries: Iterable[WrittenCondition] = (*people.comorbidities.values(), *people.complications.values())
    return {code for entry in entries for sex in SEXES for code in entry.codes_of(sex)}


def _codes(entries: Iterable[WrittenCondition], diagnoses: CodeNumbers) -> Choices:
    lists = [entry.codes_of(sex) for entry in entries for sex in SEXES]
    return Choices([([diagnoses.number[code] for code in one], list(one.values())) for one in lists])


def _excluded(entries: Mapping[str, WrittenCondition], diagnoses: CodeNumbers, own: bool) -> Flags:
    """Principal diagnoses that exclude a condition: those named, and with ``own`` those of its own three characters."""
    out = np.zeros((len(diagnoses.codes), len(entries)), dtype=bool)
    for column, entry in enumerate(entries.values()):
        heads = entry.never_with
        if own:
            heads += tuple({code[:3] for sex in SEXES for code in entry.codes_of(sex)})
        out[:, column] = [code.startswith(heads) for code in diagnoses.codes]
    return out


def chronic_arrays(people: PeoplePriors, pathways: PathwayArrays, diagnoses: CodeNumbers) -> ChronicArrays:
    """Chronic conditions as arrays."""
    ids = tuple(people.comorbidities)
    bands = len(people.bands)
    entries = list(people.comorbidities.values())
    by_sex = [[entry.prevalence(sex, bands) for entry in entries] for sex in SEXES]
    factor = np.ones((len(pathways.pathways), len(ids)))
    wards: dict[str, float] = {str(ward): times for ward, times in people.wards.items()}
    for row, pathway in enumerate(pathways.pathways):
        factor[row] = wards.get(pathway.ward, 1.0)
        for name, times in pathway.comorbidity.items():
            factor[row, ids.index(name)] *= times
    return ChronicArrays(
        ids=ids,
        band_starts=np.array([low for low, _ in people.bands], dtype=np.int32),
        prevalence=np.array(by_sex).transpose(0, 2, 1),
        factor=factor,
        written=np.array([entry.written for entry in entries]),
        raised=tuple(tuple((ids.index(other), times) for other, times in entry.raised_by.items()) for entry in entries),
        excluded=_excluded(people.comorbidities, diagnoses, own=True),
        codes=_codes(entries, diagnoses),
    )


def complication_arrays(people: PeoplePriors, diagnoses: CodeNumbers) -> ComplicationArrays:
    """Complications as arrays."""
    entries = list(people.complications.values())

    def column(name: str) -> Floats:
        return np.array([getattr(entry, name) for entry in entries], dtype=np.float64)

    severity = column("severity")
    chances = np.array([[people.chance(entry, ward) for entry in entries] for ward in WARDS])
    places, weight = normal_nodes()
    flat = intercepts(chances.ravel(), np.tile(severity, len(WARDS))[:, None] * places[None, :], weight)
    return ComplicationArrays(
        ids=tuple(people.complications),
        log_odds=np.where(chances > 0, flat.reshape(chances.shape), NEVER),
        excluded=_excluded(people.complications, diagnoses, own=False),
        at_age=column("at_age"),
        ages=np.array([entry.ages for entry in entries], dtype=np.int32),
        age=column("age"),
        severity=severity,
        icu=np.log(np.maximum(column("icu"), 1e-9)),
        ventilator=np.log(np.maximum(column("ventilator"), 1e-9)),
        after_operation=np.array([entry.after == "operation" for entry in entries]),
        written=column("written"),
        days=column("days"),
        yuan=np.array([[entry.yuan.get(name, 0.0) for name in CATEGORIES] for entry in entries]),
        deaths=column("deaths"),
        codes=_codes(entries, diagnoses),
    )
