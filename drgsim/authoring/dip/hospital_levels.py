"""Level of the hospital of each discharge of a history, in any of the words that ``vocabulary.yaml`` has for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.records.cells import read_words
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import LEVELS, level_keys, words


def level_column(names: Sequence[str]) -> str | None:
    """The column of a file that states levels, if there is one."""
    known = {header_key(name) for name in ("hospital_level", *words()["columns"]["hospital_level"])}
    return next((name for name in names if header_key(name) in known), None)


def _level(text: str) -> int:
    """Level without its grade; 0 where the text names none."""
    keys = level_keys(text)
    return int(keys[-1]) if keys and keys[-1] in LEVELS else 0


def levels_of(batch: pa.RecordBatch, column: str | None, hospitals: Mapping[str, str] | None) -> NDArray[np.int8]:
    """Level of the hospital of each discharge: its own column first, then that of its hospital; 0 unknown.

    Parameters
    ----------
    column
        Column of the batch that states levels.
    hospitals
        Hospital -> level.
    """
    found = np.zeros(batch.num_rows, np.int8)
    if hospitals:
        found = _numbers(read_words(batch, "hospital_id"), {name: _level(text) for name, text in hospitals.items()})
    if column is not None:
        own = _numbers(read_words(batch, column), None)
        found = np.where(own > 0, own, found).astype(np.int8)
    return found


def _numbers(words: pa.Array, known: Mapping[str, int] | None) -> NDArray[np.int8]:
    coded = words.dictionary_encode()
    numbers = [_level(word) if known is None else known.get(word, 0) for word in coded.dictionary.to_pylist()]
    found: NDArray[np.int8] = np.array([*numbers, 0], np.int8)
    return np.asarray(found[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


def level_notes(level: NDArray[np.int8]) -> list[str]:
    """What a user should know about the levels of a history."""
    missing = int((level == 0).sum())
    if missing == level.size:
        return [
            text(
                "no levels of hospitals are known: a kind has one mean cost for all of them, and payment judges "
                "deviation by it; --hospitals hospitals.csv adds means by level"
            )
        ]
    return (
        [text("{missing:,} discharges have no hospital level and enter no mean by level", missing=missing)] if missing else []
    )
