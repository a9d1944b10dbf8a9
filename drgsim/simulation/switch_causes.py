"""Why the payment of a case changes when the scheme does: one cause for every case, and its change in two exact parts."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, MISSING, round_floats
from drgsim.payment.case_columns import Texts
from drgsim.payment.rules.no_group import AMBIGUOUS_ENDING, is_group
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.simulated_region import Cohort
from drgsim.simulation.switch_rules import CAUSES
from drgsim.simulation.switch_sides import SwitchSide
from drgsim.units.batch_grouper import SEVERITIES
from drgsim.units.dip.compiled_catalogue import compile_catalogue
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import Always, CodeIn, Compare, Rule, asserted
from drgsim.units.schemes.scheme import Scheme

Fen = NDArray[np.int64]
Mask = NDArray[np.bool_]
GROUP, AMBIGUOUS, NONE = range(3)
STATES = ("grouped", "ambiguous", "ungrouped")


@dataclass(frozen=True)
class Causes:
    """Why, case by case.

    Attributes
    ----------
    cause
        Place in :data:`CAUSES`.
    states
        (2, cases) place in :data:`STATES` under both sides.
    moved
        Cases whose group or its lack differs; a group of another code and the same name does not.
    change
        Fen that the payment of a case changes by.
    of_unit_value
        Fen of it that the unit value makes, at the units of the side that is left; the cause makes the rest.
    """

    cause: NDArray[np.int8]
    states: NDArray[np.int8]
    moved: Mask
    change: Fen
    of_unit_value: Fen

    @property
    def of_cause(self) -> Fen:
        """Fen of the change that is left to the cause."""
        return self.change - self.of_unit_value


def causes_of(sides: tuple[SwitchSide, SwitchSide]) -> Causes:
    """The cause of each case's change."""
    first, second = (side.lines.state.cohort for side in sides)
    states = np.stack([states_of(cohort.cases.unit) for cohort in (first, second)])
    coded = _differ(first.cases.unit, second.cases.unit)
    renumbered = coded & _renumbered(sides) & (states[0] == GROUP) & (states[1] == GROUP)
    moved = (coded & ~renumbered) | (states[0] != states[1])
    payment = [side.lines.money[Measure.PAYMENT] for side in sides]
    return Causes(
        _cause(sides, states, moved, renumbered), states, moved, payment[1] - payment[0], unit_value_effect(sides),
    )  # fmt: skip


def states_of(unit: Texts) -> NDArray[np.int8]:
    """Place of each case in :data:`STATES`."""
    codes = [GROUP if is_group(code) else AMBIGUOUS if code.endswith(AMBIGUOUS_ENDING) else NONE for code in unit.values]
    return np.array([*codes, NONE], np.int8)[unit.ids]


def _differ(first: Texts, second: Texts) -> Mask:
    """Where the texts of two columns differ; two blanks do not."""
    place = {text: number for number, text in enumerate(first.values)}
    translated = np.array([place.get(text, -2) for text in second.values] + [-1], np.int64)[second.ids]
    return np.asarray(translated != first.ids)


def unit_names(side: SwitchSide, level: str = "group") -> Mapping[str, str]:
    """Code -> Chinese name of the groups (or ``mdc``, ``adrg``) of a side."""
    if side.choice.dip:
        lines = compile_catalogue(side.choice.unit).lines
        return dict(zip(map(str, lines["code"]), map(str, lines["name"]), strict=True)) if level == "group" else {}
    scheme = load_scheme(side.choice.unit)
    if level == "mdc":
        return {mdc.code: mdc.name for mdc in scheme.mdcs}
    return {code: row.name for code, row in (scheme.adrgs if level == "adrg" else scheme.drgs).items()}


def renamed(sides: tuple[SwitchSide, SwitchSide], level: str = "group") -> set[tuple[str, str]]:
    """Pairs of different codes that have the same name, however it is spelled; none between DRG and DIP."""
    if sides[0].choice.dip != sides[1].choice.dip:
        return set()
    before, after = (unit_names(side, level) for side in sides)
    codes: dict[str, list[str]] = {}
    for code, name in after.items():
        codes.setdefault(_spelled(name), []).append(code)
    return {(old, new) for old, name in before.items() if name for new in codes.get(_spelled(name), ()) if old != new}


def _spelled(name: str) -> str:
    return normalize("NFKC", name).replace(" ", "")


def _among(first: Texts, second: Texts, pairs: Container[tuple[str, str]]) -> Mask:
    """Cases whose two texts are one of some pairs."""
    width = len(second.values) + 1
    keys, inverse = np.unique((first.ids.astype(np.int64) + 1) * width + second.ids + 1, return_inverse=True)
    old, new = ["", *first.values], ["", *second.values]
    return np.array([(old[key // width], new[key % width]) in pairs for key in keys.tolist()])[inverse]


def _renumbered(sides: tuple[SwitchSide, SwitchSide]) -> Mask:
    """Cases whose group has another code and the same name."""
    first, second = (side.lines.state.cohort for side in sides)
    return _among(first.cases.unit, second.cases.unit, renamed(sides))


def _other_adrg(sides: tuple[SwitchSide, SwitchSide]) -> Mask:
    """Cases whose ADRG has another code and another name."""
    first, second = (side.lines.state.cohort for side in sides)
    return _differ(first.adrg, second.adrg) & ~_among(first.adrg, second.adrg, renamed(sides, "adrg"))


def _cause(sides: tuple[SwitchSide, SwitchSide], states: NDArray[np.int8], moved: Mask, renumbered: Mask) -> NDArray[np.int8]:
    first, second = (side.lines.state.cohort for side in sides)
    was, now = states
    none = np.zeros(was.size, np.bool_)
    other_way = sides[0].choice.dip or sides[1].choice.dip
    if other_way:
        mdc = adrg = lost = gained = age = field = none
    else:
        mdc, adrg = _differ(first.mdc, second.mdc), _other_adrg(sides)
        levels = [severity_of(cohort) for cohort in (first, second)]
        lost, gained = levels[1] < levels[0], levels[1] > levels[0]
        age, field = splits_of(load_scheme(sides[1].choice.unit), second.cases.unit)
    fits = {
        "lost_group": (was == GROUP) & (now == NONE), "ambiguous": (was == GROUP) & (now == AMBIGUOUS),
        "found_group": (was != GROUP) & (now == GROUP), "no_group": (was != GROUP) & (now != GROUP),
        "same": ~moved & ~renumbered, "renumbered": renumbered,
        "mdc": mdc, "adrg": adrg, "severity_lost": lost, "severity_gained": gained, "age": age, "field": field,
        "split": ~none if not other_way else none, "unit": ~none,
    }  # fmt: skip
    return np.asarray(np.select(list(fits.values()), [CAUSES.index(name) for name in fits]), np.int8)


def severity_of(cohort: Cohort) -> NDArray[np.int8]:
    """Severity of each case: 0 none, 1 CC, 2 MCC."""
    texts = cohort.verdict.get("severity")
    if texts is None:
        return np.zeros(cohort.size, np.int8)
    levels = [SEVERITIES.index(text) if text in SEVERITIES else 0 for text in texts.values]
    return np.array([*levels, 0], np.int8)[texts.ids]


def splits_of(scheme: Scheme, unit: Texts) -> tuple[Mask, Mask]:
    """Cases whose group the scheme splits off by age, and by a list of codes that is neither CC nor MCC."""
    by_age, by_list = [], []
    for code in unit.values:
        drg = scheme.drgs.get(code)
        by_age.append(drg is not None and tests_age(drg.rule))
        by_list.append(drg is not None and bool(lists_of(drg.rule)))
    return np.array([*by_age, False])[unit.ids], np.array([*by_list, False])[unit.ids]


def tests_age(rule: Rule) -> bool:
    """Whether a rule asks for the age."""
    return any(isinstance(test, Compare) and test.variable in ("NL", "XSRTL") for test in asserted(rule))


def lists_of(rule: Rule) -> list[CodeIn]:
    """The tests of a rule on lists of codes that are neither CC nor MCC."""
    return [
        test for test in asserted(rule)
        if not isinstance(test, Always) and isinstance(test, CodeIn) and not {"MCC", "CC"} & set(test.sets)
    ]  # fmt: skip


def unit_value_effect(sides: tuple[SwitchSide, SwitchSide]) -> Fen:
    """Fen by which each case's payment changes where only the unit value does; 0 where the units are not the same.

    Both amounts are units of the side that is left x unit value, rounded as amounts are.
    """
    first, second = (side.lines.settlement.ledger for side in sides)
    nothing = np.zeros(first.cases.size, np.int64)
    spec = [ledger.policy.file.relative_value for ledger in (first, second)]
    if spec[0].unit != spec[1].unit or spec[0].scale.value != spec[1].scale.value:
        return nothing
    inside = first.in_units & (first.amount != MISSING) & (second.amount != MISSING)
    amounts = [round_floats(np.where(inside, first.units * ledger.terms.unit_value * FEN_PER_YUAN, np.nan))[0]
               for ledger in (first, second)]  # fmt: skip
    known = (amounts[0] != MISSING) & (amounts[1] != MISSING)
    return np.where(known, amounts[1] - amounts[0], nothing)
