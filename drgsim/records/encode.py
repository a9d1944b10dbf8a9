"""Spelled code lists to integer ids, on the bytes of Arrow columns: the fast twin of ``code_dictionaries.split_codes``.

No Python runs per record: one numba loop splits, folds, hashes and looks up every code of a column.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.language import text
from drgsim.records.arrow import to_text
from drgsim.records.code_dictionaries import BLANK_FOLDED, EMPTY, UNKNOWN, CodeList

_PART = 7  # bytes of a spelling that share one int64 word; the sign bit stays clear
LONGEST = 3 * _PART  # bytes of the longest folded spelling that can be looked up; the national codes have at most 18
_DROP, _SEPARATE, _WIDE, _NAME, _BLANK = -1, -2, -3, -4, -5
_LEAST = 3  # bytes of a code before a name may begin
_HALF = (1 << 28) - 1


def _byte_actions() -> NDArray[np.int16]:
    """What to do with each byte of a list: fold it, drop it, split at it, begin a name, or look at the bytes after it."""
    actions = np.arange(256, dtype=np.int16)
    actions[ord("a") : ord("z") + 1] -= 32
    actions[[*range(33), 0x7F]] = _BLANK
    actions[[ord(c) for c in "'\"=`"]] = _DROP
    actions[[ord(c) for c in "|;,\n"]] = _SEPARATE
    actions[[ord(c) for c in "([{)]}:-_"]] = _NAME
    actions[0xC0:] = _NAME  # first bytes of characters that no code has
    actions[[0xC2, 0xC3, 0xD0, 0xD1, 0xE2, 0xE3, 0xEF]] = _WIDE  # first bytes of those that fold to something
    return actions


_ACTIONS = _byte_actions()


class CodeTable(NamedTuple):
    """Open-addressing hash table from folded spelling to code id.

    ``slots`` has one row per slot: the spelling in three words of seven bytes, and code id + 1 (0 in an empty slot),
    so that a look-up
    touches one cache line. ``grey`` is indexed by code id + 2.
    """

    slots: NDArray[np.int64]
    grey: NDArray[np.bool_]


class EncodedLists(NamedTuple):
    """Code lists of a batch: record ``i`` has ``ids[offsets[i]:offsets[i + 1]]``, principal code first (EMPTY when blank)."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]


def build_code_table(codes: CodeList) -> CodeTable:
    """Build the lookup table of a code list.

    Raises
    ------
    ValueError
        For a code longer than ``LONGEST`` bytes.
    """
    entries = {**dict.fromkeys(BLANK_FOLDED - {""}, EMPTY), **codes.keys}  # a word that means nothing is a blank place
    keys = np.array([[*_packed(key), number + 1] for key, number in entries.items()], np.int64)
    slots = np.zeros((1 << (2 * len(keys)).bit_length(), 4), np.int64)
    _fill(slots, keys)
    grey = np.zeros(len(codes.codes) + 2, np.bool_)
    grey[[number + 2 for number, code in enumerate(codes.codes) if code in codes.grey]] = True
    return CodeTable(slots, grey)


def _packed(key: str) -> list[int]:
    spelled = key.encode()
    if len(spelled) > LONGEST:
        raise ValueError(text("code {key!r} is longer than {longest} bytes", key=key, longest=LONGEST))
    return [int.from_bytes(spelled[at : at + _PART], "big") for at in range(0, LONGEST, _PART)]


def encode_lists(column: pa.Array, table: CodeTable) -> EncodedLists:
    """Code ids of a column of code lists.

    Parameters
    ----------
    column
        Strings with codes separated by ``|`` (``;``, ``,``, ``、`` or a line break), or an Arrow list of strings.
    table
        Of the code list to look up in.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    column = to_text(column)
    if column.null_count:
        column = pc.fill_null(column, "")
    offsets, data = string_buffers(column)
    return EncodedLists(*_encode(data, offsets, table.slots))


def encode_text(text: str, slots: NDArray[np.int64]) -> NDArray[np.int32]:
    """Code ids of one list of codes; ``slots`` of the table to look up in.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> encode_text("I10.x00|", build_code_table(national_codes().diagnoses).slots).size
    1
    """
    data = np.frombuffer(text.encode(), np.uint8)
    ids: NDArray[np.int32] = _encode(data, np.array([0, data.size], np.int64), slots)[0]
    return ids


def records_with_unknown(encoded: EncodedLists) -> NDArray[np.int64]:
    """Records of which some code is unknown, in order."""
    unknown = np.flatnonzero(encoded.ids == UNKNOWN)
    return np.unique(np.searchsorted(encoded.offsets, unknown, side="right") - 1) if unknown.size else unknown


def lists_of(column: pa.Array, records: NDArray[np.int64]) -> pa.Array:
    """The code lists of some records as texts, empty where missing."""
    return pc.fill_null(to_text(column.take(pa.array(records))).cast(pa.string()), "")


def string_buffers(column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets (length + 1) and bytes of a string column without nulls."""
    if not pa.types.is_large_string(column.type) and not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offset_buffer, data_buffer = column.buffers()
    if len(column) == 0 or offset_buffer is None:
        return np.zeros(len(column) + 1, np.int64), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offset_buffer, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return offsets, data


@njit(cache=True, nogil=True)
def _slot_of(first: int, second: int, third: int) -> int:  # pragma: no cover - compiled
    """Hash of a spelling; the products stay below 2**62, so that nothing overflows."""
    a = (first ^ (first >> 28)) & _HALF
    b = (second ^ (second >> 28)) & _HALF
    c = (third ^ (third >> 28)) & _HALF
    return (a * 0x9E3779B1 + b * 0x85EBCA6B + c * 0xC2B2AE35) >> 24


@njit(cache=True)
def _fill(slots: Any, keys: Any) -> None:  # pragma: no cover - compiled
    last = slots.shape[0] - 1
    for key in range(keys.shape[0]):
        slot = _slot_of(keys[key, 0], keys[key, 1], keys[key, 2]) & last
        while slots[slot, 3] != 0:
            slot = (slot + 1) & last
        slots[slot] = keys[key]


@njit(cache=True, nogil=True)
def _find(slots: Any, first: Any, second: Any, third: Any) -> Any:  # pragma: no cover - compiled
    last = slots.shape[0] - 1
    slot = _slot_of(first, second, third) & last
    while slots[slot, 3] != 0:
        if slots[slot, 0] == first and slots[slot, 1] == second and slots[slot, 2] == third:
            return slots[slot, 3] - 1
        slot = (slot + 1) & last
    return UNKNOWN


_ALIKE = np.array(
    [
        (0xC2A0, _BLANK, 2),  # no-break space
        (0xC397, ord("X"), 2), (0xD185, ord("X"), 2), (0xD0A5, ord("X"), 2),  # multiplication sign, Cyrillic letters
        (0xE280A0, ord("+"), 3), (0xE28897, ord("*"), 3), (0xE38082, ord("."), 3),  # dagger, operator, ideographic stop
        (0xE28098, _DROP, 3), (0xE28099, _DROP, 3), (0xE2809C, _DROP, 3), (0xE2809D, _DROP, 3),  # curly quotes
        (0xE280AF, _BLANK, 3), (0xE281A0, _BLANK, 3), (0xE38080, _BLANK, 3), (0xEFBBBF, _BLANK, 3),  # spaces, byte order mark
        (0xE38081, _SEPARATE, 3), (0xE38090, _NAME, 3), (0xE38091, _NAME, 3),  # enumeration comma, lenticular brackets
    ],
    np.int64,
)  # fmt: skip


@njit(cache=True, nogil=True)
def _wide(data: Any, at: int, stop: int) -> Any:  # pragma: no cover - compiled
    """Action for the non-ASCII character at ``at`` and the number of its bytes; a name where it means nothing here."""
    byte = np.int64(data[at])
    second = np.int64(data[at + 1]) if at + 1 < stop else 0
    third = np.int64(data[at + 2]) if at + 2 < stop else 0
    if byte == 0xE2 and second == 0x80 and 0x80 <= third <= 0x8B:  # spaces from en quad to zero width
        return _BLANK, 3
    if byte == 0xEF and second == 0xBC and 0x81 <= third <= 0xBF:  # full-width ! to _
        return np.int64(_ACTIONS[third - 0x60]), 3
    if byte == 0xEF and second == 0xBD and 0x80 <= third <= 0x9E:  # full-width ` to ~
        return np.int64(_ACTIONS[third - 0x20]), 3
    two, three = byte << 8 | second, byte << 16 | second << 8 | third
    for alike in range(_ALIKE.shape[0]):
        if _ALIKE[alike, 0] == (two if _ALIKE[alike, 2] == 2 else three):
            return _ALIKE[alike, 1], _ALIKE[alike, 2]
    return np.int64(_NAME), np.int64(1)


@njit(cache=True, nogil=True)
def _name_byte(data: Any, at: Any, width: Any, length: int) -> Any:  # pragma: no cover - compiled
    """What a character that could begin a name is where too little stands before it: itself; a first bracket is dropped."""
    byte = np.int64(data[at])
    if width == 3:  # a wide bracket or colon
        third = np.int64(data[at + 2])
        byte = third - 0x60 if data[at + 1] == 0xBC else third - 0x20 if data[at + 1] == 0xBD else np.int64(0x5B)
    return _DROP if length == 0 and byte in (0x28, 0x29, 0x5B, 0x5D, 0x7B, 0x7D) else byte


@njit(cache=True, nogil=True)
def _is_name(data: Any, at: int, stop: int) -> bool:  # pragma: no cover - compiled
    """Whether what follows a blank is a name: a character that no code has, or two letters first."""
    begun = letter = cross = False
    while at < stop:
        action: Any = np.int64(_ACTIONS[data[at]])
        at += 1
        if action == _WIDE:
            action, width = _wide(data, at - 1, stop)
            at += width - 1
        if action == _NAME:
            return True
        if action == _SEPARATE:
            return False
        is_letter = 0x41 <= action <= 0x5A
        if letter and is_letter:
            return True
        if action == _DROP or (action == _BLANK and not begun):
            continue
        if not begun and action in (0x2E, 0x2B, 0x2A):  # . + *: the code goes on, as with an X before a digit
            return False
        if cross and (action == _BLANK or 0x30 <= action <= 0x39):
            return False
        cross = action == 0x58 and not begun
        letter = is_letter and not begun
        begun = True
    return False


@njit(cache=True, nogil=True)
def _encode(data: Any, offsets: Any, slots: Any) -> Any:  # noqa: C901  # pragma: no cover - compiled
    # in one piece: a function for each byte takes several times as long
    records = offsets.size - 1
    ids = np.empty((offsets[records] - offsets[0]) // 2 + 2 * records + 1, np.int32)
    starts = np.empty(records + 1, np.int64)
    written = 0
    for record in range(records):
        starts[record] = written
        stop = offsets[record + 1]
        at = offsets[record]
        first = second = third = length = 0
        at_principal = True
        first_is_blank = named = False
        first_is_plain = True
        while at <= stop:
            action: Any = np.int64(_SEPARATE) if at == stop else np.int64(_ACTIONS[data[at]])
            at += 1
            width = np.int64(1)
            if action == _WIDE:
                action, width = _wide(data, at - 1, stop)
                at += width - 1
            if action == _NAME and not named:
                named = length >= _LEAST and first_is_plain
                action = _name_byte(data, at - width, width, length)
                first_is_plain &= length > 0 or action < 0x80  # what begins with a name is left as it is
            if action >= 0 and not named:
                if length < 7:
                    first = (first << 8) | action
                elif length < 14:
                    second = (second << 8) | action
                else:
                    third = ((third & 0xFFFFFFFFFFFF) << 8) | action
                length += 1
            elif action == _SEPARATE:
                named = False
                first_is_plain = True
                code = EMPTY
                if length:
                    code = _find(slots, first, second, third) if length <= LONGEST else UNKNOWN
                    first = second = third = length = 0
                if code != EMPTY:
                    if first_is_blank:  # others follow a blank principal place
                        ids[written] = EMPTY
                        written += 1
                        first_is_blank = False
                    ids[written] = code
                    written += 1
                elif at_principal:
                    first_is_blank = True
                at_principal = False
            elif action == _BLANK and length >= _LEAST and first_is_plain and not named:
                named = _is_name(data, at, stop)
    starts[records] = written
    return ids[:written].copy(), starts
