"""``drgsim report``: from the raw export to one page and one workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    SheetOption,
    amounts,
    input_options,
    pairs,
)  # fmt: skip
from drgsim.language import spoken, text

if TYPE_CHECKING:
    from drgsim.api.report_verb import Report

OWN, MONEY = text("Data of your own"), text("Prices and budget")
MOST_NOTES = 6  # on the settlement


def report(
    inputs: InputsArgument,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", "-p",
            help=text("Who pays, such as beijing/2024; without one, national weights at the price that just covers the costs."),
        ),
    ] = None,
    audience: Annotated[str, typer.Option("--for", help=text("Who reads it: hospital, bureau or research."))] = "hospital",
    output: Annotated[
        Path, typer.Option("--output", "-o", help=text("Folder for the page and the workbook."))
    ] = Path("report"),
    hospital: Annotated[
        str | None, typer.Option(help=text("Id of the hospital, where the file holds several; that of most cases by default."))
    ] = None,
    benchmark: Annotated[
        Path | None,
        typer.Option(rich_help_panel=OWN, help=text("Means of other hospitals: group, mean_cost; mean_days, weight, cases.")),
    ] = None,
    hospitals: Annotated[
        Path | None, typer.Option(rich_help_panel=OWN, help=text("hospitals.csv: hospital_id, level, grade, coefficient."))
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(rich_help_panel=OWN, help=text("Level of the file's one hospital, such as 3 or 三甲: needs no list.")),
    ] = None,
    grade: Annotated[
        str | None, typer.Option(rich_help_panel=OWN, help=text("Its grade, where the policy asks for it, such as 甲 or A."))
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OWN, help=text("Relative values of your own: the folder that drgsim weights wrote, or a table.")
        ),
    ] = None,
    scheme: Annotated[
        str | None, typer.Option("--scheme", "-s", help=text("Group by this scheme; the policy's by default."))
    ] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    budget: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=MONEY, help=text("employee=YUAN, resident=YUAN or YUAN for all, to share out.")),
    ] = None,
    unit_value: Annotated[
        list[str] | None, typer.Option(rich_help_panel=MONEY, help=text("KEY=YUAN per unit, instead of the policy's."))
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", rich_help_panel=MONEY, help=text("PATH=VALUE: change a parameter, such as *1.03.")),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=MONEY, help=text("Sections to add to the policy, such as examples/psychiatric.")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=text("Print the summary as JSON."))] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=text("Print nothing but errors."))] = False,
) -> None:  # fmt: skip
    """From the raw export to one page and one workbook: read, checked, grouped, settled, accounted for.

    Writes report.html, which opens offline, report.xlsx and run.json into the folder. A file without groups is grouped first.
    Exit code 1 when no case could be paid.
    """
    from drgsim.api import report_verb
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.records.case_table import own_columns
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    check_output(output, [*inputs, *(side for side in (benchmark, hospitals, weights) if side is not None)])
    with progress_bar(spoken(text("Checking the records")), quiet or as_json) as progress:
        made = report_verb.report_on(
            inputs, policy, audience=audience, hospitals=hospitals, level=level, grade=grade, weights=weights,
            scheme=scheme, benchmark=benchmark, hospital=hospital,
            unit_value=amounts(unit_value, "--unit-value"), budget=amounts(budget, "--budget"),
            changes=pairs(change or []), include=include, reading=reading, progress=progress,
        )  # fmt: skip
    made.save_folder(output, ("html", "xlsx"), replace=True)
    if as_json:
        print_json(made.record)
    elif not quiet:
        show(made, output)
    if made.record["paid"] == 0:
        raise typer.Exit(1)


def show(made: Report, output: Path) -> None:
    """What a reader should know at once, and where the rest lies, on the terminal."""
    from rich.markup import escape

    from drgsim.cli.settle_command import show_classes
    from drgsim.cli.terminal import out

    several = made.record.get("hospitals", 1) > 1  # then the table is of all, and the report of one
    whose = f" · {spoken(text('all hospitals of the file'))}" if several else ""
    show_classes(made.settled.settlement, f"{spoken(made.title)} · {made.policy.id}{whose}")
    if made.lead:
        out.print(escape(f"{made.record['hospital']}: {spoken(made.lead)}" if several else spoken(made.lead)))
    money = sorted(made.settled.settlement.problems, key=lambda problem: not problem.why)  # unpaid cases first
    for note in money[:MOST_NOTES]:
        out.print(f"[yellow]![/] {escape(spoken(note.what))} [dim]\\[{note.code}][/]", soft_wrap=True)
    others = len(made.notes) - len(money[:MOST_NOTES])
    if others > 0:
        out.print(spoken(text("{count} further notes stand in the page", count=others)))
    page, workbook = (f"[bold]{escape(str(output / name))}[/]" for name in ("report.html", "report.xlsx"))
    out.print(
        spoken(text("open {page} in a browser; the figures are in {workbook}", page=page, workbook=workbook)), soft_wrap=True
    )
