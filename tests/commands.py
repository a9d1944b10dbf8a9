"""The program as a user calls it: in this process, which is quick, or in one of its own, as a shell starts it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import chdir, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from drgsim.cli import main as program
from tests.conftest import ROOT

_CONSOLE = {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def run(*arguments: str, cwd: Path | None = None, code: int | None = 0) -> CompletedProcess[str]:
    """Run the program in this process, with a terminal of 100 columns that nobody looks at; None is any ``code``."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    handler, exit_code = signal.getsignal(signal.SIGTERM), 0
    with (
        patch.object(sys, "argv", ["drgsim", *map(str, arguments)]),
        patch.dict(os.environ, _CONSOLE),
        chdir(cwd) if cwd else nullcontext(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            program.main()
        except SystemExit as stop:
            exit_code = int(stop.code or 0)
        finally:
            signal.signal(signal.SIGTERM, handler)
    return _done(arguments, code, exit_code, _text(out), _text(err))


def run_process(*arguments: str, cwd: Path | None = None, code: int | None = 0) -> CompletedProcess[str]:
    """Run the program in a process of its own, with a terminal of 100 columns."""
    environment = {**os.environ, **_CONSOLE, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "drgsim", *arguments], capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment
    )
    return _done(arguments, code, done.returncode, done.stdout, done.stderr)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined, no-any-return]


def _done(arguments: tuple[str, ...], expected: int | None, code: int, out: str, err: str) -> CompletedProcess[str]:
    assert expected is None or code == expected, out + err
    return CompletedProcess(arguments, code, out, err)
