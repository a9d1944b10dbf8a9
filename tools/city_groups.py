"""The groups of an ADRG from two accounts: the words of their names and the conditions of a public grouper.

The condition counts, with three exceptions. It gives way to a name that says something else (another number, or what the
condition does not ask for at all). Where the name says day surgery and the condition lists its codes, both are asked. And
where the order of the source keeps a row from ever being reached, the order follows from the names, special rows first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from drgsim.authoring.schemes.scheme_from_list import NEVER, DerivedRow
from drgsim.units.schemes.coverage import first_disagreement, rules_coverage
from drgsim.units.schemes.rule_language import (
    SEVERITY_SETS,
    Always,
    And,
    CodeIn,
    Compare,
    Rule,
    TextIn,
    all_of,
    print_rule,
    walk,
)
from drgsim.units.schemes.rule_parser import parse_rule
from tools.city_conditions import UnreadCondition

Condition = Rule | UnreadCondition
_REFUSED = "the source asks for"
_DAY_SURGERY = "the name says day surgery, the source lists diagnoses and procedures; both are asked"
_SEVERITY = "CC or MCC"


@dataclass
class Account:
    """How names and conditions of one scheme compare.

    Attributes
    ----------
    confirmed
        Number of rows where both say the same.
    only_condition, only_name
        Number of rows that one of them tells alone.
    taken, both
        ADRGs where the condition counts, with a case; rows that ask for both.
    refused
        Why the name counts -> rows.
    moved
        Rows that the order of the source keeps from being reached.
    """

    confirmed: int = 0
    only_condition: int = 0
    only_name: int = 0
    taken: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    both: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """The comparison in sentences."""
        lines = [
            f"conditions against names: {self.confirmed} rows where both say the same, {self.only_condition} told by the "
            f"condition alone, {self.only_name} by the name alone, {len(self.taken)} ADRGs where the condition counts though "
            f"the name says otherwise, {sum(map(len, self.refused.values()))} rows where it is the name that counts"
        ]
        refused = [f"{', '.join(rows)}: {why}" for why, rows in self.refused.items()]
        for title, entries in (
            ("the condition counts instead of the name (a case; the row by name; by condition)", self.taken),
            ("the name counts, the condition cannot be what it means", refused),
            (f"assumption: {_DAY_SURGERY}", self.both),
            ("the order of the source keeps these rows from ever being reached; they are tried earlier here", self.moved),
        ):
            if entries:
                lines.append(f"{title}: {'; '.join(entries)}")
        return lines


def composed_rows(
    named: list[DerivedRow], order: list[str], conditions: Mapping[str, Condition], account: Account
) -> list[DerivedRow]:
    """The rows of an ADRG, in order.

    Parameters
    ----------
    named
        Its rows by the words of their names.
    order
        Its codes in the order of the source.
    conditions
        Code -> condition.
    account
        Where the comparison is kept.
    """
    complete = all(row.evidence != "open" for row in named)
    unread = any(isinstance(conditions[drg], UnreadCondition) for drg in order)
    late = [] if unread else _unreached(order, conditions)
    behind = _behind(order, conditions)
    by_name = {row.drg: row for row in named}
    lost = [row.drg for row in named if row.drg not in order]
    if complete and (late or behind or unread or lost):
        places = [row.drg for row in named]
    else:
        places = _special_first([*order, *lost], conditions, late or behind)
    last = next((drg for drg in reversed(order) if isinstance(conditions[drg], Always)), "") if not (late or behind) else ""
    missing = UnreadCondition("the source lacks the row")
    sound = not (late or behind)
    rows = [_chosen(by_name[drg], conditions.get(drg, missing), takes_rest=drg == last, in_order=sound) for drg in places]
    still = rules_coverage(places, [parse_rule(row.rule) for row in rows]).unreachable
    account.moved += [drg for drg in late or behind if drg not in still]
    return _compared(named, rows, complete, account)


def _behind(order: Sequence[str], conditions: Mapping[str, Condition]) -> list[str]:
    """Rows that stand behind one that takes every case."""
    ends = [at for at, drg in enumerate(order) if isinstance(conditions[drg], Always)]
    return list(order[ends[0] + 1 :]) if ends else []


def _unreached(order: Sequence[str], conditions: Mapping[str, Condition]) -> list[str]:
    rules = [rule for drg in order if not isinstance(rule := conditions[drg], UnreadCondition)]
    return list(rules_coverage(order, rules).unreachable)


def _special_first(order: list[str], conditions: Mapping[str, Condition], late: Sequence[str]) -> list[str]:
    """Late rows before all others where that lets every row be reached; rows that take every case last."""

    def always(drg: str) -> bool:
        return isinstance(conditions.get(drg), Always)

    moved = sorted([*late, *(drg for drg in order if drg not in late)], key=always)
    readable = not any(isinstance(conditions.get(drg), UnreadCondition | None) for drg in moved)
    return moved if late and readable and not _unreached(moved, conditions) else sorted(order, key=always)


def _chosen(named: DerivedRow, condition: Condition, *, takes_rest: bool, in_order: bool) -> DerivedRow:
    """The rule of a row from its two accounts.

    ``takes_rest`` marks the last row, which needs no condition; ``in_order`` says whether the source reaches all its rows.
    """
    if isinstance(condition, UnreadCondition):
        if named.evidence != "open":
            return replace(named, doubt="; ".join(filter(None, (named.doubt, condition.why))))
        if named.rule == NEVER:
            return replace(named, needs=f"{named.needs} ({condition.why})")
        return replace(named, evidence="derived", needs="", doubt="; ".join((condition.why, named.needs)))
    rule = print_rule(condition)
    if named.evidence != "open" and not takes_rest:
        words = parse_rule(named.rule)
        if _lists_of_day_surgery(words, condition):
            return replace(named, rule=print_rule(all_of([condition, words])), evidence="assumption", doubt=_DAY_SURGERY)
        if why := _contradiction(words, condition) or ("" if in_order else _other_cases(words, condition)):
            return replace(named, doubt=f"{_REFUSED} {rule}: {why}")
    if named.evidence == "base" and rule == named.rule:
        return named
    agrees = rule == named.rule
    basis = f"condition of the source; {named.basis}" if agrees else "condition of the source"
    return replace(named, rule=rule, evidence="secondary", basis=basis, needs="", doubt=named.doubt if agrees else "")


def _lists_of_day_surgery(words: Rule, condition: Rule) -> bool:
    lists = all(isinstance(test, CodeIn) and test.sets[0] not in SEVERITY_SETS for test in walk(condition))
    return lists and set(_asked(words)) == {"ZYTS"}


def _contradiction(words: Rule, condition: Rule) -> str:
    """Why a condition cannot be what a name means; empty where it can."""
    asked, stated = _asked(words), _asked(condition)
    for thing, tests in asked.items():
        if thing not in stated:
            return f"the name asks for {thing}"
        if thing != _SEVERITY and first_disagreement([("yes", all_of(tests))], [("yes", all_of(stated[thing]))]):
            return f"the name says {print_rule(all_of(tests))}"
    return ""


def _other_cases(words: Rule, condition: Rule) -> str:
    return f"the name says {print_rule(words)}" if first_disagreement([("yes", words)], [("yes", condition)]) else ""


def _asked(rule: Rule) -> dict[str, list[Rule]]:
    """What a rule asks for, with the tests about it."""
    found: dict[str, list[Rule]] = {}
    for test in rule.rules if isinstance(rule, And) else (rule,):
        match test:
            case Compare(variable) | TextIn(variable):
                found.setdefault(variable, []).append(test)
            case _ if any(isinstance(each, CodeIn) and each.sets[0] in SEVERITY_SETS for each in walk(test)):
                found.setdefault(_SEVERITY, []).append(test)
    return found


def _compared(named: list[DerivedRow], rows: list[DerivedRow], complete: bool, account: Account) -> list[DerivedRow]:
    """Count what agrees, list what does not; an ADRG whose groups are those of the base stays as it is there."""
    known = {row.drg: row for row in named}
    both = [(row, known[row.drg]) for row in rows]
    for row in rows:
        if row.doubt.startswith(_REFUSED):
            account.refused.setdefault(row.doubt.removeprefix(_REFUSED).strip(), []).append(row.drg)
    account.both += [row.drg for row in rows if row.doubt == _DAY_SURGERY]
    account.only_condition += sum(row.evidence == "secondary" and old.evidence == "open" for row, old in both)
    account.only_name += sum("the source tells" in row.doubt or "the source lacks" in row.doubt for row in rows)
    differs = complete and first_disagreement(_tried(named), _tried(rows))
    if differs and not any(row.evidence == "assumption" for row in rows):
        account.taken.append(f"{rows[0].adrg}: {differs}")
    else:
        account.confirmed += sum((row.evidence == "secondary" and old.evidence != "open") or row == old for row, old in both)
    return named if not differs and all(row.evidence == "base" for row in named) else rows


def _tried(rows: Sequence[DerivedRow]) -> list[tuple[str, Rule]]:
    return [(row.drg, parse_rule(row.rule)) for row in rows]
