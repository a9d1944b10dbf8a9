"""Grids, goal seek, intervals, several years, sensitivities, records, comparison, and the commands."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from drgsim.api.simulation_verbs import simulate
from drgsim.cli.main import app
from drgsim.errors import DrgsimError, UsageError
from drgsim.simulation.draws import Bootstrap, uniform
from drgsim.simulation.explore import Evaluator, grid_table, sensitivity_table
from drgsim.simulation.goal_seek import read_goal, solve
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.run_comparison import compare_runs
from drgsim.simulation.scenario import ScenarioError, parse_scenario
from drgsim.simulation.study import plans_of, run_study
from drgsim.simulation.study_folder import read_run
from drgsim.simulation.uncertainty import LEAST_FREEDOM, Draws, degrees_of_freedom, draw
from drgsim.simulation.year_sequence import years_table
from tests.conftest import ROOT
from tests.sample_region import SAMPLE, YEAR, YEARS, fund_yuan
from tests.simulating import baseline_of, by_path, plan, region, run, runner, written

GRID = "grid: {rate.base: ['*0.98', '*1.02'], outlier.low.ratio: [0.3, 0.4], cases.volume: ['*1', '*1.1']}\n"


def test_a_grid_has_every_point_and_each_is_its_own_run() -> None:
    chosen = plan("{outlier.high.multiple: 2.5}", more=GRID)
    table = grid_table(chosen, runner(), YEAR)
    assert table.num_rows == 8
    assert table.column("change rate.base").to_pylist() == ["*0.98"] * 4 + ["*1.02"] * 4
    for row in (table.slice(0, 1).to_pylist()[0], table.slice(7, 1).to_pylist()[0]):
        changes = {
            "rate.base": row["change rate.base"],
            "outlier.low.ratio": float(row["change outlier.low.ratio"]),
            "cases.volume": row["change cases.volume"],
        }
        figures = headlines(run(by_path(chosen.setup, changes)), region())
        for name in ("fund.payment", "hospital.payment", "cases", "cmi", "high.share"):
            assert row[name] == pytest.approx(figures[name], rel=1e-12), name


def test_a_section_added_by_path_is_simulated_and_its_grid_agrees_with_its_scenario() -> None:
    """Psychiatric groups (MDCT) of the sample paid per day, which Beijing's table does not state."""
    codes = sorted({code for code in region().cohort(YEAR, "beijing-2024").cases.unit.values if code.startswith("T")})
    section = f"group_classes.psychiatric: {{groups: [{', '.join(codes)}], pays: per_diem}}"
    chosen = plan(f"{{{section}, 'per_diem.rate.*': 300}}", more="grid: {'per_diem.rate.*': [300, 900]}\n")
    low, high = grid_table(chosen, runner(), YEAR).to_pylist()
    assert low["hospital.payment"] < high["hospital.payment"]
    for row, rate in ((low, 300), (high, 900)):
        figures = headlines(run(by_path(chosen.setup, {"per_diem.rate.*": rate})), region())
        assert row["hospital.payment"] == pytest.approx(figures["hospital.payment"], rel=1e-12)


# -- goal seek ------------------------------------------------------------------------------------------------------------
def test_goal_seek_finds_the_rate_that_balances_the_fund() -> None:
    chosen = plan("{cases.volume: '*1.1'}")
    row = solve(chosen, read_goal("rate.base", "fund.balance=0", None), runner(), YEAR).table.to_pylist()[0]
    assert 0.8 < row["value"] < 1
    figures = headlines(run(by_path(chosen.setup, {"rate.base": f"*{row['value']!r}"})), region())
    assert figures["fund.balance"] == pytest.approx(row["reached"], abs=0.01)
    assert abs(row["left"]) < 30_000  # at most one case that changes its class


def test_what_was_solved_is_what_a_run_shows(tmp_path: Path) -> None:
    told = invoke(
        "simulate", SAMPLE, "--policy", "beijing/2024", "--solve", "rate.base", "--target", "fund.balance=0", "-o",
        tmp_path / "one",
    )  # fmt: skip
    invoke(
        "simulate", SAMPLE, "--policy", "beijing/2024", "--set", "rate.base=*1.03", "-o", tmp_path / "two", "--quiet"
    )  # fmt: skip
    tables = {path.stem: pq.read_table(path).to_pylist() for path in (tmp_path / "one").glob("*.parquet")}
    (solved,) = tables["solution"]
    assert 0 < solved["value"] < 1
    assert f"20,425 → {20425 * solved['value']:,.10g}" in " ".join(told.split())
    balance = next(row for row in tables["headlines"] if row["figure"] == "fund.balance")
    assert abs(balance["scenario"]) < 1 < abs(balance["baseline"])
    assert all(row["payment_change"] < 0 for row in tables["hospitals"] if row["baseline_cases"])
    assert tables["changes"][-1]["path"] == "rate.base"
    page = (tmp_path / "one" / "whatif.html").read_text(encoding="utf-8")
    assert all(row["name"] in page for row in tables["hospitals"])
    both = compare_runs(read_run(tmp_path / "one"), read_run(tmp_path / "two"))
    figures = {row["figure"]: row for row in both["headlines"].to_pylist()}
    assert abs(figures["fund.balance"]["first"]) < 1
    assert "change rate.base" in both["made"].column("what").to_pylist()


def test_changes_of_a_call_follow_those_of_scenarios() -> None:
    def changed(**given: Any) -> list[str]:
        made = simulate(SAMPLE, policy="beijing/2024", **given)
        return [row["new"].partition(";")[0] for row in made.changes.to_pylist() if row["path"] == "rate.base"]

    alone = {"changes": {"rate.base": "*1.02"}}
    assert changed(**alone) == ["20,833.5"]
    assert changed(scenarios=[alone, {"changes": {"stay.long_days": 50}}], changes={"rate.base": "*1.5"}) == [
        "20,833.5", "31,250.25", "30,637.5",
    ]  # fmt: skip
    stacked = changed(scenarios=[alone, {"changes": {"stay.long_days": 50}}], changes={"rate.base": "*1.5"}, stack=True)
    assert stacked == ["20,833.5", "31,250.25"] * 2


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("rate.base", "usage-no-pair"), ("rate.base=*x", "usage-unreadable"), ("rate.bsae=*1.03", "scenario-unknown-path"),
        ("rate.base=3%", "scenario-bad-change"), ("rate.base=*-2", "scenario-impossible-value"),
        ("=3", "scenario-unknown-path"),
    ],
)  # fmt: skip
def test_a_change_of_a_call_that_makes_no_sense_is_told(written: str, code: str, tmp_path: Path) -> None:
    given = ["simulate", str(SAMPLE), "--policy", "beijing/2024", "--set", written, "--output", str(tmp_path / "x")]
    with pytest.raises(DrgsimError) as caught:
        CliRunner().invoke(app, given, catch_exceptions=False)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert list(tmp_path.iterdir()) == []


def test_goal_seek_on_a_value_with_limits() -> None:
    goal = read_goal("stay.long_days", "by_item.share=0.2", "10..60")
    row = solve(plan("{rate.base: '*1'}"), goal, runner(), YEAR).table.to_pylist()[0]
    assert 10 < row["value"] < 60
    assert row["reached"] == pytest.approx(0.2, abs=0.02)


def test_a_goal_out_of_reach_says_what_is_reached() -> None:
    chosen = plan("{rate.base: '*1'}")
    with pytest.raises(ScenarioError, match="cannot reach 1,000,000,000 by") as caught:
        solve(chosen, read_goal("rate.base", "fund.balance=1e9", None), runner(), YEAR)
    assert "at the ends" in str(caught.value)
    with pytest.raises(ScenarioError, match=r"does not move patient\.payment"):
        solve(chosen, read_goal("rate.base", "patient.payment=1", None), runner(), YEAR)
    with pytest.raises(ScenarioError, match="does not exist"):
        solve(chosen, read_goal("rate.base", "budget.surplus=1", None), runner(), YEAR)


def test_a_goal_that_makes_no_sense_is_told() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_goal("payment.method", "fund.balnce=x", "3..1")
    words = str(caught.value)
    assert "did you mean fund.balance?" in words
    assert "no number" in words
    assert "no range" in words


# -- uncertainty ----------------------------------------------------------------------------------------------------------
def test_a_bootstrap_keeps_each_stratum_and_belongs_to_the_case() -> None:
    rng = np.random.default_rng(5)
    keys, stratum = rng.integers(0, 2**60, 500).astype(np.uint64), rng.integers(0, 40, 500)
    bootstrap = Bootstrap(keys, stratum, seed=3)
    weights = bootstrap.draw(7)
    assert (np.bincount(stratum, weights, 40) == np.bincount(stratum, minlength=40)).all()
    order = rng.permutation(500)
    other = Bootstrap(keys[order], stratum[order], seed=3)
    assert (other.draw(7) == weights[order]).all()
    assert (bootstrap.draw(8) != bootstrap.draw(7)).any()
    many = np.mean([Bootstrap(keys, np.zeros(500, np.int64), 1).draw(n) for n in range(200)], axis=0)
    assert abs(many - 1).max() < 0.4  # every case is drawn once on average


def test_uniform_draws_are_even() -> None:
    values = uniform(np.arange(100_000, dtype=np.uint64), 1, "even")
    assert abs(np.histogram(values, 20, (0, 1))[0] / 5000 - 1).max() < 0.06


def test_the_same_seed_gives_the_same_intervals_and_scenarios_share_their_draws() -> None:
    one, two = plan("{rate.base: '*1.03'}"), plan("{rate.base: '*1.05'}")
    first, again, other = draw(one, runner(), YEAR, 20, 4), draw(one, runner(), YEAR, 20, 4), draw(two, runner(), YEAR, 20, 4)
    assert np.array_equal(first.scenario, again.scenario, equal_nan=True)
    assert np.array_equal(first.baseline, other.baseline, equal_nan=True)
    assert not np.array_equal(draw(one, runner(), YEAR, 20, 5).baseline, first.baseline, equal_nan=True)


def test_common_draws_make_the_interval_of_a_difference_narrow() -> None:
    drawn = draw(plan("{rate.base: '*1.03'}"), runner(), YEAR, 40, 1)
    at = drawn.names.index("fund.payment")
    level, change = drawn.scenario[:, at], (drawn.scenario - drawn.baseline)[:, at]
    assert change.std() < level.std() / 4
    low, high = drawn.intervals(0.9)["scenario"]["fund.payment"]
    figures = headlines(run(by_path(baseline_of("beijing/2024"), {"rate.base": "*1.03"})), region())
    assert low < figures["fund.payment"] < high


def test_too_few_draws_give_no_interval_and_say_so() -> None:
    for draws, given in ((39, False), (40, True)):
        study = simulate(SAMPLE, ["rate-plus-3"], draws=draws, year=YEAR)
        assert ("baseline_low" in study.headlines.column_names) == given
        assert any("they need 40 draws" in str(note) for note in study.notes) == (not given)


def test_intervals_allow_for_a_spread_that_hangs_on_few_cases() -> None:
    """Means of heavy-tailed cases, from fresh samples: the normal interval of the draws is too narrow, ours is not."""
    rng = np.random.default_rng(8)
    true, held, normal = np.exp(1 / 2), 0, 0
    for _ in range(600):
        cases = rng.lognormal(0, 1, 100)
        means = rng.multinomial(100, np.full(100, 1 / 100), 100) @ cases / 100
        drawn = Draws(("mean",), means[:, None], means[:, None], np.full((2, 1), cases.mean()), {})
        low, high = drawn.intervals(0.9)["baseline"]["mean"]
        held += low <= true <= high
        normal += abs(2 * cases.mean() - means.mean() - true) <= 1.645 * means.std(ddof=1)
    assert normal / 600 < 0.87 < held / 600 < 0.92


def test_even_draws_have_the_interval_of_student() -> None:
    values = np.random.default_rng(2).normal(5, 1, (1000, 1))
    low, high = Draws(("figure",), values, values, np.full((2, 1), 5.0), {}).intervals(0.9)["baseline"]["figure"]
    assert (high - low) / 2 == pytest.approx(1.645 * values.std(ddof=1), rel=0.02)
    assert degrees_of_freedom(np.eye(100)[:, :1]) == LEAST_FREEDOM, "one draw in a hundred decides"


def test_draws_vary_the_case_mix_of_a_hospital() -> None:
    """Groups are drawn as well as cases: the number of cases stays, the case-mix index moves."""
    drawn = draw(plan("{rate.base: '*1.03'}"), runner(), YEAR, 5, 1)
    cmi, cases = (drawn.baseline[:, drawn.names.index(name)] for name in ("cmi", "cases"))
    assert len(set(cases)) == 1
    assert len({round(value, 9) for value in cmi}) == 5


def test_a_draw_of_a_points_budget_closes_on_the_budget() -> None:
    chosen = plan("{payment.method: points}")
    drawn = draw(chosen, runner(), YEAR, 3, 1)
    spent = drawn.scenario[:, drawn.names.index("fund.payment")]
    budget = drawn.scenario[:, drawn.names.index("fund.budget")]
    assert (abs(spent / budget - 1) < 0.03).all()
    assert len(set(spent)) == 3


def test_ranges_are_covered_evenly_by_a_latin_hypercube() -> None:
    drawn = draw(
        plan("{rate.base: '*1'}", more="ranges: {rate.base: ['*0.9', '*1.1'], outlier.low.ratio: [0.2, 0.4]}\n"),
        runner(),
        YEAR,
        10,
        1,
    )
    for path, (low, high) in {"rate.base": (0.9, 1.1), "outlier.low.ratio": (0.2, 0.4)}.items():
        strata = np.floor((drawn.ranges[path] - low) / (high - low) * 10).astype(int)
        assert sorted(strata) == list(range(10)), path


# -- years and sensitivities ----------------------------------------------------------------------------------------------
def test_years_carry_the_balance_of_the_fund() -> None:
    more = "years: {count: 3, each: {cases.volume: '*1.05', fund.budget: '*1.04'}, carry_fund: 1}\n"
    chosen = plan("{rate.base: '*0.97'}", more=more)
    scenario = chosen.scenarios[0]
    assert scenario.file.years is not None
    rows = [
        row
        for row in years_table(chosen, scenario.file.years, scenario.yearly, runner(), YEAR).to_pylist()
        if row["side"] == "scenario"
    ]
    assert [row["year"] for row in rows] == [YEAR, YEAR + 1, YEAR + 2]
    for before, after in pairwise(rows):
        assert after["fund.carried_in"] == pytest.approx(before["fund.balance"], abs=0.01)
        assert after["cases"] == pytest.approx(before["cases"] * 1.05, rel=1e-3)
    assert rows[1]["fund.budget"] == pytest.approx(
        float(fund_yuan("employee") + fund_yuan("resident")) * 1.04 + rows[0]["fund.balance"], abs=1
    )


def test_a_hospital_carries_its_surplus_where_the_budget_says_so() -> None:
    base = (
        "baseline: {policy: beijing/2024, changes: {rate.source: fund, budget.active: true, budget.sharing.carry_over: true}}\n"
    )
    more = "years: {count: 2}\n"
    chosen = plan("{rate.base: '*0.95'}", base, more)
    first = runner().run(chosen.setup, YEAR)
    second = runner().run(chosen.setup, YEAR + 1, first)
    assert first.budget is not None
    assert second.budget is not None
    assert first.budget.carried_out.sum() > 0
    assert (second.budget.cash.due["carried_in"] == first.budget.carried_out).all()


def test_each_change_alone_and_each_end_of_a_range() -> None:
    chosen = plan("{rate.base: '*1.03', outlier.high.multiple: 2.5}", more="ranges: {rate.base: ['*0.98', '*1.02']}\n")
    table, notes = sensitivity_table(chosen, runner(), YEAR)
    rows = {(row["path"], row["kind"]): row for row in table.to_pylist()}
    assert set(rows) == {
        ("rate.base", "alone"),
        ("outlier.high.multiple", "alone"),
        ("rate.base", "low"),
        ("rate.base", "high"),
    }
    assert rows["rate.base", "low"]["fund.balance"] > 0 > rows["rate.base", "high"]["fund.balance"]
    assert notes == []


def test_prepared_cases_of_one_structure_only_are_kept() -> None:
    evaluator = Evaluator(runner(), plan("{rate.base: '*1'}"), YEAR)
    base = baseline_of("beijing/2024")
    for factor in ("*1.01", "*1.02", "*1.03"):
        evaluator.outcome(by_path(base, {"cases.volume": factor}))
    assert len(evaluator._prepared) == 1


# -- commands -------------------------------------------------------------------------------------------------------------
def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_simulate_writes_a_run_that_can_be_compared(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    output = invoke("simulate", SAMPLE, "--scenario", "rate-plus-3", "--output", one)
    assert "fund.balance" in output
    assert "assumptions" in output
    invoke("simulate", SAMPLE, "--scenario", "high-multiple-2.5", "--output", two, "--quiet")
    names = {path.name for path in one.iterdir()}
    assert {
        "run.json",
        "simulation.xlsx",
        "whatif.html",
        "headlines.parquet",
        "hospitals.parquet",
        "decomposition.parquet",
    } <= names
    record = json.loads((one / "run.json").read_text(encoding="utf-8"))
    assert record["scenarios"][0]["baseline"]["policy"] == "beijing/2024"
    assert record["inputs"]["fund.csv"]
    assert record["assumptions"]
    bytes_of = {name: (one / name).read_bytes() for name in names}
    invoke("simulate", SAMPLE, "--scenario", "rate-plus-3", "--output", one, "--quiet")
    assert {name: (one / name).read_bytes() for name in names} == bytes_of  # the same input, the same bytes
    tables = compare_runs(read_run(one), read_run(two))
    row = next(row for row in tables["headlines"].to_pylist() if row["figure"] == "fund.payment")
    assert row["difference"] == pytest.approx(row["second"] - row["first"])
    assert "change rate.base" in tables["made"].column("what").to_pylist()
    assert "rate.base" in invoke("compare", one, two, "--output", tmp_path / "c.xlsx")
    assert (tmp_path / "c.xlsx").stat().st_size > 5000


def test_several_scenarios_and_all_options_in_one_run(tmp_path: Path) -> None:
    grid = tmp_path / "grid.yaml"
    grid.write_text(
        "title: g\nauthor: a\nreference: r\nbaseline: {policy: beijing/2024, changes: {rate.source: fund}}\n"
        "changes: {rate.base: '*1.02'}\ngrid: {outlier.low.ratio: [0.3, 0.4]}\nranges: {rate.base: ['*0.99', '*1.01']}\n"
        "years: {count: 2, each: {cases.volume: '*1.02'}}\n",
        encoding="utf-8",
    )
    invoke(
        "simulate", SAMPLE, "--scenario", grid, "--scenario", "rate-plus-3", "--output", tmp_path / "run", "--draws", 40,
        "--tornado",
        "--solve", "rate.base", "--target", "fund.balance=0", "--decomposition", "shapley", "--quiet",
    )  # fmt: skip
    tables = {path.stem: pq.read_table(path) for path in (tmp_path / "run").glob("*.parquet")}
    assert {"grid", "years", "sensitivity", "solution", "draws"} <= set(tables)
    assert set(tables["headlines"].column("scenario_name").to_pylist()) == {"grid", "rate-plus-3"}
    assert "change_low" in tables["headlines"].column_names
    assert tables["solution"].num_rows == 2
    with pytest.raises(UsageError, match="2 scenarios"):
        compare_runs(read_run(tmp_path / "run"), read_run(tmp_path / "run"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--year", "1999"], "the years are " + ", ".join(map(str, YEARS))),
        (["--decomposition", "shaply"], "did you mean shapley?"),
        (["--solve", "rate.base"], "belong together"),
        (["--solve", "rate.base", "--target", "fund.balanc=0"], "did you mean fund.balance?"),
        (["--scenario", "rate-plus-4"], "did you mean rate-plus-3?"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_write_nothing(arguments: list[str], words: str, tmp_path: Path) -> None:
    given = ["simulate", str(SAMPLE), "--scenario", "rate-plus-3", "--output", str(tmp_path / "x"), *arguments]
    with pytest.raises(DrgsimError, match=words.replace("?", r"\?")) as caught:
        CliRunner().invoke(app, given, catch_exceptions=False)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_scenarios_command_lists_describes_and_checks(tmp_path: Path) -> None:
    assert "rate-plus-3" in invoke("scenarios", "list")
    described = json.loads(invoke("scenarios", "describe", "high-multiple-2.5", "--json"))
    assert described[0]["changes"][0]["new"] == "2.5"
    assert "outlier.high.multiple" in invoke("scenarios", "paths", "--json")
    assert "✓" in invoke("scenarios", "check", "surplus-share-80")
    bad = tmp_path / "bad.yaml"
    bad.write_text("title: t\nauthor: a\nreference: r\nbaseline: beijing/2024\nchanges: {rate.bas: 1}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["scenarios", "check", str(bad)])
    assert result.exit_code == 1
    assert "did you mean rate.base?" in result.output


def test_stacked_scenarios_are_compared_with_the_first_baseline() -> None:
    one, two = written("{rate.base: '*1.03'}", "one"), written("{cases.volume: '*0.95'}", "two", baseline="")
    study = run_study(plans_of([one, two], None, region(), stack=True), region(), runner=runner())
    balance = [row for row in study.tables["headlines"].to_pylist() if row["figure"] == "fund.balance"]
    assert [row["scenario_name"] for row in balance] == ["one", "one+two"]
    assert balance[0]["baseline"] == balance[1]["baseline"]
    assert balance[0]["scenario"] < 0 < balance[1]["scenario"] + 2_000_000


def test_the_python_and_the_scenario_of_the_page_run(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)
    example = re.search(r"```yaml\n(.*?)```", text, re.S)
    assert code is not None
    assert example is not None
    names: dict[str, object] = {}
    exec(compile(code[1], "simulation.md", "exec"), names)
    assert "headlines" in names["study"].tables  # type: ignore[attr-defined]
    parsed = plans_of([parse_scenario(example[1], "example")], None, region())[0]
    assert len(parsed.steps) == 2
    assert f"({len(headline_names())} figures)" in text


def test_a_scenario_that_moves_nothing_is_told() -> None:
    silent, loud = written("{special_review.quota: '*2'}", "silent"), written("{rate.base: '*1.01'}", "loud")
    study = run_study(plans_of([silent, loud], None, region()), region(), runner=runner())
    assert [note.split()[0] for note in study.notes] == ["silent"]
