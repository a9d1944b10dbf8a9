"""The fast half of the payment curve: arrays in, piece, units and amount out.

Same answers as :func:`drgsim.payment.curve.settle_exactly`: where a float lies too near to a limit of a piece, or an
amount too near to half a fen, the case is marked and the caller asks the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.compiled_code import njit
from drgsim.money import MISSING, TIE_SLACK

# The parts below are inlined: handing arrays over for each case doubles the time of the loop.
NEAR = 1e-9  # relative distance to a limit below which floats do not decide


@njit(cache=True, nogil=True, inline="always")
def _value(terms: Any, x: float, k: float) -> float:  # pragma: no cover - compiled
    """Terms in the order (0,-1) (0,0) (0,1) (1,-1) (1,0) (1,1) of powers of x and k."""
    fixed = terms[0] / k + terms[1] + terms[2] * k
    return float(fixed + x * (terms[3] / k + terms[4] + terms[5] * k))


@njit(cache=True, nogil=True, inline="always")
def _piece_at(ratio: float, c: int, upper: Any, closed: Any) -> Any:  # pragma: no cover - compiled
    """Piece of curve row ``c`` that a ratio falls into, and whether a limit lies too near for a float to decide."""
    near = False
    for p in range(upper.shape[1]):
        limit = upper[c, p]
        if abs(ratio - limit) <= NEAR * limit and limit < np.inf:
            near = True
        if ratio < limit or (closed[c, p] and ratio == limit) or limit == np.inf:
            return p, near
    return 0, near


@njit(cache=True, nogil=True, inline="always")
def _share_at(c: int, piece: int, x: float, k: float, terms: Any, capped: Any, cap: Any) -> float:  # pragma: no cover
    """Share of the relative value that a piece pays, 0 or more and not above its cap."""
    share = _value(terms[c, piece], x, k)
    if share < 0.0:
        share = 0.0
    if capped[c, piece]:
        share = min(share, _value(cap[c, piece], x, k))
    return share


@njit(cache=True, nogil=True)
def _rounded(amount: float) -> Any:  # pragma: no cover - compiled
    """An amount in whole fen (``MISSING`` for no number), and whether half a fen lies too near for a float to decide."""
    size = abs(amount)
    if not size < 9e18:
        return MISSING, False
    whole = np.int64(size + 0.5)
    return whole if amount >= 0 else -whole, abs(size - np.floor(size) - 0.5) < TIE_SLACK


@njit(cache=True, nogil=True)
def apply_curves(
    cost: Any, factor: Any, relative: Any, coefficient: Any, mean: Any, unit_value: Any, row: Any, curves: Any, line: Any = None
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Settle cases by their curves.

    Parameters
    ----------
    cost, factor
        int64 fen and float64 factor of each case.
    relative, coefficient, mean, unit_value
        float64 by line: relative value, k, mean cost of the group (yuan), yuan per unit (NaN when not known yet).
    row
        int32 by line: row of the curve and band; below 0 the case is left alone.
    curves
        :class:`drgsim.payment.curve.CurveArrays`.
    line
        Line of each case where cases share their terms; None where each case has its own.

    Returns
    -------
    tuple
        By case: piece int8 (-1 left alone), case class int8, ratio, units (NaN for an actual cost), amount in fen (``MISSING``
        without a unit value), doubtful.
    """
    upper, closed, actual, capped = curves.upper, curves.closed, curves.actual, curves.capped
    terms, cap, classes, with_k = curves.terms, curves.cap, curves.case_class, curves.with_k
    size = cost.size
    piece_of = np.full(size, -1, np.int8)
    class_of = np.full(size, -1, np.int8)
    ratio_of = np.full(size, np.nan)
    units_of = np.full(size, np.nan)
    amount_of = np.full(size, MISSING, np.int64)
    doubtful = np.zeros(size, np.bool_)
    for i in range(size):
        t = i if line is None else line[i]
        c = row[t]
        if c < 0:
            continue
        k = coefficient[t]
        x = cost[i] / 100.0 / mean[t]
        ratio = x / k if with_k[c] else x
        piece, doubtful[i] = _piece_at(ratio, c, upper, closed)
        piece_of[i] = piece
        class_of[i] = classes[c, piece]
        ratio_of[i] = ratio
        if actual[c, piece]:
            amount_of[i] = cost[i]
            continue
        units_of[i] = relative[t] * _share_at(c, piece, x, k, terms, capped, cap) * factor[i]
        amount_of[i], tie = _rounded(units_of[i] * unit_value[t] * 100.0)
        if tie:
            doubtful[i] = True
    return piece_of, class_of, ratio_of, units_of, amount_of, doubtful
