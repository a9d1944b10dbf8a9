"""``drgsim simulate``: what happens if this changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import PageOption, check_page, write_page
from drgsim.language import bilingual, joined, text, text_of_data

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
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run scenarios against their baselines: fund, hospitals, patients, and why.

    Scenario files are checked whole before anything runs. The results are a folder: tables as Parquet, one workbook, a
    page, and
    the record of the run.
    """
    from drgsim.api import simulation_verbs
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.parameters.option_pairs import parse_pairs
    from drgsim.results.run_record import plain

    changes = parse_pairs(change or []) or None
    check_page(page, [region], output)
    with progress_bar(text("Simulating"), quiet or as_json) as progress:
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
    write_page(result, page, quiet or as_json)


def _new_value(words: str) -> str:
    """A solved value as the table keeps it, put into words again where published standards change with it."""
    values, marked, factor = words.partition("; published standards x ")
    return text("{values}; published standards x {factor:.10g}", values=values, factor=float(factor)) if marked else words


def show_scenario(study: Study, result: ScenarioResult) -> None:
    """One scenario on the terminal: its changes, the headline figures, who wins."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, right_aligned, rows_table

    plan = result.plan
    out.print(f"[bold]{escape(bilingual(plan.title, plan.title_zh))}[/]")
    for kind, steps in ((text("baseline"), plan.baseline_steps), (text("change"), plan.steps)):
        for step in steps:
            out.print(
                f"  [dim]{right_aligned(kind, 8)}[/] {escape(step.path)}: {escape(step.old)} → [bold]{escape(step.new)}[/] "
                f"[dim]{escape(text_of_data(step.unit))}[/]"
            )
    drawn = "change_low" in study.tables["headlines"].column_names
    rows_table(
        f"{study.region.folder.name} {study.year} · {plan.setup.policy.id}",
        [text("figure"), text("baseline"), text("scenario"), text("change, its interval") if drawn else text("change")],
        headline_rows(study.tables["headlines"], plan.name),
        right=(1, 2, 3),
    )
    verdicts = [row["verdict"] for row in study.tables["hospitals"].to_pylist() if row["scenario_name"] == plan.name]
    if verdicts:
        out.print(
            text(
                "hospitals: [green]{wins} win[/] · [red]{loses} lose[/] · {same} the same",
                wins=verdicts.count("wins"),
                loses=verdicts.count("loses"),
                same=verdicts.count("same"),
            )
        )
    _show_effects(study, plan.name)


def show(study: Study, assumptions: int, output: Path) -> None:
    """The answers on the terminal: one table per scenario, then what carries them."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, show_warning

    for result in study.results:
        show_scenario(study, result)
        if result.static is not None:
            _show_behaviour(study, result.plan.name)
        for problem in result.outcome.problems:
            show_warning(problem)
    if "solution" in study.tables:
        for row in study.tables["solution"].to_pylist():
            out.print(
                text(
                    "[bold]{path} {change}[/] ({old} → [bold]{new}[/] {new_unit}) brings {figure} to "
                    "{reached:,.6g} [dim]{unit_values} {note}[/]",
                    path=escape(row["path"]),
                    change=escape(row["change"]),
                    old=escape(row["old"]),
                    new=escape(_new_value(row["new"])),
                    new_unit=escape(text_of_data(row["new_unit"])),
                    figure=escape(row["figure"]),
                    reached=row["reached"],
                    unit_values=escape(row["unit_values"]),
                    note=escape(row["note"]),
                )
            )
    for note in study.notes:
        out.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    if assumptions:
        out.print(
            text(
                "[magenta]{assumptions} assumptions[/] carry these results: sheet assumptions of simulation.xlsx",
                assumptions=assumptions,
            )
        )
    out.print(text("wrote [bold]{output}[/]: open whatif.html", output=escape(str(output))))


def headline_rows(table: pa.Table, name: str) -> list[list[str]]:
    """The most important figures of one scenario as texts."""
    rows = []
    for row in table.to_pylist():
        if row["scenario_name"] != name or row["figure"] not in SHOWN:
            continue
        figure, change = figure_name(row), number(row["change"], row["unit"], sign=True)
        if "change_low" in row:  # on a second line, so that a row fits 80 columns
            low, high = (number(row[end], row["unit"], sign=True) for end in ("change_low", "change_high"))
            change = f"{change}\n{low} … {high}"
        rows.append([figure, *(number(row[side], row["unit"]) for side in ("baseline", "scenario")), change])
    return rows


def figure_name(row: Mapping[str, Any]) -> str:
    """A headline figure; for readers of Chinese with its title."""
    return bilingual(row["figure"], f"{row['title_zh']} {row['figure']}")


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
            figure_name(row),
            *(number(row[side], row["unit"], sign=True) for side in ("static_change", "behaviour_change")),
        ]
        for row in study.tables["headlines"].to_pylist()
        if row["scenario_name"] == name and row["figure"] in SHOWN and row["behaviour_change"]
    ]
    rows_table(text("Static and behavioural effect"), [text("figure"), text("static"), text("behaviour")], rows, right=(1, 2))


def _show_effects(study: Study, name: str) -> None:
    from drgsim.cli.terminal import out
    from drgsim.simulation.decompose import EFFECTS, EFFECTS_ZH

    for row in study.tables["decomposition"].to_pylist():
        if row["scenario_name"] == name and row["hospital"] == "all":
            parts = [
                text("{effect} {amount:+,.0f}", effect=bilingual(effect, EFFECTS_ZH[effect]), amount=float(row[effect]))
                for effect in EFFECTS
                if abs(row[effect]) >= 1
            ]
            what = joined(" · ", parts) if parts else text("nothing")
            told = text("fund change {change:+,.0f} yuan = {effects}", change=float(row["fund_change"]), effects=what)
            out.print(told, soft_wrap=True)
