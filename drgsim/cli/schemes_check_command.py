"""``drgsim schemes check``: is a pack sound?"""

from __future__ import annotations

from typing import Annotated

import typer

from drgsim.language import bilingual, joined, spoken, text


def check(
    pack: Annotated[str, typer.Argument(help="Folder of a pack or catalogue, or its id.")],
    strict: Annotated[bool, typer.Option("--strict", help="Return 1 also when there is only advice.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check a pack or catalogue: tables, rules, codes, counts, and whether its groups cover every case."""
    from drgsim.api import scheme_verbs
    from drgsim.cli.markup import escape
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
            out.print(text("[dim]· as its tables have it: kept, and told by explain[/]"))
        c = found.counts
        if "mdc" in c:
            sizes = f"{c['mdc']} MDC · {c['adrg']} ADRG · {c['drg']} DRG · {c['qy']} QY"
        else:
            from drgsim.units.dip.dip_catalogue import KINDS

            sizes = joined(" · ", (f"{number:,} {spoken(bilingual(kind, KINDS[kind]))}" for kind, number in c.items()))
        out.print(text("[green]✓[/] {scheme} is sound: {sizes}", scheme=found.scheme.id, sizes=sizes))
    if not found.sound or (strict and found.advice):
        raise typer.Exit(1)
