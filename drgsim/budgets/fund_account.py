"""The fund's account of a year, and how far it bears overspends."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from drgsim.budgets.budget_index import Index
from drgsim.budgets.cash import Dues
from drgsim.money import allocate
from drgsim.region.hospital_year_sums import Ints


@dataclass(frozen=True)
class FundAccount:
    """The fund's year in fen: budget = paid to hospitals (or carried over for them) + balance.

    Attributes
    ----------
    budget, reserve, adjustment_fund, index, unallocated
        budget = reserve + adjustment_fund + index + unallocated.
    returned, borne, not_covered
        Surplus left to the fund, overspend that it bears, and overspend that the schedule gives but the fund could not cover.
    procurement, deductions, forfeited
        Procurement surplus kept by hospitals, deductions, and deposits not released.
    paid
        What the year costs: settled + procurement - deductions - forfeited.
    balance
        budget - paid.
    from_adjustment_fund, from_reserve, deficit
        Where overspends and procurement surplus come from beyond what is left elsewhere.
    """

    budget: int
    reserve: int
    adjustment_fund: int
    index: int
    unallocated: int
    returned: int
    borne: int
    not_covered: int
    procurement: int
    deductions: int
    forfeited: int
    paid: int
    balance: int
    from_adjustment_fund: int
    from_reserve: int
    deficit: int

    def __add__(self, other: FundAccount) -> FundAccount:
        """The accounts of two pools together."""
        names = [each.name for each in fields(self)]
        return FundAccount(**{name: getattr(self, name) + getattr(other, name) for name in names})


def covered(wanted: Ints, index: Index, procurement: int, limited: bool) -> Ints:
    """What is settled when overspends are borne only as far as the fund reaches; the rest is cut in proportion."""
    borne = np.maximum(wanted - index.index, 0)
    returned = int(np.maximum(index.index - wanted, 0).sum())
    left = max(index.reserve + index.adjustment_fund + index.unallocated + returned - procurement, 0)
    if not limited or int(borne.sum()) <= left:
        return wanted
    return np.asarray(wanted - borne + allocate(left, borne))


def account_of(index: Index, wanted: Ints, dues: Dues, forfeited: Ints) -> FundAccount:
    given = dues.settled
    returned = int(np.maximum(index.index - given, 0).sum())
    borne = int(np.maximum(given - index.index, 0).sum())
    procurement, taken, held = int(dues.kept.sum()), int(dues.deductions.sum()), int(forfeited.sum())
    paid = int(given.sum()) + procurement - taken - held
    need = max(borne + procurement - returned - index.unallocated - taken - held, 0)
    from_adjustment = min(need, index.adjustment_fund)
    from_reserve = min(need - from_adjustment, index.reserve)
    return FundAccount(
        budget=index.budget, reserve=index.reserve, adjustment_fund=index.adjustment_fund, index=int(index.index.sum()),
        unallocated=index.unallocated, returned=returned, borne=borne, not_covered=int((wanted - given).sum()),
        procurement=procurement, deductions=taken, forfeited=held, paid=paid, balance=index.budget - paid,
        from_adjustment_fund=from_adjustment, from_reserve=from_reserve, deficit=need - from_adjustment - from_reserve,
    )  # fmt: skip
