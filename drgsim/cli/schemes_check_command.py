"""``drgsim schemes check``: is a pack sound?"""

from __future__ import annotations

from typing import Annotated

import typer


def check(
    pack: Annotated[str, typer.Argument(help="Folder of a pack or catalogue, or its id.")],
    strict: Annotated[bool, typer.Option("--strict", help="Return 1 also when there is only advice.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check a pack or catalogue: tables, rules, codes, counts, and whether its groups cover every case. 检查方案包"""
    from drgsim.cli.terminal import out, print_json, show_error
    from drgsim.errors import SchemeError
    from drgsim.units.dip.catalogue_check import CatalogueCheck, check_catalogue
    from drgsim.units.schemes.pack import find_pack, is_dip
    from drgsim.units.schemes.pack_check import PackReport, check_pack

    try:
        report: PackReport | CatalogueCheck = check_catalogue(pack) if is_dip(find_pack(pack)) else check_pack(pack)
    except SchemeError as error:
        if as_json:
            print_json({"sound": False, "problems": [vars(problem) for problem in error.problems], "advice": []})
        else:
            show_error(error)
        raise typer.Exit(1) from error
    if as_json:
        print_json({"sound": True, "problems": [], "advice": report.advice, "counts": dict(report.scheme.counts)})
    else:
        for line in report.advice:
            out.print(f"[yellow]![/] {line}")
        c = report.scheme.counts
        if isinstance(report, PackReport):
            sizes = f"{c['mdc']} MDC · {c['adrg']} ADRG · {c['drg']} DRG · {c['qy']} QY"
        else:
            sizes = " · ".join(f"{number:,} {kind}" for kind, number in c.items())
        out.print(f"[green]✓[/] {report.scheme.id} is sound: {sizes}")
    if strict and report.advice:
        raise typer.Exit(1)
