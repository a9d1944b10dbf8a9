"""When money moves in a budget year, as a ledger per hospital that ends at zero (预付、月结、保证金、清算)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms_model import CashTerms
from drgsim.money import exact, round_floats, round_half_away
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints

CLEARING = 13  # the month of the ledger after December
LINES = {
    "carried_in": "上年结转",
    "advance_brought": "上年未收回预付款",
    "overspend_brought": "上年超支结转",
    "prepayment": "预付金",
    "advance": "专项预付款",
    "units": "按付费单元应付",
    "monthly": "月度结算",
    "surplus_kept": "结余留用",
    "overspend_not_borne": "超支自担",
    "procurement_not_kept": "集采结余上缴",
    "deductions": "违规扣款",
    "deposit_forfeited": "保证金扣减",
    "advance_recovered": "收回专项预付款",
    "prepayment_recovered": "收回预付金",
    "advance_cleared": "清算收回专项预付款",
    "advance_open": "未收回专项预付款",
    "deposit_released": "保证金返还",
    "carried_out": "结转下年",
    "clearing": "年度清算",
}
AT_START = ("carried_in", "advance_brought", "overspend_brought", "prepayment")


@dataclass(frozen=True)
class Cash:
    """Flows of a year in fen; what is due to a hospital and what is paid to it end in the same sum.

    Attributes
    ----------
    due
        Line -> (H,) or (H, 12) fen that become due; amounts taken off are negative.
    paid
        Line -> (H,) or (H, 12) fen of cash; recovered amounts are negative.
    """

    due: dict[str, Ints]
    paid: dict[str, Ints]

    @property
    def received(self) -> Ints:
        """(H,) cash of the year, all in all."""
        return _total(self.paid)

    @property
    def difference(self) -> Ints:
        """(H,) what is due less what is paid: zero for every hospital when the year is cleared."""
        return _total(self.due) - _total(self.paid)

    def lines(self, place: int) -> list[tuple[int, str, int, int, int]]:
        """Month (0 before January, 13 clearing), line, due, paid and balance of one hospital, in the order of time."""
        entries: list[tuple[int, str, int, int]] = []
        for name in LINES:
            due, paid = self.due.get(name), self.paid.get(name)
            shape = due if due is not None else paid
            if shape is None:
                continue
            if shape.ndim == 1:
                month = 0 if name in AT_START else CLEARING
                entries.append((month, name, 0 if due is None else int(due[place]), 0 if paid is None else int(paid[place])))
                continue
            for month in range(MONTHS):
                amounts = [0 if flow is None else int(flow[place, month]) for flow in (due, paid)]
                entries.append((month + 1, name, amounts[0], amounts[1]))
        entries.sort(key=lambda entry: entry[0])
        balance, result = 0, []
        for month, name, due_fen, paid_fen in entries:
            if due_fen or paid_fen or name == "clearing":
                balance += due_fen - paid_fen
                result.append((month, name, due_fen, paid_fen, balance))
        return result


@dataclass(frozen=True)
class Dues:
    """What decides the money of a year; H hospitals, fen.

    Attributes
    ----------
    index, settled
        (H,) the index, and what is settled against it for ``owed`` less the procurement surplus and ``brought``.
    owed
        (H, 12) what the units of payment give, month by month.
    surplus, kept
        (H,) surplus from procurement inside ``owed``, and the part that stays with the hospital.
    deductions, carried_in, brought
        (H,) amounts taken off, and the surplus and the overspend of the year before.
    score_before, score
        (H,) scores of the year before, for good standing, and of the year; NaN where there is none.
    """

    index: Ints
    settled: Ints
    owed: Ints
    surplus: Ints
    kept: Ints
    deductions: Ints
    carried_in: Ints
    brought: Ints
    score_before: Floats
    score: Floats


def cash_flows(figures: HospitalFigures, terms: CashTerms, year: Dues, carry_over: bool) -> tuple[Cash, Ints]:
    """Move the money of a year.

    Returns
    -------
    tuple
        The flows, and what each hospital carries to the next year where ``carry_over`` says so.
    """
    index, owed, settled, surplus, kept = year.index, year.owed, year.settled, year.surplus, year.kept
    months = figures.by_level(terms.prepayment_months)
    standing = ~(year.score_before < terms.good_standing.value)  # a hospital without a score stands well
    prepaid = np.where(standing, rounded_share(index, months, MONTHS), 0)
    limit = rounded_share(index, terms.monthly_cap.value)
    payable = np.diff(np.minimum(np.cumsum(owed, axis=1), limit[:, None]), axis=1, prepend=0)
    held = rounded_share(payable, terms.deposit.value)
    monthly = payable - held
    deposit = held.sum(axis=1)
    released = rounded(deposit * release_share(year.score, terms))
    recorded = owed.sum(axis=1) - surplus + year.brought
    surplus_kept = np.maximum(settled - recorded, 0)
    carried_out = surplus_kept if carry_over else np.zeros(figures.size, np.int64)
    due = {
        "carried_in": year.carried_in,
        "overspend_brought": year.brought,
        "units": owed,
        "surplus_kept": surplus_kept,
        "overspend_not_borne": np.minimum(settled - recorded, 0),
        "procurement_not_kept": kept - surplus,
        "deductions": -year.deductions,
        "deposit_forfeited": released - deposit,
        "carried_out": -carried_out,
    }
    entitled = settled + kept - year.deductions - (deposit - released) + year.carried_in - carried_out
    paid = {
        "prepayment": prepaid,
        "monthly": monthly,
        "prepayment_recovered": -prepaid,
        "deposit_released": released,
        "clearing": entitled - monthly.sum(axis=1) - released,
    }
    return Cash(due, paid), carried_out


def release_share(score: Floats, terms: CashTerms) -> Floats:
    """Part of the deposit that is paid after the assessment; all of it where there is no score."""
    spec = terms.release
    if spec.full_from == spec.none_below:
        share = (score >= spec.full_from).astype(np.float64)
    else:
        share = np.clip((score - spec.none_below) / (spec.full_from - spec.none_below), 0, 1)
    return np.where(np.isnan(score), 1.0, share)


def procurement_kept(surplus: Ints, terms: CashTerms, classes: tuple[str, ...]) -> Ints:
    """(H,) what hospitals keep of a surplus by class (H, C), rounded by class (rule book 4.4).

    Examples
    --------
    >>> from drgsim.budgets.terms import load_terms
    >>> classes = ("selected_within_volume", "selected_beyond_volume", "not_selected")
    >>> procurement_kept(np.array([[120_000_000, 60_000_000, 20_000_000]]), load_terms("general").file.cash, classes).tolist()
    [172000000]
    """
    total = np.zeros(len(surplus), np.int64)
    for place, name in enumerate(classes):
        share = terms.procurement_kept.values.get(name, terms.procurement_kept.values.get("*", 0.0))
        kept, close = round_floats(surplus[:, place].astype(np.float64) * share)
        for row in np.flatnonzero(close):
            kept[row] = round_half_away(int(surplus[row, place]) * exact(share))
        total += kept
    return total


def rounded(amounts: NDArray[np.floating[Any]]) -> Ints:
    """Fen, half away from zero."""
    return round_floats(amounts.ravel().astype(np.float64))[0].reshape(amounts.shape)


def rounded_share(amounts: Ints, share: float | Floats, over: int = 1) -> Ints:
    """Fen of amounts x share / over, half away from zero; what is too near to a half for a float is decided exactly.

    Examples
    --------
    >>> rounded_share(np.array([31_183_860]), 0.7, 12).tolist()
    [1819059]
    """
    shares = np.broadcast_to(np.asarray(share, np.float64), amounts.shape)
    values, close = round_floats((amounts * shares / over).ravel())
    for place in np.flatnonzero(close).tolist():
        values[place] = round_half_away(int(amounts.flat[place]) * exact(float(shares.flat[place])) / over)
    return values.reshape(amounts.shape)


def _total(lines: dict[str, Ints]) -> Ints:
    total: Ints = sum(amounts if amounts.ndim == 1 else amounts.sum(axis=1) for amounts in lines.values())  # type: ignore
    return total
