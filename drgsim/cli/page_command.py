"""``drgsim page``: a grouper in one HTML file, for machines without Python and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import spoken, text

if TYPE_CHECKING:
    from drgsim.api.page_verb import GrouperPage


def page(
    schemes: Annotated[
        list[str], typer.Argument(help=text("DRG schemes and DIP catalogues, ids or folders; the first is shown first."))
    ],
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", "-p", help=text("Policy that prices the groups of its scheme, may repeat."), show_default=False
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help=text("The page, one file."))] = Path("grouper.html"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=text("Print nothing but errors."))] = False,
) -> None:
    """Write a page that groups, explains and prices in any browser: double-click, no install, no network. 单页分组器"""
    from drgsim.api import page_verb

    made = page_verb.grouper_page(schemes, policies=policies or (), output=output)
    if not quiet:
        _show(made, output)


def _show(made: GrouperPage, output: Path) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out

    size = output.stat().st_size / 1e6
    shown = f"[bold]{escape(str(output))}[/]"
    out.print(spoken(text("{path}: {size:.1f} MB, open it in any browser; it needs no network", path=shown, size=size)))
    for each in (*made.parts.data["schemes"], *made.parts.data["policies"]):
        out.print(f"  {escape(each['id'])}  {escape(spoken_title(each['title']))}  [dim]{each['digest'][:16]}[/]")
    for priced in made.parts.data["policies"]:
        rules = ", ".join(spoken_title(rule) for rule in priced["left_out"])
        if rules:
            said = text("{policy}: the page does not follow these rules: {rules}", policy=priced["id"], rules=rules)
            out.print(f"  [yellow]![/] {escape(spoken(said))}", soft_wrap=True)


def spoken_title(title: dict[str, str]) -> str:
    """A title that stands in both languages, in the current one."""
    from drgsim.language import current_language

    return title[current_language()]
