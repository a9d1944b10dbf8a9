"""What is written of a fault that drgsim does not foresee: enough to find it, and nothing of the data.

A report holds versions, the command without its values and the names of functions with their lines. Messages of errors, local
variables, paths and source text stay out of it: any of them may hold what stood in a record.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType

from drgsim.version import __version__

HIDDEN = "..."  # stands for a value of the command
LIBRARIES = (
    "numpy", "numba", "pandas", "pyarrow", "typer", "rich", "PyYAML", "python-calamine", "lxml", "xlsxwriter", "pydantic",
    "scikit-learn", "scipy",
)  # fmt: skip
FRAMES = 40  # at each end of a trace that is longer, as endless recursion makes it


def redacted(arguments: Sequence[str], commands: Collection[str]) -> str:
    """A call without its values: names of commands and options stay.

    Examples
    --------
    >>> redacted(["group", "patients.csv", "--scheme=mine", "-o", "out.csv", "--json"], {"group"})
    'group ... --scheme=... -o ... --json'
    """
    words = []
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        option = name.startswith("-") and name.lstrip("-").replace("-", "").isalpha() and name.isascii()
        words.append(f"{name}={HIDDEN}" if option and equals else argument if option or argument in commands else HIDDEN)
    return " ".join(words)


def place_of(error: BaseException) -> str:
    """Module and line of drgsim where an error came up; of another module where drgsim has no part in it."""
    frames = list(walk_tb(error.__traceback__))
    own = [entry for entry in frames if _module(entry[0]).startswith("drgsim.")]
    return "an unknown place" if not frames else "{} line {}".format(*_named((own or frames)[-1]))


def report_text(error: BaseException, call: str) -> str:
    """The report of one fault."""
    lines = [f"drgsim {__version__}", f"call: drgsim {call}", f"Python {platform.python_version()}, {platform.platform()}"]
    lines.append("libraries: " + ", ".join(f"{name} {_version(name)}" for name in LIBRARIES))
    for each in _chain(error):
        lines += ["", f"{type(each).__module__}.{type(each).__qualname__}"]
        lines += _frames(each.__traceback__)
    return "\n".join(lines) + "\n"


def write_report(written: str) -> Path | None:
    """Put a report into the folder of temporary files, for its owner only; None where nothing can be written."""
    name = f"drgsim-fault-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        path = Path(tempfile.gettempdir()) / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(written)
    except OSError:
        return None
    return path


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that led to it, the last first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(trace: TracebackType | None) -> list[str]:
    named = ["  {} line {} in {}".format(*_named(entry), entry[0].f_code.co_name) for entry in walk_tb(trace)]
    if len(named) > 2 * FRAMES:
        named[FRAMES:-FRAMES] = [f"  {HIDDEN} {len(named) - 2 * FRAMES} more {HIDDEN}"]
    return named


def _named(entry: tuple[FrameType, int]) -> tuple[str, int]:
    return _module(entry[0]), entry[1]


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "?"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
