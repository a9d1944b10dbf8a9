"""The tables of a region's folder, read row by row; everything that is wrong with them is collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from drgsim.errors import InputError, Problem, did_you_mean
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, allocate, fen
from drgsim.records.read import read_rows
from drgsim.records.vocabulary import PAYERS, policy_key
from drgsim.region.hospital_list import Hospital

PROCUREMENT_CLASSES = ("selected_within_volume", "selected_beyond_volume", "not_selected")
OUTPATIENT = "outpatient"
ENTERED_UNITS = ("per_diem", "single_disease", "capitation", "by_item", OUTPATIENT)
COMPLETION = "procurement_completion"  # the indicator that procurement.csv states
ADJUSTMENTS = ("deduction", "moved", "negotiated")
TABLES = (
    "hospitals.csv", "fund.csv", "enrolment.csv", "procurement.csv", "indicators.csv", "payments.csv", "adjustments.csv",
    "advances.csv",
)  # fmt: skip
# a region of one year has no procurement to tell of; its hospitals, fund and insured it must state
MAY_BE_EMPTY = ("procurement.csv", "indicators.csv", "payments.csv", "adjustments.csv", "advances.csv")
LARGEST = 1e15  # of any number of a region (fen for money): beyond it sums over a region would leave int64
MOST_MONEY = 10**17  # fen of all tables together: sums of them and products with shares stay far within int64; our own limit
_FIRST_YEAR, _LAST_YEAR = 1990, 2999
_MONTHS = 12
Key = tuple[str, int]


@dataclass(frozen=True)
class Outpatients:
    """Outpatient care (门诊) of a hospital in a year, as payments.csv states it.

    Attributes
    ----------
    visits, heads
        Visits (人次), and different patients (人头): of a year, or the sum over months where the file states months.
    cost
        What was billed in all, fen; what the fund paid where the file states nothing else.
    """

    visits: int = 0
    heads: int = 0
    cost: int = 0


@dataclass(frozen=True)
class Negotiated:
    """What was negotiated (谈判协商) with a hospital for a year: fen, a share of its index, and why."""

    amount: int
    share: float
    reason: str


@dataclass(frozen=True)
class Advance:
    """Money paid ahead (预付) to a hospital: fen, when it was paid, and when it is recovered.

    ``recovered`` is the day on which all of it is taken back; None: at the clearing of the year in which it was paid.
    """

    hospital: str
    amount: int
    paid: date
    recovered: date | None
    reason: str


def _number_of(text: str, kind: Callable[[str], float]) -> float:
    """A number as ``kind`` reads it; one that is not finite or beyond :data:`LARGEST` as a plain float, at no cost.

    Examples
    --------
    >>> _number_of("12.5", fen), _number_of("1e999999999", fen)
    (1250, inf)
    """
    value = float(text)
    return kind(text) if abs(value) <= LARGEST else value


class RegionTables:
    """Reads the tables of a folder row by row and collects what is wrong."""

    def __init__(self, folder: Path, hospitals: Mapping[str, Hospital], problems: list[Problem]) -> None:
        self.folder, self.hospitals, self.problems = folder, hospitals, problems
        self._money = 0  # fen read so far
        self.seen: set[tuple[object, ...]] = set()
        self.fund: dict[int, dict[str, int]] = {}
        self.insured: dict[int, int] = {}
        self.heads: dict[tuple[int, str], int] = {}
        self.savings: dict[Key, int] = {}
        self.surplus: dict[str, dict[Key, int]] = {}
        self.indicators: dict[tuple[str, int, str], float] = {}
        self.payments: dict[tuple[str, int, int, str, str], int] = {}
        self.outpatients: dict[tuple[str, int, str], Outpatients] = {}
        self.negotiated: dict[tuple[str, int, str], Negotiated] = {}
        self.advances: list[Advance] = []
        self.insured_of: dict[tuple[int, str], int] = {}
        self.heads_of: dict[tuple[int, str, str], int] = {}
        self.deductions: dict[Key, int] = {}
        self.moved: dict[Key, int] = {}

    def read_all(self) -> None:
        for read in (
            self._read_fund, self._read_enrolment, self._read_procurement, self._read_indicators, self._read_payments,
            self._read_adjustments, self._read_advances,
        ):  # fmt: skip
            read()

    def _rows(self, name: str, columns: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
        path = self.folder / name
        if not path.is_file():
            return
        try:
            rows = read_rows(path)
        except InputError as error:
            empty = name in MAY_BE_EMPTY and {problem.code for problem in error.problems} == {"input-no-rows"}
            self.problems.extend(() if empty else error.problems)
            return
        lacking = [column for column in columns if column not in rows[0]]
        if lacking:
            what, fix = (
                text("{name} lacks the columns {lacking}", name=name, lacking=", ".join(lacking)),
                text("its columns are {columns}", columns=", ".join(columns)),
            )
            self.problems.append(Problem("region-columns", what, where=str(path), fix=fix))
            return
        for line, row in enumerate(rows, start=2):
            yield row, f"{name}:{line}"

    def _number(
        self, row: Mapping[str, str], column: str, where: str, kind: Callable[[str], float], least: float,
        most: float = LARGEST,
    ) -> float:  # fmt: skip
        """A number of a cell; a problem, and the least possible, where it is none."""
        cell = row.get(column, "")
        try:
            number = _number_of(cell, kind)
        except (ValueError, ArithmeticError):
            number = float("nan")
        if not least <= number <= most:
            what = text("{column} holds {cell!r}, not a number", column=column, cell=cell)
            if number > most or number < -LARGEST:
                what = text("{column} holds {cell!r}, too large", column=column, cell=cell)
            elif least > -LARGEST:
                what = text("{column} holds {cell!r}, not a number from {least:g} on", column=column, cell=cell, least=least)
            self.problems.append(Problem("region-bad-number", what, where=where, fix=text("correct the cell")))
            return max(least, 0)
        return number

    def _year(self, row: Mapping[str, str], where: str) -> int:
        return int(self._number(row, "year", where, int, _FIRST_YEAR, _LAST_YEAR))

    def _fen(self, row: Mapping[str, str], column: str, where: str, signed: bool = False) -> int:
        amount = int(self._number(row, column, where, fen, -LARGEST if signed else 0))
        before, self._money = self._money, self._money + abs(amount)
        if before <= MOST_MONEY < self._money:
            what = text("the amounts up to here add up to more than {most} yuan", most=f"{MOST_MONEY // FEN_PER_YUAN:,}")
            fix = text("check the columns of money: numbers of another kind may stand in them")
            self.problems.append(Problem("region-too-much-money", what, where=where, fix=fix))
        return amount

    def _hospital(self, row: Mapping[str, str], where: str) -> str:
        name = row.get("hospital_id", "")
        if name not in self.hospitals:
            fix = did_you_mean(name, list(self.hospitals)) or text("add it to hospitals.csv, or correct it")
            what = text("the hospital {name!r} is not in hospitals.csv", name=name)
            self.problems.append(Problem("region-unknown-hospital", what, where=where, fix=fix))
        return name

    def _word(self, row: Mapping[str, str], column: str, known: Sequence[str], where: str) -> str:
        word = row.get(column, "")
        if word not in known:
            fix = did_you_mean(word, list(known)) or text("it may be {known}", known=", ".join(known))
            self.problems.append(
                Problem("region-unknown-word", text("{column} holds {word!r}", column=column, word=word), where=where, fix=fix)
            )
        return word

    def _payer(self, row: Mapping[str, str], where: str) -> str:
        return self._word({"insurance": policy_key(row.get("insurance", ""))}, "insurance", PAYERS, where)

    def _payer_or_none(self, row: Mapping[str, str], where: str) -> str:
        """The payer of a row; "" where it states none and all payers are meant."""
        return self._payer(row, where) if row.get("insurance") else ""

    def _date(self, row: Mapping[str, str], column: str, where: str) -> date | None:
        try:
            found = date.fromisoformat(row.get(column, "")[:10])
        except ValueError:
            found = None
        if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            fix = text("write it as 2020-02-03")
            self.problems.append(
                Problem(
                    "region-bad-date",
                    text("{column} holds {get!r}", column=column, get=row.get(column, "")),
                    where=where,
                    fix=fix,
                )
            )
            return None
        return found

    def _once(self, where: str, *key: object) -> None:
        if key in self.seen:
            what = text("{part} stands twice", part=", ".join(str(part) for part in key[1:]))
            self.problems.append(Problem("region-duplicate", what, where=where, fix=text("remove one of the rows")))
        self.seen.add(key)

    def _read_fund(self) -> None:
        for row, where in self._rows("fund.csv", ("year", "insurance", "budget_yuan")):
            year, payer = self._year(row, where), self._payer(row, where)
            self._once(where, "fund", year, payer)
            self.fund.setdefault(year, {})[payer] = self._fen(row, "budget_yuan", where)

    def _read_enrolment(self) -> None:
        for row, where in self._rows("enrolment.csv", ("year", "insurance", "insured")):
            year = self._year(row, where)
            payer = self._payer(row, where)
            self._once(where, "enrolment", year, row.get("district", ""), payer)
            people = int(self._number(row, "insured", where, int, 0))
            self.insured[year] = self.insured.get(year, 0) + people
            self.insured_of[year, payer] = self.insured_of.get((year, payer), 0) + people
            for condition in sorted(set(row) - {"year", "district", "insurance", "insured", "label"}):
                number = int(self._number(row, condition, where, int, 0)) if row[condition] else 0
                self.heads[year, condition] = self.heads.get((year, condition), 0) + number
                key = (year, condition, payer)
                self.heads_of[key] = self.heads_of.get(key, 0) + number

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
        """Months are 1 to 12; a row without one is of the whole year, and is spread evenly over its months."""
        whole: dict[str, bool] = {}
        for row, where in self._rows("payments.csv", ("year", "month", "hospital_id", "unit", "amount_yuan")):
            month = int(self._number(row, "month", where, int, 1, _MONTHS)) if row["month"] else 0
            unit, payer = self._word(row, "unit", ENTERED_UNITS, where), self._payer_or_none(row, where)
            hospital, year = self._hospital(row, where), self._year(row, where)
            self._once(where, "payment", hospital, year, month, unit, payer)
            if unit == OUTPATIENT and whole.setdefault(unit, not month) == bool(month):
                what, why = (
                    text("{unit} is stated by month and by year", unit=unit),
                    text("heads of a month and of a year differ"),
                )
                fix = text("state the months of every year, or the year alone")
                self.problems.append(Problem("region-months-mixed", what, where=where, why=why, fix=fix))
            amount = self._fen(row, "amount_yuan", where)
            months = {month: amount} if month else dict(enumerate(allocate(amount, [1] * _MONTHS).tolist(), start=1))
            for each, part in months.items():
                self.payments[hospital, year, each, unit, payer] = part
            if unit == OUTPATIENT:
                self._add_outpatients((hospital, year, payer), amount, row, where)

    def _add_outpatients(self, key: tuple[str, int, str], amount: int, row: Mapping[str, str], where: str) -> None:
        visits, heads = (int(self._number(row, name, where, int, 0)) if row.get(name) else 0 for name in ("visits", "heads"))
        cost = self._fen(row, "cost_yuan", where) if row.get("cost_yuan") else amount
        if cost < amount:
            what, fix = (
                text("the fund paid more than outpatient care cost"),
                text("amount_yuan is the fund's part of cost_yuan"),
            )
            self.problems.append(Problem("region-bad-number", what, where=where, fix=fix))
        if heads > visits:
            what, fix = (
                text("{heads} patients made {visits} visits", heads=heads, visits=visits),
                text("visits is 人次, heads is 人头"),
            )
            self.problems.append(Problem("region-bad-number", what, where=where, fix=fix))
        known = self.outpatients.get(key, Outpatients())
        self.outpatients[key] = Outpatients(known.visits + visits, known.heads + heads, known.cost + cost)

    def _read_adjustments(self) -> None:
        for row, where in self._rows("adjustments.csv", ("year", "hospital_id", "item", "amount_yuan")):
            item = self._word(row, "item", ADJUSTMENTS, where)
            key = (self._hospital(row, where), self._year(row, where))
            payer = self._payer_or_none(row, where)
            self._once(where, "adjustment", *key, item, payer)
            if item == "negotiated":
                self._add_negotiated((*key, payer), row, where)
                continue
            if payer:
                fix = text("leave insurance empty: the pools share it as they spend")
                self.problems.append(
                    Problem("region-unknown-word", text("{item} takes no insurance", item=item), where=where, fix=fix)
                )
            held = self.deductions if item == "deduction" else self.moved
            held[key] = self._fen(row, "amount_yuan", where, signed=item == "moved")

    def _add_negotiated(self, key: tuple[str, int, str], row: Mapping[str, str], where: str) -> None:
        amount = self._fen(row, "amount_yuan", where, signed=True) if row["amount_yuan"] else 0
        share = self._number(row, "share", where, float, -1, 10) if row.get("share") else 0.0
        if not row["amount_yuan"] and not row.get("share"):
            what, fix = text("nothing was negotiated"), text("state amount_yuan, or share of the index such as 0.02")
            self.problems.append(Problem("region-bad-number", what, where=where, fix=fix))
        self.negotiated[key] = Negotiated(amount, share, row.get("reason", ""))

    def _read_advances(self) -> None:
        for row, where in self._rows("advances.csv", ("hospital_id", "date", "amount_yuan")):
            hospital, paid = self._hospital(row, where), self._date(row, "date", where)
            recovered = self._date(row, "recovered", where) if row.get("recovered") else None
            amount = self._fen(row, "amount_yuan", where)
            if paid is None:
                continue
            if recovered is not None and recovered < paid:
                what, fix = (
                    text("recovered on {recovered}, before it was paid on {paid}", recovered=recovered, paid=paid),
                    text("correct one of the two dates"),
                )
                self.problems.append(Problem("region-bad-date", what, where=where, fix=fix))
            self.advances.append(Advance(hospital, amount, paid, recovered, row.get("reason", "")))
