"""The report for research: figures of groups, page and workbook."""

from __future__ import annotations

from drgsim.accounts.group_research import group_research
from drgsim.accounts.settled_cases import SettledCases
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.report.research_page import TITLE, research_page


def research_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a report for research."""
    found = group_research(cases)

    measures = [vars(line) for line in found.measures if line.scope == "all"]
    return ReportParts(TITLE, found.tables, lambda: research_page(found), None, found.problems, {"explained_costs": measures})
