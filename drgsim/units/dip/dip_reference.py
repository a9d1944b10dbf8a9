"""The reference of DIP matching: one discharge, plain Python, every combination that was tried kept in a trace.

It says what a catalogue means. The kernel must give the same answers (tests hold the two equal on the shipped catalogue, on
random catalogues and on the sample region), and every explanation that a user reads comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import inf
from typing import Any

from drgsim.language import bilingual, joined, text
from drgsim.records.code_dictionaries import CodeBook, fold
from drgsim.units.dip.catalogue_lowering import is_excluded_procedure, may_be_primary, position_of
from drgsim.units.dip.charlson import items_of, points_of
from drgsim.units.dip.code_patterns import FULL_DX, begins, shape_of
from drgsim.units.dip.dip_catalogue import CLASS_ORDER, OPERATION_CLASSES, PRIMARY, Catalogue, Kind, alternatives, stage_of
from drgsim.units.dip.dip_trace import CellTrace, Comorbidity, DipTrace, LevelTrace, StageTrace
from drgsim.units.drg.drg_reference import Discharge, RecordFacts, RuleTrace, evaluate_rule
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import UNGROUPED, Severity

TRACE_VERSION = 2
MOST_CODES = 4  # alternatives that a reason spells out


@dataclass(frozen=True)
class _CatalogueLists:
    """Code lists of a catalogue with the severities of the DRG scheme that it names."""

    book: CodeBook
    sets: Mapping[str, frozenset[str]]
    severities: Mapping[str, Severity]
    exclusions: Mapping[str, frozenset[str]]


@lru_cache(maxsize=4)
def _lists(catalogue: Catalogue) -> _CatalogueLists:
    scheme = load_scheme(catalogue.auxiliary.severity_lists)
    return _CatalogueLists(catalogue.book, catalogue.sets, scheme.severities, scheme.exclusions)


def covers(dx: str, code: str) -> bool:
    """Whether the principal diagnosis of a catalogue line means a code.

    Examples
    --------
    >>> covers("I21-I22", "I22.901"), covers("I21.0", "I21.001"), covers("I21.001", "I21.001x002"), covers("", "I21.001")
    (True, True, False, True)
    """
    if shape_of(dx) == FULL_DX:
        return fold(code) == fold(dx)
    return not dx or begins(code, dx)


@dataclass
class _Case:
    """A discharge as matching sees it, with what depends on it alone."""

    catalogue: Catalogue
    discharge: Discharge
    cost: float | None
    facts: RecordFacts
    work: list[str]  # procedures that count, "" for a blank principal place
    left_out: tuple[str, ...]
    levels: dict[tuple[str, str], RuleTrace] = field(default_factory=dict)
    conditions: dict[str, RuleTrace] = field(default_factory=dict)

    @cached_property
    def done(self) -> list[str]:
        """Procedures that are no simple ones and may be the principal one."""
        return [code for code in self.work if code and self.may_lead(code)]

    def is_simple(self, code: str) -> bool:
        """Whether a procedure counts as not done when a kind without procedures is looked for."""
        by_class = self.catalogue.matching.simple_procedures == "conservative_class"
        return by_class and self.catalogue.classes.get(code) == "conservative"

    def may_be_principal(self, code: str) -> bool:
        """Whether the excluded list lets a procedure be the principal one with the diagnosis of the case."""
        if "excluded" not in self.catalogue.matching.order:
            return True
        principal = self.facts.codes["ZYZD"][0] if self.facts.codes["ZYZD"] else ""
        return self.catalogue.excluded.may_be_principal(code, principal)

    def may_lead(self, code: str) -> bool:
        """Whether a procedure, or a blank place, takes the principal place."""
        return not self.is_simple(code) and self.may_be_principal(code)

    @cached_property
    def operation_class(self) -> str:
        """Property by which comprehensive kinds are looked for, empty where it is not known."""
        classes = self.catalogue.classes
        if not self.done:
            return "conservative"
        if self.catalogue.matching.comprehensive_class == "highest":
            known = [CLASS_ORDER.index(classes[code]) for code in self.work if code in classes]
            return CLASS_ORDER[max(known)] if known else ""
        return classes.get(self.lead, "")

    @cached_property
    def lead(self) -> str:
        """The principal procedure: the first one, simple procedures and those that may not be principal passed over; "" where
        its place is blank."""
        return next((code for code in self.work if self.may_lead(code)), "")

    def level(self, aux: str, level: str) -> RuleTrace:
        """Condition of a level, evaluated once."""
        if (aux, level) not in self.levels:
            self.levels[aux, level] = evaluate_rule(self.catalogue.by_level[aux, level].condition, self.facts)
        return self.levels[aux, level]

    def condition(self, text: str) -> RuleTrace:
        """Condition of a line, evaluated once."""
        if text not in self.conditions:
            self.conditions[text] = evaluate_rule(self.catalogue.conditions[text], self.facts)
        return self.conditions[text]


def trace_kind(discharge: Discharge, catalogue: Catalogue, cost: float | None = None) -> DipTrace:
    """Match one discharge and keep every step.

    Parameters
    ----------
    discharge
        The discharge; one without a known principal diagnosis can only have a kind that asks for none.
    catalogue
        The catalogue.
    cost
        Total cost in yuan, where ties go to the nearest mean cost.

    Examples
    --------
    >>> from drgsim.units.dip.catalogue_files import load_catalogue
    >>> trace = trace_kind(Discharge(("K35.300",), ("47.0100",), age=30, los_days=4), load_catalogue("dip-taian-2025"))
    >>> trace.dip, trace.kind
    ('K35.3:47.0100', 'core_national')
    """
    case, comorbidities = _case(discharge, catalogue, cost)
    principal = discharge.diagnoses[0] if discharge.diagnoses else ""
    number = catalogue.book.diagnoses.find(principal)
    code = catalogue.book.diagnoses.codes[number] if number >= 0 else ""
    barred = "excluded" in catalogue.matching.order and code in catalogue.excluded.diagnoses
    stages: list[StageTrace] = []
    found: _Fit | None = None
    passed = tie = False
    for stage, cells in [] if barred else _by_stage(catalogue, principal, known=number >= 0):
        found, tie, tried = _best(cells, case, case.operation_class)
        stages.append(StageTrace(stage, tried))
        falls = catalogue.matching.comprehensive_rest == "conservative" and case.operation_class != "conservative"
        if found is None and stage == "comprehensive" and falls:
            found, tie, again = _best(cells, case, "conservative")
            stages.append(StageTrace(stage, again, rest=True))
            tried += again
        if found is not None:
            break
        passed = passed or any(cell.levels and not cell.fits and not cell.why for cell in tried)
    standing = {d.level for d in case.facts.other_diagnoses if not d.excluded}
    excluded = barred or (found is not None and found.line.kind == "excluded")
    line = found.line if found is not None and not excluded else Kind(UNGROUPED, kind="")
    care = _primary_care(line, case) if found is not None else ""
    return DipTrace(
        TRACE_VERSION, catalogue.id, line.code, line.name, PRIMARY if care else line.kind, line.score, line.aux,
        line.aux_level,
        next((level for level in ("MCC", "CC") if level in standing), "none"), case.facts.other_diagnoses,
        int(case.facts.more["CCI"]), comorbidities, tuple(code for code in case.work if code), case.left_out,
        tuple(code for code in case.work if code and case.is_simple(code)),
        tuple(code for code in case.work if code and not case.may_be_principal(code)), case.operation_class, tuple(stages),
        excluded, tie, passed, care,
    )  # fmt: skip


def _primary_care(line: Kind, case: _Case) -> str:
    """Diagnosis of the line of the primary-care list that a case with this kind is on, empty for none."""
    if not case.catalogue.primary_care or not may_be_primary(line, case.catalogue):
        return ""
    code = case.facts.codes["ZYZD"][0]
    listed = (each for each in case.catalogue.primary_care if each.holds(code, case.lead, conservative=not case.done))
    return next((each.dx for each in listed), "")


def _case(discharge: Discharge, catalogue: Catalogue, cost: float | None) -> tuple[_Case, tuple[Comorbidity, ...]]:
    start = 0 if catalogue.auxiliary.comorbidity == "all_diagnoses" else 1
    items = items_of(discharge.diagnoses[start:], catalogue.book.diagnoses)
    having = [item for item, _ in items]
    replaced = {item.instead_of for item in having}
    comorbidities = tuple(
        Comorbidity(item.name, item.title, item.title_zh, 0 if item.name in replaced else item.weight, codes)
        for item, codes in items
    )
    facts = RecordFacts(_lists(catalogue), discharge, discharge.procedures, {"CCI": float(points_of(having))})
    given = [*facts.codes["ZYSS"], *facts.codes["QTSS"]]
    excluded: set[str] = set()
    if "excluded" in catalogue.matching.order:
        lines = [kind for _, kind in catalogue.by_dx.get("", ()) if is_excluded_procedure(kind)]
        excluded = {code for kind in lines for code in alternatives(kind.procedure)}
        excluded |= catalogue.excluded.conservative
    left_out = tuple(code for code in given if code in excluded)
    return _Case(catalogue, discharge, cost, facts, [code for code in given if code not in excluded], left_out), comorbidities


def _by_stage(catalogue: Catalogue, principal: str, *, known: bool) -> list[tuple[str, list[list[Kind]]]]:
    """For each stage, in order, the combinations whose diagnosis covers the principal one, each with its lines."""
    order = catalogue.matching.order
    code = catalogue.book.diagnoses.canonical(principal) if known else ""
    # what a code begins with, and the ranges: looking at every diagnosis of the catalogue would take a hundred times as long
    near = dict.fromkeys([*(code[:length] for length in range(len(code) + 1)), *(catalogue.ranges if known else ())])
    rows = [each for dx in near if covers(dx, code) for each in catalogue.by_dx.get(dx, ())]
    found: dict[int, dict[tuple[Any, ...], list[Kind]]] = {}
    for kind in (kind for _, kind in sorted(dict(rows).items())):
        position, stage = position_of(kind, order), stage_of(kind.kind)
        if position < 0 or is_excluded_procedure(kind) or not (known or stage in ("excluded", "first")):
            continue
        found.setdefault(position, {}).setdefault(kind.combination, []).append(kind)
    return [(order[position], list(found[position].values())) for position in sorted(found)]


@dataclass(frozen=True)
class _Fit:
    """A line that fits, and how well: greater ranks go first."""

    line: Kind
    rank: tuple[float, ...]


def _best(cells: Sequence[list[Kind]], case: _Case, operation_class: str) -> tuple[_Fit | None, bool, tuple[CellTrace, ...]]:
    """The line that a stage gives, whether kinds tied for it, and everything that was tried."""
    traces: list[CellTrace] = []
    best: _Fit | None = None
    winner = -1
    tie = False
    for lines in cells:
        trace, fit = _try(lines, case, operation_class)
        traces.append(trace)
        in_order = stage_of(lines[0].kind) == "first" and case.catalogue.matching.first_kinds == "table_order"
        if fit is None or (best is not None and in_order):
            continue
        if best is None or fit.rank > best.rank:
            best, winner, tie = fit, len(traces) - 1, False
        elif fit.rank == best.rank:
            tie = tie or fit.line.code != best.line.code
    if winner >= 0:
        traces[winner] = CellTrace(**{**_plain(traces[winner]), "chosen": True})
    return best, tie, tuple(traces)


def _plain(trace: CellTrace) -> dict[str, Any]:
    return {name: getattr(trace, name) for name in trace.__dataclass_fields__}


def _try(lines: list[Kind], case: _Case, operation_class: str) -> tuple[CellTrace, _Fit | None]:
    """One combination against the case."""
    first = lines[0]
    stage = stage_of(first.kind)
    combination = (first.dx, first.procedure, first.related, first.operation_class)
    asked = case.condition(first.condition) if first.condition else None
    matched = missing = extra = 0
    in_place = exact = False
    why = ""
    if stage in ("comprehensive", "chapter", "blank"):
        exact = bool(first.operation_class)
        if first.operation_class and first.operation_class != operation_class:
            own = bilingual(first.operation_class, OPERATION_CLASSES[first.operation_class])
            why = text("its property is {property}", property=own)
    elif not first.procedure:
        exact = not case.done
        if case.done and stage not in ("excluded", "first"):
            why = text("procedures were done, it is for cases without")
    else:
        why, in_place, matched, missing, extra = _procedures(first, case)
        exact = missing == 0 and extra == 0
    if not why and asked is not None and not asked.holds:
        why = text("its condition does not hold")
    if why:
        failed = CellTrace(
            first.code, first.name, first.kind, first.score, *combination, False, why, matched, missing, condition=asked
        )
        return failed, None
    levels = _levels(lines, case)
    line = _line(lines, levels, case)
    shown = line or first
    trace = CellTrace(
        shown.code, shown.name, shown.kind, shown.score, *combination, line is not None, "", matched, missing, extra, in_place,
        levels, line.aux if line else "", line.aux_level if line else "", condition=asked,
    )  # fmt: skip
    if line is None:
        return trace, None
    settings = case.catalogue.matching
    steps = {
        "principal_procedure_first": float(in_place),
        "nearest_mean_cost": -abs(case.cost - line.mean_cost) if case.cost is not None and line.mean_cost is not None else -inf,
        "larger_score": -1.0 if line.score is None else line.score,
    }
    rank = (
        float(settings.full_code == "first" and _shape(first) == FULL_DX),
        float(in_place and settings.principal_procedure == "principal_place_first"),
        float(exact), float(matched), -float(missing), *(steps[name] for name in settings.ties), float(_shape(first)),
    )  # fmt: skip
    return trace, _Fit(line, rank)


def _shape(kind: Kind) -> int:
    """How specific the diagnosis of a line is; several are of one shape."""
    return shape_of(kind.dx.partition("|")[0])


def _procedures(first: Kind, case: _Case) -> tuple[str, bool, int, int, int]:
    """Why the procedures of a combination were not done (empty: they were), place, and counts matched, missing and extra."""
    settings, work = case.catalogue.matching, case.work
    wanted = set(alternatives(first.procedure))
    places = [place for place, code in enumerate(work) if code in wanted]
    if not places:
        return _lacks(first.procedure, work), False, 0, 0, 0
    lead = next((place for place, code in enumerate(work) if case.may_lead(code)), -1)
    principal = [place for place in (lead, 0) if place in places and (place == lead or case.may_be_principal(work[0]))]
    if not principal and settings.principal_procedure == "principal_place" and not first.anywhere:
        return _leads_not(first.procedure), False, 0, 0, 0
    chosen = (principal or places)[0]
    in_place = bool(principal)
    rest = [code for place, code in enumerate(work) if place != chosen]
    lacking = []
    for cell in sorted(first.related):
        found = next((code for code in rest if code in alternatives(cell)), None)
        if found is None:
            lacking.append(cell)
        else:
            rest.remove(found)
    matched, missing = 1 + len(first.related) - len(lacking), len(lacking)
    if missing and (settings.related == "all_done" or matched == 1):
        return joined("; ", (_lacks(cell, work) for cell in dict.fromkeys(lacking))), in_place, matched, missing, 0
    extra = sum(bool(code) and not case.is_simple(code) for code in rest)
    return "", in_place, matched, missing, extra


def _leads_not(cell: str) -> str:
    if "|" in cell:
        return text("none of {codes} is the principal procedure", codes=_listed(cell))
    return text("{code} is not the principal procedure", code=cell)


def _lacks(cell: str, work: Sequence[str]) -> str:
    if any(code in work for code in alternatives(cell)):
        return text("{codes} was done too few times", codes=_listed(cell))
    return text("none of {codes} was done", codes=_listed(cell)) if "|" in cell else text("{code} was not done", code=cell)


def _listed(cell: str) -> str:
    """The codes of a cell, the first few of many."""
    codes = alternatives(cell)
    return ", ".join(codes[:MOST_CODES]) + (", ..." if len(codes) > MOST_CODES else "")


def _levels(lines: list[Kind], case: _Case) -> tuple[LevelTrace, ...]:
    """Levels that a combination has lines for, in the order of the auxiliary lists."""
    by_level = case.catalogue.by_level
    lists = {aux: number for number, aux in enumerate(dict.fromkeys(aux for aux, _ in by_level))}
    places = {key: (lists[key[0]], number) for number, key in enumerate(by_level)}
    own = sorted((kind for kind in lines if kind.aux), key=lambda kind: places[kind.aux, kind.aux_level])
    return tuple(
        LevelTrace(
            kind.aux, kind.aux_level, by_level[kind.aux, kind.aux_level].title, by_level[kind.aux, kind.aux_level].title_zh,
            kind.code, kind.score, case.level(kind.aux, kind.aux_level),
        )
        for kind in own
    )  # fmt: skip


def _line(lines: list[Kind], levels: Sequence[LevelTrace], case: _Case) -> Kind | None:
    """The line of a combination: the last level of each list that holds, then the list that counts, else the line without."""
    last = {level.aux: level for level in levels if level.holds}  # the last one of a list stays
    if last:
        chosen = next(iter(last.values()))
        if case.catalogue.auxiliary.several == "highest_score":
            chosen = max(last.values(), key=lambda level: -inf if level.score is None else level.score)
        return next(kind for kind in lines if (kind.aux, kind.aux_level) == (chosen.aux, chosen.level))
    return next((kind for kind in lines if not kind.aux), None)
