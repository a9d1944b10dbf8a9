"""Relative values from a region's own past, where a policy has no table of groups or a scenario asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drgsim.money import to_yuan
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.policy import Policy
from drgsim.payment.price_table import PriceTable
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.weight_estimation import CostHistory, WeightSettings, estimate_weights


def years_of_history(years: Iterable[int], year: int) -> tuple[int, ...]:
    """The years that weights of a year are estimated from: those before it, the year itself where there is none.

    Examples
    --------
    >>> years_of_history((2022, 2023, 2024), 2024), years_of_history((2022, 2023, 2024), 2022)
    ((2022, 2023), (2022,))
    """
    return tuple(each for each in years if each < year) or (year,)


def table_from_history(history: Mapping[int, Cases], cases: Cases, policy: Policy) -> PriceTable:
    """Relative weights of the groups from discharges of the past, all cases alike (rule book 1.4).

    Parameters
    ----------
    history
        Year -> its cases.
    cases
        The cases that will be paid; a group of theirs that the past gives no weight takes the mean of its ADRG, of its MDC, or
        of all cases.
    policy
        Who pays: its longest stay inside the groups counts, and mean costs come along where it compares with those of a table.
    """
    codes, group = numbered_groups(history.values())
    cost = np.concatenate([to_yuan(past.money["total_cost"]) for past in history.values()])
    costs = CostHistory(
        codes, group, np.where(cost > 0, cost, np.nan),
        np.concatenate([np.full(past.size, year) for year, past in history.items()]),
        np.concatenate([past.numbers["los_days"] for past in history.values()]),
    )  # fmt: skip
    limit = policy.file.stays.long_days
    settings = WeightSettings(smoothing=10.0, smooth_to="adrg", long_days=limit.value if limit is not None else 0.0)
    weights = estimate_weights(costs, settings)
    values = _with_new_groups(cases, codes, weights.weight, weights.statistics.count)
    every = tuple(values)
    blank = ("",) * len(every)
    weight, numbers = np.round(np.array(list(values.values())), 4), {}
    if compares_with_table(policy):
        known = weights.mean_cost > 0
        count = weights.statistics.count[known]
        overall = np.average(weights.mean_cost[known], weights=count) if count.size else np.nan
        numbers["mean_cost"] = np.round(weight * overall, 2)
    return PriceTable(every, blank, blank, blank, {"weight": weight, **numbers})


def numbered_groups(history: Iterable[Cases]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """All groups of some tables of cases by their code, and the place of each case's group among them: -1 for none."""
    every = list(history)
    codes = tuple(sorted({code for cases in every for code in cases.unit.values if is_group(code)}))
    place = {code: number for number, code in enumerate(codes)}
    group = [np.array([place.get(code, -1) for code in cases.unit.values] + [-1], np.int64)[cases.unit.ids] for cases in every]
    return codes, np.concatenate(group)


def with_history(policy: Policy, prices: PriceTable) -> Policy:
    """The policy with a table from history in the place of its own; published standards and coefficients do not decide."""
    value = policy.file.relative_value.model_copy(update={"standard_from_table": False, "coefficient_from_table": False})
    return replace(policy, prices=prices, file=policy.file.model_copy(update={"relative_value": value}))


def compares_with_table(policy: Policy) -> bool:
    """Whether costs are compared with mean costs of the table of groups, and with nothing else but their price."""
    return policy.file.reference.mean_from_table and policy.file.reference.from_cases is None


def _with_new_groups(
    cases: Cases, codes: tuple[str, ...], weight: NDArray[np.float64], count: NDArray[np.int64]
) -> dict[str, float]:
    """Weights by group; one that the past gives none takes the mean of its ADRG, of its MDC, or of all cases."""
    values = {code: value for code, value in zip(codes, weight.tolist(), strict=True) if value > 0}
    for code in cases.unit.values:
        if code in values or not is_group(code):
            continue
        for length in (3, 1, 0):
            kin = [place for place, other in enumerate(codes) if other[:length] == code[:length] and weight[place] > 0]
            if kin:
                values[code] = float(np.average(weight[kin], weights=count[kin]))
                break
    return dict(sorted(values.items()))
