"""Priors of people (people.yaml): ages, chronic conditions, complications in hospital, habits of coding; read strictly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Strict
from drgsim.parameters.strict_file import read_strict, validated
from drgsim.records.code_dictionaries import national_codes
from drgsim.synthetic.prior_checks import CODE, dictionary_problems, is_of, unlisted_sources
from drgsim.synthetic.prior_models import (
    KIND,
    PROCEDURE_CODE,
    Age,
    Category,
    Cited,
    CitedWork,
    Factor,
    Share,
    Ward,
    Weight,
    Yuan,
    summed_to_one,
)

WARDS: tuple[str, ...] = get_args(Ward)
SEXES = ("male", "female")
_FIX = text("write it as the head of people.yaml says")


def _band(value: Any) -> Any:
    """``18-29`` as (18, 29), ``85+`` as (85, 150)."""
    low, _, high = str(value).rstrip("+").partition("-")
    if not low.isdigit() or not (high.isdigit() or (not high and str(value).endswith("+"))):
        raise ValueError(text("{value!r} is no band of ages; write 18-29, or 85+ for the last", value=value))
    return int(low), int(high or 150)


Band = Annotated[tuple[int, int], BeforeValidator(_band)]
Citations = dict[str, str | Cited]


class SexedCodes(Strict):
    """Shares of codes that differ between the sexes."""

    male: dict[str, Share]
    female: dict[str, Share]


class WrittenCondition(Strict):
    """What chronic conditions and complications have in common.

    Attributes
    ----------
    codes
        Diagnosis -> share, or so for each sex.
    written
        Power of the hospital's habit of coding: 0 always written, 2 only where everything is.
    never_with
        Beginnings of principal diagnoses that exclude it.
    cited
        Field -> source; a field without one is an assumption.
    """

    title: str
    codes: dict[str, Share] | SexedCodes
    written: Annotated[float, Field(ge=0, le=4)] = 1.0
    never_with: tuple[str, ...] = ()
    cited: Citations = Field({}, alias="from")

    @model_validator(mode="after")
    def _shares_add_up(self) -> WrittenCondition:
        for sex in SEXES:
            summed_to_one(self.codes_of(sex), "codes")
        return self

    def codes_of(self, sex: str) -> dict[str, float]:
        """Diagnosis -> share for ``male`` or ``female``."""
        return getattr(self.codes, sex) if isinstance(self.codes, SexedCodes) else self.codes


class ChronicPriors(WrittenCondition):
    """A chronic condition: prevalence among inpatients of level 3 by band of age and sex, and what raises it."""

    male: tuple[Share, ...] = ()
    female: tuple[Share, ...] = ()
    raised_by: dict[str, Factor] = Field({})

    def prevalence(self, sex: str, bands: int) -> tuple[float, ...]:
        """Shares by band of age; zeros for a sex that does not have it."""
        shares: tuple[float, ...] = getattr(self, sex)
        return shares or (0.0,) * bands


class ComplicationPriors(WrittenCondition):
    """What befalls patients in hospital: chance by ward, what raises it, what it adds.

    Attributes
    ----------
    chance
        Kind of ward, ward group or ``any`` -> share of stays at ``at_age``, averaged over severities.
    ages
        Youngest and oldest who can have it, completed years.
    age, severity
        Log odds per year from ``at_age`` and per standard deviation of the stay's severity.
    icu, ventilator
        Factors on the odds.
    after
        ``operation``: only in stays with a surgical procedure.
    days, yuan, deaths
        Mean days, yuan by category, log odds of death that it adds.
    """

    chance: dict[str, Share]
    at_age: Annotated[float, Field(ge=0, le=100)] = 60.0
    ages: tuple[int, int] = (15, 120)
    age: Annotated[float, Field(ge=-0.2, le=0.2)] = 0.0
    severity: Annotated[float, Field(ge=0, le=3)] = 0.0
    icu: Factor = 1.0
    ventilator: Factor = 1.0
    after: Literal["operation"] | None = None
    days: Annotated[float, Field(ge=0, le=60)] = 0.0
    yuan: dict[Category, Yuan] = Field({})
    deaths: Annotated[float, Field(ge=0, le=6)] = 0.0


class CodingHabit(Strict):
    """Factor on what is not always written by hospital level; standard deviation of its log between hospitals."""

    level: dict[Literal[3, 2, 1], Factor]
    spread: Annotated[float, Field(ge=0, le=1)]


class PeoplePriors(Strict):
    """The whole of people.yaml."""

    sources: dict[str, CitedWork] = Field({})
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    age_curves: dict[str, Age]
    coding_habit: CodingHabit
    burden: Annotated[float, Field(ge=0, le=2)]
    wards: dict[Ward, Factor]
    ward_groups: dict[str, tuple[Ward, ...]]
    comorbidities: dict[str, ChronicPriors]
    complications: dict[str, ComplicationPriors]

    @model_validator(mode="after")
    def _bands_follow(self) -> PeoplePriors:
        if self.bands[0][0] != 0 or any(later[0] != earlier[1] + 1 for earlier, later in pairwise(self.bands)):
            raise ValueError(text("bands start at 0 and follow each other without gap or overlap"))
        return self

    @property
    def curves(self) -> dict[str, dict[str, Weight]]:
        """Curves of age by name: weight by band."""
        return {name: curve for name, curve in self.age_curves.items() if isinstance(curve, dict)}

    def chance(self, complication: ComplicationPriors, ward: str) -> float:
        """Share of a ward's stays with a complication at ``at_age``: the ward's own, else its group's, else ``any``."""
        found = (complication.chance[name] for name in (ward, *self.groups_of(ward), "any") if name in complication.chance)
        return next(found, 0.0)

    def groups_of(self, ward: str) -> list[str]:
        """Names of the groups that a ward stands in."""
        return [name for name, wards in self.ward_groups.items() if ward in wards]


def read_people(path: Path) -> PeoplePriors:
    """Priors of people.

    Raises
    ------
    DrgsimError
        ``synth-priors-...``: everything that is wrong in the file.

    Examples
    --------
    >>> people = read_people(Path(__file__).with_name("priors") / "people.yaml")
    >>> people.chance(people.complications["marrow"], "oncology") > people.chance(people.complications["marrow"], "ent")
    True
    """
    problems: list[Problem] = []
    raw, _ = read_strict(path, KIND, problems, path.name, _FIX, PROCEDURE_CODE)
    people = None if raw is None else validated(PeoplePriors, raw, KIND, path.name, problems)
    if people is not None:
        problems += people_problems(people, path.name)
    if people is None or problems:
        raise DrgsimError(problems)
    return people


def people_problems(people: PeoplePriors, where: str) -> list[Problem]:
    """Everything in priors of people that is well formed and yet cannot be."""
    problems: list[Problem] = []
    for name, curve in people.age_curves.items():
        if isinstance(curve, str):
            problems.append(
                Problem(
                    CODE,
                    text("the curve {name} names another", name=name),
                    f"{where}: age_curves.{name}",
                    fix=text("write its weights"),
                )
            )
    for section in ("comorbidities", "complications"):
        for name, condition in getattr(people, section).items():
            path = f"{where}: {section}.{name}"
            problems += _code_problems(condition, path)
            problems += citation_problems(condition, people.sources, path)
    problems += _chronic_problems(people, where)
    problems += _ward_problems(people, where)
    return problems


def _code_problems(condition: WrittenCondition, path: str) -> Iterator[Problem]:
    book = national_codes().diagnoses
    for sex, other in (("male", "female"), ("female", "male")):
        for code in condition.codes_of(sex):
            yield from dictionary_problems(code, book, f"{path}.codes.{code}", "diagnosis")
            has = bool(getattr(condition, sex)) if isinstance(condition, ChronicPriors) else not _for_mothers(condition)
            if has and is_of(code, f"{other}_diagnoses"):
                yield Problem(
                    CODE,
                    text("{code} is only for {other} patients", code=code, other=other),
                    f"{path}.codes.{code}",
                    fix=text("write codes for each sex"),
                )
    for start in condition.never_with:
        if not any(code.startswith(start) for code in book.codes):
            yield Problem(
                CODE,
                text("no diagnosis begins with {start}", start=start),
                f"{path}.never_with",
                fix=text("write the beginning of a code"),
            )


def _for_mothers(condition: WrittenCondition) -> bool:
    """Whether only wards of births have it, whose patients are women."""
    return isinstance(condition, ComplicationPriors) and set(condition.chance) <= {"birth", "obstetrics"}


def citation_problems(entry: Any, sources: Mapping[str, CitedWork], path: str) -> Iterator[Problem]:
    """Sources of an entry's ``from`` that the file does not list, and sources of figures that it does not state."""
    for field, cited in entry.cited.items():
        yield from unlisted_sources(cited, sources, f"{path}.from.{field}")
        if field not in entry.model_fields_set:
            stated = [name for name in entry.model_fields_set if name != "cited"]
            fix = did_you_mean(field, stated) or text("it states {stated}", stated=", ".join(sorted(stated)))
            yield Problem(
                CODE,
                text("{field} is sourced but not stated", field=field),
                f"{path}.from.{field}",
                fix=fix,
            )


def _chronic_problems(people: PeoplePriors, where: str) -> Iterator[Problem]:
    above: list[str] = []
    for name, condition in people.comorbidities.items():
        path = f"{where}: comorbidities.{name}"
        if not (condition.male or condition.female):
            yield Problem(CODE, text("nobody has {name}", name=name), path, fix=text("give its prevalence for male or female"))
        for sex in SEXES:
            shares = getattr(condition, sex)
            if shares and len(shares) != len(people.bands):
                what = text(
                    "{figures} figures stand for {bands} bands of age",
                    figures=len(shares),
                    bands=len(people.bands),
                )
                yield Problem(CODE, what, f"{path}.{sex}", fix=text("give one figure for each of bands"))
        for other in condition.raised_by:
            if other not in above:
                fix = did_you_mean(other, above) or text("name a condition that stands above")
                yield Problem(
                    CODE,
                    text("{other} does not stand above {name}", other=other, name=name),
                    f"{path}.raised_by",
                    fix=fix,
                )
        above.append(name)


def _ward_problems(people: PeoplePriors, where: str) -> Iterator[Problem]:
    known = [*people.ward_groups, *WARDS, "any"]
    for name, complication in people.complications.items():
        for ward in complication.chance:
            if ward not in known:
                fix = did_you_mean(ward, known) or text(
                    "the groups are {ward_groups}", ward_groups=", ".join(people.ward_groups)
                )
                yield Problem(
                    CODE,
                    text("there is no ward or group {ward}", ward=ward),
                    f"{where}: complications.{name}.chance.{ward}",
                    fix=fix,
                )
    for ward in WARDS:
        groups = len(people.groups_of(ward))
        if groups != 1:
            what = text("the ward {ward} stands in {groups} groups", ward=ward, groups=groups)
            yield Problem(CODE, what, f"{where}: ward_groups", fix=text("let it stand in exactly one"))
