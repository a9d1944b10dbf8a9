"""What differs between two schemes: groups, rules, lists, owners of codes, CC levels.

Rendering lies in :mod:`drgsim.report.scheme_diff_page`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from drgsim.units.schemes.adrg_successions import RELATIONS, Subdivision, Succession, subdivisions, successions
from drgsim.units.schemes.rule_language import CodeIn, CountCodes, CountSites, Rule, print_rule, sets_of, walk
from drgsim.units.schemes.scheme import Adrg, Drg, Mdc, Scheme


@dataclass(frozen=True)
class RowChange:
    """One MDC, ADRG or DRG that differs.

    ``change`` is ``added``, ``removed`` or ``changed``; ``aspects`` names what changed: ``name``, ``kind``, ``order``,
    ``parent``, ``rule`` (its logic) or ``lists`` (same logic, other codes). ``codes_added`` and ``codes_removed`` count codes
    over the lists of the rule.
    """

    level: str
    code: str
    change: str
    aspects: tuple[str, ...] = ()
    name_before: str = ""
    name_after: str = ""
    rule_before: str = ""
    rule_after: str = ""
    codes_added: int = 0
    codes_removed: int = 0


@dataclass(frozen=True)
class CodeMove:
    """A diagnosis or procedure code that other rows list than before. ``before`` and ``after`` are MDC and ADRG codes."""

    kind: str
    code: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class SeverityChange:
    """A diagnosis whose level as CC or MCC differs (empty: neither), or that other principal diagnoses exclude."""

    code: str
    name: str
    before: str
    after: str
    excluded_by_added: int = 0
    excluded_by_removed: int = 0


@dataclass(frozen=True)
class SchemeDifference:
    """All differences from scheme ``before`` to scheme ``after``.

    ``successions`` tells what became of ADRGs (their codes may mean other groups), ``subdivisions`` which ADRGs have other
    DRGs; both follow from the others.
    """

    before: str
    after: str
    counts_before: Mapping[str, int]
    counts_after: Mapping[str, int]
    rows: tuple[RowChange, ...]
    moves: tuple[CodeMove, ...]
    severities: tuple[SeverityChange, ...]
    successions: tuple[Succession, ...] = ()
    subdivisions: tuple[Subdivision, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both schemes group and name every case alike."""
        return not (self.rows or self.moves or self.severities)

    def summary(self) -> dict[str, int]:
        """Number of differences of each sort."""
        found = {f"{level}_{change}": 0 for level in ("mdc", "adrg", "drg") for change in ("added", "removed", "changed")}
        for row in self.rows:
            found[f"{row.level}_{row.change}"] += 1
        found |= {f"{kind}_moved": sum(move.kind == kind for move in self.moves) for kind in ("diagnosis", "procedure")}
        levels = [change for change in self.severities if change.before != change.after]
        found |= {f"adrg_{name}": sum(line.relation == name for line in self.successions) for name in RELATIONS}
        return {**found, "severity_changed": len(levels), "exclusion_changed": len(self.severities) - len(levels)}

    def level_changes(self) -> dict[tuple[str, str], int]:
        """Number of diagnoses by level before and after (MCC, CC or none), of those whose level differs.

        Examples
        --------
        >>> from drgsim.units.schemes.pack import load_scheme
        >>> found = compare_schemes(load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0"))
        >>> found.level_changes()["MCC", "none"], found.level_changes()["MCC", "CC"]
        (2510, 1301)
        """
        found: dict[tuple[str, str], int] = {}
        for change in self.severities:
            key = (change.before or "none", change.after or "none")
            if key[0] != key[1]:
                found[key] = found.get(key, 0) + 1
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the summary first."""
        return {"summary": self.summary(), **asdict(self)}


def compare_schemes(before: Scheme, after: Scheme) -> SchemeDifference:
    """Compare two schemes, each resolved over its bases.

    Examples
    --------
    >>> from drgsim.units.schemes.pack import load_scheme
    >>> scheme = load_scheme("chs-drg-2.0")
    >>> compare_schemes(scheme, scheme).is_empty
    True
    """
    rows = [
        *_rows("mdc", before, after, {m.code: m for m in before.mdcs}, {m.code: m for m in after.mdcs}),
        *_rows("adrg", before, after, before.adrgs, after.adrgs),
        *_rows("drg", before, after, before.drgs, after.drgs),
    ]
    return SchemeDifference(
        before.id, after.id, dict(before.counts), dict(after.counts), tuple(rows),
        tuple(_moves(before, after)), tuple(_severities(before, after)),
        successions(before, after), subdivisions(before, after),
    )  # fmt: skip


Row = Mdc | Adrg | Drg


def _rows(level: str, before: Scheme, after: Scheme, old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterable[RowChange]:
    place_old, place_new = _places(old, new), _places(new, old)
    for code, row in old.items():
        if code not in new:
            yield RowChange(level, code, "removed", name_before=row.name, rule_before=print_rule(row.rule))
    for code, row in new.items():
        past = old.get(code)
        if past is None:
            yield RowChange(level, code, "added", name_after=row.name, rule_after=print_rule(row.rule))
            continue
        aspects = [] if past.name == row.name else ["name"]
        if isinstance(past, Adrg) and isinstance(row, Adrg):
            aspects += [] if past.kind == row.kind else ["kind"]
        if _parent(past) != _parent(row):
            aspects.append("parent")
        elif place_old[code] != place_new[code]:
            aspects.append("order")
        added = removed = 0
        same_shape = _shape(past.rule, before) == _shape(row.rule, after)
        if not same_shape:
            aspects.append("rule")
        if not same_shape or _codes(past.rule, before) != _codes(row.rule, after):
            was, now = _all_codes(past.rule, before), _all_codes(row.rule, after)
            added, removed = len(now - was), len(was - now)
            if same_shape:
                aspects.append("lists")
        if aspects:
            yield RowChange(
                level, code, "changed", tuple(aspects), past.name, row.name, print_rule(past.rule), print_rule(row.rule),
                added, removed,
            )  # fmt: skip


def _parent(row: Row) -> str:
    return row.mdc if isinstance(row, Adrg) else row.adrg if isinstance(row, Drg) else ""


def _places(rows: Mapping[str, Row], others: Mapping[str, Row]) -> dict[str, int]:
    """Place of each row among those siblings that both schemes have: an insertion alone moves nothing."""
    counts: dict[str, int] = {}
    places: dict[str, int] = {}
    for code, row in rows.items():
        if code in others:
            places[code] = counts[_parent(row)] = counts.get(_parent(row), 0) + 1
    return places


def _shape(rule: Rule, scheme: Scheme) -> str:
    """The rule with its lists numbered by first mention: two versions rarely call a list by the same name."""
    numbers: dict[str, str] = {}
    for test in walk(rule):
        if isinstance(test, CodeIn | CountCodes | CountSites):
            for name in test.sets:
                if name in scheme.sets:
                    numbers.setdefault(name, f"{name[:2]}_#{len(numbers) + 1}")
    return re.sub(r"\b(?:DI|OP)_[\w.]+", lambda match: numbers.get(match.group(), match.group()), print_rule(rule))


def _codes(rule: Rule, scheme: Scheme) -> list[frozenset[str]]:
    """The lists of a rule in the order of mention."""
    return [
        scheme.sets.get(name, frozenset())
        for test in walk(rule) if isinstance(test, CodeIn | CountCodes | CountSites) for name in test.sets
    ]  # fmt: skip


def _all_codes(rule: Rule, scheme: Scheme) -> set[str]:
    return {code for name in sets_of(rule) for code in scheme.sets.get(name, ())}


def owners(scheme: Scheme, kind: str) -> dict[str, tuple[str, ...]]:
    """Code -> MDCs and ADRGs whose own rule lists it, in the order of the scheme.

    Ambiguous and fall-back rows list whole chapters and are left out.
    """
    prefix = "DI_" if kind == "diagnosis" else "OP_"
    found: dict[str, list[str]] = {}
    rows: list[Mdc | Adrg] = []
    for mdc in scheme.mdcs:
        rows += [mdc, *(adrg for adrg in mdc.adrgs if adrg.kind not in ("ambiguous", "fallback"))]
    for row in rows:
        for code in {code for name in sets_of(row.rule) if name.startswith(prefix) for code in scheme.sets[name]}:
            found.setdefault(code, []).append(row.code)
    return {code: tuple(listed) for code, listed in found.items()}


def _moves(before: Scheme, after: Scheme) -> Iterable[CodeMove]:
    for kind in ("diagnosis", "procedure"):
        old, new = owners(before, kind), owners(after, kind)
        for code in sorted(set(old) | set(new)):
            was, now = old.get(code, ()), new.get(code, ())
            if set(was) != set(now):
                yield CodeMove(kind, code, _name(before, after, kind, code), was, now)


def _severities(before: Scheme, after: Scheme) -> Iterable[SeverityChange]:
    none: frozenset[str] = frozenset()
    for code in sorted(set(before.severities) | set(after.severities)):
        was, now = before.severities.get(code), after.severities.get(code)
        levels = (was.level if was else "", now.level if now else "")
        by_old = before.exclusions.get(was.exclusion, none) if was else none
        by_new = after.exclusions.get(now.exclusion, none) if now else none
        if levels[0] != levels[1] or by_old != by_new:
            name = _name(before, after, "diagnosis", code)
            yield SeverityChange(code, name, *levels, len(by_new - by_old), len(by_old - by_new))


def _name(before: Scheme, after: Scheme, kind: str, code: str) -> str:
    for scheme in (after, before):
        name = (scheme.book.diagnoses if kind == "diagnosis" else scheme.book.procedures).name(code)
        if name:
            return name
    return ""
