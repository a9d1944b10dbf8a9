"""Where groups might be split: divisions of a group whose parts cost different amounts. A hint, not a test.

A division is tried in every group at once. What comes out says how the parts differ in the cases at hand; it says nothing
about chance, about other years, or about what clinicians make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.costs.statistics import group_statistics
from drgsim.language import Text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SplitLimits:
    """What a hint takes; all of them assumptions.

    Attributes
    ----------
    cases, cv
        Least cases and CV of a group that is looked at; a CV of None is the mean CV of all groups, weighted by cases.
    part
        Least cases of each part.
    ratio
        Least ratio of the dearer mean to the cheaper one.
    gain
        Least share of the group's own squares that the division explains.
    most
        Hints kept for each group, the largest gain first.
    """

    cases: int = 100
    cv: float | None = None
    part: int = 30
    ratio: float = 1.2
    gain: float = 0.05
    most: int = 3


@dataclass(frozen=True)
class Division:
    """A question to every case: its kind (``severity``, ``age``, ...), its words, and who answers yes."""

    kind: str
    title: Text
    members: NDArray[np.bool_]


@dataclass(frozen=True)
class CaseProcedures:
    """Procedures of each case: of case i ``ids[offsets[i]:offsets[i + 1]]``, places in ``codes``; below 0: unknown."""

    ids: Ints
    offsets: Ints
    codes: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True)
class _Parts:
    """Count and sum of the cases that answer yes, by trial; ``group`` and ``trial`` say of which."""

    group: Ints
    trial: Ints
    count: Ints
    total: Floats


def split_hints(
    cost: Floats,
    group: Ints,
    codes: Sequence[str],
    divisions: Sequence[Division],
    procedures: CaseProcedures | None = None,
    limits: SplitLimits = SplitLimits(),
) -> pa.Table:
    """Divisions of groups with a large spread, the largest gain first.

    Parameters
    ----------
    cost
        Yuan per case; NaN is left out (trimmed cases, say).
    group
        Place of each case's group in ``codes``, below 0 for none.
    divisions
        Questions that are asked of every group.
    procedures
        Each procedure of a case is a question too: whether it was done.

    Returns
    -------
    Table
        ``group``, ``cases``, ``cv``, ``kind``, ``title`` (words in English), ``code``, ``trial`` (place of the division, -1 for
        a procedure), ``cases_yes``, ``mean_yes``, ``cases_no``, ``mean_no`` (yuan), ``ratio``, ``gain`` (share of the group's
        squares), ``gain_of_all`` (share of the squares of all cases).
    """
    used = ~np.isnan(cost) & (group >= 0)
    x, g = cost[used], group[used]
    own = group_statistics(x, g, len(codes))
    squares = own.count * np.nan_to_num(own.deviation) ** 2
    parts = [_divided(x, g, [each.members[used] for each in divisions], len(codes))]
    if procedures is not None:
        parts.append(_by_procedure(cost, group, used, procedures, len(divisions)))
    tried = _joined(parts)
    n, mean = own.count[tried.group], own.mean[tried.group]
    other = n - tried.count
    with np.errstate(invalid="ignore", divide="ignore"):
        yes, no = tried.total / tried.count, (n * mean - tried.total) / other
        between = tried.count * (yes - mean) ** 2 + other * (no - mean) ** 2
        gain, ratio = between / squares[tried.group], np.maximum(yes, no) / np.minimum(yes, no)
        least_cv = limits.cv if limits.cv is not None else float(np.nansum(own.count * own.cv)) / max(x.size, 1)
        wanted = ((own.count >= limits.cases) & (own.cv >= least_cv))[tried.group]
        kept = wanted & (np.minimum(tried.count, other) >= limits.part) & (ratio >= limits.ratio) & (gain >= limits.gain)
    at = _best(np.flatnonzero(kept), tried, gain, between, codes, limits.most)
    total = float(((x - x.mean()) ** 2).sum()) if x.size else 0.0
    return pa.table({
        "group": pa.array([codes[place] for place in tried.group[at].tolist()], pa.string()),
        "cases": n[at], "cv": np.round(own.cv[tried.group[at]], 6), **_named(tried.trial[at], divisions, procedures),
        "cases_yes": tried.count[at], "mean_yes": np.round(yes[at], 2), "cases_no": other[at], "mean_no": np.round(no[at], 2),
        "ratio": np.round(ratio[at], 6), "gain": np.round(gain[at], 6),
        "gain_of_all": np.round(between[at] / total, 9) if total > 0 else np.zeros(at.size),
    })  # fmt: skip


def _best(at: Ints, tried: _Parts, gain: Floats, between: Floats, codes: Sequence[str], most: int) -> Ints:
    """The best few of each group, the largest squares first; ties by code and trial, whatever the order of the cases."""
    rank = np.argsort(np.argsort(np.array(codes)))[tried.group] if len(codes) else tried.group
    at = at[np.lexsort((tried.trial[at], -np.round(gain[at], 9), rank[at]))]
    start = np.r_[True, rank[at][1:] != rank[at][:-1]] if at.size else np.zeros(0, np.bool_)
    first = np.maximum.accumulate(np.where(start, np.arange(at.size), 0)) if at.size else at
    at = at[np.arange(at.size) - first < most]
    return at[np.lexsort((tried.trial[at], rank[at], -np.round(between[at], 2)))]


def _joined(parts: Sequence[_Parts]) -> _Parts:
    return _Parts(*(np.concatenate([getattr(each, name) for each in parts]) for name in ("group", "trial", "count", "total")))


def _divided(cost: Floats, group: Ints, divisions: Sequence[NDArray[np.bool_]], size: int) -> _Parts:
    """Every division in every group; those that nobody or everybody answers with yes fall out later."""
    parts = []
    for trial, members in enumerate(divisions):
        yes = group[members]
        parts.append(_Parts(
            np.arange(size), np.full(size, trial), np.bincount(yes, minlength=size).astype(np.int64),
            np.bincount(yes, cost[members], minlength=size).astype(np.float64),
        ))  # fmt: skip
    return _joined(parts) if parts else _Parts(*(np.zeros(0, np.int64),) * 3, np.zeros(0))


def _by_procedure(cost: Floats, group: Ints, used: NDArray[np.bool_], procedures: CaseProcedures, after: int) -> _Parts:
    """Every procedure in every group in which it was done; one that a case names twice counts once."""
    case = np.repeat(np.arange(used.size), np.diff(procedures.offsets))
    there = used[case] & (procedures.ids >= 0)
    size = max(len(procedures.codes), 1)
    done = np.unique(case[there] * size + procedures.ids[there])
    case, code = done // size, done % size
    cell, place = np.unique(group[case] * size + code, return_inverse=True)
    count = np.bincount(place, minlength=cell.size).astype(np.int64)
    total = np.bincount(place, cost[case], minlength=cell.size).astype(np.float64)
    return _Parts(cell // size, after + cell % size, count, total)


def _named(trials: Ints, divisions: Sequence[Division], procedures: CaseProcedures | None) -> dict[str, pa.Array]:
    rows = []
    for trial in trials.tolist():
        if trial < len(divisions):
            rows.append((divisions[trial].kind, str(divisions[trial].title), "", trial))
        elif procedures is not None:
            place = trial - len(divisions)
            rows.append(("procedure", procedures.names[place], procedures.codes[place], -1))
    kinds = {"kind": pa.string(), "title": pa.string(), "code": pa.string(), "trial": pa.int64()}
    return {name: pa.array([row[place] for row in rows], kind) for place, (name, kind) in enumerate(kinds.items())}
