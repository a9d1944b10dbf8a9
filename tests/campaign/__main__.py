"""``python -m tests.campaign``: run a campaign and print its table; exit code 1 when anything failed.

``--minutes`` bounds the time, ``--share`` the numbers (1: 1 M records, 5,000 files, 500 kills, ...), ``--only`` the categories.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from copy import copy
from functools import lru_cache
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer

from tests.campaign.daily_work import inject, soak
from tests.campaign.file_fuzz import fuzz_files, fuzz_yaml
from tests.campaign.process_trials import damage_caches, explode_bombs, fill_disks, kill_calls
from tests.campaign.record_fuzz import fuzz_records
from tests.campaign.tally import Category, Tally

# what a whole run tries of each, and its part of the time; processes come first, as forks of a fresh server
CATEGORIES: dict[str, tuple[Category, int, float]] = {
    "kills": (kill_calls, 500, 0.2),
    "disks": (fill_disks, 60, 0.05),
    "caches": (damage_caches, 60, 0.05),
    "bombs": (explode_bombs, 27, 0.1),
    "records": (fuzz_records, 1_000_000, 0.2),
    "files": (fuzz_files, 5_000, 0.2),
    "yaml": (fuzz_yaml, 2_000, 0.1),
    "injections": (inject, 200, 0.05),
    "soak": (soak, 1_000_000, 0.25),
}
SOAK_SECONDS = 30 * 60  # of a whole run
_made = lru_cache(maxsize=1)(typer.main.get_command)


def _command(app: typer.Typer) -> Any:
    """The commands of the program, made once: making them takes longer than most calls within one process."""
    return copy(_made(app))  # of which each call sets attributes


def campaign(folder: Path, seed: int, share: float = 1.0, minutes: float | None = None, only: tuple[str, ...] = ()) -> Tally:
    """Run a campaign; failing inputs are kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    before, tempfile.tempdir = tempfile.tempdir, None
    try:
        with tempfile.TemporaryDirectory(prefix="drgsim-campaign-") as work:
            get_temp_dir()  # of sockets, whose paths must be short
            tempfile.tempdir = str(folder)  # reports of faults stay with the inputs
            tally = Tally(folder, Path(work), seed)
            for name, (category, number, part) in CATEGORIES.items():
                if only and name not in only:
                    continue
                most = SOAK_SECONDS * share if name == "soak" else float("inf")
                with (
                    patch.object(typer.main, "get_command", _command),
                    tally.within(min(most, 60 * minutes * part if minutes else float("inf"))),
                ):
                    start = time.monotonic()
                    category(tally, max(1, round(number * share)))
                    sys.stderr.write(f"{name}: {time.monotonic() - start:.0f} s\n{tally.table()}\n")
            return tally
    finally:
        tempfile.tempdir = before


def main() -> None:
    """Run a campaign as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--minutes", type=float, help="stop after about so many minutes; by default a whole run")
    parser.add_argument("--share", type=float, default=1.0, help="share of the numbers of a whole run (default 1)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed, shown in the table; by default the clock")
    parser.add_argument("--only", action="append", default=[], choices=list(CATEGORIES), help="only this (repeat for more)")
    parser.add_argument("--keep", type=Path, default=Path("campaign-failures"), help="folder for failing inputs")
    given = parser.parse_args()
    tally = campaign(given.keep, given.seed, given.share, given.minutes, tuple(given.only))
    sys.stdout.write(f"seed {given.seed}\n{tally.table()}\n")
    sys.stdout.writelines(f"FAILED {line}\n" for line in tally.lines)
    sys.exit(1 if tally.lines else 0)


if __name__ == "__main__":
    main()
