"""Settle grouped discharges under a payment policy: one line per case, exact to the fen, and summaries."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, HIGHEST_LIMIT, HIGHEST_VARIABLE, MISSING, highest_amount, money_column
from drgsim.payment.case_class import CLASSES, OUTSIDE_GROUPS, CaseClass
from drgsim.payment.case_columns import stated_names
from drgsim.payment.grouped_cases import WORKERS, Cases, read_cases
from drgsim.payment.hospital_coefficient import DEFAULT, NONE, SOURCES
from drgsim.payment.ledger import BY_CURVE, Ledger, Mask
from drgsim.payment.patient_share import PaidParts, known_fen, paid_parts
from drgsim.payment.policy import Policy
from drgsim.payment.rules.payment_curve import refuse_without_level
from drgsim.payment.rules.rule_list import walk
from drgsim.payment.rules.settlement_rule import Stage
from drgsim.payment.selection_from_history import selected
from drgsim.payment.settlement_summary import DIMENSIONS, Summaries
from drgsim.payment.shadow import Shadow, simulates
from drgsim.payment.unit_value import (
    float_values,
    pot_of,
    refuse_outside,
    tell_idle_unit_value,
    tell_missed_budget,
    with_unit_value,
)
from drgsim.region.hospital_list import GroupCoefficients, Hospital


@dataclass(frozen=True)
class Settlement:
    """What each case of a table is paid.

    Attributes
    ----------
    ledger
        The lines, with amounts in fen.
    parts
        Who pays the amounts.
    unit_values
        Payer -> yuan per unit, where a budget decided them.
    open_to_curve
        Cases that no rule before the curve decided, whether or not the curve could pay them.
    problems
        What was wrong or doubtful, with exact counts.
    shadow
        What groups would pay for cases that the policy only simulates; None where there are none.
    """

    ledger: Ledger
    parts: PaidParts
    unit_values: Mapping[str, float]
    open_to_curve: Mask
    problems: tuple[Problem, ...]
    shadow: Shadow | None = None

    @property
    def amount(self) -> NDArray[np.int64]:
        """Fen paid per case before the patient's share; ``money.MISSING`` where no rule gave an amount."""
        return self.ledger.amount

    @property
    def fund_payment(self) -> NDArray[np.int64]:
        """Fen that the fund pays per case; below 0 where other cases of the hospital make up for it."""
        return self.parts.fund

    @property
    def patient_paid(self) -> NDArray[np.int64]:
        """Fen that the patient pays: as stated, the whole bill of a self-payer, or what a fixed amount leaves of it."""
        return self.parts.patient

    @property
    def revenue(self) -> NDArray[np.int64]:
        """Fen that the hospital has of each case: its amount, and what patients paid above it that stays uncovered."""
        return np.where(self.amount == MISSING, MISSING, self.amount - known_fen(self.parts.above_standard))

    @cached_property
    def table(self) -> pa.Table:
        """One row per case in the order of the input; money in yuan with two decimals."""
        ledger, terms, cases = self.ledger, self.ledger.terms, self.ledger.cases
        paid = ledger.amount != MISSING
        in_points = ledger.policy.file.relative_value.unit != "weight"
        points = np.where(paid & in_points, ledger.units, np.nan)
        cost = cases.money["total_cost"]
        margin = np.where(paid & (cost != MISSING), self.revenue - cost, MISSING)
        names = [str(name) for name in CLASSES]
        rule, rules = self._rules
        return pa.table({
            "discharge_id": cases.ids,
            "hospital_id": _dictionary(cases.hospital.ids, cases.hospital.values),
            "department": _dictionary(cases.department.ids, cases.department.values),
            "unit": _dictionary(cases.unit.ids, cases.unit.values),
            "unit_name": _dictionary(*_unit_names(ledger)),
            "total_cost": money_column(cost),
            "relative_value": _numbers(terms.relative_value),
            "coefficient": _numbers(terms.coefficient),
            "unit_value": _numbers(terms.unit_value),
            "standard": money_column(ledger.standard),
            "cost_ratio": _numbers(ledger.ratio),
            "case_class": _dictionary(ledger.case_class, names),
            "points": _numbers(points),
            "amount": money_column(ledger.amount),
            "patient_paid": money_column(self.patient_paid),
            "other_paid": money_column(np.where(paid, self.parts.other, MISSING)),
            "fund_payment": money_column(self.fund_payment),
            "above_standard": money_column(self.parts.above_standard),
            "margin": money_column(margin),
            "rule": _dictionary(rule, rules),
            "reference_cost": _numbers(np.round(terms.mean * np.where(self._with_k, terms.coefficient, 1.0), 6)),
            **({} if self.shadow is None else self.shadow.columns()),
        })  # fmt: skip

    @property
    def _rules(self) -> tuple[NDArray[np.int64], list[str]]:
        """What decided each case, in words: the rule, and where its coefficient comes from when that is a choice."""
        ledger = self.ledger
        number = np.where(ledger.rule < 0, len(ledger.rules), ledger.rule).astype(np.int64)
        with_k = ledger.is_class(*BY_CURVE, CaseClass.EXEMPT) & ~np.isnan(ledger.units)
        source = np.where(with_k, ledger.terms.coefficient_source, NONE)
        used = np.bincount(source, minlength=len(SOURCES))
        if used[DEFAULT] + used[NONE] == source.size:  # one coefficient for all is no choice
            source = np.full(source.size, NONE, np.int8)
        rules = [*ledger.rules, ""]
        words = [f"{rule}; k {k}" if k and rule else rule for rule in rules for k in SOURCES]
        places = number * len(SOURCES) + source
        seen = np.flatnonzero(np.bincount(places, minlength=len(words)))
        distinct = list(dict.fromkeys(words[place] for place in seen))  # a dictionary of Arrow names each word once
        word_of = np.zeros(len(words), np.int64)
        word_of[seen] = [distinct.index(words[place]) for place in seen]
        return word_of[places], distinct

    @property
    def _with_k(self) -> NDArray[np.bool_]:
        return self.ledger.lookup.book.arrays.with_k[self.ledger.terms.row]

    @cached_property
    def summaries(self) -> Mapping[str, pa.Table]:
        """Summaries by hospital, department, group, insurance and case class, and over all."""
        summaries = Summaries(self.ledger, self.parts, self.shadow)
        names = ("all", *DIMENSIONS)
        with ThreadPoolExecutor(WORKERS) as pool:  # the kernel that adds up does not hold the interpreter
            return dict(zip(names, pool.map(summaries.by, names), strict=True))


def settle(
    table: pa.Table,
    policy: Policy,
    *,
    hospitals: Mapping[str, Hospital] | None = None,
    budget: Mapping[str, float] | None = None,
    fund_share: float = 1.0,
    unit_value: Mapping[str, float] | None = None,
    coefficients: GroupCoefficients | None = None,
    unstable: Literal["table", "cases", "never"] | None = None,
    budget_value: Mapping[str, float] | None = None,
) -> Settlement:
    """Settle a table of grouped discharges.

    Parameters
    ----------
    table
        Discharges with their group in ``drg``, ``dip`` or ``unit``; costs in yuan (see
        :func:`drgsim.payment.grouped_cases.read_cases`).
    policy
        The policy to settle under.
    hospitals
        Level, grade and coefficient by hospital.
    budget
        Yuan by payer (``employee``, ``resident``, or ``*`` for all), patients' shares included. The unit value then
        follows from it after everyone's cases: PV = (budget x (1 - adjustment fund) - amounts fixed in yuan) / sum of
        units, whatever unit value the policy states. Where the policy knows no mean cost, cost ratios are taken against the
        unit value that would follow if every case were normal. Cases of an insured patient whose payer has no part in the
        budget are not paid, nor are cases for whose units it leaves nothing. Default: the policy's own budget, if any.
    fund_share
        rho, the share of the cost that the fund pays: a budget of the fund alone is divided by it (rule book 1.5 and 3.3).
    unit_value
        Yuan per unit of relative value, instead of the policy's: by the keys of :class:`drgsim.payment.policy_model.Keyed`.
    coefficients
        Coefficients by hospital and group, before those of the policy.
    unstable
        Where a policy that settles unstable groups in another way finds them, instead of what it says: in its ``table`` of
        groups, among the ``cases`` settled, or ``never``.
    budget_value
        Budget point value by payer, yuan, for policies with a floating value: the unit value is then ``floating.base_share`` of
        it and the rest of what the budget gives; costs are compared with the price at this value.

    Returns
    -------
    Settlement
        Cases that no rule can pay have no amount; they are counted in ``problems``.

    Examples
    --------
    >>> from drgsim.payment.policy import load_policy
    >>> table = pa.table({"drg": ["X"], "relative_value": [1.0], "coefficient": [1.4], "total_cost": [20000.0],
    ...                   "insurance": ["employee"], "hospital_level": ["3"]})
    >>> settle(table, load_policy("qingyang/2023")).table["amount"].to_pylist()
    [Decimal('10430.42')]
    """
    if unit_value is not None:
        policy = with_unit_value(policy, unit_value)
    pot_of(policy, budget, fund_share)
    cases = read_cases(table, hospitals, policy.file.method, coefficients)
    return settle_cases(cases, policy, budget=budget, fund_share=fund_share, unstable=unstable, budget_value=budget_value)


def settle_cases(
    cases: Cases,
    policy: Policy,
    *,
    budget: Mapping[str, float] | None = None,
    fund_share: float = 1.0,
    unstable: Literal["table", "cases", "never"] | None = None,
    budget_value: Mapping[str, float] | None = None,
    weight: NDArray[np.float64] | None = None,
) -> Settlement:
    """Settle cases that are read already, as a scenario does again and again; parameters as in :func:`settle`.

    ``cases`` collects faults and problems while it is settled: hand in a fresh one for each settlement (its arrays may be
    shared). ``weight`` says how many discharges each case stands for (None: one); it counts wherever cases are added up to
    a unit value, a mean or a quota, and leaves the amount of a case alone.
    """
    unread = cases.fresh() if simulates(policy) else cases
    ledger = opened(policy, cases, weight, pot_of(policy, budget, fund_share), unstable)
    settlement = _settled(ledger, budget_value)
    if not ledger.simulated.any():
        return settlement
    beside = opened(ledger.policy, unread, weight, ledger.pot, unstable, as_if_paid=True)
    return _with_shadow(settlement, _settled(beside, budget_value))


def _settled(ledger: Ledger, budget_value: Mapping[str, float] | None) -> Settlement:
    """Walk the rules and close the accounts of an open ledger."""
    walk(ledger, Stage.BEFORE_CURVE)
    refuse_outside(ledger)
    if ledger.pot:
        refuse_without_level(ledger)
    ledger.compare_with_expected_price(budget_value)
    tell_idle_unit_value(ledger)
    open_to_curve = ledger.open_cases
    walk(ledger, Stage.CURVE)
    _value_by_budget(ledger)
    walk(ledger, Stage.AFTER_CURVE)
    unit_values = _value_by_budget(ledger, budget_value)
    _close(ledger)
    if budget_value is not None:
        tell_missed_budget(ledger)
    return Settlement(ledger, paid_parts(ledger), unit_values, open_to_curve, tuple(ledger.cases.problems))


def _with_shadow(settlement: Settlement, beside: Settlement) -> Settlement:
    """The settlement with what groups would pay beside it; doubts that only the shadow settlement has are told as its own."""
    simulated = settlement.ledger.simulated & ~beside.ledger.is_class(*OUTSIDE_GROUPS)
    amount = np.where(simulated, beside.amount, MISSING)
    shadow = Shadow(simulated, beside.ledger.case_class, amount, settlement.ledger.cost)
    told = {(problem.code, problem.what) for problem in settlement.problems}
    own = [each for each in beside.problems if (each.code, each.what) not in told]
    problems = [replace(each, what=text("shadow settlement: {what}", what=each.what)) for each in own]
    return replace(settlement, shadow=shadow, problems=(*settlement.problems, *problems))


def amounts_at_cost(settlement: Settlement, cost: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the same cases would be paid at other costs, at the unit values of their settlement.

    Parameters
    ----------
    settlement
        Its cases stand as they are, but for the cost; those that are unpaid stay unpaid.
    cost
        Fen per case.

    Returns
    -------
    NDArray
        Fen per case before the patient's share; ``money.MISSING`` where unpaid.
    """
    paid = settlement.ledger
    cases = replace(paid.cases.fresh(), money={**paid.cases.money, "total_cost": cost}, problems=[])
    ledger = opened(paid.policy, cases, paid.weight, None, paid.unstable)  # type: ignore[arg-type]
    terms = ledger.terms
    terms.mean = np.where(terms.priced_mean, paid.terms.mean, terms.mean)  # a price that may have come from the budget
    terms.priced_mean, terms.unit_value, terms.published = paid.terms.priced_mean, paid.terms.unit_value, paid.terms.published
    ledger.price()
    walk(ledger, Stage.BEFORE_CURVE)
    walk(ledger, Stage.CURVE)
    walk(ledger, Stage.AFTER_CURVE)
    if paid.pot:
        ledger.value_units()
    _close(ledger)
    return ledger.amount


def opened(
    policy: Policy,
    cases: Cases,
    weight: NDArray[np.float64] | None = None,
    pot: Mapping[str, int] | None = None,
    unstable: Literal["table", "cases", "never"] | None = None,
    as_if_paid: bool = False,
) -> Ledger:
    """A ledger in which every case has its terms and its standard, and nothing is decided yet.

    What the policy leaves to the past (members, groups, unit value) and nobody has found yet is found among the cases.
    """
    policy, told = selected(policy, [cases], text("the cases themselves"), bool(pot))
    cases.problems += told
    ledger = Ledger.open(policy, cases, weight, pot, unstable)
    ledger.as_if_paid = as_if_paid
    walk(ledger, Stage.GROUPS)
    ledger.look_up()
    walk(ledger, Stage.TERMS)
    ledger.price()
    return ledger


def _value_by_budget(ledger: Ledger, budget_value: Mapping[str, float] | None = None) -> dict[str, float]:
    """Unit values that the budget leaves for the units paid so far, put in force; none where prices are given."""
    if not ledger.pot:
        return {}
    values = ledger.solve_unit_values()
    if budget_value is not None:
        values = float_values(ledger, values, budget_value)
    ledger.price()
    ledger.value_units()
    return values


def _close(ledger: Ledger) -> None:
    """Add the exempt part; cases with a fault, or whose unit value stayed unknown, are unpaid."""
    ledger.amount = np.where(ledger.amount != MISSING, ledger.amount + ledger.extra, ledger.amount)
    unpriced = (ledger.amount == MISSING) & (ledger.cases.faults < 0)
    ledger.cases.fault(
        "settle-no-unit-value", unpriced, text("no unit value follows from the budget"), text("give a budget for this payer")
    )
    known = ledger.amount != MISSING
    # a standard may be far above what a case is paid; beyond the largest limit nothing can be said of either
    beyond = known & ((np.abs(ledger.amount) > highest_amount()) | (ledger.standard > HIGHEST_LIMIT * FEN_PER_YUAN))
    fix = text(
        "look at unit value, weight and coefficient, and at the budget; {variable} sets the limit",
        variable=HIGHEST_VARIABLE,
    )
    what = text(
        "the payment is above {highest:,} yuan, or its standard above {limit:,}",
        highest=highest_amount() // FEN_PER_YUAN,
        limit=HIGHEST_LIMIT,
    )
    ledger.cases.fault("settle-amount-implausible", beyond, what, fix)
    at_fault = ledger.cases.faults >= 0
    for number, words in enumerate(ledger.cases.fault_words):
        ledger.decide(ledger.cases.faults == number, CaseClass.UNPAID, text("not paid: {words}", words=words))
    ledger.amount[at_fault] = MISSING
    ledger.units[at_fault] = np.nan


def _unit_names(ledger: Ledger) -> tuple[NDArray[np.integer], list[str]]:
    """Place of the name of each case's group among the names, and the names."""
    of_unit = unit_names(ledger)
    place = {name: number for number, name in enumerate(dict.fromkeys(filter(None, of_unit)))}
    return np.array([*(place.get(name, -1) for name in of_unit), -1])[ledger.cases.unit.ids], list(place)


def unit_names(ledger: Ledger) -> list[str]:
    """Name of each group of the cases by the policy's table, else as the cases themselves name it; empty where neither does."""
    cases, prices = ledger.cases, ledger.policy.prices
    names = dict(zip(prices.codes, prices.names, strict=True)) if prices is not None else {}
    return [
        names.get(code) or stated
        for code, stated in zip(cases.unit.values, stated_names(cases.unit, cases.unit_name), strict=True)
    ]


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _dictionary(ids: NDArray[np.integer], values: list[str]) -> pa.DictionaryArray:
    indices = pa.array(ids.astype(np.int32), mask=ids < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
