"""The report for a bureau: accounts of all hospitals, their budgets where a region states them, page and workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from drgsim.accounts.regional_accounts import regional_accounts
from drgsim.accounts.settled_cases import SettledCases
from drgsim.budgets.budget_tables import budget_tables
from drgsim.budgets.budget_year import BudgetYear
from drgsim.report.bureau_page import TITLE, bureau_page
from drgsim.report.report_parts import ReportChoices, ReportParts

BUDGET_TABLES = ("hospitals", "index", "quality", "warnings", "fund", "terms")  # of all that a budget year has


def bureau_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a bureau's report on a file of discharges."""
    return region_parts(cases, ())


def region_parts(cases: SettledCases, years: Sequence[BudgetYear], notes: Sequence[str] = ()) -> ReportParts:
    """The parts of a bureau's report on a region's year, with its budget years."""
    accounts = regional_accounts(cases)
    made: Mapping[str, pa.Table] = budget_tables(years) if years else {}
    tables = {**accounts.tables, **{f"budget_{name}": made[name] for name in BUDGET_TABLES if name in made}}

    found = accounts.supervision
    record = {
        "years": [year.year for year in years],
        "supervision": {}
        if found is None
        else {name: int(count) for name, count in found.cases["list"].value_counts().items()},
    }
    return ReportParts(TITLE, tables, lambda: bureau_page(accounts, years, notes), record=record)
