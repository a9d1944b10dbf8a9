"""Settle grouped discharges under a payment policy: one line per case, exact to the fen, and summaries."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.money import MISSING, exact, money_column, round_floats, round_half_away
from drgsim.payment.curve import CLASSES
from drgsim.payment.dates_in_force import check_dates
from drgsim.payment.grouped_cases import WORKERS, Cases, leading_columns, read_cases
from drgsim.payment.hospital_coefficient import DEFAULT, NONE, SOURCES
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import CaseClass
from drgsim.payment.rules import groups, special, stays
from drgsim.payment.rules.single_disease import settle_single_diseases
from drgsim.payment.settlement_summary import DIMENSIONS, Summaries
from drgsim.payment.unit_value import doubt_payer, float_values, pot_of, refuse_outside, tell_missed_budget, with_unit_value
from drgsim.region.hospital_list import GroupCoefficients, Hospital


@dataclass(frozen=True)
class Settlement:
    """What each case of a table is paid.

    Attributes
    ----------
    ledger
        The lines, with amounts in fen.
    fund_payment
        Fen that the fund pays per case.
    unit_values
        Payer -> yuan per unit, where a budget decided them.
    problems
        What was wrong or doubtful, with exact counts.
    """

    ledger: Ledger
    fund_payment: NDArray[np.int64]
    unit_values: Mapping[str, float]
    problems: tuple[Problem, ...]

    @property
    def amount(self) -> NDArray[np.int64]:
        """Fen paid per case before the patient's share; ``money.MISSING`` where no rule gave an amount."""
        return self.ledger.amount

    @cached_property
    def table(self) -> pa.Table:
        """One row per case in the order of the input; money in yuan with two decimals."""
        ledger, terms, cases = self.ledger, self.ledger.terms, self.ledger.cases
        paid = ledger.amount != MISSING
        in_points = ledger.policy.file.relative_value.unit != "weight"
        points = np.where(paid & in_points, ledger.units, np.nan)
        cost = cases.money["total_cost"]
        margin = np.where(paid & (cost != MISSING), ledger.amount - cost, MISSING)
        names = [str(name) for name in CLASSES]
        rule, rules = self._rules
        return pa.table({
            "discharge_id": cases.ids,
            "unit": _dictionary(cases.unit.ids, cases.unit.values),
            "relative_value": _numbers(terms.relative_value),
            "coefficient": _numbers(terms.coefficient),
            "unit_value": _numbers(terms.unit_value),
            "standard": money_column(ledger.standard),
            "cost_ratio": _numbers(ledger.ratio),
            "case_class": _dictionary(ledger.case_class, names),
            "points": _numbers(points),
            "amount": money_column(ledger.amount),
            "patient_paid": money_column(self.patient_paid),
            "fund_payment": money_column(self.fund_payment),
            "margin": money_column(margin),
            "rule": _dictionary(rule, rules),
            "reference_cost": _numbers(np.round(terms.mean * np.where(self._with_k, terms.coefficient, 1.0), 6)),
        })  # fmt: skip

    @property
    def patient_paid(self) -> NDArray[np.int64]:
        """Fen that the patient pays: as stated, the whole bill of a self-payer, or what a fixed amount leaves of it."""
        ledger = self.ledger
        stated = ledger.cases.money["patient_paid"]
        whole = ledger.is_class(CaseClass.SELF_PAY) & (stated == MISSING)
        fixed = ledger.fixed_fund != MISSING
        return np.where(fixed, ledger.amount - ledger.fixed_fund, np.where(whole, ledger.cost, stated))

    @property
    def _rules(self) -> tuple[NDArray[np.int64], list[str]]:
        """What decided each case, in words: the rule, and where its coefficient comes from when that is a choice."""
        ledger = self.ledger
        number = np.where(ledger.rule < 0, len(ledger.rules), ledger.rule).astype(np.int64)
        with_k = ledger.is_class(*special.BY_CURVE, CaseClass.EXEMPT) & ~np.isnan(ledger.units)
        source = np.where(with_k, ledger.terms.coefficient_source, NONE)
        used = np.bincount(source, minlength=len(SOURCES))
        if used[DEFAULT] + used[NONE] == source.size:  # one coefficient for all is no choice
            source = np.full(source.size, NONE, np.int8)
        rules = [*ledger.rules, ""]
        words = [f"{rule}; k {k}" if k and rule else rule for rule in rules for k in SOURCES]
        return number * len(SOURCES) + source, words

    @property
    def _with_k(self) -> NDArray[np.bool_]:
        return self.ledger.resolver.book.arrays.with_k[self.ledger.terms.row]

    @cached_property
    def summaries(self) -> Mapping[str, pa.Table]:
        """Summaries by hospital, department, group, insurance and case class, and over all."""
        summaries = Summaries(self.ledger, self.fund_payment)
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
    cases = read_cases(table, hospitals, leading_columns(policy.file.method), coefficients)
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
    pot = pot_of(policy, budget, fund_share)
    ledger = Ledger.open(policy, cases, unstable, weight)
    check_dates(ledger)
    stays.incomplete_stays(ledger)
    stays.halve_readmitted(ledger)
    ledger.price()
    groups.settle_self_payers(ledger)
    groups.settle_outside(ledger)
    settle_single_diseases(ledger)
    groups.settle_unusual_groups(ledger)
    stays.settle_per_diem(ledger)
    stays.settle_long_stays(ledger)
    held = policy.file.adjustment_fund.value if policy.file.adjustment_fund is not None else 0.0
    refuse_outside(ledger, pot)
    ledger.compare_with_expected_price(pot, held, budget_value)
    _check_terms(ledger, bool(pot))
    ledger.apply_curve(ledger.open_cases)
    unit_values: dict[str, float] = {}
    if pot:
        ledger.solve_unit_values(pot, held)
        ledger.price()
        ledger.value_units()
    special.exempt(ledger)
    special.cap_extremes(ledger)
    special.review(ledger)
    if pot:
        unit_values = ledger.solve_unit_values(pot, held)
        if budget_value is not None:
            unit_values = float_values(ledger, unit_values, budget_value)
        ledger.price()
        ledger.value_units()
    _close(ledger)
    if pot and budget_value is not None:
        tell_missed_budget(ledger, pot, held)
    return Settlement(ledger, _fund_payment(ledger), unit_values, tuple(cases.problems))


def _check_terms(ledger: Ledger, has_budget: bool) -> None:
    """Report the cases for which the policy lacks a value that the curve needs."""
    cases, terms = ledger.cases, ledger.terms
    sample = cases.unit.sample
    missing = ledger.open_cases & np.isnan(terms.relative_value)
    cases.fault(
        "settle-missing-weight", missing, f"{_what_lacks(ledger)} no relative value for the group",
        f"check that the cases were grouped by {ledger.policy.file.scheme or 'the scheme of the policy'}; or give values of "
        f"your own: {_OWN_VALUES[ledger.policy.file.relative_value.unit == 'score']}", sample=sample(missing),
    )  # fmt: skip
    no_level = np.array([not keys for keys in cases.levels] or [True])[cases.level]
    level_decides = ledger.open_cases & no_level & _needs_level(ledger, has_budget)
    cases.fault(
        "settle-missing-level", level_decides, "the policy pays by hospital level, and the level of the hospital is not known",
        "state hospital_level (1, 2, 3) in the cases or level in hospitals.csv", sample=cases.hospital.sample(level_decides),
    )  # fmt: skip
    if not has_budget:
        missing = ledger.open_cases & np.isnan(terms.unit_value)
        cases.fault(
            "settle-missing-unit-value", missing,
            "the policy states no unit value for this payer and hospital level",
            "give a budget (the point value follows from it), or set unit_value",
            sample=", ".join(sorted({str(ledger.resolver.keys[place]) for place in ledger.resolver.combination[missing]})),
        )  # fmt: skip
    doubt_payer(ledger, has_budget)
    cases.fault(
        "settle-missing-coefficient", ledger.open_cases & ~(terms.coefficient > 0),
        "no coefficient of the hospital is known", "state coefficient in hospitals.csv or in the cases",
    )  # fmt: skip
    cases.fault(
        "settle-missing-mean", ledger.open_cases & ~(terms.mean > 0),
        "no mean cost of the group is known to compare the cost with", "state group_mean_cost, or reference.mean_cost",
    )  # fmt: skip
    cases.fault(
        "settle-no-band", ledger.open_cases & (terms.row < 0), "no band of the payment curve fits the case",
        "let the last band of the curve state no condition",
    )  # fmt: skip


_OWN_VALUES = (
    "drgsim weights HISTORY --output w, then drgsim settle ... --weights w",
    "drgsim dip build HISTORY --output catalogue, then drgsim settle ... --weights catalogue",
)


def _what_lacks(ledger: Ledger) -> str:
    prices = ledger.policy.prices
    if prices is None:
        return f"{ledger.policy.id} publishes no table of groups and the cases state none: there is"
    return f"the table of {ledger.policy.id} ({len(prices.codes)} groups) has"


def _needs_level(ledger: Ledger, has_budget: bool) -> NDArray[np.bool_]:
    """Where a case would be paid another way, or not at all, without its hospital's level."""
    file, terms, prices = ledger.policy.file, ledger.terms, ledger.policy.prices
    if any(band.when.levels for curve in file.curves.values() for band in curve.bands):
        return np.ones(ledger.cases.size, np.bool_)
    keyed = [file.unit_value, file.coefficient.by, file.reference.mean_cost]
    payers = {"employee", "resident", "self", "*"}
    by_level = any(entry is not None and not set(entry.values) <= payers for entry in keyed)
    if prices is not None and (file.relative_value.coefficient_from_table or file.relative_value.standard_from_table):
        by_level = by_level or any(name.startswith(("coef_", "standard_")) for name in prices.numbers)
    unknown = np.isnan(terms.coefficient) | (np.isnan(terms.unit_value) & (not has_budget))
    return np.asarray(unknown & by_level)


def _close(ledger: Ledger) -> None:
    """Add the exempt part; cases with a fault, or whose unit value stayed unknown, are unpaid."""
    ledger.amount = np.where(ledger.amount != MISSING, ledger.amount + ledger.extra, ledger.amount)
    unpriced = (ledger.amount == MISSING) & (ledger.cases.faults < 0)
    ledger.cases.fault(
        "settle-no-unit-value", unpriced, "no unit value follows from the budget", "give a budget for this payer"
    )
    at_fault = ledger.cases.faults >= 0
    for number, words in enumerate(ledger.cases.fault_words):
        ledger.decide(ledger.cases.faults == number, CaseClass.UNPAID, f"not paid: {words}")
    ledger.amount[at_fault] = MISSING
    ledger.units[at_fault] = np.nan


def _fund_payment(ledger: Ledger) -> NDArray[np.int64]:
    """What the fund pays: amount less the shares of patient and other funds, or the ratio variant; see ``PatientShare``."""
    spec, money = ledger.policy.file.patient_share, ledger.cases.money
    paid = ledger.amount != MISSING
    if spec.mode.value == "ratio":
        left = ledger.amount - _known(money["own_pay"]) - _known(money["pre_pay"]) - _known(money["deductible"])
        ratio = ledger.resolver.keyed(spec.benefit_ratio)
        result, close = round_floats(np.where(paid, left, 0) * ratio)
        for place in np.flatnonzero(close & paid):
            result[place] = round_half_away(exact(int(left[place])) * exact(float(ratio[place])))
        missing = paid & np.isnan(ratio)
        ledger.cases.warn("settle-missing-benefit-ratio", missing, "no benefit ratio is known; no fund payment is given")
        paid = paid & ~missing
    else:
        if "patient_paid" not in ledger.cases.present:
            ledger.cases.warn(
                "settle-no-patient-share", int(paid.sum()), "no column patient_paid: the fund is taken to pay the whole amount",
                "state patient_paid (yuan)",
            )  # fmt: skip
        else:
            blank = paid & (money["patient_paid"] == MISSING)
            ledger.cases.warn("settle-blank-patient-share", blank, "patient_paid is blank and counts as 0")
        result = ledger.amount - _known(money["patient_paid"]) - _known(money["other_paid"])
    if spec.floor_at_zero.value:
        result = np.maximum(result, 0)
    result = np.where(ledger.is_class(CaseClass.SELF_PAY), 0, result)
    result = np.where(ledger.fixed_fund != MISSING, ledger.fixed_fund, result)
    return np.where(paid, result, MISSING)


def _known(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(amounts == MISSING, 0, amounts)


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _dictionary(ids: NDArray[np.integer], values: list[str]) -> pa.DictionaryArray:
    indices = pa.array(ids.astype(np.int32), mask=ids < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
