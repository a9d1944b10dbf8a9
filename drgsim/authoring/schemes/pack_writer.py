"""The files of a scheme pack that reads back as the same scheme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drgsim.authoring.schemes.pack_files import toml_text
from drgsim.records.code_dictionaries import national_codes
from drgsim.results.table_files import csv_text
from drgsim.units.schemes.rule_language import print_rule
from drgsim.units.schemes.scheme import Scheme

Table = tuple[Sequence[str], list[Sequence[Any]]]
HEADERS = {
    "mdc": ("order", "mdc", "name", "rule"),
    "adrg": ("order", "adrg", "mdc", "name", "kind", "rule"),
    "drg": ("order", "drg", "adrg", "name", "rule"),
    "sets": ("set", "code"),
    "cc": ("code", "level", "exclusion"),
    "exclusions": ("exclusion", "code"),
    "local_codes": ("kind", "code", "name"),
    "marks": ("drg", "mark"),
}


def group_tables(scheme: Scheme) -> dict[str, list[Sequence[Any]]]:
    """Rows of ``mdc.csv``, ``adrg.csv`` and ``drg.csv``, in the order of the scheme."""
    mdc: list[Sequence[Any]] = []
    adrg: list[Sequence[Any]] = []
    drg: list[Sequence[Any]] = []
    for number, m in enumerate(scheme.mdcs, start=1):
        mdc.append((number, m.code, m.name, print_rule(m.rule)))
        for at, a in enumerate(m.adrgs, start=1):
            adrg.append((at, a.code, m.code, a.name, a.kind, print_rule(a.rule)))
            drg += [(place, d.code, a.code, d.name, print_rule(d.rule)) for place, d in enumerate(a.drgs, start=1)]
    return {"mdc": mdc, "adrg": adrg, "drg": drg}


def list_tables(scheme: Scheme) -> dict[str, list[Sequence[Any]]]:
    """Rows of the code tables of a full pack, sorted."""
    lists = (*scheme.sets.values(), *scheme.exclusions.values())
    used = {code for codes in lists for code in codes} | set(scheme.severities)
    national = national_codes()
    local: list[Sequence[Any]] = []
    for kind, codes, known in (
        ("diagnosis", scheme.book.diagnoses, national.diagnoses), ("procedure", scheme.book.procedures, national.procedures),
    ):  # fmt: skip
        own = zip(codes.codes[len(known.codes) :], codes.names[len(known.codes) :], strict=True)
        local += [(kind, code, name) for code, name in own if code in used]
    return {
        "sets": [(name, code) for name in sorted(scheme.sets) for code in sorted(scheme.sets[name])],
        "cc": [(code, entry.level, entry.exclusion) for code, entry in sorted(scheme.severities.items())],
        "exclusions": [
            (name, code) for name in sorted(scheme.exclusions, key=natural) for code in sorted(scheme.exclusions[name])
        ],
        "local_codes": local,
        "marks": [(code, mark.name) for mark in scheme.marks.values() for code in mark.groups],
    }


def natural(text: str) -> tuple[int, str, int]:
    """Sort key that puts ``9`` before ``10`` and ``EX_9`` before ``EX_10``."""
    digits = len(text) - len(text.rstrip("0123456789"))
    head, tail = text[: len(text) - digits], text[len(text) - digits :]
    return len(head), head, int(tail or 0)


def scheme_settings(scheme: Scheme, *, id: str | None = None, base: str = "") -> dict[str, Any]:
    """The plain values and tables of ``scheme.toml``; a pack without ``base`` is written in full, whatever it was read from."""
    settings: dict[str, Any] = {
        "id": id or scheme.id, "title_zh": scheme.title_zh, "title_en": scheme.title_en, "issuer": scheme.issuer,
        "kind": "overlay" if base else "full",
    }  # fmt: skip
    if base:
        settings["base"] = base
    settings |= {"icd10": scheme.icd10, "icd9cm3": scheme.icd9cm3}
    if scheme.reference_weights:
        settings["reference_weights"] = scheme.reference_weights
    settings |= {"sources": list(scheme.sources), "notes": list(scheme.notes)}
    titles = {mark.name: mark.title for mark in scheme.marks.values()}
    for name, table in (("coverage", scheme.coverage), ("sites", scheme.sites), ("marks", titles)):
        if table:
            settings[name] = dict(table)
    if scheme.regroup:
        settings["options"] = {"regroup": scheme.regroup}
    return settings


def full_pack_files(scheme: Scheme) -> dict[str, str]:
    """All files of a full pack that reads back as ``scheme``."""
    tables = {**group_tables(scheme), **list_tables(scheme)}
    settings = scheme_settings(scheme)
    settings["counts"] = {name: count for name, count in scheme.counts.items() if count or name not in ("fallback_adrg",)}
    files = {"scheme.toml": toml_text(settings)}
    for name, rows in tables.items():
        if rows or name not in ("local_codes", "marks"):
            files[f"{name}.csv"] = csv_text(HEADERS[name], rows)
    return files
