"""Changes of the settings that no policy states: sources of prices, methods, behaviour."""

from __future__ import annotations

from dataclasses import replace

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.simulation.change_steps import out_of_scope, step_of
from drgsim.simulation.paths import Match
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup import Setup, Step
from drgsim.simulation.simulated_region import Region


def change_setting(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    path, value = match.spec.path, change.value
    if match.spec.kind == "names" and not isinstance(value, list):
        value = [value]
    needs_fund = (path == "rate.source" and value in ("fund", "last_year")) or (path == "payment.method" and value == "points")
    if needs_fund and not region.fund:
        out_of_scope(
            change,
            text("{folder} states no budget of the fund", folder=region.folder.name),
            text("add fund.csv: year, insurance, budget_yuan"),
            problems,
        )
        return setup
    if path == "budget.active" and value and (not region.fund or len(region.years) < 2):
        out_of_scope(
            change, text("a budget needs fund.csv and discharges of an earlier year"), text("add them to the region"), problems
        )
        return setup
    if path in ("rate.source", "weights.source") and value in ("last_year", "history") and len(region.years) < 2:
        out_of_scope(
            change,
            text("the region has one year only; earlier years are needed"),
            text("add discharges of an earlier year"),
            problems,
        )
        return setup
    if path == "rate.source" and value == "policy" and setup.rate:
        out_of_scope(change, text("the unit value was changed already"), text("set rate.source before rate.base"), problems)
        return setup
    if path == "capitation.conditions" and value and not region.heads:
        out_of_scope(
            change,
            text("the region states no registered patients"),
            text("add enrolment.csv with diabetes and hypertension"),
            problems,
        )
        return setup
    steps.append(step_of(match, change, setup.settings[path], value))
    changed = replace(setup, settings={**setup.settings, path: value})
    return replace(changed, rate_basis=None) if path in ("weights.source", "rate.source") else changed
