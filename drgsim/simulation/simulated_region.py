"""A region folder: discharges by year, hospitals, the fund's budgets and the insured; read once, shared by all scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.engines.in_memory import group_table
from drgsim.errors import InputError, Problem
from drgsim.money import fen
from drgsim.payment.grouped_cases import Cases, Texts, read_cases
from drgsim.payment.policy_model import WITHOUT_GROUPS
from drgsim.records.case_table import is_grouped
from drgsim.records.cells import read_fen
from drgsim.records.read import read_rows, read_table
from drgsim.records.vocabulary import GROUP_KINDS, PAYERS, group_words, level_keys
from drgsim.region.hospital_list import Hospital, read_hospitals
from drgsim.region.region_folder import LARGEST, OPTIONAL, discharge_files, read_number
from drgsim.results.run_record import digest_of

CATEGORY = "cost_"
GIVEN = "given"  # scheme of a file that states its groups and no diagnoses
CONDITIONS = {"diabetes": ("E10", "E11", "E12", "E13", "E14"), "hypertension": ("I10", "I11", "I12", "I13", "I15")}


@dataclass(frozen=True)
class Cohort:
    """The discharges of one year, grouped by one scheme. Its arrays are shared by every scenario and never written to.

    Attributes
    ----------
    year, scheme
        Of the discharges, and by what they were grouped.
    cases
        As settling reads them; hand out copies by :meth:`fresh`.
    costs
        Category -> fen per case, as the columns cost_<category> say.
    key
        uint64 per case, from its id and recorded cost: the seed of everything drawn for the case.
    mdc, adrg, diagnosis
        Numbered texts per case; ``diagnosis`` is the principal one.
    notes
        What was done in reading.
    """

    year: int
    scheme: str
    cases: Cases
    costs: Mapping[str, NDArray[np.int64]]
    key: NDArray[np.uint64]
    mdc: Texts
    adrg: Texts
    diagnosis: Texts
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of discharges."""
        return self.cases.size

    def condition(self, name: str) -> NDArray[np.bool_]:
        """Cases whose principal diagnosis belongs to a chronic condition (ICD-10 chapters E10-E14 and I10-I15)."""
        fits = np.array([code.startswith(CONDITIONS[name]) for code in self.diagnosis.values] + [False])
        return np.asarray(fits[self.diagnosis.ids])


@dataclass(frozen=True)
class Region:
    """A region folder.

    Attributes
    ----------
    files
        Year -> file of discharges.
    hospitals, districts
        What hospitals.csv says, by id.
    fund
        Year -> insurance -> yearly budget of the fund, fen; empty where there is no fund.csv.
    enrolment
        Rows of enrolment.csv: year, district, insurance, insured and registered patients.
    """

    folder: Path
    files: Mapping[int, Path]
    hospitals: Mapping[str, Hospital]
    districts: Mapping[str, str]
    fund: Mapping[int, Mapping[str, int]]
    enrolment: tuple[Mapping[str, Any], ...]
    _cohorts: dict[tuple[int, str, bool], Cohort] = field(default_factory=dict, repr=False)
    _tables: dict[int, pa.Table] = field(default_factory=dict, repr=False)

    @property
    def years(self) -> tuple[int, ...]:
        """Years with discharges, in order."""
        return tuple(sorted(self.files))

    @property
    def inputs(self) -> list[Path]:
        """All files that may decide a run; those of :data:`OPTIONAL` do where a budget closes the year."""
        named = [self.folder / name for name in ("hospitals.csv", "fund.csv", "enrolment.csv", *OPTIONAL)]
        return [*(self.files[year] for year in self.years), *(path for path in named if path.is_file())]

    def digests(self) -> dict[str, str]:
        """SHA-256 of the files, by name."""
        return digest_of(self.inputs)

    def level(self, hospital: str) -> str:
        """Level of a hospital without its grade, empty where it is not known."""
        return (self.level_keys(hospital) or ("",))[-1]

    def level_keys(self, hospital: str) -> tuple[str, ...]:
        """Keys of the level of a hospital, the nearest first; none where it is not known."""
        entry = self.hospitals.get(hospital)
        return level_keys(entry.level, entry.grade) if entry is not None else ()

    @property
    def known_levels(self) -> list[str]:
        """Levels of the hospitals, without and with grade."""
        return sorted({key for name in self.hospitals for key in self.level_keys(name)})

    def registered(self, year: int, condition: str) -> int:
        """Registered patients with a chronic condition; of the last year before ``year`` that is known."""
        known = [row for row in self.enrolment if row["year"] <= year]
        last = max((row["year"] for row in known), default=0)
        return sum(int(row.get(condition, 0)) for row in known if row["year"] == last)

    def insured(self, year: int) -> int:
        """Insured people of the year; 0 where it is not known."""
        return sum(int(row.get("insured", 0)) for row in self.enrolment if row["year"] == year)

    def fund_year(self, year: int) -> int | None:
        """Year whose budget of the fund stands for ``year``: itself, the last one before, else the first; None without any."""
        before = [stated for stated in self.fund if stated <= year]
        return max(before) if before else min(self.fund, default=None)

    def fund_notes(self, years: Iterable[int]) -> list[str]:
        """Words on years whose budget of the fund is not stated."""
        return [
            f"fund of {year} not stated, taken from {stated}"
            + (", with budget.fund.growth where budget.active is true" if stated < year else "")
            for year in sorted(set(years))
            if (stated := self.fund_year(year)) not in (None, year)
        ]

    def cohort(self, year: int, scheme: str, method: str = "") -> Cohort:
        """Discharges of a year under a scheme, grouped once and kept; ``method`` as for :func:`make_cohort`."""
        key = (year, scheme, method == "dip")
        if key not in self._cohorts:
            if year not in self._tables:
                self._tables[year] = read_table(self.files[year])
            self._cohorts[key] = make_cohort(self._tables[year], year, scheme, self.hospitals, method)
        return self._cohorts[key]


def read_region(folder: str | Path) -> Region:
    """Read a region folder as ``drgsim synth`` writes it: discharges-YYYY, hospitals.csv, and fund.csv, enrolment.csv where
    known.

    Raises
    ------
    InputError
        Files that are missing or wrong; all of them.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError.single("region-not-found", f"there is no folder {folder}", where=str(folder), fix="check the path")
    problems: list[Problem] = []
    files = discharge_files(folder, problems)
    if not files:
        problems.append(
            Problem("region-no-discharges", f"{folder} holds no discharges", where=str(folder),
                    fix="name the files discharges-2024.parquet, .csv or .xlsx, one per year")
        )  # fmt: skip
    hospitals: dict[str, Hospital] = {}
    districts: dict[str, str] = {}
    if (folder / "hospitals.csv").is_file():
        try:
            hospitals = read_hospitals(folder / "hospitals.csv")
            districts = {
                row.get("id") or row.get("hospital_id") or "": row.get("district") or ""
                for row in read_rows(folder / "hospitals.csv")
            }
        except InputError as error:
            problems.extend(error.problems)
    else:
        what = f"{folder} holds no hospitals.csv"
        problems.append(Problem("region-no-hospitals", what, where=str(folder), fix="list id, name, level of each hospital"))
    fund = _read_fund(folder / "fund.csv", problems)
    enrolment = _read_enrolment(folder / "enrolment.csv", problems)
    if problems:
        raise InputError(problems)
    return Region(folder, files, hospitals, districts, fund, enrolment)


def _rows(path: Path, columns: Sequence[str], problems: list[Problem]) -> list[dict[str, str]]:
    """Rows of a file that may be absent; none, and why, where it cannot be read or lacks columns."""
    if not path.is_file():
        return []
    try:
        rows = read_rows(path)
    except InputError as error:
        problems.extend(error.problems)
        return []
    lacking = [column for column in columns if column not in rows[0]]
    if lacking:
        what, fix = f"{path.name} lacks the columns {', '.join(lacking)}", f"its columns are {', '.join(columns)}"
        problems.append(Problem("region-columns", what, where=str(path), fix=fix))
        return []
    return rows


def _read_fund(path: Path, problems: list[Problem]) -> dict[int, dict[str, int]]:
    fund: dict[int, dict[str, int]] = {}
    for line, row in enumerate(_rows(path, ("year", "insurance", "budget_yuan"), problems), start=2):
        place = f"{path.name}:{line}"
        try:
            year, insurance, amount = int(row["year"]), row["insurance"], read_number(row["budget_yuan"], fen)
            if not amount <= LARGEST:
                raise OverflowError
        except (ValueError, ArithmeticError):
            what = f"year holds {row['year']!r} and budget_yuan {row['budget_yuan']!r}: not a number, or too large"
            problems.append(Problem("region-fund", what, where=place, fix="correct the cell"))
            continue
        if insurance not in PAYERS or amount <= 0 or insurance in fund.get(year, {}):
            what = f"{insurance} {row['budget_yuan']}: one budget above 0 for employee and resident of each year"
            problems.append(Problem("region-fund", what, where=place))
            continue
        fund.setdefault(year, {})[insurance] = int(amount)
    return fund


def _read_enrolment(path: Path, problems: list[Problem]) -> tuple[dict[str, Any], ...]:
    rows: list[dict[str, Any]] = []
    for line, row in enumerate(_rows(path, ("year", "insurance", "insured"), problems), start=2):
        try:
            numbers = {"year": int(row["year"]), **{name: int(row[name]) for name in ("insured", *CONDITIONS) if row.get(name)}}
            if not all(0 <= number <= LARGEST for number in numbers.values()):
                raise ValueError
        except ValueError:
            what = "year, insured and the registered patients must be whole numbers, 0 or more"
            problems.append(Problem("region-enrolment", what, where=f"{path.name}:{line}", fix="correct the line"))
            continue
        rows.append({**row, **numbers})
    return tuple(rows)


def make_cohort(table: pa.Table, year: int, scheme: str, hospitals: Mapping[str, Hospital], method: str = "") -> Cohort:
    """Group a table of discharges and read it as cases; of a table with several columns of groups the method of the policy
    decides, as in settling.
    """
    notes: list[str] = []
    if scheme != GIVEN:
        answers = group_table(table, scheme)
        named = group_words()
        old = [name for name in table.column_names if name in ("mdc", "adrg", *named)]
        table = table.drop_columns(old)
        for name in ("mdc", "adrg", *GROUP_KINDS):
            if name in answers.column_names:
                table = table.append_column(name, answers.column(name))
        notes.append(f"{year}: grouped by {scheme}")
    elif not is_grouped(table.column_names) and method not in WITHOUT_GROUPS:
        raise InputError.single(
            "settle-not-grouped", f"the discharges of {year} have no group, and no scheme is known to group them by",
            fix="name a scheme in the scenario, or a policy that has one",
        )  # fmt: skip
    cases = read_cases(table, hospitals, method)
    return Cohort(
        year, scheme, cases, _costs(table), _keys(cases), _parent(table, "mdc", cases, 1), _parent(table, "adrg", cases, 3),
        _diagnoses(table, cases.size), tuple(notes),
    )  # fmt: skip


def _costs(table: pa.Table) -> dict[str, NDArray[np.int64]]:
    return {
        name.removeprefix(CATEGORY): read_fen(table.column(name).combine_chunks()).values
        for name in table.column_names
        if name.startswith(CATEGORY)
    }


def _keys(cases: Cases) -> NDArray[np.uint64]:
    ids = cases.ids.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    keys = np.asarray(pd.util.hash_array(ids.astype(object), categorize=False), np.uint64)
    return np.asarray(
        keys ^ (cases.money["total_cost"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    )  # ids may stand twice


def _parent(table: pa.Table, name: str, cases: Cases, length: int) -> Texts:
    if name in table.column_names:
        encoded = table.column(name).combine_chunks()
        encoded = encoded.cast(pa.string()) if not pa.types.is_string(encoded.type) else encoded
        encoded = encoded.dictionary_encode()
        return Texts(
            encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary.to_pylist()
        )
    values = sorted({code[:length] for code in cases.unit.values})
    place = {value: number for number, value in enumerate(values)}
    ids = np.array([place[code[:length]] for code in cases.unit.values] + [-1], np.int32)
    return Texts(ids[cases.unit.ids], values)


def _diagnoses(table: pa.Table, size: int) -> Texts:
    for name in ("principal_diagnosis", "diagnoses"):
        if name in table.column_names:
            import pyarrow.compute as pc

            first = pc.list_element(
                pc.split_pattern(pc.fill_null(table.column(name).combine_chunks().cast(pa.string()), ""), "|"), 0
            )
            encoded = first.dictionary_encode()
            return Texts(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary.to_pylist())
    return Texts(np.full(size, -1, np.int32), [])
