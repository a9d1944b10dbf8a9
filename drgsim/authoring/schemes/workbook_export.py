"""Write a scheme as a workbook in the official layout, so that other tools can read it and an import gives the scheme back."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from drgsim.authoring.schemes.pack_writer import group_tables, list_tables, scheme_settings
from drgsim.authoring.schemes.workbook_sheets import layout
from drgsim.errors import OutputError
from drgsim.units.schemes.scheme import KINDS, Scheme


def write_workbook(scheme: Scheme, path: str | Path) -> Path:
    """Write ``scheme``, resolved over its bases, as a workbook.

    Parameters
    ----------
    path
        The ``.xlsx`` file; one that is there already is replaced, whole or not at all.
    """
    path = Path(path)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    )
    book.set_properties({"title": scheme.title_zh, "comments": f"drgsim schemes export {scheme.id}"})
    groups, lists = group_tables(scheme), list_tables(scheme)
    diagnoses, procedures = scheme.book.diagnoses, scheme.book.procedures
    mdc_of = {row[1]: row[2] for row in groups["adrg"]}
    rows: dict[str, Iterable[Sequence[Any]]] = {
        "mdc": ((code, name, rule, order) for order, code, name, rule in groups["mdc"]),
        "adrg": ((code, name, rule, mdc, order, KINDS[kind]) for order, code, mdc, name, kind, rule in groups["adrg"]),
        "drg": ((code, name, rule, adrg, mdc_of[adrg], order) for order, code, adrg, name, rule in groups["drg"]),
        "sets": (
            (name, code, (diagnoses if name.startswith("DI_") else procedures).name(code)) for name, code in lists["sets"]
        ),
        "cc": ((code, diagnoses.name(code), exclusion, level) for code, level, exclusion in lists["cc"]),
        "exclusions": lists["exclusions"],
    }
    bold = book.add_format({"bold": True})
    for table, content in rows.items():
        _sheet(book, layout()[table], content, bold)
    extra = book.add_worksheet(layout()["extra"])
    extra.write_row(0, 0, ("what", "name", "value"), bold)
    stated = {key: value for key, value in scheme_settings(scheme).items() if key not in ("id", "kind", "base")}
    more = [("setting", key, json.dumps(value, ensure_ascii=False)) for key, value in stated.items()]
    more += [("local code", code, name) for _, code, name in lists["local_codes"]]
    for at, row in enumerate(more, start=1):
        for column, cell in enumerate(row):
            extra.write_string(at, column, cell)
    book.close()
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(buffer.getvalue())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError.single("output-unwritable", f"{path} cannot be written: {error}", where=str(path)) from error
    return path


def _sheet(book: Any, plan: Any, rows: Iterable[Sequence[Any]], bold: Any) -> None:
    sheet = book.add_worksheet(plan["sheet"][0])
    head = plan["header"] - 1
    left = 1 if plan.get("skip_first") else 0
    if plan.get("title"):
        sheet.write_string(0, 0, plan["title"], bold)
    for place, column in enumerate(plan["columns"].values()):
        sheet.write_string(head, left + place, column["title"], bold)
    sheet.freeze_panes(head + 1, 0)
    for at, row in enumerate(rows, start=head + 1):
        for place, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(at, left + place, cell)
            else:
                sheet.write_string(at, left + place, cell)
