"""The report for a hospital: accounts, page and workbook."""

from __future__ import annotations

from pathlib import Path

from drgsim.accounts.hospital_accounts import hospital_accounts
from drgsim.accounts.settled_cases import SettledCases
from drgsim.language import text
from drgsim.report.hospital_page import hospital_page, lead_of
from drgsim.report.hospital_workbook import write_hospital_workbook
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.results.workbook_about import About


def hospital_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a hospital's report."""
    accounts = hospital_accounts(cases, choices.hospital, choices.benchmark)

    def page() -> str:
        return hospital_page(accounts, choices.warnings, choices.links)

    def workbook(path: Path, about: About) -> None:
        write_hospital_workbook(path, accounts, about)

    record = {
        "hospital": accounts.hospital.id, "hospitals": accounts.hospital.hospitals, "compared_with": accounts.reference.kind,
    }  # fmt: skip
    return ReportParts(
        text("Case payment report of a hospital"), accounts.tables, page, workbook, record=record, lead=lead_of(accounts)
    )
