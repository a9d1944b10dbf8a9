"""Scenarios: which there are, what they change, whether they can be run, and what they may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import yaml

from drgsim.api.argument_check import checked, named
from drgsim.api.verb_inputs import AnyRegion
from drgsim.assets import sample_path
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.payment.policy import AnyPolicy, Policy
from drgsim.region.region_folder import RegionFolder
from drgsim.results.result import Result
from drgsim.simulation.paths import PathSpec, specs
from drgsim.simulation.scenario import Scenario, ScenarioError, load_scenario, load_scenarios, parse_scenario, scenario_names
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.study import ScenarioPlan, plans_of

AnyScenario = str | Path | Scenario | Mapping[str, Any]
SCENARIOS = named(Scenario, Mapping, listed=True)


class ScenarioTable(Result):
    """Scenarios, or what they may change.

    Attributes
    ----------
    scenarios, plans, specs
        What the rows of the table are of: scenario files, scenarios checked against a policy and a region, paths.
    ok
        Whether the scenarios can be run; ``notes`` say why not.
    """

    kind: ClassVar[str] = "scenarios"
    title: ClassVar[str] = text("Scenarios")

    def __init__(
        self,
        table: pa.Table,
        *,
        scenarios: Sequence[Scenario] = (),
        plans: Sequence[ScenarioPlan] = (),
        paths: Sequence[PathSpec] = (),
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__({"scenarios": table}, notes=problems)
        self.scenarios, self.plans, self.specs = tuple(scenarios), tuple(plans), tuple(paths)
        self.ok = not problems


def scenarios() -> ScenarioTable:
    """List the scenarios that ship with drgsim.

    Returns
    -------
    ScenarioTable
        One row per scenario: ``scenario``, ``title``, ``title_zh``, ``policy``, ``evidence``.

    Examples
    --------
    >>> import drgsim
    >>> "rate-plus-3" in drgsim.scenarios().to_arrow()["scenario"].to_pylist()
    True
    """
    files = [load_scenario(name) for name in scenario_names()]
    rows = [
        {"scenario": one.name, "title": one.file.title, "title_zh": one.file.title_zh,
         "policy": one.file.baseline.policy or "any", "evidence": one.file.evidence}
        for one in files
    ]  # fmt: skip
    return ScenarioTable(pa.Table.from_pylist(rows), scenarios=files)


@checked(names=SCENARIOS, region=named(RegionFolder), policy=named(Policy))
def scenario_describe(
    names: AnyScenario | Sequence[AnyScenario], *, region: AnyRegion | None = None, policy: AnyPolicy | None = None
) -> ScenarioTable:
    """Show what scenarios change: old and new value, with unit.

    Parameters
    ----------
    names
        Scenario files, names of shipped ones, or mappings as in :func:`drgsim.simulate`.
    region
        Folder of a region; the sample region by default.
    policy
        Policy in place of the scenario's own: a name, a folder, or what :func:`drgsim.load_policy` gave.

    Returns
    -------
    ScenarioTable
        One row per change: ``scenario``, ``side`` (baseline or change), ``path``, ``old``, ``new``, ``unit``.

    Raises
    ------
    ScenarioError
        Everything that is wrong with any scenario.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.scenario_describe("rate-plus-3").to_arrow()["path"].to_pylist()
    ['rate.source', 'rate.base']
    """
    plans = _plans(names, region, policy)
    rows = [
        {"scenario": plan.name, "side": side, "path": step.path, "old": step.old, "new": step.new, "unit": step.unit}
        for plan in plans
        for side, steps in (("baseline", plan.baseline_steps), ("change", plan.steps))
        for step in steps
    ]
    columns = ("scenario", "side", "path", "old", "new", "unit")
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in columns})
    return ScenarioTable(table, plans=plans)


@checked(names=SCENARIOS, region=named(RegionFolder), policy=named(Policy))
def scenario_check(
    names: AnyScenario | Sequence[AnyScenario], *, region: AnyRegion | None = None, policy: AnyPolicy | None = None
) -> ScenarioTable:
    """Check scenarios whole, against their policy and a region.

    Parameters
    ----------
    names, region, policy
        As in :func:`drgsim.scenario_describe`.

    Returns
    -------
    ScenarioTable
        ``ok``, and ``notes`` with everything that is wrong; one row per scenario that can be run.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.scenario_check("rate-plus-3").ok
    True
    >>> drgsim.scenario_check({"changes": {"rate.bse": "*1.03"}}, policy="beijing/2024").notes[0].code
    'scenario-unknown-path'
    """
    problems: Sequence[Problem] = ()
    plans: list[ScenarioPlan] = []
    try:
        plans = _plans(names, region, policy)
    except ScenarioError as error:
        problems = error.problems
    table = pa.table({
        "scenario": pa.array([plan.name for plan in plans], pa.string()),
        "policy": pa.array([plan.baseline.policy.id for plan in plans], pa.string()),
        "changes": pa.array([len(plan.steps) for plan in plans], pa.int64()),
    })  # fmt: skip
    return ScenarioTable(table, plans=plans, problems=problems)


def _plans(
    names: AnyScenario | Sequence[AnyScenario], region: AnyRegion | None, policy: AnyPolicy | None
) -> list[ScenarioPlan]:
    listed = listed_scenarios(names)
    read = iter(load_scenarios([name for name in listed if not isinstance(name, Scenario)]))
    every = [name if isinstance(name, Scenario) else next(read) for name in listed]
    return plans_of(every, policy, Region.of(sample_path("region") if region is None else region))


def scenario_paths() -> ScenarioTable:
    """List what a scenario may change beside the parameters of the policy.

    Returns
    -------
    ScenarioTable
        One row per path: ``path``, ``title``, ``title_zh``, ``unit``, ``default``, ``evidence``, ``source``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.scenario_paths().to_arrow().column_names
    ['path', 'title', 'title_zh', 'unit', 'default', 'evidence', 'source']
    """
    columns = ("path", "title", "title_zh", "unit", "default", "evidence", "source")
    table = pa.table({
        name: pa.array([_text(getattr(spec, name)) for spec in specs()], pa.string()) for name in columns
    })  # fmt: skip
    return ScenarioTable(table, paths=specs())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def listed_scenarios(scenarios: AnyScenario | Sequence[AnyScenario]) -> list[str | Path | Scenario]:
    """Scenarios as files, names or read ones; a mapping is read as a file would be."""
    single = isinstance(scenarios, str | Path | Scenario | Mapping)
    every: Sequence[Any] = [scenarios] if single else scenarios  # type: ignore[assignment]
    header = {"title": "what if", "title_zh": "情景", "author": "drgsim", "reference": "none"}
    return [
        parse_scenario(yaml.safe_dump({**header, **entry}, allow_unicode=True), f"scenario-{number}")
        if isinstance(entry, Mapping)
        else entry
        for number, entry in enumerate(every, start=1)
    ]
