"""A migration as files: tables (CSV, Parquet, XLSX), a page with a Sankey chart, and a summary; the folder appears whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.analysis.migration import Answer, GroupChange, Migration
from drgsim.language import text
from drgsim.report.migration_page import migrate_page
from drgsim.results.run_record import json_text, run_record
from drgsim.results.table_files import write_table
from drgsim.results.whole_outputs import check_folder, whole_folder, write_text
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import about_record

YUAN = pa.decimal128(18, 2)
FILES = (
    "flow.csv", "flow.parquet", "groups.csv", "splits.csv", "merges.csv", "hospitals.csv", "migrate.xlsx", "migrate.html",
    "summary.json",
)  # fmt: skip


def migration_tables(migration: Migration) -> dict[str, pa.Table]:
    """The tables ``flow``, ``groups``, ``splits``, ``merges`` and ``hospitals``; money in yuan with two decimals, exact."""
    groups = migration.groups()
    splits = [(g, part) for g in groups if g.side == "from" and g.change == "split" for part in g.parts]
    merges = [(g, part) for g in groups if g.side == "to" and g.change == "merged" for part in g.parts]
    other = {"from": migration.after, "to": migration.before}

    def parts(listed: list[Any], own: str, theirs: str) -> pa.Table:
        rows = [
            {
                f"{own}_drg": g.drg, f"{own}_name": g.name, f"{own}_cases": g.cases,
                f"{theirs}_drg": part.answer.drg, f"{theirs}_name": other[g.side].name(part.answer),
                f"{theirs}_status": part.answer.status, "cases": part.cases, "share": round(part.share, 6),
            }
            for g, part in listed
        ]  # fmt: skip
        texts = [f"{own}_drg", f"{own}_name", f"{theirs}_drg", f"{theirs}_name", f"{theirs}_status"]
        kinds = dict.fromkeys(texts, pa.string()) | {f"{own}_cases": pa.int64(), "cases": pa.int64(), "share": pa.float64()}
        order = (f"{own}_drg", f"{own}_name", f"{own}_cases", f"{theirs}_drg", f"{theirs}_name", f"{theirs}_status",
                 "cases", "share")  # fmt: skip
        return pa.Table.from_pylist(rows, pa.schema([(name, kinds[name]) for name in order]))

    return {
        "flow": _flow(migration),
        "groups": pa.Table.from_pylist([_group(g) for g in groups], _GROUPS),
        "splits": parts(splits, "from", "to"),
        "merges": parts(merges, "to", "from"),
        "hospitals": _hospitals(migration),
    }


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _flow(migration: Migration) -> pa.Table:
    before, after = migration.before, migration.after

    def side(prefix: str, scheme: Any, answer: Answer, cases: int) -> dict[str, Any]:
        weight = scheme.weight(answer)
        return {
            f"{prefix}_drg": answer.drg, f"{prefix}_name": scheme.name(answer), f"{prefix}_mdc": scheme.mdc(answer),
            f"{prefix}_status": answer.status, f"{prefix}_weight": weight,
            f"{prefix}_weight_sum": None if weight is None else weight * cases,
        }  # fmt: skip

    rows = [
        side("from", before, flow.before, flow.cases)
        | side("to", after, flow.after, flow.cases)
        | {"cases": flow.cases, "cost_yuan": _yuan(flow.fen) if migration.has_cost else None}
        for flow in migration.flows
    ]
    texts = [pa.field(f"{p}_{name}", pa.string()) for p in ("from", "to") for name in ("drg", "name", "mdc", "status")]
    sums = [pa.field(f"{p}_{name}", pa.float64()) for p in ("from", "to") for name in ("weight", "weight_sum")]
    return pa.Table.from_pylist(rows, pa.schema([*texts, ("cases", pa.int64()), ("cost_yuan", YUAN), *sums]))


_GROUPS = pa.schema(
    [("side", pa.string()), ("drg", pa.string()), ("name", pa.string()), ("mdc", pa.string()), ("cases", pa.int64()),
     ("cost_yuan", YUAN), ("weight", pa.float64()), ("change", pa.string()), ("code_in_other_scheme", pa.bool_()),
     ("parts", pa.int64()), ("main_partner", pa.string()), ("main_share", pa.float64())]
)  # fmt: skip


def _group(group: GroupChange) -> dict[str, Any]:
    main = group.parts[0]
    return {
        "side": group.side, "drg": group.drg, "name": group.name, "mdc": group.mdc, "cases": group.cases,
        "cost_yuan": _yuan(group.fen), "weight": group.weight, "change": group.change,
        "code_in_other_scheme": group.in_other, "parts": len(group.parts), "main_partner": main.answer.drg,
        "main_share": round(main.share, 6),
    }  # fmt: skip


def _hospitals(migration: Migration) -> pa.Table:
    rows = [
        {
            "hospital_id": m.hospital, "cases": m.cases, "from_grouped": m.grouped_before, "to_grouped": m.grouped_after,
            "from_cmi": m.cmi_before, "to_cmi": m.cmi_after, "from_relative_cmi": m.relative_before,
            "to_relative_cmi": m.relative_after, "relative_change": m.change, "from_rank": m.rank_before,
            "to_rank": m.rank_after,
        }
        for m in migration.hospitals
    ]  # fmt: skip
    whole, real = pa.int64(), pa.float64()
    kinds = [("hospital_id", pa.string()), ("cases", whole), ("from_grouped", whole), ("to_grouped", whole),
             ("from_cmi", real), ("to_cmi", real), ("from_relative_cmi", real), ("to_relative_cmi", real),
             ("relative_change", real), ("from_rank", whole), ("to_rank", whole)]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def migration_summary(migration: Migration) -> dict[str, Any]:
    """Plain values for JSON."""
    groups = migration.groups()

    def count(side: str, change: str) -> int:
        return sum(g.side == side and g.change == change for g in groups)

    sides = {
        role: {
            "scheme": side.scheme.id, "digest": side.scheme.digest, "weights": side.weights.label,
            "weights_evidence": side.weights.evidence, "groups_with_cases": len(side.cases), "cmi": cmi,
        }
        for role, side, cmi in zip(("from", "to"), (migration.before, migration.after), migration.cmi, strict=True)
    }  # fmt: skip
    return run_record(
        "migrate",
        inputs=migration.inputs,
        **sides,
        cases=migration.cases,
        cost_yuan=str(_yuan(migration.fen)) if migration.has_cost else None,
        cases_moved={level: migration.moved(level) for level in ("mdc", "adrg", "drg")},
        status=[{"from": a, "to": b, "cases": n} for (a, b), n in migration.status().most_common()],
        groups={
            "split": count("from", "split"), "renamed": count("from", "renamed"), "kept": count("from", "kept"),
            "ungrouped": count("from", "ungrouped"), "merged": count("to", "merged"),
            "codes_that_disappear": sorted(g.drg for g in groups if g.side == "from" and not g.in_other),
            "codes_that_appear": sorted(g.drg for g in groups if g.side == "to" and not g.in_other),
        },
        hospitals=_hospitals(migration).to_pylist(),
        least_share=migration.least_share,
        notes=migration.notes(),
    )  # fmt: skip


def check_migration_folder(output: Path) -> None:
    """Refuse a folder that holds anything but an earlier migration, before any time is spent."""
    check_folder(output, own=FILES)


def write_migration(migration: Migration, output: Path) -> None:
    """Write all files of a migration into a folder, whole or not at all; an earlier result is replaced."""
    tables = migration_tables(migration)
    summary = migration_summary(migration)
    with whole_folder(output, own=FILES) as folder:
        for name in FILES:
            stem, suffix = name.split(".")
            if suffix in ("csv", "parquet"):
                write_table(folder / name, tables[stem])
        write_migration_workbook(tables, summary, folder / "migrate.xlsx")
        write_text(folder / "summary.json", json_text(summary))
        write_text(folder / "migrate.html", migrate_page(migration))


def write_migration_workbook(tables: Mapping[str, pa.Table], summary: Mapping[str, Any], path: Path) -> None:
    """The tables as sheets of one workbook, after a sheet on what was grouped."""
    sides = [(text("Old scheme"), summary["from"]), (text("New scheme"), summary["to"])]
    facts = [(label, f"{side['scheme']} ({side['digest'][:16]})") for label, side in sides]
    with open_workbook(path, about_record(text("Migration between schemes"), summary, facts=facts)) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((text("Migration between schemes"),), "title")
        for name in ("flow", "splits", "merges", "groups", "hospitals"):
            sheet = book.add_table(name, tables[name])
            if name == "hospitals":
                title = text("CMI by hospital under both schemes")
                overview.chart("bar", sheet, label="hospital_id", values=["from_cmi", "to_cmi"], title=title)
