"""What the lines of a file that do not fit its header have in common, said in one sentence."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from drgsim.language import joined, text
from drgsim.records.column_guesses import share_that_fits

_LOOKED_AT = 50  # lines of each kind
_NAMED = 3  # columns that a sentence names at most: of more, it cannot tell which
_SIGNS = {",": text("comma"), "\t": text("tab"), ";": text("semicolon")}


class BrokenLines:
    """Lines whose cells do not fit the header, by their number of cells (0 where a quote is left open).

    Parameters
    ----------
    names
        Columns of the header.
    delimiter
        What stands between cells.
    """

    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self._names, self._delimiter = names, delimiter
        self._counts: Counter[int] = Counter()
        self._lines: dict[int, list[str]] = {}

    def note(self, data: bytes, places: NDArray[np.int64], cells: NDArray[np.int64]) -> None:
        """Count lines of a block, which start and stop at ``places``, and keep the first of each kind."""
        for kind, number in zip(*np.unique(cells, return_counts=True), strict=True):
            self._counts[int(kind)] += int(number)
            kept = self._lines.setdefault(int(kind), [])
            for start, stop in islice(places[cells == kind].tolist(), _LOOKED_AT - len(kept)):
                kept.append(data[start:stop].decode(errors="replace").rstrip("\r\n"))

    def told(self, known: Mapping[str, str]) -> tuple[str, int] | None:
        """What most of the lines have in common, and how many of them; None where nothing is.

        Parameters
        ----------
        known
            Column of the file -> the canonical column that it is read as.

        Examples
        --------
        >>> lines = BrokenLines(["id", "sex", "address", "age"], ",")
        >>> lines.note(b"a,1,West Road 1, Block 2,70\\n", np.array([[0, 28]]), np.array([5]))
        >>> lines.told({"id": "discharge_id", "sex": "sex", "age": "age"})
        ('4 columns in the header, 5 in the lines 列数与表头不符: an unquoted comma in column 3 (address)?', 1)
        """
        if not self._counts:
            return None
        cells, number = self._counts.most_common(1)[0]
        if 2 * number <= self._counts.total():
            return None
        if cells == 0:
            return text("lines with a quote that is not closed 引号未闭合"), number
        told = text(
            "{columns} columns in the header, {cells} in the lines 列数与表头不符: {cause}?",
            columns=len(self._names),
            cells=cells,
            cause=self._cause(cells, known),
        )
        return told, number

    def _cause(self, cells: int, known: Mapping[str, str]) -> str:
        lines, sign = self._lines[cells], _SIGNS[self._delimiter]
        other = next((word for each, word in _SIGNS.items() if all(self._divides(line, each) for line in lines)), "")
        if other:
            return text("a {other} between the cells, where the header has a {sign}", other=other, sign=sign)
        if cells < len(self._names):
            return text("a cell left out, or a line break in a cell that is not quoted")
        places = self._places(cells, known)
        if not 0 < len(places) <= _NAMED:
            return text("an unquoted {sign} in one of the columns", sign=sign)
        numbers = joined(text(" or "), (place + 1 for place in places))
        names = ", ".join("".join(filter(str.isprintable, self._names[place])) for place in places)
        return text("an unquoted {sign} in column {numbers} ({names})", sign=sign, numbers=numbers, names=names)

    def _divides(self, line: str, sign: str) -> bool:
        return sign != self._delimiter and line.count(sign) == len(self._names) - 1

    def _places(self, cells: int, known: Mapping[str, str]) -> list[int]:
        """Columns that may hold the surplus cells: those with which the fewest cells look unlike what their columns are."""
        surplus = cells - len(self._names)
        rows = [row for row in csv.reader(self._lines[cells], delimiter=self._delimiter) if len(row) == cells]
        if not rows:
            return []
        unlike = []
        for place in range(len(self._names)):
            last = place + surplus + 1
            whole = [[*row[:place], self._delimiter.join(row[place:last]), *row[last:]] for row in rows]
            columns = zip(self._names, zip(*whole, strict=True), strict=True)
            fits = (share_that_fits(known[name], column) for name, column in columns if name in known)
            unlike.append(round(sum(1 - share for share in fits if share is not None), 6))
        return [place for place, misfit in enumerate(unlike) if misfit == min(unlike)]
