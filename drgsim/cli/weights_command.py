"""``drgsim weights``: relative weights from the history of discharges."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    PageOption,
    SheetOption,
    amounts,
    check_page,
    input_options,
    write_page,
)  # fmt: skip
from drgsim.language import term, text

if TYPE_CHECKING:
    from drgsim.api.weight_verbs import WeightTables


def weights(
    history: InputsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for weights.csv, groups.csv, evaluation.csv.")],
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme where there is no group.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", help="Take trimming, years and longest stay from this policy.")
    ] = None,
    trim: Annotated[str | None, typer.Option(help="none, iqr (default), percentile or multiple.")] = None,
    low: Annotated[float | None, typer.Option(help="Low limit: x IQR, percentile or x mean.")] = None,
    high: Annotated[float | None, typer.Option(help="High limit: x IQR, percentile or x mean.")] = None,
    years: Annotated[str, typer.Option(help="Weights of the years from the oldest on, such as 1:2:7.")] = "",
    long_days: Annotated[
        float | None, typer.Option(help="Leave longer stays out; by default as the policy, else 60. 0: none.")
    ] = None,
    year_mode: Annotated[str, typer.Option(help="mean_of_means or case_weighted.")] = "mean_of_means",
    minimum_cases: Annotated[int, typer.Option(help="Fewer cases make a group unstable.")] = 5,
    maximum_cv: Annotated[float, typer.Option(help="A larger CV makes a group unstable.")] = 1.0,
    unstable: Annotated[str, typer.Option(help="keep, parent (mean of the ADRG) or drop.")] = "keep",
    smoothing: Annotated[float, typer.Option(help="Cases that the parent counts for in small groups; 0 = none.")] = 0.0,
    smooth_to: Annotated[str, typer.Option(help="adrg or mdc.")] = "adrg",
    monotone: Annotated[bool, typer.Option("--monotone", help="Keep MCC >= CC >= none.")] = False,
    target: Annotated[list[str] | None, typer.Option(help="CATEGORY=SHARE of cost_CATEGORY, to sum to 1.")] = None,
    factor: Annotated[list[str] | None, typer.Option(help="GROUP=FACTOR by policy; the total weight stays.")] = None,
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evaluation as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Estimate relative weights and evaluate the groups."""
    from drgsim.api import weight_verbs
    from drgsim.cli.terminal import print_json
    from drgsim.payment.weight_estimation import WeightSettings
    from drgsim.records.case_table import own_columns
    from drgsim.results.run_record import write_results
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    check_output(output, history)
    check_page(page, history, output)
    try:
        settings = WeightSettings(
            year_mode=year_mode, minimum_cases=minimum_cases, maximum_cv=maximum_cv, unstable=unstable,  # type: ignore[arg-type]
            smoothing=smoothing, smooth_to=smooth_to, monotone=monotone,  # type: ignore[arg-type]
            target_shares=amounts(target, "--target") or {}, policy_factors=amounts(factor, "--factor") or {},
        )  # fmt: skip
    except ValueError as error:
        raise weight_verbs.bad_option(str(error)) from error
    result = weight_verbs.weights(
        history, scheme=scheme, policy=policy, trim=(trim, low, high), years=years, long_days=long_days, settings=settings,
        reading=reading,
    )  # fmt: skip
    write_results(output, {f"{name}.csv": table for name, table in result.tables.items()}, result.record)
    if as_json:
        print_json(result.record)
    elif not quiet:
        _show(result, output)
    write_page(result, page, quiet or as_json)


def _words(value: float, form: str) -> str:
    return format(value, form) if isfinite(value) else "–"


def _show(result: WeightTables, output: Path) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table

    rows = [
        [
            term("of trimming", "after") if line.trimmed else term("of trimming", "before"),
            f"{line.cases:,}", str(line.groups),
            _words(line.mean_cost, ",.2f"), _words(line.cv, ".3f"), _words(line.riv, ".3f"),
            _words(line.stable_share, ".1%"), _words(line.r2_days, ".3f"),
        ]
        for line in result.lines
        if line.scope == "all"
    ]  # fmt: skip
    columns = [
        text("trimming"), text("cases"), text("groups"), text("mean, yuan"), "CV", "RIV", text("CV < limit"), text("R2 stay"),
    ]  # fmt: skip
    rows_table(text("Groups and cost"), columns, rows, right=(1, 2, 3, 4, 5, 6, 7))
    problems = [problem["what"] for problem in result.record["problems"]]
    for line in (*result.record["settings"], *problems, *result.record["notes"]):
        out.print(f"[dim]{escape(line)}[/]")
    out.print(text("wrote [bold]{output}[/]: weights.csv, groups.csv, evaluation.csv", output=escape(str(output))))
