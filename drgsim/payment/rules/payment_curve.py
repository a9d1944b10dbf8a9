"""The payment curve (支付曲线): what every case is paid that no rule before it has decided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import BY_CURVE, Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage
from drgsim.payment.unit_value import doubt_payer


def settle_by_curve(ledger: Ledger) -> None:
    """Refuse cases for which the policy lacks a value, and pay the others."""
    check_terms(ledger)
    where = ledger.open_cases.copy()
    ledger.apply_curve(where)
    _tell_nothing_paid(ledger, where)


def _tell_nothing_paid(ledger: Ledger, where: Mask) -> None:
    """Say where the formula of a piece comes to less than 0, as just above K with a low coefficient, and pays 0."""
    nothing = where & (ledger.units == 0) & (ledger.cost > 0) & (ledger.terms.relative_value > 0) & (ledger.terms.factor > 0)
    what = "the formula of the payment curve comes to 0 or less for the cost, and the case is paid 0"
    fix = "check the coefficient and the curve (drgsim policy plot NAME -k COEFFICIENT)"
    ledger.cases.warn("settle-below-zero", nothing, what, fix, sample=ledger.cases.hospital.sample(nothing))


def check_terms(ledger: Ledger) -> None:
    """Report the cases for which the policy lacks a value that the curve needs."""
    cases, terms, has_budget = ledger.cases, ledger.terms, bool(ledger.pot)
    sample = cases.unit.sample
    missing = ledger.open_cases & np.isnan(terms.relative_value)
    cases.fault(
        "settle-missing-weight", missing, f"{_what_lacks(ledger)} no relative value for the group",
        f"check that the cases were grouped by {ledger.policy.file.scheme or 'the scheme of the policy'}; or give values of "
        f"your own: {_OWN_VALUES[ledger.policy.file.relative_value.unit == 'score']}", sample=sample(missing),
    )  # fmt: skip
    _tell_assumed_class(ledger)
    refuse_without_level(ledger)
    if not has_budget:
        missing = ledger.open_cases & np.isnan(terms.unit_value)
        cases.fault(
            "settle-missing-unit-value", missing,
            "the policy states no unit value for this payer and hospital level",
            "give a budget (the point value follows from it), or set unit_value",
            sample=", ".join(sorted({str(ledger.lookup.keys[place]) for place in ledger.lookup.combination[missing]})),
        )  # fmt: skip
    doubt_payer(ledger)
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


def _tell_assumed_class(ledger: Ledger) -> None:
    """Say where only the level of a hospital is known and the policy goes by classes of its own."""
    stated, cases = ledger.policy.file.hospital_classes, ledger.cases
    if stated is None:
        return
    classes = set(stated.values.values())
    taken = [bool(set(keys) & set(stated.values)) and not set(keys) & classes for keys in cases.levels]
    where = ledger.open_cases & np.array(taken or [False])[cases.level]
    cases.warn(
        "settle-assumed-class", where, "the policy goes by hospital classes of its own, and only the level is known; taken are "
        + ", ".join(f"{name} for level {level}" for level, name in stated.values.items()),
        "state the class of the hospital as hospital_grade (or grade in hospitals.csv)", sample=cases.hospital.sample(where),
    )  # fmt: skip


def refuse_without_level(ledger: Ledger) -> None:
    """Refuse cases that would be paid by a level that is not known: they share in no budget either."""
    cases = ledger.cases
    no_level = np.array([not keys for keys in cases.levels] or [True])[cases.level]
    level_decides = ledger.open_cases & no_level & _needs_level(ledger) & ~np.isnan(ledger.terms.relative_value)
    cases.fault(
        "settle-missing-level", level_decides, "the policy pays by hospital level, and the level of the hospital is not known",
        "state hospital_level (1, 2, 3) in the cases or level in hospitals.csv", sample=cases.hospital.sample(level_decides),
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


def _needs_level(ledger: Ledger) -> NDArray[np.bool_]:
    """Where a case would be paid another way, or not at all, without its hospital's level."""
    file, terms, prices = ledger.policy.file, ledger.terms, ledger.policy.prices
    if any(band.when.levels for curve in file.curves.values() for band in curve.bands):
        return np.ones(ledger.cases.size, np.bool_)
    keyed = [file.unit_value, file.coefficient.by, file.reference.mean_cost]
    payers = {"employee", "resident", "self", "*"}
    by_level = any(entry is not None and not set(entry.values) <= payers for entry in keyed)
    if prices is not None and (file.relative_value.coefficient_from_table or file.relative_value.standard_from_table):
        by_level = by_level or any(name.startswith(("coef_", "standard_")) for name in prices.numbers)
    unknown = np.isnan(terms.coefficient) | (np.isnan(terms.unit_value) & (not ledger.pot))
    return np.asarray(unknown & by_level)


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """The quick way goes through the same kernel with the terms of each combination."""
    return Repricing.AGAIN


RULE = Rule(
    "payment_curve", "payment curve", "支付曲线", Stage.CURVE, settle_by_curve,
    reads=("curves", "relative_value", "unit_value", "coefficient", "reference", "group_classes", "age_factors"),
    columns=("hospital_id", "hospital_level", "insurance", "age"), classes=BY_CURVE, repricing=_repricing,
)  # fmt: skip
