"""A small stand-alone grouper for checking code templates while they are built (one record, plain Python, no trace)."""

from __future__ import annotations

import csv
import operator
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from drgsim.schemes.rules import (
    Always,
    And,
    CodeIn,
    Compare,
    CountCodes,
    CountSites,
    Not,
    Or,
    Rule,
    parse_rule,
    sets_of,
    walk,
)

_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "<>": operator.ne,
}


@dataclass
class Record:
    diagnoses: list[str]
    procedures: list[str]
    age: int
    sex: int
    age_days: int | None
    birth_weight: int | None


class ToyGrouper:
    def __init__(self, folder: Path) -> None:
        def rows(name: str) -> list[dict[str, str]]:
            with (folder / name).open(encoding="utf-8") as file:
                return list(csv.DictReader(file))

        self.sets: dict[str, set[str]] = defaultdict(set)
        for row in rows("sets.csv"):
            self.sets[row["set"]].add(row["code"])
        self.mdc_rules = {row["mdc"]: parse_rule(row["rule"]) for row in rows("mdc.csv")}
        self.rules: dict[str, Rule] = {}
        self.adrgs: list[tuple[str, str, str]] = []
        self.by_mdc: dict[str, list[str]] = defaultdict(list)
        for row in rows("adrg.csv"):
            self.rules[row["adrg"]] = parse_rule(row["rule"])
            self.adrgs.append((row["adrg"], row["mdc"], row["kind"]))
            self.by_mdc[row["mdc"]].append(row["adrg"])
        self.ambiguous = {adrg: mdc for adrg, mdc, kind in self.adrgs if kind == "ambiguous"}
        self.drgs: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows("drg.csv"):
            self.drgs[row["adrg"]].append((row["drg"], row["rule"]))
        self.cc = {row["code"]: (row["level"], row["exclusion"]) for row in rows("cc.csv")}
        self.exclusions: dict[str, set[str]] = defaultdict(set)
        for row in rows("exclusions.csv"):
            self.exclusions[row["exclusion"]].add(row["code"])
        self.other_diagnosis_sets = {
            code
            for rule in (*self.rules.values(), *self.mdc_rules.values())
            for test in walk(rule)
            if isinstance(test, CodeIn) and "QTZD" in test.variables
            for name in test.sets
            for code in self.sets[name]
        }

    def principals(self, mdc: str) -> set[str]:
        """Codes that the rule of an MDC asks of the principal diagnosis; empty when any will do (MDCA, MDCY)."""
        out: set[str] = set()
        for test in walk(self.mdc_rules[mdc]):
            if isinstance(test, CodeIn) and test.variables == ("ZYZD",) and test.sets[0] != "DI_MN_BOTH":
                out |= set().union(*(self.sets[name] for name in test.sets))
        return out

    def procedure_sets(self, adrg: str) -> list[str]:
        return sorted(name for name in sets_of(self.rules[adrg]) if name.startswith("OP_") and name != "OP_VALID")

    def severity(self, diagnoses: list[str]) -> str:
        levels = set()
        for code in diagnoses[1:]:
            level, exclusion = self.cc.get(code, ("", ""))
            if level and not (exclusion and diagnoses[0] in self.exclusions[exclusion]):
                levels.add(level)
        return "MCC" if "MCC" in levels else "CC" if "CC" in levels else "none"

    def holds(self, rule: Rule, record: Record) -> bool:
        match rule:
            case Always():
                return True
            case Not(inner):
                return not self.holds(inner, record)
            case And(parts):
                return all(self.holds(part, record) for part in parts)
            case Or(parts):
                return any(self.holds(part, record) for part in parts)
            case CodeIn(variables, names):
                return any(code in self.sets[name] for code in self._codes(variables, record) for name in names)
            case CountSites(names, variables, sign, value):
                codes = self._codes(variables, record)
                return _COMPARE[sign](sum(any(c in self.sets[n] for c in codes) for n in names), value)
            case CountCodes(names, variables, sign, value):
                hit = {c for c in self._codes(variables, record) if any(c in self.sets[n] for n in names)}
                return _COMPARE[sign](len(hit), value)
            case Compare(variable, sign, value):
                number = {
                    "NL": record.age,
                    "XB": record.sex,
                    "XSRTL": record.age_days,
                    "XSRTZ": record.birth_weight,
                }.get(variable)
                return number is not None and _COMPARE[sign](number, value)
        raise TypeError(rule)

    @staticmethod
    def _codes(variables: tuple[str, ...], record: Record) -> list[str]:
        parts = {
            "ZYZD": record.diagnoses[:1],
            "QTZD": record.diagnoses[1:],
            "ZYSS": record.procedures[:1],
            "QTSS": record.procedures[1:],
        }
        return [code for name in variables for code in parts[name]]

    def adrg(self, record: Record) -> str:
        for mdc, rule in self.mdc_rules.items():
            if self.holds(rule, record):
                for adrg in self.by_mdc[mdc]:
                    if self.holds(self.rules[adrg], record):
                        return adrg
        return "0000"

    def drg(self, record: Record) -> str:
        adrg = self.adrg(record)
        severity = self.severity(record.diagnoses)
        for drg, rule in self.drgs[adrg]:
            if (
                rule == "1"
                or (rule == "QTZD in MCC" and severity == "MCC")
                or (rule == "QTZD in {MCC, CC}" and severity != "none")
            ):
                return drg
        return adrg
