"""What the tools of the synthetic region ask of a grouping scheme: code lists, and the groups of made-up records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import CodeIn, walk


@dataclass(frozen=True)
class MadeUpCase:
    """A made-up discharge; ``age`` in years, below 0 for a newborn of a few days."""

    diagnoses: tuple[str, ...]
    procedures: tuple[str, ...]
    male: bool
    age: int
    birth_weight: int | None = None

    def record(self) -> dict[str, object]:
        """Canonical columns."""
        newborn = self.age < 0
        return {
            "diagnoses": "|".join(self.diagnoses),
            "procedures": "|".join(self.procedures),
            "sex": "1" if self.male else "2",
            "age": str(max(self.age, 0)),
            "age_days": "5" if newborn else "150" if self.age == 0 else "",
            "birth_weight_g": str(self.birth_weight or 3300) if newborn else "",
        }


class SchemeLists:
    """A scheme, its lists of principal diagnoses and what it answers."""

    def __init__(self, scheme: str) -> None:
        self.scheme = load_scheme(scheme)
        self.grouper = DrgGrouper(self.scheme)
        self.adrgs = self.scheme.adrgs
        self.mdc_rules = {mdc.code: mdc.rule for mdc in self.scheme.mdcs}

    def groups(self, cases: Sequence[MadeUpCase]) -> list[tuple[str, str]]:
        """ADRG and DRG of each case; ``0000`` for none."""
        if not cases:
            return []
        answers, _ = self.grouper.group_batch(pa.RecordBatch.from_pylist([case.record() for case in cases]))
        pairs = zip(answers.column("adrg").to_pylist(), answers.column("drg").to_pylist(), strict=True)
        return [(adrg or "0000", drg or "0000") for adrg, drg in pairs]

    def principals(self, adrg: str) -> set[str]:
        """Principal diagnoses that the rules of an ADRG and of its MDC name; empty when any will do."""
        own, near = (self._named(rule) for rule in (self.adrgs[adrg].rule, self.mdc_rules[self.adrgs[adrg].mdc]))
        return own & near if own and near else own or near

    def _named(self, rule: object) -> set[str]:
        tests = [test for test in walk(rule) if isinstance(test, CodeIn)]  # type: ignore[arg-type]
        return {code for test in tests if "ZYZD" in test.variables for name in test.sets for code in self.scheme.sets[name]}
