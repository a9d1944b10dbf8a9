"""Files to begin with work as they are, in both languages, and say what each thing is."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
import yaml

import drgsim
from drgsim.errors import DrgsimError, UsageError
from drgsim.language import LANGUAGES, speaking
from tests.commands import run
from tests.reading_chinese import english_in

POLICY = "beijing/2024"
MAKERS = {
    "input": drgsim.new_input, "region": drgsim.new_region, "scenario": drgsim.new_scenario, "policy": drgsim.new_policy,
    "scheme": drgsim.new_scheme, "map": drgsim.new_map,
}  # fmt: skip


@pytest.fixture(scope="module", params=list(LANGUAGES))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The language, and a folder with one skeleton of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    with speaking(request.param):
        for kind, make in MAKERS.items():
            new = make(folder / kind)
            assert {path.relative_to(folder / kind).as_posix() for path in (folder / kind).rglob("*")} == set(new.files)
    return request.param, folder


def test_both_forms_for_discharges_are_grouped_and_settled_alike(made: tuple[str, Path]) -> None:
    _, folder = made
    groups = [drgsim.group(folder / "input" / f"input.{form}", "chs-drg-2.0") for form in ("xlsx", "csv")]
    assert groups[0].to_arrow().to_pylist() == groups[1].to_arrow().to_pylist()
    assert groups[0].status["grouped"] >= 10
    paid = [drgsim.settle(folder / "input" / f"input.{form}", POLICY) for form in ("xlsx", "csv")]
    assert paid[0].record["amount_yuan"] == paid[1].record["amount_yuan"]
    assert paid[0].record["paid"] == 12


def test_cells_of_the_form_are_checked_while_typing(made: tuple[str, Path]) -> None:
    language, folder = made
    book = openpyxl.load_workbook(folder / "input" / "input.xlsx")
    sheet = book.active
    assert sheet is book.worksheets[1]
    head = [str(cell.value) for cell in sheet[1]]
    rules = {str(rule.sqref).split(":")[0][:-1]: rule for rule in sheet.data_validations.dataValidation}
    assert len(rules) == len(head)
    assert all(rule.prompt and rule.promptTitle for rule in rules.values())
    of = {title: rules[openpyxl.utils.get_column_letter(place)] for place, title in enumerate(head, start=1)}
    insurance, cost = ("Insurance", "Total cost") if language == "en" else ("医保类型", "总费用")
    assert of[insurance].formula1.strip('"').split(",")[2] == ("self" if language == "en" else "自费")
    assert of[cost].type == "decimal"


def test_the_region_has_a_budget_and_takes_the_scenario(made: tuple[str, Path]) -> None:
    _, folder = made
    budget = drgsim.budget(folder / "region", POLICY)
    assert budget.hospitals.num_rows == 3
    assert sorted(budget.hospitals["level"].to_pylist()) == ["1", "2", "3"]
    what = drgsim.simulate(folder / "region", folder / "scenario" / "scenario.yaml")
    assert what.changes["path"].to_pylist() == ["rate.base"]
    assert {row["verdict"] for row in what.hospitals.to_pylist()} == {"wins"}
    assert what.record["scenarios"][0]["title_zh"] == "费率上调3%"


def test_policy_scheme_and_map_are_taken(made: tuple[str, Path]) -> None:
    _, folder = made
    assert drgsim.policy_check(folder / "policy").ok
    assert drgsim.schemes_check(folder / "scheme").sound
    cases = folder / "input" / "input.csv"
    paid = [drgsim.settle(cases, policy).record["amount_yuan"] for policy in (folder / "policy", POLICY)]
    assert paid[0] == paid[1]
    reading = drgsim.InputOptions.of(map_file=folder / "map" / "map.yaml")
    groups = [drgsim.group(cases, scheme).to_arrow()["drg"].to_pylist() for scheme in (folder / "scheme", "chs-drg-2.0")]
    assert groups[0] == groups[1]
    assert drgsim.group(cases, "chs-drg-2.0", reading=reading).to_arrow()["drg"].to_pylist() == groups[0]


def test_every_line_of_the_map_can_be_used(made: tuple[str, Path], tmp_path: Path) -> None:
    _, folder = made
    lines = (folder / "map" / "map.yaml").read_text(encoding="utf-8").splitlines()
    entries = yaml.safe_load("\n".join(line[2:] for line in lines if re.match(r"# [^ :]+: [a-z_]+  # ", line)))
    assert len(entries) == len(lines) - 5
    mapped = tmp_path / "map.yaml"
    mapped.write_text(
        yaml.safe_dump({"我的年龄": entries["年龄"], "编号": "discharge_id"}, allow_unicode=True), encoding="utf-8"
    )
    own = tmp_path / "a.csv"
    own.write_text("编号,性别,我的年龄,诊断编码,手术\n1,1,70,I50.101,\n", encoding="utf-8")
    assert drgsim.group(own, "chs-drg-2.0", reading=drgsim.InputOptions.of(map_file=mapped)).status["grouped"] == 1


def test_comments_speak_the_language(made: tuple[str, Path]) -> None:
    language, folder = made
    for name in ("input/README.md", "region/README.md", "scenario/scenario.yaml", "map/map.yaml", "policy/policy.yaml"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        spoken = [line for line in lines if line.startswith("#")] if name.endswith(".yaml") else lines
        assert bool(english_in("\n\n".join(spoken))) == (language == "en"), name


def test_the_command_writes_and_says_what_to_try(tmp_path: Path) -> None:
    done = run("new", "policy", "my-city/2026", cwd=tmp_path)
    assert "drgsim policy check my-city/2026" in " ".join(done.stdout.split())
    assert yaml.safe_load((tmp_path / "my-city/2026/policy.yaml").read_text(encoding="utf-8"))["id"] == "my-city/2026"
    run("new", "scheme", "my-city-2026", "--base", "chs-drg-3.0", cwd=tmp_path)
    assert "my-city-2026" in run("schemes", "check", "my-city-2026", cwd=tmp_path).stdout
    assert "output-exists" in run("new", "map", "my-city-2026", cwd=tmp_path, code=3).stderr
    told = run("settle", "nothing.csv", "--policy", "nowhere/2026", "-o", "x", cwd=tmp_path, code=2).stderr
    assert "drgsim new policy" in " ".join(told.split())
    told = run("budget", "nowhere", "--policy", POLICY, "-o", "x", cwd=tmp_path, code=3).stderr
    assert "drgsim new region" in " ".join(told.split())


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("policy", {"base": "x/1"}, "policy-unknown"),
        ("policy", {"name": "x"}, "policy-bad-name"), ("scheme", {"base": "x"}, "scheme-unknown"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_and_writes_nothing(kind: str, given: dict[str, str], code: str, tmp_path: Path) -> None:
    with pytest.raises(DrgsimError) as caught:
        MAKERS[kind](tmp_path / "x", **given)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert list(tmp_path.iterdir()) == []


# -- one hospital without a list ------------------------------------------------------------------------------------------
CASES = [
    {"discharge_id": str(n), "drg": "FR25", "relative_weight": 1.0, "total_cost": 12000, "insurance": "居民"} for n in range(3)
]
BY_LEVEL = "lanzhou/2025"


def test_a_level_takes_the_place_of_a_list_of_hospitals(tmp_path: Path) -> None:
    of_one = [{**case, "hospital_id": "H"} for case in CASES]
    listed = drgsim.settle(of_one, BY_LEVEL, hospitals={"H": {"level": "3", "grade": "甲"}}, unit_value=100)
    stated = drgsim.settle(of_one, BY_LEVEL, level="3", grade="甲", unit_value=100)
    assert stated.cases["amount"].to_pylist() == listed.cases["amount"].to_pylist()
    assert None not in stated.cases["amount"].to_pylist()
    words = drgsim.settle(CASES, BY_LEVEL, level="三甲", unit_value=100)
    assert words.cases["amount"].to_pylist() == listed.cases["amount"].to_pylist()
    mixed = drgsim.settle([CASES[0], {**CASES[1], "level": "2"}], BY_LEVEL, level="三甲", unit_value=100)
    assert len(set(mixed.cases["coefficient"].to_pylist())) == 2, "what a case states goes before"
    file = tmp_path / "a.csv"
    rows = [CASES[0].keys(), *(case.values() for case in CASES)]
    file.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    call = ["settle", str(file), "--policy", BY_LEVEL, "--unit-value", "100", "-o", str(tmp_path / "out"), "-q"]
    run(*call, "--level", "三级", "--grade", "甲")
    assert run(*call, code=1).stdout == "", "without a level nothing can be paid"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"level": "4x"}, "usage-unknown-level"), ({"grade": "甲"}, "usage-level-twice"),
        ({"level": "3", "hospitals": {"H": {"level": "3"}}}, "usage-level-twice"),
    ],
)  # fmt: skip
def test_a_level_that_makes_no_sense_is_told(given: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        drgsim.settle(CASES, BY_LEVEL, **given)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].fix


def test_one_level_for_several_hospitals_is_refused() -> None:
    cases = [{**CASES[0], "hospital_id": "A"}, {**CASES[1], "hospital_id": "B"}]
    with pytest.raises(UsageError, match="2 hospitals") as caught:
        drgsim.settle(cases, BY_LEVEL, level="3")
    assert caught.value.problems[0].where == "A, B"
