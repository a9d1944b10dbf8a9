"""What a page knows of codes: the national dictionaries, how cells are spelled, the first letters of names in pinyin."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from drgsim.records.code_dictionaries import (
    BLANK_FOLDED,
    BLANKS,
    SPELLED,
    CodeBook,
    CodeList,
    national_codes,
)
from drgsim.records.damaged_codes import DAMAGED, ERRORS

_INITIALS = Path(__file__).with_name("pinyin_initials.json")
SIDES = ("diagnoses", "procedures")


def page_codes() -> dict[str, Any]:
    """The dictionaries and the signs that spelling knows, as JSON can hold them.

    Returns
    -------
    dict
        By side ``codes`` and ``names`` (joined by line breaks, in the order of their ids) and ``grey`` (ids); ``spelled`` sign
        -> what it is written as (empty: nothing), ``blanks``, ``blank_words``, ``errors``, ``damaged`` (a pattern),
        ``initials`` letter -> the signs whose reading begins with it.
    """
    book = national_codes()
    return {
        **{side: _side(getattr(book, side)) for side in SIDES},
        "spelled": {chr(sign): written or "" for sign, written in SPELLED.items()},
        "blanks": "".join(map(chr, BLANKS)),
        "blank_words": sorted(BLANK_FOLDED),
        "errors": list(ERRORS),
        "damaged": DAMAGED,
        "initials": initials(),
    }


def _side(codes: CodeList) -> dict[str, Any]:
    grey = [number for number, code in enumerate(codes.codes) if code in codes.grey]
    return {"codes": "\n".join(codes.codes), "names": "\n".join(codes.names), "grey": grey}


def local_codes(book: CodeBook) -> dict[str, list[list[str]]]:
    """Codes of a scheme's own, which follow those of the national dictionaries, with their names."""
    found = {}
    for side in SIDES:
        codes, national = getattr(book, side), len(getattr(national_codes(), side).codes)
        found[side] = [[*pair] for pair in zip(codes.codes[national:], codes.names[national:], strict=True)]
    return found


@lru_cache(maxsize=1)
def initials() -> dict[str, str]:
    """First letter of a reading in pinyin -> the signs that have it; made by ``tools/make_pinyin_initials.py``."""
    found: dict[str, str] = json.loads(_INITIALS.read_text(encoding="utf-8"))
    return found
