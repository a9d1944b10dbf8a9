"""How a change of a scenario is told: the value before and after, or why it is refused."""

from __future__ import annotations

from typing import Any

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.parameters.evidence import Evident
from drgsim.simulation.paths import Match, same_unit
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup import Step


def step_of(match: Match | None, change: Change, old: Any, new: Any, unit: str = "") -> Step:
    """A change with its value before and after, in the unit of its path unless another one is given."""
    if match is None:
        return Step(change.path, "", "", step_words(old), step_words(new), unit)
    spec = match.spec
    return Step(change.path, spec.title, spec.title_zh, step_words(old), step_words(new), unit or spec.unit)


def step_words(value: Any) -> str:
    """A value as a reader sees it; of parameters the values without their evidence.

    Examples
    --------
    >>> step_words(1234567.5), step_words({"within_days": {"value": 15, "unit": "days"}, "factor": 0.5}), step_words(None)
    ('1,234,567.5', 'within_days 15, factor 0.5', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return f"{value:,.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        inside = value.get("value", value.get("values"))
        if inside is not None:
            return step_words(inside)
        return ", ".join(f"{name} {step_words(each)}" for name, each in value.items() if name not in Evident.model_fields)
    return value if isinstance(value, str) else str(value)


def refuse(code: str, change: Change, what: str, fix: str, problems: list[Problem]) -> None:
    """Say why a change is not made; ``code`` without its beginning ``scenario-``."""
    problems.append(
        Problem(
            f"scenario-{code}", text("{path}{what}", path=change.path, what=what), where=change.where or change.path, fix=fix
        )
    )


def out_of_scope(change: Change, what: str, fix: str, problems: list[Problem]) -> None:
    """Say that a change would change nothing here."""
    refuse("out-of-scope", change, text(": {what}", what=what), fix, problems)


def wrong_unit(change: Change, unit: str, problems: list[Problem]) -> bool:
    """Whether a change states another unit than that of its parameter, which is then told."""
    if not change.unit or not unit or same_unit(change.unit, unit):
        return False
    refuse(
        "wrong-unit",
        change,
        text(": the unit is {unit!r}, but this parameter is in {wanted}", unit=change.unit, wanted=unit),
        text("write it in {unit}", unit=unit),
        problems,
    )
    return True
