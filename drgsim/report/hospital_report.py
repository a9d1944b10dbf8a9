"""The report for a hospital: accounts, page and workbook."""

from __future__ import annotations

from pathlib import Path

from drgsim.accounts.hospital_accounts import hospital_accounts
from drgsim.accounts.settled_cases import SettledCases
from drgsim.language import text
from drgsim.report.hospital_page import hospital_page
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.results.workbook import open_workbook


def hospital_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a hospital's report."""
    accounts = hospital_accounts(cases, choices.hospital, choices.benchmark)

    def write(path: Path) -> None:
        with open_workbook(path) as book:
            for name, table in accounts.tables.items():
                book.add_table(name, table)

    return ReportParts(
        text("Case payment report of a hospital"),
        accounts.tables,
        lambda: hospital_page(accounts),
        write,
        record={
            "hospital": accounts.hospital.id,
            "hospitals": accounts.hospital.hospitals,
            "compared_with": accounts.reference.kind,
        },
    )
