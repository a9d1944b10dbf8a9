"""``drgsim group``: discharges in, the DRG or DIP kind of every one out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    SchemeOption,
    SheetOption,
    input_options,
    show_conversion,
    show_reading,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from drgsim.engines.group_run import GroupRun

DEFAULT_SCHEME = "auto"
PREVIEW = 10  # answers that are shown where nothing is written
TOP = 8  # reasons and warnings that the summary names


def group(
    inputs: InputsArgument,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Result: .csv, .parquet or .xlsx, - for standard output, a database URL with ?table=; none for a preview.",
            show_default=False,
        ),
    ] = None,
    scheme: SchemeOption = DEFAULT_SCHEME,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    keep_input: Annotated[bool, typer.Option("--keep-input", help="Put the input's own columns before the answers.")] = False,
    coding_checks: Annotated[
        bool, typer.Option("--coding-checks", help="Add what a coder would check in each record; changes no group.")
    ] = False,
    source_column: Annotated[
        str | None, typer.Option("--source-column", help="Name the file of every record in a column of this name.")
    ] = None,
    min_grouped: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Least share of grouped records, such as 0.9; below it the exit code is 1.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Group every discharge of one or more files by a DRG scheme or a DIP catalogue. 病案分组

    Every record of the input is in the output, with its status and the reason when it has no group.
    """
    from drgsim.api import grouping_verbs
    from drgsim.cli.terminal import progress_bar, result_on_standard_output

    reading = replace(input_options(format, maps, map_file, code_version, sheets), source_column=source_column)
    with progress_bar("Grouping", quiet or as_json) as progress:
        done = grouping_verbs.group_files(
            inputs, scheme, output, keep_input=keep_input, coding_checks=coding_checks, reading=reading, progress=progress
        )
    with result_on_standard_output(output == "-"):
        _tell(done.run, as_json, quiet)
    if output is None and not (as_json or quiet):
        _show_preview(grouping_verbs.first_answers(inputs, scheme, PREVIEW, reading), done.run.counts.records)
    if min_grouped is not None:
        _check_grouped(done.run, min_grouped)


def _tell(run: GroupRun, as_json: bool, quiet: bool) -> None:
    from drgsim.cli.terminal import print_json

    if as_json:
        print_json(summary(run))
    elif not quiet:
        show_summary(run)


def _check_grouped(run: GroupRun, least: float) -> None:
    """Stop with 1 when too few records have a group, so that what runs by night is noticed."""
    from drgsim.cli.terminal import err, percent

    grouped, records = int(run.counts.status[0]), run.counts.records
    if grouped < least * records or not records:
        share = percent(grouped, records)
        err.print(
            f"[bold red]✗[/] {grouped:,} of {records:,} records are grouped ({share}), fewer than --min-grouped {least:g}"
        )
        raise typer.Exit(1)


def _show_preview(answers: pa.Table, records: int) -> None:
    from drgsim.cli.terminal import out, rows_table
    from drgsim.records.findings import BY_CODE

    group = "drg" if "drg" in answers.column_names else "dip"
    spans = "scheme" in answers.column_names and len(answers["scheme"].unique()) > 1
    rows = []
    for row in answers.to_pylist():
        reason = BY_CODE[row["reason"]].title_zh if row["reason"] else row[f"{group}_name"]
        by = [row["scheme"]] if spans else []
        rows.append([row["discharge_id"] or "", row[group] or "", *by, row["status"], reason or ""])
    columns = ["id", "group", *(["scheme"] if spans else []), "status", "name or reason"]
    rows_table(f"The first {len(rows)} of {records:,} answers 预览", columns, rows, whole=(1,))
    checks = [
        [row["discharge_id"] or "", row["coding_details"].replace("|", "\n")]
        for row in answers.to_pylist()
        if row.get("coding_details")
    ]
    if checks:
        rows_table("What a coder would check in them 编码检查", ["id", "check"], checks)
    out.print("[dim]nothing was written; --output FILE keeps all answers, --coding-checks the checks beside them[/]")


def summary(run: GroupRun) -> dict[str, Any]:
    """The run as plain values, with its time."""
    from drgsim.analysis.group_summary import group_summary
    from drgsim.version import __version__

    speed = round(run.counts.records / run.seconds) if run.seconds else None
    return {"drgsim": __version__, **group_summary(run), "seconds": round(run.seconds, 3), "records_per_second": speed}


def show_summary(run: GroupRun) -> None:
    """The run as a table on the terminal."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from drgsim.cli.terminal import out, percent
    from drgsim.records.findings import BY_CODE
    from drgsim.units.batch_grouper import STATUSES
    from drgsim.units.dip.catalogue_arrays import CompiledCatalogue

    counts, records = run.counts, run.counts.records
    titles = {
        "grouped": "grouped 入组",
        "ambiguous": "ambiguous 歧义",
        "ungroupable": "ungroupable 未入组",
        "invalid": "invalid 无效",
    }
    colours = {"grouped": "green", "ambiguous": "yellow", "ungroupable": "red", "invalid": "red"}
    table = Table(
        title=f"Grouped by {' and '.join(scheme.id for scheme, _ in run.parts)}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("")
    table.add_column("records", justify="right")
    table.add_column("share", justify="right")
    table.add_row("records 病案", f"{records:,}", "")
    for scheme, part in run.parts if len(run.parts) > 1 else []:
        table.add_row(f"  {scheme.id}", f"{part.records:,}", percent(part.records, records))
    for status, number in zip(STATUSES, counts.status.tolist(), strict=True):
        if status == "ambiguous" and isinstance(run.scheme, CompiledCatalogue):
            continue  # DIP knows no ambiguous groups
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
    show_reading(run.layouts, run.kept_columns, run.noted)
    show_conversion(run.counts.conversion.to_dict() if run.counts.conversion else None)
    question = run.edition.question() if run.edition else None
    if question:
        out.print(f"[bold yellow]?[/] {escape(question.what)}: {escape(question.fix)}")
    _show_figures(run)
    if run.absent:
        out.print(f"[yellow]absent columns[/]: {', '.join(run.absent)} — they count as missing in every record")
    if not run.ids_complete:
        out.print(
            "[yellow]duplicate ids[/] were looked for among the first ids only: there are more than the memory bound holds"
        )
    speed = f" · {records / run.seconds:,.0f} records/s" if run.seconds else ""
    out.print(f"[dim]{run.seconds:.2f} s{speed}[/]" + (f" · wrote [bold]{escape(str(run.output))}[/]" if run.output else ""))


def _show_figures(run: GroupRun) -> None:
    """Different groups and CMI of DRGs; types of kinds and points of DIP."""
    from rich.markup import escape

    from drgsim.cli.terminal import out, percent, rows_table
    from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
    from drgsim.units.dip.dip_catalogue import KINDS

    for scheme, counts in run.parts:
        if isinstance(scheme, CompiledCatalogue):
            from drgsim.analysis.kindmix import kind_mix

            mix, records = kind_mix(counts, scheme), counts.records
            rows = [[f"{KINDS[kind]} {kind}", f"{cases:,}", percent(cases, records)] for kind, cases in mix.by_type.items()]
            rows_table("Cases by type of kind 病种类别", ["", "cases", "share"], rows, right=(1, 2))
            if mix.by_list:
                lists = ", ".join(f"{aux} {cases:,} ({percent(cases, records)})" for aux, cases in mix.by_list.items())
                out.print(f"with a level of an auxiliary list 辅助分型: {lists}")
            points = "no scores 无分值"  # of a catalogue that states none
            if mix.mean_score is not None:
                points = f"points 总分值 {mix.points:,.2f} · mean score 例均分值 {mix.mean_score:,.2f}"
            out.print(f"{mix.kinds:,} different kinds 病种数 · {points}")
            continue
        from drgsim.analysis.casemix import case_mix

        groups = case_mix(counts, scheme)
        line = f"{groups.groups} different groups 组数" + (f" of {scheme.id}" if len(run.parts) > 1 else "")
        if groups.cmi is not None:
            weights = f"weights {scheme.reference_weights}, {percent_of(groups.weighted_share)} of grouped cases"
            line += f" · CMI {groups.cmi:.4f} ({escape(weights)})"
        out.print(line)
    _show_dates(run)


def _show_dates(run: GroupRun) -> None:
    """How the scheme was chosen, and the records that have no date to choose it by."""
    from drgsim.analysis.group_summary import date_notes
    from drgsim.cli.terminal import out

    if run.by_date:
        out.print(f"[dim]scheme by date of discharge 按出院日期选择方案: {run.by_date}[/]")
    for note in date_notes(run):
        out.print(f"[yellow]![/] {note.what} [dim]\\[{note.code}][/]\n  [dim]{note.fix}[/]")


def percent_of(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f} %"
