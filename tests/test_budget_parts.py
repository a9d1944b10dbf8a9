"""Outpatient care, pools, growth over the lag, negotiated amounts, carried overspends, formulas and years ahead, by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.budgets.budget_index import STEPS
from drgsim.budgets.budget_tables import budget_tables
from drgsim.budgets.budget_year import BudgetYear, budget_year, budget_years
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.indicator_formula import names_in, value_of
from drgsim.budgets.stated_figures import StatedFigures
from drgsim.budgets.terms import BudgetError, BudgetTerms, load_terms
from drgsim.budgets.years_ahead import figures_ahead
from drgsim.errors import InputError, UsageError
from drgsim.region.region_folder import RegionFolder, read_region
from drgsim.region.region_tables import Negotiated
from tests.budget_figures import figures, in_pools
from tests.test_budget_properties import regions, terms

GENERAL = load_terms("general")
PLAIN = {  # nothing but what a case is about
    "index.base": "bills", "index.growth": 0, "index.price_wage.*": 0, "index.technology.3": 0, "fund.reserve": 0,
    "fund.adjustment_fund": 0, "fund.closing": "at_most", "fund.cover": "full", "index.moved.3": 0, "index.limits.high": 9,
    "sharing.use": "example-ratio", "sharing.quality.per_point": 0, "cash.deposit": 0,
}  # fmt: skip
NOWHERE = RegionFolder(Path("made-up"), {})


def plain(**changes: Any) -> BudgetTerms:
    return GENERAL.changed({**PLAIN, **{name.replace("__", "."): value for name, value in changes.items()}})


def steps(year: BudgetYear, place: int = 0) -> dict[str, float]:
    return {name: amount / 100 for name, amount in zip(STEPS, year.index.waterfall[place].tolist(), strict=True) if amount}


# -- growth over the lag -----------------------------------------------------------------------------------------------
def test_growth_is_compounded_from_each_base_year_to_the_budget_year() -> None:
    region = figures([2022, 2023, 2024], {"A": {"level": "2", "spending": [300_000, 400_000, 0], "due": [0, 0, 1]}}, 10**7)
    once = budget_year(region, plain(index__growth=0.05), 2024)
    assert steps(once) == {"base": 362_500, "growth": 18_125}
    lag = {"index__growth": 0.05, "index__lag": "compounded"}
    # (0.3 x 300,000 x 1.05^2 + 0.5 x 400,000 x 1.05) / 0.8 = 386,531.25; wages: each year once more in proportion
    assert steps(budget_year(region, plain(**lag), 2024)) == {"base": 362_500, "growth": 24_031.25}
    wages = budget_year(region, plain(**lag, index__price_wage={"*": 0.1}), 2024)
    assert wages.index.index[0] / 100 == round((90_000 * (1.05 * 1.1) ** 2 + 200_000 * 1.05 * 1.1) / 0.8, 2)


# -- negotiated --------------------------------------------------------------------------------------------------------
def test_what_was_negotiated_is_given_as_agreed_and_the_others_are_scaled() -> None:
    hospital = {"level": "2", "spending": [100_000, 0], "due": [0, 90_000]}
    entries = {
        "A": hospital, "B": {**hospital, "negotiated": [0, 20_000]}, "C": {**hospital, "negotiated_share": [0, -0.1]},
    }  # fmt: skip
    year = budget_year(figures([2023, 2024], entries, 310_000), plain(fund__closing="exact"), 2024)
    # (310,000 - 20,000) / 2.9 = 100,000 a unit: B 100,000 + 20,000, C 100,000 - 10 %
    assert (year.index.index / 100).tolist() == [100_000, 120_000, 90_000]
    assert [steps(year, place).get("negotiated") for place in range(3)] == [None, 20_000, -10_000]
    assert year.index.scaling == 1
    table = budget_tables([year])["negotiated"]
    assert table["hospital_id"].to_pylist() == ["B", "C"]
    assert "negotiated" not in budget_tables([budget_year(figures([2023, 2024], {"A": hospital}, 1), plain(), 2024)])


def test_no_index_falls_below_0_and_no_more_is_given_than_there_is() -> None:
    hospital = {"level": "2", "spending": [100, 0], "due": [0, 90]}
    region = figures([2023, 2024], {"A": {**hospital, "negotiated": [0, -500]}, "B": hospital}, 200)
    assert (budget_year(region, plain(fund__closing="exact"), 2024).index.index / 100).tolist() == [0, 200]
    region = figures([2023, 2024], {"A": {**hospital, "negotiated": [0, 500]}, "B": hospital}, 200)
    with pytest.raises(UsageError, match="budget-negotiated-above-fund"):
        budget_year(region, plain(), 2024)


# -- outpatient care ---------------------------------------------------------------------------------------------------
CLINIC = {"A": {
    "level": "2", "spending": [100_000, 0], "due": [0, 60_000], "people": [100, 110], "outpatient": [100_000, 143_000],
    "visits": [1000, 1100], "heads": [400, 480],
}}  # fmt: skip


def test_outpatient_care_is_in_the_index_by_heads_and_visits() -> None:
    region = figures([2023, 2024], CLINIC, 10**7)
    year = budget_year(region, plain(index__timing="actual", index__people={"elasticity": 1, "low": 0.5, "high": 2}), 2024)
    # inpatient 100,000 x 1.1; outpatient 100,000 x 1.2 x (1.1 ^ 0.3)
    assert steps(year)["base"] == 200_000
    assert steps(year)["people"] == 30_000
    assert steps(year)["volume"] == round(120_000 * 1.1**0.3 - 120_000, 2)
    assert year.index.outpatient[0] == pytest.approx(120_000 * 1.1**0.3 / (110_000 + 120_000 * 1.1**0.3))
    assert year.units[0].tolist() == [6_000_000, 0, 0, 0, 0, 0, 14_300_000]
    assert year.recorded[0] == 20_300_000


@pytest.mark.parametrize(("pays", "owed"), [("by_item", 143_000), ("by_visit", 1100 * 103), ("by_head", 480 * 257.5)])
def test_outpatient_care_is_owed_at_the_hospitals_own_amounts(pays: str, owed: float) -> None:
    year = budget_year(figures([2023, 2024], CLINIC, 10**7), plain(outpatient__pays=pays), 2024)
    assert year.units[0, UNITS.index("outpatient")] == owed * 100
    assert year.cash.due["units"][0].sum() == 6_000_000 + owed * 100


@pytest.mark.parametrize("pays", ["by_visit", "by_head"])
def test_a_budget_year_leaves_the_figures_as_they_are(pays: str) -> None:
    entry = {
        **CLINIC["A"], "spending": [100_000, 100_000, 0], "due": [60_000, 60_000, 60_000], "people": [100, 100, 110],
        "outpatient": [100_000, 143_000, 90_000], "visits": [1000, 1100, 900], "heads": [400, 480, 450],
    }  # fmt: skip
    region = replace(figures([2022, 2023, 2024], {"A": entry}, 10**7), fund=np.array([-1, 10**9, 10**9]))
    kept = region.payment.copy()
    first = [year.index.index.tolist() for year in budget_years(region, plain(outpatient__pays=pays))]
    assert np.array_equal(region.payment, kept), "what is owed by visit is no history of what was paid"
    assert [year.index.index.tolist() for year in budget_years(region, plain(outpatient__pays=pays))] == first


def test_a_clinic_that_opens_takes_no_index_from_amounts_without_visits() -> None:
    hospital = {"level": "2", "spending": [100_000, 0], "due": [0, 90_000], "outpatient": [50_000, 50_000]}
    nothing = {key: [0, 0] for key in ("spending", "due", "cases", "people", "weight", "weighted")}
    opened = {"level": "2", **nothing, "outpatient": [0, 10_000], "visits": [0, 50]}
    year = budget_year(figures([2023, 2024], {"A": hospital, "B": opened}, 200_000), plain(fund__closing="exact"), 2024)
    assert (year.index.index / 100).tolist() == [200_000, 0], "no visits are known to take an amount per visit from"


def test_outpatient_care_may_be_left_outside() -> None:
    with_it, without = figures([2023, 2024], CLINIC, 10**7), figures(
        [2023, 2024], {"A": {**CLINIC["A"], "outpatient": [0, 0], "visits": [0, 0], "heads": [0, 0]}}, 10**7
    )  # fmt: skip
    one, other = (budget_year(each, plain(outpatient__use=False), 2024) for each in (with_it, without))
    assert one.index.waterfall.tolist() == other.index.waterfall.tolist()
    assert one.received.tolist() == other.received.tolist()
    assert one.liquidity.balance.tolist() == other.liquidity.balance.tolist()


# -- carried overspends ------------------------------------------------------------------------------------------------
def test_an_overspend_that_the_fund_did_not_bear_counts_in_the_next_year_as_far_as_the_terms_say() -> None:
    entry = {"level": "2", "spending": [100, 100, 0], "due": [100, 120, 90]}
    region = replace(figures([2022, 2023, 2024], {"A": entry}, 100), fund=np.array([-1, 10_000, 10_000]))
    years = budget_years(region, plain(sharing__carry_overspend=0.5, fund__closing="exact", index__base="settled"))
    # 120 of 100: 106; half of 14 counts in the next year: 97 of 100, a surplus of 3
    assert (years[0].settled[0], years[0].carried_overspend[0]) == (10_600, 700)
    assert (years[1].overspend_brought[0], years[1].settled[0]) == (700, 10_000)
    assert years[1].cash.due["overspend_brought"][0] == 700
    assert years[1].cash.due["surplus_kept"][0] == 300
    assert not any(year.cash.difference.any() for year in years)
    assert years[1].in_base[0] == 9_300, "what pays for an old overspend is no part of a later base"
    assert [year.carried_overspend[0] for year in budget_years(region, plain())] == [0, 0]


# -- pools -------------------------------------------------------------------------------------------------------------
def test_pools_have_index_fund_and_sharing_of_their_own() -> None:
    whole = figures([2023, 2024], {"A": {"level": "2", "spending": [100_000, 0], "due": [0, 120_000]}}, 100_000)
    region = in_pools(whole, 0.25)
    apart = plain(fund__closing="exact", pools__use="apart").changed(
        {"pools.changes.resident": {"sharing.use": "by-item", "fund.reserve": 0.1}}
    )
    year = budget_year(region, apart, 2024)
    employee, resident = year.pools["employee"], year.pools["resident"]
    # employees: 25,000, due 30,000: + 60 % of 2,500; residents: 75,000 less a tenth, all 90,000 are paid
    assert (employee.index.index[0], employee.settled[0]) == (2_500_000, 2_650_000)
    assert (resident.index.index[0], resident.settled[0], resident.fund.reserve) == (6_750_000, 9_000_000, 750_000)
    assert year.settled[0] == 11_650_000
    assert year.fund.budget == 10_000_000
    tables = budget_tables([year])
    assert tables["pools"]["pool"].to_pylist() == ["employee", "resident"]
    assert tables["hospitals"]["settled"].to_pylist()[0] == sum(tables["pools"]["settled"].to_pylist())
    with pytest.raises(UsageError, match="budget-no-pools"):
        budget_year(whole, apart, 2024)
    with pytest.raises(BudgetError, match="a pool has no measure"):
        plain().changed({"pools.changes.resident": {"measure.low_weight": 1}})
    with pytest.raises(BudgetError, match="budget-unknown-path"):
        budget_year(region, apart.changed({"pools.changes.resident": {"fund.reserv": 1}}), 2024)


@given(regions(), terms(), st.floats(0, 1))
def test_pools_close_to_the_fen_each_and_together(region: HospitalFigures, chosen: Any, share: float) -> None:
    region = in_pools(region, share)
    before: BudgetYear | None = None
    for year in budget_years(region, chosen.changed({"pools.use": "apart"})):
        for name in ("settled", "recorded", "units", "carried_out", "carried_overspend", "received"):
            assert np.array_equal(getattr(year, name), sum(getattr(pool, name) for pool in year.pools.values())), name
        for each in (year, *year.pools.values()):
            fund = each.fund
            assert fund.reserve + fund.adjustment_fund + fund.index + fund.unallocated == fund.budget
            assert fund.paid + fund.balance == fund.budget
            assert each.index.waterfall.sum(axis=1).tolist() == each.index.index.tolist()
            assert int(each.received.sum()) == fund.paid
            assert not each.cash.difference.any()
        assert year.fund.budget == sum(pool.fund.budget for pool in year.pools.values())
        if before is not None:
            assert year.cash.due["carried_in"].tolist() == before.carried_out.tolist()
            assert year.liquidity.opening.tolist() == before.liquidity.balance[:, -1].tolist()
        before = year


@given(regions(), terms(), st.integers(0, 2**32 - 1), st.integers(1, 10**9))
def test_bills_of_a_pool_raise_two_years_cash_by_no_more_than_the_fund_bears(
    region: HospitalFigures, chosen: Any, seed: int, more: int
) -> None:
    """With pools, outpatient care and compounded growth: of a hospital at the index of its pool or above."""
    chosen = chosen.changed({
        "pools.use": "apart", "index.base": "settled", "index.overspend.borne": 0, "index.overspend.unborne": 0,
        "fund.cover": "full", "capitation.use": False, "sharing.carry_over": False, "sharing.carry_overspend": 0,
        "outpatient.pays": "by_item",
    })  # fmt: skip
    rng = np.random.default_rng(seed)
    payer, unit = ("employee", "resident")[rng.integers(2)], int(rng.integers(len(UNITS)))
    plain_region = in_pools(region)
    first, second = budget_years(plain_region, chosen)
    if not 0 < first.pools[payer].index.index[0] <= first.pools[payer].recorded[0]:
        return
    pool = plain_region.pools[payer]
    dearer_pool = replace(pool, payment=pool.payment.copy(), stated=pool.stated.copy())
    dearer_pool.payment[0, 1, 11, unit] += more
    if UNITS[unit] == "outpatient":
        dearer_pool.stated[0, 1, 11, unit] += more
    dearer, after = budget_years(replace(plain_region, pools={**plain_region.pools, payer: dearer_pool}), chosen)
    assert after.index.index.tolist() == second.index.index.tolist()
    gain = dearer.received[0] + after.received[0] - first.received[0] - second.received[0]
    assert gain <= dearer.settled[0] - first.settled[0] + 1 <= max(b.share for b in chosen.schedule.overspend) * more + 2


# -- what a region states ------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "discharges-2024.parquet").touch()
    (tmp_path / "hospitals.csv").write_text("id,level\nA,3\nB,1\n", encoding="utf-8")
    (tmp_path / "fund.csv").write_text("year,insurance,budget_yuan\n2024,employee,300\n2024,resident,100\n", encoding="utf-8")
    (tmp_path / "payments.csv").write_text(
        "year,month,hospital_id,unit,amount_yuan,insurance,visits,heads,cost_yuan\n"
        "2024,,A,outpatient,1200.01,职工,30,10,2000\n2024,,A,outpatient,100,,5,5,\n2024,3,B,per_diem,50,,,,\n",
        encoding="utf-8",
    )
    (tmp_path / "adjustments.csv").write_text(
        "year,hospital_id,item,amount_yuan,share,insurance,reason\n2024,A,negotiated,,0.02,employee,new wing\n"
        "2024,B,negotiated,-10,,,fewer beds\n2024,B,deduction,5,,,\n",
        encoding="utf-8",
    )
    return tmp_path


def test_outpatient_care_and_negotiated_amounts_are_read(folder: Path) -> None:
    region = read_region(folder)
    months = [region.payments["A", 2024, month, "outpatient", "employee"] for month in range(1, 13)]
    assert (sum(months), max(months) - min(months)) == (120_001, 1)
    assert region.negotiated["A", 2024, "employee"] == Negotiated(0, 0.02, "new wing")
    whole = StatedFigures(region, ("A", "B"), (2024,)).arrays()
    assert (whole["visits"][0, 0], whole["heads"][0, 0], whole["outpatient_cost"][0, 0]) == (35, 15, 210_000)
    assert whole["negotiated_share"].ravel() == pytest.approx([0.02 * 300 / 400, 0])
    parts = np.array([[[300, 100]], [[0, 0]]])
    pools = {payer: StatedFigures(region, ("A", "B"), (2024,), payer, parts) for payer in ("employee", "resident")}
    arrays = {payer: stated.arrays() for payer, stated in pools.items()}
    for name in ("stated", "visits", "heads", "negotiated", "deductions", "outpatient_cost"):
        assert np.array_equal(whole[name], sum(each[name] for each in arrays.values())), name
    out = UNITS.index("outpatient")
    assert arrays["resident"]["stated"][0, 0, :, out].sum() == pytest.approx(100_00 / 4, abs=6)
    assert arrays["resident"]["negotiated_share"].tolist() == [[0], [0]]
    assert arrays["resident"]["deductions"].tolist() == [[0], [250]], "evenly where nothing was spent"
    assert pools["resident"].reasons() == {("B", 2024): "fewer beds"}
    assert pools["employee"].fund().tolist() == [30_000]


@pytest.mark.parametrize(
    ("name", "row", "code"),
    [
        ("payments.csv", "2024,2,A,outpatient,1,resident,1,1,", "region-months-mixed"),
        ("payments.csv", "2024,13,B,per_diem,1,,,,", "region-bad-number"),
        ("payments.csv", "2024,,B,outpatient,9,,1,1,8", "region-bad-number"),
        ("payments.csv", "2024,,B,outpatient,9,,1,2,", "region-bad-number"),
        ("payments.csv", "2024,,B,outpatient,9,who,1,1,", "region-unknown-word"),
        ("adjustments.csv", "2024,A,negotiated,,,,", "region-bad-number"),
        ("adjustments.csv", "2024,A,moved,3,,employee,", "region-unknown-word"),
        ("adjustments.csv", "2024,A,negotiated,,-2,,", "region-bad-number"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, name: str, row: str, code: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    with pytest.raises(InputError) as caught:
        read_region(folder)
    assert {problem.code for problem in caught.value.problems} == {code}


# -- formulas ----------------------------------------------------------------------------------------------------------
def test_an_indicator_of_ones_own_follows_from_a_formula() -> None:
    more = {
        "quality.targets.growth": {"best": 0, "worst": 0.2, "formula": "visits / heads / (visits_before / heads_before) - 1"},
        "quality.weights.growth": 30, "quality.compare": "region",
    }  # fmt: skip
    chosen = plain().changed(more)
    names = ("cost_index", "time_index", "low_risk_mortality", "readmission", "high_cost_share", "own_pay_share", "coding",
             "procurement_completion", "growth")  # fmt: skip
    blank = figures([2023, 2024], CLINIC, 10**7)
    region = replace(blank, indicator_names=names, indicators=np.full((1, 2, 9), np.nan))
    year = budget_year(region, chosen, 2024)
    # 2.5 visits a head, then 2.2917: - 8.33 %, better than the best
    assert year.scores.values[0, -1] == pytest.approx(1100 / 480 / 2.5 - 1)
    assert year.scores.score[0] == 100
    assert year.scores_before is not None
    assert np.isnan(year.scores_before.score[0]), "no year before"
    region.indicators[0, 1, -1] = 0.1
    assert budget_year(region, chosen, 2024).scores.score[0] == pytest.approx(50), "what is entered goes before"
    table = budget_tables([budget_year(region, chosen, 2024)])["quality"].to_pylist()
    assert (table[-1]["indicator"], table[-1]["value"], table[-1]["weight"]) == ("growth", 0.1, 1.0)


@pytest.mark.parametrize(
    "text", ["a b", "a ** 2", "__import__('os')", "a.b", "[a]", "a if b else c", "min(a)", "max(a, b, c)", "'x'", "a < b", "",
             "True", "x" * 501, "lambda: 1", "abs(a, key=b)", "1e400"]
)  # fmt: skip
def test_only_sums_are_formulas(text: str) -> None:
    with pytest.raises(BudgetError):
        GENERAL.changed({"quality.targets.x": {"best": 1, "worst": 0, "formula": text}})


def test_a_formula_has_a_name_of_its_own_and_gives_no_value_where_one_is_missing() -> None:
    with pytest.raises(BudgetError, match="a formula needs a name of its own"):
        GENERAL.changed({"quality.targets.coding": {"best": 1, "worst": 0.5, "formula": "cmi"}})
    with pytest.raises(BudgetError, match="a formula needs a name of its own"):
        GENERAL.changed({"quality.targets.coding.formula": "cmi"})
    values = {"a": np.array([4.0, np.nan, 0.0]), "b": np.array([2.0, 1.0, 0.0])}
    assert value_of("-abs(min(a, b)) + max(a, 3) * 2 / b", values)[0] == -2 + 4
    assert np.isnan(value_of("a / b", values)[1:]).all()
    assert names_in("max(a, b_before) + abs(c)") == ("a", "b", "c")


# -- years ahead -------------------------------------------------------------------------------------------------------
def test_years_beyond_the_data_follow_from_the_outlook() -> None:
    entry = {**CLINIC["A"], "bills": [0, 100_000], "deductions": [0, 7], "negotiated": [0, 9], "savings": [0, 5]}
    region = figures([2023, 2024], {"A": entry}, 500_000)
    outlook = {"outlook.volume": {"*": 0.1}, "outlook.bills": 0.2, "outlook.units": 0.5, "outlook.visits": 0.1,
               "outlook.visit_cost": 0, "outlook.case_mix": 0.01, "outlook.insured": 0.5}  # fmt: skip
    stated = replace(NOWHERE, hospitals={}, fund={2026: {"employee": 44}}, deductions={("A", 2026): 3})
    ahead = figures_ahead(region, plain().changed(outlook), stated, 2026)
    assert ahead.years == (2023, 2024, 2025, 2026)
    assert ahead.cases[0].tolist() == [100, 100, 110, 121]
    assert ahead.weight[0, 2] == pytest.approx(111.1)
    drg, out = UNITS.index("drg"), UNITS.index("outpatient")
    assert ahead.payment[0, 2, :, drg].sum() == pytest.approx(6_000_000 * 1.1 * 1.01 * 1.5, abs=6)
    assert ahead.payment[0, 2, :, out].sum() == ahead.stated[0, 2, :, out].sum() == pytest.approx(15_730_000, abs=6)
    assert ahead.bills[0, 2].sum() == pytest.approx(10_000_000 * 1.1 * 1.01 * 1.2, abs=6)
    assert ahead.visits[0].tolist() == [1000, 1100, 1210, 1331]
    assert ahead.deductions[0].tolist() == [0, 700, 0, 3], "of the year that states it alone"
    assert (ahead.negotiated[0, 2:].tolist(), ahead.savings[0, 2:].tolist()) == ([0, 0], [500, 500])
    assert ahead.fund.tolist() == [-1, 50_000_000, -1, 44]
    assert ahead.insured.tolist() == [1000, 1000, 1500, 2250]
    with pytest.raises(UsageError, match="budget-too-far-ahead"):
        figures_ahead(region, plain(), NOWHERE, 2050)


@given(regions(), terms(), st.booleans())
def test_years_ahead_of_pools_sum_and_close(region: HospitalFigures, chosen: Any, apart: bool) -> None:
    chosen = chosen.changed({"pools.use": "apart" if apart else "joined"})
    ahead = figures_ahead(in_pools(region) if apart else region, chosen, NOWHERE, 2027)
    for pool in ahead.pools.values():
        assert pool.years == ahead.years
    for name in ("payment", "spending", "cases", "stated", "bills") if apart else ():
        assert np.array_equal(getattr(ahead, name)[:, 3:], sum(getattr(pool, name) for pool in ahead.pools.values())[:, 3:])
    years = budget_years(ahead, chosen)
    assert [year.year for year in years] == [2023, 2024, 2025, 2026, 2027]
    for before, year in pairwise(years):
        assert year.fund.paid + year.fund.balance == year.fund.budget
        assert not year.cash.difference.any()
        assert year.overspend_brought.sum() <= before.carried_overspend.sum()


@pytest.mark.parametrize("years", ["2030-2026", "2026-", "next"])
def test_what_names_no_years_is_shown_as_it_was_written(years: str) -> None:
    with pytest.raises(UsageError) as caught:
        drgsim.budget(drgsim.sample_path("region"), "beijing/2024", years=years)
    assert [(problem.code, problem.what) for problem in caught.value.problems] == [
        ("usage-bad-years", f"{years!r} names no years")
    ]
