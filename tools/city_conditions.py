"""Conditions of groups as a public grouper states them, turned into rules of the national language.

The facts give each group the condition of its own split, in one of two forms: a plain one (``x.zdList.length > 1 and
x.mccList.length > 0``) and one with what stands around it, where the condition is what the last ``if`` asks. Lists are
numbered within their ADRG (``LIST2``); which codes they hold stands in the facts on lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from drgsim.units.schemes.rule_language import Always, Rule, all_of, any_of
from drgsim.units.schemes.rule_parser import parse_rule

_PLACES = {
    "zdList[0]": "ZYZD", "ssList[0]": "ZYSS", "zdList.slice(1)": "QTZD", "ssList.slice(1)": "QTSS",
    "zdList": "{ZYZD, QTZD}", "ssList": "{ZYSS, QTSS}",
}  # fmt: skip
_NUMBERS = {"age": "NL", "ageDay": "XSRTL", "inHospitalDays": "ZYTS", "icuHours": "ICUXS", "weight": "XSRTZ"}
# what another part of the same condition says already
_IMPLIED = ("zdList.length > 1", "ssList.length > 0", "ssList.length > 1", "ssList", "icu")
_LISTS = (r"LIST(?P<list>\d+)\.includes\(_\d+\.(?P<place>.+)\)", r"_\d+\(_\d+\.(?P<place>.+), LIST(?P<list>\d+)\)")
# what the language cannot say, by what stands in the condition
_UNREADABLE = {
    ".charges": "the source asks for a mark on the bill",
    "[].includes": "the list of the source is empty",
    "ssList[0] == ": "the source asks for the same procedure twice",
    "(function": "the source has the condition of the ADRG in its place",
    "入组条件": "the source has the condition of the ADRG in its place",
}
ListName = Callable[[int, str], str]


@dataclass(frozen=True)
class UnreadCondition(Exception):
    """A condition that the language cannot say, or that the facts do not tell; ``why`` in words."""

    why: str


def condition_rule(text: str, list_name: ListName) -> Rule:
    """The rule of a condition.

    Parameters
    ----------
    text
        The condition as the facts give it.
    list_name
        Name of the code list with a number for a variable (``ZYZD`` ...), or :class:`UnreadCondition` raised.

    Raises
    ------
    UnreadCondition
        With the part that cannot be turned.

    Examples
    --------
    >>> from drgsim.units.schemes.rule_language import print_rule
    >>> print_rule(condition_rule("_1.zdList.length > 1 and (_1.mccList.length > 0 or _1.ccList.length > 0)", str))
    'QTZD in {MCC, CC}'
    >>> print_rule(condition_rule("_1.ssList.length > 0 and LIST1.includes(_1.ssList[0])", lambda number, _: "OP_X1A"))
    'ZYSS in OP_X1A'
    """
    inner = _innermost(text)
    if inner == "?":
        raise UnreadCondition("the source tells no condition")
    parts = [part for part in _split(inner, " and ") if re.sub(r"^_\d+\.", "", part) not in _IMPLIED]
    return all_of([_part(part, list_name) for part in parts]) if parts else Always()


def _innermost(text: str) -> str:
    """What the last ``if`` asks, with aliases of lists resolved and what follows the condition cut off."""
    aliases = dict(re.findall(r"let (_\d+) = (LIST\d+)", text))
    inner = text.rsplit("if (", 1)[-1].split(") return (", 1)[0]
    for alias, known in aliases.items():
        inner = inner.replace(alias, known)
    return inner.strip()


def _split(text: str, word: str) -> list[str]:
    """Parts of a text between a word that stands outside parentheses."""
    depth, start, found = 0, 0, []
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and text.startswith(word, at):
            found.append(text[start:at])
            start = at + len(word)
    return [part.strip() for part in (*found, text[start:])]


def _part(part: str, list_name: ListName) -> Rule:
    if part == "1":
        return Always()
    if part.startswith("(") and part.endswith(")"):
        either = _split(part[1:-1], " or ")
        if all(re.fullmatch(r"_\d+\.m?ccList\.length > 0", each) for each in either) and len(either) == 2:
            return parse_rule("QTZD in {MCC, CC}")
        if ways := [found[1] for each in either if (found := re.fullmatch(r"'(\d)' == _\d+\.leavingType", each))]:
            return parse_rule(f"LYFS in {{{', '.join(ways)}}}")
        return any_of([_part(each, list_name) for each in either])
    if found := re.fullmatch(r"_\d+\.(m?cc)List\.length > 0", part):
        return parse_rule(f"QTZD in {found[1].upper()}")
    if found := re.fullmatch(r"_\d+\.icu\.length > 0", part):
        return parse_rule("ICUXS > 0")
    if found := re.fullmatch(r"'(\d)' == _\d+\.leavingType", part):
        return parse_rule(f"LYFS in {{{found[1]}}}")
    if (found := re.fullmatch(r"_\d+\.(\w+) ([<>]=?) (\d+)", part)) and found[1] in _NUMBERS:
        return parse_rule(f"{_NUMBERS[found[1]]} {found[2]} {found[3]}")
    for pattern in _LISTS:
        if found := re.fullmatch(pattern, part):
            variable = _PLACES[found["place"]]
            return parse_rule(f"{variable} in {list_name(int(found['list']), variable)}")
    raise UnreadCondition(next((why for sign, why in _UNREADABLE.items() if sign in part), f"the source asks for {part}"))
