"""Files of parameters of every kind: read strictly, changed by path, filled in where a policy lacks a section."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from drgsim.analysis.supervision_limits import supervision_settings
from drgsim.authoring.dip.dip_spec import load_spec
from drgsim.budgets.calibration import load_settings
from drgsim.budgets.terms import load_terms
from drgsim.cli.main import app
from drgsim.errors import DrgsimError, Problem, UsageError
from drgsim.money import MISSING
from drgsim.parameters.evidence import Evidence
from drgsim.parameters.option_pairs import parse_pairs
from drgsim.parameters.strict_file import parse_strict
from drgsim.payment.policy import PolicyError, load_policy, read_folder
from drgsim.payment.settlement import settle
from drgsim.quality.quality_rules import quality_limits
from drgsim.simulation.scenario import ScenarioError, load_scenario, parse_scenario
from drgsim.simulation.study import plan_of
from tests.conftest import ROOT
from tests.simulating import BEIJING, HEAD, plan, region

TABLES = ROOT / "payment_tables"
RUN = CliRunner()


def _policy(path: Path) -> object:
    folder = path.parent / "city" / "2024"
    folder.mkdir(parents=True)
    path.rename(folder / "policy.yaml")
    return load_policy(folder)


FILES: dict[str, tuple[Path, Callable[[Path], object]]] = {
    "policy": (TABLES / "qingyang" / "2023" / "policy.yaml", _policy),
    "budget": (TABLES / "budget.yaml", load_terms),
    "spec": (TABLES / "dip-specs" / "dip-2.0.yaml", load_spec),
    "calibration": (TABLES / "beijing" / "calibration.yaml", load_settings),
    "scenario": (ROOT / "scenarios" / "rate-plus-3.yaml", load_scenario),
}
IMPOSSIBLE = {
    "a day that does not exist": ("x: 2024-02-30", "unreadable"),
    "a tag that does not fit": ("x: !!int abc", "unreadable"),
    "a flag that is none": ("x: !!bool abc", "unreadable"),
    "a timestamp that is none": ("x: !!timestamp abc", "unreadable"),
    "a mapping that is none": ("x: !!map abc", "unreadable"),
    "an unknown tag": ("x: !!python/object:os.system {}", "unreadable"),
    "a key that is a list": ("? [a, b]\n: 1", "unreadable"),
    "3,000 lists in each other": ("x: " + "[" * 3000 + "]" * 3000, "unreadable"),
    "200 lists in each other": ("x: " + "[" * 200 + "]" * 200, "unreadable"),
    "a list that holds itself": ("x: &a [*a]", "unreadable"),
    "a number of 5,000 digits": (f"x: {'9' * 5000}", "unreadable"),
    "a number of 4,000 digits": (f"x: {'9' * 4000}", "bad-value"),
    "no number": ("x: .nan", "bad-value"),
    "an infinite number": ("x: [1.0, -.inf]", "bad-value"),
    "half a character": ('x: "\\ud800"', "bad-value"),
    "a control character": ("x: \x01", "unreadable"),
    "an open bracket": ("x: [", "unreadable"),
    "a key twice": ("x: 1\nx: 2", "duplicate-name"),
    "an unknown key": ("x: 1", "unknown-name"),
    "no mapping": (None, "unreadable"),
    "no text": (b"\xff\xfe\xff", "unreadable"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_read_is_told_with_a_code_of_its_kind(kind: str, case: str, tmp_path: Path) -> None:
    shipped, load = FILES[kind]
    added, code = IMPOSSIBLE[case]
    path = tmp_path / "file.yaml"
    text = shipped.read_text(encoding="utf-8")
    path.write_bytes(added if isinstance(added, bytes) else (f"{text}\n{added}\n" if added else "- a list\n").encode())
    with pytest.raises(DrgsimError) as caught:
        load(path)
    assert f"{kind}-{code}" in [problem.code for problem in caught.value.problems]
    assert {problem.code.split("-")[0] for problem in caught.value.problems} == {kind}
    assert all(problem.where for problem in caught.value.problems)


def test_an_alias_of_aliases_has_an_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ScenarioError, match="scenario-unreadable"):
        load_scenario(path)


@pytest.mark.parametrize("load", [load_policy, load_terms, load_spec, load_scenario])
@pytest.mark.parametrize("name", ["a" * 5000, "no\0name", "a\ud800b", "..", "/", "~"])
def test_a_name_that_no_file_can_have_is_unknown(load: Callable[[str], object], name: str) -> None:
    with pytest.raises(DrgsimError) as caught:
        load(name)
    assert "unknown" in caught.value.problems[0].code


def test_true_is_no_number_and_sources_are_those_that_are_listed(tmp_path: Path) -> None:
    text = FILES["budget"][0].read_text(encoding="utf-8")
    assert "growth: {value: 0.05" in text
    path = tmp_path / "budget.yaml"
    path.write_text(text.replace("growth: {value: 0.05", "growth: {value: true", 1), encoding="utf-8")
    with pytest.raises(DrgsimError, match=r"index\.growth\.value is true, no number"):
        load_terms(path)


def test_every_kind_lists_its_values_with_their_evidence() -> None:
    sets = [load_policy("beijing/2024"), load_terms("general"), load_spec("dip-2.0"), quality_limits()]
    for each in sets:
        assert each.parameters
        assert all(parameter.unit is not None and parameter.evidence in Evidence for parameter in each.parameters)
        assert all(parameter in each.parameters for parameter in each.assumptions)


@pytest.mark.parametrize(
    ("change", "code", "fix"),
    [
        ({"index.grwth": 1}, "budget-unknown-path", "did you mean index.growth?"),
        ({"budget.index.growth": "*x"}, "budget-bad-value", "write a plain value"),
        ({"index.growth": "*2"}, None, ""),
        ({"index.growth": "*1e308"}, "budget-bad-value", ""),
        ({"index.growth": float("nan")}, "budget-bad-value", ""),
        ({"sharing.use": "*2"}, "budget-bad-value", ""),
        ({"index.growth.value.more": 1}, "budget-unknown-path", ""),
        ({"index": 5}, "budget-unknown-path", ""),
    ],
)  # fmt: skip
def test_changes_that_make_no_sense_are_told(change: dict[str, Any], code: str | None, fix: str) -> None:
    terms = load_terms("general")
    if code is None:
        assert terms.changed(change).file.index.growth.value == terms.file.index.growth.value * 2
        return
    with pytest.raises(DrgsimError) as caught:
        terms.changed(change)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert fix in caught.value.problems[0].fix


def test_relative_changes_go_for_specifications_and_limits_too() -> None:
    spec = load_spec("dip-2.0")
    changed = spec.changed({"core.minimum_cases": "*2", "score.scale": "-1"}, "me")
    assert changed.file.core.minimum_cases.value == spec.file.core.minimum_cases.value * 2
    assert changed.file.score.scale.value == spec.file.score.scale.value - 1
    assert (changed.file.score.scale.source, changed.file.score.scale.evidence) == ("me", Evidence.ASSUMPTION)
    assert changed.digest != spec.digest
    assert (
        supervision_settings({"repeat_within_days": "+5"}).repeat_within_days.value
        == 5 + supervision_settings().repeat_within_days.value
    )


# -- sections that a policy lacks --------------------------------------------------------------------------------------


def test_a_psychiatric_section_pays_the_marked_cases_of_beijing_per_day() -> None:
    base = load_policy("beijing/2024")
    cases = pa.table({
        "drg": ["FF19"] * 3, "insurance": ["employee", "resident", "employee"], "hospital_level": ["3"] * 3,
        "total_cost": [30000.0] * 3, "los_days": [40, 40, 40], "per_diem": [True, True, False],
    })  # fmt: skip
    before = settle(cases, base)
    after = settle(cases, base.changed({"per_diem.rate.employee": 500, "per_diem.rate.resident": 400}, "psychiatry"))
    assert after.amount.tolist()[:2] == [40 * 50000, 40 * 40000]
    assert before.amount[0] != after.amount[0]
    assert before.amount[2] == after.amount[2] != MISSING, "a case without the mark is paid as before"
    assert after.table["case_class"].to_pylist()[:2] == ["per_diem", "per_diem"]


def test_what_is_added_by_path_gets_unit_source_and_evidence() -> None:
    base = load_policy("beijing/2024")
    changed = base.changed({"per_diem.rate.employee": 500, "readmission": {"within_days": 15, "factor": 0.5}}, "a question")
    rate = changed.file.per_diem.rate if changed.file.per_diem else None
    assert rate is not None
    assert (rate.values, rate.unit, rate.source, rate.evidence) == (
        {"employee": 500},
        "yuan per day",
        "a question",
        "assumption",
    )
    assert changed.file.readmission is not None
    assert (changed.file.readmission.within_days.value, changed.file.readmission.within_days.unit) == (15, "days")
    assert changed.file.readmission.factor.evidence is Evidence.ASSUMPTION
    assert "a question" in changed.file.sources
    assert changed.prices is base.prices
    assert changed.digest != base.digest
    assert base.file.per_diem is None
    added = {parameter.path for parameter in changed.parameters} - {parameter.path for parameter in base.parameters}
    assert added == {"per_diem.rate", "readmission.within_days", "readmission.factor"}


def test_a_class_of_groups_is_added_whole_and_states_its_own_evidence_where_it_has_some() -> None:
    base = load_policy("beijing/2024")
    entry = {"tags": ["精神类"], "pays": "per_diem", "source": "rulebook-g", "evidence": "secondary"}
    changed = base.changed({"group_classes.psychiatric": entry, "group_classes": {"day_case": {"pays": "by_item"}}})
    found = changed.file.group_classes
    assert list(found) == ["by_item", "psychiatric", "day_case"]
    assert (found["psychiatric"].evidence, found["day_case"].evidence) == ("secondary", "assumption")
    assert found["day_case"].title == "day_case"


def test_a_whole_mapping_changes_what_it_names_and_leaves_the_rest() -> None:
    policy = load_policy("zhejiang/2025")
    assert policy.file.readmission is not None
    changed = policy.changed({"readmission": {"within_days": 30}, "unit_value": {"employee": 110.5}})
    assert changed.file.readmission is not None
    assert changed.file.readmission.within_days.value == 30
    assert changed.file.readmission.factor == policy.file.readmission.factor
    assert changed.file.unit_value is not None
    assert changed.file.unit_value.values["employee"] == 110.5


@pytest.mark.parametrize(
    ("path", "written", "fix"),
    [
        ("per_dim.rate.employee", 500, "did you mean per_diem.rate.employee?"),
        ("per_diem.rat.employee", 500, "did you mean per_diem.rate.employee?"),
        ("per_diem.rate.employe", 500, "employee"),
        ("per_diem", {"rat": {"employee": 500}}, "did you mean rate?"),
        ("group_classes.by_itm.pays", "curve", "did you mean group_classes.by_item.pays?"),
        ("unit_value.employe", 3, "employee"),
        ("stays.long_days.vale", 3, "did you mean stays.long_days.value?"),
        ("readmission.factor", "*0.5", "plain value"),
        ("single_disease.table", "mine.csv", "drgsim policy new"),
        ("curves.main.pieces.9.upto", 3, ""),
        ("", 3, ""),
    ],
)  # fmt: skip
def test_only_what_the_model_knows_can_be_added(path: str, written: Any, fix: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy("beijing/2024").changed({path: written})
    assert fix in str(caught.value)


def test_a_scenario_adds_sections_by_the_same_paths() -> None:
    made = plan("{per_diem.rate.employee: 500, readmission: {within_days: 15, factor: 0.5}}", BEIJING)
    assert [(step.path, step.old, step.new) for step in made.steps] == [
        ("per_diem.rate.employee", "none", "500"), ("readmission", "none", "within_days 15, factor 0.5"),
    ]  # fmt: skip
    assert made.steps[0].unit == "yuan per day"
    for changes, code in (
        ("{per_diem.rate.employe: 500}", "scenario-impossible-value"),
        ("{per_diem.rat.employee: 500}", "scenario-unknown-path"),
        ("{per_diem.rate.employee: -500}", "scenario-impossible-value"), ("{title: x}", "scenario-unknown-path"),
        ("{readmission: {within_days: 15, factor: -1}}", "scenario-impossible-value"),
    ):  # fmt: skip
        with pytest.raises(ScenarioError) as caught:
            plan_of([parse_scenario(HEAD + BEIJING + f"changes: {changes}", "bad")], None, region())
        assert [problem.code for problem in caught.value.problems] == [code], changes


# -- options -----------------------------------------------------------------------------------------------------------
def test_options_are_read_as_what_they_look_like() -> None:
    read = parse_pairs(
        ["a=1", "b=0.5", "c=*1.03", "d=-5", "e=by-item", "f=true", "g=[1, 2]", "h={x: 1}", "i=5e7", "j=010", "k=+0"]
    )
    assert read == {
        "a": 1, "b": 0.5, "c": "*1.03", "d": "-5", "e": "by-item", "f": True, "g": [1, 2], "h": {"x": 1}, "i": 5e7, "j": 10,
        "k": "+0",
    }  # fmt: skip
    with pytest.raises(UsageError) as caught:
        parse_pairs(["a", "b=nan", "c=[1", "d=*x", "e=-inf", "f={x: .inf}"])
    assert len(caught.value.problems) == 6
    assert {problem.code for problem in caught.value.problems} == {"usage-no-pair", "usage-bad-value", "usage-unreadable"}


# -- a policy to begin with --------------------------------------------------------------------------------------------
def test_a_new_policy_checks_clean_and_settles(tmp_path: Path) -> None:
    folder = tmp_path / "my-city" / "2026"
    done = RUN.invoke(app, ["policy", "new", "my-city/2026", "--base", "beijing/2024", "--output", str(folder)])
    assert done.exit_code == 0, done.output
    assert RUN.invoke(app, ["policy", "check", str(folder)]).exit_code == 0
    policy, problems = read_folder(folder)
    assert policy is not None
    assert not problems
    assert {parameter.evidence for parameter in policy.parameters} == {Evidence.ASSUMPTION}
    assert {parameter.source for parameter in policy.parameters} == {"beijing-2024"}
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    assert "# per_diem: Payment per bed day" in text
    assert "beijing/2024: secondary, rulebook-1.8" in text
    base = load_policy("beijing/2024")
    cases = pa.table(
        {"drg": ["ES15", "FR21"], "insurance": ["employee"] * 2, "total_cost": [9000.0, 50000.0], "los_days": [7, 70]}
    )
    assert settle(cases, policy).amount.tolist() == settle(cases, base).amount.tolist()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["my city"], "policy-bad-name"), (["../x/2026"], "policy-bad-name"), (["beijing/2024"], "policy-name-taken"),
        (["my-city/2026", "--base", "bejing/2024"], "policy-unknown"), (["my-city/2026"], "output-exists"),
    ],
)  # fmt: skip
def test_a_new_policy_takes_no_place_of_another(arguments: list[str], code: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    done = RUN.invoke(app, ["policy", "new", *arguments, "--output", str(tmp_path)])
    assert isinstance(done.exception, DrgsimError)
    assert [problem.code for problem in done.exception.problems] == [code]
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_thresholds_have_one_name_with_and_without_their_section() -> None:
    plain, whole = (quality_limits().changed({name: 20}) for name in ("newborn_days", "thresholds.newborn_days"))
    assert plain.file == whole.file
    assert plain.file.thresholds["newborn_days"].value == 20


# -- ranges --------------------
@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("unit_value.*", -5, "is -5.0, below 0"),
        ("unit_value.*", 1e12, "above 1e+09"),
        ("unit_value.*", True, "is true, no number"),
        ("unit_value.*", "5", "is the text '5', no number"),
        ("unit_value.*", float("nan"), "is nan, no finite number"),
        ("unit_value.*", float("-inf"), "is -inf, no finite number"),
        ("coefficient.default", 0, "not above 0"),
        ("coefficient.default", 2e6, "above 1e+06"),
        ("relative_value.scale", 0, "not above 0"),
        ("stays.long_days", -1, "below 0"),
        ("stays.long_days", 1e9, "above 36500"),
        ("deposit", 1.01, "above 1"),
        ("adjustment_fund", -0.01, "below 0"),
        ("curves.main.bands.0.K", 5e6, "above 1e+06"),
        ("extreme_cap", 1.5, "above 1"),
    ],
)
def test_a_parameter_keeps_to_the_range_of_its_unit(path: str, value: Any, said: str) -> None:
    policy = load_policy("beijing/2024")
    with pytest.raises(PolicyError) as caught:
        policy.changed({path: value})
    assert [problem.code for problem in caught.value.problems] == ["policy-bad-value"]
    assert said in caught.value.problems[0].what


@pytest.mark.parametrize(
    ("load", "changed"),
    [(load_terms, {"quality.weights.cmi": 1e300}), (load_spec, {"score.scale": 1e300}), (load_terms, {"index.growth": 1e300})],
)
def test_no_number_of_any_file_is_beyond_all_that_is_paid(load: Callable[[str], Any], changed: dict[str, Any]) -> None:
    name = "dip-2.0" if load is load_spec else "general"
    with pytest.raises(DrgsimError, match="-bad-value"):
        load(name).changed(changed)


@pytest.mark.parametrize(
    "pays",
    [
        "1e308*1e308*k", "1e999*k", "k*1000000000*10", "k/1e-300", " + ".join(["k"] * 3000), "(" * 3000 + "k" + ")" * 3000,
        "-" * 190 + "k", "9" * 5000 + "*k", "k\0", "k**2", "k if k else r", "__import__('os')", "k*nan", "1j*k", "True*k", "",
    ],
)  # fmt: skip
def test_an_expression_of_a_curve_is_short_and_its_numbers_are_plausible(pays: str, tmp_path: Path) -> None:
    text = FILES["policy"][0].read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    raw["curves"]["main"]["pieces"][-1]["pays"] = pays
    path = tmp_path / "file.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    if pays.startswith("---"):  # many signs are odd and still a rule
        _policy(path)
        return
    with pytest.raises(DrgsimError) as caught:
        _policy(path)
    assert caught.value.problems
    assert {problem.code for problem in caught.value.problems} == {"policy-bad-value"}


@pytest.mark.parametrize(("text", "value"), [("5e-05", 5e-05), ("1E+3", 1000.0), ("1E5", "1E5"), ("'5e-05'", "5e-05")])
def test_a_number_with_an_exponent_is_one_and_a_code_like_it_is_not(text: str, value: object) -> None:
    problems: list[Problem] = []
    assert parse_strict(f"x: {text}", "policy", problems, "here") == {"x": value}
    assert not problems
