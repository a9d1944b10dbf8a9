"""The fast half of the payment curve: arrays in, piece, units and amount out.

Same answers as :func:`drgsim.payment.curve.settle_exactly`: where a float lies too near to a limit of a piece, or an
amount too near to half a fen, the case is marked and the caller asks the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NEAR = 1e-9  # relative distance to a limit below which floats do not decide
TIE = 1e-4  # fen


@njit(cache=True, nogil=True)
def _value(terms: Any, x: float, k: float) -> float:  # pragma: no cover - compiled
    """Terms in the order (0,-1) (0,0) (0,1) (1,-1) (1,0) (1,1) of powers of x and k."""
    fixed = terms[0] / k + terms[1] + terms[2] * k
    return fixed + x * (terms[3] / k + terms[4] + terms[5] * k)


@njit(cache=True, nogil=True)
def piece_at(ratio: float, c: int, upper: Any, closed: Any) -> Any:  # pragma: no cover - compiled
    """Piece of curve row ``c`` that a ratio falls into, and whether a limit lies too near for a float to decide."""
    near = False
    for p in range(upper.shape[1]):
        limit = upper[c, p]
        if abs(ratio - limit) <= NEAR * limit and limit < np.inf:
            near = True
        if ratio < limit or (closed[c, p] and ratio == limit) or limit == np.inf:
            return p, near
    return 0, near


@njit(cache=True, nogil=True)
def share_at(c: int, piece: int, x: float, k: float, terms: Any, capped: Any, cap: Any) -> float:  # pragma: no cover
    """Share of the relative value that a piece pays, 0 or more and not above its cap."""
    share = _value(terms[c, piece], x, k)
    if share < 0.0:
        share = 0.0
    if capped[c, piece]:
        share = min(share, _value(cap[c, piece], x, k))
    return share


@njit(cache=True, nogil=True)
def is_tie(amount: float) -> bool:  # pragma: no cover - compiled
    """Whether an amount in fen lies too near to half a fen for a float to round it."""
    return abs(amount - np.floor(amount) - 0.5) < TIE


@njit(cache=True, nogil=True)
def apply_curves(
    cost: Any,
    relative: Any,
    coefficient: Any,
    mean: Any,
    unit_value: Any,
    factor: Any,
    row: Any,
    curves: Any,
) -> Any:  # pragma: no cover - compiled
    """Settle cases by their curves.

    Parameters
    ----------
    cost
        int64 fen.
    relative, coefficient, mean, unit_value, factor
        float64: relative value, k, mean cost of the group (yuan), yuan per unit (NaN when not known yet), factor.
    row
        int32 row of the case's curve and band; below 0 the case is left alone.
    curves
        :class:`drgsim.payment.curve.CurveArrays`.

    Returns
    -------
    tuple
        piece int8 (-1 left alone), case class int8, ratio, units (NaN for an actual cost), amount in fen, doubtful.
    """
    uppers, closed_flags, actual_flags, capped_flags = curves.upper, curves.closed, curves.actual, curves.capped
    all_terms, all_caps, classes, with_k = curves.terms, curves.cap, curves.case_class, curves.with_k
    size = cost.size
    piece_of = np.full(size, -1, np.int8)
    class_of = np.full(size, -1, np.int8)
    ratio_of = np.full(size, np.nan)
    units_of = np.full(size, np.nan)
    amount_of = np.full(size, np.nan)
    doubtful = np.zeros(size, np.bool_)
    for i in range(size):
        c = row[i]
        if c < 0:
            continue
        k = coefficient[i]
        x = cost[i] / 100.0 / mean[i]
        ratio = x / k if with_k[c] else x
        piece, doubtful[i] = piece_at(ratio, c, uppers, closed_flags)
        piece_of[i] = piece
        class_of[i] = classes[c, piece]
        ratio_of[i] = ratio
        if actual_flags[c, piece]:
            amount_of[i] = cost[i]
            continue
        units_of[i] = relative[i] * share_at(c, piece, x, k, all_terms, capped_flags, all_caps) * factor[i]
        amount = units_of[i] * unit_value[i] * 100.0
        amount_of[i] = amount
        if is_tie(amount):
            doubtful[i] = True
    return piece_of, class_of, ratio_of, units_of, amount_of, doubtful
