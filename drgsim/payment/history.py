"""From tables of grouped discharges to the history that weights are estimated from, and from weights to tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from drgsim.errors import InputError, Problem
from drgsim.payment.cases import read_cases
from drgsim.payment.groups import AMBIGUOUS_ENDING, UNGROUPED_CODES
from drgsim.payment.money import MISSING, to_yuan
from drgsim.payment.weights import Evaluation, History, Weights
from drgsim.records.batch import read_numbers

CATEGORY = "cost_"


def read_history(table: pa.Table) -> tuple[History, list[Problem]]:
    """Read discharges as history: group, cost, year of discharge, stay, and ``cost_<category>`` columns.

    The year comes from ``discharged``, else from the number of the file. Ambiguous and ungrouped cases, and cases without a
    cost, are left out and counted.
    """
    cases = read_cases(table)
    cost = to_yuan(cases.money["total_cost"])
    cost = np.where(cost > 0, cost, np.nan)
    codes = cases.unit.values
    real = np.array([code not in UNGROUPED_CODES and not code.endswith(AMBIGUOUS_ENDING) for code in codes] + [False])
    group = np.where(real[cases.unit.ids], cases.unit.ids, -1).astype(np.int64)
    left_out = int((group < 0).sum())
    problems = []
    if np.isnan(cost).any():
        count = int(np.isnan(cost).sum())
        problems.append(Problem("weights-no-cost", f"{count} cases have no cost above 0 and are not used"))
    if left_out:
        problems.append(Problem("weights-left-out", f"{left_out} cases without a group are not used"))
    if left_out == cases.size:
        raise InputError.single("weights-no-groups", "no case has a group", fix="group the cases first")
    dated = cases.discharged != MISSING
    year = np.where(dated, cases.discharged, 0).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    if not dated.all():
        files = np.asarray(table.column("file").to_numpy(), np.int64) if "file" in table.column_names else np.zeros(cases.size)
        if dated.any():
            count = int((~dated).sum())
            problems.append(Problem("weights-no-date", f"{count} cases have no date of discharge and are not used"))
            cost = np.where(dated, cost, np.nan)
            year = np.where(dated, year, year[dated].min())
        else:
            year = files.astype(np.int64)
    categories = {}
    for name in table.column_names:
        if name.startswith(CATEGORY):
            values, _ = read_numbers(table.column(name).combine_chunks())
            categories[name.removeprefix(CATEGORY)] = np.nan_to_num(values)
    return History(tuple(codes), group, cost, year, cases.numbers["los_days"], categories), problems


def weight_tables(weights: Weights, lines: Sequence[Evaluation]) -> dict[str, pa.Table]:
    """Tables to write: ``weights.csv`` (a price table for a policy), ``groups.csv`` and ``evaluation.csv``."""
    order = np.argsort(np.array(weights.codes))
    present = order[(weights.statistics.count > 0)[order]]
    codes = [weights.codes[place] for place in present]

    def numbers(values: np.ndarray, digits: int) -> pa.Array:
        return pa.array(np.round(values[present], digits), from_pandas=True)

    statistics = weights.statistics
    prices = pa.table({
        "drg": codes,
        "weight": numbers(weights.weight, 6),
        "mean_cost": numbers(weights.mean_cost, 2),
        "mean_los_days": numbers(weights.mean_days, 4),
        "cases": pa.array(weights.statistics.count[present]),
        "cv": numbers(weights.statistics.cv, 6),
    })  # fmt: skip
    groups = pa.table({
        "drg": codes,
        "cases": pa.array(statistics.count[present]),
        "mean_cost_of_cases": numbers(statistics.mean, 2),
        "cv_population": numbers(statistics.cv, 6),
        "cv_sample": numbers(statistics.sample_cv, 6),
        "weight": numbers(weights.weight, 6),
        "standard_error": numbers(weights.standard_error, 6),
        "flags": ["|".join(weights.flags[place]) for place in present],
    })  # fmt: skip
    names = list(Evaluation.__dataclass_fields__)
    evaluation = pa.table({name: [getattr(line, name) for line in lines] for name in names})
    return {"weights.csv": prices, "groups.csv": groups, "evaluation.csv": evaluation}
