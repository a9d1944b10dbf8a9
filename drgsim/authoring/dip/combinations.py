"""Which principal diagnosis and procedures discharges have in common: equal ones get one number, whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.code_dictionaries import EMPTY, UNKNOWN, CodeBook
from drgsim.records.encode import EncodedLists
from drgsim.units.dip.dip_catalogue import CLASS_ORDER

Ints = NDArray[np.int64]
NONE = -1  # no procedure
UNKNOWN_CODE = -2  # a procedure that the dictionary does not know
BLANK_PRINCIPAL = -3  # the principal place is blank while other procedures stand


@dataclass(frozen=True)
class Combinations:
    """The different combinations of a history, sorted by diagnosis, principal procedure and related procedures.

    Attributes
    ----------
    diagnosis
        For each combination the place in ``diagnoses``.
    diagnoses
        Diagnoses cut to the characters of the specification, sorted.
    procedures
        (combinations, most procedures) ids of procedures: the principal one, then the related ones in order, then ``NONE``.
        A procedure that is done twice stands twice. ``UNKNOWN_CODE`` and ``BLANK_PRINCIPAL`` keep their places, so that no
        other procedure takes the principal one.
    """

    diagnosis: NDArray[np.int32]
    diagnoses: tuple[str, ...]
    procedures: NDArray[np.int32]

    @property
    def size(self) -> int:
        """Number of combinations."""
        return int(self.diagnosis.size)

    def related(self, place: int) -> tuple[int, ...]:
        """Related procedures of a combination."""
        row = self.procedures[place, 1:]
        return tuple(row[row != NONE].tolist())


def cut_diagnoses(codes: tuple[str, ...], characters: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Place of each diagnosis code among the codes cut to some characters (the dot does not count), and those in order.

    Examples
    --------
    >>> cut_diagnoses(("I21.001", "I21.100", "I21.002"), 4)
    (array([0, 1, 0], dtype=int32), ('I21.0', 'I21.1'))
    """
    length = characters + 1 if characters > 3 else characters
    short = [code[:length].rstrip(".") for code in codes]
    names = tuple(sorted(set(short)))
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[name] for name in short], np.int32), names


def combine(
    diagnosis: NDArray[np.int32], procedures: EncodedLists, diagnoses: tuple[str, ...], simple: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], Combinations]:
    """Number the combinations of discharges.

    Parameters
    ----------
    diagnosis
        Place of each discharge's principal diagnosis in ``diagnoses``, shape (n,).
    procedures
        Ids of its procedures, principal one first; below 0: unknown or blank.
    simple
        Which procedures are simple (imaging, laboratory): where nothing else was done they count as not done, and before an
        operation they do not take the principal place.

    Returns
    -------
    tuple
        Number of each discharge's combination, shape (n,), and the combinations; both do not depend on the order of discharges.
    """
    ids, offsets = _sorted_lists(procedures.ids, procedures.offsets, simple)
    slots = np.full(1 << max(4, int(2 * diagnosis.size).bit_length()), -1, np.int64)
    number, first = _number(diagnosis, ids, offsets, slots)
    width = int(np.diff(offsets)[first].max(initial=0))
    table = np.full((first.size, max(width, 1)), NONE, np.int32)
    _fill(first, ids, offsets, table)
    order = np.lexsort((*table.T[::-1], diagnosis[first]))
    rank = np.empty(order.size, np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    return rank[number], Combinations(diagnosis[first][order], diagnoses, table[order])


def counting_procedures(
    procedures: EncodedLists, scope: NDArray[np.int64], op_excluded: NDArray[np.bool_], op_place: NDArray[np.int8]
) -> EncodedLists:
    """The procedures that an excluded list leaves: the principal one first, none where no procedure may be principal.

    Parameters
    ----------
    procedures
        Ids of the procedures of each discharge, shape (n,) of lists.
    scope
        Bits of each discharge's principal diagnosis, shape (n,): with which restricted procedures it goes.
    op_excluded, op_place
        By procedure id + 2: does not count; may be principal always (0), never (-1) or with bit k - 1 of the scope (k).
    """
    return EncodedLists(*_counting(procedures.ids, procedures.offsets, scope, op_excluded, op_place))


@njit(cache=True, nogil=True)
def _counting(ids: Any, offsets: Any, scope: Any, op_excluded: Any, op_place: Any) -> Any:  # pragma: no cover - compiled
    kept = np.empty(ids.size, np.int32)
    starts = np.zeros(offsets.size, np.int64)
    written = np.int64(0)
    for record in range(offsets.size - 1):
        lead = np.int64(-1)
        for at in range(offsets[record], offsets[record + 1]):
            place = np.int64(op_place[ids[at] + 2])
            may = place == 0 or (place > 0 and (scope[record] >> (place - 1)) & 1 == 1)
            if may and not op_excluded[ids[at] + 2]:
                lead = np.int64(at)
                break
        if lead >= 0:
            kept[written] = ids[lead]
            written += 1
            for at in range(offsets[record], offsets[record + 1]):
                if at != lead and not op_excluded[ids[at] + 2]:
                    kept[written] = ids[at]
                    written += 1
        starts[record + 1] = written
    return kept[:written].copy(), starts


@njit(cache=True, nogil=True)
def _sorted_lists(ids: Any, offsets: Any, simple: Any) -> Any:  # pragma: no cover - compiled
    """Lists with the principal procedure first and the others sorted; unknown and blank ones are marked."""
    kept = np.empty(ids.size, np.int32)
    starts = np.empty(offsets.size, np.int64)
    written = np.int64(0)
    for record in range(offsets.size - 1):
        starts[record] = written
        first = written
        lead: Any = np.int64(-1)
        done = False
        for at in range(offsets[record], offsets[record + 1]):
            if ids[at] < 0 or not simple[ids[at]]:
                if lead < 0:
                    lead = at
                done = done or ids[at] != EMPTY
        if not done:
            continue
        code = ids[lead]
        kept[written] = code if code >= 0 else UNKNOWN_CODE if code == UNKNOWN else BLANK_PRINCIPAL
        written += 1
        for at in range(offsets[record], offsets[record + 1]):
            if at == lead:
                continue
            code = ids[at] if ids[at] >= 0 else UNKNOWN_CODE if ids[at] == UNKNOWN else BLANK_PRINCIPAL
            place = written
            while place > first + 1 and kept[place - 1] > code:
                kept[place] = kept[place - 1]
                place -= 1
            kept[place] = code
            written += 1
    starts[offsets.size - 1] = written
    return kept[:written].copy(), starts


@njit(cache=True, nogil=True)
def _number(diagnosis: Any, ids: Any, offsets: Any, slots: Any) -> Any:  # pragma: no cover - compiled
    """Number of each discharge's combination in the order of first sight, and the discharge where it was seen first.

    Open addressing over the discharges themselves: the hash only says where to look, the lists decide.
    """
    last = slots.size - 1
    number = np.empty(diagnosis.size, np.int64)
    first = np.empty(diagnosis.size, np.int64)
    found = 0
    for record in range(diagnosis.size):
        start, stop = offsets[record], offsets[record + 1]
        mixed = np.uint64(diagnosis[record]) + np.uint64(0x9E3779B97F4A7C15)
        for at in range(start, stop):
            mixed = (mixed ^ np.uint64(ids[at])) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(29)
        slot = np.int64(mixed & np.uint64(last))
        while slots[slot] >= 0:
            other = first[slots[slot]]
            same = diagnosis[other] == diagnosis[record] and offsets[other + 1] - offsets[other] == stop - start
            if same:
                for step in range(stop - start):
                    if ids[offsets[other] + step] != ids[start + step]:
                        same = False
                        break
            if same:
                break
            slot = (slot + 1) & last
        if slots[slot] < 0:
            slots[slot] = found
            first[found] = record
            found += 1
        number[record] = slots[slot]
    return number, first[:found].copy()


@njit(cache=True, nogil=True)
def _fill(first: Any, ids: Any, offsets: Any, table: Any) -> None:  # pragma: no cover - compiled
    for place in range(first.size):
        record = first[place]
        for step in range(offsets[record + 1] - offsets[record]):
            table[place, step] = ids[offsets[record] + step]


def class_numbers(classes: Mapping[str, str], book: CodeBook) -> NDArray[np.int8]:
    """Operation class of every procedure code, as place in ``CLASS_ORDER``; -1 for one without a class."""
    number = {name: place for place, name in enumerate(CLASS_ORDER)}
    return np.array([number.get(classes.get(code, ""), -1) for code in book.procedures.codes], np.int8)
