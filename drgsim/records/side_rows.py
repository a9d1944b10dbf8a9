"""Rows of a table that are no discharges: totals, signatures, the header once more, rows with nothing in them.

Such a row has no diagnosis; it has no id either, or one that says what it is, or the first of its cells that are read
says so. Only rows whose id does not begin with a digit or a letter are looked at, so that a clean file costs one pass over
the bytes of its ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.code_dictionaries import BLANK_FOLDED, fold
from drgsim.records.encode import string_buffers
from drgsim.records.recipes import Recipe
from drgsim.records.schema import BROKEN_LINE, header_key

TOTALS, SIGNATURES = "totals_rows_left_out", "signature_rows_left_out"
HEADERS, BLANKS = "headers_left_out", "blank_rows_left_out"
_TOTALS = (
    r"^(?:.*(?:合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|总\s*数|平\s*均|均\s*值|汇\s*总).*|共.*[例人条].*|"
    r"(?i:(?:grand |sub-?)?totals?|sum|average|mean|avg)\s*[:：]?)$"
)
_SIGNATURES = (
    r"^[\s*※]*(?:制\s*表|填\s*表|填\s*报|审\s*核|审\s*批|复\s*核|统\s*计\s*(?:人|员|时间|日期)|负\s*责\s*人|单位\s*(?:负责人|盖章)|科室负责人|"
    r"经\s*办|报\s*表|打\s*印|导\s*出|操\s*作\s*员|签\s*[字名章]|盖\s*章|备\s*注|说\s*明|注\s*[:：]|日期\s*[:：]|以下空白|第.*页|数据来源)"
)
_SIDE_CELL = f"{_TOTALS}|{_SIGNATURES}"  # what may stand in any cell of such a row


class SideRows:
    """Finds the rows of a file that are no discharges.

    Parameters
    ----------
    recipes
        How the file's columns become canonical ones.
    """

    def __init__(self, recipes: Mapping[str, Recipe]) -> None:
        self._id = recipes["discharge_id"].columns if "discharge_id" in recipes else ()
        self._codes = recipes["diagnoses"].columns if "diagnoses" in recipes else ()
        self._sex = recipes["sex"].columns if "sex" in recipes else ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the file that have to be read to tell."""
        return (*self._id[:1], *self._codes, *self._sex) if self._id else ()

    def discharges(self, batch: pa.RecordBatch, noted: Counter[str]) -> pa.RecordBatch:
        """The batch without rows that are no discharges; those are counted in ``noted``."""
        if not self._id or not batch.num_rows:
            return batch
        suspects = _suspects(one_chunk(batch, self._id[0]), self._id[0])
        if not suspects.size:
            return batch
        rows = pa.array(suspects)
        ids = self._texts(batch, self._id[0], rows)
        no_code, label = self._without_code(batch, rows), self._label(batch, ids, rows)
        nothing = self._all_blank(batch, (*self._codes, *self._sex), rows) & bool(self._codes and self._sex)
        no_id = np.asarray(pc.equal(ids, ""))
        header = self._repeats_header(batch, ids, rows)
        said = {
            HEADERS: header,
            TOTALS: ~header & no_code & np.asarray(pc.match_substring_regex(label, _TOTALS)),
            SIGNATURES: ~header & no_code & np.asarray(pc.match_substring_regex(label, _SIGNATURES)),
            BLANKS: no_id & nothing & ~self._broken(batch, rows),
        }
        out = np.zeros(len(ids), np.bool_)
        for name, where in said.items():
            count = int((where & ~out).sum())
            if count:
                noted[name] += count
            out |= where
        if not out.any():
            return batch
        kept = np.ones(batch.num_rows, np.bool_)
        kept[suspects[out]] = False
        return batch.filter(pa.array(kept))

    def _texts(self, batch: pa.RecordBatch, name: str, rows: pa.Array) -> pa.Array:
        texts = pc.fill_null(to_text(one_chunk(batch, name).take(rows), name).cast(pa.string()), "")
        texts = pc.utf8_trim_whitespace(texts)
        return pc.if_else(pc.is_in(texts, value_set=pa.array(sorted(BLANK_FOLDED), pa.string())), "", texts)

    def _broken(self, batch: pa.RecordBatch, rows: pa.Array) -> NDArray[np.bool_]:
        """Lines that do not fit the header, whose cells are not known."""
        if BROKEN_LINE not in batch.schema.names:
            return np.zeros(len(rows), np.bool_)
        return np.asarray(batch.column(BROKEN_LINE).take(rows).is_valid())

    def _all_blank(self, batch: pa.RecordBatch, names: tuple[str, ...], rows: pa.Array) -> NDArray[np.bool_]:
        """Where all of these columns are blank; everywhere when there is none."""
        blank = np.ones(len(rows), np.bool_)
        for name in names:
            blank &= np.asarray(pc.equal(pc.replace_substring(self._texts(batch, name, rows), "|", ""), ""))
        return blank

    def _without_code(self, batch: pa.RecordBatch, rows: pa.Array) -> NDArray[np.bool_]:
        """Where no cell of codes holds one; 审核人：李四 in one is none."""
        without = np.ones(len(rows), np.bool_)
        for name in self._codes:
            texts = self._texts(batch, name, rows)
            blank = np.asarray(pc.equal(pc.replace_substring(texts, "|", ""), ""))
            without &= blank | np.asarray(pc.match_substring_regex(texts, _SIDE_CELL))
        return without

    def _label(self, batch: pa.RecordBatch, ids: pa.Array, rows: pa.Array) -> pa.Array:
        """What a row says that it is: its id, else its first filled cell among sex and diagnoses."""
        label = ids
        for name in (*self._sex, *self._codes):
            label = pc.if_else(pc.equal(label, ""), self._texts(batch, name, rows), label)
        return label

    def _repeats_header(self, batch: pa.RecordBatch, ids: pa.Array, rows: pa.Array) -> NDArray[np.bool_]:
        """Where the names of the columns stand again; few rows do, so that Python may look at them."""
        key = header_key(self._id[0])
        same = np.array([text != "" and header_key(text) == key for text in ids.to_pylist()], np.bool_)
        for name in self._codes[:1]:
            codes = self._texts(batch, name, rows).to_pylist()
            same &= np.array([fold(code) in ("", fold(name)) for code in codes], np.bool_)
        return same


def _suspects(ids: pa.Array, name: str) -> NDArray[np.int64]:
    """Rows without an id, or with one that could be a word: it does not begin with a digit, or has no digit in it."""
    if not (pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)):
        if not pa.types.is_binary(ids.type):
            return np.flatnonzero(np.asarray(ids.is_null()))
        ids = to_text(ids, name)
    offsets, data = string_buffers(pc.fill_null(ids, "") if ids.null_count else ids)
    return np.asarray(_words(offsets, data))


@njit(cache=True, nogil=True)
def _words(offsets: Any, data: Any) -> Any:  # pragma: no cover - compiled
    found = np.empty(offsets.size - 1, np.int64)
    count = 0
    for record in range(offsets.size - 1):
        at, stop = offsets[record], offsets[record + 1]
        if at < stop and 0x30 <= data[at] <= 0x39:
            continue
        wide = digit = False
        while at < stop and not wide and not digit:
            wide = data[at] >= 0x80
            digit = 0x30 <= data[at] <= 0x39
            at += 1
        if not digit:
            found[count] = record
            count += 1
    return found[:count].copy()
