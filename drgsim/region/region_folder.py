"""What a region's folder states beside the cases: people, the fund, procurement, and what was entered by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.money import fen
from drgsim.records.read import read_rows
from drgsim.records.vocabulary import PAYERS, level_keys
from drgsim.region.hospital_list import Hospital, read_hospitals

PROCUREMENT_CLASSES = ("selected_within_volume", "selected_beyond_volume", "not_selected")
ENTERED_UNITS = ("per_diem", "single_disease", "capitation", "by_item")
ADJUSTMENTS = ("deduction", "moved")
LARGEST = 1e15  # of any number of a region (fen for money): beyond it sums over a region would leave int64
_LAST_YEAR = 2999
_DISCHARGES = re.compile(r"discharges-(\d{4})\.(?:parquet|csv|xlsx)")
Key = tuple[str, int]


@dataclass
class RegionFacts:
    """A region's own statements; money in fen.

    Attributes
    ----------
    hospitals, names, levels
        As hospitals.csv lists them; the level keys run from the nearest on.
    years
        Years that the discharges are taken of; empty for all that occur.
    fund, fund_by_payer
        Year -> budget of the fund; (year, payer) -> part of it.
    insured, registered
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

    hospitals: Mapping[str, Hospital] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    years: tuple[int, ...] = ()
    fund: dict[int, int] = field(default_factory=dict)
    fund_by_payer: dict[tuple[int, str], int] = field(default_factory=dict)
    insured: dict[int, int] = field(default_factory=dict)
    registered: dict[tuple[int, str], int] = field(default_factory=dict)
    savings: dict[Key, int] = field(default_factory=dict)
    surplus: dict[str, dict[Key, int]] = field(default_factory=dict)
    indicators: dict[tuple[str, int, str], float] = field(default_factory=dict)
    payments: dict[tuple[str, int, int, str], int] = field(default_factory=dict)
    deductions: dict[Key, int] = field(default_factory=dict)
    moved: dict[Key, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


OPTIONAL = ("procurement.csv", "indicators.csv", "payments.csv", "adjustments.csv")


def read_region(folder: Path, indicators: Sequence[str] = ()) -> RegionFacts:
    """Read hospitals.csv, fund.csv and enrolment.csv of a region, and the optional files of :data:`OPTIONAL`.

    Parameters
    ----------
    folder
        As ``drgsim synth`` writes it, or of the same shape; years are those of ``discharges-YYYY.*``.
    indicators
        Names that indicators.csv may use.

    Raises
    ------
    InputError
        Files are missing or hold what they may not: all problems at once.
    """
    problems: list[Problem] = []
    if not folder.is_dir():
        raise InputError.single(
            "budget-no-region", f"there is no folder {folder}", where=str(folder), fix="make one with drgsim synth"
        )
    facts = RegionFacts()
    paths = discharge_files(folder, problems)
    if not paths:
        problems.append(
            Problem("budget-no-discharges", f"{folder} holds no discharges-YYYY file", where=str(folder),
                    fix="name the files discharges-2024.parquet, discharges-2023.csv, ...")
        )  # fmt: skip
    facts.years, facts.files = tuple(sorted(paths)), list(paths.values())
    try:
        facts.hospitals = read_hospitals(folder / "hospitals.csv")
    except InputError as error:
        problems.extend(error.problems)
    facts.names = {name: entry.name or name for name, entry in facts.hospitals.items()}
    facts.levels = {name: level_keys(entry.level, entry.grade) for name, entry in facts.hospitals.items()}
    reader = _RegionReader(folder, facts, problems)
    reader.fund()
    reader.enrolment()
    reader.procurement()
    reader.indicators(indicators)
    reader.payments()
    reader.adjustments()
    if problems:
        raise InputError(problems)
    facts.files += [folder / name for name in ("hospitals.csv", *reader.read)]
    return facts


def discharge_files(folder: Path, problems: list[Problem]) -> dict[int, Path]:
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


def read_number(text: str, kind: Callable[[str], float]) -> float:
    """A number as ``kind`` reads it; one that is not finite or beyond :data:`LARGEST` as a plain float, at no cost.

    Examples
    --------
    >>> read_number("12.5", fen), read_number("1e999999999", fen)
    (1250, inf)
    """
    value = float(text)
    return kind(text) if abs(value) <= LARGEST else value


class _RegionReader:
    """Reads the tables of a folder row by row and collects what is wrong."""

    def __init__(self, folder: Path, facts: RegionFacts, problems: list[Problem]) -> None:
        self.folder, self.facts, self.problems = folder, facts, problems
        self.read: list[str] = []
        self.seen: set[tuple[object, ...]] = set()

    def _rows(self, name: str, columns: Sequence[str], needed: bool = False) -> Iterator[tuple[dict[str, str], str]]:
        path = self.folder / name
        if not path.is_file():
            if needed:
                self.problems.append(Problem("budget-missing-file", f"the region has no {name}", where=str(path)))
            else:
                self.facts.absent.append(name)
            return
        try:
            rows = read_rows(path)
        except InputError as error:
            self.problems.extend(error.problems)
            return
        self.read.append(name)
        lacking = [column for column in columns if column not in rows[0]]
        if lacking:
            what, fix = f"{name} lacks the columns {', '.join(lacking)}", f"its columns are {', '.join(columns)}"
            self.problems.append(Problem("budget-columns", what, where=str(path), fix=fix))
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
            number = read_number(text, kind)
        except (ValueError, ArithmeticError):
            number = float("nan")
        if not least <= number <= most:
            size = "too large" if number > most or number < -LARGEST else "not a number"
            what = f"{column} holds {text!r}, {size}" + (f" from {least:g} on" if size[0] == "n" and least > -LARGEST else "")
            self.problems.append(Problem("budget-bad-number", what, where=where, fix="correct the cell"))
            return max(least, 0)
        return number

    def _year(self, row: Mapping[str, str], where: str) -> int:
        return int(self._number(row, "year", where, int, 1990, _LAST_YEAR))

    def _fen(self, row: Mapping[str, str], column: str, where: str, signed: bool = False) -> int:
        return int(self._number(row, column, where, fen, -LARGEST if signed else 0))

    def _hospital(self, row: Mapping[str, str], where: str) -> str:
        name = row.get("hospital_id", "")
        if name not in self.facts.hospitals:
            fix = did_you_mean(name, list(self.facts.hospitals)) or "add it to hospitals.csv, or correct it"
            what = f"the hospital {name!r} is not in hospitals.csv"
            self.problems.append(Problem("budget-unknown-hospital", what, where=where, fix=fix))
        return name

    def _word(self, row: Mapping[str, str], column: str, known: Sequence[str], where: str) -> str:
        word = row.get(column, "")
        if word not in known:
            fix = did_you_mean(word, list(known)) or f"it may be {', '.join(known)}"
            self.problems.append(Problem("budget-unknown-word", f"{column} holds {word!r}", where=where, fix=fix))
        return word

    def _once(self, where: str, *key: object) -> None:
        if key in self.seen:
            what = f"{', '.join(str(part) for part in key[1:])} stands twice"
            self.problems.append(Problem("budget-duplicate", what, where=where, fix="remove one of the rows"))
        self.seen.add(key)

    def fund(self) -> None:
        for row, where in self._rows("fund.csv", ("year", "insurance", "budget_yuan"), needed=True):
            year, payer = self._year(row, where), self._word(row, "insurance", PAYERS, where)
            self._once(where, "fund", year, payer)
            amount = self._fen(row, "budget_yuan", where)
            self.facts.fund_by_payer[year, payer] = amount
            self.facts.fund[year] = self.facts.fund.get(year, 0) + amount

    def enrolment(self) -> None:
        for row, where in self._rows("enrolment.csv", ("year", "insurance", "insured")):
            year = self._year(row, where)
            self._word(row, "insurance", PAYERS, where)
            self._once(where, "enrolment", year, row.get("district", ""), row["insurance"])
            people = int(self._number(row, "insured", where, int, 0))
            self.facts.insured[year] = self.facts.insured.get(year, 0) + people
            for condition in sorted(set(row) - {"year", "district", "insurance", "insured", "label"}):
                number = int(self._number(row, condition, where, int, 0))
                self.facts.registered[year, condition] = self.facts.registered.get((year, condition), 0) + number

    def procurement(self) -> None:
        amounts = [f"{kind}_yuan" for kind in PROCUREMENT_CLASSES]
        for row, where in self._rows("procurement.csv", ("year", "hospital_id", "savings_yuan", *amounts, "completion")):
            key = (self._hospital(row, where), self._year(row, where))
            self._once(where, "procurement", *key)
            self.facts.savings[key] = self._fen(row, "savings_yuan", where)
            for kind, column in zip(PROCUREMENT_CLASSES, amounts, strict=True):
                self.facts.surplus.setdefault(kind, {})[key] = self._fen(row, column, where)
            if row["completion"]:
                value = self._number(row, "completion", where, float, 0)
                self.facts.indicators[*key, "procurement_completion"] = value

    def indicators(self, known: Sequence[str]) -> None:
        for row, where in self._rows("indicators.csv", ("year", "hospital_id", "indicator", "value")):
            key = (self._hospital(row, where), self._year(row, where), self._word(row, "indicator", known, where))
            self._once(where, "indicator", *key)
            self.facts.indicators[key] = self._number(row, "value", where, float, -LARGEST)

    def payments(self) -> None:
        for row, where in self._rows("payments.csv", ("year", "month", "hospital_id", "unit", "amount_yuan")):
            month = int(self._number(row, "month", where, int, 1))
            if month > 12:
                self.problems.append(Problem("budget-bad-number", f"month holds {month}", where=where, fix="1 to 12"))
            unit = self._word(row, "unit", ENTERED_UNITS, where)
            key = (self._hospital(row, where), self._year(row, where), min(month, 12), unit)
            self._once(where, "payment", *key)
            self.facts.payments[key] = self._fen(row, "amount_yuan", where)

    def adjustments(self) -> None:
        for row, where in self._rows("adjustments.csv", ("year", "hospital_id", "item", "amount_yuan")):
            item = self._word(row, "item", ADJUSTMENTS, where)
            key = (self._hospital(row, where), self._year(row, where))
            self._once(where, "adjustment", *key, item)
            held = self.facts.deductions if item == "deduction" else self.facts.moved
            held[key] = self._fen(row, "amount_yuan", where, signed=item == "moved")
