"""The files of a full pack from the tables of a workbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.authoring.schemes.pack_files import toml_text
from drgsim.authoring.schemes.pack_writer import HEADERS
from drgsim.results.table_files import csv_text
from drgsim.units.schemes.scheme import APART

CODES = "医保版2.0"  # what the national workbooks since 2.0 are coded with


def workbook_pack(
    scheme_id: str, stated: Mapping[str, Any], notes: Sequence[str], tables: dict[str, list[Sequence[Any]]]
) -> tuple[dict[str, str], dict[str, int]]:
    """Files of the pack and the sizes that its ``scheme.toml`` promises.

    Parameters
    ----------
    stated
        Settings from the workbook; without an exported settings sheet only ``title_zh`` and ``document``.
    notes
        Added to the notes that the workbook states.
    tables
        Rows by table name, each as the pack writes them.
    """
    # ADRGs and DRGs follow the order of their parents, so that two readings of one scheme give the same bytes
    for child, parent in (("adrg", "mdc"), ("drg", "adrg")):
        place = {row[1]: number for number, row in enumerate(tables[parent])}
        tables[child] = sorted(tables[child], key=lambda row: (place[row[2]], row[0]))
    counts = _counts(tables)
    toml: dict[str, Any] = {
        "id": scheme_id, "title_zh": stated.get("title_zh") or scheme_id, "title_en": stated.get("title_en") or scheme_id,
        "issuer": stated.get("issuer", ""), "kind": "full", "icd10": stated.get("icd10") or CODES,
        "icd9cm3": stated.get("icd9cm3") or CODES,
    }  # fmt: skip
    if stated.get("reference_weights"):
        toml["reference_weights"] = stated["reference_weights"]
    document = f"workbook {stated['document']}"
    toml |= {"sources": list(stated.get("sources", ())) or [document], "notes": [*stated.get("notes", ()), *notes]}
    toml["coverage"] = stated.get("coverage") or {
        "modelled": "all sheets of the workbook", "document": document, "checked": "", "evidence": "secondary",
    }  # fmt: skip
    toml |= {"sites": stated.get("sites"), "counts": counts, "options": stated.get("options")}
    files = {"scheme.toml": toml_text({key: value for key, value in toml.items() if value is not None})}
    for name, rows in tables.items():
        if rows or name != "local_codes":
            files[f"{name}.csv"] = csv_text(HEADERS[name], rows)
    return files, counts


def _counts(tables: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, int]:
    kinds = Counter(row[4] for row in tables["adrg"])
    apart = {row[1] for row in tables["adrg"] if row[4] in APART}
    real = [row for row in tables["drg"] if row[2] not in apart]
    return {
        "mdc": len(tables["mdc"]), "adrg": len(tables["adrg"]) - len(apart), "drg": sum(row[1] != row[2] for row in real),
        "qy": kinds["ambiguous"], **({"fallback_adrg": kinds["fallback"]} if kinds["fallback"] else {}),
        "fallback_drg": sum(row[1] == row[2] for row in real), "sets": len({row[0] for row in tables["sets"]}),
        "set_rows": len(tables["sets"]), "cc_rows": len(tables["cc"]), "exclusion_rows": len(tables["exclusions"]),
    }  # fmt: skip
