"""``drgsim coefficients``: hospital coefficients from the history of discharges."""

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
    input_options,
)
from drgsim.language import text

if TYPE_CHECKING:
    from drgsim.api.weight_verbs import CoefficientTables
    from drgsim.payment.coefficient_history import HospitalCoefficients


def coefficients(
    history: InputsArgument,
    policy: Annotated[str, typer.Option("--policy", "-p", help="Policy whose scores count, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for coefficients.csv, levels.csv, hospitals.csv.")],
    hospitals: Annotated[Path | None, typer.Option(help="hospitals.csv: hospital_id, level.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Scores of your own: what drgsim weights wrote, or a table.")] = None,
    weights_scale: Annotated[float | None, typer.Option(help="Score = SCALE x the number in --weights.")] = None,
    years: Annotated[str, typer.Option(help="Weights of the years from the oldest on, such as 1:2:7.")] = "",
    own: Annotated[str, typer.Option(help="level: that of its level; hospital: that of its own cost.")] = "level",
    bonus: Annotated[Path | None, typer.Option(help="hospital_id, bonus: what is added to the level's coefficient.")] = None,
    minimum_cases: Annotated[int, typer.Option(help="With fewer cases a hospital has its level's coefficient.")] = 30,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme where there is no group.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Estimate hospital coefficients and the budget point value from cost per score.

    Coefficients never fall from a level to a higher one. The result goes to `drgsim settle --coefficients`.
    """
    from drgsim.api import weight_verbs
    from drgsim.cli.terminal import print_json
    from drgsim.records.case_table import own_columns
    from drgsim.results.run_record import write_results
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    check_output(output, history)
    result = weight_verbs.coefficients(
        history, policy, hospitals=hospitals, weights=weights, weights_scale=weights_scale, years=years,
        own=own, bonus=bonus, minimum_cases=minimum_cases, scheme=scheme, reading=reading,
    )  # fmt: skip
    write_results(output, {f"{name}.csv": table for name, table in result.tables.items()}, result.record)
    if as_json:
        print_json(result.record)
    elif not quiet:
        _show(result, output)


def _show(result: CoefficientTables, output: Path) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table

    found, history = result.found, result.found.history
    rows = [
        [level, str(int((history.level_of == place).sum())), f"{found.level_cases[place]:,}",
         f"{found.level_ratio[place] * found.point_value:.4f}", f"{found.level_ratio[place]:.4f}", f"{found.level[place]:.4f}",
         _range(found, place)]
        for place, level in enumerate(history.levels)
    ]  # fmt: skip
    columns = [
        text("level"), text("hospitals"), text("cases"), text("yuan/score"), text("ratio"), "k", text("k of hospitals"),
    ]  # fmt: skip
    rows_table(text("Hospital coefficients"), columns, rows, right=(1, 2, 3, 4, 5, 6))
    out.print(text("budget point value: [bold]{point_value:,.6f}[/] yuan per unit", point_value=found.point_value))
    problems = [problem["what"] for problem in result.record["problems"]]
    for line in (*result.record["settings"], *problems, *result.record["notes"]):
        out.print(f"[dim]{escape(line)}[/]")
    out.print(text("wrote [bold]{output}[/]: coefficients.csv, levels.csv, hospitals.csv", output=escape(str(output))))


def _range(found: HospitalCoefficients, place: int) -> str:
    own = found.hospital[found.history.level_of == place]
    return f"{own.min():.4f} to {own.max():.4f}" if own.size and own.min() < own.max() else "-"
