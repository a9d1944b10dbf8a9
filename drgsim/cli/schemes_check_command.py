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
    from rich.markup import escape

    from drgsim.api import scheme_verbs
    from drgsim.cli.terminal import out, print_json, show_error

    found = scheme_verbs.schemes_check(pack)
    if as_json:
        counts = {"counts": found.counts} if found.sound else {}
        problems = [vars(problem) for problem in found.error.problems] if found.error else []
        told = {
            name: [{"code": each.code, "what": each.what} for each in findings]
            for name, findings in (("advice", found.advice), ("lists", found.lists))
        }
        print_json({"sound": found.sound, "problems": problems, **told, **counts})
    elif found.error:
        show_error(found.error)
    elif found.scheme:
        for mark, findings in (("[yellow]![/]", found.advice), ("[dim]·[/]", found.lists)):
            for each in findings:
                out.print(f"{mark} {escape(each.what)} [dim]{escape(f'[{each.code}]')}[/]")
        if found.lists:
            out.print("[dim]· as its tables have it: kept, and told by explain 按公布的表保留[/]")
        c = found.counts
        if "mdc" in c:
            sizes = f"{c['mdc']} MDC · {c['adrg']} ADRG · {c['drg']} DRG · {c['qy']} QY"
        else:
            sizes = " · ".join(f"{number:,} {kind}" for kind, number in c.items())
        out.print(f"[green]✓[/] {found.scheme.id} is sound: {sizes}")
    if not found.sound or (strict and found.advice):
        raise typer.Exit(1)
