"""Several years, and changes on top of changes: each starts from what the one before left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drgsim.money import MISSING
from drgsim.simulation.scenario import ScenarioError
from drgsim.simulation.scenario_cases import State, edited, first_state
from drgsim.simulation.study import ScenarioPlan
from drgsim.simulation.year_closing import with_year
from drgsim.simulation.year_sequence import years_table
from tests.sample_region import YEAR
from tests.simulating import BEIJING, baseline_of, by_path, plan, plan_of, region, run, runner, written

ACTIVE = "baseline: {policy: beijing/2024, changes: {rate.source: fund, budget.active: true}}\n"


def state_of(*changes: dict[str, Any]) -> State:
    setup = baseline_of("beijing/2024")
    for one in changes:
        setup = by_path(setup, one)
    return edited(first_state(region().cohort(YEAR, setup.scheme)), setup, region())


def total(state: State) -> int:
    return int(state.cost[state.cost != MISSING].sum())


def spent_on(category: str) -> int:
    """Recorded fen of a category; bills that are spoilt have a total of nothing."""
    cohort = region().cohort(YEAR, baseline_of("beijing/2024").scheme)
    return int(cohort.costs[category][cohort.cases.money["total_cost"] > 0].sum())


def rows_of(chosen: ScenarioPlan, side: str) -> list[dict[str, Any]]:
    scenario = chosen.scenarios[-1]
    assert scenario.file.years is not None
    table = years_table(chosen, scenario.file.years, scenario.yearly, runner(), YEAR).to_pylist()
    return [row for row in table if row["side"] == side]


# -- edits of a category on top of each other ------------------------------------------------------------------------------
def test_a_second_price_cut_takes_from_what_the_first_left() -> None:
    """60 % twice is 84 %, never 120 %."""
    cut = {"procurement.cut.consumables": 0.6}
    state = state_of(cut, cut)
    assert state.saving.sum() == pytest.approx(0.84 * spent_on("consumables"), rel=1e-4)
    assert (state.costs["consumables"] >= 0).all()
    assert total(state_of()) - total(state) == state.saving.sum()


def test_price_rises_of_a_category_compound() -> None:
    rise = {"cases.price.drugs": "*1.1"}
    assert total(state_of(rise, rise)) - total(state_of()) == pytest.approx(0.21 * spent_on("drugs"), rel=1e-4)


def test_a_change_of_all_prices_moves_every_category() -> None:
    state = state_of({"cases.price.all": "*2"}, {"procurement.cut.drugs": 0.5})
    assert 2 * total(state_of()) - total(state) == pytest.approx(spent_on("drugs"), rel=1e-4)


def test_a_part_of_the_cases_keeps_its_own_prices() -> None:
    state = state_of({"procurement.cut.drugs.level.3": 0.5}, {"procurement.cut.drugs": 0.5})
    levels = np.array([region().level(name) for name in state.hospital.values] + [""])[state.hospital.ids]
    known = (state.cost > 0) & (state.cohort.costs["drugs"] > 10_000)
    left = state.costs["drugs"][known] / state.cohort.costs["drugs"][known]
    assert left[levels[known] == "3"] == pytest.approx(0.25, abs=1e-3)
    assert left[levels[known] != "3"] == pytest.approx(0.5, abs=1e-3)


def test_arrays_that_no_change_touches_are_those_of_the_cohort() -> None:
    state = state_of({"cases.price.drugs": "*1.1"})
    assert state_of({"cases.volume": "*1.1"}).costs is state.cohort.costs
    assert state.costs["consumables"] is state.cohort.costs["consumables"]


# -- the fund over years ---------------------------------------------------------------------------------------------------
def test_a_deficit_above_the_budget_is_not_forgotten() -> None:
    """The budget is nearly nothing: every year adds a deficit as large as the spending."""
    rows = rows_of(plan("{fund.budget: '*0.001'}", more="years: {count: 3}\n"), "scenario")
    own = rows[0]["fund.balance"]
    assert own < -40_000_000
    assert [row["fund.cumulative_balance"] for row in rows] == pytest.approx([own, 2 * own, 3 * own], abs=1)
    assert [row["fund.carried_in"] for row in rows] == pytest.approx([0, own, 2 * own], abs=1)
    assert [row["fund.balance"] for row in rows] == pytest.approx([own, 2 * own, 3 * own], abs=1)
    for row in rows:
        assert row["fund.budget"] - row["fund.payment"] == pytest.approx(row["fund.balance"], abs=0.01)


def test_a_deficit_that_leaves_no_budget_is_refused_where_the_budget_pays() -> None:
    chosen = plan("{fund.budget: '*0.001'}", ACTIVE, "years: {count: 3}\n")
    with pytest.raises(ScenarioError, match=f"leaves nothing of the budget of {YEAR + 1}"):
        rows_of(chosen, "scenario")


# -- behaviour over years --------------------------------------------------------------------------------------------------
def test_hospitals_do_not_answer_to_what_the_baseline_does_too() -> None:
    """A rate that rises every year on both sides is nothing to answer to."""
    more = "years: {count: 3, each: {rate.base: '*1.05'}}\n"
    rows = rows_of(plan("{behaviour.volume.elasticity: 0.5}", more=more), "scenario")
    assert [row["cases"] for row in rows] == [rows[0]["cases"]] * 3
    raised = rows_of(plan("{rate.base: '*1.05', behaviour.volume.elasticity: 0.5}", more="years: {count: 2}\n"), "scenario")
    assert raised[1]["cases"] == raised[0]["cases"] > rows[0]["cases"]


# -- the budget of hospitals over years ------------------------------------------------------------------------------------
def test_an_unchanged_year_is_the_year_as_recorded() -> None:
    setup = by_path(baseline_of("beijing/2024"), {"budget.active": True})
    assert setup.budget is not None
    lines = runner().lines(setup, YEAR)
    past = runner().closing.past(setup, YEAR)
    again = with_year(past, YEAR, lines, lines.state.parts, {}, setup.budget)
    for name in ("spending", "cases", "people", "weighted", "low_weight", "unpaid"):
        assert (getattr(again, name) == getattr(past, name)).all(), name
    assert again.weight == pytest.approx(past.weight, rel=1e-9)


@pytest.mark.parametrize(("changes", "factor"), [
    ({}, 1.01),
    ({"budget.index.base": "bills", "budget.index.overspend.borne": 1, "budget.index.overspend.unborne": 1}, 1.1),
])  # fmt: skip
def test_a_simulated_year_is_the_history_of_the_next(changes: dict[str, Any], factor: float) -> None:
    """Volume that doubles at one hospital raises its share of the next year's indices, and its recorded people and cases."""
    setup = by_path(baseline_of("beijing/2024"), {"budget.active": True, **changes})
    name = region().cohort(YEAR, setup.scheme).cases.hospital.values[0]
    more = by_path(setup, {f"cases.volume.hospital.{name}": "*2"})
    first = run(more)
    assert first.budget is not None
    place = first.budget.figures.hospitals.index(name)
    after = runner().run(more, YEAR + 1, first).budget
    plain = runner().run(setup, YEAR + 1, run(setup)).budget
    assert after is not None
    assert plain is not None
    assert after.figures.years == plain.figures.years == (*first.budget.figures.years, YEAR + 1)
    for figure in ("cases", "people"):
        new, old = (getattr(year.figures, figure)[place, -2] for year in (after, plain))
        assert new.sum() == pytest.approx(2 * old.sum(), rel=1e-6), figure
    new, old = (year.figures.spending[place, -2].sum() - year.figures.stated[place, -2].sum() for year in (after, plain))
    assert new == pytest.approx(2 * old, rel=1e-6), "of discharges; outpatients stay as they are stated"
    assert after.index.index[place] > plain.index.index[place] * factor
    # what the hospital did before the simulated years stays as it was
    assert (after.figures.spending[:, :-2] == plain.figures.spending[:, :-2]).all()


def test_terms_that_figures_are_taken_by_do_not_change_from_year_to_year() -> None:
    setup = by_path(baseline_of("beijing/2024"), {"budget.active": True})
    other = by_path(setup, {"budget.measure.low_weight": 0.2})
    with pytest.raises(ScenarioError, match="measured by other terms"):
        runner().run(other, YEAR + 1, run(setup))


# -- checked before anything runs ------------------------------------------------------------------------------------------
def test_a_change_that_fails_in_a_later_year_is_refused_before_the_first() -> None:
    with pytest.raises(ScenarioError, match="above 1"):
        plan("{rate.base: '*1.03'}", more="years: {count: 5, each: {outlier.high.multiple: '*0.7'}}\n")
    plan("{rate.base: '*1.03'}", more="years: {count: 2, each: {outlier.high.multiple: '*0.7'}}\n")


def test_yearly_changes_must_be_possible_for_the_baseline_too() -> None:
    more = "years: {count: 2, each: {budget.index.growth: 0.02}}\n"
    with pytest.raises(ScenarioError, match="no effect while"):
        plan("{budget.active: true}", BEIJING, more)


def test_the_extremes_of_a_grid_are_checked_together() -> None:
    """Each factor alone leaves a multiple above 1; both together do not."""
    more = "grid: {outlier.high.multiple: ['*0.6', '*1'], outlier.high.multiple.tertiary: ['*0.6', '*1']}\n"
    with pytest.raises(ScenarioError, match="above 1"):
        plan("{outlier.high.multiple: 2.5}", more=more)


def test_a_value_of_a_grid_may_need_another_path_of_it() -> None:
    more = "grid: {budget.active: [true], budget.index.growth: [0.01, 0.02]}\n"
    assert plan_of([written("{}", more=more)], None, region()).scenarios[0].size == 2
