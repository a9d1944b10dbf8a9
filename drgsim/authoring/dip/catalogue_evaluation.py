"""How good a catalogue is: explained variance beside that of DRG, prediction of discharges that it was not built from,
stability over resampled history.

Half of the discharges (by a hash of their ids) builds, the other half judges, and then the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.catalogue_building import Built, build
from drgsim.authoring.dip.dip_history import DipHistory
from drgsim.authoring.dip.kind_figures import measure
from drgsim.costs.statistics import group_statistics
from drgsim.language import text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIZES = ((1, 4), (5, 14), (15, 49), (50, 199), (200, 999), (1000, None))
SMALL = 10  # a group with fewer cases explains itself more than anything


@dataclass(frozen=True)
class Explained:
    """How well a way of grouping explains cost, all on the same discharges.

    Attributes
    ----------
    name, name_zh
        What groups.
    cases, groups, small_share
        Discharges, groups that occur, and the share of discharges in groups with fewer than ``SMALL``.
    riv, adjusted
        RIV = 1 - SS within / SS total; adjusted for the number of groups: 1 - (1 - RIV)(n - 1)/(n - g).
    riv_out
        The same on the half that the groups' means (and kinds) were not made from, both ways; it may be below 0.
    cv, cv_out
        Mean CV of the groups with two cases or more (sample deviation), weighted by cases; and on the other half: root mean
        square of cost - prediction over the prediction, weighted by cases.
    """

    name: str
    name_zh: str
    cases: int
    groups: int
    small_share: float
    riv: float
    adjusted: float
    riv_out: float
    cv: float
    cv_out: float


@dataclass(frozen=True)
class Prediction:
    """Error of scores by size of kind: predicted from one half, found in the other.

    Attributes
    ----------
    size
        Cases of the kind in the half that predicts.
    kinds, cases
        Kinds of this size in both halves together, and the discharges that they predict.
    error
        Mean of |predicted - found| / found score, weighted by cases.
    median
        Median of it over kinds.
    chance
        What chance alone would give: sqrt(2 / pi) CV sqrt(d / n + d / m), weighted alike; d = years x sum w^2 / (sum w)^2 is
        what unequal weights of the years cost.
    """

    size: str
    kinds: int
    cases: int
    error: float
    median: float
    chance: float


@dataclass(frozen=True)
class CatalogueEvaluation:
    """All of it, with the difference between kinds and DRGs in words."""

    explained: tuple[Explained, ...]
    prediction: tuple[Prediction, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Stability:
    """Adjusted Rand index of the kinds of resampled histories against those of the whole."""

    samples: int
    share: float
    mean: float
    least: float


@dataclass(frozen=True)
class _Fold:
    """One half builds, the other judges; arrays belong to the half that judges."""

    yuan: Floats
    predicted: dict[str, Floats]
    group: dict[str, Ints]
    sizes: list[tuple[int, int, float, float]]


def evaluate(built: Built) -> CatalogueEvaluation:
    """Evaluate a catalogue on its own history.

    Only discharges with a DRG are compared, and all of them: nothing is trimmed, because trimming within kinds would spare
    the kinds their outliers and not the DRGs.
    """
    history, has_drg = built.history, built.history.drg >= 0
    half = (history.mark >> np.uint64(11)) & np.uint64(1) == 0
    folds = [_fold(history, used, built) for used in (half, ~half) if used.any() and not used.all()]
    yuan = history.cost[has_drg] / 100.0
    drg = history.drg[has_drg].astype(np.int64)
    kind = built.kind[has_drg]
    line = built.line_of_case()[has_drg]
    both = np.unique(np.stack([kind, drg]), axis=1, return_inverse=True)[1]
    explained = tuple(
        _explained(name, title, yuan, group, folds)
        for name, title, group in (
            ("DIP kinds", "病种", kind),
            ("DIP kinds and auxiliary levels", "病种及辅助目录", line),
            ("DRG", built.spec.file.severity_scheme.value, drg),
            ("kinds within DRGs", "病种与DRG交叉", both),
        )
    )
    return CatalogueEvaluation(
        explained, _predictions(folds, np.array(built.spec.file.history.year_weights.value)), tuple(_words(explained))
    )


def _fold(history: DipHistory, builds: NDArray[np.bool_], built: Built) -> _Fold:
    first, second = history.part(builds), history.part(~builds)
    own = build(first, built.spec, method=built.method, checked=True)
    judged = own.judge(second)
    has_drg = second.drg >= 0
    crossed = [
        kind * (len(history.drg_codes) + 1) + drg + 1 for kind, drg in ((own.kind, first.drg), (judged.kind, second.drg))
    ]
    places = np.unique(np.concatenate(crossed), return_inverse=True)[1]
    groups: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        "DIP kinds": (own.kind, judged.kind),
        "DIP kinds and auxiliary levels": (own.line_of_case(), judged.line_of_case()),
        "DRG": (first.drg, second.drg),
        "kinds within DRGs": (places[: first.size], places[first.size :]),
    }
    yuan = first.cost / 100.0
    predicted: dict[str, Floats] = {}
    for name, (group, asked) in groups.items():
        # a crossing that the half has never seen is predicted by its DRG alone
        otherwise = predicted["DRG"] if name == "kinds within DRGs" else None
        predicted[name] = _predict(yuan, group, asked, otherwise)
    return _Fold(
        second.cost[has_drg] / 100.0, {name: each[has_drg] for name, each in predicted.items()},
        {name: asked[has_drg].astype(np.int64) for name, (_, asked) in groups.items()}, _sizes(own, judged),
    )  # fmt: skip


def _sizes(own: Built, judged: Built) -> list[tuple[int, int, float, float]]:
    """Of each kind in both halves: cases in one and the other, |S predicted - S found| / S found, CV."""
    file = judged.spec.file
    found = measure(
        judged.history.cost, judged.history.year, judged.kind, len(own.entries), np.array(file.history.year_weights.value),
        file.history.year_mode.value, file.trimming,
    )  # fmt: skip
    before = own.measured
    both = (before.cases > 0) & (found.cases > 0)
    error = np.abs(before.mean / before.overall / (found.mean / found.overall) - 1)
    rows = zip(before.cases[both], found.cases[both], error[both], np.nan_to_num(before.cv[both]), strict=True)
    return [(int(n), int(m), float(e), float(cv)) for n, m, e, cv in rows]


def _predict(yuan: Floats, group: NDArray[Any], asked: NDArray[Any], otherwise: Floats | None = None) -> Floats:
    """Mean of the group in one half, for the discharges of the other; where it does not occur, the mean of all."""
    size = int(max(group.max(initial=0), asked.max(initial=0))) + 1
    own = group >= 0
    count = np.bincount(group[own], minlength=size)
    mean = np.bincount(group[own], yuan[own], minlength=size) / np.maximum(count, 1)
    known = (asked >= 0) & (count[np.maximum(asked, 0)] > 0)
    return np.where(known, mean[np.maximum(asked, 0)], yuan.mean() if otherwise is None else otherwise)


def _explained(name: str, title: str, yuan: Floats, group: Ints, folds: Sequence[_Fold]) -> Explained:
    statistics = group_statistics(yuan, group)
    count = statistics.count[statistics.count > 0]
    within = float((statistics.count * np.nan_to_num(statistics.deviation) ** 2).sum())
    total = float(((yuan - yuan.mean()) ** 2).sum())
    riv = 1.0 - within / total if total > 0 else float("nan")
    free = yuan.size - count.size
    adjusted = 1.0 - (1.0 - riv) * (yuan.size - 1) / free if free > 0 else float("nan")
    error = sum(float(((fold.yuan - fold.predicted[name]) ** 2).sum()) for fold in folds)
    spread = sum(float(((fold.yuan - fold.yuan.mean()) ** 2).sum()) for fold in folds)
    several = statistics.count > 1
    cv = float(np.average(statistics.sample_cv[several], weights=statistics.count[several])) if several.any() else float("nan")
    return Explained(
        name, title, yuan.size, int(count.size), float(count[count < SMALL].sum() / yuan.size), riv, adjusted,
        1.0 - error / spread if spread > 0 else float("nan"), cv, _cv_out(name, folds),
    )  # fmt: skip


def _cv_out(name: str, folds: Sequence[_Fold]) -> float:
    total, cases = 0.0, 0
    for fold in folds:
        group = fold.group[name]
        used = group >= 0
        square = np.bincount(group[used], (fold.yuan[used] - fold.predicted[name][used]) ** 2)
        count = np.bincount(group[used])
        expected = np.bincount(group[used], fold.predicted[name][used])
        there = count > 0
        total += float((np.sqrt(square[there] / count[there]) / (expected[there] / count[there]) * count[there]).sum())
        cases += int(count.sum())
    return total / cases if cases else float("nan")


def _predictions(folds: Sequence[_Fold], year_weights: Floats) -> tuple[Prediction, ...]:
    design = year_weights.size * (year_weights**2).sum() / year_weights.sum() ** 2
    rows = [row for fold in folds for row in fold.sizes]
    found = []
    for low, high in SIZES:
        chosen = [row for row in rows if row[0] >= low and (high is None or row[0] <= high)]
        if not chosen:
            continue
        before, after, error, cv = (np.array(column, np.float64) for column in zip(*chosen, strict=True))
        chance = np.sqrt(2 / np.pi) * cv * np.sqrt(design / before + design / after)
        found.append(
            Prediction(
                f"{low}-{high}" if high else f"{low}+", len(chosen), int(after.sum()), float(np.average(error, weights=after)),
                float(np.median(error)), float(np.average(chance, weights=after)),
            )
        )  # fmt: skip
    return tuple(found)


def _words(explained: Sequence[Explained]) -> list[str]:
    """The difference between kinds and DRGs, explained."""
    kinds, levels, drgs, both = explained
    lost, lost_drg = kinds.riv - kinds.riv_out, drgs.riv - drgs.riv_out
    # numbers that look equal have no winner
    seen, seen_drg = round(kinds.riv_out, 3), round(drgs.riv_out, 3)
    ahead = (
        (text("kinds predict better") if seen > seen_drg else text("DRGs predict better"))
        if seen != seen_drg
        else text("both predict equally well")
    )
    return [
        text(
            "On the same {cases:,} discharges {kinds:,} kinds explain {kinds_share} of the variance of cost, "
            "{drgs:,} DRGs {drgs_share}. On discharges that they were not made from it is {kinds_unseen} and "
            "{drgs_unseen}: {ahead}.",
            cases=kinds.cases,
            kinds=kinds.groups,
            kinds_share=_share(kinds.riv),
            drgs=drgs.groups,
            drgs_share=_share(drgs.riv),
            kinds_unseen=_share(kinds.riv_out),
            drgs_unseen=_share(drgs.riv_out),
            ahead=ahead,
        ),
        text(
            "Kinds lose {lost} and DRGs {lost_drg} between the two: {share:.1%} of the discharges are "
            "in kinds with fewer than {small} cases, which explain themselves ({drgs_share:.1%} in such "
            "DRGs).",
            lost=_share(lost),
            lost_drg=_share(lost_drg),
            share=kinds.small_share,
            small=SMALL,
            drgs_share=drgs.small_share,
        ),
        text(
            "Kinds know the exact procedure and not severity; DRGs know severity (MCC, CC) and pool "
            "procedures: together they explain {both} of discharges not seen, the auxiliary levels bring "
            "kinds to {levels}.",
            both=_share(both.riv_out),
            levels=_share(levels.riv_out),
        ),
    ]


def _share(value: float) -> str:
    """A share with one decimal; never -0.0 %."""
    return f"{round(value, 3) + 0.0:.1%}"


def stability(built: Built, samples: int = 5, share: float = 0.8) -> Stability:
    """Build again from samples of the history and compare the kinds of all discharges (adjusted Rand index).

    Parameters
    ----------
    samples
        Number of samples, drawn by hashes of the discharges' ids: no random state, no order.
    share
        Share of the discharges in each sample.
    """
    from sklearn.metrics import adjusted_rand_score

    history = built.history
    whole = built.structure.kind[history.combination]
    found = []
    for number in range(samples):
        drawn = (history.mark * np.uint64(2 * number + 0x9E3779B97F4A7C15)) >> np.uint64(40)
        sample = history.part(drawn < np.uint64(int(share * 2**24)))
        other = build(sample, built.spec, method=built.method, checked=True, kinds_only=True)
        found.append(float(adjusted_rand_score(whole, other.structure.kind[history.combination])))
    return Stability(samples, share, float(np.mean(found)), float(np.min(found)))


@dataclass(frozen=True)
class PlainList:
    """The plain list of the same history, which a clustered one is measured against."""

    core: int
    kinds: int
    coverage: float
    explained: tuple[Explained, ...]
    stability: Stability | None


def plain_list(built: Built, samples: int = 0) -> PlainList:
    """Build and evaluate the plain list of a clustered catalogue's history; ``samples`` as for :func:`stability`."""
    plain = build(built.history, built.spec, method="list")
    return PlainList(
        int(plain.structure.core.sum()), len(plain.entries), plain.coverage, evaluate(plain).explained,
        stability(plain, samples) if samples else None,
    )  # fmt: skip
