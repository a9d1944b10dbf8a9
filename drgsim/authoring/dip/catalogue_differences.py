"""What changed between two catalogues: kinds that came and went, that were merged or split, and scores that moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drgsim.units.dip.dip_catalogue import Catalogue, Kind, stage_of

CHANGES = {
    "new": "新增", "gone": "取消", "merged": "并入", "split": "拆分", "type": "类型变化", "score": "分值变化",
    "combination": "组合变化", "same": "未变",
}  # fmt: skip


@dataclass(frozen=True)
class KindChange:
    """One kind in both catalogues, or in one of them.

    Attributes
    ----------
    code, name, kind
        Of the newer catalogue where it has the kind.
    change
        One of :data:`CHANGES`. ``combination``: the score stayed, but other diagnoses or procedures lead to
        it. ``merged``: the code is gone and its combinations lead to ``into``; ``split``: the code is new
        and its combinations came from ``into``.
    before, after
        Scores; None where there is none.
    cases_before, cases_after
        Cases that the scores rest on, where known.
    into
        Codes of the other catalogue that have its combinations.
    """

    code: str
    name: str
    kind: str
    change: str
    before: float | None
    after: float | None
    cases_before: int | None
    cases_after: int | None
    into: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """New score / old score."""
        return self.after / self.before if self.before and self.after is not None else None

    @property
    def weight(self) -> float:
        """How much the change matters: cases, times the relative change where both catalogues have a score."""
        cases = self.cases_after or self.cases_before or 1
        return float(cases if self.ratio is None else cases * abs(self.ratio - 1))


@dataclass(frozen=True)
class CatalogueDiff:
    """All kinds of two catalogues, those that changed most first within their change."""

    old: Catalogue
    new: Catalogue
    changes: tuple[KindChange, ...]

    def count(self, change: str) -> int:
        """Number of kinds with a change."""
        return sum(each.change == change for each in self.changes)

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of the catalogues that differ: lines of kinds with their conditions, excluded codes and the like."""
        return differing_parts(self.old, self.new)

    @property
    def is_empty(self) -> bool:
        """Whether both catalogues give every case the same kind and score."""
        return not self.parts and self.count("same") == len(self.changes)

    @property
    def mean_change(self) -> float | None:
        """Mean of |new / old - 1| over kinds in both, weighted by new cases (alike where they are not known)."""
        rows = [(abs(each.ratio - 1), each.cases_after or 1) for each in self.changes if each.ratio is not None]
        total = sum(weight for _, weight in rows)
        return sum(change * weight for change, weight in rows) / total if total else None


def compare_catalogues(old: Catalogue, new: Catalogue, least: float = 0.0) -> CatalogueDiff:
    """Compare two catalogues, the older first.

    Parameters
    ----------
    least
        Smallest relative change of a score that counts as one.
    """
    before, after = _by_code(old), _by_code(new)
    codes = {"old": _codes_by_combination(old), "new": _codes_by_combination(new)}
    changes = []
    for key in before.keys() | after.keys():
        first, second = before.get(key, ()), after.get(key, ())
        one, other = first[0] if first else None, second[0] if second else None
        into: tuple[str, ...] = ()
        if not first or not second:  # where the combinations of a kind that only one catalogue has lie in the other
            elsewhere = codes["old"] if second else codes["new"]
            into = tuple(sorted({elsewhere[line.place[1:]] for line in first or second if line.place[1:] in elsewhere}))
        shown = (second or first)[0]
        changes.append(
            KindChange(
                shown.code, shown.name, shown.kind, _change(first, second, into, least), one.score if one else None,
                other.score if other else None, one.cases if one else None, other.cases if other else None, into,
            )
        )  # fmt: skip
    order = {name: place for place, name in enumerate(CHANGES)}
    changes.sort(key=lambda each: (order[each.change], -each.weight, each.code))
    return CatalogueDiff(old, new, tuple(changes))


def differing_parts(old: Catalogue, new: Catalogue) -> tuple[str, ...]:
    """Which parts of two catalogues are not equal; titles, sources and notes change no kind and are left out."""
    lists = [{name: frozenset(codes) for name, codes in each.sets.items()} for each in (old, new)]
    parts = {
        "lines of kinds 病种行": (old.kinds, new.kinds), "code lists 编码集合": tuple(lists),
        "levels of auxiliary lists 辅助分型": (old.levels, new.levels), "excluded codes 排除编码": (old.excluded, new.excluded),
        "primary-care list 基层病种": (old.primary_care, new.primary_care),
        "order of matching 匹配规则": (old.matching, new.matching),
        "auxiliary settings 辅助目录设置": (old.auxiliary, new.auxiliary),
        "operation classes 操作类别": (dict(old.classes), dict(new.classes)),
    }  # fmt: skip
    return tuple(name for name, (before, after) in parts.items() if before != after)


def _change(before: Sequence[Kind], after: Sequence[Kind], into: tuple[str, ...], least: float) -> str:
    if not before or not after:
        if into:
            return "split" if not before else "merged"
        return "new" if not before else "gone"
    first, second = before[0], after[0]
    if stage_of(first.kind) != stage_of(second.kind):
        return "type"
    same = "same" if {line.place for line in before} == {line.place for line in after} else "combination"
    if first.score is None or second.score is None:
        return same if first.score == second.score else "score"
    return "score" if abs(second.score / first.score - 1) > least else same


def _by_code(catalogue: Catalogue) -> Mapping[str, tuple[Kind, ...]]:
    """Lines of each kind; codes are compared without regard to case."""
    found: dict[str, list[Kind]] = {}
    for kind in catalogue.kinds:
        found.setdefault(kind.code.upper(), []).append(kind)
    return {code: tuple(lines) for code, lines in found.items()}


def _codes_by_combination(catalogue: Catalogue) -> dict[tuple[object, ...], str]:
    return {kind.place[1:]: kind.code for kind in catalogue.kinds}
