"""Ids without the marks that keep a spreadsheet from reading them as numbers: ="001" and '001 are 001."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgsim.compiled_code import njit
from drgsim.records.encode import string_buffers

_ID = r"^\s*(?:=\s*\"(?P<formula>.*)\"|['`‘’](?P<quoted>.*)|\"(?P<between>.*)\"|(?P<plain>.*?))\s*$"
_PARTS = ("formula", "quoted", "between", "plain")


def plain_ids(column: pa.Array) -> pa.Array:
    """Ids as they are meant; one that has no mark and no blank around it stays as it is.

    Examples
    --------
    >>> plain_ids(pa.array(['="001"', "'002", "\\t003 ", "A=4", None])).to_pylist()
    ['001', '002', '003', 'A=4', None]
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    offsets, data = string_buffers(pc.fill_null(column, "") if column.null_count else column)
    marked = np.asarray(_marked(offsets, data))
    if not marked.any():
        return column
    parts = pc.extract_regex(column.filter(pa.array(marked)), _ID)
    read = pc.binary_join_element_wise(*(pc.struct_field(parts, name) for name in _PARTS), "")
    return pc.replace_with_mask(column, pa.array(marked), pc.utf8_trim_whitespace(read).cast(column.type))


@njit(cache=True, nogil=True)
def _marked(offsets: Any, data: Any) -> Any:  # pragma: no cover - compiled
    """Where an id begins or ends with something else than a letter or a digit."""
    found = np.zeros(offsets.size - 1, np.bool_)
    for record in range(found.size):
        start, last = offsets[record], offsets[record + 1] - 1
        if start <= last:
            first = data[start]
            found[record] = first <= 0x20 or first in (0x22, 0x27, 0x3D, 0x60, 0xE2) or data[last] <= 0x20
    return found
