"""The limits of the supervision lists of DIP, as parameters with evidence (``payment_tables/dip-specs/supervision.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from drgsim.assets import asset_root
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.parameters.evidence import Evidence, Source, Strict, Value
from drgsim.parameters.strict_file import fault_problem, strict_loader


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
    path = asset_root("payment_tables") / "dip-specs" / "supervision.yaml"
    problems: list[Problem] = []
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=strict_loader(problems, path.name, "supervision"))
    raw["sources"]["changed"] = {"title": "changed for this run"}
    known = [name for name in raw if name != "sources"]
    for name, value in (changes or {}).items():
        if name not in known:
            fix = did_you_mean(name, known) or f"the limits are {', '.join(known)}"
            problems.append(Problem("supervision-unknown-name", f"{name} is no limit of the lists", where=name, fix=fix))
            continue
        raw[name] |= {"value": value, "source": "changed", "evidence": Evidence.ASSUMPTION.value}
    if problems:
        raise UsageError(problems)
    try:
        return SupervisionFile.model_validate(raw)
    except ValidationError as error:
        faults = [fault_problem(dict(fault), path.name, SupervisionFile, "supervision") for fault in error.errors()]
        raise UsageError(faults) from error
