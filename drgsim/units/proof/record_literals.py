"""A discharge as literals: which class each code is of, between which bounds each number lies, which word a text is.

Any number of other diagnoses and procedures may be there, since a rule can only ask whether one is, or count them to a bound.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Any

from drgsim.records.ages import MOST_INFANT_DAYS
from drgsim.records.batch_encoding import plain_word
from drgsim.records.birth_weights import LOWEST_GRAMS
from drgsim.units.drg.drg_reference import COMPARE, Discharge
from drgsim.units.proof.clauses import TRUE, Clauses, Model
from drgsim.units.proof.code_classes import SIDES, CodeClasses, Codes, SchemeLists, SeverityMark, all_codes, marks_of
from drgsim.units.schemes.rule_language import (
    NUMBER_VARIABLES,
    TEXT_VARIABLES,
    Compare,
    CountCodes,
    Test,
    TextIn,
    walk,
)

# least and largest value that a record may have once it is read, whether whole, and what a witness rather shows
_NUMBERS = {
    "NL": (0, 150, True, (45, 8, 70)), "XB": (1, 2, True, ()), "XSRTL": (0, 55_000, True, (5, 40, 200)),
    "XSRTZ": (LOWEST_GRAMS, 20_000, False, (3200, 2200, 1700, 1200, 900)), "ZYTS": (0, 36_500, False, (6,)),
    "ICUXS": (0, 876_000, False, ()),
}  # fmt: skip
_FIELDS = dict(
    zip(NUMBER_VARIABLES, ("age", "sex", "age_days", "birth_weight_g", "los_days", "icu_hours"), strict=True),
    LYFS="discharge_way",
    RYKS="department",
)


@dataclass
class CodeView:
    """Codes of one side: of which class the principal one is, and how many different others there are of each class.

    Attributes
    ----------
    principal
        By class: the principal code is of it.
    others
        By class: at least 1, 2, ... different others are of it.
    repeated
        The principal code stands among the others once more.
    """

    principal: list[int]
    others: list[list[int]]
    repeated: int = -TRUE


class RecordLiterals:
    """Literals of a discharge for the rules of several schemes.

    Parameters
    ----------
    clauses
        Where literals are made.
    lists
        The schemes.
    beginning
        How the principal diagnosis begins.
    """

    def __init__(self, clauses: Clauses, lists: Sequence[SchemeLists], beginning: str = "") -> None:
        self.clauses = clauses
        self._lists = lists
        tests = [test for each in lists for _, rule in each.scheme.rules() for test in walk(rule)]
        self.roles = self._classes(tests, beginning)
        self.views = {side: self._view(side, tests) for side in SIDES}
        self._numbers = {name: _values(name, tests) for name in NUMBER_VARIABLES}
        self._words = {name: _words(name, tests) for name in TEXT_VARIABLES}
        choices: dict[str, Sequence[Any]] = {**self._numbers, **self._words}
        self._chosen = {name: (values, clauses.one_of(len(values))) for name, values in choices.items()}
        if beginning:
            classes = self.roles["ZYZD"].of(frozenset(c for c in self._codes["diagnoses"] if c.startswith(beginning)))
            clauses.add(*(self.views["diagnoses"].principal[number] for number in classes))
        self._levels: dict[tuple[int, frozenset[str]], int] = {}
        self.sensible, self.plain = clauses.new(), clauses.new()
        self._say_sensible()
        self._say_plain()

    # -- codes --------------------
    def _classes(self, tests: Iterable[Test], beginning: str) -> dict[str, CodeClasses]:
        marks = marks_of(self._lists)
        books = [each.scheme.book for each in self._lists]
        self._codes = {side: all_codes(getattr(book, side) for book in books) for side in SIDES}
        if beginning:
            marks["ZYZD"]["beginning"] = [code for code in self._codes["diagnoses"] if code.startswith(beginning)]
        both = {name for test in tests if isinstance(test, CountCodes) and len(test.variables) > 1 for name in test.variables}
        if any(each.scheme.regroup for each in self._lists):
            both.add("ZYSS")
        roles = {}
        self._shared: set[str] = set()
        for side, (principal, other) in SIDES.items():
            if principal in both:  # a code counts once wherever it stands: the classes of both places are the same
                self._shared.add(side)
                joint: dict[Hashable, Collection[str]] = {**marks[principal], **marks[other]}
                roles[principal] = roles[other] = CodeClasses(self._codes[side], joint)
            else:
                roles |= {name: CodeClasses(self._codes[side], marks[name]) for name in (principal, other)}
        return roles

    def _view(self, side: str, tests: Iterable[Test]) -> CodeView:
        principal, other = SIDES[side]
        counts = [floor(test.value) + 1 for test in tests if isinstance(test, CountCodes) and other in test.variables]
        depth = max([1, *counts])
        members = self.roles[other].members
        others = [[self.clauses.new() for _ in range(min(depth, len(codes)))] for codes in members[1:]]
        for ladder in others:
            for fewer, more in pairwise(ladder):
                self.clauses.add(-more, fewer)
        view = CodeView(self.clauses.one_of(len(self.roles[principal].members)), [[], *others])
        if side in self._shared:
            view.repeated = self._repetition(view, members)
        return view

    def _repetition(self, view: CodeView, members: Sequence[Sequence[str]]) -> int:
        repeated = self.clauses.new()
        for principal, ladder, codes in zip(view.principal, view.others, members, strict=True):
            if not ladder:
                self.clauses.add(-repeated, -principal)
                continue
            self.clauses.add(-repeated, -principal, ladder[0])
            if len(ladder) == len(codes):
                self.clauses.add(-principal, -ladder[-1], repeated)
        return repeated

    def listed(self, view: CodeView, variables: Sequence[str], codes: Codes) -> int:
        """Some code of the variables is in the list."""
        found = []
        for variable in variables:
            classes = self.roles[variable].of(codes)
            if variable in ("ZYZD", "ZYSS"):
                found += [view.principal[number] for number in classes]
            else:
                found += [view.others[number][0] for number in classes if view.others[number]]
        return self.clauses.any_of(found)

    def count(self, view: CodeView, test: CountCodes, codes: Codes) -> int:
        """The number of different codes compares as the test asks."""
        found: list[int] = []
        for variable in test.variables:
            classes = self.roles[variable].of(codes)
            if variable in ("ZYZD", "ZYSS"):
                once = [-view.repeated] if len(test.variables) > 1 else []
                found.append(self.clauses.all_of([self.clauses.any_of(view.principal[number] for number in classes), *once]))
            else:
                found += [literal for number in classes for literal in view.others[number]]
        return self.compared(found, test.operator, test.value)

    def compared(self, literals: Sequence[int], operator: str, value: float) -> int:
        """The number of literals that hold compares with a constant."""
        reached = [TRUE, *self.clauses.counted(literals, max(1, floor(value) + 1))] if value >= 0 else [TRUE]

        def least(number: int) -> int:
            return TRUE if number <= 0 else reached[number] if number < len(reached) else -TRUE

        match operator:
            case ">=":
                return least(ceil(value))
            case ">":
                return least(floor(value) + 1)
            case "<":
                return -least(ceil(value))
            case "<=":
                return -least(floor(value) + 1)
        equal = self.clauses.all_of([least(ceil(value)), -least(floor(value) + 1)]) if value == floor(value) else -TRUE
        return equal if operator == "=" else -equal

    # -- what other diagnoses count for --------------------
    def standing(self, scheme: int, levels: Collection[str]) -> Iterator[int]:
        """Literals of the different other diagnoses that count as one of the levels."""
        view, classes = self.views["diagnoses"], self.roles["QTZD"]
        for mark, codes in self._lists[scheme].severities.items():
            if mark.level in levels:
                stands = self._not_excluded(mark)
                for number in classes.of(frozenset(codes)):
                    yield from (self.clauses.all_of([literal, stands]) for literal in view.others[number])

    def has_level(self, scheme: int, levels: Collection[str]) -> int:
        """Some other diagnosis counts as one of the levels."""
        wanted = (scheme, frozenset(levels))
        if wanted not in self._levels:
            self._levels[wanted] = self._some_of(scheme, levels)
        return self._levels[wanted]

    def _some_of(self, scheme: int, levels: Collection[str]) -> int:
        found = []
        for mark, codes in self._lists[scheme].severities.items():
            if mark.level in levels:
                there = self.listed(self.views["diagnoses"], ("QTZD",), frozenset(codes))
                found.append(self.clauses.all_of([there, self._not_excluded(mark)]))
        return self.clauses.any_of(found)

    def _not_excluded(self, mark: SeverityMark) -> int:
        return -self.listed(self.views["diagnoses"], ("ZYZD",), mark.excluded_by) if mark.excluded_by else TRUE

    # -- numbers and texts --------------------
    def compares(self, test: Compare) -> int:
        """The number compares with the constant; a missing one never does."""
        values, literals = self._chosen[test.variable]
        return self.clauses.any_of(
            literal
            for value, literal in zip(values, literals, strict=True)
            if value is not None and COMPARE[test.operator](value, test.value)
        )

    def is_word(self, test: TextIn) -> int:
        """The text is one of the words."""
        words, literals = self._chosen[test.variable]
        wanted = {plain_word(word) for word in test.words}
        return self.clauses.any_of(literal for word, literal in zip(words, literals, strict=True) if word in wanted)

    def _say_sensible(self) -> None:
        """Under the literal ``sensible`` age and sex are there, and nothing contradicts each other.

        An age in days of the first year alone is read as age 0, so that no record has it without an age.
        """
        sensible = self.sensible
        (ages, of_age), (days, of_days), (sexes, of_sex) = (self._chosen[name] for name in ("NL", "XSRTL", "XB"))
        for values, literals in ((ages, of_age), (sexes, of_sex)):
            if len(values) > 1:
                self.clauses.add(-sensible, -literals[values.index(None)])
        for age, age_literal in zip(ages, of_age, strict=True) if len(ages) > 1 and len(days) > 1 else ():
            for day, day_literal in zip(days, of_days, strict=True):
                if age is None and day is not None and day <= MOST_INFANT_DAYS:
                    self.clauses.add(-age_literal, -day_literal)
                elif not (day is None if age else day is not None and day <= 365):
                    self.clauses.add(-sensible, -age_literal, -day_literal)
        for view in self.views.values():
            self.clauses.add(-sensible, -view.repeated)
        self.clauses.prefer([-literal for literal in self.others()])

    def _say_plain(self) -> None:
        """Under the literal ``plain`` it is the record of an adult who went home; nothing but codes is special."""
        self.clauses.add(-self.plain, self.sensible)
        for name, (values, literals) in self._chosen.items():
            if name != "XB":
                usual = {"NL": _NUMBERS["NL"][3][0], "ZYTS": _NUMBERS["ZYTS"][3][0]}.get(name, values[0])
                if usual in values:
                    self.clauses.add(-self.plain, literals[values.index(usual)])

    # -- a record --------------------
    def others(self) -> list[int]:
        """Literals of other diagnoses and procedures."""
        return [literal for view in self.views.values() for ladder in view.others for literal in ladder]

    def codes(self) -> list[int]:
        """A literal for each code of a record beside the principal diagnosis."""
        procedures = self.views["procedures"]
        operated = self.clauses.any_of([-procedures.principal[0], *(ladder[0] for ladder in procedures.others if ladder)])
        return [operated, *self.others()]

    def record(self, model: Model) -> Discharge:
        """A discharge of these literals; of each class its first codes."""
        given = {name: next(v for v, lit in zip(*chosen, strict=True) if lit in model) for name, chosen in self._chosen.items()}
        values = {_FIELDS[name]: value for name, value in given.items()}
        if len(self._numbers["NL"]) == 1:
            values["age"] = values["age_days"] // 365 if values["age_days"] is not None else 45
        values["sex"] = values["sex"] if len(self._numbers["XB"]) > 1 else 1
        return Discharge(self._codes_of("diagnoses", model), self._codes_of("procedures", model), **values)

    def _codes_of(self, side: str, model: Model) -> tuple[str, ...]:
        principal, other = (self.roles[name].members for name in SIDES[side])
        view = self.views[side]
        place = next(number for number, literal in enumerate(view.principal) if literal in model)
        first = principal[place][0]
        found: list[str] = []
        there = [(codes, ladder) for codes, ladder in zip(other, view.others, strict=True) if ladder and ladder[0] in model]
        for codes, ladder in there:
            number = sum(literal in model for literal in ladder)
            if view.repeated in model and codes is other[place]:
                found += [first, *[code for code in codes if code != first][: number - 1]]
            else:
                rather = [code for code in codes if code != first]
                found += [*rather, first][:number] if first in codes else codes[:number]
        if side == "procedures" and place == 0 and not found:
            return ()
        return (first, *found)


def _values(name: str, tests: Iterable[Test]) -> list[float | None]:
    """One value of each kind that the tests tell apart, and none."""
    least, most, whole, shown = _NUMBERS[name]
    bounds = sorted({test.value for test in tests if isinstance(test, Compare) and test.variable == name})
    if not bounds:
        return [None]
    if name == "XSRTL":
        bounds = sorted({*bounds, float(MOST_INFANT_DAYS)})
    points = [least - 1.0, *(bound for bound in bounds if least <= bound <= most), most + 1.0]
    values: list[float | None] = [None, *(bound for bound in points[1:-1] if not whole or bound == floor(bound))]
    for low, high in pairwise(points):
        inside = [value for value in (*shown, floor(low) + 1) if low < value < high and least <= value <= most]
        if inside:
            values.append(inside[0])
        elif not whole and max(low, least) < min(high, most):
            values.append((max(low, least) + min(high, most)) / 2)
    return list(dict.fromkeys(values))


def _words(name: str, tests: Iterable[Test]) -> list[str]:
    """The words that the tests name, and a text that is none of them."""
    asked = [test for test in tests if isinstance(test, TextIn) and test.variable == name]
    return ["", *sorted({plain_word(word) for test in asked for word in test.words})]
