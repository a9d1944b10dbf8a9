"""``drgsim scenarios``: list, describe and check scenario files, and the paths that they may change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.policy_command import EVIDENCE
from drgsim.language import bilingual, joined, spoken, text, text_of_data

if TYPE_CHECKING:
    from drgsim.simulation.setup import Step

app = typer.Typer(help="List, describe and check scenarios.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Names = Annotated[list[str], typer.Argument(help="Scenario files, or names of shipped ones.", show_default=False)]
RegionOption = Annotated[Path | None, typer.Option("--region", "-r", help="Region folder; the sample region by default.")]
PolicyOption = Annotated[str | None, typer.Option("--policy", "-p", help="Policy, in place of the scenario's own.")]


@app.command("list")
def list_scenarios(as_json: Json = False) -> None:
    """List the scenarios that ship with drgsim."""
    from drgsim.api import scenario_verbs
    from drgsim.cli.terminal import print_json, rows_table

    files = scenario_verbs.scenarios().scenarios
    if as_json:
        print_json([{"name": one.name, **one.file.model_dump(mode="json")} for one in files])
        return
    rows = [
        [
            one.name,
            bilingual(one.file.title, one.file.title_zh),
            one.file.baseline.policy or text("any"),
            EVIDENCE[one.file.evidence],
        ]
        for one in files
    ]
    rows_table(text("Scenarios"), [text("scenario"), text("title"), text("policy"), text("evidence")], rows, whole=(0, 2))


@app.command()
def describe(names: Names, region: RegionOption = None, policy: PolicyOption = None, as_json: Json = False) -> None:
    """Show what scenarios change: old and new value, with unit."""
    from drgsim.api import scenario_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, print_json, rows_table, show_note

    plans = scenario_verbs.scenario_describe(names, region=region, policy=policy).plans
    if as_json:
        from dataclasses import asdict

        print_json([
            {"name": plan.name, "title": plan.title, "policy": plan.baseline.policy.id,
             "baseline": [asdict(step) for step in plan.baseline_steps], "changes": [asdict(step) for step in plan.steps]}
            for plan in plans
        ])  # fmt: skip
        return
    for plan in plans:
        file = plan.scenarios[0].file
        out.print(f"[bold]{escape(bilingual(plan.title, plan.title_zh))}[/]")
        out.print(
            text(
                "[dim]author[/] {author} · [dim]reference[/] {reference} · [dim]evidence[/] {evidence}",
                author=escape(file.author),
                reference=escape(file.reference),
                evidence=EVIDENCE[file.evidence],
            ),
            soft_wrap=True,
        )
        policy_file = plan.baseline.policy.file
        title = escape(bilingual(policy_file.title, policy_file.title_zh))
        out.print(text("[dim]policy[/] {policy} · {title}", policy=plan.baseline.policy.id, title=title))
        rows = [[text("baseline"), *_described(step)] for step in plan.baseline_steps]
        rows += [[text("change"), *_described(step)] for step in plan.steps]
        rows_table("", ["", text("path"), text("old → new, unit")], rows, whole=(0, 1))
        for note in file.notes:
            show_note(note)


def _described(step: Step) -> list[str]:
    change = text("{old} → {new}  {unit}", old=step.old, new=step.new, unit=text_of_data(step.unit))
    return [step.path, change]


@app.command()
def check(names: Names, region: RegionOption = None, policy: PolicyOption = None) -> None:
    """Check scenario files whole, against their policy and a region. Exit code 1 when anything is wrong."""
    from drgsim.api import scenario_verbs
    from drgsim.cli.terminal import out, show_error
    from drgsim.simulation.scenario import ScenarioError

    checked = scenario_verbs.scenario_check(names, region=region, policy=policy)
    if not checked.ok:
        show_error(ScenarioError(checked.notes))
        raise typer.Exit(1)
    for plan in checked.plans:
        out.print(
            text(
                "[green]✓[/] {plan}: {count} changes of {policy}",
                plan=plan.name,
                count=len(plan.steps),
                policy=plan.baseline.policy.id,
            )
        )


@app.command()
def paths(as_json: Json = False) -> None:
    """List what a scenario may change beside the parameters of the policy (drgsim policy show)."""
    from drgsim.api import scenario_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, print_json

    specs = scenario_verbs.scenario_paths().specs
    if as_json:
        print_json([spec.model_dump(mode="json") for spec in specs])
        return
    for spec in specs:
        out.print(f"[bold]{escape(_shown(spec.path))}[/]  {escape(bilingual(spec.title, spec.title_zh))}", soft_wrap=True)
        told: list[str] = [text_of_data(spec.unit)]
        if spec.changes == "setting" and spec.typical:
            told.append(text("default {default}, try {typical}", default=spec.default, typical=spec.typical))
        elif spec.changes == "setting":
            told.append(text("default {default}", default=spec.default))
        if spec.evidence:
            told.append(text("{evidence}: {source}", evidence=EVIDENCE[spec.evidence], source=spec.source))
        out.print(f"  [dim]{escape(joined(' · ', told))}[/]", soft_wrap=True)


def _shown(path: str) -> str:
    """A path with slots that a reader understands."""
    words = {
        "rate_key": text("level or payer"),
        "unit_kind": "mdc|adrg|group",
        "hospitals": "all|level.2|hospital.H001",
        "cases": ".selectors",
    }
    for slot, word in words.items():
        path = path.replace(f"<{slot}>", f"<{spoken(word)}>")
    return path
