"""Money as int64 fen (分): rounded once, half away from zero, and exact where a float would guess.

1 yuan = 100 fen. Sums of fen are integers, so they add up in any order. An amount of one case is at most
:func:`highest_amount`, so that an int64 holds the sum of some hundred million of them; sums that answer for more use
:func:`exact_sum`.
"""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from drgsim.compiled_code import njit
from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text

Number = float | int | str | Fraction  # as a user writes it
FEN_PER_YUAN = 100
TIE_SLACK = 1e-4  # fen: a float this near to a half is decided again with exact fractions
MONEY_TYPE = pa.decimal128(18, 2)
HIGHEST_AMOUNT = 100_000_000  # yuan: what one case may cost or be paid at most; our own limit, far beyond any real bill
HIGHEST_LIMIT = 1_000_000_000  # yuan: what the limit may be set to; sums of 92 million such cases still fit an int64
HIGHEST_VARIABLE = "DRGSIM_HIGHEST_AMOUNT"
_MOST = int(np.iinfo(np.int64).max)
MISSING = np.iinfo(np.int64).min  # marks "no amount"; never a sum of money


def highest_amount() -> int:
    """Fen that one case may cost or be paid at most; more is a number that slipped into the column of money.

    The variable ``DRGSIM_HIGHEST_AMOUNT`` (yuan) goes before :data:`HIGHEST_AMOUNT`.

    Raises
    ------
    UsageError
        ``usage-bad-highest-amount``: the variable is no number above 0, or beyond :data:`HIGHEST_LIMIT`.

    Examples
    --------
    >>> highest_amount()
    10000000000
    """
    given = os.environ.get(HIGHEST_VARIABLE, "")
    if not given:
        return HIGHEST_AMOUNT * FEN_PER_YUAN
    try:
        yuan = float(given)
    except ValueError:
        yuan = 0.0
    if not 0 < yuan <= HIGHEST_LIMIT:
        what, fix = (
            text("{variable} is {given!r}", variable=HIGHEST_VARIABLE, given=given),
            text("give yuan above 0, up to {limit:,}", limit=HIGHEST_LIMIT),
        )
        raise UsageError([Problem("usage-bad-highest-amount", what, fix=fix)])
    return fen(yuan)


def exact(number: Number) -> Fraction:
    """The decimal number that a user wrote, as a fraction.

    A float is read by its shortest decimal form, which is what stood in the file.

    Examples
    --------
    >>> exact(0.1)
    Fraction(1, 10)
    """
    if isinstance(number, Fraction):
        return number
    return Fraction(repr(float(number))) if isinstance(number, float | np.floating) else Fraction(number)


def round_half_away(number: Fraction) -> int:
    """Nearest integer; a half goes away from zero.

    Examples
    --------
    >>> round_half_away(Fraction(5, 2)), round_half_away(Fraction(-5, 2)), round_half_away(Fraction(9, 4))
    (3, -3, 2)
    """
    doubled = 2 * abs(number.numerator) + number.denominator
    size = doubled // (2 * number.denominator)
    return size if number >= 0 else -size


def fen(yuan: Number) -> int:
    """Fen of one amount in yuan, half away from zero.

    Examples
    --------
    >>> fen("4759.44532"), fen(1.005), fen(-1.005)
    (475945, 101, -101)
    """
    return round_half_away(exact(yuan) * FEN_PER_YUAN)


def round_floats(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Nearest integers of floats (NaN becomes :data:`MISSING`), and where a float is too near to a half to trust."""
    rounded, close = _round(np.ascontiguousarray(values, np.float64))
    return rounded, close


@njit(cache=True, nogil=True)
def _round(values: Any) -> Any:  # pragma: no cover - compiled
    rounded = np.empty(values.size, np.int64)
    close = np.zeros(values.size, np.bool_)
    for i in range(values.size):
        size = abs(values[i])
        if not size < 9e18:  # NaN and infinity too
            rounded[i] = MISSING
            continue
        whole = np.int64(size + 0.5)
        rounded[i] = whole if values[i] >= 0 else -whole
        close[i] = abs(size - np.floor(size) - 0.5) < TIE_SLACK
    return rounded, close


def to_fen(yuan: ArrayLike) -> NDArray[np.int64]:
    """Fen of many amounts in yuan; NaN becomes :data:`MISSING`.

    Examples
    --------
    >>> to_fen([12.3, 1.005, float("nan")])[:2].tolist()
    [1230, 101]
    """
    values = np.asarray(yuan, np.float64)
    result, close = round_floats(values * FEN_PER_YUAN)
    for place in np.flatnonzero(close):
        result[place] = fen(float(values[place]))
    return result


def product_fen(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Fen of products in yuan, such as days x rate; half a fen is decided by the decimals as written, not by their floats.

    Examples
    --------
    >>> product_fen([3.0, 1.0, float("nan")], [1.005, 0.125, 2.0])[:2].tolist()
    [302, 13]
    """
    a, b = np.broadcast_arrays(np.asarray(first, np.float64), np.asarray(second, np.float64))
    result, close = round_floats(a * b * FEN_PER_YUAN)
    for place in np.flatnonzero(close):
        result[place] = round_half_away(exact(float(a[place])) * exact(float(b[place])) * FEN_PER_YUAN)
    return result


def share_of(amounts: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """A share of amounts in fen, each rounded once; missing amounts stay so.

    Examples
    --------
    >>> share_of(np.array([100, 5, MISSING]), 0.7)[:2].tolist()
    [70, 4]
    """
    if share == 1:
        return amounts
    result, close = round_floats(np.where(amounts == MISSING, np.nan, amounts * share))
    for place in np.flatnonzero(close):
        result[place] = round_half_away(int(amounts[place]) * exact(share))
    return result


def to_yuan(amounts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Yuan of fen, NaN where missing: for plots and ratios, never for sums."""
    return np.where(amounts == MISSING, np.nan, amounts / FEN_PER_YUAN)


def money_column(amounts: NDArray[np.int64]) -> pa.Array:
    """Fen as an Arrow decimal column in yuan with two decimals; missing amounts are null.

    Examples
    --------
    >>> money_column(np.array([1230, -5])).to_pylist()
    [Decimal('12.30'), Decimal('-0.05')]
    """
    words, missing = _wide(np.ascontiguousarray(amounts, np.int64))
    validity = pa.array(amounts != MISSING).buffers()[1] if missing else None
    return pa.Array.from_buffers(MONEY_TYPE, amounts.size, [validity, pa.py_buffer(words)])


@njit(cache=True, nogil=True)
def _wide(amounts: Any) -> Any:  # pragma: no cover - compiled
    """Amounts as 128-bit integers (the sign fills the upper half), and how many are missing."""
    words = np.empty((amounts.size, 2), np.int64)
    missing = 0
    for i in range(amounts.size):
        words[i, 0] = amounts[i]
        words[i, 1] = -1 if amounts[i] < 0 else 0
        missing += amounts[i] == MISSING
    return words, missing


def total(amounts: NDArray[np.int64]) -> int:
    """Sum in fen over the amounts that are known."""
    return exact_sum(amounts[amounts != MISSING])


def exact_sum(amounts: NDArray[np.int64]) -> int:
    """The sum of any amounts, whatever it comes to: the upper and the lower halves are added by themselves.

    Examples
    --------
    >>> exact_sum(np.array([2**62, 2**62, 2**62, -1])) == 3 * 2**62 - 1
    True
    """
    return (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFFFFFF).sum())


def add_at(sums: NDArray[np.int64], places: NDArray[np.integer[Any]], amounts: NDArray[np.int64]) -> None:
    """Add amounts in fen to the sums at their places, as ``np.add.at`` does, which wraps in silence where this refuses.

    Raises
    ------
    InputError
        ``money-sum-too-large``: a sum is beyond what 64 bits hold; nothing was added.

    Examples
    --------
    >>> sums = np.array([2**62, 0])
    >>> add_at(sums, np.array([0, 1, 0]), np.array([5, 7, -2**62]))
    >>> sums.tolist()
    [5, 7]
    """
    if amounts.size == 0:
        return
    most = _size(sums) + amounts.size * _size(amounts)
    if most > _MOST:  # which need not mean that a sum is
        upper, lower = np.zeros_like(sums), np.zeros_like(sums)
        np.add.at(upper, places, amounts >> 32)
        np.add.at(lower, places, amounts & 0xFFFFFFFF)
        exactly = (int(sums[place]) + (int(upper[place]) << 32) + int(lower[place]) for place in np.unique(places))
        if any(not -_MOST <= each <= _MOST for each in exactly):
            raise sum_too_large()
    np.add.at(sums, places, amounts)


def _size(amounts: NDArray[np.int64]) -> int:
    """The largest amount of either sign."""
    return max(abs(int(amounts.max())), abs(int(amounts.min()))) if amounts.size else 0


def sums_by_place(places: NDArray[np.integer[Any]], amounts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Sums of fen by place, exactly; ``size`` is how many places there are.

    Raises
    ------
    InputError
        ``money-sum-too-large``.

    Examples
    --------
    >>> sums_by_place(np.array([0, 2, 0]), np.array([2**60, 5, 1]), 3).tolist()
    [1152921504606846977, 0, 5]
    """
    if amounts.size * _size(amounts) < 1 << 53:  # floats hold all sums on the way, and bincount is quick
        return np.rint(np.bincount(places, amounts, size)).astype(np.int64)
    sums = np.zeros(size, np.int64)
    add_at(sums, places, amounts)
    return sums


def sum_too_large() -> InputError:
    """The error of amounts whose sum no 64 bits hold."""
    what = text("amounts add up to more than {most} yuan", most=f"{_MOST // FEN_PER_YUAN:,}")
    fix = text("check the column of money: numbers of another kind may stand in it")
    return InputError.single("money-sum-too-large", what, why=text("a sum beyond it cannot be held exactly"), fix=fix)


def yuan_text(amount: int) -> str:
    """Fen as yuan with two decimals.

    Examples
    --------
    >>> yuan_text(123456), yuan_text(-5)
    ('1234.56', '-0.05')
    """
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def allocate(amount: int, shares: ArrayLike) -> NDArray[np.int64]:
    """Split fen in proportion to shares so that the parts sum to the whole exactly (largest remainder).

    Parameters
    ----------
    amount
        Fen, any sign.
    shares
        Non-negative numbers, not all 0. Equal remainders are served from the first on.

    Examples
    --------
    >>> allocate(100, [1, 1, 1]).tolist()
    [34, 33, 33]
    """
    parts = [Decimal(repr(share)) for share in np.asarray(shares, np.float64).tolist()]  # the numbers as they were written
    if not parts or not all(part.is_finite() for part in parts) or min(parts) < 0 or max(parts) <= 0:
        raise ValueError(text("shares must be non-negative and not all 0"))
    exponent = min(int(part.as_tuple().exponent) for part in parts)
    numbers = [int(part.scaleb(-exponent)) for part in parts]
    whole = sum(numbers)
    sign = -1 if amount < 0 else 1
    floors, rests = (list(column) for column in zip(*(divmod(abs(amount) * number, whole) for number in numbers), strict=True))
    order = sorted(range(len(numbers)), key=lambda place: (-rests[place], place))
    for place in order[: abs(amount) - sum(floors)]:
        floors[place] += 1
    return np.array(floors, np.int64) * sign


def from_parts(amounts: NDArray[np.int64], part: int) -> NDArray[np.int64]:
    """Amounts in parts of a fen, of which ``part`` are one, as fen: the rows sum to the rounded whole, column by column.

    The rest goes to the largest remainders.

    Examples
    --------
    >>> from_parts(np.array([[5_000], [5_000], [10_000]]), 10_000)[:, 0].tolist()
    [1, 0, 1]
    """
    floor, rest = amounts // part, amounts % part
    if not rest.any():
        return np.asarray(floor)
    wanted = (amounts.sum(0) * 2 + part) // (2 * part)  # half up, of amounts that are not below 0 here
    for column in range(amounts.shape[1]):
        left = int(wanted[column] - floor[:, column].sum())
        if left > 0:
            order = np.lexsort((np.arange(len(amounts)), -rest[:, column]))
            floor[order[:left], column] += 1
    return np.asarray(floor)
