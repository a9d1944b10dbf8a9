"""``drgsim simulate``: what happens if this changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from drgsim.simulation.study import ScenarioResult, Study

SHOWN = (
    "fund.balance", "fund.payment", "hospital.payment", "hospital.margin", "hospital.gaining", "budget.surplus_share",
    "liquidity.least_days", "liquidity.short", "liquidity.paid_ahead",
    "patient.payment", "patient.share", "cases", "cmi", "equity.margin_spread",
)  # fmt: skip


def simulate(
    region: Annotated[
        Path, typer.Argument(help="Region folder: discharges-YYYY, hospitals.csv, fund.csv.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", help="Scenario file, or a shipped one. Repeat it.")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", "-p", help="Policy, in place of the scenario's own.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="PATH=VALUE: change what a scenario could, without a file, such as rate.base='*1.03'."),
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year of the discharges; the last one by default.")] = None,
    stack: Annotated[bool, typer.Option("--stack", help="Each scenario on top of those before it.")] = False,
    draws: Annotated[int, typer.Option(help="Draws of cases and of ranges, for intervals (40 or more); 0: none.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
    level: Annotated[float, typer.Option(help="Level of the intervals.", min=0.5, max=0.999)] = 0.95,
    decomposition: Annotated[str, typer.Option(help="How a change is taken apart: sequential or shapley.")] = "sequential",
    tornado: Annotated[bool, typer.Option("--tornado", help="Each change and each range alone.")] = False,
    solve: Annotated[str | None, typer.Option("--solve", help="Path to solve for, such as rate.base.")] = None,
    target: Annotated[str | None, typer.Option("--target", help='What to reach: "fund.balance=0".')] = None,
    between: Annotated[str | None, typer.Option("--between", help='Where to look: "*0.5..*2" or "9000..15000".')] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run scenarios against their baselines: fund, hospitals, patients, and why. 情景模拟

    Scenario files are checked whole before anything runs. The results are a folder: tables as Parquet, one workbook, a
    page, and
    the record of the run.
    """
    from drgsim.api import simulation_verbs
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.parameters.option_pairs import parse_pairs
    from drgsim.results.run_record import plain

    changes = parse_pairs(change or []) or None
    with progress_bar("Simulating", quiet or as_json) as progress:
        result = simulation_verbs.simulate(
            region, scenario or [], policy=policy, changes=changes, year=year, stack=stack, draws=draws, seed=seed,
            level=level, decomposition=decomposition, tornado=tornado, solve=solve, target=target, between=between,
            progress=progress,
        )  # fmt: skip
    result.save_folder(output, ("parquet", "xlsx", "html"), replace=True)
    if as_json:
        print_json(plain(result.record))
    elif not quiet:
        show(result.study, len(result.record["assumptions"]), output)


def show_scenario(study: Study, result: ScenarioResult) -> None:
    """One scenario on the terminal: its changes, the headline figures, who wins."""
    from rich.markup import escape

    from drgsim.cli.terminal import out, rows_table

    plan = result.plan
    out.print(f"[bold]{escape(plan.title)}[/] {escape(plan.title_zh)}")
    for kind, steps in (("baseline", plan.baseline_steps), ("change", plan.steps)):
        for step in steps:
            out.print(
                f"  [dim]{kind:>8}[/] {escape(step.path)}: {escape(step.old)} → [bold]{escape(step.new)}[/] "
                f"[dim]{escape(step.unit)}[/]"
            )
    drawn = "change_low" in study.tables["headlines"].column_names
    rows_table(
        f"{study.region.folder.name} {study.year} · {plan.setup.policy.id}",
        ["figure", "baseline", "scenario", "change, its interval" if drawn else "change"],
        headline_rows(study.tables["headlines"], plan.name),
        right=(1, 2, 3),
    )
    verdicts = [row["verdict"] for row in study.tables["hospitals"].to_pylist() if row["scenario_name"] == plan.name]
    if verdicts:
        out.print(
            f"hospitals: [green]{verdicts.count('wins')} win[/] · [red]{verdicts.count('loses')} lose[/] · "
            f"{verdicts.count('same')} the same"
        )
    _show_effects(study, plan.name)


def show(study: Study, assumptions: int, output: Path) -> None:
    """The answers on the terminal: one table per scenario, then what carries them."""
    from rich.markup import escape

    from drgsim.cli.terminal import out

    for result in study.results:
        show_scenario(study, result)
        if result.static is not None:
            _show_behaviour(study, result.plan.name)
        for problem in result.outcome.problems:
            out.print(f"[yellow]![/] {escape(problem.what)} [dim]\\[{problem.code}][/]", soft_wrap=True)
    if "solution" in study.tables:
        for row in study.tables["solution"].to_pylist():
            out.print(
                f"[bold]{escape(row['path'])} {escape(row['change'])}[/] ({escape(row['old'])} → [bold]{escape(row['new'])}[/] "
                f"{escape(row['new_unit'])}) brings {escape(row['figure'])} to "
                f"{row['reached']:,.6g} [dim]{escape(row['unit_values'])} {escape(row['note'])}[/]"
            )
    for note in study.notes:
        out.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    if assumptions:
        out.print(f"[magenta]{assumptions} assumptions 假设[/] carry these results: sheet assumptions of simulation.xlsx")
    out.print(f"wrote [bold]{escape(str(output))}[/]: open whatif.html")


def headline_rows(table: pa.Table, name: str) -> list[list[str]]:
    """The most important figures of one scenario as texts."""
    rows = []
    for row in table.to_pylist():
        if row["scenario_name"] != name or row["figure"] not in SHOWN:
            continue
        figure, change = row["figure"], number(row["change"], row["unit"], sign=True)
        if "change_low" in row:  # on a second line, so that a row fits 80 columns
            low, high = (number(row[end], row["unit"], sign=True) for end in ("change_low", "change_high"))
            figure, change = f"{figure}\n{row['title_zh']}", f"{change}\n{low} … {high}"
        else:
            figure = f"{figure} {row['title_zh']}"
        rows.append([figure, *(number(row[side], row["unit"]) for side in ("baseline", "scenario")), change])
    return rows


def number(value: float | None, unit: str, sign: bool = False) -> str:
    """A figure as text by its unit."""
    if value is None:
        return "–"
    plus = "+" if sign else ""
    if unit == "share":
        return f"{100 * value:{plus}.2f} %"
    if unit == "index":
        return f"{value:{plus}.4f}"
    return f"{value:{plus},.0f}" if abs(value) >= 1000 or value == 0 else f"{value:{plus},.2f}"


def _show_behaviour(study: Study, name: str) -> None:
    from drgsim.cli.terminal import rows_table

    rows = [
        [
            f"{row['figure']} {row['title_zh']}",
            *(number(row[side], row["unit"], sign=True) for side in ("static_change", "behaviour_change")),
        ]
        for row in study.tables["headlines"].to_pylist()
        if row["scenario_name"] == name and row["figure"] in SHOWN and row["behaviour_change"]
    ]
    rows_table("Static and behavioural effect 静态与行为效应", ["figure", "static 静态", "behaviour 行为"], rows, right=(1, 2))


def _show_effects(study: Study, name: str) -> None:
    from drgsim.cli.terminal import out
    from drgsim.simulation.decompose import EFFECTS, EFFECTS_ZH

    for row in study.tables["decomposition"].to_pylist():
        if row["scenario_name"] == name and row["hospital"] == "all":
            parts = [f"{effect} {EFFECTS_ZH[effect]} {float(row[effect]):+,.0f}" for effect in EFFECTS if abs(row[effect]) >= 1]
            out.print(
                f"fund change {float(row['fund_change']):+,.0f} yuan = " + (" · ".join(parts) or "nothing"), soft_wrap=True
            )
