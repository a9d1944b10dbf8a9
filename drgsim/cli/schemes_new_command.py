"""``drgsim schemes new``: a city's scheme to edit, empty or derived from its published list of groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgsim.language import text


def new(
    base: Annotated[str, typer.Option(help="The scheme that the new one differs from, such as chs-drg-2.0.")],
    scheme_id: Annotated[str, typer.Option("--id", help="Id of the new scheme, such as my-city-2026.")],
    groups: Annotated[Path | None, typer.Option(help="Published list of the city (CSV with the columns drg and name).")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the pack; by default a folder named like the id.")] = None,
    title: Annotated[str, typer.Option(help="Chinese title.")] = "",
    issuer: Annotated[str, typer.Option(help="Who publishes the scheme.")] = "",
    source: Annotated[str, typer.Option(help="Document that the list comes from.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a pack that is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Start a city's scheme on a base, and derive its groups from the list that it publishes."""
    from drgsim.api import pack_verbs
    from drgsim.cli.terminal import out, print_json

    pack = pack_verbs.schemes_new(
        base, scheme_id, groups=groups, output=output, title=title, issuer=issuer, source=source, replace=replace
    )
    derivation, folder, found = pack.derivation, pack.path, pack.counts
    if derivation is None:
        out.print(
            text(
                "pack written: {folder}\n[dim]edit adrg.csv and drg.csv, then run drgsim schemes check {folder}[/]",
                folder=folder,
            )
        )
        return
    if as_json:
        print_json(
            {
                "pack": str(folder),
                "complete": derivation.complete,
                "rows": found,
                "to_do": derivation.to_do(),
                "notes": derivation.notes,
            }
        )
        return
    out.print(
        text(
            "{count} groups: {base} as in {scheme}, {derived} derived from code and name, {assumption} on "
            "an assumption, {open} need a person",
            count=len(derivation.rows),
            base=found["base"],
            scheme=pack.base,
            derived=found["derived"],
            assumption=found["assumption"],
            open=found["open"],
        )
    )
    for line in derivation.notes:
        out.print(text("  · {line}", line=line), markup=False)
    for line in derivation.to_do():
        out.print(text("  ! {line}", line=line), style="yellow", markup=False)
    out.print(text("pack written: {folder}", folder=folder))
    if derivation.open_rows:
        out.print(
            text(
                "[dim]write the rule of each open row (now 'not 1') in {folder}/drg.csv; derivation.csv says "
                "where each rule comes from[/]",
                folder=folder.name,
            )
        )
