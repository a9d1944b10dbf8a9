"""Several years (多年): each with the changes applied once more, with what the fund and the hospitals carry over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from drgsim.simulation.answers import tidy
from drgsim.simulation.behaviour import active
from drgsim.simulation.changes import apply
from drgsim.simulation.explore import Evaluator
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.pricing import fund_of
from drgsim.simulation.run import Outcome, Runner
from drgsim.simulation.scenario import Change, Years
from drgsim.simulation.setup import Setup
from drgsim.simulation.study import Plan


def years_table(plan: Plan, years: Years, yearly: tuple[Change, ...], runner: Runner, first: int) -> pa.Table:
    """Headline figures of baseline and scenario, one row per year and side.

    The first year is the last one of the data; each further year repeats its cases with ``yearly`` applied once more.
    ``carry_fund`` of the
    fund's balance goes into the next year's budget, deficits too. A hospital's surplus goes into its next account where the
    budget is active and ``budget.sharing.carry_over`` is true.
    """
    rows: list[dict[str, Any]] = []
    for side, setup in (("baseline", plan.baseline), ("scenario", plan.setup)):
        before: Outcome | None = None
        carried = cumulative = 0.0
        for step in range(years.count):
            year = first + step
            changed = apply(setup, [change for _ in range(step) for change in yearly], runner.region)[0]
            outcome = _outcome(plan, runner, _with_fund(changed, carried, runner, year), year, before)
            figures = headlines(outcome, runner.region)
            own = figures["fund.balance"] - carried
            cumulative += 0.0 if own != own else own
            rows.append({
                "side": side, "year": year, "fund.carried_in": round(carried, 2),
                "fund.cumulative_balance": round(cumulative, 2),
                **{name: tidy(figures[name]) for name in headline_names()},
            })  # fmt: skip
            carried = 0.0 if own != own else figures["fund.balance"] * years.carry_fund
            before = outcome
    return pa.Table.from_pylist(rows)


def _with_fund(setup: Setup, carried: float, runner: Runner, year: int) -> Setup:
    """The setup with a balance carried into the fund's budget, in proportion to the payers' budgets."""
    budget = sum(fund_of(setup, runner.region, year).values()) / 100
    if not carried or not budget or budget + carried <= 0:
        return setup
    return replace(setup, fund=(*setup.fund, Change("fund.budget", "factor", 1 + carried / budget)))


def _outcome(plan: Plan, runner: Runner, setup: Setup, year: int, before: Outcome | None) -> Outcome:
    if active(setup):
        return Evaluator(runner, plan, year).outcome(setup)
    return runner.run(setup, year, before)
