"""Ctrl-C and SIGTERM are answered at once, whatever the program is doing.

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

from drgsim.cli.failures import INTERRUPTED, TERMINATED, Terminated
from drgsim.leftovers import abandon

GRACE = 0.5  # seconds to unwind in
_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_SAID = b"error: stopped: nothing is left half written [interrupted]\n"


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
        return KeyboardInterrupt() if self.came is signal.SIGINT else Terminated()

    def _watch(self) -> None:
        while number := self._reader.recv(1):
            if number[0] in _CODES:
                self.came = signal.Signals(number[0])
                self._reader.settimeout(GRACE)
                with contextlib.suppress(OSError):
                    self._reader.recv(1)  # a second signal waits for nothing
                self._end(_CODES[self.came])
        self._reader.close()

    def _end(self, code: int) -> NoReturn:
        abandon()
        if not self.told.is_set():
            with contextlib.suppress(OSError):
                os.write(2, _SAID)
        os._exit(code)


@contextlib.contextmanager
def answered_signals() -> Iterator[Watch]:
    """Answer signals inside the block."""
    before = signal.signal(signal.SIGTERM, _terminated)
    watch, unraisable = Watch(), sys.unraisablehook
    sys.unraisablehook = lambda told: None if told.exc_type in (KeyboardInterrupt, Terminated) else unraisable(told)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGTERM, before)
        watch.stop()
        if watch.came is None:  # on the way out after a signal, the compiler may still tell of it
            sys.unraisablehook = unraisable


def _terminated(*_: Any) -> NoReturn:
    raise Terminated
