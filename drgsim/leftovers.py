"""Names of what a process has half made, so that a later one can tell what the dead left behind and remove it.

A name holds the machine (with its space of processes, as containers have their own), the process and a number drawn for it.
Only what a dead process of this machine made is removed; what cannot be told stays.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import RLock
from weakref import WeakSet

moving = RLock()  # held while what is finished takes its place, which nothing may interrupt
_IN_USE: set[str] = set()  # marks of this process whose work goes on
_UNFINISHED: set[Path] = set()
_SCRATCHES: WeakSet[tempfile.TemporaryDirectory[str]] = WeakSet()
_SCRATCH = "drgsim-"
_MARK = re.compile(r"([0-9a-f]{8})\.([0-9]{1,10})\.[0-9a-f]{8}")


@contextmanager
def own_mark() -> Iterator[str]:
    """A mark for the names of what is being made, in use until the block ends: ``machine.process.number``."""
    mark = _new_mark()
    try:
        yield mark
    finally:
        _IN_USE.discard(mark)


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for what is laid out on disk for a while; those that killed calls left are removed first."""
    home = Path(tempfile.gettempdir())
    for path in dead(home, _SCRATCH, ""):
        shutil.rmtree(path, ignore_errors=True)
    folder = tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{_new_mark()}.")
    _SCRATCHES.add(folder)
    return folder


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Name a file or folder that :func:`abandon` is to remove while the block goes on."""
    _UNFINISHED.add(path)
    try:
        yield
    finally:
        _UNFINISHED.discard(path)


def abandon() -> None:
    """Remove all that is unfinished, and let nothing take its place any more; for a process that ends at once."""
    moving.acquire()  # never given back
    quiet = 0
    for _ in range(100):  # other threads go on meanwhile, and may write once more
        there = [path for path in (*_UNFINISHED, *(Path(each.name) for each in list(_SCRATCHES))) if os.path.lexists(path)]
        quiet = 0 if there else quiet + 1
        if quiet == 3:
            break
        for path in there:
            remove(path)
        time.sleep(0.002)


def dead(folder: Path, before: str, after: str) -> list[Path]:
    """What dead processes of this machine left in a folder under names ``before mark after``, sorted.

    Parameters
    ----------
    folder
        Where to look; one that is not there holds nothing.
    before, after
        What stands around the mark; an empty ``after`` fits whatever follows.
    """
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(before) and entry.name.endswith(after)):
                continue
            rest = entry.name[len(before) : len(entry.name) - len(after)]
            mark = _MARK.match(rest) if not after else _MARK.fullmatch(rest)
            if mark is not None and _is_dead(mark[0], mark[1], int(mark[2])):
                found.append(Path(entry.path))
    return sorted(found)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; what cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


def _new_mark() -> str:
    mark = f"{_machine()}.{os.getpid()}.{secrets.token_hex(4)}"
    _IN_USE.add(mark)
    return mark


def _is_dead(mark: str, machine: str, process: int) -> bool:
    if machine != _machine() or mark in _IN_USE:
        return False
    return process == os.getpid() or not _runs(process)


def _runs(process: int) -> bool:
    """Whether a process may be running; yes where that cannot be asked without harm."""
    if os.name == "nt":  # there a signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@lru_cache(maxsize=1)
def _machine() -> str:
    """This machine and its space of processes, in 8 digits: two containers may have one name, but not one space."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]
