"""Where rare combinations go: comprehensive kinds (综合病种), then chapters, then the blank group (空白病组)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.combinations import NONE, Combinations
from drgsim.authoring.dip.dip_spec import Comprehensive
from drgsim.units.dip.dip_catalogue import CLASS_ORDER

# chapters of ICD-10, WHO; gaps at their ends are closed so that every category lies in one
CHAPTERS = (
    "A00-B99", "C00-D49", "D50-D89", "E00-E99", "F00-F99", "G00-G99", "H00-H59", "H60-H99", "I00-I99", "J00-J99", "K00-K99",
    "L00-L99", "M00-M99", "N00-N99", "O00-O99", "P00-P99", "Q00-Q99", "R00-R99", "S00-T99", "U00-U99", "V00-Y99", "Z00-Z99",
)  # fmt: skip
BLANK = "KBBZ"


@dataclass(frozen=True)
class ComprehensiveKinds:
    """Kinds for what is not core: ``kinds`` holds (type, diagnosis, operation class), ``kind`` the place for each combination
    or -1 for core ones."""

    kinds: tuple[tuple[str, str, str], ...]
    kind: NDArray[np.int64]


def chapter_of(category: str) -> str:
    """Chapter of a category; empty for what is no ICD-10 category.

    Examples
    --------
    >>> chapter_of("I21"), chapter_of("Y98"), chapter_of("D48")
    ('I00-I99', 'V00-Y99', 'C00-D49')
    """
    return next((chapter for chapter in CHAPTERS if chapter[:3] <= category[:3] <= chapter[-3:]), "")


def operation_classes(combinations: Combinations, class_of_procedure: NDArray[np.int8]) -> NDArray[np.int8]:
    """Property of the principal procedure of each combination: place in ``CLASS_ORDER``, 0 (conservative) without one, -1 where
    it is unknown."""
    principal = combinations.procedures[:, 0]
    known = np.where(principal >= 0, class_of_procedure[np.maximum(principal, 0)], -1)
    return np.where(principal == NONE, 0, known).astype(np.int8)


def comprehensive_kinds(
    combinations: Combinations,
    cases: NDArray[np.int64],
    rest: NDArray[np.bool_],
    operation_class: NDArray[np.int8],
    settings: Comprehensive,
) -> ComprehensiveKinds:
    """Kinds of the combinations of ``rest`` by category x class, chapter x class, and blank.

    Parameters
    ----------
    combinations, cases
        The combinations of a history and their cases.
    rest
        Those that are not core.
    operation_class
        Place in ``CLASS_ORDER`` of each combination.
    settings
        Cases that a comprehensive kind and a chapter need, in the whole history.
    """
    length = settings.diagnosis_characters.value
    names = [diagnosis[:length] for diagnosis in combinations.diagnoses]
    kinds: list[tuple[str, str, str]] = []
    kind = np.full(combinations.size, -1, np.int64)
    for title, keys, least in (
        ("comprehensive", names, settings.minimum_cases.value),
        ("chapter", [chapter_of(name) for name in names], settings.chapter_minimum_cases.value),
    ):
        open_ = np.flatnonzero(rest & (kind < 0))
        known = sorted({key for key in keys if key})
        place = {key: number for number, key in enumerate(known)}
        number_of = np.array([place.get(key, -1) for key in keys], np.int64)
        cell = number_of[combinations.diagnosis[open_]] * len(CLASS_ORDER) + operation_class[open_]
        cell = np.where((number_of[combinations.diagnosis[open_]] < 0) | (operation_class[open_] < 0), -1, cell)
        used = cell >= 0
        count = np.bincount(cell[used], cases[open_][used], minlength=len(known) * len(CLASS_ORDER))
        enough = np.flatnonzero((count >= least) & (count > 0))
        number = np.full(count.size, -1)
        number[enough] = np.arange(enough.size) + len(kinds)
        kind[open_] = np.where(used, number[np.where(used, cell, 0)], -1)
        kinds += [(title, known[at // len(CLASS_ORDER)], CLASS_ORDER[at % len(CLASS_ORDER)]) for at in enough.tolist()]
    left = rest & (kind < 0)
    if left.any():
        kind[left] = len(kinds)
        kinds.append(("blank", "", ""))
    return ComprehensiveKinds(tuple(kinds), kind)
