"""The rules about the quality of a coded record: their registry, thresholds and facts, read from ``rules.yaml``.

What grouping itself notes (:mod:`drgsim.records.findings`) is part of the same registry, with a severity of its own here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.records.findings import FINDINGS

SEVERITIES = ("error", "warning", "info")  # most serious first
SEVERITY_TITLES = {"error": "错误", "warning": "疑点", "info": "提示"}
# reasons that repeat a warning of the same record
_SAID_TWICE = ("principal_unknown", "principal_grey")


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
        What it means.
    why
        Why it matters; empty for what grouping notes.
    fix, fix_zh
        What to do.
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


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("quality_rules.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def rules() -> dict[str, QualityRule]:
    """Code -> rule: first those of this registry, then what grouping notes, each in the order of its file."""
    own = {
        code: QualityRule(code, e["severity"], e["title"], e["zh"], e["why"], e["fix"], e["fix_zh"], tuple(e.get("shows", ())))
        for code, e in _file()["rules"].items()
    }
    noted = {}
    for finding in FINDINGS:
        if finding.code not in _SAID_TWICE:
            e = _file()["findings"][finding.code]
            noted[finding.code] = QualityRule(
                finding.code,
                e["severity"],
                finding.title,
                finding.title_zh,
                "",
                finding.fix,
                e["fix_zh"],
                tuple(e.get("shows", ())),
            )
    return own | noted


@lru_cache(maxsize=1)
def thresholds() -> dict[str, Threshold]:
    """Name -> threshold as it ships."""
    return {
        name: Threshold(name, float(e["value"]), e["unit"], e["evidence"], e["source"])
        for name, e in _file()["thresholds"].items()
    }


def code_ranges(fact: str) -> tuple[str, ...]:
    """Code ranges of a fact of the classifications, such as ``female_diagnoses``."""
    return tuple(str(text) for text in _file()["facts"][fact]["ranges"])


def changed_thresholds(changes: Iterable[str]) -> dict[str, Threshold]:
    """Thresholds with the changes that a user asks for, each ``NAME=VALUE``.

    Raises
    ------
    UsageError
        With every change that names no threshold or no number.

    Examples
    --------
    >>> changed_thresholds(["lone_diagnosis_stay_days=20"])["lone_diagnosis_stay_days"].value
    20.0
    """
    changed = dict(thresholds())
    problems = []
    for text in changes:
        name, _, value = text.partition("=")
        name = name.strip()
        if name not in changed:
            near = did_you_mean(name, list(changed)) or f"the thresholds are {', '.join(changed)}"
            problems.append(Problem("threshold-unknown", f"there is no threshold {name!r}", where=text, fix=near))
            continue
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not 0 <= number < float("inf"):
            fix = f"write {name}=NUMBER ({changed[name].unit})"
            problems.append(Problem("threshold-not-a-number", f"{value!r} is no number of 0 or more", where=text, fix=fix))
            continue
        changed[name] = Threshold(name, number, changed[name].unit, "assumption", "set by the user")
    if problems:
        raise UsageError(problems)
    return changed


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
        Problem("rule-unknown", f"there is no rule {code!r}", fix=did_you_mean(code, list(known)) or "see docs/validate.md")
        for code in only
        if code not in known
    ]
    if severity not in SEVERITIES:
        what = f"there is no severity {severity!r}"
        problems.append(Problem("severity-unknown", what, fix=f"choose one of {', '.join(SEVERITIES)}"))
    if problems:
        raise UsageError(problems)
    serious = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return {code: rule for code, rule in known.items() if rule.severity in serious and (not only or code in only)}
