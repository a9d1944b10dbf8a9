"""Code lists that the byte loop cannot read alone, because it takes the dictionary to read them.

Three things are certain once the dictionary is asked, and are done: the two halves of a dagger-asterisk pair in two cells
become the pair; the rest of a name that was cut at its own commas is no code; a code that runs into its own name is the code.
Everything else stays unknown.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.records.code_dictionaries import UNKNOWN, CodeList, fold, split_cells, split_codes
from drgsim.records.encode import CodeTable, EncodedLists, encode_lists, lists_of, records_with_unknown

_LONGEST_CODE = 21  # characters
_BRACKETS = "()[]"
_BEGINS_AS_CODE = re.compile(r"[A-Z][0-9]{2}|[0-9]{2}[0-9.]")
_WORTH_A_LOOK = r"[*+]|[^\x00-\x7F]"  # halves of pairs and names; other unknown codes are just that


def read_codes(text: str, codes: CodeList) -> list[str]:
    """Codes of a list as :func:`split_codes` gives them, with what the dictionary makes certain.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> read_codes("A01.002†|E11.900|G01*", national_codes().diagnoses)
    ['A01.002+G01*', 'E11.900']
    >>> read_codes("A08.301EB病毒性肠炎", national_codes().diagnoses)
    ['A08.301']
    """
    found = split_codes(text)
    if all(not code or codes.find(code) >= 0 for code in found):
        return found
    return mended(text, codes).codes or found


class Mended(NamedTuple):
    """The codes of a list, none where the dictionary says nothing new, and whether halves of a pair were joined."""

    codes: list[str]
    paired: bool


def mended(text: str, codes: CodeList) -> Mended:
    """The codes of a list once more, with the dictionary."""
    if not re.search(_WORTH_A_LOOK, text):
        return Mended([], False)
    found: list[str] = []
    before, changed = "", False  # the code before
    for cell in split_cells(text):
        code = (split_codes(cell) or [""])[0]
        if code and code not in codes.keys:
            plain = fold(cell).strip(_BRACKETS)
            if before in codes.keys and not _BEGINS_AS_CODE.match(plain) and plain in fold(codes.name(before)):
                changed = True
                continue
            own = "" if plain.isascii() else _beside_its_name(plain, codes)
            changed |= bool(own)
            code = own or code
        before = code
        if code or not found:
            found.append(code)
    joined = _pairs_joined(found, codes)
    return Mended(joined if changed or joined != found else [], joined != found)


def _beside_its_name(plain: str, codes: CodeList) -> str:
    """The code of a cell that is a code and its own name without anything between; empty when it is none."""
    for length in range(min(len(plain) - 1, _LONGEST_CODE), 2, -1):
        for code, name in ((plain[:length], plain[length:]), (plain[-length:], plain[:-length])):
            if code in codes.keys and name == fold(codes.name(code)):
                return code
    return ""


def _pairs_joined(found: list[str], codes: CodeList) -> list[str]:
    """The list with the halves of pairs as the pair, in the place of the dagger; only where one pair fits."""
    unknown = [place for place, code in enumerate(found) if code and codes.find(code) == UNKNOWN]
    halves = [place for place in unknown if found[place].rstrip("+") in codes.pairs]
    result: list[str | None] = list(found)
    for place in halves:
        dagger = found[place].rstrip("+")
        fits = [
            (other, pair)
            for other in unknown
            if other > place  # an asterisk code in front is an error of the record, which stays one
            for pair in codes.pairs[dagger]
            if fold(pair).partition("+")[2].rstrip("*") == found[other].rstrip("*")
        ]
        if len(fits) == 1 and result[fits[0][0]] is not None:
            other, pair = fits[0]
            result[place], result[other] = fold(pair), None
    return [code for code in result if code is not None]


def mend_lists(
    column: pa.Array, encoded: EncodedLists, table: CodeTable, codes: CodeList
) -> tuple[EncodedLists, NDArray[np.int64]]:
    """Encoded lists with what the dictionary makes certain, and the rows in which the halves of a pair were joined.

    Parameters
    ----------
    column
        The lists as texts.
    encoded
        What :func:`drgsim.records.encode.encode_lists` made of them.
    table
        That it looked up in.
    codes
        The list of codes to ask.
    """
    nothing = np.zeros(0, np.int64)
    rows = records_with_unknown(encoded)
    if not rows.size:
        return encoded, nothing
    texts = lists_of(column, rows)
    worth = np.asarray(pc.match_substring_regex(texts, _WORTH_A_LOOK))
    if not worth.any():
        return encoded, nothing
    rows = rows[worth]
    distinct = texts.filter(pa.array(worth)).dictionary_encode()
    read = [mended(text, codes) for text in distinct.dictionary.to_pylist()]
    places = np.asarray(distinct.indices)
    changed = np.array([bool(each.codes) for each in read], np.bool_)[places]
    if not changed.any():
        return encoded, nothing
    texts_of = pa.array(["|".join(each.codes) for each in read], pa.string())
    again = encode_lists(texts_of.take(pa.array(places[changed])), table)
    paired = np.array([each.paired for each in read], np.bool_)
    return _replaced(encoded, rows[changed], again), rows[changed][paired[places[changed]]]


def _replaced(encoded: EncodedLists, rows: NDArray[np.int64], again: EncodedLists) -> EncodedLists:
    """Lists with those of some rows put in the place of what stood there."""
    lengths = np.diff(encoded.offsets)
    new = lengths.copy()
    new[rows] = np.diff(again.offsets)
    offsets = np.concatenate([[0], np.cumsum(new)]).astype(np.int64)
    ids = np.empty(offsets[-1], np.int32)
    theirs = np.zeros(len(lengths), np.bool_)
    theirs[rows] = True
    ids[np.repeat(~theirs, new)] = encoded.ids[np.repeat(~theirs, lengths)]
    ids[np.repeat(theirs, new)] = again.ids
    return EncodedLists(ids, offsets)
