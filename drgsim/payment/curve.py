"""The payment curve (支付曲线): what a case is paid, as a piecewise linear function of its cost.

With M the mean cost of the case's group (元), C its cost, k its coefficient, x = C / M and r = x / k (or x where the policy
compares without the coefficient), a piece pays

    P = V * f(x, k)      f linear in x, with powers -1, 0, 1 of k

relative value units, V being the relative value of the group; f = k is the standard. A piece may instead pay the actual cost.
Two implementations: :func:`settle_exactly` with fractions is the oracle, :mod:`drgsim.payment.curve_kernel` is fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.language import joined, text
from drgsim.money import FEN_PER_YUAN, exact, round_half_away
from drgsim.payment.case_class import CLASSES, CaseClass
from drgsim.payment.curve_expression import TERMS, Polynomial, evaluate, parse
from drgsim.payment.curve_model import ACTUAL, Band, Curve


@dataclass(frozen=True)
class ResolvedPiece:
    """A piece with its multiple K put in.

    ``upper`` is the cost ratio at which it ends (None: never), ``terms`` what it pays (None: the actual cost), ``rule``
    the words that explain a payment by it.
    """

    case_class: CaseClass
    upper: Fraction | None
    closed: bool
    terms: Polynomial | None
    cap: Polynomial | None
    rule: str


@dataclass(frozen=True)
class ResolvedCurve:
    """One band of a curve: the curve that the cases of that band have."""

    name: str
    band: int
    with_coefficient: bool
    pieces: tuple[ResolvedPiece, ...]

    def ratio(self, x: Fraction, k: Fraction) -> Fraction:
        """Cost ratio r of a case with cost over mean ``x``."""
        return x / k if self.with_coefficient else x

    def piece(self, ratio: Fraction) -> int:
        """Number of the piece that a cost ratio falls into."""
        for number, piece in enumerate(self.pieces):
            if piece.upper is None or ratio < piece.upper or (piece.closed and ratio == piece.upper):
                return number
        raise AssertionError("the last piece of a curve has no upper limit")

    def paid(self, number: int, x: Fraction, k: Fraction) -> Fraction | None:
        """Units paid per unit of relative value, never below 0; None for a piece that pays the actual cost."""
        piece = self.pieces[number]
        if piece.terms is None:
            return None
        value = max(evaluate(piece.terms, x, k), Fraction(0))
        return value if piece.cap is None else min(value, evaluate(piece.cap, x, k))


def resolve(name: str, curve: Curve) -> tuple[ResolvedCurve, ...]:
    """The curve of each band, in the order of the bands."""
    resolved = []
    for number, band in enumerate(curve.bands):
        pieces: list[ResolvedPiece] = []
        for piece in curve.pieces:
            limit = band.limit(piece.upto)

            def terms(written: str | None, band: Band = band) -> Polynomial | None:
                if written is None or written == ACTUAL:
                    return None
                return parse(written, multiple=band.K, with_coefficient=curve.with_coefficient, excess=band.E)

            upper = None if limit is None else exact(limit)
            words = _words(piece.case_class, piece.pays, pieces[-1] if pieces else None, upper, piece.closed, band)
            pieces.append(ResolvedPiece(piece.case_class, upper, piece.closed, terms(piece.pays), terms(piece.cap), words))
        resolved.append(ResolvedCurve(name, number, curve.with_coefficient, tuple(pieces)))
    return tuple(resolved)


def _words(
    case_class: CaseClass, pays: str, before: ResolvedPiece | None, upper: Fraction | None, closed: bool, band: Band
) -> str:
    """A sentence such as ``high: r > 2 -> k*(1 + 0.7*(r - K)), K = 2``."""
    parts = []
    if before is not None and before.upper is not None:
        parts.append(f"r {'>' if before.closed else '>='} {float(before.upper):g}")
    if upper is not None:
        parts.append(f"r {'<=' if closed else '<'} {float(upper):g}")
    paid = text("the actual cost") if pays == ACTUAL else text("the standard") if pays == "k" else pays
    named = [(name, getattr(band, name)) for name in ("K", "E") if name in pays and getattr(band, name) is not None]
    multiple = "".join(f", {name} = {value:g}" for name, value in named)
    where = joined(text(" and "), parts) if parts else text("any cost")
    return text("{case_class}: {where} -> {paid}{multiple}", case_class=case_class, where=where, paid=paid, multiple=multiple)


class ExactCase(NamedTuple):
    """Answer of the oracle: piece number, cost ratio, units paid and amount in fen (None without a unit value)."""

    piece: int
    ratio: Fraction
    units: Fraction | None
    amount: int | None


def settle_exactly(
    curve: ResolvedCurve,
    cost: int,
    *,
    relative_value: Fraction,
    coefficient: Fraction,
    mean: Fraction,
    unit_value: Fraction | None,
    factor: Fraction = Fraction(1),
) -> ExactCase:
    """Settle one case with fractions; rounding happens once, at the amount.

    Parameters
    ----------
    curve
        The curve of the case's band.
    cost
        Total cost, fen.
    relative_value
        Weight, points or score of the group.
    coefficient
        Hospital coefficient k, above 0.
    mean
        Mean cost of the group, yuan, above 0.
    unit_value
        Yuan per unit of relative value; None where it follows from a budget later.
    factor
        Multiplies what the curve pays (age factor, auxiliary coefficient), not an actual cost.

    Examples
    --------
    >>> from drgsim.payment.policy import load_policy
    >>> curve = resolve("main", load_policy("qingyang/2023").file.curves["main"])[0]
    >>> one, k, rate = Fraction(1), Fraction("1.4"), Fraction("3399.6038")
    >>> settle_exactly(curve, 2_000_000, relative_value=one, coefficient=k, mean=rate, unit_value=rate).amount
    1043042
    """
    x = Fraction(cost, FEN_PER_YUAN) / mean
    ratio = curve.ratio(x, coefficient)
    number = curve.piece(ratio)
    share = curve.paid(number, x, coefficient)
    if share is None:
        units = None if unit_value is None else Fraction(cost, FEN_PER_YUAN) / unit_value
        return ExactCase(number, ratio, units, cost)
    units = relative_value * share * factor
    amount = None if unit_value is None else round_half_away(units * unit_value * FEN_PER_YUAN)
    return ExactCase(number, ratio, units, amount)


# -- arrays for the kernel ---------------------------------------------------------------------------------------------
class CurveArrays(NamedTuple):
    """All curves of a policy, one row per curve and band, padded to the longest.

    ``upper`` (rows, pieces) cost ratios; ``closed``, ``actual``, ``capped`` flags; ``terms`` and ``cap`` (rows, pieces,
    6) in the order of ``expression.TERMS``; ``case_class`` place in :data:`CLASSES`; ``with_k`` per row.
    """

    upper: NDArray[np.float64]
    closed: NDArray[np.bool_]
    actual: NDArray[np.bool_]
    capped: NDArray[np.bool_]
    terms: NDArray[np.float64]
    cap: NDArray[np.float64]
    case_class: NDArray[np.int8]
    with_k: NDArray[np.bool_]


@dataclass(frozen=True)
class CurveBook:
    """The curves of a policy, resolved once: rows for the kernel, objects for the oracle."""

    rows: tuple[ResolvedCurve, ...]
    first_row: Mapping[str, int]
    curves: Mapping[str, Curve]
    arrays: CurveArrays


def curve_book(curves: Mapping[str, Curve]) -> CurveBook:
    """Resolve all curves of a policy."""
    rows: list[ResolvedCurve] = []
    first: dict[str, int] = {}
    for name, curve in curves.items():
        first[name] = len(rows)
        rows.extend(resolve(name, curve))
    shape = (max(len(rows), 1), max((len(row.pieces) for row in rows), default=1))  # a row for policies without a curve
    upper, closed = np.full(shape, np.inf), np.zeros(shape, np.bool_)
    actual, capped = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    terms, cap = np.zeros((*shape, len(TERMS))), np.zeros((*shape, len(TERMS)))
    case_class = np.zeros(shape, np.int8)
    for i, row in enumerate(rows):
        for j, piece in enumerate(row.pieces):
            upper[i, j] = np.inf if piece.upper is None else float(piece.upper)
            closed[i, j], actual[i, j], capped[i, j] = piece.closed, piece.terms is None, piece.cap is not None
            case_class[i, j] = CLASSES.index(piece.case_class)
            for place, powers in enumerate(TERMS):
                terms[i, j, place] = float((piece.terms or {}).get(powers, 0))
                cap[i, j, place] = float((piece.cap or {}).get(powers, 0))
    with_k = np.array([row.with_coefficient for row in rows] or [False])
    return CurveBook(
        tuple(rows), first, dict(curves), CurveArrays(upper, closed, actual, capped, terms, cap, case_class, with_k)
    )


@dataclass(frozen=True)
class Break:
    """A point where a curve changes, with what is paid on either side (units per unit of relative value)."""

    ratio: float
    before: float
    after: float

    @property
    def jump(self) -> float:
        """How far the payment jumps there."""
        return self.after - self.before


def breaks(curve: ResolvedCurve, coefficient: float = 1.0, actual_share: float | None = None) -> list[Break]:
    """Where the pieces of a curve meet and how far it jumps.

    Parameters
    ----------
    curve
        One band.
    coefficient
        k at which the curve is looked at.
    actual_share
        Units per unit of relative value that a cost equal to the group's mean is worth, for pieces that pay the actual
        cost: mean / (relative value x unit value). 1 where the comparison cost is the price itself.
    """
    k = exact(coefficient)
    found = []
    for number, piece in enumerate(curve.pieces[:-1]):
        assert piece.upper is not None
        x = piece.upper * k if curve.with_coefficient else piece.upper
        sides = []
        for side in (number, number + 1):
            paid = curve.paid(side, x, k)
            sides.append(float(paid) if paid is not None else float(x) * (1.0 if actual_share is None else actual_share))
        found.append(Break(float(piece.upper), sides[0], sides[1]))
    return found
