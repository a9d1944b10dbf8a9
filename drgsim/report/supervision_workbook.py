"""The supervision lists as files: hospitals, cases, a workbook with the limits and their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.analysis.supervision import Supervision
from drgsim.analysis.supervision_lists import ASKS
from drgsim.analysis.supervision_words import WORDS
from drgsim.language import spoken, text
from drgsim.parameters.evidence import Value
from drgsim.results.run_record import run_record, write_results
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import about_record


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
    says = text("The lists say where to look; they are no verdict.")
    limits = pa.Table.from_pylist([
        {"parameter": name, "value": str(limit["value"]), "unit": limit["unit"], "evidence": limit["evidence"],
         "source": limit["source"], "note": limit["note"]}
        for name, limit in record["limits"].items()
    ])  # fmt: skip
    with open_workbook(path, about_record(text("Supervision lists"), record, says=says)) as book:
        words = {"list": {name: each.title for name, each in WORDS.items()}}
        for name in ("hospitals", "cases"):
            book.add_table(name, tables[f"{name}.csv"], words=words, frozen=2)
        if limits.num_rows:
            book.add_table("parameters", limits, marked_by="evidence")
