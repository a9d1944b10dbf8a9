"""The budget as one workbook for a budget office: figures and charts, every table on its own sheet, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.budgets.budget_tables import FUND_ZH
from drgsim.budgets.budget_year import BudgetYear
from drgsim.language import bilingual, text
from drgsim.results.workbook import Cell, WorkbookSheet, open_workbook
from drgsim.results.workbook_about import About

_MOST_HOSPITALS = 40  # that a chart can name


def write_workbook(path: Path, years: Sequence[BudgetYear], tables: Mapping[str, pa.Table], about: About) -> None:
    """Write the workbook whole or not at all; warned months, overspends and assumptions are set off by colour."""
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(44, *[20] * max(len(years), 2)))
        _figures(overview, years)
        for name, table in tables.items():
            mark = next((each for each in ("status", "evidence") if each in table.column_names), None)
            sheet = book.add_table(name, table, frozen=3, marked_by=mark)
            if name == "hospitals":
                _charts(overview, sheet, table.column("year").to_pylist())


def _charts(overview: WorkbookSheet, hospitals: WorkbookSheet, years: Sequence[int]) -> None:
    """The hospitals of the last year."""
    last = years[-1]
    rows = (years.index(last), min(years.count(last), _MOST_HOSPITALS))
    for title, values in (
        (text("Index and what was counted towards it, {year}", year=last), ["index", "recorded"]),
        (text("Surplus of hospitals, {year} (overspend below 0)", year=last), ["surplus"]),
    ):
        overview.chart("bar", hospitals, label="hospital", values=values, title=title, rows=rows)


def _figures(sheet: WorkbookSheet, years: Sequence[BudgetYear]) -> None:
    terms = years[0].terms
    sheet.add((bilingual(terms.file.title, terms.file.title_zh),), "title")
    said = text("{count} of {all} parameters are assumptions", count=len(terms.assumptions), all=len(terms.parameters))
    sheet.add((said,), "assumption")
    sheet.skip()
    sheet.add([Cell(head, "header") for head in (text("Yuan"), *(year.year for year in years))])
    for name, title in FUND_ZH.items():
        label = bilingual(name.replace("_", " ").capitalize(), title)
        sheet.add([label, *(Cell(getattr(year.fund, name) / 100, "yuan") for year in years)])
    counts: list[tuple[str, Callable[[BudgetYear], Any], str]] = [
        (text("Factor that balances the indexes"), lambda year: year.index.scaling, "factor"),
        (text("Hospitals"), lambda year: year.figures.size, "count"),
        (text("Hospitals in surplus"), lambda year: int(year.in_surplus.sum()), "count"),
        (text("Hospitals warned in December"), lambda year: int(year.warnings.warned[:, -1].sum()), "count"),
        (text("Largest difference of the ledger (fen)"), lambda year: int(abs(year.cash.difference).max()), "count"),
    ]
    for title, of, style in counts:
        sheet.add([title, *(Cell(of(year), style) for year in years)])
