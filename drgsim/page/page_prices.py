"""What a policy pays, as data for a page: the terms of every group, level and payer in exact decimals, and the curves.

The policy itself is asked, with one made-up case for each group, level and payer; a page then walks the same curve
with fractions. Rules that look at more than one case, or at what a page does not ask for, are named in ``left_out``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.parameters.evidence import Keyed
from drgsim.payment.case_class import CASE_CLASS_ZH, CLASSES
from drgsim.payment.case_terms import Terms, by_combination
from drgsim.payment.curve import ResolvedCurve
from drgsim.payment.curve_expression import TERMS, Polynomial
from drgsim.payment.grouped_cases import read_cases
from drgsim.payment.ledger import OPEN, Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.payment_curve import refuse_without_level
from drgsim.payment.rules.rule_list import RULES, walk
from drgsim.payment.rules.settlement_rule import Stage
from drgsim.payment.settlement import opened
from drgsim.records.vocabulary import INSURANCES, LEVELS, is_level_key

# made-up bills (fen) and stays (neither short nor long): they tell a fixed amount, a share of the bill and a price per day
BILLS = ((10_000_00, 10), (20_000_00, 10), (10_000_00, 20))
AGE = 40
# rules that a page follows; it says of every other one that the policy has that it does not
FOLLOWED = {
    "dates_in_force", "self_pay", "by_item", "simulated_payment", "no_group", "group_classes", "long_stay", "payment_curve",
    "chosen_groups", "single_disease", "per_diem", "daily_value",
}  # fmt: skip
_BASE = {"columns", "method", "relative_value", "unit_value", "coefficient", "reference", "group_classes", "curves"}


def page_prices(policy: Policy, groups: Iterable[str]) -> dict[str, Any]:
    """The prices of a policy for some groups, as JSON can hold them.

    Parameters
    ----------
    groups
        Codes of the groups (or kinds) that the page can find; the codes of no group are added.

    Returns
    -------
    dict
        ``levels`` and ``insurances`` to choose from; ``groups`` code -> the entry of each choice (or one for all); ``entries``,
        see :func:`_entry`; ``curves``, see :func:`_curve`; ``long_days``, ``short_days``; ``ages`` factors; ``left_out`` rules.

    Raises
    ------
    UsageError
        ``page-policy-of-cases``: what the policy pays follows from other cases (``by_combination``) or from the past;
        ``page-policy-without-groups``: it pays no groups.
    """
    _refuse(policy)
    levels, codes = _levels(policy), list(dict.fromkeys([*groups, "", "0000"]))
    insurances = list(INSURANCES)
    choices = list(product(levels, insurances))
    asked = [(code, level, payer) for code in codes for level, payer in choices]
    ledger = _settled(policy, asked)
    entries: dict[str, int] = {}
    listed: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    for number, code in enumerate(codes):
        own = []
        for choice in range(len(choices)):
            entry = _entry(ledger, number * len(choices) + choice, len(asked))
            key = repr(sorted(entry.items()))
            if key not in entries:
                entries[key] = len(listed)
                listed.append(entry)
            own.append(entries[key])
        found[code] = own[0] if len(set(own)) == 1 else own
    file = policy.file
    return {
        "id": policy.id,
        "title": {"zh": file.title_zh, "en": file.title},
        "digest": policy.digest,
        "method": file.method,
        "unit": file.relative_value.unit,
        "levels": levels,
        "insurances": insurances,
        "groups": found,
        "entries": listed,
        "curves": [_curve(curve) for curve in ledger.lookup.book.rows],
        "classes": {str(name): words for name, words in CASE_CLASS_ZH.items()},
        "long_days": _days(file.stays.long_days),
        "short_days": _days(file.stays.short_days),
        "ages": [[_decimal(entry.age_below), _decimal(entry.value)] for entry in file.age_factors],
        "left_out": left_out(policy),
        "assumptions": [f"{parameter.path}: {parameter.note or parameter.unit}" for parameter in policy.assumptions],
    }


def _refuse(policy: Policy) -> None:
    file = policy.file
    of_past = [name for name, there in (("members", file.members), ("group_selection", file.group_selection)) if there]
    of_past += ["unit_value_from_history"] if file.unit_value_from_history is not None and file.unit_value is None else []
    if not file.by_groups:
        what = text("{policy} pays no groups, and a page has nothing to show of it", policy=policy.id)
        raise UsageError([Problem("page-policy-without-groups", what, fix=text("choose a policy that pays by groups"))])
    cases = read_cases(pa.table({"unit": ["-"], "total_cost": [1.0]}), None, file.method)
    if of_past or not by_combination(policy, cases):
        what = text("what {policy} pays follows from many cases, and a page sees one at a time", policy=policy.id)
        why = text("its sections {sections}", sections=", ".join(of_past or ["reference", "group_classes"]))
        fix = text("settle a file with it (drgsim settle), or choose another policy")
        raise UsageError([Problem("page-policy-of-cases", what, why=why, fix=fix)])


def left_out(policy: Policy) -> list[dict[str, str]]:
    """Rules that the policy has and a page does not follow, with the section that states them."""
    file, found = policy.file, []
    for rule in RULES:
        if rule.name in FOLLOWED:
            continue
        sections = [name for name in rule.reads if name not in _BASE]
        stated = [name for name in sections if getattr(file, name, None) not in (None, ())]
        if rule.name == "incomplete_stay":
            stated = ["stays"] if file.stays.incomplete_curve is not None else []
        if stated:
            found.append({"name": rule.name, "en": rule.title, "zh": rule.title_zh})
    return found


# -- made-up cases ---------------------------------------------------------------------------------------------------------
def _levels(policy: Policy) -> list[str]:
    """Levels and classes of hospitals that the policy tells apart, after the blank one and the three usual ones."""
    file = policy.file
    keyed = [file.unit_value, file.coefficient.by, file.reference.mean_cost]
    keyed += [getattr(entry, "unit_value", None) for entry in file.group_classes.values()]
    words = [key.partition("/")[0] for each in keyed if isinstance(each, Keyed) for key in each.values]
    words += [level for curve in file.curves.values() for band in curve.bands for level in band.when.levels or ()]
    if file.hospital_classes is not None:
        words += file.hospital_classes.values.values()
    if policy.prices is not None:
        words += [part for name in policy.prices.numbers for part in name.split("_")[1:]]
    own = sorted({word for word in words if is_level_key(word) and word not in LEVELS})
    return ["", *(level for level in LEVELS if level != "0"), *own]


def _settled(policy: Policy, asked: list[tuple[str, str, str]]) -> Ledger:
    """The ledger of the made-up cases up to the curve: each once for every one of :data:`BILLS`."""
    start = policy.file.effective_from or date(2026, 12, 31)
    rows = [(*one, cost / 100, float(days)) for cost, days in BILLS for one in asked]
    codes, levels, payers, costs, stays = zip(*rows, strict=True)
    plain = [level if level in LEVELS else "" for level in levels]
    table = pa.table({
        "unit": pa.array(codes), "hospital_level": pa.array(plain),
        "hospital_grade": pa.array([level if level not in LEVELS else "" for level in levels]),
        "insurance": pa.array(payers), "total_cost": pa.array(costs, pa.float64()),
        "los_days": pa.array(stays), "age": pa.array(np.full(len(rows), float(AGE))),
        "discharged": pa.array([start + timedelta(days=30)] * len(rows)),
    })  # fmt: skip
    ledger = opened(policy, read_cases(table, None, policy.file.method), unstable="never")
    walk(ledger, Stage.BEFORE_CURVE)
    asked_for = ledger.terms  # a unit value that a page asks for is no reason to refuse a case
    ledger.terms = replace(asked_for, unit_value=np.nan_to_num(asked_for.unit_value, nan=1.0))
    refuse_without_level(ledger)
    ledger.terms = asked_for
    return ledger


def _entry(ledger: Ledger, place: int, size: int) -> dict[str, Any]:
    """What one group, level and payer is paid by.

    Either ``pays``: ``share`` (of the bill, a decimal) or ``fixed`` (fen), with ``class`` and ``rule``; or ``refused``: why
    nothing is paid; or the terms of a curve: ``row``, and as decimals ``value``, ``k``, ``factor``, ``auxiliary``,
    ``unit_value`` or ``published`` standard (yuan; neither where a page has to ask for the unit value), and ``mean`` (yuan),
    ``per_weight`` with ``scale``, or neither where the mean is the price.
    """
    fault = int(ledger.cases.faults[place])
    if fault >= 0:
        return {"refused": str(ledger.cases.fault_words[fault])}
    if ledger.case_class[place] != OPEN:
        return _decided(ledger, place, size)
    if ledger.cases.flags["per_diem"][place]:
        return {"refused": "per_diem"}
    terms = ledger.terms
    if np.isnan(terms.relative_value[place]) or terms.row[place] < 0:
        return {"refused": "no_value"}
    if terms.coefficient[place] <= 0:
        return {"refused": "no_coefficient"}
    return _terms(ledger, terms, place)


def _terms(ledger: Ledger, terms: Terms, place: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "row": int(terms.row[place]), "value": _decimal(terms.relative_value[place]),
        "k": None if np.isnan(terms.coefficient[place]) else _decimal(terms.coefficient[place]),
        "factor": _decimal(terms.factor[place]), "auxiliary": _decimal(terms.auxiliary[place]),
    }  # fmt: skip
    if not np.isnan(terms.published[place]):
        entry["published"] = _decimal(terms.published[place])
    elif not np.isnan(terms.unit_value[place]):
        entry["unit_value"] = _decimal(terms.unit_value[place])
    if not np.isnan(terms.mean_per_weight[place]):
        entry["per_weight"] = _decimal(terms.mean_per_weight[place])
        entry["scale"] = _decimal(ledger.policy.file.relative_value.scale.value)
    elif not terms.priced_mean[place]:
        if np.isnan(terms.mean[place]):
            return {"refused": "no_mean"}
        entry["mean"] = _decimal(terms.mean[place])
    return entry


def _decided(ledger: Ledger, place: int, size: int) -> dict[str, Any]:
    """A case that a rule before the curve decided: the same amount for all bills, or the same share of them."""
    amounts = [int(ledger.amount[place + size * bill]) for bill in range(len(BILLS))]
    words = {"class": str(CLASSES[ledger.case_class[place]]), "rule": ledger.rules[ledger.rule[place]]}
    if MISSING in amounts:
        return {"refused": words["rule"]}
    if amounts[0] != amounts[2]:
        return {"refused": "per_diem"}
    if amounts[0] == amounts[1]:
        return {"pays": "fixed", "fen": amounts[0], **words}
    shares = {Fraction(amount, cost) for amount, cost in zip(amounts, (cost for cost, _ in BILLS), strict=True)}
    if len(shares) != 1:
        return {"refused": words["rule"]}
    share = shares.pop()
    return {"pays": "share", "share": f"{share.numerator}/{share.denominator}", **words}


# -- curves ----------------------------------------------------------------------------------------------------------------
def _curve(curve: ResolvedCurve) -> dict[str, Any]:
    """A curve: whether its ratio divides by the coefficient, and its pieces with exact limits and terms.

    A piece has ``class``, ``upper`` (a fraction, None without an end), ``closed``, ``terms`` and ``cap`` (fractions in the
    order of :data:`~drgsim.payment.curve_expression.TERMS`; None: the actual cost, no cap) and ``rule`` in words.
    """
    return {
        "name": curve.name,
        "with_k": curve.with_coefficient,
        "pieces": [
            {
                "class": str(piece.case_class), "upper": None if piece.upper is None else _fraction(piece.upper),
                "closed": piece.closed, "terms": _polynomial(piece.terms), "cap": _polynomial(piece.cap), "rule": piece.rule,
            }
            for piece in curve.pieces
        ],
    }  # fmt: skip


def _polynomial(terms: Polynomial | None) -> list[str] | None:
    return None if terms is None else [_fraction(terms.get(powers, Fraction(0))) for powers in TERMS]


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _decimal(value: Any) -> str:
    return repr(float(value))


def _days(limit: Any) -> str | None:
    return None if limit is None else _decimal(limit.value)
