"""Cells of CSV files that a spreadsheet would run as formulas, made texts by the quote that spreadsheets themselves use.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break (their full-width forms too) gets a ``'`` before it,
as the OWASP note on CSV injection advises; so does one that begins with quotes and such a sign, so that taking one ``'`` away
always gives the text back. Numbers and texts of dashes alone stay as they are. Readers of ids take the quote away themselves.
:func:`drgsim.results.raw_cells.raw_cells` keeps texts as they are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = "=+\\-@\\t\\r\\n＝＋－＠"
_FORMULA = f"^'*[{_SIGNS}]"
_HARMLESS = r"^(-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[-－]+)$"  # a number as programs write it, dashes for nothing
_FIRST_BYTES = np.zeros(256, dtype=bool)  # of cells worth a closer look
_FIRST_BYTES[list(b"'=+-@\t\r\n\xef")] = True


def safe_text(text: str) -> str:
    """One text as a spreadsheet may read it.

    Examples
    --------
    >>> [safe_text(cell) for cell in ("=1+1", "@SUM(A1)", "+1", "-1+2", "'=1", "-1.50", "-", "I50.101", "'ab")]
    ["'=1+1", "'@SUM(A1)", "'+1", "'-1+2", "''=1", '-1.50', '-', 'I50.101', "'ab"]
    """
    return str(safe_texts(pa.array([text], pa.string()))[0].as_py())


def safe_texts(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column in which no text is a formula; columns of other types as they are."""
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([safe_texts(chunk) for chunk in column.chunks], column.type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)) or not _worth_a_look(column):
        return column
    formula = pc.and_not(pc.match_substring_regex(column, _FORMULA), pc.match_substring_regex(column, _HARMLESS))
    return pc.if_else(
        formula, pc.binary_join_element_wise(pa.scalar("'", column.type), column, pa.scalar("", column.type)), column
    )


def _worth_a_look(column: pa.Array) -> bool:
    """Whether a cell begins with a byte that may begin a formula; a glance at the bytes, as most columns have none."""
    _, offsets, data = column.buffers()
    if data is None or not len(data) or not len(column):
        return False
    width = np.int32 if pa.types.is_string(column.type) else np.int64
    ends = np.frombuffer(offsets, dtype=width)[column.offset : column.offset + len(column) + 1]
    starts = ends[:-1][np.diff(ends) > 0]
    return bool(_FIRST_BYTES[np.frombuffer(data, dtype=np.uint8)[starts]].any())
