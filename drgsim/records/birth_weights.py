"""Birth weights in grams: kilograms are told from grams by what a newborn can weigh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.records.arrow import to_text
from drgsim.records.cell_numbers import parse_grams, plain_numbers, read_numbers

LOWEST_GRAMS = 200.0  # assumption: the smallest newborns that lived weighed a little more (212 g, Singapore 2020)
MOST_KILOGRAMS = 8.0  # assumption: heavier newborns are on record only as single cases
_UNIT = r"(?i)(?:kg|ｋｇ|公斤|千克)\s*$"


class BirthWeights(NamedTuple):
    """Grams (NaN where missing), where something stands that is no number, what was too low, what was converted."""

    grams: NDArray[np.float64]
    broken: NDArray[np.bool_]
    too_low: NDArray[np.bool_]
    converted: NDArray[np.bool_]


def read_birth_weights(column: pa.Array) -> BirthWeights:
    """Grams of a column; kilograms where the cell says so; a number that no newborn has in grams counts as missing.

    Examples
    --------
    >>> read_birth_weights(pa.array(["3300", "3.3", "28", "3.1kg", None, "0"])).grams
    array([3300.,   nan,   nan, 3100.,   nan,    0.])
    """
    converted = np.zeros(len(column), np.bool_)
    plain = plain_numbers(column)
    if plain is not None:  # no cell says a unit
        grams, broken = plain, converted
    else:
        grams, broken = read_numbers(column, parse_grams)
        said = pc.match_substring_regex(to_text(column), _UNIT)
        converted = np.asarray(pc.fill_null(said, False)) & ~np.isnan(grams)
    low = _low(grams)
    return BirthWeights(np.where(low, np.nan, grams), broken, low, converted)


def has_low_weights(column: pa.Array) -> bool:
    """Whether some weight is too low for grams: only then it has to be asked whether the file's are kilograms."""
    return column.null_count < len(column) and bool(_low(read_numbers(column.drop_null(), parse_grams).values).any())


def all_in_kilograms(columns: Iterable[pa.Array]) -> bool:
    """Whether all weights of a file are plausible in kilograms and not in grams; its batches are looked at until one is not.

    Examples
    --------
    >>> all_in_kilograms([pa.array(["3.3", None]), pa.array(["0.9"])]), all_in_kilograms([pa.array(["3.3", "3300"])])
    (True, False)
    """
    for column in columns:
        grams = read_numbers(column, parse_grams).values
        filled = grams[grams > 0]
        if not ((filled >= LOWEST_GRAMS / 1000) & (filled <= MOST_KILOGRAMS)).all():
            return False
    return True


def with_unit(column: pa.Array) -> pa.Array:
    """Weights in kilograms with the unit behind the number, so that whoever reads them knows it.

    Examples
    --------
    >>> with_unit(pa.array([3.3, None, 0.0])).to_pylist()
    ['3.3kg', None, '0']
    """
    grams = read_numbers(column, parse_grams).values
    texts = to_text(column).cast(pa.string())
    return pc.if_else(pa.array(grams > 0), pc.binary_join_element_wise(texts, "kg", ""), texts)


def _low(grams: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((grams > 0) & (grams < LOWEST_GRAMS))
