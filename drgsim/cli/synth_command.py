"""``drgsim synth``: make a synthetic region of hospital discharges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.errors import Problem, UsageError

if TYPE_CHECKING:
    from drgsim.synthetic.region_summary import Summary


def synth(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder for the region.", show_default=False)
    ] = None,
    hospitals: Annotated[int, typer.Option("--hospitals", help="Number of hospitals.")] = 24,
    cases: Annotated[int, typer.Option("--cases", help="Number of discharges, all years together.")] = 300_000,
    years: Annotated[str, typer.Option("--years", help="Years of discharge: 2024-2026 or 2025.")] = "2024-2026",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    dirty: Annotated[float, typer.Option("--dirty", help="Share of records to break in named ways.")] = 0.0,
    priors: Annotated[
        Path | None,
        typer.Option("--priors", help="Folder of priors that take the place of the bundled ones.", show_default=False),
    ] = None,
    export_priors: Annotated[
        Path | None,
        typer.Option("--export-priors", help="Write the bundled priors to this new folder instead.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Make a synthetic region: hospitals, discharges, enrolment and fund. 生成合成地区数据

    All of it is invented and labelled so. The folder appears whole or not at all; nothing is overwritten.
    """
    from drgsim.api import synth_verbs
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.version import __version__

    if export_priors is not None:
        for path in synth_verbs.synth_priors(export_priors):
            if not quiet:
                typer.echo(str(path))
        return
    if output is None:
        raise UsageError([Problem("usage-no-output", "there is no folder for the region", "--output", fix="add --output DIR")])
    with progress_bar("Making the region", quiet or as_json) as progress:
        made = synth_verbs.synth(
            output,
            hospitals=hospitals,
            cases=cases,
            years=years,
            seed=seed,
            dirty=dirty,
            priors=priors,
            progress=None if progress is None else lambda done, total: progress(done / total, done),
        )
    if as_json:
        print_json({"drgsim": __version__, **made.values()})
    elif not quiet:
        show_summary(made.summary)


def show_summary(made: Summary) -> None:
    """The region as a table on the terminal."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from drgsim.cli.terminal import out, percent

    table = Table(
        title="Synthetic region 合成数据", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("")
    table.add_column("discharges", justify="right")
    table.add_column("share", justify="right")
    for year, number in made.by_year.items():
        table.add_row(year, f"{number:,}", percent(number, made.cases))
    table.add_section()
    for level, number in made.by_level.items():
        table.add_row(f"level {level} hospitals", f"{number:,}", percent(number, made.cases))
    table.add_section()
    for name, number in [*made.truth.items(), ("dirty", made.dirty)]:
        table.add_row(f"planted: {name}", f"{number:,}", percent(number, made.cases))
    out.print(table)
    cost, fund = made.total_cost_fen / 1e10, made.fund_paid_fen / 1e10
    what = f"{made.cases:,} discharges of {made.hospitals} hospitals; cost {cost:,.2f} 亿元, fund {fund:,.2f} 亿元"
    out.print(
        f"{what}; {made.diseases_drawn} diseases, {made.pathways_drawn} care pathways -> {escape(made.folder)}", soft_wrap=True
    )
    sourced = ", ".join(f"{number:,} {kind}" for kind, number in made.figures.items() if kind != "assumption")
    own = f"own files {', '.join(made.own_priors)}" if made.own_priors else "the bundled ones"
    out.print(f"priors: {escape(own)}; figures {sourced}, {made.figures['assumption']:,} assumed", soft_wrap=True)
