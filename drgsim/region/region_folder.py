"""A region's folder: discharges by year and what the region states beside them, read once for budgets and simulation alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.money import fen
from drgsim.records.read import read_rows
from drgsim.records.vocabulary import PAYERS, level_keys, policy_key
from drgsim.region.hospital_list import Hospital, read_hospitals
from drgsim.results.run_record import digest_of

PROCUREMENT_CLASSES = ("selected_within_volume", "selected_beyond_volume", "not_selected")
ENTERED_UNITS = ("per_diem", "single_disease", "capitation", "by_item")
COMPLETION = "procurement_completion"  # the indicator that procurement.csv states
ADJUSTMENTS = ("deduction", "moved")
TABLES = (
    "hospitals.csv", "fund.csv", "enrolment.csv", "procurement.csv", "indicators.csv", "payments.csv", "adjustments.csv",
)  # fmt: skip
LARGEST = 1e15  # of any number of a region (fen for money): beyond it sums over a region would leave int64
_LAST_YEAR = 2999
_DISCHARGES = re.compile(r"discharges-(\d{4})\.(?:parquet|csv|xlsx)")
Key = tuple[str, int]


@dataclass(frozen=True)
class RegionFolder:
    """What a region's folder states; money in fen.

    Attributes
    ----------
    folder
        Where it lies.
    discharges
        Year -> file of discharges, in the order of the years.
    hospitals
        As hospitals.csv lists them.
    fund
        Year -> payer -> budget of the fund; empty without a fund.csv.
    insured, heads
        Year -> insured people; (year, condition) -> registered patients.
    savings, surplus
        (hospital, year) -> savings from procurement prices; class -> (hospital, year) -> surplus from procurement.
    indicators
        (hospital, year, indicator) -> value that was entered.
    payments
        (hospital, year, month, unit) -> what the fund owes beside the discharges.
    deductions, moved
        (hospital, year) -> amount taken off at clearing; services moved to (or from) the hospital.
    """

    folder: Path
    discharges: Mapping[int, Path]
    hospitals: Mapping[str, Hospital] = field(default_factory=dict)
    fund: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    insured: Mapping[int, int] = field(default_factory=dict)
    heads: Mapping[tuple[int, str], int] = field(default_factory=dict)
    savings: Mapping[Key, int] = field(default_factory=dict)
    surplus: Mapping[str, Mapping[Key, int]] = field(default_factory=dict)
    indicators: Mapping[tuple[str, int, str], float] = field(default_factory=dict)
    payments: Mapping[tuple[str, int, int, str], int] = field(default_factory=dict)
    deductions: Mapping[Key, int] = field(default_factory=dict)
    moved: Mapping[Key, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        years = ", ".join(map(str, self.discharges)) or "no year"
        return f"<RegionFolder {self.folder.name}: {len(self.hospitals)} hospitals; discharges of {years}>"

    @property
    def years(self) -> tuple[int, ...]:
        """Years with discharges, in order."""
        return tuple(sorted(self.discharges))

    @property
    def inputs(self) -> list[Path]:
        """All files that may decide a run."""
        tables = (self.folder / name for name in TABLES)
        return [*(self.discharges[year] for year in self.years), *(path for path in tables if path.is_file())]

    @property
    def absent(self) -> tuple[str, ...]:
        """Tables that the folder does not hold."""
        return tuple(name for name in TABLES if not (self.folder / name).is_file())

    def digests(self) -> dict[str, str]:
        """SHA-256 of :attr:`inputs`, by name."""
        return digest_of(self.inputs)

    # -- hospitals -----------------------------------------------------------------------------------------------------
    def name(self, hospital: str) -> str:
        """Name of a hospital, its id where none is stated."""
        entry = self.hospitals.get(hospital)
        return entry.name if entry is not None and entry.name else hospital

    def level_keys(self, hospital: str) -> tuple[str, ...]:
        """Keys of the level of a hospital, the nearest first; none where it is not known."""
        entry = self.hospitals.get(hospital)
        return level_keys(entry.level, entry.grade) if entry is not None else ()

    def level(self, hospital: str) -> str:
        """Level of a hospital without its grade, empty where it is not known."""
        return (self.level_keys(hospital) or ("",))[-1]

    @property
    def known_levels(self) -> list[str]:
        """Levels of the hospitals, without and with grade."""
        return sorted({key for name in self.hospitals for key in self.level_keys(name)})

    # -- the fund and the insured --------------------------------------------------------------------------------------
    def registered(self, year: int, condition: str) -> int:
        """Registered patients with a chronic condition; of the last year before ``year`` that is known."""
        last = max((known for known in self.insured if known <= year), default=0)
        return self.heads.get((last, condition), 0)

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

    def check_indicators(self, known: Collection[str]) -> None:
        """Refuse indicators that a budget's terms do not name.

        Raises
        ------
        InputError
            ``region-unknown-word``; all of them.
        """
        problems = [
            Problem("region-unknown-word", f"indicator holds {name!r}", where=f"indicators.csv: {hospital}, {year}",
                    fix=did_you_mean(name, list(known)) or f"it may be {', '.join(known)}")
            for hospital, year, name in self.indicators
            if name not in (*known, COMPLETION)
        ]  # fmt: skip
        if problems:
            raise InputError(problems)


def read_region(folder: str | Path) -> RegionFolder:
    """Read the tables of a region's folder; the discharges are only found, and read when a year is asked for.

    Parameters
    ----------
    folder
        As ``drgsim synth`` writes it, or of the same shape: ``discharges-YYYY.parquet``, ``.csv`` or ``.xlsx``,
        hospitals.csv, and any other of :data:`TABLES`.

    Raises
    ------
    InputError
        Files are missing or hold what they may not, all problems at once: ``region-not-found``, ``region-no-discharges``,
        ``region-year-twice``, ``region-no-hospitals``, ``region-columns``, ``region-bad-number``, ``region-unknown-word``,
        ``region-unknown-hospital``, ``region-duplicate``.

    Examples
    --------
    >>> region = read_region("data/samples/region")
    >>> region.years, sorted(region.fund[2026]), sorted({region.level(hospital) for hospital in region.hospitals})
    ((2024, 2025, 2026), ['employee', 'resident'], ['1', '2', '3'])
    """
    folder = Path(folder)
    if not folder.is_dir():
        fix = "check the path, or make a region with drgsim synth"
        raise InputError.single("region-not-found", f"there is no folder {folder}", where=str(folder), fix=fix)
    problems: list[Problem] = []
    paths = _discharge_files(folder, problems)
    if not paths:
        fix = "name the files discharges-2024.parquet, .csv or .xlsx, one per year"
        problems.append(Problem("region-no-discharges", f"{folder} holds no discharges", where=str(folder), fix=fix))
    hospitals: dict[str, Hospital] = {}
    if not (folder / "hospitals.csv").is_file():
        what, fix = f"{folder} holds no hospitals.csv", "list id, name, level of each hospital"
        problems.append(Problem("region-no-hospitals", what, where=str(folder), fix=fix))
    else:
        try:
            hospitals = read_hospitals(folder / "hospitals.csv")
        except InputError as error:
            problems.extend(error.problems)
    tables = _RegionTables(folder, hospitals, problems)
    tables.read_all()
    if problems:
        raise InputError(problems)
    return RegionFolder(
        folder, paths, hospitals, tables.fund, tables.insured, tables.heads, tables.savings, tables.surplus, tables.indicators,
        tables.payments, tables.deductions, tables.moved,
    )  # fmt: skip


def _discharge_files(folder: Path, problems: list[Problem]) -> dict[int, Path]:
    """Year -> file of discharges, in the order of the years; two files of one year are a problem."""
    found: dict[int, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        match = _DISCHARGES.fullmatch(path.name)
        if match:
            found.setdefault(int(match[1]), []).append(path)
    for year, paths in sorted(found.items()):
        if len(paths) > 1:
            what = f"the discharges of {year} stand in {len(paths)} files: {', '.join(path.name for path in paths)}"
            fix = "leave one of them in the folder"
            problems.append(Problem("region-year-twice", what, where=str(folder), why="they may differ", fix=fix))
    return {year: paths[0] for year, paths in sorted(found.items())}


def _number_of(text: str, kind: Callable[[str], float]) -> float:
    """A number as ``kind`` reads it; one that is not finite or beyond :data:`LARGEST` as a plain float, at no cost.

    Examples
    --------
    >>> _number_of("12.5", fen), _number_of("1e999999999", fen)
    (1250, inf)
    """
    value = float(text)
    return kind(text) if abs(value) <= LARGEST else value


class _RegionTables:
    """Reads the tables of a folder row by row and collects what is wrong."""

    def __init__(self, folder: Path, hospitals: Mapping[str, Hospital], problems: list[Problem]) -> None:
        self.folder, self.hospitals, self.problems = folder, hospitals, problems
        self.seen: set[tuple[object, ...]] = set()
        self.fund: dict[int, dict[str, int]] = {}
        self.insured: dict[int, int] = {}
        self.heads: dict[tuple[int, str], int] = {}
        self.savings: dict[Key, int] = {}
        self.surplus: dict[str, dict[Key, int]] = {}
        self.indicators: dict[tuple[str, int, str], float] = {}
        self.payments: dict[tuple[str, int, int, str], int] = {}
        self.deductions: dict[Key, int] = {}
        self.moved: dict[Key, int] = {}

    def read_all(self) -> None:
        for read in (
            self._read_fund, self._read_enrolment, self._read_procurement, self._read_indicators, self._read_payments,
            self._read_adjustments,
        ):  # fmt: skip
            read()

    def _rows(self, name: str, columns: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
        path = self.folder / name
        if not path.is_file():
            return
        try:
            rows = read_rows(path)
        except InputError as error:
            self.problems.extend(error.problems)
            return
        lacking = [column for column in columns if column not in rows[0]]
        if lacking:
            what, fix = f"{name} lacks the columns {', '.join(lacking)}", f"its columns are {', '.join(columns)}"
            self.problems.append(Problem("region-columns", what, where=str(path), fix=fix))
            return
        for line, row in enumerate(rows, start=2):
            yield row, f"{name}:{line}"

    def _number(
        self, row: Mapping[str, str], column: str, where: str, kind: Callable[[str], float], least: float,
        most: float = LARGEST,
    ) -> float:  # fmt: skip
        """A number of a cell; a problem, and the least possible, where it is none."""
        text = row.get(column, "")
        try:
            number = _number_of(text, kind)
        except (ValueError, ArithmeticError):
            number = float("nan")
        if not least <= number <= most:
            size = "too large" if number > most or number < -LARGEST else "not a number"
            what = f"{column} holds {text!r}, {size}" + (f" from {least:g} on" if size[0] == "n" and least > -LARGEST else "")
            self.problems.append(Problem("region-bad-number", what, where=where, fix="correct the cell"))
            return max(least, 0)
        return number

    def _year(self, row: Mapping[str, str], where: str) -> int:
        return int(self._number(row, "year", where, int, 1990, _LAST_YEAR))

    def _fen(self, row: Mapping[str, str], column: str, where: str, signed: bool = False) -> int:
        return int(self._number(row, column, where, fen, -LARGEST if signed else 0))

    def _hospital(self, row: Mapping[str, str], where: str) -> str:
        name = row.get("hospital_id", "")
        if name not in self.hospitals:
            fix = did_you_mean(name, list(self.hospitals)) or "add it to hospitals.csv, or correct it"
            what = f"the hospital {name!r} is not in hospitals.csv"
            self.problems.append(Problem("region-unknown-hospital", what, where=where, fix=fix))
        return name

    def _word(self, row: Mapping[str, str], column: str, known: Sequence[str], where: str) -> str:
        word = row.get(column, "")
        if word not in known:
            fix = did_you_mean(word, list(known)) or f"it may be {', '.join(known)}"
            self.problems.append(Problem("region-unknown-word", f"{column} holds {word!r}", where=where, fix=fix))
        return word

    def _payer(self, row: Mapping[str, str], where: str) -> str:
        return self._word({"insurance": policy_key(row.get("insurance", ""))}, "insurance", PAYERS, where)

    def _once(self, where: str, *key: object) -> None:
        if key in self.seen:
            what = f"{', '.join(str(part) for part in key[1:])} stands twice"
            self.problems.append(Problem("region-duplicate", what, where=where, fix="remove one of the rows"))
        self.seen.add(key)

    def _read_fund(self) -> None:
        for row, where in self._rows("fund.csv", ("year", "insurance", "budget_yuan")):
            year, payer = self._year(row, where), self._payer(row, where)
            self._once(where, "fund", year, payer)
            self.fund.setdefault(year, {})[payer] = self._fen(row, "budget_yuan", where)

    def _read_enrolment(self) -> None:
        for row, where in self._rows("enrolment.csv", ("year", "insurance", "insured")):
            year = self._year(row, where)
            self._once(where, "enrolment", year, row.get("district", ""), self._payer(row, where))
            people = int(self._number(row, "insured", where, int, 0))
            self.insured[year] = self.insured.get(year, 0) + people
            for condition in sorted(set(row) - {"year", "district", "insurance", "insured", "label"}):
                number = int(self._number(row, condition, where, int, 0)) if row[condition] else 0
                self.heads[year, condition] = self.heads.get((year, condition), 0) + number

    def _read_procurement(self) -> None:
        amounts = [f"{kind}_yuan" for kind in PROCUREMENT_CLASSES]
        for row, where in self._rows("procurement.csv", ("year", "hospital_id", "savings_yuan", *amounts, "completion")):
            key = (self._hospital(row, where), self._year(row, where))
            self._once(where, "procurement", *key)
            self.savings[key] = self._fen(row, "savings_yuan", where)
            for kind, column in zip(PROCUREMENT_CLASSES, amounts, strict=True):
                self.surplus.setdefault(kind, {})[key] = self._fen(row, column, where)
            if row["completion"]:
                value = self._number(row, "completion", where, float, 0)
                self.indicators[*key, COMPLETION] = value

    def _read_indicators(self) -> None:
        for row, where in self._rows("indicators.csv", ("year", "hospital_id", "indicator", "value")):
            key = (self._hospital(row, where), self._year(row, where), row["indicator"])
            self._once(where, "indicator", *key)
            self.indicators[key] = self._number(row, "value", where, float, -LARGEST)

    def _read_payments(self) -> None:
        for row, where in self._rows("payments.csv", ("year", "month", "hospital_id", "unit", "amount_yuan")):
            month = int(self._number(row, "month", where, int, 1))
            if month > 12:
                self.problems.append(Problem("region-bad-number", f"month holds {month}", where=where, fix="1 to 12"))
            unit = self._word(row, "unit", ENTERED_UNITS, where)
            key = (self._hospital(row, where), self._year(row, where), min(month, 12), unit)
            self._once(where, "payment", *key)
            self.payments[key] = self._fen(row, "amount_yuan", where)

    def _read_adjustments(self) -> None:
        for row, where in self._rows("adjustments.csv", ("year", "hospital_id", "item", "amount_yuan")):
            item = self._word(row, "item", ADJUSTMENTS, where)
            key = (self._hospital(row, where), self._year(row, where))
            self._once(where, "adjustment", *key, item)
            held = self.deductions if item == "deduction" else self.moved
            held[key] = self._fen(row, "amount_yuan", where, signed=item == "moved")
