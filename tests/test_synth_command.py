"""``drgsim synth`` at the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from drgsim.cli import main as program


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["drgsim", "synth", *words])
    try:
        program.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_json_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--hospitals", "4", "--cases", "500", "--years", "2023-2024", "--seed", "3", "--dirty", "0.02")
    assert run(monkeypatch, *words, "--output", str(tmp_path / "r"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cases"] == 500
    assert told["synthetic"] is True
    assert sum(told["years"].values()) == 500
    assert told["dirty"] == 10
    assert (tmp_path / "r" / "discharges-2024.parquet").is_file()


def test_table_and_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--hospitals", "3", "--cases", "100", "-o", str(tmp_path / "a")) == 0
    assert "Synthetic region" in capsys.readouterr().out
    assert run(monkeypatch, "--hospitals", "3", "--cases", "100", "-o", str(tmp_path / "b"), "-q") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--years", "2024-2022"), "synth-years"),
        (("--cases", "10"), "synth-cases"),
        (("--dirty", "3"), "synth-dirty"),
        (("--hospitals", "0"), "synth-hospitals"),
    ],
)
def test_a_call_that_makes_no_sense_exits_with_2(
    words: tuple[str, ...],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "-o", str(tmp_path / "r"), *words) == 2
    assert code in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_an_existing_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "mine.txt").write_text("x")
    assert run(monkeypatch, "-o", str(tmp_path / "r"), "--cases", "100", "--hospitals", "2") == 3
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["mine.txt"]


def test_priors_are_exported_and_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--export-priors", str(tmp_path / "mine")) == 0
    assert "people.yaml" in capsys.readouterr().out
    assert not (tmp_path / "r").exists()
    words = ("--hospitals", "3", "--cases", "90", "--priors", str(tmp_path / "mine"), "-o", str(tmp_path / "r"))
    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr().out
    assert "people.yaml" in told
    assert "assumed" in told
    assert run(monkeypatch, "-o", str(tmp_path / "s"), "--priors", str(tmp_path / "none")) == 3
    assert "synth-priors-folder" in capsys.readouterr().err


def test_a_region_needs_a_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--cases", "100") == 2
    assert "usage-no-output" in capsys.readouterr().err
