"""``drgsim group``: discharges in, MDC, ADRG and DRG of every one out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    input_options,
    show_conversion,
    show_reading,
)

if TYPE_CHECKING:
    from drgsim.engines.local import GroupRun

DEFAULT_SCHEME = "chs-drg-2.0"
TOP = 8  # reasons and warnings that the summary names


def group(
    inputs: InputsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Result file: .csv, .parquet or .xlsx.", show_default=False)],
    scheme: Annotated[str, typer.Option("--scheme", "-s", help="Id of a scheme, or the folder of a pack.")] = DEFAULT_SCHEME,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    code_version: CodeVersionOption = "yb2",
    keep_input: Annotated[bool, typer.Option("--keep-input", help="Put the input's own columns before the answers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Group every discharge of one or more files. 病案分组

    Every record of the input is in the output, with its status and the reason when it has no group.
    """
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.engines.local import group_files

    options = input_options(format, maps, map_file, code_version)
    with progress_bar("Grouping", quiet or as_json) as progress:
        run = group_files(inputs, scheme, output, keep_input=keep_input, progress=progress, options=options)
    if as_json:
        print_json(summary(run))
    elif not quiet:
        show_summary(run)


def summary(run: GroupRun) -> dict[str, Any]:
    """The run as plain values."""
    from drgsim import __version__
    from drgsim.analysis.casemix import case_mix
    from drgsim.grouping.batch import STATUSES

    mix = case_mix(run.counts, run.scheme)
    return {
        "drgsim": __version__,
        "scheme": run.scheme.id,
        "scheme_digest": run.scheme.digest,
        "inputs": [str(path) for path in run.inputs],
        "layouts": run.layouts,
        "left_out": dict(run.noted),
        "code_conversion": run.counts.conversion.to_dict() if run.counts.conversion else None,
        "output": str(run.output) if run.output else None,
        "records": run.counts.records,
        "status": dict(zip(STATUSES, run.counts.status.tolist(), strict=True)),
        "reasons": dict(run.counts.reasons.most_common()),
        "warnings": dict(run.counts.warnings.most_common()),
        "groups": mix.groups,
        "cmi": mix.cmi,
        "cmi_weights": run.scheme.reference_weights or None,
        "cmi_share_of_cases": mix.weighted_share,
        "absent_columns": run.absent,
        "ids_checked": run.ids_checked,
        "ids_complete": run.ids_complete,
        "seconds": round(run.seconds, 3),
        "records_per_second": round(run.counts.records / run.seconds) if run.seconds else None,
    }


def show_summary(run: GroupRun) -> None:
    """The run as a table on the terminal."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from drgsim.analysis.casemix import case_mix
    from drgsim.cli.terminal import out, percent
    from drgsim.grouping.batch import STATUSES
    from drgsim.records.findings import BY_CODE

    counts, records = run.counts, run.counts.records
    titles = {
        "grouped": "grouped 入组",
        "ambiguous": "ambiguous 歧义",
        "ungroupable": "ungroupable 未入组",
        "invalid": "invalid 无效",
    }
    colours = {"grouped": "green", "ambiguous": "yellow", "ungroupable": "red", "invalid": "red"}
    table = Table(
        title=f"Grouped by {run.scheme.id}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("")
    table.add_column("records", justify="right")
    table.add_column("share", justify="right")
    table.add_row("records 病案", f"{records:,}", "")
    for status, number in zip(STATUSES, counts.status.tolist(), strict=True):
        colour = colours[status] if number else "dim"
        table.add_row(f"[{colour}]{titles[status]}[/]", f"{number:,}", percent(number, records))
    for title, counted in (("Why not grouped 未入组原因", counts.reasons), ("Warnings 提示", counts.warnings)):
        if counted:
            table.add_section()
            table.add_row(f"[bold]{title}[/]", "", "")
            for code, number in counted.most_common(TOP):
                finding = BY_CODE[code]
                table.add_row(f"{finding.title_zh} [dim]{escape(code)}[/]", f"{number:,}", percent(number, records))
            if len(counted) > TOP:
                table.add_row(f"[dim]... and {len(counted) - TOP} other kinds; --json lists all[/]", "", "")
    out.print(table)
    show_reading(run.layouts, run.noted)
    show_conversion(run.counts.conversion.to_dict() if run.counts.conversion else None)
    mix = case_mix(counts, run.scheme)
    line = f"{mix.groups} different groups 组数"
    if mix.cmi is not None:
        line += (
            f" · CMI {mix.cmi:.4f} (weights {run.scheme.reference_weights}, {percent_of(mix.weighted_share)} of grouped cases)"
        )
    out.print(line)
    if run.absent:
        out.print(f"[yellow]absent columns[/]: {', '.join(run.absent)} — they count as missing in every record")
    if not run.ids_complete:
        out.print(
            "[yellow]duplicate ids[/] were looked for among the first ids only: there are more than the memory bound holds"
        )
    speed = f" · {records / run.seconds:,.0f} records/s" if run.seconds else ""
    out.print(f"[dim]{run.seconds:.2f} s{speed}[/]" + (f" · wrote [bold]{escape(str(run.output))}[/]" if run.output else ""))


def percent_of(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f} %"
