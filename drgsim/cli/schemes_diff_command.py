"""``drgsim schemes diff``: what changes from one scheme to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drgsim.units.schemes.scheme_differences import SchemeDifference

SHOWN = 15  # rows of one sort on the terminal


def diff(
    before: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    after: Annotated[str, typer.Argument(help="The scheme to compare it with.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="All of it: a workbook (.xlsx), or a folder of CSV tables.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all differences as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Print every row, not only the first of each sort.")] = False,
) -> None:
    """Compare two schemes: MDCs, ADRGs, groups, rules, codes moved, CC changes. 比较两个方案"""
    from drgsim.api import scheme_diff_verb
    from drgsim.cli.terminal import out, print_json

    result = scheme_diff_verb.schemes_diff(before, after, html=html)
    found = result.difference
    if output is not None:
        result.save(output, formats="csv", replace=True)
    if as_json:
        print_json(found.as_dict())
        return
    out.print(f"[bold]{found.before} → {found.after}[/]")
    if found.is_empty:
        out.print("no difference 无差异")
    else:
        _show(found, None if full else SHOWN)
    for path in (html, output):
        if path is not None:
            out.print(f"wrote [bold]{path}[/]")


def _show(found: SchemeDifference, most: int | None) -> None:
    from drgsim.cli.terminal import out, rows_table

    summary = found.summary()
    lines = [
        [level.upper(), *(f"{summary[f'{level}_{change}']:,}" for change in ("added", "removed", "changed"))]
        for level in ("mdc", "adrg", "drg")
    ]  # fmt: skip
    rows_table("Codes of groups 组代码", ["", "added 新增", "removed 取消", "changed 变化"], lines, right=(1, 2, 3))
    out.print(
        f"{summary['diagnosis_moved']:,} diagnoses and {summary['procedure_moved']:,} procedures are listed by other rows; "
        f"{summary['severity_changed']:,} diagnoses change between none, CC and MCC; "
        f"{summary['exclusion_changed']:,} more change by what excludes them"
    )
    _show_successions(found, most)
    for level in ("mdc", "adrg", "drg"):
        table = [
            [row.code, row.change, ", ".join(row.aspects), row.name_after or row.name_before,
             f"+{row.codes_added:,} −{row.codes_removed:,}" if row.codes_added or row.codes_removed else ""]
            for row in found.rows if row.level == level
        ]  # fmt: skip
        _table(level.upper(), ["code", "change", "what", "name", "codes"], table, most, right=(4,))
    moves = [[move.code, move.name, " ".join(move.before) or "–", " ".join(move.after) or "–"] for move in found.moves]
    _table("Codes listed by other rows 编码归属变化", ["code", "name", found.before, found.after], moves, most)
    _show_levels(found, most)


def _show_successions(found: SchemeDifference, most: int | None) -> None:
    from drgsim.units.schemes.adrg_successions import RELATIONS

    for relation, title in RELATIONS.items():
        rows = []
        for line in found.successions:
            if line.relation == relation:
                parts = zip(line.after, line.names_after, line.shared, strict=True)
                after = "\n".join(f"{code} {name} ({shared:,})" for code, name, shared in parts)
                rows.append([f"{line.before} {line.name_before}".strip() or "–", after or "–"])
        _table(f"ADRG {title} (codes in common)", [found.before, found.after], rows, most)
    divided = [[f"{line.adrg} {line.name}", " ".join(line.before), " ".join(line.after)] for line in found.subdivisions]
    _table("ADRGs divided into other DRGs 细分变化", ["ADRG", found.before, found.after], divided, most)


def _show_levels(found: SchemeDifference, most: int | None) -> None:
    from drgsim.cli.terminal import rows_table

    levels, words = found.level_changes(), ("MCC", "CC", "none")
    if levels:
        rows = [[was, *(f"{levels[was, now]:,}" if (was, now) in levels else "–" for now in words)] for was in words]
        title = "Diagnoses as MCC and CC 合并症级别"
        rows_table(title, [found.before, *(f"{now} in {found.after}" for now in words)], rows, right=(1, 2, 3))
    changes = [
        [change.code, change.name, change.before or "–", change.after or "–",
         f"+{change.excluded_by_added:,} −{change.excluded_by_removed:,}"]
        for change in found.severities
    ]  # fmt: skip
    _table("MCC, CC and what excludes them", ["code", "name", "before", "after", "excluded by"], changes, most, right=(4,))


def _table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], most: int | None, *, right: Sequence[int] = ()
) -> None:
    """The first rows of a table, or all of them."""
    from drgsim.cli.terminal import rows_table

    rows = list(rows)
    shown = rows[:most]
    rest = f" (the first {most} of {len(rows):,}; --full or --output for all)" if len(shown) < len(rows) else ""
    if rows:
        rows_table(f"{title}{rest}", columns, shown, right=right, whole=(0,) if len(columns) > 3 else ())
