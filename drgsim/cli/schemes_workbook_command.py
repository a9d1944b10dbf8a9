"""``drgsim schemes import`` and ``export``: the national grouping workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgsim.language import bilingual, joined, spoken, text


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
        typer.Option("--keep-unread", help="Go on when a rule cannot be read: its row then never holds."),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a pack that is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read the national workbook of DRG groups, or of DIP kinds, as a pack."""
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
        err.print(
            text("[yellow]![/] not read, never holds: {where}\n  {problem}", where=problem.where, problem=problem.what),
            markup=True,
            highlight=False,
        )
    for line in (*pack.notices, *pack.advice):
        out.print(text("  · {line}", line=line), markup=False)
    c = pack.counts
    if "mdc" not in c:
        from drgsim.units.dip.dip_catalogue import KINDS

        listed = joined(text(", "), (f"{count:,} {spoken(bilingual(kind, KINDS[kind]))}" for kind, count in c.items()))
        out.print(text("kinds: {listed}\ncatalogue written: {folder}", listed=listed, folder=folder))
        out.print(text("[dim]compare it with the shipped one: drgsim dip diff {folder} dip-3.0[/]", folder=folder))
        return
    out.print(
        text(
            "{mdc} MDC · {adrg} ADRG · {drg} DRG · {qy} ambiguous · {set_rows:,} rows of code lists",
            mdc=c["mdc"],
            adrg=c["adrg"],
            drg=c["drg"],
            qy=c["qy"],
            set_rows=c["set_rows"],
        )
    )
    out.print(text("pack written: {folder}\n[dim]use it with --scheme {folder}[/]", folder=folder))


def export_workbook(
    scheme: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    output: Annotated[Path, typer.Argument(help="The workbook to write (.xlsx).")],
) -> None:
    """Write a scheme as a workbook in the national layout."""
    from drgsim.api import pack_verbs
    from drgsim.cli.terminal import out

    written = pack_verbs.schemes_export(scheme, output)
    out.print(text("workbook written: {path} ({drg} DRGs)", path=written.path, drg=written.counts["drg"]), markup=False)
