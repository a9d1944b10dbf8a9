"""Make the packs of cities and provinces whose conditions a public grouper states.

    python tools/make_city_schemes.py --facts DIR [--lists DIR] [ID ...]

``--facts`` holds a folder for each scheme with ``drg.csv`` (order, drg, adrg, name, condition, note) and
``lists_vs_*.csv`` (table, id, list, change, code); ``--lists`` the published lists of codes and names. What is written by hand
stands in ``city_schemes.yaml``.

Every group has up to two accounts of its rule, the words of its name (``drgsim schemes new`` reads them) and the condition of
the public grouper; ``city_groups`` compares them. What neither tells stays open (``not 1``). ``derivation.csv`` of a pack lists
every row, the notes of its ``scheme.toml`` all differences.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from drgsim.authoring.schemes.overlay_writer import derived_pack_files
from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.authoring.schemes.scheme_from_list import NEVER, Derivation, DerivedRow, derive_groups, read_group_list
from drgsim.units.schemes.coverage import rules_coverage
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import print_rule, sets_of
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Scheme
from tools.city_conditions import UnreadCondition, condition_rule
from tools.city_groups import Account, Condition, composed_rows
from tools.city_lists import CityLists, read_lists

HERE = Path(__file__).resolve().parent
GROUPERS = HERE.parent / "groupers"


def main() -> None:
    """Write the packs that the arguments name, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--lists", type=Path)
    parser.add_argument("--output", type=Path, default=GROUPERS)
    parser.add_argument("ids", nargs="*")
    options = parser.parse_args()
    specification = yaml.safe_load((HERE / "city_schemes.yaml").read_text(encoding="utf-8"))
    for scheme_id, entry in specification["schemes"].items():
        if options.ids and scheme_id not in options.ids:
            continue
        listed = options.lists / f"{scheme_id}.csv" if entry.get("list") and options.lists else None
        entry["source"] = specification["source"]
        files, told = city_pack(scheme_id, entry, options.facts / entry["folder"], listed)
        write_pack(options.output / scheme_id, files, replace=True)
        print(f"{scheme_id:16} {told}")


def city_pack(scheme_id: str, entry: Mapping[str, Any], facts: Path, listed: Path | None) -> tuple[dict[str, str], str]:
    """Files of one pack, and a line about it."""
    base = load_scheme(entry["base"])
    with (facts / "drg.csv").open(encoding="utf-8", newline="") as file:
        stated = list(csv.DictReader(file))
    published = read_group_list(listed) if listed else []
    known = {code for code, _ in published}
    derivation = derive_groups(base, [*published, *((row["drg"], row["name"]) for row in stated if row["drg"] not in known)])
    derivation.conditions = True
    if entry.get("ambiguous"):
        _add_ambiguous(derivation, entry["ambiguous"])
    lists, account = read_lists(base, facts), Account()
    rows = _rows(derivation, stated, lists, account)
    derivation.rows = [_taking_rest(row) if row.drg in entry.get("rest", ()) else row for row in rows]
    notes = account.notes()
    if entry.get("finer"):
        notes.append(_stand_ins(base, derivation, entry["finer"]))
    lists.drop_unused({name for row in derivation.rows for name in sets_of(parse_rule(row.rule))})
    lists.change_base()
    derivation.set_changes, derivation.local_codes = lists.changes, lists.local_codes()
    if derivation.set_changes:
        notes.append(f"code lists: {len(derivation.set_changes)} changes and lists of groups as in the source (sets.csv)")
    settings = _settings(scheme_id, entry, base, len(published))
    files = derived_pack_files(base, derivation, settings, [*notes, *_gaps(derivation.rows), *lists.notes])
    kinds = Counter(row.evidence for row in derivation.rows)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    refused = sum(map(len, account.refused.values()))
    return files, f"{counted}; {account.confirmed} confirmed, {len(account.taken)} taken, {refused} refused"


def _rows(derivation: Derivation, stated: Sequence[Mapping[str, str]], lists: CityLists, account: Account) -> list[DerivedRow]:
    by_adrg: dict[str, list[Mapping[str, str]]] = {}
    for row in sorted(stated, key=lambda row: int(row["order"])):
        by_adrg.setdefault(row["adrg"], []).append(row)
    found: list[DerivedRow] = []
    for adrg, named in _grouped(derivation.rows).items():
        own = by_adrg.get(adrg, [])
        order = [row["drg"] for row in own]
        conditions = {row["drg"]: _condition(row, lists) for row in own}
        found += composed_rows(named, order, conditions, account) if own else named
    return found


def _condition(row: Mapping[str, str], lists: CityLists) -> Condition:
    try:
        return condition_rule(
            row["condition"], lambda number, variable: lists.of_group(row["drg"], row["adrg"], number, variable)
        )
    except UnreadCondition as why:
        return why


def _taking_rest(row: DerivedRow) -> DerivedRow:
    doubt = "neither its words nor the source tell a condition; as the last of its ADRG it takes what the others leave"
    return replace(row, rule="1", evidence="assumption", basis="what other rows leave", needs="", doubt=doubt)


def _settings(scheme_id: str, entry: Mapping[str, Any], base: Scheme, published: int) -> dict[str, Any]:
    year = entry["year"]
    own = [f"published DRG list of {entry['en']} ({year}): codes and names of {published} rows"] if published else []
    return {
        "id": scheme_id, "title_zh": f"{entry['zh']}DRG细分组（{year}）", "title_en": f"{entry['en']} DRG groups {year}",
        "issuer": entry.get("issuer", f"{entry['zh']}医疗保障局"), "sources": [*own, entry["source"], *base.sources],
        "coverage": {
            "modelled": "DRG splits by their conditions, changes of code lists; MDCs, ADRGs, CC and exclusions of the base",
            "document": "order, conditions and lists in a public transcription; the regulation itself was not found",
            "evidence": "secondary",
            "checked": "each condition compared with the words of the group's name, differences in the notes; whether the "
            "DRGs of every ADRG cover every case",
        },
    }  # fmt: skip


def _add_ambiguous(derivation: Derivation, sister: str) -> None:
    """Ambiguous rows that the list names and the base lacks, with the rules of another scheme."""
    model = load_scheme(sister)
    for code, name in [each for each in derivation.strangers if each[0].endswith("QY") and each[0] in model.adrgs]:
        doubt = f"the base has no {code}; its rule is that of {sister}"
        derivation.new_ambiguous[code] = print_rule(model.adrgs[code].rule)
        derivation.rows.append(DerivedRow(code, code, name, "1", "derived", "by analogy", doubt=doubt))
        derivation.strangers.remove((code, name))
    derivation.notes.append(f"assumption: the rules of ambiguous rows, which the list only names, are those of {sister}")


def _stand_ins(base: Scheme, derivation: Derivation, words: str) -> str:
    """One row for what finer groups of the published list take, of which no condition is known.

    A DRG code that equals its ADRG code says that the list gives no such group (``fallback_drg``).
    """
    rows: list[DerivedRow] = []
    stood: list[str] = []
    for adrg, members in _grouped(derivation.rows).items():
        rest = DerivedRow(
            adrg, adrg, f"{base.adrgs[adrg].name}，{words}", "1", "derived", "what other rows leave",
            doubt="the published list splits the ADRG finer, by conditions that are not known",
        )  # fmt: skip
        coverage = rules_coverage([row.drg for row in members], [parse_rule(row.rule) for row in members])
        missing = adrg in derivation.missing
        rows += [] if missing else members
        if missing or coverage.gap:
            rows.append(rest)
            stood.append(adrg)
    derivation.rows, derivation.missing = rows, []
    which = ", ".join(stood)
    return f"ADRGs that the published list splits finer, by unknown conditions; one row stands for what is left: {which}"


def _grouped(rows: Sequence[DerivedRow]) -> dict[str, list[DerivedRow]]:
    found: dict[str, list[DerivedRow]] = {}
    for row in rows:
        found.setdefault(row.adrg, []).append(row)
    return found


def _gaps(rows: Sequence[DerivedRow]) -> list[str]:
    """ADRGs whose rows leave cases out, and rows that no case reaches, as the source has them."""
    gaps, unreached = [], []
    for adrg, members in _grouped(rows).items():
        coverage = rules_coverage([row.drg for row in members], [parse_rule(row.rule) for row in members])
        gaps += [adrg] if coverage.gap else []
        unreached += [row.drg for row in members if row.drg in coverage.unreachable and row.rule != NEVER]
    lines = [f"ADRGs whose groups leave some cases to later groups, as in the source: {', '.join(gaps)}"] if gaps else []
    return lines + ([f"rows that no case reaches, as in the source: {', '.join(unreached)}"] if unreached else [])


if __name__ == "__main__":
    main()
