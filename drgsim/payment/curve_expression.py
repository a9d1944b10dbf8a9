"""What a piece of a payment curve pays, written as the rule itself writes it: ``k*(1 + 0.7*(r - K))``.

Names: ``r`` cost ratio (费用比), ``x`` cost over the group's mean cost without coefficient, ``k`` hospital coefficient (系数),
``K`` the multiple at which cases of the band count as high (高倍率倍数), ``E`` the multiple beyond which the cost is paid,
where it is not K. The result is relative value paid per unit of relative value of the group, so ``k`` alone is the standard.
Only + - * / and brackets; a piece must be linear in the cost.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from drgsim.language import text
from drgsim.money import exact

# powers of (x, k) -> coefficient
Polynomial = dict[tuple[int, int], Fraction]
TERMS: tuple[tuple[int, int], ...] = ((0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1))
NAMES = ("r", "x", "k", "K", "E")
LONGEST = 200  # characters of an expression
LARGEST = 10**9  # of a number in it, and of what its numbers come to


class ExpressionError(ValueError):
    """An expression that is no payment rule; the message says why."""


def parse(written: str, *, multiple: float | None, with_coefficient: bool, excess: float | None = None) -> Polynomial:
    """Read an expression into coefficients of x and k.

    Parameters
    ----------
    written
        For instance ``r*k - (K - k)``.
    multiple
        The value of ``K`` in this band, None where the band has none.
    with_coefficient
        Whether the cost ratio divides by the coefficient too: r = x / k, else r = x.
    excess
        The value of ``E`` in this band, None where the band has none.

    Raises
    ------
    ExpressionError
        Unknown names, other operators, division by something with x, or powers beyond :data:`TERMS`.

    Examples
    --------
    >>> parse("r*k - (K - k)", multiple=2, with_coefficient=True)
    {(1, 0): Fraction(1, 1), (0, 0): Fraction(-2, 1), (0, 1): Fraction(1, 1)}
    """
    names: dict[str, Polynomial] = {
        "x": {(1, 0): Fraction(1)},
        "r": {(1, -1 if with_coefficient else 0): Fraction(1)},
        "k": {(0, 1): Fraction(1)},
    }
    if multiple is not None:
        names["K"] = {(0, 0): exact(multiple)}
    if excess is not None:
        names["E"] = {(0, 0): exact(excess)}
    result = {powers: value for powers, value in _evaluate(_tree(written).body, names, written).items() if value}
    if any(abs(value) > LARGEST for value in result.values()):
        raise ExpressionError(
            text("{written!r} comes to more than {largest:,} times its names", written=written, largest=LARGEST)
        )
    beyond = [powers for powers in result if powers not in TERMS]
    if beyond:
        raise ExpressionError(
            text("{written!r} is not linear in the cost, or uses k beyond the powers -1, 0, 1", written=written)
        )
    return result


@lru_cache(maxsize=1024)
def _tree(written: str) -> ast.Expression:
    """Curves of many regions write the same few expressions."""
    if len(written) > LONGEST:
        raise ExpressionError(text("{written!r}... is longer than {longest} characters", written=written[:40], longest=LONGEST))
    try:
        return ast.parse(written.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the parser's words for too deep are several
        raise ExpressionError(text("{written!r} cannot be read", written=written)) from error


def names_used(written: str) -> set[str]:
    """The names that an expression uses; empty when it cannot be read."""
    try:
        return {node.id for node in ast.walk(_tree(written)) if isinstance(node, ast.Name)}
    except ExpressionError:
        return set()


def _evaluate(node: ast.expr, names: Mapping[str, Polynomial], written: str) -> Polynomial:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        if abs(node.value) > LARGEST:  # infinity too
            raise ExpressionError(text("{written!r} has a number above {largest:,}", written=written, largest=LARGEST))
        return {(0, 0): exact(node.value)}
    if isinstance(node, ast.Name):
        if node.id not in names:
            of_band = node.id in ("K", "E")
            known = text("the names are {names}", names=", ".join(NAMES))
            if of_band:
                known = text("{name} is used, but the band states no {name}", name=node.id)
            raise ExpressionError(text("{written!r} uses {name!r}: {known}", written=written, name=node.id, known=known))
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return {powers: -value for powers, value in _evaluate(node.operand, names, written).items()}
    if isinstance(node, ast.BinOp):
        left, right = _evaluate(node.left, names, written), _evaluate(node.right, names, written)
        if isinstance(node.op, ast.Add | ast.Sub):
            sign = 1 if isinstance(node.op, ast.Add) else -1
            result = dict(left)
            for powers, value in right.items():
                result[powers] = result.get(powers, Fraction(0)) + sign * value
            return result
        if isinstance(node.op, ast.Mult):
            return _multiply(left, right)
        if isinstance(node.op, ast.Div):
            return _multiply(left, _inverse(right, written))
    raise ExpressionError(text("{written!r} uses something other than + - * / and brackets", written=written))


def _multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for (i, j), a in left.items():
        for (m, n), b in right.items():
            powers = (i + m, j + n)
            result[powers] = result.get(powers, Fraction(0)) + a * b
    return result


def _inverse(polynomial: Polynomial, written: str) -> Polynomial:
    terms = [(powers, value) for powers, value in polynomial.items() if value]
    if len(terms) != 1 or terms[0][0][0] != 0:
        raise ExpressionError(text("{written!r} divides by something other than a number or k", written=written))
    (i, j), value = terms[0]
    return {(-i, -j): 1 / value}


def evaluate(polynomial: Polynomial, x: Fraction, k: Fraction) -> Fraction:
    """Exact value at a cost over mean ``x`` and a coefficient ``k``."""
    return sum((value * x**i * k**j for (i, j), value in polynomial.items()), Fraction(0))
