"""The national code dictionaries, and how codes are spelled the same.

Diagnosis codes are ICD-10 医保版 2.0, procedure codes ICD-9-CM-3 医保版 2.0. Files write them with stray spaces, full-width
characters, ``X`` for ``x`` and daggers (†) for plus signs; :func:`fold` removes these differences and nothing else.
The same folding
is done on UTF-8 bytes by :mod:`drgsim.records.encode`; a property test holds the two equal.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from drgsim.assets import asset_root

OWN_VERSION = "yb2"  # the edition of the dictionaries, which schemes are written in
UNKNOWN = -1  # a code that the dictionary does not list
EMPTY = -2  # the principal place of a list is blank

_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
# blanks and control characters of all kinds; NUL pads the cells of fixed-width exports
_DROPPED = dict.fromkeys([*range(10), *range(11, 33), 0x7F, 0xA0, *range(0x2000, 0x200C), 0x202F, 0x2060, 0x3000, 0xFEFF])
_FOLD = {**_FULL_WIDTH, **_DROPPED, ord("†"): "+"}
_SEPARATORS = re.compile(r"[|;,、\n]")


def fold(text: str) -> str:
    """Spell a code in one way: half-width, no blanks, upper-case letters, ``+`` for a dagger.

    Examples
    --------
    >>> fold(" i10.X００ "), fold("a01.002† g01＊")
    ('I10.X00', 'A01.002+G01*')
    """
    folded = text.translate(_FOLD)
    return folded.upper() if folded.isascii() else "".join(c.upper() if c.isascii() else c for c in folded)


def split_codes(text: str) -> list[str]:
    """Split a list of codes at ``|`` (``;``, ``,``, ``、`` or a line break) and fold each; the principal code is the first.

    Blank places after the first are dropped; a blank first place stays as an empty string when other codes follow.

    Examples
    --------
    >>> split_codes("I21.001| i10.x00；E11.900"), split_codes("|I10.x00|"), split_codes(" ")
    (['I21.001', 'I10.X00', 'E11.900'], ['', 'I10.X00'], [])
    """
    first, *others = ("" if code in BLANK_FOLDED else code for code in _SEPARATORS.split(fold(text)))
    others = [code for code in others if code]
    return [first, *others] if first or others else []


BLANK = ("", "-", "--", "—", "/", "\\N", "NULL", "null", "NA", "N/A", "nan", "NaN", "None")  # cells that mean nothing
BLANK_FOLDED = frozenset(map(fold, BLANK))


@dataclass(frozen=True)
class CodeList:
    """Codes of one kind in the order of their integer ids.

    Attributes
    ----------
    codes, names
        Codes as the dictionary writes them, and their Chinese names (empty for a local code without a name).
    grey
        Codes that may not stand in the principal place (灰码).
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    grey: frozenset[str]

    @cached_property
    def keys(self) -> dict[str, int]:
        """Folded spelling -> id. A dagger-asterisk pair is also known without its final asterisk, where that is unique."""
        keys = {fold(code): number for number, code in enumerate(self.codes)}
        for number, code in enumerate(self.codes):
            if code.endswith("*"):
                keys.setdefault(fold(code)[:-1], number)
        return keys

    @cached_property
    def in_order(self) -> tuple[list[str], list[int]]:
        """Folded spellings in the order of the alphabet, and the id of each."""
        pairs = sorted((fold(code), number) for number, code in enumerate(self.codes))
        return [spelling for spelling, _ in pairs], [number for _, number in pairs]

    def find(self, text: str) -> int:
        """Id of a code in any accepted spelling, ``UNKNOWN`` or ``EMPTY``."""
        folded = fold(text)
        return self.keys.get(folded, UNKNOWN) if folded else EMPTY

    def canonical(self, text: str) -> str:
        """The dictionary's own spelling; an unknown code comes back folded, with a small ``x`` as national codes have it."""
        number = self.find(text)
        folded = fold(text)
        return self.codes[number] if number >= 0 else folded[:1] + folded[1:].replace("X", "x")

    def name(self, text: str) -> str:
        """Chinese name of a code, empty when it is unknown."""
        number = self.find(text)
        return self.names[number] if number >= 0 else ""

    def is_grey(self, text: str) -> bool:
        """Whether the code may not stand in the principal place."""
        return self.canonical(text) in self.grey

    def extended(self, local: Mapping[str, str]) -> CodeList:
        """The same list with local codes (code -> name) after it, in sorted order."""
        if not local:
            return self
        extra = sorted(set(local).difference(self.codes))
        longer = CodeList(self.codes + tuple(extra), self.names + tuple(local[code] for code in extra), self.grey)
        # what is known of the many national codes is taken over, so that a few local ones cost little
        own = [(fold(code), number) for number, code in enumerate(extra, start=len(self.codes))]
        if not any(code.endswith("*") for code in extra):
            longer.__dict__["keys"] = {**self.keys, **dict(own)}
        spellings, numbers = self.in_order
        pairs = sorted([*zip(spellings, numbers, strict=True), *own])
        longer.__dict__["in_order"] = ([spelling for spelling, _ in pairs], [number for _, number in pairs])
        return longer


@dataclass(frozen=True)
class CodeBook:
    """The two code lists by which records are encoded. Ids of national codes never depend on local codes."""

    diagnoses: CodeList
    procedures: CodeList

    def extended(self, diagnoses: Mapping[str, str], procedures: Mapping[str, str]) -> CodeBook:
        """The same book with local codes added."""
        return CodeBook(self.diagnoses.extended(diagnoses), self.procedures.extended(procedures))


DICTIONARY_FILES = ("icd10_yb2.csv", "icd9cm3_yb2.csv", "grey_diagnoses.csv", "grey_procedures.csv")


@lru_cache(maxsize=1)
def national_codes() -> CodeBook:
    """The national dictionaries (医保版 2.0) with their grey codes, as they ship in ``groupers/icd``."""
    folder = asset_root("groupers") / "icd"
    diagnoses, procedures, grey_diagnoses, grey_procedures = (_read(folder / name) for name in DICTIONARY_FILES)
    return CodeBook(_listed(diagnoses, grey_diagnoses), _listed(procedures, grey_procedures))


def _listed(entries: Mapping[str, str], grey: Iterable[str]) -> CodeList:
    return CodeList(tuple(entries), tuple(entries.values()), frozenset(grey))


def _read(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}
