"""``drgsim codes``: look up diagnosis and procedure codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drgsim.analysis.code_search import CodeCard

app = typer.Typer(help="Look up diagnosis and procedure codes. 编码查询", no_args_is_help=True)
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
    from drgsim.cli.terminal import out

    if facts.grey:
        out.print("  [yellow]grey code 灰码[/]: a heading, for which a specific code is to be stated")
        usable = tuple(f"{code} {level}".rstrip() for code, level in facts.usable)
        out.print(f"  usable codes 可用编码: {_some(usable) or 'none 无'}")
    if facts.kind == "diagnosis" and facts.level:
        taken = f", taken away by {facts.exclusion_size:,} principal diagnoses (list {facts.exclusion})"
        out.print(f"  level 级别 in {facts.scheme}: {facts.level}{taken if facts.exclusion_size else ''}")
    if facts.excludes:
        out.print(f"  as principal diagnosis it takes the MCC or CC of other diagnoses away: lists {_some(facts.excludes)}")
    if facts.principal_mdcs:
        out.print(f"  MDC as principal diagnosis 主要诊断大类: {', '.join(facts.principal_mdcs)}")
    if facts.groups:
        out.print(f"  groups whose rules name it 相关分组: {_some(facts.groups)}")
    if facts.lists:
        out.print(f"  code lists 编码清单: {_some(facts.lists)}")


def _show(facts: CodeCard) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out

    kind = {"diagnosis": "diagnosis 诊断", "procedure": "procedure 手术操作"}[facts.kind]
    heading = f"heading 类目 of {len(facts.below)} codes; no code of its own" if facts.below else ""
    known = "" if facts.known else f"  [yellow]{heading or 'not in the national dictionary 医保版无此编码'}[/]"
    out.print(f"[bold]{facts.code}[/] {escape(facts.name)}  [dim]{kind}[/]{known}")
    if facts.known:
        _show_known(facts)
    for version in facts.versions:
        title = _EDITIONS.get(version.version, version.version)
        if version.counterpart:
            note = "" if version.counterpart != facts.code else " (same code 同码)"
            meaning = "  [yellow]another meaning than in 医保版 同码异义[/]" if version.meaning_differs else ""
            out.print(f"  as {title} code it is 医保版 {version.counterpart} {escape(version.name)}{note}{meaning}")
        elif facts.known or not facts.below:
            out.print(f"  no {title} code of this spelling has a counterpart 无{title}对照")
        if facts.known:
            out.print(f"  {title} codes that become it: {_some(version.sources) or 'none 无'}")
    for below, name in facts.below[:_SHOWN_LISTS]:
        out.print(f"  {below} [dim]{escape(name)}[/]")
    if len(facts.below) > _SHOWN_LISTS:
        out.print(
            f"  [dim]... and {len(facts.below) - _SHOWN_LISTS} more codes that begin with {facts.code}; --json lists all[/]"
        )


def _some(names: tuple[str, ...]) -> str:
    more = f" ... and {len(names) - _SHOWN_LISTS} more" if len(names) > _SHOWN_LISTS else ""
    return ", ".join(names[:_SHOWN_LISTS]) + more


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
        out.print(f"no code has {' '.join(words)} in its name 未找到; fewer or shorter words find more")
        raise typer.Exit(1)
    zh = {"diagnosis": "diagnosis 诊断", "procedure": "procedure 手术操作"}
    rows = [[one.code, one.name, zh[one.kind], "grey 灰码" if one.grey else ""] for one in shown]
    rows_table(f"{len(found):,} codes found", ["code", "name", "kind", ""], rows)
    if len(found) > len(shown):
        out.print(f"[dim]the nearest {len(shown)} of {len(found):,} are shown; --limit shows more[/]")
