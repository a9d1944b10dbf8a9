"""Clustering of historical cost: it decides where the plain list leaves open what is one kind and what is two.

Merging. The combinations of one diagnosis and one class of operation (conservative, diagnostic, therapeutic, surgery) that
differ clinically but not in cost become one kind:

1. A combination's cost is the median of ln(cost) of its kept cases, drawn towards that of its diagnosis and class as if
   ``prior_cases`` cases had it, so that a combination with few cases is not believed more than it can tell.
2. Agglomerative clustering (scikit-learn) with complete linkage joins combinations as long as no two in a cluster differ by
   ``material`` or more.
3. Neighbouring clusters a, b are joined while telling them apart gains too little likelihood:
   n_a n_b / (n_a + n_b) (m_a - m_b)^2 / s^2 <= penalty ln N, with the robust variance s^2 of ln(cost) within combinations
   (interquartile range / 1.349), as the Bayesian information criterion weighs it; the least gain first.
4. A cluster below the minimum size joins its neighbour in cost, unless that differs by more than ``farthest``; then, and
   where the whole diagnosis and class is too small, its combinations go to the comprehensive kinds, as in the plain list (or
   are kinds of their own where ``core.rule`` is ``coverage`` and needs them).

Splitting. A core kind whose CV is above ``checks.cv_auxiliary`` and whose ln(cost) two normal distributions fit better than
one (Gaussian mixture, BIC per case above ``split_gain``) hides two populations. It is split by what can be seen without
cost: a related procedure, when both parts have enough cases, differ materially and the CV falls by ``split_fall``; the
auxiliary lists (severity, age, ...) need only that fall in such kinds. Nothing is split by cost itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.combinations import NONE, Combinations
from drgsim.authoring.dip.core_list import CoreList, Families, enough_to_cover, list_at
from drgsim.authoring.dip.dip_history import DipHistory
from drgsim.authoring.dip.dip_spec import Clustering, DipSpec, SpecFile
from drgsim.authoring.dip.kind_figures import Measured
from drgsim.authoring.dip.kind_structure import KindLine, KindMembers, Structure, arrange, code_of
from drgsim.language import text
from drgsim.units.dip.dip_catalogue import CLASS_ORDER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST_FITTED = 4000  # costs that a mixture is fitted to: evenly spaced among the sorted ones
_IQR_OF_NORMAL = 1.349


def cluster_list(
    history: DipHistory,
    spec: DipSpec,
    combination: Ints,
    kept: NDArray[np.bool_],
    cases: Ints,
    means: Floats,
) -> Structure:
    """The kinds by clustering.

    Parameters
    ----------
    history, spec
        Discharges and specification.
    combination
        Combination of each discharge that counts for the list, -1 for the others.
    kept
        Discharges that trimming within combinations keeps.
    cases, means
        Cases and mean cost of each combination.
    """
    file = spec.file
    least = _minimum_size(file, len(history.years))
    increase = file.combinations.minimum_increase
    fine = list_at(history.combinations, cases, means, least, increase.value if increase else None)
    lines, line_of, group = _fine_lines(fine, history.combinations, history.class_of_procedure)
    used = kept & (combination >= 0)
    log = np.log(history.cost[used].astype(np.float64))
    line = line_of[combination[used]]
    middle, spread = _robust(log, line, len(lines))
    number = np.bincount(line_of, cases, minlength=len(lines)).astype(np.int64)
    kind_of_line = _clusters(group, number, middle, spread, file.clustering, least)
    sizes = np.bincount(kind_of_line, number).astype(np.int64)
    nameless = np.bincount(kind_of_line, [line[1] < NONE for line in lines]) > 0
    wanted, large = least, (sizes >= least) & ~nameless
    missing = file.core.coverage.value * cases.sum() - sizes[large].sum()
    if file.core.rule.value == "coverage" and missing > 0:
        wanted, large = _with_smaller(large, sizes, nameless, missing)
    entries, kind_of_line = _entries(kind_of_line, large, lines, number, history)
    kind = kind_of_line[line_of]
    entries = _split_by_procedure(history, combination, kept, kind, entries, file, least)
    note = text(
        "{count:,} combinations of diagnosis, principal and standing related procedures were clustered",
        count=len(lines),
    )
    return arrange(history, cases, entries, wanted, spec, (note,))


def _minimum_size(file: SpecFile, years: int) -> float:
    """Cases that a kind needs in the whole history."""
    core = file.core
    if core.rule.value == "coverage":
        return file.clustering.minimum_cases.value
    least = core.minimum_cases if core.rule.value == "threshold" else core.minimum_cases_province
    return least.value * (years if core.per.value == "year" else 1)


def _with_smaller(
    large: NDArray[np.bool_], sizes: Ints, nameless: NDArray[np.bool_], missing: float
) -> tuple[float, NDArray[np.bool_]]:
    """The smallest size needed, and the clusters when smaller ones, by size and number, cover the missing cases too."""
    open_ = np.flatnonzero(~large & ~nameless & (sizes > 0))
    open_ = open_[np.argsort(-sizes[open_], kind="stable")]
    taken = open_[: enough_to_cover(sizes[open_], missing)]
    found = large.copy()
    found[taken] = True
    return float(sizes[found].min(initial=sizes.max(initial=1))), found


def _fine_lines(
    fine: CoreList, combinations: Combinations, class_of_procedure: NDArray[np.int8]
) -> tuple[list[tuple[int, int, tuple[int, ...]]], Ints, Ints]:
    """Every combination that may be a kind: the plain list's, and each family that is too small for it as one.

    Returns
    -------
    tuple
        (diagnosis, procedure, related) of each line, the line of each combination, and of each line the number of its
        diagnosis and class.
    """
    lines = list(zip(fine.diagnosis.tolist(), fine.procedure.tolist(), fine.related, strict=True))
    line_of = fine.kind.copy()
    families = Families.of_combinations(combinations)
    small = np.unique(families.of[line_of < 0])
    number = np.full(families.start.size - 1, -1, np.int64)
    number[small] = len(lines) + np.arange(small.size)
    line_of = np.where(line_of < 0, number[families.of], line_of)
    heads = families.start[small]
    lines += [
        (diagnosis, procedure, ())
        for diagnosis, procedure in zip(
            combinations.diagnosis[heads].tolist(), combinations.procedures[heads, 0].tolist(), strict=True
        )
    ]
    procedure = np.array([each[1] for each in lines], np.int64)
    operation = np.where(procedure == NONE, 0, class_of_procedure[np.maximum(procedure, 0)])
    group = np.array([each[0] for each in lines], np.int64) * len(CLASS_ORDER) + operation
    group = np.where(procedure < NONE, -1 - np.arange(group.size), group)  # unknown and blank procedures stay apart
    return lines, line_of, group


def _robust(log: Floats, line: Ints, lines: int) -> tuple[Floats, Floats]:
    """Median of ln(cost) of each line, and interquartile range / 1.349; NaN without cases."""
    order = np.lexsort((log, line))
    start = np.searchsorted(line[order], np.arange(lines + 1))
    number = np.diff(start)
    ordered = np.append(log[order], np.nan)

    def quantile(share: float) -> Floats:
        at = np.maximum(number - 1, 0) * share
        low = np.minimum(start[:-1] + np.floor(at).astype(np.int64), log.size)
        high = np.minimum(low + 1, np.maximum(start[1:] - 1, low))
        value = ordered[low] + (at - np.floor(at)) * (ordered[high] - ordered[low])
        return np.where(number > 0, value, np.nan)

    return quantile(0.5), (quantile(0.75) - quantile(0.25)) / _IQR_OF_NORMAL


def _clusters(group: Ints, number: Ints, middle: Floats, spread: Floats, settings: Clustering, least: float) -> Ints:
    """Number of the cluster of each line; clusters are numbered by group, then by cost."""
    result = np.full(group.size, -1, np.int64)
    known = ~np.isnan(middle) & (number > 0)
    order = np.argsort(group, kind="stable")
    starts = np.append(np.flatnonzero(np.append(True, np.diff(group[order]) != 0)), group.size)
    found = 0
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        places = order[first:last]
        usable = places[known[places]]
        if not usable.size:
            result[places] = found
            found += 1
            continue
        n = number[usable].astype(np.float64)
        prior = float(_weighted_median(middle[usable], n))
        cost = (n * middle[usable] + settings.prior_cases.value * prior) / (n + settings.prior_cases.value)
        many = n > 1
        variance = float((spread[usable][many] ** 2 * n[many]).sum() / n[many].sum()) if many.any() else 0.0
        label = cluster_costs(cost, n, variance, settings, least)
        result[usable] = found + label
        result[places[~known[places]]] = found  # lines without a kept case go with the cheapest cluster
        found += int(label.max()) + 1
    return result


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])


def cluster_costs(cost: Floats, number: Floats, variance: float, settings: Clustering, least: float) -> Ints:
    """Clusters of combinations with these costs (ln yuan), numbered from the cheapest on.

    Those that are too small for a kind and too far from all others come last.

    Examples
    --------
    >>> from drgsim.authoring.dip.dip_spec import load_spec
    >>> settings = load_spec("dip-2.0").file.clustering
    >>> cost, number = np.log([10000, 10300, 16000, 15500, 40000]), np.array([100, 80, 60, 90, 3.0])
    >>> cluster_costs(cost, number, 0.1, settings, 15).tolist()
    [0, 0, 1, 1, 2]
    """
    from sklearn.cluster import AgglomerativeClustering

    label = np.zeros(cost.size, np.int64)
    if cost.size > 1:
        limit = float(np.log1p(settings.material.value))
        model = AgglomerativeClustering(n_clusters=None, distance_threshold=limit, linkage="complete")
        label = model.fit_predict(cost.reshape(-1, 1)).astype(np.int64)
    names = np.unique(label)
    size = np.array([number[label == name].sum() for name in names])
    mean = np.array([(cost * number)[label == name].sum() for name in names]) / size
    order = np.argsort(mean, kind="stable")
    groups = [[int(names[at])] for at in order]
    n, m = size[order].tolist(), mean[order].tolist()
    limit = settings.penalty.value * float(np.log(max(number.sum(), 2.0))) * max(variance, 1e-12)
    farthest = float(np.log1p(settings.farthest.value))
    apart: list[list[int]] = []
    while len(groups) > 1:
        gain = [n[at] * n[at + 1] / (n[at] + n[at + 1]) * (m[at] - m[at + 1]) ** 2 for at in range(len(groups) - 1)]
        small = [at for at in range(len(groups)) if n[at] < least]
        if small:
            one = min(small, key=lambda place: (n[place], place))
            sides = [side for side in (one - 1, one) if 0 <= side < len(gain)]
            at = min(sides, key=lambda side: abs(m[side] - m[side + 1]))
            if abs(m[at] - m[at + 1]) > farthest:
                apart.append(groups.pop(one))
                del n[one], m[one]
                continue
        else:
            at = int(np.argmin(gain))
            if gain[at] > limit:
                break
        total = n[at] + n[at + 1]
        m[at : at + 2] = [(n[at] * m[at] + n[at + 1] * m[at + 1]) / total]
        n[at : at + 2] = [total]
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    result = np.empty(cost.size, np.int64)
    for at, members in enumerate([*groups, *apart]):
        result[np.isin(label, members)] = at
    return result


def _entries(
    kind_of_line: Ints,
    large: NDArray[np.bool_],
    lines: Sequence[tuple[int, int, tuple[int, ...]]],
    number: Ints,
    history: DipHistory,
) -> tuple[list[KindMembers], Ints]:
    """Core kinds of the clusters that are large enough, in the order of the combination that names them; and the new kind
    of each line. A kind is named by its combination with most cases."""
    procedures, names = history.book.procedures.codes, history.combinations.diagnoses
    members: dict[int, list[int]] = {}
    for line, cluster in enumerate(kind_of_line.tolist()):
        if large[cluster]:
            members.setdefault(cluster, []).append(line)
    for each in members.values():
        each.sort(key=lambda line: (-number[line], lines[line]))
    ordered = sorted(members.values(), key=lambda each: lines[each[0]])
    result = np.full(kind_of_line.size, -1, np.int64)
    entries = []
    for place, each in enumerate(ordered):
        result[each] = place
        shown = [
            KindLine(
                names[lines[line][0]],
                procedures[lines[line][1]] if lines[line][1] != NONE else "",
                tuple(procedures[related] for related in lines[line][2]),
            )
            for line in each
        ]
        entries.append(KindMembers(code_of(shown), "core", tuple(shown)))
    return entries, result


# -- splitting ---------------------------------------------------------------------------------------------------------
def two_populations(log: Floats, gain: float) -> bool:
    """Whether two normal distributions fit costs better than one, by a gain of BIC per case.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one, other = rng.normal(9, 0.3, 500), rng.normal(11, 0.3, 300)
    >>> two_populations(one, 0.05), two_populations(np.concatenate([one, other]), 0.05)
    (False, True)
    """
    from sklearn.mixture import GaussianMixture

    values = np.sort(log)
    if values.size > MOST_FITTED:
        values = values[np.linspace(0, values.size - 1, MOST_FITTED).round().astype(np.int64)]
    column = values.reshape(-1, 1)
    one, two = (GaussianMixture(number, random_state=0, reg_covar=1e-4).fit(column).bic(column) for number in (1, 2))
    return bool((one - two) / values.size > gain)


def hidden_populations(
    history: DipHistory, kind: Ints, measured: Measured, core: NDArray[np.bool_], file: SpecFile
) -> NDArray[np.bool_]:
    """Which core kinds hide two cost populations."""
    settings = file.clustering
    suspects = core & (measured.cv > file.checks.cv_auxiliary.value)
    suspects &= measured.totals.cases.sum(1) >= 2 * settings.minimum_cases.value
    result = np.zeros(core.size, np.bool_)
    used = measured.kept & suspects[kind]
    order = np.argsort(kind[used], kind="stable")
    log = np.log(history.cost[used][order].astype(np.float64))
    for place in np.flatnonzero(suspects).tolist():
        first, last = np.searchsorted(kind[used][order], [place, place + 1])
        result[place] = two_populations(log[first:last], settings.split_gain.value)
    return result


def _split_by_procedure(
    history: DipHistory,
    combination: Ints,
    kept: NDArray[np.bool_],
    kind: Ints,
    entries: list[KindMembers],
    file: SpecFile,
    least: float,
) -> list[KindMembers]:
    """Take cases with a dear (or cheap) related procedure out of kinds that hide two populations."""
    used = kept & (combination >= 0)
    used[used] = kind[combination[used]] >= 0
    place = kind[combination[used]]
    order = np.argsort(place, kind="stable")
    yuan = history.cost[used][order] / 100.0
    own = combination[used][order]
    bounds = np.searchsorted(place[order], np.arange(len(entries) + 1))
    entries = list(entries)
    known = {line for entry in entries for line in entry.lines}
    for number in range(len(bounds) - 1):
        first, last = int(bounds[number]), int(bounds[number + 1])
        costs = yuan[first:last]
        if last - first < 2 * least or costs.std() <= file.checks.cv_auxiliary.value * costs.mean():
            continue
        if not two_populations(np.log(costs), file.clustering.split_gain.value):
            continue
        procedure = _best_procedure(costs, own[first:last], history.combinations, file.clustering, least)
        if procedure is None:
            continue
        holds = (history.combinations.procedures[:, 1:] == procedure).any(1) & (kind == number)
        lines = [line for line in _with_procedure(entries[number], holds, procedure, history) if line not in known]
        if lines:
            known.update(lines)
            entries.append(KindMembers(code_of(lines), "core", tuple(lines)))
    return entries


def _best_procedure(
    costs: Floats, own: NDArray[Any], combinations: Combinations, settings: Clustering, least: float
) -> int | None:
    """The related procedure that tells the costs of a kind apart best."""
    related = combinations.procedures[own, 1:]
    total = float(((costs - costs.mean()) ** 2).sum())
    best: tuple[float, int] | None = None
    for procedure in np.unique(related[related >= 0]).tolist():
        has = (related == procedure).any(1)
        parts = costs[has], costs[~has]
        if min(part.size for part in parts) < least:
            continue
        low, high = sorted(part.mean() for part in parts)
        fall = 1.0 - float(np.sqrt(sum(((part - part.mean()) ** 2).sum() for part in parts) / total))
        if high >= low * (1 + settings.material.value) and fall >= settings.split_fall.value:
            best = max(best or (fall, procedure), (fall, procedure))
    return best[1] if best else None


def _with_procedure(entry: KindMembers, holds: NDArray[np.bool_], procedure: int, history: DipHistory) -> list[KindLine]:
    """The lines of a kind with one more related procedure, those that occur."""
    codes = history.book.procedures.codes
    code = codes[procedure]
    seen = {int(main) for main in history.combinations.procedures[holds, 0]}
    place = {name: number for number, name in enumerate(codes)}

    def sorted_related(line: KindLine) -> tuple[str, ...]:
        return tuple(sorted((*line.related, code), key=place.__getitem__))

    return [
        KindLine(line.dx, line.procedure, sorted_related(line)) for line in entry.lines if place.get(line.procedure) in seen
    ]
