"""What matching one discharge by a DIP catalogue leaves behind: every combination that was tried, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from drgsim.units.drg.drg_reference import DiagnosisTrace, RuleTrace


@dataclass(frozen=True)
class LevelTrace:
    """A level of an auxiliary list that a combination has a line for: its condition, and whether it held."""

    aux: str
    level: str
    title: str
    title_zh: str
    code: str
    score: float | None
    rule: RuleTrace

    @property
    def holds(self) -> bool:
        """Whether the case has the level."""
        return self.rule.holds


@dataclass(frozen=True)
class CellTrace:
    """A combination that was tried.

    Attributes
    ----------
    code, name, kind, score
        Of the line that it led to, or of its first line where it did not fit.
    dx, procedure, related, operation_class
        The combination.
    fits
        Whether the case has the combination and a line for its level.
    why
        Why it does not fit; empty where it does.
    matched, missing, extra
        Procedures of the combination that were done, that were not, and procedures done beyond it.
    in_place
        Whether its principal procedure is that of the case.
    levels
        Levels that the combination has lines for.
    aux, aux_level
        Level of the line that it led to, or empty.
    chosen
        Whether the case got this kind.
    condition
        The condition of the combination, evaluated; None where it has none.
    """

    code: str
    name: str
    kind: str
    score: float | None
    dx: str
    procedure: str
    related: tuple[str, ...]
    operation_class: str
    fits: bool
    why: str = ""
    matched: int = 0
    missing: int = 0
    extra: int = 0
    in_place: bool = False
    levels: tuple[LevelTrace, ...] = ()
    aux: str = ""
    aux_level: str = ""
    chosen: bool = False
    condition: RuleTrace | None = None


@dataclass(frozen=True)
class StageTrace:
    """A stage of matching and the combinations that were tried in it; ``rest``: those for the conservative property instead."""

    stage: str
    tried: tuple[CellTrace, ...]
    rest: bool = False


@dataclass(frozen=True)
class Comorbidity:
    """An item of the comorbidity index that the case has, its points, and the codes that count for it."""

    name: str
    title: str
    title_zh: str
    points: int
    codes: tuple[str, ...]


@dataclass(frozen=True)
class DipTrace:
    """Everything that the reference did for one discharge.

    Attributes
    ----------
    version
        Of this structure.
    catalogue
        Its id.
    dip, name, kind, score, aux, aux_level
        The answer; ``dip`` is 0000 when there is no kind.
    severity, other_diagnoses
        MCC, CC or none, and what each other diagnosis counts for.
    cci, comorbidities
        Comorbidity index, and its items.
    procedures
        Procedures that count, principal first.
    left_out, simple, not_principal
        Procedures that the excluded list takes away, those that count as not done for kinds without procedures, and those that
        the excluded list keeps from the principal place.
    operation_class
        Property by which comprehensive kinds are looked for.
    stages
        Stages in the order in which they were tried.
    excluded, tie, level_unlisted
        Whether the excluded list took the case; kinds fitted equally well; a combination fitted in an earlier stage without a
        line for the levels of the case.
    primary_care
        Diagnosis of the line of the primary-care list that the case is on, empty for others.
    """

    version: int
    catalogue: str
    dip: str
    name: str
    kind: str
    score: float | None
    aux: str
    aux_level: str
    severity: str
    other_diagnoses: tuple[DiagnosisTrace, ...]
    cci: int
    comorbidities: tuple[Comorbidity, ...]
    procedures: tuple[str, ...]
    left_out: tuple[str, ...]
    simple: tuple[str, ...]
    not_principal: tuple[str, ...]
    operation_class: str
    stages: tuple[StageTrace, ...]
    excluded: bool
    tie: bool
    level_unlisted: bool
    primary_care: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists, ready for JSON."""
        return asdict(self)
