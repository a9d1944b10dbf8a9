"""The cases of a scenario: the cohort's arrays, shared, and beside them only what the scenario changes.

Discharges that a case stands for are counted in ten-thousandths (``parts``), so that money adds up as whole numbers in any
order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.terms_model import CapitationTerms
from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.money import MISSING, round_floats
from drgsim.payment.case_columns import Texts
from drgsim.payment.grouped_cases import Cases, with_hospitals
from drgsim.records.vocabulary import INSURANCES, level_keys, policy_key
from drgsim.simulation import draws
from drgsim.simulation.paths import ALL
from drgsim.simulation.scenario import Change, ScenarioError
from drgsim.simulation.setup import CaseEdit, Selector, Setup
from drgsim.simulation.setup_hospitals import hospital_fits, hospitals_of
from drgsim.simulation.simulated_region import Cohort, Region

PART = 10_000  # parts of one discharge
MOST_PARTS = 1_000_000 * PART  # that one case may stand for
SEED = 20_240_723  # of who gets a technology and who behaves; draws of uncertainty have a seed of their own
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class State:
    """The cases as one scenario sees them.

    Attributes
    ----------
    parts
        Ten-thousandths of a discharge per case.
    cost, patient
        Total cost and the patient's payment, fen; ``MISSING`` where unknown.
    costs
        Category -> fen per case, after the edits so far; the cohort's own arrays where nothing changed them.
    days
        Length of stay; NaN where unknown.
    unit, hospital
        Group and hospital.
    saving
        Fen of cost that procurement took away.
    exempt, exempt_patient
        Fen of technologies that are paid beside the group, and the patient's part of them; in ``cost`` and ``patient``.
    by_item, capitated
        Cases outside the groups: of hospitals that are paid by item, or paid per head.
    """

    cohort: Cohort
    parts: NDArray[np.int64]
    cost: NDArray[np.int64]
    costs: Mapping[str, NDArray[np.int64]]
    patient: NDArray[np.int64]
    days: NDArray[np.float64]
    unit: Texts
    hospital: Texts
    saving: NDArray[np.int64]
    exempt: NDArray[np.int64]
    exempt_patient: NDArray[np.int64]
    by_item: Mask
    capitated: Mask

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """Discharges that each case stands for; None where each stands for itself."""
        return None if (self.parts == PART).all() else self.parts / PART


def first_state(cohort: Cohort) -> State:
    """The cases as they were recorded."""
    money, size = cohort.cases.money, cohort.size
    nothing, no = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    return State(
        cohort, np.full(size, PART), money["total_cost"], cohort.costs, money["patient_paid"], cohort.cases.numbers["los_days"],
        cohort.cases.unit,
        cohort.cases.hospital, nothing, nothing, nothing, no, no,
    )  # fmt: skip


def members(state: State, region: Region, selector: Selector) -> Mask:
    """The cases that a selector picks; all of its pairs must hold."""
    cohort, cases = state.cohort, state.cohort.cases
    result = np.ones(cohort.size, np.bool_)
    for dimension, value in selector:
        if dimension == "age":
            low, high = age_band(value)
            age = cases.numbers["age"]
            result &= (age >= low) & (age <= high)
        elif dimension == "insurance":
            result &= cases.insurance == INSURANCES.index(policy_key(value))
        else:
            texts = _texts(state, dimension)
            fits = np.array([_fits(region, dimension, written, value) for written in texts.values] + [False])
            result &= fits[texts.ids]
    return result


def _texts(state: State, dimension: str) -> Texts:
    cohort = state.cohort
    return {
        "hospital": state.hospital, "level": state.hospital, "department": cohort.cases.department, "mdc": cohort.mdc,
        "adrg": cohort.adrg, "group": state.unit, "diagnosis": cohort.diagnosis,
    }[dimension]  # fmt: skip


def _fits(region: Region, dimension: str, written: str, value: str) -> bool:
    if dimension == "level":
        return level_keys(value)[0] in region.level_keys(written)
    if dimension == "mdc":
        return written.removeprefix("MDC") == value.removeprefix("MDC")
    return written.startswith(value) if dimension == "diagnosis" else written == value


def age_band(written: str) -> tuple[float, float]:
    """Lowest and highest age of ``65+``, ``0-17`` or ``30``.

    Raises
    ------
    ValueError
        It is none of these.

    Examples
    --------
    >>> age_band("65+"), age_band("0-17")
    ((65.0, inf), (0.0, 17.0))
    """
    if not re.fullmatch(r"[0-9]+(\+|-[0-9]+)?", written):
        raise ValueError(text("{written!r} is no band of age", written=written))
    if written.endswith("+"):
        return float(written[:-1]), float("inf")
    low, _, high = written.partition("-")
    return float(low), float(high or low)


def faults_of(cohort: Cohort, region: Region, category: str, selector: Selector, change: Change) -> list[Problem]:
    """What is wrong with a category or a selector: unknown words, or no case at all."""
    problems: list[Problem] = []
    where = change.where or change.path

    def wrong(code: str, what: str, fix: str) -> None:
        problems.append(Problem(code, text("{path}: {what}", path=change.path, what=what), where=where, fix=fix))

    if category != ALL and category not in cohort.costs:
        known = [ALL, *cohort.costs]
        wrong(
            "scenario-unknown-path",
            text("{category} is no category of cost", category=category),
            did_you_mean(category, known) or text("the categories are {known}", known=", ".join(known)),
        )
    for dimension, value in selector:
        if dimension == "age":
            try:
                age_band(value)
            except ValueError:
                wrong("scenario-bad-value", text("{value!r} is no band of age", value=value), text("write age.65+ or age.0-17"))
            continue
        if dimension == "insurance":
            if policy_key(value) not in INSURANCES:
                wrong("scenario-unknown-path", text("{value} is no insurance", value=value), did_you_mean(value, INSURANCES))
            continue
        texts = _texts(first_state(cohort), dimension)
        if not any(_fits(region, dimension, written, value) for written in texts.values):
            known = region.known_levels if dimension == "level" else sorted(texts.values)
            wrong(
                "scenario-out-of-scope",
                text("no case of the region has the {dimension} {value}", dimension=dimension, value=value),
                did_you_mean(value, known) or text("for instance {names}", names=", ".join(known[:6])),
            )
    if not problems and selector and not members(first_state(cohort), region, selector).any():
        wrong("scenario-out-of-scope", text("no case of the region fits all of it"), text("widen the choice"))
    return problems


def edited(state: State, setup: Setup, region: Region) -> State:
    """The cases with the edits, technologies, and the ways of payment that a setup asks for."""
    for edit in setup.cases:
        state = _edit(state, edit, region)
    for one in setup.rounds:
        state = _cut(state, state.cohort.adrg.among(one.adrg), one.category, one.fall)
    state = _technologies(state, setup, region)
    outside = np.zeros(state.cohort.size, np.bool_)
    for entry in setup.hospitals:
        if entry.field == "in_drg":
            fits = np.array([hospital_fits(region, name, entry.kind, entry.key) for name in state.hospital.values] + [False])
            outside = np.where(fits[state.hospital.ids], not entry.change.value, outside)
    capitated = np.zeros(state.cohort.size, np.bool_)
    for name in setup.settings["capitation.conditions"]:
        capitated |= state.cohort.condition(name) & (state.cohort.cases.insurance != INSURANCES.index("self"))
    terms = terms_of_capitation(setup)
    if terms is not None and capitated.any():  # the consortium's hospitals only
        wanted = set(terms.levels.value)
        member = np.array([bool(wanted & set(region.level_keys(name))) for name in state.hospital.values] + [False])
        capitated &= member[state.hospital.ids]
    return replace(state, by_item=outside | capitated, capitated=capitated)


def terms_of_capitation(setup: Setup) -> CapitationTerms | None:
    """The terms' own capitation where a yearly budget with one closes the year: its amounts and hospitals count."""
    if setup.budget is None or not setup.settings["budget.active"] or not setup.budget.file.capitation.use.value:
        return None
    return setup.budget.file.capitation


def _edit(state: State, edit: CaseEdit, region: Region) -> State:
    where = members(state, region, edit.selector)
    if edit.field == "volume":
        parts = np.where(where, np.rint(state.parts * float(edit.change.value)), state.parts)
        if parts.max(initial=0) > MOST_PARTS:
            what = text(
                "{path}: a case would stand for {count:,.0f} discharges", path=edit.change.path, count=parts.max() / PART
            )
            fix = text("the most is {most:,}; multiply by less, or in fewer years", most=MOST_PARTS // PART)
            raise ScenarioError([Problem("scenario-too-large", what, where=edit.change.where or edit.change.path, fix=fix)])
        return replace(state, parts=parts.astype(np.int64))
    if edit.field == "days":
        return replace(state, days=np.where(where, state.days * float(edit.change.value), state.days))
    if edit.field == "cut":
        return _cut(state, where, edit.category, float(edit.change.value))
    return _priced(state, where, edit.category, float(edit.change.value) - 1.0)


def _cut(state: State, where: Mask, category: str, fall: float) -> State:
    """A price that falls by a share through procurement; what costs fall by is saved."""
    cut = _priced(state, where, category, -fall)
    return replace(cut, saving=state.saving + np.where(where & (state.cost > 0), state.cost - cut.cost, 0))


def _priced(state: State, where: Mask, category: str, share: float) -> State:
    """Prices of a category, or of everything, that move by a share of what they were."""
    base = state.cost if category == ALL else state.costs[category]
    known = where & (state.cost > 0)  # a bill of nothing, or below, has no prices
    moved, _ = round_floats(np.where(known, base * share, 0.0))
    cost = np.where(known, np.maximum(state.cost + moved, 0), state.cost)
    # a later edit of a category starts from what the earlier ones left of it
    if category == ALL:
        costs = {name: _in_proportion(values, state.cost, cost) for name, values in state.costs.items()}
    else:
        costs = {**state.costs, category: base + moved}
    return replace(with_cost(state, cost), costs=costs)


def _in_proportion(values: NDArray[np.int64], old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fen per case, moved as the cost of the case moves."""
    moves = (new != old) & (old > 0)
    ratio = np.divide(new, old, out=np.ones(old.size), where=moves)
    scaled, _ = round_floats(np.where(moves, values * ratio, 0.0))
    return np.where(moves, scaled, values)


def with_cost(state: State, cost: NDArray[np.int64]) -> State:
    """Other costs; what patients pay moves in proportion (they pay by item under the benefit policy)."""
    if not ((cost != state.cost) & (state.patient != MISSING) & (state.cost > 0)).any():
        return replace(state, cost=cost)
    patient = np.where(state.patient == MISSING, MISSING, _in_proportion(state.patient, state.cost, cost))
    return replace(state, cost=cost, patient=patient)


def _technologies(state: State, setup: Setup, region: Region) -> State:
    if not setup.technologies:
        return state
    keys = [set(region.level_keys(name)) for name in state.hospital.values]
    cost, patient, exempt, own = state.cost.copy(), state.patient.copy(), state.exempt.copy(), state.exempt_patient.copy()
    for technology in setup.technologies:
        draw = draws.uniform(state.cohort.key, SEED, f"technology {technology.name}")
        wanted = set(technology.level)
        at = np.array([not wanted or bool(wanted & own) for own in keys] + [not wanted])[state.hospital.ids]
        gets = technology.members(state.cohort, at, draw) & (cost != MISSING)
        price = round(technology.cost * 100)
        cost[gets] += price
        part = round(price * technology.patient_share)
        patient[gets & (patient != MISSING)] += part
        if technology.exempt:
            exempt[gets] += price
            own[gets & (patient != MISSING)] += part
    return replace(state, cost=cost, patient=patient, exempt=exempt, exempt_patient=own)


def settled_cases(state: State, setup: Setup, region: Region) -> Cases:
    """Cases for one settlement: arrays of the cohort, with those that the state changes put in their place."""
    cases = state.cohort.cases
    hospitals = hospitals_of(setup, region)
    # a technology beside the group is settled apart: the group sees the cost without it
    cost, patient = state.cost, state.patient
    if state.exempt.any():
        cost = np.where(cost != MISSING, cost - state.exempt, cost)
        patient = np.where(patient != MISSING, patient - state.exempt_patient, patient)
    fresh = replace(
        cases.fresh(), unit=state.unit, hospital=state.hospital,
        money={**cases.money, "total_cost": cost, "patient_paid": patient}, numbers={**cases.numbers, "los_days": state.days},
    )  # fmt: skip
    if state.by_item.any():
        fresh.flags["by_item"] = cases.flags["by_item"] | state.by_item
    if hospitals is region.hospitals and state.hospital is cases.hospital:
        return fresh
    return with_hospitals(fresh, hospitals)
