"""``drgsim weights``: relative weights from the history of discharges."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import CodeVersionOption, FormatOption, InputsArgument, MapFileOption, MapOption, input_options

if TYPE_CHECKING:
    from drgsim.payment.weight_estimation import GroupEvaluation, WeightSettings


def weights(
    history: InputsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for weights.csv, groups.csv, evaluation.csv.")],
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme where there is no group.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    code_version: CodeVersionOption = "yb2",
    policy: Annotated[str | None, typer.Option("--policy", "-p", help="Take trimming and years from this policy.")] = None,
    trim: Annotated[str | None, typer.Option(help="none, iqr (default), percentile or multiple.")] = None,
    low: Annotated[float | None, typer.Option(help="Low limit: x IQR, percentile or x mean.")] = None,
    high: Annotated[float | None, typer.Option(help="High limit: x IQR, percentile or x mean.")] = None,
    years: Annotated[str, typer.Option(help="Weights of the years from the oldest on, such as 1:2:7.")] = "",
    year_mode: Annotated[str, typer.Option(help="mean_of_means or case_weighted.")] = "mean_of_means",
    minimum_cases: Annotated[int, typer.Option(help="Fewer cases make a group unstable.")] = 5,
    maximum_cv: Annotated[float, typer.Option(help="A larger CV makes a group unstable.")] = 1.0,
    unstable: Annotated[str, typer.Option(help="keep, parent (mean of the ADRG) or drop.")] = "keep",
    smoothing: Annotated[float, typer.Option(help="Cases that the parent counts for in small groups; 0 = none.")] = 0.0,
    smooth_to: Annotated[str, typer.Option(help="adrg or mdc.")] = "adrg",
    monotone: Annotated[bool, typer.Option("--monotone", help="Keep MCC >= CC >= none.")] = False,
    target: Annotated[list[str] | None, typer.Option(help="CATEGORY=SHARE of cost_CATEGORY, to sum to 1.")] = None,
    factor: Annotated[list[str] | None, typer.Option(help="GROUP=FACTOR by policy; the total weight stays.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evaluation as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Estimate relative weights and evaluate the groups. 权重测算"""
    from dataclasses import asdict

    from drgsim.cli.settle_command import amounts
    from drgsim.cli.terminal import print_json
    from drgsim.payment.grouped_files import check_output, own_columns, read_grouped
    from drgsim.payment.history_tables import read_history, weight_tables
    from drgsim.payment.weight_estimation import estimate_weights, evaluate
    from drgsim.results.run_record import digest_of, write_results

    options = input_options(format, maps, map_file, code_version, also=own_columns())
    check_output(output, history)
    table, notes = read_grouped(history, scheme, options)
    past, problems = read_history(table)
    if policy is not None:
        trim, low, high, years = _from_policy(policy, trim, low, high, years)
    chosen = _settings(
        trim or "iqr", low, high, years, sorted(set(past.year.tolist())), year_mode, minimum_cases, maximum_cv, unstable,
        smoothing, smooth_to, monotone, amounts(target, "--target"), amounts(factor, "--factor"),
    )  # fmt: skip
    try:
        estimated = estimate_weights(past, chosen)
    except ValueError as error:
        raise _usage(str(error)) from error
    lines = evaluate(past, estimated)
    from drgsim import __version__
    from drgsim.results.run_record import problem_rows

    record = {
        "kind": "weights", "drgsim": __version__, "inputs": digest_of(history), "notes": notes, "settings": chosen.describe(),
        "overall_mean_yuan": _known(estimated.overall_mean), "cases_used": int(estimated.kept.sum()),
        "cases": int(estimated.kept.size), "problems": problem_rows(problems),
        "evaluation": [{key: _known(value) for key, value in asdict(line).items()} for line in lines if line.scope == "all"],
    }  # fmt: skip
    key = "dip" if "dip" in table.column_names and "drg" not in table.column_names else "drg"
    write_results(output, weight_tables(estimated, lines, key), record)
    if as_json:
        print_json(record)
    elif not quiet:
        _show(lines, chosen, [problem.what for problem in problems] + notes, output)


def _known(value: Any) -> Any:
    """The value, or None for a number that cannot be said (no group, no spread): JSON has no NaN."""
    return None if isinstance(value, float) and not isfinite(value) else value


def _words(value: float, form: str) -> str:
    return format(value, form) if isfinite(value) else "–"


def _from_policy(
    name: str, trim: str | None, low: float | None, high: float | None, years: str
) -> tuple[str | None, float | None, float | None, str]:
    """What the options leave open, as the policy states it."""
    from drgsim.payment.policy import load_policy

    file = load_policy(name).file
    if file.trimming is not None and trim is None:
        trim = file.trimming.method.value
        low = file.trimming.low.value if low is None else low
        high = file.trimming.high.value if high is None else high
    if file.year_weights is not None and not years:
        years = ":".join(f"{weight:g}" for weight in file.year_weights.value)
    return trim, low, high, years


def _settings(
    trim: str, low: float | None, high: float | None, years: str, known_years: list[int], year_mode: str, minimum_cases: int,
    maximum_cv: float, unstable: str, smoothing: float, smooth_to: str, monotone: bool, target: dict[str, float] | None,
    factor: dict[str, float] | None,
) -> WeightSettings:  # fmt: skip
    from drgsim.costs.trimming import METHODS, TrimRule
    from drgsim.errors import did_you_mean
    from drgsim.payment.weight_estimation import WeightSettings

    choices = {
        "--trim": (trim, METHODS), "--year-mode": (year_mode, ("mean_of_means", "case_weighted")),
        "--unstable": (unstable, ("keep", "parent", "drop")), "--smooth-to": (smooth_to, ("adrg", "mdc")),
    }  # fmt: skip
    for option, (value, allowed) in choices.items():
        if value not in allowed:
            hint = did_you_mean(value, list(allowed))
            raise _usage(f"{option} {value!r} is not one of {', '.join(allowed)}. {hint}".strip())
    defaults = {"iqr": (1.5, 1.5), "percentile": (2.5, 97.5), "multiple": (0.3, 3.0), "none": (0.0, 0.0)}[trim]
    try:
        return WeightSettings(
            TrimRule(trim, defaults[0] if low is None else low, defaults[1] if high is None else high),  # type: ignore[arg-type]
            year_weights(years, known_years),
            year_mode, minimum_cases, maximum_cv, unstable, smoothing, smooth_to, monotone,  # type: ignore[arg-type]
            target_shares=target or {}, policy_factors=factor or {},
        )  # fmt: skip
    except ValueError as error:
        raise _usage(str(error)) from error


def year_weights(years: str, known_years: list[int]) -> dict[int, float]:
    """Weights such as ``1:2:7`` by year, from the oldest on; empty for an empty text."""
    if not years:
        return {}
    try:
        parts = [float(part) for part in years.split(":")]
    except ValueError as error:
        raise _usage(f"--years {years!r} is not of the form 1:2:7") from error
    if len(parts) != len(known_years):
        raise _usage(f"--years {years} has {len(parts)} parts, the history has the years {known_years}")
    return dict(zip(known_years, parts, strict=True))


def _usage(what: str) -> Exception:
    from drgsim.errors import Problem, UsageError

    return UsageError([Problem("weights-bad-option", what)])


def _show(lines: list[GroupEvaluation], settings: WeightSettings, notes: list[str], output: Path) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out, rows_table

    rows = [
        [
            "after" if line.trimmed else "before", f"{line.cases:,}", str(line.groups), _words(line.mean_cost, ",.2f"),
            _words(line.cv, ".3f"), _words(line.riv, ".3f"), _words(line.stable_share, ".1%"), _words(line.r2_days, ".3f"),
        ]
        for line in lines
        if line.scope == "all"
    ]  # fmt: skip
    columns = ["trimming", "cases", "groups", "mean 元", "CV", "RIV", "CV < limit", "R2 stay"]
    rows_table("Groups and cost 分组效能", columns, rows, right=(1, 2, 3, 4, 5, 6, 7))
    for line in (*settings.describe(), *notes):
        out.print(f"[dim]{escape(line)}[/]")
    out.print(f"wrote [bold]{escape(str(output))}[/]: weights.csv, groups.csv, evaluation.csv")
