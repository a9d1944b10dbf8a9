"""Ctrl-C, SIGTERM and SIGHUP end every long command within two seconds, with nothing left behind; real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as pacsv

from drgsim.cli import interrupts
from tests.conftest import ROOT
from tests.sample_region import SAMPLE, YEARS, discharges

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
RECORDS = 400_000
LONGEST = 2.0  # seconds, on a machine that has time for it
COMMANDS = {
    "group": "group cases.csv --scheme chs-drg-2.0 -o out/a.csv --keep-input",
    "broken lines": "group broken.csv --scheme chs-drg-2.0 -o out/a.csv",
    "workbook": "group cases.parquet --scheme chs-drg-2.0 -o out/a.xlsx",
    "validate": "validate cases.csv",
    "settle": "settle cases.csv --policy beijing/2024 --unit-value 13000 -o out/s",
    "dip build": "dip build cases.parquet --years 1 -o out/d --stability 50",
    "synth": "synth --cases 2000000 -o out/r",
    "simulate": "simulate REGION --scenario rate-plus-3 --policy beijing/2024 --draws 100000 -o out/m",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that take their time."""
    folder = tmp_path_factory.mktemp("long")
    year = pq.read_table(discharges(YEARS[-1]))
    table = pa.concat_tables([year] * (RECORDS // year.num_rows + 1)).slice(0, RECORDS)
    pq.write_table(table, folder / "cases.parquet")
    pacsv.write_csv(table, folder / "cases.csv")
    lines = "".join(f"D{number},1,70,I10.x00,,West Road, Block 2\n" for number in range(RECORDS))
    (folder / "broken.csv").write_text("discharge_id,sex,age,diagnoses,procedures,address\n" + lines, encoding="utf-8")
    return folder


def crowd() -> float:
    """How many programs share a core at present."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def stopped(place: Path, command: str, after: float, number: int, more: dict[str, str] | None = None) -> tuple[int, float]:
    """Exit code and seconds to the end of a command that gets a signal after a while."""
    for name in ("out", "temporary"):
        shutil.rmtree(place / name, ignore_errors=True)
        (place / name).mkdir()
    words = command.replace("REGION", str(SAMPLE)).split()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(place / "temporary"), **(more or {})}
    with subprocess.Popen(
        [sys.executable, "-m", "drgsim", *words], cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        time.sleep(after)
        if process.poll() is not None and after > 1:  # a quick machine was done already
            return stopped(place, command, after / 2, number, more)
        sent = time.perf_counter()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        seconds = time.perf_counter() - sent
    shown = [path for path in (place / "out").iterdir() if not path.name.startswith(".")]
    if after > 1 and (shown or (out and b"[interrupted]" not in err)):  # it had its result, and was on the way out
        return stopped(place, command, after / 2, number, more)
    assert b"Traceback" not in err, err
    assert b"[interrupted]" in err, (out, err, process.returncode)
    assert [path for name in ("out", "temporary") for path in (place / name).iterdir()] == [], err
    return process.returncode, seconds


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("number", "code", "after"), [(signal.SIGINT, 130, 4.0), (signal.SIGTERM, 143, 6.0)])
def test_a_signal_ends_every_long_command(place: Path, command: str, number: int, code: int, after: float) -> None:
    ended, seconds = stopped(place, COMMANDS[command], after, number)
    assert ended == code
    assert seconds < LONGEST * crowd()


@pytest.mark.slow
def test_a_closed_terminal_ends_a_command_unless_it_is_ignored(place: Path, tmp_path: Path) -> None:
    ended, seconds = stopped(place, COMMANDS["group"], 4.0, signal.SIGHUP)
    assert ended == 129
    assert seconds < LONGEST * crowd()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["nohup", sys.executable, "-m", "drgsim", *COMMANDS["group"].replace("out/a", "b").split()]
    with subprocess.Popen(words, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2.0)
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert (place / "b.csv").stat().st_size > RECORDS


LOADING = """
import builtins, os, signal
load = builtins.__import__
def loading(name, *more):
    if name == "drgsim.cli.main":
        os.kill(os.getpid(), signal.Signals({number}))
    return load(name, *more)
builtins.__import__ = loading
from drgsim.__main__ import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_program_is_loading_leaves_no_trace(number: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", LOADING.format(number=int(number))]
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (128 + number, b"")
    assert done.stderr == b"error: stopped: nothing is left half written [interrupted]\n"


@pytest.mark.parametrize(
    ("words", "language"), [(["--lang", "zh", "codes"], ""), (["codes", "--lang=zh_CN"], "en"), ([], "zh")]
)
def test_who_asks_for_chinese_is_told_in_chinese_that_it_stopped(words: list[str], language: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DRGSIM_LANG": language}
    call = [sys.executable, "-c", LOADING.format(number=int(signal.SIGINT)), *words]
    done = subprocess.run(call, env=environment, capture_output=True, check=False)
    assert done.stderr.decode() == "错误：已中止，没有留下写了一半的文件 [interrupted]\n"


@pytest.mark.slow
def test_a_signal_ends_the_compiler(place: Path, tmp_path: Path) -> None:
    """The first run of all compiles, in threads that others wait for."""
    ended, seconds = stopped(place, COMMANDS["group"], 8.0, signal.SIGINT, {"NUMBA_CACHE_DIR": str(tmp_path)})
    assert ended == 130
    assert seconds < LONGEST * crowd()


# -- what is removed at once --------------------
def test_what_is_unfinished_is_removed_and_what_is_there_stays(tmp_path: Path) -> None:
    """In a process of its own, since nothing takes its place any more afterwards."""
    program = """
import os, sys
from pathlib import Path
from drgsim.results.whole_outputs import whole_file, whole_folder, write_text
from drgsim.leftovers import abandon, scratch_folder
here = Path(sys.argv[1])
write_text(here / "a.csv", "whole")
with whole_file(here / "a.csv") as one, whole_folder(here / "run", own=["b.csv"]) as two:
    one.write_text("half")
    (two / "b.csv").write_text("half")
    folder = scratch_folder()
    Path(folder.name, "c").write_text("half")
    abandon()
    os._exit(7 if Path(folder.name).exists() else 8)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, check=False)
    assert done.returncode == 8, done.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "whole")]


def test_a_watch_that_saw_nothing_leaves_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interrupts.answered_signals() as watch:
        assert signal.getsignal(signal.SIGTERM) is not before
        assert not watch.told.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1
