"""Data health: every parameter of a policy or budget moves a result when perturbed, or is listed as inactive, with why."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drgsim.errors import DrgsimError
from drgsim.parameters.changed_values import value_at
from drgsim.payment.policy import load_policy
from drgsim.simulation.runner import Outcome
from drgsim.simulation.setup import Setup
from tests.sample_region import YEAR
from tests.simulating import baseline_of, runner

INACTIVE: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "cases" / "inactive.yaml").read_text(encoding="utf-8")
)
# what must be added so that the policy can be run on the sample region, and its rules have something to work on
WITH = {
    "beijing/2024": "{procurement.cut.consumables: 0.2}", "xian/2024": "{}", "zhejiang/2025": "{weights.source: history}",
    "national/2.0": "{rate.source: fund}", "yinchuan/2023": "{}", "lanzhou/2023": "{}",
}  # fmt: skip
BY_CHANCE = "by chance: "
FACTORS = (1.37, 0.61, 3.0, 0.2, 0.97, 1.02)


def fingerprint(outcome: Outcome) -> str:
    """Everything that a run says about money."""
    digest = hashlib.sha256()
    for values in (*outcome.by_payer.money.values(), *outcome.adjustments.values()):
        digest.update(np.ascontiguousarray(values).tobytes())
    if outcome.budget is not None:
        budget = outcome.budget
        for values in (
            budget.index.index,
            budget.settled,
            *budget.cash.paid.values(),
            budget.carried_out,
            budget.warnings.warned,
            budget.warnings.attention,
            budget.liquidity.balance,
        ):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def leaves(raw: Any, path: str = "") -> list[tuple[str, Any]]:
    """Paths of all numbers and flags below a node of a file, without what only describes."""
    if isinstance(raw, dict):
        plain = [
            key
            for key in raw
            if key not in ("unit", "source", "evidence", "note", "title", "title_zh", "effective_from", "effective_to")
        ]
        return [leaf for key in plain for leaf in leaves(raw[key], f"{path}.{key}" if path else str(key))]
    if isinstance(raw, list):
        return [leaf for place, entry in enumerate(raw) for leaf in leaves(entry, f"{path}.{place}")]
    return [(path, raw)] if isinstance(raw, bool | int | float) else []


def perturbed(value: Any) -> list[Any]:
    """Other values of a parameter, near and far; a model may refuse some of them."""
    if isinstance(value, bool):
        return [not value]
    if value == 0:
        return [0.01, 0.3, 1]
    if isinstance(value, int):
        return [*dict.fromkeys(max(round(value * factor), 0) for factor in FACTORS), value + 1]
    # bounds this near to no change bind wherever anything changes
    narrow = [1.0001, 0.9999] if 0.5 < value < 2 else [0.001 * value] if 0 < value < 0.1 else []
    return [*(value * factor for factor in FACTORS), *narrow]


def moved(setup: Setup, kind: str, path: str, value: Any, still: str) -> bool:
    """Whether any perturbation that the model accepts changes the result."""
    for other in perturbed(value):
        try:
            if kind == "policy":
                changed = replace(setup, policy=setup.policy.changed({path: other}))
            else:
                assert setup.budget is not None
                changed = replace(setup, budget=setup.budget.changed({path: other}))
            if fingerprint(runner().run(changed, YEAR)) != still:
                return True
        except (DrgsimError, ValueError, AssertionError):
            continue
    return False


def assert_listed(name: str, silent: set[str]) -> None:
    """Every parameter that moves nothing is listed, and none that moves a result but what another sample may hit by chance."""
    listed = INACTIVE.get(name, {})
    moving = {path for path, why in listed.items() if path not in silent and not why.startswith(BY_CHANCE)}
    assert not silent - set(listed), f"not listed: {sorted(silent - set(listed))}"
    assert not moving, f"listed, but moves a result: {sorted(moving)}"


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH)
def test_every_parameter_of_a_policy_moves_a_result_or_is_listed_as_inactive(name: str) -> None:
    setup = baseline_of(name, WITH[name])
    still = fingerprint(runner().run(setup, YEAR))
    silent = {
        path
        for path, value in leaves(dict(setup.policy.raw))
        if not path.startswith("sources") and not moved(setup, "policy", path, value, still)
    }
    assert_listed(name, silent)


@pytest.mark.slow
def test_every_term_of_the_budget_moves_a_result_or_is_listed_as_inactive() -> None:
    setup = baseline_of("beijing/2024", "{rate.source: fund, budget.active: true}")
    assert setup.budget is not None
    still = fingerprint(runner().run(setup, YEAR))
    used = setup.budget.file.sharing.use.value
    silent = {
        path
        for path, value in leaves(dict(setup.budget.raw))
        if not path.startswith("sources")
        and (not path.startswith("sharing.schedules.") or path.startswith(f"sharing.schedules.{used}"))
        and not moved(setup, "budget", path, value, still)
    }
    assert_listed("budget", silent)


def test_what_is_listed_as_inactive_is_there() -> None:
    for name, paths in INACTIVE.items():
        raw = baseline_of("beijing/2024").budget if name == "budget" else load_policy(name)
        assert raw is not None
        for path, why in paths.items():
            assert value_at(raw.raw, path) is not None, (name, path)
            assert why, (name, path)
