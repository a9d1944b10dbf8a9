"""Procedure codes that a spreadsheet turned into something else: 39.95 was 39.9500, a date 3-12 was 03.12, #N/A was anything.

A number or a date is restored only where exactly one code of the dictionary could have become it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.records.code_dictionaries import BLANK_FOLDED, UNKNOWN, CodeList, CodeNumber, fold, national_codes
from drgsim.records.encode import CodeTable, EncodedLists, encode_lists, lists_of, records_with_unknown
from drgsim.records.findings import BITS

_SEPARATORS = re.compile(r"[|;,、\n；，｜]")
_NUMBER = re.compile(r"(\d{1,2})(?:\.(\d{1,17}))?")
_ENDS, _STARTS = r"[\s\"日]*(?:$|[|;,、\n；，｜])", r"(?:^|[|;,、\n；，｜])[\s'=\"]*"
_SHAPES = r"\d{1,2}(?:\.\d+)?|\d{4}[-/.年]\d.*|\d{1,2}[-/月]\d{1,2}|\d{1,2}-[A-Za-z]{3}|[A-Za-z]{3}-\d{2}"
DAMAGED = f"{_STARTS}(?:{_SHAPES}){_ENDS}"  # a list that may hold one; what it is, Python looks at
_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_FULL_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?")
_SHORT_DATE = re.compile(r"(\d{1,2})[-/月](\d{1,2})日?")
_NAMED_DATE = re.compile(r"(\d{1,2})-([A-Z]{3})|([A-Z]{3})-(\d{2})")
# what spreadsheets show in a cell whose formula fails; #FORMULA! is ours for one that was never calculated
ERRORS = (
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA",
    "#ERROR!", "#Err:", "#FORMULA!",
)  # fmt: skip
_ERROR = "|".join(map(re.escape, ERRORS)) + "|#{4,}"
_MOST_DIGITS = 5  # that a code has after its point: 17.91100


def fitting_codes(text: str, codes: CodeList | None = None) -> tuple[str, ...] | None:
    """The codes that a spreadsheet could have turned into this text; None for a text that is no number and no date.

    ``codes`` is the list of the edition that the file is in; the procedures of 医保版 by default.

    Examples
    --------
    >>> fitting_codes("39.95"), fitting_codes("0.66"), fitting_codes("39.9500x001")
    (('39.9500',), ('00.6600',), None)
    """
    keys = _keys(text)
    if keys is None:
        return None
    by_number = (codes or national_codes().procedures).by_number
    return tuple(dict.fromkeys(code for key in keys for code in by_number.get(key, ())))


@lru_cache(maxsize=4096)
def _keys(text: str) -> tuple[CodeNumber, ...] | None:
    """What may be left of codes in this text; None for a text that is no number and no date."""
    plain = text.strip(" '=\"\t").upper()
    number = _NUMBER.fullmatch(plain)
    if number:
        digits = number[2] or ""
        if len(digits) > _MOST_DIGITS:  # 39.949999999999996
            whole, _, digits = f"{float(plain):.{_MOST_DIGITS}f}".partition(".")
            if abs(float(plain) - float(f"{whole}.{digits}")) > 1e-9:
                return ()
            return ((int(whole), digits.rstrip("0")),)
        return ((int(number[1]), digits.rstrip("0")),)
    return tuple(sorted(set(_keys_of_date(plain)))) or None


def _keys_of_date(text: str) -> Iterator[CodeNumber]:
    """Numbers that, typed with a point, a spreadsheet takes for this date."""
    pairs: list[tuple[int, int]] = []
    if match := _FULL_DATE.fullmatch(text):
        year, month, day = map(int, match.groups())
        pairs = [(month, day), (day, month)] + ([(month, year % 100)] if day == 1 else [])
    elif match := _SHORT_DATE.fullmatch(text):
        first, second = map(int, match.groups())
        pairs = [(first, second), (second, first)]
    elif match := _NAMED_DATE.fullmatch(text):
        month = _MONTHS.get(match[2] or match[3], 0)
        number = int(match[1] or match[4])
        pairs = [(month, number), (number, month)] if month else []
    for before, after in pairs:
        yield before, f"{after:02d}".rstrip("0")
        if after < 10:
            yield before, str(after).rstrip("0")


def restored_text(text: str, codes: CodeList | None = None) -> str:
    """A list of procedures with what can be restored in its place; ``codes`` as :func:`fitting_codes` has it.

    Examples
    --------
    >>> restored_text("39.95|88.5600"), restored_text("36.0601")
    ('39.9500|88.5600', '36.0601')
    """
    codes = codes or national_codes().procedures
    cells = _SEPARATORS.split(text)
    whole = [cell if fold(cell) in codes.keys else _restored(cell, codes) or cell for cell in cells]
    return text if whole == cells else "|".join(whole)


def _restored(cell: str, codes: CodeList) -> str | None:
    fitting = fitting_codes(cell, codes)
    return fitting[0] if fitting is not None and len(fitting) == 1 else None


def mend_procedures(
    column: pa.Array, encoded: EncodedLists, lookup: tuple[CodeTable, CodeList], findings: NDArray[np.int64]
) -> EncodedLists:
    """Procedure ids with those restored that one code fits; what was restored and what is beyond it is noted.

    ``lookup`` is the table that the column was encoded with, and its codes.
    """
    table, codes = lookup
    records = records_with_unknown(encoded)
    if not records.size:
        return encoded
    texts = lists_of(column, records)
    looks = np.asarray(pc.match_substring_regex(texts, DAMAGED))
    if not looks.any():
        return encoded
    ids = encoded.ids.copy()
    for record, text in zip(records[looks].tolist(), texts.filter(pa.array(looks)).to_pylist(), strict=True):
        start, stop = encoded.offsets[record], encoded.offsets[record + 1]
        cells = _cells(text)
        if len(cells) != stop - start:
            continue
        for place, cell in enumerate(cells, start=start):
            fitting = fitting_codes(cell, codes) if ids[place] == UNKNOWN else None
            if fitting is None:
                continue
            one = len(fitting) == 1
            findings[record] |= np.int64(1) << np.int64(BITS["procedure_restored" if one else "procedure_damaged"])
            if one:
                ids[place] = _id_of(fitting[0], table)
    return EncodedLists(ids, encoded.offsets)


def _cells(text: str) -> list[str]:
    """Cells of a list as they are counted in encoding: blank ones after the first are dropped."""
    first, *others = ("" if fold(cell) in BLANK_FOLDED else cell for cell in _SEPARATORS.split(text))
    others = [cell for cell in others if cell]
    return [first, *others] if first or others else []


def _id_of(code: str, table: CodeTable) -> int:
    return int(encode_lists(pa.array([code]), table).ids[0])


def note_unreadable(column: pa.Array, encoded: EncodedLists, findings: NDArray[np.int64]) -> None:
    """Note records one of whose codes is an error of the spreadsheet."""
    records = records_with_unknown(encoded)
    if not records.size:
        return
    texts = lists_of(column, records)
    marked = np.asarray(pc.match_substring(texts, "#"))
    if marked.any():
        errors = np.asarray(pc.match_substring_regex(texts, _ERROR))
        findings[records[errors]] |= np.int64(1) << np.int64(BITS["code_unreadable"])
