"""Settled cases as if they were of other groups: what their payment standards would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drgsim.payment.case_columns import Texts
from drgsim.payment.settlement import Settlement, opened


def standards_in_groups(settlement: Settlement, places: NDArray[np.int64], group_of: Sequence[str]) -> NDArray[np.int64]:
    """Payment standards that some cases would have in other groups, all else being as it was settled.

    Parameters
    ----------
    settlement
        A settlement of these and other cases.
    places
        Places of the cases.
    group_of
        The other group for each group of the settled cases, in their order (``ledger.cases.unit.values``).

    Returns
    -------
    NDArray
        Fen per place; ``money.MISSING`` where the policy has no standard for the group.
    """
    paid = settlement.ledger
    codes = list(dict.fromkeys(group_of))
    number = {code: place for place, code in enumerate(codes)}
    ids = np.array([number[code] for code in group_of] + [-1], np.int32)[paid.cases.unit.ids[places]]
    cases = paid.cases.take(places)
    no_number = np.full(places.size, np.nan)
    own = dict.fromkeys(("relative_value", "relative_weight", "score", "group_mean_cost"), no_number)  # of the old group
    cases = replace(cases, unit=Texts(ids, codes), numbers={**cases.numbers, **own})
    weight = None if paid.weight is None else paid.weight[places]
    ledger = opened(paid.policy, cases, weight, None, paid.unstable)  # type: ignore[arg-type]
    for payer, value in settlement.unit_values.items():
        ledger.set_unit_value(payer, value)
    ledger.price()
    return ledger.standard
