"""What a DIP specification (技术规范) asks of a catalogue: every step of building it is a parameter with its evidence.

A specification is a YAML file in ``payment_tables/dip-specs``; regions copy one and change it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from drgsim.assets import asset_root
from drgsim.costs.trimming import TrimRule
from drgsim.costs.year_means import YearMode
from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Evident, Source, Strict, Value
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import is_file, read_strict

SPEC_FOLDER = "dip-specs"
Count = Annotated[float, Field(gt=0)]  # of cases; 1 asks for nothing


class SpecError(DrgsimError):
    """A DIP specification is missing or contradicts itself."""


class HistorySettings(Strict):
    """Which years of discharges count, and how much."""

    year_weights: Value[tuple[float, ...]]
    year_mode: Value[YearMode]


class Include(Strict):
    """Which discharges enter the catalogue at all."""

    minimum_cost: Value[float]
    longest_stay: Value[int]


class KindTrimming(Strict):
    """Which costs are too far out to enter a mean, within a kind and a year that has ``minimum_cases``."""

    method: Value[Literal["none", "iqr", "percentile", "multiple"]]
    low: Value[float]
    high: Value[float]
    minimum_cases: Value[Count]

    @property
    def rule(self) -> TrimRule:
        """The rule as :func:`drgsim.costs.trimming.trim` takes it."""
        return TrimRule(self.method.value, self.low.value, self.high.value)


class CombinationRule(Strict):
    """Principal diagnosis and procedures: what makes two discharges the same kind.

    Without ``minimum_increase`` every set of procedures stands for itself.
    """

    diagnosis_characters: Value[int]
    minimum_increase: Value[float] | None = None


class Core(Strict):
    """From how many cases on a combination is a core kind (核心病种).

    ``rule``: ``threshold`` takes ``minimum_cases``, ``province`` takes ``minimum_cases_province``, ``coverage`` the largest
    kinds until they cover the share ``coverage`` of all cases, those of the last size in the order of their codes. ``per``:
    the number counts per year of the history, or in the whole of it.
    """

    rule: Value[Literal["threshold", "province", "coverage"]]
    per: Value[Literal["year", "history"]]
    minimum_cases: Value[Count]
    minimum_cases_province: Value[Count]
    coverage: Value[float]


class Comprehensive(Strict):
    """How rare combinations are gathered: characters of the diagnosis x class of operation, then chapter, then blank."""

    diagnosis_characters: Value[int]
    minimum_cases: Value[Count]
    chapter_minimum_cases: Value[Count]


class ScoreSettings(Strict):
    """Score of a kind: ``mean`` scale x m / M; ``reference`` scale x m / mean of the reference kind; ``quota`` m / quota."""

    method: Value[Literal["mean", "reference", "quota"]]
    scale: Value[float]
    reference_kind: Value[str] | None = None
    quota: Value[float] | None = None

    @model_validator(mode="after")
    def _complete(self) -> ScoreSettings:
        if self.method.value == "reference" and self.reference_kind is None:
            raise ValueError(text("the method reference needs reference_kind, the code of the reference kind"))
        if self.method.value == "quota" and self.quota is None:
            raise ValueError(text("the method quota needs quota, the yuan that one point stands for"))
        return self


class AuxiliarySettings(Strict):
    """When an auxiliary list (辅助目录) splits a kind: enough cases in every level used, and a large enough fall of CV."""

    style: Value[str]
    lists: Value[tuple[str, ...]]
    period: Value[Literal["last_year", "history"]]
    minimum_cases: Value[Count]
    minimum_fall: Value[float]


class Clustering(Strict):
    """How costs decide where the list is ambiguous (``--method cluster``).

    Attributes
    ----------
    material
        Relative difference of mean costs from which on two combinations may be two kinds.
    penalty
        Factor on ln(cases of the diagnosis), the gain in likelihood that one more kind must bring.
    minimum_cases
        Cases of a kind in the whole history; smaller combinations join the nearest one.
    prior_cases
        Cases that the mean of the same principal procedure counts for in a combination's own mean.
    farthest
        Relative difference of cost above which a small cluster does not join its neighbour.
    split_gain
        Gain of BIC per case by which two cost populations must fit better than one.
    split_fall
        Fall of CV by which an auxiliary list must tell the two populations apart, instead of ``auxiliary.minimum_fall``.
    """

    material: Value[float]
    penalty: Value[float]
    minimum_cases: Value[Count]
    prior_cases: Value[float]
    farthest: Value[float]
    split_gain: Value[float]
    split_fall: Value[float]


class Checks(Strict):
    """Figures that a report compares the catalogue with."""

    cv_auxiliary: Value[float]
    cv_primary: Value[float]
    core_kinds: Value[int] | None = None


class FirstKind(Evident):
    """A kind that is matched before all others (先期分组).

    ``diagnoses`` and ``principal_procedures`` are principal, ``any_diagnoses`` and ``procedures`` stand in any place, one of
    ``also_procedures`` was done besides.
    """

    title: str
    title_zh: str
    diagnoses: tuple[str, ...] = ()
    any_diagnoses: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    principal_procedures: tuple[str, ...] = ()
    also_procedures: tuple[str, ...] = ()
    birth_weight_below: float | None = None
    birth_weight_from: float | None = None
    age_days_below: float | None = None

    @property
    def shown(self) -> str:
        """The Chinese title."""
        return self.title_zh


class SpecFile(Strict):
    """A specification file."""

    id: str
    title: str
    title_zh: str
    issuer: str
    verified: date
    sources: dict[str, Source]
    notes: tuple[str, ...] = ()
    severity_scheme: Value[str]
    excluded_codes: Value[str] | None = None
    history: HistorySettings
    include: Include
    trimming: KindTrimming
    combinations: CombinationRule
    core: Core
    comprehensive: Comprehensive
    score: ScoreSettings
    auxiliary: AuxiliarySettings
    clustering: Clustering
    checks: Checks
    first: dict[str, FirstKind] = Field({})


@dataclass(frozen=True)
class DipSpec(ParameterSet[SpecFile]):
    """A specification, read and checked.

    Examples
    --------
    >>> load_spec("dip-2.0").changed({"core.minimum_cases": 5}).file.core.minimum_cases.value
    5.0
    """

    model = SpecFile
    kind = "spec"
    called = "this specification"
    error = SpecError
    refusal = 2

    @classmethod
    def contradictions(cls, file: SpecFile, where: str) -> Iterator[Problem]:
        """Numbers that make no sense."""
        for path, value, bad, fix in _limits(file):
            if bad:
                yield Problem(
                    "spec-bad-value",
                    text("{path} is {value:g}, which makes no sense", path=path, value=value),
                    where=f"{where}: {path}",
                    fix=fix,
                )


def spec_names() -> list[str]:
    """Names of the specifications that ship with drgsim.

    Examples
    --------
    >>> spec_names()
    ['dip-1.0', 'dip-2.0', 'dip-3.0', 'dip-3.0-draft']
    """
    return sorted(path.stem for path in (asset_root("payment_tables") / SPEC_FOLDER).glob("dip-*.yaml"))


def load_spec(name: str | Path) -> DipSpec:
    """Read a specification by name or from a YAML file.

    Raises
    ------
    SpecError
        It is unknown or has mistakes: all of them.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") or not is_file(path):
        path = asset_root("payment_tables") / SPEC_FOLDER / f"{name}.yaml"
    if not is_file(path):
        known = spec_names()
        fix = did_you_mean(str(name), known) or text(
            "the specifications are {known}; or name a .yaml file", known=", ".join(known)
        )
        problem = Problem(
            "spec-unknown", text("there is no DIP specification {name!r}", name=str(name)), where=str(name), fix=fix
        )
        raise SpecError([problem], exit_code=2)
    problems: list[Problem] = []
    raw, content = read_strict(path, "spec", problems)
    file = DipSpec.checked(raw, path.name, problems) if raw is not None else None
    if raw is None or file is None or problems:
        raise SpecError(problems)
    return DipSpec(file, hashlib.sha256(content).hexdigest(), raw)


def _limits(file: SpecFile) -> Iterator[tuple[str, float, bool, str]]:
    """Path, value, whether it is out of bounds, and what would be in bounds."""
    for path, value in (("core.coverage", file.core.coverage), ("auxiliary.minimum_fall", file.auxiliary.minimum_fall)):
        yield path, value.value, not 0 < value.value <= 1, text("give a share above 0, up to 1")
    weights = file.history.year_weights.value
    yield "history.year_weights", sum(weights), min(weights, default=-1) < 0 or not sum(weights), text("give weights above 0")
    characters = file.combinations.diagnosis_characters.value
    yield "combinations.diagnosis_characters", characters, not 3 <= characters <= 8, "give 3 to 8"
    yield "score.scale", file.score.scale.value, file.score.scale.value <= 0, text("give a number above 0")
