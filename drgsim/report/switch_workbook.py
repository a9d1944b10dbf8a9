"""A switch as one workbook for the analyst: charts for the director, then every table on its own sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from drgsim.language import bilingual, text
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About
from drgsim.simulation.switch_rules import CAUSES, CAUSES_EN, CAUSES_ZH

_MOST_HOSPITALS = 40  # that a chart can name
_CAUSES = {name: bilingual(CAUSES_EN[name], CAUSES_ZH[name]) for name in CAUSES}


def write_switch_workbook(path: Path, tables: Mapping[str, pa.Table], about: About, said: Mapping[str, str]) -> None:
    """Write the workbook whole or not at all; ``said`` has the texts of the problems by what the table holds."""
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((about.title,), "title")
        for name, table in tables.items():
            sheet = book.add_table(name, table, words={"cause": _CAUSES, "what": said, "fix": said}, frozen=2)
            if name == "waterfall":
                region = table.column("scope").to_pylist().count("region")
                title = text("Payment of all cases, step by step (yuan)")
                step = "step_zh" if "step_zh" in sheet.places else "step_en"
                overview.chart("column", sheet, label=step, values=["amount"], title=title, rows=(0, region))
            elif name == "hospitals":
                title = text("Change of payment by hospital (yuan)")
                rows = (0, _MOST_HOSPITALS)
                overview.chart("bar", sheet, label="name", values=["payment_change"], title=title, rows=rows)
