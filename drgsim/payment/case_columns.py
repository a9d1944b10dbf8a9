"""Columns of grouped discharges as arrays: texts by number, payers, levels, marks and days."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.records.arrow import distinct_texts, to_text
from drgsim.records.cells import read_days
from drgsim.records.code_dictionaries import BLANK_FOLDED, fold
from drgsim.records.schema import header_key, header_names
from drgsim.records.vocabulary import (
    GROUP_KINDS,
    INSURANCES,
    group_column,
    level_hint,
    level_keys,
    level_known,
    meanings,
    words,
)
from drgsim.region.hospital_list import Hospital

SAMPLES = 5
NO_LEVEL: tuple[str, ...] = ()


@dataclass
class Texts:
    """A text column: the number of each record's text (-1 where blank) and the texts."""

    ids: NDArray[np.int32]
    values: list[str]

    def sample(self, where: NDArray[np.bool_]) -> str:
        """The first few different texts of some records."""
        found = [self.values[place] for place in np.unique(self.ids[where]) if place >= 0]
        shown = ", ".join(found[:SAMPLES])
        return text("{shown} and {count} more", shown=shown, count=len(found) - SAMPLES) if len(found) > SAMPLES else shown

    def among(self, texts: Container[str]) -> NDArray[np.bool_]:
        """Where a record's text is one of some; a blank is none of them."""
        return np.array([value in texts for value in self.values] + [False])[self.ids]


def columns_of(table: pa.Table, method: str = "") -> dict[str, pa.Array]:
    """Canonical name -> column, the group as ``unit``; an exact name goes before an alias."""
    own = {header_key(alias): name for name, known in words()["columns"].items() for alias in (name, *known)}
    found: dict[str, pa.Array] = {}
    exact_names = set(GROUP_KINDS)
    group = group_column(table.column_names, method)
    if group is not None:
        found["unit"] = _plain(table.column(group[1]))
    for header in table.column_names:
        key = header_key(header)
        name = own.get(key) or header_names().get(key)
        if name is None or name in exact_names:
            continue
        if header == name or name not in found:
            found[name] = _plain(table.column(header))
            if header == name:
                exact_names.add(name)
    return found


def with_level(table: pa.Table, level: str, grade: str = "") -> pa.Table:
    """Cases of one hospital with its level and grade where they state none.

    Raises
    ------
    UsageError
        ``usage-unknown-level``; ``usage-several-hospitals`` where the cases name more than one.

    Examples
    --------
    >>> with_level(pa.table({"total_cost": [1, 2], "level": ["2", ""]}), "三级")["hospital_level"].to_pylist()
    ['2', '三级']
    """
    problems: list[Problem] = []
    if not level_known(level):
        what = text("{level!r} is no level of a hospital", level=level)
        problems.append(Problem("usage-unknown-level", what, where="--level", fix=level_hint(level)))
    columns, size = columns_of(table), table.num_rows
    hospitals = texts_of(columns.get("hospital_id"), size)
    if len(hospitals.values) > 1:
        what = text("the cases are of {count} hospitals, and one level is stated for all", count=len(hospitals.values))
        fix = text("list id, level and grade of each hospital in a table, and give it with --hospitals")
        everyone = np.ones(size, np.bool_)
        problems.append(Problem("usage-several-hospitals", what, where=hospitals.sample(everyone), fix=fix))
    if problems:
        raise UsageError(problems)
    for name, word in (("hospital_level", level), ("hospital_grade", grade)):
        if not word:
            continue
        stated = texts_of(columns.get(name), size)
        filled = pa.array([*stated.values, word]).take(pa.array(np.where(stated.ids < 0, len(stated.values), stated.ids)))
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(name, filled)
    return table


def _plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def stated_names(units: Texts, names: Texts) -> list[str]:
    """Name of each group as the cases themselves give it, in the order of ``units.values``; empty where they do not."""
    place = np.full(len(units.values) + 1, -1)
    named = names.ids >= 0
    place[units.ids[named]] = names.ids[named]  # the last place is of cases without a group
    return [names.values[each] if each >= 0 else "" for each in place[:-1].tolist()]


def texts_of(column: pa.Array | None, size: int) -> Texts:
    """A text column by number; blanks and the words that mean nothing have none."""
    if column is None:
        return Texts(np.full(size, -1, np.int32), [])
    found, at = distinct_texts(column.cast(pa.string()))
    values = ["" if fold(value) in BLANK_FOLDED else value.strip() for value in found]
    unique = {value: place for place, value in enumerate(dict.fromkeys(value for value in values if value))}
    places = np.array([unique.get(value, -1) for value in values] + [-1], np.int32)
    return Texts(places[at], list(unique))


def insurances_of(column: pa.Array | None, size: int) -> NDArray[np.int8]:
    """Place of each payer in :data:`INSURANCES`, -1 where blank or unknown."""
    texts = texts_of(column, size)
    known = meanings("insurance")
    names = [known.get(header_key(value)) for value in texts.values]
    return np.array([INSURANCES.index(name) if name else -1 for name in names] + [-1], np.int8)[texts.ids]


def flags_of(column: pa.Array | None, size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a mark says yes, and where it says something that is neither yes nor no."""
    nothing = np.zeros(size, np.bool_)
    if column is None:
        return nothing, nothing
    if pa.types.is_boolean(column.type):
        return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.bool_), nothing
    texts = texts_of(pa.array(to_text(column)), size)
    yes, no = ({header_key(str(word)) for word in words()[name]} for name in ("flag_set", "flag_clear"))
    says_yes = np.array([header_key(value) in yes for value in texts.values] + [False])
    odd = np.array([header_key(value) not in yes | no for value in texts.values] + [False])
    return says_yes[texts.ids], odd[texts.ids]


def days_of(column: pa.Array | None, size: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970, the smallest integer where unknown; and where something stands that is no date."""
    if column is None:
        return np.full(size, MISSING), np.zeros(size, np.bool_)
    values, broken = read_days(column)
    return np.where(np.isnan(values), MISSING, np.nan_to_num(values)).astype(np.int64), broken


def levels_of(
    columns: Mapping[str, pa.Array], hospital: Texts, hospitals: Mapping[str, Hospital] | None, size: int
) -> tuple[NDArray[np.int32], list[tuple[str, ...]]]:
    """Level entry of each record: its own columns first, then its hospital's; equal keys are one entry."""
    level, grade = texts_of(columns.get("hospital_level"), size), texts_of(columns.get("hospital_grade"), size)
    known = [(hospitals or {}).get(name) for name in hospital.values]
    of_hospital = np.array([-1 if entry is None else place for place, entry in enumerate(known)] + [-1])[hospital.ids]
    base = (len(grade.values) + 1, len(known) + 1)
    combined = ((level.ids + 1).astype(np.int64) * base[0] + (grade.ids + 1)) * base[1] + of_hospital + 1
    combinations, inverse = dense_unique(combined, (len(level.values) + 1) * base[0] * base[1])
    entries = []
    for combination in combinations.tolist():
        rest, place = divmod(combination, base[1])
        level_place, grade_place = divmod(rest, base[0])
        entry = known[place - 1] if place else None
        level_text = level.values[level_place - 1] if level_place else entry.level if entry else ""
        grade_text = grade.values[grade_place - 1] if grade_place else entry.grade if entry else ""
        entries.append(level_keys(level_text, grade_text) if level_text or grade_text else NO_LEVEL)
    numbers = {keys: number for number, keys in enumerate(dict.fromkeys(entries))}
    return np.array([numbers[keys] for keys in entries], np.int32)[inverse], list(numbers)


def dense_unique(ids: NDArray[np.int64], bound: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """``np.unique`` with inverse for ids below a small bound, without sorting."""
    used = np.zeros(bound, np.bool_)
    used[ids] = True
    place = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(used), place[ids]
