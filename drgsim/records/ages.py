"""Ages as files have them: 67, 67岁, 5月, 4天, 1岁2月, 3Y, 新生儿, or nothing but the dates of birth and admission."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.arrow import distinct_texts, to_text
from drgsim.records.cell_numbers import parse_number, plain_numbers
from drgsim.records.cells import completed_years, read_days
from drgsim.records.code_dictionaries import fold

DAYS_OF_MONTH = 30.4375  # a twelfth of 365.25 days
MOST_INFANT_DAYS = 366  # an age in days that is given alone is one of the first year
_NUMBER = r"(\d+(?:\.\d+)?)"
_SPELLED = re.compile(
    rf"(?:{_NUMBER}(?:周?岁|周年|年|Y|YRS?|YEARS?))?零?(?:{_NUMBER}(?:个?月龄?|M|MOS?|MTHS?|MONTHS?))?零?"
    rf"(?:{_NUMBER}(?:天|日龄?|D|DAYS?))?零?(?:{_NUMBER}(?:个?小时|时|H|HRS?|HOURS?))?(?:{_NUMBER}(?:分钟?|MINS?))?大?"
)
_UNIT_FIRST = re.compile(rf"([YMD]){_NUMBER}")
_UNDER_ONE = re.compile(r"(?:<|不足|不满|未满|小于)1(?:周?岁|Y)?|1周?岁以下")
_NEWBORN = re.compile(r"新生儿|NEWBORN|NB")


class AgeText(NamedTuple):
    """An age in words: completed years and days (NaN where it does not say), and whether the days are an estimate."""

    years: float
    days: float
    estimated: bool = False


class Ages(NamedTuple):
    """Ages of the records of a batch.

    Attributes
    ----------
    years, days
        Age in years and in days as stated, or as the dates give it; NaN where neither says.
    years_unreadable, days_unreadable
        Where the cell holds something that is no age.
    estimated
        Where the days follow from months or from 新生儿.
    contradicted
        Where the dates of birth and admission give another age than the one that is stated; this one counts.
    """

    years: NDArray[np.float64]
    days: NDArray[np.float64]
    years_unreadable: NDArray[np.bool_]
    days_unreadable: NDArray[np.bool_]
    estimated: NDArray[np.bool_]
    contradicted: NDArray[np.bool_]


def parse_age(text: str, unit: str = "Y") -> AgeText | None:
    """The age in a text, None where it holds none; ``unit`` is that of a plain number, ``Y`` or ``D``.

    Examples
    --------
    >>> [parse_age(text)[:2] for text in ("67岁", "5月", "1岁2月", "3Y", "400天", "新生儿")]
    [(67.0, nan), (0.0, 152.0), (1.0, nan), (3.0, nan), (1.0, 400.0), (0.0, 0.0)]
    >>> parse_age("约60岁"), parse_age("-"), parse_age("4", "D").days
    (None, AgeText(years=nan, days=nan, estimated=False), 4.0)
    """
    number = parse_number(text)
    if number is not None:
        return AgeText(number, float("nan")) if unit == "Y" else AgeText(float("nan"), number)
    plain = fold(text)
    if _UNDER_ONE.fullmatch(plain):
        return AgeText(0.0, float("nan"))
    if _NEWBORN.fullmatch(plain):
        return AgeText(0.0, 0.0, True)
    first = _UNIT_FIRST.fullmatch(plain)
    match = _SPELLED.fullmatch(first[2] + first[1] if first else plain)
    if match is None or not any(match.groups()):
        return None
    years, months, days, hours, minutes = (None if part is None else float(part) for part in match.groups())
    return _together(years, months, days, hours if minutes is None else (hours or 0.0))


def _together(years: float | None, months: float | None, days: float | None, hours: float | None) -> AgeText:
    """Years alone say nothing of days; months do so by estimate, and only in the first year."""
    if years is not None and months is None and days is None and hours is None:
        return AgeText(years, float("nan"))
    whole_months = (years or 0.0) * 12 + (months or 0.0)
    if years is None and months is None:
        total = (days or 0.0) + np.floor((hours or 0.0) / 24)
        return AgeText(float(np.floor(total / 365.25)), float(total))
    completed = float(np.floor(whole_months / 12))
    if completed >= 1:
        return AgeText(completed, float("nan"))
    return AgeText(0.0, float(np.floor(whole_months * DAYS_OF_MONTH + (days or 0.0))), whole_months > 0)


class _Read(NamedTuple):
    years: NDArray[np.float64]
    days: NDArray[np.float64]
    estimated: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    words: bool  # whether there is anything but plain numbers


def _read(column: pa.Array, unit: str) -> _Read:
    """A column of ages; numbers are years or days, as its ``unit`` says."""
    size = len(column)
    nothing = np.zeros(size, np.bool_)
    numbers = plain_numbers(column)
    if numbers is not None:
        return _Read(numbers, numbers, nothing, nothing, False)  # of which the one that the unit says is used
    texts, places = distinct_texts(to_text(column))
    parsed = [parse_age(text, unit) for text in texts]
    known = [AgeText(np.nan, np.nan) if age is None else age for age in [*parsed, None]]
    years, days = (np.array([age[place] for age in known], np.float64)[places] for place in (0, 1))
    estimated = np.array([age.estimated for age in known], np.bool_)[places]
    return _Read(years, days, estimated, np.array([age is None for age in parsed] + [False], np.bool_)[places], True)


def read_ages(columns: Mapping[str, pa.Array], size: int) -> Ages:
    """Ages from the columns ``age``, ``age_days``, ``birth_date`` and ``admitted``, each of which may be absent.

    What is stated counts. A blank age beside an age in days of the first year is 0; what is blank or unreadable comes from
    the dates.

    Examples
    --------
    >>> given = {"age": pa.array(["", "67岁", "4天"]), "birth_date": pa.array(["2024-09-01", "1957-03-11", None]),
    ...          "admitted": pa.array(["2024-09-03", "2024-09-02", None])}
    >>> ages = read_ages(given, 3)
    >>> ages.years, ages.days
    (array([ 0., 67.,  0.]), array([ 2., nan,  4.]))
    """
    blank = pa.nulls(size, pa.string())
    stated, in_days = _read(columns.get("age", blank), "Y"), _read(columns.get("age_days", blank), "D")
    years, days, estimated = stated.years, in_days.days, in_days.estimated
    if stated.words:
        of_words = np.isnan(days) & ~np.isnan(stated.days)
        estimated = estimated | (of_words & stated.estimated)
        days = np.where(of_words, stated.days, days)
    if in_days.words:
        years = np.where(np.isnan(years), in_days.years, years)
    unsaid = np.isnan(years)
    if unsaid.any():
        with np.errstate(invalid="ignore"):
            infant = unsaid & ~stated.broken & (days >= 0) & (days < MOST_INFANT_DAYS)
        years = np.where(infant, 0.0, years)
    contradicted = np.zeros(size, np.bool_)
    if "birth_date" in columns and "admitted" in columns:
        years, days, estimated = years.copy(), days.copy(), estimated.copy()  # those of Arrow cannot be written to
        born, admitted = (read_days(columns[name]).values for name in ("birth_date", "admitted"))
        _fill_from_dates(born, admitted, years, days, estimated, contradicted)
    return Ages(years, days, stated.broken, in_days.broken, estimated, contradicted)


@njit(cache=True, nogil=True)
def _fill_from_dates(
    born: Any, admitted: Any, years: Any, days: Any, estimated: Any, contradicted: Any
) -> None:  # pragma: no cover - compiled
    """Fill what is missing from the dates, and mark where they say something else than what is stated."""
    for record in range(years.size):
        lived = admitted[record] - born[record]
        if not lived >= 0:  # a date is missing, or the birth comes after the admission
            continue
        completed = completed_years(born[record], lived)
        age, in_days = np.floor(years[record]), np.floor(days[record])
        # systems count the day of birth as 0 or 1; months are no count of days
        other_day = abs(in_days - lived) > 1 and not estimated[record]
        contradicted[record] = (age == age and age != completed) or other_day
        if age != age:
            years[record] = completed
        if (in_days != in_days or estimated[record]) and years[record] == 0 and completed == 0:
            days[record] = lived  # dates tell better than months and 新生儿
            estimated[record] = False
