"""The plain list (目录): which combinations of diagnosis and procedures are kinds of their own, and where the others go.

Combinations are sorted, so that those of one diagnosis and principal procedure (a family) lie side by side, the principal
procedure alone first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.combinations import NONE, Combinations
from drgsim.authoring.dip.dip_spec import Core

NOT_CORE = ALONE = -1


@dataclass(frozen=True)
class Families:
    """Ranges of combinations that share diagnosis and principal procedure: ``start[i]:start[i + 1]``."""

    start: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def of_combinations(cls, combinations: Combinations) -> Families:
        """The families of sorted combinations."""
        key = np.stack([combinations.diagnosis, combinations.procedures[:, 0]])
        fresh = np.append(True, (key[:, 1:] != key[:, :-1]).any(0))
        return cls(np.append(np.flatnonzero(fresh), combinations.size), np.cumsum(fresh) - 1)


@dataclass(frozen=True)
class CoreList:
    """Core kinds (核心病种).

    Attributes
    ----------
    diagnosis, procedure, related
        What defines each kind: place of the diagnosis, principal procedure (``NONE``: none) and related procedures.
    kind
        For each combination its core kind or ``NOT_CORE``.
    minimum_cases, coverage
        Cases that a kind needed, in the whole history, and the share of all cases that core kinds have.
    """

    diagnosis: NDArray[np.int64]
    procedure: NDArray[np.int64]
    related: tuple[tuple[int, ...], ...]
    kind: NDArray[np.int64]
    minimum_cases: float
    coverage: float


def standing_sets(
    related: Sequence[tuple[int, ...]],
    cases: Sequence[int],
    means: Sequence[float],
    minimum_cases: float,
    minimum_increase: float | None,
) -> list[int]:
    """Which sets of related procedures of one family stand for themselves, and where the others go.

    A set stands when it has enough cases and costs at least ``minimum_increase`` more than without its additional
    procedures, that is, than the largest standing set within it (rule book 3.1). Everything else goes to the largest standing
    set within it, at the end to the principal procedure alone.

    Parameters
    ----------
    related, cases, means
        Sets of related procedures (sorted, the empty set first where it occurs), their cases and mean costs.
    minimum_cases
        Cases that a set needs.
    minimum_increase
        Share of the cost without the procedures; None: every set with enough cases stands.

    Returns
    -------
    list of int
        For each set the place of the standing set that it belongs to, or ``ALONE`` for the principal procedure alone.

    Examples
    --------
    I21.0 with a stent; with angiography besides (+2.9 %); with intravascular ultrasound besides (+57 %):

    >>> standing_sets([(), (1,), (2,)], [100, 100, 100], [28033, 28849, 44003], 15, 0.1)
    [-1, -1, 2]
    """
    standing: list[int] = []
    for place in sorted(range(len(related)), key=lambda p: (len(related[p]), p)):
        if not related[place] or cases[place] < minimum_cases:
            continue
        if minimum_increase is None:
            standing.append(place)
            continue
        without = _largest_within(related[place], standing, related, cases)
        original = _cost_without(place, without, related, cases, means, minimum_cases)
        # costs count to the fen: a rise of exactly the limit stands
        if original is not None and round(means[place] * 100) >= round(original * (1 + minimum_increase) * 100):
            standing.append(place)
    stands = set(standing)
    return [
        place if place in stands else _largest_within(related[place], standing, related, cases) for place in range(len(related))
    ]


def _largest_within(
    wanted: tuple[int, ...], standing: Sequence[int], related: Sequence[tuple[int, ...]], cases: Sequence[int]
) -> int:
    """The standing set within a set that has most procedures; of several the one with most cases, then the first."""
    inside = [place for place in standing if related[place] != wanted and within(related[place], wanted)]
    return max(inside, key=lambda place: (len(related[place]), cases[place], -place), default=ALONE)


def within(part: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether a sorted list holds all of another, repeated entries as often."""
    at = 0
    for entry in whole:
        if at < len(part) and part[at] == entry:
            at += 1
    return at == len(part)


def _cost_without(
    place: int,
    without: int,
    related: Sequence[tuple[int, ...]],
    cases: Sequence[int],
    means: Sequence[float],
    minimum_cases: float,
) -> float | None:
    """Mean cost without the additional procedures: of the smaller set where it has enough cases, else of all cases of the
    family that have none of them; None where there are no such cases."""
    exact = without if without != ALONE else (related.index(()) if () in related else ALONE)
    if exact != ALONE and cases[exact] >= minimum_cases:
        return means[exact]
    held = related[without] if without != ALONE else ()
    added = set(related[place]) - set(held)
    others = [other for other in range(len(related)) if cases[other] and not added & set(related[other])]
    number = sum(cases[other] for other in others)
    return sum(cases[other] * means[other] for other in others) / number if number else None


def core_list(
    combinations: Combinations,
    cases: NDArray[np.int64],
    means: NDArray[np.float64],
    years: int,
    core: Core,
    minimum_increase: float | None,
) -> CoreList:
    """The core kinds.

    Parameters
    ----------
    combinations
        The different combinations of the history.
    cases, means
        Cases and mean cost of each combination.
    years
        Years of the history.
    core, minimum_increase
        As the specification states them.
    """
    families = Families.of_combinations(combinations)
    lists = _CoreLists(combinations, families, cases, means, minimum_increase)
    rule, per = core.rule.value, years if core.per.value == "year" else 1
    if rule != "coverage":
        least = core.minimum_cases if rule == "threshold" else core.minimum_cases_province
        return lists.at(least.value * per)
    share = core.coverage.value
    total = np.add.reduceat(cases, families.start[:-1])
    counted = np.sort(total)[::-1]
    least_cases = int(counted[min(enough_to_cover(counted, share * cases.sum()), counted.size) - 1])
    while lists.at(least_cases).coverage < share and least_cases > 1:  # standing sets may leave a family too small
        least_cases -= 1
    return lists.at(least_cases, share)


def enough_to_cover(ordered: NDArray[np.int64], wanted: float) -> int:
    """How many of these numbers of cases, from the first on, sum to ``wanted`` or more; all and one more where none do.

    Examples
    --------
    >>> enough_to_cover(np.array([50, 30, 5, 5, 5, 5]), 90), enough_to_cover(np.array([50]), 0)
    (4, 0)
    """
    return 0 if wanted <= 0 else int(np.searchsorted(np.cumsum(ordered), wanted)) + 1


def list_at(
    combinations: Combinations,
    cases: NDArray[np.int64],
    means: NDArray[np.float64],
    minimum_cases: float,
    minimum_increase: float | None,
) -> CoreList:
    """The list when a kind needs this many cases in the whole history."""
    families = Families.of_combinations(combinations)
    return _CoreLists(combinations, families, cases, means, minimum_increase).at(minimum_cases)


@dataclass(frozen=True)
class _CoreLists:
    """Core lists of one history at different limits."""

    combinations: Combinations
    families: Families
    cases: NDArray[np.int64]
    means: NDArray[np.float64]
    minimum_increase: float | None

    def at(self, minimum_cases: float, share: float | None = None) -> CoreList:
        """The list when a kind needs this many cases; with ``share`` only as many kinds of just this size as that needs."""
        start, procedures = self.families.start, self.combinations.procedures
        target = -1 - self.families.of  # below 0: the principal procedure alone
        several = procedures[:, 1] != NONE if procedures.shape[1] > 1 else np.zeros(self.cases.size, np.bool_)
        # only a combination with related procedures and enough cases can stand beside the principal procedure
        for family in np.unique(self.families.of[several & (self.cases >= minimum_cases)]).tolist():
            first, last = int(start[family]), int(start[family + 1])
            related = [self.combinations.related(place) for place in range(first, last)]
            known = [not sets or sets[0] >= 0 for sets in related]  # what nobody knows names no kind
            found = standing_sets(
                related,
                np.where(known, self.cases[first:last], 0).tolist(),
                self.means[first:last].tolist(),
                minimum_cases,
                self.minimum_increase,
            )
            target[first:last] = [first + place if place != ALONE else -1 - family for place in found]
        names, inverse = np.unique(target, return_inverse=True)
        size = np.bincount(inverse, self.cases, minlength=names.size).astype(np.int64)
        place = np.where(names < 0, start[np.where(names < 0, -1 - names, 0)], names)
        core = (size >= minimum_cases) & (procedures[place, 0] >= NONE)
        family = np.where(names < 0, -1 - names, self.families.of[place])
        if share is not None:
            edge = core & (size == minimum_cases)
            core = _as_many_as_needed(core, edge, names < 0, size, family, share * float(self.cases.sum()))
        # of two kinds of a family that fit a case equally well the table's first counts: the one with more cases
        order = np.lexsort((place, -np.where(names < 0, np.iinfo(np.int64).max, self.cases[place]), family))
        order = order[core[order]]
        number = np.full(names.size, NOT_CORE)
        number[order] = np.arange(order.size)
        alone = np.full(start.size - 1, NOT_CORE)
        alone[family[core & (names < 0)]] = number[core & (names < 0)]
        number = np.where(core, number, alone[family])  # a set that is no kind goes to the principal procedure alone
        kind = number[inverse]
        share = float(self.cases[kind != NOT_CORE].sum() / max(self.cases.sum(), 1))
        shown = place[order]
        related_sets = tuple(self.combinations.related(int(names[at])) if names[at] >= 0 else () for at in order)
        return CoreList(
            self.combinations.diagnosis[shown].astype(np.int64), procedures[shown, 0].astype(np.int64), related_sets, kind,
            minimum_cases, share,
        )  # fmt: skip


def _as_many_as_needed(
    core: NDArray[np.bool_],
    edge: NDArray[np.bool_],
    alone: NDArray[np.bool_],
    size: NDArray[np.int64],
    family: NDArray[np.int64],
    wanted: float,
) -> NDArray[np.bool_]:
    """Which kinds are core when those of the limiting size (``edge``) are taken only until ``wanted`` cases are covered.

    A set of related procedures whose principal procedure alone (``alone``) is a kind covers nothing by itself: its cases
    count there. The others are taken by what they cover, then in the order of their codes.
    """
    larger = core & ~edge
    held, may_hold = (np.isin(family, family[which & alone]) for which in (larger, edge))
    sets = edge & ~alone
    brought = np.bincount(family[sets], size[sets], minlength=int(family.max(initial=0)) + 1).astype(np.int64)
    gain = np.where(alone, size + brought[family], size)
    covered = int(size[larger].sum() + size[sets & held].sum())
    open_ = np.flatnonzero(edge & (alone | ~(held | may_hold)))
    open_ = open_[np.lexsort((family[open_], -gain[open_]))]
    taken = open_[: enough_to_cover(gain[open_], wanted - covered)]
    found = larger.copy()
    found[taken] = True
    return found
