"""What is wrong with a cache, told once: it costs time, never an answer, and is no fault of the input."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from drgsim.errors import Problem
from drgsim.language import text

_told: set[Problem] = set()
_listeners: list[Callable[[Problem], None]] = []


class CacheWarning(UserWarning):
    """A cache could not be used or had to be made again."""


def tell(problem: Problem) -> None:
    """Tell a problem of a cache, each once: to who listens, else as a :class:`CacheWarning`."""
    if problem in _told:
        return
    _told.add(problem)
    if not _listeners:
        warnings.warn(problem.spoken(), CacheWarning, stacklevel=2)
    for listener in _listeners:
        listener(problem)


def listen(listener: Callable[[Problem], None]) -> None:
    """Have the problems of caches told to a function."""
    if listener not in _listeners:
        _listeners.append(listener)


def damaged(folder: str) -> Problem:
    """A file of a cache is not what was written: it is made again."""
    what = text("the cache held a damaged file, which was made again 缓存文件损坏，已重新生成")
    return Problem(
        "cache-damaged", what, where=folder, fix=text("nothing; if it comes again, check the disk of {folder}", folder=folder)
    )


def unused(folder: str, why: str, variable: str) -> Problem:
    """A cache cannot be written or trusted: the call works without it."""
    what = text("the cache in {folder} is not used: {why} 缓存未使用", folder=folder, why=why)
    fix = text("the answers are the same; {variable} names another folder", variable=variable)
    return Problem("cache-unused", what, where=folder, fix=fix)
