"""``drgsim validate``: what is wrong with a file, before grouping."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.group import DEFAULT_SCHEME

if TYPE_CHECKING:
    from drgsim.records.validate import ValidationReport

MOST_CODES = 10


def validate(
    inputs: Annotated[list[Path], typer.Argument(help="Case-mix files: .csv, .parquet or .xlsx.", show_default=False)],
    scheme: Annotated[str, typer.Option("--scheme", "-s", help="Scheme that the file is to be grouped by.")] = DEFAULT_SCHEME,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code is the verdict.")] = False,
) -> None:
    """Check files before grouping. 数据校验

    Exit code 0: every record can be grouped (warnings may stand). 1: some records are invalid. 3: a file cannot be read.
    """
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.records.validate import validate_file

    reports = []
    for path in inputs:
        with progress_bar(f"Checking {path.name}", quiet or as_json) as progress:
            reports.append(validate_file(path, scheme, progress))
    if as_json:
        values = [report.to_dict() for report in reports]
        print_json(values[0] if len(values) == 1 else values)
    elif not quiet:
        for report in reports:
            _show(report)
    if any(report.invalid for report in reports):
        raise typer.Exit(1)


def _show(report: ValidationReport) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out, percent, rows_table
    from drgsim.records.findings import INVALID

    rows = []
    for count in report.findings:
        finding = count.finding
        samples = "; ".join(f"{s.discharge_id} {s.value}".strip() for s in count.samples[:2])
        kind = "✗ error" if finding.kind == INVALID else "! doubt"
        what = f"{finding.title_zh} {finding.code}\n  e.g. {samples}"
        rows.append([kind, what, f"{count.records:,}", percent(count.records, report.records)])
    if rows:
        rows_table(
            f"{report.path.name}: {report.records:,} records", ["", "finding 问题", "records", "share"], rows, right=(2, 3)
        )
    for name, codes in report.unknown_codes.items():
        listed = ", ".join(f"{escape(code)} ×{number:,}" for code, number in codes.most_common(MOST_CODES))
        more = f" ... and {len(codes) - MOST_CODES:,} other codes (--json lists all)" if len(codes) > MOST_CODES else ""
        out.print(f"[yellow]unknown {name} 未知编码[/]: {listed}{more}")
    if report.absent:
        out.print(f"[yellow]absent columns[/]: {', '.join(report.absent)} — they count as missing in every record")
    verdict = (
        "[green]✓ every record can be grouped[/]" if not report.invalid else f"[red]✗ {report.invalid:,} records are invalid[/]"
    )
    out.print(f"{verdict} · {report.records:,} records, {report.doubtful:,} with warnings")
