"""Do the DRG rules of an ADRG, tried in order, take every case, and can each of them ever be reached?

Rules are evaluated on every combination of what they ask for: CC and MCC, one value per interval of each number, each text, and
each code list hit or not. Lists count as independent of each other, so a gap between two lists may be one that no real case
falls into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from drgsim.language import joined, text
from drgsim.units.schemes.rule_language import (
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
    Test,
    TextIn,
    print_rule,
    walk,
)
from drgsim.units.schemes.scheme import Adrg

MOST_CASES = 50_000
Case = Mapping[str, object]


@dataclass(frozen=True)
class Coverage:
    """What the DRGs of an ADRG cover.

    Attributes
    ----------
    gap
        A case that no DRG takes, in words; empty when there is none.
    unreachable
        DRGs that no case reaches, because rows before them take all that they could take, or because they never hold.
    undecided
        Whether there are too many combinations to say.
    """

    gap: str
    unreachable: tuple[str, ...]
    undecided: bool = False

    @property
    def whole(self) -> bool:
        """Whether every case falls into some DRG."""
        return not self.gap and not self.undecided


def adrg_coverage(adrg: Adrg) -> Coverage:
    """Check the DRG rules of an ADRG.

    Examples
    --------
    >>> from drgsim.units.schemes.pack import load_scheme
    >>> adrg_coverage(load_scheme("chs-drg-2.0").adrgs["FR2"]).whole
    True
    """
    return rules_coverage([drg.code for drg in adrg.drgs], [drg.rule for drg in adrg.drgs])


def rules_coverage(codes: Sequence[str], rules: Sequence[Rule]) -> Coverage:
    """Check rules that are tried in order; see :func:`adrg_coverage`."""
    domains = _domains(rules)
    size = 1
    for values in domains.values():
        size *= len(values)
    if size > MOST_CASES:
        last_is_open = bool(rules) and isinstance(rules[-1], Always)
        return Coverage("", (), undecided=not last_is_open)
    reached: set[str] = set()
    gap = ""
    for case in _cases(domains):
        taken = next((code for code, rule in zip(codes, rules, strict=True) if holds(rule, case)), None)
        if taken is not None:
            reached.add(taken)
        elif not gap:
            gap = _in_words(case)
    return Coverage(gap, tuple(code for code in codes if code not in reached))


def case_share(rules: Sequence[Rule]) -> list[float]:
    """For each rule the share of all combinations in which it holds; a narrower condition has a smaller share."""
    cases = list(_cases(_domains(rules)))
    return [sum(holds(rule, case) for case in cases) / len(cases) for rule in rules]


def first_disagreement(first: Sequence[tuple[str, Rule]], second: Sequence[tuple[str, Rule]]) -> str:
    """A case, in words, that two ordered lists of codes with rules give to different codes; empty when there is none.

    Examples
    --------
    >>> from drgsim.units.schemes.rule_parser import parse_rule
    >>> old, new = parse_rule("NL <= 6"), parse_rule("NL < 6")
    >>> first_disagreement([("A", old), ("B", Always())], [("A", new), ("B", Always())])
    'NL 6: A, B'
    """
    for case in _cases(_domains([rule for _, rule in (*first, *second)])):
        taken = [next((code for code, rule in rows if holds(rule, case)), "none") for rows in (first, second)]
        if taken[0] != taken[1]:
            return text("{case}: {first}, {second}", case=_in_words(case), first=taken[0], second=taken[1])
    return ""


def _key(test: Test) -> str:
    if isinstance(test, CodeIn) and test.sets[0] in SEVERITY_SETS:
        return "severity"
    return test.variable if isinstance(test, Compare | TextIn) else print_rule(test)


def _domains(rules: Sequence[Rule]) -> dict[str, list[object]]:
    """For each thing that the rules ask for, values that tell all its cases apart."""
    numbers: dict[str, set[float]] = {}
    domains: dict[str, list[object]] = {}
    for test in (test for rule in rules for test in walk(rule)):
        match test:
            case Always():
                continue
            case Compare(variable, _, value):
                numbers.setdefault(variable, set()).add(value)
            case TextIn(variable, words):
                known = domains.setdefault(variable, [""])
                known += [word for word in words if word not in known]
            case _ if _key(test) == "severity":
                domains["severity"] = ["none", "CC", "MCC", "MCC and CC"]
            case _:
                domains[_key(test)] = [False, True]
    for variable, ends in numbers.items():
        # ages, days, hours and weights are not negative; sex is 1 or 2
        values = (
            {1.0, 2.0}
            if variable == "XB"
            else {0.0} | {end + step for end in ends for step in (-1, -0.5, 0, 0.5, 1) if end + step >= 0}
        )
        whole = variable in ("NL", "XSRTL", "ZYTS")
        domains[variable] = list[object](sorted(value for value in values if not whole or value == int(value)))
    return domains


def _cases(domains: Mapping[str, list[object]]) -> Iterator[Case]:
    for values in product(*domains.values()):
        yield dict(zip(domains, values, strict=True))


def _in_words(case: Case) -> str:
    return joined(", ", (_words(name, value) for name, value in case.items())) or text("any case")


def _words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return text("({rule}) holds", rule=name) if value else text("({rule}) fails", rule=name)
    return f"{name} {value:g}" if isinstance(value, float) else joined(" ", [name, value or text("other")])


def holds(rule: Rule, case: Case) -> bool:
    """Whether a rule holds for a combination of answers."""
    match rule:
        case Always():
            return True
        case Not(inner):
            return not holds(inner, case)
        case And(rules):
            return all(holds(part, case) for part in rules)
        case Or(rules):
            return any(holds(part, case) for part in rules)
        case Compare(variable, operator, value):
            number = float(str(case[variable]))
            return {
                ">=": number >= value, "<=": number <= value, ">": number > value,
                "<": number < value, "=": number == value, "<>": number != value,
            }[operator]  # fmt: skip
        case TextIn(variable, words):
            return case[variable] in words
        case CodeIn(_, sets) if sets[0] in SEVERITY_SETS:
            return any(name in str(case["severity"]).split(" and ") for name in sets)
        case CodeIn() | CountCodes() | CountSites():
            return bool(case[_key(rule)])
    raise TypeError(f"not a rule: {rule!r}")
