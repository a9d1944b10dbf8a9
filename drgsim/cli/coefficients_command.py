"""``drgsim coefficients``: hospital coefficients from the history of discharges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import CodeVersionOption, FormatOption, InputsArgument, MapFileOption, MapOption, input_options

if TYPE_CHECKING:
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
    code_version: CodeVersionOption = "yb2",
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Estimate hospital coefficients and the budget point value from cost per score. 医疗机构系数测算

    Coefficients never fall from a level to a higher one. The result goes to `drgsim settle --coefficients`.
    """
    from drgsim import __version__
    from drgsim.cli.settle_command import check_choice, weights_file
    from drgsim.cli.terminal import print_json
    from drgsim.cli.weights_command import year_weights
    from drgsim.payment.coefficient_history import CoefficientSettings, coefficient_tables, estimate_coefficients
    from drgsim.payment.grouped_files import check_output, own_columns, read_grouped
    from drgsim.payment.history_tables import read_scored
    from drgsim.payment.own_weights import scheme_in, with_relative_values
    from drgsim.payment.policy import load_policy
    from drgsim.region.hospital_list import read_bonus, read_hospitals
    from drgsim.results.run_record import digest_of, problem_rows, write_results

    check_choice("--own", own, ("level", "hospital"))
    options = input_options(format, maps, map_file, code_version, also=own_columns())
    check_output(output, history)
    loaded = load_policy(policy)
    if weights is not None:
        loaded, _ = with_relative_values(loaded, weights, weights_scale)
    known = read_hospitals(hospitals) if hospitals is not None else None
    table, notes = read_grouped(history, scheme or scheme_in(weights) or loaded.file.scheme, options)
    past, problems = read_scored(table, loaded, known)
    settings = CoefficientSettings(
        year_weights(years, sorted(set(past.year.tolist()))), own,  # type: ignore[arg-type]
        read_bonus(bonus) if bonus is not None else {}, minimum_cases,
    )  # fmt: skip
    found = estimate_coefficients(past, settings)
    sides = [side for side in (hospitals, bonus, weights_file(weights)) if side is not None]
    record = {
        "kind": "coefficients",
        "drgsim": __version__, "policy": loaded.id, "policy_digest": loaded.digest, "inputs": digest_of([*history, *sides]),
        "notes": notes, "settings": settings.describe(), "budget_point_value": round(found.point_value, 6),
        "cases": int(past.cost.size), "problems": problem_rows(problems),
    }  # fmt: skip
    write_results(output, coefficient_tables(found), record)
    if as_json:
        print_json(record)
    elif not quiet:
        _show(found, [problem.what for problem in problems] + notes, output)


def _show(found: HospitalCoefficients, notes: list[str], output: Path) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out, rows_table

    history = found.history
    rows = [
        [level, str(int((history.level_of == place).sum())), f"{found.level_cases[place]:,}",
         f"{found.level_ratio[place] * found.point_value:.4f}", f"{found.level_ratio[place]:.4f}", f"{found.level[place]:.4f}",
         _range(found, place)]
        for place, level in enumerate(history.levels)
    ]  # fmt: skip
    columns = ["level 级别", "hospitals", "cases", "yuan/score", "ratio", "k 系数", "k of hospitals"]
    rows_table("Hospital coefficients 医疗机构系数", columns, rows, right=(1, 2, 3, 4, 5, 6))
    out.print(f"budget point value 预算点值: [bold]{found.point_value:,.6f}[/] yuan per unit")
    for line in (*found.settings.describe(), *notes):
        out.print(f"[dim]{escape(line)}[/]")
    out.print(f"wrote [bold]{escape(str(output))}[/]: coefficients.csv, levels.csv, hospitals.csv")


def _range(found: HospitalCoefficients, place: int) -> str:
    own = found.hospital[found.history.level_of == place]
    return f"{own.min():.4f} to {own.max():.4f}" if own.size and own.min() < own.max() else "-"
