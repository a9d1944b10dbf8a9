"""What is known about a code, and which codes a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from drgsim.errors import InputError
from drgsim.language import text
from drgsim.records.code_dictionaries import CodeList, fold
from drgsim.records.code_suggestions import specific_codes, suggested_codes
from drgsim.records.conversion import code_versions, conversion_from
from drgsim.units.schemes.rule_language import CodeIn, Rule, sets_of, walk
from drgsim.units.schemes.scheme import Scheme

KINDS = ("diagnosis", "procedure")
_COLUMNS = {"diagnosis": "diagnoses", "procedure": "procedures"}


@dataclass(frozen=True)
class VersionFacts:
    """A code read as one of another edition, and the codes of that edition that become it."""

    version: str
    counterpart: str
    name: str
    meaning_differs: bool
    sources: tuple[str, ...]


@dataclass(frozen=True)
class CodeCard:
    """What a scheme and the dictionaries say about a code.

    Attributes
    ----------
    code, name, kind, known, grey
        As the national dictionary has it; ``kind`` is ``diagnosis`` or ``procedure``.
    level, exclusion, exclusion_size
        MCC or CC as another diagnosis, the exclusion list that takes it away, and the number of diagnoses in that list.
    excludes
        Exclusion lists that hold it: as principal diagnosis it takes their MCC or CC away.
    principal_mdcs
        MDCs whose own rule names it as principal diagnosis.
    groups, lists
        ADRGs and DRGs whose rules name a list that holds it, and these lists.
    versions
        Counterparts in other editions, both ways.
    below
        Codes that begin with it, and their names.
    usable
        Of a grey code: the specific codes below it, and the level (MCC, CC or empty) of each.
    """

    code: str
    name: str
    kind: str
    known: bool
    grey: bool
    scheme: str
    level: str
    exclusion: str
    exclusion_size: int
    excludes: tuple[str, ...]
    principal_mdcs: tuple[str, ...]
    groups: tuple[str, ...]
    lists: tuple[str, ...]
    versions: tuple[VersionFacts, ...]
    below: tuple[tuple[str, str], ...]
    usable: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def code_facts(word: str, scheme: Scheme) -> list[CodeCard]:
    """Facts about a code in any spelling; of both kinds where a spelling stands in both dictionaries.

    Raises
    ------
    InputError
        When no edition has the code and none begins with it.
    """
    found = []
    for kind in KINDS:
        codes: CodeList = getattr(scheme.book, _COLUMNS[kind])
        versions = tuple(_version(version, word, kind, codes) for version in code_versions())
        below = _below(codes, word)
        if codes.find(word) >= 0 or below or any(version.counterpart for version in versions):
            found.append(_facts(word, kind, codes, scheme, versions, below))
    if not found:
        near = [each for kind in KINDS for each in suggested_codes(word, getattr(scheme.book, _COLUMNS[kind]))]
        fix = text("drgsim codes search finds codes by their names")
        if near:
            fix = text("did you mean {near}? drgsim codes search finds codes by their names", near=", ".join(near))
        what = text("no edition has the code {word}, and none begins with it", word=word)
        raise InputError.single("code-unknown", what, fix=fix)
    return found


def _below(codes: CodeList, text: str) -> tuple[tuple[str, str], ...]:
    start, number = fold(text), codes.find(text)
    if len(start) < 3:
        return ()
    return tuple(
        (code, name)
        for place, (code, name) in enumerate(zip(codes.codes, codes.names, strict=True))
        if place != number and fold(code).startswith(start)
    )


def _version(version: str, text: str, kind: str, codes: CodeList) -> VersionFacts:
    conversion = conversion_from(version)
    assert conversion is not None
    map_ = conversion.maps[_COLUMNS[kind]]
    counterpart = map_.counterpart(text, codes)
    number, own = codes.find(text), map_.codes.find(text)
    differs = own >= 0 and bool(map_.other_meaning[own])
    sources = tuple(map_.sources(number)) if number >= 0 else ()
    return VersionFacts(version, counterpart, codes.name(counterpart) if counterpart else "", differs, sources)


def _facts(
    text: str,
    kind: str,
    codes: CodeList,
    scheme: Scheme,
    versions: tuple[VersionFacts, ...],
    below: tuple[tuple[str, str], ...],
) -> CodeCard:
    code = codes.canonical(text)
    severity = scheme.severities.get(code) if kind == "diagnosis" else None
    exclusion = (severity.exclusion or "") if severity else ""
    lists = tuple(
        name for name, members in scheme.sets.items() if code in members and name.startswith("DI") == (kind == KINDS[0])
    )
    holding = set(lists)
    mdcs = tuple(f"{mdc.code} {mdc.name}" for mdc in scheme.mdcs if kind == "diagnosis" and holding & _principal_sets(mdc.rule))
    groups = [adrg.code for adrg in scheme.adrgs.values() if holding & set(sets_of(adrg.rule))]
    groups += [drg.code for drg in scheme.drgs.values() if holding & set(sets_of(drg.rule))]
    return CodeCard(
        code,
        codes.name(text),
        kind,
        codes.find(text) >= 0,
        codes.is_grey(text),
        scheme.id,
        severity.level if severity else "",
        exclusion,
        len(scheme.exclusions.get(exclusion, ())),
        tuple(name for name, members in scheme.exclusions.items() if code in members) if kind == "diagnosis" else (),
        mdcs,
        tuple(groups),
        lists,
        versions,
        below,
        _usable(code, codes, scheme) if codes.is_grey(text) else (),
    )


def _usable(code: str, codes: CodeList, scheme: Scheme) -> tuple[tuple[str, str], ...]:
    levels = scheme.severities if codes is scheme.book.diagnoses else {}
    below = specific_codes(code, codes)
    return tuple((each, levels[each].level if each in levels else "") for each in below)


def _principal_sets(rule: Rule) -> set[str]:
    """Lists that a rule holds against the principal diagnosis."""
    tests = (test for test in walk(rule) if isinstance(test, CodeIn) and "ZYZD" in test.variables)
    return {name for test in tests for name in test.sets}


@dataclass(frozen=True)
class FoundCode:
    """A code that a search found."""

    code: str
    name: str
    kind: str
    grey: bool


def search_codes(words: Sequence[str], kinds: Sequence[str] = KINDS) -> list[FoundCode]:
    """Codes whose name (or spelling) holds all words: whole names first, then names that begin so, then shorter names.

    Examples
    --------
    >>> search_codes(["心肌梗死", "前壁"])[0].code[:3]
    'I21'
    """
    from drgsim.records.code_dictionaries import national_codes

    wanted = [fold(word) for text in words for word in text.split() if fold(word)]
    whole = "".join(wanted)
    found = []
    for place, kind in enumerate(kinds):
        codes: CodeList = getattr(national_codes(), _COLUMNS[kind])
        for number, (code, name) in enumerate(zip(codes.codes, codes.names, strict=True)):
            spelled, folded = fold(code), fold(name)
            if wanted and all(word in folded or spelled.startswith(word) for word in wanted):
                rank = (folded != whole, not folded.startswith(wanted[0]), len(folded), place, number)
                found.append((rank, FoundCode(code, name, kind, code in codes.grey)))
    return [one for _, one in sorted(found, key=lambda entry: entry[0])]
