"""What a chapter of priors may say: diseases, their pathways and where the figures come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from drgsim.language import text
from drgsim.parameters.evidence import Evidence, Strict
from drgsim.synthetic.age_curves import band_edges

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0)]
Weight = Annotated[float, Field(ge=0)]
Days = Annotated[float, Field(gt=0, le=400)]
Yuan = Annotated[float, Field(ge=0)]
Ward = Literal[
    "cardiology", "neurology", "respiratory", "gastro", "nephrology", "endocrine", "haematology", "oncology", "infectious",
    "rheumatology", "dermatology", "psychiatry", "paediatrics", "neonatal", "obstetrics", "gynaecology", "general_surgery",
    "thoracic_surgery", "cardiac_surgery", "neurosurgery", "orthopaedics", "urology", "ophthalmology", "ent", "stomatology",
    "burns", "emergency", "icu", "rehabilitation", "tcm", "general_medicine",
]  # fmt: skip
Season = Literal["winter", "summer", "spring", "autumn"]
Daily = Literal["drugs", "consumables", "examinations", "bed", "nursing", "other"]
Category = Literal["drugs", "consumables", "examinations", "operation", "nursing", "other"]

_BAND = re.compile(r"newborn|\d{1,3}(-\d{1,3})?")
SUM_TOLERANCE = 0.005
KIND = "synth-priors"  # begins the codes of problems
PROCEDURE_CODE = re.compile(r"\d\d\.\d{4}")  # which YAML would take for a number


def _texts(value: Any) -> Any:
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else value


def _group(value: Any) -> Any:
    return "0000" if value == 0 and not isinstance(value, str | bool) else value


def _age(value: Any) -> Any:
    """Weights by band of age, such as ``30-44``, ``0`` or ``newborn`` (the first 28 days); texts are names of curves."""
    if not isinstance(value, Mapping):
        return value
    bands = _texts(value)
    odd = [band for band in bands if not _BAND.fullmatch(band)]
    if odd:
        raise ValueError(text("{name!r} is no band of ages; write 30-44, 5 or newborn", name=odd[0]))
    for band in bands:
        first, last = (0, 0) if band == "newborn" else band_edges(band)
        if last < first:
            raise ValueError(text("the band {band} runs backwards", band=band))
    return bands


Levels = dict[Literal[3, 2, 1], Share]
Age = Annotated[str | dict[str, Weight], BeforeValidator(_age)]
Stay = Days | dict[Literal[3, 2, 1], Days]


def summed_to_one(shares: Mapping[Any, float], name: str) -> None:
    """Raise ValueError unless shares add up to 1."""
    total = sum(shares.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(text("the shares of {name} add up to {total:.4g} instead of 1", name=name, total=total))


class Cited(Strict):
    """Where one figure comes from: a source of the file, and what exactly it says."""

    id: str
    says: str = ""


Citation = str | Cited | tuple[str | Cited, ...]


def source_ids(cited: Citation) -> tuple[str, ...]:
    """Ids of the sources that a citation names, the first one before others.

    Examples
    --------
    >>> source_ids(("book", Cited(id="survey", says="table 2")))
    ('book', 'survey')
    """
    each = cited if isinstance(cited, tuple) else (cited,)
    return tuple(one.id if isinstance(one, Cited) else one for one in each)


class CitedWork(Strict):
    """A published work that a chapter cites."""

    title: str
    publisher: str
    year: int | str
    evidence: Literal[Evidence.OFFICIAL, Evidence.SECONDARY, Evidence.DERIVED]
    url: str = ""
    says: str = ""


class CodeSet(Strict):
    """Procedures that are done together, the principal one first; none where nothing is done."""

    codes: tuple[str, ...]
    share: Share


class CareHours(Strict):
    """Share of cases in intensive care or on a ventilator, and their mean hours there."""

    share: Share
    hours: Annotated[float, Field(gt=0)]


class CoursePriors(Strict):
    """What a disease says of its cases and a pathway may say otherwise.

    Attributes
    ----------
    codes
        Principal diagnosis -> share.
    levels
        Level of the hospital -> share of the cases.
    male, emergency, deaths, readmission
        Shares of cases: men, emergency admissions, deaths in hospital, readmissions within 30 days.
    age
        Weights by band of age in years, or the name of a curve of people.yaml.
    stay, spread
        Mean days (or by level), standard deviation of log days.
    death_age
        Log odds of death per year of age.
    returns
        Usual gap in days between the stays of a course of treatment.
    day, admission, extra
        Yuan per day by category, yuan of examinations at admission, one-off yuan by category; level 3, first year.
    birth_weight
        Grams of newborns, from and to.
    """

    codes: dict[str, Share] | None = None
    levels: Levels | None = None
    male: Share | None = None
    age: Age | None = None
    stay: Stay | None = None
    spread: Annotated[float, Field(gt=0, le=1.5)] | None = None
    deaths: Share | None = None
    death_age: Annotated[float, Field(ge=-0.2, le=0.2)] | None = None
    readmission: Share | None = None
    returns: Annotated[float, Field(ge=1, le=365)] | None = None
    emergency: Share | None = None
    season: dict[Season, Annotated[float, Field(ge=1, le=5)]] | None = None
    ward: Ward | None = None
    day: dict[Daily, Yuan] | None = None
    admission: Yuan | None = None
    extra: dict[Category, Yuan] | None = None
    comorbidity: dict[str, Factor] | None = None
    companions: dict[str, Share] = Field({})
    companion_severe: tuple[str, ...] | None = None
    birth_weight: tuple[float, float] | None = None
    icu: CareHours | None = None
    ventilator: CareHours | None = None

    @model_validator(mode="after")
    def _shares_add_up(self) -> CoursePriors:
        for name in ("codes", "levels"):
            shares = getattr(self, name)
            if shares is not None:
                summed_to_one(shares, name)
        if isinstance(self.age, dict) and not any(self.age.values()):
            raise ValueError(text("age has no weight above 0"))
        return self


class PathwayPriors(CoursePriors):
    """One way of treating a disease: one principal treatment, its usual companions, rare others."""

    share: Share
    adrg: Annotated[str, BeforeValidator(_group), Field(pattern=r"^([A-Z][A-Z0-9]{2}|0000)$")]
    procedures: tuple[CodeSet, ...]
    usual: dict[str, Share] = Field({}, alias="with")
    rare: dict[str, Share] = Field({})

    @model_validator(mode="after")
    def _one_treatment(self) -> PathwayPriors:
        if self.procedures:
            summed_to_one(dict(enumerate(one.share for one in self.procedures)), "procedures")
        return self


class DiseasePriors(CoursePriors):
    """A disease as wards know it."""

    title: str
    cases: Annotated[float, Field(gt=0)]
    codes: dict[str, Share]
    levels: Levels
    male: Share
    age: Age
    stay: Stay
    ward: Ward
    pathways: dict[str, PathwayPriors] = Field(min_length=1)
    sources: dict[str, Citation] = Field({})

    @model_validator(mode="after")
    def _pathways_add_up(self) -> DiseasePriors:
        summed_to_one({name: one.share for name, one in self.pathways.items()}, "pathways")
        return self

    def courses(self) -> Iterator[tuple[str, CoursePriors]]:
        """The disease itself and its pathways, each with what leads to it from the disease: nothing, or ``.pathways.NAME``."""
        yield "", self
        yield from ((f".pathways.{name}", one) for name, one in self.pathways.items())


class ChapterPriors(Strict):
    """One file of chapters/: the diseases of one chapter of ICD-10."""

    chapter: str
    icd: str
    sources: dict[str, CitedWork] = Field({})
    diseases: Annotated[dict[str, DiseasePriors], Field(min_length=1)]
