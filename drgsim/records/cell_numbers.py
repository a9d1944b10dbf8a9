"""Numbers of a column, whatever they are written in: Arrow numbers, texts with full-width digits, money, durations, weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.arrow import distinct_texts, to_text
from drgsim.records.code_dictionaries import BLANK_FOLDED, fold

Parse = Callable[[str], "float | None"]  # NaN for a blank, None for what is no number
_AMOUNT = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)"
_CURRENCY = r"(?:RMB|CNY|人民币|[¥￥])?"  # no $: a sum in dollars is not one in yuan
# 12,345.60 ￥12,345.60元 0.7万 -￥5 (12.00) 12.00-
_MONEY = re.compile(
    rf"(?P<opens>\()?(?P<sign>[-−+]?){_CURRENCY}(?P<inner>[-−+]?){_AMOUNT}(?P<ten>万)?(?:元|圆|块|RMB|CNY)?[整正]?(?P<after>-?)(?P<closes>\))?"
)
_MINUS = ("-", "−")
_DAYS = re.compile(rf"{_AMOUNT}(?:天|日|D|DAYS?)")
_GRAMS = re.compile(rf"{_AMOUNT}(?P<unit>克|G|公斤|千克|KG)")


class Numbers(NamedTuple):
    """Numbers (NaN where missing), and where something stands that is none."""

    values: NDArray[np.float64]
    broken: NDArray[np.bool_]


def parse_number(text: str) -> float | None:
    """The number in a text, NaN for a blank, None for anything else.

    Examples
    --------
    >>> parse_number(" １２.5 "), parse_number("-"), parse_number("12元")
    (12.5, nan, None)
    """
    plain = fold(text)
    if plain in BLANK_FOLDED:
        return float("nan")
    try:
        return float(plain) if "_" not in plain else None
    except ValueError:
        return None


def plain_numbers(column: pa.Array) -> NDArray[np.float64] | None:
    """Numbers of a column that holds nothing but plain ones, NaN where missing; None for any other column."""
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def read_numbers(column: pa.Array, parse: Parse = parse_number) -> Numbers:
    """Numbers of a column (NaN where missing), and where something stands that is not a number.

    Numbers may arrive as text, with blanks or full-width digits; ``parse`` reads what else the column may hold.
    """
    plain = plain_numbers(column)
    if plain is not None:
        return Numbers(plain, np.zeros(len(column), np.bool_))
    texts, places = distinct_texts(to_text(column))
    parsed = [parse(text) for text in texts]
    values = np.array([np.nan if number is None else number for number in parsed] + [np.nan])
    broken = np.array([number is None for number in parsed] + [False])
    return Numbers(values[places], broken[places])


def parse_money(text: str) -> float | None:
    """Yuan in a text: with thousands' commas, currency, 元 or 万, in brackets or with its minus sign behind when below 0.

    Examples
    --------
    >>> [parse_money(text) for text in ("12,345.60", "￥12,345.60元", "０.7万", "(1,234.50)", "12.00-", "-¥5")]
    [12345.6, 12345.6, 7000.0, -1234.5, -12.0, -5.0]
    >>> parse_money("1,2345"), parse_money("about 5"), parse_money("-")
    (None, None, nan)
    """
    number = parse_number(text)
    if number is not None:
        return number
    match = _MONEY.fullmatch(fold(text))
    if match is None or bool(match["opens"]) != bool(match["closes"]):
        return None
    minus = [match["opens"], match["sign"] in _MINUS, match["inner"] in _MINUS, match["after"]]
    signs = sum(map(bool, (match["opens"], match["sign"], match["inner"], match["after"])))
    if signs > 1:
        return None
    size = Decimal(match["number"].replace(",", "")) * (10_000 if match["ten"] else 1)
    return float(-size if any(minus) else size)


def parse_days(text: str) -> float | None:
    """Days in a text, with or without the word.

    Examples
    --------
    >>> parse_days("9天"), parse_days("9"), parse_days("a week")
    (9.0, 9.0, None)
    """
    number = parse_number(text)
    match = _DAYS.fullmatch(fold(text)) if number is None else None
    return float(match["number"].replace(",", "")) if match else number


def parse_grams(text: str) -> float | None:
    """Grams in a text; kilograms where it says so.

    Examples
    --------
    >>> parse_grams("3300"), parse_grams("3.3kg"), parse_grams("3300克"), parse_grams("heavy")
    (3300.0, 3300.0, 3300.0, None)
    """
    number = parse_number(text)
    match = _GRAMS.fullmatch(fold(text)) if number is None else None
    if match is None:
        return number
    return float(Decimal(match["number"].replace(",", "")) * (1 if match["unit"] in ("克", "G") else 1000))
