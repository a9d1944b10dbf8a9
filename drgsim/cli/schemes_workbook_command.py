"""``drgsim schemes import`` and ``export``: the national grouping workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_workbook(
    workbook: Annotated[Path, typer.Argument(help="The workbook as it was downloaded (.xlsx or .xls).")],
    scheme_id: Annotated[str, typer.Option("--id", help="Id of the new scheme or catalogue, such as chs-drg-3.0.")],
    output: Annotated[Path, typer.Option(help="Folder of the new pack; use it with --scheme.")],
    corrections: Annotated[
        str | None,
        typer.Option(help="Apply corrections of the exclusion table: 'published', or a CSV file (exclusion, code, source)."),
    ] = None,
    keep_unread: Annotated[
        bool,
        typer.Option(
            "--keep-unread", help="Go on when a rule cannot be read: its row then never holds. 无法读取的规则视为不成立"
        ),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a pack that is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read the national workbook of DRG groups, or of DIP kinds, as a pack. 导入国家分组方案工作簿"""
    from drgsim.api import pack_verbs
    from drgsim.cli.terminal import err, out, print_json

    pack = pack_verbs.schemes_import(
        workbook, scheme_id, output, corrections=corrections, keep_unread=keep_unread, replace=replace
    )
    folder = pack.path
    if as_json:
        print_json({
            "pack": str(folder), "counts": pack.counts, "notices": pack.notices,
            "unread": [f"{problem.where}: {problem.what}" for problem in pack.unread], "advice": pack.advice,
        })  # fmt: skip
        return
    for problem in pack.unread:
        err.print(f"[yellow]![/] not read, never holds: {problem.where}\n  {problem.what}", markup=True, highlight=False)
    for line in (*pack.notices, *pack.advice):
        out.print(f"  · {line}", markup=False)
    c = pack.counts
    if "mdc" not in c:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in c.items())
        out.print(f"kinds 病种: {listed}\ncatalogue written: {folder}")
        out.print(f"[dim]compare it with the shipped one: drgsim dip diff {folder} dip-3.0[/]")
        return
    out.print(
        f"{c['mdc']} MDC · {c['adrg']} ADRG · {c['drg']} DRG · {c['qy']} ambiguous 歧义 · {c['set_rows']:,} rows of code lists"
    )
    out.print(f"pack written: {folder}\n[dim]use it with --scheme {folder}[/]")


def export_workbook(
    scheme: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    output: Annotated[Path, typer.Argument(help="The workbook to write (.xlsx).")],
) -> None:
    """Write a scheme as a workbook in the national layout. 导出为国家分组方案工作簿格式"""
    from drgsim.api import pack_verbs
    from drgsim.cli.terminal import out

    written = pack_verbs.schemes_export(scheme, output)
    out.print(f"workbook written: {written.path} ({written.counts['drg']} DRGs)", markup=False)
