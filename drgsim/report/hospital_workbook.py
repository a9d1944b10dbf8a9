"""The workbook of a hospital's report: an overview with charts, every table in words, and the dossiers to complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.accounts.coding_work import KINDS, words_of
from drgsim.accounts.cost_categories import categories
from drgsim.accounts.hospital_accounts import HospitalAccounts
from drgsim.language import joined, spoken, text
from drgsim.report.hospital_words import matter_of, reason_title, reason_titles, rows_of
from drgsim.report.page_parts import PageTable, Points, Words
from drgsim.report.review_dossiers import dossiers_of
from drgsim.results.workbook import Workbook, open_workbook
from drgsim.results.workbook_about import About
from drgsim.results.workbook_sheet import Cell

DOSSIERS = "dossiers"
Said = Callable[[Mapping[str, Any]], Any]


def write_hospital_workbook(path: Path, accounts: HospitalAccounts, about: About, assumptions: pa.Table) -> None:
    """Write the workbook whole or not at all, in the current language."""
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((about.title,), "title")
        whole = accounts.sums.whole.to_pylist()[0]
        overview.figures([
            (text("cases"), whole["cases"], "count"), (text("cost (yuan)"), whole["cost"], "yuan"),
            (text("revenue (yuan)"), whole["payment"] - whole["above_standard"], "yuan"),
            (text("margin (yuan)"), whole["margin"], "yuan"), ("CMI", whole["cmi"], "factor"),
            (text("cost index"), whole["cost_index"], "factor"), (text("time index"), whole["time_index"], "factor"),
        ])  # fmt: skip
        tables = {name: table for name, table in tables_in_words(accounts).items() if name != "overview" and table.num_rows}
        sheets = {name: book.add_table(name, table) for name, table in tables.items()}
        by_margin = text("Margin by department (yuan)")
        overview.chart("bar", sheets["departments"], label="department", values=["margin"], title=by_margin)
        if accounts.sums.months.num_rows > 1:
            by_month = text("Payment and cost by month (yuan)")
            overview.chart("line", sheets["months"], label="month", values=["payment", "cost"], title=by_month)
        overview.chart(
            "bar", sheets["groups"], label="group", values=["margin"], title=text("Groups with the largest loss (yuan)")
        )
        _dossiers(book, accounts)
        book.add_table("assumptions", assumptions)


def tables_in_words(accounts: HospitalAccounts) -> dict[str, pa.Table]:
    """The tables with codes of drgsim's own in words of the current language, those that lose first."""
    titles = {category.id: category.title for category in categories()}
    said: dict[str, dict[str, Said]] = {
        "loss_reasons": {"reason": lambda row: reason_title(row["reason"])},
        "losing_cases": {"reasons": lambda row: reason_titles(row["reasons"]),
                         "dear_category": lambda row: titles.get(row["dear_category"], "")},
        "cost_categories": {"category": lambda row: titles[row["category"]],
                            "department": lambda row: row["department"] or text("whole hospital")},
        "coding_kinds": {"kind": lambda row: KINDS[row["kind"]], "code": lambda row: _finding(row["code"], 0),
                         "fix": lambda row: _finding(row["code"], 1)},
        "coding_cases": {"reason": lambda row: _finding(row["reason"], 0),
                         "checks": lambda row: joined(text("; "), matter_of(row))},
        "review_cases": {"reasons": lambda row: reason_titles(row["reasons"])},
    }  # fmt: skip
    left_out = {"coding_cases": ["details"], "groups": ["is_group"], "classes": ["case_class_zh"]}
    made = {}
    for name, table in accounts.tables.items():
        worded = _in_words(table, said.get(name, {})).drop_columns(left_out.get(name, []))
        made[name] = worded.sort_by("margin") if name in ("groups", "departments", "doctors") else worded
    return made


def _finding(code: str, place: int) -> Any:
    return words_of(code)[place] if code else ""


def _in_words(table: pa.Table, said: Mapping[str, Said]) -> pa.Table:
    """A table with columns replaced, or added at the end, by what is said of each row."""
    rows = table.to_pylist() if said else []
    for name, say in said.items():
        column = pa.array([str(spoken(say(row))) for row in rows], pa.string())
        place = table.schema.get_field_index(name)
        table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
    return table


def _dossiers(book: Workbook, accounts: HospitalAccounts) -> None:
    """The dossiers one below the other: facts, costs, and what is to be filled in."""
    review = accounts.tables["review_cases"].to_pylist()
    rows = [{**row, "why": reason_titles(row["reasons"])} for row in rows_of(review)]
    if not rows:
        return
    sheet = book.sheet(DOSSIERS, widths=(44, 60, 20, 20))
    for row, parts in dossiers_of(accounts, rows):
        sheet.add((text("Dossier of case {id}", id=row["discharge_id"]),), "title")
        for part in parts:
            if isinstance(part, PageTable):
                sheet.add([column.title for column in part.columns], "header")
                for line in part.rows:
                    cells = [line[column.key] for column in part.columns]
                    sheet.add([Cell(cell, "yuan") if isinstance(cell, float) else _text(cell) for cell in cells])
            elif isinstance(part, Words):
                sheet.add(part.paragraphs)
            elif isinstance(part, Points):
                for sentence in part.sentences:
                    sheet.add((sentence,))
        sheet.skip(2)


def _text(cell: Any) -> Any:
    """A named code as text; anything else as it is."""
    return cell if isinstance(cell, str | int | None) else str(cell)
