"""``drgsim policy``: list, show, check, begin, explain and plot payment policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.language import bilingual, joined, text, text_of_data

if TYPE_CHECKING:
    from drgsim.budgets.terms import BudgetTerms
    from drgsim.parameters.evident_values import Parameter
    from drgsim.payment.policy import Policy

app = typer.Typer(help="List, show, check, begin and plot payment policies.", no_args_is_help=True)
COLOURS = {"official": "green", "secondary": "yellow", "assumption": "bold magenta", "derived": "cyan"}
EVIDENCE = {
    "official": text("official"), "secondary": text("secondary"), "assumption": text("assumption"), "derived": text("derived"),
}  # fmt: skip
Name = Annotated[str, typer.Argument(help="Policy such as beijing/2024, or its folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_policies(
    pattern: Annotated[str, typer.Argument(help="Part of the name or Chinese title, or a pattern such as '*/2026'.")] = "",
    method: Annotated[str | None, typer.Option("--method", help="rate, points, dip, per_diem or by_item.")] = None,
    as_json: Json = False,
) -> None:
    """List the policies that ship with drgsim."""
    from drgsim.api import policy_verbs
    from drgsim.cli.terminal import out, print_json, rows_table

    listed = policy_verbs.policies(pattern, method=method).to_arrow().to_pylist()
    if as_json:
        print_json(listed)
        return
    rows = [
        [one["id"], one["region_zh"], one["method"], str(one["groups"] or "-"), f"{one['assumptions']}/{one['parameters']}"]
        for one in listed
    ]
    rows_table(
        text("Payment policies"),
        [text("policy"), text("region"), text("method"), text("groups"), text("assumed")],
        rows,
        right=(3, 4),
        whole=(0,),
    )
    out.print(text("[dim]assumed: parameters without a source, of all; see drgsim policy show POLICY[/]"))


@app.command()
def show(
    policy: Name,
    assumptions: Annotated[bool, typer.Option("--assumptions", help="Only what rests on no source.")] = False,
    budget: Annotated[bool, typer.Option("--budget", help="The budget terms of this name (or general) instead.")] = False,
    as_json: Json = False,
) -> None:
    """Show every parameter with its unit, date, source and evidence (in colour)."""
    from drgsim.api import policy_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.spoken_table import SpokenTable
    from drgsim.cli.terminal import out, print_json, show_note

    shown = policy_verbs.policy_show(policy, assumptions=assumptions, budget=budget)
    loaded: Policy | BudgetTerms
    if shown.terms is not None:
        loaded = shown.terms
        about = text(
            "budget terms, on {base} · verified {verified}",
            base=loaded.file.base or text("nothing else"),
            verified=loaded.file.verified,
        )
    else:
        (loaded,) = shown.policies
        about = text(
            "method {method} · effective from {start} · verified {verified}", method=loaded.file.method,
            start=loaded.file.effective_from or text("unknown"), verified=loaded.file.verified,
        )  # fmt: skip
        about = joined(" · ", [about, *(text("includes {section}", section=name) for name in loaded.file.include)])
    if as_json:
        print_json([_plain(parameter) for parameter in shown.parameters])
        return
    out.print(f"[bold]{escape(loaded.id)}[/] {escape(bilingual(loaded.file.title, loaded.file.title_zh))}")
    out.print(about)
    table = SpokenTable()
    table.add_column(text("evidence"), no_wrap=True)
    table.add_column(text("parameter = value, unit; since when, source"), overflow="fold")
    for parameter in shown.parameters:
        colour = COLOURS[parameter.evidence]
        lines = [
            f"[bold]{parameter.path}[/] = {escape(_words(parameter.value))} [dim]{escape(text_of_data(parameter.unit))}[/]"
        ]
        source = f"{parameter.source_title} ({parameter.source})" if parameter.source_title else parameter.source
        since = text("since {start} · {source}", start=parameter.effective_from, source=source)
        lines.append(f"[dim]{escape(since)}[/]")
        lines += [f"[dim]{escape(parameter.note)}[/]"] if parameter.note else []
        evidence = f"[{colour}]{escape(EVIDENCE[parameter.evidence])}[/]"
        table.add_row(evidence, "\n".join(lines))
    out.print(table)
    for other, differs in getattr(loaded.file, "other_copies", {}).items():  # budget terms rest on no table
        out.print(text("[yellow]other copy[/] {other}: {differs}", other=escape(other), differs=escape(differs)))
    for note in loaded.file.notes:
        show_note(note)


@app.command()
def check(
    policy: Annotated[str, typer.Argument(help="Folder that holds policy.yaml, or a policy such as beijing/2024.")],
    as_json: Json = False,
) -> None:
    """Check a policy and report every mistake at once. Exit code 1 when there are any."""
    from drgsim.api import policy_verbs
    from drgsim.cli.terminal import out, print_json, show_error
    from drgsim.payment.policy import PolicyError
    from drgsim.results.run_record import problem_rows

    checked = policy_verbs.policy_check(policy)
    if as_json:
        print_json(problem_rows(checked.notes))
    elif not checked.ok:
        show_error(PolicyError(checked.notes))
    for read in checked.policies if checked.ok and not as_json else ():
        out.print(
            text(
                "[green]✓[/] {read}: {count} parameters, {assumed} assumptions",
                read=read.id,
                count=len(read.parameters),
                assumed=len(read.assumptions),
            )
        )
    if not checked.ok:
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Region and year of the new policy, such as my-city/2026.")],
    base: Annotated[str, typer.Option("--base", help="Policy that the values are taken from.")] = "beijing/2024",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="New folder; by default REGION/YEAR here.")] = None,
) -> None:
    """Write a commented policy folder to begin with, after another policy; every value in it is an assumption."""
    from drgsim.api import policy_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    (made,) = policy_verbs.policy_new(name, base=base, output=output).policies
    out.print(
        text(
            "[green]✓[/] wrote [bold]{folder}[/]: {count} assumptions to be replaced",
            folder=escape(str(made.folder)),
            count=len(made.assumptions),
        )
    )
    out.print(text("check it with: drgsim policy check {folder}", folder=escape(str(made.folder))), soft_wrap=True)


@app.command()
def explain(policy: Name, path: Annotated[str, typer.Argument(help="Parameter such as unit_value.")]) -> None:
    """Explain one parameter: value, unit, since when, and how well it is founded."""
    from rich.padding import Padding

    from drgsim.api import policy_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    explained = policy_verbs.policy_explain(policy, path)
    (loaded,) = explained.policies
    for parameter in explained.parameters:
        source = loaded.file.sources[parameter.source]
        colour = COLOURS[parameter.evidence]
        out.print(
            f"[bold]{parameter.path}[/] = {escape(_words(parameter.value))} [dim]{escape(text_of_data(parameter.unit))}[/]"
        )
        evidence = f"[{colour}]{escape(EVIDENCE[parameter.evidence])}[/]"
        out.print(text("  from {start} · {evidence}", start=parameter.effective_from, evidence=evidence))
        read_in = f" — {source.read_in}" if source.read_in else ""
        for line in filter(None, (f"{source.title}{read_in}", parameter.note)):
            out.print(Padding(escape(line), (0, 0, 0, 2)))


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    budget: Annotated[bool, typer.Option("--budget", help="Of budget.yaml instead.")] = False,
) -> None:
    """Print the JSON schema of policy.yaml, for editors that complete and check while typing."""
    from drgsim.api import policy_verbs
    from drgsim.cli.terminal import print_json
    from drgsim.results.run_record import json_text
    from drgsim.results.whole_outputs import write_text

    result = policy_verbs.policy_schema(budget=budget)
    if output is None:
        print_json(result)
        return
    write_text(output, json_text(result))


@app.command()
def plot(
    policy: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file.")] = Path("policy.html"),
    coefficient: Annotated[float, typer.Option("--coefficient", "-k", help="Coefficient to draw for.", min=0.01)] = 1.0,
) -> None:
    """Draw the payment curves of a policy and mark their jumps."""
    from drgsim.api import policy_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out
    from drgsim.results.whole_outputs import write_text

    curves = policy_verbs.policy_plot(policy, coefficient=coefficient)
    write_text(output, curves.html)
    for jump in curves.jumps:
        out.print(f"[yellow]{escape(text('jump'))}[/] {escape(jump)}")
    wrote = text("wrote [bold]{output}[/]", output=escape(output))
    out.print(wrote if curves.jumps else text("{wrote} · no jumps", wrote=wrote))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return joined(text(", "), (joined(" ", (key, _words(entry))) for key, entry in value.items() if entry != ""))
    if isinstance(value, tuple):
        return joined(text(", "), map(_words, value))
    if isinstance(value, float):
        return f"{value:.12g}"
    return value if isinstance(value, str) else str(value)


def _plain(parameter: Parameter) -> dict[str, Any]:
    return {
        "path": parameter.path, "value": parameter.value if isinstance(parameter.value, int | float | dict) else
        str(parameter.value), "unit": parameter.unit, "effective_from": parameter.effective_from,
        "evidence": str(parameter.evidence), "source": parameter.source, "source_title": parameter.source_title,
        "note": parameter.note,
    }  # fmt: skip
