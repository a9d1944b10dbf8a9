"""``drgsim schemes diff``: what changes from one scheme to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SHOWN = 15  # rows of one sort on the terminal


def diff(
    before: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    after: Annotated[str, typer.Argument(help="The scheme to compare it with.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all differences as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Print every row, not only the first of each sort.")] = False,
) -> None:
    """Compare two schemes: MDCs, ADRGs, groups, rules, codes moved, CC changes. 比较两个方案"""
    from drgsim.api import scheme_verbs
    from drgsim.cli.terminal import out, print_json, rows_table

    found = scheme_verbs.schemes_diff(before, after, html=html).difference
    if as_json:
        print_json(found.as_dict())
        return
    out.print(f"[bold]{found.before} → {found.after}[/]")
    if found.is_empty:
        out.print("no difference 无差异")
        return
    summary = found.summary()
    lines = [
        [level.upper(), *(f"{summary[f'{level}_{change}']:,}" for change in ("added", "removed", "changed"))]
        for level in ("mdc", "adrg", "drg")
    ]  # fmt: skip
    rows_table("Groups 分组", ["", "added 新增", "removed 取消", "changed 变化"], lines, right=(1, 2, 3))
    out.print(
        f"{summary['diagnosis_moved']:,} diagnoses and {summary['procedure_moved']:,} procedures are listed by other rows; "
        f"{summary['severity_changed']:,} diagnoses change between none, CC and MCC; "
        f"{summary['exclusion_changed']:,} more change by what excludes them"
    )
    for level in ("mdc", "adrg", "drg"):
        rows = [row for row in found.rows if row.level == level]
        shown = rows if full else rows[:SHOWN]
        table = [
            [row.code, row.change, ", ".join(row.aspects), row.name_after or row.name_before,
             f"+{row.codes_added:,} −{row.codes_removed:,}" if row.codes_added or row.codes_removed else ""]
            for row in shown
        ]  # fmt: skip
        if table:
            rest = f" (the first {SHOWN} of {len(rows):,}; --full, --json or --html for all)" if len(shown) < len(rows) else ""
            rows_table(f"{level.upper()}{rest}", ["code", "change", "what", "name", "codes"], table, right=(4,))
    if html is not None:
        out.print(f"page written: {html}")
