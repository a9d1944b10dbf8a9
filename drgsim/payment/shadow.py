"""Shadow settlement (模拟结算): what groups would pay for cases that the policy settles by item meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.money import MISSING, add_at, money_column
from drgsim.payment.case_class import CLASSES
from drgsim.payment.policy import Policy


@dataclass(frozen=True)
class Shadow:
    """What N cases would be paid; fen.

    Attributes
    ----------
    simulated
        Cases that are paid by item and simulated by groups.
    case_class
        Place in ``case_class.CLASSES`` that they would have.
    amount
        What they would be paid before the patient's share; ``money.MISSING`` where no rule gives an amount, and where a case
        is not simulated.
    cost
        Total cost.
    """

    simulated: NDArray[np.bool_]
    case_class: NDArray[np.int8]
    amount: NDArray[np.int64]
    cost: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Cases whose shadow amount is known."""
        return np.asarray(self.simulated & (self.amount != MISSING))

    @property
    def margin(self) -> NDArray[np.int64]:
        """What hospitals would gain against the bill that they are paid; ``money.MISSING`` where unknown."""
        return np.where(self.known, self.amount - self.cost, MISSING)

    def columns(self) -> dict[str, Any]:
        """Columns of the table of cases: class, amount and margin in yuan."""
        ids = pa.array(np.where(self.simulated, self.case_class, -1).astype(np.int32), mask=~self.simulated)
        return {
            "shadow_class": pa.DictionaryArray.from_arrays(ids, pa.array([str(name) for name in CLASSES])),
            "shadow_amount": money_column(np.where(self.known, self.amount, MISSING)),
            "shadow_margin": money_column(self.margin),
        }

    def sums(self, ids: NDArray[np.int64], size: int) -> dict[str, Any]:
        """Columns of a summary: cases simulated, what they would be paid and its margin over their cost."""
        known = self.known
        payment, margin = np.zeros(size, np.int64), np.zeros(size, np.int64)
        add_at(payment, ids[known], self.amount[known])
        add_at(margin, ids[known], self.margin[known])
        return {
            "shadow_cases": np.bincount(ids[known], minlength=size),
            "shadow_payment": money_column(payment), "shadow_margin": money_column(margin),
        }  # fmt: skip


def simulates(policy: Policy) -> bool:
    """Whether a policy settles anything by groups without paying it."""
    shadow, per_diem = policy.file.shadow, policy.file.per_diem
    return (shadow is not None and shadow.value) or (per_diem is not None and per_diem.acute_days is not None)
