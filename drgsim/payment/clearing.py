"""What a hospital is paid in advance each month, and at the end of the year (月度预结, 年度清算)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem
from drgsim.language import text
from drgsim.money import MISSING, Number, add_at, exact, fen, money_column, round_half_away
from drgsim.payment.case_class import CaseClass
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.patient_share import known_fen
from drgsim.payment.settlement import Settlement
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.read import read_table

Ints = NDArray[np.int64]
PREPAID_AS = "share"  # unit of a policy's prepayment that is a share of the month, and not a number of months


@dataclass(frozen=True)
class Assessment:
    """Result of the yearly assessment of a hospital: a coefficient, and deductions in fen."""

    coefficient: float = 1.0
    deductions: int = 0


def read_assessments(path: Path) -> dict[str, Assessment]:
    """Read the assessments of hospitals from a file; see :func:`assessments_of`."""
    return assessments_of(read_table(path), path)


def assessments_of(table: pa.Table, path: Path) -> dict[str, Assessment]:
    """Assessments from ``hospital_id, assessment, deductions`` (coefficient, yuan); a blank counts as 1 and as 0.

    ``path`` is what mistakes are told of.

    Raises
    ------
    InputError
        A hospital stands twice, or a number is none or below 0; all at once.
    """
    if "hospital_id" not in table.column_names:
        what = text("{path} has no column hospital_id", path=path.name)
        fix = text("the columns are hospital_id, assessment, deductions")
        raise InputError.single("assessment-column", what, where=text("{file}, line {line}", file=path, line=1), fix=fix)
    names: list[str] = read_words(table.select(["hospital_id"]), "hospital_id").to_pylist()
    problems: list[Problem] = []
    columns: dict[str, NDArray[np.float64]] = {}
    for column, blank in (("assessment", 1.0), ("deductions", 0.0)):
        values, broken = read_numbers(one_chunk(table, column))
        for row in np.flatnonzero(broken | (values < 0) | np.isinf(values)).tolist():
            what = text("{column} of {hospital} is no number of 0 or more", column=column, hospital=names[row])
            problems.append(Problem("assessment-number", what, where=text("{file}, line {line}", file=path, line=row + 2)))
        columns[column] = np.where(np.isnan(values), blank, values)
    for row, name in enumerate(names):
        if not name or names.index(name) != row:
            what = text("hospital {name} stands twice", name=name) if name else text("an assessment without a hospital")
            problems.append(Problem("assessment-hospital", what, where=text("{file}, line {line}", file=path, line=row + 2)))
    if problems:
        raise InputError(problems)
    pairs = zip(columns["assessment"].tolist(), columns["deductions"].tolist(), strict=True)
    return {name: Assessment(share, fen(off)) for name, (share, off) in zip(names, pairs, strict=True)}


def prepayment(standards: int, patient_paid: int, share: Number, deductions: int = 0) -> int:
    """Monthly prepayment (月度预结): (standards - patients' part) x share - deductions (rule book 1.6 and 3.7).

    Examples
    --------
    >>> prepayment(1_200_000, 250_000, 0.9, 20_000)
    835000
    """
    return round_half_away(exact(standards - patient_paid) * exact(share) - deductions)


def due(owed: Number, assessment: Number = 1, deductions: int = 0) -> int:
    """What the fund pays a hospital for the year, fen: owed x assessment - deductions, rounded once (rule book 3.7).

    Examples
    --------
    One million scores at 7 yuan, of which the fund bears 65 %:

    >>> due(exact(1_000_000) * 7 * exact(0.65) * 100, 0.98, 1_200_000)
    444700000
    """
    return round_half_away(exact(owed) * exact(assessment) - deductions)


def monthly_prepayments(settlement: Settlement, share: float) -> pa.Table:
    """Prepayment of each hospital and month: (amounts - patients' part) x share (rule book 1.6 and 3.7), never below 0.

    Parameters
    ----------
    share
        Share of the month that is paid in advance, such as 0.9.

    Returns
    -------
    Table
        ``hospital_id, month`` (2024-03; empty where no date of discharge is known), ``cases, amount, patient_paid, prepaid``
        (yuan), by hospital and month; self-payers are left out.
    """
    ledger = settlement.ledger
    cases = ledger.cases
    payable = (settlement.amount != MISSING) & ~ledger.is_class(CaseClass.SELF_PAY)
    month = np.where(cases.discharged != MISSING, periods_of(cases.discharged, "M"), MISSING)
    months, place = np.unique(month[payable], return_inverse=True)
    cell = (cases.hospital.ids[payable].astype(np.int64) + 1) * max(months.size, 1) + place
    cells, row = np.unique(cell, return_inverse=True)
    amount = _sums(settlement.amount[payable], row, cells.size)
    patient = _sums(known_fen(settlement.patient_paid[payable]), row, cells.size)
    prepaid = [max(prepayment(a, p, share), 0) for a, p in zip(amount.tolist(), patient.tolist(), strict=True)]
    names = ["", *cases.hospital.values]
    table = pa.table({
        "hospital_id": [names[number // max(months.size, 1)] for number in cells.tolist()],
        "month": [_month(int(months[number % months.size])) for number in cells.tolist()],
        "cases": np.bincount(row, minlength=cells.size), "amount": money_column(amount),
        "patient_paid": money_column(patient), "prepaid": money_column(np.array(prepaid, np.int64)),
    })  # fmt: skip
    return table.sort_by([("hospital_id", "ascending"), ("month", "ascending")])


def yearly_clearing(
    settlement: Settlement,
    prepaid: pa.Table | None = None,
    assessments: Mapping[str, Assessment] | None = None,
    fund_share: float = 1.0,
) -> pa.Table:
    """Clearing of each hospital: what the fund owes x assessment - deductions - what was prepaid (rule book 3.7).

    Parameters
    ----------
    prepaid
        Result of :func:`monthly_prepayments`.
    assessments
        By hospital; 1 and no deductions for those that are not named.
    fund_share
        rho, for policies that clear by share: the fund owes amounts x rho. Others owe the sum of the cases' fund payments.

    Returns
    -------
    Table
        One row per hospital: ``cases, units`` (scores, points or weight), ``amount, owed, assessment, deductions, due, prepaid,
        clearing``; owed x assessment - deductions = due, due - prepaid = clearing, which is below 0 where a hospital pays back.

    Raises
    ------
    InputError
        An assessment names a hospital without cases.
    """
    ledger = settlement.ledger
    hospital = ledger.cases.hospital
    payable = (settlement.amount != MISSING) & ~ledger.is_class(CaseClass.SELF_PAY)
    names = sorted({hospital.values[place] if place >= 0 else "" for place in np.unique(hospital.ids[payable]).tolist()})
    strangers = sorted(set(assessments or {}) - set(names))
    if strangers:
        what = text("an assessment is stated for hospitals that have no cases: {names}", names=", ".join(strangers[:5]))
        raise InputError.single("assessment-unknown-hospital", what, fix=text("correct hospital_id"))
    row = np.array([names.index(name) if name in names else -1 for name in [*hospital.values, ""]])[hospital.ids[payable]]
    amount = _sums(settlement.amount[payable], row, len(names))
    spec = ledger.policy.file.clearing
    if spec is not None and spec.basis.value == "share":
        owed = [exact(fen_paid) * exact(fund_share) for fen_paid in amount.tolist()]
    else:
        owed = [exact(fen_paid) for fen_paid in _sums(known_fen(settlement.fund_payment[payable]), row, len(names)).tolist()]
    judged = [(assessments or {}).get(name, Assessment()) for name in names]
    # rounded once, from the amount itself and not from what is shown as owed
    dues = np.array([due(o, j.coefficient, j.deductions) for o, j in zip(owed, judged, strict=True)], np.int64)
    before = _prepaid(prepaid, names)
    return pa.table({
        "hospital_id": pa.array(names, pa.string()), "cases": np.bincount(row, minlength=len(names)),
        "units": np.round(np.bincount(row, np.nan_to_num(ledger.units[payable]), len(names)), 6),
        "amount": money_column(amount), "owed": money_column(np.array([round_half_away(o) for o in owed], np.int64)),
        "assessment": pa.array([entry.coefficient for entry in judged], pa.float64()),
        "deductions": money_column(np.array([entry.deductions for entry in judged], np.int64)),
        "due": money_column(dues), "prepaid": money_column(before), "clearing": money_column(dues - before),
    })  # fmt: skip


def _prepaid(prepaid: pa.Table | None, names: list[str]) -> Ints:
    """Fen that each hospital was paid in advance."""
    advance = dict.fromkeys(names, 0)
    if prepaid is not None:
        for name, yuan in zip(prepaid["hospital_id"].to_pylist(), prepaid["prepaid"].to_pylist(), strict=True):
            advance[name] += int(yuan * 100)
    return np.array([advance[name] for name in names], np.int64)


def _sums(amounts: Ints, row: NDArray[np.integer], size: int) -> Ints:
    """Sums of fen by row, in integers."""
    result = np.zeros(size, np.int64)
    add_at(result, row, amounts)
    return result


def _month(number: int) -> str:
    return "" if number == MISSING else str(np.datetime64(number, "M"))
