"""What is known of hospitals: level, grade, coefficients, and coefficients by hospital and group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.language import text
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.python_tables import python_table
from drgsim.records.read import read_table
from drgsim.records.schema import header_key, header_names
from drgsim.records.vocabulary import group_words, level_hint, level_keys, level_known, words

_OF_HOSPITAL = ("hospital_id", "level", "grade", "coefficient", "name", "member_of")
_ALIASES = {
    "id": "hospital_id",
    "hospital_level": "level",
    "hospital_grade": "grade",
    "hospital_name": "name",
    "试点政策": "member_of",
}
EVERY = ""  # stands for all hospitals, or for all groups


@dataclass(frozen=True)
class Hospital:
    """What hospitals.csv says of one hospital; ``member_of``: policies that pay their members by groups, and it is one."""

    level: str
    grade: str
    coefficient: float
    name: str
    member_of: tuple[str, ...] = ()


def hospitals_of(table: pa.Table, where: str) -> dict[str, Hospital]:
    """Hospitals of a table: ``hospital_id`` (or ``id``) with any of ``level``, ``grade``, ``coefficient``, ``name``
    and ``member_of`` (ids of policies, parted by ``;``).

    Raises
    ------
    InputError
        No such columns, a hospital twice, or a coefficient that is no number above 0; all at once.
    """
    columns = _columns(table, _ALIASES, _OF_HOSPITAL)
    if "hospital_id" not in columns:
        what, fix = (
            text("{where} has no column hospital_id", where=where),
            text("name the column of hospitals hospital_id or id"),
        )
        raise InputError.single("hospitals-no-id", what, where=text("{where}, line 1", where=where), fix=fix)
    texts = {name: _words(table, own) for name, own in columns.items()}
    blank = [""] * table.num_rows
    coefficient, wrong = _coefficients(table, columns.get("coefficient"))
    problems: list[Problem] = []
    hospitals: dict[str, Hospital] = {}
    for row, name in enumerate(texts["hospital_id"]):
        place = text("{where}, line {row}", where=where, row=row + 2)
        if not name:
            problems.append(Problem("hospitals-no-id", text("a hospital has no hospital_id"), where=place))
            continue
        if name in hospitals:
            fix = text("leave one line for each hospital")
            problems.append(
                Problem("hospitals-duplicate", text("hospital {name} stands twice", name=name), where=place, fix=fix)
            )
        if wrong[row]:
            what = text(
                "the coefficient of {name} is {coefficient!r}, not a number above 0",
                name=name,
                coefficient=texts["coefficient"][row],
            )
            problems.append(Problem("hospitals-coefficient", what, where=place, fix=text("correct it or leave it empty")))
        level, grade, title, of = (texts.get(column, blank)[row] for column in ("level", "grade", "name", "member_of"))
        hospitals[name] = Hospital(level, grade, float(coefficient[row]), title, _listed(of))
    if problems:
        raise InputError(problems)
    return hospitals


def _listed(text: str) -> tuple[str, ...]:
    """Words parted by semicolons, commas or bars."""
    return tuple(filter(None, (word.strip() for word in re.split("[;,|、]", text))))


def hospitals_by_id(entries: Mapping[str, Hospital | Mapping[str, Any]]) -> dict[str, Hospital]:
    """Hospitals of a mapping by hospital: ``{"H001": {"level": "三甲"}}``, with the words of :func:`hospitals_of`.

    Raises
    ------
    InputError
        ``hospitals-no-entry`` for what is no mapping, ``hospitals-unknown-key``, and what :func:`hospitals_of` raises.

    Examples
    --------
    >>> hospitals_by_id({"H001": {"level": "三甲", "coefficient": 1.1}})["H001"].coefficient
    1.1
    """
    problems: list[Problem] = []
    rows = []
    for name, entry in entries.items():
        if isinstance(entry, Hospital):
            continue
        if not isinstance(entry, Mapping):
            what = text("hospital {name} is given as {entry!r}", name=name, entry=entry)
            problems.append(Problem("hospitals-no-entry", what, where="hospitals", fix=text('write it as {"level": "三甲"}')))
            continue
        for key in entry:
            if key not in (*_OF_HOSPITAL[1:], *_ALIASES):
                known = list(_OF_HOSPITAL[1:])
                fix = did_you_mean(str(key), known) or text("the keys are {known}", known=", ".join(known))
                problems.append(
                    Problem(
                        "hospitals-unknown-key",
                        text("hospital {name} has no {key!r}", name=name, key=key),
                        where="hospitals",
                        fix=fix,
                    )
                )
        rows.append({**entry, "hospital_id": str(name)})
    if problems:
        raise InputError(problems)
    read = hospitals_of(python_table(rows)[0], "hospitals") if rows else {}
    return {str(name): entry if isinstance(entry, Hospital) else read[str(name)] for name, entry in entries.items()}


def read_hospitals(path: Path) -> dict[str, Hospital]:
    """Read hospitals.csv, or a workbook or Parquet file with the same columns; see :func:`hospitals_of`."""
    return hospitals_of(read_table(path), path.name)


@dataclass(frozen=True)
class GroupCoefficients:
    """Coefficients by hospital and group, and by level and group; an empty hospital or group stands for all of them.

    Attributes
    ----------
    values
        (hospital, group) -> coefficient.
    levels
        (level key, group) -> coefficient, for hospitals without one of their own.
    """

    values: Mapping[tuple[str, str], float]
    levels: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def over(self, other: GroupCoefficients | None) -> GroupCoefficients:
        """These, and those of another table where these say nothing."""
        if other is None:
            return self
        return GroupCoefficients({**other.values, **self.values}, {**other.levels, **self.levels})

    def of_levels(self, keys: Sequence[tuple[str, ...]], groups: list[str]) -> NDArray[np.float64]:
        """Coefficients for (level keys of a hospital, group), the nearest level first; the last column is for all groups.

        Examples
        --------
        >>> table = GroupCoefficients({}, {("3", ""): 1.1, ("3a", "BR23"): 1.2})
        >>> table.of_levels([("3a", "3"), ("2",)], ["BR23"]).tolist()
        [[1.2, 1.1], [nan, nan]]
        """
        result = np.full((len(keys), len(groups) + 1), np.nan)
        for column, group in enumerate([*groups, EVERY]):
            for row, levels in enumerate(keys):
                found = (self.levels[level, group] for level in levels if (level, group) in self.levels)
                result[row, column] = next(found, np.nan)
        return result

    def lookup(self, hospitals: list[str], groups: list[str]) -> NDArray[np.float64]:
        """Coefficients for (hospital, group), NaN where there is none; the last row and column stand for "all of them".

        Examples
        --------
        >>> table = GroupCoefficients({("H1", "BR23"): 1.1, ("", "BR23"): 0.9, ("H1", ""): 1.05})
        >>> table.lookup(["H1"], ["BR23", "GE29"]).tolist()
        [[1.1, nan, 1.05], [0.9, nan, nan]]
        """
        rows = {name: place for place, name in enumerate([*hospitals, EVERY])}
        columns = {name: place for place, name in enumerate([*groups, EVERY])}
        result = np.full((len(rows), len(columns)), np.nan)
        for (hospital, group), value in self.values.items():
            if hospital in rows and group in columns:
                result[rows[hospital], columns[group]] = value
        return result


def group_coefficients_of(table: pa.Table, where: str) -> tuple[GroupCoefficients, list[Problem]]:
    """Coefficients of a table with ``hospital_id``, the group (``group``, ``drg``, ``dip``, ``unit``) and ``coefficient``.

    A blank or ``*`` in hospital or group stands for all of them; without a hospital, ``level`` may name the hospitals of a
    level. The problems are all that is wrong with the table.
    """
    aliases = {"id": "hospital_id", **dict.fromkeys(group_words(), "group")}
    aliases |= dict.fromkeys(words()["columns"]["coefficient"], "coefficient")
    aliases["hospital_level"] = "level"
    columns = _columns(table, aliases, ("hospital_id", "level", "group", "coefficient"))
    absent = [name for name in ("hospital_id", "group", "coefficient") if name not in columns]
    if absent:
        fix = text("the columns are hospital_id, group, coefficient, and level where coefficients differ by level")
        what = text("{where} has no column {absent}", where=where, absent=", ".join(absent))
        return GroupCoefficients({}), [
            Problem("coefficients-column", what, where=text("{where}, line 1", where=where), fix=fix)
        ]
    numbers, wrong = _coefficients(table, columns["coefficient"])
    problems: list[Problem] = []
    of_hospitals: dict[tuple[str, str], float] = {}
    of_levels: dict[tuple[str, str], float] = {}
    blank = [EVERY] * table.num_rows
    hospitals, levels, groups = (
        [EVERY if cells == "*" else cells for cells in _words(table, columns[name])] if name in columns else blank
        for name in ("hospital_id", "level", "group")
    )
    for row, (hospital, level, group) in enumerate(zip(hospitals, levels, groups, strict=True)):
        place = text("{where}, line {row}", where=where, row=row + 2)
        by_level = not hospital and bool(level)
        values, key = (of_levels, (level_keys(level)[0], group)) if by_level else (of_hospitals, (hospital, group))
        shown = f"{'level ' + level if by_level else hospital or 'all hospitals'}, {group or 'all groups'}"
        if by_level and not level_known(level):
            problems.append(
                Problem("coefficients-level", text("{level!r} is no level", level=level), where=place, fix=level_hint(level))
            )
        if key == (EVERY, EVERY):
            fix = text("give every line a hospital, a level or a group")
            problems.append(
                Problem("coefficients-no-key", text("a coefficient without hospital and group"), where=place, fix=fix)
            )
        elif key in values:
            fix = text("remove one of the two lines")
            problems.append(
                Problem("coefficients-twice", text("{shown} has two coefficients", shown=shown), where=place, fix=fix)
            )
        if wrong[row] or np.isnan(numbers[row]):
            problems.append(
                Problem(
                    "coefficients-number", text("the coefficient of {shown} is no number above 0", shown=shown), where=place
                )
            )
        values[key] = float(numbers[row])
    return GroupCoefficients(of_hospitals, of_levels), problems


def read_group_coefficients(path: Path) -> GroupCoefficients:
    """Read coefficients by hospital and group from a file; see :func:`group_coefficients_of`.

    Raises
    ------
    InputError
        With everything that is wrong with it.
    """
    table, problems = group_coefficients_of(read_table(path), path.name)
    if problems:
        raise InputError(problems)
    return table


def bonus_of(table: pa.Table, path: Path) -> dict[str, float]:
    """Bonus by hospital, from ``hospital_id, bonus``: added to the coefficient of its level; it may be below 0.

    ``path`` is what mistakes are told of.

    Raises
    ------
    InputError
        A column is missing, a hospital stands twice, or a bonus is no number; all at once.
    """
    columns = _columns(table, {"id": "hospital_id"}, ("hospital_id", "bonus"))
    absent = [name for name in ("hospital_id", "bonus") if name not in columns]
    if absent:
        what = text("{file} has no column {absent}", file=path.name, absent=", ".join(absent))
        raise InputError.single(
            "bonus-column", what, where=text("{path}, line 1", path=path), fix=text("the columns are hospital_id, bonus")
        )
    names = _words(table, columns["hospital_id"])
    numbers, broken = read_numbers(one_chunk(table, columns["bonus"]))
    problems = []
    for row, name in enumerate(names):
        if broken[row] or not np.isfinite(numbers[row]):
            what = text("the bonus of {name} is no number", name=name or "a hospital")
            problems.append(Problem("bonus-number", what, where=text("{path}, line {row}", path=path, row=row + 2)))
        if not name or names.index(name) != row:
            what = text("hospital {name} stands twice", name=name) if name else text("a bonus without a hospital")
            problems.append(Problem("bonus-hospital", what, where=text("{path}, line {row}", path=path, row=row + 2)))
    if problems:
        raise InputError(problems)
    return dict(zip(names, numbers.tolist(), strict=True))


def _columns(table: pa.Table, aliases: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Name -> the table's own column; the name itself goes before an alias."""
    known = {header_key(name): name for name in names} | {header_key(alias): name for alias, name in aliases.items()}
    canonical = header_names()
    found: dict[str, str] = {}
    for own in table.column_names:
        name = known.get(header_key(own)) or canonical.get(header_key(own))
        if name in names and (own == name or name not in found):
            found[str(name)] = own
    return found


def _words(table: pa.Table, own: str) -> list[str]:
    values: list[str] = read_words(table.select([own]), own).to_pylist()
    return values


def _coefficients(table: pa.Table, own: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a column (NaN where blank), and where something stands that is no number above 0."""
    if own is None:
        return np.full(table.num_rows, np.nan), np.zeros(table.num_rows, np.bool_)
    numbers, broken = read_numbers(one_chunk(table, own))
    with np.errstate(invalid="ignore"):
        wrong = broken | (numbers <= 0) | np.isinf(numbers)
    return numbers, wrong
