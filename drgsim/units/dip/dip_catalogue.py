"""What a DIP catalogue is, once it is read: kinds, levels of the auxiliary lists, and how cases are matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.primary_care import PrimaryCareLine
from drgsim.units.schemes.rule_language import NUMBER_VARIABLES, Rule

KINDS = {
    "excluded": "排除列表",
    "first": "先期分组",
    "merged": "并项规则",
    "tcm": "中医优势病种",
    "split": "诊断辅助细分",
    "core_national": "核心病种（国家）",
    "core_local": "核心病种（地方）",
    "core": "核心病种",
    "primary": "基层病种",
    "comprehensive": "综合病种",
    "chapter": "章节病种",
    "blank": "空白病组",
}
CORE_KINDS = ("core_national", "core_local", "core", "primary")
PRIMARY = "primary"
CORE_TYPES = ("first", "merged", "split", *CORE_KINDS)  # 核心病种 in the wide sense of the 3.0 draft
OPERATION_CLASSES = {
    "conservative": "内科诊疗组",
    "diagnostic": "诊断性操作组",
    "therapeutic": "治疗性操作组",
    "surgery": "相关手术组",
}
CLASS_ORDER = tuple(OPERATION_CLASSES)  # from the least to the most
CLASS_SUFFIXES = {"conservative": "BSZL", "diagnostic": "ZDXCZ", "therapeutic": "ZLXCZ", "surgery": "SS"}
STAGES = ("excluded", "first", "merged", "tcm", "split", "auxiliary", "core", "comprehensive", "chapter", "blank")
CONDITION_NUMBERS = (*NUMBER_VARIABLES, "CCI")
KIND_COLUMNS = (
    "code", "dx", "procedure", "related", "operation_class", "aux", "aux_level", "kind", "score", "mean_cost", "cases", "cv",
    "dx_name", "procedure_name",
)  # fmt: skip
LINE_COLUMNS = ("procedure_place", "condition")  # may be left out
HOSPITAL_LEVELS = (1, 2, 3)
MEAN_COLUMNS = tuple(f"mean_cost_{level}" for level in HOSPITAL_LEVELS)  # may be left out, all three together
LEVEL_COLUMNS = ("aux", "level", "title", "title_zh", "condition", "evidence")
SET_COLUMNS = ("set", "code")
CLASS_COLUMNS = ("procedure", "class")


def stage_of(kind: str) -> str:
    """The stage of matching that a kind belongs to; its auxiliary levels may have a stage of their own."""
    return "core" if kind in CORE_KINDS else kind


def alternatives(cell: str) -> tuple[str, ...]:
    """The codes of which a line asks for one: those between the bars.

    Examples
    --------
    >>> alternatives("44.1300x001|45.2302"), alternatives("")
    (('44.1300x001', '45.2302'), ())
    """
    return tuple(cell.split("|")) if cell else ()


@dataclass(frozen=True)
class Kind:
    """A line of ``kinds.csv``: a combination of diagnosis and procedures, and the kind (病种) that it leads to.

    Attributes
    ----------
    code
        Of the kind. Several lines may share one: then they are one kind that several combinations lead to.
    dx
        Principal diagnosis: a full code, a subcategory (``I21.0``), a category (``I21``), a range of categories (``A00-A99``),
        or empty for any; several of one shape with a bar between them.
    procedure, related
        Principal procedure (empty: none) and related procedures, one entry for each procedure that must be done; an entry of
        several codes with a bar between them asks for one of them (:func:`alternatives`).
    operation_class
        Property of the principal procedure (comprehensive, chapter and blank kinds), or empty.
    aux, aux_level
        Level of an auxiliary list that a case must have, or empty.
    kind
        One of :data:`KINDS`.
    score
        Points; None where the kind has none of its own (excluded, blank).
    mean_cost, cases, cv
        Mean cost in yuan, number and coefficient of variation of the cases that the kind was built from; None unknown.
    level_means
        Mean cost in yuan by level of hospital, as :data:`HOSPITAL_LEVELS`; empty where the catalogue states none.
    anywhere
        Whether the procedure may stand in any place, not in the principal one only.
    condition
        Rule that a case must hold, such as another diagnosis; empty for none.
    """

    code: str
    dx: str = ""
    procedure: str = ""
    related: tuple[str, ...] = ()
    operation_class: str = ""
    aux: str = ""
    aux_level: str = ""
    kind: str = "core"
    score: float | None = None
    mean_cost: float | None = None
    cases: int | None = None
    cv: float | None = None
    dx_name: str = ""
    procedure_name: str = ""
    level_means: tuple[float | None, ...] = ()
    anywhere: bool = False
    condition: str = ""

    @property
    def combination(self) -> tuple[Any, ...]:
        """Diagnosis, procedures and condition; lines that differ in their level alone share it."""
        related = tuple(sorted(self.related))
        return stage_of(self.kind), self.dx, self.procedure, related, self.operation_class, self.anywhere, self.condition

    @property
    def place(self) -> tuple[Any, ...]:
        """What makes the line different from all others: combination, level and stage."""
        return (*self.combination, self.aux, self.aux_level)

    @property
    def name(self) -> str:
        """Name of the kind: diagnosis, then procedure or property."""
        parts = [self.dx_name, self.procedure_name or OPERATION_CLASSES.get(self.operation_class, "")]
        return "：".join(part for part in parts if part)


@dataclass(frozen=True)
class Level:
    """A level of an auxiliary list (辅助目录): what it is called, and the condition under which a case has it."""

    aux: str
    level: str
    title: str
    title_zh: str
    condition: Rule
    evidence: str


@dataclass(frozen=True)
class Matching:
    """``[matching]`` of ``scheme.toml``: what local rules decide. See ``docs/dip-catalogues.md``."""

    order: tuple[str, ...] = tuple(stage for stage in STAGES if stage != "auxiliary")
    principal_procedure: str = "principal_place"
    related: str = "all_done"
    full_code: str = "first"
    ties: tuple[str, ...] = ("principal_procedure_first", "larger_score")
    first_kinds: str = "best_fit"
    simple_procedures: str = "conservative_class"
    comprehensive_kinds: str = "listed"
    comprehensive_class: str = "principal_procedure"
    comprehensive_rest: str = "conservative"
    blank: str = ""
    evidence: str = "assumption"
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Auxiliary:
    """``[auxiliary]`` of ``scheme.toml``: where severity comes from, and which of several levels counts."""

    severity_lists: str = "chs-drg-2.0"
    several: str = "highest_score"
    comorbidity: str = "other_diagnoses"
    evidence: str = "assumption"
    source: str = ""
    note: str = ""


CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "matching": {
        "principal_procedure": ("principal_place", "principal_place_first", "any_place"),
        "related": ("all_done", "most_done"),
        "full_code": ("first", "equal"),
        "first_kinds": ("best_fit", "table_order"),
        "simple_procedures": ("conservative_class", "excluded_codes"),
        "comprehensive_kinds": ("listed", "every_category"),
        "comprehensive_class": ("principal_procedure", "highest"),
        "comprehensive_rest": ("conservative", "none"),
    },
    "auxiliary": {"several": ("highest_score", "first_listed"), "comorbidity": ("other_diagnoses", "all_diagnoses")},
}
TIES = ("nearest_mean_cost", "larger_score", "principal_procedure_first")
SETTINGS = {
    "matching": tuple(each.name for each in fields(Matching)),
    "auxiliary": tuple(each.name for each in fields(Auxiliary)),
}


@dataclass(frozen=True, repr=False, eq=False)
class Catalogue:
    """A DIP catalogue (病种目录库).

    Attributes
    ----------
    id, title, title_zh, region_zh, edition, icd10, icd9cm3, evidence, sources, notes
        As ``scheme.toml`` states them.
    scored
        Whether its kinds have scores; a national catalogue leaves them to the regions.
    readings
        What the published text leaves open and how it is read here: topic -> sentence; all of it is an assumption.
    matching, auxiliary
        Settings of grouping.
    kinds
        Lines of ``kinds.csv`` in their order.
    levels
        Levels of the auxiliary lists in their order.
    sets
        Name of a code list that a condition names -> its codes.
    classes
        Procedure code -> operation class, for every procedure that has one.
    conditions
        Condition of a line -> its rule.
    excluded
        Codes that may not be principal, or do not count.
    primary_care
        Diagnosis and procedure of cases that have one price in all hospitals.
    book
        National dictionaries with the codes of the catalogue that they lack.
    own_codes
        Codes of the catalogue that the national dictionaries lack: (``diagnosis`` or ``procedure``, code).
    digest
        SHA-256 over all files that grouping by the catalogue rests on.
    """

    id: str
    title: str
    title_zh: str
    region_zh: str
    edition: str
    icd10: str
    icd9cm3: str
    evidence: str
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    scored: bool
    readings: Mapping[str, str]
    matching: Matching
    auxiliary: Auxiliary
    kinds: tuple[Kind, ...]
    levels: tuple[Level, ...]
    sets: Mapping[str, frozenset[str]]
    classes: Mapping[str, str]
    conditions: Mapping[str, Rule]
    excluded: ExcludedCodes
    primary_care: tuple[PrimaryCareLine, ...]
    book: CodeBook
    own_codes: tuple[tuple[str, str], ...]
    digest: str
    folder: Path

    def __repr__(self) -> str:
        return f"<Catalogue {self.id}: {', '.join(f'{number} {kind}' for kind, number in self.counts.items())}>"

    @cached_property
    def lines(self) -> tuple[Kind, ...]:
        """Lines that cases are matched with: those of the table, comprehensive kinds of every category and one for the blank
        group where the settings ask for them."""
        blank = self.matching.blank
        more = list(_every_category(self.book)) if self.matching.comprehensive_kinds == "every_category" else []
        if blank and blank not in self.by_code:
            more.append(Kind(blank, kind="blank", dx_name=KINDS["blank"]))
        return (*self.kinds, *more)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Number of kinds by type, types that occur only; codes count once, however many lines they have."""
        by_code = {kind.code: kind.kind for kind in self.kinds}
        counted = Counter(by_code.values())
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @cached_property
    def by_code(self) -> Mapping[str, Kind]:
        """Code -> its first line."""
        found: dict[str, Kind] = {}
        for kind in self.kinds:
            found.setdefault(kind.code, kind)
        return found

    @cached_property
    def by_dx(self) -> Mapping[str, tuple[tuple[int, Kind], ...]]:
        """Principal diagnosis of lines -> their places in :attr:`lines` and the lines."""
        found: dict[str, list[tuple[int, Kind]]] = {}
        for row, kind in enumerate(self.lines):
            for dx in alternatives(kind.dx) or ("",):
                found.setdefault(dx, []).append((row, kind))
        return {dx: tuple(lines) for dx, lines in found.items()}

    @cached_property
    def ranges(self) -> tuple[str, ...]:
        """Principal diagnoses of lines that are ranges of categories."""
        return tuple(dx for dx in self.by_dx if "-" in dx)

    @cached_property
    def by_level(self) -> Mapping[tuple[str, str], Level]:
        """(list, level) -> level."""
        return {(level.aux, level.level): level for level in self.levels}


def _every_category(book: CodeBook) -> Iterator[Kind]:
    """Comprehensive kinds of every category of the dictionary and every property, without scores."""
    names: dict[str, str] = {}
    for code, name in sorted(zip(book.diagnoses.codes, book.diagnoses.names, strict=True)):
        names.setdefault(code[:3], name)
    for category, name in names.items():
        for class_, suffix in CLASS_SUFFIXES.items():
            yield Kind(f"{category}:{suffix}", category, operation_class=class_, kind="comprehensive", dx_name=name)
