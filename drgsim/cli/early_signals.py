"""Signals that end the program, and what answers them while it is still loading: nothing is half made, so it ends at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NoReturn

# signal -> exit code, as shells have it; SIGHUP comes where a terminal or a connection is closed, and Windows knows none
EXIT_CODES = {number: 128 + number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")}
SAID = b"error: stopped: nothing is left half written [interrupted]\n"
SAID_ZH = "错误：已中止，没有留下写了一半的文件 [interrupted]\n".encode()


def unless_ignored(number: signal.Signals, handler: Any) -> Any:
    """Set the handler of a signal and return the one before; a signal that is ignored, as ``nohup`` asks for, stays so."""
    before = signal.getsignal(number)
    if before is not signal.SIG_IGN:
        signal.signal(number, handler)
    return before


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the process with a sentence where a signal comes inside the block."""
    before = {number: unless_ignored(number, _end) for number in EXIT_CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_chinese() -> bool:
    """Whether the call asks for Chinese, as far as is known before anything is loaded."""
    words = sys.argv
    asked = [now for before, now in pairwise(words) if before == "--lang"]
    asked += [word.removeprefix("--lang=") for word in words if word.startswith("--lang=")]
    return (asked or [os.environ.get("DRGSIM_LANG", "")])[-1].lower().startswith("zh")


def _end(number: int, _: object) -> NoReturn:
    try:
        os.write(2, SAID_ZH if _in_chinese() else SAID)
    finally:
        os._exit(128 + number)
