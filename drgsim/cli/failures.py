"""Whatever ends a call of the command line, as a message with a code and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Collection, Sequence
from signal import SIGINT, SIGTERM, Signals

from drgsim.cli.early_signals import EXIT_CODES
from drgsim.errors import DrgsimError, OutputError, Problem
from drgsim.language import text

UNFORESEEN, NO_MEMORY = 70, 71  # exit codes
_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_PERMISSION = {
    errno.EACCES: text("this may not be read or written"), errno.EPERM: text("this may not be done"),
    errno.EROFS: text("this can be read only"),
}  # fmt: skip


class Terminated(BaseException):
    """SIGTERM or SIGHUP came: what is half written is removed on the way out.

    Parameters
    ----------
    signal
        The signal.
    """

    def __init__(self, signal: Signals = SIGTERM) -> None:
        super().__init__(signal)
        self.signal = signal


def failure_of(error: BaseException, arguments: Sequence[str], commands: Collection[str]) -> DrgsimError:
    """The message of what ended a call.

    Parameters
    ----------
    error
        What came up; nothing that drgsim foresees except those of :class:`drgsim.errors.DrgsimError` has a trace worth showing.
    arguments
        Words of the call.
    commands
        Names of all commands, which a report of a fault may state.
    """
    if isinstance(error, DrgsimError):
        return error
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, MemoryError):
        fix = text("give fewer records, draws or years at a time, or a machine with more memory")
        return DrgsimError(
            [Problem("out-of-memory", text("there is not enough memory for this"), fix=fix)], exit_code=NO_MEMORY
        )
    if isinstance(error, KeyboardInterrupt | Terminated):
        came = error.signal if isinstance(error, Terminated) else SIGINT
        by = "Ctrl-C" if came is SIGINT else came.name
        problem = Problem("interrupted", text("stopped by {by}: nothing is left half written", by=by))
        return DrgsimError([problem], exit_code=EXIT_CODES[came])
    return _unforeseen(error, arguments, commands)


def _of_system(error: OSError) -> OutputError:
    """The sentence of what the operating system refuses."""
    where = str(error.filename or "")
    if error.errno in _SPACE:
        fix = text("free some space, and run it again")
        return OutputError.single("disk-full", text("there is no space left to write to"), where=where, fix=fix)
    if error.errno in _PERMISSION:
        fix = text("check the permissions, or choose another place")
        return OutputError.single("no-permission", _PERMISSION[error.errno], where=where, fix=fix)
    return OutputError.single("file-system", error.strerror or str(error), where=where, fix=text("check space and permissions"))


def _unforeseen(error: BaseException, arguments: Sequence[str], commands: Collection[str]) -> DrgsimError:
    """The message of a fault of drgsim itself, with a report to attach."""
    from drgsim.cli.fault_report import place_of, redacted, report_text, write_report

    report_lines = report_text(error, redacted(arguments, commands))
    path = write_report(report_lines)
    if path is None:
        sys.stderr.write(report_lines)
    what = text("drgsim stopped where it should not: {name} at {place_of}", name=type(error).__name__, place_of=place_of(error))
    report = text("this file, which holds") if path else text("the lines above, which hold")
    fix = text("report it as a fault of drgsim with {report} no data of records; --debug shows the trace", report=report)
    problem = Problem("unforeseen", what, where=str(path or ""), why=text("this is no verdict on the input"), fix=fix)
    return DrgsimError([problem], exit_code=UNFORESEEN)
