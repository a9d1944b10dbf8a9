"""Intervals (区间): bootstrap of the cases, and Latin hypercube over the ranges of assumptions.

Each draw takes as many cases of each hospital as it has, with replacement: which groups a hospital treats varies as its costs
do. (Draws within hospital and group held the true value in 63 to 80 of 100 where 90 were promised; see bench_coverage.py of the
benchmarks.) The same cases are drawn for the baseline and for every scenario (common random numbers), so that the interval of a
difference is that of the difference. Ranges are sampled by a Latin hypercube, one point per draw. Where a budget decides the
unit value, every draw decides it anew; a rate from the fund was set before and stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

from drgsim.simulation.draws import Bootstrap
from drgsim.simulation.explore import Evaluator
from drgsim.simulation.headlines import headline_names
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.study import ScenarioPlan

LEAST_FREEDOM = 3  # with fewer degrees Student's t has no variance: figures that jump when one case is drawn ask for it
LEAST_DRAWS = 40  # with fewer the ends of an interval are hardly more than the extremes of the draws


@dataclass(frozen=True)
class Draws:
    """Headline figures of every draw.

    Attributes
    ----------
    names
        Figures in the order of the columns.
    baseline, scenario
        (draws, figures).
    found
        (2, figures) baseline and scenario of the cases as they are.
    ranges
        Path -> value of each draw.
    """

    names: tuple[str, ...]
    baseline: NDArray[np.float64]
    scenario: NDArray[np.float64]
    found: NDArray[np.float64]
    ranges: dict[str, NDArray[np.float64]]

    def intervals(self, level: float) -> dict[str, dict[str, tuple[float, float]]]:
        """``baseline``, ``scenario`` and ``change`` -> figure -> low and high end.

        Empty with fewer than :data:`LEAST_DRAWS` draws.

        Student's t times the standard deviation of the draws about the figure, which is moved by what the draws lie off it on
        average: some figures, as a spread between hospitals, grow with chance. A figure that hangs on few dear cases has a
        standard deviation that is itself uncertain, and t has fewer degrees of freedom (:func:`degrees_of_freedom`). In fresh
        regions this holds the true value as often as is promised, percentiles of the draws less often. Where assumptions have
        ranges, scenario and change have the percentiles, since the figures of a range are no errors of measurement.
        """
        if len(self.baseline) < LEAST_DRAWS:
            return {}
        before, after = self.found
        result: dict[str, dict[str, tuple[float, float]]] = {}
        for name, values, figures in (
            ("baseline", self.baseline, before), ("scenario", self.scenario, after),
            ("change", self.scenario - self.baseline, after - before),
        ):  # fmt: skip
            ends = _percentiles(values, level) if self.ranges and name != "baseline" else about(figures, values, level)
            result[name] = {figure: (float(ends[0][place]), float(ends[1][place])) for place, figure in enumerate(self.names)}
        return result

    def table(self) -> pa.Table:
        """One row per draw: values of the ranges (``change <path>``), and scenario and change of each figure that exists."""
        columns: dict[str, Any] = {"draw": np.arange(1, len(self.baseline) + 1)}
        columns |= {f"change {path}": values for path, values in self.ranges.items()}  # a path may be named like a figure
        for place, name in enumerate(self.names):
            if not np.isnan(self.scenario[:, place]).all():
                columns[name] = pa.array(self.scenario[:, place], from_pandas=True)
                columns[f"{name}.change"] = pa.array(self.scenario[:, place] - self.baseline[:, place], from_pandas=True)
        return pa.table(columns)


def _percentiles(values: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    tail = 100 * (1 - level) / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(np.percentile(values, [tail, 100 - tail], axis=0))


def degrees_of_freedom(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees of freedom of the variance of each figure's draws, after Welch and Satterthwaite: 2 / (its squared CV).

    Two things make a variance from ``draws`` draws uncertain. There are only so many draws: 2 / (draws - 1). And the cases
    drawn from are a sample: the estimate from them has the squared CV sum(u^4) / sum(u^2)^2, u being what a case does to the
    figure. That is the excess kurtosis of the draws, since each case is drawn a Poisson-like number of times; it is at least
    their squared skewness (Pearson), which few draws show far more surely. Chance alone makes one of 6 / draws.

    Parameters
    ----------
    values
        (draws, figures).

    Examples
    --------
    >>> even = np.linspace(-1, 1, 101)[:, None]
    >>> degrees_of_freedom(even).round(), degrees_of_freedom(np.exp(2 * even)).round(1)
    (array([100.]), array([3.]))
    """
    draws = len(values)
    off = values - values.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        skewness = np.nan_to_num((off**3).mean(axis=0) / (off**2).mean(axis=0) ** 1.5)
    sampled = np.maximum(skewness**2 - 6 / draws, 0)
    return np.asarray(np.maximum(1 / (1 / (draws - 1) + sampled / 2), LEAST_FREEDOM))


def about(
    figures: NDArray[np.float64], values: NDArray[np.float64], level: float, least: float | None = None
) -> NDArray[np.float64]:
    """Ends about figures by the spread of their draws, whose mean is uncertain too, (2, figures).

    They are not below ``least``, by default 0 where no draw is.
    """
    error = values.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(values))
    half = stats.t.ppf((1 + level) / 2, degrees_of_freedom(values)) * error
    middle = 2 * figures - values.mean(axis=0)
    lowest = np.where((values >= 0).all(axis=0), 0.0, -np.inf) if least is None else least
    return np.asarray(np.maximum(np.stack([middle - half, middle + half]), lowest))


def draw(
    plan: ScenarioPlan, runner: Runner, year: int, draws: int, seed: int, progress: Callable[[float, int], None] | None = None
) -> Draws:
    """Draw cases and ranges ``draws`` times.

    Notes
    -----
    The same seed gives the same draws for every scenario and in every order of the cases.
    """
    names = tuple(headline_names())
    cohort = runner.cohort(plan.baseline, year)
    bootstrap = Bootstrap(cohort.key, cohort.cases.hospital.ids.astype(np.int64), seed)
    before, after = Evaluator(runner, plan, year), Evaluator(runner, plan, year)
    ranges = {path: ends for scenario in plan.scenarios for path, ends in scenario.ranges.items()}
    points = _hypercube(ranges, draws, seed)
    baseline, scenario = np.empty((draws, len(names))), np.empty((draws, len(names)))
    for number in range(draws):
        times = bootstrap.draw(number)
        first = before.figures(plan.baseline, times)
        changes = [Change(path, ends[0].op, float(points[path][number])) for path, ends in ranges.items()]
        setup = apply(plan.setup, changes, runner.region)[0] if changes else plan.setup
        second = after.figures(setup, times)
        baseline[number] = [first[name] for name in names]
        scenario[number] = [second[name] for name in names]
        if progress is not None:
            progress((number + 1) / draws, (number + 1) * cohort.size)
    found = [[values[name] for name in names] for values in (before.figures(plan.baseline), after.figures(plan.setup))]
    return Draws(names, baseline, scenario, np.array(found), points)


def _hypercube(ranges: dict[str, tuple[Change, Change]], draws: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """One value per draw for each path: every path covers its range evenly."""
    if not ranges:
        return {}
    sample = qmc.LatinHypercube(len(ranges), rng=np.random.default_rng(seed)).random(draws)
    low = [float(ends[0].value) for ends in ranges.values()]
    high = [float(ends[1].value) for ends in ranges.values()]
    scaled = qmc.scale(sample, low, high)
    return {path: scaled[:, place] for place, path in enumerate(ranges)}
