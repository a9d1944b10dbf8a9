"""Flat arrays of the kernels as text for a page: words of 62 bits in halves, the narrowest type, base64."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.units.schemes.rule_lowering import NODE_BIT, NODE_SITES, WORD

HALF = WORD // 2  # bits of a word of a page: JavaScript shifts 32-bit integers
_TYPES = (np.int8, np.int16, np.int32)


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array as ``{"type", "shape", "data"}``; integers in the narrowest of int8, int16 and int32, floats as they are.

    Runs of equal bytes are written once (a byte, then how often, see ``js/arrays.js``), since most codes are in few lists.

    Raises
    ------
    OverflowError
        For an integer that needs more than 32 bits.
    """
    if array.dtype == np.float64:
        kind, data = "f64", array.astype("<f8").tobytes()
    else:
        whole = array.astype(np.int64)
        low, high = (int(whole.min()), int(whole.max())) if whole.size else (0, 0)
        chosen = next((each for each in _TYPES if np.iinfo(each).min <= low and high <= np.iinfo(each).max), None)
        if chosen is None:
            raise OverflowError(f"{low} to {high} does not fit 32 bits")
        kind = f"i{8 * np.dtype(chosen).itemsize}"
        data = np.frombuffer(whole.astype(np.dtype(chosen).newbyteorder("<")).tobytes(), np.uint8).tobytes()
    width = int(kind[1:]) // 8
    planes = np.frombuffer(data, np.uint8).reshape(-1, width).T.tobytes()  # the high bytes of small numbers stand together
    return {"type": kind, "shape": list(array.shape), "data": b64encode(_runs(planes)).decode()}


def _runs(data: bytes) -> bytes:
    """PackBits: n in 0..127 stands before n + 1 bytes, 256 - n before one byte that comes n + 1 times."""
    out, at, size = bytearray(), 0, len(data)
    values = np.frombuffer(data, np.uint8)
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if size else np.zeros(0, np.int64)
    lengths = np.diff(np.append(starts, size))
    literal = bytearray()

    def flush() -> None:
        for begin in range(0, len(literal), 128):
            part = literal[begin : begin + 128]
            out.append(len(part) - 1)
            out.extend(part)
        literal.clear()

    for at, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length < 3:
            literal.extend(data[at : at + length])
            continue
        flush()
        while length:
            part = min(length, 128)
            if part == 1:
                literal.append(data[at])
            else:
                out.extend((257 - part, data[at]))
            length -= part
    flush()
    return bytes(out)


def halved(bits: NDArray[np.int64]) -> NDArray[np.int32]:
    """Rows of 62-bit words as rows of 31-bit words, twice as many."""
    mask = np.int64((1 << HALF) - 1)
    halves = np.stack([bits & mask, bits >> np.int64(HALF)], axis=-1)
    return np.ascontiguousarray(halves.reshape(*bits.shape[:-1], -1)).astype(np.int32)


def halved_place(word: int, shift: int) -> tuple[int, int]:
    """Where a bit of the long words is in the short ones."""
    return (2 * word, shift) if shift < HALF else (2 * word + 1, shift - HALF)


def halved_graph(arrays: Any) -> dict[str, NDArray[Any]]:
    """The decision graph and what it reads, for short words: nodes, sites, counts, bases of the rows, bits of severities.

    A node that tests a bit names its word and shift; one that counts sites a range of them; a count names the list of a word
    and shift within a row of its own.
    """
    nodes, sites, counts = arrays.nodes.copy(), arrays.site_bits.copy(), arrays.counts.copy()
    for node in np.flatnonzero(nodes[:, 0] == NODE_BIT).tolist():
        nodes[node, 2:4] = halved_place(int(nodes[node, 2]), int(nodes[node, 3]))
    for table, column in ((sites, 0), (counts, 1)):
        for row in range(len(table)):
            word, shift = int(table[row, column]), int(table[row, column + 1])
            if word >= 0:  # counts of MCC and CC name no list
                table[row, column : column + 2] = halved_place(word, shift)
    severities = np.array([halved_place(int(word), int(shift)) for word, shift in arrays.severity_bits], np.int64)
    assert NODE_SITES  # ranges of sites stay as they are
    return {
        "nodes": nodes, "node_values": arrays.node_values, "site_bits": sites, "counts": counts,
        "row_base": arrays.row_base * 2, "severity_bits": severities,
    }  # fmt: skip
