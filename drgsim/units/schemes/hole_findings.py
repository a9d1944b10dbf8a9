"""What lists that do not fit together mean, in words: for the maker of a pack and for the reader of one case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from drgsim.errors import Problem
from drgsim.language import joined, text
from drgsim.units.schemes.list_holes import VALID, Codes, ListHoles, list_holes, listed_by, listed_procedures
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import SEVERITY_SETS, And, CodeIn, Rule
from drgsim.units.schemes.scheme import APART, Adrg, Mdc, Scheme
from drgsim.units.schemes.scheme_summaries import catalogue

_SHOWN, _MOST_ROWS = 6, 12


@lru_cache(maxsize=8)
def _holes_of(scheme_id: str) -> ListHoles:
    return list_holes(load_scheme(scheme_id))


def hole_findings(scheme: Scheme) -> list[Problem]:
    """Codes whose lists do not fit together, one finding for each kind; those of the base of an overlay are only counted.

    Codes of findings: ``pack-codes-outside-mdc``, ``pack-codes-without-adrg``, ``pack-codes-ungrouped``,
    ``pack-codes-in-no-list``, ``pack-valid-without-surgery``, ``pack-row-outside-adrg``.
    """
    holes = list_holes(scheme)
    base = _holes_of(scheme.chain[1]) if scheme.is_overlay else ListHoles({}, {}, frozenset())
    found = []
    for code, what, own, known in (
        (
            "pack-codes-outside-mdc",
            text("that the list of an ADRG holds and that of its MDC lacks, so that they never get there"),
            holes.outside,
            base.outside,
        ),
        (
            "pack-codes-without-adrg",
            text("that the list of an MDC holds and none of its ADRGs takes without a procedure or other diagnosis"),
            holes.unplaced,
            base.unplaced,
        ),
        (
            "pack-codes-ungrouped",
            text("that reach no group without a procedure or other diagnosis"),
            {"": holes.ungrouped},
            {"": base.ungrouped},
        ),
    ):
        if shown := _counted(own, known, scheme):
            found.append(Problem(code, text("principal diagnoses {what}: {shown}", what=what, shown=shown)))
    found += [] if scheme.is_overlay else _in_no_list(scheme)
    return [*found, *_valid(scheme), *_rows_outside(scheme)]


def _counted(own: Mapping[str, Codes], known: Mapping[str, Codes], scheme: Scheme) -> str:
    """Numbers by row, most first, and examples; empty where there are none."""
    new = {row: codes - known.get(row, frozenset()) for row, codes in own.items()}
    inherited = len(frozenset[str]().union(*own.values()) - frozenset[str]().union(*new.values()))
    new = {row: codes for row, codes in new.items() if codes}
    rows = sorted(new.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    codes = sorted(frozenset[str]().union(*new.values()))
    parts: list[str] = [text("{count} as in {base}", count=inherited, base=scheme.chain[1])] if inherited else []
    if codes:
        by_row = ", ".join(f"{row} {len(listed)}" for row, listed in rows[:_MOST_ROWS] if row) + (
            " ..." if len(rows) > _MOST_ROWS else ""
        )
        parts.append(f"{len(codes)} ({by_row + ': ' if by_row else ''}{_some(codes)})")
    return joined(text(" and "), parts)


def _some(codes: Iterable[str]) -> str:
    listed = list(codes)
    return ", ".join(listed[:_SHOWN]) + (" ..." if len(listed) > _SHOWN else "")


def _in_no_list(scheme: Scheme) -> list[Problem]:
    """Codes of the dictionary that no list of this edition holds though one of another national edition does."""
    listed = _listed(scheme)
    found: dict[str, str] = {}
    for other in _editions(scheme):
        for adrg in other.adrgs.values():
            if adrg.kind == "medical":
                for code in listed_by(adrg, other) - listed:
                    found.setdefault(code, f"{other.id} {adrg.code}")
    national = [code for code in found if scheme.book.diagnoses.find(code) >= 0 and not scheme.book.diagnoses.is_grey(code)]
    if not national:
        return []
    shown = _some(f"{code} ({found[code]})" for code in sorted(national))
    return [
        Problem(
            "pack-codes-in-no-list",
            text(
                "principal diagnoses in no list here, in one of another edition: {count} ({shown})",
                count=len(national),
                shown=shown,
            ),
        )
    ]


def _listed(scheme: Scheme) -> Codes:
    """Principal diagnoses that any list of an MDC or ADRG holds."""
    rows: list[Mdc | Adrg] = [*scheme.mdcs, *scheme.adrgs.values()]
    return frozenset[str]().union(*(listed_by(row, scheme) for row in rows))


def _editions(scheme: Scheme) -> Iterator[Scheme]:
    """The other full packs that ship, newest first."""
    for entry in sorted(catalogue(), key=lambda entry: entry.id, reverse=True):
        if entry.kind == "full" and entry.id not in scheme.chain:
            yield load_scheme(entry.id)


def _valid(scheme: Scheme) -> list[Problem]:
    if VALID not in scheme.sets or not any(adrg.kind == "ambiguous" for adrg in scheme.adrgs.values()):
        return []
    surgical = scheme.sets[VALID] - listed_procedures(scheme, ("surgical",))
    none = scheme.sets[VALID] - listed_procedures(scheme)
    if not surgical:
        return []
    what = text(
        "valid procedures ({valid}) in no list of a surgical ADRG: {surgical}, of which "
        "{unlisted} in no list at all ({codes}); as principal procedure they make a case ambiguous (QY) "
        "where no group of its MDC takes them",
        valid=VALID,
        surgical=len(surgical),
        unlisted=len(none),
        codes=_some(sorted(none)),
    )
    return [Problem("pack-valid-without-surgery", what)]


def _rows_outside(scheme: Scheme) -> list[Problem]:
    """Groups that ask for codes of which their ADRG takes none: they never hold."""
    rows = []
    for adrg in scheme.adrgs.values():
        for variable in ("ZYZD", "ZYSS"):
            taken = _required(adrg.rule, variable, scheme)
            for drg in adrg.drgs if taken is not None else ():
                asked = _required(drg.rule, variable, scheme)
                if asked is not None and taken is not None and not asked & taken:
                    rows.append(drg.code)
    what = text(
        "groups that ask for codes of which their ADRG takes none, so that they never hold: {rows}", rows=", ".join(rows)
    )
    return [Problem("pack-row-outside-adrg", what)] if rows else []


def _required(rule: Rule, variable: str, scheme: Scheme) -> Codes | None:
    """Codes of which a rule needs one in a place; None where it needs none there."""
    tests = rule.rules if isinstance(rule, And) else (rule,)
    lists = [t for t in tests if isinstance(t, CodeIn) and t.variables == (variable,) and t.sets[0] not in SEVERITY_SETS]
    unions = [frozenset[str]().union(*(scheme.sets[name] for name in test.sets)) for test in lists]
    return frozenset.intersection(*unions) if unions else None


# -- one case --------------------------------------------------------------------------------------------------------------
def why_ungrouped(code: str, scheme: Scheme) -> list[str]:
    """Why a principal diagnosis reaches no group: which rows list it, and what is missing.

    Examples
    --------
    >>> why_ungrouped("T20.300x005", load_scheme("chs-drg-1.1"))[0][:75]
    'WR1 takes T20.300x005 in its list, but the list of its MDC (MDCW) lacks it,'
    """
    lines: list[str] = []
    for mdc in scheme.mdcs:
        inside = code in listed_by(mdc, scheme)
        adrgs = [adrg for adrg in mdc.adrgs if adrg.kind not in APART and code in listed_by(adrg, scheme)]
        if adrgs and not inside and listed_by(mdc, scheme):
            medical = [adrg for adrg in adrgs if adrg.kind == "medical"] or adrgs
            lines.append(
                text(
                    "{medical} takes {code} in its list, but the list of its MDC ({mdc}) lacks it, so that no case "
                    "gets there; the table of {scheme} is so 核心组列有此诊断而其MDC主诊表没有，按该表保留",
                    medical=_codes(medical),
                    code=code,
                    mdc=mdc.code,
                    scheme=scheme.id,
                )
            )
        elif inside and not any(adrg.kind == "medical" for adrg in adrgs):
            if adrgs:
                what = text(
                    "{mdc} lists {code}, but none of its ADRGs takes it without a procedure ({adrgs} lists it, for cases with "
                    "a procedure); the table of {scheme} is so MDC主诊表列有此诊断而其内科核心组均未列，按该表保留",
                    mdc=mdc.code,
                    code=code,
                    adrgs=_codes(adrgs),
                    scheme=scheme.id,
                )
            else:
                what = text(
                    "{mdc} lists {code}, but none of its ADRGs takes it without a procedure; the table of {scheme} is so "
                    "MDC主诊表列有此诊断而其内科核心组均未列，按该表保留",
                    mdc=mdc.code,
                    code=code,
                    scheme=scheme.id,
                )
            lines.append(what)
    if not lines and scheme.book.diagnoses.find(code) >= 0:
        return _why_unlisted(code, scheme)
    return lines


def _why_unlisted(code: str, scheme: Scheme) -> list[str]:
    if code in _listed(scheme):
        return []
    for other in _editions(scheme):
        adrgs = [adrg for adrg in other.adrgs.values() if adrg.kind == "medical" and code in listed_by(adrg, other)]
        if adrgs:
            return [
                text(
                    "no list of {scheme} holds {code}; {other} has it in {adrgs} {name}. The table is so "
                    "该版目录未收此主要诊断，按该表保留",
                    scheme=scheme.id,
                    code=code,
                    other=other.id,
                    adrgs=_codes(adrgs),
                    name=adrgs[0].name,
                )
            ]
    return []


def why_ambiguous(procedures: Iterable[str], scheme: Scheme) -> list[str]:
    """Which procedures of an ambiguous case are valid ones that no surgical ADRG lists.

    Examples
    --------
    >>> why_ambiguous(["93.9000x002"], load_scheme("chs-drg-2.0"))[0][:71]
    '93.9000x002 is a valid procedure (OP_VALID), but no surgical ADRG lists'
    """
    surgical, listed = listed_procedures(scheme, ("surgical",)), listed_procedures(scheme)
    lines: list[str] = []
    for code in procedures:
        if code in scheme.sets.get(VALID, frozenset()) - surgical:
            what = text(
                "{code} is a valid procedure ({valid}), but no surgical ADRG lists it, nor does any other: with this principal "
                "diagnosis the table of {scheme} makes the case ambiguous 属有效手术操作而无外科核心组收录，按该表入歧义组",
                code=code,
                valid=VALID,
                scheme=scheme.id,
            )
            if code in listed:
                what = text(
                    "{code} is a valid procedure ({valid}), but no surgical ADRG lists it: with this principal diagnosis the "
                    "table of {scheme} makes the case ambiguous 属有效手术操作而无外科核心组收录，按该表入歧义组",
                    code=code,
                    valid=VALID,
                    scheme=scheme.id,
                )
            lines.append(what)
    return lines


def _codes(adrgs: Iterable[Adrg]) -> str:
    return ", ".join(adrg.code for adrg in adrgs)
