"""Canonical columns that a layout has in another shape: codes spread over columns, times as days/hours/minutes.

A :class:`Recipe` says which columns of a file make a canonical one and how; :func:`derive` makes it for a whole batch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.records.ages import read_ages
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.cell_numbers import parse_money, read_numbers
from drgsim.records.code_dictionaries import BLANK, fold

AS_IS = "as_is"
TCM_LEFT_OUT = "tcm_diagnoses_left_out"
# Diagnoses of Chinese medicine (GB/T 15657: A01.02.03; before 2021: BNF060) stand beside ICD-10 codes in settlement
# lists. No group names them; their shape tells them from ICD-10, which has a point after three characters and no other one. A
# mistyped code that keeps this shape (XX9.999) is an unknown diagnosis, which has to be told, and none of Chinese medicine.
_TCM = r"^\s*([A-Za-z][0-9]{2}\.[0-9]{2}\.|[A-Za-z]{2}[A-Za-z0-9]{2}|[A-Za-z]{2,}[0-9]?\s*$)"
_TCM_TYPES = ("3", "4")  # in lists that number 1 principal, 2 other, 3 and 4 Chinese medicine; elsewhere 2 and 3, told by shape
_MARKED = ("1", "是", "Y")


@dataclass(frozen=True)
class Recipe:
    """How a canonical column is made.

    Attributes
    ----------
    how
        ``as_is``, ``join`` (texts with ``-``), ``codes`` (the first column holds the principal code), ``age`` and
        ``infant_days`` (column, then its counterpart), ``hours`` (from days/hours/minutes) or ``sum``.
    columns
        The file's columns.
    flags, types
        For ``codes``: columns that mark the principal code and that give the type of a diagnosis, beside each of ``columns``;
        ``""`` where the file has none.
    """

    how: str
    columns: tuple[str, ...]
    flags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """All columns that have to be read; a place without a flag or type has none beside it."""
        return tuple(name for name in (*self.columns, *self.flags, *self.types) if name)


def derive(recipe: Recipe, batch: pa.RecordBatch | pa.Table, noted: Counter[str]) -> pa.Array:
    """The canonical column of a batch; what was left out is added to ``noted``."""
    columns = {name: one_chunk(batch, name) for name in dict.fromkeys(recipe.needs)}
    if recipe.how == "codes":
        return _codes(recipe, columns, noted)
    return _HOW[recipe.how]([columns[name] for name in recipe.columns])


def is_tcm(code: str) -> bool:
    """Whether a code has the shape of a diagnosis of Chinese medicine.

    Examples
    --------
    >>> [is_tcm(code) for code in ("A07.06.18", "BNF060", "E10.400x026+G63.2*", "I21.001", "XX9.999")]
    [True, True, False, False, False]
    """
    return re.match(_TCM, code) is not None


def is_marked(flag: str) -> bool:
    """Whether a flag says yes."""
    return fold(flag) in _MARKED


def parse_hours(text: str) -> float | None:
    """Hours of a text ``days/hours/minutes`` (settlement list: 1/13/24) or of a plain number of hours; None for anything else.

    Examples
    --------
    >>> parse_hours("1/13/24"), parse_hours("0/6/0"), parse_hours("37.5"), parse_hours("//"), parse_hours("long")
    (37.4, 6.0, 37.5, 0.0, None)
    """
    parts = fold(text).split("/")
    if len(parts) not in (1, 3):
        return None
    try:
        numbers = [float(part or 0) for part in parts]
    except ValueError:
        return None
    return numbers[0] if len(parts) == 1 else round(numbers[0] * 24 + numbers[1] + numbers[2] / 60, 4)


def _text(column: pa.Array) -> pa.Array:
    return to_text(column).cast(pa.string())


def _filled(column: pa.Array) -> pa.Array:
    """Texts with the words that mean nothing as empty ones."""
    text = pc.fill_null(_text(column), "")
    return pc.if_else(pc.is_in(text, value_set=pa.array(BLANK)), "", text)


def _codes(recipe: Recipe, columns: Mapping[str, pa.Array], noted: Counter[str]) -> pa.Array:
    """Codes joined by ``|`` with the principal one first; a blank principal place stays blank when others follow."""
    texts = [_filled(columns[name]) for name in recipe.columns]
    for place, name in enumerate(recipe.types):
        tcm = pc.match_substring_regex(texts[place], _TCM)
        if name:
            type_is = pc.is_in(pc.utf8_trim_whitespace(_text(columns[name])), value_set=pa.array(_TCM_TYPES))
            tcm = pc.or_(tcm, pc.and_(type_is, pc.not_equal(texts[place], "")))
        noted[TCM_LEFT_OUT] += pc.sum(tcm).as_py() or 0
        texts[place] = pc.if_else(tcm, "", texts[place])
    if any(recipe.flags):
        texts = _principal_first(texts, [columns[name] if name else None for name in recipe.flags])
    return pc.utf8_rtrim(pc.binary_join_element_wise(*texts, "|"), "|")


def _principal_first(texts: list[pa.Array], flags: list[pa.Array | None]) -> list[pa.Array]:
    """The first marked code before all others. Records with no mark at all keep their order."""
    nobody = pa.array(np.zeros(len(texts[0]), np.bool_))
    taken, any_flag, principal = nobody, nobody, pa.array([""] * len(nobody), pa.string())
    left = []
    for text, flag in zip(texts, flags, strict=True):
        said = _filled(flag) if flag is not None else pa.array([""] * len(nobody), pa.string())
        marked = pc.and_(pc.is_in(pc.utf8_trim_whitespace(said), value_set=pa.array(_MARKED)), pc.not_equal(text, ""))
        chosen = pc.and_(marked, pc.invert(taken))
        any_flag = pc.or_(any_flag, pc.and_(pc.not_equal(said, ""), pc.not_equal(text, "")))
        principal = pc.if_else(chosen, text, principal)
        left.append(pc.if_else(chosen, "", text))
        taken = pc.or_(taken, chosen)
    # without any mark the first code is the principal one, as it is where there are no marks to give
    principal = pc.if_else(any_flag, principal, texts[0])
    left[0] = pc.if_else(any_flag, left[0], "")
    return [principal, *left]


def _joined(columns: list[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*map(_text, columns), "-", null_handling="skip")


def _age(columns: list[pa.Array]) -> pa.Array:
    """Age in years; 0 where it is blank and an age in days under a year is given."""
    if len(columns) == 1:
        return columns[0]
    ages = read_ages({"age": columns[0], "age_days": columns[1]}, len(columns[0]))
    infant = (ages.years == 0) & np.asarray(pc.equal(_filled(columns[0]), ""))
    return pc.if_else(pa.array(infant), "0", _text(columns[0])) if infant.any() else columns[0]


def _infant_days(columns: list[pa.Array]) -> pa.Array:
    """Age in days, which these forms ask for under one year: a 0 beside a year or more says that there is none."""
    if len(columns) == 1:
        return columns[0]
    ages = read_ages({"age": columns[1], "age_days": columns[0]}, len(columns[0]))
    with np.errstate(invalid="ignore"):
        none = (ages.days == 0) & (ages.years >= 1)
    return pc.if_else(pa.array(none), pa.scalar(None, columns[0].type), columns[0]) if none.any() else columns[0]


def _hours(columns: list[pa.Array]) -> pa.Array:
    """Hours; a text that is neither a number nor days/hours/minutes stays as it is, and is found unreadable later."""
    if pa.types.is_integer(columns[0].type) or pa.types.is_floating(columns[0].type):
        return columns[0]
    encoded = _text(columns[0]).dictionary_encode()
    read = [(text, parse_hours(text)) for text in encoded.dictionary.to_pylist()]
    return pa.array([text if hours is None else f"{hours:g}" for text, hours in read], pa.string()).take(encoded.indices)


def _sum(columns: list[pa.Array]) -> pa.Array:
    """Sum of amounts, missing only where all are."""
    values: list[NDArray[np.float64]] = [read_numbers(column, parse_money)[0] for column in columns]
    missing = reduce(np.logical_and, [np.isnan(value) for value in values])
    return pa.array(np.round(sum(np.nan_to_num(value) for value in values), 2), mask=missing)


_HOW: dict[str, Callable[[list[pa.Array]], pa.Array]] = {
    AS_IS: lambda columns: columns[0],
    "join": _joined,
    "age": _age,
    "infant_days": _infant_days,
    "hours": _hours,
    "sum": _sum,
}
