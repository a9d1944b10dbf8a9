"""``drgsim validate``: what is wrong with the coded records, before grouping and payment."""

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
    show_conversion,
    show_reading,
)
from drgsim.cli.group_command import DEFAULT_SCHEME

if TYPE_CHECKING:
    from drgsim.quality.quality_report import QualityReport

MOST_CODES = 10
_MARKS = {"error": "✗ error", "warning": "! doubt", "info": "· info"}


def validate(
    inputs: InputsArgument,
    scheme: Annotated[
        str,
        typer.Option(
            "--scheme",
            "-s",
            help="Scheme that the files are to be grouped by; auto: the national one on the date of discharge.",
        ),
    ] = DEFAULT_SCHEME,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Every finding: .xlsx with summary and counts, or .csv, .parquet."),
    ] = None,
    severity: Annotated[
        str, typer.Option("--severity", help="Least serious finding to report: error, warning, info.")
    ] = "info",
    only: Annotated[list[str] | None, typer.Option("--only", help="Look at this rule only (code; may be repeated).")] = None,
    threshold: Annotated[list[str] | None, typer.Option("--threshold", help="NAME=VALUE (may be repeated).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code is the verdict.")] = False,
) -> None:
    """Check the quality of the coded records. 病案编码质量校验

    Exit code 0: no record has an error (doubts may stand). 1: some have. 2: a call that makes no sense. 3: a file
    cannot be read. Rules and thresholds: docs/validate.md.
    """
    from drgsim.api import quality_verbs
    from drgsim.cli.terminal import print_json, progress_bar

    reading = input_options(format, maps, map_file, code_version, sheets)
    with progress_bar("Checking", quiet or as_json) as progress:
        checked = quality_verbs.validate(
            list(inputs), scheme, reading=reading, output=output, severity=severity, only=only, threshold=threshold,
            progress=progress,
        )  # fmt: skip
    if as_json:
        written = {"output": str(output) if output else None, "output_left_out": checked.left_out}
        print_json(checked.report.to_dict() | written)
    elif not quiet:
        _show(checked.report)
        if output is not None:
            _show_output(output, checked.left_out)
    if not checked.passed:
        raise typer.Exit(1)


def _show_output(output: Path, left_out: int) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out

    more = f" · [yellow]{left_out:,} findings do not fit the sheet; .csv and .parquet hold all[/]" if left_out else ""
    out.print(f"wrote [bold]{escape(str(output))}[/]{more}", soft_wrap=True)


def _show(report: QualityReport) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out, percent, rows_table

    rows = []
    for count in report.findings:
        rule = count.rule
        sample = count.samples[0]
        what = f"{rule.title_zh} {rule.code}\n  {sample.discharge_id} {sample.value}".rstrip()
        rows.append([_MARKS[rule.severity], what, f"{count.records:,}", percent(count.records, report.records)])
    if rows:
        names = ", ".join(path.name for path in report.inputs)
        rows_table(f"{names}: {report.records:,} records", ["", "finding 问题", "records", "share"], rows, right=(2, 3))
    for name, codes in report.unknown_codes.items():
        listed = ", ".join(f"{escape(code)} ×{number:,}" for code, number in codes.most_common(MOST_CODES))
        more = f" ... and {len(codes) - MOST_CODES:,} other codes (--json lists all)" if len(codes) > MOST_CODES else ""
        out.print(f"[yellow]unknown {name} 未知编码[/]: {listed}{more}")
    show_reading(report.layouts, report.kept_columns, report.noted)
    show_conversion(report.conversion)
    if report.by_scheme:
        listed = ", ".join(f"{scheme} {count:,}" for scheme, count in report.by_scheme.items())
        missing = f" · {report.without_date:,} without a date of discharge" if report.without_date else ""
        out.print(f"[dim]scheme by date of discharge 按出院日期选择方案: {listed}{missing}[/]")
    if report.absent:
        out.print(f"[yellow]absent columns[/]: {', '.join(report.absent)} — they count as missing in every record")
    if report.unchecked:
        out.print(f"[dim]not checked, no such columns: {', '.join(report.unchecked)}[/]")
    if not report.ids_complete:
        out.print("[yellow]duplicates[/] were looked for among the first records only: too many ids for the memory bound")
    with_ = report.by_severity
    ok = "[green]✓ no record has an error[/]"
    verdict = ok if report.passed else f"[red]✗ {with_['error']:,} of {report.records:,} records have errors[/]"
    out.print(f"{verdict} · {with_['warning']:,} with doubts, {with_['info']:,} worth a look")
