"""Limits of what a scenario may ask for, and words that must not be misread."""

from __future__ import annotations

import numpy as np
import pytest

from drgsim.simulation.case_totals import check_size
from drgsim.simulation.explore import grid_table
from drgsim.simulation.goal_seek import read_goal, solve
from drgsim.simulation.headlines import headlines
from drgsim.simulation.scenario import ScenarioError, parse_change
from drgsim.simulation.scenario_cases import PART, age_band
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.uncertainty import draw
from tests.sample_region import YEAR
from tests.simulating import baseline_of, by_path, plan, region, run, runner


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ("{cases.volume: '*1e9'}", "scenario-impossible-value", "100 at most"),
        ("{cases.price.all: '*1e300'}", "scenario-impossible-value", "100 at most"),
        ("{cases.volume: '*-1'}", "scenario-impossible-value", "0 or more"),
        ("{rate.base: '*0'}", "scenario-impossible-value", "above 0"),
        ("{rate.base: '*1e300'}", "scenario-impossible-value", "100 at most"),
        ("{weights.mdc.F: '*0'}", "scenario-impossible-value", "above 0"),
        ("{cases.volume: '*1.00004'}", "scenario-too-fine", "1/10,000"),
        ("{cases.volume.age.65-: '*1.1'}", "scenario-bad-value", "no band of age"),
        ("{cases.volume.age.nan: '*1.1'}", "scenario-bad-value", "no band of age"),
        ("{hospitals.all.x.in_drg: false}", "scenario-unknown-path", "no path"),
    ],
)
def test_what_is_beyond_the_limits_is_refused(changes: str, code: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(changes)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert words in str(caught.value)


def test_a_rate_from_the_fund_cannot_fall_to_nothing() -> None:
    with pytest.raises(ScenarioError, match="must be above 0"):
        runner().run(plan("{rate.base: '-1e9'}").setup, YEAR)


def test_the_smallest_change_of_volume_moves_cases() -> None:
    more = headlines(run(plan("{cases.volume: '*1.0001'}").setup), region())["cases"]
    assert more == pytest.approx(headlines(run(baseline_of("beijing/2024")), region())["cases"] * 1.0001, rel=1e-12)


def test_sums_beyond_whole_numbers_are_refused() -> None:
    money = np.array([[4_000_000_000_000, 1]])
    check_size(money, np.array([100 * PART, PART]))
    with pytest.raises(ScenarioError, match="more than sums to the fen can hold"):
        check_size(money, np.array([1_000_000 * PART, PART]))
    setup = by_path(baseline_of("beijing/2024"), {"cases.volume": "*100"})
    for _ in range(2):
        setup = by_path(setup, {"cases.volume": "*100", "cases.price.all": "*100"})
    with pytest.raises(ScenarioError, match="can hold"):
        runner().run(setup, YEAR)
    with pytest.raises(ScenarioError, match="would stand for"):
        runner().run(by_path(setup, {"cases.volume": "*100"}), YEAR)


@pytest.mark.parametrize("text", ["65-", "-65", "nan", "inf", "+", "", "1.5", "65+x", "１"])
def test_no_band_of_age(text: str) -> None:
    with pytest.raises(ValueError, match="no band of age"):
        age_band(text)


def test_all_hospitals_need_no_further_word() -> None:
    state = runner().lines(plan("{hospitals.all.in_drg: false}").setup, YEAR).state
    assert state.by_item.all()


def test_a_number_with_an_exponent_is_a_number() -> None:
    """YAML 1.1 reads 5.0e7 as a text."""
    setup, steps = apply(baseline_of("beijing/2024"), [parse_change("fund.budget.employee", "5.0e7")], region())
    assert setup.fund[0].value == 5e7
    assert steps[0].new == "50,000,000"
    assert parse_change("hospitals.level.2.level", "3").value == "3"


def test_a_path_and_the_figure_of_the_same_name_have_their_own_columns() -> None:
    chosen = plan(
        "{rate.base: '*1'}", more="grid: {fund.budget: ['*0.9', '*1.1']}\nranges: {fund.budget: ['*0.95', '*1.05']}\n"
    )
    table = grid_table(chosen, runner(), YEAR)
    assert table.column("change fund.budget").to_pylist() == ["*0.9", "*1.1"]
    low, high = table.column("fund.budget").to_pylist()
    assert high == pytest.approx(low * 1.1 / 0.9)
    drawn = draw(chosen, runner(), YEAR, 2, 1)
    columns = drawn.table()
    assert columns.column("change fund.budget").to_pylist() == drawn.ranges["fund.budget"].tolist()
    assert min(columns.column("fund.budget").to_pylist()) > 1_000_000


def test_goal_seek_says_how_finely_discharges_count() -> None:
    goal = read_goal("cases.volume", "fund.balance=0", None)
    row = solve(plan("{rate.base: '*1.03'}"), goal, runner(), YEAR).table.to_pylist()[0]
    assert abs(row["left"]) > 1
    assert "1/10,000" in row["note"]
