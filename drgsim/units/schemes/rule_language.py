"""The rule language of the national grouping workbook: the shapes of rules, how they print, what they mention.

The language is the one that NHSA published with CHS-DRG 3.0, with a few named extensions that cities need::

    rule       := and_rule ( "or" and_rule )*
    and_rule   := unary ( "and" unary )*
    unary      := "not" unary | "(" rule ")" | test
    test       := "1"                                                     always true
                | codes ["not"] "in" sets                                 ZYZD in DI_B00, {ZYZD, QTZD} in DI_YR1
                | number compare NUMBER                                   XSRTL <= 28
                | text ["not"] "in" "{" WORD, ... "}"                     LYFS in {2, 5}            (extension)
                | "length" "(" sets "∩" codes ")" compare NUMBER          length(OP_X ∩ {ZYSS, QTSS}) >= 2
                | "sites" "(" SET, ... ";" codes ")" compare NUMBER       sites(DI_1, DI_2; {ZYZD, QTZD}) >= 2  (extension)
    codes      := VARIABLE | "{" VARIABLE, ... "}"
    sets       := SET | "{" SET, ... "}"

``not`` binds before ``and``, and ``and`` before ``or``. Operators and variables may be written in either case, and full-width
punctuation, ``_x000D_`` and line breaks count as they are meant.

What a rule means is told by :mod:`drgsim.units.drg.drg_reference`, which evaluates it on one discharge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

DIAGNOSIS_VARIABLES = ("ZYZD", "QTZD")
PROCEDURE_VARIABLES = ("ZYSS", "QTSS")
NUMBER_VARIABLES = ("NL", "XB", "XSRTL", "XSRTZ", "ZYTS", "ICUXS")
TEXT_VARIABLES = ("LYFS", "RYKS")
SEVERITY_SETS = ("MCC", "CC")
COMPARISONS = (">=", "<=", "<>", ">", "<", "=")

VARIABLE_TITLES = {
    "ZYZD": ("principal diagnosis", "主要诊断"),
    "QTZD": ("other diagnoses", "其他诊断"),
    "ZYSS": ("principal procedure", "主要手术"),
    "QTSS": ("other procedures", "其他手术"),
    "NL": ("age in years", "年龄"),
    "XB": ("sex, 1 male 2 female", "性别"),
    "XSRTL": ("age in days", "日龄"),
    "XSRTZ": ("birth weight in grams", "出生体重"),
    "ZYTS": ("length of stay in days", "住院天数"),
    "ICUXS": ("hours in intensive care", "监护室小时"),
    "LYFS": ("discharge way", "离院方式"),
    "RYKS": ("department", "科室"),
}


@dataclass(frozen=True)
class Always:
    """The constant ``1``."""


@dataclass(frozen=True)
class CodeIn:
    """Some code of ``variables`` is in one of ``sets`` (which may be MCC or CC)."""

    variables: tuple[str, ...]
    sets: tuple[str, ...]


@dataclass(frozen=True)
class Compare:
    """A number against a constant; a missing number never compares true."""

    variable: str
    operator: str
    value: float


@dataclass(frozen=True)
class TextIn:
    """A text (discharge way, department) equals one of ``words``."""

    variable: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class CountCodes:
    """Number of different codes of ``variables`` in the union of ``sets``, against a constant."""

    sets: tuple[str, ...]
    variables: tuple[str, ...]
    operator: str
    value: float


@dataclass(frozen=True)
class CountSites:
    """Number of ``sets`` that hold at least one code of ``variables``, against a constant."""

    sets: tuple[str, ...]
    variables: tuple[str, ...]
    operator: str
    value: float


@dataclass(frozen=True)
class Not:
    """The rule does not hold."""

    rule: Rule


@dataclass(frozen=True)
class And:
    """All rules hold."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Or:
    """Some rule holds."""

    rules: tuple[Rule, ...]


Test = Always | CodeIn | Compare | TextIn | CountCodes | CountSites
Rule = Test | Not | And | Or


def all_of(rules: list[Rule]) -> Rule:
    """Join rules by ``and``; one rule stays as it is, nested ``and`` is flattened."""
    flat = [part for rule in rules for part in (rule.rules if isinstance(rule, And) else (rule,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(rules: list[Rule]) -> Rule:
    """Join rules by ``or``; one rule stays as it is, nested ``or`` is flattened."""
    flat = [part for rule in rules for part in (rule.rules if isinstance(rule, Or) else (rule,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def print_rule(rule: Rule) -> str:
    """Write a rule in the national language, so that ``parser.parse_rule`` reads back an equal rule.

    Examples
    --------
    >>> from drgsim.units.schemes.rule_parser import parse_rule
    >>> print_rule(parse_rule("zyss IN OP_A or（NL＞17 and not QTZD in {MCC、CC}）"))
    'ZYSS in OP_A or (NL > 17 and QTZD not in {MCC, CC})'
    """
    match rule:
        case Always():
            return "1"
        case CodeIn(variables, sets):
            return f"{_listed(variables)} in {_listed(sets)}"
        case TextIn(variable, words):
            return f"{variable} in {{{', '.join(words)}}}"
        case Compare(variable, operator, value):
            return f"{variable} {operator} {_number(value)}"
        case CountCodes(sets, variables, operator, value):
            return f"length({_listed(sets)} ∩ {_listed(variables)}) {operator} {_number(value)}"
        case CountSites(sets, variables, operator, value):
            return f"sites({', '.join(sets)}; {_listed(variables)}) {operator} {_number(value)}"
        case Not(CodeIn() | TextIn() as inner):
            return print_rule(inner).replace(" in ", " not in ", 1)
        case Not(inner):
            return f"not {_nested(inner, And, Or)}"
        case And(rules):
            return " and ".join(_nested(part, Or) for part in rules)
        case Or(rules):
            return " or ".join(_nested(part, And) for part in rules)
    raise TypeError(f"not a rule: {rule!r}")


def _number(value: float) -> str:
    """A number with all its digits and without an exponent, as the language writes numbers."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"


def _nested(rule: Rule, *looser: type) -> str:
    return f"({print_rule(rule)})" if isinstance(rule, looser) else print_rule(rule)


def walk(rule: Rule) -> Iterator[Test]:
    """All tests of a rule, left to right."""
    match rule:
        case Not(inner):
            yield from walk(inner)
        case And(rules) | Or(rules):
            for part in rules:
                yield from walk(part)
        case _:
            yield rule


def asserted(rule: Rule) -> Iterator[Test]:
    """The tests that speak for a rule: all but those under ``not``."""
    match rule:
        case Not():
            return
        case And(rules) | Or(rules):
            for part in rules:
                yield from asserted(part)
        case _:
            yield rule


def tests_something(rule: Rule) -> bool:
    """Whether a rule has any test but the constant."""
    return any(not isinstance(test, Always) for test in walk(rule))


def sets_of(rule: Rule) -> set[str]:
    """Names of the code sets that a rule mentions (MCC and CC are no code sets)."""
    found: set[str] = set()
    for test in walk(rule):
        if isinstance(test, CodeIn | CountCodes | CountSites):
            found.update(name for name in test.sets if name not in SEVERITY_SETS)
    return found


def variables_of(rule: Rule) -> set[str]:
    """Variables that a rule asks for."""
    found: set[str] = set()
    for test in walk(rule):
        if isinstance(test, CodeIn | CountCodes | CountSites):
            found.update(test.variables)
        elif isinstance(test, Compare | TextIn):
            found.add(test.variable)
    return found
