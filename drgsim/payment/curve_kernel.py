"""The fast half of the payment curve: arrays in, piece, units and amount out.

Same answers as :func:`drgsim.payment.curve.settle_exactly`: where a float lies too near to a limit of a piece, or an
amount too near to half a fen, the case is marked and the caller asks the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from drgsim.money import MISSING, TIE_SLACK

NEAR = 1e-9  # relative distance to a limit below which floats do not decide


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
def pay_by_curve(
    cost: int, relative: float, k: float, mean: float, unit_value: float, factor: float, c: int, curves: Any
) -> Any:  # pragma: no cover - compiled
    """One case: piece, cost ratio, units (NaN for an actual cost), amount in fen, and whether an oracle must decide.

    The one place where the curve is applied; parameters as in :func:`apply_curves`.
    """
    x = cost / 100.0 / mean
    ratio = x / k if curves.with_k[c] else x
    piece, doubtful = piece_at(ratio, c, curves.upper, curves.closed)
    if curves.actual[c, piece]:
        return piece, ratio, np.nan, cost, doubtful
    share = max(_value(curves.terms[c, piece], x, k), 0.0)
    if curves.capped[c, piece]:
        share = min(share, _value(curves.cap[c, piece], x, k))
    units = relative * share * factor
    amount = units * unit_value * 100.0
    size = abs(amount)
    if not size < 9e18:  # no unit value yet, or no number
        return piece, ratio, units, MISSING, doubtful
    whole = np.int64(size + 0.5)
    if abs(size - np.floor(size) - 0.5) < TIE_SLACK:
        doubtful = True
    return piece, ratio, units, whole if amount >= 0 else -whole, doubtful


@njit(cache=True, nogil=True)
def apply_curves(
    cost: Any, relative: Any, coefficient: Any, mean: Any, unit_value: Any, factor: Any, row: Any, curves: Any
) -> Any:  # fmt: skip  # pragma: no cover - compiled
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
        piece int8 (-1 left alone), case class int8, ratio, units (NaN for an actual cost), amount in fen (``MISSING`` without
        a unit value), doubtful.
    """
    size = cost.size
    piece_of = np.full(size, -1, np.int8)
    class_of = np.full(size, -1, np.int8)
    ratio_of = np.full(size, np.nan)
    units_of = np.full(size, np.nan)
    amount_of = np.full(size, MISSING, np.int64)
    doubtful = np.zeros(size, np.bool_)
    for i in range(size):
        c = row[i]
        if c < 0:
            continue
        piece, ratio_of[i], units_of[i], amount_of[i], doubtful[i] = pay_by_curve(
            cost[i], relative[i], coefficient[i], mean[i], unit_value[i], factor[i], c, curves
        )
        piece_of[i] = piece
        class_of[i] = curves.case_class[c, piece]
    return piece_of, class_of, ratio_of, units_of, amount_of, doubtful


@njit(cache=True, nogil=True)
def reprice_curves(
    place: Any, key: Any, cost: Any, factor: Any, relative: Any, coefficient: Any, mean: Any, unit_value: Any, row: Any,
    curves: Any,
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    """Settle the cases at ``place`` by terms that are given once for each ``key``; otherwise as :func:`apply_curves`.

    Returns
    -------
    tuple
        amount in fen, case class int8, doubtful; by place.
    """
    amount = np.full(place.size, MISSING, np.int64)
    class_of = np.full(place.size, -1, np.int8)
    doubtful = np.zeros(place.size, np.bool_)
    for n in range(place.size):
        i = place[n]
        t = key[i]
        c = row[t]
        if c < 0:
            continue
        piece, _, _, amount[n], doubtful[n] = pay_by_curve(
            cost[i], relative[t], coefficient[t], mean[t], unit_value[t], factor[i], c, curves
        )
        class_of[n] = curves.case_class[c, piece]
    return amount, class_of, doubtful
