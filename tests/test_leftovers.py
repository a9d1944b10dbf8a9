"""What a killed call left is removed by the next one of the same target; what is another's stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drgsim import leftovers
from drgsim.results.whole_outputs import whole_file, whole_folder
from tests.conftest import ROOT

WRITER = """
import sys, time
from pathlib import Path
from drgsim.results.whole_outputs import whole_file, whole_folder
give = whole_folder if sys.argv[1] == "folder" else whole_file
with give(sys.argv[2]) as beside:
    (beside / "part.csv" if sys.argv[1] == "folder" else beside).write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""
SCRATCH = """
import time
from pathlib import Path
from drgsim.leftovers import scratch_folder
folder = scratch_folder()
Path(folder.name, "cases.csv").write_text("a patient")
print(folder.name, flush=True)
time.sleep(60)
"""


def started(code: str, *words: str, **more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **more}
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_next_call_removes_what_a_killed_one_left_and_nothing_of_the_living(tmp_path: Path, kind: str) -> None:
    target, give = tmp_path / "结果", whole_folder if kind == "folder" else whole_file
    dying, _ = started(WRITER, kind, str(target))
    killed(dying)
    assert len(hidden(tmp_path)) == 1
    living, _ = started(WRITER, kind, str(target))  # removes what the first one left
    try:
        of_the_living = hidden(tmp_path)
        assert len(of_the_living) == 1
        assert f".{living.pid}." in of_the_living[0]
        elsewhere = tmp_path / of_the_living[0].replace(f".{leftovers._machine()}.", ".00000000.")  # another machine's
        elsewhere.write_text("")
        (tmp_path / ".结果.backup.part").write_text("the user's")
        with give(tmp_path / "other") as beside:
            beside.touch()
        with give(target) as beside:
            beside.touch()
        assert set(hidden(tmp_path)) == {*of_the_living, elsewhere.name, ".结果.backup.part"}
    finally:
        killed(living)
    with give(target) as beside:
        beside.touch()
    assert set(hidden(tmp_path)) == {elsewhere.name, ".结果.backup.part"}


def test_an_earlier_result_that_a_killed_call_had_put_aside_comes_back(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, text=True, check=True
    )
    aside = tmp_path / f".out.{leftovers._machine()}.{dead.stdout.strip()}.0123abcd.old"
    aside.mkdir()
    (aside / "a.csv").write_text("earlier")
    with pytest.raises(KeyError), whole_folder(tmp_path / "out", own=["a.csv"]):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a.csv").read_text() == "earlier"


def test_records_that_a_killed_call_had_laid_out_on_disk_are_removed(tmp_path: Path) -> None:
    dying, left = started(SCRATCH, TMPDIR=str(tmp_path))
    assert Path(left, "cases.csv").is_file()
    killed(dying)
    living, kept = started(SCRATCH, TMPDIR=str(tmp_path))
    try:
        assert list(tmp_path.iterdir()) == [Path(kept)]
    finally:
        killed(living)


@pytest.mark.skipif(os.name == "nt", reason="rights of another kind")
@pytest.mark.parametrize(("umask", "folder", "file"), [(0o022, 0o755, 0o644), (0o077, 0o700, 0o600), (0o002, 0o775, 0o664)])
def test_files_and_folders_have_the_rights_of_the_umask(tmp_path: Path, umask: int, folder: int, file: int) -> None:
    before = os.umask(umask)
    try:
        with whole_folder(tmp_path / "above" / "out") as beside, whole_file(beside / "a.csv") as inner:
            inner.write_text("a")
    finally:
        os.umask(before)
    rights = [
        path.stat().st_mode & 0o777
        for path in (tmp_path / "above", tmp_path / "above" / "out", tmp_path / "above" / "out" / "a.csv")
    ]
    assert rights == [folder, folder, file]


def test_long_names_are_written(tmp_path: Path) -> None:
    target = tmp_path / ("病" * 80 + ".csv")
    with whole_file(target) as beside:
        beside.write_text("a")
    assert target.read_text() == "a"
