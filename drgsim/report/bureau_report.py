"""The report for a bureau: accounts of all hospitals, their budgets where a region states them, page and workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.accounts.regional_accounts import RegionalAccounts, regional_accounts
from drgsim.accounts.settled_cases import SettledCases
from drgsim.analysis.supervision_words import WORDS
from drgsim.budgets.budget_tables import budget_tables
from drgsim.budgets.budget_year import BudgetYear
from drgsim.language import spoken, text
from drgsim.report.bureau_page import TITLE, assumptions_of, bureau_page, lead_of
from drgsim.report.lead_words import lead_with
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About

BUDGET_TABLES = ("hospitals", "index", "quality", "warnings", "fund", "terms")  # of all that a budget year has
LISTED = ("supervision_comparison", "supervision_cases")  # tables whose column ``list`` holds ids of lists


def bureau_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a bureau's report on a file of discharges."""
    return region_parts(cases, choices, ())


def region_parts(
    cases: SettledCases, choices: ReportChoices, years: Sequence[BudgetYear], notes: Sequence[str] = ()
) -> ReportParts:
    """The parts of a bureau's report on a region's year, with its budget years."""
    accounts = regional_accounts(cases)
    made: Mapping[str, pa.Table] = budget_tables(years) if years else {}
    tables = {**accounts.tables, **{f"budget_{name}": made[name] for name in BUDGET_TABLES if name in made}}

    def workbook(path: Path, about: About) -> None:
        _write_workbook(path, accounts, {**tables, "assumptions": parts.assumption_table()}, about)

    found = accounts.supervision
    listed = {} if found is None else {str(name): len(rows) for name, rows in found.cases.groupby("list")}
    record = {"years": [year.year for year in years], "supervision": listed}
    whole = cases.settlement.summaries["all"].to_pylist()[0]
    counts = {"cases": whole["cases"], "paid": whole["cases"] - whole["unpaid"], "cost_yuan": whole["cost"]}
    parts = ReportParts(
        TITLE, tables, lambda: bureau_page(accounts, choices, years, notes), workbook, record=record,
        lead=lead_with(lead_of(accounts), choices.prices), assumptions=assumptions_of(accounts, years), counts=counts,
    )  # fmt: skip
    return parts


def _write_workbook(path: Path, accounts: RegionalAccounts, tables: Mapping[str, pa.Table], about: About) -> None:
    """An overview with charts, then a sheet for each table, lists of supervision by their titles."""
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((about.title,), "title")
        whole = accounts.cases.settlement.summaries["all"].to_pylist()[0]
        overview.figures([
            (text("cases"), whole["cases"], "count"), (text("cost (yuan)"), whole["cost"], "yuan"),
            (text("payment (yuan)"), whole["payment"], "yuan"), (text("fund pays (yuan)"), whole["fund_payment"], "yuan"),
            (text("margin (yuan)"), whole["margin"], "yuan"), ("CMI", whole["cmi"], "factor"),
        ])  # fmt: skip
        sheets = {name: book.add_table(name, _in_words(name, table)) for name, table in tables.items() if table.num_rows}
        by_margin = text("Margin by hospital (yuan)")
        overview.chart("bar", sheets["hospitals"], label="hospital", values=["margin"], title=by_margin)
        if accounts.months.num_rows > 1:
            by_month = text("Payment and cost by month (yuan)")
            overview.chart("line", sheets["months"], label="month", values=["payment", "cost"], title=by_month)


def _in_words(name: str, table: pa.Table) -> pa.Table:
    if name not in LISTED:
        return table
    titles = {key: str(spoken(words.title)) for key, words in WORDS.items()}
    place = table.column_names.index("list")
    said = pa.array([titles[key] for key in table["list"].to_pylist()], pa.string())
    made = table.set_column(place, "list", said)
    if "look" in table.column_names:
        marks = pc.if_else(table["look"], str(spoken(text("worth a look"))), "")
        made = made.set_column(table.column_names.index("look"), "look", marks)
    return made
