"""Goal seek (目标求解): the value of one path at which one headline figure reaches a target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
from scipy.optimize import brentq

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.simulation.explore import Evaluator
from drgsim.simulation.headlines import headline_names
from drgsim.simulation.paths import find
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import Change, ScenarioError
from drgsim.simulation.scenario_cases import PART
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.study import ScenarioPlan

FACTORS = (0.5, 2.0)  # where to look for a factor when nothing is said
FURTHER = (0.25, 4.0)  # and where then, for prices of one city meet bills of another
Gap = Callable[[float], float]  # value -> what its figure lies above the target
STEPS = 24  # points at which a change of sign is looked for before the search gives up


@dataclass(frozen=True)
class Goal:
    """What to move, between which values, and what to reach; ``anywhere``: nobody said where to look."""

    path: str
    op: str
    low: float
    high: float
    figure: str
    target: float
    anywhere: bool = field(default=False, repr=False)


def read_goal(solve: str, target: str, between: str | None) -> Goal:
    """Read the three options of a goal.

    Parameters
    ----------
    solve
        A path, such as ``rate.base``.
    target
        ``figure=value``.
    between
        ``"*0.5..*2"`` for factors, ``"9000..15000"`` for values; by default factors from 0.5 to 2, then from 0.25 to 4,
        or the limits of the path.

    Raises
    ------
    ScenarioError
        Everything that is wrong with them.

    Examples
    --------
    >>> read_goal("rate.base", "fund.balance=0", None)
    Goal(path='rate.base', op='factor', low=0.5, high=2.0, figure='fund.balance', target=0.0)
    """
    problems = []
    figure, sign, value = target.partition("=")
    figure = figure.strip()
    known = list(headline_names())
    if not sign or figure not in known:
        fix = did_you_mean(figure, known) or text("the figures are {known}", known=", ".join(known))
        problems.append(
            Problem("simulate-bad-target", text("{target!r} is no figure=value", target=target), where="--target", fix=fix)
        )
    try:
        aim = float(value)
    except ValueError:
        aim = math.nan
    if not math.isfinite(aim) and sign:
        problems.append(
            Problem(
                "simulate-bad-target",
                text("{value!r} is no number to reach", value=value),
                where="--target",
                fix=text('such as "fund.balance=0"'),
            )
        )
    match = find(solve)
    op, low, high = "factor", *FACTORS
    if match is not None and "factor" not in match.spec.ops:
        op = "set"
        low = (
            match.spec.at_least
            if match.spec.at_least is not None
            else match.spec.above
            if match.spec.above is not None
            else math.nan
        )
        high = match.spec.at_most if match.spec.at_most is not None else math.nan
        if match.spec.kind != "number":
            problems.append(
                Problem(
                    "simulate-bad-goal", text("{solve} holds no number that could be solved for", solve=solve), where="--solve"
                )
            )
    if between is not None:
        ends = [end.strip() for end in between.split("..")]
        op = "factor" if all(end.startswith("*") for end in ends) else "set"
        try:
            low, high = (float(end.removeprefix("*")) for end in ends)
        except ValueError:
            low = high = math.nan
    if not low < high:
        fix = text('write --between "*0.5..*2" or --between "9000..15000"')
        problems.append(Problem("simulate-bad-between", text("no range to look in"), where="--between", fix=fix))
    if problems:
        raise ScenarioError(problems)
    return Goal(solve, op, low, high, figure, aim, anywhere=between is None and op == "factor")


@dataclass(frozen=True)
class Solution:
    """What was found: the plan with the solved change as its last step, and a table of one row that says how near it comes."""

    plan: ScenarioPlan
    table: pa.Table


def solve(plan: ScenarioPlan, goal: Goal, runner: Runner, year: int) -> Solution:
    """Solve for a goal on top of a plan.

    Raises
    ------
    ScenarioError
        The figure does not reach the target between the ends; the message says what it reaches there.
    """
    evaluator = Evaluator(runner, plan, year)
    seen: dict[float, float] = {}

    def change(value: float) -> Change:
        return Change(goal.path, goal.op, value, where=f"--solve {goal.path}")  # type: ignore[arg-type]

    def gap(value: float) -> float:
        if value not in seen:
            seen[value] = evaluator.figures(apply(plan.setup, [change(value)], runner.region)[0])[goal.figure] - goal.target
        return seen[value]

    found = _bracket(gap, goal)
    if found is None and goal.anywhere:
        goal = replace(goal, low=FURTHER[0], high=FURTHER[1])
        found = _bracket(gap, goal)
    if found is None:
        raise ScenarioError([_out_of_reach(gap, goal, plan)])
    low, high = found
    value = low if low == high else float(brentq(gap, low, high, xtol=1e-10, rtol=1e-12, maxiter=200))
    value = min((place for place in seen if low <= place <= high), key=lambda place: (abs(seen[place]), place), default=value)
    left = gap(value)
    setup, steps = apply(plan.setup, [change(value)], runner.region)
    outcome = evaluator.outcome(setup)
    row: dict[str, Any] = {
        "path": goal.path, "change": change(value).words, "value": value,
        "unit": "factor" if goal.op == "factor" else steps[-1].unit, "old": steps[-1].old, "new": steps[-1].new,
        "new_unit": steps[-1].unit, "figure": goal.figure, "target": goal.target,
        "reached": goal.target + left, "left": left, "runs": len(seen),
        "unit_values": ", ".join(f"{payer} {number:,.4f}" for payer, number in outcome.unit_values.items()),
        "note": "" if abs(left) <= max(1.0, 1e-9 * abs(goal.target)) else _why_not_nearer(goal.path),
    }  # fmt: skip
    said = f"{goal.path} {change(value).words} → {goal.figure} = {goal.target:,.10g}"  # in words of files: in every language
    title, title_zh = (f"{own} + {said}" if own and plan.steps else "" for own in (plan.title, plan.title_zh))
    return Solution(
        replace(plan, title=title or said, title_zh=title_zh, setup=setup, steps=(*plan.steps, *steps)),
        pa.Table.from_pylist([row]),
    )


def _why_not_nearer(path: str) -> str:
    match = find(path)
    if match is not None and match.spec.field == "volume":
        return text("the nearest value: the discharges of a case count in steps of 1/{part:,}", part=PART)
    return text("the nearest value: payment jumps where a case changes its class")


def _bracket(gap: Gap, goal: Goal) -> tuple[float, float] | None:
    """Two values between which the gap changes its sign: the ends, else neighbours on a ladder between them."""
    first, last = gap(goal.low), gap(goal.high)
    if math.isnan(first) or math.isnan(last):
        return None
    if first * last <= 0:
        return (goal.low, goal.low) if first == 0 else (goal.high, goal.high) if last == 0 else (goal.low, goal.high)
    return next(((one, two) for one, two in pairwise(_ladder(goal)) if gap(one) * gap(two) <= 0), None)


def _ladder(goal: Goal) -> list[float]:
    return [goal.low + (goal.high - goal.low) * step / STEPS for step in range(STEPS + 1)]


def _out_of_reach(gap: Gap, goal: Goal, plan: ScenarioPlan) -> Problem:
    """Why no value leads to the target."""
    first, last, ladder = gap(goal.low), gap(goal.high), _ladder(goal)
    if math.isnan(first) or math.isnan(last):
        what = text(
            "{figure} does not exist for {plan}: the run has no value to reach {target:g} with",
            figure=goal.figure,
            plan=plan.name,
            target=goal.target,
        )
        return Problem("simulate-no-figure", what, where="--target", fix=text("choose another figure"))
    best = min(ladder, key=lambda value: abs(gap(value)))
    sign = "*" if goal.op == "factor" else ""
    what = text(
        "{figure} cannot reach {target:,.10g} by {path} between {sign}{low:g} and {sign}{high:g}: it "
        "is {first:,.10g} and {last:,.10g} at the ends, nearest {gap:,.10g} at {sign}{best:g}",
        figure=goal.figure,
        target=goal.target,
        path=goal.path,
        sign=sign,
        low=goal.low,
        high=goal.high,
        first=first + goal.target,
        last=last + goal.target,
        gap=gap(best) + goal.target,
        best=best,
    )
    flat = max(abs(gap(value) - first) for value in ladder) == 0
    why = text("{path} does not move {figure} here", path=goal.path, figure=goal.figure) if flat else ""
    return Problem(
        "simulate-goal-not-reached", what, where=plan.name, why=why, fix=text("widen --between, or choose another path")
    )
