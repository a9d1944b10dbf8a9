"""Overlays to edit: a skeleton upon a base, and the overlay that a derivation gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.authoring.schemes.pack_files import toml_text
from drgsim.authoring.schemes.pack_writer import HEADERS, group_tables, scheme_settings
from drgsim.authoring.schemes.scheme_from_list import Derivation, DerivedRow
from drgsim.results.table_files import csv_text
from drgsim.units.schemes.rule_language import DIAGNOSIS_VARIABLES, PROCEDURE_VARIABLES, VARIABLE_TITLES, variables_of
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Scheme


def skeleton_files(base: Scheme, settings: Mapping[str, Any]) -> dict[str, str]:
    """An overlay that groups like its base, with every table there to edit; the change tables are empty.

    ``settings`` overrides what ``scheme.toml`` says (id, titles, issuer, sources).
    """
    toml: dict[str, Any] = scheme_settings(base, base=base.id)
    toml.pop("reference_weights", None)
    toml |= {"sources": [], "notes": [f"started upon {base.id}; every row is still that of the base"]}
    toml["coverage"] = {"modelled": f"as {base.id}", "document": "", "checked": "", "evidence": "assumption"}
    toml |= settings
    files = {"scheme.toml": toml_text(toml)}
    for name, rows in group_tables(base).items():
        files[f"{name}.csv"] = csv_text(HEADERS[name], rows)
    for name in ("sets", "cc", "exclusions"):
        files[f"{name}.csv"] = csv_text((*HEADERS[name], "change"), [])
    return files


def derived_pack_files(
    base: Scheme, derivation: Derivation, settings: Mapping[str, Any], notes: Sequence[str] = ()
) -> dict[str, str]:
    """The overlay that a derivation gives, with ``derivation.csv``, which tells where each rule comes from.

    ``settings`` overrides what ``scheme.toml`` says (id, titles, issuer, sources); ``notes`` are added.
    """
    tables = group_tables(base)
    known = {str(row[1]) for row in tables["adrg"]}
    for row in derivation.rows:
        if row.adrg not in known:  # an ambiguous row by analogy: before the medical groups of its MDC, as in all others
            tables["adrg"] = _inserted(tables["adrg"], row, derivation.new_ambiguous[row.adrg])
    by_adrg: dict[str, list[DerivedRow]] = {}
    for row in derivation.rows:
        by_adrg.setdefault(row.adrg, []).append(row)
    drg = [
        (order, row.drg, row.adrg, row.name, row.rule)
        for adrg in tables["adrg"] for order, row in enumerate(by_adrg[str(adrg[1])], start=1)
    ]  # fmt: skip
    own = [row for row in derivation.rows if row.evidence != "base"]
    toml: dict[str, Any] = scheme_settings(base, base=base.id)
    toml.pop("reference_weights", None)
    toml |= {"notes": [
        *_origin(base, derivation),
        *derivation.notes,
        *_asked(own),
        *notes,
        *(f"to do: {line}" for line in derivation.to_do()),
    ], "coverage": {
        "modelled": "MDCs, ADRGs, code lists, CC and exclusions of the base; DRG splits of the published list",
        "document": "published list of group codes and names", "evidence": "derived",
        "checked": "the DRGs of every ADRG cover every case" if not derivation.open_rows else "open rows remain",
    }}  # fmt: skip
    toml |= settings
    ambiguous = {str(row[1]) for row in tables["adrg"] if row[4] in ("ambiguous", "fallback")}
    toml["counts"] = {
        "mdc": len(tables["mdc"]), "adrg": len(tables["adrg"]) - len(ambiguous),
        "drg": sum(row[1] != row[2] for row in drg if row[2] not in ambiguous),
        "qy": sum(row[4] == "ambiguous" for row in tables["adrg"]),
        "fallback_drg": sum(row[1] == row[2] for row in drg if row[2] not in ambiguous),
        "set_changes": len(derivation.set_changes), "cc_changes": 0, "exclusion_changes": 0,
    }  # fmt: skip
    report = [(row.drg, row.name, row.rule, row.evidence, row.basis, row.needs, row.doubt) for row in derivation.rows]
    files = {"scheme.toml": toml_text(toml)}
    if derivation.new_ambiguous:
        files["adrg.csv"] = csv_text(HEADERS["adrg"], tables["adrg"])
    if derivation.set_changes:
        files["sets.csv"] = csv_text((*HEADERS["sets"], "change"), sorted(derivation.set_changes))
    if derivation.local_codes:
        files["local_codes.csv"] = csv_text(HEADERS["local_codes"], sorted(derivation.local_codes))
    if own:  # an overlay holds differences only: a table like the base's is left out
        files["drg.csv"] = csv_text(HEADERS["drg"], drg)
        files["derivation.csv"] = csv_text(("drg", "name", "rule", "evidence", "basis", "needs", "doubt"), report)
    return files


def _origin(base: Scheme, derivation: Derivation) -> list[str]:
    """Where the rules come from, with numbers."""
    kinds = Counter(row.evidence for row in derivation.rows)
    own = len(derivation.rows) - kinds["base"]
    told = "; derivation.csv lists each with its basis and doubts" if own else ""
    if derivation.conditions:
        return [
            f"conditions of the groups as the source states them, upon the ADRGs of {base.id}: {kinds['base']} rows as in "
            f"the base, {kinds['secondary']} by their condition, {kinds['derived'] + kinds['assumption']} by the words of "
            f"their name, {kinds['open']} open{told}",
        ]
    return [
        f"derived from codes and names of the published list upon the ADRGs and lists of {base.id}: "
        f"{kinds['base']} rows as in the base, "
        f"{own} rows derived, {kinds['assumption']} of them on an assumption, {kinds['open']} open{told}",
        "derived: the city may also have changed code lists, CC lists or ADRG rules, which a list of groups does not show",
    ]


def _asked(rows: Sequence[DerivedRow]) -> list[str]:
    """What a record must state for the derived rules, beyond codes: a comparison with a missing value never holds."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for name in variables_of(parse_rule(row.rule)) - {*DIAGNOSIS_VARIABLES, *PROCEDURE_VARIABLES}:
            found.setdefault(name, []).append(row.drg)
    return [
        f"{', '.join(codes)} ask{'s' if len(codes) == 1 else ''} for "
        f"{VARIABLE_TITLES[name][0]} ({name} {VARIABLE_TITLES[name][1]}); "
        "a case without it falls into none of them"
        for name, codes in sorted(found.items())
    ]  # fmt: skip


def _inserted(rows: list[Sequence[Any]], row: DerivedRow, rule: str) -> list[Sequence[Any]]:
    mdc = f"MDC{row.adrg[0]}"
    before = [r for r in rows if r[2] == mdc and r[4] in ("surgical", "procedure")]
    at = rows.index(before[-1]) + 1 if before else next(n for n, r in enumerate(rows) if r[2] == mdc)
    changed = [*rows[:at], (0, row.adrg, mdc, row.name, "ambiguous", rule), *rows[at:]]
    orders: Counter[str] = Counter()
    numbered: list[Sequence[Any]] = []
    for entry in changed:
        orders[str(entry[2])] += 1
        numbered.append((orders[str(entry[2])], *entry[1:]))
    return numbered
