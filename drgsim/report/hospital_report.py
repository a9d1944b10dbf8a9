"""The report for a hospital: accounts, page and workbook."""

from __future__ import annotations

from pathlib import Path

from drgsim.accounts.hospital_accounts import hospital_accounts
from drgsim.accounts.settled_cases import SettledCases
from drgsim.language import text
from drgsim.report.hospital_page import assumptions_of, hospital_page, lead_of
from drgsim.report.hospital_workbook import write_hospital_workbook
from drgsim.report.lead_words import lead_with
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.results.workbook_about import About, Fact


def hospital_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a hospital's report."""
    accounts = hospital_accounts(cases, choices.hospital, choices.benchmark)

    def page() -> str:
        return hospital_page(accounts, choices)

    def workbook(path: Path, about: About) -> None:
        write_hospital_workbook(path, accounts, about, parts.assumption_table())

    record = {
        "hospital": accounts.hospital.id, "hospitals": accounts.hospital.hospitals, "compared_with": accounts.reference.kind,
    }  # fmt: skip
    whole, hospital = accounts.sums.whole.to_pylist()[0], accounts.hospital
    counts = {"cases": whole["cases"], "paid": whole["cases"] - whole["unpaid"], "cost_yuan": whole["cost"]}
    named: list[Fact] = [] if not hospital.id else [(text("Hospital"), f"{hospital.id} {hospital.name}".strip())]
    if hospital.hospitals > 1:
        named.append((text("Cases of the whole file"), cases.size))
    parts = ReportParts(
        text("Case payment report of a hospital"), accounts.tables, page, workbook, record=record,
        lead=lead_with(lead_of(accounts), choices.prices), assumptions=assumptions_of(cases), facts=named, counts=counts,
    )  # fmt: skip
    return parts
