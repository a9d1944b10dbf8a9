"""One call from a region folder and scenario files to a study: check everything, run, and add what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.payment.policy import AnyPolicy, Policy
from drgsim.region.region_folder import RegionFolder
from drgsim.simulation.answer_tables import headline_table
from drgsim.simulation.decompose import Method
from drgsim.simulation.explore import grid_table, sensitivity_table
from drgsim.simulation.goal_seek import read_goal, solve
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import Change, Scenario, ScenarioError, load_scenarios, parse_change, parse_scenario
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.study import Progress, ScenarioPlan, Study, joined, plans_of, run_study
from drgsim.simulation.uncertainty import LEAST_DRAWS, draw
from drgsim.simulation.year_sequence import years_table


@dataclass(frozen=True)
class StudyOptions:
    """What a run is asked for beside its scenarios; the names are those of ``drgsim simulate``."""

    policy: AnyPolicy | None = None
    changes: Mapping[str, Any] | None = None
    year: int | None = None
    stack: bool = False
    draws: int = 0
    seed: int = 1
    level: float = 0.95
    decomposition: str = "sequential"
    tornado: bool = False
    solve: str | None = None
    target: str | None = None
    between: str | None = None

    @property
    def written(self) -> dict[str, Any]:
        """The options that differ from the defaults, for the record."""
        given = {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name) != each.default}
        if self.policy is not None:
            given["policy"] = self.policy.id if isinstance(self.policy, Policy) else str(self.policy)
        return given


def run_all(
    folder: str | Path | RegionFolder,
    names: Sequence[str | Path | Scenario],
    options: StudyOptions = StudyOptions(),
    progress: Progress | None = None,
) -> Study:
    """Read a region and scenarios, check all of them, and run.

    Parameters
    ----------
    folder
        Region folder, or what :func:`drgsim.region.region_folder.read_region` gave.
    names
        Scenario files, names of shipped ones, or scenarios that are read already. Without any, the policy alone is run.
    options
        What else is wanted.

    Raises
    ------
    ScenarioError
        Everything that is wrong with the scenarios and options.
    InputError
        The region cannot be read.
    """
    scenarios = [entry if isinstance(entry, Scenario) else load_scenarios([entry])[0] for entry in _unique(names)]
    region = Region.of(folder)
    _check(options, region.years)
    runner = Runner(region)
    method: Method = "shapley" if options.decomposition == "shapley" else "sequential"
    plans = plans_of(_with_changes(scenarios, options), options.policy, region, stack=options.stack)
    found: dict[str, pa.Table] = {}
    if options.solve and options.target:
        goal = read_goal(options.solve, options.target, options.between)
        solutions = [solve(plan, goal, runner, options.year or region.years[-1]) for plan in plans]
        plans = [solution.plan for solution in solutions]
        found["solution"] = joined([(solution.plan.name, solution.table) for solution in solutions])
    study = run_study(plans, region, year=options.year, method=method, runner=runner, progress=progress)
    return _further(replace(study, tables={**study.tables, **found}), plans, runner, options, progress)


def _further(
    study: Study,
    plans: Sequence[ScenarioPlan],
    runner: Runner,
    options: StudyOptions,
    progress: Progress | None,
) -> Study:
    """Grids, years, sensitivities and intervals, where they are asked for."""
    parts: dict[str, list[tuple[str, pa.Table]]] = {}
    notes = list(study.notes)
    intervals: dict[str, dict[str, dict[str, tuple[float, float]]]] = {}
    for plan in plans:
        if any(scenario.grid for scenario in plan.scenarios):
            parts.setdefault("grid", []).append((plan.name, grid_table(plan, runner, study.year, progress)))
        years = [(scenario.file.years, scenario.yearly) for scenario in plan.scenarios if scenario.file.years is not None]
        for block, yearly in years[-1:]:
            assert block is not None
            parts.setdefault("years", []).append((plan.name, years_table(plan, block, yearly, runner, study.year)))
        if options.tornado:
            table, said = sensitivity_table(plan, runner, study.year)
            parts.setdefault("sensitivity", []).append((plan.name, table))
            notes += said
        if options.draws:
            drawn = draw(plan, runner, study.year, options.draws, options.seed, progress)
            parts.setdefault("draws", []).append((plan.name, drawn.table()))
            intervals[plan.name] = drawn.intervals(options.level)
    if 0 < options.draws < LEAST_DRAWS:
        notes.append(
            text(
                "no intervals: they need {least} draws or more, and {draws} were asked for",
                least=LEAST_DRAWS,
                draws=options.draws,
            )
        )
        intervals = {}
    notes += runner.memory.notes
    tables = {**study.tables, **{name: joined(tables) for name, tables in parts.items()}}
    if intervals:
        tables["headlines"] = joined([
            (result.plan.name, headline_table(
                result.baseline, result.outcome, study.region,
                result.static if result.static is not result.outcome else None, intervals[result.plan.name],
            )) for result in study.results
        ])  # fmt: skip
        notes.append(
            text(
                "intervals: {level:.0%}, {draws} draws of cases within each hospital, seed {seed}; the same "
                "draws for every scenario",
                level=options.level,
                draws=options.draws,
                seed=options.seed,
            )
        )
    return replace(study, tables=tables, notes=tuple(dict.fromkeys(notes)))


def further_notes(study: Study) -> list[str]:
    """What a reader must know of the fund's years, and of terms that no figure of a simulated year shows."""
    years = study.tables["years"]["year"].to_pylist() if "years" in study.tables else []
    notes = study.region.fund_notes([study.year, *years])
    setups = [setup for result in study.results for setup in (result.plan.baseline, result.plan.setup)]
    if any(setup.settings["budget.active"] and setup.budget and setup.budget.file.sharing.carry_over.value for setup in setups):
        notes.append(
            text(
                "budget.sharing.carry_over moves when a surplus is paid, not how much: no figure of a single "
                "year shows it; drgsim budget lists carried_in and carried_out by hospital"
            )
        )
    return notes


def _unique(names: Sequence[str | Path | Scenario]) -> list[str | Path | Scenario]:
    files = [name for name in names if not isinstance(name, Scenario)]
    load_scenarios(files)  # all problems of all files at once, and names that stand twice
    return list(names)


def _with_changes(scenarios: Sequence[Scenario], options: StudyOptions) -> list[Scenario]:
    """The scenarios with the changes of the call after their own; without scenarios these changes alone, or none."""
    changes, problems = [], []
    for path, written in (options.changes or {}).items():
        try:
            changes.append(parse_change(path, written, f"--set {path}"))
        except ValueError as error:
            problems.append(
                Problem("scenario-bad-change", text("{path}: {error}", path=path, error=error.args[0]), where=f"--set {path}")
            )
    if problems:
        raise ScenarioError(problems)
    if scenarios:  # in a stack the first one lies below all others
        changed = 1 if options.stack else len(scenarios)
        return [
            replace(each, changes=(*each.changes, *changes)) if number < changed else each
            for number, each in enumerate(scenarios)
        ]
    return [_of_changes(changes, solved=options.solve is not None)]


def _of_changes(changes: Sequence[Change], solved: bool) -> Scenario:
    """A scenario without a file: the changes of the call, what will be solved for, or the baseline alone."""
    name = "set" if changes else "solved" if solved else "baseline"
    title = ", ".join(f"{change.path} {change.words}" for change in changes)
    empty = parse_scenario("{title: baseline alone, title_zh: 仅基线, changes: {payment.method: policy}}", name)
    file = empty.file.model_copy(update={"title": title, "title_zh": ""}) if title else empty.file
    return replace(empty, file=file, changes=tuple(changes))


def _check(options: StudyOptions, years: Sequence[int]) -> None:
    problems = []
    if options.year is not None and options.year not in years:
        what = text("the region has no discharges of {year}", year=options.year)
        problems.append(
            Problem(
                "simulate-no-year", what, where="--year", fix=text("the years are {names}", names=", ".join(map(str, years)))
            )
        )
    methods = get_args(Method)
    if options.decomposition not in methods:
        fix = did_you_mean(options.decomposition, methods) or text("the ways are {methods}", methods=", ".join(methods))
        problems.append(
            Problem(
                "simulate-no-method",
                text("{decomposition!r} is no decomposition", decomposition=options.decomposition),
                where="--decomposition",
                fix=fix,
            )
        )
    if (options.solve is None) != (options.target is None):
        what = text("--solve and --target belong together")
        problems.append(
            Problem("simulate-half-goal", what, fix=text('for instance --solve rate.base --target "fund.balance=0"'))
        )
    if problems:
        raise ScenarioError(problems)
