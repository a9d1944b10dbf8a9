"""Care pathways: what a disease and one of its ways of treatment say together, in one flat value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drgsim.synthetic.age_curves import USUAL_CURVES, AgeBand, age_bands, typical_age
from drgsim.synthetic.prior_models import CareHours, CodeSet, DiseasePriors, PathwayPriors

LEVELS = (3, 2, 1)
USUAL_SPREAD, USUAL_DEATH_AGE, USUAL_EMERGENCY = 0.5, 0.04, 0.3


@dataclass(frozen=True)
class CarePathway:
    """One pathway with everything that holds for its cases; see :class:`~drgsim.synthetic.prior_models.CoursePriors`.

    Attributes
    ----------
    disease, name
        Ids of the disease and of the pathway.
    cases
        Discharges per 10,000 of the region: those of the disease x the pathway's share.
    adrg
        Group of chs-drg-2.0 without other diagnoses.
    stay
        Mean days in hospitals of level 3, 2, 1.
    peak
        Season and factor, None where the year is flat.
    severe
        Companions that follow the severity of the case; None: those that are CC or MCC.
    """

    disease: str
    name: str
    title: str
    cases: float
    adrg: str
    codes: Mapping[str, float]
    procedures: tuple[CodeSet, ...]
    usual: Mapping[str, float]
    rare: Mapping[str, float]
    companions: Mapping[str, float]
    severe: tuple[str, ...] | None
    levels: Mapping[int, float]
    male: float
    ages: tuple[AgeBand, ...]
    stay: tuple[float, float, float]
    spread: float
    deaths: float
    death_age: float
    readmission: float
    returns: float | None
    emergency: float
    peak: tuple[str, float] | None
    ward: str
    day: Mapping[str, float]
    admission: float | None
    extra: Mapping[str, float]
    comorbidity: Mapping[str, float]
    birth_weight: tuple[float, float] | None
    icu: CareHours | None
    ventilator: CareHours | None

    @property
    def age_limits(self) -> tuple[int, int]:
        """Youngest and oldest age in years."""
        return min(band.low for band in self.ages), max(band.high for band in self.ages)

    @property
    def typical_age(self) -> float:
        """Median age in years."""
        return typical_age(self.ages)


def _stays(stay: float | Mapping[int, float]) -> tuple[float, float, float]:
    """Days by level; a level that is not stated is as the next higher one, or else the next lower."""
    if not isinstance(stay, Mapping):
        return stay, stay, stay
    near = {3: (3, 2, 1), 2: (2, 3, 1), 1: (1, 2, 3)}
    first, second, third = (next(stay[one] for one in near[level] if one in stay) for level in LEVELS)
    return first, second, third


Curves = Mapping[str, Mapping[str, float]]


def _over(below: Mapping[Any, float] | None, above: Mapping[Any, float] | None) -> dict[str, float]:
    return {**(below or {}), **(above or {})}


def pathways_of(disease_id: str, disease: DiseasePriors, curves: Curves = USUAL_CURVES) -> Iterator[CarePathway]:
    """The pathways of a disease, each with what it says itself and else what the disease says."""
    for name, pathway in disease.pathways.items():
        yield _pathway(disease_id, disease, name, pathway, curves)


def _pathway(disease_id: str, disease: DiseasePriors, name: str, pathway: PathwayPriors, curves: Curves) -> CarePathway:
    def stated(field: str, otherwise: Any = None) -> Any:
        for one in (pathway, disease):
            value = getattr(one, field)
            if value is not None:
                return value
        return otherwise

    age = stated("age")
    season = stated("season") or {}
    return CarePathway(
        disease=disease_id,
        name=name,
        title=disease.title,
        cases=disease.cases * pathway.share,
        adrg=pathway.adrg,
        codes=stated("codes"),
        procedures=pathway.procedures,
        usual=pathway.usual,
        rare=pathway.rare,
        companions={**disease.companions, **pathway.companions},
        severe=stated("companion_severe"),
        levels=stated("levels"),
        male=stated("male"),
        ages=age_bands(curves[age], age == "newborn") if isinstance(age, str) else age_bands(age),
        stay=_stays(stated("stay")),
        spread=stated("spread", USUAL_SPREAD),
        deaths=stated("deaths", 0.0),
        death_age=stated("death_age", USUAL_DEATH_AGE),
        readmission=stated("readmission", 0.0),
        returns=stated("returns"),
        emergency=stated("emergency", USUAL_EMERGENCY),
        peak=next(iter(season.items()), None),
        ward=stated("ward"),
        day=_over(disease.day, pathway.day),
        admission=stated("admission"),
        extra=_over(disease.extra, pathway.extra),
        comorbidity=_over(disease.comorbidity, pathway.comorbidity),
        birth_weight=stated("birth_weight"),
        icu=stated("icu"),
        ventilator=stated("ventilator"),
    )
