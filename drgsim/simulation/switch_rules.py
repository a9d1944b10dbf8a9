"""What a coder can look at before a switch, in words (``switch_words.yaml``), and the new splits that ask for a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from drgsim.units.schemes.rule_language import PROCEDURE_VARIABLES, And, CodeIn, Rule, print_rule
from drgsim.units.schemes.scheme import Adrg, Scheme

SHOWN_CODES = 5  # of a list that a rule asks for


@dataclass(frozen=True)
class WorkRule:
    """One kind of work: what is the matter, and what to do about it."""

    title: str
    title_zh: str
    todo: str
    todo_zh: str


_WORDS = Path(__file__).with_name("switch_words.yaml")


def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return words


RULES: Mapping[str, WorkRule] = {name: WorkRule(**words) for name, words in _words()["work"].items()}
# why the payment of a case changes, in the order in which causes are tried; every case has the first that fits
CAUSES_ZH, CAUSES_EN = ({name: words[language] for name, words in _words()["causes"].items()} for language in ("zh", "en"))
CAUSES = tuple(CAUSES_ZH)


@dataclass(frozen=True)
class FieldSplit:
    """A group of the new scheme that is like another one but for a list of codes.

    Attributes
    ----------
    group, twin
        The group that asks for the list, and the ADRG whose cases may belong to it.
    rule
        What it asks for, in the national language.
    codes
        The codes of the list.
    variables
        Where they may stand, such as ``("ZYSS", "QTSS")``.
    """

    group: str
    name: str
    twin: str
    rule: str
    codes: tuple[str, ...]
    variables: tuple[str, ...]

    def words(self, names: dict[str, str]) -> str:
        """The rule and the first codes of its list."""
        first = "、".join(f"{code} {names.get(code, '')}".strip() for code in self.codes[:SHOWN_CODES])
        more = f" …({len(self.codes)})" if len(self.codes) > SHOWN_CODES else ""
        return f"{self.group} {self.name}: {self.rule} [{first}{more}]"


def field_splits(before: Scheme, after: Scheme) -> list[FieldSplit]:
    """Splits of the new scheme by a list of codes that the old one does not make; see :class:`FieldSplit`.

    Within an ADRG: a DRG whose rule asks for a list that is neither MCC nor CC. Between ADRGs: one whose rule is that of a
    later ADRG of the MDC and one more list of procedures.
    """
    known = {adrg.name for adrg in before.adrgs.values()} | {drg.name for drg in before.drgs.values()}
    found = []
    for adrg in after.adrgs.values():
        for drg in adrg.drgs:
            found += [
                FieldSplit(drg.code, drg.name, adrg.code, print_rule(test), _codes(after, test), test.variables)
                for test in _tests(drg.rule) if isinstance(test, CodeIn) and not {"MCC", "CC"} & set(test.sets)
            ]  # fmt: skip
    for mdc in after.mdcs:
        for place, adrg in enumerate(mdc.adrgs):
            for later in mdc.adrgs[place + 1 :]:
                extra = _extra(after, adrg, later)
                if extra is not None:
                    of_adrg = FieldSplit(
                        adrg.code, adrg.name, later.code, print_rule(extra), _codes(after, extra), extra.variables
                    )
                    found.append(of_adrg)
    return [split for split in found if split.name not in known]


def _tests(rule: Rule) -> tuple[Rule, ...]:
    """The parts of a rule that stand beside each other."""
    return getattr(rule, "rules", (rule,))


def _codes(scheme: Scheme, test: CodeIn) -> tuple[str, ...]:
    return tuple(sorted(set().union(*(scheme.sets.get(name, frozenset()) for name in test.sets))))


def _extra(scheme: Scheme, adrg: Adrg, later: Adrg) -> CodeIn | None:
    """The one list of procedures that an ADRG asks for beyond the rule of a later one; lists are compared by their codes."""
    if not isinstance(adrg.rule, And) or not isinstance(later.rule, CodeIn):
        return None
    tests = [test for test in adrg.rule.rules if isinstance(test, CodeIn)]
    if len(tests) != 2 or len(adrg.rule.rules) != 2:
        return None
    wanted = set(_codes(scheme, later.rule))
    for test, other in (tests, tests[::-1]):
        asks_procedure = set(other.variables) <= set(PROCEDURE_VARIABLES)
        if asks_procedure and test.variables == later.rule.variables and set(_codes(scheme, test)) == wanted:
            return other
    return None
