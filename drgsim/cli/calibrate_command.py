"""``drgsim calibrate``: check the budget model against the figures that are published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drgsim.budgets.calibration import Calibration


def calibrate(
    region: Annotated[Path, typer.Argument(help="Folder of a region, as drgsim synth makes it.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the table and the page.", show_default=False)],
    settings: Annotated[Path | None, typer.Option(help="Calibration file; default: the one that ships.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Item-based payment, then a total budget, on a panel of institutions: do the published figures come out? 校核

    Exit code 1 when a figure lies outside the tolerance of the file.
    """
    from drgsim.budgets.calibration import calibrate as run
    from drgsim.budgets.calibration import load_settings
    from drgsim.budgets.region_preparation import prepare
    from drgsim.budgets.terms import load_terms
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.payment.policy import load_policy
    from drgsim.report.calibration_page import calibration_page
    from drgsim.results.run_record import write_results
    from drgsim.results.whole_outputs import write_text

    read, digest = load_settings(settings)
    terms = load_terms(read.terms)
    with progress_bar("Settling", quiet or as_json) as progress:
        prepared = prepare(region, load_policy("national/2.0"), terms, progress=progress)
    result = run(prepared.figures, read, digest, terms)
    record = run_record(result, prepared.region.files)
    page = calibration_page(result)
    write_results(output, {"years.parquet": result.table}, record, {"calibration.html": lambda path: write_text(path, page)})
    if as_json:
        print_json(record)
    elif not quiet:
        show(result, output)
    if not result.reproduced:
        raise typer.Exit(1)


def run_record(result: Calibration, files: list[Path]) -> dict[str, Any]:
    """What was run and what came out, without any clock."""
    from drgsim import __version__
    from drgsim.parameters.evident_values import evident_nodes
    from drgsim.results.run_record import digest_of

    return {
        "kind": "calibrate",
        "drgsim": __version__,
        "settings": result.settings.id,
        "settings_digest": result.digest,
        "terms_digest": result.years[0].terms.digest,
        "inputs": digest_of(files),
        "facts": {name: {"published": fact, "model": model} for name, (fact, model) in result.results.items()},
        "tolerance": dict(result.settings.tolerance.values),
        "reproduced": result.reproduced,
        "assumptions": [path for path, node in evident_nodes(result.settings) if node.evidence == "assumption"],
    }


def show(result: Calibration, output: Path) -> None:
    """Years and facts as tables on the terminal."""
    from rich.markup import escape

    from drgsim.budgets.calibration import FACTS_ZH
    from drgsim.cli.terminal import out, rows_table

    rows = [
        [str(year.year), name, f"{year.in_surplus.mean():.1%}", f"{growth:.1%}", f"{year.fund.paid / 1e10:,.2f}"]
        for year, name, growth in zip(result.years, result.regime, result.growth, strict=True)
    ]
    columns = ["year", "regime", "in surplus 结余机构", "growth per head", "paid 亿元"]
    rows_table(f"{result.settings.title_zh}", columns, rows, right=(2, 3, 4), whole=(0,))
    facts = []
    for name, (fact, model) in result.results.items():
        mark = "✓" if result.within(name) else "✗"
        facts.append([FACTS_ZH[name], f"{fact:.0%}", f"{model:.1%}", f"{100 * result.tolerance(name):g}", mark])
    columns = ["", "published", "model", "± points", ""]
    rows_table("Against the published figures 与公布数据对照", columns, facts, right=(1, 2, 3))
    out.print("[magenta]a check, not an estimate[/]: growth, budgets and shares are assumed so that the figures come out")
    out.print(f"wrote [bold]{escape(str(output))}[/]: calibration.html and years.parquet")
