"""Parts of a budget's terms beside index and sharing: outpatient care, pools of payers, years ahead, advances.

The models belong to :mod:`drgsim.budgets.terms_model`, the one home of the file format.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from drgsim.language import text
from drgsim.parameters.evidence import Evident, Strict, Value
from drgsim.payment.level_keys import ByLevel, Level

Growth = Annotated[float, Field(gt=-1)]
Month = Annotated[int, Field(ge=1, le=36)]  # counted from a January on
POOL_SECTIONS = ("index.", "outpatient.", "fund.", "sharing.", "cash.", "outlook.")  # what a pool may have for itself


class OutpatientTerms(Strict):
    """Outpatient care (门诊) in the index, as payments.csv states it (unit ``outpatient``).

    ``use``: it counts in the base and against the index, else it is left outside of the budget. ``pays``: the fund owes what it
    paid (``by_item``), visits x the hospital's own amount per visit of the base years (``by_visit``), or heads x its own amount
    per head (``by_head``); the amount grows by ``growth`` a year from each base year on.
    """

    use: Value[bool]
    pays: Value[Literal["by_item", "by_visit", "by_head"]]
    growth: Value[Growth]


class PoolChanges(Evident):
    """What a pool has for itself: payer -> path of the terms (index, outpatient, fund, sharing, cash, outlook) -> value."""

    values: dict[Literal["employee", "resident"], dict[str, Any]]

    @model_validator(mode="after")
    def _own_sections(self) -> PoolChanges:
        paths = [path for changes in self.values.values() for path in changes]
        if odd := [path for path in paths if not path.startswith(POOL_SECTIONS)]:
            own = ", ".join(name.removesuffix(".") for name in POOL_SECTIONS)
            raise ValueError(
                text("a pool has no {odd} of its own; it may have what stands below {own}", odd=", ".join(odd), own=own)
            )
        return self


class PoolTerms(Strict):
    """Pools of the fund: employees and residents ``joined`` in one index, or ``apart``, each with index, sharing and fund."""

    use: Value[Literal["joined", "apart"]]
    changes: PoolChanges


class OutlookTerms(Strict):
    """Years beyond the data, each from the year before; shares of growth a year.

    ``volume``: discharges and patients, by level of the hospital; ``case_mix``: weight of a discharge; ``bills``: bill of a
    unit of weight; ``units``: what the units of payment give for one; ``visits`` and ``visit_cost``: outpatient visits and
    patients, and what a visit costs; ``insured``: people insured and registered.
    """

    volume: ByLevel
    case_mix: Value[Growth]
    bills: Value[Growth]
    units: Value[Growth]
    visits: Value[Growth]
    visit_cost: Value[Growth]
    insured: Value[Growth]

    @model_validator(mode="after")
    def _something_left(self) -> OutlookTerms:
        if any(rate <= -1 for rate in self.volume.values.values()):
            raise ValueError(text("volume has a rate of -1 or less: nothing would be left"))
        return self


class AdvanceRule(Evident):
    """An advance (预付) beside that of January, by rule: ``months`` of the index to some hospitals; 0 for none.

    It goes to the ``largest`` hospitals by index (none: to all) of ``levels`` (none: of every level), in ``month`` of ``year``
    (none: of every year), and is ``recovered`` in equal parts from a first to a last month, counted from January of that
    year; none: at the year's clearing.
    """

    months: float = Field(ge=0, le=12)
    year: int | None = None
    month: int = Field(default=1, ge=1, le=12)
    largest: int | None = Field(default=None, ge=1)
    levels: tuple[Level, ...] = ()
    recovered: tuple[Month, Month] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> AdvanceRule:
        if self.recovered is not None and not self.month <= self.recovered[0] <= self.recovered[1]:
            first, last = self.recovered
            raise ValueError(
                text(
                    "recovered from month {first} to {last}, paid in month {month}: not in order",
                    first=first,
                    last=last,
                    month=self.month,
                )
            )
        return self
