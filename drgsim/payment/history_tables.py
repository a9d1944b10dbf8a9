"""From tables of grouped discharges to the history that weights are estimated from, and from weights to tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem
from drgsim.language import text
from drgsim.money import MISSING, to_yuan
from drgsim.payment.case_columns import stated_names
from drgsim.payment.coefficient_history import ScoredHistory
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.group_evaluation import GroupEvaluation
from drgsim.payment.grouped_cases import Cases, read_cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.rules.rule_list import walk
from drgsim.payment.rules.settlement_rule import Stage
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import parse_money, read_numbers
from drgsim.records.cells import read_fen
from drgsim.region.hospital_list import Hospital

CATEGORY = "cost_"
SHOWN = 5  # groups that a note names


def read_history(table: pa.Table, method: str = "") -> tuple[CostHistory, list[Problem]]:
    """Read discharges as history: group, cost, year of discharge, stay, and ``cost_<category>`` columns.

    The year comes from ``discharged``, else from the number of the file. Ambiguous and ungrouped cases, and cases without a
    cost, are left out and counted. ``method`` decides between several columns of groups, as for settling.
    """
    cases = read_cases(table, method=method)
    fen = cases.money["total_cost"]
    cost = np.where(fen > 0, to_yuan(fen), np.nan)
    codes = cases.unit.values
    real = np.array([is_group(code) for code in codes] + [False])
    group = np.where(real[cases.unit.ids], cases.unit.ids, -1).astype(np.int64)
    left_out = int((group < 0).sum())
    problems = _cost_problems(table, fen)
    has_cost = np.bincount(group[(group >= 0) & (fen > 0)], minlength=len(codes)) > 0
    bare = sorted(codes[place] for place in np.unique(group[group >= 0]).tolist() if not has_cost[place])
    if bare:
        shown = ", ".join(bare[:SHOWN])
        if len(bare) > SHOWN:
            shown = text("{shown} and {count} more", shown=shown, count=len(bare) - SHOWN)
        what = text("groups without a usable cost: {names}", names=shown)
        problems.append(
            Problem("weights-group-without-cost", what, why=text("they get no weight"), fix=text("correct or add their costs"))
        )
    if left_out:
        problems.append(Problem("weights-left-out", text("{count} cases without a group are not used", count=left_out)))
    if left_out == cases.size:
        raise InputError.single("weights-no-groups", text("no case has a group"), fix=text("group the cases first"))
    year, dated = _years(table, cases, problems)
    cost = np.where(dated, cost, np.nan)
    categories = {}
    for name in table.column_names:
        if name.startswith(CATEGORY):
            values, _ = read_numbers(table.column(name).combine_chunks(), parse_money)
            categories[name.removeprefix(CATEGORY)] = np.nan_to_num(values)
    stated = tuple(stated_names(cases.unit, cases.unit_name))
    return CostHistory(tuple(codes), group, cost, year, cases.numbers["los_days"], categories, names=stated), problems


def _cost_problems(table: pa.Table, fen: NDArray[np.int64]) -> list[Problem]:
    """Costs that no weight can rest on, counted by what is wrong with them."""
    unreadable = beyond = np.zeros(fen.size, np.bool_)
    if "total_cost" in table.column_names:
        read = read_fen(one_chunk(table, "total_cost"))
        unreadable, beyond = read.broken & ~read.beyond, read.beyond
    missing = (fen == MISSING) & ~unreadable & ~beyond
    return [
        Problem(code, text("{count} cases are not used: {what}", count=int(out.sum()), what=what), fix=fix)
        for code, out, what, fix in (
            ("weights-no-cost", missing, text("the total cost is missing"), text("state the cost")),
            (
                "weights-cost-unreadable",
                unreadable,
                text("the total cost is no number"),
                text("correct the cost in the source"),
            ),
            (
                "weights-cost-implausible",
                beyond,
                text("the total cost is beyond what a case can cost"),
                text("correct the cost"),
            ),
            (
                "weights-cost-negative",
                (fen < 0) & (fen != MISSING),
                text("the total cost is below 0"),
                text("correct the cost"),
            ),
            ("weights-cost-zero", fen == 0, text("the total cost is 0"), text("correct the cost")),
        )
        if out.any()
    ]


def _years(table: pa.Table, cases: Cases, problems: list[Problem]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Year of discharge, or the number of the file where no case has a date; and the cases that have a year."""
    dated = cases.discharged != MISSING
    year = periods_of(cases.discharged, "Y") + 1970
    if dated.all():
        return year, dated
    if not dated.any():
        files = np.asarray(table.column("file").to_numpy(), np.int64) if "file" in table.column_names else np.zeros(cases.size)
        return files.astype(np.int64), np.ones(cases.size, np.bool_)
    count = int((~dated).sum())
    problems.append(Problem("weights-no-date", text("{count} cases have no date of discharge and are not used", count=count)))
    return np.where(dated, year, year[dated].min()), dated


def read_scored(
    table: pa.Table, policy: Policy, hospitals: Mapping[str, Hospital] | None = None
) -> tuple[ScoredHistory, list[Problem]]:
    """Read discharges with the scores that a policy gives them, for hospital coefficients.

    Left out and counted: cases without a cost, score or hospital level, stays that the policy pays outside the groups, and
    kinds whose coefficient is fixed (primary-care kinds have none). The level is its number, without the grade.

    Raises
    ------
    InputError
        No case is left.
    """
    cases = read_cases(table, hospitals, policy.file.method)
    ledger = Ledger.open(policy, cases)
    walk(ledger, Stage.GROUPS)
    ledger.look_up()
    terms = ledger.terms
    problems = [problem for problem in cases.problems if problem.code in ("settle-unknown-hospital", "settle-cost-negative")]
    year, used = _years(table, cases, problems)
    score = terms.relative_value * terms.auxiliary
    fixed = np.array([bool(name) and policy.file.group_classes[name].coefficient is not None for name in terms.class_names])
    level, names = cases.plain_levels
    levels = tuple(name for name in names if name)
    level = level - (len(names) - len(levels))  # the blank one is the first
    cost = cases.money["total_cost"]
    for code, out, what in (
        ("coefficients-no-cost", ~(cost > 0), text("no cost above 0")),
        ("coefficients-no-score", ~(score > 0), text("no score: weights of your own come by --weights")),
        ("coefficients-fixed", fixed[terms.group_class], text("a kind whose coefficient is fixed")),
        ("coefficients-long-stay", _long_stays(cases, policy), text("a stay longer than the policy pays by its group")),
        ("coefficients-no-level", level < 0, text("no hospital level: state it in hospitals.csv")),
        ("coefficients-no-hospital", cases.hospital.ids < 0, text("no hospital_id")),
    ):
        lost = int((used & out).sum())
        if lost:
            problems.append(Problem(code, text("{count} cases are not used: {what}", count=lost, what=what)))
        used = used & ~out
    if not used.any():
        raise InputError([*problems, Problem("coefficients-no-cases", text("no case is left to estimate coefficients from"))])
    rank = np.argsort(np.argsort(np.array(cases.hospital.values)))  # by name, whatever the order of the cases
    ranks, hospital = np.unique(rank[cases.hospital.ids[used]], return_inverse=True)
    names = np.array(sorted(cases.hospital.values))[ranks].tolist()
    level_of = np.zeros(len(names), np.int64)
    level_of[hospital] = level[used]
    mixed = np.zeros(len(names), np.bool_)
    np.logical_or.at(mixed, hospital, level[used] != level_of[hospital])
    if mixed.any():
        several = ", ".join(names[place] for place in np.flatnonzero(mixed)[:5])
        raise InputError.single(
            "coefficients-two-levels", text("hospitals have cases of more than one level: {several}", several=several)
        )
    return ScoredHistory(
        tuple(names), levels, level_of, hospital.astype(np.int64), year[used],
        cost[used] / 100.0, score[used],
    ), problems  # fmt: skip


def _long_stays(cases: Cases, policy: Policy) -> NDArray[np.bool_]:
    """Stays that the policy pays outside the groups."""
    limit = policy.file.stays.long_days
    return cases.numbers["los_days"] > limit.value if limit is not None else np.zeros(cases.size, np.bool_)


def weight_tables(weights: EstimatedWeights, lines: Sequence[GroupEvaluation], key: str = "drg") -> dict[str, pa.Table]:
    """Tables to write: ``weights.csv`` (a price table for a policy), ``groups.csv`` and ``evaluation.csv``.

    ``key`` names the column of groups: ``drg`` or ``dip``.
    """
    order = np.argsort(np.array(weights.codes))
    present = order[(weights.statistics.count > 0)[order]]
    codes = [weights.codes[place] for place in present]

    def numbers(values: np.ndarray, digits: int) -> pa.Array:
        return pa.array(np.round(values[present], digits), from_pandas=True)

    statistics = weights.statistics
    prices = pa.table({
        key: codes,
        "weight": numbers(weights.weight, 6),
        "mean_cost": numbers(weights.mean_cost, 2),
        "mean_los_days": numbers(weights.mean_days, 4),
        "cases": pa.array(weights.statistics.count[present]),
        "cv": numbers(weights.statistics.cv, 6),
    })  # fmt: skip
    groups = pa.table({
        key: codes,
        "cases": pa.array(statistics.count[present]),
        "mean_cost_of_cases": numbers(statistics.mean, 2),
        "cv_population": numbers(statistics.cv, 6),
        "cv_sample": numbers(statistics.sample_cv, 6),
        "weight": numbers(weights.weight, 6),
        "standard_error": numbers(weights.standard_error, 6),
        "flags": ["|".join(weights.flags[place]) for place in present],
    })  # fmt: skip
    names = list(GroupEvaluation.__dataclass_fields__)
    evaluation = pa.table({name: [getattr(line, name) for line in lines] for name in names})
    return {"weights.csv": prices, "groups.csv": groups, "evaluation.csv": evaluation}
