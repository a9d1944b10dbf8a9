"""Mean cost of a kind by level of hospital: what a cost is compared with where deviation is judged within the same level.

A policy that takes its means from the table of a catalogue (``mean_from_table``) looks for ``mean_cost_3`` before
``mean_cost``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.authoring.dip.year_totals import YearTotals
from drgsim.records.cells import read_words
from drgsim.units.dip.dip_catalogue import HOSPITAL_LEVELS

if TYPE_CHECKING:
    from drgsim.authoring.dip.catalogue_building import Built

LEVEL_NAMES = ("hospital_level", "医院级别", "医疗机构等级", "医疗机构级别")
_FIRST = {"1": 1, "一": 1, "2": 2, "二": 2, "3": 3, "三": 3}


def level_number(text: str) -> int:
    """Level of a hospital without its grade; 0 where the text names none.

    Examples
    --------
    >>> [level_number(text) for text in ("3", "三级甲等", "2b", "")]
    [3, 3, 2, 0]
    """
    return _FIRST.get(text.strip()[:1], 0)


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
        found = _numbers(read_words(batch, "hospital_id"), {name: level_number(text) for name, text in hospitals.items()})
    if column is not None:
        own = _numbers(read_words(batch, column), None)
        found = np.where(own > 0, own, found).astype(np.int8)
    return found


def _numbers(words: pa.Array, known: Mapping[str, int] | None) -> NDArray[np.int8]:
    coded = words.dictionary_encode()
    numbers = [level_number(word) if known is None else known.get(word, 0) for word in coded.dictionary.to_pylist()]
    return np.array([*numbers, 0], np.int8)[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def level_means(built: Built) -> NDArray[np.float64]:
    """Mean cost in yuan of every line and level of hospital, the years weighed as for the kind.

    Returns
    -------
    numpy.ndarray
        (kinds, then levels of auxiliary lists; levels of hospital); NaN where trimming keeps fewer than
        ``auxiliary.minimum_cases`` cases.
    """
    history, file = built.history, built.spec.file
    weights = np.array(file.history.year_weights.value)
    kinds, lines = len(built.entries), len(built.entries) + len(built.splits)
    line = built.line_of_case()
    result = np.full((lines, len(HOSPITAL_LEVELS)), np.nan)
    for place, level in enumerate(HOSPITAL_LEVELS):
        used = built.measured.kept & (history.level == level)
        for first, group in ((0, built.kind), (kinds, np.where(line >= kinds, line, -1))):
            totals = YearTotals.of(np.where(used, group, -1), history.year, history.cost, lines, weights.size)
            mean = totals.mean(weights, file.history.year_mode.value)
            enough = (totals.cases.sum(1) >= file.auxiliary.minimum_cases.value) & (np.arange(lines) >= first)
            result[:, place] = np.where(enough, mean, result[:, place])
    return result


def level_notes(level: NDArray[np.int8]) -> list[str]:
    """What a user should know about the levels of a history."""
    missing = int((level == 0).sum())
    if missing == level.size:
        return [
            "no levels of hospitals are known: a kind has one mean cost for all of them, and payment judges deviation by it; "
            "--hospitals hospitals.csv adds means by level"
        ]
    return [f"{missing:,} discharges have no hospital level and enter no mean by level"] if missing else []
