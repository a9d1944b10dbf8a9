"""The payment curve (支付曲线): what every case is paid that no rule before it has decided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.language import joined, text
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
    what = text("the formula of the payment curve comes to 0 or less for the cost, and the case is paid 0")
    fix = text("check the coefficient and the curve (drgsim policy plot NAME -k COEFFICIENT)")
    ledger.cases.warn("settle-below-zero", nothing, what, fix, sample=ledger.cases.hospital.sample(nothing))


def check_terms(ledger: Ledger) -> None:
    """Report the cases for which the policy lacks a value that the curve needs."""
    cases, terms, has_budget = ledger.cases, ledger.terms, bool(ledger.pot)
    sample = cases.unit.sample
    missing = ledger.open_cases & np.isnan(terms.relative_value)
    cases.fault(
        "settle-missing-weight",
        missing,
        _what_lacks(ledger),
        text(
            "check that the cases were grouped by {scheme}; or give values of your own: {commands}",
            scheme=ledger.policy.file.scheme or text("the scheme of the policy"),
            commands=_OWN_VALUES[ledger.policy.file.relative_value.unit == "score"],
        ),
        sample=sample(missing),
    )
    _tell_assumed_class(ledger)
    refuse_without_level(ledger)
    if not has_budget:
        missing = ledger.open_cases & np.isnan(terms.unit_value)
        cases.fault(
            "settle-missing-unit-value", missing,
            text("the policy states no unit value for this payer and hospital level"),
            text("give a budget (the point value follows from it), or set unit_value"),
            sample=", ".join(sorted({str(ledger.lookup.keys[place]) for place in ledger.lookup.combination[missing]})),
        )  # fmt: skip
    doubt_payer(ledger)
    cases.fault(
        "settle-missing-coefficient", ledger.open_cases & ~(terms.coefficient > 0),
        text("no coefficient of the hospital is known"), text("state coefficient in hospitals.csv or in the cases"),
    )  # fmt: skip
    cases.fault(
        "settle-missing-mean",
        ledger.open_cases & ~(terms.mean > 0),
        text("no mean cost of the group is known to compare the cost with"),
        text("state group_mean_cost, or reference.mean_cost"),
    )
    cases.fault(
        "settle-no-band", ledger.open_cases & (terms.row < 0), text("no band of the payment curve fits the case"),
        text("let the last band of the curve state no condition"),
    )  # fmt: skip


def _tell_assumed_class(ledger: Ledger) -> None:
    """Say where only the level of a hospital is known and the policy goes by classes of its own."""
    stated, cases = ledger.policy.file.hospital_classes, ledger.cases
    if stated is None:
        return
    classes = set(stated.values.values())
    taken = [bool(set(keys) & set(stated.values)) and not set(keys) & classes for keys in cases.levels]
    where = ledger.open_cases & np.array(taken or [False])[cases.level]
    taken_as = joined(
        text(", "), (text("{name} for level {level}", name=name, level=level) for level, name in stated.values.items())
    )
    cases.warn(
        "settle-assumed-class",
        where,
        text(
            "the policy goes by hospital classes of its own, and only the level is known; taken are {classes}", classes=taken_as
        ),
        text("state the class of the hospital as hospital_grade (or grade in hospitals.csv)"),
        sample=cases.hospital.sample(where),
    )


def refuse_without_level(ledger: Ledger) -> None:
    """Refuse cases that would be paid by a level that is not known: they share in no budget either."""
    cases = ledger.cases
    no_level = np.array([not keys for keys in cases.levels] or [True])[cases.level]
    level_decides = ledger.open_cases & no_level & _needs_level(ledger) & ~np.isnan(ledger.terms.relative_value)
    cases.fault(
        "settle-missing-level",
        level_decides,
        text("the policy pays by hospital level, and the level of the hospital is not known"),
        text(
            "state hospital_level (1, 2, 3) in the cases or level in hospitals.csv, or give --level 3 for a file of one "
            "hospital"
        ),
        sample=cases.hospital.sample(level_decides),
    )


_OWN_VALUES = (
    text("drgsim weights HISTORY --output w, then drgsim settle ... --weights w"),
    text("drgsim dip build HISTORY --output catalogue, then drgsim settle ... --weights catalogue"),
)


def _what_lacks(ledger: Ledger) -> str:
    prices = ledger.policy.prices
    if prices is None:
        return text(
            "{policy} publishes no table of groups and the cases state none: there is no relative value for the group",
            policy=ledger.policy.id,
        )
    return text(
        "the table of {policy} ({count} groups) has no relative value for the group",
        policy=ledger.policy.id,
        count=len(prices.codes),
    )


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
