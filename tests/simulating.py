"""The sample region, read and grouped once for all tests of scenarios."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.scenario import Scenario, parse_change, parse_scenario
from drgsim.simulation.setup import Setup
from drgsim.simulation.setup_changes import apply, baseline_setup
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.study import ScenarioPlan, plan_of
from tests.sample_region import SAMPLE, YEAR

HEAD = "title: t\nauthor: a\nreference: r\n"
BEIJING = "baseline: {policy: beijing/2024, changes: {rate.source: fund}}\n"


@lru_cache(maxsize=1)
def runner() -> Runner:
    return Runner(region())


@lru_cache(maxsize=1)
def region() -> Region:
    return Region.of(SAMPLE)


@lru_cache(maxsize=4)
def frequent_groups(kind: str = "drg", scheme: str = "beijing-2024") -> tuple[str, ...]:
    """Groups of cases that have one, by their cases of the last year, the most frequent first; ``kind`` is drg or adrg."""
    cohort = region().cohort(YEAR, scheme)
    named = cohort.adrg if kind == "adrg" else cohort.cases.unit
    count = np.bincount(named.ids[named.ids >= 0], minlength=len(named.values))
    plain = [place for place, code in enumerate(named.values) if code and code != "0000" and not code.endswith("QY")]
    return tuple(named.values[place] for place in sorted(plain, key=lambda place: (-count[place], named.values[place])))


@lru_cache(maxsize=1)
def device_groups() -> tuple[str, str]:
    """The two ADRGs of the last year that spend most on consumables."""
    cohort = region().cohort(YEAR, "beijing-2024")
    spent = np.bincount(cohort.adrg.ids + 1, np.maximum(cohort.costs["consumables"], 0))[1:]
    one, two = sorted(frequent_groups("adrg"), key=lambda adrg: -spent[cohort.adrg.values.index(adrg)])[:2]
    return one, two


def written(changes: str, name: str = "test", baseline: str = BEIJING, more: str = "") -> Scenario:
    """A scenario from the text of its changes."""
    return parse_scenario(f"{HEAD}{baseline}changes: {changes}\n{more}", name)


def plan(changes: str, baseline: str = BEIJING, more: str = "") -> ScenarioPlan:
    return plan_of([written(changes, baseline=baseline, more=more)], None, region())


@lru_cache(maxsize=8)
def baseline_of(policy: str, changes: str = "{rate.source: fund}") -> Setup:
    return baseline_setup(
        written("{cases.volume: '*1'}", baseline=f"baseline: {{policy: {policy}, changes: {changes}}}\n"), None, region()
    )[0]


def changed(setup: Setup, **paths: Any) -> Setup:
    """A setup with changes; ``__`` in a keyword stands for the dot of a path."""
    return apply(setup, [parse_change(path.replace("__", "."), value) for path, value in paths.items()], region())[0]


def by_path(setup: Setup, changes: dict[str, Any]) -> Setup:
    return apply(setup, [parse_change(path, value) for path, value in changes.items()], region())[0]


_OUTCOMES: dict[str, Outcome] = {}


def run(setup: Setup) -> Outcome:
    """The outcome of a setup, remembered."""
    if setup.digest not in _OUTCOMES:
        _OUTCOMES[setup.digest] = runner().run(setup, YEAR)
    return _OUTCOMES[setup.digest]


def same(one: Outcome, two: Outcome) -> bool:
    """Whether two outcomes are equal to the fen, and in every count."""
    money = all((one.by_payer.money[name] == two.by_payer.money[name]).all() for name in one.by_payer.money)
    counts = all((one.by_payer.counts[name] == two.by_payer.counts[name]).all() for name in one.by_payer.counts)
    beside = all((one.adjustments[name] == two.adjustments[name]).all() for name in one.adjustments)
    beside = beside and one.stated == two.stated
    return money and counts and beside and bool(abs(one.by_payer.weight - two.by_payer.weight).max() < 1e-6)
