"""What a DRG grouping scheme is, once it is read: plain immutable values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.schemes.rule_language import Rule

KINDS = {
    "surgical": "外科手术",
    "procedure": "非手术室操作",
    "medical": "内科",
    "ambiguous": "歧义",
    "fallback": "兜底",
}
APART = ("ambiguous", "fallback")  # rows that a scheme does not count among its ADRGs
UNGROUPED = "0000"


@dataclass(frozen=True)
class Drg:
    """A diagnosis-related group (细分组): its code, Chinese name and the rule that splits it from its ADRG."""

    code: str
    adrg: str
    name: str
    rule: Rule


@dataclass(frozen=True)
class Adrg:
    """An adjacent group (核心疾病诊断相关组) with its DRGs in the order in which they are tried."""

    code: str
    mdc: str
    name: str
    kind: str
    rule: Rule
    drgs: tuple[Drg, ...]


@dataclass(frozen=True)
class Mdc:
    """A major diagnostic category (主要诊断大类) with its ADRGs in the order in which they are tried."""

    code: str
    name: str
    rule: Rule
    adrgs: tuple[Adrg, ...]


@dataclass(frozen=True)
class Severity:
    """What a diagnosis counts for beside a principal diagnosis: level MCC or CC, and the exclusion list that takes it away."""

    level: str
    exclusion: str


@dataclass(frozen=True)
class Mark:
    """What a scheme says of some groups beside how they are grouped: its name, what it means with its source, the DRGs."""

    name: str
    title: str
    groups: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Scheme:
    """A grouping scheme with its lists, resolved over all bases of an overlay.

    Attributes
    ----------
    id, title_zh, title_en, issuer, icd10, icd9cm3, sources, notes
        As ``scheme.toml`` states them.
    chain
        The scheme's id and those of its bases, nearest first.
    mdcs
        Major diagnostic categories in the order in which they are tried.
    sets
        Name of a code list -> its codes. Only lists that a rule names.
    severities
        Diagnosis code -> its MCC or CC entry.
    exclusions
        Id of an exclusion list -> the principal diagnoses that take the MCC or CC effect away.
    sites
        Body site lists and their Chinese headings.
    regroup
        ``each_other_procedure`` where a case that no group takes is grouped again with each other procedure alone; else empty.
    reference_weights
        Name of the payment table whose relative weights the summary uses for a CMI; empty when there is none.
    coverage
        What is ``modelled``, from which ``document``, how it was ``checked``, and its ``evidence``; any may be missing.
    book
        The national code dictionaries with the scheme's local codes.
    digest
        SHA-256 over all files that the scheme was read from.
    marks
        Marks of groups by name, such as ``primary_care``.
    """

    id: str
    title_zh: str
    title_en: str
    issuer: str
    icd10: str
    icd9cm3: str
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    chain: tuple[str, ...]
    mdcs: tuple[Mdc, ...]
    sets: Mapping[str, frozenset[str]]
    severities: Mapping[str, Severity]
    exclusions: Mapping[str, frozenset[str]]
    sites: Mapping[str, str]
    regroup: str
    reference_weights: str
    coverage: Mapping[str, str]
    book: CodeBook
    digest: str
    folder: Path
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Scheme {self.id}: {', '.join(f'{number} {name}' for name, number in self.counts.items())}>"

    @cached_property
    def adrgs(self) -> Mapping[str, Adrg]:
        """ADRG code -> ADRG, ambiguous groups included, in the order of the scheme."""
        return {adrg.code: adrg for mdc in self.mdcs for adrg in mdc.adrgs}

    @cached_property
    def drgs(self) -> Mapping[str, Drg]:
        """DRG code -> DRG, ambiguous groups included, in the order of the scheme."""
        return {drg.code: drg for adrg in self.adrgs.values() for drg in adrg.drgs}

    def marks_of(self, drg: str) -> tuple[Mark, ...]:
        """The marks of a DRG."""
        return tuple(mark for mark in self.marks.values() if drg in mark.groups)

    @property
    def is_overlay(self) -> bool:
        """Whether the scheme states only differences from a base."""
        return len(self.chain) > 1

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule with the code of the row that states it."""
        for mdc in self.mdcs:
            yield mdc.code, mdc.rule
            for adrg in mdc.adrgs:
                yield adrg.code, adrg.rule
                yield from ((drg.code, drg.rule) for drg in adrg.drgs)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Sizes as ``scheme.toml`` counts them: ambiguous rows (qy) and fallback rows apart from ADRGs and DRGs."""
        kinds = Counter(adrg.kind for adrg in self.adrgs.values())
        real = [adrg for adrg in self.adrgs.values() if adrg.kind not in APART]
        drgs = [drg for adrg in real for drg in adrg.drgs]
        return {
            "mdc": len(self.mdcs),
            "adrg": len(real),
            "drg": sum(drg.code != drg.adrg for drg in drgs),
            "qy": kinds["ambiguous"],
            "fallback_adrg": kinds["fallback"],
            "fallback_drg": sum(drg.code == drg.adrg for drg in drgs),
            "sets": len(self.sets),
            "set_rows": sum(map(len, self.sets.values())),
            "cc_rows": len(self.severities),
            "exclusion_rows": sum(map(len, self.exclusions.values())),
        }
