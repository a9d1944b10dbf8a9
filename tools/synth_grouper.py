"""The reference grouper as the template maker asks it: sets, rules, and the group of one made-up record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from drgsim.units.drg.drg_reference import Discharge, Trace, trace_discharge
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import CodeIn, Rule, sets_of, walk


@dataclass
class Record:
    """A made-up discharge."""

    diagnoses: list[str]
    procedures: list[str]
    age: int
    sex: int
    age_days: int | None
    birth_weight: int | None


class TemplateGrouper:
    """A scheme, and what its rules answer."""

    def __init__(self, scheme: str) -> None:
        self.scheme = load_scheme(scheme)
        self.sets = self.scheme.sets
        self.mdc_rules = {mdc.code: mdc.rule for mdc in self.scheme.mdcs}
        self.rules: dict[str, Rule] = {adrg.code: adrg.rule for adrg in self.scheme.adrgs.values()}
        self.adrgs = [(adrg.code, adrg.mdc, adrg.kind) for adrg in self.scheme.adrgs.values()]
        self.ambiguous = {adrg: mdc for adrg, mdc, kind in self.adrgs if kind == "ambiguous"}
        self.cc = self.scheme.severities

    @cached_property
    def other_diagnosis_sets(self) -> set[str]:
        """Codes that some MDC or ADRG asks for among the other diagnoses."""
        return {
            code
            for rule in (*self.rules.values(), *self.mdc_rules.values())
            for test in walk(rule)
            if isinstance(test, CodeIn) and "QTZD" in test.variables
            for name in test.sets
            for code in self.sets[name]
        }

    def principals(self, mdc: str) -> set[str]:
        """Codes that the rule of an MDC asks of the principal diagnosis; empty when any will do."""
        out: set[str] = set()
        for test in walk(self.mdc_rules[mdc]):
            if isinstance(test, CodeIn) and test.variables == ("ZYZD",) and test.sets[0] != "DI_MN_BOTH":
                out |= set().union(*(self.sets[name] for name in test.sets))
        return out

    def procedure_sets(self, adrg: str) -> list[str]:
        """Procedure lists that the rule of an ADRG names."""
        return sorted(name for name in sets_of(self.rules[adrg]) if name.startswith("OP_") and name != "OP_VALID")

    def trace(self, record: Record) -> Trace:
        """The reference grouper's answer."""
        discharge = Discharge(
            tuple(record.diagnoses),
            tuple(record.procedures),
            record.sex,
            record.age,
            record.age_days,
            record.birth_weight,
        )
        return trace_discharge(discharge, self.scheme)

    def adrg(self, record: Record) -> str:
        """ADRG of a record, 0000 for none."""
        return self.trace(record).adrg or "0000"

    def severity(self, diagnoses: list[str]) -> str:
        """Highest level among the other diagnoses that the principal one does not exclude."""
        exclusions, levels = self.scheme.exclusions, set()
        for code in diagnoses[1:]:
            entry = self.cc.get(code)
            if entry and diagnoses[0] not in exclusions.get(entry.exclusion, ()):
                levels.add(entry.level)
        return "MCC" if "MCC" in levels else "CC" if "CC" in levels else "none"
