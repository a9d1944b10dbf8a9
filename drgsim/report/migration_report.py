"""A migration as files: tables (CSV, Parquet, XLSX), a page with a Sankey chart, and a summary; the folder appears whole."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim import __version__
from drgsim.analysis.migration import Answer, GroupChange, Migration
from drgsim.errors import OutputError
from drgsim.report.migration_page import migrate_page
from drgsim.results.table_files import open_writer

YUAN = pa.decimal128(18, 2)
FILES = (
    "flow.csv", "flow.parquet", "groups.csv", "splits.csv", "merges.csv", "hospitals.csv", "migrate.xlsx", "migrate.html",
    "summary.json",
)  # fmt: skip
# sheet of migrate.xlsx -> table
_SHEETS = {
    "流向 flow": "flow",
    "拆分 splits": "splits",
    "合并 merges": "merges",
    "各组 groups": "groups",
    "医院 hospitals": "hospitals",
}


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

    return {
        "drgsim": __version__,
        "inputs": [path.name for path in migration.inputs],
        **{
            role: {
                "scheme": side.scheme.id, "digest": side.scheme.digest, "weights": side.weights.label,
                "weights_evidence": side.weights.evidence, "groups_with_cases": len(side.cases), "cmi": cmi,
            }
            for role, side, cmi in zip(("from", "to"), (migration.before, migration.after), migration.cmi, strict=True)
        },
        "cases": migration.cases,
        "cost_yuan": str(_yuan(migration.fen)) if migration.has_cost else None,
        "cases_moved": {level: migration.moved(level) for level in ("mdc", "adrg", "drg")},
        "status": [{"from": a, "to": b, "cases": n} for (a, b), n in migration.status().most_common()],
        "groups": {
            "split": count("from", "split"), "renamed": count("from", "renamed"), "kept": count("from", "kept"),
            "ungrouped": count("from", "ungrouped"), "merged": count("to", "merged"),
            "codes_that_disappear": sorted(g.drg for g in groups if g.side == "from" and not g.in_other),
            "codes_that_appear": sorted(g.drg for g in groups if g.side == "to" and not g.in_other),
        },
        "hospitals": _hospitals(migration).to_pylist(),
        "least_share": migration.least_share,
        "notes": migration.notes(),
    }  # fmt: skip


def check_folder(output: Path) -> None:
    """Refuse a folder that holds anything but an earlier migration; see :func:`check_report_folder`."""
    check_report_folder(output, FILES)


def check_report_folder(output: Path, files: Sequence[str]) -> None:
    """Refuse a folder that holds anything but an earlier result (``files``), before any time is spent.

    Raises
    ------
    OutputError
        ``output-is-file`` or ``output-not-empty``.
    """
    if output.exists() and not output.is_dir():
        raise OutputError.single("output-is-file", f"{output} is a file", where=str(output), fix="name a folder")
    strange = sorted(path.name for path in output.iterdir() if path.name not in files) if output.is_dir() else []
    if strange:
        what = f"{output} holds other files ({', '.join(strange[:3])}{', ...' if len(strange) > 3 else ''})"
        raise OutputError.single("output-not-empty", what, where=str(output), why="they would be lost", fix="name a new folder")


def write_migration(migration: Migration, output: Path) -> None:
    """Write all files of a migration into a folder, whole or not at all; an earlier result is replaced."""
    check_folder(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        what = f"{output} cannot be written: {error.strerror}"
        raise OutputError.single("output-not-writable", what, where=str(output)) from error
    try:
        _fill(migration, beside)
        beside.chmod(0o755)
        if output.is_dir():
            shutil.rmtree(output)
        beside.rename(output)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(migration: Migration, folder: Path) -> None:
    tables = migration_tables(migration)
    summary = migration_summary(migration)
    for name in FILES:
        stem, suffix = name.split(".")
        if suffix in ("csv", "parquet"):
            with open_writer(folder / name, tables[stem].schema) as writer:
                for batch in tables[stem].to_batches():
                    writer.write(writer.encode(batch))
    _write_sheets(tables, summary, folder / "migrate.xlsx")
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    (folder / "summary.json").write_text(text, encoding="utf-8", newline="\n")
    (folder / "migrate.html").write_text(migrate_page(migration), encoding="utf-8", newline="\n")


def _write_sheets(tables: Mapping[str, pa.Table], summary: Mapping[str, Any], path: Path) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # the same input gives the same bytes
        bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        forms = {
            "cost_yuan": book.add_format({"num_format": "#,##0.00"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "cases": book.add_format({"num_format": "#,##0"}),
            "cmi": book.add_format({"num_format": "0.0000"}),
        }
        about = book.add_worksheet("说明 about")
        about.set_column(0, 0, 26)
        about.set_column(1, 1, 90)
        lines = [("from 原方案", summary["from"]["scheme"]), ("to 新方案", summary["to"]["scheme"]),
                 ("cases 病例数", f"{summary['cases']:,}"), ("cost 总费用 (yuan 元)", summary["cost_yuan"] or "–"),
                 *(("note 说明", note) for note in summary["notes"])]  # fmt: skip
        for at, line in enumerate(lines):
            about.write_row(at, 0, line)
        for title, name in _SHEETS.items():
            sheet, table = book.add_worksheet(title), tables[name]
            sheet.freeze_panes(1, 1)
            for place, column in enumerate(table.schema.names):
                sheet.set_column(place, place, 42 if column.endswith("_name") or column == "name" else 15)
                sheet.write_string(0, place, column, bold)
            kinds = [_form(column, forms) for column in table.schema.names]
            columns = [column.to_pylist() for column in table.columns]
            for at, row in enumerate(zip(*columns, strict=True), 1):
                for place, value in enumerate(row):
                    if value is not None:
                        sheet.write(at, place, float(value) if isinstance(value, Decimal) else value, kinds[place])
            if table.num_rows:
                sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)


def _form(column: str, forms: Mapping[str, Any]) -> Any:
    if column in ("share", "main_share", "relative_change"):
        return forms["share"]
    if "cmi" in column or "weight" in column:
        return forms["cmi"]
    return forms["cases"] if column.endswith(("cases", "grouped")) else forms.get(column)
