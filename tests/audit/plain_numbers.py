"""Numbers as written, as fractions; money rounded once to the fen, a half away from zero (rule book, opening)."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any


@cache
def fraction(written: str) -> Fraction:
    """The number that a text shows, read once."""
    return Fraction(written)


def number(written: Any) -> Fraction | None:
    """The number that a text, a decimal or a float shows; None for blanks."""
    if written is None or written == "":
        return None
    if isinstance(written, float):
        return None if written != written else Fraction(repr(written))
    if isinstance(written, str):
        return fraction(written)
    if isinstance(written, int | Fraction):
        return Fraction(written)
    if isinstance(written, Decimal):
        return Fraction(str(written))
    return number(float(written))


def whole(amount: Fraction) -> int:
    """The nearest integer; a half goes away from zero."""
    doubled = abs(amount) * 2 + 1
    size = doubled.numerator // doubled.denominator // 2
    return size if amount >= 0 else -size


def fen(yuan: Fraction) -> int:
    """Fen of an amount in yuan."""
    return whole(yuan * 100)


def day(written: Any) -> date | None:
    """A date of a cell or a YAML text."""
    if written is None or written == "":
        return None
    if isinstance(written, datetime):
        return written.date()
    return written if isinstance(written, date) else date.fromisoformat(str(written))


def shared_out(amount: int, shares: Sequence[Fraction | int]) -> list[int]:
    """Integer parts in proportion to shares that sum to the whole: floors first, then one each by largest remainder."""
    sign, total = (-1 if amount < 0 else 1), sum(Fraction(share) for share in shares)
    ideal = [abs(amount) * Fraction(share) / total for share in shares]
    parts = [part.numerator // part.denominator for part in ideal]
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - ideal[place], place))
    for place in order[: abs(amount) - sum(parts)]:
        parts[place] += 1
    return [sign * part for part in parts]


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def formula(text: str, names: Mapping[str, Fraction | None]) -> Fraction | None:
    """A formula of a policy such as ``k*(1 + 0.7*(r - K))``; None where a name in it has no value."""
    tree = _parsed(text)

    def value(node: ast.expr) -> Fraction | None:
        if isinstance(node, ast.Constant):
            return fraction(ast.unparse(node))
        if isinstance(node, ast.Name):
            return names[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = value(node.operand)
            return None if inner is None else -inner
        if not isinstance(node, ast.BinOp):
            raise ValueError(f"{text!r} is no formula that the auditor knows")
        left, right = value(node.left), value(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right
        raise ValueError(f"{text!r} is no formula that the auditor knows")

    return value(tree)
