"""Relative values for the same cases under many policies: a policy's own table where it knows them, else one common set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.own_weights import with_values_of
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.price_table import PriceTable
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.weights_from_history import table_from_history

NATIONAL, HISTORY, GIVEN = SOURCES = ("national", "history", "given")
NATIONAL_POLICY = "national/2.0"
KNOWN_ENOUGH = 0.9  # of the grouped cases, for a table to count as one of their scheme
OWN, COMMON = "own", "common"


@dataclass(frozen=True)
class CommonWeights:
    """One relative weight (1 = the mean case) for each group of the cases, whoever pays.

    Attributes
    ----------
    weight, mean_cost
        By group; mean costs (yuan) are weight x cost of all cases / weight of all cases.
    source, label
        One of :data:`SOURCES`, and in words what the weights are.
    filled
        Groups that the source does not know, whose weights follow from the costs of these cases.
    """

    weight: Mapping[str, float]
    mean_cost: Mapping[str, float]
    source: str
    label: str
    filled: tuple[str, ...] = ()

    @property
    def table(self) -> pa.Table:
        """Columns ``drg``, ``weight``, ``mean_cost``."""
        codes = list(self.weight)
        return pa.table({
            "drg": codes, "weight": [self.weight[code] for code in codes],
            "mean_cost": [self.mean_cost[code] for code in codes],
        })  # fmt: skip

    def of_cases(self, cases: Cases) -> NDArray[np.float64]:
        """Weight of each case, NaN where it has no group."""
        values = [self.weight.get(code, np.nan) for code in cases.unit.values]
        return np.array([*values, np.nan])[cases.unit.ids]


def common_weights(cases: Cases, source: str | None = None, given: PriceTable | None = None) -> CommonWeights:
    """The common set of weights; the national policy says which stays count in an estimate.

    Parameters
    ----------
    cases
        Grouped cases with costs.
    source
        ``national``: the reference weights of the national scheme 2.0; ``history``: estimated from these cases (rule book 1.4);
        None: national where it knows nine in ten cases, else history.
    given
        Weights of one's own, which go before both.
    """
    policy = load_policy(NATIONAL_POLICY)
    estimated = table_from_history({0: cases}, cases, policy)
    history = dict(zip(estimated.codes, estimated.column("weight").tolist(), strict=True))
    if given is not None:
        return _filled(cases, _values(given), history, GIVEN, text("given weights"))
    if source != HISTORY:
        national = _values(policy.prices)
        share = known_share(cases, national)
        if source == NATIONAL or share >= KNOWN_ENOUGH:
            return _filled(
                cases,
                national,
                history,
                NATIONAL,
                text("national reference weights 2.0 ({share:.1f} % of cases)", share=100 * share),
            )
    return _filled(cases, history, history, HISTORY, text("weights estimated from these cases"))


def _values(table: PriceTable | None) -> dict[str, float]:
    if table is None:
        return {}
    _, values = table.relative_value
    return {code: value for code, value in zip(table.codes, values.tolist(), strict=True) if value > 0}


def known_share(cases: Cases, values: Mapping[str, float]) -> float:
    """Share of the grouped cases whose group has a value; cases without a group or of an ambiguous one are none of them."""
    group = np.array([is_group(code) for code in cases.unit.values], np.bool_)
    count = np.where(group, np.bincount(cases.unit.ids[cases.unit.ids >= 0], minlength=len(cases.unit.values)), 0)
    known = np.array([code in values for code in cases.unit.values], np.bool_)
    return float(count[known].sum() / count.sum()) if count.sum() else 0.0


def _filled(cases: Cases, values: Mapping[str, float], history: Mapping[str, float], source: str, label: str) -> CommonWeights:
    """Groups without a value take that of the history, on the level of the values."""
    count = np.bincount(cases.unit.ids + 1, minlength=len(cases.unit.values) + 1)[1:]
    both = [(number, code) for number, code in enumerate(cases.unit.values) if code in values and code in history]
    mine = sum(values[code] * count[number] for number, code in both)
    past = sum(history[code] * count[number] for number, code in both)
    level = mine / past if past > 0 else 1.0
    filled = tuple(code for code in cases.unit.values if code not in values and code in history)
    weight = {code: values.get(code, round(history.get(code, 0) * level, 4)) for code in cases.unit.values}
    weight = {code: value for code, value in sorted(weight.items()) if value > 0}
    of_case = np.array([*(weight.get(code, 0.0) for code in cases.unit.values), 0.0])[cases.unit.ids]
    cost = cases.money["total_cost"]
    used = (cost != MISSING) & (cost > 0) & (of_case > 0)
    per_weight = cost[used].sum() / 100 / of_case[used].sum() if used.any() else 0.0
    means = {code: round(value * per_weight, 2) for code, value in weight.items()}
    return CommonWeights(weight, means, source, label, filled if source != HISTORY else ())


def own_values(policy: Policy) -> dict[str, float]:
    """Value of each group in a policy's own table, by its value, published standard or mean cost."""
    if policy.prices is None:
        return {}
    found = _values(policy.prices)
    decide = {"standard": policy.file.relative_value.standard_from_table, "mean_cost": policy.file.reference.prices}
    families = tuple(name for name, decides in decide.items() if decides)
    for name, column in policy.prices.numbers.items():
        if name.startswith(families):
            found |= {code: 1.0 for code, value in zip(policy.prices.codes, column.tolist(), strict=True) if value > 0}
    return found


def weighed(policy: Policy, common: CommonWeights, share: float) -> tuple[Policy, str]:
    """The policy with relative values for every group of the cases, and where they come from (:data:`OWN`, :data:`COMMON`).

    ``share`` is that of the cases whose group the policy's own table knows; 0 leaves the table aside.
    """
    if share < KNOWN_ENOUGH:
        found, _ = with_values_of(policy, common.table, Path("common weights"), common.label)
        return found, COMMON
    prices = policy.prices
    assert prices is not None
    known = own_values(policy)
    name, values = prices.relative_value
    scale = policy.file.relative_value.scale.value if name != "weight" else 1.0
    lacking = [code for code in common.weight if code not in known]
    new = [code for code in lacking if code not in prices.places]
    codes, blank = (*prices.codes, *new), ("",) * len(new)
    places = {code: place for place, code in enumerate(codes)}

    def filled(column: NDArray[np.float64], found: Mapping[str, float]) -> NDArray[np.float64]:
        longer = np.append(column, np.full(len(new), np.nan))
        longer[[places[code] for code in lacking]] = [found[code] for code in lacking]
        return longer

    numbers = {key: np.append(old, np.full(len(new), np.nan)) for key, old in prices.numbers.items()}
    numbers[name] = filled(values, {code: round(common.weight[code] * scale, 10) for code in lacking})
    if policy.file.reference.prices:
        numbers["mean_cost"] = filled(prices.column("mean_cost"), common.mean_cost)
    texts = {key: (*getattr(prices, key), *blank) for key in ("names", "classes", "tags", "kinds", "operation_classes")
             if getattr(prices, key)}  # fmt: skip
    return replace(policy, prices=PriceTable(codes=codes, numbers=numbers, **texts)), OWN
