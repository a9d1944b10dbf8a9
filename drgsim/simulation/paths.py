"""The paths that scenarios may change: the table ``paths.yaml``, how a path is matched, and what is near a mistyped one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from drgsim.errors import Problem, did_you_mean
from drgsim.language import bilingual, joined, text, text_of_data
from drgsim.parameters.evidence import Evidence, Strict
from drgsim.records.vocabulary import is_policy_key, level_hint, level_keys, level_known, level_words, policy_key
from drgsim.simulation.scenario import Change

DIMENSIONS = ("hospital", "level", "insurance", "department", "mdc", "adrg", "group", "age", "diagnosis")
ALL = "all"  # the category that stands for the whole cost
_SLOTS = {
    "level": r"[^.]+", "insurance": "employee|resident", "category": r"[^.]+", "group": r"[^.]+",
    "hospitals": r"all|level\.[^.]+|hospital\..+?", "unit_kind": "mdc|adrg|group", "key": r".+?",
    "rate_key": r"[^.]+", "name": r"[^.]+",
    "cases": rf"(?:\.(?:{'|'.join(DIMENSIONS)})\.[^.]+)*",
}  # fmt: skip


class PathSpec(Strict):
    """An entry of paths.yaml; its comment there explains the fields."""

    path: str
    changes: str
    kind: Literal["number", "choice", "flag", "level", "names", "table", "any"]
    unit: str
    ops: tuple[Literal["set", "factor", "delta"], ...]
    title: str
    title_zh: str
    target: str = ""
    field: str = ""
    choices: tuple[str, ...] = ()
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    least_factor: float | None = None
    most_factor: float | None = None
    default: Any = None
    typical: float | None = None
    source: str = ""
    evidence: Evidence | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression of the path."""
        expression = re.escape(self.path)
        for name, pattern in _SLOTS.items():
            expression = expression.replace(re.escape(f"<{name}>"), f"(?P<{name}>{pattern})")
        return re.compile(f"^{expression}$")


@dataclass(frozen=True)
class Match:
    """A path with its entry and the words that filled its slots."""

    spec: PathSpec
    words: Mapping[str, str]


@lru_cache(maxsize=1)
def specs() -> tuple[PathSpec, ...]:
    """All entries of paths.yaml."""
    raw = yaml.safe_load(Path(__file__).with_name("paths.yaml").read_text(encoding="utf-8"))
    return tuple(PathSpec.model_validate(entry) for entry in raw)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[PathSpec, re.Pattern[str]], ...]:
    return tuple((spec, spec.pattern) for spec in specs())


def find(path: str) -> Match | None:
    """The entry that a path belongs to, None where no entry fits.

    Examples
    --------
    >>> find("outlier.high.multiple.tertiary").words
    {'level': '3'}
    >>> find("rate.三级甲等/职工").words
    {'rate_key': '3a/employee'}
    >>> find("procurement.cut.consumables.adrg.FL2.level.3").words
    {'category': 'consumables', 'cases': '.adrg.FL2.level.3'}
    """
    for spec, pattern in _patterns():
        match = pattern.match(path)
        words = match.groupdict() if match else {}
        if "level" in words and level_known(words["level"]):
            words["level"] = level_keys(words["level"])[0]
        elif "level" in words or ("rate_key" in words and not is_policy_key(words["rate_key"])):
            continue
        elif "rate_key" in words:
            words["rate_key"] = policy_key(words["rate_key"])
        if match:
            return Match(spec, words)
    return None


def settings() -> dict[str, Any]:
    """Defaults of everything that no policy states."""
    return {spec.path: spec.default for spec in specs() if spec.changes == "setting"}


def unknown(change: Change, policy_paths: list[str], policy: str, suggested: str = "") -> Problem:
    """What to say about a path that nothing fits."""
    own = [spec.path.split("<")[0].rstrip(".") for spec in specs()]
    of_level = [
        spec.path.partition("<")[0] + word for spec in specs() if spec.path.endswith("<level>") for word in level_words()
    ]
    known = list(dict.fromkeys([*(spec.path for spec in specs()), *own, *of_level, *policy_paths]))
    fix = did_you_mean(change.path, known) or (suggested if suggested.startswith("did you mean") else "")
    if not fix:
        first = change.path.split(".")[0]
        near = [path for path in known if path.split(".")[0] == first][:8]
        fix = (
            text("paths here are {near}", near=", ".join(near))
            if near
            else text("drgsim scenarios paths lists what can be changed")
        )
    what = text(
        "{path} is no path: neither a setting of scenarios nor a parameter of {policy}", path=change.path, policy=policy
    )
    return Problem("scenario-unknown-path", what, where=change.where or change.path, fix=fix)


def check(change: Change, spec: PathSpec) -> list[Problem]:
    """What is wrong with a change before its old value is known: operation, kind, unit, choice."""
    problems = []
    where = change.where or change.path

    def wrong(code: str, what: str, fix: str = "") -> None:
        problems.append(Problem(code, text("{path}: {what}", path=change.path, what=what), where=where, fix=fix))

    if change.op not in spec.ops:
        kinds = {"set": text("a plain value"), "factor": '"*1.03"', "delta": text('"+0.5" or "-0.5"')}
        wrong("scenario-wrong-kind", text("{words} is a {op}, which this path does not take", words=change.words, op=change.op),
              f"write {' or '.join(kinds[op] for op in spec.ops)}")  # fmt: skip
        return problems
    if change.unit and not same_unit(change.unit, spec.unit):
        wrong(
            "scenario-wrong-unit",
            text("the unit is {unit!r}, but this path is in {wanted}", unit=change.unit, wanted=text_of_data(spec.unit)),
            text("write it in {unit}", unit=text_of_data(spec.unit)),
        )
    for what, fix in _kind_faults(spec, change.value):
        wrong("scenario-bad-value", what, fix)
    if not problems and change.op == "factor" and (fix := _factor_range(spec, float(change.value))):
        wrong("scenario-impossible-value", text("a factor of {factor:g} makes no sense", factor=change.value), fix)
    if not problems and spec.kind == "number" and change.op == "set":
        problems += limits(change, spec, float(change.value))
    return problems


def _kind_faults(spec: PathSpec, value: Any) -> Iterator[tuple[str, str]]:
    """Why a value is not of the kind that a path takes, and what to write."""
    if spec.kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield text("{value!r} is no number", value=value), text("a number in {unit}", unit=text_of_data(spec.unit))
    elif spec.kind == "flag" and not isinstance(value, bool):
        yield text("{value!r} is neither true nor false", value=value), ""
    elif spec.kind == "choice" and spec.choices and str(value) not in spec.choices:
        fix = did_you_mean(str(value), spec.choices) or text("the choices are {names}", names=", ".join(spec.choices))
        yield text("{value!r} is no choice here", value=value), fix
    elif spec.kind == "level" and not level_known(str(value)):
        yield text("{value!r} is no level", value=value), level_hint(str(value))
    elif spec.kind == "names":
        for word in value if isinstance(value, list) else [value]:
            if str(word) not in spec.choices:
                fix = did_you_mean(str(word), spec.choices) or text("the names are {names}", names=", ".join(spec.choices))
                yield text("{word!r} is no name here", word=word), fix
    elif spec.kind == "table" and not isinstance(value, dict):
        yield text("a table belongs here"), bilingual(spec.title, spec.title_zh)


def _factor_range(spec: PathSpec, value: float) -> str:
    """What factors are possible, empty where this one is. What must be above 0 stays so by a factor above 0."""
    positive = spec.least_factor is None and spec.above is not None and spec.above >= 0
    if (value > 0 if positive else value >= (spec.least_factor or 0.0)) and value <= (spec.most_factor or math.inf):
        return ""
    least = text("above 0") if positive else text("{least:g} or more", least=spec.least_factor or 0)
    if spec.most_factor:
        return text("a factor here is {least}, and {most:g} at most", least=least, most=spec.most_factor)
    return text("a factor here is {least}", least=least)


def limits(change: Change, spec: PathSpec, value: float) -> list[Problem]:
    """Whether a new value is possible."""
    parts = []
    if spec.above is not None and not value > spec.above:
        parts.append(text("above {limit:g}", limit=spec.above))
    if spec.at_least is not None and not value >= spec.at_least:
        parts.append(text("at least {limit:g}", limit=spec.at_least))
    if spec.at_most is not None and not value <= spec.at_most:
        parts.append(text("at most {limit:g}", limit=spec.at_most))
    if not parts:
        return []
    what = text(
        "{path} would be {value:g} {unit}; it must be {parts}",
        path=change.path,
        value=value,
        unit=text_of_data(spec.unit),
        parts=joined(text(" and "), parts),
    )
    return [Problem("scenario-impossible-value", what, where=change.where or change.path, fix=text("choose a possible value"))]


def same_unit(written: str, known: str) -> bool:
    """Whether a unit as written in a scenario is the one of the parameter; blanks and case do not count.

    Examples
    --------
    >>> same_unit("yuan per weight", "Yuan  per weight"), same_unit("days", "yuan")
    (True, False)
    """
    return " ".join(written.lower().split()) == " ".join(known.lower().split())
