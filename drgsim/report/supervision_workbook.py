"""The supervision lists as files: hospitals, cases, a workbook with the limits and their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.analysis.supervision import Supervision
from drgsim.analysis.supervision_lists import ASKS
from drgsim.analysis.supervision_words import WORDS
from drgsim.language import spoken
from drgsim.parameters.evidence import Value
from drgsim.results.run_record import run_record, write_results
from drgsim.results.workbook import open_workbook


def supervision_record(found: Supervision) -> dict[str, Any]:
    """Plain values for JSON: hospitals, limits with evidence, notes."""
    limits = {
        name: {"value": each.value, "unit": each.unit, "evidence": str(each.evidence), "source": each.source, "note": each.note}
        for name, each in found.settings
        if isinstance(each, Value)
    }
    lists = {
        name: {
            "title": str(WORDS[name].title),
            "title_zh": spoken(WORDS[name].title, "zh"),
            "cases": int((found.cases["list"] == name).sum()),
        }
        for name in ASKS
    }
    return run_record(
        "dip-supervision", catalogue=found.scheme, discharges=found.records, hospitals=found.hospitals.to_dict("records"),
        lists=lists, limits=limits, notes=found.notes,
    )  # fmt: skip


def write_supervision(found: Supervision, folder: Path) -> None:
    """Write hospitals.csv, cases.csv, supervision.xlsx and run.json into a folder that appears whole or not at all."""
    record = supervision_record(found)
    tables = {
        "hospitals.csv": pa.Table.from_pandas(found.hospitals, preserve_index=False),
        "cases.csv": pa.Table.from_pandas(found.cases, preserve_index=False),
    }
    write_results(folder, tables, record, {"supervision.xlsx": lambda path: _workbook(record, tables, path)})


def _workbook(record: dict[str, Any], tables: Mapping[str, pa.Table], path: Path) -> None:
    with open_workbook(path) as book:
        about = book.sheet("说明 about", widths=[34] * 4)
        about.add(("limit 参数", "value 取值", "unit 单位", "evidence 依据"), "header")
        for name, limit in record["limits"].items():
            about.add((name, str(limit["value"]), limit["unit"], limit["evidence"]), "assumption")
        about.skip()
        about.add(("the lists say where to look, they are no verdict 仅供核查，不作结论",))
        for title, name in (("医院 hospitals", "hospitals.csv"), ("病例 cases", "cases.csv")):
            book.add_table(title, tables[name], number_format=_number_format, frozen=2)


def _number_format(field: pa.Field) -> str | None:
    return "fine share" if field.name.endswith("_share") else None
