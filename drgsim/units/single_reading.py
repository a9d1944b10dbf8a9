"""One record to integers without a batch: what a form sends while a person waits.

A plain record (known codes, numbers, dates as 2024-12-31) is read here in some microseconds, with the same findings as
:mod:`drgsim.records.batch_encoding`; whatever is not plain is left to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from math import floor, isnan, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.records.batch_encoding import NEWBORN_DAYS, SEX_WORDS, VALUE_LIMITS, plain_word
from drgsim.records.birth_weights import LOWEST_GRAMS
from drgsim.records.code_dictionaries import BLANK_FOLDED, EMPTY, UNKNOWN
from drgsim.records.encode import CodeTable, encode_text
from drgsim.records.findings import BITS

_EPOCH = date(1970, 1, 1).toordinal()
_SEX: dict[Any, float] = {None: nan, "": nan, **SEX_WORDS, "1": 1.0, "2": 2.0, 1: 1.0, 2: 2.0}
_DATES = ("birth_date", "admitted", "discharged")
_BIT = {code: 1 << place for code, place in BITS.items()}
_CODE_NOTES = {
    "diagnoses": (
        _BIT["principal_missing"], _BIT["principal_grey_code"], _BIT["other_diagnosis_grey"],
    ),
    "procedures": (
        _BIT["principal_procedure_missing"], _BIT["principal_procedure_grey"], _BIT["other_procedure_grey"],
    ),
}  # fmt: skip
# what a scheme that asks for it misses
_ASKED_NUMBERS = {"ZYTS": ("los_days", _BIT["los_missing"]), "ICUXS": ("icu_hours", _BIT["icu_hours_missing"])}
_ASKED_TEXTS = {
    "LYFS": ("discharge_way", _BIT["discharge_way_missing"]), "RYKS": ("admission_department", _BIT["department_missing"]),
}  # fmt: skip


class NotPlain(Exception):
    """The record holds something that only the reading of batches knows."""


class SingleRecord(NamedTuple):
    """A record as the kernels take it: ids, six numbers, two words of text bits, findings as bits."""

    diagnoses: NDArray[np.int32]
    procedures: NDArray[np.int32]
    numbers: tuple[float, ...]
    texts: tuple[int, int]
    findings: int
    cost: float  # yuan, NaN where missing


class SingleReader:
    """Reads plain records for one scheme.

    Parameters
    ----------
    diagnoses, procedures
        Code tables of the scheme.
    text_words
        Word lists that its rules compare LYFS and RYKS with.
    asked
        Rule variables that it asks for.
    """

    def __init__(
        self,
        diagnoses: CodeTable,
        procedures: CodeTable,
        text_words: Mapping[str, Iterable[Iterable[str]]],
        asked: Iterable[str],
    ) -> None:
        self._tables = {"diagnoses": diagnoses.slots, "procedures": procedures.slots}
        self._grey = {"diagnoses": diagnoses.grey.tobytes(), "procedures": procedures.grey.tobytes()}
        wanted = set(asked)
        self._numbers = [_ASKED_NUMBERS[name] for name in _ASKED_NUMBERS if name in wanted]
        self._counts_days = "ZYTS" in wanted
        self._texts = [
            (place, *_ASKED_TEXTS[name], [{plain_word(word) for word in words} for words in text_words[name]])
            for place, name in enumerate(_ASKED_TEXTS) if name in wanted
        ]  # fmt: skip

    def read(self, record: Mapping[str, Any]) -> SingleRecord:
        """A record of canonical columns.

        Raises
        ------
        NotPlain
            Something in it takes the reading of batches.
        """
        get = record.get
        dx, dx_notes = self._codes(get("diagnoses"), "diagnoses")
        op, op_notes = self._codes(get("procedures"), "procedures")
        findings = dx_notes | op_notes
        if not len(dx):
            findings |= _BIT["principal_missing"]
        days = {name: _day(value) for name in _DATES if (value := get(name))}
        values = {name: _number(get(name)) for name in ("age", "age_days", "birth_weight_g", "los_days", "icu_hours")}
        try:
            sex = _SEX[stated] if type(stated := get("sex")) is not bool else _SEX["?"]
        except (KeyError, TypeError):
            raise NotPlain from None
        if isnan(sex):
            findings |= _BIT["sex_missing"]
        findings |= _ages(values, days) | self._stay(values, days)
        for name, code, largest in VALUE_LIMITS:
            if values[name] < 0 or values[name] > largest:
                findings |= _BIT[code]
        findings |= _age_notes(values)
        for name, bit in self._numbers:
            if isnan(values[name]):
                findings |= bit
        texts = [0, 0]
        for place, name, bit, lists in self._texts:
            word = plain_word(str(get(name) or ""))
            texts[place] = sum(1 << number for number, known in enumerate(lists) if word in known)
            if word in BLANK_FOLDED:
                findings |= bit
        numbers = (values["age"], sex, values["age_days"], values["birth_weight_g"], values["los_days"], values["icu_hours"])
        return SingleRecord(dx, op, numbers, (texts[0], texts[1]), findings, _number(get("total_cost")))

    def _codes(self, cell: Any, side: str) -> tuple[NDArray[np.int32], int]:
        if not cell:
            return _NOTHING, 0
        if not isinstance(cell, str):
            if not isinstance(cell, list | tuple) or not all(isinstance(code, str) for code in cell):
                raise NotPlain
            cell = "|".join(cell)
        ids: NDArray[np.int32] = encode_text(cell, self._tables[side])
        grey, notes = self._grey[side], _CODE_NOTES[side]
        noted = 0
        for place, code in enumerate(ids.tolist()):
            if code >= 0:
                if grey[code + 2]:
                    noted |= notes[2] if place else notes[1]
            elif code == UNKNOWN:
                raise NotPlain
            elif code == EMPTY:
                noted |= notes[0]
        return ids, noted

    def _stay(self, values: dict[str, float], days: Mapping[str, int]) -> int:
        weight = values["birth_weight_g"]
        low = 0 < weight < LOWEST_GRAMS
        if low:
            values["birth_weight_g"] = nan
        if self._counts_days and isnan(values["los_days"]) and "admitted" in days and "discharged" in days:
            between = days["discharged"] - days["admitted"]
            if between >= 0:
                values["los_days"] = float(max(between, 1))
        return _BIT["weight_too_low"] if low else 0


_NOTHING = np.zeros(0, np.int32)


def _number(value: Any) -> float:
    if value is None or value == "":
        return nan
    if type(value) is int or type(value) is float:
        return float(value)
    if type(value) is str and value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    raise NotPlain


def _day(value: Any) -> int:
    if type(value) is date:
        return value.toordinal() - _EPOCH
    if isinstance(value, datetime):
        return value.toordinal() - _EPOCH
    if type(value) is str and len(value) >= 10 and value[4] == value[7] == "-" and (len(value) == 10 or value[10] in " T"):
        try:
            return date.fromisoformat(value[:10]).toordinal() - _EPOCH
        except ValueError:
            raise NotPlain from None
    raise NotPlain


def _ages(values: dict[str, float], days: Mapping[str, int]) -> int:
    """Fill ages from each other and from the dates; whether those say something else than what is stated."""
    age, in_days = values["age"], values["age_days"]
    if isnan(age) and 0 <= in_days < 366:
        age = 0.0
    found = 0
    if "birth_date" in days and "admitted" in days:
        lived = days["admitted"] - days["birth_date"]
        if lived >= 0:
            completed = _completed(days["birth_date"], days["admitted"])
            other = not isnan(in_days) and abs(floor(in_days) - lived) > 1
            if other or (not isnan(age) and floor(age) != completed):
                found = _BIT["age_dates_conflict"]
            if isnan(age):
                age = float(completed)
            if isnan(in_days) and age == 0 and completed == 0:
                in_days = float(lived)
    values["age"], values["age_days"] = age, in_days
    return found


def _completed(born: int, now: int) -> int:
    first, second = date.fromordinal(born + _EPOCH), date.fromordinal(now + _EPOCH)
    return second.year - first.year - ((second.month, second.day) < (first.month, first.day))


def _age_notes(values: dict[str, float]) -> int:
    found = 0
    for name in ("age", "age_days"):
        value = values[name]
        if not isnan(value) and value != floor(value):
            found |= _BIT["age_fraction"]
            values[name] = float(floor(value))
    age, days, weight = values["age"], values["age_days"], values["birth_weight_g"]
    if isnan(age):
        found |= _BIT["age_missing"]
    if isnan(days):
        return found | (_BIT["age_days_missing"] if age == 0 else 0)
    if days > (age + 1) * 366.0 + 2 or days < age * 365.0 - 2:
        found |= _BIT["age_conflict"]
    if days <= NEWBORN_DAYS and not age > 0 and (isnan(weight) or weight == 0):
        found |= _BIT["newborn_weight_missing"]
    return found
