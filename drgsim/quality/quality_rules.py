"""The rules about the quality of a coded record: their registry, thresholds and facts, read from ``rules.yaml``.

What grouping itself notes (:mod:`drgsim.records.findings`) is part of the same registry, with a severity of its own here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import bilingual, text, text_of_data
from drgsim.parameters.evidence import Strict, Value
from drgsim.parameters.option_pairs import parse_pairs
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import read_strict
from drgsim.records.findings import FINDINGS

SEVERITIES = ("error", "warning", "info")  # most serious first
SEVERITY_TITLES = {"error": "错误", "warning": "疑点", "info": "提示"}
# reasons that repeat a warning of the same record, and a warning that rules of this registry say with a tolerance
_SAID_TWICE = ("principal_unknown", "principal_grey", "age_dates_conflict")


@dataclass(frozen=True)
class QualityRule:
    """One thing that can be wrong with a coded record.

    Attributes
    ----------
    code
        Stable name.
    severity
        ``error``: the record contradicts itself or a published rule, and the verdict is no; ``warning``: doubtful;
        ``info``: worth a look.
    title, title_zh
        What it means: in the language of the reader, and in Chinese.
    why
        Why it matters; empty for what grouping notes.
    fix, fix_zh
        What to do: in the language of the reader, and in Chinese.
    shows
        Columns whose values a finding shows.
    """

    code: str
    severity: str
    title: str
    title_zh: str
    why: str
    fix: str
    fix_zh: str
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Threshold:
    """A number that a rule compares with; ``evidence`` says whose it is (official, derived, assumption)."""

    name: str
    value: float
    unit: str
    evidence: str
    source: str


class CodeRanges(Strict):
    """Codes of a fact of the classifications, such as ``female_diagnoses``."""

    source: str
    ranges: tuple[Annotated[str, BeforeValidator(str)], ...]


class NotedEntry(Strict):
    """What quality_rules.yaml says of a finding of grouping."""

    severity: Literal["error", "warning", "info"]
    fix_zh: str
    shows: tuple[str, ...] = ()


class RuleEntry(NotedEntry):
    """A rule as it stands in quality_rules.yaml."""

    title: str
    zh: str
    why: str
    fix: str


class QualityFile(Strict):
    """quality_rules.yaml."""

    thresholds: dict[str, Value[Annotated[float, Field(ge=0)]]]
    facts: dict[str, CodeRanges]
    rules: dict[str, RuleEntry]
    findings: dict[str, NotedEntry]


@dataclass(frozen=True)
class QualityLimits(ParameterSet[QualityFile]):
    """The rules with their thresholds, read and checked; paths are names of thresholds."""

    model = QualityFile
    kind = "quality"
    called = text("the quality rules")
    error = UsageError
    refusal = 2

    @staticmethod
    def own_path(path: str) -> str:
        """Thresholds alone may be changed."""
        return path if path.startswith("thresholds.") else f"thresholds.{path}"


@lru_cache(maxsize=1)
def quality_limits() -> QualityLimits:
    """The rules that ship.

    Examples
    --------
    >>> quality_limits().parameters[0].path
    'thresholds.age_tolerance_years'
    """
    path = Path(__file__).with_name("quality_rules.yaml")
    problems: list[Problem] = []
    raw, content = read_strict(path, QualityLimits.kind, problems)
    file = QualityLimits.checked(raw, path.name, problems) if raw is not None else None
    if raw is None or file is None or problems:
        raise UsageError(problems)
    return QualityLimits(file, hashlib.sha256(content).hexdigest(), raw)


@lru_cache(maxsize=1)
def rules() -> dict[str, QualityRule]:
    """Code -> rule: first those of this registry, then what grouping notes, each in the order of its file."""
    file = quality_limits().file
    own = {
        code: QualityRule(
            code, e.severity, bilingual(e.title, e.zh), e.zh, text_of_data(e.why), bilingual(e.fix, e.fix_zh), e.fix_zh, e.shows
        )
        for code, e in file.rules.items()
    }
    noted = {}
    for finding in FINDINGS:
        if finding.code not in _SAID_TWICE:
            e = file.findings[finding.code]
            noted[finding.code] = QualityRule(
                finding.code,
                e.severity,
                finding.title,
                finding.title_zh,
                "",
                bilingual(finding.fix, e.fix_zh),
                e.fix_zh,
                e.shows,
            )
    return own | noted


def thresholds(limits: QualityLimits | None = None) -> dict[str, Threshold]:
    """Name -> threshold, as it ships or as it was changed."""
    found = (limits or quality_limits()).file.thresholds
    return {name: Threshold(name, each.value, each.unit, each.evidence.value, each.source) for name, each in found.items()}


def code_ranges(fact: str) -> tuple[str, ...]:
    """Code ranges of a fact of the classifications, such as ``female_diagnoses``."""
    return quality_limits().file.facts[fact].ranges


def changed_thresholds(changes: Iterable[str]) -> dict[str, Threshold]:
    """Thresholds with the changes that a user asks for, each ``NAME=VALUE``.

    Raises
    ------
    UsageError
        With every change that names no threshold or no number of 0 or more.

    Examples
    --------
    >>> changed_thresholds(["lone_diagnosis_stay_days=20"])["lone_diagnosis_stay_days"].value
    20.0
    """
    limits = quality_limits()
    problems: list[Problem] = []
    for pair in changes:
        try:
            limits = limits.changed(parse_pairs([pair], signed=True), text("set by the user"))
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(problems)
    return thresholds(limits)


def chosen_rules(only: Iterable[str] = (), severity: str = "info") -> dict[str, QualityRule]:
    """The rules to report: those of ``only`` (all when empty) that are at least as serious as ``severity``.

    Raises
    ------
    UsageError
        For codes and severities that do not exist.
    """
    known: Mapping[str, QualityRule] = rules()
    only = list(only)
    problems = [
        Problem(
            "rule-unknown",
            text("there is no rule {code!r}", code=code),
            fix=did_you_mean(code, list(known)) or text("see docs/validate.md"),
        )
        for code in only
        if code not in known
    ]
    if severity not in SEVERITIES:
        what = text("there is no severity {severity!r}", severity=severity)
        problems.append(
            Problem("severity-unknown", what, fix=text("choose one of {severities}", severities=", ".join(SEVERITIES)))
        )
    if problems:
        raise UsageError(problems)
    serious = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return {code: rule for code, rule in known.items() if rule.severity in serious and (not only or code in only)}
