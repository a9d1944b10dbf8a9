"""The limits of the supervision lists, as parameters with evidence (``payment_tables/supervision.yaml``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drgsim.assets import asset_root
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.parameters.evidence import Source, Strict, Value
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import read_strict


class SupervisionFile(Strict):
    """The limits of the lists."""

    sources: dict[str, Source]
    repeat_within_days: Value[int]
    repeat_same_characters: Value[int]
    repeat_planned: Value[tuple[str, ...]]
    low_cost_ratio: Value[float]
    low_longest_stay: Value[int]
    long_deviations: Value[float]
    long_at_least: Value[int]
    reference_cases: Value[int]
    quality_few_diagnoses: Value[float]
    split_within_days: Value[int]
    split_cost_ratio: Value[float]
    severe_cost_ratio: Value[float]
    chance_deviations: Value[float]


@dataclass(frozen=True)
class SupervisionLimits(ParameterSet[SupervisionFile]):
    """The limits, read and checked."""

    model = SupervisionFile
    kind = "supervision"
    called = text("the supervision lists")
    error = UsageError
    refusal = 2


def supervision_settings(changes: Mapping[str, Any] | None = None) -> SupervisionFile:
    """The limits, some of them changed; changed ones are assumptions.

    Raises
    ------
    UsageError
        Unknown names or values that make no sense, all at once.

    Examples
    --------
    >>> supervision_settings({"repeat_within_days": 30}).repeat_within_days.value
    30
    """
    path = asset_root("payment_tables") / "supervision.yaml"
    problems: list[Problem] = []
    raw, content = read_strict(path, SupervisionLimits.kind, problems)
    file = SupervisionLimits.checked(raw, path.name, problems) if raw is not None else None
    if raw is None or file is None or problems:
        raise UsageError(problems)
    limits = SupervisionLimits(file, hashlib.sha256(content).hexdigest(), raw)
    return limits.changed(changes or {}, "changed").file
