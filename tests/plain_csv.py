"""What the records of a CSV text are, said plainly: the second implementation beside ``drgsim.records.csv_text``."""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = re.compile('"((?:[^"]|"")*+)"')
_REST = "[^{0}\n]*"


class PlainRecord(NamedTuple):
    """A record: the number of its first line, how many lines it has, and whether it does not fit the header."""

    line: int
    lines: int
    broken: bool


class _Extent(NamedTuple):
    """What is read from one place on: where it stops, its cells, whether its quotes are regular and all closed."""

    stop: int
    cells: int
    regular: bool
    stray: bool


def plain_records(text: str, columns: int, sign: str = ",", longest: int = 1 << 20) -> list[PlainRecord]:
    """The records of the lines below a header of so many columns, blank ones left out. ``text`` is ASCII."""
    found, at, line = [], 0, 1
    while at < len(text):
        read = _extent(text, at, columns, sign, longest)
        inner = text[at : read.stop].removesuffix("\n").count("\n")
        most = 2 * columns if read.regular else columns
        if inner and read.cells != columns and (not read.regular or read.cells > most):
            stop = text.find("\n", at) + 1 or len(text)
            read = _Extent(stop, 0, False, True)
        lines = text[at : read.stop].removesuffix("\n").count("\n") + 1
        if text[at : read.stop].replace(sign, "").strip(" \t\r\n"):
            found.append(PlainRecord(line, lines, read.stray or read.cells != columns))
        at, line = read.stop, line + lines
    return found


def _extent(text: str, at: int, columns: int, sign: str, longest: int) -> _Extent:
    """A record from ``at`` up to a line feed outside of quotes."""
    cells, regular, stray = 1, True, False
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted and _believed(quoted[1], text[quoted.end() : quoted.end() + 1], columns, sign, longest):
            at = quoted.end()
            regular = regular and text[at : at + 1] in ("", sign, "\n", "\r")
        elif text.startswith('"', at):
            stray, regular = True, False
        rest = re.compile(_REST.format(re.escape(sign))).match(text, at)
        assert rest is not None
        regular = regular and '"' not in rest[0]
        at = rest.end()
        if not text.startswith(sign, at):
            return _Extent(min(at + 1, len(text)), cells, regular, stray)
        cells, at = cells + 1, at + 1


def _believed(content: str, follows: str, columns: int, sign: str, longest: int) -> bool:
    """Whether quotes hold one cell: it is not too long, and none of its lines is one that could be a record."""
    if len(content.rstrip('"')) >= longest:
        return False
    _, *lines = content.split("\n")
    ends_well = not lines or follows in ("", sign, "\n", "\r")
    return ends_well and not (columns > 2 and any(line.count(sign) >= columns - 1 for line in lines))
