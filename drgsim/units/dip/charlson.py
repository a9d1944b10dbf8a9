"""The Charlson comorbidity index (CCI, 查尔森合并症指数) of discharges; items, codes and weights stand in ``charlson.yaml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.code_dictionaries import CodeList
from drgsim.records.encode import EncodedLists
from drgsim.units.dip.code_patterns import begins, matching_codes


@dataclass(frozen=True)
class Item:
    """A comorbidity of the index.

    Attributes
    ----------
    name, title, title_zh
        Short name, English and Chinese title.
    weight
        Points.
    codes
        Beginnings of ICD-10 codes and ranges of them.
    instead_of
        Item that is not counted beside this one, or empty.
    """

    name: str
    title: str
    title_zh: str
    weight: int
    codes: tuple[str, ...]
    instead_of: str


@lru_cache(maxsize=1)
def items() -> tuple[Item, ...]:
    """The items of the index in their order.

    Examples
    --------
    >>> len(items()), sum(item.weight for item in items())
    (17, 33)
    """
    content = yaml.safe_load(Path(__file__).with_name("charlson.yaml").read_text(encoding="utf-8"))
    return tuple(
        Item(name, entry["title"], entry["zh"], entry["weight"], tuple(entry["codes"]), entry.get("instead_of", ""))
        for name, entry in content["items"].items()
    )


class CharlsonTable(NamedTuple):
    """The index for one code list: items of each code as bits (by id + 2), and points of each combination of items."""

    masks: NDArray[np.int32]
    points: NDArray[np.int8]


def charlson_table(codes: CodeList) -> CharlsonTable:
    """Look the items up in a list of diagnoses; codes of the list's own (short ones too) are read by their beginning."""
    numbers = {code: number for number, code in enumerate(codes.codes)}
    masks = np.zeros(len(codes.codes) + 2, np.int32)
    for bit, item in enumerate(items()):
        for pattern in item.codes:
            for code in matching_codes(pattern, codes):
                masks[numbers[code] + 2] |= np.int32(1 << bit)
    names = [item.name for item in items()]
    combinations = np.arange(1 << len(names))
    points = np.zeros(len(combinations), np.int8)
    for bit, item in enumerate(items()):
        has = (combinations >> bit) & 1 == 1
        points[has] += item.weight
        if item.instead_of:
            lesser = names.index(item.instead_of)
            points[has & ((combinations >> lesser) & 1 == 1)] -= items()[lesser].weight
    return CharlsonTable(masks, points)


def comorbidity_index(diagnoses: EncodedLists, table: CharlsonTable, *, principal: bool = False) -> NDArray[np.int8]:
    """Index of every record of a batch.

    Parameters
    ----------
    diagnoses
        Encoded diagnoses, principal first.
    table
        Of the code list by which they were encoded.
    principal
        Whether the principal diagnosis counts too; the index is meant for what comes beside it.

    Returns
    -------
    array
        Points, one per record.
    """
    index: NDArray[np.int8] = _index(diagnoses.ids, diagnoses.offsets, table.masks, table.points, 0 if principal else 1)
    return index


@njit(cache=True, nogil=True)
def _index(ids: Any, offsets: Any, masks: Any, points: Any, first: int) -> Any:  # pragma: no cover - compiled
    index = np.zeros(offsets.size - 1, np.int8)
    for record in range(index.size):
        found = 0
        for at in range(offsets[record] + first, offsets[record + 1]):
            found |= masks[ids[at] + 2]
        index[record] = points[found]
    return index


def items_of(diagnoses: Iterable[str], codes: CodeList) -> tuple[tuple[Item, tuple[str, ...]], ...]:
    """Items that some diagnoses (in any accepted spelling) have, with the codes that count for each; in the order of the index.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> found = items_of(["E11.900", "E11.200", "K74.600"], national_codes().diagnoses)
    >>> [item.name for item, _ in found], points_of(item for item, _ in found)
    (['mild_liver', 'diabetes', 'diabetes_complicated'], 3)
    """
    given = dict.fromkeys(codes.canonical(code) for code in diagnoses if codes.find(code) >= 0)
    found = []
    for item in items():
        hits = tuple(code for code in given if any(begins(code, pattern) for pattern in item.codes))
        if hits:
            found.append((item, hits))
    return tuple(found)


def points_of(found: Iterable[Item]) -> int:
    """Points of a combination of items."""
    having = {item.name: item for item in found}
    replaced = {item.instead_of for item in having.values()}
    return sum(item.weight for item in having.values() if item.name not in replaced)
