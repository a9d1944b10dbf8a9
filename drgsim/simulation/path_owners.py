"""Who carries a change out: one function per owner that paths.yaml names, which returns the new setup or reports why not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from drgsim.budgets.terms import BudgetError
from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.payment.policy import Policy, PolicyError, load_policy
from drgsim.records.vocabulary import level_keys, policy_path
from drgsim.simulation import curve_changes as bands
from drgsim.simulation.paths import ALL, Match, limits, same_unit, unknown
from drgsim.simulation.scenario import Change
from drgsim.simulation.scenario_cases import faults_of
from drgsim.simulation.setup import CaseEdit, HospitalEdit, Selector, Setup, Step, WeightEdit, short_code, terms_of
from drgsim.simulation.setup_hospitals import hospital_fits
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.technology import read_technology
from drgsim.units.schemes.pack import find_pack


def _step(match: Match | None, change: Change, old: Any, new: Any, unit: str = "") -> Step:
    title = match.spec.title if match else ""
    return Step(
        change.path,
        title,
        match.spec.title_zh if match else "",
        _words(old),
        _words(new),
        unit or (match.spec.unit if match else ""),
    )


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return f"{value:,.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _out_of_scope(change: Change, what: str, fix: str, problems: list[Problem]) -> None:
    problems.append(Problem("scenario-out-of-scope", f"{change.path}: {what}", where=change.where or change.path, fix=fix))


# -- owners ------------------------------------------------------------------------------------------------------------
def change_policy(
    setup: Setup, change: Change, target: str, steps: list[Step], problems: list[Problem], match: Match | None = None
) -> Setup:
    """Change a parameter of the policy itself by the path that ``drgsim policy show`` lists."""
    target = policy_path(target)
    parameters = {parameter.path: parameter for parameter in setup.policy.parameters}
    holder = next((parameters[path] for path in _prefixes(target) if path in parameters), None)
    if match is not None and bands.value_at(setup.policy.raw, target) is None:  # such a path changes what there is
        _out_of_scope(change, f"{setup.policy.id} has no parameter {target}", f"to add it, write {target}", problems)
        return setup
    if change.unit and holder is not None and not same_unit(change.unit, holder.unit):
        what = f"{change.path}: the unit is {change.unit!r}, but this parameter is in {holder.unit}"
        problems.append(Problem("scenario-wrong-unit", what, where=change.where, fix=f"write it in {holder.unit}"))
        return setup
    try:
        changed = setup.policy.changed({target: change.written}, "scenario")
    except PolicyError as error:
        for problem in error.problems:
            if problem.code == "policy-unknown-path":
                problems.append(unknown(change, list(parameters), setup.policy.id, problem.fix))
            else:
                problems.append(replace(problem, code="scenario-impossible-value", where=change.where or change.path))
        return setup
    holder = holder or next((one for one in changed.parameters if f"{target}.".startswith(f"{one.path}.")), None)
    if holder is None and not any(one.path.startswith(f"{target}.") for one in changed.parameters):
        problems.append(unknown(change, list(parameters), setup.policy.id))
        return setup
    old, new = bands.value_at(setup.policy.raw, target), bands.value_at(changed.raw, target)
    if (
        not isinstance(new, type(old))
        and not (isinstance(new, int | float) and isinstance(old, int | float))
        and old is not None
    ):
        what = f"{change.path}: {new!r} is no {'number' if isinstance(old, int | float) else type(old).__name__}"
        problems.append(Problem("scenario-bad-value", what, where=change.where or change.path))
        return setup
    if isinstance(new, float) and not np.isfinite(new):
        problems.append(Problem("scenario-impossible-value", f"{change.path} would be {new}", where=change.where))
        return setup
    if match is not None and isinstance(new, int | float):
        found = limits(change, match.spec, float(new))
        problems += found
        if found:
            return setup
    elif isinstance(new, int | float) and not isinstance(new, bool) and new < 0 <= (old or 0):
        what = f"{change.path} would be {new:g}; it must not be below 0"
        problems.append(Problem("scenario-impossible-value", what, where=change.where or change.path))
        return setup
    steps.append(_step(match, change, old, new, holder.unit if holder else ""))
    return replace(setup, policy=changed)


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _policy(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    target = match.spec.target.replace("<rate_key>", match.words.get("rate_key", ""))
    if match.spec.target.startswith("unit_value.") and setup.settings["rate.source"] != "policy":
        _out_of_scope(
            change, "the unit value comes from the fund here", "use rate.base with a factor, or rate.source: policy", problems
        )
        return setup
    return change_policy(setup, change, target, steps, problems, match)


def _rate(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    source = setup.settings["rate.source"]
    if source != "policy":
        old, new = f"from the fund ({source})", f"{change.words} of it" if change.op != "set" else _words(change.value)
        steps.append(_step(match, change, old, new))
        return replace(setup, rate=(*setup.rate, change))
    keyed, published = setup.policy.file.unit_value, setup.policy.file.relative_value.standard_from_table
    if keyed is None and not published and not setup.by_points:
        _out_of_scope(
            change, f"{setup.policy.id} states no unit value", "set rate.source: fund, or payment.method: points", problems
        )
        return setup
    values = keyed.values if keyed is not None else {}
    if len(values) != 1 and change.op != "factor":
        listed = ", ".join(f"rate.{key}" for key in values)
        _out_of_scope(
            change,
            f"{setup.policy.id} has {len(values)} unit values",
            f'write a factor such as "*1.03", or one of {listed}',
            problems,
        )
        return setup
    old_values = list(values.values())
    for value in old_values:
        problems += limits(change, match.spec, change.apply(value))
    shown_old = ", ".join(f"{value:,.10g}" for value in old_values) or "published standards"
    shown_new = ", ".join(f"{change.apply(value):,.10g}" for value in old_values) or change.words
    if published and old_values:
        factor = change.apply(old_values[0]) / old_values[0]
        shown_new += f"; published standards x {factor:.10g}"
    steps.append(_step(match, change, shown_old, shown_new, keyed.unit if keyed is not None else ""))
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


def _multiple(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    level = match.words.get("level", "")
    try:
        policy, old, new = bands.change_multiple(setup.policy, change, level)
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    for value in new:
        problems += limits(change, match.spec, value)
    steps.append(_step(match, change, list(old), list(new)))
    return replace(setup, policy=policy)


def _low_ratio(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    target = bands.low_piece(setup.policy)
    if target is None:
        _out_of_scope(change, f"{setup.policy.id} has no low cases", "its payment curve has no such piece", problems)
        return setup
    return change_policy(setup, change, target, steps, problems, match)


def _setting(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    path, value = match.spec.path, change.value
    if match.spec.kind == "names" and not isinstance(value, list):
        value = [value]
    needs_fund = (path == "rate.source" and value in ("fund", "last_year")) or (path == "payment.method" and value == "points")
    if needs_fund and not region.fund:
        _out_of_scope(
            change, f"{region.folder.name} states no budget of the fund", "add fund.csv: year, insurance, budget_yuan", problems
        )
        return setup
    if path == "budget.active" and value and (not region.fund or len(region.years) < 2):
        _out_of_scope(change, "a budget needs fund.csv and discharges of an earlier year", "add them to the region", problems)
        return setup
    if path in ("rate.source", "weights.source") and value in ("last_year", "history") and len(region.years) < 2:
        _out_of_scope(
            change, "the region has one year only; earlier years are needed", "add discharges of an earlier year", problems
        )
        return setup
    if path == "rate.source" and value == "policy" and setup.rate:
        _out_of_scope(change, "the unit value was changed already", "set rate.source before rate.base", problems)
        return setup
    if path == "capitation.conditions" and value and not region.enrolment:
        _out_of_scope(
            change, "the region states no registered patients", "add enrolment.csv with diabetes and hypertension", problems
        )
        return setup
    steps.append(_step(match, change, setup.settings[path], value))
    changed = replace(setup, settings={**setup.settings, path: value})
    return replace(changed, rate_basis=None) if path in ("weights.source", "rate.source") else changed


def _policy_name(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    try:
        policy = load_policy(str(change.value))
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    steps.append(_step(match, change, setup.policy.id, policy.id))
    return replace(setup, policy=policy, scheme=policy.file.scheme or setup.scheme, rate_basis=None, budget=terms_of(policy))


def _scheme(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    try:
        find_pack(str(change.value))
    except DrgsimError as error:
        problems += [replace(problem, where=change.where or change.path) for problem in error.problems]
        return setup
    steps.append(_step(match, change, setup.scheme, change.value))
    return replace(setup, scheme=str(change.value), rate_basis=None)


def _fund(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    if not region.fund:
        _out_of_scope(
            change, f"{region.folder.name} states no budget of the fund", "add fund.csv: year, insurance, budget_yuan", problems
        )
        return setup
    insurance = match.words.get("insurance")
    if insurance is None and change.op != "factor":
        _out_of_scope(
            change, "each insurance has its own budget", 'write a factor such as "*1.05", or fund.budget.employee', problems
        )
        return setup
    year = max(region.fund)
    for payer, amount in region.fund[year].items():
        if insurance in (None, payer):
            problems += limits(change, match.spec, change.apply(amount / 100))
            steps.append(_step(match, change, amount / 100, change.apply(amount / 100), f"yuan, {payer} {year}"))
    return replace(setup, fund=(*setup.fund, change))


def _budget(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
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
    values = [(bands.value_at(setup.budget.raw, target), bands.value_at(changed.raw, target)) for target in targets]
    holder = next((one for path in _prefixes(targets[0]) for one in setup.budget.parameters if one.path == path), None)
    if change.unit and holder is not None and not same_unit(change.unit, holder.unit):
        what = f"{change.path}: the unit is {change.unit!r}, but this parameter is in {holder.unit}"
        problems.append(Problem("scenario-wrong-unit", what, where=change.where, fix=f"write it in {holder.unit}"))
        return setup
    old, new = values[0] if len(values) == 1 else ([each[0] for each in values], [each[1] for each in values])
    steps.append(_step(match, change, old, new, holder.unit if holder is not None else ""))
    return replace(setup, budget=changed)


def _weights(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    kind, code = match.words["unit_kind"], match.words["group"]
    if setup.policy.prices is None and setup.settings["weights.source"] == "policy":
        _out_of_scope(change, f"{setup.policy.id} has no table of relative values", "set weights.source: history", problems)
        return setup
    if setup.policy.prices is not None and setup.settings["weights.source"] == "policy":
        known = sorted({short_code(kind, each) for each in setup.policy.prices.codes})
        if short_code(kind, code.removeprefix("MDC")) not in known:
            fix = did_you_mean(code, known) or f"for instance {', '.join(known[:5])}"
            problems.append(
                Problem(
                    "scenario-unknown-path",
                    f"{change.path}: {setup.policy.id} has no {kind} {code}",
                    where=change.where,
                    fix=fix,
                )
            )
            return setup
        name, values = setup.policy.prices.relative_value
        rows = [
            row
            for row, each in enumerate(setup.policy.prices.codes)
            if short_code(kind, each) == short_code(kind, code.removeprefix("MDC"))
        ]
        old = float(np.nansum(values[rows]))
        steps.append(
            _step(match, change, old, old * change.value, f"sum of {name} of {len(rows)} groups, before the total is kept")
        )
    else:
        steps.append(_step(match, change, "from history", change.words))
    return replace(setup, weights=(*setup.weights, WeightEdit(kind, code.removeprefix("MDC"), float(change.value))))


def _hospital(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    (kind, _, key), name = match.words["hospitals"].partition("."), match.spec.field
    key = level_keys(key)[0] if kind == "level" else key
    members = [each for each in region.hospitals if hospital_fits(region, each, kind, key)]
    if not members:
        known = list(region.hospitals) if kind == "hospital" else region.known_levels
        fix = did_you_mean(key, known) or f"the region has {', '.join(known[:12])}"
        problems.append(
            Problem("scenario-unknown-path", f"{change.path}: the region has no {kind} {key}", where=change.where, fix=fix)
        )
        return setup
    if name == "coefficient" and not setup.policy.file.coefficient.by_hospital and setup.settings["payment.method"] != "dip":
        _out_of_scope(
            change,
            f"{setup.policy.id} does not use coefficients of hospitals",
            "see drgsim policy show; coefficient.<level> may do",
            problems,
        )
        return setup
    if name == "coefficient" and change.op != "set" and any(np.isnan(region.hospitals[each].coefficient) for each in members):
        default = setup.policy.file.coefficient.default
        if default is None:
            _out_of_scope(change, "hospitals.csv states no coefficient to change", "write a plain value", problems)
            return setup
    steps.append(
        _step(
            match,
            change,
            f"as hospitals.csv says ({len(members)} hospitals)" if name != "in_drg" else "by the setup before",
            change.words,
        )
    )
    return replace(setup, hospitals=(*setup.hospitals, HospitalEdit(kind, key, name, change)))


def _cases(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    words = (match.words.get("cases") or "").strip(".").split(".")
    selector: Selector = tuple(zip(words[::2], words[1::2], strict=True)) if words != [""] else ()
    category = match.words.get("category") or ALL
    cohort = setup.cohort(region, region.years[-1])
    problems += faults_of(cohort, region, category, selector, change)
    old, new = ("as recorded", change.words) if match.spec.field != "cut" else ("0", f"{change.value:g}")
    steps.append(_step(match, change, old, new))
    return replace(setup, cases=(*setup.cases, CaseEdit(match.spec.field, category, selector, change)))


def _technology(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    cohort = setup.cohort(region, region.years[-1])
    technology, found = read_technology(match.words["name"], change, cohort)
    problems += found
    if technology is None:
        return setup
    steps.append(_step(match, change, "none", technology.words))
    return replace(setup, technologies=(*setup.technologies, technology))


OWNERS = {
    "policy": _policy, "policy_name": _policy_name, "scheme": _scheme, "setting": _setting, "rate": _rate,
    "multiple": _multiple,
    "low_ratio": _low_ratio, "fund": _fund, "weights": _weights, "hospital": _hospital, "cases": _cases,
    "technology": _technology,
    "budget": _budget,
}  # fmt: skip
