"""What a coder checks in a record: the choice of principal procedure and diagnosis, the outcome of a delivery, ventilation.

Another choice is tried by grouping the record once more with one code moved to the front, but only where a rule of an
earlier group names that code. No check changes a group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.quality.code_facts import marked_codes
from drgsim.quality.quality_kernel import first_codes
from drgsim.quality.quality_rules import QualityRule, rules, thresholds
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.code_dictionaries import OWN_VERSION, CodeList
from drgsim.records.code_mending import read_codes
from drgsim.records.code_suggestions import specific_codes, suggested_codes
from drgsim.records.encode import EncodedLists
from drgsim.records.findings import BITS
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_kernel import EncodedForDrg, Grouped, group_encoded
from drgsim.units.schemes.rule_lowering import WORD
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme

Texts = Callable[[NDArray[np.int64]], pa.Array]  # row numbers -> what to show beside the columns of the rule
CATCH_ALL = 0.25  # of all procedures that some list holds; ours
MOST_NAMED = 3  # codes or groups that a finding names
# finding of grouping -> list that holds the code, whether it is the principal one, whether it is known (grey)
UNUSABLE = {
    "principal_unknown_code": ("diagnoses", True, False),
    "other_diagnosis_unknown": ("diagnoses", False, False),
    "procedure_unknown": ("procedures", False, False),
    "principal_grey_code": ("diagnoses", True, True),
    "other_diagnosis_grey": ("diagnoses", False, True),
    "principal_procedure_grey": ("procedures", True, True),
    "other_procedure_grey": ("procedures", False, True),
}
_OUTSIDE = BITS["procedure_outside_mdc"]


class RuleHits(NamedTuple):
    """Records of a batch that break a rule: code of the rule, row numbers, and what to show of them (or None)."""

    code: str
    rows: NDArray[np.int64]
    detail: Texts | None


class Grouping(NamedTuple):
    """What grouping said about a batch: DRG row (-1: none) and reason (number in FINDINGS, -1: none)."""

    drg: NDArray[np.int32]
    reason: NDArray[np.int8]


class CodingChecks:
    """Checks of the choice of codes under a scheme.

    Parameters
    ----------
    scheme, compiled
        The scheme that the records are grouped by.
    limit
        Thresholds by name.
    """

    def __init__(self, scheme: Scheme, compiled: CompiledScheme, limit: Mapping[str, float]) -> None:
        self.compiled, self.limit = compiled, limit
        self._book, self._scheme = scheme.book, scheme
        kinds = np.array([scheme.adrgs[code].kind for code in compiled.adrg_codes])
        arrays = compiled.arrays
        # by row, and the row of a DRG; the last entry is no group
        self._by_procedure = np.append(np.isin(kinds, ("surgical", "procedure")), False)
        self._surgical = np.append(kinds == "surgical", False)
        self._plain = np.append(~np.isin(kinds, ("ambiguous", "fallback")), False)
        self._row_of = np.append(arrays.drg_row, -1)
        self._naming = arrays.op_rows_principal & _row_bits(self._by_procedure, arrays.op_rows_principal.shape[1])

    @cached_property
    def _delivery(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Diagnoses and procedures of a delivery, and usable codes of its outcome."""
        outcome = marked_codes(self._book.diagnoses, "outcome_diagnoses")
        outcome[2:] &= [code not in self._book.diagnoses.grey for code in self._book.diagnoses.codes]
        return (
            marked_codes(self._book.diagnoses, "delivery_diagnoses"),
            marked_codes(self._book.procedures, "delivery_procedures"),
            outcome,
        )

    @cached_property
    def _catch_alls(self) -> set[int]:
        """MDCs whose groups name so many procedures that naming one says nothing (burns, trauma, HIV)."""
        arrays = self.compiled.arrays
        size = np.bincount(arrays.op_class, minlength=len(self._naming))
        mdcs = np.unique(arrays.row_mdc)
        own = {mdc: _row_bits(self._by_procedure[:-1] & (arrays.row_mdc == mdc), self._naming.shape[1]) for mdc in mdcs}
        named = {mdc: int(size[(self._naming & bits).any(axis=1)].sum()) for mdc, bits in own.items()}
        return {int(mdc) for mdc, number in named.items() if number > CATCH_ALL * size[1:].sum()}

    @cached_property
    def _ventilation(self) -> dict[str, NDArray[np.bool_]]:
        names = ("ventilation_short", "ventilation_long", "ventilation_any")
        return {name: marked_codes(self._book.procedures, name) for name in names}

    def check(self, batch: pa.RecordBatch, prepared: PreparedBatch, grouping: Grouping) -> Iterator[RuleHits]:
        """Every doubt about the choice of codes in a batch."""
        row = self._row_of[grouping.drg]
        yield from self._principal_procedure(prepared, grouping, row)
        yield from self._outside(prepared, grouping)
        yield from self._deliveries(prepared)
        yield from self._ventilated(batch, prepared)
        yield from self._unusable(batch, prepared)

    # -- another choice --------------------
    def _principal_procedure(self, prepared: PreparedBatch, grouping: Grouping, row: NDArray[np.int32]) -> Iterator[RuleHits]:
        """Another procedure, in the first place, leads to a group by procedure that the scheme tries before the present one."""
        arrays, op = self.compiled.arrays, prepared.procedures
        limit = np.where(self._plain[row], row, len(self.compiled.adrg_codes)).astype(np.int32)
        first = arrays.dx_rows[arrays.dx_class[_first(prepared.diagnoses) + 2]]
        records, places = _candidates(op.ids, op.offsets, arrays.op_class, self._naming, first, limit, prepared.invalid)
        tried = self._moved(prepared, records, places, "procedures")
        now = self._row_of[tried.drg]
        better = self._by_procedure[now] & (now < limit[records])
        records, places, drg, now = records[better], places[better], tried.drg[better], now[better]
        order = np.lexsort((now, records))
        rows, best = np.unique(records[order], return_index=True)
        chosen = order[best]
        detail = self._moved_texts(prepared.procedures, self._book.procedures, len(row), rows, places[chosen], drg[chosen])
        operated = self._surgical[row[rows]]
        yield RuleHits("other_procedure_more_specific", rows[~operated], detail)
        yield RuleHits("principal_procedure_not_highest", rows[operated], detail)

    def _outside(self, prepared: PreparedBatch, grouping: Grouping) -> Iterator[RuleHits]:
        """Where the procedure fits no group of the diagnosis: the MDCs that it fits, and other diagnoses that fit it."""
        arrays = self.compiled.arrays
        outside = np.flatnonzero(grouping.reason == _OUTSIDE)
        if not len(outside):
            return
        dx = prepared.diagnoses
        count = np.maximum(np.diff(dx.offsets)[outside] - 1, 0)
        records = np.repeat(outside, count)
        places = np.arange(len(records)) - np.repeat(np.cumsum(count) - count, count) + 1
        tried = self._moved(prepared, records, places, "diagnoses")
        now = self._row_of[tried.drg]
        fits = self._by_procedure[now]
        found: dict[int, list[str]] = {}
        names = self.compiled.drg_codes
        codes = self._book.diagnoses
        for record, place, drg in zip(records[fits], places[fits], tried.drg[fits], strict=True):
            number = dx.ids[dx.offsets[record] + place]
            found.setdefault(int(record), []).append(f"{codes.codes[number]} {codes.names[number]} → {names[drg]}")
        procedure = _first(prepared.procedures)
        own = np.append(arrays.row_mdc[arrays.drg_row], -1)[grouping.drg]

        def texts(rows: NDArray[np.int64]) -> pa.Array:
            lines = ([self._mdcs_of(procedure[r], own[r]), *found.get(int(r), [])[:MOST_NAMED]] for r in rows)
            return pa.array(["; ".join(line) for line in lines], pa.string())

        named = (self._naming[arrays.op_class[procedure[outside] + 2]] != 0).any(axis=1)
        yield RuleHits("procedure_fits_other_mdc", outside[named], texts)

    def _mdcs_of(self, procedure: np.int32, own: np.int32) -> str:
        """The procedure and the other MDCs whose groups name it."""
        arrays = self.compiled.arrays
        bits = self._naming[arrays.op_class[procedure + 2]][:, None] >> np.arange(WORD, dtype=np.int64) & 1
        mdcs = dict.fromkeys(arrays.row_mdc[np.flatnonzero(bits)].tolist())
        telling = [self.compiled.mdc_codes[mdc] for mdc in mdcs if mdc != own and mdc not in self._catch_alls]
        return f"{self._book.procedures.codes[procedure]}: {' '.join(telling) or '-'}" if procedure >= 0 else ""

    def _moved(self, prepared: PreparedBatch, records: NDArray[np.int64], places: NDArray[np.int64], name: str) -> Grouped:
        """Group records once more, each with the code at its place moved to the front."""
        lists = {each: _taken(getattr(prepared, each), records) for each in ("diagnoses", "procedures")}
        ids, offsets = lists[name]
        _move_to_front(ids, offsets, np.asarray(places, np.int64))
        (dx, dx_offsets), (op, op_offsets) = lists["diagnoses"], lists["procedures"]
        skip = np.zeros(len(records), np.bool_)
        numbers, texts = np.ascontiguousarray(prepared.numbers[records]), np.ascontiguousarray(prepared.texts[records])
        return group_encoded(self.compiled.arrays, EncodedForDrg(dx, dx_offsets, op, op_offsets, numbers, texts, skip))

    def _moved_texts(
        self, lists: EncodedLists, codes: CodeList, size: int, rows: NDArray[np.int64], places: NDArray[np.int64],
        drg: NDArray[np.int32],
    ) -> Texts:  # fmt: skip
        """Which code would lead to which group."""
        place_of, drg_of = np.zeros(size, np.int64), np.zeros(size, np.int32)
        place_of[rows], drg_of[rows] = places, drg

        def texts(wanted: NDArray[np.int64]) -> pa.Array:
            numbers = lists.ids[lists.offsets[wanted] + place_of[wanted]]
            groups = [self.compiled.drg_codes[each] for each in drg_of[wanted]]
            return pa.array(
                [f"{codes.codes[n]} {codes.names[n]} → {group}" for n, group in zip(numbers, groups, strict=True)], pa.string()
            )

        return texts

    # -- codes that cannot be used --------------------
    def _unusable(self, batch: pa.RecordBatch, prepared: PreparedBatch) -> Iterator[RuleHits]:
        """Grey codes with the specific ones below them, unknown ones with what they may have been meant to be."""
        for code, (name, principal, known) in UNUSABLE.items():
            rows = np.flatnonzero(prepared.findings >> np.int64(BITS[code]) & 1)
            if len(rows):
                detail = partial(self._usable_texts if known else self._suggestion_texts, batch, prepared, name, principal)
                yield RuleHits(code, rows, detail)

    def _usable_texts(
        self, batch: pa.RecordBatch, prepared: PreparedBatch, name: str, principal: bool, rows: NDArray[np.int64]
    ) -> pa.Array:
        lists, codes = getattr(prepared, name), getattr(self._book, name)
        found = []
        for row in rows:
            ids = lists.ids[lists.offsets[row] : lists.offsets[row + 1]]
            given = [codes.codes[number] for number in (ids[:1] if principal else ids[1:]) if number >= 0]
            found.append("; ".join(self.usable(code, name) for code in given if code in codes.grey))
        return pa.array(found, pa.string())

    def usable(self, code: str, name: str) -> str:
        """A grey code and the specific codes below it, with the level of those that are CC or MCC."""
        below = specific_codes(code, getattr(self._book, name))
        levels = {each: self._scheme.severities[each].level for each in below if each in self._scheme.severities}
        below.sort(key=lambda each: each not in levels)
        shown = ", ".join(f"{each}({levels[each]})" if each in levels else each for each in below[:MOST_NAMED])
        more = f" … {len(below)}" if len(below) > MOST_NAMED else ""
        return f"{code} → {shown or '-'}{more}"

    def _suggestion_texts(
        self, batch: pa.RecordBatch, prepared: PreparedBatch, name: str, principal: bool, rows: NDArray[np.int64]
    ) -> pa.Array:
        codes = getattr(self._book, name)
        texts = to_text(one_chunk(batch, name).take(pa.array(rows)), name).to_pylist()
        return pa.array([self._suggestions(text or "", codes, principal, name) for text in texts], pa.string())

    @staticmethod
    def _suggestions(text: str, codes: CodeList, principal: bool, name: str) -> str:
        read = read_codes(text, codes)
        looked_at = read if name == "procedures" else read[:1] if principal else read[1:]
        named = {code: suggested_codes(code, codes)[:MOST_NAMED] for code in looked_at if code and codes.find(code) < 0}
        return "; ".join(f"{codes.canonical(code)} → {', '.join(near)}?" for code, near in named.items() if near)

    # -- what belongs together --------------------
    def _deliveries(self, prepared: PreparedBatch) -> Iterator[RuleHits]:
        diagnoses, procedures, outcome = self._delivery
        delivered = _any(prepared.diagnoses, diagnoses) | _any(prepared.procedures, procedures)
        yield RuleHits("delivery_without_outcome", np.flatnonzero(delivered & ~_any(prepared.diagnoses, outcome)), None)

    def _ventilated(self, batch: pa.RecordBatch, prepared: PreparedBatch) -> Iterator[RuleHits]:
        if "ventilator_hours" not in batch.schema.names:
            return
        hours, broken = read_numbers(one_chunk(batch, "ventilator_hours"))
        short, long, some = (_any(prepared.procedures, marks) for marks in self._ventilation.values())
        with np.errstate(invalid="ignore"):
            enough = hours >= self.limit["ventilation_long_hours"]
            wrong = (enough & short & ~long) | ((hours > 0) & ~enough & long & ~short)
            yield RuleHits("ventilation_contradicts_hours", np.flatnonzero(wrong), None)
            yield RuleHits("ventilation_not_coded", np.flatnonzero((hours > 0) & ~some), None)
        nothing = (np.isnan(hours) & ~broken) | (hours == 0)
        yield RuleHits("ventilation_hours_missing", np.flatnonzero(nothing & (short | long)), None)


class CodingDoubt(NamedTuple):
    """A doubt about the coding of one record: the rule that it breaks, and what to show."""

    rule: QualityRule
    value: str


def doubts_of(batch: pa.RecordBatch, scheme: Scheme, code_version: str = OWN_VERSION) -> list[CodingDoubt]:
    """The doubts about a record, given as a batch of one."""
    grouper = DrgGrouper(scheme, code_version)
    prepared = grouper.prepare(batch)
    drg = grouper.group_prepared(prepared, prepared.invalid).drg
    answers, _ = grouper.group_batch(batch)
    reason = [BITS[code] if (code := answers.column("reason")[0].as_py()) else -1]
    limits = {name: threshold.value for name, threshold in thresholds().items()}
    checks = CodingChecks(scheme, grouper.compiled, limits)
    found = checks.check(batch, prepared, Grouping(drg, np.array(reason, np.int8)))
    return [
        CodingDoubt(rules()[hit.code], hit.detail(hit.rows)[0].as_py() if hit.detail else "") for hit in found if len(hit.rows)
    ]


def _row_bits(rows: NDArray[np.bool_], words: int) -> NDArray[np.int64]:
    bits = np.zeros(words, np.int64)
    for row in np.flatnonzero(rows):
        bits[row // WORD] |= np.int64(1) << np.int64(row % WORD)
    return bits


def _first(lists: EncodedLists) -> NDArray[np.int32]:
    return first_codes(*lists)


def _any(lists: EncodedLists, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Records of which some code is marked."""
    counted = np.concatenate([[0], np.cumsum(marks[lists.ids + 2])])
    return np.asarray(counted[lists.offsets[1:]] > counted[lists.offsets[:-1]])


def _taken(lists: EncodedLists, records: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The lists of some records, in this order."""
    lengths = np.diff(lists.offsets)[records]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(lists.offsets[:-1][records] - offsets[:-1], lengths)
    return lists.ids[places].copy(), offsets


@njit(cache=True, nogil=True)
def _move_to_front(ids: Any, offsets: Any, places: Any) -> None:  # pragma: no cover - compiled
    for record in range(places.size):
        start = offsets[record]
        moved = ids[start + places[record]]
        for at in range(start + places[record], start, -1):
            ids[at] = ids[at - 1]
        ids[start] = moved


@njit(cache=True, nogil=True)
def _candidates(
    ids: Any, offsets: Any, op_class: Any, naming: Any, possible: Any, limit: Any, skip: Any
) -> Any:  # pragma: no cover - compiled
    """Records and places of other procedures that an earlier group by procedure names and the diagnosis does not contradict."""
    records = np.empty(ids.size, np.int64)
    places = np.empty(ids.size, np.int64)
    found = 0
    for record in range(limit.size):
        if skip[record]:
            continue
        start = offsets[record]
        for at in range(start + 1, offsets[record + 1]):
            listed = op_class[ids[at] + 2]
            if not listed or ids[at] == ids[start]:
                continue
            for word in range(naming.shape[1]):
                bits = naming[listed, word] & possible[record, word]
                beyond = limit[record] - word * WORD
                if beyond < WORD:
                    bits &= (np.int64(1) << max(beyond, 0)) - 1
                if bits:
                    records[found], places[found] = record, at - start
                    found += 1
                    break
    return records[:found].copy(), places[:found].copy()
