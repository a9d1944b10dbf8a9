"""What the command line shows a reader of Chinese: help, tables, progress and errors, with no English sentence in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from drgsim.assets import sample_path
from drgsim.cli.main import app
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.language import choose_language, current_language, spoken, text
from tests.commands import run, run_process
from tests.reading_chinese import english_in

CASES = str(bundled_cases("chs-drg-2.0"))


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DRGSIM_LANG", "zh")
    yield
    choose_language(None)


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*words, name))


def _small(folder: Path) -> str:
    """Thirty cases with a cost, an insurance and a level."""
    table = pd.read_csv(CASES, dtype=str).head(30)
    table["total_cost"], table["insurance"], table["hospital_level"] = "12000.50", "employee", "3"
    table["hospital_id"] = "H01"
    table.to_csv(folder / "cases.csv", index=False)
    return str(folder / "cases.csv")


# -- help -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", sorted(_commands(typer.main.get_command(app))), ids=" ".join)
def test_the_help_of_every_command_is_chinese(words: tuple[str, ...]) -> None:
    shown = run(*words, "--help").stdout
    assert shown.lstrip().startswith("用法：")
    assert "选项" in shown
    assert english_in(re.sub(r"\[默认：[^]]*\]", "", shown)) == []  # a default may be the title that goes into a file


def test_help_breaks_lines_within_chinese_and_loses_nothing() -> None:
    shown = run("settle", "--help").stdout
    assert "…" not in shown.replace("文本…", "")  # nothing is cut off
    assert "hospitals.csv：hospital_id、level、grade" in shown


def test_calls_that_make_no_sense_are_told_in_chinese() -> None:
    for words, said in (
        (("settl",), "没有命令 'settl'"),
        (("settle", CASES), "缺少选项 '--policy'"),
        (("settle", "--nothing"), "没有选项：--nothing"),
        (("simulate", "region", "--year", "abc", "--output", "o"), "'--year' 的值不对"),
        (("synth", "--cases"), "选项 '--cases' 需要一个值"),
    ):
        told = run(*words, code=2).stderr
        assert said in told
        assert english_in(told) == [], words
    assert run("group", "--help", "--lang", "en").stdout.lstrip().startswith("Usage:")  # typer's own words are whole again


# -- which language ---------------------------------------------------------------------------------------------------
def test_the_nearest_word_on_the_language_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "user")
    missing = ("group", "nothing.csv")
    assert "位置" in run(*missing, cwd=tmp_path, code=3).stderr
    assert "where" in run("--lang", "en", *missing, cwd=tmp_path, code=3).stderr
    assert "where" in run(*missing, "--lang=en_GB", cwd=tmp_path, code=3).stderr
    monkeypatch.delenv("DRGSIM_LANG")
    monkeypatch.setattr("drgsim.language.chosen._language_of_system", lambda: "en")
    assert "where" in run(*missing, cwd=tmp_path, code=3).stderr
    (tmp_path / "drgsim.toml").write_text('lang = "zh"\n', encoding="utf-8")
    assert "位置" in run(*missing, cwd=tmp_path, code=3).stderr
    assert "lang" in run("config", "show", cwd=tmp_path).stdout
    assert current_language() == "en"  # what a call spoke ends with it


def test_languages_that_nobody_speaks_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "user")
    assert "usage-unknown-language" in run("config", "show", "--lang", "fr", cwd=tmp_path, code=2).stderr
    (tmp_path / "drgsim.toml").write_text('lang = "fr"\n', encoding="utf-8")
    assert "config-bad-value" in run("config", "show", cwd=tmp_path, code=2).stderr


def test_english_waits_for_no_translations() -> None:
    code = "import sys, drgsim.cli.main; print([m for m in sys.modules if m.partition('.')[0] == 'babel'])"
    assert run_code(code) == "[]"


def run_code(code: str) -> str:
    """What Python prints of some code."""
    import subprocess
    import sys

    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


# -- what commands show -----------------------------------------------------------------------------------------------
def test_commands_show_no_english_sentence(tmp_path: Path) -> None:
    cases = _small(tmp_path)
    calls = [
        ("group", cases), ("group", cases, "-s", "chs-drg-2.0", "-o", "g.csv", "--coding-checks"),
        ("explain", "--diagnoses", "I21.001|I10.x00", "--sex", "1", "--age", "65", "--brief"),
        ("schemes", "list"), ("codes", "show", "I21.001"), ("codes", "search", "心肌梗死", "--limit", "3"),
        ("config", "show"), ("policy", "list"), ("scenarios", "list"), ("dip", "specs"),
        ("settle", cases, "--policy", "beijing/2024", "--scheme", "chs-drg-2.0", "-o", "s"),
        ("migrate", cases, "--from", "chs-drg-2.0", "--to", "chs-drg-3.0", "-o", "m"),
    ]  # fmt: skip
    for words in calls:
        done = run(*words, cwd=tmp_path)
        assert english_in(done.stdout + done.stderr) == [], words
    assert "入组" in run("group", cases, "-s", "chs-drg-2.0", "-o", "h.csv", cwd=tmp_path).stdout
    checked = run("validate", cases, cwd=tmp_path, code=None).stdout
    assert english_in(checked) == []


def test_errors_say_in_chinese_what_where_why_and_what_to_do(tmp_path: Path) -> None:
    cases = _small(tmp_path)
    for words in (
        ("settle", cases, "--policy", "nowhere/2024", "-o", "s"),
        ("settle", cases, "--policy", "beijing/2024", "-o", "s", "--set", "unit_value=nothing"),
        ("explain", cases, "--id", "nobody"), ("explain",), ("schemes", "show", "chs-drg-2.0", "--adrg", "FR22"),
        ("budget", str(tmp_path), "-o", "b"), ("simulate", str(tmp_path), "--scenario", "nothing", "-o", "w"),
        ("scenarios", "describe", "nothing"), ("codes", "search", "x", "--kind", "y"),
        ("dip", "build", cases, "-o", "d", "--years", "x"), ("weights", cases, "-o", "w", "--years", "x"),
        ("switch", cases, "--from", "chs-drg-2.0", "--to", "nothing", "-o", "x"), ("synth", "-q"),
    ):  # fmt: skip
        done = run(*words, cwd=tmp_path, code=None)
        assert done.returncode in (2, 3), (words, done.stdout, done.stderr)
        assert english_in(done.stderr) == [], (words, done.stderr)


def test_problems_in_json_keep_codes_and_speak_to_the_reader() -> None:
    told = run("group", "nothing.csv", "--json", code=3).stdout
    assert '"code": "input-not-found"' in told
    assert english_in(told) == []


@pytest.mark.slow
def test_a_region_is_settled_budgeted_and_simulated_in_chinese(tmp_path: Path) -> None:
    region = str(sample_path("region"))
    for words in (
        ("budget", region, "--policy", "beijing/2024", "-o", "b"),
        ("simulate", region, "--scenario", "surplus-share-80", "-o", "w"),
        ("switch", region, "--from", "chs-drg-2.0", "--to", "chs-drg-3.0", "-o", "x"),
    ):
        done = run(*words, cwd=tmp_path)
        assert english_in(done.stdout + done.stderr) == [], words


def test_a_process_of_its_own_speaks_chinese_too() -> None:
    assert "按病种付费" in run_process("--help").stdout
    assert spoken(text("write zh or en"), "zh") == "请写 zh 或 en"
