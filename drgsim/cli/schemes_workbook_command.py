"""``drgsim schemes import`` and ``export``: the national grouping workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_workbook(
    workbook: Annotated[Path, typer.Argument(help="The workbook as it was downloaded (.xlsx or .xls).")],
    scheme_id: Annotated[str, typer.Option("--id", help="Id of the new scheme, such as chs-drg-3.0.")],
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
    """Read the national grouping workbook as a scheme pack. 导入国家分组方案工作簿"""
    from drgsim.authoring.schemes.pack_files import write_pack
    from drgsim.authoring.schemes.workbook_import import read_workbook
    from drgsim.cli.terminal import err, out, print_json
    from drgsim.units.schemes.pack_check import check_pack

    reading = read_workbook(workbook, scheme_id, corrections=corrections, keep_unread=keep_unread)
    folder = write_pack(output, reading.files, replace=replace)
    report = check_pack(folder)
    if as_json:
        print_json({
            "pack": str(folder), "counts": reading.counts, "notices": reading.notices,
            "unread": [f"{problem.where}: {problem.what}" for problem in reading.unread], "advice": report.advice,
        })  # fmt: skip
        return
    for problem in reading.unread:
        err.print(f"[yellow]![/] not read, never holds: {problem.where}\n  {problem.what}", markup=True, highlight=False)
    for line in (*reading.notices, *report.advice):
        out.print(f"  · {line}", markup=False)
    c = reading.counts
    out.print(
        f"{c['mdc']} MDC · {c['adrg']} ADRG · {c['drg']} DRG · {c['qy']} ambiguous 歧义 · {c['set_rows']:,} rows of code lists"
    )
    out.print(f"pack written: {folder}\n[dim]use it with --scheme {folder}[/]")


def export_workbook(
    scheme: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    output: Annotated[Path, typer.Argument(help="The workbook to write (.xlsx).")],
) -> None:
    """Write a scheme as a workbook in the national layout. 导出为国家分组方案工作簿格式"""
    from drgsim.authoring.schemes.workbook_export import write_workbook
    from drgsim.cli.terminal import out
    from drgsim.units.schemes.pack import load_scheme

    loaded = load_scheme(scheme)
    out.print(f"workbook written: {write_workbook(loaded, output)} ({loaded.counts['drg']} DRGs)", markup=False)
