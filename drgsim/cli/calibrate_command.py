"""``drgsim calibrate``: check the budget model against the figures that are published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import bilingual, text

if TYPE_CHECKING:
    from drgsim.budgets.calibration import Calibration


def calibrate(
    region: Annotated[Path, typer.Argument(help="Folder of a region, as drgsim synth makes it.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the table and the page.", show_default=False)],
    settings: Annotated[Path | None, typer.Option(help="Calibration file; default: the one that ships.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Item-based payment, then a total budget, on a panel of institutions: do the published figures come out?

    Exit code 1 when a figure lies outside the tolerance of the file.
    """
    from drgsim.api import budget_verbs
    from drgsim.cli.terminal import print_json, progress_bar

    with progress_bar(text("Settling"), quiet or as_json) as progress:
        result = budget_verbs.calibrate(region, settings, progress=progress)
    result.save_folder(output, ("parquet", "html"), replace=True)
    if as_json:
        print_json(result.record)
    elif not quiet:
        show(result.calibration, output)
    if not result.reproduced:
        raise typer.Exit(1)


def show(result: Calibration, output: Path) -> None:
    """Years and facts as tables on the terminal."""
    from drgsim.budgets.calibration import FACTS
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table

    rows = [
        [str(year.year), name, f"{year.in_surplus.mean():.1%}", f"{growth:.1%}", f"{year.fund.paid / 1e10:,.2f}"]
        for year, name, growth in zip(result.years, result.regime, result.growth, strict=True)
    ]
    columns: list[str] = [
        text("year"),
        text("regime"),
        text("in surplus"),
        text("growth per head"),
        text("paid, 100 million yuan"),
    ]
    rows_table(bilingual(result.settings.title, result.settings.title_zh), columns, rows, right=(2, 3, 4), whole=(0,))
    facts: list[list[str]] = []
    for name, (fact, model) in result.results.items():
        mark = "✓" if result.within(name) else "✗"
        facts.append([FACTS[name], f"{fact:.0%}", f"{model:.1%}", f"{100 * result.tolerance(name):g}", mark])
    columns = ["", text("published"), text("model"), text("± points"), ""]
    rows_table(text("Against the published figures"), columns, facts, right=(1, 2, 3))
    out.print(text("[magenta]a check, not an estimate[/]: growth, budgets and shares are assumed so that the figures come out"))
    out.print(text("wrote [bold]{output}[/]: calibration.html and years.parquet", output=escape(str(output))))
