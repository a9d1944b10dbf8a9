"""How well groups explain cost: CV, RIV, stable groups, before and after trimming (rule book 1.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.statistics import GroupStatistics, group_statistics, spread
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights


@dataclass(frozen=True)
class GroupEvaluation:
    """How well groups explain cost: one line for all cases or one MDC, before or after trimming."""

    scope: str
    trimmed: bool
    cases: int
    groups: int
    mean_cost: float
    cv: float
    riv: float
    stable_share: float
    r2_days: float


def evaluate(history: CostHistory, weights: EstimatedWeights) -> list[GroupEvaluation]:
    """Evaluate the groups over all cases and per MDC, before and after trimming (rule book 1.3).

    Sums of squares follow from counts, means and deviations of the groups: within = sum n s^2, between = sum n (mean - all)^2.
    """
    size = len(history.codes)
    mdcs = np.array(history.parents("mdc"))
    scopes = [("all", np.ones(size, np.bool_)), *((name, mdcs == name) for name in sorted(set(mdcs.tolist())))]
    lines = []
    for trimmed, used in ((False, history.usable(weights.settings.long_days)), (True, weights.kept)):
        group = history.group[used]
        cost = group_statistics(history.cost[used], group, size)
        days = group_statistics(history.days[used], group, size)
        for name, members in scopes:
            present = members & (cost.count > 0)
            if present.any():
                lines.append(_evaluate(name, trimmed, cost, days, present, weights.settings.maximum_cv))
    return lines


def _evaluate(
    scope: str, trimmed: bool, cost: GroupStatistics, days: GroupStatistics, present: NDArray[np.bool_], limit: float
) -> GroupEvaluation:
    mean, total, explained = spread(cost, present)
    cases = int(cost.count[present].sum())
    return GroupEvaluation(
        scope, trimmed, cases, int(present.sum()), mean, float(np.sqrt(total / cases)) / mean, explained,
        float((cost.cv[present] < limit).mean()), spread(days, present & (days.count > 0))[2],
    )  # fmt: skip
