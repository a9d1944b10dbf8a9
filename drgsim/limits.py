"""How large an input may be: what asks for more memory or time than a file of discharges can need is refused, and told why.

``DRGSIM_LIMIT_CELLS`` and its like, or the table ``[limits]`` of ``drgsim.toml``, set another limit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text

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
        Limit(
            "cells",
            50_000_000,
            text("cells of one sheet or table"),
            text("a workbook is read whole, and blank cells take memory too"),
        ),
        Limit("columns", 16_384, text("columns"), text("spreadsheets have no more, and no form of discharges comes near")),
        Limit("workbook_bytes", 1 << 30, text("bytes of a workbook or page, unpacked"), text("a workbook is read whole")),
        Limit(
            "json_bytes",
            1 << 29,
            text("bytes of one JSON value"),
            text("one value is held in memory; lines are read one by one"),
        ),
        Limit("unpacked_bytes", 1 << 36, text("bytes of a file that is unpacked"), text("it fills the disk, or never ends")),
        Limit(
            "growth",
            500,
            text("times its size, unpacked"),
            text("a few bytes of a column may stand for any number of records"),
        ),
        Limit(
            "record_bytes",
            1 << 28,
            text("bytes of one record"),
            text("a record is held in memory, and those of a batch together"),
        ),
        Limit("seconds", 0, text("seconds of a call, 0 for any"), text("somebody waits for it")),
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
    given = os.environ.get(variable)
    if given is None:
        return _set.get(name, LIMITS[name].value)
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise UsageError(
            [
                Problem(
                    "limit-bad-value",
                    text("{variable} is {given!r}", variable=variable, given=given),
                    fix=text("give a whole number"),
                )
            ]
        )
    return int(given)


def set_limits(values: Mapping[str, object], where: str) -> list[Problem]:
    """Take the limits of a configuration file where none is set yet; what is wrong with them."""
    problems = []
    for name, value in values.items():
        if name not in LIMITS:
            fix = text("limits are {limits}", limits=", ".join(LIMITS))
            problems.append(
                Problem("config-unknown-key", text("{name!r} is no limit", name=name), where=f"{where}: [{TABLE}]", fix=fix)
            )
        elif type(value) is not int or value < 0:
            what = text("the limit {name} is {value!r}", name=name, value=value)
            problems.append(Problem("config-bad-value", what, where=f"{where}: [{TABLE}]", fix=text("give a whole number")))
        else:
            _set.setdefault(name, value)
    return problems


def check(name: str, found: int, path: Path, place: str | int = "") -> None:
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
        Where in the file: the number of a line, or in words.

    Raises
    ------
    InputError
        ``input-too-large``.
    """
    if found > limit(name):
        raise too_large(name, path, place, text("{found:,} {unit}", found=found, unit=LIMITS[name].unit))


def too_large(name: str, path: Path, place: str | int = "", found: str = "") -> InputError:
    """The error of an input that is larger than a limit."""
    where = text("line {line}", line=place) if isinstance(place, int) else place
    had = found or text("more than {limit:,} {unit}", limit=limit(name), unit=LIMITS[name].unit)
    return InputError.single(
        "input-too-large",
        text("{file} has {had}, and the limit is {limit:,} 超出上限", file=path.name, had=had, limit=limit(name)),
        where=text("{path}, {place}", path=path, place=where) if place else str(path),
        why=LIMITS[name].why,
        fix=text(
            "check the export; where it is meant, {variable}=NUMBER or [{table}] {name} in drgsim.toml raises it",
            variable=f"{PREFIX}{name}".upper(),
            table=TABLE,
            name=name,
        ),
    )


def too_slow(seconds: int) -> UsageError:
    """The error of a call that takes longer than the limit of seconds."""
    what = text("stopped after {seconds} s: nothing is left half written 超时", seconds=seconds)
    fix = text(
        "give less at a time; {variable}=NUMBER or [{table}] seconds in drgsim.toml raises the limit, 0 lifts it",
        variable=f"{PREFIX}SECONDS",
        table=TABLE,
    )
    return UsageError([Problem("limit-seconds", what, fix=fix)])
