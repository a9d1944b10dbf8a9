"""How fast settling and weighing are.

    python benchmarks/bench_payment.py [--cases 1000000] [--history 3000000] [--policy beijing/2022] [--runs 3]

Settles grouped cases (made up from the policy's own table) and estimates weights with trimming, years and evaluation. Prints
medians, cases per second, and the ratio to the time that a plain pandas group-by sum of the same costs takes, so that
machines can be compared; asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from drgsim.payment.group_evaluation import evaluate
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.settlement import settle
from drgsim.payment.weight_estimation import CostHistory, WeightSettings, estimate_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--history", type=int, default=3_000_000)
    parser.add_argument("--policy", default="beijing/2022")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    policy = load_policy(chosen.policy)
    cases, history = make_cases(policy, chosen.cases), make_history(chosen.history)
    settle(cases.slice(0, 1000), policy)  # compiles
    estimate_weights(make_history(1000))
    settings = WeightSettings(year_weights={2021: 1, 2022: 2, 2023: 7}, monotone=True, smoothing=10)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    frame = pd.DataFrame({"group": history.group, "cost": history.cost})
    base = median(lambda: frame.groupby("group")["cost"].sum(), chosen.runs)
    jobs: list[tuple[str, int, Callable[[], object]]] = [
        ("settle, amounts only", chosen.cases, lambda: settle(cases, policy)),
        ("settle, with result table", chosen.cases, lambda: settle(cases, policy).table),
        ("settle, with table and summaries", chosen.cases, lambda: _all(settle(cases, policy))),
        ("weights", chosen.history, lambda: estimate_weights(history, settings)),
        ("weights, with evaluation", chosen.history, lambda: evaluate(history, estimate_weights(history, settings))),
    ]
    print(f"{'job':36}{'cases':>12}{'seconds':>10}{'cases/s':>14}{'x group-by':>12}")
    print(f"{'pandas group-by sum (the unit)':36}{chosen.history:>12,}{base:>10.3f}{chosen.history / base:>14,.0f}{1:>12.1f}")
    for name, size, job in jobs:
        took = median(job, chosen.runs)
        print(f"{name:36}{size:>12,}{took:>10.3f}{size / took:>14,.0f}{took / base * chosen.history / size:>12.1f}")


def _all(settlement: object) -> object:
    return settlement.table, settlement.summaries  # type: ignore[attr-defined]


def median(job: Callable[[], object], runs: int) -> float:
    """Median time of some runs, seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def make_cases(policy: Policy, size: int) -> pa.Table:
    """Cases of the groups of the policy's table, costs log-normal around the group's standard."""
    assert policy.prices is not None, "choose a policy with a table"
    rng = np.random.default_rng(1)
    group = rng.integers(0, len(policy.prices.codes), size)
    weight = np.nan_to_num(policy.prices.relative_value[1][group], nan=1.0)
    cost = np.round(weight * 20_000 * rng.lognormal(-0.2, 0.7, size), 2)

    def names(prefix: str, count: int) -> pa.Array:
        return pa.array([f"{prefix}{place}" for place in range(count)]).take(pa.array(rng.integers(0, count, size)))

    return pa.table({
        "discharge_id": np.arange(size),
        "drg": pa.array(policy.prices.codes).take(pa.array(group)),
        "hospital_id": names("H", 60),
        "discharge_department": names("D", 30),
        "insurance": pa.array(["employee", "resident"]).take(pa.array(rng.integers(0, 2, size))),
        "hospital_level": pa.array(["1", "2", "3"]).take(pa.array(rng.integers(0, 3, size))),
        "los_days": rng.integers(1, 65, size),
        "total_cost": cost,
        "patient_paid": np.round(cost * 0.3, 2),
    })  # fmt: skip


def make_history(size: int, groups: int = 650) -> CostHistory:
    """Discharges of three years in groups with known weights."""
    rng = np.random.default_rng(2)
    codes = tuple(f"{chr(65 + g % 26)}{chr(65 + g // 26 % 26)}{g // 676 + 1}{'135'[g % 3]}" for g in range(groups))
    group = rng.integers(0, groups, size)
    cost = rng.lognormal(0, 0.8, groups)[group] * 10_000 * rng.lognormal(0, 0.5, size)
    return CostHistory(codes, group, cost, rng.integers(2021, 2024, size), rng.integers(1, 30, size).astype(float))


if __name__ == "__main__":
    main()
