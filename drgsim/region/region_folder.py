"""A region's folder: discharges by year and what the region states beside them, read once for budgets and simulation alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.language import text
from drgsim.money import allocate
from drgsim.records.vocabulary import level_keys
from drgsim.region.hospital_list import Hospital, read_hospitals
from drgsim.region.region_tables import COMPLETION, TABLES, Advance, Key, Negotiated, Outpatients, RegionTables
from drgsim.results.run_record import digest_of

_DISCHARGES = re.compile(r"discharges-(\d{4})\.(?:parquet|csv|xlsx)")


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
        (hospital, year, month, unit, payer) -> what the fund owes beside the discharges; payer "" where none is stated.
    outpatients
        (hospital, year, payer) -> visits, heads and cost of outpatient care.
    deductions, moved
        (hospital, year) -> amount taken off at clearing; services moved to (or from) the hospital.
    negotiated
        (hospital, year, payer) -> what was negotiated with the hospital.
    advances
        Money paid ahead, in the order of advances.csv.
    insured_of, heads_of
        (year, payer) -> insured people; (year, condition, payer) -> registered patients.
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
    payments: Mapping[tuple[str, int, int, str, str], int] = field(default_factory=dict)
    deductions: Mapping[Key, int] = field(default_factory=dict)
    moved: Mapping[Key, int] = field(default_factory=dict)
    outpatients: Mapping[tuple[str, int, str], Outpatients] = field(default_factory=dict)
    negotiated: Mapping[tuple[str, int, str], Negotiated] = field(default_factory=dict)
    advances: tuple[Advance, ...] = ()
    insured_of: Mapping[tuple[int, str], int] = field(default_factory=dict)
    heads_of: Mapping[tuple[int, str, str], int] = field(default_factory=dict)

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
    def fund_beside(self, year: int, shares: Mapping[str, int]) -> dict[str, int]:
        """What payments.csv states that the fund pays beside the cases of a year, fen by payer.

        What states no payer is shared as ``shares`` (fen of the fund by payer); a year beyond the data is as the last one.
        """
        stated: dict[str, int] = {}
        for (_, of_year, _, _, payer), amount in self.payments.items():
            if of_year == min(year, self.years[-1]):
                stated[payer] = stated.get(payer, 0) + amount
        common = allocate(stated.pop("", 0), list(shares.values())) if shares else ()
        return {payer: stated.get(payer, 0) + int(part) for payer, part in zip(shares, common, strict=True)}

    def registered(self, year: int, condition: str, payer: str = "") -> int:
        """Registered patients with a chronic condition, of one payer or all; of the last year before ``year`` that is known."""
        last = max((known for known in self.insured if known <= year), default=0)
        return self.heads_of.get((last, condition, payer), 0) if payer else self.heads.get((last, condition), 0)

    def fund_year(self, year: int) -> int | None:
        """Year whose budget of the fund stands for ``year``: itself, the last one before, else the first; None without any."""
        before = [stated for stated in self.fund if stated <= year]
        return max(before) if before else min(self.fund, default=None)

    def fund_notes(self, years: Iterable[int]) -> list[str]:
        """Words on years whose budget of the fund is not stated."""
        return [
            text(
                "fund of {year} not stated, taken from {stated}, with budget.fund.growth where budget.active is true",
                year=year,
                stated=stated,
            )
            if stated < year
            else text("fund of {year} not stated, taken from {stated}", year=year, stated=stated)
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
            Problem(
                "region-unknown-word",
                text("indicator holds {name!r}", name=name),
                where=f"indicators.csv: {hospital}, {year}",
                fix=did_you_mean(name, list(known)) or text("it may be {known}", known=", ".join(known)),
            )
            for hospital, year, name in self.indicators
            if name not in (*known, COMPLETION)
        ]
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
        ``region-unknown-hospital``, ``region-duplicate``, ``region-months-mixed``, ``region-bad-date``.

    Examples
    --------
    >>> region = read_region("data/samples/region")
    >>> region.years, sorted(region.fund[2026]), sorted({region.level(hospital) for hospital in region.hospitals})
    ((2024, 2025, 2026), ['employee', 'resident'], ['1', '2', '3'])
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = text("there is no folder {folder}", folder=folder)
        fix = text("check the path; drgsim new region FOLDER writes one to fill in, drgsim synth makes an invented one")
        raise InputError.single("region-not-found", what, where=str(folder), fix=fix)
    problems: list[Problem] = []
    paths = _discharge_files(folder, problems)
    if not paths:
        what = text("{folder} holds no discharges", folder=folder)
        fix = text("name the files discharges-2024.parquet, .csv or .xlsx, one per year")
        problems.append(Problem("region-no-discharges", what, where=str(folder), fix=fix))
    hospitals: dict[str, Hospital] = {}
    if not (folder / "hospitals.csv").is_file():
        what, fix = text("{folder} holds no hospitals.csv", folder=folder), text("list id, name, level of each hospital")
        problems.append(Problem("region-no-hospitals", what, where=str(folder), fix=fix))
    else:
        try:
            hospitals = read_hospitals(folder / "hospitals.csv")
        except InputError as error:
            problems.extend(error.problems)
    tables = RegionTables(folder, hospitals, problems)
    tables.read_all()
    if problems:
        raise InputError(problems)
    return RegionFolder(
        folder, paths, hospitals, tables.fund, tables.insured, tables.heads, tables.savings, tables.surplus, tables.indicators,
        tables.payments, tables.deductions, tables.moved, tables.outpatients, tables.negotiated, tuple(tables.advances),
        tables.insured_of, tables.heads_of,
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
            what = text(
                "the discharges of {year} stand in {paths_count} files: {file}",
                year=year,
                paths_count=len(paths),
                file=", ".join(path.name for path in paths),
            )
            fix = text("leave one of them in the folder")
            problems.append(Problem("region-year-twice", what, where=str(folder), why=text("they may differ"), fix=fix))
    return {year: paths[0] for year, paths in sorted(found.items())}
