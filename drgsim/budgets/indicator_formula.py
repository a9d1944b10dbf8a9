"""Formulas of quality indicators that a bureau writes itself: numbers, names, + - * /, brackets, min, max and abs.

A name is an indicator, measured or entered in indicators.csv, or one of :data:`FACTS`; with ``_before`` behind it, the value of
the year before. Where anything that a formula needs is missing, or is divided by 0, it gives no value.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

from drgsim.language import text
from drgsim.region.hospital_year_sums import Floats

FACTS = (
    "cases", "people", "cmi", "cost", "patient", "visits", "heads", "outpatient_cost", "visits_per_head", "cost_per_visit",
    "cost_per_case",
)  # fmt: skip
BEFORE = "_before"
LONGEST = 500  # characters of a formula
_CALLS = {"min": np.minimum, "max": np.maximum}
_OPERATIONS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide}


def _checked(written: str) -> str:
    _tree(written)
    return written


Formula = Annotated[str, AfterValidator(_checked)]


def names_in(written: str) -> tuple[str, ...]:
    """Names that a formula uses, each once, in their order, without ``_before``.

    Examples
    --------
    >>> names_in("0.5 * cost_index + time_index_before")
    ('cost_index', 'time_index')
    """
    found = [node for node in ast.walk(_tree(written)) if isinstance(node, ast.Name) and node.id not in (*_CALLS, "abs")]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id.removesuffix(BEFORE) for node in found))


def value_of(written: str, values: Mapping[str, Floats]) -> Floats:
    """What a formula gives for (H,) values by name; NaN where a value is missing or divided by 0.

    Examples
    --------
    >>> value_of("visits / heads - 1", {"visits": np.array([6.0, 4.0]), "heads": np.array([4.0, 0.0])}).tolist()
    [0.5, nan]
    """
    with np.errstate(all="ignore"):
        found = np.asarray(_value(_tree(written), values), np.float64)
    return np.where(np.isfinite(found), found, np.nan)


@lru_cache(maxsize=256)
def _tree(written: str) -> ast.expr:
    """The formula as a tree; ValueError where it says anything else than sums."""
    if len(written) > LONGEST:
        raise ValueError(text("a formula of {count} characters; the most is {longest}", count=len(written), longest=LONGEST))
    try:
        tree = ast.parse(written.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            text("{written!r} is no formula: write names and numbers with + - * / and brackets", written=written)
        ) from error
    for node in ast.walk(tree):
        if not _plain(node):
            allowed = text("names, numbers, + - * /, brackets, min, max and abs")
            raise ValueError(
                text(
                    "{written!r} is no formula: {part!r} is none of {allowed}",
                    written=written,
                    part=ast.unparse(node),
                    allowed=allowed,
                )
            )
    return tree


def _plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool) and abs(node.value) <= 1e15
    if isinstance(node, ast.BinOp):
        return type(node.op) in _OPERATIONS
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub | ast.UAdd)
    if isinstance(node, ast.Call):
        named = node.func.id if isinstance(node.func, ast.Name) else ""
        return not node.keywords and len(node.args) == {"abs": 1, "min": 2, "max": 2}.get(named, -1)
    return isinstance(node, ast.Name | ast.operator | ast.unaryop | ast.expr_context)


def _value(node: ast.expr, values: Mapping[str, Floats]) -> Floats | float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return np.asarray(_OPERATIONS[type(node.op)](_value(node.left, values), _value(node.right, values)))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    first, *rest = (np.asarray(_value(each, values), np.float64) for each in node.args)
    return np.asarray(_CALLS[node.func.id](first, rest[0]) if rest else np.abs(first))
