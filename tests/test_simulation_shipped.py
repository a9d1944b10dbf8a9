"""Shipped scenarios have expected results on the sample region; a mismatch writes the actual one and how to accept it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from drgsim.simulation.scenario import scenario_names
from tests.kept_results import SCENARIOS, file_text, scenario_result

TOLERANCE = 1e-9  # of shares and indexes; money is exact


def _differs(one: Any, two: Any) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return set(one) != set(two) or any(_differs(one[key], two[key]) for key in one)
    if isinstance(one, float) or isinstance(two, float):
        return not (isinstance(two, int | float) and abs(float(one) - float(two)) <= TOLERANCE)
    return bool(one != two)


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_gives_what_is_kept(name: str) -> None:
    expected_file, actual_file = SCENARIOS / f"{name}.yaml", SCENARIOS / f"{name}.actual.yaml"
    actual = scenario_result(name)
    expected = yaml.safe_load(expected_file.read_text(encoding="utf-8")) if expected_file.is_file() else None
    if _differs(expected, actual):
        actual_file.write_text(file_text(actual), encoding="utf-8")
        pytest.fail(
            f"{name} gives another result; look at the difference, and accept it with: mv {actual_file} {expected_file} "
            "(all at once: python -m tools.keep_results)"
        )
    actual_file.unlink(missing_ok=True)


def test_every_kept_result_belongs_to_a_scenario() -> None:
    kept = {path.stem for path in SCENARIOS.glob("*.yaml") if not path.stem.endswith(".actual")}
    assert kept == set(scenario_names())


def test_the_kept_results_are_about_something() -> None:
    """A scenario whose result equals its baseline would prove nothing."""
    for name in scenario_names():
        entry = yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8"))
        assert entry["baseline"] != entry["scenario"], name
