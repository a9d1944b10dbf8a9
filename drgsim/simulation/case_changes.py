"""Changes of the cases and of who treats them: weights of groups, hospitals, volume and prices, new technology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Evidence
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import level_keys
from drgsim.simulation.change_steps import out_of_scope, refuse, step_of
from drgsim.simulation.paths import ALL, Match
from drgsim.simulation.procurement_rounds import read_round
from drgsim.simulation.scenario import Change
from drgsim.simulation.scenario_cases import faults_of
from drgsim.simulation.setup import CaseEdit, HospitalEdit, Selector, Setup, Step, WeightEdit, short_code
from drgsim.simulation.setup_hospitals import hospital_fits
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.technology import read_technology


def change_weights(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    kind, code = match.words["unit_kind"], match.words["group"]
    if setup.policy.prices is None and setup.settings["weights.source"] == "policy":
        out_of_scope(
            change,
            text("{policy} has no table of relative values", policy=setup.policy.id),
            text("set weights.source: history"),
            problems,
        )
        return setup
    if setup.policy.prices is not None and setup.settings["weights.source"] == "policy":
        known = sorted({short_code(kind, each) for each in setup.policy.prices.codes})
        if short_code(kind, code.removeprefix("MDC")) not in known:
            fix = did_you_mean(code, known) or text("for instance {names}", names=", ".join(known[:5]))
            refuse(
                "unknown-path",
                change,
                text(": {policy} has no {kind} {code}", policy=setup.policy.id, kind=kind, code=code),
                fix,
                problems,
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
            step_of(
                match,
                change,
                old,
                old * change.value,
                text("sum of {name} of {count} groups, before the total is kept", name=name, count=len(rows)),
            )
        )
    else:
        steps.append(step_of(match, change, text("from history"), change.words))
    return replace(setup, weights=(*setup.weights, WeightEdit(kind, code.removeprefix("MDC"), float(change.value))))


def change_hospitals(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    (kind, _, key), name = match.words["hospitals"].partition("."), match.spec.field
    key = level_keys(key)[0] if kind == "level" else key
    members = [each for each in region.hospitals if hospital_fits(region, each, kind, key)]
    if not members:
        known = list(region.hospitals) if kind == "hospital" else region.known_levels
        fix = did_you_mean(key, known) or text("the region has {names}", names=", ".join(known[:12]))
        refuse("unknown-path", change, text(": the region has no {kind} {key}", kind=kind, key=key), fix, problems)
        return setup
    if name == "coefficient" and not setup.policy.file.coefficient.by_hospital and setup.settings["payment.method"] != "dip":
        out_of_scope(
            change,
            text("{policy} does not use coefficients of hospitals", policy=setup.policy.id),
            text("see drgsim policy show; coefficient.<level> may do"),
            problems,
        )
        return setup
    if name == "coefficient" and change.op != "set" and any(np.isnan(region.hospitals[each].coefficient) for each in members):
        default = setup.policy.file.coefficient.default
        if default is None:
            out_of_scope(change, text("hospitals.csv states no coefficient to change"), text("write a plain value"), problems)
            return setup
    steps.append(
        step_of(
            match,
            change,
            _as_before(name, len(members)),
            change.words,
        )
    )
    return replace(setup, hospitals=(*setup.hospitals, HospitalEdit(kind, key, name, change)))


def _as_before(field: str, hospitals: int) -> str:
    of = {"in_drg": text("by the setup before"), "completion": text("as procurement.csv says")}
    return of.get(field, text("as hospitals.csv says ({hospitals} hospitals)", hospitals=hospitals))


def change_members(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    """Members of the policy by id or level; the words are checked against the region."""
    words = [str(word) for word in (change.value if isinstance(change.value, list) else [change.value])]
    old = setup.policy.file.members
    before = text("every hospital") if old is None else old.shown
    if words == ["all"]:
        steps.append(step_of(match, change, before, text("every hospital")))
        return replace(setup, policy=_with_members(setup.policy, None))
    levels = [level_keys(word.removeprefix("level."))[0] for word in words if word.startswith("level.")]
    named = [word for word in words if not word.startswith("level.")]
    unknown = [word for word in named if word not in region.hospitals]
    unknown += [f"level.{level}" for level in levels if level not in region.known_levels]
    for word in unknown or ([""] if not words else []):
        known = [*region.hospitals, *(f"level.{level}" for level in region.known_levels)]
        fix = did_you_mean(word, known) or text("the region has {names}", names=", ".join(known[:12]))
        refuse("unknown-hospital", change, text(": the region has no hospital {word!r}", word=word), fix, problems)
    if unknown or not words:
        return setup
    members = {
        "hospitals": named, "levels": levels, "unit": match.spec.unit, "source": "scenario",
        "evidence": Evidence.ASSUMPTION.value,
    }  # fmt: skip
    steps.append(step_of(match, change, before, ", ".join(words)))
    return replace(setup, policy=_with_members(setup.policy, members))


def _with_members(policy: Policy, members: Mapping[str, object] | None) -> Policy:
    """The policy with other members, none for every hospital."""
    sources = {**policy.raw["sources"], "scenario": {"title": text("changed by scenario")}}
    return policy.rebuilt({**policy.raw, "sources": sources, "members": members}, f"members {members!r}")


def change_cases(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    words = (match.words.get("cases") or "").strip(".").split(".")
    selector: Selector = tuple(zip(words[::2], words[1::2], strict=True)) if words != [""] else ()
    category = match.words.get("category") or ALL
    cohort = setup.cohort(region, region.years[-1])
    problems += faults_of(cohort, region, category, selector, change)
    old, new = (text("as recorded"), change.words) if match.spec.field != "cut" else ("0", f"{change.value:g}")
    steps.append(step_of(match, change, old, new))
    return replace(setup, cases=(*setup.cases, CaseEdit(match.spec.field, category, selector, change)))


def add_round(setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]) -> Setup:
    """A round of procurement; rounds of one name replace each other."""
    name = match.words["name"]
    others = tuple(each for each in setup.rounds if each.name != name)
    found, wrong = read_round(name, change, replace(setup, rounds=others), setup.cohort(region, region.years[-1]))
    problems += wrong
    if found is None:
        return setup
    steps.append(step_of(match, change, "none", found.words))
    return replace(setup, rounds=(*others, found))


def add_technology(
    setup: Setup, change: Change, match: Match, region: Region, steps: list[Step], problems: list[Problem]
) -> Setup:
    cohort = setup.cohort(region, region.years[-1])
    technology, found = read_technology(match.words["name"], change, cohort)
    problems += found
    if technology is None:
        return setup
    steps.append(step_of(match, change, "none", technology.words))
    return replace(setup, technologies=(*setup.technologies, technology))
