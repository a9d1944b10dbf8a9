"""The rules of a scheme as literals of a discharge, and which group the scheme gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drgsim.units.proof.clauses import TRUE
from drgsim.units.proof.code_classes import SchemeLists
from drgsim.units.proof.record_literals import CodeView, RecordLiterals
from drgsim.units.schemes.rule_language import (
    DIAGNOSIS_VARIABLES,
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
)
from drgsim.units.schemes.scheme import UNGROUPED


@dataclass(frozen=True)
class GroupLiterals:
    """Of which group a discharge is: by DRG code, and whether it is of any."""

    groups: Mapping[str, int]
    some: int


class RuleLiterals:
    """Turns the rules of one scheme into literals."""

    def __init__(self, record: RecordLiterals, number: int, lists: SchemeLists) -> None:
        self.record, self.scheme = record, lists.scheme
        self._number, self._lists = number, lists
        self._clauses = record.clauses

    def first_group(self, procedures: CodeView) -> GroupLiterals:
        """The first DRG whose rule, and those of its ADRG and MDC, hold; with these procedures."""
        all_of, any_of = self._clauses.all_of, self._clauses.any_of
        earlier = -TRUE
        found: dict[str, list[int]] = {}
        for mdc in self.scheme.mdcs:
            in_mdc = self.literal(mdc.rule, procedures)
            for adrg in mdc.adrgs if in_mdc != -TRUE else ():
                in_adrg = all_of([in_mdc, self.literal(adrg.rule, procedures)])
                for drg in adrg.drgs if in_adrg != -TRUE else ():
                    holds = all_of([in_adrg, self.literal(drg.rule, procedures)])
                    found.setdefault(drg.code, []).append(all_of([holds, -earlier]))
                    earlier = any_of([earlier, holds])
        groups = {code: any_of(literals) for code, literals in found.items()}
        return GroupLiterals({**groups, UNGROUPED: -earlier}, earlier)

    def literal(self, rule: Rule, procedures: CodeView) -> int:
        """The literal that holds when the rule does."""
        match rule:
            case Always():
                return TRUE
            case Not(inner):
                return -self.literal(inner, procedures)
            case And(rules):
                return self._clauses.all_of([self.literal(part, procedures) for part in rules])
            case Or(rules):
                return self._clauses.any_of([self.literal(part, procedures) for part in rules])
            case Compare():
                return self.record.compares(rule)
            case TextIn():
                return self.record.is_word(rule)
            case CodeIn() | CountCodes() | CountSites():
                return self._of_codes(rule, procedures)
        raise TypeError(f"not a rule: {rule!r}")

    def _of_codes(self, test: CodeIn | CountCodes | CountSites, procedures: CodeView) -> int:
        record, number = self.record, self._number
        view = record.views["diagnoses"] if test.variables[0] in DIAGNOSIS_VARIABLES else procedures
        if test.sets[0] in SEVERITY_SETS:
            if isinstance(test, CodeIn):
                return record.has_level(number, test.sets)
            if isinstance(test, CountCodes):
                return record.compared(list(record.standing(number, test.sets)), test.operator, test.value)
            levels = [record.has_level(number, (name,)) for name in test.sets]
            return record.compared(levels, test.operator, test.value)
        if isinstance(test, CountSites):
            sites = [record.listed(view, test.variables, self._lists.united((name,))) for name in test.sets]
            return record.compared(sites, test.operator, test.value)
        codes = self._lists.united(test.sets)
        if isinstance(test, CountCodes):
            return record.count(view, test, codes)
        return record.listed(view, test.variables, codes)
