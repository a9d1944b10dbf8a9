"""A level of hospitals may be written in many words; every place that takes one understands all of them alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from drgsim.authoring.dip.hospital_levels import levels_of
from drgsim.errors import InputError, UsageError
from drgsim.payment.policy import PolicyError, load_policy
from drgsim.payment.price_table import read_prices
from drgsim.payment.unit_value import pot_of, with_unit_value
from drgsim.records.vocabulary import level_keys
from drgsim.region.hospital_list import read_group_coefficients, read_hospitals
from drgsim.simulation.curve_changes import change_multiple
from drgsim.simulation.paths import find
from drgsim.simulation.scenario import ScenarioError, parse_change
from drgsim.simulation.setup_hospitals import hospital_fits, hospitals_of
from drgsim.simulation.simulated_region import Region
from tests.payment_policies import codes_of, keyed, policy_with, settled
from tests.sample_region import hospitals_by_size
from tests.simulating import baseline_of, by_path, frequent_groups, plan, region

WORDS = {
    "三级": "3", "三": "3", "3": "3", "３": "3", "tertiary": "3", "Tertiary": "3", "level 3": "3", "三级未定等": "3",
    "三甲": "3a", "三级甲等": "3a", "3a": "3a", "3A": "3a", "3甲": "3a", "level 3a": "3a", "三级甲等综合医院": "3a",
    "二级": "2", "secondary": "2", "2": "2", "二乙": "2b", "二级乙等": "2b", "2B": "2b",
    "三级医院": "3", "三级甲等医院": "3a", "三甲医院": "3a", "III级": "3", "Ⅲ级": "3", "Ⅲ级甲等": "3a", "Ⅱ级": "2",
    "一级": "1", "primary": "1", "1": "1", "未定级": "0", "unrated": "0", "0": "0",
}  # fmt: skip
RATES = {"3a": 13.0, "3": 3.0, "2b": 12.0, "2": 2.0, "1": 1.0, "0": 0.5}
each_word = pytest.mark.parametrize(("word", "key"), WORDS.items())


def policy_by_level(tmp_path: Path, rates: dict[str, float]) -> Path:
    return policy_with(tmp_path, {"unit_value": keyed(rates, "yuan")})


def paid(folder: Path, hospitals: Path | None = None, **columns: str) -> float:
    known = read_hospitals(hospitals) if hospitals else None
    result = settled(folder, known, drg="A", relative_value=1.0, total_cost=[1.0], hospital_id="H1", **columns)
    return float(result.table["unit_value"][0].as_py())


@each_word
def test_in_a_column_of_the_cases_and_in_hospitals_csv(tmp_path: Path, word: str, key: str) -> None:
    folder = policy_by_level(tmp_path, RATES)
    assert paid(folder, hospital_level=word) == RATES[key]
    listed = tmp_path / "hospitals.csv"
    listed.write_text(f"hospital_id,level\nH1,{word}\n", encoding="utf-8")
    assert paid(folder, listed) == RATES[key]
    history = pa.record_batch({"hospital_level": [word]})
    assert levels_of(history, "hospital_level", None).tolist() == [int(key[0])]


@each_word
def test_as_key_of_a_policy_and_in_a_band(tmp_path: Path, word: str, key: str) -> None:
    folder = policy_by_level(tmp_path, {word: 7.0, f"{word}/职工": 8.0, "*": 1.0})
    assert paid(folder, hospital_level=key) == 7.0
    assert paid(folder, hospital_level=key, insurance="employee") == 8.0
    changed = load_policy(folder).changed({f"unit_value.{word}": "*2"})
    assert changed.file.unit_value is not None
    assert changed.file.unit_value.values[key] == 14.0
    pieces = [{"case_class": "normal", "upto": "K", "pays": "k"}, {"case_class": "high", "pays": "k*(1+r-K)"}]
    bands = [{"when": {"levels": [word]}, "K": 2}, {"K": 3}]
    curve = {"unit": "ratio", "source": "test", "evidence": "assumption", "bands": bands, "pieces": pieces}
    banded = load_policy(policy_with(tmp_path, {"curves": {"main": curve}}))
    assert banded.file.curves["main"].bands[0].when.levels == (key,)


@each_word
def test_in_tables_beside_a_policy(tmp_path: Path, word: str, key: str) -> None:
    table = tmp_path / "a" / "b" / "weights.csv"
    table.parent.mkdir(parents=True)
    table.write_text(f"drg,weight,standard_{word}_职工\nA,1,5\n", encoding="utf-8")
    problems: list[object] = []
    prices = read_prices(table, load_policy("beijing/2024").file, problems)  # type: ignore[arg-type]
    assert prices is not None, problems
    assert prices.numbers[f"standard_{key}_employee"].tolist() == [5.0]
    listed = tmp_path / "k.csv"
    listed.write_text(f"level,hospital_id,drg,coefficient\n{word},,A,1.2\n", encoding="utf-8")
    assert read_group_coefficients(listed).levels == {(key, "A"): 1.2}


@each_word
def test_in_paths_of_scenarios_and_in_options(word: str, key: str) -> None:
    match, rate = find(f"outlier.high.multiple.{word}"), find(f"rate.{word}/resident")
    assert match is not None
    assert rate is not None
    assert (match.words["level"], rate.words["rate_key"]) == (key, f"{key}/resident")
    given = with_unit_value(load_policy("beijing/2024"), {f"{word}/职工": 100.0}).file.unit_value
    assert given is not None
    assert given.values == {f"{key}/employee": 100.0}
    hospital = replace(next(iter(region().hospitals.values())), level=key, grade="")
    small = Region(region().folder, region().discharges, {"H": hospital})
    assert hospital_fits(small, "H", "level", level_keys(word)[0])
    edited = by_path(baseline_of("beijing/2024"), {f"hospitals.hospital.{hospitals_by_size()[0]}.level": word})
    changed = hospitals_of(edited, region())[hospitals_by_size()[0]]
    assert level_keys(changed.level, changed.grade)[0][:1] == key[0]


def test_hospitals_of_a_level_are_chosen_by_any_of_its_words() -> None:
    names = [entry for word in ("3", "tertiary", "三级", "level 3") for entry in
             [by_path(baseline_of("beijing/2024"), {f"hospitals.level.{word}.in_drg": False})]]  # fmt: skip
    assert {setup.hospitals[0].key for setup in names} == {"3"}
    setup = by_path(baseline_of("beijing/2024"), {"cases.volume.level.三级.insurance.职工": "*1.1"})
    assert setup.cases[0].selector == (("level", "三级"), ("insurance", "职工"))


def test_a_technology_and_the_terms_of_a_budget_know_the_words() -> None:
    adrg = frequent_groups("adrg")[0]
    setup = by_path(
        baseline_of("beijing/2024", "{budget.active: true}"),
        {
            "new_technology.robot": {"adrg": [adrg], "share": 0.5, "cost": 9000, "level": ["三级", "二乙"]},
            "budget.index.moved.values.三级": 0.2, "budget.capitation.levels": ["一级", "secondary"],
        },
    )  # fmt: skip
    assert setup.technologies[0].level == ("3", "2b")
    assert setup.budget is not None
    assert setup.budget.file.capitation.levels.value == ("1", "2")
    assert setup.budget.file.index.moved.values["3"] == 0.2


def test_a_multiple_of_a_level_reaches_its_grades_and_one_of_a_grade_leaves_the_rest() -> None:
    policy = load_policy("beijing/2024")
    whole, *_ = change_multiple(policy, parse_change("outlier.high.multiple.3a", 2.5), "3a")
    assert [(band.K, band.when.levels) for band in whole.file.curves["main"].bands] == [(2.5, ("3a",)), (3.0, ())]
    again, old, new = change_multiple(whole, parse_change("outlier.high.multiple.3", "*2"), "3")
    assert [(band.K, band.when.levels) for band in again.file.curves["main"].bands] == [(5, ("3a",)), (6, ("3",)), (3, ())]
    assert (old, new) == ((2.5, 3.0), (5.0, 6.0))


def test_a_budget_may_name_its_payers_by_their_words() -> None:
    policy = load_policy("national/2.0")
    assert pot_of(policy, {"职工": 10.0, "居民": 5.0}, 1.0) == {"employee": 1000, "resident": 500}
    with pytest.raises(UsageError, match="settle-bad-budget"):
        pot_of(policy, {"职工": 10.0, "employee": 5.0}, 1.0)


def test_roman_numbers_are_levels_in_a_column_and_classes_where_a_policy_has_them(tmp_path: Path) -> None:
    by_level, by_class = policy_by_level(tmp_path, RATES), load_policy("harbin/2023").file.unit_value
    assert [paid(by_level, hospital_level=word) for word in ("III", "Ⅲ", "II", "Ⅰ")] == [3.0, 3.0, 2.0, 1.0]
    assert paid(by_level, hospital_level="III", hospital_grade="甲等") == 13.0
    assert levels_of(pa.record_batch({"hospital_level": ["III"]}), "hospital_level", None).tolist() == [3]
    assert by_class is not None
    for place in ({"hospital_level": "3", "hospital_grade": "III"}, {"hospital_level": "Ⅲ"}):
        assert (
            paid(policy_by_level(tmp_path, by_class.values), insurance="resident", **place) == by_class.values["III/resident"]
        )
    for word in ("III", "Ⅲ", "II/职工"):  # a class of its own that no hospital of a level would be in
        with pytest.raises(PolicyError, match="for the level write"):
            load_policy(policy_by_level(tmp_path, {word: 5.0, "*": 1.0}))
        with pytest.raises(UsageError, match="for the level write"):
            with_unit_value(load_policy("beijing/2024"), {word: 5.0})


# -- unknown words -----------------------------------------------------------------------------------------------------
def test_an_unknown_level_of_cases_or_hospitals_is_told(tmp_path: Path) -> None:
    folder = policy_by_level(tmp_path, {"*": 5.0})
    result = settled(folder, drg="A", relative_value=1.0, total_cost=[1.0, 1.0, 1.0], hospital_level=["tertary", "3", "IV"])
    problem = next(entry for entry in result.problems if entry.code == "settle-unknown-level")
    assert problem.what.startswith("1 cases")
    assert (problem.where, problem.fix) == ("tertary", "did you mean tertiary?")


def test_an_unknown_level_of_a_policy_an_option_or_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="did you mean tertiary"):
        load_policy(policy_by_level(tmp_path, {"tertary": 5.0}))
    with pytest.raises(PolicyError, match="is no level, payer"):
        load_policy(policy_by_level(tmp_path, {"三级手术": 5.0}))
    with pytest.raises(PolicyError, match="mean the same"):
        load_policy(policy_by_level(tmp_path, {"三级": 5.0, "3": 6.0}))
    with pytest.raises(UsageError, match="did you mean tertiary"):
        with_unit_value(load_policy("beijing/2024"), {"tertary": 5.0})
    listed = tmp_path / "k.csv"
    listed.write_text("level,hospital_id,drg,coefficient\ntertary,,A,1.2\n", encoding="utf-8")
    with pytest.raises(InputError, match="coefficients-level"):
        read_group_coefficients(listed)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ("{outlier.high.multiple.tertary: 2}", "outlier.high.multiple.tertiary"),
        (f"{{hospitals.hospital.{hospitals_by_size()[0]}.level: tertary}}", "tertiary"),
        ("{hospitals.level.9.in_drg: false}", "the region has"),
        ("{cases.volume.level.9: '*1.1'}", "for instance"),
    ],
)
def test_an_unknown_level_of_a_scenario_is_refused(changes: str, hint: str) -> None:
    with pytest.raises(ScenarioError, match=hint):
        plan(changes)


def test_a_citys_own_classes_stay_what_they_are(tmp_path: Path) -> None:
    folder = policy_by_level(tmp_path, {"A": 4.0, "p3a": 9.0, "3": 3.0})
    assert paid(folder, hospital_level="3", hospital_grade="A") == 4.0
    assert paid(folder, hospital_level="3", hospital_grade="p3a") == 9.0
    assert "settle-unknown-level" not in codes_of(
        settled(folder, drg="A", relative_value=1.0, total_cost=[1.0], hospital_level="A")
    )
