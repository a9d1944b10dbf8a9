"""``drgsim codes``: look up diagnosis and procedure codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import spoken, text

if TYPE_CHECKING:
    from drgsim.analysis.code_search import CodeCard

app = typer.Typer(help="Look up diagnosis and procedure codes.", no_args_is_help=True)
_SHOWN_LISTS = 12
_EDITIONS = {"gl2": "国临版"}


@app.command()
def show(
    code: Annotated[str, typer.Argument(help="Code in any spelling; I21.0 shows the codes below it.")],
    scheme: Annotated[
        str | None, typer.Option("--scheme", "-s", help="Scheme that says what the code does; the national one by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show a code: its name, what a scheme does with it, and its counterparts in other editions."""
    from drgsim.api import code_verbs
    from drgsim.cli.terminal import print_json

    facts = code_verbs.codes_show(code, scheme=scheme).cards
    if as_json:
        print_json([one.to_dict() for one in facts] if len(facts) != 1 else facts[0].to_dict())
        return
    for one in facts:
        _show(one)


def _show_known(facts: CodeCard) -> None:

    if facts.grey:
        _tell(text("[yellow]grey code[/]: a heading, for which a specific code is to be stated"))
        usable = tuple(f"{code} {level}".rstrip() for code, level in facts.usable)
        _tell(text("usable codes: {some}", some=_some(usable) or text("none")))
    if facts.kind == "diagnosis" and facts.level:
        level = text("level in {scheme}: {level}", scheme=facts.scheme, level=facts.level)
        if facts.exclusion_size:
            level = text(
                "{level}, taken away by {count:,} principal diagnoses (list {exclusion})",
                level=level, count=facts.exclusion_size, exclusion=facts.exclusion,
            )  # fmt: skip
        _tell(level)
    if facts.excludes:
        some = _some(facts.excludes)
        _tell(text("as principal diagnosis it takes the MCC or CC of other diagnoses away: lists {some}", some=some))
    if facts.principal_mdcs:
        _tell(text("MDC as principal diagnosis: {names}", names=", ".join(facts.principal_mdcs)))
    if facts.groups:
        _tell(text("groups whose rules name it: {some}", some=_some(facts.groups)))
    if facts.lists:
        _tell(text("code lists: {some}", some=_some(facts.lists)))


def _show(facts: CodeCard) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    kind = {"diagnosis": text("diagnosis"), "procedure": text("procedure")}[facts.kind]
    heading = text("heading of {count} codes; no code of its own", count=len(facts.below)) if facts.below else ""
    known = "" if facts.known else f"  [yellow]{escape(heading or text('not in the national dictionary'))}[/]"
    out.print(f"[bold]{facts.code}[/] {escape(facts.name)}  [dim]{escape(kind)}[/]{known}")
    if facts.known:
        _show_known(facts)
    for version in facts.versions:
        title = _EDITIONS.get(version.version, version.version)
        if version.counterpart:
            what = f"{version.counterpart} {escape(version.name)}"
            said = text("as {edition} code it is 医保版 {code}", edition=title, code=what)
            if version.counterpart == facts.code:
                said = text("{said} (same code)", said=said)
            if version.meaning_differs:
                said = text("{said}  [yellow]another meaning than in 医保版[/]", said=said)
            _tell(said)
        elif facts.known or not facts.below:
            _tell(text("no {edition} code of this spelling has a counterpart", edition=title))
        if facts.known:
            some = _some(version.sources) or text("none")
            _tell(text("{edition} codes that become it: {some}", edition=title, some=some))
    for below, name in facts.below[:_SHOWN_LISTS]:
        out.print(f"  {below} [dim]{escape(name)}[/]")
    if len(facts.below) > _SHOWN_LISTS:
        more = len(facts.below) - _SHOWN_LISTS
        _tell(text("[dim]... and {count} more codes that begin with {code}; --json lists all[/]", count=more, code=facts.code))


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN_LISTS])
    if len(names) <= _SHOWN_LISTS:
        return shown
    return text("{shown} ... and {count} more", shown=shown, count=len(names) - _SHOWN_LISTS)


def _tell(said: str) -> None:
    """A line below a code."""
    from drgsim.cli.terminal import out

    out.print(f"  {spoken(said)}")


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words that the name or code must hold, all of them.")],
    kind: Annotated[str, typer.Option(help="diagnosis, procedure or all.")] = "all",
    limit: Annotated[int, typer.Option(min=1, help="Most codes to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Search codes by their Chinese names; the nearest first."""
    from drgsim.api import code_verbs
    from drgsim.cli.terminal import out, print_json, rows_table

    found = code_verbs.codes_search(words, kind=kind, limit=limit).found
    shown = found[:limit]
    if as_json:
        values = [{"code": one.code, "name": one.name, "kind": one.kind, "grey": one.grey} for one in shown]
        print_json({"found": len(found), "shown": len(shown), "codes": values})
        return
    if not found:
        out.print(text("no code has {words} in its name; fewer or shorter words find more", words=" ".join(words)))
        raise typer.Exit(1)
    zh = {"diagnosis": text("diagnosis"), "procedure": text("procedure")}
    rows = [[one.code, one.name, zh[one.kind], text("grey") if one.grey else ""] for one in shown]
    rows_table(text("{count:,} codes found", count=len(found)), [text("code"), text("name"), text("kind"), ""], rows)
    if len(found) > len(shown):
        out.print(
            text("[dim]the nearest {count} of {all:,} are shown; --limit shows more[/]", count=len(shown), all=len(found))
        )
