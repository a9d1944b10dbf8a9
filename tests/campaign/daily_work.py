"""Injections in everything that is shown or written, and hours of ordinary commands mixed, with the same answers every time."""

from __future__ import annotations

import csv
import resource
import shutil

from drgsim.assets import asset_root
from tests.campaign.forked_calls import digests
from tests.campaign.hostile_values import CELLS
from tests.campaign.tally import Tally
from tests.commands import run

_STEERING = set("\x1b\x07\x7f\x9b\u202e\u2066\r")
_FORMULA = tuple("=+@\t\r＝＋＠")
_GROWTH = 1.5  # of memory over a soak, in times of what the first round took


def inject(tally: Tally, number: int) -> None:
    """Put every hostile cell into ids, names of columns and of files, and look at what is shown and written."""
    category, folder = "injections", tally.work / "injections"
    for place, _ in tally.tries(category, min(number, len(CELLS))):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        cell, path = CELLS[place], folder / "cases.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(["discharge_id", "sex", "age", "diagnoses", "procedures", f"note {cell}", "remark"])
            writer.writerow([f"{cell}1", "1", "70", "I50.101", "", cell, cell])
        shown = ""
        for words in (
            ["group", "cases.csv", "--scheme", "chs-drg-2.0", "-o", "out.csv", "--keep-input"],
            ["validate", "cases.csv", "--scheme", "chs-drg-2.0"], ["explain", "cases.csv", "--id", f"{cell}1"],
            ["policy", "show", cell or "-"], ["settle", "cases.csv", "--policy", "beijing/2024", "-o", "paid.csv"],
        ):  # fmt: skip
            done = run(*words, cwd=folder, code=None)
            shown += done.stdout + done.stderr
            if done.returncode not in (0, 1, 2, 3):
                tally.fail(category, place, f"{words[0]} with {cell!r}: {done.returncode} {done.stderr[-200:]}", path)
        tally.count(category)
        if signs := _STEERING & set(shown):
            tally.fail(category, place, f"{cell!r} put {signs!r} on the terminal", path)
        for name in ("out.csv", "paid.csv"):
            if (folder / name).is_file():
                with (folder / name).open(encoding="utf-8-sig", newline="") as file:
                    runs = [text for row in csv.reader(file) for text in row if text.startswith(_FORMULA)]
                if runs:
                    tally.fail(category, place, f"{name} holds {runs[:3]!r}", path)


def soak(tally: Tally, number: int) -> None:
    """Rounds of ordinary commands in one process: the same bytes every time, and memory that does not grow."""
    category, folder = "soak", tally.work / "soak"
    samples = asset_root("data/samples")
    cases, region = str(samples / "formats" / "records.csv"), samples / "region"
    commands = [
        ["group", cases, "--scheme", "chs-drg-2.0", "-o", "a.csv"],
        ["group", cases, "--scheme", "chs-drg-3.0", "-o", "b.parquet"],
        ["validate", str(region / "discharges-2025.parquet"), "--scheme", "chs-drg-2.0", "--json"],
        ["settle", str(region / "discharges-2025.parquet"), "--policy", "beijing/2024", "-o", "paid"],
        ["explain", "--diagnoses", "I50.101|N18.900", "--sex", "2", "--age", "78"], ["codes", "show", "I50.101"],
        ["policy", "check", "beijing/2024"], ["schemes", "list"],
        ["migrate", cases, "--from", "chs-drg-2.0", "--to", "chs-drg-3.0", "-o", "m"],
    ]  # fmt: skip
    first: dict[int, object] = {}
    memory = 0
    for place, rng in tally.tries(category, number):
        pick = place if place < len(commands) else int(rng.integers(len(commands)))
        words = commands[pick]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        done = run(*words, cwd=folder, code=None)
        tally.count(category)
        result = (done.returncode, digests(folder))
        if done.returncode not in (0, 1) or first.setdefault(pick, result) != result:
            tally.fail(
                category,
                place,
                f"{' '.join(words)}: {done.returncode}, another answer than before: {done.stderr[-200:]}",
                folder,
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if place == 3 * len(commands):
            memory = peak
    if memory and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _GROWTH * memory:
        tally.fail(
            category, number, f"memory grew from {memory:,} to {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:,} KiB"
        )
