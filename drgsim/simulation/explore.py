"""Many setups of one region: the quick way where the cases stay the same, grids, and one change at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.payment.grouped_cases import WORKERS
from drgsim.simulation.behaviour import active, respond, without_behaviour
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.repricing import PreparedCases, prepare, rerun, structure_of
from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.scenario import Change, ScenarioError
from drgsim.simulation.setup import Setup
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.study import ScenarioPlan

TORNADO = ("fund.balance", "fund.payment", "hospital.margin", "patient.payment")


class Evaluator:
    """Runs setups of one plan and year for their headline figures; prepared cases serve all setups of the same structure.

    ``before`` are the settled cases of the baseline, which behaviour starts from; they are kept only where it is on.
    """

    def __init__(self, runner: Runner, plan: ScenarioPlan, year: int) -> None:
        self.runner, self.plan, self.year = runner, plan, year
        self._prepared: dict[str, PreparedCases | None] = {}
        self._before: Lines | None = None

    def outcome(self, setup: Setup, parts: NDArray[np.int64] | None = None) -> Outcome:
        """The outcome of a setup; ``parts`` multiply how often each case counts."""
        if active(setup):
            return self._behavioural(setup, parts)
        prepared = self.prepared(setup)
        if prepared is not None:
            counted = None if parts is None else prepared.lines.state.parts * parts
            return rerun(self.runner, prepared, setup, self.year, counted)
        return self._settled(setup, self.runner.settlement(setup, self.year)[0] if parts is not None else None, parts)

    def figures(self, setup: Setup, parts: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Headline figures of a setup."""
        return headlines(self.outcome(setup, parts), self.runner.region)

    def prepared(self, setup: Setup) -> PreparedCases | None:
        """Prepared cases for the structure of a setup; only the last structure is kept, so that memory stays flat."""
        structure = structure_of(setup)
        if structure not in self._prepared:
            self._prepared.clear()
            self._prepared[structure] = prepare(self.runner, setup, self.year)
        return self._prepared[structure]

    def _settled(self, setup: Setup, state: Any, parts: NDArray[np.int64] | None) -> Outcome:
        """In full: where a budget decides the unit value, the draw decides it too."""
        if state is not None and parts is not None:
            state = replace(state, parts=state.parts * parts)
        return self.runner.outcome(setup, self.year, self.runner.lines(setup, self.year, state), whole=False)

    def _behavioural(self, setup: Setup, parts: NDArray[np.int64] | None) -> Outcome:
        if self._before is None:
            self._before = self.runner.lines(self.plan.baseline, self.year)
        still = without_behaviour(setup)
        state = respond(setup, self._before, self.runner.lines(still, self.year), self.runner.region)
        return self._settled(still, state, parts)


def grid_table(plan: ScenarioPlan, runner: Runner, year: int, progress: Callable[[float, int], None] | None = None) -> pa.Table:
    """Headline figures at every point of the grids of a plan's scenarios, one row per point.

    Columns ``point``, one per path (``change <path>``: the change as written) and one per figure.
    """
    paths: list[str] = []
    points: list[tuple[Change, ...]] = [()]
    for scenario in plan.scenarios:
        paths += list(scenario.grid)
        points = [(*one, *two) for one in points for two in scenario.points()]
    setups = [apply(plan.setup, point, runner.region)[0] for point in points]
    evaluator = Evaluator(runner, plan, year)
    first = evaluator.figures(setups[0]) if setups else {}
    size = runner.cohort(plan.setup, year).size

    def figures(number: int) -> dict[str, float]:
        found = evaluator.figures(setups[number])
        if progress is not None:
            progress(number / len(setups), number * size)
        return found

    same = len({structure_of(setup) for setup in setups}) == 1
    if same:  # kernels do not hold the interpreter, so that two points run at a time
        with ThreadPoolExecutor(WORKERS) as pool:
            rest = list(pool.map(figures, range(1, len(setups))))
    else:
        rest = [figures(number) for number in range(1, len(setups))]
    rows = [first, *rest]
    columns: dict[str, Any] = {"point": list(range(1, len(points) + 1))}
    for place, path in enumerate(paths):
        columns[f"change {path}"] = [point[place].words for point in points]
    for name in headline_names():
        values = [row[name] for row in rows]
        if not np.isnan(values).all():
            columns[name] = pa.array(values, from_pandas=True)
    return pa.table(columns)


def sensitivity_table(plan: ScenarioPlan, runner: Runner, year: int) -> tuple[pa.Table, list[str]]:
    """Each change of a plan alone, and each range at its ends on top of all changes: what a tornado chart shows.

    Returns
    -------
    tuple
        Columns ``path``, ``kind`` (alone, low, high), ``value``, and the change of each figure of :data:`TORNADO`; and notes on
        changes that have no meaning alone.
    """
    evaluator = Evaluator(runner, plan, year)
    base, full = evaluator.figures(plan.baseline), None
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    changes = [change for scenario in plan.scenarios for change in scenario.changes]
    for change in changes:
        try:
            setup = apply(plan.baseline, [change], runner.region)[0]
        except ScenarioError:
            notes.append(
                text(
                    "{plan}: {path} has no meaning without the other changes and stands in no sensitivity",
                    plan=plan.name,
                    path=change.path,
                )
            )
            continue
        rows.append(_row(change, "alone", evaluator.figures(setup), base))
    for scenario in plan.scenarios:
        for ends in scenario.ranges.values():
            full = full or evaluator.figures(plan.setup)
            for kind, change in zip(("low", "high"), ends, strict=True):
                rows.append(_row(change, kind, evaluator.figures(apply(plan.setup, [change], runner.region)[0]), full))
    return _table(rows), notes


def _row(change: Change, kind: str, figures: dict[str, float], base: dict[str, float]) -> dict[str, Any]:
    moved = {name: float(f"{figures[name] - base[name]:.12g}") for name in TORNADO}
    return {"path": change.path, "kind": kind, "value": change.words, **moved}


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    types = [("path", pa.string()), ("kind", pa.string()), ("value", pa.string()), *((name, pa.float64()) for name in TORNADO)]
    return pa.Table.from_pylist(list(rows), pa.schema(types))
