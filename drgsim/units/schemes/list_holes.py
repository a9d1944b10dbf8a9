"""Principal diagnoses that a scheme lists and yet does not group: the lists of MDCs and of their ADRGs must fit together.

A case is tried by its MDC first, so a code that only the list of an ADRG holds never gets there; and a code that only the list
of an MDC holds goes on to later MDCs, and to 0000 where it is in none. Both are looked for with nothing known but the
principal diagnosis: no procedure, no other diagnosis, any age, sex and stay.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drgsim.units.schemes.rule_language import (
    PROCEDURE_VARIABLES,
    SEVERITY_SETS,
    Always,
    And,
    CodeIn,
    Compare,
    CountCodes,
    CountSites,
    Not,
    Or,
    Rule,
    TextIn,
    asserted,
)
from drgsim.units.schemes.scheme import APART, Adrg, Mdc, Scheme

Codes = frozenset[str]
VALID = "OP_VALID"  # the list of all valid procedures 有效手术操作, which ambiguous rows ask for
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class ListHoles:
    """Where lists of a scheme do not fit together.

    Attributes
    ----------
    outside
        ADRG -> codes that its list holds and the list of its MDC lacks, so that they never get to it.
    unplaced
        MDC -> codes of its list that none of its ADRGs takes without a procedure.
    ungrouped
        Those of both that no MDC takes: every such case without a procedure is 0000.
    """

    outside: Mapping[str, Codes]
    unplaced: Mapping[str, Codes]
    ungrouped: Codes


def list_holes(scheme: Scheme) -> ListHoles:
    """Find the holes of a scheme.

    Examples
    --------
    >>> from drgsim.units.schemes.pack import load_scheme
    >>> holes = list_holes(load_scheme("chs-drg-1.1"))
    >>> "T20.300x005" in holes.outside["WR1"], "A00.900" in holes.unplaced["MDCG"], "A00.900" in holes.ungrouped
    (True, True, True)
    """
    every = frozenset(scheme.book.diagnoses.codes)
    grouped: set[str] = set()
    outside: dict[str, Codes] = {}
    unplaced: dict[str, Codes] = {}
    for mdc in scheme.mdcs:
        entered = _outcomes(mdc.rule, scheme, every)[0]
        taken: set[str] = set()
        for adrg in mdc.adrgs:
            if adrg.kind not in APART:
                holding = _outcomes(adrg.rule, scheme, every)[0]
                taken |= holding
                if entered != every and (missed := listed_by(adrg, scheme) - listed_by(mdc, scheme)) and missed <= every:
                    outside[adrg.code] = missed
        if entered != every and (left := entered - taken):
            unplaced[mdc.code] = frozenset(left)
        grouped |= entered & taken
    listed = frozenset[str]().union(*outside.values(), *unplaced.values())
    return ListHoles(outside, unplaced, listed - grouped)


def listed_by(row: Adrg | Mdc, scheme: Scheme) -> Codes:
    """Principal diagnoses that the rule of a row names in its lists."""
    tests = [test for test in asserted(row.rule) if isinstance(test, CodeIn) and "ZYZD" in test.variables]
    return _union(scheme, [name for test in tests for name in test.sets])


def listed_procedures(scheme: Scheme, kinds: tuple[str, ...] = ("surgical", "procedure", "medical")) -> Codes:
    """Procedures that the rules of ADRGs of some kinds name in their lists; the list of all valid ones is none of theirs."""
    tests = [test for adrg in scheme.adrgs.values() if adrg.kind in kinds for test in asserted(adrg.rule)]
    named = {
        name for test in tests
        if isinstance(test, CodeIn | CountCodes) and set(test.variables) & set(PROCEDURE_VARIABLES) for name in test.sets
    }  # fmt: skip
    return _union(scheme, named - {VALID})


def _union(scheme: Scheme, names: list[str] | set[str]) -> Codes:
    return frozenset[str]().union(*(scheme.sets[name] for name in names if name not in SEVERITY_SETS))


def _outcomes(rule: Rule, scheme: Scheme, every: Codes) -> tuple[Codes, Codes]:
    """Principal diagnoses with which a rule can hold, and with which it can fail."""
    none: Codes = frozenset()
    match rule:
        case Always():
            return every, none
        case Compare() | TextIn():
            return every, every
        case CodeIn(variables, sets):
            hit = _union(scheme, list(sets)) if "ZYZD" in variables else none
            return hit & every, every - hit
        case CountCodes(sets, variables, sign, value):
            hit = _union(scheme, list(sets)) & every if "ZYZD" in variables else none
            return _counted({1: hit, 0: every - hit}, sign, value)
        case CountSites(sets, variables, sign, value):
            return _counted(_by_sites(sets, scheme, every) if "ZYZD" in variables else {0: every}, sign, value)
        case Not(inner):
            holds, fails = _outcomes(inner, scheme, every)
            return fails, holds
        case And(rules) | Or(rules):
            parts = [_outcomes(part, scheme, every) for part in rules]
            alike, either = (0, 1) if isinstance(rule, And) else (1, 0)
            all_of = frozenset.intersection(*(part[alike] for part in parts))
            any_of = frozenset.union(*(part[either] for part in parts))
            return (all_of, any_of) if isinstance(rule, And) else (any_of, all_of)
    raise TypeError(f"not a rule: {rule!r}")


def _counted(by_number: Mapping[int, Codes], sign: str, value: float) -> tuple[Codes, Codes]:
    compare = _COMPARE[sign]
    holds = frozenset[str]().union(*(codes for number, codes in by_number.items() if compare(number, value)))
    return holds, frozenset[str]().union(*by_number.values()) - holds


def _by_sites(sets: tuple[str, ...], scheme: Scheme, every: Codes) -> dict[int, Codes]:
    found: dict[int, set[str]] = {}
    for code in every:
        found.setdefault(sum(code in scheme.sets[name] for name in sets), set()).add(code)
    return {number: frozenset(codes) for number, codes in found.items()}
