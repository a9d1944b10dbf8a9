"""The reference grouper: one discharge, plain Python, every step kept in a trace.

It says what a rule means. The kernel must give the same answers (a test holds the two equal on every conformance
case and on random
records), and every explanation that a user reads comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any, Protocol

from drgsim.language import text
from drgsim.records.arrow import number_text
from drgsim.records.batch_encoding import plain_word
from drgsim.records.code_dictionaries import CodeBook, national_codes
from drgsim.records.code_mending import read_codes
from drgsim.units.schemes.rule_language import (
    NUMBER_VARIABLES,
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
    print_rule,
    tests_something,
)
from drgsim.units.schemes.scheme import UNGROUPED, Adrg, Mdc, Scheme, Severity

TRACE_VERSION = 1


@dataclass(frozen=True)
class Discharge:
    """One discharge as the rules see it.

    Parameters
    ----------
    diagnoses, procedures
        Codes in any accepted spelling, the principal one first (an empty string when the principal place is blank).
    sex
        1 male, 2 female, None missing.
    age
        Whole years.
    age_days
        Whole days.
    birth_weight_g
        Grams.
    los_days
        Days.
    icu_hours
        Hours.
    discharge_way, department
        Texts as the file has them.
    """

    diagnoses: tuple[str, ...]
    procedures: tuple[str, ...] = ()
    sex: float | None = None
    age: float | None = None
    age_days: float | None = None
    birth_weight_g: float | None = None
    los_days: float | None = None
    icu_hours: float | None = None
    discharge_way: str = ""
    department: str = ""


@dataclass(frozen=True)
class Hit:
    """A code of the discharge and the list that holds it (for CC and MCC, the level)."""

    code: str
    name: str
    listed_in: str


@dataclass(frozen=True)
class RuleTrace:
    """A rule, whether it held, the codes that made it hold, and its parts."""

    rule: str
    holds: bool
    hits: tuple[Hit, ...] = ()
    seen: str = ""
    parts: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True)
class GroupTrace:
    """An MDC, ADRG or DRG that was tried: its rule, and the groups below it that were tried because the rule held."""

    code: str
    name: str
    kind: str
    rule: RuleTrace
    tried: tuple[GroupTrace, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the group's own rule held."""
        return self.rule.holds


@dataclass(frozen=True)
class DiagnosisTrace:
    """What another diagnosis counts for beside the principal one."""

    code: str
    name: str
    level: str
    exclusion: str
    excluded: bool


@dataclass(frozen=True)
class Trace:
    """Everything that the reference grouper did for one discharge.

    Attributes
    ----------
    version
        Of this structure.
    scheme
        Id of the scheme.
    mdc, adrg, drg, drg_name, severity
        The answer; ``mdc`` and ``adrg`` are empty and ``drg`` is 0000 when nothing holds.
    other_diagnoses
        Level of each other diagnosis, and the exclusion list that took it away.
    tried
        MDCs in the order in which they were tried.
    only_procedure
        For a scheme that groups again with one procedure alone: that procedure, when it decided.
    """

    version: int
    scheme: str
    mdc: str
    adrg: str
    drg: str
    drg_name: str
    severity: str
    other_diagnoses: tuple[DiagnosisTrace, ...]
    tried: tuple[GroupTrace, ...]
    only_procedure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists, ready for JSON."""
        return asdict(self)


class RuleLists(Protocol):
    """What rules are evaluated against: code lists, MCC and CC entries, and what takes these away."""

    @property
    def book(self) -> CodeBook:
        """Code lists by which records are read."""

    @property
    def sets(self) -> Mapping[str, frozenset[str]]:
        """Name of a code list -> its codes."""

    @property
    def severities(self) -> Mapping[str, Severity]:
        """Diagnosis -> its MCC or CC entry."""

    @property
    def exclusions(self) -> Mapping[str, frozenset[str]]:
        """Exclusion list -> the principal diagnoses that it names."""


@dataclass
class RecordFacts:
    """A discharge with canonical codes, and answers to tests.

    ``more`` holds number variables beside those of DRG rules, such as the comorbidity index of DIP.
    """

    scheme: RuleLists
    discharge: Discharge
    procedures: tuple[str, ...]
    more: Mapping[str, float] = field(default_factory=dict)
    codes: dict[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        book = self.scheme.book
        dx = tuple(book.diagnoses.canonical(code) for code in self.discharge.diagnoses)
        op = tuple(book.procedures.canonical(code) for code in self.procedures)
        self.codes = {"ZYZD": dx[:1], "QTZD": dx[1:], "ZYSS": op[:1], "QTSS": op[1:]}

    @cached_property
    def numbers(self) -> dict[str, float | None]:
        """Number variables, None where missing."""
        d = self.discharge
        values = (d.age, d.sex, d.age_days, d.birth_weight_g, d.los_days, d.icu_hours)
        return dict(zip(NUMBER_VARIABLES, values, strict=True)) | dict(self.more)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Text variables as rules compare them."""
        return {"LYFS": plain_word(self.discharge.discharge_way), "RYKS": plain_word(self.discharge.department)}

    @cached_property
    def other_diagnoses(self) -> tuple[DiagnosisTrace, ...]:
        """What each other diagnosis counts for."""
        principal = self.codes["ZYZD"][0] if self.codes["ZYZD"] else ""
        traces = []
        for code in self.codes["QTZD"]:
            severity = self.scheme.severities.get(code)
            excluded = severity is not None and principal in self.scheme.exclusions.get(severity.exclusion, ())
            traces.append(
                DiagnosisTrace(
                    code,
                    self.scheme.book.diagnoses.name(code),
                    severity.level if severity else "none",
                    severity.exclusion if severity else "",
                    excluded,
                )
            )
        return tuple(traces)

    def name(self, variable: str, code: str) -> str:
        """Chinese name of a code of a variable."""
        side = self.scheme.book.diagnoses if variable in ("ZYZD", "QTZD") else self.scheme.book.procedures
        return side.name(code)

    def hits(self, variables: Sequence[str], sets: Sequence[str]) -> tuple[Hit, ...]:
        """Codes of the variables that some of the lists hold; every code once per list."""
        if sets[0] in SEVERITY_SETS:
            standing = [d for d in self.other_diagnoses if d.level in sets and not d.excluded]
            return tuple(Hit(d.code, d.name, d.level) for d in standing)
        found = {
            (code, name): Hit(code, self.name(variable, code), name)
            for variable in variables
            for code in self.codes[variable]
            for name in sets
            if code in self.scheme.sets[name]
        }
        return tuple(found.values())


COMPARE = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}


def evaluate_rule(rule: Rule, facts: RecordFacts) -> RuleTrace:
    """Evaluate a rule; ``and`` and ``or`` stop at the part that decides."""
    shown = print_rule(rule)
    match rule:
        case Always():
            return RuleTrace(shown, True)
        case CodeIn(variables, sets):
            hits = facts.hits(variables, sets)
            return RuleTrace(shown, bool(hits), hits)
        case Compare(variable, operator, value):
            number = facts.numbers[variable]
            seen = text("{variable} = missing", variable=variable) if number is None else f"{variable} = {number:g}"
            return RuleTrace(shown, number is not None and COMPARE[operator](number, value), seen=seen)
        case TextIn(variable, words):
            found = facts.texts[variable]
            seen = f"{variable} = {found}" if found else text("{variable} = missing", variable=variable)
            return RuleTrace(shown, found in {plain_word(word) for word in words}, seen=seen)
        case CountCodes(sets, variables, operator, value):
            hits = facts.hits(variables, sets)
            count = len({hit.code for hit in hits})
            return RuleTrace(shown, COMPARE[operator](count, value), hits, seen=text("count = {count}", count=count))
        case CountSites(sets, variables, operator, value):
            hits = facts.hits(variables, sets)
            count = len({hit.listed_in for hit in hits})
            return RuleTrace(shown, COMPARE[operator](count, value), hits, seen=text("sites = {count}", count=count))
        case Not(inner):
            part = evaluate_rule(inner, facts)
            return RuleTrace(shown, not part.holds, part.hits, part.seen, part.parts)
        case And(rules) | Or(rules):
            deciding = isinstance(rule, Or)
            parts = []
            for each in rules:
                parts.append(evaluate_rule(each, facts))
                if parts[-1].holds == deciding:
                    break
            hits = tuple(hit for part in parts if part.holds for hit in part.hits)
            return RuleTrace(shown, parts[-1].holds, hits, parts=tuple(parts))
    raise TypeError(f"not a rule: {rule!r}")


def trace_discharge(discharge: Discharge, scheme: Scheme) -> Trace:
    """Group one discharge and keep every step.

    A discharge without a principal diagnosis is tried as it is: rules that ask for one do not hold.

    Examples
    --------
    >>> from drgsim.units.schemes.pack import load_scheme
    >>> trace_discharge(Discharge(("I21.001", "I50.101"), sex=1, age=65), load_scheme("chs-drg-2.0")).drg
    'FR11'
    """
    facts = RecordFacts(scheme, discharge, discharge.procedures)
    tried, path = _try_all(facts, scheme)
    only = ""
    if not path and scheme.regroup == "each_other_procedure":
        for procedure in discharge.procedures[1:]:
            alone = RecordFacts(scheme, discharge, (procedure,))
            again, path = _try_all(alone, scheme)
            if path:
                tried, only = again, scheme.book.procedures.canonical(procedure)
                break
    standing = {d.level for d in facts.other_diagnoses if not d.excluded}
    mdc, adrg, drg = (group.code for group in path) if path else ("", "", UNGROUPED)
    return Trace(
        TRACE_VERSION,
        scheme.id,
        mdc,
        adrg,
        drg,
        path[2].name if path else "",
        next((level for level in ("MCC", "CC") if level in standing), "none"),
        facts.other_diagnoses,
        tried,
        only,
    )


def _try_all(facts: RecordFacts, scheme: Scheme) -> tuple[tuple[GroupTrace, ...], tuple[GroupTrace, ...]]:
    """All MDCs tried, and the path MDC, ADRG, DRG when a DRG holds."""
    tried: list[GroupTrace] = []
    for mdc in scheme.mdcs:
        group, path = _try_mdc(mdc, facts)
        tried.append(group)
        if path:
            return tuple(tried), (group, *path)
    return tuple(tried), ()


def _try_mdc(mdc: Mdc, facts: RecordFacts) -> tuple[GroupTrace, tuple[GroupTrace, ...]]:
    rule = evaluate_rule(mdc.rule, facts)
    below: list[GroupTrace] = []
    for adrg in mdc.adrgs if rule.holds else ():
        group, drg = _try_adrg(adrg, facts)
        below.append(group)
        if drg:
            return GroupTrace(mdc.code, mdc.name, "mdc", rule, tuple(below)), (group, drg)
    return GroupTrace(mdc.code, mdc.name, "mdc", rule, tuple(below)), ()


def _try_adrg(adrg: Adrg, facts: RecordFacts) -> tuple[GroupTrace, GroupTrace | None]:
    rule = evaluate_rule(adrg.rule, facts)
    below: list[GroupTrace] = []
    for drg in adrg.drgs if rule.holds else ():
        below.append(GroupTrace(drg.code, drg.name, "drg", evaluate_rule(drg.rule, facts)))
        if below[-1].holds:
            return GroupTrace(adrg.code, adrg.name, adrg.kind, rule, tuple(below)), below[-1]
    return GroupTrace(adrg.code, adrg.name, adrg.kind, rule, tuple(below)), None


def known_mdc(discharge: Discharge, scheme: Scheme) -> str:
    """MDC of a discharge that no group takes: one whose own rule holds, else one that lists the diagnosis."""
    facts = RecordFacts(scheme, discharge, discharge.procedures)
    for mdc in scheme.mdcs:
        if tests_something(mdc.rule) and evaluate_rule(mdc.rule, facts).holds:
            return mdc.code
    principal = scheme.book.diagnoses.canonical(discharge.diagnoses[0]) if discharge.diagnoses else ""
    for mdc in scheme.mdcs:
        for test in asserted(mdc.rule):
            if isinstance(test, CodeIn) and "ZYZD" in test.variables and any(principal in scheme.sets[s] for s in test.sets):
                return mdc.code
    return ""


def discharge_from(record: dict[str, Any], numbers: Sequence[float]) -> Discharge:
    """A discharge from canonical cells and the numbers that a batch read from them (NaN where missing)."""
    age, sex, age_days, weight, los, icu = (float(number) if isfinite(number) else None for number in numbers)
    return Discharge(
        _codes(record.get("diagnoses"), "diagnoses"),
        _codes(record.get("procedures"), "procedures"),
        sex,
        age,
        age_days,
        weight,
        los,
        icu,
        _text(record.get("discharge_way")),
        _text(record.get("admission_department")),
    )


def _codes(cell: Any, name: str) -> tuple[str, ...]:
    text = cell or ""
    text = text if isinstance(text, str) else "|".join(code or "" for code in text)
    return tuple(read_codes(text, getattr(national_codes(), name)))


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return number_text(value) if isinstance(value, float) else str(value)
