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
from drgsim.language import bilingual, joined, spoken, text

if TYPE_CHECKING:
    from drgsim.quality.quality_report import QualityReport

MOST_CODES = 10
_CODES = {"diagnoses": text("diagnoses"), "procedures": text("procedures")}
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
    """Check the quality of the coded records.

    Exit code 0: no record has an error (doubts may stand). 1: some have. 2: a call that makes no sense. 3: a file
    cannot be read. Rules and thresholds: docs/validate.md.
    """
    from drgsim.api import quality_verbs
    from drgsim.cli.terminal import print_json, progress_bar

    reading = input_options(format, maps, map_file, code_version, sheets)
    with progress_bar(text("Checking"), quiet or as_json) as progress:
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
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    told = [text("wrote [bold]{output}[/]", output=escape(output))]
    if left_out:
        told.append(text("[yellow]{count:,} findings do not fit the sheet; .csv and .parquet hold all[/]", count=left_out))
    out.print(joined(" · ", told), soft_wrap=True)


def _show(report: QualityReport) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, percent, rows_table

    rows = []
    for count in report.findings:
        rule = count.rule
        sample = count.samples[0]
        what = f"{spoken(bilingual(rule.title, rule.title_zh))} {rule.code}\n  {sample.discharge_id} {sample.value}".rstrip()
        rows.append([_MARKS[rule.severity], what, f"{count.records:,}", percent(count.records, report.records)])
    if rows:
        names = ", ".join(path.name for path in report.inputs)
        title = text("{names}: {count:,} records", names=names, count=report.records)
        rows_table(title, ["", text("finding"), text("records"), text("share")], rows, right=(2, 3))
    for name, codes in report.unknown_codes.items():
        listed = ", ".join(f"{escape(code)} ×{number:,}" for code, number in codes.most_common(MOST_CODES))
        told = text("[yellow]unknown {codes}[/]: {listed}", codes=_CODES[name], listed=listed)
        if len(codes) > MOST_CODES:
            told = text("{told} ... and {count:,} other codes (--json lists all)", told=told, count=len(codes) - MOST_CODES)
        out.print(told)
    show_reading(report.layouts, report.kept_columns, report.noted)
    show_conversion(report.conversion)
    if report.by_scheme:
        listed = ", ".join(f"{scheme} {count:,}" for scheme, count in report.by_scheme.items())
        told = text("scheme by date of discharge: {listed}", listed=listed)
        if report.without_date:
            told = text("{told} · {count:,} without a date of discharge", told=told, count=report.without_date)
        out.print(told, style="dim")
    if report.absent:
        out.print(
            text("[yellow]absent columns[/]: {names} — they count as missing in every record", names=", ".join(report.absent))
        )
    if report.unchecked:
        out.print(text("[dim]not checked, no such columns: {names}[/]", names=", ".join(report.unchecked)))
    if not report.ids_complete:
        out.print(text("[yellow]duplicates[/] were looked for among the first records only: too many ids for the memory bound"))
    with_ = report.by_severity
    ok = text("[green]✓ no record has an error[/]")
    verdict = (
        ok
        if report.passed
        else text("[red]✗ {error:,} of {records:,} records have errors[/]", error=with_["error"], records=report.records)
    )
    out.print(
        text(
            "{verdict} · {warning:,} with doubts, {info:,} worth a look",
            verdict=verdict,
            warning=with_["warning"],
            info=with_["info"],
        )
    )
