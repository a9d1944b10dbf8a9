"""How a call ends that does not end well: a message with a code, an exit code of its own, and nothing of the data."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from drgsim.cli import main as program
from drgsim.cli.failures import Terminated
from drgsim.cli.fault_report import report_text, write_report
from drgsim.errors import InputError
from tests.conftest import ROOT

SECRET = "张三 110101199003077777"
ENDS = {  # what ends a call: its exit code and the code of its message
    "a fault": (KeyError(SECRET), 70, "unforeseen"),
    "endless recursion": (RecursionError(SECRET), 70, "unforeseen"),
    "an assertion": (AssertionError(SECRET), 70, "unforeseen"),
    "too little memory": (MemoryError(), 71, "out-of-memory"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted"),
    "SIGTERM": (Terminated(), 143, "interrupted"),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device", "out.csv"), 3, "disk-full"),
    "a forbidden file": (PermissionError(errno.EACCES, "Permission denied", "out.csv"), 3, "no-permission"),
    "a broken disk": (OSError(errno.EIO, "Input/output error", "in.csv"), 3, "file-system"),
    "bad input": (InputError.single("input-not-found", "there is no file"), 3, "input-not-found"),
}


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Reports go to a folder of the test, and signals are as before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    yield monkeypatch
    signal.signal(signal.SIGTERM, before)


def _raise(error: BaseException) -> None:
    patient = SECRET
    raise error from ValueError(patient)


def _end(monkeypatch: pytest.MonkeyPatch, error: BaseException, *more: str) -> object:
    """The exit code of a call that this error ends."""
    monkeypatch.setattr(sys, "argv", ["drgsim", "group", "/home/who/patients.csv", "--scheme", "our-own", "--map=A=b", *more])
    monkeypatch.setattr(program, "_called", lambda *_: _raise(error))
    with pytest.raises(SystemExit) as left:
        program.main()
    return left.value.code


@pytest.mark.parametrize("case", ENDS)
def test_every_end_has_its_code_and_none_is_a_verdict(
    case: str, ended: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error, code, name = ENDS[case]
    assert _end(ended, error, "--json") == code
    shown = capsys.readouterr()
    answer = json.loads(shown.out)["error"]
    assert (answer["exit_code"], [problem["code"] for problem in answer["problems"]]) == (code, [name])
    assert f"[{name}]" in shown.err
    assert "Traceback" not in shown.err
    assert len(list(tmp_path.iterdir())) == (name == "unforeseen")


def test_a_report_names_places_and_versions_and_nothing_of_the_data(
    ended: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert _end(ended, KeyError(SECRET)) == 70
    (path,) = tmp_path.iterdir()
    shown = capsys.readouterr().err.replace(str(path), "")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
    for part in (*SECRET.split(), "who", "patients", "our-own", "A=b", str(ROOT)):
        assert part not in text
        assert part not in shown
    assert "call: drgsim group ... --scheme ... --map=...\n" in text
    assert re.search(r"builtins\.KeyError\n  drgsim\.cli\.main line \d+ in _run\n", text)
    assert "builtins.ValueError" in text  # what led to it
    assert "numpy " in text


@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_the_trace(how: str, ended: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if how == "variable":
        ended.setenv("DRGSIM_DEBUG", "1")
    assert _end(ended, KeyError("x"), *(["--debug"] if how == "option" else [])) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_shown(
    ended: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ended.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert write_report("x") is None
    assert _end(ended, KeyError(SECRET)) == 70
    shown = capsys.readouterr().err
    assert "builtins.KeyError" in shown
    assert SECRET not in shown


def test_a_trace_without_end_is_cut() -> None:
    def down() -> None:
        down()

    with pytest.raises(RecursionError) as caught:
        down()
    assert len(report_text(caught.value, "").splitlines()) < 120


def _run(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "drgsim", *words]
    return subprocess.run(call, cwd=ROOT, text=True, stderr=subprocess.PIPE, timeout=120, **more)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_goes_away_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    done = _run("policy", "list", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_output_that_does_not_fit_is_told() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = _run("policy", "list", stdout=full)
    assert done.returncode == 3
    assert "[disk-full]" in done.stderr


def test_a_command_that_is_none_ends_with_2() -> None:
    assert _run("grop", stdout=subprocess.DEVNULL).returncode == 2
    assert _run("group", "--nope", stdout=subprocess.DEVNULL).returncode == 2
