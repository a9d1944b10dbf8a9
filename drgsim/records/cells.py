"""Dates and money of a column as numbers: days since 1970 and fen, NaN and a mark where they are missing."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.money import FEN_PER_YUAN, highest_amount
from drgsim.records.arrow import distinct_texts, one_chunk, to_text
from drgsim.records.cell_numbers import parse_money, read_numbers
from drgsim.records.code_dictionaries import BLANK_FOLDED, fold
from drgsim.records.encode import string_buffers

# 2024-12-31, 2024/12/31, 2024.12.31, 20241231, 2024年12月31日, each with or without a time of day
_DATE = r"^\s*(?P<y>\d{4})[-/.年]?(?P<m>\d{1,2})[-/.月]?(?P<d>\d{1,2})日?(?:[T\s].*)?$"
_EPOCH = date(1970, 1, 1).toordinal()
_SERIAL = r"^\s*(?P<day>[1-7]\d{4})(?:\.\d+)?\s*$"  # days of a spreadsheet's calendar, 1927 to 2118
_SERIAL_EPOCH = 25_569  # such a day for 1970-01-01


def read_words(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Trimmed texts of a column, empty where it is missing, blank or not there.

    Examples
    --------
    >>> read_words(pa.RecordBatch.from_pydict({"hospital_id": [" H1", "-", None]}), "hospital_id").to_pylist()
    ['H1', '', '']
    """
    texts = pc.utf8_trim_whitespace(pc.fill_null(to_text(one_chunk(batch, name), name).cast(pa.string()), ""))
    blank = pc.is_in(pc.utf8_upper(texts), value_set=pa.array(sorted(BLANK_FOLDED), pa.string()))
    return pc.if_else(blank, "", texts)


class Days(NamedTuple):
    """Days since 1970-01-01 (NaN where missing), and where something stands that is no date."""

    values: NDArray[np.float64]
    broken: NDArray[np.bool_]


def read_days(column: pa.Array) -> Days:
    """Days of a column of dates, times, texts or serial days of a spreadsheet; the time of day is left out.

    Examples
    --------
    >>> read_days(pa.array(["1970-01-02 08:30:00", "1970/1/3", "19700104", "1970-02-30", "-", None, "25573"]))
    Days(values=array([ 1.,  2.,  3., nan, nan, nan,  4.]), broken=array([False, False, False,  True, False, False, False]))
    """
    nothing = np.zeros(len(column), np.bool_)
    if column.null_count == len(column):
        return Days(np.full(len(column), np.nan), nothing)
    if pa.types.is_temporal(column.type):
        days = column.cast(pa.date32(), safe=False).cast(pa.int32())
        return Days(np.asarray(days.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64), nothing)
    texts = to_text(column)
    offsets, data = string_buffers(pc.fill_null(texts, "") if texts.null_count else texts)
    values, odd = _plain_days(offsets, data)
    places = np.flatnonzero(odd)
    if not places.size:
        return Days(values, nothing)
    values[places], nothing[places] = _other_days(texts.take(pa.array(places)))
    return Days(values, nothing)


def _other_days(texts: pa.Array) -> Days:
    """Days of texts that are not of the plain form 2024-12-31."""
    serial = pc.struct_field(pc.extract_regex(texts, _SERIAL), "day").cast(pa.float64())
    numbered = np.asarray(serial.to_numpy(zero_copy_only=False), np.float64) - _SERIAL_EPOCH
    parts = pc.extract_regex(texts, _DATE)
    spelled = pc.binary_join_element_wise(*(pc.struct_field(parts, name) for name in "ymd"), "-")
    dates, places = distinct_texts(spelled)
    number = np.array([_day(text) for text in dates] + [np.nan])
    values = np.where(np.isnan(numbered), number[places], numbered)
    broken = np.isnan(values)
    if broken.any():
        odd = texts.filter(pa.array(broken)).dictionary_encode()
        blank = np.array([fold(text) in BLANK_FOLDED for text in odd.dictionary.to_pylist()], np.bool_)
        broken[np.flatnonzero(broken)[blank[odd.indices.to_numpy()]]] = False
    return Days(values, broken)


@njit(cache=True, nogil=True)
def _plain_days(offsets: Any, data: Any) -> Any:  # pragma: no cover - compiled
    """Days of texts 2024-12-31, 2024/12/31 or 2024.12.31, with or without a time; and where something else stands."""
    size = offsets.size - 1
    values = np.full(size, np.nan)
    odd = np.zeros(size, np.bool_)
    for record in range(size):
        start, length = offsets[record], offsets[record + 1] - offsets[record]
        if length == 0:
            continue
        odd[record] = True
        if length < 10 or (length > 10 and data[start + 10] != 0x20 and data[start + 10] != 0x54):
            continue
        sign = data[start + 4]
        if (sign != 0x2D and sign != 0x2F and sign != 0x2E) or data[start + 7] != sign:
            continue
        number = np.int64(0)
        digits: Any = True
        for at in (0, 1, 2, 3, 5, 6, 8, 9):
            digit = np.int64(data[start + at]) - 0x30
            digits = digits and 0 <= digit <= 9
            number = number * 10 + digit
        year, month, day = number // 10_000, number // 100 % 100, number % 100
        if not digits or year < 1 or month < 1 or month > 12 or day < 1:
            continue
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        longest = 30 if month in (4, 6, 9, 11) else 31
        if month == 2:
            longest = 29 if leap else 28
        if day > longest:
            continue
        # days since 1970-01-01 of the Gregorian calendar, counted in years that begin in March
        shifted = year - 1 if month <= 2 else year
        of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
        values[record] = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719_468
        odd[record] = False
    return values, odd


def _day(text: str) -> float:
    try:
        return float(date(*map(int, text.split("-"))).toordinal() - _EPOCH)
    except (ValueError, TypeError):
        return float("nan")


class Fen(NamedTuple):
    """Money in fen (0 where missing), where there is some, and where something stands that is no amount of a case.

    ``beyond`` marks those of the broken that are numbers, and beyond :func:`drgsim.money.highest_amount`.
    """

    values: NDArray[np.int64]
    there: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    beyond: NDArray[np.bool_]


def read_fen(column: pa.Array) -> Fen:
    """Fen of a column of yuan; numbers, decimals or texts as :func:`parse_money` reads them.

    Examples
    --------
    >>> read_fen(pa.array(["1234.56", "0.1", None, "?"]))
    Fen(values=array([123456,     10,      0,      0]), there=array([ True,  True, False, False]),
        broken=array([False, False, False,  True]), beyond=array([False, False, False, False]))
    """
    yuan, broken = read_numbers(column, parse_money)
    beyond = np.abs(yuan) > highest_amount() / FEN_PER_YUAN
    there = ~np.isnan(yuan) & ~beyond
    return Fen(np.rint(np.where(there, yuan, 0.0) * FEN_PER_YUAN).astype(np.int64), there, broken | beyond, beyond)


def whole_years(birth: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Completed years between two days since 1970; NaN where one is missing.

    Examples
    --------
    >>> start, end = (read_days(pa.array([text])).values for text in ("2000-02-29", "2024-02-28"))
    >>> whole_years(start, end)
    array([23.])
    """
    return np.asarray(_whole_years(birth, day))


@njit(cache=True, nogil=True)
def _whole_years(birth: Any, day: Any) -> Any:  # pragma: no cover - compiled
    years = np.full(birth.size, np.nan)
    for record in range(birth.size):
        lived = day[record] - birth[record]
        if lived == lived:
            years[record] = completed_years(birth[record], lived)
    return years


@njit(cache=True, nogil=True)
def completed_years(born: float, lived: float) -> float:  # pragma: no cover - compiled
    """Completed years of some days from a day on; the calendar is asked only near a birthday."""
    years = lived / 365.2425
    whole = np.floor(years)
    if 0.01 < years - whole < 0.99:
        return whole  # type: ignore[no-any-return]
    first, second = _year_and_day(np.int64(born)), _year_and_day(np.int64(born + lived))
    return float(second[0] - first[0] - (second[1] < first[1]))


@njit(cache=True, nogil=True)
def _year_and_day(day: Any) -> Any:  # pragma: no cover - compiled
    """Year of a day since 1970-01-01, and its month and day as one number."""
    shifted = day + 719_468  # days since 0000-03-01
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153
    month = march + 3 if march < 10 else march - 9
    return year + era * 400 + (month <= 2), month * 32 + of_year - (153 * march + 2) // 5 + 1
