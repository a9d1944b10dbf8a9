"""Changes by path turn one setup into another; everything is checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.payment.policy import AnyPolicy, policy_of
from drgsim.region.region_tables import PROCUREMENT_CLASSES
from drgsim.simulation.capitated_stays import stated_amount
from drgsim.simulation.case_changes import (
    add_round,
    add_technology,
    change_cases,
    change_hospitals,
    change_members,
    change_weights,
)
from drgsim.simulation.fund_changes import change_budget, change_fund
from drgsim.simulation.paths import check, find
from drgsim.simulation.policy_changes import (
    change_by_policy_path,
    change_include,
    change_low_ratio,
    change_multiples,
    change_parameter,
    change_policy,
    change_scheme,
)
from drgsim.simulation.scenario import Change, Scenario, ScenarioError
from drgsim.simulation.setting_changes import change_setting
from drgsim.simulation.setup import Setup, Step, first_setup
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.unit_value_changes import change_unit_value

# what paths.yaml says a path changes -> the function that makes another setup, or says why not
CHANGES = {
    "policy": change_policy, "scheme": change_scheme, "parameter": change_parameter, "setting": change_setting,
    "unit_value": change_unit_value, "multiples": change_multiples, "low_ratio": change_low_ratio, "fund": change_fund,
    "budget": change_budget, "weights": change_weights, "hospitals": change_hospitals, "cases": change_cases,
    "members": change_members, "include": change_include, "round": add_round,
    "technology": add_technology,
}  # fmt: skip


_KEPT_BY_CLASS = tuple(f"procurement.kept_share.{name}" for name in PROCUREMENT_CLASSES)


def baseline_setup(scenario: Scenario | None, policy: AnyPolicy | None, region: Region) -> tuple[Setup, tuple[Step, ...]]:
    """The setup that a scenario is compared with: the policy, and the changes that its baseline states.

    Raises
    ------
    ScenarioError
        No policy is named, or the baseline's changes are wrong.
    """
    own = scenario.file.baseline.policy if scenario is not None else None
    chosen = policy or own
    if chosen is None:
        what = text("no policy is named")
        raise ScenarioError(
            [Problem("scenario-no-policy", what, fix=text("name one with --policy, or in the scenario's baseline"))]
        )
    setup = first_setup(policy_of(chosen))
    if scenario is None:
        return setup, ()
    setup, steps = apply(setup, scenario.baseline, region)
    return replace(setup, rate_basis=setup), steps


def apply(setup: Setup, changes: Sequence[Change], region: Region) -> tuple[Setup, tuple[Step, ...]]:
    """Another setup, by changes in their order.

    Raises
    ------
    ScenarioError
        Everything that is wrong with any of the changes; nothing is applied then.
    """
    problems: list[Problem] = []
    steps: list[Step] = []
    for change in changes:
        match = find(change.path)
        if match is None:
            setup = change_by_policy_path(setup, change, change.path, steps, problems)
            continue
        found = check(change, match.spec)
        problems += found
        if not found:
            setup = CHANGES[match.spec.changes](setup, change, match, region, steps, problems)
    if not problems:
        problems += _contradictions(setup, changes)
    if problems:
        raise ScenarioError(problems)
    return setup, tuple(steps)


def _contradictions(setup: Setup, changes: Sequence[Change]) -> list[Problem]:
    """Changes that would have no effect under what the setup has become: refused rather than ignored."""
    problems = []
    paths = {change.path: change for change in changes}
    conditions = setup.settings["capitation.conditions"]
    for path, change in paths.items():
        if (path == "rate.base" or path.startswith("rate.")) and path != "rate.source" and setup.by_points:
            what = text("{path}: the unit value follows from the budget here, so that it cannot be set", path=path)
            problems.append(
                Problem(
                    "scenario-out-of-scope",
                    what,
                    where=change.where or path,
                    fix=text("change fund.budget, or set payment.method: rate"),
                )
            )
        if path.startswith("budget.") and path != "budget.active" and not setup.settings["budget.active"]:
            what = text("{path} has no effect while budget.active is false", path=path)
            problems.append(
                Problem(
                    "scenario-out-of-scope",
                    what,
                    where=change.where or path,
                    fix=text("set budget.active: true, in the baseline"),
                )
            )
        if setup.rounds and path.startswith(("procurement.cut.", "procurement.kept_share")) and path not in _KEPT_BY_CLASS:
            what = text(
                "{path} does not go together with rounds of procurement, whose surplus is kept by class of product", path=path
            )
            fix = text("state every fall as a round, and the shares as procurement.kept_share.selected_within_volume and so on")
            problems.append(Problem("scenario-out-of-scope", what, where=change.where or path, fix=fix))
        if path.startswith("procurement.completion") and not setup.rounds and not setup.settings["budget.active"]:
            what = text("{path} has no effect without a round of procurement and while budget.active is false", path=path)
            fix = text("add procurement.round.NAME, or set budget.active: true")
            problems.append(Problem("scenario-out-of-scope", what, where=change.where or path, fix=fix))
        if path.startswith("behaviour.splitting.overhead") and not setup.settings["behaviour.splitting.share"]:
            what = text("{path} has no effect while behaviour.splitting.share is 0", path=path)
            problems.append(
                Problem("scenario-out-of-scope", what, where=change.where or path, fix=text("set behaviour.splitting.share"))
            )
        if path in ("capitation.rate", "capitation.kept_share", "capitation.overspend_share") and not conditions:
            what = text("{path} has no effect while capitation.conditions is empty", path=path)
            problems.append(
                Problem("scenario-out-of-scope", what, where=change.where or path, fix=text("set capitation.conditions"))
            )
        elif path == "capitation.rate" and all(stated_amount(setup, name) is not None for name in conditions):
            what = text("{path} has no effect: the amounts per head are stated", path=path)
            fix = text("change budget.capitation.per_head, or set budget.capitation.use: false")
            problems.append(Problem("scenario-out-of-scope", what, where=change.where or path, fix=fix))
    return problems
