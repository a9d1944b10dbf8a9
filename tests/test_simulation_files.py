"""Scenario files: read whole, refused whole, with what to write instead; paths, stacking, description."""

from __future__ import annotations

from decimal import Decimal

import pytest

from drgsim.errors import Problem
from drgsim.simulation.paths import find, specs
from drgsim.simulation.scenario import (
    ScenarioError,
    load_scenario,
    load_scenarios,
    parse_change,
    parse_scenario,
    scenario_names,
)
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.study import plan_of, plans_of
from tests.sample_region import fund_yuan
from tests.simulating import BEIJING, HEAD, baseline_of, plan, region, written


def problems_of(text: str) -> dict[str, Problem]:
    """Problems of a scenario by the path or part that they belong to."""
    with pytest.raises(ScenarioError) as caught:
        plan_of([parse_scenario(text, "bad")], None, region())
    assert caught.value.exit_code == 2
    return {problem.where.removeprefix("bad: ").removeprefix("changes."): problem for problem in caught.value.problems}


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    found = problems_of(
        HEAD + BEIJING + "changes:\n"
        "  rate.bsae: '*1.03'\n  outlier.high.multiple: 0.5\n  stay.long_days: {value: 3, unit: yuan}\n  coefficient.3: 1.1\n"
        "  hospitals.level.9.in_drg: true\n  cases.volume.adrg.ZZ9: '*1.1'\n"
        "  cases.price.drugz: '*1'\n  weights.adrg.FL9: '*2'\n"
        "  procurement.cut.drugs: 1.5\n  payment.method: pionts\n  new_technology.a: {adrg: [RK2], shre: 0.1, cost: 1}\n"
        "  stays.long_dys: 4\n  cases.volume: '+3'\n  behaviour.coding.drift: lots\n  budget.index.growth: '*2'\n"
    )  # fmt: skip
    told = {path: (problem.code, problem.fix) for path, problem in found.items()}
    assert told["rate.bsae"] == ("scenario-unknown-path", "did you mean rate.base?")
    assert told["outlier.high.multiple"][0] == "scenario-impossible-value"
    assert told["stay.long_days"] == ("scenario-wrong-unit", "write it in days")
    assert told["coefficient.3"][0] == "scenario-out-of-scope"
    assert told["hospitals.level.9.in_drg"][0] == "scenario-unknown-path"
    assert told["cases.volume.adrg.ZZ9"][0] == "scenario-out-of-scope"
    assert told["cases.price.drugz"] == ("scenario-unknown-path", "did you mean drugs?")
    assert told["weights.adrg.FL9"][0] == "scenario-unknown-path"
    assert told["procurement.cut.drugs"][0] == "scenario-impossible-value"
    assert told["payment.method"] == ("scenario-bad-value", "did you mean points?")
    assert told["new_technology.a"][1] == "did you mean share?"
    assert told["stays.long_dys"] == ("scenario-unknown-path", "did you mean stays.long_days?")
    assert told["cases.volume"][0] == "scenario-wrong-kind"
    assert told["behaviour.coding.drift"][0] == "scenario-bad-value"
    assert len(told) >= 14


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (HEAD + "changes: {rate.base: '+3%'}", "scenario-bad-change", '"*1.03"'),
        (HEAD + "changes: {rate.base: '*x'}", "scenario-bad-change", "no change"),
        (HEAD + "changes: {rate.base: *1.03}", "scenario-unreadable", "put changes in quotes"),
        (HEAD + "changes: {a: 1, a: 2}", "scenario-duplicate-name", "twice"),
        (HEAD + "grids: {rate.base: [1]}", "scenario-unknown-name", "grid?"),
        (HEAD + "rate.base: '*1.03'", "scenario-unknown-name", "under changes"),
        (HEAD + "changes: {}", "scenario-empty", "changes nothing"),
        (HEAD + "changes: {a: 1}\ngrid: {rate.base: 3}", "scenario-bad-grid", "list"),
        (HEAD + "changes: {a: 1}\nranges: {rate.base: ['*1.1', '*0.9']}", "scenario-bad-range", "rise"),
        (HEAD + "changes: {a: 1}\nyears: {count: 50}", "scenario-bad-value", "1 to 20"),
        ("- a list", "scenario-unreadable", "mapping"),
    ],
)  # fmt: skip
def test_a_broken_file_says_what_to_write(text: str, code: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "bad")
    told = [problem for problem in caught.value.problems if problem.code == code]
    assert told
    assert any(words in str(problem) for problem in told)


def test_an_unknown_scenario_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ScenarioError, match="did you mean rate-plus-3"):
        load_scenario("rate-pluss-3")


def test_problems_of_several_files_come_together() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenarios(["no-such-a", "no-such-b"])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("changes", "baseline", "words"),
    [
        ("{budget.surplus.kept_share: 0.8}", BEIJING, "budget.active"),
        ("{capitation.rate: 1.1}", BEIJING, "capitation.conditions"),
        ("{behaviour.splitting.overhead: 0.2}", BEIJING, "behaviour.splitting.share"),
        ("{payment.method: points, rate.base: '*1.03'}", BEIJING, "follows from the budget"),
        ("{rate.employee: 100}", "baseline: beijing/2024\n", "has no parameter"),
        ("{outlier.high.multiple: 2}", "baseline: zhejiang/2025\n", "the multiples"),
        ("{rate.base: '*1.1'}", "baseline: national/2.0\n", "no unit value"),
        ("{hospitals.level.3.coefficient: 1.1}", BEIJING, "does not use coefficients"),
    ],
)  # fmt: skip
def test_a_change_without_effect_is_refused(changes: str, baseline: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(changes, baseline)
    assert words in str(caught.value)
    assert {problem.code for problem in caught.value.problems} == {"scenario-out-of-scope"}


def test_a_range_or_grid_that_fails_later_is_refused_before_anything_runs() -> None:
    with pytest.raises(ScenarioError, match="above 1"):
        plan("{rate.base: '*1'}", more="grid: {outlier.high.multiple: [3, 0.5]}\n")


def test_describe_shows_old_and_new_value_with_unit() -> None:
    fund = fund_yuan("employee")
    steps = plan("{outlier.high.multiple.tertiary: 2.5, stay.long_days: '*1.5', fund.budget.employee: '*1.1'}").steps
    assert [(step.old, step.new) for step in steps] == [
        ("3.0", "2.5"),
        ("60", "90"),
        (f"{fund:,}", f"{fund * Decimal('1.1'):,.2f}"),
    ]
    assert steps[1].unit == "days"
    policy = plan("{rate.base: 21000}", "baseline: beijing/2024\n").steps[0]
    assert (policy.old, policy.unit) == ("20,425", "yuan per weight")
    assert policy.new.startswith("21,000; published standards x 1.02815")


def test_a_published_standard_moves_with_the_rate() -> None:
    base = baseline_of("beijing/2024", "{}")
    new = apply(base, [parse_change("rate.base", "*1.1")], region())[0]
    old_prices, prices = base.policy.prices, new.policy.prices
    assert old_prices is not None
    assert prices is not None
    assert prices.numbers["standard"][:5] == pytest.approx(old_prices.numbers["standard"][:5] * 1.1)
    assert prices.numbers["weight"] is old_prices.numbers["weight"]  # tables that do not change are shared


def test_scenarios_stack_in_their_order() -> None:
    one, two = written("{rate.base: '*1.03'}", "one"), written("{rate.base: '*1.02'}", "two", baseline="")
    stacked = plans_of([one, two], None, region(), stack=True)
    assert [entry.name for entry in stacked] == ["one", "one+two"]
    assert [change.value for change in stacked[1].setup.rate] == [1.03, 1.02]
    apart = plans_of([one, written("{rate.base: '*1.02'}", "two")], None, region())
    assert [len(entry.setup.rate) for entry in apart] == [1, 1]
    other = written(
        "{rate.base: '*1'}", "other", baseline="baseline: {policy: beijing/2024, changes: {rate.source: last_year}}\n"
    )
    with pytest.raises(ScenarioError, match="cannot stand on"):
        plans_of([one, other], None, region(), stack=True)


def test_every_path_of_the_table_is_found_again() -> None:
    filled = {
        "<level>": "tertiary", "<insurance>": "resident", "<category>": "drugs", "<group>": "FL2", "<unit_kind>": "adrg",
        "<hospitals>": "level.3", "<rate_key>": "3/employee", "<key>": "3", "<name>": "robot", "<cases>": ".adrg.FL2.age.65+",
    }  # fmt: skip
    for spec in specs():
        path = spec.path
        for slot, word in filled.items():
            path = path.replace(slot, word)
        match = find(path)
        assert match is not None, path
        assert match.spec.path == spec.path


def test_defaults_that_are_no_fact_carry_source_and_evidence() -> None:
    for spec in specs():
        if spec.changes == "setting":
            assert spec.source, spec.path
            assert spec.evidence is not None, spec.path


def test_shipped_scenarios_have_names_of_both_languages() -> None:
    for name in scenario_names():
        file = load_scenario(name).file
        assert file.title_zh, name
        assert file.reference, name
