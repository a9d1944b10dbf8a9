"""Changes of the unit value (费率、点值) for everyone at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.payment.policy import Policy
from drgsim.simulation.change_steps import out_of_scope, step_of, step_words
from drgsim.simulation.paths import Match, limits
from drgsim.simulation.scenario import Change
from drgsim.simulation.setup import Setup, Step
from drgsim.simulation.simulated_region import Region


def change_unit_value(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    source = setup.settings["rate.source"]
    if source != "policy":
        old = text("from the fund ({source})", source=source)
        new = step_words(change.value) if change.op == "set" else text("{words} of it", words=change.words)
        steps.append(step_of(match, change, old, new))
        return replace(setup, rate=(*setup.rate, change))
    keyed, published = setup.policy.file.unit_value, setup.policy.file.relative_value.standard_from_table
    if keyed is None and not published and not setup.by_points:
        out_of_scope(
            change,
            text("{policy} states no unit value", policy=setup.policy.id),
            text("set rate.source: fund, or payment.method: points"),
            problems,
        )
        return setup
    values = keyed.values if keyed is not None else {}
    if len(values) != 1 and change.op != "factor":
        listed = ", ".join(f"rate.{key}" for key in values)
        out_of_scope(
            change,
            text("{policy} has {count} unit values", policy=setup.policy.id, count=len(values)),
            text('write a factor such as "*1.03", or one of {listed}', listed=listed),
            problems,
        )
        return setup
    old_values = list(values.values())
    for value in old_values:
        problems += limits(change, match.spec, change.apply(value))
    shown_old = ", ".join(f"{value:,.10g}" for value in old_values) or text("published standards")
    shown_new = ", ".join(f"{change.apply(value):,.10g}" for value in old_values) or change.words
    if published and old_values:
        factor = change.apply(old_values[0]) / old_values[0]
        shown_new = text("{values}; published standards x {factor:.10g}", values=shown_new, factor=factor)
    steps.append(step_of(match, change, shown_old, shown_new, keyed.unit if keyed is not None else ""))
    return replace(setup, policy=scaled_rate(setup.policy, change))


def scaled_rate(policy: Policy, change: Change) -> Policy:
    """The policy with every unit value changed, and published standards in the same proportion; tables are shared."""
    keyed = policy.file.unit_value
    factor = float(change.value) if change.op == "factor" else 1.0
    file = policy.file
    if keyed is not None:
        values = {key: change.apply(value) for key, value in keyed.values.items()}
        first = next(iter(keyed.values))
        factor = values[first] / keyed.values[first] if change.op != "factor" else factor
        file = file.model_copy(update={"unit_value": keyed.model_copy(update={"values": values})})
    prices = policy.prices
    if prices is not None and file.relative_value.standard_from_table:
        numbers = {
            name: np.round(column * factor, 6) if name == "standard" or name.startswith("standard_") else column
            for name, column in prices.numbers.items()
        }
        prices = replace(prices, numbers=numbers)
    mark = hashlib.sha256(f"{policy.digest} rate {change.op} {change.value!r}".encode()).hexdigest()
    raw = dict(policy.raw)
    if keyed is not None and isinstance(raw.get("unit_value"), dict):
        raw["unit_value"] = {**raw["unit_value"], "values": dict(file.unit_value.values if file.unit_value else {})}
    return replace(policy, file=file, prices=prices, digest=mark, raw=raw)
