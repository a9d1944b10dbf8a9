"""A settlement as one workbook: what it rests on, charts of hospitals and departments, every table on its own sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from drgsim.language import bilingual, text
from drgsim.money import MISSING
from drgsim.payment.settlement import Settlement
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About, Fact


def settlement_facts(settlement: Settlement) -> list[Fact]:
    """The title of the policy, and the first and the last day of discharge."""
    file, discharged = settlement.ledger.policy.file, settlement.ledger.cases.discharged
    facts: list[Fact] = [(text("Title of the policy"), bilingual(file.title, file.title_zh))]
    known = discharged[discharged != MISSING]
    if known.size:
        first, last = (np.datetime64(int(day), "D").item() for day in (known.min(), known.max()))
        facts.append((text("Discharged"), f"{first} – {last}"))
    return facts


def write_settlement_workbook(path: Path, tables: Mapping[str, pa.Table], about: About) -> None:
    """Write the workbook whole or not at all."""
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((about.title,), "title")
        for name, table in tables.items():
            sheet = book.add_table(name, table, marked_by="evidence")
            if name == "by_hospital" and table.num_rows > 1:
                title = text("Payment and cost by hospital (yuan)")
                overview.chart("bar", sheet, label="hospital", values=["payment", "cost"], title=title)
            elif name == "by_department":
                title = text("Margin by department (yuan)")
                overview.chart("bar", sheet, label="department", values=["margin"], title=title)
