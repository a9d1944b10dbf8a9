"""Which principal diagnosis and procedures discharges have in common: equal ones get one number, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.records.encode import EncodedLists

Ints = NDArray[np.int64]
NONE = -1  # no procedure
UNKNOWN_PRINCIPAL = -2  # the principal place is blank or unknown while other procedures stand


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
        A procedure that is done twice stands twice. ``UNKNOWN_PRINCIPAL`` stands where the principal place is blank or
        unknown: no other procedure takes its place.
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
    diagnosis: NDArray[np.int32], procedures: EncodedLists, diagnoses: tuple[str, ...]
) -> tuple[NDArray[np.int32], Combinations]:
    """Number the combinations of discharges.

    Parameters
    ----------
    diagnosis
        Place of each discharge's principal diagnosis in ``diagnoses``, shape (n,).
    procedures
        Ids of its procedures, principal one first; ids below 0 (unknown, blank) in other places are passed over.

    Returns
    -------
    tuple
        Number of each discharge's combination, shape (n,), and the combinations; both do not depend on the order of discharges.
    """
    ids, offsets = _sorted_lists(procedures.ids, procedures.offsets)
    slots = np.full(1 << max(4, int(2 * diagnosis.size).bit_length()), -1, np.int64)
    number, first = _number(diagnosis, ids, offsets, slots)
    width = int(np.diff(offsets)[first].max(initial=0))
    table = np.full((first.size, max(width, 1)), NONE, np.int32)
    _fill(first, ids, offsets, table)
    order = np.lexsort((*table.T[::-1], diagnosis[first]))
    rank = np.empty(order.size, np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    return rank[number], Combinations(diagnosis[first][order], diagnoses, table[order])


@njit(cache=True, nogil=True)
def _sorted_lists(ids: Any, offsets: Any) -> Any:  # pragma: no cover - compiled
    """Lists without unknown codes; the principal procedure stays first, the others are sorted; a principal one
    that is unknown is marked."""
    kept = np.empty(ids.size, np.int32)
    starts = np.empty(offsets.size, np.int64)
    written = np.int64(0)
    for record in range(offsets.size - 1):
        starts[record] = written
        first = written
        for at in range(offsets[record], offsets[record + 1]):
            code = ids[at]
            if code < 0:
                if at > offsets[record]:
                    continue
                code = UNKNOWN_PRINCIPAL
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
