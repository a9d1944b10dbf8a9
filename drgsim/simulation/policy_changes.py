"""Changes of the policy itself: another policy or scheme, its parameters by path, its payment curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from drgsim.errors import DrgsimError, Problem
from drgsim.language import text
from drgsim.parameters.changed_values import value_at
from drgsim.parameters.evident_values import Parameter
from drgsim.payment.policy import PolicyError, load_policy
from drgsim.records.vocabulary import policy_path
from drgsim.simulation import curve_changes as bands
from drgsim.simulation.change_steps import out_of_scope, refuse, step_of, wrong_unit
from drgsim.simulation.paths import Match, limits, unknown
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup import Setup, Step, terms_of
from drgsim.simulation.simulated_region import Region
from drgsim.units.schemes.pack import find_pack


def change_policy(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    """Another policy, with its scheme and the terms of its budget."""
    try:
        policy = load_policy(str(change.value))
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    steps.append(step_of(match, change, setup.policy.id, policy.id))
    return replace(setup, policy=policy, scheme=policy.file.scheme or setup.scheme, rate_basis=None, budget=terms_of(policy))


def change_include(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    """Further sections of the policy; the rate of the baseline stays."""
    names = [str(name) for name in (change.value if isinstance(change.value, list) else [change.value])]
    try:
        policy = setup.policy.including(names)
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    steps.append(step_of(match, change, ", ".join(setup.policy.file.include) or "none", ", ".join(policy.file.include)))
    return replace(setup, policy=policy)


def change_scheme(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    try:
        find_pack(str(change.value))
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    steps.append(step_of(match, change, setup.scheme, change.value))
    return replace(setup, scheme=str(change.value), rate_basis=None)


def change_parameter(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    target = match.spec.target.replace("<rate_key>", match.words.get("rate_key", ""))
    if match.spec.target.startswith("unit_value.") and setup.settings["rate.source"] != "policy":
        out_of_scope(
            change,
            text("the unit value comes from the fund here"),
            text("use rate.base with a factor, or rate.source: policy"),
            problems,
        )
        return setup
    return change_by_policy_path(setup, change, target, steps, problems, match)


def change_by_policy_path(
    setup: Setup, change: Change, target: str, steps: list[Step], problems: list[Problem], match: Match | None = None
) -> Setup:
    """Change a parameter of the policy by the path that ``drgsim policy show`` lists, or add what the policy lacks.

    With ``match`` the path is another name of ``target``, which changes what there is and adds nothing.
    """
    target = policy_path(target)
    before, name = setup.policy.parameters, setup.policy.id
    old = value_at(setup.policy.raw, target)
    if match is not None and old is None:
        out_of_scope(
            change,
            text("{name} has no parameter {target}", name=name, target=target),
            text("to add it, write {target}", target=target),
            problems,
        )
        return setup
    unit = unit_at(target, before)
    if wrong_unit(change, unit, problems):
        return setup
    try:
        changed = setup.policy.changed({target: change.written}, "scenario")
    except PolicyError as error:
        for problem in error.problems:
            if problem.code == "policy-unknown-path":
                problems.append(unknown(change, [one.path for one in before], name, problem.fix))
            else:
                problems.append(replace(problem, code="scenario-impossible-value", where=change.where or change.path))
        return setup
    if not any(f"{target}.".startswith(f"{one.path}.") or one.path.startswith(f"{target}.") for one in changed.parameters):
        problems.append(unknown(change, [one.path for one in before], name))  # a part of the file that is no parameter
        return setup
    new = value_at(changed.raw, target)
    if not _possible(change, old, new, match, problems):
        return setup
    steps.append(step_of(match, change, old, new, unit or unit_at(target, changed.parameters)))
    return replace(setup, policy=changed)


def unit_at(path: str, parameters: tuple[Parameter, ...]) -> str:
    """The unit of the parameter that a path belongs to, empty where it belongs to none."""
    above = [one for one in parameters if f"{path}.".startswith(f"{one.path}.")]
    return str(max(above, key=lambda one: len(one.path)).unit) if above else ""


def _possible(change: Change, old: Any, new: Any, match: Match | None, problems: list[Problem]) -> bool:
    """Whether a new value is of the kind of the old one and within its limits; numbers of a policy are not below 0."""
    number = isinstance(old, int | float)
    if old is not None and not isinstance(new, int | float if number else type(old)):
        kind = text("number") if number else type(old).__name__
        refuse("bad-value", change, text(": {new!r} is no {kind}", new=new, kind=kind), "", problems)
        return False
    if match is not None and isinstance(new, int | float):
        found = limits(change, match.spec, float(new))
        problems += found
        return not found
    below = [value for value in _numbers(new) if value < 0]
    if below and not (number and old < 0):
        refuse("impossible-value", change, text(" would be {below:g}; it must not be below 0", below=below[0]), "", problems)
        return False
    return True


def _numbers(node: Any) -> list[float]:
    if isinstance(node, dict | list):
        return [each for child in (node.values() if isinstance(node, dict) else node) for each in _numbers(child)]
    return [node] if isinstance(node, int | float) and not isinstance(node, bool) else []


def change_multiples(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    level = match.words.get("level", "")
    try:
        policy, old, new = bands.change_multiple(setup.policy, change, level)
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    for value in new:
        problems += limits(change, match.spec, value)
    steps.append(step_of(match, change, list(old), list(new)))
    return replace(setup, policy=policy)


def change_low_ratio(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    target = bands.low_piece(setup.policy)
    if target is None:
        out_of_scope(
            change,
            text("{policy} has no low cases", policy=setup.policy.id),
            text("its payment curve has no such piece"),
            problems,
        )
        return setup
    return change_by_policy_path(setup, change, target, steps, problems, match)
