"""A study: scenarios against their baselines on one region, with everything that a report needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.parameters.evident_values import Parameter
from drgsim.payment.policy import AnyPolicy
from drgsim.simulation.answer_tables import answer_tables, changes_table
from drgsim.simulation.behaviour import active, respond, without_behaviour
from drgsim.simulation.decompose import Method
from drgsim.simulation.paths import find, specs
from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.scenario import Change, Scenario, ScenarioError
from drgsim.simulation.scenario_cases import PART
from drgsim.simulation.setup import Setup, Step
from drgsim.simulation.setup_changes import apply, baseline_setup
from drgsim.simulation.simulated_region import Region

Progress = Callable[[float, int], None]
MOST_CORNERS = 256  # of a grid that are checked ahead; two for each of eight paths


@dataclass(frozen=True)
class ScenarioPlan:
    """A scenario, checked: its baseline and its own setup.

    ``steps`` are the changes with old and new value, those of the baseline first.
    """

    name: str
    title: str
    title_zh: str
    scenarios: tuple[Scenario, ...]
    baseline: Setup
    setup: Setup
    baseline_steps: tuple[Step, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class ScenarioResult:
    """A scenario that was run: baseline, scenario, and the scenario without behaviour where behaviour is on."""

    plan: ScenarioPlan
    baseline: Outcome
    outcome: Outcome
    static: Outcome | None


@dataclass(frozen=True)
class Study:
    """Results of all scenarios and their tables; tables carry the scenario's name in their first column."""

    region: Region
    year: int
    results: tuple[ScenarioResult, ...]
    tables: dict[str, pa.Table]
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def plans_of(
    scenarios: Sequence[Scenario], policy: AnyPolicy | None, region: Region, *, stack: bool = False
) -> list[ScenarioPlan]:
    """Check all scenarios before anything runs.

    Parameters
    ----------
    scenarios
        Scenarios in order.
    policy
        Policy in place of those that the baselines name.
    stack
        Each scenario is applied on top of those before it, and all are compared with the first one's baseline.

    Raises
    ------
    ScenarioError
        Everything that is wrong with any scenario.
    """
    problems: list[Problem] = []
    plans: list[ScenarioPlan] = []
    for number, scenario in enumerate(scenarios):
        try:
            first = scenarios[0] if stack else scenario
            if stack and scenario.file.baseline.changes not in ({}, first.file.baseline.changes):
                what = text(
                    "{scenario} has a baseline of its own and cannot stand on {first}", scenario=scenario.name, first=first.name
                )
                fix = text("run it without --stack, or take the baseline out")
                raise ScenarioError([Problem("scenario-other-baseline", what, where=scenario.name, fix=fix)])
            below = scenarios[: number + 1] if stack else [scenario]
            plans.append(plan_of(below, policy, region))
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return plans


def plan_of(scenarios: Sequence[Scenario], policy: AnyPolicy | None, region: Region) -> ScenarioPlan:
    """The setup of one scenario, or of several on top of each other."""
    baseline, baseline_steps = baseline_setup(scenarios[0], policy, region)
    changes = [change for scenario in scenarios for change in scenario.changes]
    setup, steps = apply(baseline, changes, region)
    check_ahead(scenarios, baseline, setup, region)
    titles = [scenario.file.title for scenario in scenarios], [scenario.file.title_zh for scenario in scenarios]
    return ScenarioPlan(
        "+".join(scenario.name for scenario in scenarios), " + ".join(titles[0]), " + ".join(filter(None, titles[1])),
        tuple(scenarios), baseline, setup, baseline_steps, steps,
    )  # fmt: skip


def check_ahead(scenarios: Sequence[Scenario], baseline: Setup, setup: Setup, region: Region) -> None:
    """Check what runs later: each value and the extremes of the grids, the ends of ranges, the changes of every year."""
    problems: list[Problem] = []

    def attempt(start: Setup, changes: Sequence[Change]) -> None:
        try:
            apply(start, changes, region)
        except ScenarioError as error:
            problems.extend(error.problems)

    axes = [values for scenario in scenarios for values in scenario.grid.values()]
    for point in _telling_points(axes):
        attempt(setup, point)
    ranges = [ends for scenario in scenarios for ends in scenario.ranges.values()]
    for end in (end for ends in ranges for end in ends):
        attempt(setup, [end])
    for side in zip(*ranges, strict=True):
        attempt(setup, side)
    for scenario in [each for each in scenarios if each.file.years is not None][-1:]:
        assert scenario.file.years is not None
        # the last year holds all changes of the years before it
        later = list(scenario.yearly) * max(scenario.file.years.count - 1, 1)
        attempt(baseline, later)
        attempt(setup, later)
    for scenario in scenarios:
        every = [*scenario.changes, *scenario.baseline, *scenario.yearly]
        every += [change for values in (*scenario.grid.values(), *scenario.ranges.values()) for change in values]
        problems += [problem for change in every for problem in _too_fine(change)]
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))


def _telling_points(axes: Sequence[Sequence[Change]]) -> Iterator[tuple[Change, ...]]:
    """Points of a grid that tell whether all are possible: each value with the first of the others, and the corners."""
    if not axes:
        return
    for place, values in enumerate(axes):
        for value in values:
            yield tuple(value if number == place else axis[0] for number, axis in enumerate(axes))
    yield from islice(product(*(_extremes(values) for values in axes)), MOST_CORNERS)


def _extremes(values: Sequence[Change]) -> Sequence[Change]:
    """Lowest and highest of changes by numbers of one kind; all others count one by one."""
    numbers = all(isinstance(value.value, int | float) and not isinstance(value.value, bool) for value in values)
    if not numbers or len({value.op for value in values}) > 1:
        return values
    return [min(values, key=lambda change: change.value), max(values, key=lambda change: change.value)]


def _too_fine(change: Change) -> list[Problem]:
    """A factor on the volume that rounding would take away in silence."""
    match = find(change.path)
    if match is None or match.spec.field != "volume" or change.op != "factor" or change.value == 1:
        return []
    if round(float(change.value) * PART) != PART:
        return []
    what = text(
        "{path}: {words} changes nothing, for discharges count in steps of 1/{part:,} per case",
        path=change.path,
        words=change.words,
        part=PART,
    )
    fix = text('the smallest changes are "*{up:g}" and "*{down:g}"', up=1 + 1 / PART, down=1 - 1 / PART)
    return [Problem("scenario-too-fine", what, where=change.where or change.path, fix=fix)]


def run_plan(plan: ScenarioPlan, runner: Runner, year: int, known: dict[str, Outcome]) -> ScenarioResult:
    """Run a plan; baselines that were run before are taken from ``known``."""
    if plan.baseline.digest not in known:
        known[plan.baseline.digest] = runner.run(plan.baseline, year)
    baseline = known[plan.baseline.digest]
    still = without_behaviour(plan.setup)
    static = runner.run(still, year)
    if not active(plan.setup):
        return ScenarioResult(plan, baseline, static, None)
    return ScenarioResult(plan, baseline, behavioural(plan, runner, year), static)


def behavioural(plan: ScenarioPlan, runner: Runner, year: int) -> Outcome:
    """The scenario after hospitals have answered to it, see :mod:`drgsim.simulation.behaviour`."""
    before = runner.lines(plan.baseline, year)
    still = without_behaviour(plan.setup)
    state = respond(plan.setup, before, runner.lines(still, year), runner.region)
    return runner.outcome(still, year, runner.lines(still, year, state))


def run_study(
    plans: Sequence[ScenarioPlan], region: Region, *, year: int | None = None, method: Method = "sequential",
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> Study:  # fmt: skip
    """Run all plans for a year (the last one by default) and make the tables."""
    runner = runner or Runner(region)
    year = year or region.years[-1]
    known: dict[str, Outcome] = {}
    results = []
    for number, plan in enumerate(plans):
        results.append(run_plan(plan, runner, year, known))
        if progress is not None:
            progress((number + 1) / len(plans), len(results) * plan.setup.cohort(runner.region, year).size)
    tables = {}
    per_result = [
        answer_tables(result.baseline, result.outcome, region, static=result.static, method=method) for result in results
    ]
    named = [(result.plan.name, made) for result, made in zip(results, per_result, strict=True)]
    for name in dict.fromkeys(name for made in per_result for name in made):
        tables[name] = joined([(of, made[name]) for of, made in named if name in made])
    tables["changes"] = changes_table(list(_steps(results)))
    still = [result.plan.name for result in results if result.plan.steps and not moves(result)]
    notes = tuple(
        text("{name} moves no money on this region: what it changes has nothing to work on here", name=name) for name in still
    )
    return Study(region, year, tuple(results), tables, notes)


def moves(result: ScenarioResult) -> bool:
    """Whether a scenario moves any money of any hospital and payer, or the month in which it is paid."""
    old, new = result.baseline, result.outcome
    if old.by_payer.names != new.by_payer.names or old.fund != new.fund:
        return True
    money = any((old.by_payer.money[name] != new.by_payer.money[name]).any() for name in old.by_payer.money)
    if (
        old.budget is not None
        and new.budget is not None
        and (old.budget.liquidity.balance != new.budget.liquidity.balance).any()
    ):
        return True
    return money or bool((old.adjusted != new.adjusted).any())


def joined(parts: Sequence[tuple[str, pa.Table]], column: str = "scenario_name") -> pa.Table:
    """Tables one below the other with the name of their scenario in front; columns that one lacks are empty there."""
    named = [table.add_column(0, column, pa.array([name] * table.num_rows, pa.string())) for name, table in parts]
    return pa.concat_tables(named, promote_options="default")


def _steps(results: Sequence[ScenarioResult]) -> Iterator[tuple[str, Step]]:
    for result in results:
        yield from ((f"{result.plan.name} (baseline)", step) for step in result.plan.baseline_steps)
        yield from ((result.plan.name, step) for step in result.plan.steps)


def assumptions_of(results: Sequence[ScenarioResult]) -> list[dict[str, str]]:
    """Everything that rests on no source: of the policies, of the settings that were used, and the scenarios themselves."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for result in results:
        for setup in (result.plan.baseline, result.plan.setup):
            for parameter in setup.policy.assumptions:
                rows.setdefault((setup.policy.id, parameter.path), _row(setup.policy.id, parameter))
            for spec in specs():
                value = setup.settings.get(spec.path)
                if spec.changes == "setting" and value != spec.default and spec.evidence == "assumption":
                    rows.setdefault(("settings", spec.path), {
                        "of": "settings", "path": spec.path, "value": str(value), "unit": spec.unit, "source": spec.source,
                    })  # fmt: skip
            if setup.settings["budget.active"] and setup.budget is not None:
                for parameter in setup.budget.assumptions:
                    path = f"budget.{parameter.path}"
                    rows.setdefault((setup.budget.id, path), {**_row(f"budget {setup.budget.id}", parameter), "path": path})
        for scenario in result.plan.scenarios:
            if scenario.file.evidence == "assumption":
                rows.setdefault((scenario.name, "*"), {
                    "of": scenario.name, "path": text("(all changes)"), "value": scenario.file.title, "unit": "",
                    "source": scenario.file.reference,
                })  # fmt: skip
    return list(rows.values())


def _row(of: str, parameter: Parameter) -> dict[str, str]:
    return {"of": of, "path": parameter.path, "value": str(parameter.value), "unit": parameter.unit, "source": parameter.source}
