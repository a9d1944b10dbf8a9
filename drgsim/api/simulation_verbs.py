"""What happens if this changes: scenarios against their baselines, and two runs side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import yaml

from drgsim.api.verb_inputs import AnyRegion, folder_of, sample_region, told
from drgsim.errors import Problem
from drgsim.results.result import Result
from drgsim.results.run_record import plain, run_record
from drgsim.simulation.paths import PathSpec, specs
from drgsim.simulation.run_comparison import compare_runs
from drgsim.simulation.scenario import Scenario, ScenarioError, load_scenario, load_scenarios, parse_scenario, scenario_names
from drgsim.simulation.session import Options, further_notes, run_all
from drgsim.simulation.simulated_region import read_region
from drgsim.simulation.study import Progress, ScenarioPlan, Study, plans_of
from drgsim.simulation.study_folder import KIND, Run, read_run, record_of, with_assumptions, write_workbook

AnyScenario = str | Path | Scenario | Mapping[str, Any]
FILES = {"simulation.html": "whatif.html"}  # names of files that differ from the kind of the result


class Simulated(Result):
    """Scenarios against their baselines; every table names the scenario in its first column.

    Attributes
    ----------
    headlines
        Arrow table: ``figure`` such as ``fund.balance``, ``baseline``, ``scenario``, ``change`` (in ``unit``), with intervals
        where draws were asked for.
    hospitals, levels, departments, groups, insurance
        Arrow tables with both sides and the change (yuan).
    decomposition
        Arrow table: why the fund's spending changes, by hospital; the effects sum to the change to the fen.
    changes
        Arrow table: what the scenario changes, old and new value.
    grid, years, sensitivity, solution, draws
        Arrow tables; None unless the scenario or the call asks for them.
    study
        The scenarios with their arrays.
    """

    kind: ClassVar[str] = KIND
    title: ClassVar[str] = "What if 情景模拟"

    def __init__(self, study: Study, record: Mapping[str, Any]) -> None:
        problems = [problem for result in study.results for problem in result.outcome.problems]
        super().__init__(study.tables, notes=(*told(study.notes), *problems), record=record)
        self.study = study
        self.headlines: pa.Table = study.tables["headlines"]
        self.hospitals: pa.Table = study.tables["hospitals"]
        self.levels: pa.Table = study.tables["levels"]
        self.departments: pa.Table = study.tables["departments"]
        self.groups: pa.Table = study.tables["groups"]
        self.insurance: pa.Table = study.tables["insurance"]
        self.decomposition: pa.Table = study.tables["decomposition"]
        self.changes: pa.Table = study.tables["changes"]
        self.grid: pa.Table | None = study.tables.get("grid")
        self.years: pa.Table | None = study.tables.get("years")
        self.sensitivity: pa.Table | None = study.tables.get("sensitivity")
        self.solution: pa.Table | None = study.tables.get("solution")
        self.draws: pa.Table | None = study.tables.get("draws")

    def _page(self) -> str:
        from drgsim.report.whatif_page import whatif_page

        return whatif_page(self.study, self.record)

    def _write_workbook(self, path: Path) -> None:
        write_workbook(path, with_assumptions(self.tables, self.record))

    def _files(self, formats: Sequence[str]) -> dict[str, pa.Table | Callable[[Path], None]]:
        return {FILES.get(name, name): each for name, each in super()._files(formats).items()}


class Compared(Result):
    """Two runs side by side.

    Attributes
    ----------
    made
        Arrow table ``what, first, second``: what differs in inputs, versions, policies and changes.
    headlines, hospitals
        Arrow tables with both values and their difference (yuan for amounts).
    """

    kind: ClassVar[str] = "compare"
    title: ClassVar[str] = "Two runs 两次模拟对比"

    def __init__(self, tables: Mapping[str, pa.Table], runs: tuple[Run, Run]) -> None:
        super().__init__(tables, record=run_record(self.kind, first=runs[0].name, second=runs[1].name))
        self.made: pa.Table = tables["made"]
        self.headlines: pa.Table = tables["headlines"]
        self.hospitals: pa.Table = tables["hospitals"]

    def _write_workbook(self, path: Path) -> None:
        write_workbook(path, self.tables)


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
    title: ClassVar[str] = "Scenarios 情景"

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


def simulate(
    region: AnyRegion,
    scenarios: AnyScenario | Sequence[AnyScenario] = (),
    *,
    policy: str | None = None,
    year: int | None = None,
    stack: bool = False,
    draws: int = 0,
    seed: int = 1,
    level: float = 0.95,
    decomposition: str = "sequential",
    tornado: bool = False,
    solve: str | None = None,
    target: str | None = None,
    between: str | None = None,
    progress: Progress | None = None,
) -> Simulated:
    """Run scenarios against their baselines: fund, hospitals, patients, and why. 情景模拟

    All scenarios are checked whole before anything runs (docs/simulation.md). A scenario with a ``grid`` or with ``years``
    gives these tables too.

    Parameters
    ----------
    region
        Folder with discharges-YYYY, hospitals.csv and fund.csv, or what :func:`drgsim.load_region` gave.
    scenarios
        Scenario files, names of shipped ones (:func:`drgsim.scenarios`), or mappings with what a file would hold, such as
        ``{"title": "rate + 3 %", "changes": {"rate.base": "*1.03"}}``. Without any, the policy alone is run.
    policy
        Policy in place of the scenario's own.
    year
        Year of the discharges; the last one by default.
    stack
        Each scenario on top of those before it.
    draws
        Draws of cases and of ranges, for intervals; 0 for none.
    seed
        Seed of the draws.
    level
        Level of the intervals, 0.5 to 0.999.
    decomposition
        How a change is taken apart: ``sequential`` or ``shapley``.
    tornado
        Each change and each range alone.
    solve, target, between
        Path to solve for, such as ``rate.base``; what to reach, such as ``fund.balance=0``; where to look, such as
        ``*0.5..*2``.
    progress
        Called with the share done (0 to 1) and the number of records.

    Returns
    -------
    Simulated
        ``save("whatif", formats=["parquet", "xlsx", "html"])`` writes tables, workbook and page.

    Raises
    ------
    ScenarioError
        Everything that is wrong with scenarios and options: ``scenario-unknown``, ``scenario-unknown-path``,
        ``simulate-no-year``, ``simulate-half-goal`` and more.
    InputError
        The region cannot be read.

    Examples
    --------
    >>> import drgsim
    >>> from drgsim.assets import asset_root
    >>> region = asset_root("data/samples") / "region"
    >>> what = drgsim.simulate(region, {"title": "rate + 3 %", "changes": {"rate.base": "*1.03"}}, policy="beijing/2024")
    >>> what.changes.select(["path", "unit"]).to_pylist(), what.headlines.num_rows > 20
    ([{'path': 'rate.base', 'unit': 'yuan per weight'}], True)
    """
    options = Options(
        policy=policy, year=year, stack=stack, draws=draws, seed=seed, level=level, decomposition=decomposition,
        tornado=tornado, solve=solve, target=target, between=between,
    )  # fmt: skip
    study = run_all(folder_of(region), _listed(scenarios), options, progress)
    study = replace(study, notes=(*study.notes, *further_notes(study)))
    return Simulated(study, record_of(study, **options.written))


def _listed(scenarios: AnyScenario | Sequence[AnyScenario]) -> list[str | Path | Scenario]:
    """Scenarios as files, names or read ones; a mapping is read as a file would be."""
    single = isinstance(scenarios, str | Path | Scenario | Mapping)
    every: Sequence[Any] = [scenarios] if single else scenarios  # type: ignore[assignment]
    header = {"title": "what if", "author": "drgsim", "reference": "none"}
    return [
        parse_scenario(yaml.safe_dump({**header, **entry}, allow_unicode=True), f"scenario-{number}")
        if isinstance(entry, Mapping)
        else entry
        for number, entry in enumerate(every, start=1)
    ]


def compare(
    first: str | Path | Simulated,
    second: str | Path | Simulated,
    of_first: str | None = None,
    of_second: str | None = None,
) -> Compared:
    """Compare the scenario side of two simulations: how they were made, headline figures, hospitals. 两次模拟对比

    Parameters
    ----------
    first, second
        Folders that ``drgsim simulate`` wrote, or results of :func:`drgsim.simulate`.
    of_first, of_second
        Names of the scenarios, where a run has several.

    Returns
    -------
    Compared
        ``save("compared.xlsx")`` writes a workbook.

    Raises
    ------
    InputError
        ``run-not-found``, ``run-other-kind``.
    UsageError
        ``compare-scenario``: a run has several scenarios and none was named, or the name is unknown.

    Examples
    --------
    >>> import drgsim
    >>> from drgsim.assets import asset_root
    >>> region = asset_root("data/samples") / "region"
    >>> one, two = (drgsim.simulate(region, {"changes": {"rate.base": to}}, policy="beijing/2024") for to in ("*1.01", "*1.03"))
    >>> drgsim.compare(one, two).made["what"].to_pylist()[-1]
    'change rate.base'
    """
    runs = (_run(first, "first"), _run(second, "second"))
    return Compared(compare_runs(*runs, (of_first, of_second)), runs)


def _run(source: str | Path | Simulated, name: str) -> Run:
    return Run(Path(name), plain(source.record), source.tables) if isinstance(source, Simulated) else read_run(Path(source))


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


def scenario_describe(
    names: AnyScenario | Sequence[AnyScenario], *, region: AnyRegion | None = None, policy: str | None = None
) -> ScenarioTable:
    """Show what scenarios change: old and new value, with unit.

    Parameters
    ----------
    names
        Scenario files, names of shipped ones, or mappings as in :func:`drgsim.simulate`.
    region
        Folder of a region; the sample region by default.
    policy
        Policy in place of the scenario's own.

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


def scenario_check(
    names: AnyScenario | Sequence[AnyScenario], *, region: AnyRegion | None = None, policy: str | None = None
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


def _plans(names: AnyScenario | Sequence[AnyScenario], region: AnyRegion | None, policy: str | None) -> list[ScenarioPlan]:
    listed = _listed(names)
    read = iter(load_scenarios([name for name in listed if not isinstance(name, Scenario)]))
    every = [name if isinstance(name, Scenario) else next(read) for name in listed]
    return plans_of(every, policy, read_region(sample_region() if region is None else folder_of(region)))


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
