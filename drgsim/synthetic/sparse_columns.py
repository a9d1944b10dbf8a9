"""Columns of a batch: from (row, code) pairs to the slots of a record, and what else is done with whole columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.synthetic.choices import Flags, Floats, Ints

Columns = dict[str, NDArray[Any]]


def in_slots(rows: NDArray[np.integer], codes: Ints, count: int) -> Ints:
    """Codes of each row side by side, in the order given; -1 where there are no more.

    Examples
    --------
    >>> in_slots(np.array([1, 0, 1]), np.array([7, 8, 9], dtype=np.int32), 3).tolist()
    [[8, -1], [7, 9], [-1, -1]]
    """
    order = np.argsort(rows, kind="stable")
    held = np.bincount(rows, minlength=count)
    starts = np.cumsum(held) - held
    out = np.full((count, max(int(held.max(initial=0)), 1)), -1, dtype=np.int32)
    sorted_rows = rows[order]
    out[sorted_rows, np.arange(len(rows)) - starts[sorted_rows]] = codes[order]
    return out


def drop_repeats(codes: Ints, keys: Ints | None = None, kept: int = 1) -> Ints:
    """Set a code to -1 where the same row holds it, or one of the same key, further left; the first ``kept`` places stay."""
    out = codes.astype(np.int32, copy=True)
    keys = codes if keys is None else keys
    for right in range(kept, out.shape[1]):
        held = keys[:, right] >= 0
        same = held & (keys[:, :right] == keys[:, right : right + 1]).any(axis=1)
        out[same, right] = -1
    return out


def at_most(codes: Ints, most: int) -> Ints:
    """Only the first ``most`` codes of each row."""
    held: Flags = codes >= 0
    return np.where(held & (np.cumsum(held, axis=1) > most), -1, codes).astype(np.int32)


def join_codes(codes: NDArray[np.int32], words: pa.Array) -> pa.Array:
    """Code numbers (cases x slots, -1 for none) as ``|``-joined text."""
    held = codes >= 0
    offsets = np.concatenate(([0], np.cumsum(held.sum(axis=1)))).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), words.take(pa.array(codes[held])))
    return pc.binary_join(lists, "|")


def propensity_order(eligible: Flags, weight: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of ``eligible`` in an order of drawing without replacement, in proportion to ``weight`` (exponential keys)."""
    key = np.where(eligible, rng.exponential(1.0, len(weight)) / weight, np.inf)
    return np.argsort(key, kind="stable")[: int(eligible.sum())]
