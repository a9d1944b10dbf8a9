"""Codes that no rule of two schemes tells apart: for such a class one code stands for all."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import NamedTuple

from drgsim.records.code_dictionaries import CodeList
from drgsim.units.schemes.rule_language import SEVERITY_SETS, CodeIn, CountCodes, CountSites, walk
from drgsim.units.schemes.scheme import Scheme

UNLISTED = "?"  # stands for codes in no list where every code of the dictionaries is in one
Codes = frozenset[str]
SIDES = {"diagnoses": ("ZYZD", "QTZD"), "procedures": ("ZYSS", "QTSS")}


class CodeClasses:
    """Classes of the codes of a variable; class 0 is what no mark tells from an unknown code.

    Parameters
    ----------
    codes
        All codes, those that a witness should rather show first.
    marks
        What tells codes apart, with the codes that have it.
    """

    def __init__(self, codes: Iterable[str], marks: Mapping[Hashable, Collection[str]]) -> None:
        found: dict[str, list[int]] = {}
        for number, marked in enumerate(marks.values()):
            for code in marked:
                found.setdefault(code, []).append(number)
        numbers: dict[tuple[int, ...], int] = {(): 0}
        self.members: list[list[str]] = [[]]
        self._class: dict[str, int] = {}
        for code in codes:
            number = numbers.setdefault(tuple(found.get(code, ())), len(numbers))
            if number == len(self.members):
                self.members.append([])
            self.members[number].append(code)
            self._class[code] = number
        if not self.members[0]:
            self.members[0].append(UNLISTED)
        self._of: dict[Codes, list[int]] = {}

    def of(self, codes: Codes) -> list[int]:
        """Numbers of the classes that make up a list; the list must be one of the marks, or made of them."""
        if codes not in self._of:
            self._of[codes] = sorted({self._class[code] for code in codes})
        return self._of[codes]


class SeverityMark(NamedTuple):
    """What an other diagnosis counts for in the scheme of this number, and the principal diagnoses that take it away."""

    scheme: int
    level: str
    excluded_by: Codes


class SchemeLists:
    """Code lists of a scheme as rules name them, and what other diagnoses count for."""

    def __init__(self, number: int, scheme: Scheme) -> None:
        self.scheme = scheme
        self._united: dict[tuple[str, ...], Codes] = {}
        self.severities: dict[SeverityMark, list[str]] = {}
        excluded = {name: frozenset(codes) for name, codes in scheme.exclusions.items()}
        for code, severity in scheme.severities.items():
            mark = SeverityMark(number, severity.level, excluded.get(severity.exclusion, frozenset()))
            self.severities.setdefault(mark, []).append(code)

    def united(self, names: tuple[str, ...]) -> Codes:
        """Codes of one or more lists."""
        if names not in self._united:
            self._united[names] = frozenset().union(*(self.scheme.sets[name] for name in names))
        return self._united[names]

    def asked(self) -> Iterable[tuple[str, Codes]]:
        """Every variable with every list that some rule asks of it."""
        for _, rule in self.scheme.rules():
            for test in walk(rule):
                if isinstance(test, CodeIn | CountCodes | CountSites) and test.sets[0] not in SEVERITY_SETS:
                    parts = [(name,) for name in test.sets] if isinstance(test, CountSites) else [test.sets]
                    yield from ((variable, self.united(part)) for variable in test.variables for part in parts)


def marks_of(lists: Iterable[SchemeLists]) -> dict[str, dict[Hashable, Collection[str]]]:
    """By variable: what tells its codes apart, in any of the schemes."""
    marks: dict[str, dict[Hashable, Collection[str]]] = {name: {} for names in SIDES.values() for name in names}
    for each in lists:
        for variable, codes in each.asked():
            marks[variable][codes] = codes
        for mark, marked in each.severities.items():
            marks["QTZD"][mark] = marked
            if mark.excluded_by:
                marks["ZYZD"][mark.excluded_by] = mark.excluded_by
    return marks


def all_codes(lists: Iterable[CodeList]) -> list[str]:
    """The codes of the dictionaries, usable ones first."""
    given = list(lists)
    grey = frozenset().union(*(each.grey for each in given))
    codes = list(dict.fromkeys(code for each in given for code in each.codes))
    return sorted(codes, key=lambda code: code in grey)
