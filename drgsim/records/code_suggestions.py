"""What a code that cannot be used may have been meant to be: suggestions for a person, never an answer of the program."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from drgsim.records.code_dictionaries import CodeList, fold, skeleton

MOST_SUGGESTED = 5
_TYPED_FOR_DIGITS = str.maketrans("OILS", "0115")  # within a code; the first letter of a diagnosis stays
_CODE_IN_TEXT = re.compile(r"[A-Z]?[0-9]{2}\.[0-9X.+*A-Z]*[0-9*]|[A-Z][0-9]{2}[0-9X.]*")


def specific_codes(text: str, codes: CodeList) -> list[str]:
    """The usable codes below a grey one, in the order of the dictionary; none where it has none.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> specific_codes("Z37.000", national_codes().diagnoses)
    ['Z37.000x001', 'Z37.001', 'Z37.002']
    """
    code = codes.canonical(text)
    stem = code.removesuffix("00").removesuffix("x") if code.endswith("00") else code
    return [each for each in _beginning_with(stem, codes) if each != code and each not in codes.grey]


def suggested_codes(text: str, codes: CodeList) -> list[str]:
    """Codes of the dictionary that an unknown one may have been meant to be, at most ``MOST_SUGGESTED``, the nearest first.

    Dots, ``x`` and final zeros that were left out or mistaken, letters typed for digits, pairs of which one half is there,
    a code among other words, and else codes under the same heading.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> book = national_codes()
    >>> [suggested_codes(text, book.diagnoses) for text in ("J18900", "A01.002", "l21.O01")]
    [['J18.900'], ['A01.002+G01*'], ['I21.001']]
    >>> suggested_codes("I10", book.diagnoses)[:2]  # I10.x00 is grey
    ['I10.x00', 'I10.x00x002']
    >>> suggested_codes("39.95", book.procedures), suggested_codes("0.66", book.procedures)[:1]
    (['39.9500'], ['00.6600'])
    """
    spelled = fold(text)
    if not spelled or codes.find(spelled) >= 0:
        return []
    found = dict.fromkeys(_candidates(spelled, codes))
    if not found and len(spelled) > 4 and spelled[:5].isascii():
        found = dict.fromkeys(_beginning_with(spelled[:5], codes))
    if found and codes.grey.issuperset(found):  # a heading cannot be used either
        found |= dict.fromkeys(below for each in list(found) for below in specific_codes(each, codes))
    return list(found)[:MOST_SUGGESTED]


def _candidates(spelled: str, codes: CodeList) -> Iterator[str]:
    zero = "0" if spelled[1:2] == "." and spelled[0].isdigit() else ""  # 0.66 was 00.6600
    for plain in dict.fromkeys(zero + skeleton(each) for each in (spelled, _digits(spelled))):
        for zeros in ("", "0", "00", "000"):
            yield from codes.by_skeleton.get(plain + zeros, ())
    half = spelled.rstrip("+")
    yield from codes.pairs.get(half, ())
    if spelled.endswith("*"):
        yield from (pair for pairs in codes.pairs.values() for pair in pairs if fold(pair).endswith("+" + spelled))
    for word in _CODE_IN_TEXT.findall(spelled):
        if word != spelled:
            yield from ([codes.canonical(word)] if codes.find(word) >= 0 else codes.by_skeleton.get(skeleton(word), ()))


def _digits(spelled: str) -> str:
    """Letters that look like digits as digits; a first one that looks like a letter as that."""
    first = {"L": "I", "1": "I"}.get(spelled[:1], spelled[:1]) if not spelled[:2].isdigit() else spelled[:1]
    return first + spelled[1:].translate(_TYPED_FOR_DIGITS)


def _beginning_with(stem: str, codes: CodeList) -> list[str]:
    spellings, numbers = codes.in_order
    start = fold(stem)
    if not start:
        return []
    first = bisect_left(spellings, start)
    last = bisect_left(spellings, start + "\uffff", first)
    return [codes.codes[number] for number in numbers[first:last]]
