"""Money paid ahead and the liquidity of hospitals by month, by hand; a scenario carries both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgsim.budgets.budget_tables import budget_tables
from drgsim.budgets.budget_year import BudgetYear, budget_year, budget_years
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms import BudgetError, BudgetTerms, load_terms
from drgsim.errors import InputError
from drgsim.region.region_folder import read_region
from drgsim.region.region_tables import Advance
from drgsim.simulation.headlines import headlines
from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.scenario import load_scenario
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.study import plan_of, run_study
from tests.budget_figures import figures
from tests.simulating import YEAR, baseline_of, by_path, region, runner
from tests.test_budget_properties import regions, terms

PLAIN = load_terms("general").changed({
    "index.base": "bills", "index.growth": 0, "index.price_wage.*": 0, "fund.reserve": 0, "fund.adjustment_fund": 0,
    "fund.closing": "exact", "index.moved.3": 0, "sharing.use": "by-item", "cash.deposit": 0, "cash.opening_days": 36.5,
    "cash.prepayment_months": {"*": 0},
})  # fmt: skip
# 12,000 a month are billed, 4,000 of it paid by others, the fund owes 8,000
ENTRY = {"level": "2", "spending": [96_000] * 3, "due": [96_000] * 3, "bills": [144_000] * 3, "others": [48_000] * 3}


def of(**changes: Any) -> tuple[HospitalFigures, BudgetTerms]:
    found = replace(figures([2023, 2024, 2025], {"A": ENTRY, "B": ENTRY}, 192_000), fund=np.full(3, 19_200_000))
    return found, PLAIN.changed({name.replace("__", "."): value for name, value in changes.items()})


def yuan(values: Any) -> list[float]:
    return (np.asarray(values) / 100).tolist()


def flows(year: BudgetYear) -> dict[str, int]:
    return {
        name: int(values[0].sum())
        for side in (year.cash.due, year.cash.paid)
        for name, values in side.items()
        if values[0].any()
    }


def test_a_hospital_that_is_paid_what_it_bills_keeps_its_opening_days() -> None:
    first, second = budget_years(*of())
    for year in (first, second):
        assert yuan(year.liquidity.fund[0]) == [8_000] * 12, "late payments of a year before are the mean of the first"
        assert yuan(year.liquidity.balance[0]) == [14_400] * 12
        assert year.liquidity.balance.tolist() == year.liquidity.balance_without.tolist()
    assert first.liquidity.days(first.liquidity.balance)[0].tolist() == pytest.approx([36.5] * 12)


def test_the_prepayment_of_january_is_recovered_at_clearing_in_june() -> None:
    first, second = budget_years(*of(cash__prepayment_months={"*": 1}))
    assert yuan(first.liquidity.ahead[0]) == [8_000, *[0] * 11]
    assert yuan(second.liquidity.ahead[0]) == [8_000, 0, 0, 0, 0, -8_000, *[0] * 6]
    assert yuan(second.liquidity.balance[0]) == [30_400] * 5 + [22_400] * 7
    assert yuan(second.liquidity.balance_without[0]) == [14_400] * 12


def test_payments_come_late_and_deposits_at_clearing() -> None:
    entry = {**ENTRY, "due": [96_000, 96_000, 192_000], "spending": [96_000, 96_000, 96_000]}
    found = replace(figures([2023, 2024, 2025], {"A": entry}, 96_000), fund=np.full(3, 9_600_000))
    first, second = budget_years(found, PLAIN.changed({"cash.deposit": 0.1, "cash.payment_lag": 2, "cash.monthly_cap": 9}))
    assert yuan(first.liquidity.fund[0]) == [7_200] * 12
    # November and December of the year before, then 90 % of 16,000; June brings the deposit of the year before
    assert yuan(second.liquidity.fund[0]) == [7_200] * 2 + [14_400] * 3 + [24_000] + [14_400] * 6
    table = budget_tables([first, second])
    assert table["liquidity"].num_rows == 24
    assert table["hospitals"]["least_month"].to_pylist()[0] == 12


def test_an_advance_by_rule_goes_to_the_largest_and_comes_back_by_months() -> None:
    small = {**ENTRY, "spending": [9_600] * 3, "due": [9_600] * 3}
    found = replace(figures([2023, 2024, 2025], {"A": ENTRY, "B": small}, 105_600), fund=np.full(3, 10_560_000))
    rule = {"cash.advance.months": 3, "cash.advance.month": 2, "cash.advance.largest": 1, "cash.advance.year": 2024,
            "cash.advance.recovered": [11, 14],}  # fmt: skip
    first, second = budget_years(found, PLAIN.changed(rule))
    assert yuan(first.liquidity.ahead[0]) == [0, 24_000, *[0] * 8, -6_000, -6_000]
    assert yuan(second.liquidity.ahead[0]) == [-6_000, -6_000, *[0] * 10]
    assert not first.liquidity.ahead[1].any()
    assert {name: flows(first)[name] for name in ("advance", "advance_recovered", "advance_open")} == {
        "advance": 2_400_000, "advance_recovered": -1_200_000, "advance_open": 1_200_000,
    }  # fmt: skip
    assert flows(second)["advance_brought"] == -1_200_000
    assert yuan(first.received) == yuan(second.received) == [96_000, 9_600], "it is no revenue"
    assert first.cash.lines(0)[-1][-1] == second.cash.lines(0)[-1][-1] == 0
    levels = PLAIN.changed({"cash.advance.months": 1, "cash.advance.levels": ["3"]})
    assert not budget_year(found, levels, 2024).loans


def test_advances_by_hospital_and_date() -> None:
    found, chosen = of()
    advances = (
        Advance("A", 500_000, date(2024, 2, 3), date(2024, 7, 31), "epidemic"),
        Advance("A", 300_000, date(2024, 3, 1), None, "4+7"), Advance("B", 100_000, date(2023, 5, 1), date(2025, 2, 1), ""),
        Advance("B", 7, date(2019, 5, 1), date(2020, 2, 1), "long ago"), Advance("Z", 9, date(2024, 5, 1), None, "no figures"),
    )  # fmt: skip
    first, second = budget_years(replace(found, advances=advances), chosen)
    assert yuan(first.liquidity.ahead[0]) == [0, 5_000, 3_000, 0, 0, 0, -5_000, *[0] * 5]
    assert yuan(second.liquidity.ahead[0]) == [0, 0, 0, 0, 0, -3_000, *[0] * 6], "the rest at the clearing of its year"
    assert yuan(first.liquidity.ahead[1]) == [0] * 12
    assert yuan(second.liquidity.ahead[1]) == [0, -1_000, *[0] * 10], "of a year before the run"
    assert flows(first)["advance_cleared"] == -300_000
    for year in (first, second):
        assert not year.cash.difference.any()
        assert yuan(year.received) == [96_000] * 2


@given(regions(), terms(), st.integers(0, 2**32 - 1))
def test_money_paid_ahead_moves_no_revenue_and_ends_in_nothing(region: HospitalFigures, chosen: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    advances = tuple(
        Advance(f"H{rng.integers(region.size)}", int(rng.integers(1, 10**9)), date(2023, int(rng.integers(1, 13)), 9), back, "")
        for back in (None, date(2023, 12, 31), date(2024, 1, 1), date(2024, 12, 1))
    )
    rule = {
        "cash.advance.months": 2,
        "cash.advance.year": 2023,
        "cash.advance.recovered": [12, 20],
    }
    plain = budget_years(region, chosen)
    ahead = budget_years(replace(region, advances=advances), chosen.changed(rule))
    for one, other in zip(plain, ahead, strict=True):
        assert one.received.tolist() == other.received.tolist()
        assert one.fund == other.fund
        assert one.liquidity.balance_without.tolist() == other.liquidity.balance_without.tolist()
        assert not other.cash.difference.any()
        assert all(other.cash.lines(place)[-1][-1] == 0 for place in range(region.size))
    last = ahead[-1].liquidity
    open_yet = last.balance[:, -1] - last.balance_without[:, -1]
    assert open_yet.tolist() == (plain[-1].liquidity.balance - plain[-1].liquidity.balance_without)[:, -1].tolist()


def test_terms_and_files_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    for change in ({"cash.advance.recovered": [3]}, {"cash.advance": {"month": 5, "recovered": [3, 4]}}):
        with pytest.raises(BudgetError, match="recover"):
            PLAIN.changed(change)
    (tmp_path / "discharges-2024.parquet").touch()
    (tmp_path / "hospitals.csv").write_text("id,level\nA,3\n", encoding="utf-8")
    rows = ("A,2020-02-30,5,", "A,2020-02-03,5,2020-01-01", "A,2020-02-03,-5,", "Z,2020-02-03,5,", "A,2020-02-03,5.5,")
    (tmp_path / "advances.csv").write_text("hospital_id,date,amount_yuan,recovered\n" + "\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_region(tmp_path)
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["region-bad-date", "region-bad-date", "region-bad-number", "region-unknown-hospital"]


# -- scenarios ---------------------------------------------------------------------------------------------------------
@cache
def stated_region() -> Region:
    """The sample, whose first hospital has outpatient care and day care beside its discharges."""
    name = next(iter(region().hospitals))
    payments = {
        (name, year, month, unit, payer): amount
        for year in region().years
        for month in range(1, 13)
        for unit, payer, amount in (("outpatient", "employee", 3_000_000), ("per_diem", "", 1_000_001))
    }
    return replace(region(), payments=payments)


def run(of: Region, changes: dict[str, Any]) -> Outcome:
    return Runner(of).run(by_path(baseline_of("beijing/2024", "{rate.source: fund, budget.active: true}"), changes), YEAR)


@pytest.mark.parametrize("pools", ["joined", "apart"])
def test_a_simulated_budget_year_keeps_what_is_stated_beside_the_discharges(pools: str) -> None:
    stated, plain = run(stated_region(), {"budget.pools.use": pools}), run(region(), {"budget.pools.use": pools})
    assert stated.budget is not None
    assert plain.budget is not None
    units = stated.budget.units.sum(axis=0)
    assert units[UNITS.index("outpatient")] == 36_000_000
    assert units[UNITS.index("per_diem")] - plain.budget.units.sum(axis=0)[UNITS.index("per_diem")] == 12_000_012
    assert stated.stated == 48_000_012
    settled = stated.by_payer.money["fund"].sum() + stated.adjusted.sum() + stated.stated
    assert settled == stated.budget.received.sum()
    figures = [headlines(each, each_region) for each, each_region in ((stated, stated_region()), (plain, region()))]
    assert figures[0]["hospital.cost"] == figures[1]["hospital.cost"], "no case knows of it"
    assert figures[0]["fund.payment"] == pytest.approx(settled / 100)


def test_a_scenario_shows_what_an_advance_does_to_liquidity() -> None:
    rule = {"budget.cash.advance.months": 1, "budget.cash.advance.month": 2, "budget.cash.advance.largest": 56}
    still, ahead = (headlines(run(region(), changes), region()) for changes in ({}, rule))
    moved = {name for name in still if still[name] == still[name] and still[name] != ahead[name]}
    assert moved <= {"liquidity.least_days", "liquidity.short", "liquidity.paid_ahead"}
    assert "liquidity.paid_ahead" in moved
    assert ahead["liquidity.least_days"] >= still["liquidity.least_days"]


def test_a_study_shows_the_cash_of_every_hospital_and_month() -> None:
    plans = [plan_of([load_scenario(name)], None, region()) for name in ("advance-2020", "rate-plus-3")]
    study = run_study(plans, region(), runner=runner())
    table = study.tables["liquidity"]
    assert set(table["scenario_name"].to_pylist()) == {"advance-2020"}, "the other has no budget"
    assert table.num_rows == 12 * len(region().hospitals)
    rows = table.filter(pc.equal(table["month"], 2)).to_pylist()
    assert all(row["balance_change"] == row["scenario_paid_ahead"] - row["baseline_paid_ahead"] > 0 for row in rows)
    assert not any(table.filter(pc.equal(table["month"], 12))["balance_change"].to_pylist()), "all of it is recovered by then"
    assert study.notes == ()
