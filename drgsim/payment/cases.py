"""Grouped discharges as arrays that settling works on: integer ids for every text, fen for every cost."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem
from drgsim.payment.hospitals import GroupCoefficients, Hospital, level_keys
from drgsim.payment.money import MISSING, to_fen
from drgsim.payment.words import meanings, words
from drgsim.records.batch import read_numbers
from drgsim.records.schema import header_key, header_names

SAMPLES = 5
WORKERS = 2
INSURANCES = ("employee", "resident", "self")
NO_LEVEL: tuple[str, ...] = ()
MONEY = (
    "total_cost", "patient_paid", "other_paid", "exempt_cost", "exempt_mean_cost", "own_pay", "pre_pay", "deductible",
)  # fmt: skip
NUMBERS = (
    "relative_value", "relative_weight", "coefficient", "auxiliary_coefficient", "group_mean_cost", "per_diem_rate",
    "los_days", "age",
)  # fmt: skip
FLAGS = ("incomplete", "special_review", "per_diem", "planned", "by_item")
LEADING = ("unit", "drg", "dip")  # the first of these that a table has names its groups


@dataclass
class Texts:
    """A text column: the number of each record's text (-1 where blank) and the texts."""

    ids: NDArray[np.int32]
    values: list[str]

    def sample(self, where: NDArray[np.bool_]) -> str:
        """The first few different texts of some records."""
        found = [self.values[place] for place in np.unique(self.ids[where]) if place >= 0]
        more = f" and {len(found) - SAMPLES} more" if len(found) > SAMPLES else ""
        return ", ".join(found[:SAMPLES]) + more


@dataclass
class Cases:
    """Discharges ready to settle.

    Attributes
    ----------
    ids
        ``discharge_id`` as in the file, or row numbers.
    unit, hospital, department
        Group, hospital and department as numbered texts.
    insurance
        Place in :data:`INSURANCES`, -1 where blank or unknown.
    level
        Number of the record's level entry in ``levels``; an entry holds the level keys from the nearest on.
    money, numbers, flags
        Columns of :data:`MONEY` (fen), :data:`NUMBERS` (NaN where blank), :data:`FLAGS`.
    present
        Names of the columns that the file has.
    faults
        Place in ``fault_words`` of what makes a record unpayable, -1 for none; the first fault of a record stays.
    """

    ids: pa.Array
    unit: Texts
    hospital: Texts
    department: Texts
    patient: Texts
    discharge_way: NDArray[np.float64]
    admitted: NDArray[np.int64]
    discharged: NDArray[np.int64]
    insurance: NDArray[np.int8]
    level: NDArray[np.int32]
    levels: list[tuple[str, ...]]
    exempt_class: Texts
    exempt_code: Texts
    single_disease: Texts
    money: dict[str, NDArray[np.int64]]
    numbers: dict[str, NDArray[np.float64]]
    flags: dict[str, NDArray[np.bool_]]
    present: frozenset[str]
    hospitals: Mapping[str, Hospital] | None
    coefficients: GroupCoefficients | None
    faults: NDArray[np.int16]
    fault_words: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of records."""
        return int(self.faults.size)

    def fault(self, code: str, where: NDArray[np.bool_], what: str, fix: str, sample: str = "") -> None:
        """Mark records as not payable and report them with their exact count."""
        count = int(where.sum())
        if not count:
            return
        self.problems.append(
            Problem(code, f"{count} cases are not paid: {what}", where=sample, why="no rule gives an amount", fix=fix)
        )
        self.fault_words.append(what)
        self.faults[where & (self.faults < 0)] = len(self.fault_words) - 1

    def warn(self, code: str, where: NDArray[np.bool_] | int, what: str, fix: str = "", sample: str = "") -> None:
        """Report a doubt that leaves the cases paid."""
        count = int(where) if isinstance(where, int) else int(where.sum())
        if count:
            self.problems.append(Problem(code, f"{count} cases: {what}", where=sample, fix=fix))


def read_cases(
    table: pa.Table,
    hospitals: Mapping[str, Hospital] | None = None,
    leading: tuple[str, ...] = LEADING,
    coefficients: GroupCoefficients | None = None,
) -> Cases:
    """Read a table of grouped discharges.

    Parameters
    ----------
    table
        Canonical discharge columns or their aliases, with the group in ``drg``, ``dip`` or ``unit``; costs in yuan.
    hospitals
        Level, grade and coefficient by hospital; columns of the cases go before them.
    leading
        Columns that may name the group; the first that the table has does.
    coefficients
        Coefficients by hospital and group, before those of a policy.

    Raises
    ------
    InputError
        There is no cost or no group column.
    """
    columns = _columns(table, leading)
    size = table.num_rows
    problems: list[Problem] = []
    for name, fix in (("total_cost", "name the column total_cost (总费用), in yuan"), ("unit", "group the cases first")):
        if name not in columns:
            problems.append(Problem("settle-missing-column", f"the cases have no column {name}", fix=fix))
    if problems:
        raise InputError(problems)
    pool = ThreadPoolExecutor(WORKERS)  # Arrow encodes texts and counts ids without holding the interpreter
    names = ("unit", "hospital_id", "discharge_department", "patient_id", "exempt_class", "exempt_code", "single_disease")
    encoded = {name: pool.submit(_texts, columns.get(name), size) for name in names}
    repeated = pool.submit(_repeated, columns.get("discharge_id"))
    numbers, broken = {}, {}
    blank, no_money = np.full(size, np.nan), np.full(size, MISSING)  # shared by all columns that the file lacks
    for name in (*NUMBERS, *MONEY):
        if name in columns:
            numbers[name], broken[name] = read_numbers(columns[name])
        else:
            numbers[name] = blank
    texts = {name: future.result() for name, future in encoded.items()}
    level, levels = _levels(columns, texts["hospital_id"], hospitals, size)
    way = read_numbers(columns["discharge_way"])[0] if "discharge_way" in columns else np.full(size, np.nan)
    cases = Cases(
        ids=columns.get("discharge_id", pa.array(np.arange(1, size + 1))),
        unit=texts["unit"], hospital=texts["hospital_id"], department=texts["discharge_department"],
        patient=texts["patient_id"], discharge_way=way,
        admitted=_days(columns.get("admitted"), size), discharged=_days(columns.get("discharged"), size),
        insurance=_insurance(columns.get("insurance"), size), level=level, levels=levels,
        exempt_class=texts["exempt_class"], exempt_code=texts["exempt_code"], single_disease=texts["single_disease"],
        money={name: to_fen(numbers[name]) if name in columns else no_money for name in MONEY},
        numbers={name: numbers[name] for name in NUMBERS},
        flags={name: _flag(columns.get(name), size) for name in FLAGS},
        present=frozenset(columns), hospitals=hospitals, coefficients=coefficients, faults=np.full(size, -1, np.int16),
    )  # fmt: skip
    _check(cases, broken)
    _doubt(cases, columns, repeated.result())
    pool.shutdown()
    return cases


def with_hospitals(cases: Cases, hospitals: Mapping[str, Hospital]) -> Cases:
    """The cases under another list of hospitals, or after ``hospital`` changed: levels are looked up again.

    A level or grade that the cases themselves state stays with them; then only coefficients follow the list.
    """
    if {"hospital_level", "hospital_grade"} & cases.present:
        return replace(cases, hospitals=hospitals)
    level, levels = _levels({}, cases.hospital, hospitals, cases.size)
    return replace(cases, hospitals=hospitals, level=level, levels=levels)


def _check(cases: Cases, broken: Mapping[str, NDArray[np.bool_]]) -> None:
    """Report what is wrong with costs and hospitals before any rule is tried."""
    cost = cases.money["total_cost"]
    nothing = np.zeros(cases.size, np.bool_)
    unreadable = broken.get("total_cost", nothing)
    cases.fault("settle-cost-unreadable", unreadable, "the total cost is no number", "correct the cost in the source")
    cases.fault("settle-cost-missing", (cost == MISSING) & ~unreadable, "the total cost is missing", "state the cost")
    cases.fault("settle-cost-negative", (cost < 0) & (cost != MISSING), "the total cost is below 0", "correct the cost")
    for name in NUMBERS[: NUMBERS.index("los_days")]:
        if name not in cases.present:
            continue
        wrong = (cases.numbers[name] <= 0) | broken[name]
        cases.fault(f"settle-bad-{name}", wrong, f"{name} is not a number above 0", "leave it blank or correct it")
    for name in MONEY[1:]:
        if name not in cases.present:
            continue
        wrong = ((cases.money[name] < 0) & (cases.money[name] != MISSING)) | broken[name]
        cases.fault(f"settle-bad-{name}", wrong, f"{name} is below 0 or no number", "correct the value in the source")
    if cases.hospitals is not None and "hospital_id" in cases.present:
        known = np.array([name in cases.hospitals for name in cases.hospital.values] + [False])
        unknown = ~known[cases.hospital.ids]
        cases.fault(
            "settle-unknown-hospital", unknown, "the hospital is not in the list of hospitals",
            "add the hospital to hospitals.csv, or correct hospital_id", sample=cases.hospital.sample(unknown),
        )  # fmt: skip


def _repeated(ids: pa.Array | None) -> int:
    """How many ids stand again after their first time."""
    return 0 if ids is None else int(len(ids) - ids.null_count - pc.count_distinct(ids).as_py())


def _doubt(cases: Cases, columns: Mapping[str, pa.Array], repeated: int) -> None:
    """Say what is odd but leaves the cases payable."""
    cost = cases.money["total_cost"]
    cases.warn("settle-cost-zero", cost == 0, "the total cost is 0", "leave out records without services, or state the cost")
    cases.warn(
        "settle-duplicate-id", repeated, "a discharge_id stands more than once; each line is settled",
        "leave one line for each discharge",
    )  # fmt: skip
    if "insurance" in columns:
        texts = _texts(columns["insurance"], cases.size)
        unknown = (texts.ids >= 0) & (cases.insurance < 0)
        cases.warn(
            "settle-unknown-insurance",
            unknown,
            "the insurance is none of employee, resident, self; the policy's value for all payers is used where it has one",
            "write employee (职工), resident (居民) or self (自费)",
            sample=texts.sample(unknown),
        )


# -- columns -----------------------------------------------------------------------------------------------------------
def _columns(table: pa.Table, leading: tuple[str, ...]) -> dict[str, pa.Array]:
    """Canonical name -> column; an exact name goes before an alias."""
    own = {header_key(alias): name for name, known in words()["columns"].items() for alias in (name, *known)}
    found: dict[str, pa.Array] = {}
    exact_names: set[str] = set()
    for candidate in leading:
        if candidate in table.column_names:
            found["unit"] = _plain(table.column(candidate))
            exact_names.add("unit")
            break
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


def _plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _texts(column: pa.Array | None, size: int) -> Texts:
    if column is None:
        return Texts(np.full(size, -1, np.int32), [])
    encoded = column.cast(pa.string()).dictionary_encode()
    values = [value.strip() for value in encoded.dictionary.to_pylist()]
    unique = {value: place for place, value in enumerate(dict.fromkeys(value for value in values if value))}
    places = np.array([unique.get(value, -1) for value in values] + [-1], np.int32)
    return Texts(places[encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)], list(unique))


def _insurance(column: pa.Array | None, size: int) -> NDArray[np.int8]:
    texts = _texts(column, size)
    known = meanings("insurance")
    names = [known.get(header_key(value)) for value in texts.values]
    return np.array([INSURANCES.index(name) if name else -1 for name in names] + [-1], np.int8)[texts.ids]


def _flag(column: pa.Array | None, size: int) -> NDArray[np.bool_]:
    if column is not None and pa.types.is_boolean(column.type):
        return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)
    texts = _texts(column, size)
    yes = {header_key(str(word)) for word in words()["flag_set"]}
    return np.array([header_key(value) in yes for value in texts.values] + [False])[texts.ids]


def _days(column: pa.Array | None, size: int) -> NDArray[np.int64]:
    """Days since 1970, the smallest integer where unknown."""
    if column is None:
        return np.full(size, MISSING)
    if not pa.types.is_date(column.type) and not pa.types.is_timestamp(column.type):
        text = pc.utf8_slice_codeunits(pc.replace_substring(column.cast(pa.string()), "/", "-"), 0, 10)
        column = pc.strptime(text, format="%Y-%m-%d", unit="s", error_is_null=True)
    days = column.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64()).fill_null(MISSING)
    return np.asarray(days.to_numpy(zero_copy_only=False), np.int64)


def _levels(
    columns: Mapping[str, pa.Array], hospital: Texts, hospitals: Mapping[str, Hospital] | None, size: int
) -> tuple[NDArray[np.int32], list[tuple[str, ...]]]:
    """Level entry of each record: its own columns first, then its hospital's."""
    level, grade = _texts(columns.get("hospital_level"), size), _texts(columns.get("hospital_grade"), size)
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
    return inverse, entries


def dense_unique(ids: NDArray[np.int64], bound: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """``np.unique`` with inverse for ids below a small bound, without sorting."""
    used = np.zeros(bound, np.bool_)
    used[ids] = True
    place = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(used), place[ids]
