"""Where the ADRGs of one scheme went in another: renamed, split, merged, new or gone, told by the codes of their lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drgsim.units.schemes.rule_language import asserted, sets_of
from drgsim.units.schemes.scheme import APART, Scheme

PART = 0.1  # ours: of an ADRG's list that another must take to be called a part of it
HALF = 0.5  # ours: of the list that makes one ADRG the same as another, or a new one a part of an old one
RELATIONS = {
    "renamed": "renamed 改码改名", "split": "split 拆分", "merged": "merged 并入", "new": "new 新增", "gone": "gone 取消",
}  # fmt: skip


@dataclass(frozen=True)
class Succession:
    """What became of an ADRG.

    ``relation`` is ``renamed`` (the same cases under another code), ``split`` (its codes are listed by several now),
    ``merged`` (by one that was there already), ``new`` (no ADRG before had its codes) or ``gone`` (none has them now, or
    ``after`` has less than half).
    ``shared`` counts, for each of ``after``, the codes that both list.
    """

    relation: str
    before: str
    name_before: str
    after: tuple[str, ...]
    names_after: tuple[str, ...]
    shared: tuple[int, ...]
    codes_before: int


@dataclass(frozen=True)
class Subdivision:
    """An ADRG of both schemes that is divided into other DRGs than before."""

    adrg: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class _Listed:
    """The codes that make a case one of an ADRG: its procedures where it lists some, else its diagnoses."""

    mdc: str
    name: str
    codes: frozenset[str]


def successions(before: Scheme, after: Scheme) -> tuple[Succession, ...]:
    """What became of each ADRG that was renamed, split, merged or given up, and which ones are new.

    Only the codes of the lists count: a code of an ADRG may mean another group in the other scheme. Ambiguous and fall-back
    rows are left out.
    """
    old, new = _listed(before), _listed(after)
    fed: set[str] = set()
    found = [line for code in old if (line := _of(code, old, new, fed)) is not None]
    found += [
        Succession("new", "", "", (code,), (listed.name,), (len(listed.codes),), 0)
        for code, listed in new.items()
        if code not in fed and not _continues(code, old, new)
    ]
    return tuple(found)


def subdivisions(before: Scheme, after: Scheme) -> tuple[Subdivision, ...]:
    """The ADRGs of both schemes whose DRGs differ, in the order of ``after``."""
    return tuple(
        Subdivision(code, adrg.name, was, now)
        for code, adrg in after.adrgs.items()
        if code in before.adrgs
        and (was := tuple(drg.code for drg in before.adrgs[code].drgs)) != (now := tuple(drg.code for drg in adrg.drgs))
    )


def _listed(scheme: Scheme) -> dict[str, _Listed]:
    found = {}
    for code, adrg in scheme.adrgs.items():
        if adrg.kind in APART:
            continue
        names = {name for test in asserted(adrg.rule) for name in sets_of(test)}  # having none of a list says nothing
        side = "OP_" if any(name.startswith("OP_") for name in names) else "DI_"
        codes = frozenset().union(*(scheme.sets[name] for name in names if name.startswith(side)))
        if codes:
            found[code] = _Listed(adrg.mdc, adrg.name, codes)
    return found


def _continues(code: str, old: Mapping[str, _Listed], new: Mapping[str, _Listed]) -> bool:
    """Whether an ADRG of both schemes has kept a part of its list."""
    if code not in old or code not in new:
        return False
    shared = len(old[code].codes & new[code].codes)
    return shared >= PART * min(len(old[code].codes), len(new[code].codes))


def _of(code: str, old: Mapping[str, _Listed], new: Mapping[str, _Listed], fed: set[str]) -> Succession | None:
    """What became of one ADRG; the ADRGs that it went into are added to ``fed``."""
    listed = old[code]
    kept = _continues(code, old, new)
    heirs = list(_heirs(code, old, new))
    fed |= set(heirs)
    if not heirs:
        return None if kept else _line("gone", code, listed, (), new)
    if kept:
        return _line("split", code, listed, (code, *heirs), new)
    if len(heirs) > 1:
        return _line("split", code, listed, tuple(heirs), new)
    if len(listed.codes & new[heirs[0]].codes) < HALF * len(listed.codes) and listed.name != new[heirs[0]].name:
        return _line("gone", code, listed, tuple(heirs), new)
    return _line("merged" if _continues(heirs[0], old, new) else "renamed", code, listed, tuple(heirs), new)


def _heirs(code: str, old: Mapping[str, _Listed], new: Mapping[str, _Listed]) -> Iterator[str]:
    """Other ADRGs of the MDC that list codes of this one now and did not before."""
    listed = old[code]
    for other, now in new.items():
        if other == code or now.mdc != listed.mdc:
            continue
        taken = listed.codes & now.codes
        if _continues(other, old, new):
            taken -= old[other].codes
            enough = len(taken) >= PART * len(listed.codes) and not taken <= _kept(code, new)
        else:
            enough = len(taken) >= PART * len(listed.codes) or len(taken) >= HALF * len(now.codes)
        if taken and enough:
            yield other


def _kept(code: str, new: Mapping[str, _Listed]) -> frozenset[str]:
    """What the ADRG of the same code still lists."""
    return new[code].codes if code in new else frozenset()


def _line(relation: str, code: str, listed: _Listed, after: tuple[str, ...], new: Mapping[str, _Listed]) -> Succession:
    shared = tuple(len(listed.codes & new[other].codes) for other in after)
    return Succession(relation, code, listed.name, after, tuple(new[other].name for other in after), shared, len(listed.codes))
