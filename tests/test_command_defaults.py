"""Defaults from drgsim.toml and variables, exit codes, failures as JSON, and what ``group`` shows without an output."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from tests.commands import run

CASES = "病案号,性别,年龄,主要诊断,手术,总费用,西药费\n007,1,67,I21.001,36.0601,42315.66,100\n008,1,67,X99,39.9500,1.5,0.5\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cases.csv").write_text(CASES, encoding="utf-8")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "user")
    (tmp_path / "user").mkdir()
    return tmp_path


def _grouped_by(folder: Path, *more: str) -> str:
    summary = json.loads(run("group", "cases.csv", "--json", *more, cwd=folder).stdout)
    scheme = summary["scheme"]
    return str(scheme if isinstance(scheme, str) else scheme["id"])


# -- defaults ---------------------------------------------------------------------------------------------------------
def test_what_is_nearer_to_the_call_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _grouped_by(folder) == "chs-drg-2.0"
    (folder / "user" / "drgsim.toml").write_text('scheme = "chs-drg-1.1"\n', encoding="utf-8")
    assert _grouped_by(folder) == "chs-drg-1.1"
    (folder / "drgsim.toml").write_text('scheme = "beijing-2022"\n', encoding="utf-8")
    assert _grouped_by(folder) == "beijing-2022"
    (folder / "drgsim.toml").write_text('scheme = "beijing-2022"\n[group]\nscheme = "wuhan-2022"\n', encoding="utf-8")
    assert _grouped_by(folder) == "wuhan-2022"
    monkeypatch.setenv("DRGSIM_SCHEME", "chs-drg-3.0")
    assert _grouped_by(folder) == "chs-drg-3.0"
    monkeypatch.setenv("DRGSIM_GROUP_SCHEME", "chs-drg-2.0")
    assert _grouped_by(folder) == "chs-drg-2.0"
    assert _grouped_by(folder, "--scheme", "chs-drg-1.1") == "chs-drg-1.1"


def test_config_show_says_what_is_set_and_where(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "drgsim.toml").write_text('scheme = "beijing-2022"\n[group]\nmap-file = "own.yaml"\n', encoding="utf-8")
    monkeypatch.setenv("DRGSIM_SCHEME", "chs-drg-1.1")
    shown = json.loads(run("config", "show", "--json", cwd=folder).stdout)
    entries = [(each["command"], each["option"], each["value"], each["used"]) for each in shown["defaults"]]
    assert entries == [
        ("", "lang", "en", True),  # of the tests
        ("", "scheme", "chs-drg-1.1", True),
        ("group", "map_file", str(folder / "own.yaml"), True),  # beside the file that names it
        ("", "scheme", "beijing-2022", False),
    ]
    assert [each["source"] for each in shown["defaults"][:2]] == ["DRGSIM_LANG", "DRGSIM_SCHEME"]
    assert [each["found"] for each in shown["files"]] == [True, False]
    assert "beijing-2022" in run("config", "show", cwd=folder).stdout


def test_flags_and_lists_are_defaults_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "drgsim.toml").write_text("[group]\nkeep_input = true\n", encoding="utf-8")
    run("group", "cases.csv", "-o", "out.csv", "-q", cwd=folder)
    assert "西药费" in (folder / "out.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    monkeypatch.setenv("DRGSIM_GROUP_KEEP_INPUT", "no")
    run("group", "cases.csv", "-o", "out.csv", "-q", cwd=folder)
    assert "西药费" not in (folder / "out.csv").read_text(encoding="utf-8-sig").splitlines()[0]


def test_unknown_keys_and_variables_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'shceme = "a"\n[grup]\nscheme = "b"\n[group]\nmap = "x=y"\nkeep_input = 3\n[validate]\nmin_grouped = 1\n'
    (folder / "drgsim.toml").write_text(text, encoding="utf-8")
    done = run("group", "cases.csv", "--json", cwd=folder, code=2)
    codes = [each["code"] for each in json.loads(done.stdout)["error"]["problems"]]
    assert sorted(codes) == ["config-bad-value", "config-bad-value", *["config-unknown-key"] * 3]
    assert "did you mean scheme?" in done.stderr
    (folder / "drgsim.toml").write_text("scheme = [", encoding="utf-8")
    assert "config-broken" in run("group", "cases.csv", cwd=folder, code=2).stderr
    (folder / "drgsim.toml").unlink()
    monkeypatch.setenv("DRGSIM_SHCEME", "x")
    assert "did you mean DRGSIM_SCHEME?" in run("group", "cases.csv", cwd=folder).stderr


KEPT = """[columns."H01"]
"主诊ICD" = "principal_diagnosis"
"岁数" = "age"
"旧组" = "drg"

[columns."仁爱*.csv"]
"诊断1" = "principal_diagnosis"
"""


def test_columns_are_kept_for_each_hospital(folder: Path) -> None:
    (folder / "drgsim.toml").write_text(KEPT, encoding="utf-8")
    (folder / "H01_09.csv").write_text("病案号,性别,岁数,主诊ICD,手术\n1,1,67,I21.001,36.0601\n", encoding="utf-8")
    (folder / "仁爱医院.csv").write_text("病案号,性别,年龄,诊断1,手术\n1,1,67,J18.900,\n", encoding="utf-8")
    (folder / "H012.csv").write_text("病案号,性别,岁数,主诊ICD,手术\n1,1,67,I21.001,36.0601\n", encoding="utf-8")
    done = run("group", "H01_09.csv", "仁爱医院.csv", "-o", "out.csv", cwd=folder)
    assert "columns as kept for H01" in done.stdout
    assert "columns as kept for 仁爱*.csv" in done.stdout
    text = (folder / "out.csv").read_text(encoding="utf-8-sig")
    assert [row.split(",")[3].strip('"') for row in text.splitlines()[1:]] == ["FM39", "ES35"]
    run("group", "H012.csv", cwd=folder, code=3)  # another hospital
    summary = json.loads(run("group", "H01_09.csv", "--map", "岁数=age_days", "--json", cwd=folder, code=3).stdout)
    assert summary["error"]["problems"][0]["code"] == "input-missing-column"  # what is said in the call wins
    assert json.loads(run("validate", "H01_09.csv", "--json", cwd=folder).stdout)["kept_columns"] == ["H01"]
    shown = json.loads(run("config", "show", "--json", cwd=folder).stdout)["columns"]
    assert shown[0] == {
        "files": "H01",
        "maps": {"主诊ICD": "principal_diagnosis", "岁数": "age", "旧组": "drg"},
        "source": str(folder / "drgsim.toml"),
    }
    assert "仁爱*.csv" in run("config", "show", cwd=folder).stdout


def test_kept_columns_that_mean_nothing_are_refused(folder: Path) -> None:
    (folder / "drgsim.toml").write_text('[columns."H01"]\n"主诊" = "principal_dx"\n"岁" = 3\n[columns."H02"]\n"a" = "b"\n')
    error = json.loads(run("group", "cases.csv", "--json", cwd=folder, code=2).stdout)["error"]
    assert sorted(each["code"] for each in error["problems"]) == ["config-bad-value", "map-unknown-column"]
    (folder / "drgsim.toml").write_text("columns = 3\n", encoding="utf-8")
    assert "config-bad-value" in run("group", "cases.csv", cwd=folder, code=2).stderr


# -- exit codes and JSON ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("group", "cases.csv", "--scheme", "nowhere-2020"), 2, "scheme-unknown"),
        (("codes", "show", "J18900"), 2, "code-unknown"),
        (("group", "cases.csv", "--format", "letter"), 2, "layout-unknown"),
        (("policy", "show", "nowhere/2020"), 2, "policy-unknown"),
        (("explain", "cases.csv", "--id", "9"), 2, "explain-unknown-id"),
        (("group", "none.csv"), 3, "input-not-found"),
        (("group", "cases.csv", "--no-such-option"), 2, "usage"),
        (("grup",), 2, "usage"),
    ],
)
def test_failures_are_json_where_json_was_asked_for(folder: Path, arguments: tuple[str, ...], code: int, problem: str) -> None:
    error = json.loads(run(*arguments, "--json", cwd=folder, code=code).stdout)["error"]
    assert (error["exit_code"], error["problems"][0]["code"]) == (code, problem)
    assert set(error["problems"][0]) == {"code", "what", "where", "why", "fix"}


def test_failures_are_json_where_a_default_asks_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "drgsim.toml").write_text("[policy.show]\njson = true\n", encoding="utf-8")
    error = json.loads(run("policy", "show", "nowhere/2020", cwd=folder, code=2).stdout)["error"]
    assert error["problems"][0]["code"] == "policy-unknown"
    assert run("group", "none.csv", cwd=folder, code=3).stdout == ""
    monkeypatch.setenv("DRGSIM_GROUP_JSON", "yes")
    assert json.loads(run("group", "none.csv", cwd=folder, code=3).stdout)["error"]["exit_code"] == 3


def test_too_few_grouped_records_are_a_verdict(folder: Path) -> None:
    assert "fewer than" in run("group", "cases.csv", "--min-grouped", "0.9", cwd=folder, code=1).stderr
    run("group", "cases.csv", "--min-grouped", "0.5", cwd=folder)
    done = run("group", "cases.csv", "-o", "out.csv", "--min-grouped", "1", "--json", cwd=folder, code=1)
    assert json.loads(done.stdout)["records"] == 2
    assert (folder / "out.csv").is_file()


# -- group ------------------------------------------------------------------------------------------------------------
def test_group_without_an_output_shows_the_first_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(folder.iterdir())
    shown = run("group", "cases.csv", cwd=folder).stdout
    assert sorted(folder.iterdir()) == before
    assert "FM39" in shown or "FM3" in shown
    assert "nothing was written" in shown
    monkeypatch.setattr("tests.commands._CONSOLE", {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"})
    for scheme in ("chs-drg-2.0", "dip-taian-2025"):
        lines = run("group", "cases.csv", "--scheme", scheme, cwd=folder).stdout.splitlines()
        assert max(map(len, lines)) <= 80


def test_kept_numbers_are_numbers_in_a_sheet_and_codes_stay_texts(folder: Path) -> None:
    run("group", "cases.csv", "--keep-input", "-o", "out.xlsx", "-q", cwd=folder)
    header, first, second = openpyxl.load_workbook(folder / "out.xlsx").active.values
    kept = dict(zip(header, first, strict=True))
    assert (kept["年龄"], kept["总费用"], kept["西药费"], kept["病案号"], kept["手术"]) == (67, 42315.66, 100, "007", "36.0601")
    assert dict(zip(header, second, strict=True))["手术"] == "39.9500"
