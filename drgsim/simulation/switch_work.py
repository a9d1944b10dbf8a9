"""What to do before the switch (切换前工作清单): the records and codes that lose or gain, by department, with the rule.

An entry is a case and a rule of :data:`drgsim.simulation.switch_rules.RULES`; a case may have several. Money is what the
payment of the case changes by, whatever else moves it; ``at_stake`` is what a field that is not filled would be worth.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, MISSING, money_column
from drgsim.payment.case_columns import Texts
from drgsim.records.arrow import one_chunk
from drgsim.records.case_table import as_case_table
from drgsim.records.code_dictionaries import EMPTY, OWN_VERSION, CodeList
from drgsim.records.encode import EncodedLists, encode_lists
from drgsim.records.input_options import GROUPING, InputOptions
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.switch_causes import AMBIGUOUS, GROUP, NONE, Causes, renamed, severity_of, tests_age
from drgsim.simulation.switch_rules import RULES, FieldSplit, field_splits
from drgsim.simulation.switch_sides import SwitchSide
from drgsim.units.batch_grouper import SEVERITIES
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import Rule, print_rule
from drgsim.units.schemes.scheme import Scheme

Places = NDArray[np.int64]
MOST_OF_RULE = 160  # letters of a rule that an entry shows
_WIDTH = 1 << 32  # of the second part of a pair of code ids


class _Entries(NamedTuple):
    """Cases to which a rule applies, each with the place of its code and detail among the texts."""

    rule: str
    cases: Places
    text: NDArray[np.int64]
    texts: list[tuple[str, str, str]]  # code, its name, what is the matter in detail
    stake: NDArray[np.int64] | None = None  # fen


@dataclass(frozen=True)
class WorkEntries:
    """All entries, one place for each case and rule.

    Attributes
    ----------
    case, rule, text
        Place of the case, of the rule in :data:`RULES`, and of the texts.
    texts
        Code, name and detail.
    stake
        Fen, :data:`drgsim.money.MISSING` where a rule has none.
    """

    case: Places
    rule: NDArray[np.int64]
    text: Places
    texts: list[tuple[str, str, str]]
    stake: NDArray[np.int64]


def work_entries(sides: tuple[SwitchSide, SwitchSide], causes: Causes, table: pa.Table) -> WorkEntries:
    """Find everything; ``table`` holds the year's discharges in the order of the cases."""
    rules, places, kinds, numbers, stakes = list(RULES), [], [], [], []
    every: dict[tuple[str, str, str], int] = {}
    for found in _found(sides, causes, table):
        texts = np.array([every.setdefault(text, len(every)) for text in found.texts], np.int64)
        places.append(found.cases)
        kinds.append(np.full(found.cases.size, rules.index(found.rule)))
        numbers.append(texts[found.text] if found.cases.size else np.zeros(0, np.int64))
        stakes.append(np.full(found.cases.size, MISSING) if found.stake is None else found.stake)
    case, rule, text, stake = (np.concatenate([np.zeros(0, np.int64), *parts]) for parts in (places, kinds, numbers, stakes))
    return WorkEntries(case, rule, text, list(every), stake)


def _found(sides: tuple[SwitchSide, SwitchSide], causes: Causes, table: pa.Table) -> Iterator[_Entries]:
    was, now = causes.states
    diagnosis = sides[1].lines.state.cohort.diagnosis
    scheme = None if sides[1].choice.dip else load_scheme(sides[1].choice.unit)
    names = _names(scheme.book.diagnoses) if scheme is not None else {}
    reason = _reasons(sides[1])
    for rule, where in (
        ("principal_without_group", (was == GROUP) & (now == NONE)), ("ambiguous", (was == GROUP) & (now == AMBIGUOUS)),
        ("found_group", (was != GROUP) & (now == GROUP)),
    ):  # fmt: skip
        yield _by_texts(rule, where & causes.moved, diagnosis, reason, names)
    if scheme is None or sides[0].choice.dip:
        return
    before = load_scheme(sides[0].choice.unit)
    plain = (was == GROUP) & (now == GROUP) & causes.moved
    first, second = (side.lines.state.cohort for side in sides)
    mdc = _pairs(first.mdc, second.mdc, rules={each.code: each.rule for each in scheme.mdcs})
    adrg = _pairs(first.adrg, second.adrg, renamed(sides, "adrg"), {code: each.rule for code, each in scheme.adrgs.items()})
    other_mdc, other_adrg = mdc.ids >= 0, adrg.ids >= 0
    yield _by_texts("mdc", plain & other_mdc, diagnosis, mdc, names)
    yield _by_texts("adrg", plain & other_adrg & ~other_mdc, diagnosis, adrg, names)
    yield from _severities(sides, plain & ~other_mdc & ~other_adrg, (before, scheme), table)
    yield from _ages(sides, plain, scheme)
    for split in field_splits(before, scheme):
        yield _unfilled(split, sides[1], names)


def _names(codes: CodeList) -> dict[str, str]:
    return dict(zip(codes.codes, codes.names, strict=True))


def _reasons(side: SwitchSide) -> Texts:
    """Why a case has no plain group, as numbered texts."""
    cohort = side.lines.state.cohort
    return cohort.verdict.get("reason", Texts(np.full(cohort.size, -1, np.int32), []))


def _pairs(
    first: Texts, second: Texts, same: Container[tuple[str, str]] = (), rules: Mapping[str, Rule] | None = None
) -> Texts:
    """``old → new: rule of new`` where two texts differ and both are there, -1 elsewhere, and where they are ``same``."""
    at = {text: number for number, text in enumerate(first.values)}
    translated = np.array([at.get(text, -2) for text in second.values] + [-1], np.int64)[second.ids]
    where = (first.ids >= 0) & (second.ids >= 0) & (translated != first.ids)
    width = len(second.values) + 1
    keys, inverse = np.unique(np.where(where, first.ids.astype(np.int64) * width + second.ids, -1), return_inverse=True)
    pairs = [(first.values[key // width], second.values[key % width]) if key >= 0 else ("", "") for key in keys.tolist()]
    kept = [key >= 0 and pair not in same for key, pair in zip(keys.tolist(), pairs, strict=True)]
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    texts = [f"{old} → {new}{_rule((rules or {}).get(new))}" for (old, new), keep in zip(pairs, kept, strict=True) if keep]
    return Texts(place[inverse].astype(np.int32), texts)


def _rule(rule: Rule | None) -> str:
    """A rule in the national language, cut where it is long."""
    text = print_rule(rule) if rule is not None else ""
    return f": {text[:MOST_OF_RULE]}{'…' if len(text) > MOST_OF_RULE else ''}" if text else ""


def _by_texts(rule: str, where: NDArray[np.bool_], code: Texts, detail: Texts, names: dict[str, str]) -> _Entries:
    """Cases of a rule with the code that they have and the detail."""
    cases = np.flatnonzero(where)
    width = len(detail.values) + 1
    keys, text = np.unique((code.ids[cases].astype(np.int64) + 1) * width + detail.ids[cases] + 1, return_inverse=True)
    codes, details = ["", *code.values], ["", *detail.values]
    texts = [(codes[key // width], names.get(codes[key // width], ""), details[key % width]) for key in keys.tolist()]
    return _Entries(rule, cases, text, texts)


# -- severity ----------------------------------------------------------------------------------------------------------
def _severities(
    sides: tuple[SwitchSide, SwitchSide], where: NDArray[np.bool_], schemes: tuple[Scheme, Scheme], table: pa.Table
) -> Iterator[_Entries]:
    """Cases whose severity differs, with the other diagnosis that makes the difference: the first of them."""
    levels = [severity_of(side.lines.state.cohort) for side in sides]
    cases = np.flatnonzero(where & (levels[0] != levels[1]))
    read = as_case_table(table.take(pa.array(cases)), InputOptions(), GROUPING).table  # codes in columns of any layout
    column = one_chunk(read, "diagnoses")
    lists = encode_lists(column, DrgGrouper(schemes[1], OWN_VERSION).compiled.diagnoses)
    record, pair, found = _code_pairs(lists)
    codes = schemes[1].book.diagnoses.codes
    effective = np.array([[_level(scheme, codes, key) for key in found.tolist()] for scheme in schemes], np.int8)
    effective = effective.reshape(2, len(found))
    names = _names(schemes[1].book.diagnoses)
    lost = levels[1][cases] < levels[0][cases]
    for of_loss in (True, False):
        high, low = (0, 1) if of_loss else (1, 0)
        counts = effective[high][pair] == levels[high][cases][record]
        decides = counts & (effective[low][pair] < effective[high][pair]) & (lost[record] == of_loss)
        records, first = np.unique(record[decides], return_index=True)
        pairs = pair[decides][first]
        yield from _by_pairs(cases[records], pairs, found, schemes, codes, names, of_loss)


def _code_pairs(lists: EncodedLists) -> tuple[Places, Places, Places]:
    """Record and number of each pair of principal and other diagnosis, and the pairs as one number each."""
    counts = np.diff(lists.offsets)
    record = np.repeat(np.arange(counts.size), counts)
    principal = lists.ids[lists.offsets[:-1][record]] if record.size else np.zeros(0, np.int32)
    other = np.ones(record.size, np.bool_)
    other[lists.offsets[:-1][counts > 0]] = False
    other &= (lists.ids >= 0) & (principal != EMPTY)
    keys = (principal[other].astype(np.int64) + 2) * _WIDTH + lists.ids[other]
    found, pair = np.unique(keys, return_inverse=True)
    return record[other], pair, found


def _level(scheme: Scheme, codes: tuple[str, ...], key: int) -> int:
    """What an other diagnosis counts for beside a principal one: 0, 1 CC, 2 MCC."""
    principal, other = key // _WIDTH - 2, codes[key % _WIDTH]
    entry = scheme.severities.get(other)
    if entry is None:
        return 0
    excluded = principal >= 0 and codes[principal] in scheme.exclusions.get(entry.exclusion, frozenset())
    return 0 if excluded else SEVERITIES.index(entry.level)


def _by_pairs(
    cases: Places, pairs: Places, found: Places, schemes: tuple[Scheme, Scheme], codes: tuple[str, ...],
    names: dict[str, str], of_loss: bool,
) -> Iterator[_Entries]:  # fmt: skip
    """Entries of cases by the code that decides, apart for levels and for exclusions."""
    kept, text = np.unique(pairs, return_inverse=True)
    texts, excluded = [], []
    for key in found[kept].tolist():
        code = codes[key % _WIDTH]
        entries = [scheme.severities.get(code) for scheme in schemes]
        words = [entry.level if entry is not None else "–" for entry in entries]
        by_exclusion = of_loss and words[0] == words[1]
        texts.append(
            (code, names.get(code, ""), f"{words[0]} → {words[1]}" if not by_exclusion else f"{words[0]} excluded 被排除")
        )
        excluded.append(by_exclusion)
    out = np.array(excluded, np.bool_)[text] if cases.size else np.zeros(0, np.bool_)
    rules = (("severity_level", ~out), ("severity_excluded", out)) if of_loss else (("severity_gained", ~out),)
    for rule, mine in rules:
        yield _Entries(rule, cases[mine], text[mine], texts)


# -- fields ------------------------------------------------------------------------------------------------------------
def _ages(sides: tuple[SwitchSide, SwitchSide], plain: NDArray[np.bool_], scheme: Scheme) -> Iterator[_Entries]:
    """Cases that are split off by age now, and cases without an age where their ADRG is split by it."""
    unit, age = sides[1].lines.state.cohort.cases.unit, sides[1].lines.cases.numbers["age"]
    split, asks = [], []
    for code in unit.values:
        drg = scheme.drgs.get(code)
        split.append(drg is not None and tests_age(drg.rule))
        asks.append(drg is not None and any(tests_age(each.rule) for each in scheme.adrgs[drg.adrg].drgs))
    drgs = scheme.drgs
    texts = [(code, drgs[code].name, _rule(drgs[code].rule)[2:]) if code in drgs else (code, "", "") for code in unit.values]
    for rule, where in (
        ("age", plain & np.array([*split, False])[unit.ids]),
        ("age_missing", np.isnan(age) & np.array([*asks, False])[unit.ids]),
    ):
        cases = np.flatnonzero(where)
        yield _Entries(rule, cases, unit.ids[cases].astype(np.int64), texts)


def _unfilled(split: FieldSplit, side: SwitchSide, names: dict[str, str]) -> _Entries:
    """Cases of the ADRG that a new split leaves behind, with what a filled field would be worth by case."""
    cohort, lines = side.lines.state.cohort, side.lines
    unit = cohort.cases.unit
    in_twin = np.array([code[:3] == split.twin and code != split.group for code in unit.values] + [False])[unit.ids]
    cases = np.flatnonzero(in_twin)
    weight = _weight_of(side, split)
    ledger = lines.settlement.ledger
    worth = weight * ledger.policy.file.relative_value.scale.value - ledger.terms.relative_value[cases]
    worth = worth * ledger.terms.coefficient[cases] * ledger.terms.unit_value[cases] * FEN_PER_YUAN
    stake = np.where(np.isnan(worth), MISSING, np.rint(np.nan_to_num(worth)).astype(np.int64))
    texts = [(split.group, split.name, split.words(names))]
    return _Entries("field", cases, np.zeros(cases.size, np.int64), texts, stake)


def _weight_of(side: SwitchSide, split: FieldSplit) -> float:
    """Weight of the group that a split makes; of an ADRG the mean over its cases; NaN where no case has it."""
    prices = side.lines.pricing.policy.prices
    if prices is None:
        return float("nan")
    values = prices.relative_value[1]
    if split.group in prices.places:
        return float(values[prices.places[split.group]])
    unit, weight = side.lines.state.cohort.cases.unit, side.lines.weight
    of_group = np.array([code[:3] == split.group for code in unit.values] + [False])[unit.ids] & ~np.isnan(weight)
    return round(float(weight[of_group].mean()), 4) if of_group.any() else float("nan")


# -- tables ------------------------------------------------------------------------------------------------------------
def case_columns(sides: tuple[SwitchSide, SwitchSide], causes: Causes, cases: Places) -> dict[str, Any]:
    """What a list of cases says of each: id, hospital, department, both groups, both payments and the change."""
    first, second = (side.lines for side in sides)
    read = first.cases
    payment = [lines.money[Measure.PAYMENT][cases] for lines in (first, second)]
    return {
        "discharge_id": read.ids.take(pa.array(cases)), "hospital_id": _texts(read.hospital, cases),
        "department": _texts(read.department, cases), "from_group": _texts(first.state.cohort.cases.unit, cases),
        "to_group": _texts(second.state.cohort.cases.unit, cases), "from_payment": money_column(payment[0]),
        "to_payment": money_column(payment[1]), "change": money_column(causes.change[cases]),
    }  # fmt: skip


def _texts(texts: Texts, cases: Places) -> pa.Array:
    return pa.array([*texts.values, ""], pa.string()).take(
        pa.array(np.where(texts.ids[cases] < 0, len(texts.values), texts.ids[cases]))
    )


def work_tables(sides: tuple[SwitchSide, SwitchSide], causes: Causes, entries: WorkEntries) -> dict[str, pa.Table]:
    """``work``: by department, rule, code and detail; ``work_cases``: every entry, for the coder."""
    read = sides[0].lines.cases
    rules, words = list(RULES), list(RULES.values())
    sorted_ids = sorted_rows(sides, causes, entries)
    case, rule, text, stake = (values[sorted_ids] for values in (entries.case, entries.rule, entries.text, entries.stake))
    codes = [pa.array([entry[place] for entry in entries.texts], pa.string()).take(pa.array(text)) for place in range(3)]
    cases = pa.table({
        "rule": pa.array(rules).take(pa.array(rule)),
        "rule_zh": pa.array([each.title_zh for each in words]).take(pa.array(rule)),
        **case_columns(sides, causes, case), "code": codes[0], "code_name": codes[1], "detail": codes[2],
        "at_stake": money_column(stake),
    })  # fmt: skip
    department = read.department.ids[case].astype(np.int64) + 1
    hospital = read.hospital.ids[case].astype(np.int64) + 1
    key = ((hospital * (len(read.department.values) + 1) + department) * len(rules) + rule) * max(len(entries.texts), 1) + text
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    count = np.bincount(inverse, minlength=first.size)
    change, at_stake = np.zeros(first.size, np.int64), np.zeros(first.size, np.int64)
    np.add.at(change, inverse, causes.change[case])
    known = stake != MISSING
    np.add.at(at_stake, inverse[known], stake[known])
    has_stake = np.bincount(inverse[known], minlength=first.size) > 0
    work = pa.table({
        "hospital_id": cases["hospital_id"].take(pa.array(first)), "department": cases["department"].take(pa.array(first)),
        "rule": cases["rule"].take(pa.array(first)), "rule_zh": cases["rule_zh"].take(pa.array(first)),
        "code": cases["code"].take(pa.array(first)), "code_name": cases["code_name"].take(pa.array(first)),
        "detail": cases["detail"].take(pa.array(first)), "cases": count, "change": money_column(change),
        "at_stake": money_column(np.where(has_stake, at_stake, MISSING)),
        "todo_zh": pa.array([each.todo_zh for each in words]).take(pa.array(rule[first])),
        "todo": pa.array([each.todo for each in words]).take(pa.array(rule[first])),
    })  # fmt: skip
    order = _ordered(work, -np.abs(change))
    return {"work": work.take(pa.array(order)), "work_cases": cases}


def _ordered(work: pa.Table, size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows by hospital, then the most money, then the texts, so that the order of the cases does not matter."""
    texts = [work[name].to_pylist() for name in ("hospital_id", "department", "rule", "code", "detail")]
    rows = sorted(range(work.num_rows), key=lambda row: (texts[0][row], int(size[row]), *(text[row] for text in texts[1:])))
    return np.array(rows, np.int64)


def sorted_rows(sides: tuple[SwitchSide, SwitchSide], causes: Causes, entries: WorkEntries) -> NDArray[np.int64]:
    """Entries by hospital, rule, the largest loss and the case's own key, so that the order of the cases does not matter."""
    cohort = sides[0].lines.state.cohort
    order = np.argsort(np.argsort(np.array([*cohort.cases.hospital.values, ""])))[cohort.cases.hospital.ids[entries.case]]
    rank = {text: place for place, text in enumerate(sorted(entries.texts))}
    text = np.array([rank[each] for each in entries.texts], np.int64)[entries.text] if entries.texts else entries.text
    return np.lexsort((text, cohort.key[entries.case], causes.change[entries.case], entries.rule, order))
