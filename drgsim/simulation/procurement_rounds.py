"""Rounds of volume-based procurement (带量采购): falls by ADRG, and the surplus kept by class of product (rule book 4.4).

The standard is not cut for a fall. Of what hospitals save they keep a share by class: selected products within the task volume,
selected ones beyond it, products that were not selected. The fund takes back the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.money import allocate, from_parts
from drgsim.parameters.evidence import Strict
from drgsim.parameters.strict_file import validated
from drgsim.payment.procurement import kept_surplus
from drgsim.records.vocabulary import INSURANCES
from drgsim.region.region_tables import COMPLETION, PROCUREMENT_CLASSES
from drgsim.simulation.case_lines import Lines, payer_rows
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.scenario import Change
from drgsim.simulation.scenario_cases import PART
from drgsim.simulation.setup import ProcurementRound, Setup
from drgsim.simulation.setup_hospitals import hospital_fits
from drgsim.simulation.simulated_region import Cohort, Region

WITHIN, BEYOND, NOT_SELECTED = PROCUREMENT_CLASSES
WHOLE = 1e-9  # by which shares may miss 1


class ProcurementRoundTable(Strict):
    """A round as a scenario writes it; see :class:`drgsim.simulation.setup.ProcurementRound`."""

    adrg: tuple[str, ...] = Field(min_length=1)
    category: str = "consumables"
    fall: float | None = Field(default=None, gt=0, le=0.99)
    mix: dict[str, float] | None = None


def read_round(name: str, change: Change, setup: Setup, cohort: Cohort) -> tuple[ProcurementRound | None, list[Problem]]:
    """Read a round; its fall is that of the policy where the table states none, and ADRGs belong to one round."""
    where = change.where or change.path
    found: list[Problem] = []
    file = validated(ProcurementRoundTable, change.value, "scenario", where, found)
    if file is None:
        return None, [
            replace(problem, what=text("{path}: {what}", path=change.path, what=problem.what), where=where) for problem in found
        ]
    spec = setup.policy.file.procurement
    falls = spec.price_fall.values if spec is not None and spec.price_fall is not None else {}
    said = [*_faults_of_shares(setup, name, file, falls), *_faults_of_cases(setup, file, cohort)]
    if said:
        return None, [
            Problem(f"scenario-{code}", text("{path}: {what}", path=change.path, what=what), where=where, fix=fix)
            for code, what, fix in said
        ]
    mix = tuple(file.mix.get(each, 0.0) for each in PROCUREMENT_CLASSES) if file.mix else None
    return ProcurementRound(name, file.adrg, file.category, falls[name] if file.fall is None else file.fall, mix), []


def _faults_of_shares(
    setup: Setup, name: str, file: ProcurementRoundTable, falls: Mapping[str, float]
) -> Iterator[tuple[str, str, str]]:
    """What is wrong with fall, kept shares and mix: code, what, and what to do."""
    spec = setup.policy.file.procurement
    lacking = [each for each in PROCUREMENT_CLASSES if spec is None or each not in spec.kept_share.values]
    if lacking:
        what = text(
            "{policy} states no share of the surplus that is kept of {lacking}",
            policy=setup.policy.id,
            lacking=", ".join(lacking),
        )
        yield "out-of-scope", what, text("state procurement.kept_share")
    if file.fall is None and name not in falls:
        what = text("no fall is stated, and {policy} knows no round {name}", policy=setup.policy.id, name=name)
        yield "bad-value", what, did_you_mean(name, list(falls)) or text("state fall")
    for word in file.mix or ():
        if word not in PROCUREMENT_CLASSES:
            fix = did_you_mean(word, PROCUREMENT_CLASSES) or text(
                "the classes are {classes}", classes=", ".join(PROCUREMENT_CLASSES)
            )
            yield "bad-value", text("{word} is no class of products", word=word), fix
    if file.mix is not None and (min(file.mix.values(), default=-1) < 0 or abs(sum(file.mix.values()) - 1) > WHOLE):
        what = text("the shares of mix add up to {total:g}, or one is below 0", total=sum(file.mix.values()))
        yield "bad-value", what, text("they are 0 or more and add up to 1")


def _faults_of_cases(setup: Setup, file: ProcurementRoundTable, cohort: Cohort) -> Iterator[tuple[str, str, str]]:
    """What is wrong with category and ADRGs; an ADRG may be without cases, but not without a group."""
    if file.category not in cohort.costs:
        known = list(cohort.costs)
        fix = did_you_mean(file.category, known) or text("the categories are {known}", known=", ".join(known))
        yield "unknown-path", text("{category} is no category of cost", category=file.category), fix
    codes = setup.policy.prices.codes if setup.policy.prices is not None else ()
    priced = {code[:3] for code in codes} | set(cohort.adrg.values)
    taken = {code: other.name for other in setup.rounds for code in other.adrg}
    for code in file.adrg:
        if code not in priced:
            yield "out-of-scope", text("there is no ADRG {code}", code=code), did_you_mean(code, sorted(priced))
        if code in taken:
            yield (
                "bad-value",
                text("{code} belongs to the round {taken} already", code=code, taken=taken[code]),
                text("name it in one round"),
            )


def taken_back(setup: Setup, region: Region, year: int, lines: Lines, parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fen (below 0) that the fund takes back of every hospital of :func:`payer_rows`, all rounds together."""
    hospitals, payer_row = payer_rows(lines, region)
    rows = payer_row // (len(INSURANCES) + 1)
    taken = np.zeros(len(hospitals), np.int64)
    spec = setup.policy.file.procurement
    assert spec is not None
    cohort, saving = lines.state.cohort, lines.money[Measure.SAVING]
    for one in setup.rounds:
        mine = cohort.adrg.among(one.adrg) & lines.marks.paid
        sums = np.zeros((len(hospitals), 1), np.int64)
        np.add.at(sums[:, 0], rows[mine], (saving * parts)[mine])
        for place, surplus in enumerate(from_parts(sums, PART)[:, 0].tolist()):
            if surplus:
                mix = _mix(setup, region, year, hospitals[place], one)
                split = dict(zip(mix, allocate(surplus, list(mix.values())).tolist(), strict=True))
                taken[place] -= surplus - sum(kept_surplus(split, spec.kept_share.values).values())
    return taken


def _mix(setup: Setup, region: Region, year: int, hospital: str, one: ProcurementRound) -> dict[str, float]:
    """Classes of the products of a hospital: as the round states them, else as procurement.csv does, else all within.

    Where a scenario sets the completion c of the task, 1/c of the selected products lie within its volume (all of them up to
    c = 1) and the rest beyond it.
    """
    if one.mix is not None:
        mix = dict(zip(PROCUREMENT_CLASSES, one.mix, strict=True))
    else:
        surplus = region.surplus.get(WITHIN, {})
        last = max((known for name, known in surplus if name == hospital and known <= year), default=None)
        amounts = {} if last is None else {each: region.surplus[each].get((hospital, last), 0) for each in PROCUREMENT_CLASSES}
        whole = sum(amounts.values())
        mix = {each: amounts[each] / whole if whole else float(each == WITHIN) for each in PROCUREMENT_CLASSES}
    completion = completion_of(setup, region, hospital)
    if completion is not None:
        selected = mix[WITHIN] + mix[BEYOND]
        within = selected if completion <= 1 else selected / completion
        mix = {WITHIN: within, BEYOND: selected - within, NOT_SELECTED: mix[NOT_SELECTED]}
    return mix


def completion_of(setup: Setup, region: Region, hospital: str) -> float | None:
    """Completion of the task (1 = all of it) that the scenario sets for a hospital, None where it sets none."""
    found = None
    for edit in setup.hospitals:
        if edit.field == "completion" and hospital_fits(region, hospital, edit.kind, edit.key):
            found = float(edit.change.value)
    return found


def with_completion(figures: HospitalFigures, year: int, setup: Setup, region: Region) -> HospitalFigures:
    """The figures of a year with the completion that a scenario sets in the place of the recorded one: it counts as quality."""
    if COMPLETION not in figures.indicator_names or not any(edit.field == "completion" for edit in setup.hospitals):
        return figures
    indicators, at = figures.indicators.copy(), figures.years.index(year)
    for row, hospital in enumerate(figures.hospitals):
        completion = completion_of(setup, region, hospital)
        if completion is not None:
            indicators[row, at, figures.indicator_names.index(COMPLETION)] = completion
    pools = {payer: replace(pool, indicators=indicators) for payer, pool in figures.pools.items()}  # quality asks no payer
    return replace(figures, indicators=indicators, pools=pools)
