"""The bytes of a CSV file once from front to back: where its records begin and end, and which of them do not fit the header."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.compiled_code import njit

PLAIN, QUOTE, FEED, SIGN, SPACE = range(5)  # kinds of bytes
START, STOP, RECORD, FEEDS, CELLS = range(5)  # columns of the spans that are replaced


@njit(cache=True, nogil=True)
def scan(data: Any, kinds: Any, sign: int, columns: int, final: bool, longest: int) -> Any:  # pragma: no cover - compiled
    """Find records: spans to replace, records, bytes consumed, line feeds.

    A span is where a line starts and stops, its record (-1 for a blank line), the line feeds before it and its cells (0 where a
    quote is left open).

    A record ends at the first line feed that is not in a quoted cell. One of several lines that does not fit the header is one
    broken record where its quotes are regular: they open cells, close them, or are doubled in them, :func:`_quoted_cell`
    believes them all, and there are no more cells than two records have. Elsewhere a quote may be a stray one, and the lines
    that it joins records of their own: the first line is a broken record, and the next one begins another.
    """
    size = data.size
    spans = np.empty((64, 5), np.int64)
    found = 0
    records = 0
    feeds = 0
    at = 0
    while at < size:
        start, feeds_before = at, feeds
        cells = 1
        blank = True
        at_cell_start = True
        whole = False  # whether the end of the record was seen
        stray = False
        regular = True
        while at < size:
            kind = kinds[data[at]]
            if kind == PLAIN:
                blank = False
                at_cell_start = False
                at += 1
                continue
            if kind == QUOTE and at_cell_start:
                stop, lines, closed, believed = _quoted_cell(data, at, sign, columns, longest)
                if believed and not closed and not final:
                    return spans[:found].copy(), records, start, feeds_before
                blank = False
                at_cell_start = False
                if believed and closed:
                    feeds += lines
                    at = stop + 1
                    regular = regular and _ends_cell(data, at, sign)
                else:
                    stray = True
                    regular = False
                    at += 1
                continue
            at += 1
            regular = regular and kind != QUOTE
            whole = kind == FEED
            feeds += whole
            at_cell_start = kind == SIGN
            cells += at_cell_start
            blank = blank and kind != QUOTE
            if whole or (feeds > feeds_before and cells > _most_cells(columns, regular)):
                break
        ended = (whole or final) and not regular
        if feeds - whole > feeds_before and cells != columns and (ended or cells > _most_cells(columns, regular)):
            at, feeds, cells, whole, stray = _end_of_line(data, start), feeds_before + 1, 0, True, True
        if not whole and not final:
            return spans[:found].copy(), records, start, feeds_before
        if blank or stray or cells != columns:
            if found == spans.shape[0]:
                spans = np.concatenate((spans, np.empty_like(spans)))
            spans[found] = start, at, -1 if blank else records, feeds_before, 0 if stray else cells
            found += 1
        records += not blank
    return spans[:found].copy(), records, size, feeds


@njit(cache=True, nogil=True)
def _most_cells(columns: int, regular: bool) -> int:  # pragma: no cover - compiled
    """Cells from which on a record of several lines is none: those of two records where a line feed between them is missing."""
    return 2 * columns if regular else columns


@njit(cache=True, nogil=True)
def _ends_cell(data: Any, at: int, sign: int) -> Any:  # pragma: no cover - compiled
    return at >= data.size or data[at] == sign or data[at] == 0x0A or data[at] == 0x0D


@njit(cache=True, nogil=True)
def _end_of_line(data: Any, at: int) -> int:  # pragma: no cover - compiled
    while at < len(data) and data[at] != 0x0A:
        at += 1
    return min(at + 1, len(data))


@njit(cache=True, nogil=True)
def _quoted_cell(data: Any, at: int, sign: int, columns: int, longest: int) -> Any:  # pragma: no cover - compiled
    """Where the cell that opens with the quote at ``at`` ends, its line breaks, whether it is closed and to be believed.

    It is not believed when a line inside it has as many cells as a record, when it is longer than ``longest``, or when
    something else than the next cell follows on it.
    """
    signs = lines = 0
    inside = at + 1
    while inside < data.size:
        byte = data[inside]
        if byte == 0x22 and not (inside + 1 < data.size and data[inside + 1] == 0x22):
            like_a_record = signs >= columns - 1 and columns > 2
            return inside, lines, True, lines == 0 or (_ends_cell(data, inside + 1, sign) and not like_a_record)
        if byte == 0x22:
            inside += 2
            continue
        if byte == sign:
            signs += 1
        elif byte == 0x0A:
            if lines > 0 and signs >= columns - 1 and columns > 2:
                return inside, lines, False, False
            lines += 1
            signs = 0
        inside += 1
        if inside - at > longest:
            return inside, lines, False, False
    return inside, lines, False, True
