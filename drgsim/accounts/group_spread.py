"""How costs spread within groups, and how much of their spread the groups explain: measures, a table by group, histograms.

Every measure stands beside its untrimmed value, because trimming alone makes groups look better than they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.costs.statistics import GroupStatistics, group_statistics
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
WAYS = ("untrimmed", "trimmed", "capped", "logarithms")
CAP = 0.995  # costs above this quantile of all count as it
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ALIKE = 0.2  # relative difference of means below which two severities of a family are hardly apart
ONE_CASE = 0.5  # share of a group's spread that a single case makes
FLAGS = ("few_cases", "high_cv", "high_cv_trimmed", "one_case", "inverted", "alike")
STEPS = 8  # bars of a histogram for a factor of ten


@dataclass(frozen=True)
class CostsExplained:
    """How much of the spread of costs the groups explain.

    Attributes
    ----------
    scope
        ``all``, or an MDC.
    way
        One of :data:`WAYS`: all usable cases; those that trimming keeps; all with costs above the quantile :data:`CAP` set to
        it; logarithms of all.
    cases, groups, mean
        Cases, groups with a case, mean cost in yuan (of logarithms the geometric mean).
    cv_all, cv_within
        CV over all cases; mean CV within the groups, weighted by cases. NaN for logarithms.
    stable_share
        Share of the groups whose CV lies below the limit.
    r2
        Share of the sum of squares that the groups explain: RIV, which equals R2 of a regression on the groups.
    error
        Mean absolute difference from the mean of the group over the mean of all; NaN for logarithms.
    """

    scope: str
    way: str
    cases: int
    groups: int
    mean: float
    cv_all: float
    cv_within: float
    stable_share: float
    r2: float
    error: float


def explained(history: CostHistory, weights: EstimatedWeights) -> list[CostsExplained]:
    """All measures over all cases, and untrimmed and trimmed ones by MDC.

    Examples
    --------
    >>> from drgsim.payment.weight_estimation import estimate_weights
    >>> cost = np.array([8000, 10000, 12000, 4000, 5000, 6000, 5000, 20000, 24000, 28000], float)
    >>> group = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    >>> history = CostHistory(("AA1", "AB1", "AC1"), group, cost, np.full(10, 2023), np.full(10, 5.0))
    >>> round(explained(history, estimate_weights(history))[0].r2, 8)
    0.93838028
    """
    usable = history.usable(weights.settings.long_days)
    whole = np.where(usable, history.cost, np.nan)
    cap = float(np.quantile(history.cost[usable], CAP)) if usable.any() else float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            "untrimmed": whole, "trimmed": np.where(weights.kept, history.cost, np.nan), "capped": np.minimum(whole, cap),
            "logarithms": np.log(whole),
        }  # fmt: skip
    limit = weights.settings.maximum_cv
    lines = [_explained("all", way, values[way], history.group, limit) for way in WAYS]
    mdc = np.array([*history.parents("mdc"), ""])[history.group]
    for name in sorted(set(mdc[usable].tolist())):
        for way in WAYS[:2]:
            lines.append(_explained(name, way, np.where(mdc == name, values[way], np.nan), history.group, limit))
    return lines


def _explained(scope: str, way: str, values: Floats, group: NDArray[np.int64], limit: float) -> CostsExplained:
    used = ~np.isnan(values) & (group >= 0)
    x, g = values[used], group[used]
    if not x.size:
        return CostsExplained(scope, way, 0, 0, *[float("nan")] * 6)
    own = group_statistics(x, g)
    present = own.count > 0
    logs = way == "logarithms"
    mean, total = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    within = float((own.count[present] * own.deviation[present] ** 2).sum())
    error = float(np.abs(x - own.mean[g]).mean()) / mean if not logs else float("nan")
    cv_within = float((own.count[present] * own.cv[present]).sum() / x.size) if not logs else float("nan")
    return CostsExplained(
        scope, way, int(x.size), int(present.sum()), float(np.exp(mean)) if logs else mean,
        float("nan") if logs else float(np.sqrt(total / x.size)) / mean, cv_within,
        float("nan") if logs else float((own.cv[present] < limit).mean()), 1 - within / total if total > 0 else float("nan"),
        error,
    )  # fmt: skip


def group_table(history: CostHistory, weights: EstimatedWeights) -> pa.Table:
    """One row per group that occurs, by code.

    Columns: ``group``, ``mdc``, ``adrg``, ``cases``, ``kept`` (by trimming), ``mean``, quantiles ``p5`` to ``p95`` (type 7),
    ``cv`` and ``cv_trimmed`` (population), ``mean_days``, ``cost_share``, ``unexplained_share`` (of all squares within
    groups), ``largest_share`` (of the group's squares that its farthest case makes) and ``flags`` of :data:`FLAGS`, joined by
    ``|``; costs in yuan and untrimmed unless said.
    """
    usable = history.usable(weights.settings.long_days)
    size = len(history.codes)
    group, cost = history.group[usable], history.cost[usable]
    own, kept = group_statistics(cost, group, size), weights.statistics
    present = np.flatnonzero(own.count)
    present = present[np.argsort(np.array(history.codes)[present])]
    squares = own.count * np.nan_to_num(own.deviation) ** 2
    farthest = np.zeros(size)
    np.maximum.at(farthest, group, (cost - own.mean[group]) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = farthest / squares
    flags = _flags(history, weights, own, largest)
    codes, mdc, adrg = (np.array(names)[present] for names in (history.codes, history.parents("mdc"), history.parents("adrg")))
    days = group_statistics(history.days[usable], group, size).mean
    columns = {
        "mean": own.mean, **quantiles(cost, group, size), "cv": own.cv, "cv_trimmed": kept.cv, "mean_days": days,
        "cost_share": own.count * np.nan_to_num(own.mean) / cost.sum() if cost.size else own.mean,
        "unexplained_share": squares / squares.sum() if squares.sum() > 0 else np.full(size, np.nan), "largest_share": largest,
    }  # fmt: skip
    return pa.table({
        "group": codes, "mdc": mdc, "adrg": adrg, "cases": own.count[present], "kept": kept.count[present],
        **{name: pa.array(np.round(values[present], 6), from_pandas=True) for name, values in columns.items()},
        "flags": ["|".join(flags[place]) for place in present.tolist()],
    })  # fmt: skip


def quantiles(cost: Floats, group: NDArray[np.int64], size: int) -> dict[str, Floats]:
    """``p5`` to ``p95`` of each group by linear interpolation (type 7); NaN for an empty one.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 3.0, 10.0]), np.array([0, 0, 0, 1]), 2)["p75"].tolist()
    [2.5, 10.0]
    """
    values = cost[np.lexsort((cost, group))]
    count = np.bincount(group, minlength=size)
    start = np.cumsum(count) - count
    found = {}
    for share in QUANTILES:
        at = np.maximum(count - 1, 0) * share
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        name = f"p{100 * share:g}"
        found[name] = np.full(size, np.nan)
        there = count > 0
        low, high = (values[(start + place)[there]] for place in (below, above))
        found[name][there] = low + (at - below)[there] * (high - low)
    return found


def _flags(history: CostHistory, weights: EstimatedWeights, own: GroupStatistics, largest: Floats) -> list[list[str]]:
    """What a reader of the table should look at, by group."""
    settings = weights.settings
    with np.errstate(invalid="ignore"):
        marks = {
            "few_cases": (own.count > 0) & (own.count < settings.minimum_cases), "high_cv": own.cv > settings.maximum_cv,
            "high_cv_trimmed": weights.statistics.cv > settings.maximum_cv,
            "one_case": (largest > ONE_CASE) & (own.count >= settings.minimum_cases),
        }  # fmt: skip
    marks["inverted"], marks["alike"] = _against_lighter(history, own.mean, settings.severity_order)
    return [[name for name in FLAGS if marks[name][place]] for place in range(len(history.codes))]


def _against_lighter(history: CostHistory, mean: Floats, order: str) -> tuple[Mask, Mask]:
    """Groups that cost less than the next lighter one of their family, or hardly another amount."""
    size = len(history.codes)
    inverted, alike = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    families: dict[str, list[tuple[int, int]]] = {}
    for place, (code, adrg) in enumerate(zip(history.codes, history.parents("adrg"), strict=True)):
        rank = order.find(code[-1:]) if code != adrg else -1
        if rank >= 0 and np.isfinite(mean[place]):
            families.setdefault(adrg, []).append((rank, place))
    for members in families.values():
        members.sort()
        for (_, severe), (_, lighter) in pairwise(members):
            inverted[severe] = mean[severe] < mean[lighter]
            alike[severe] = not inverted[severe] and mean[severe] < (1 + ALIKE) * mean[lighter]
    return inverted, alike


@dataclass(frozen=True)
class Histogram:
    """Counts of costs in steps of equal ratio: ``edges`` (yuan) has one entry more than ``counts``."""

    edges: Floats
    counts: NDArray[np.int64]


def histogram(cost: Floats) -> Histogram:
    """Costs in bars of equal width on a logarithmic axis, :data:`STEPS` for a factor of ten.

    Examples
    --------
    >>> found = histogram(np.array([1000.0, 1100.0, 9000.0]))
    >>> found.counts.tolist(), found.edges[[0, -1]].tolist()
    ([2, 0, 0, 0, 0, 0, 0, 1], [1000.0, 10000.0])
    """
    logs = np.log10(cost[cost > 0]) * STEPS
    if not logs.size:
        return Histogram(np.zeros(0), np.zeros(0, np.int64))
    first, last = int(np.floor(logs.min() + 1e-9)), int(np.floor(logs.max() + 1e-9))
    place = np.clip(np.floor(logs + 1e-9).astype(np.int64) - first, 0, last - first)
    edges = 10 ** (np.arange(first, last + 2) / STEPS)
    return Histogram(np.round(edges, 6), np.bincount(place, minlength=last - first + 1))
