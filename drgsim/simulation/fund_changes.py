"""Changes of the fund's budget and of the terms on which it is spent (总额预算)."""

from __future__ import annotations

from dataclasses import replace

from drgsim.budgets.terms import BudgetError
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.parameters.changed_values import value_at
from drgsim.records.vocabulary import policy_path
from drgsim.simulation.change_steps import out_of_scope, step_of, wrong_unit
from drgsim.simulation.paths import Match, limits
from drgsim.simulation.policy_changes import unit_at
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup import Setup, Step
from drgsim.simulation.simulated_region import Region


def change_fund(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    if not region.fund:
        out_of_scope(
            change,
            text("{folder} states no budget of the fund", folder=region.folder.name),
            text("add fund.csv: year, insurance, budget_yuan"),
            problems,
        )
        return setup
    insurance = match.words.get("insurance")
    if insurance is None and change.op != "factor":
        out_of_scope(
            change,
            text("each insurance has its own budget"),
            text('write a factor such as "*1.05", or fund.budget.employee'),
            problems,
        )
        return setup
    year = max(region.fund)
    for payer, amount in region.fund[year].items():
        if insurance in (None, payer):
            problems += limits(change, match.spec, change.apply(amount / 100))
            steps.append(step_of(match, change, amount / 100, change.apply(amount / 100), f"yuan, {payer} {year}"))
    return replace(setup, fund=(*setup.fund, change))


def change_budget(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    """A term of the yearly budget, by its own path or by an alias that stands for several."""
    assert setup.budget is not None
    file = setup.budget.file
    targets = [
        match.spec.target.replace("<key>", policy_path(match.words.get("key", ""))).replace("<use>", file.sharing.use.value)
    ]
    if "<surplus>" in targets[0]:
        bands_of = file.sharing.schedules[file.sharing.use.value].surplus
        targets = [targets[0].replace("<surplus>", f"surplus.{place}") for place in range(len(bands_of))]
    change = replace(change, value=round(1 - float(change.value), 12)) if match.spec.field == "complement" else change
    try:
        changed = setup.budget.changed(dict.fromkeys(targets, change.written), "scenario")
    except BudgetError as error:
        for problem in error.problems:
            unknown_path = problem.code == "budget-unknown-path"
            code = "scenario-unknown-path" if unknown_path else "scenario-impossible-value"
            problems.append(replace(problem, code=code, where=change.where or change.path))
        return setup
    values = [(value_at(setup.budget.raw, target), value_at(changed.raw, target)) for target in targets]
    unit = unit_at(targets[0], setup.budget.parameters)
    if wrong_unit(change, unit, problems):
        return setup
    old, new = values[0] if len(values) == 1 else ([each[0] for each in values], [each[1] for each in values])
    steps.append(step_of(match, change, old, new, unit))
    return replace(setup, budget=changed)
