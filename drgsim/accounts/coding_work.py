"""Records to mend: without a group, ambiguous (QY), with grey or unknown codes, and what would mend them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.hospital_sums import HospitalCases
from drgsim.accounts.listed_cases import dearest_first, listed_columns
from drgsim.accounts.loss_reasons import without_group
from drgsim.accounts.record_texts import in_words, name_of, record_texts
from drgsim.accounts.settled_cases import Mask, SettledCases
from drgsim.language import Text, bilingual, term
from drgsim.money import MISSING, exact_sum, money_column
from drgsim.quality.quality_rules import rules
from drgsim.records.arrow import distinct_texts, ids_of, one_chunk, to_text
from drgsim.records.code_dictionaries import OWN_VERSION, national_codes
from drgsim.records.code_suggestions import MOST_SUGGESTED, specific_codes, suggested_codes

MOST_IDS, MOST_CASES = 5, 200
KINDS: dict[str, Text] = {
    "invalid": term("records to mend", "no rule applies to the record"),
    "ungroupable": term("records to mend", "ungrouped"),
    "ambiguous": term("records to mend", "ambiguous (QY)"),
    "grey": term("records to mend", "grey code"),
    "unknown": term("records to mend", "unknown code"),
}
SAME = {"principal_unknown": "principal_unknown_code", "principal_grey": "principal_grey_code"}  # a reason and its warning


@dataclass(frozen=True)
class CodingWork:
    """What to mend.

    Attributes
    ----------
    kinds
        By kind and finding: ``kind``, ``code``, ``cases``, ``cost``, ``payment``, ``margin`` (yuan), ``samples``.
    cases
        Records without a plain group or with a grey or unknown principal diagnosis, the dearest first: id, department, doctor,
        group, class, ``reason``, ``principal`` and ``procedures`` with their names, ``proposals`` (codes to look at),
        ``checks`` (rules that they break) with ``details``, cost, payment and margin (yuan).
    known
        Whether the file says why a record has no group.
    """

    kinds: pa.Table
    cases: pa.Table
    known: bool


def words_of(code: str) -> tuple[Text, Text]:
    """What a finding means, and what to do about it."""
    rule = rules().get(SAME.get(code, code))
    if rule is None:
        return bilingual(code, code), bilingual("", "")
    return bilingual(rule.title, rule.title_zh), bilingual(rule.fix, rule.fix_zh)


def coding_work(hospital: HospitalCases) -> CodingWork:
    """What is to mend in the records of a hospital."""
    cases = hospital.cases
    known = "status" in cases.table.column_names
    rows, ids = [], ids_of(cases.table)
    for kind, code, where in _found(cases, known):
        mine = np.flatnonzero(where & hospital.own)
        if mine.size:
            paid = mine[cases.margin[mine] != MISSING]
            rows.append((kind, code, int(mine.size), exact_sum(cases.cost[mine][cases.cost[mine] != MISSING]),
                         exact_sum(cases.revenue[paid]), exact_sum(cases.margin[paid]),
                         ", ".join(ids.take(pa.array(mine[:MOST_IDS])).to_pylist())))  # fmt: skip
    texts = {
        name: pa.array([row[place] for row in rows], pa.string()) for name, place in (("kind", 0), ("code", 1), ("samples", 6))
    }
    fen = {name: money_column(np.array([row[place] for row in rows], np.int64))
           for name, place in (("cost", 3), ("payment", 4), ("margin", 5))}  # fmt: skip
    kinds = pa.table({
        "kind": texts["kind"], "code": texts["code"], "cases": pa.array([row[2] for row in rows], pa.int64()), **fen,
        "samples": texts["samples"],
    })  # fmt: skip
    return CodingWork(kinds, _cases(hospital), known)


def _found(cases: SettledCases, known: bool) -> Iterator[tuple[str, str, Mask]]:
    """Kind, finding and cases: first by why there is no plain group, then by grey and unknown codes wherever they stand."""
    if not known:
        yield "ungroupable", "", without_group(cases)
        return
    status, of_status = _words(cases, "status")
    reason, of_reason = _words(cases, "reason")
    for kind in ("invalid", "ungroupable", "ambiguous"):
        in_kind = np.array([word == kind for word in status] + [False])[of_status]
        for place in np.unique(of_reason[in_kind]).tolist():
            yield kind, reason[place] if place < len(reason) else "", in_kind & (of_reason == place)
    warnings, of_warnings = _words(cases, "warnings")
    split = [set(words.split("|")) for words in warnings]
    for code in sorted(set().union(*split)) if split else ():
        kind = "grey" if "grey" in code else "unknown" if "unknown" in code else ""
        if kind and code not in SAME.values():  # what keeps a record from a group is told above
            yield kind, code, np.array([code in words for words in split] + [False])[of_warnings]


def _words(cases: SettledCases, name: str) -> tuple[list[str], NDArray[np.intp]]:
    texts, at = distinct_texts(to_text(one_chunk(cases.table, name), name).cast(pa.string()))
    return [text or "" for text in texts], at


def _cases(hospital: HospitalCases) -> pa.Table:
    """Single records, the dearest first."""
    cases = hospital.cases
    open_cases = hospital.own & without_group(cases)
    if "warnings" in cases.table.column_names:
        words, at = _words(cases, "warnings")
        open_cases |= (
            hospital.own
            & np.array(["principal_grey_code" in text or "principal_unknown" in text for text in words] + [False])[at]
        )
    places = np.flatnonzero(open_cases)
    places = dearest_first(cases, places, np.where(cases.cost[places] == MISSING, MISSING, -cases.cost[places]), MOST_CASES)
    texts = record_texts(cases, places)
    book = national_codes().diagnoses
    taken = cases.table.take(pa.array(places))
    proposals = []
    own = cases.code_version == OWN_VERSION
    for codes in texts.diagnoses:
        first = codes[0][0] if codes and own else ""
        usable = specific_codes(first, book) if first and book.canonical(first) in book.grey else suggested_codes(first, book)
        proposals.append(in_words([(code, name_of(code, "diagnoses")) for code in usable[:MOST_SUGGESTED]]))
    listed = listed_columns(cases, places)
    return pa.table({
        **{name: listed[name] for name in ("discharge_id", "department", "doctor", "group", "case_class")},
        "reason": _column(taken, "reason"),
        "principal": pa.array([in_words(codes[:1]) for codes in texts.diagnoses], pa.string()),
        "procedures": pa.array([in_words(codes) for codes in texts.procedures], pa.string()),
        "proposals": pa.array(proposals, pa.string()),
        "checks": pa.array(["|".join(code for code, _ in checks) for checks in texts.checks], pa.string()),
        "details": pa.array(["|".join(detail for _, detail in checks) for checks in texts.checks], pa.string()),
        **{name: listed[name] for name in ("cost", "payment", "margin")},
    })  # fmt: skip


def _column(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        return pa.array([""] * table.num_rows, pa.string())
    return to_text(one_chunk(table, name), name).cast(pa.string()).fill_null("")
