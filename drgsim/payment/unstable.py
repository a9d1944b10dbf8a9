"""Unstable groups (非稳定组): too few cases, or costs that spread too widely; the policy's class says what they are paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drgsim.costs.statistics import group_statistics
from drgsim.money import MISSING

if TYPE_CHECKING:
    from drgsim.payment.policy_lookup import Resolver

TABLE, CASES, NEVER = DETECT = ("table", "cases", "never")
_WHERE = {TABLE: "in the table of groups", CASES: "among these cases"}


def mark_unstable(
    resolver: Resolver, group_class: NDArray[np.int16], names: list[str], detect: str | None = None
) -> NDArray[np.int16]:
    """The class of each case, with unstable groups put into the class that the policy names for them.

    Only groups of no other class can be unstable. CV is the population one, untrimmed where it is taken from the cases.

    Parameters
    ----------
    detect
        ``table``, ``cases`` or ``never``, instead of what the policy says.
    """
    spec, cases = resolver.file.unstable, resolver.cases
    where = detect or (spec.detect.value if spec is not None else NEVER)
    if spec is None or where == NEVER:
        return group_class
    size = len(cases.unit.values)
    if where == CASES:
        cost = cases.money["total_cost"]
        used = np.where((cost != MISSING) & (cost > 0) & (cases.faults < 0), cost / 100.0, np.nan)
        statistics = group_statistics(used, cases.unit.ids.astype(np.int64), size)
        count, cv = statistics.count.astype(np.float64), statistics.cv
    else:
        prices = resolver.policy.prices
        count = cv = np.full(size, np.nan)
        if prices is None or not {"cases", "cv"} & set(prices.numbers):
            cases.warn(
                "settle-unstable-unknown", cases.size,
                "the policy settles unstable groups in another way, and nothing says which groups are unstable",
                "give --weights with the columns cases and cv (drgsim weights writes them), or --unstable cases",
            )  # fmt: skip
        else:
            places = np.array([prices.places.get(code, -1) for code in cases.unit.values], np.int64)
            count, cv = (np.append(prices.column(name), np.nan)[places] for name in ("cases", "cv"))
    with np.errstate(invalid="ignore"):
        few, wild = (count < spec.minimum_cases.value) & (count > 0), cv > spec.maximum_cv.value
    members = np.append(few | wild, False)[cases.unit.ids] & (group_class == 0)
    groups = np.unique(cases.unit.ids[members])
    cases.warn(
        "settle-unstable-groups", members,
        f"{groups.size} groups are unstable {_WHERE[where]} (fewer than {spec.minimum_cases.value} cases or CV above "
        f"{spec.maximum_cv.value:g}) and are settled as {spec.group_class}",
        sample=cases.unit.sample(members),
    )  # fmt: skip
    return np.where(members, names.index(spec.group_class), group_class).astype(np.int16)
