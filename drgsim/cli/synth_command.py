"""``drgsim synth``: make a synthetic region of hospital discharges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.policy_command import EVIDENCE
from drgsim.errors import Problem, UsageError
from drgsim.language import joined, spoken, text

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
    """Make a synthetic region: hospitals, discharges, enrolment and fund.

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
        raise UsageError(
            [Problem("usage-no-output", text("there is no folder for the region"), "--output", fix=text("add --output DIR"))]
        )
    with progress_bar(text("Making the region"), quiet or as_json) as progress:
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


PLANTED = {
    "upcoded": text("upcoded"), "split": text("split stays"), "low_standard": text("low-standard admissions"),
    "dirty": text("dirty"),
}  # fmt: skip


def show_summary(made: Summary) -> None:
    """The region as a table on the terminal."""
    from drgsim.cli.markup import escape
    from drgsim.cli.spoken_table import SpokenTable
    from drgsim.cli.terminal import out, percent

    table = SpokenTable(text("Synthetic region"))
    table.add_column("")
    table.add_column(text("discharges"), justify="right")
    table.add_column(text("share"), justify="right")
    for year, number in made.by_year.items():
        table.add_row(year, f"{number:,}", percent(number, made.cases))
    table.add_section()
    for level, number in made.by_level.items():
        table.add_row(text("level {level} hospitals", level=level), f"{number:,}", percent(number, made.cases))
    table.add_section()
    for name, number in [*made.truth.items(), ("dirty", made.dirty)]:
        table.add_row(text("planted: {name}", name=PLANTED.get(name, name)), f"{number:,}", percent(number, made.cases))
    out.print(table)
    cost, fund = made.total_cost_fen / 1e10, made.fund_paid_fen / 1e10
    what = text(
        "{cases:,} discharges of {hospitals} hospitals; cost {cost:,.2f}, fund {fund:,.2f} hundred million yuan",
        cases=made.cases,
        hospitals=made.hospitals,
        cost=cost,
        fund=fund,
    )
    out.print(
        text(
            "{what}; {diseases} diseases, {pathways} care pathways -> {folder}",
            what=what,
            diseases=made.diseases_drawn,
            pathways=made.pathways_drawn,
            folder=escape(made.folder),
        ),
        soft_wrap=True,
    )
    sourced = joined(
        text(", "),
        (f"{number:,} {spoken(EVIDENCE.get(kind, kind))}" for kind, number in made.figures.items() if kind != "assumption"),
    )
    own = text("own files {names}", names=", ".join(made.own_priors)) if made.own_priors else text("the bundled ones")
    out.print(
        text(
            "priors: {own}; figures {sourced}, {assumption:,} assumed",
            own=escape(own),
            sourced=sourced,
            assumption=made.figures["assumption"],
        ),
        soft_wrap=True,
    )
