"""``drgsim policy``: list, show, check, explain and plot payment policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drgsim.budgets.terms import BudgetTerms
    from drgsim.parameters.evident_values import Parameter
    from drgsim.payment.policy import Policy

app = typer.Typer(help="List, show, check and plot payment policies. 支付政策", no_args_is_help=True)
COLOURS = {"official": "green", "secondary": "yellow", "assumption": "bold magenta", "derived": "cyan"}
EVIDENCE_ZH = {"official": "官方", "secondary": "二手", "assumption": "假设", "derived": "推算"}
Name = Annotated[str, typer.Argument(help="Policy such as beijing/2024, or its folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_policies(as_json: Json = False) -> None:
    """List the policies that ship with drgsim."""
    from drgsim.cli.terminal import print_json, rows_table
    from drgsim.payment.policy import load_policy, policy_names

    policies = [load_policy(name) for name in policy_names()]
    if as_json:
        print_json([
            {"id": p.id, "title": p.file.title, "title_zh": p.file.title_zh, "method": p.file.method, "scheme": p.file.scheme,
             "groups": len(p.prices.codes) if p.prices else 0, "assumptions": len(p.assumptions), "digest": p.digest}
            for p in policies
        ])  # fmt: skip
        return
    rows = [
        [p.id, p.file.title_zh, p.file.method, str(len(p.prices.codes)) if p.prices else "-",
         f"{len(p.assumptions)}/{len(p.parameters)}"]
        for p in policies
    ]  # fmt: skip
    rows_table("Payment policies 支付政策", ["policy", "title", "method", "groups", "assumed"], rows, right=(3, 4), whole=(0,))


@app.command()
def show(
    policy: Name,
    assumptions: Annotated[bool, typer.Option("--assumptions", help="Only what rests on no source.")] = False,
    budget: Annotated[bool, typer.Option("--budget", help="The budget terms of this name (or general) instead.")] = False,
    as_json: Json = False,
) -> None:
    """Show every parameter with its unit, date, source and evidence (in colour)."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from drgsim.cli.terminal import out, print_json
    from drgsim.payment.policy import load_policy

    loaded: Policy | BudgetTerms
    if budget:
        from drgsim.budgets.terms import load_terms

        loaded = load_terms(policy)
        about = f"budget terms, on {loaded.file.base or 'nothing else'} · verified {loaded.file.verified}"
    else:
        loaded = load_policy(policy)
        start = loaded.file.effective_from or "unknown"
        about = f"method {loaded.file.method} · effective from {start} · verified {loaded.file.verified}"
    chosen = loaded.assumptions if assumptions else loaded.parameters
    if as_json:
        print_json([_plain(parameter) for parameter in chosen])
        return
    out.print(f"[bold]{escape(loaded.id)}[/] {escape(loaded.file.title_zh)} · {escape(loaded.file.title)}")
    out.print(about)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("evidence 依据", no_wrap=True)
    table.add_column("parameter = value, unit; since when, source", overflow="fold")
    for parameter in chosen:
        colour = COLOURS[parameter.evidence]
        lines = [f"[bold]{parameter.path}[/] = {escape(_words(parameter.value))} [dim]{escape(parameter.unit)}[/]"]
        lines.append(f"[dim]since {parameter.effective_from} · {escape(parameter.source)}[/]")
        lines += [f"[dim]{escape(parameter.note)}[/]"] if parameter.note else []
        evidence = f"[{colour}]{parameter.evidence} {EVIDENCE_ZH[parameter.evidence]}[/]"
        table.add_row(evidence, "\n".join(lines))
    out.print(table)
    for note in loaded.file.notes:
        out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder that holds policy.yaml.")],
    as_json: Json = False,
) -> None:
    """Check a policy folder and report every mistake at once. Exit code 1 when there are any."""
    from drgsim.cli.terminal import out, print_json, show_error
    from drgsim.errors import Problem, UsageError
    from drgsim.payment.policy import POLICY_FILE, PolicyError, read_folder
    from drgsim.results.run_record import problem_rows

    if not (folder / POLICY_FILE).is_file():
        raise UsageError([Problem("policy-no-file", f"{folder} holds no {POLICY_FILE}", where=str(folder))])
    policy, problems = read_folder(folder)
    if as_json:
        print_json(problem_rows(problems))
    elif problems:
        show_error(PolicyError(problems))
    elif policy is not None:
        out.print(f"[green]✓[/] {policy.id}: {len(policy.parameters)} parameters, {len(policy.assumptions)} assumptions")
    if problems:
        raise typer.Exit(1)


@app.command()
def explain(policy: Name, path: Annotated[str, typer.Argument(help="Parameter such as unit_value.")]) -> None:
    """Explain one parameter: value, unit, since when, and how well it is founded."""
    from rich.markup import escape

    from drgsim.cli.terminal import out
    from drgsim.errors import Problem, UsageError, did_you_mean
    from drgsim.payment.policy import load_policy

    loaded = load_policy(policy)
    known = [parameter.path for parameter in loaded.parameters]
    found = [p for p in loaded.parameters if p.path == path or p.path.startswith(f"{path}.") or path.startswith(f"{p.path}.")]
    if not found:
        fix = did_you_mean(path, known) or f"the parameters are {', '.join(known)}"
        raise UsageError([Problem("policy-unknown-path", f"{loaded.id} has no parameter {path}", fix=fix)])
    for parameter in found:
        source = loaded.file.sources[parameter.source]
        colour = COLOURS[parameter.evidence]
        out.print(f"[bold]{parameter.path}[/] = {escape(_words(parameter.value))} [dim]{escape(parameter.unit)}[/]")
        out.print(f"  from {parameter.effective_from} · [{colour}]{parameter.evidence} {EVIDENCE_ZH[parameter.evidence]}[/]")
        out.print(f"  {escape(source.title)}" + (f" — {escape(source.read_in)}" if source.read_in else ""), soft_wrap=True)
        if parameter.note:
            out.print(f"  {escape(parameter.note)}", soft_wrap=True)


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    budget: Annotated[bool, typer.Option("--budget", help="Of budget.yaml instead.")] = False,
) -> None:
    """Print the JSON schema of policy.yaml, for editors that complete and check while typing."""
    from drgsim.cli.terminal import print_json
    from drgsim.payment.policy_model import PolicyFile

    if budget:
        from drgsim.budgets.terms import terms_schema

        result = terms_schema()
    else:
        result = PolicyFile.model_json_schema()
    if output is None:
        print_json(result)
        return
    from drgsim.results.run_record import json_text
    from drgsim.results.whole_outputs import write_text

    write_text(output, json_text(result))


@app.command()
def plot(
    policy: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file.")] = Path("policy.html"),
    coefficient: Annotated[float, typer.Option("--coefficient", "-k", help="Coefficient to draw for.", min=0.01)] = 1.0,
) -> None:
    """Draw the payment curves of a policy and mark their jumps."""
    from rich.markup import escape

    from drgsim.cli.terminal import out
    from drgsim.payment.policy import load_policy
    from drgsim.report.curve_page import plot_policy

    loaded = load_policy(policy)
    jumps = plot_policy(loaded, output, coefficient)
    for jump in jumps:
        out.print(f"[yellow]jump[/] {escape(jump)}")
    out.print(f"wrote [bold]{escape(str(output))}[/]" + ("" if jumps else " · no jumps"))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(entry)}" for key, entry in value.items() if entry != "")
    if isinstance(value, tuple):
        return ", ".join(_words(entry) for entry in value)
    return str(value)


def _plain(parameter: Parameter) -> dict[str, Any]:
    return {
        "path": parameter.path, "value": parameter.value if isinstance(parameter.value, int | float | dict) else
        str(parameter.value), "unit": parameter.unit, "effective_from": parameter.effective_from,
        "evidence": str(parameter.evidence), "source": parameter.source, "note": parameter.note,
    }  # fmt: skip
