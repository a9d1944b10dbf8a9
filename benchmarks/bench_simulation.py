"""How fast scenarios run, and how much memory they take.

    python benchmarks/bench_simulation.py [--cases 1000000] [--points 1000] [--policy beijing/2024] [--runs 3]

Makes up cases from the policy's own table, then runs one scenario again (settled in full, and by the quick way that grids
take), a grid,
and more and more scenarios, whose peak memory must not grow. Prints medians and the ratio to the time of a plain pandas
group-by
sum of the same costs; asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from bench_payment import make_cases

from drgsim.money import fen
from drgsim.payment.policy import load_policy
from drgsim.region.hospital_list import Hospital
from drgsim.simulation.explore import Evaluator, grid_table
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import Scenario, parse_scenario
from drgsim.simulation.simulated_region import GIVEN, Region, make_cohort
from drgsim.simulation.study import plan_of


def make_region(policy: str, cases: int) -> Region:
    """A region of made-up cases in 60 hospitals, grouped already, with a budget near what is paid."""
    hospitals = {f"H{place}": Hospital(str(place % 3 + 1), "", float("nan"), f"hospital {place}") for place in range(60)}
    table = make_cases(load_policy(policy), cases)
    table = table.drop_columns(["hospital_level"])  # levels come from the list of hospitals, which scenarios may change
    fund = {2024: {"employee": fen(cases * 6000), "resident": fen(cases * 6000)}}
    region = Region(Path("made-up"), {2024: Path("made-up")}, hospitals, fund)
    scheme = load_policy(policy).file.scheme or GIVEN
    region._cohorts[2024, scheme, False] = make_cohort(table, 2024, GIVEN, hospitals)
    return region


def scenario(name: str, changes: str, grid: str = "{}") -> Scenario:
    """A scenario with plain changes."""
    return parse_scenario(f"{{title: {name}, author: drgsim, reference: none, changes: {changes}, grid: {grid}}}", name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--policy", default="beijing/2024")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    small = make_region(chosen.policy, 2000)
    work(small, chosen.policy, 4, 1, quiet=True)  # compiles
    region = make_region(chosen.policy, chosen.cases)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    work(region, chosen.policy, chosen.points, chosen.runs)


def work(region: Region, policy: str, points: int, runs: int, quiet: bool = False) -> None:
    """Time everything on one region."""
    rng = np.random.default_rng(1)
    cases = next(iter(region._cohorts.values())).cases
    frame = pd.DataFrame({"group": cases.unit.ids, "cost": cases.money["total_cost"]})
    unit = median(lambda: frame.groupby("group")["cost"].sum(), runs)
    runner = Runner(region)
    changed = plan_of([scenario("changed", '{rate.base: "*1.03", outlier.high.multiple: 2.5}')], policy, region)
    volume = plan_of([scenario("volume", '{cases.volume.level.3: "*1.05", cases.days: "*0.98"}')], policy, region)
    side = max(round(points**0.5), 1)
    rates = ", ".join(f"'*{value:.6f}'" for value in np.linspace(0.9, 1.1, side))
    lows = ", ".join(f"{value:.6f}" for value in np.linspace(0.2, 0.5, side))
    grid = plan_of([scenario("grid", "{}", f"{{rate.base: [{rates}], outlier.low.ratio: [{lows}]}}")], policy, region)
    evaluator = Evaluator(runner, changed, 2024)
    prepared = median(lambda: evaluator.outcome(changed.setup), 1)
    lines = [
        ("one scenario again, prices and curve, in full", median(lambda: runner.run(changed.setup, 2024), runs)),
        ("one scenario again, volume and days, in full", median(lambda: runner.run(volume.setup, 2024), runs)),
        ("one scenario again, prices and curve, quick", median(lambda: evaluator.outcome(changed.setup), runs)),
        ("preparing the quick way (once)", prepared),
    ]
    before = peak()
    took = median(lambda: grid_table(grid, runner, 2024), 1)
    lines.append((f"grid of {side * side} points, two threads", took))
    after = peak()
    for _ in range(5):
        factor = 1 + float(rng.random()) / 10
        more = plan_of([scenario("more", f'{{rate.base: "*{factor:.4f}", cases.volume: "*1.02"}}')], policy, region)
        runner.run(more.setup, 2024)
    if quiet:
        return
    size = cases.size
    print(f"{'job':52}{'seconds':>10}{'processor':>11}{'x group-by':>12}")
    for name, (clock, processor) in [(f"pandas group-by sum of {size:,} costs (the unit)", unit), *lines]:
        print(f"{name:52}{clock:>10.3f}{processor:>11.3f}{processor / unit[1]:>12.1f}")
    print(f"peak memory: {before:.0f} MB before the grid, {after:.0f} MB after it, {peak():.0f} MB after five more scenarios")


def median(job: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median of some runs: seconds on the clock, and of the processor, which other work on the machine moves less."""
    clock, processor = [], []
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        job()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(processor)


def peak() -> float:
    """Peak memory of the process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
