"""Write a scheme as a workbook in the official layout, so that other tools can read it and an import gives the scheme back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from drgsim.authoring.schemes.pack_writer import group_tables, list_tables, scheme_settings
from drgsim.authoring.schemes.workbook_sheets import layout, official_names
from drgsim.results.workbook import Workbook, open_workbook
from drgsim.units.schemes.scheme import KINDS, Scheme


def write_workbook(scheme: Scheme, path: str | Path) -> Path:
    """Write ``scheme``, resolved over its bases, as a workbook.

    Parameters
    ----------
    path
        The ``.xlsx`` file; one that is there already is replaced, whole or not at all.
    """
    path = Path(path)
    groups, lists = group_tables(scheme), list_tables(scheme)
    diagnoses, procedures = scheme.book.diagnoses, scheme.book.procedures
    mdc_of = {row[1]: row[2] for row in groups["adrg"]}
    rows: dict[str, Iterable[Sequence[Any]]] = {
        "mdc": ((code, name, official_names(rule), order) for order, code, name, rule in groups["mdc"]),
        "adrg": (
            (code, name, official_names(rule), mdc, order, KINDS[kind]) for order, code, mdc, name, kind, rule in groups["adrg"]
        ),
        "drg": (
            (code, name, official_names(rule), adrg, mdc_of[adrg], order) for order, code, adrg, name, rule in groups["drg"]
        ),
        "sets": (
            (official_names(name), code, (diagnoses if name.startswith("DI_") else procedures).name(code))
            for name, code in lists["sets"]
        ),
        "cc": ((code, diagnoses.name(code), exclusion, level) for code, level, exclusion in lists["cc"]),
        "exclusions": lists["exclusions"],
    }
    stated = {key: value for key, value in scheme_settings(scheme).items() if key not in ("id", "kind", "base")}
    with open_workbook(path, title=scheme.title_zh, comments=f"drgsim schemes export {scheme.id}") as book:
        for table, content in rows.items():
            _sheet(book, layout()[table], content)
        extra = book.sheet(layout()["extra"])
        extra.add(("what", "name", "value"), "bold")
        for key, value in stated.items():
            extra.add(("setting", key, json.dumps(value, ensure_ascii=False)))
        for _, code, name in lists["local_codes"]:
            extra.add(("local code", code, name))
    return path


def _sheet(book: Workbook, plan: Any, rows: Iterable[Sequence[Any]]) -> None:
    """A sheet of the official layout: a title or rows left free above the header, a column left free before it."""
    sheet = book.sheet(plan["sheet"][0])
    left = (None,) if plan.get("skip_first") else ()
    head = plan["header"] - 1
    if plan.get("title"):
        sheet.add((plan["title"],), "bold")
    sheet.skip(head - sheet.rows)
    sheet.add((*left, *(column["title"] for column in plan["columns"].values())), "bold")
    sheet.raw.freeze_panes(head + 1, 0)
    for row in rows:
        sheet.add((*left, *row))
