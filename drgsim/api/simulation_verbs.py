"""What happens if this changes: scenarios against their baselines, and two runs side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from drgsim.api.argument_check import DRAWS, checked, named, number, whole
from drgsim.api.scenario_verbs import SCENARIOS, AnyScenario, listed_scenarios
from drgsim.api.verb_inputs import AnyRegion, told
from drgsim.language import text
from drgsim.payment.policy import AnyPolicy, Policy
from drgsim.region.region_folder import RegionFolder
from drgsim.results.result import Result
from drgsim.results.run_record import plain, run_record
from drgsim.results.workbook_about import About
from drgsim.simulation.run_comparison import compare_runs
from drgsim.simulation.session import StudyOptions, further_notes, run_all
from drgsim.simulation.study import Progress, Study
from drgsim.simulation.study_folder import KIND, Run, about_of, read_run, record_of, with_assumptions, write_workbook

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
    liquidity
        Arrow table: money paid ahead, balance and days of cash by hospital and month, where a budget closes a year; else None.
    grid, years, sensitivity, solution, draws
        Arrow tables; None unless the scenario or the call asks for them.
    study
        The scenarios with their arrays.
    """

    kind: ClassVar[str] = KIND
    title: ClassVar[str] = text("What if")

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
        self.liquidity: pa.Table | None = study.tables.get("liquidity")
        self.grid: pa.Table | None = study.tables.get("grid")
        self.years: pa.Table | None = study.tables.get("years")
        self.sensitivity: pa.Table | None = study.tables.get("sensitivity")
        self.solution: pa.Table | None = study.tables.get("solution")
        self.draws: pa.Table | None = study.tables.get("draws")

    def _page(self) -> str:
        from drgsim.report.whatif_page import whatif_page

        return whatif_page(self.study, self.record)

    def _write_workbook(self, path: Path) -> None:
        write_workbook(path, with_assumptions(self.tables, self.record), self.about())

    def about(self) -> About:
        return about_of(self.record, self._said)

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
    title: ClassVar[str] = text("Two runs")

    def __init__(self, tables: Mapping[str, pa.Table], runs: tuple[Run, Run]) -> None:
        super().__init__(tables, record=run_record(self.kind, first=runs[0].name, second=runs[1].name))
        self.made: pa.Table = tables["made"]
        self.headlines: pa.Table = tables["headlines"]
        self.hospitals: pa.Table = tables["hospitals"]

    def _write_workbook(self, path: Path) -> None:
        write_workbook(path, self.tables, self.about())


@checked(
    region=named(RegionFolder),
    scenarios=SCENARIOS,
    policy=named(Policy),
    year=whole(),
    draws=DRAWS,
    seed=whole(0),
    level=number(0.5, 0.999),
)
def simulate(
    region: AnyRegion,
    scenarios: AnyScenario | Sequence[AnyScenario] = (),
    *,
    policy: AnyPolicy | None = None,
    changes: Mapping[str, Any] | None = None,
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
        Policy in place of the scenario's own: a name, a folder, or what :func:`drgsim.load_policy` gave.
    changes
        Path -> value, after the changes of every scenario (of the first one, where they are stacked); alone they are a
        scenario without a file: ``{"rate.base": "*1.03"}``.
    year
        Year of the discharges; the last one by default.
    stack
        Each scenario on top of those before it.
    draws
        Draws of cases and of ranges, for intervals; 0 for none, and fewer than 40 give none.
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
        ``*0.5..*2``. What is found is the last change of the scenario: all tables show it.
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
    >>> region = drgsim.sample_path("region")
    >>> what = drgsim.simulate(region, {"title": "rate + 3 %", "changes": {"rate.base": "*1.03"}}, policy="beijing/2024")
    >>> what.changes.select(["path", "unit"]).to_pylist(), what.headlines.num_rows > 20
    ([{'path': 'rate.base', 'unit': 'yuan per weight'}], True)
    """
    options = StudyOptions(
        policy=policy, changes=changes, year=year, stack=stack, draws=draws, seed=seed, level=level,
        decomposition=decomposition, tornado=tornado, solve=solve, target=target, between=between,
    )  # fmt: skip
    study = run_all(region, listed_scenarios(scenarios), options, progress)
    study = replace(study, notes=(*study.notes, *further_notes(study)))
    return Simulated(study, record_of(study, **options.written))


@checked(first=named(Simulated), second=named(Simulated))
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
    >>> region = drgsim.sample_path("region")
    >>> one, two = (drgsim.simulate(region, {"changes": {"rate.base": to}}, policy="beijing/2024") for to in ("*1.01", "*1.03"))
    >>> drgsim.compare(one, two).made["what"].to_pylist()[-1]
    'change rate.base'
    """
    runs = (_run(first, "first"), _run(second, "second"))
    return Compared(compare_runs(*runs, (of_first, of_second)), runs)


def _run(source: str | Path | Simulated, name: str) -> Run:
    return Run(Path(name), plain(source.record), source.tables) if isinstance(source, Simulated) else read_run(Path(source))
