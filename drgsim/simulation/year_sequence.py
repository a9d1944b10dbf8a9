"""Several years (多年): each with the changes applied once more, with what the fund and the hospitals carry over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.simulation.answer_tables import tidy
from drgsim.simulation.behaviour import active, respond, without_behaviour
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.pricing import fund_of
from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.scenario import Change, ScenarioError, Years
from drgsim.simulation.setup import Setup
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.study import ScenarioPlan


def years_table(plan: ScenarioPlan, years: Years, yearly: tuple[Change, ...], runner: Runner, first: int) -> pa.Table:
    """Headline figures of baseline and scenario, one row per year and side.

    The first year is the last one of the data; each further year repeats its cases with ``yearly`` applied once more.
    ``carry_fund`` of the fund's balance goes into the next year's budget, deficits too. A hospital's surplus goes into its next
    account where the budget is active and ``budget.sharing.carry_over`` is true. Hospitals answer to the difference from the
    baseline of the same year.

    Raises
    ------
    ScenarioError
        A deficit leaves nothing of a budget that decides what is paid.
    """
    rows: list[dict[str, Any]] = []
    baselines: list[Setup] = []
    for side, start in (("baseline", plan.baseline), ("scenario", plan.setup)):
        before: Outcome | None = None
        carried = cumulative = 0.0
        for step in range(years.count):
            year = first + step
            changed = apply(start, [change for _ in range(step) for change in yearly], runner.region)[0]
            setup, beside = _with_fund(changed, carried, runner, year)
            if side == "baseline":
                baselines.append(setup)
            outcome = _outcome(baselines[step], runner, setup, year, before)
            figures = headlines(outcome, runner.region)
            figures |= {name: figures[name] + beside for name in ("fund.budget", "fund.balance")}
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


def _with_fund(setup: Setup, carried: float, runner: Runner, year: int) -> tuple[Setup, float]:
    """The setup with a balance carried into the fund's budget, in proportion to the payers' budgets.

    A deficit above the whole budget cannot be taken from it: it is returned, to stand beside the budget, where the budget
    decides nothing that is paid, and refused where it does.
    """
    budget = sum(fund_of(setup, runner.region, year).values()) / 100
    if not carried or not budget:
        return setup, 0.0
    if budget + carried > 0:
        return replace(setup, fund=(*setup.fund, Change("fund.budget", "factor", 1 + carried / budget))), 0.0
    if setup.by_points or setup.settings["budget.active"]:
        what = text(
            "the deficit of the years before, {carried:,.2f} yuan, leaves nothing of the budget of {year}, {budget:,.2f} yuan",
            carried=-carried,
            year=year,
            budget=budget,
        )
        fix = text("raise fund.budget, or carry less over with years.carry_fund")
        raise ScenarioError([Problem("scenario-fund-used-up", what, where=f"years, {year}", fix=fix)])
    return setup, carried


def _outcome(baseline: Setup, runner: Runner, setup: Setup, year: int, before: Outcome | None) -> Outcome:
    if not active(setup):
        return runner.run(setup, year, before)
    still = without_behaviour(setup)
    state = respond(setup, runner.lines(baseline, year), runner.lines(still, year), runner.region)
    return runner.outcome(still, year, runner.lines(still, year, state), before=before)
