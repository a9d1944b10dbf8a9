"""Settle the same cases again under other prices and curves: the path for grids, goal seek and ranges.

Most of what :func:`drgsim.payment.settlement.settle_cases` does for a case depends on its group, level, payer and hospital
alone. These combinations are few: the policy is looked up for one case of each, by the same code, and the kernel of the curve
goes through the cases. Cases that a rule before the curve decided keep their amounts; rules after it are walked again where
they say so. Every rule, and every part of the policy that looks at more than one case, says itself whether it allows this
(:class:`drgsim.payment.rules.settlement_rule.Repricing`); where one does not, :func:`prepare` answers None and the caller
settles in full. The answers are equal to the fen (tests/test_repricing.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.case_class import CLASSES
from drgsim.payment.case_terms import by_combination, combinations_of
from drgsim.payment.curve_kernel import apply_curves
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.patient_share import deduction_of
from drgsim.payment.policy import Policy
from drgsim.payment.rules.payment_curve import check_terms
from drgsim.payment.rules.rule_list import walked_again
from drgsim.payment.rules.settlement_rule import Rule
from drgsim.payment.settlement import opened
from drgsim.payment.unit_value import pot_of
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_lines import Lines, bill_of, left_of, payer_rows, uncut_cases
from drgsim.simulation.case_totals import (
    CLASS_NUMBERS,
    COUNTS,
    MEASURES,
    NOTHING,
    Count,
    Measure,
    Totals,
    check_size,
    is_priced,
    paid_case,
)
from drgsim.simulation.pricing import fund_of, pricing
from drgsim.simulation.runner import Outcome, Runner, stated_beside
from drgsim.simulation.scenario_cases import PART, edited, first_state, settled_cases
from drgsim.simulation.setup import Setup
from drgsim.simulation.year_closing import closes

_FREE = ("unit_value", "curves", "coefficient", "relative_value", "sources", "notes")  # parts of a policy that may change
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PreparedCases:
    """Cases ready to be settled again and again.

    Attributes
    ----------
    structure
        What a setup must have in common with the one that was prepared.
    key
        Number of each case's combination of group, kind, level, payer and hospital.
    first
        One case of each combination, as cases of its own.
    again
        Rules after the curve that are walked again.
    curve, line, factor
        Cases that are open to the curve: their places, keys and the product of all factors on what the curve pays,
        which no price changes.
    row
        Row of each case's hospital and payer in the sums.
    deduction
        Fen taken off each amount before the fund pays.
    stated
        Fen that payments.csv states beside the cases.
    """

    lines: Lines
    structure: str
    key: NDArray[np.int32]
    first: Cases
    again: tuple[Rule, ...]
    curve: Ints
    line: NDArray[np.int32]
    factor: Floats
    row: Ints
    hospitals: tuple[str, ...]
    deduction: Ints
    stated: int


def structure_of(setup: Setup) -> str:
    """Everything of a setup that must be the same for prepared cases to serve it."""
    file = setup.policy.file.model_dump(exclude=set(_FREE))
    kept = replace(setup, policy=setup.policy, rate=(), fund=(), weights=(), rate_basis=None, budget=None)
    codes = setup.policy.prices.codes if setup.policy.prices is not None else ()
    parts = (
        file, codes, kept.scheme, sorted(kept.settings.items(), key=repr), kept.cases, kept.hospitals, kept.technologies,
        kept.rounds,
        sorted(setup.policy.file.curves),
    )  # fmt: skip
    return repr(parts)


def prepare(runner: Runner, setup: Setup, year: int) -> PreparedCases | None:
    """Make cases ready, or None where the setup or the data need the full settlement."""
    if closes(setup) or setup.rounds:  # rounds are taken back by hospital and round, from the lines of the cases
        return None
    state = edited(first_state(runner.cohort(setup, year)), setup, runner.region)
    price = pricing(setup, runner.region, year, runner.memory, state)
    cases = settled_cases(state, setup, runner.region)
    again, deduction = walked_again(price.policy, cases), deduction_of(price.policy, cases)
    if again is None or deduction is None or not by_combination(price.policy, cases) or pot_of(price.policy, price.budget, 1.0):
        return None
    lines = runner.lines(setup, year, state)
    key, first = combinations_of(lines.cases)
    hospitals, row = payer_rows(lines, runner.region)
    curve = np.flatnonzero(lines.settlement.open_to_curve)
    return PreparedCases(
        lines, structure_of(setup), key, lines.cases.take(first), again, curve, key[curve],
        lines.settlement.ledger.terms.factor[curve], row, tuple(hospitals), deduction,
        int(stated_beside(runner.region, year, hospitals).sum()),
    )  # fmt: skip


def rerun(runner: Runner, prepared: PreparedCases, setup: Setup, year: int, parts: Ints | None = None) -> Outcome:
    """The outcome of a setup with the same structure; groups and departments are not added up.

    ``parts`` counts the cases otherwise than their state does, as a bootstrap draw.

    Raises
    ------
    ValueError
        The setup has another structure; :func:`structure_of` tells.
    """
    if structure_of(setup) != prepared.structure:
        raise ValueError(text("the setup needs cases of its own"))
    lines = prepared.lines
    counted = lines.state.parts if parts is None else parts
    price = pricing(setup, runner.region, year, runner.memory, lines.state)
    keys, amount, classes = _settle(prepared, price.policy, counted, lines.cases)
    saving = lines.state.saving
    if saving[prepared.curve].any():
        uncut = uncut_cases(lines.cases, saving)
        saving = saving.copy()
        saving[prepared.curve] = left_of(saving[prepared.curve], amount, _settle(prepared, price.policy, counted, uncut)[1])
    check_size(lines.money, counted, f"year {year}")
    check_size(np.where(amount == MISSING, 0, amount), counted[prepared.curve], f"year {year}")
    sums = _add_up(
        prepared.row, len(prepared.hospitals) * (len(INSURANCES) + 1), counted, bill_of(lines.state, saving), lines.money,
        lines.marks, prepared.curve, amount, classes, prepared.key,
        keys.terms.relative_value / price.policy.file.relative_value.scale.value, keys.standard,
        _Shares.of(prepared), CLASS_NUMBERS,
    )  # fmt: skip
    by_payer = Totals.of(tuple(f"{name}/{payer}" for name in prepared.hospitals for payer in (*INSURANCES, "")), *sums)
    return Outcome(
        setup, year, by_payer, NOTHING, NOTHING, prepared.hospitals,
        runner.beside(setup, year, lines, counted, by_payer, list(prepared.hospitals)), fund_of(setup, runner.region, year),
        dict(price.rates), lines.problems, stated=prepared.stated,
    )  # fmt: skip


def _settle(prepared: PreparedCases, policy: Policy, parts: Ints, cases: Cases) -> tuple[Ledger, Ints, NDArray[np.int8]]:
    """A ledger with one line per combination, and amount and class of the cases of the curve."""
    first = prepared.first
    faults, flags = np.full(first.size, -1, np.int16), dict(first.flags)
    keys = opened(policy, replace(first, faults=faults, fault_words=[], problems=[], flags=flags))
    check_terms(keys)
    cost = cases.money["total_cost"][prepared.curve]
    terms, row = keys.terms, np.where(keys.open_cases, keys.terms.row, -1).astype(np.int32)
    _, classes, _, _, amount, doubtful = apply_curves(
        cost, prepared.factor, terms.relative_value, terms.coefficient, terms.mean, terms.unit_value, row,
        keys.lookup.book.arrays, prepared.line,
    )  # fmt: skip
    asked = np.flatnonzero(doubtful)
    lines = prepared.line[asked].astype(np.int64)
    answers = keys.by_oracle(lines, cost[asked], prepared.factor[asked])
    for place, line, answer in zip(asked, lines, answers, strict=True):
        assert answer.amount is not None
        amount[place] = answer.amount
        classes[place] = CLASSES.index(keys.lookup.book.rows[terms.row[line]].pieces[answer.piece].case_class)
    if prepared.again:
        amount, classes = _walk_again(prepared, keys, amount, classes, parts, cases)
    return keys, amount, classes


def _walk_again(
    prepared: PreparedCases, keys: Ledger, amount: Ints, classes: NDArray[np.int8], parts: Ints, cases: Cases
) -> tuple[Ints, NDArray[np.int8]]:
    """Amount and class after the rules that follow the curve; their ledger holds the cases of the curve alone."""
    lines = prepared.line.astype(np.int64)
    ledger = Ledger.open(keys.policy, cases.take(prepared.curve), parts[prepared.curve] / PART)
    ledger.terms, ledger.standard = keys.terms.take(lines), keys.standard[lines]
    ledger.terms.factor = prepared.factor
    ledger.amount, ledger.case_class = amount, classes
    for rule in prepared.again:
        rule.settle(ledger)
    return np.where(ledger.amount == MISSING, MISSING, ledger.amount + ledger.extra), ledger.case_class


class _Shares(NamedTuple):
    """How the fund's part of an amount is found: ``deduction`` fen off each amount, ``kept`` fen of cases that keep theirs.

    ``by_case``: never below 0; ``cell``: never below 0 over the cases of a cell, where it is not empty; ``below``: fen of a
    kept case that counted as its payment, since patients had paid it above the amount.
    """

    deduction: Ints
    kept: Ints
    below: Ints
    by_case: bool
    cell: NDArray[np.int32]
    cells: int

    @classmethod
    def of(cls, prepared: PreparedCases) -> _Shares:
        parts = prepared.lines.settlement.parts
        netting, known = parts.netting, parts.fund != MISSING
        kept, below = np.where(known, parts.before_netting, 0), np.where(known, parts.fund - parts.before_netting, 0)
        return cls(prepared.deduction, kept, below, netting.level == "case", netting.cell, netting.cells)


@njit(cache=True, nogil=True)
def _add_up(  # noqa: C901 - one pass over the cases; its sums are not handed about
    row: Any, rows: int, parts: Any, bill: Any, money: Any, marks: Any, curve: Any, amount: Any, class_of: Any, key: Any,
    key_weight: Any, key_standard: Any, shares: Any, numbers: Any,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Sums per hospital and payer: the cases of the curve with their new amounts, all others as they were."""
    cost, patient, exempt, exempt_patient = bill.cost, bill.patient, bill.exempt, bill.exempt_patient
    saving, days, outside, high, low = bill.saving, bill.days, numbers.outside, numbers.high, numbers.low
    was_paid, was_priced, was_high, was_low, was_by_item = marks.paid, marks.priced, marks.high, marks.low, marks.by_item
    counts = np.zeros((rows, len(COUNTS)), np.int64)
    total = np.zeros((rows, len(MEASURES)), np.int64)
    weights, stays = np.zeros(rows), np.zeros(rows)
    deduction, by_case, cell, netted = shares.deduction, shares.by_case, shares.cell, shares.cell.size > 0
    of_cell = np.zeros((shares.cells, 3), np.int64)  # what the amounts leave to the fund; the part inside groups; the row
    place = 0
    for i in range(row.size):
        r, part, t = row[i], parts[i], key[i]
        new, of_class = np.int64(MISSING), np.int8(-1)
        of_curve = place < curve.size and curve[place] == i
        if of_curve:
            new, of_class = amount[place], class_of[place]
            place += 1
        if part == 0:
            continue
        counts[r, Count.CASES.value] += part
        if days[i] >= 0:
            stays[r] += days[i] * part
        if not of_curve:
            if not was_paid[i]:
                continue
            counts[r, Count.PAID.value] += part
            counts[r, Count.HIGH.value] += was_high[i] * part
            counts[r, Count.LOW.value] += was_low[i] * part
            counts[r, Count.BY_ITEM.value] += was_by_item[i] * part
            if was_priced[i]:  # a fixed amount inside the groups: it stays, and its standard moves
                counts[r, Count.PRICED.value] += part
                weights[r] += key_weight[t] * part
                total[r, Measure.STANDARD.value] += key_standard[t] * part
            for m in range(len(MEASURES)):
                if m != Measure.STANDARD.value:
                    total[r, m] += money[m, i] * part
            if netted:  # its part of the fund as the amount alone leaves it, until the cell is known
                below = shares.below[i] * part
                total[r, Measure.FUND.value] -= below
                total[r, Measure.PAYMENT.value] -= below
                of_cell[cell[i], 0] += shares.kept[i] * part
                of_cell[cell[i], 2] = r
                if was_priced[i]:
                    total[r, Measure.INSIDE.value] -= below
                    of_cell[cell[i], 1] += shares.kept[i] * part
            continue
        if new == MISSING:
            continue
        self_pay = of_class == numbers.self_pay
        left = np.int64(0) if self_pay else new - deduction[i]
        below = -left if by_case and left < 0 else np.int64(0)
        payment, of_fund, of_patient = paid_case(
            new, left + below, below, cost[i], patient[i], exempt[i], exempt_patient[i], self_pay
        )
        inside = is_priced(key_standard[t], key_weight[t], outside[of_class])
        if netted:
            of_cell[cell[i], 0] += left * part
            of_cell[cell[i], 1] += left * part if inside else 0
            of_cell[cell[i], 2] = r
        counts[r, Count.PAID.value] += part
        total[r, Measure.COST.value] += cost[i] * part
        total[r, Measure.PAYMENT.value] += payment * part
        total[r, Measure.FUND.value] += of_fund * part
        total[r, Measure.PATIENT.value] += of_patient * part
        if inside:
            counts[r, Count.PRICED.value] += part
            weights[r] += key_weight[t] * part
            total[r, Measure.STANDARD.value] += key_standard[t] * part
            total[r, Measure.INSIDE.value] += payment * part
            total[r, Measure.SAVING.value] += saving[i] * part
        if of_class == high:
            counts[r, Count.HIGH.value] += part
        if of_class == low:
            counts[r, Count.LOW.value] += part
    for c in range(shares.cells):
        if of_cell[c, 0] < 0:  # the fund pays nothing for these cases; what patients paid above is the hospital's
            total[of_cell[c, 2], Measure.FUND.value] -= of_cell[c, 0]
            total[of_cell[c, 2], Measure.PAYMENT.value] -= of_cell[c, 0]
            total[of_cell[c, 2], Measure.INSIDE.value] -= of_cell[c, 1]
    return counts, total, weights, stays
