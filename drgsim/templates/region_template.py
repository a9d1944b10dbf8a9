"""A region of three hospitals to begin with: two years of a few invented cases, and every table that a region may have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.assets import sample_path
from drgsim.language import spoken, text
from drgsim.records.read import read_rows
from drgsim.records.vocabulary import PAYERS
from drgsim.results.table_files import csv_text, write_table
from drgsim.results.whole_outputs import write_text
from drgsim.templates.example_cases import LABEL, example_cases

YEARS = (2025, 2026)
CASES = {"H001": 120, "H004": 60, "H011": 20}  # hospital of the synthetic region -> cases of a year; one of each level
_INSURED_PER_CASE = 9  # assumption: about eleven discharges for a hundred insured people
# tables that may be empty -> their columns
_EMPTY = {
    "procurement.csv": ("year", "hospital_id", "savings_yuan", "selected_within_volume_yuan", "selected_beyond_volume_yuan",
                        "not_selected_yuan", "completion"),
    "indicators.csv": ("year", "hospital_id", "indicator", "value"),
    "payments.csv": ("year", "month", "hospital_id", "unit", "amount_yuan", "insurance", "visits", "heads", "cost_yuan"),
    "adjustments.csv": ("year", "hospital_id", "item", "amount_yuan", "share", "reason", "insurance"),
    "advances.csv": ("hospital_id", "date", "amount_yuan", "recovered", "reason"),
}  # fmt: skip


def write_region(folder: Path) -> None:
    """Fill a folder with the region; ``drgsim budget FOLDER`` takes it as it is."""
    tables = {year: example_cases(year, CASES) for year in YEARS}
    for year, table in tables.items():
        write_table(folder / f"discharges-{year}.csv", table)
    listed = [row for row in read_rows(sample_path("region") / "hospitals.csv") if row["id"] in CASES]
    names = ("id", "name", "level", "grade", "label")
    _write(folder, "hospitals.csv", names, ([row[name] for name in names] for row in listed))
    _write(folder, "fund.csv", ("year", "insurance", "budget_yuan", "label"), _fund(tables))
    _write(folder, "enrolment.csv", ("year", "insurance", "insured", "label"), _enrolment(tables))
    for name, columns in _EMPTY.items():
        _write(folder, name, columns, ())
    write_text(folder / "README.md", str(spoken(_readme())))


def _write(folder: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    write_text(folder / name, csv_text(columns, rows))


def _of_payer(table: pa.Table, payer: str) -> pa.Table:
    return table.filter(pc.equal(table["insurance"], payer))


def _fund(tables: dict[int, pa.Table]) -> list[tuple[object, ...]]:
    """What the fund paid for the cases, in whole thousands and a little more: an example, as everything here."""
    rows: list[tuple[object, ...]] = []
    for year, table in tables.items():
        for payer in PAYERS:
            paid = pc.sum(_of_payer(table, payer)["fund_paid"]).as_py() or 0
            rows.append((year, payer, f"{(int(paid) // 1000 + 1) * 1000:.2f}", LABEL))
    return rows


def _enrolment(tables: dict[int, pa.Table]) -> list[tuple[object, ...]]:
    return [
        (year, payer, _of_payer(table, payer).num_rows * _INSURED_PER_CASE, LABEL)
        for year, table in tables.items()
        for payer in PAYERS
    ]


def _readme() -> str:
    return text(
        """# A region to fill in

Everything in this folder is an example: the cases, the hospitals and the amounts are invented. Replace file by file, and
try after each step:

    drgsim budget . --policy beijing/2024 --output budget
    drgsim simulate . --policy beijing/2024 --set rate.base='*1.03' --output whatif

| file | what it holds | needed |
|---|---|---|
| discharges-YEAR.csv (.parquet, .xlsx) | the discharges of a year, as exported or as `drgsim new input` has them | yes |
| hospitals.csv | id as in the discharges, name, level (1, 2, 3), grade (甲等, 乙等) | yes |
| fund.csv | the fund's budget of a year in yuan: employee and resident | yes |
| enrolment.csv | insured people of a year; further columns: registered patients by condition | for figures per head |
| procurement.csv | savings from volume-based procurement by hospital | no |
| indicators.csv | quality indicators that are entered by hand | no |
| payments.csv | what the fund pays beside discharges: per_diem, single_disease, capitation, by_item, outpatient | no |
| adjustments.csv | deduction, moved, negotiated | no |
| advances.csv | money paid ahead, with the day on which it is recovered | no |

Tables that hold only their header are empty; delete them or fill them in. docs/budget.md says what each column means.
"""
    )
