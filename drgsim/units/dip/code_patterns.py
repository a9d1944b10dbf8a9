"""Patterns of codes in catalogue tables: a code, the beginning of codes, or a range of such beginnings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from drgsim.records.code_dictionaries import CodeList, fold

CATEGORY = re.compile(r"[A-Z]\d{2}")
SUBCATEGORY = re.compile(r"[A-Z]\d{2}\.[0-9X]")
RANGE = re.compile(r"([A-Z]\d{2})-([A-Z]\d{2})")
ANY_DX, RANGE_DX, CATEGORY_DX, SUBCATEGORY_DX, FULL_DX = range(5)  # from the least to the most specific


def shape_of(dx: str) -> int:
    """What a principal diagnosis of a catalogue is: one of ANY_DX to FULL_DX.

    Examples
    --------
    >>> [shape_of(dx) for dx in ("", "A00-A99", "I21", "I21.0", "A86.x", "I21.001")]
    [0, 1, 2, 3, 3, 4]
    """
    folded = fold(dx)
    if not folded:
        return ANY_DX
    for pattern, shape in ((RANGE, RANGE_DX), (CATEGORY, CATEGORY_DX), (SUBCATEGORY, SUBCATEGORY_DX)):
        if pattern.fullmatch(folded):
            return shape
    return FULL_DX


def plain_code(code: str) -> str:
    """A code as the national dictionaries write it: half-width, upper case, a small ``x``.

    Examples
    --------
    >>> plain_code("44.1300X001"), plain_code(" a86.X")
    ('44.1300x001', 'A86.x')
    """
    folded = fold(code)
    return folded[:1] + folded[1:].replace("X", "x")


def begins(code: str, pattern: str) -> bool:
    """Whether a code belongs to a pattern.

    Examples
    --------
    >>> begins("I22.901", "I21-I22"), begins("I23.000", "I21-I22"), begins("i21.001", "I21.0")
    (True, False, True)
    """
    folded = fold(code)
    first, _, last = fold(pattern).partition("-")
    last = last or first
    return folded >= first and folded[: len(last)] <= last


def matching_codes(pattern: str, codes: CodeList) -> list[str]:
    """Codes of a list that a pattern means: ``I21.001``, ``I21``, ``C77-C80``, ``99.25``, ``87-88``; in the order of the list.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> matching_codes("R05", national_codes().diagnoses)[:2]
    ['R05.x00', 'R05.x01']
    >>> len(matching_codes("I21-I22", national_codes().diagnoses)) > len(matching_codes("I22", national_codes().diagnoses))
    True
    """
    first, _, last = fold(pattern).partition("-")
    last = last or first
    keys, numbers = codes.in_order
    # every code that begins with the last beginning still belongs to the range
    start, stop = bisect_left(keys, first), bisect_left(keys, last + "\uffff")
    return [codes.codes[number] for number in sorted(numbers[start:stop])]


def covered_by(dx: str, codes: CodeList) -> Sequence[str]:
    """Codes of a list that the principal diagnosis of a catalogue line means; a full code means itself only.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> covered_by("R05.x00", national_codes().diagnoses), covered_by("Q00.999", national_codes().diagnoses)
    (['R05.x00'], [])
    """
    shape = shape_of(dx)
    if shape == ANY_DX:
        return codes.codes
    if shape == FULL_DX:
        number = codes.find(dx)
        return [codes.codes[number]] if number >= 0 else []
    return matching_codes(dx, codes)
