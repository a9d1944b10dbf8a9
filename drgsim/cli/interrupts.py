"""Ctrl-C, SIGTERM and SIGHUP are answered at once, whatever the program is doing.

Python tells its main thread of a signal between two steps of its own. A step may be long: a kernel over millions of records, a
compiler, a thread that is waited for. Beside the exception that unwinds the main thread, a thread watches: when the process is
still there after a moment, it removes what is unfinished and ends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any, NoReturn

from drgsim.cli.early_signals import EXIT_CODES, SAID, unless_ignored
from drgsim.cli.failures import Terminated
from drgsim.leftovers import abandon

GRACE = 0.5  # seconds to unwind in


class Watch:
    """The thread that ends a process which does not end by itself.

    Attributes
    ----------
    told
        Set once the user was told.
    came
        The signal that came; None for none.
    """

    def __init__(self) -> None:
        self.told = Event()
        self.came: signal.Signals | None = None
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)  # as signal handlers have to write
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        Thread(target=self._watch, name="signals", daemon=True).start()

    def stop(self) -> None:
        """Watch no more, unless a signal came: then the way out is watched too."""
        if self.came is None:
            signal.set_wakeup_fd(self._before)
            self._writer.close()

    def meant(self, error: BaseException) -> BaseException:
        """The signal that came, where one did: compiled code tells of it as a fault of its own."""
        if self.came is None:
            return error
        return KeyboardInterrupt() if self.came is signal.SIGINT else Terminated(self.came)

    def _watch(self) -> None:
        while number := self._reader.recv(1):
            if number[0] in EXIT_CODES:
                self.came = signal.Signals(number[0])
                self._reader.settimeout(GRACE)
                with contextlib.suppress(OSError):
                    self._reader.recv(1)  # a second signal waits for nothing
                self._end(EXIT_CODES[self.came])
        self._reader.close()

    def _end(self, code: int) -> NoReturn:
        abandon()
        if not self.told.is_set():
            with contextlib.suppress(OSError):
                os.write(2, SAID)
        os._exit(code)


@contextlib.contextmanager
def answered_signals() -> Iterator[Watch]:
    """Answer signals inside the block."""
    before = {number: unless_ignored(number, _raise) for number in EXIT_CODES}
    watch, unraisable = Watch(), sys.unraisablehook
    sys.unraisablehook = lambda told: None if told.exc_type in (KeyboardInterrupt, Terminated) else unraisable(told)
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        watch.stop()
        if watch.came is None:  # on the way out after a signal, the compiler may still tell of it
            sys.unraisablehook = unraisable


def _raise(number: int, _: Any) -> NoReturn:
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(signal.Signals(number))
