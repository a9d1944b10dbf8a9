"""What must hold for every budget year: sums to the fen, ledgers at zero, sharing that rises without jumps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgsim.budgets.budget_year import BudgetYear, budget_years
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.sharing import _Exact, marginal_share, settled
from drgsim.budgets.terms import load_terms
from drgsim.budgets.terms_model import Schedule
from drgsim.money import allocate, exact, round_half_away
from tests.budget_figures import figures

GENERAL = load_terms("general")
OUT = UNITS.index("outpatient")
FEN = st.integers(0, 5_000_000_00)
SHARES = st.floats(0, 1, allow_nan=False).map(lambda share: round(share, 3))


@st.composite
def regions(draw: Any) -> HospitalFigures:
    """A few hospitals over three years with anything that figures may hold, empty hospitals and new ones included."""
    size = draw(st.integers(1, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    levels = [draw(st.sampled_from("123")) for _ in range(size)]
    blank = {f"H{place}": {"level": level, "spending": [0] * 3, "due": [0] * 3} for place, level in enumerate(levels)}
    made = figures([2022, 2023, 2024], blank, draw(st.integers(1, 10**7)))
    largest = draw(st.sampled_from([3, 1_000, 10_000_000]))
    open_in = rng.random((size, 3)) < 0.8  # a closed hospital has neither cases nor money
    open_in[0] = True
    spending = rng.integers(0, largest, made.spending.shape) * open_in[:, :, None]
    payment = rng.integers(0, largest, made.payment.shape) * open_in[:, :, None, None]
    yearly = spending.sum(axis=2)
    stated = np.zeros_like(payment)
    stated[..., OUT] = payment[..., OUT]
    heads = rng.integers(0, 500, (size, 3)) * open_in
    indicators = np.where(rng.random(made.indicators.shape) < 0.3, np.nan, rng.random(made.indicators.shape))
    return replace(
        made, stated=stated, heads=heads, visits=heads * 3, outpatient_cost=2 * stated.sum(axis=(2, 3)), bills=spending * 2,
        others=spending, spending=spending, payment=payment, capitated=payment // 3,
        cases=rng.integers(1, 500, (size, 3)) * open_in,
        people=rng.integers(1, 400, (size, 3)) * open_in, weight=rng.random((size, 3)) * 500 * open_in,
        weighted=rng.integers(1, 500, (size, 3)) * open_in, low_weight=yearly // 2, indicators=indicators,
        cost=yearly * 2, patient=yearly, savings=yearly // 10, procurement=rng.integers(0, largest, made.procurement.shape),
        deductions=rng.integers(0, largest, (size, 3)), moved=rng.integers(-largest, largest, (size, 3)),
        registered=rng.integers(0, 1_000, made.registered.shape),
        fund=np.array([-1, made.fund[-1] // 2, made.fund[-1]]),
    )  # fmt: skip


@st.composite
def terms(draw: Any) -> Any:
    return GENERAL.changed({
        "sharing.use": draw(st.sampled_from(list(GENERAL.file.sharing.schedules))),
        "sharing.carry_over": draw(st.booleans()),
        "fund.closing": draw(st.sampled_from(["exact", "at_most"])),
        "fund.cover": draw(st.sampled_from(["limited", "full"])),
        "fund.reserve": draw(st.sampled_from([0, 0.013, 0.3])),
        "index.timing": draw(st.sampled_from(["prior", "actual"])),
        "index.base": draw(st.sampled_from(["settled", "bills"])),
        "index.overspend.borne": draw(st.sampled_from([0, 0.4, 1])),
        "index.overspend.unborne": draw(st.sampled_from([0, 0.4, 1])),
        "capitation.use": draw(st.booleans()),
        "index.lag": draw(st.sampled_from(["once", "compounded"])),
        "outpatient.use": draw(st.booleans()),
        "outpatient.pays": draw(st.sampled_from(["by_item", "by_visit", "by_head"])),
        "sharing.carry_overspend": draw(st.sampled_from([0, 0.4, 1])),
        "cash.deposit": draw(st.sampled_from([0, 0.05, 0.333])),
        "cash.monthly_cap": draw(st.sampled_from([0.5, 1.0, 9.0])),
        "quality.compare": draw(st.sampled_from(["region", "level"])),
        "warning.season": draw(st.sampled_from(["history", "even"])),
    })  # fmt: skip


@given(regions(), terms())
def test_every_sum_closes_to_the_fen(region: HospitalFigures, chosen: Any) -> None:
    years = budget_years(region, chosen)
    assert [year.year for year in years] == [2023, 2024]
    for year in years:
        fund, index = year.fund, year.index
        assert fund.reserve + fund.adjustment_fund + fund.index + fund.unallocated == fund.budget
        assert fund.unallocated >= 0
        if chosen.file.fund.closing.value == "exact" and index.index.any():
            assert fund.unallocated == 0
        assert index.waterfall.sum(axis=1).tolist() == index.index.tolist()
        assert (index.index >= 0).all()
        assert fund.paid + fund.balance == fund.budget
        parts = fund.reserve + fund.adjustment_fund + fund.unallocated + fund.returned - fund.borne
        assert parts - fund.procurement + fund.deductions + fund.forfeited == fund.balance
        assert fund.from_adjustment_fund + fund.from_reserve + fund.deficit == max(
            fund.borne + fund.procurement - fund.returned - fund.unallocated - fund.deductions - fund.forfeited, 0
        )
        _cash_closes(year)
    carried = years[0].carried_out
    assert years[1].cash.due["carried_in"].tolist() == carried.tolist()
    paid = sum(int(year.cash.received.sum()) for year in years) + int(years[-1].carried_out.sum())
    assert paid == sum(year.fund.paid for year in years)


def _cash_closes(year: BudgetYear) -> None:
    assert not year.cash.difference.any()
    for place in range(year.figures.size):
        assert year.cash.lines(place)[-1][-1] == 0
    assert int(year.received.sum()) == year.fund.paid
    assert year.cash.due["units"].sum() == year.units.sum()


@given(regions(), terms())
def test_overspend_is_borne_only_as_far_as_the_fund_reaches(region: HospitalFigures, chosen: Any) -> None:
    for year in budget_years(region, chosen.changed({"fund.cover": "limited"})):
        if year.fund.borne:
            assert year.fund.deficit == 0
    for year in budget_years(region, chosen.changed({"fund.cover": "full"})):
        assert year.fund.not_covered == 0


@given(regions(), terms(), st.integers(0, 2**32 - 1))
def test_the_order_of_hospitals_matters_for_ties_of_a_fen_only(region: HospitalFigures, chosen: Any, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(region.size)
    arrays = {
        name: value[order]
        for name, value in vars(region).items()
        if isinstance(value, np.ndarray) and name not in ("fund", "insured")
    }
    texts = {name: tuple(getattr(region, name)[place] for place in order) for name in ("hospitals", "names", "levels")}
    shuffled = replace(region, **arrays, **texts)
    for one, other in zip(budget_years(region, chosen), budget_years(shuffled, chosen), strict=True):
        assert np.abs(one.index.index[order] - other.index.index).max() <= 1
        assert one.fund.budget == other.fund.budget


# -- sharing -----------------------------------------------------------------------------------------------------------
@st.composite
def schedules(draw: Any) -> Schedule:
    """Bands that tile from 0 to 1 and from 1 on; no band takes back more than its surplus."""
    below = sorted(draw(st.sets(st.integers(1, 999), max_size=4)))
    above = sorted(draw(st.sets(st.integers(1001, 1500), max_size=4)))
    low, high = [0, *below, 1000], [1000, *above, None]
    surplus = [_band(start, stop, draw(SHARES)) for start, stop in pairwise(low)]
    overspend = [_band(start, stop, draw(SHARES)) for start, stop in pairwise(high)]
    return Schedule.model_validate({
        "title": "t", "title_zh": "t", "unit": "", "source": "s", "evidence": "assumption", "surplus": surplus,
        "overspend": overspend,
    })  # fmt: skip


def _band(start: int | None, stop: int | None, share: float) -> dict[str, Any]:
    return {"lower": (start or 0) / 1000, "upper": None if stop is None else stop / 1000, "fund_share": share}


@given(schedules(), FEN, FEN, st.integers(1, 5_000_000_00), st.floats(0.5, 1.5))
def test_sharing_rises_and_has_no_jumps(schedule: Schedule, one: int, other: int, index: int, factor: float) -> None:
    due = np.array(sorted([one, other]), np.int64)
    paid = settled(due, np.full(2, index), schedule, np.full(2, factor))
    assert paid[0] <= paid[1]
    assert paid[1] - paid[0] <= due[1] - due[0] + 1, "a yuan more due never gives more than a yuan"
    low, high = np.minimum(due, index), np.maximum(due, index)
    assert ((paid >= low - 1) & (paid <= high + 1)).all(), "what is settled lies between what is due and the index"


def _in_fractions(amount: int, index: int, schedule: Schedule, factor: float) -> int:
    """The formula of the page on budgets, word by word."""
    result = Fraction(index)
    for band in schedule.surplus:
        lower, upper = exact(band.lower) * index, exact(1 if band.upper is None else band.upper) * index
        share = band.share if band.share >= 1 else 1 - min((1 - band.share) * exact(factor), Fraction(1))
        result -= share * max(upper - max(Fraction(amount), lower), Fraction(0))
    for band in schedule.overspend:
        lower = exact(band.lower) * index
        upper = Fraction(amount) if band.upper is None else min(Fraction(amount), exact(band.upper) * index)
        result += band.share * max(upper - lower, Fraction(0))
    return round_half_away(max(result, Fraction(0)))


@given(schedules(), st.lists(st.tuples(FEN, FEN, st.floats(0.5, 1.5)), min_size=1, max_size=20))
def test_the_arrays_say_what_fractions_say(schedule: Schedule, cases: list[tuple[int, int, float]]) -> None:
    due, index = (np.array([case[place] for case in cases], np.int64) for place in (0, 1))
    factors = np.array([case[2] for case in cases])
    expected = [
        _in_fractions(one, whole, schedule, float(factor)) if whole else 0
        for one, whole, factor in zip(due.tolist(), index.tolist(), factors, strict=True)
    ]
    assert settled(due, index, schedule, factors).tolist() == expected
    bands = _Exact(schedule)
    of_each = [
        bands.settled(one, whole, factor) if whole else 0
        for one, whole, factor in zip(due.tolist(), index.tolist(), factors.tolist(), strict=True)
    ]
    assert of_each == expected, "the integers that decide ties"


@given(schedules(), st.integers(1, 2_000))
def test_the_incentive_is_the_slope_of_the_schedule(schedule: Schedule, thousandths: int) -> None:
    edges = {round(1000 * band.lower) for band in (*schedule.surplus, *schedule.overspend)}
    if thousandths in edges or thousandths + 1 in edges:
        return
    whole = 10**9
    due = np.array([thousandths, thousandths + 1], np.int64) * (whole // 1000)
    paid = settled(due, np.full(2, whole), schedule)
    slope = float(marginal_share((thousandths + 0.5) / 1000, schedule))
    assert (paid[1] - paid[0]) / (whole // 1000) == pytest.approx(slope, abs=1e-5)


@given(st.integers(-(10**13), 10**13), st.lists(st.floats(0, 1e12), min_size=1, max_size=12).filter(any))
def test_the_largest_remainders_get_what_rounding_leaves(amount: int, shares: list[float]) -> None:
    parts = allocate(amount, shares)
    exactly = [exact(share) for share in shares]
    ideal = [abs(amount) * share / sum(exactly) for share in exactly]
    floors = [int(part) for part in ideal]
    order = sorted(range(len(shares)), key=lambda place: (floors[place] - ideal[place], place))
    for place in order[: abs(amount) - sum(floors)]:
        floors[place] += 1
    assert parts.sum() == amount
    assert abs(parts).tolist() == floors


def test_a_fraction_is_kept_exactly() -> None:
    schedule = GENERAL.file.sharing.schedules["example-ratio"]
    assert schedule.surplus[0].share == Fraction(10, 9)
    assert settled(np.array([9]), np.array([10**9]), schedule).tolist() == [10]


def test_capitation_takes_the_place_of_the_stays_that_it_covers() -> None:
    region = figures([2023, 2024], {"A": {"level": "1", "spending": [1200, 0], "due": [0, 2400]}}, 10_000)
    region.registered[0, 1] = [10, 20]
    region.capitated[0, 1, :, UNITS.index("drg")] = 5_000
    year = budget_years(region, GENERAL.changed({"capitation.use": True, "capitation.risk": 1.1}))[0]
    # 10 x 150 + 20 x 60 yuan x 1.1 = 2970 yuan for the year; 12 x 50 yuan of stays leave the groups
    assert year.units[0].tolist() == [180_000, 0, 0, 0, 297_000, 0, 0]


@given(regions(), terms(), st.integers(0, 2), st.floats(1.01, 3))
def test_bills_alone_move_no_money_where_what_was_settled_is_the_base(
    region: HospitalFigures, chosen: Any, year: int, rise: float
) -> None:
    chosen = chosen.changed({"index.base": "settled", "warning.season": "even"})
    raised = replace(region, spending=region.spending.copy())
    raised.spending[0, year] = (raised.spending[0, year] * rise).astype(np.int64)
    for one, other in zip(budget_years(region, chosen), budget_years(raised, chosen), strict=True):
        assert one.index.index.tolist() == other.index.index.tolist()
        assert one.received.tolist() == other.received.tolist()


@given(regions(), terms(), st.integers(1, 10**9))
def test_an_overspend_raises_two_years_cash_by_no_more_than_the_fund_bears_of_it(
    region: HospitalFigures, chosen: Any, more: int
) -> None:
    """Of a hospital at its index or above; the base does not see its overspend, whatever the units of payment give for it."""
    chosen = chosen.changed({"index.base": "settled", "index.overspend.borne": 0, "index.overspend.unborne": 0})
    chosen = chosen.changed({"fund.cover": "full", "capitation.use": False, "sharing.carry_over": False})
    first, second = budget_years(region, chosen)
    if not (first.index.index[0] > 0 and first.recorded[0] >= first.index.index[0]):
        return
    raised = replace(region, payment=region.payment.copy())
    raised.payment[0, 1, 11, 0] += more
    dearer, after = budget_years(raised, chosen)
    shares = [band.share for band in chosen.schedule.overspend]
    assert 0 <= dearer.settled[0] - first.settled[0] <= max(shares) * more + 1
    assert after.index.index.tolist() == second.index.index.tolist()
    gain = dearer.received[0] + after.received[0] - first.received[0] - second.received[0]
    carried = chosen.file.sharing.carry_overspend.value > 0  # a later surplus may pay for it, though never more than it was
    assert gain <= (more + 2 if carried else dearer.settled[0] - first.settled[0] + 1)


@given(regions(), terms(), st.integers(1, 10**9))
def test_bills_by_item_earn_the_share_of_their_band_and_what_the_next_index_keeps_of_it(
    region: HospitalFigures, chosen: Any, more: int
) -> None:
    """Of any hospital, in surplus too: what is paid by item is owed as it is billed, so that below the index it is use.

    In its own year it brings the fund's share of the bands that it lies in. The base of the next year rises by no more than
    that, and what a higher index brings at the same use is at most what it rises by, times the largest payment over index.
    """
    chosen = chosen.changed({
        "index.base": "settled", "index.overspend.borne": 0, "index.overspend.unborne": 0, "fund.cover": "full",
        "capitation.use": False, "sharing.carry_over": False, "sharing.carry_overspend": 0,
    })  # fmt: skip
    first, second = budget_years(region, chosen)
    if not first.index.index[0] > 0:
        return
    raised = replace(region, payment=region.payment.copy(), spending=region.spending.copy())
    raised.payment[0, 1, 11, UNITS.index("by_item")] += more
    raised.spending[0, 1, 11] += more
    dearer, after = budget_years(raised, chosen)
    bands = (*chosen.schedule.surplus, *chosen.schedule.overspend)
    shared = dearer.settled[0] - first.settled[0]
    assert 0 <= shared <= max(1, *(band.share for band in bands)) * more + 1
    assert 0 <= dearer.in_base[0] - first.in_base[0] <= shared + 1
    higher = after.index.index[0] - second.index.index[0]
    gain = dearer.received[0] + after.received[0] - first.received[0] - second.received[0]
    most = 1 + sum(band.share * (band.upper - band.lower) for band in chosen.schedule.overspend if band.upper)
    assert gain <= shared + max(higher, 0) * most + 2


def test_bills_by_item_of_a_hospital_in_surplus_worked_by_hand() -> None:
    """Half of the fund, both years: index 100,000. 85,000 are used; of 4,000 more by item the fund bears half.

    Settled: 85,000 + 50 % of 5,000 + 80 % of 10,000 = 95,500; with 89,000: 97,500, 2,000 more. The base of the next year
    rises by these 2,000 to 97,500 of 193,000: index 101,036.27 in place of 100,000, of which 85,000 leave 549.22 more.
    """
    region = figures([2022, 2023, 2024], {
        "A": {"level": "3", "spending": [100_000, 100_000, 0], "due": [100_000, 85_000, 85_000]},
        "B": {"level": "3", "spending": [100_000, 100_000, 0], "due": [100_000, 85_000, 85_000]},
    }, 200_000)  # fmt: skip
    region = replace(region, fund=np.array([-1, 20_000_000, 20_000_000], np.int64))
    plain = {"fund.reserve": 0, "fund.adjustment_fund": 0, "fund.cover": "full", "index.year_weights": [1, 0, 0]}
    plain |= {"sharing.quality.low": 1, "sharing.quality.high": 1, "sharing.quality.per_point": 0}
    chosen = GENERAL.changed(plain)
    raised = replace(region, payment=region.payment.copy(), spending=region.spending.copy())
    raised.payment[0, 1, 11, UNITS.index("by_item")] += 400_000
    raised.spending[0, 1, 11] += 400_000
    (first, second), (dearer, after) = budget_years(region, chosen), budget_years(raised, chosen)
    assert (first.settled[0], dearer.settled[0]) == (9_550_000, 9_750_000)
    assert second.index.index.tolist() == [10_000_000, 10_000_000]
    assert after.index.index.tolist() == [10_103_627, 9_896_373]
    assert after.settled[0] - second.settled[0] == 54_922


def test_overspends_count_in_the_base_as_far_as_the_terms_say() -> None:
    region = figures([2022, 2023, 2024], {
        "A": {"level": "3", "spending": [100_000, 200_000, 0], "due": [100_000, 150_000, 100_000]},
        "B": {"level": "3", "spending": [100_000, 80_000, 0], "due": [100_000, 80_000, 100_000]},
    }, 200_000)  # fmt: skip
    region = replace(region, fund=np.array([-1, 20_000_000, 20_000_000], np.int64))
    plain = {"fund.reserve": 0, "fund.adjustment_fund": 0, "fund.cover": "full", "index.year_weights": [1, 0, 0]}
    plain |= {"sharing.quality.low": 1, "sharing.quality.high": 1, "sharing.quality.per_point": 0}

    def history(**changes: Any) -> list[float]:
        chosen = GENERAL.changed({**plain, **{f"index.{name.replace('_', '.', 1)}": to for name, to in changes.items()}})
        return [amount / 100 for amount in budget_years(region, chosen)[1].history.amounts[:, 1]]

    # index 100,000 each. A: 50,000 over, 2,500 + 1,500 of it borne; B: 80,000 + 80 % of 10,000 + 50 % of 10,000
    assert history() == [100_000, 93_000]
    assert history(overspend_borne=1) == [104_000, 93_000]
    assert history(overspend_borne=1, overspend_unborne=0.5) == [127_000, 93_000]
    assert history(base="bills") == [150_000, 80_000]
    assert history(base="bills", overspend_borne=1, overspend_unborne=1) == [200_000, 80_000]
