"""Settle the same cases again under other prices and curves: the path for grids, goal seek and ranges.

Most of what :func:`drgsim.payment.settlement.settle_cases` does for a case depends on its group, level, payer and hospital
alone. These
combinations are few; the policy's values are looked up for one case of each, by the same code, and a kernel goes through the
cases with them. Cases that are decided before the curve (self-pay, by item, long stays) keep their amounts. Where a float
is too near to
a limit or to half a fen, the oracle decides as in settling. What the path does not cover is refused by :func:`prepare`, and
the caller settles in full; the answers are equal to the fen (tests/test_simulation_fast.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.money import MISSING, exact
from drgsim.payment.curve import CLASSES, settle_exactly
from drgsim.payment.curve_kernel import is_tie, piece_at, share_at
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import CaseClass
from drgsim.payment.rules import groups, stays
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_totals import NOTHING, Totals, check_size
from drgsim.simulation.pricing import fund_of, pricing
from drgsim.simulation.runner import Lines, Outcome, Runner, payer_rows
from drgsim.simulation.setup import Setup

_OWN = ("relative_value", "relative_weight", "score", "coefficient", "auxiliary_coefficient", "group_mean_cost")
_FREE = ("unit_value", "curves", "coefficient", "relative_value", "sources", "notes")  # parts of a policy that may change


@dataclass(frozen=True)
class PreparedCases:
    """Cases ready to be settled again and again.

    Attributes
    ----------
    structure
        What a setup must have in common with the one that was prepared.
    key
        Number of each case's combination of group, level, payer and hospital.
    first
        One case of each combination, as cases of its own.
    curve
        Cases that the curve decides.
    fixed
        Sums per row of all other cases, as ``totals.add_up`` gives them, and their money.
    """

    lines: Lines
    structure: str
    key: NDArray[np.int32]
    first: Cases
    curve: NDArray[np.int64]
    row: NDArray[np.int64]
    hospitals: tuple[str, ...]
    deduction: NDArray[np.int64]
    factor: NDArray[np.float64]


def structure_of(setup: Setup) -> str:
    """Everything of a setup that must be the same for prepared cases to serve it."""
    file = setup.policy.file.model_dump(exclude=set(_FREE))
    kept = replace(setup, policy=setup.policy, rate=(), fund=(), weights=(), rate_basis=None, budget=None)
    codes = setup.policy.prices.codes if setup.policy.prices is not None else ()
    parts = (
        file, codes, kept.scheme, sorted(kept.settings.items(), key=repr), kept.cases, kept.hospitals, kept.technologies,
        sorted(setup.policy.file.curves),
    )  # fmt: skip
    return repr(parts)


def prepare(runner: Runner, setup: Setup, year: int) -> PreparedCases | None:
    """Make cases ready, or None where the setup or the data need the full settlement."""
    file = setup.policy.file
    if file.unstable is not None or file.single_disease is not None or _dated(file.model_dump()):
        return None
    if setup.by_points or setup.settings["budget.active"] or file.extreme_cap is not None or file.budget is not None:
        return None
    if any(entry.value_from_cases is not None for entry in file.group_classes.values()):
        return None
    if file.patient_share.mode.value != "remainder" or (
        file.reference.from_cases is not None and file.reference.from_cases.value
    ):
        return None
    lines = runner.lines(setup, year)
    cases = lines.cases
    if any(name in cases.present for name in _OWN) or cases.flags["special_review"].any() or lines.classes[:, 3].any():
        return None
    ledger = lines.settlement.ledger
    if ledger.is_class(CaseClass.EXEMPT, CaseClass.FIXED, CaseClass.PER_DIEM, CaseClass.INCOMPLETE).any() or _exempt_possible(
        ledger
    ):
        return None
    curve = _decided_by_curve(lines)
    no_level = np.array([not keys for keys in cases.levels] or [True])[cases.level]
    if (no_level & curve).any() or file.stays.incomplete_curve is not None or file.readmission is not None:
        return None
    key, first_place = _keys(lines)
    hospitals, row = payer_rows(lines, runner.region)
    money = lines.cases.money
    known = [np.where(money[name] == MISSING, 0, money[name]) for name in ("patient_paid", "other_paid")]
    return PreparedCases(
        lines, structure_of(setup), key, cases.take(first_place), np.flatnonzero(curve), row, tuple(hospitals),
        known[0] + known[1], ledger.terms.factor,
    )  # fmt: skip


def _dated(node: Any) -> bool:
    """Whether a value of the policy depends on the day of discharge."""
    if isinstance(node, dict):
        return bool(node.get("earlier")) or any(_dated(entry) for entry in node.values())
    return isinstance(node, list | tuple) and any(_dated(entry) for entry in node)


def _exempt_possible(ledger: Ledger) -> bool:
    """Whether another price could make a case qualify for exempt payment."""
    spec, cases = ledger.policy.file.exempt, ledger.cases
    item = cases.money["exempt_cost"]
    if spec is None or not ((item != MISSING) & (item > 0)).any():
        return False
    prices = ledger.policy.prices
    named = prices is not None and any(f"mean_{name}" in prices.numbers for name in cases.exempt_class.values)
    return bool(named or (cases.money["exempt_mean_cost"] != MISSING).any())


def _decided_by_curve(lines: Lines) -> NDArray[np.bool_]:
    """The cases that are open when settling comes to the curve: the same steps, on cases of their own."""
    cases = replace(lines.cases, faults=_faults_of_reading(lines), fault_words=[], problems=[], flags=dict(lines.cases.flags))
    ledger = Ledger.open(lines.pricing.policy, cases, weight=lines.state.weight)
    ledger.price()
    groups.settle_self_payers(ledger)
    groups.settle_outside(ledger)
    groups.settle_unusual_groups(ledger)
    stays.settle_per_diem(ledger)
    stays.settle_long_stays(ledger)
    return np.asarray(ledger.open_cases)


def _faults_of_reading(lines: Lines) -> NDArray[np.int16]:
    """Faults that the cases had before the policy was looked at."""
    original = lines.state.cohort.cases.faults
    return original.copy()


def _keys(lines: Lines) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    cases = lines.cases
    parts: tuple[NDArray[Any], ...] = (cases.unit.ids, cases.kind.ids, cases.level, cases.insurance, cases.hospital.ids)
    combined = np.zeros(cases.size, np.int64)
    for part in parts:
        values = part.astype(np.int64) + 1
        combined = combined * (int(values.max(initial=0)) + 1) + values
    _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    return inverse.astype(np.int32), first.astype(np.int64)


def rerun(runner: Runner, prepared: PreparedCases, setup: Setup, year: int, parts: NDArray[np.int64] | None = None) -> Outcome:
    """The outcome of a setup with the same structure; groups and departments are not added up.

    ``parts`` counts the cases otherwise than their state does, as a bootstrap draw.

    Raises
    ------
    ValueError
        The setup has another structure; :func:`structure_of` tells.
    """
    if structure_of(setup) != prepared.structure:
        raise ValueError("the setup needs cases of its own")
    price = pricing(setup, runner.region, year, runner.memory, prepared.lines.state)
    amount, classes, priced = _settle(prepared, price.policy)
    lines = prepared.lines
    counted = lines.state.parts if parts is None else parts
    check_size(lines.money, counted, f"year {year}")
    check_size(np.where(amount == MISSING, 0, amount), counted[prepared.curve], f"year {year}")
    counts, money, sums = _accumulate(
        prepared.row, len(prepared.hospitals) * (len(INSURANCES) + 1), counted, lines.money, lines.paid, lines.classes,
        lines.weight, lines.state.days, prepared.curve, amount, classes, priced[0], priced[1], prepared.key, prepared.deduction,
        lines.cases.insurance, setup.policy.file.patient_share.floor_at_zero.value, lines.state.exempt,
        lines.state.exempt_patient,
        CLASSES.index(CaseClass.HIGH), CLASSES.index(CaseClass.LOW), CLASSES.index(CaseClass.BY_ITEM), lines.state.saving,
        lines.state.cost,
    )  # fmt: skip
    names = tuple(f"{hospital}/{payer}" for hospital in prepared.hospitals for payer in (*INSURANCES, ""))
    by_payer = Totals.of(names, counts, money, sums)
    hospitals = list(prepared.hospitals)
    return Outcome(
        setup, year, by_payer, NOTHING, NOTHING, prepared.hospitals, runner.beside(setup, year, lines, counted, by_payer,
        hospitals),
        fund_of(setup, runner.region, year), dict(price.rates), lines.problems,
    )  # fmt: skip


def _settle(
    prepared: PreparedCases, policy: Policy
) -> tuple[NDArray[np.int64], NDArray[np.int8], tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Amount and class of the cases of the curve, and weight and standard per key."""
    first = replace(prepared.first, faults=np.full(prepared.first.size, -1, np.int16), fault_words=[], problems=[])
    ledger = Ledger.open(policy, first)
    ledger.price()
    terms = ledger.terms
    usable = ~np.isnan(terms.mean) & ~np.isnan(terms.relative_value) & (terms.coefficient > 0) & ~np.isnan(terms.unit_value)
    usable &= terms.mean > 0
    rows = np.where(usable, terms.row, -1).astype(np.int32)
    cost = prepared.lines.cases.money["total_cost"]
    amount, classes, doubtful = _curve(
        prepared.curve, prepared.key, cost, prepared.factor, terms.relative_value, terms.coefficient, terms.mean,
        terms.unit_value,
        rows, ledger.resolver.book.arrays,
    )  # fmt: skip
    scale = exact(policy.file.relative_value.scale.value)
    answers: dict[tuple[int, int, float], tuple[int, int]] = {}
    for place in np.flatnonzero(doubtful).tolist():
        case = int(prepared.curve[place])
        number = int(prepared.key[case])
        asked = (number, int(cost[case]), float(prepared.factor[case]))
        if asked not in answers:
            curve = ledger.resolver.book.rows[rows[number]]
            values = {**terms.exact_values(number, scale), "factor": exact(float(prepared.factor[case]))}
            settled = settle_exactly(curve, int(cost[case]), **values)  # type: ignore[arg-type]
            assert settled.amount is not None
            answers[asked] = (settled.amount, CLASSES.index(curve.pieces[settled.piece].case_class))
        amount[place], classes[place] = answers[asked]
    return amount, classes, (terms.relative_value / policy.file.relative_value.scale.value, ledger.standard)


@njit(cache=True, nogil=True)
def _curve(
    curve: Any,
    key: Any,
    cost: Any,
    factor: Any,
    relative: Any,
    coefficient: Any,
    mean: Any,
    unit_value: Any,
    row: Any,
    curves: Any,
) -> Any:  # pragma: no cover - compiled
    """As ``payment.kernel.apply_curves``, with the terms of each case's key; amount is MISSING where there are none."""
    amounts = np.full(curve.size, MISSING, np.int64)
    classes = np.full(curve.size, -1, np.int8)
    doubtful = np.zeros(curve.size, np.bool_)
    upper, closed, terms, capped, cap = curves.upper, curves.closed, curves.terms, curves.capped, curves.cap
    for place in range(curve.size):
        i = curve[place]
        t = key[i]
        c = row[t]
        if c < 0:
            continue
        k = coefficient[t]
        x = cost[i] / 100.0 / mean[t]
        ratio = x / k if curves.with_k[c] else x
        piece, doubtful[place] = piece_at(ratio, c, upper, closed)
        classes[place] = curves.case_class[c, piece]
        if curves.actual[c, piece]:
            amounts[place] = cost[i]
            continue
        share = share_at(c, piece, x, k, terms, capped, cap)
        amount = relative[t] * share * factor[i] * unit_value[t] * 100.0
        if is_tie(amount):
            doubtful[place] = True
        size = abs(amount)
        whole = np.int64(size + 0.5)
        amounts[place] = whole if amount >= 0 else -whole
    return amounts, classes, doubtful


@njit(cache=True, nogil=True)
def _accumulate(
    row: Any, rows: int, parts: Any, money: Any, paid: Any, classes: Any, weight: Any, days: Any, curve: Any, amount: Any,
    class_of: Any, key_weight: Any, key_standard: Any, key: Any, deduction: Any, insurance: Any, floor: bool, exempt: Any,
    exempt_patient: Any, high: int, low: int, by_item: int, saving: Any, cost: Any,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Sums per hospital and payer: the cases of the curve with their new amounts, all others as they were."""
    counts = np.zeros((rows, 6), np.int64)
    total = np.zeros((rows, money.shape[0]), np.int64)
    sums = np.zeros((rows, 2))
    place = 0
    for i in range(row.size):
        r, part = row[i], parts[i]
        of_curve = place < curve.size and curve[place] == i
        if of_curve:
            place += 1
        if part == 0:
            continue
        counts[r, 0] += part
        if days[i] >= 0:
            sums[r, 1] += days[i] * part
        if not of_curve:
            if not paid[i]:
                continue
            counts[r, 1] += part
            for j in range(4):
                if classes[i, j]:
                    counts[r, 2 + j] += part
            if classes[i, 0]:
                # a case of a group outside the curve, such as a long stay, keeps its amount; its standard moves
                sums[r, 0] += key_weight[key[i]] * part
                total[r, 4] += key_standard[key[i]] * part
            for m in range(money.shape[0]):
                if m != 4:
                    total[r, m] += money[m, i] * part
            continue
        new = amount[place - 1]
        if new == MISSING:
            continue
        t = key[i]
        counts[r, 1] += part
        gross = new + exempt[i]
        fund = new - deduction[i]
        if floor and fund < 0:
            fund = 0
        total[r, 0] += cost[i] * part
        total[r, 1] += gross * part
        total[r, 2] += (fund + exempt[i] - exempt_patient[i]) * part
        total[r, 3] += money[3, i] * part
        priced = key_standard[t] != MISSING and key_weight[t] > 0 and class_of[place - 1] != by_item
        if priced:
            counts[r, 2] += part
            sums[r, 0] += key_weight[t] * part
            total[r, 4] += key_standard[t] * part
            total[r, 5] += gross * part
            total[r, 6] += saving[i] * part
        if class_of[place - 1] == high:
            counts[r, 3] += part
        if class_of[place - 1] == low:
            counts[r, 4] += part
    return counts, total, sums
