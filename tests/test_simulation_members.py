"""Members, chosen groups, shadow settlement and included sections in scenarios and budgets."""

from __future__ import annotations

from typing import Any

import pytest

import drgsim
from drgsim.payment.selection_from_history import chosen_mask, member_mask
from drgsim.simulation.headlines import headlines
from drgsim.simulation.pricing import with_table
from drgsim.simulation.scenario import ScenarioError, load_scenario
from drgsim.simulation.study import ScenarioPlan, plan_of
from tests.sample_region import SAMPLE, YEARS, hospitals_by_size
from tests.simulating import YEAR, plan, region, run, runner

BOTH = ("beijing-2011-pilot", "beijing-2018-shadow")


def _shipped(name: str) -> ScenarioPlan:
    return plan_of([load_scenario(name)], None, region())


@pytest.mark.parametrize("name", BOTH)
def test_a_shadow_settlement_tells_what_the_same_groups_pay_in_earnest(name: str) -> None:
    """Property: simulated, the margin stands beside payment by item; paid, it is the hospitals' margin, to the fen."""
    scenario = _shipped(name)
    beside, paid = run(scenario.baseline), run(scenario.setup)
    told, earned = headlines(beside, region()), headlines(paid, region())
    assert told["hospital.margin"] == 0
    assert told["shadow.margin"] == earned["hospital.margin"] != 0
    assert earned["shadow.margin"] != earned["shadow.margin"]
    gained = beside.by_hospital("shadow") - beside.by_hospital("shadow_cost")
    assert (gained == paid.by_hospital("payment") - paid.by_hospital("cost")).all()
    by_group = beside.by_group.money["shadow"]
    assert by_group.sum() == beside.by_payer.money["shadow"].sum()


@pytest.mark.parametrize("name", BOTH)
def test_groups_and_members_come_from_the_years_before(name: str) -> None:
    setup = _shipped(name).setup
    policy = with_table(setup, region(), YEAR, runner().memory)
    members, groups = policy.file.members, policy.file.group_selection
    assert members is not None
    assert groups is not None
    assert set(members.hospitals) == {of for of, entry in region().hospitals.items() if policy.id in entry.member_of}
    assert ", ".join(map(str, YEARS[:-1])) in groups.note
    cases = runner().cohort(setup, YEAR).cases
    inside = member_mask(policy, cases) & chosen_mask(policy, cases)
    outcome = run(setup)
    assert 0 < outcome.by_payer.counts["priced"].sum() <= inside.sum()
    assert outcome.selection["selection"]["groups"]["groups"] == list(groups.groups)


def test_a_list_names_the_members() -> None:
    """Payment by groups at some hospitals is what switching the others off gives; ids and levels may be mixed."""
    first = hospitals_by_size("3")[0]
    listed = run(plan(f"{{hospitals.members: [{first}, level.2]}}").setup)
    off = {"hospitals.all.in_drg": False, f"hospitals.hospital.{first}.in_drg": True, "hospitals.level.2.in_drg": True}
    switched = run(plan(str(off).replace("'", '"').replace("False", "false").replace("True", "true")).setup)
    assert (listed.by_payer.money["fund"] == switched.by_payer.money["fund"]).all()
    baseline = "baseline: {policy: beijing/2024, changes: {members.levels: [3]}}\n"
    every = plan("{hospitals.members: all}", baseline)
    assert every.baseline.policy.file.members is not None
    assert every.setup.policy.file.members is None


@pytest.mark.parametrize("word", ["H999", "level.9", "[]"])
def test_members_that_the_region_lacks_are_refused(word: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(f"{{hospitals.members: {word if word == '[]' else f'[{word}]'}}}")
    assert {problem.code for problem in caught.value.problems} == {"scenario-unknown-hospital"}


def test_sections_are_included_by_path_and_by_name() -> None:
    by_path = plan("{policy.include: [examples/psychiatric]}").setup
    assert by_path.policy.file == drgsim.load_policy("beijing/2024+examples/psychiatric").file
    with pytest.raises(ScenarioError) as caught:
        plan("{policy.include: [examples/psychiatry]}")
    assert [problem.code for problem in caught.value.problems] == ["policy-unknown-include"]


def test_a_budget_tells_members_groups_and_shadow() -> None:
    years = drgsim.budget(SAMPLE, "beijing/2018-shadow", terms="general")
    selection: dict[str, Any] = years.record["selection"]
    outcome = run(_shipped("beijing-2018-shadow").baseline)
    assert selection == outcome.selection["selection"]
    margin = headlines(outcome, region())["shadow.margin"]
    assert any(f"{YEAR}: groups would pay" in note and f"{margin:+,.2f}" in note for note in years.record["notes"])
    assert (years.hospitals.num_rows) > 0
