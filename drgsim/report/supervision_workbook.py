"""The supervision lists of DIP as files: hospitals, cases, a workbook with the limits and their evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim import __version__
from drgsim.analysis.dip_lists import LISTS
from drgsim.analysis.dip_supervision import Supervision
from drgsim.parameters.evidence import Value
from drgsim.results.run_record import write_results


def supervision_record(found: Supervision) -> dict[str, Any]:
    """Plain values for JSON: hospitals, limits with evidence, notes."""
    limits = {
        name: {"value": each.value, "unit": each.unit, "evidence": str(each.evidence), "source": each.source, "note": each.note}
        for name, each in found.settings
        if isinstance(each, Value)
    }
    hospitals = found.hospitals.astype(object).where(found.hospitals.notna(), None).to_dict("records")
    return {
        "kind": "dip-supervision",
        "drgsim": __version__, "catalogue": found.catalogue, "discharges": found.records, "hospitals": hospitals,
        "lists": {name: {"title": title, "title_zh": zh, "cases": int((found.cases["list"] == name).sum())}
                  for name, (title, zh) in LISTS.items()},
        "limits": limits, "notes": list(found.notes),
    }  # fmt: skip


def write_supervision(found: Supervision, folder: Path) -> None:
    """Write hospitals.csv, cases.csv, supervision.xlsx and run.json into a folder that appears whole or not at all."""
    record = supervision_record(found)
    tables = {
        "hospitals.csv": pa.Table.from_pandas(found.hospitals, preserve_index=False),
        "cases.csv": pa.Table.from_pandas(found.cases, preserve_index=False),
    }
    write_results(folder, tables, record, {"supervision.xlsx": lambda path: _workbook(found, record, path)})


def _workbook(found: Supervision, record: dict[str, Any], path: Path) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # the same input gives the same bytes
        bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        mark = book.add_format({"bg_color": "#FBE9F3"})
        share = book.add_format({"num_format": "0.00%"})
        about = book.add_worksheet("说明 about")
        about.set_column(0, 3, 34)
        about.write_row(0, 0, ["limit 参数", "value 取值", "unit 单位", "evidence 依据"], bold)
        for at, (name, limit) in enumerate(record["limits"].items(), 1):
            about.write_row(at, 0, [name, str(limit["value"]), limit["unit"], limit["evidence"]], mark)
        about.write(len(record["limits"]) + 2, 0, "the lists say where to look, they are no verdict 仅供核查，不作结论")
        for title, frame in (("医院 hospitals", found.hospitals), ("病例 cases", found.cases)):
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 2)
            sheet.set_column(0, len(frame.columns) - 1, 16)
            sheet.write_row(0, 0, list(frame.columns), bold)
            for place, column in enumerate(frame.columns):
                form = share if column.endswith("_share") else None
                for at, value in enumerate(frame[column].tolist(), 1):
                    if value is not None and value == value:
                        sheet.write(at, place, value, form)
            if len(frame):
                sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
