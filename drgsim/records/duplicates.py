"""Notice ids that come again, in one pass and in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.encode import string_buffers
from drgsim.records.findings import BITS

MOST_SLOTS = 1 << 26  # 512 MiB of slots: ids of up to 40 million records
_FULL = 0.6
_START, _STEP, _MASK = 18652613, 1099511627, (1 << 31) - 1  # no product reaches 2**63


class SeenIds:
    """Remembers 62-bit fingerprints of ids; batches must come in the order of the file.

    Attributes
    ----------
    checked
        Number of records that were compared with all before them.
    complete
        False once the memory bound was reached: later records are compared with the remembered ones only.
    """

    def __init__(self, most_slots: int = MOST_SLOTS) -> None:
        self._slots = np.zeros(min(1 << 18, most_slots), np.int64)
        self._held = 0
        self._most = most_slots
        self.checked = 0
        self.complete = True

    def note(self, ids: pa.Array) -> NDArray[np.int64]:
        """Findings of a batch of ids: ``id_duplicate`` on all but the first of an id, ``id_missing``, ``id_rounded``."""
        findings = np.zeros(len(ids), np.int64)
        if ids.null_count:
            ids = pc.fill_null(ids, "")
        offsets, data = string_buffers(ids)
        prints = _fingerprints(offsets, data)
        if self._held + len(prints) > _FULL * self._slots.size and self._slots.size < self._most:
            self._grow(self._held + len(prints))
        room = int(_FULL * self._slots.size) - self._held
        self.complete = self.complete and room >= len(prints)
        self._held += _see(prints, self._slots, room, np.int64(1 << BITS["id_duplicate"]), findings)
        self.checked += len(prints)
        findings[prints == 0] |= np.int64(1 << BITS["id_missing"])
        _note_rounded(offsets, data, np.int64(1 << BITS["id_rounded"]), findings)
        return findings

    def _grow(self, needed: int) -> None:
        size = self._slots.size
        while needed > _FULL * size and size < self._most:
            size *= 2
        grown = np.zeros(size, np.int64)
        _move(self._slots, grown)
        self._slots = grown


@njit(cache=True, nogil=True)
def _fingerprints(offsets: Any, data: Any) -> Any:  # pragma: no cover - compiled
    """Two 31-bit hashes side by side; 0 stands for a blank id."""
    prints = np.zeros(offsets.size - 1, np.int64)
    for record in range(prints.size):
        first = second = np.int64(_START)
        for at in range(offsets[record], offsets[record + 1]):
            byte = np.int64(data[at])
            first = ((first ^ byte) * 16777619) & _MASK
            second = ((second + byte + 1) * _STEP) & _MASK
            second ^= second >> 15
        if offsets[record + 1] > offsets[record]:
            prints[record] = ((first << 31) | second) | 1
    return prints


@njit(cache=True, nogil=True)
def _note_rounded(offsets: Any, data: Any, bit: Any, findings: Any) -> None:  # pragma: no cover - compiled
    """Mark ids such as 2.02E+09: a number that was shown, or kept, with fewer digits than it had."""
    for record in range(findings.size):
        start, stop = offsets[record], offsets[record + 1]
        if stop - start < 5 or not 0x31 <= data[start] <= 0x39:
            continue
        at = start + 1
        if data[at] == 0x2E:
            at += 1
            while at < stop and 0x30 <= data[at] <= 0x39:
                at += 1
        if stop - at < 3 or (data[at] | 0x20) != 0x65 or data[at + 1] != 0x2B:
            continue
        at += 2
        while at < stop and 0x30 <= data[at] <= 0x39:
            at += 1
        if at == stop:
            findings[record] |= bit


@njit(cache=True, nogil=True)
def _see(prints: Any, slots: Any, room: int, bit: Any, findings: Any) -> int:  # pragma: no cover - compiled
    last = slots.size - 1
    added = 0
    for record in range(prints.size):
        mark = prints[record]
        if mark == 0:
            continue
        slot = (mark ^ (mark >> 29)) & last
        while slots[slot] != 0 and slots[slot] != mark:
            slot = (slot + 1) & last
        if slots[slot] == mark:
            findings[record] |= bit
        elif added < room:
            slots[slot] = mark
            added += 1
    return added


@njit(cache=True, nogil=True)
def _move(old: Any, new: Any) -> None:  # pragma: no cover - compiled
    last = new.size - 1
    for at in range(old.size):
        mark = old[at]
        if mark != 0:
            slot = (mark ^ (mark >> 29)) & last
            while new[slot] != 0:
                slot = (slot + 1) & last
            new[slot] = mark
