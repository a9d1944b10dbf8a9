"""The national code dictionaries, and how codes are spelled the same.

Diagnosis codes are ICD-10 医保版 2.0, procedure codes ICD-9-CM-3 医保版 2.0. Files write them with stray spaces, full-width
characters, quotes of spreadsheets, ``X`` or ``×`` for ``x`` and daggers (†) for plus signs; :func:`fold` removes these
differences and nothing else. A name in the cell of its code is left out by :func:`split_codes`. The same
is done on UTF-8 bytes by :mod:`drgsim.records.encode`; a property test holds the two equal.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

from drgsim.assets import asset_root

OWN_VERSION = "yb2"  # the edition of the dictionaries, which schemes are written in
UNKNOWN = -1  # a code that the dictionary does not list
EMPTY = -2  # the principal place of a list is blank

_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
# blanks and control characters of all kinds; NUL pads the cells of fixed-width exports
BLANKS = (*range(10), *range(11, 33), 0x7F, 0xA0, *range(0x2000, 0x200C), 0x202F, 0x2060, 0x3000, 0xFEFF)
_QUOTES = "'\"=`‘’“”"  # what keeps a spreadsheet from reading a text as a number: 'J18.900 and ="J18.900"
_ALIKE = {"†": "+", "∗": "*", "×": "X", "х": "X", "Х": "X", "。": ".", "【": "[", "】": "]"}
SPELLED = str.maketrans(
    {chr(wide): chr(plain).upper() for wide, plain in _FULL_WIDTH.items() if chr(plain) not in _QUOTES}
    | dict.fromkeys([*_QUOTES, *(chr(wide) for wide, plain in _FULL_WIDTH.items() if chr(plain) in _QUOTES)])
    | dict(zip(ascii_lowercase, ascii_uppercase, strict=True))
    | _ALIKE
)
_FOLD = {**SPELLED, **dict.fromkeys(BLANKS)}
_SPACED = {**SPELLED, **dict.fromkeys(BLANKS, " ")}
_SEPARATORS = re.compile(r"[|;,、\n]")
_PLAIN = re.compile(r"[A-Z0-9.+*]*")  # nothing here could begin a name
_OPENS_NAME, _BRACKETS = "([{)]}:-_", "([{)]}"
_DIGITS_OR_BLANK = tuple(" 0123456789")
_PUNCTUATION = str.maketrans("", "", ".X+*-_/: ")
_LEAST = 3  # bytes of a code before a name may begin
_NUMERIC = re.compile(r"(\d{2})\.(\d{2,5})")
CodeNumber = tuple[int, str]  # what a number keeps of a code: the digits before the point, and those after it without zeros


def fold(text: str) -> str:
    """Spell a code in one way: half-width, no blanks or quotes, upper-case letters, ``+`` for a dagger, ``X`` for ``×``.

    Examples
    --------
    >>> fold(" i10.X００ "), fold("a01.002† g01＊"), fold('="I10.×00"')
    ('I10.X00', 'A01.002+G01*', 'I10.X00')
    """
    return text.translate(_FOLD)


def split_codes(text: str) -> list[str]:
    """Split a list of codes at ``|`` (``;``, ``,``, ``、`` or a line break) and fold each; the principal code is the first.

    A name that follows its code in the cell is left out. Blank places after the first are dropped; a blank first place
    stays as an empty string when other codes follow.

    Examples
    --------
    >>> split_codes("I21.001| i10.x00；E11.900"), split_codes("|I10.x00|"), split_codes(" ")
    (['I21.001', 'I10.X00', 'E11.900'], ['', 'I10.X00'], [])
    >>> split_codes("E11.900 2型糖尿病、I21.001（心肌梗死）|I10 .x00")
    ['E11.900', 'I21.001', 'I10.X00']
    """
    first, *others = ("" if code in BLANK_FOLDED else code for code in map(_code_of, split_cells(text)))
    others = [code for code in others if code]
    return [first, *others] if first or others else []


def split_cells(text: str) -> list[str]:
    """The cells of a list of codes, with names and blanks, else spelled as :func:`fold` spells."""
    return _SEPARATORS.split(text.translate(_SPACED))


def _code_of(cell: str) -> str:
    """The code of a cell without the name after it."""
    if _PLAIN.fullmatch(cell):
        return cell
    code: list[str] = []
    length = 0
    for at, character in enumerate(cell):
        may_end = length >= _LEAST and code[0].isascii()  # what begins with a name is left as it is
        if character == " ":
            if may_end and _is_name(cell[at:].lstrip(" ")):
                break
            continue
        if character in _OPENS_NAME or character > "\x7f":
            if may_end:
                break
            if length == 0 and character in _BRACKETS:
                continue
        code.append(character)
        length += len(character.encode())
    return "".join(code)


def _is_name(text: str) -> bool:
    """Whether what follows a blank is a name: a character that no code has, or two letters first."""
    if text[:1] in (".", "+", "*", "") or (text[0] == "X" and text[1:2] in _DIGITS_OR_BLANK):  # the code goes on
        return False
    return (text[:2].isascii() and text[:2].isalpha() and len(text) > 1) or any(c in _OPENS_NAME or c > "\x7f" for c in text)


# cells that mean nothing
BLANK = (
    "", "-", "--", "—", "——", "/", "\\", "\\N", "NULL", "null", "NA", "N/A", "nan", "NaN", "None",
    "无", "没有", "无手术", "未手术", "无操作", "无手术操作", "无诊断", "无其他诊断",
)  # fmt: skip
BLANK_FOLDED = frozenset(map(fold, BLANK))


def skeleton(spelled: str) -> str:
    """A folded spelling without dots and signs, and without the ``x`` that fills places.

    Examples
    --------
    >>> skeleton("I10.X00")
    'I1000'
    """
    return spelled.translate(_PUNCTUATION)


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
    def pairs(self) -> dict[str, list[str]]:
        """Folded dagger half -> the pairs that begin with it."""
        found: dict[str, list[str]] = {}
        for code in self.codes:
            if "+" in code:
                found.setdefault(fold(code).partition("+")[0], []).append(code)
        return found

    @cached_property
    def by_number(self) -> dict[CodeNumber, tuple[str, ...]]:
        """The codes that read as a number, by what a spreadsheet leaves of them."""
        found: dict[CodeNumber, tuple[str, ...]] = {}
        for code in self.codes:
            if match := _NUMERIC.fullmatch(code):
                key = int(match[1]), match[2].rstrip("0")
                found[key] = (*found.get(key, ()), code)
        return found

    @cached_property
    def in_order(self) -> tuple[list[str], list[int]]:
        """Folded spellings in the order of the alphabet, and the id of each."""
        pairs = sorted((fold(code), number) for number, code in enumerate(self.codes))
        return [spelling for spelling, _ in pairs], [number for _, number in pairs]

    @cached_property
    def by_skeleton(self) -> dict[str, list[str]]:
        """Letters and digits alone -> the codes that have them."""
        found: dict[str, list[str]] = {}
        for code in self.codes:
            found.setdefault(skeleton(fold(code)), []).append(code)
        return found

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
