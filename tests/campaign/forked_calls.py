"""Calls in processes of their own that start at once: a server has loaded everything, and every call is its fork."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.campaign.loaded_program"])


@dataclass(frozen=True)
class Ended:
    """How a call ended: its exit code (negative: the signal), what it said, and whether it took too long."""

    code: int
    said: str
    late: bool = False


def call(
    words: list[str],
    cwd: Path,
    *,
    signal_at: tuple[int, float] | None = None,
    limits: dict[int, int] | None = None,
    environment: dict[str, str] | None = None,
    seconds: float = 120,
    said: Path | None = None,
) -> Ended:
    """Call the program; ``signal_at`` sends a signal after so many seconds, ``limits`` are those of :mod:`resource`.

    What it says goes to a file in the folder ``said``, by default the one it is called in.
    """
    said = (said or cwd) / ".said"
    process = _CONTEXT.Process(target=_run, args=(words, str(cwd), str(said), limits or {}, environment or {}))
    process.start()
    while not said.exists() and process.is_alive():  # from here on the program answers signals itself
        time.sleep(0.001)
    if signal_at is not None:
        process.join(signal_at[1])
        if process.is_alive():
            os.kill(process.pid or 0, signal_at[0])
    process.join(seconds)
    late = process.is_alive()
    if late:
        process.kill()
        process.join()
    text = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    said.unlink(missing_ok=True)
    return Ended(process.exitcode or 0, text, late)


def _run(words: list[str], cwd: str, said: str, limits: dict[int, int], environment: dict[str, str]) -> None:
    from drgsim.cli.early_signals import ended_at_once

    with ended_at_once():
        _call(words, cwd, said, limits, environment)


def _call(words: list[str], cwd: str, said: str, limits: dict[int, int], environment: dict[str, str]) -> None:
    from drgsim.cli import main as program

    os.chdir(cwd)
    os.environ.update(environment)
    with open(said, "w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2))
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))
    sys.argv = ["drgsim", *words]
    program.main()


def crowd() -> float:
    """How many programs share a core at present: what a call may take grows with them."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def seconds_of(words: list[str], cwd: Path) -> tuple[float, Ended]:
    """How long a call takes, and how it ends."""
    start = time.monotonic()
    ended = call(words, cwd)
    return time.monotonic() - start, ended


def digests(path: Path) -> Any:
    """What a file or folder holds; None where there is none."""
    if path.is_file():
        return path.read_bytes()
    if not path.is_dir():
        return None
    return {str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()}
