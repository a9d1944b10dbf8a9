"""How large an input may be: what asks for more memory or time than a file of discharges can need is refused, and told why.

``DRGSIM_LIMIT_CELLS`` and its like, or the table ``[limits]`` of ``drgsim.toml``, set another limit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from drgsim.errors import InputError, Problem, UsageError

PREFIX = "DRGSIM_LIMIT_"
TABLE = "limits"  # of drgsim.toml


class Limit(NamedTuple):
    """A limit.

    Attributes
    ----------
    name
        Its key.
    value
        What holds when nobody sets another.
    unit
        What is counted.
    why
        What more of it would cost.
    """

    name: str
    value: int
    unit: str
    why: str


LIMITS = {
    limit.name: limit
    for limit in (
        Limit("cells", 50_000_000, "cells of one sheet or table", "a workbook is read whole, and blank cells take memory too"),
        Limit("columns", 16_384, "columns", "spreadsheets have no more, and no form of discharges comes near"),
        Limit("workbook_bytes", 1 << 30, "bytes of a workbook or page, unpacked", "a workbook is read whole"),
        Limit("json_bytes", 1 << 29, "bytes of one JSON value", "one value is held in memory; lines are read one by one"),
        Limit("unpacked_bytes", 1 << 36, "bytes of a file that is unpacked", "it fills the disk, or never ends"),
        Limit("seconds", 0, "seconds of a call, 0 for any", "somebody waits for it"),
    )
}
VARIABLES = tuple(f"{PREFIX}{name}".upper() for name in LIMITS)
_set: dict[str, int] = {}


def limit(name: str) -> int:
    """A limit as it holds: of the variable, else of the configuration file, else the one that comes with drgsim.

    Raises
    ------
    UsageError
        ``limit-bad-value``: the variable holds no whole number.

    Examples
    --------
    >>> limit("columns")
    16384
    """
    variable = f"{PREFIX}{name}".upper()
    text = os.environ.get(variable)
    if text is None:
        return _set.get(name, LIMITS[name].value)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError([Problem("limit-bad-value", f"{variable} is {text!r}", fix="give a whole number")])
    return int(text)


def set_limits(values: Mapping[str, object], where: str) -> list[Problem]:
    """Take the limits of a configuration file where none is set yet; what is wrong with them."""
    problems = []
    for name, value in values.items():
        if name not in LIMITS:
            fix = f"limits are {', '.join(LIMITS)}"
            problems.append(Problem("config-unknown-key", f"{name!r} is no limit", where=f"{where}: [{TABLE}]", fix=fix))
        elif type(value) is not int or value < 0:
            what = f"the limit {name} is {value!r}"
            problems.append(Problem("config-bad-value", what, where=f"{where}: [{TABLE}]", fix="give a whole number"))
        else:
            _set.setdefault(name, value)
    return problems


def check(name: str, found: int, path: Path, place: str = "") -> None:
    """Refuse an input that is larger than a limit.

    Parameters
    ----------
    name
        The limit.
    found
        How much of it the input has, or would at least have.
    path
        The file, as messages call it.
    place
        Where in the file.

    Raises
    ------
    InputError
        ``input-too-large``.
    """
    if found > limit(name):
        raise too_large(name, path, place, f"{found:,} {LIMITS[name].unit}")


def too_large(name: str, path: Path, place: str = "", found: str = "") -> InputError:
    """The error of an input that is larger than a limit."""
    had = found or f"more than {limit(name):,} {LIMITS[name].unit}"
    return InputError.single(
        "input-too-large",
        f"{path.name} has {had}, and the limit is {limit(name):,} 超出上限",
        where=f"{path}, {place}" if place else str(path),
        why=LIMITS[name].why,
        fix=f"check the export; where it is meant, {PREFIX}{name.upper()}=NUMBER or [{TABLE}] {name} in drgsim.toml raises it",
    )


def too_slow(seconds: int) -> UsageError:
    """The error of a call that takes longer than the limit of seconds."""
    what = f"stopped after {seconds} s: nothing is left half written 超时"
    fix = f"give less at a time; {PREFIX}SECONDS=NUMBER or [{TABLE}] seconds in drgsim.toml raises the limit, 0 lifts it"
    return UsageError([Problem("limit-seconds", what, fix=fix)])
