"""``drgsim compare``: two runs of ``drgsim simulate`` side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgsim.language import text


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of one run.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Folder of another.", show_default=False)],
    of_first: Annotated[str | None, typer.Option("--first", help="Scenario of the first run, where it has several.")] = None,
    of_second: Annotated[str | None, typer.Option("--second", help="Scenario of the second run.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the tables as a workbook (.xlsx).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Compare two runs: how they were made, headline figures, hospitals."""
    from drgsim.api import simulation_verbs
    from drgsim.cli.markup import escape
    from drgsim.cli.simulate_command import SHOWN, figure_name, number
    from drgsim.cli.terminal import out, print_json, rows_table
    from drgsim.errors import Problem, UsageError
    from drgsim.results.run_record import plain

    if output is not None and output.suffix.lower() != ".xlsx":
        raise UsageError(
            [
                Problem(
                    "output-unknown-suffix",
                    text("{output}: compare writes a workbook", output=output.name),
                    fix=text("name it .xlsx"),
                )
            ]
        )
    result = simulation_verbs.compare(first, second, of_first, of_second)
    if output is not None:
        result.save(output, replace=True)
    if as_json:
        print_json(plain({name: table.to_pylist() for name, table in result.tables.items()}))
        return
    made = result.made.to_pylist()
    short = [row for row in made if "digest" not in row["what"] and ".files." not in row["what"]]
    rows_table(
        text("What differs"),
        [text("what"), text("first"), text("second")],
        [[row["what"], row["first"], row["second"]] for row in short],
    )
    rows = [
        [figure_name(row), *(number(row[side], row["unit"]) for side in ("first", "second")),
         number(row["difference"], row["unit"], sign=True)]
        for row in result.headlines.to_pylist()
        if row["figure"] in SHOWN
    ]  # fmt: skip
    rows_table(text("Headlines"), [text("figure"), text("first"), text("second"), text("difference")], rows, right=(1, 2, 3))
    moved = sorted(result.hospitals.to_pylist(), key=lambda row: -abs(row["margin_difference"]))
    rows_table(
        text("Hospitals by difference of margin"),
        [text("hospital"), text("name"), text("payment"), text("margin")],
        [
            [row["hospital"], row["name"], f"{row['payment_difference']:+,.2f}", f"{row['margin_difference']:+,.2f}"]
            for row in moved[:12]
        ],
        right=(2, 3),
    )
    if output is not None:
        out.print(text("wrote [bold]{output}[/]", output=escape(str(output))))
