"""Grouped discharges as arrays that settling works on: integer ids for every text, fen for every cost."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, HIGHEST_AMOUNT, HIGHEST_VARIABLE, MISSING, highest_amount, to_fen
from drgsim.payment.case_columns import Texts, columns_of, days_of, flags_of, insurances_of, levels_of, texts_of
from drgsim.payment.policy_model import WITHOUT_GROUPS
from drgsim.records.ages import read_ages
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.cell_numbers import Numbers, parse_days, parse_money, parse_number, read_numbers
from drgsim.records.findings import INVALID
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import level_hint, level_known
from drgsim.region.hospital_list import GroupCoefficients, Hospital

WORKERS = 2
MONEY = (
    "total_cost", "patient_paid", "other_paid", "exempt_cost", "exempt_mean_cost", "own_pay", "pre_pay", "deductible",
)  # fmt: skip
NUMBERS = (
    "relative_value", "relative_weight", "score", "coefficient", "auxiliary_coefficient", "group_mean_cost", "per_diem_rate",
    "los_days", "age",
)  # fmt: skip
TEXTS = (
    "unit", "unit_name", "hospital_id", "discharge_department", "patient_id", "exempt_class", "exempt_code", "single_disease",
    "kind",
)  # fmt: skip
DAYS = ("admitted", "discharged")
LARGEST_COEFFICIENT, LONGEST_STAY = 1000, 36_500  # of a hospital; days
YES_NO = text("1 or 0, true or false, 是 or 否")
FLAGS = ("incomplete", "special_review", "per_diem", "planned", "by_item")


@dataclass
class Cases:
    """Discharges ready to settle.

    Attributes
    ----------
    ids
        ``discharge_id`` as in the file, or row numbers.
    unit, unit_name, hospital, department
        Group, its name, hospital and department as numbered texts.
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
    unit_name: Texts
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
    kind: Texts
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

    @property
    def plain_levels(self) -> tuple[NDArray[np.int64], list[str]]:
        """Place of each record's level in the names that follow, without the grade; a blank name where none is known."""
        names = [keys[-1] if keys else "" for keys in self.levels] or [""]
        levels = sorted(set(names))
        return np.array([levels.index(name) for name in names])[self.level], levels

    def take(self, places: NDArray[np.int64]) -> Cases:
        """Some of the records, in this order, as cases of their own without faults and problems."""

        def part(value: Any) -> Any:
            if isinstance(value, Texts):
                return Texts(value.ids[places], value.values)
            if isinstance(value, dict):
                return {name: values[places] for name, values in value.items()}
            return value.take(pa.array(places)) if isinstance(value, pa.Array) else value[places]

        whole = ("levels", "present", "hospitals", "coefficients", "faults", "fault_words", "problems")
        chosen = {entry.name: part(getattr(self, entry.name)) for entry in fields(self) if entry.name not in whole}
        return replace(self, **chosen, faults=np.full(places.size, -1, np.int16), fault_words=[], problems=[])

    def fresh(self) -> Cases:
        """The same records whose marks, numbers, faults and problems are their own, to be settled once more."""
        return replace(
            self, flags=dict(self.flags), numbers=dict(self.numbers), faults=self.faults.copy(),
            fault_words=[*self.fault_words], problems=[*self.problems],
        )  # fmt: skip

    def fault(self, code: str, where: NDArray[np.bool_], what: str, fix: str, sample: str = "") -> None:
        """Mark records as not payable and report them with their exact count."""
        count = int(where.sum())
        if not count:
            return
        said = text("{count} cases are not paid: {what}", count=count, what=what)
        self.problems.append(Problem(code, said, where=sample, why=text("no rule gives an amount"), fix=fix))
        self.fault_words.append(what)
        self.faults[where & (self.faults < 0)] = len(self.fault_words) - 1

    def warn(self, code: str, where: NDArray[np.bool_] | int, what: str, fix: str = "", sample: str = "") -> None:
        """Report a doubt that leaves the cases paid."""
        count = int(where) if isinstance(where, int) else int(where.sum())
        if count:
            self.problems.append(Problem(code, text("{count} cases: {what}", count=count, what=what), where=sample, fix=fix))


def read_cases(
    table: pa.Table,
    hospitals: Mapping[str, Hospital] | None = None,
    method: str = "",
    coefficients: GroupCoefficients | None = None,
) -> Cases:
    """Read a table of grouped discharges.

    Parameters
    ----------
    table
        Canonical discharge columns or their aliases, with the group in ``drg``, ``dip`` or ``unit``; costs in yuan.
    hospitals
        Level, grade and coefficient by hospital; columns of the cases go before them.
    method
        Method of the policy that pays; it decides between several columns of groups, see
        :func:`drgsim.records.vocabulary.group_column`.
    coefficients
        Coefficients by hospital and group, before those of a policy.

    Raises
    ------
    InputError
        There is no cost, or no group column although the method needs one.
    """
    columns = columns_of(table, method)
    size = table.num_rows
    _need(columns, method)
    with ThreadPoolExecutor(WORKERS) as pool:  # Arrow encodes texts and counts ids without holding the interpreter
        encoded = {name: pool.submit(texts_of, columns.get(name), size) for name in TEXTS}
        days = {name: pool.submit(days_of, columns.get(name), size) for name in DAYS}
        repeated = pool.submit(_repeated, columns.get("discharge_id"))
        numbers, broken = _numbers(columns, size)
        texts = {name: future.result() for name, future in encoded.items()}
        dated = {name: future.result() for name, future in days.items()}
    no_money = np.full(size, MISSING)  # shared by all columns that the file lacks
    level, levels = levels_of(columns, texts["hospital_id"], hospitals, size)
    flags = {name: flags_of(columns.get(name), size) for name in FLAGS}
    broken |= {name: entry[1] for name, entry in (*flags.items(), *dated.items())}
    beyond = _without_implausible(numbers, broken)
    cases = Cases(
        ids=columns.get("discharge_id", pa.array(np.arange(1, size + 1))),
        unit=texts["unit"], unit_name=texts["unit_name"], hospital=texts["hospital_id"],
        department=texts["discharge_department"],
        patient=texts["patient_id"], discharge_way=numbers["discharge_way"],
        admitted=dated["admitted"][0], discharged=dated["discharged"][0],
        insurance=insurances_of(columns.get("insurance"), size), level=level, levels=levels,
        exempt_class=texts["exempt_class"], exempt_code=texts["exempt_code"], single_disease=texts["single_disease"],
        kind=texts["kind"],
        money={name: to_fen(numbers[name]) if name in columns else no_money for name in MONEY},
        numbers={name: numbers[name] for name in NUMBERS},
        flags={name: says_yes for name, (says_yes, _) in flags.items()},
        present=frozenset(columns), hospitals=hospitals, coefficients=coefficients, faults=np.full(size, -1, np.int16),
    )  # fmt: skip
    if "fund_paid" in columns:
        cases = _with_patient_part(cases, to_fen(numbers["fund_paid"]), broken)
    _check(cases, broken, beyond)
    _refuse_invalid(cases, table)
    _doubt(cases, columns, broken, repeated.result())
    return _with_counted_days(cases)


def _with_patient_part(cases: Cases, fund: NDArray[np.int64], broken: dict[str, NDArray[np.bool_]]) -> Cases:
    """The cases with what patients paid as the total cost less the fund's and other funds' parts, where it is not stated."""
    money = cases.money
    cost, patient, other = (money[name] for name in ("total_cost", "patient_paid", "other_paid"))
    open_part = (patient == MISSING) & ~broken.setdefault("patient_paid", np.zeros(cases.size, np.bool_))
    wrong = open_part & (broken["fund_paid"] | ((fund < 0) & (fund != MISSING)))
    fix = text("correct the value in the source, or state patient_paid")
    what = text("fund_paid, from which patient_paid would follow, is below 0 or no number")
    cases.fault("settle-bad-fund_paid", wrong, what, fix)
    derived = open_part & ~wrong & (fund != MISSING) & (cost != MISSING)
    if not derived.any():
        return cases
    patient = np.where(derived, cost - fund - np.where(other == MISSING, 0, other), patient)
    cases = replace(cases, money={**money, "patient_paid": patient}, present=cases.present | {"patient_paid"})
    what = text("patient_paid is not stated and is taken as total_cost less fund_paid (and less other_paid)")
    fix = text("state patient_paid where other funds, or parts outside the policy, are to be told apart")
    cases.warn("settle-patient-part-derived", derived, what, fix)
    return cases


def _refuse_invalid(cases: Cases, table: pa.Table) -> None:
    """A record to which no rule could be applied is paid by none."""
    status = next((name for name in table.column_names if header_key(name) == "STATUS"), None)
    if status is None:
        return
    texts = texts_of(to_text(one_chunk(table, status)), cases.size)
    invalid = np.array([value.lower() == INVALID for value in texts.values] + [False])[texts.ids]
    fix = text("see the column reason of drgsim group, correct the record and group it again")
    cases.fault("settle-invalid-record", invalid, text("the record is invalid, so that no rule could be applied to it"), fix)


def _need(columns: Mapping[str, pa.Array], method: str) -> None:
    """Refuse a table without costs, or without groups where the method pays by them."""
    needed = {"total_cost": text("name the column total_cost (总费用), in yuan")}
    if method not in WITHOUT_GROUPS:
        needed["unit"] = text("group the cases first")
    problems = [
        Problem("settle-missing-column", text("the cases have no column {name}", name=name), fix=fix)
        for name, fix in needed.items()
        if name not in columns
    ]
    if problems:
        raise InputError(problems)


def _numbers(columns: Mapping[str, pa.Array], size: int) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.bool_]]]:
    """Columns of numbers and of yuan, NaN where blank, and where something else stands; columns that lack share one array."""
    blank = np.full(size, np.nan)
    parse = {"los_days": parse_days} | dict.fromkeys((*MONEY, "fund_paid"), parse_money)
    names = (*NUMBERS, *MONEY, "fund_paid", "discharge_way")
    read = {name: read_numbers(columns[name], parse.get(name, parse_number)) for name in names if name in columns}
    if "age" in read:
        ages = read_ages({name: columns[name] for name in ("age", "birth_date", "admitted") if name in columns}, size)
        read["age"] = Numbers(ages.years, ages.years_unreadable & np.isnan(ages.years))
    numbers = {name: read[name][0] if name in read else blank for name in names}
    return numbers, {name: broken for name, (_, broken) in read.items() if name != "discharge_way"}


def _without_implausible(numbers: dict[str, NDArray[np.float64]], broken: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Take amounts out that no case costs: they count as broken; those of the total cost are returned."""
    highest = highest_amount() / FEN_PER_YUAN
    of_cost = np.zeros(numbers["total_cost"].size, np.bool_)
    for name in (*MONEY, "fund_paid"):
        beyond = np.abs(numbers[name]) > highest
        if not beyond.any():
            continue
        numbers[name] = np.where(beyond, np.nan, numbers[name])
        if name == "total_cost":
            of_cost = beyond
        else:
            broken[name] = broken[name] | beyond
    return of_cost


def with_hospitals(cases: Cases, hospitals: Mapping[str, Hospital]) -> Cases:
    """The cases under another list of hospitals, or after ``hospital`` changed: levels are looked up again.

    A level or grade that the cases themselves state stays with them; then only coefficients follow the list.
    """
    if {"hospital_level", "hospital_grade"} & cases.present:
        return replace(cases, hospitals=hospitals)
    level, levels = levels_of({}, cases.hospital, hospitals, cases.size)
    return replace(cases, hospitals=hospitals, level=level, levels=levels)


def _check(cases: Cases, broken: Mapping[str, NDArray[np.bool_]], beyond: NDArray[np.bool_]) -> None:
    """Report what is wrong with costs and hospitals before any rule is tried."""
    cost = cases.money["total_cost"]
    nothing = np.zeros(cases.size, np.bool_)
    unreadable = broken.get("total_cost", nothing)
    source = text("correct the cost in the source")
    cases.fault("settle-cost-unreadable", unreadable, text("the total cost is no number"), source)
    what = text("the total cost is above {highest:,} yuan", highest=highest_amount() // FEN_PER_YUAN)
    fix = text(
        "correct the cost, or the column that is read as total_cost; {variable} sets the limit", variable=HIGHEST_VARIABLE
    )
    cases.fault("settle-cost-implausible", beyond, what, fix)
    missing = (cost == MISSING) & ~unreadable & ~beyond
    cases.fault("settle-cost-missing", missing, text("the total cost is missing"), text("state the cost"))
    below = (cost < 0) & (cost != MISSING)
    cases.fault("settle-cost-negative", below, text("the total cost is below 0"), text("correct the cost"))
    for name in NUMBERS[: NUMBERS.index("los_days")]:
        if name not in cases.present:
            continue
        most = LARGEST_COEFFICIENT if name in ("coefficient", "auxiliary_coefficient") else HIGHEST_AMOUNT
        wrong = (cases.numbers[name] <= 0) | (cases.numbers[name] > most) | broken[name]
        what = text("{name} is not a number above 0, up to {most:,}", name=name, most=most)
        cases.fault(f"settle-bad-{name}", wrong, what, text("leave it blank or correct it"))
    for name in MONEY[1:]:
        if name not in cases.present:
            continue
        wrong = ((cases.money[name] < 0) & (cases.money[name] != MISSING)) | broken[name]
        what = text("{name} is below 0, implausibly high or no number", name=name)
        cases.fault(f"settle-bad-{name}", wrong, what, text("correct the value in the source"))
    if cases.hospitals is not None and "hospital_id" in cases.present:
        known = np.array([name in cases.hospitals for name in cases.hospital.values] + [False])
        unknown = ~known[cases.hospital.ids]
        what = text("the hospital is not in the list of hospitals")
        fix = text("add the hospital to hospitals.csv, or correct hospital_id")
        cases.fault("settle-unknown-hospital", unknown, what, fix, sample=cases.hospital.sample(unknown))


def _repeated(ids: pa.Array | None) -> int:
    """How many ids stand again after their first time."""
    return 0 if ids is None else int(len(ids) - ids.null_count - pc.count_distinct(ids).as_py())


def _with_counted_days(cases: Cases) -> Cases:
    """Days of the stay from its dates where ``los_days`` is missing; a stay of one day counts one."""
    dated = (cases.admitted != MISSING) & (cases.discharged != MISSING) & (cases.discharged >= cases.admitted)
    missing = np.isnan(cases.numbers["los_days"]) & dated
    stay = np.where(missing, np.maximum(cases.discharged - cases.admitted, 1), 0)
    cases.numbers["los_days"] = np.where(missing, stay, cases.numbers["los_days"])
    what = text("los_days is missing and is counted from the dates of admission and discharge")
    cases.warn("settle-days-counted", missing, what)
    return cases


def _doubt(cases: Cases, columns: Mapping[str, pa.Array], broken: Mapping[str, NDArray[np.bool_]], repeated: int) -> None:
    """Say what is odd but leaves the cases payable."""
    cost = cases.money["total_cost"]
    fix = text("leave out records without services, or state the cost")
    cases.warn("settle-cost-zero", cost == 0, text("the total cost is 0"), fix)
    paid = [np.maximum(cases.money[name], 0) for name in ("patient_paid", "other_paid")]  # missing ones are far below 0
    cases.warn(
        "settle-paid-above-total", (cases.faults < 0) & (paid[0] + paid[1] > cost),
        text("patient_paid and other_paid are together above total_cost"), text("correct the costs in the source"),
    )  # fmt: skip
    what = text("a discharge_id stands more than once; each line is settled")
    cases.warn("settle-duplicate-id", repeated, what, text("leave one line for each discharge"))
    if "insurance" in columns:
        texts = texts_of(columns["insurance"], cases.size)
        unknown = (texts.ids >= 0) & (cases.insurance < 0)
        cases.warn(
            "settle-unknown-insurance",
            unknown,
            text(
                "the insurance is none of employee, resident, self; the policy's value for all payers is used where it has one"
            ),
            text("write employee (职工), resident (居民) or self (自费)"),
            sample=texts.sample(unknown),
        )
    odd = [keys[-1] for keys in cases.levels if keys and not level_known(keys[-1])]
    of_odd = np.array([bool(keys) and keys[-1] in odd for keys in cases.levels] or [False])[cases.level]
    what = text("the level of the hospital is no word for a level; it counts as a class of its own")
    hint = level_hint(odd[0]) if odd else ""
    cases.warn("settle-unknown-level", of_odd, what, hint, sample=", ".join(sorted(set(odd))))
    for name in (*DAYS, *NUMBERS[NUMBERS.index("los_days") :]):
        if name in broken:
            what = text("{name} cannot be read and counts as missing", name=name)
            cases.warn(f"settle-unreadable-{name}", broken[name], what)
    for name in FLAGS:
        fix = text("write {words}", words=YES_NO)
        what = text("{name} says neither yes nor no and counts as no", name=name)
        cases.warn(f"settle-unknown-{name}", broken[name], what, fix)
    for name in ("los_days", "age"):
        values = cases.numbers[name]
        cases.warn(f"settle-negative-{name}", values < 0, text("{name} is below 0 and counts as missing", name=name))
        beyond = values > LONGEST_STAY
        what = text("{name} is above {most:,} and counts as missing", name=name, most=LONGEST_STAY)
        cases.warn(f"settle-implausible-{name}", beyond, what)
        cases.numbers[name] = np.where((values < 0) | beyond, np.nan, values)
