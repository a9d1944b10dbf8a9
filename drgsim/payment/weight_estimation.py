"""Relative weights (权重) from the history of discharges: RW_g = mean cost of the group / mean cost of all cases.

Whatever is adjusted, the identity sum n_g RW_g = N holds on the cases used (rule book 1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.statistics import GroupStatistics, group_statistics, spread
from drgsim.costs.trimming import TrimRule, trim
from drgsim.costs.year_means import mean_over_years
from drgsim.language import text

Floats = NDArray[np.float64]
SEVERITY_ORDER = "12345"  # last character of a group's code, the most severe first
LONG_DAYS = 60.0  # stays above it lie outside the groups (rule book 1.2)
FLAGS = ("unstable_cv", "few_cases", "smoothed", "pooled", "parent_mean", "adjusted")


@dataclass(frozen=True)
class WeightSettings:
    """How weights are estimated.

    Attributes
    ----------
    trim
        Applied within each group and year.
    year_weights
        Year -> weight, such as 1:2:7 from the oldest on; empty: all years count alike.
    year_mode
        ``mean_of_means``: the years' group means are averaged; ``case_weighted``: each case counts with its year's
        weight. The two differ.
    minimum_cases, maximum_cv
        A group with fewer cases or a larger CV (population) is unstable.
    unstable
        ``keep``: only flagged; ``parent``: takes the mean of its ADRG; ``drop``: gets no weight.
    smoothing, smooth_to
        For groups below ``minimum_cases``: mean = (n own + m parent) / (n + m), m = ``smoothing``; 0 = none. The parent is the
        ADRG or the MDC.
    monotone
        Within an ADRG, MCC >= CC >= none: offenders are pooled, weighted by cases.
    severity_order
        Last characters of group codes that state a severity, the most severe first; other groups are left alone.
    target_shares
        Cost category -> target share of all cost (shares sum to 1); empty: none.
    policy_factors
        Group -> factor by policy; the total weight stays.
    long_days
        Longer stays are left out, as payment leaves them outside the groups (rule book 1.2); 0: none. Stays of unknown length
        count.
    """

    trim: TrimRule = field(default_factory=TrimRule)
    year_weights: Mapping[int, float] = field(default_factory=dict)
    year_mode: Literal["mean_of_means", "case_weighted"] = "mean_of_means"
    minimum_cases: int = 5
    maximum_cv: float = 1.0
    unstable: Literal["keep", "parent", "drop"] = "keep"
    smoothing: float = 0.0
    smooth_to: Literal["adrg", "mdc"] = "adrg"
    monotone: bool = False
    severity_order: str = SEVERITY_ORDER
    target_shares: Mapping[str, float] = field(default_factory=dict)
    policy_factors: Mapping[str, float] = field(default_factory=dict)
    long_days: float = LONG_DAYS

    def __post_init__(self) -> None:
        if self.target_shares and not abs(sum(self.target_shares.values()) - 1) <= 1e-6:
            raise ValueError(text("the target shares sum to {total:g}, not to 1", total=sum(self.target_shares.values())))
        if any(weight < 0 for weight in self.year_weights.values()) or self.smoothing < 0:
            raise ValueError(text("weights of years and the smoothing must not be below 0"))
        wrong = [f"{group}={factor:g}" for group, factor in self.policy_factors.items() if not 0 < factor < float("inf")]
        if wrong:
            raise ValueError(text("a policy factor is a finite number above 0: {wrong}", wrong=", ".join(wrong)))
        below = [f"{name}={share:g}" for name, share in self.target_shares.items() if share < 0]
        if below:
            raise ValueError(text("a target share must not be below 0: {below}", below=", ".join(below)))
        if not 0 <= self.long_days < float("inf"):
            raise ValueError(
                text("the longest stay is a finite number of days, or 0 for any, not {long_days:g}", long_days=self.long_days)
            )

    def describe(self) -> list[str]:
        """What was done, in sentences for the output."""
        years = "; ".join(f"{year}: {weight:g}" for year, weight in sorted(self.year_weights.items())) or text("all alike")
        lines = [
            str(self.trim),
            text("years: {years}, {mode}", years=years, mode=self.year_mode),
            text("stays over {long_days:g} days left out", long_days=self.long_days)
            if self.long_days
            else text("stays of any length"),
            text(
                "unstable: fewer than {cases} cases or CV above {cv:g}: {unstable}",
                cases=self.minimum_cases,
                cv=self.maximum_cv,
                unstable=self.unstable,
            ),
        ]
        if self.smoothing:
            lines.append(
                text(
                    "small groups smoothed towards the {to} with m = {m:g}",
                    to=self.smooth_to,
                    m=self.smoothing,
                )
            )
        if self.monotone:
            lines.append(text("MCC >= CC >= none within each ADRG; offenders pooled"))
        if self.target_shares:
            shares = ", ".join(f"{k} {v:g}" for k, v in self.target_shares.items())
            lines.append(text("resource structure adjusted to {shares}", shares=shares))
        if self.policy_factors:
            lines.append(text("policy factors for {count} groups; total weight kept", count=len(self.policy_factors)))
        return lines


@dataclass(frozen=True)
class CostHistory:
    """Discharges of the past: numbers per case, with the groups' codes.

    ``group`` is a place in ``codes`` (below 0: ungrouped, not used); ``categories`` holds cost by category where the
    data have it, ``names`` those of the groups where the data give them.
    """

    codes: tuple[str, ...]
    group: NDArray[np.int64]
    cost: Floats
    year: NDArray[np.int64]
    days: Floats
    categories: Mapping[str, Floats] = field(default_factory=dict)
    adrg: tuple[str, ...] = ()
    mdc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def parents(self, kind: str) -> tuple[str, ...]:
        """ADRG or MDC of each group; by CHS-DRG codes the first three characters and the first one."""
        given = self.adrg if kind == "adrg" else self.mdc
        return given or tuple(code[: 3 if kind == "adrg" else 1] for code in self.codes)

    def usable(self, long_days: float) -> NDArray[np.bool_]:
        """Cases with a group and a cost whose stay is not known to be longer than a limit; 0 is no limit."""
        within = ~(self.days > long_days) if long_days else True
        return np.asarray((self.group >= 0) & (self.cost > 0) & within)


@dataclass(frozen=True)
class EstimatedWeights:
    """Estimated weights, one entry per group of the history.

    ``weight`` is NaN for a group that gets none. ``standard_error`` is that of the weight as a ratio of
    two means, with the cases that the weights of the years leave; what trimming and smoothing add is not in it. ``flags``
    names what happened to the group. ``kept`` marks the cases used.
    """

    codes: tuple[str, ...]
    weight: Floats
    standard_error: Floats
    mean_cost: Floats
    mean_days: Floats
    statistics: GroupStatistics
    flags: tuple[tuple[str, ...], ...]
    kept: NDArray[np.bool_]
    overall_mean: float
    settings: WeightSettings


def estimate_weights(history: CostHistory, settings: WeightSettings = WeightSettings()) -> EstimatedWeights:
    """Estimate weights.

    Examples
    --------
    >>> import numpy as np
    >>> cost = np.array([8000, 10000, 12000, 4000, 5000, 6000, 5000, 20000, 24000, 28000], float)
    >>> group = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    >>> history = CostHistory(("AA1", "AB1", "AC1"), group, cost, np.full(10, 2023), np.full(10, 5.0))
    >>> estimate_weights(history, WeightSettings(trim=TrimRule("none"))).weight.round(6).tolist()
    [0.819672, 0.409836, 1.967213]
    """
    size = len(history.codes)
    years, year_place = np.unique(history.year, return_inverse=True)
    usable = history.usable(settings.long_days)
    cell = np.where(usable, history.group * years.size + year_place, -1)
    kept = trim(np.where(usable, history.cost, np.nan), cell, settings.trim)
    group, cost = history.group[kept], history.cost[kept]
    statistics = group_statistics(cost, group, size)
    flags: list[set[str]] = [set() for _ in history.codes]
    mean = _mean_over_years(cell[kept], cost, years, size, settings)
    if settings.target_shares:
        mean = _restructure(mean, history, kept, size, settings.target_shares)
    count = statistics.count.astype(np.float64)
    mean = _settle_unstable(mean, count, statistics, history, settings, flags)
    if settings.monotone:
        mean = _pool_offenders(mean, count, history, settings.severity_order, flags)
    used = ~np.isnan(mean) & (count > 0)
    overall = float((count[used] * mean[used]).sum() / count[used].sum()) if used.any() else float("nan")
    weight = np.where(used, mean / overall, np.nan)
    weight = adjust(weight, count, history.codes, settings.policy_factors, flags)
    error = _standard_error(weight, statistics, _effective_cases(cell[kept], years, size, settings))
    days = group_statistics(history.days[kept], group, size).mean
    return EstimatedWeights(
        history.codes, weight, error, mean, days, statistics, tuple(tuple(sorted(entry)) for entry in flags), kept,
        overall, settings,
    )  # fmt: skip


def adjust(
    weight: Floats,
    count: Floats,
    codes: tuple[str, ...],
    factors: Mapping[str, float],
    flags: list[set[str]] | None = None,
) -> Floats:
    """Multiply weights of groups and scale all so that the total weight stays: RW' = RW* x sum n RW / sum n RW*.

    Examples
    --------
    >>> import numpy as np
    >>> old = np.array([0.8196721311, 0.4098360656, 1.9672131148])
    >>> adjust(old, np.array([3.0, 4.0, 3.0]), ("A", "B", "C"), {"B": 1.2}).round(6).tolist()
    [0.793651, 0.47619, 1.904762]
    """
    if not factors:
        return weight
    unknown = sorted(set(factors) - set(codes))
    if unknown:
        raise ValueError(text("policy factors name groups that do not occur: {names}", names=", ".join(unknown[:5])))
    raised = weight * np.array([factors.get(code, 1.0) for code in codes])
    if flags is not None:
        for code in factors:
            flags[codes.index(code)].add("adjusted")
    return np.asarray(raised * (np.nansum(count * weight) / np.nansum(count * raised)))


# -- steps -------------------------------------------------------------------------------------------------------------
def _mean_over_years(
    cell: NDArray[np.int64], cost: Floats, years: NDArray[np.int64], size: int, settings: WeightSettings
) -> Floats:
    """Mean cost per group over the years; a year in which a group does not occur leaves its weight to the others."""
    shape = (size, years.size)
    count = np.bincount(cell, minlength=size * years.size).reshape(shape)
    total = np.bincount(cell, cost, minlength=size * years.size).reshape(shape)
    year_weight = _year_weights(years, settings)
    mode = settings.year_mode if settings.year_weights else "case_weighted"  # without weights every case counts alike
    return mean_over_years(total, count, year_weight, mode)


def _year_weights(years: NDArray[np.int64], settings: WeightSettings) -> Floats:
    if not settings.year_weights:
        return np.ones(years.size)
    return np.array([settings.year_weights.get(int(year), 0.0) for year in years])


def _effective_cases(cell: NDArray[np.int64], years: NDArray[np.int64], size: int, settings: WeightSettings) -> Floats:
    """Number of equally weighted cases that would give a group's mean the same variance."""
    count = np.bincount(cell, minlength=size * years.size).reshape(size, years.size).astype(np.float64)
    weight = _year_weights(years, settings)
    with np.errstate(invalid="ignore", divide="ignore"):
        if settings.year_mode == "case_weighted" or not settings.year_weights:
            return np.asarray((count * weight).sum(1) ** 2 / (count * weight**2).sum(1))
        present = count > 0
        spread = np.where(present, weight**2 / np.where(present, count, 1.0), 0.0).sum(1)
        return np.asarray((present * weight).sum(1) ** 2 / spread)


def _standard_error(weight: Floats, statistics: GroupStatistics, effective: Floats) -> Floats:
    """Standard error of RW = m / M, a ratio of two means that share cases (delta method, rule book 1.4).

    var = RW^2 (cv^2 / n + CV^2 / N - 2 cv^2 (n m) / (N M) / n), with cv and n of the group (n: cases that count alike) and CV
    and N of all cases. Large groups owe much of their error to the overall mean.
    """
    count = statistics.count.astype(np.float64)
    cases = float(count.sum())
    if not cases:  # no case has a cost
        return np.full(count.size, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        cv2 = statistics.sample_cv**2
        overall, total, _ = spread(statistics, statistics.count > 0)
        own = cv2 / effective
        share = count * statistics.mean / (cases * overall)
        return np.asarray(weight * np.sqrt(np.maximum(own * (1 - 2 * share) + total / cases / overall**2 / cases, 0.0)))


def _restructure(
    mean: Floats, history: CostHistory, kept: NDArray[np.bool_], size: int, targets: Mapping[str, float]
) -> Floats:
    """C*_g = sum_c C_gc t_c / s_c: each cost category scaled to its target share of the pool (rule book 1.4)."""
    missing = sorted(set(targets) - set(history.categories))
    if missing:
        raise ValueError(text("the history has no cost of the categories {missing}", missing=", ".join(missing)))
    group = history.group[kept]
    sums = {name: np.bincount(group, history.categories[name][kept], minlength=size) for name in targets}
    pool = sum(float(total.sum()) for total in sums.values())
    own = sum(sums.values(), np.zeros(size))
    scaled = np.zeros(size)
    for name, target in targets.items():
        actual = float(sums[name].sum()) / pool
        if actual > 0:
            scaled += sums[name] * target / actual
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(own > 0, mean * scaled / own, mean)


def _settle_unstable(
    mean: Floats, count: Floats, statistics: GroupStatistics, history: CostHistory, settings: WeightSettings,
    flags: list[set[str]],
) -> Floats:  # fmt: skip
    wild, few = statistics.cv > settings.maximum_cv, (count < settings.minimum_cases) & (count > 0)
    for place in np.flatnonzero(wild):
        flags[place].add("unstable_cv")
    for place in np.flatnonzero(few):
        flags[place].add("few_cases")
    result = mean.copy()
    if settings.smoothing > 0:
        parent = _parent_means(mean, count, history.parents(settings.smooth_to))
        m = settings.smoothing
        smooth = few & ~np.isnan(parent)
        result = np.where(smooth, (count * mean + m * parent) / (count + m), result)
        for place in np.flatnonzero(smooth):
            flags[place].add("smoothed")
    unstable = wild | few
    if settings.unstable == "drop":
        result = np.where(unstable, np.nan, result)
    elif settings.unstable == "parent":
        parent = _parent_means(mean, count, history.parents("adrg"))
        result = np.where(unstable & ~np.isnan(parent), parent, result)
        for place in np.flatnonzero(unstable & ~np.isnan(parent)):
            flags[place].add("parent_mean")
    return result


def _parent_means(mean: Floats, count: Floats, parents: tuple[str, ...]) -> Floats:
    names = {name: number for number, name in enumerate(dict.fromkeys(parents))}
    place = np.array([names[name] for name in parents], np.int64)
    known = ~np.isnan(mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.bincount(place[known], (mean * count)[known], minlength=len(names))
        return np.asarray((total / np.bincount(place[known], count[known], minlength=len(names)))[place])


def _pool_offenders(mean: Floats, count: Floats, history: CostHistory, severity: str, flags: list[set[str]]) -> Floats:
    """Pool adjacent violators within an ADRG, most severe group first, weighted by cases."""
    result = mean.copy()
    families: dict[str, list[int]] = {}
    for place, (code, parent) in enumerate(zip(history.codes, history.parents("adrg"), strict=True)):
        if code[-1:] in severity and not np.isnan(mean[place]) and count[place] > 0:
            families.setdefault(parent, []).append(place)
    for members in families.values():
        members.sort(key=lambda place: severity.index(history.codes[place][-1]))
        blocks: list[tuple[float, float, list[int]]] = []
        for place in members:
            block = (float(mean[place]), float(count[place]), [place])
            while blocks and blocks[-1][0] < block[0]:  # a less severe group may not cost more
                value, n, places = blocks.pop()
                total = n + block[1]
                block = ((value * n + block[0] * block[1]) / total, total, places + block[2])
            blocks.append(block)
        for value, _, places in blocks:
            result[places] = value
            if len(places) > 1:
                for place in places:
                    flags[place].add("pooled")
    return result
