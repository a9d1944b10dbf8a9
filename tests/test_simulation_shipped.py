"""Shipped scenarios have expected results on the sample region; a mismatch writes the actual one and how to accept it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from drgsim.simulation.decompose import decompose, total
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.scenario import load_scenario, scenario_names
from drgsim.simulation.study import plan_of, run_plan
from tests.simulating import YEAR, region, runner

FOLDER = Path(__file__).parent / "cases" / "scenarios"
TOLERANCE = 1e-9  # of shares and indexes; money is exact


def actual_result(name: str) -> dict[str, Any]:
    """What a shipped scenario gives on the sample region, as plain values."""
    result = run_plan(plan_of([load_scenario(name)], None, region()), runner(), YEAR, {})
    sides = {"baseline": result.baseline, "static": result.static, "scenario": result.outcome}
    effects = total(decompose(result.baseline, result.outcome))
    entry: dict[str, Any] = {"name": name, "region": region().folder.name, "year": YEAR}
    for side, outcome in sides.items():
        if outcome is None:
            continue
        figures = headlines(outcome, region())
        entry[side] = {
            key: _plain(figures[key], spec["unit"]) for key, spec in headline_names().items() if figures[key] == figures[key]
        }
    entry["decomposition"] = {key: f"{amount / 100:.2f}" for key, amount in effects.items() if amount}
    margins = [
        outcome.by_hospital("payment") + outcome.adjusted - outcome.by_hospital("cost")
        for outcome in (result.baseline, result.outcome)
    ]
    change = zip(result.outcome.hospitals, (margins[1] - margins[0]).tolist(), strict=True)
    entry["margin_change"] = {hospital: f"{amount / 100:.2f}" for hospital, amount in change if hospital}
    return entry


def _plain(value: float, unit: str) -> Any:
    return f"{value:.2f}" if unit == "yuan" else round(value, 12)


def _differs(one: Any, two: Any) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return set(one) != set(two) or any(_differs(one[key], two[key]) for key in one)
    if isinstance(one, float) or isinstance(two, float):
        return not (isinstance(two, int | float) and abs(float(one) - float(two)) <= TOLERANCE)
    return bool(one != two)


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_gives_what_is_kept(name: str) -> None:
    expected_file, actual_file = FOLDER / f"{name}.yaml", FOLDER / f"{name}.actual.yaml"
    actual = actual_result(name)
    expected = yaml.safe_load(expected_file.read_text(encoding="utf-8")) if expected_file.is_file() else None
    if _differs(expected, actual):
        actual_file.write_text(yaml.safe_dump(actual, sort_keys=False, allow_unicode=True), encoding="utf-8")
        pytest.fail(
            f"{name} gives another result; look at the difference, and accept it with: mv {actual_file} {expected_file}"
        )
    actual_file.unlink(missing_ok=True)


def test_every_kept_result_belongs_to_a_scenario() -> None:
    kept = {path.stem for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".actual")}
    assert kept == set(scenario_names())


def test_the_kept_results_are_about_something() -> None:
    """A scenario whose result equals its baseline would prove nothing."""
    for name in scenario_names():
        entry = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        assert entry["baseline"] != entry["scenario"], name
