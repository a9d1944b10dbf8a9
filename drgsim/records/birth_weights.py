"""Birth weights in grams: kilograms are told from grams by what a newborn can weigh."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.cell_numbers import parse_grams, read_numbers

LOWEST_GRAMS = 200.0  # assumption: the smallest newborns that lived weighed a little more (212 g, Singapore 2020)
MOST_KILOGRAMS = 8.0  # assumption: heavier newborns are on record only as single cases


class BirthWeights(NamedTuple):
    """Grams (NaN where missing), where something stands that is no number, what was too low, what was converted."""

    grams: NDArray[np.float64]
    broken: NDArray[np.bool_]
    too_low: NDArray[np.bool_]
    converted: NDArray[np.bool_]


def read_birth_weights(column: pa.Array) -> BirthWeights:
    """Grams of a column; a weight that no newborn has in grams counts as missing, unless the whole column is in kilograms.

    Examples
    --------
    >>> read_birth_weights(pa.array(["3.3", "0.9", None, "0"])).grams
    array([3300.,  900.,   nan,    0.])
    >>> read_birth_weights(pa.array(["3300", "3.3", "28", "3.1kg"])).grams
    array([3300.,   nan,   nan, 3100.])
    """
    grams, broken = read_numbers(column, parse_grams)
    with np.errstate(invalid="ignore"):
        low = (grams > 0) & (grams < LOWEST_GRAMS)
    if not low.any():
        return BirthWeights(grams, broken, low, low)
    with np.errstate(invalid="ignore"):
        filled = grams > 0
        in_kilograms = (grams[filled] * 1000 >= LOWEST_GRAMS) & (grams[filled] <= MOST_KILOGRAMS)
    if in_kilograms.all():
        return BirthWeights(np.where(filled, np.round(grams * 1000), grams), broken, np.zeros_like(low), filled)
    return BirthWeights(np.where(low, np.nan, grams), broken, low, np.zeros_like(low))
