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
from drgsim.language import bilingual, joined, text

if TYPE_CHECKING:
    import pyarrow as pa

    from drgsim.engines.group_run import GroupRun

DEFAULT_SCHEME = "auto"
PREVIEW = 10  # answers that are shown where nothing is written
STATUS_NAMES = {
    "grouped": text("grouped"), "ambiguous": text("ambiguous"), "ungroupable": text("ungroupable"), "invalid": text("invalid"),
}  # fmt: skip
_COLOURS = {"grouped": "green", "ambiguous": "yellow", "ungroupable": "red", "invalid": "red"}
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
    """Group every discharge of one or more files by a DRG scheme or a DIP catalogue.

    Every record of the input is in the output, with its status and the reason when it has no group.
    """
    from drgsim.api import grouping_verbs
    from drgsim.cli.terminal import progress_bar, result_on_standard_output

    reading = replace(input_options(format, maps, map_file, code_version, sheets), source_column=source_column)
    with progress_bar(text("Grouping"), quiet or as_json) as progress:
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
            text(
                "[bold red]✗[/] {grouped:,} of {records:,} records are grouped ({share}), fewer than --min-grouped {least:g}",
                grouped=grouped,
                records=records,
                share=share,
                least=least,
            )
        )
        raise typer.Exit(1)


def _show_preview(answers: pa.Table, records: int) -> None:
    from drgsim.cli.terminal import out, rows_table

    group = "drg" if "drg" in answers.column_names else "dip"
    spans = "scheme" in answers.column_names and len(answers["scheme"].unique()) > 1
    rows = []
    for row in answers.to_pylist():
        reason = finding_name(row["reason"]) if row["reason"] else row[f"{group}_name"]
        by = [row["scheme"]] if spans else []
        rows.append([row["discharge_id"] or "", row[group] or "", *by, STATUS_NAMES[row["status"]], reason or ""])
    columns = ["id", text("group"), *([text("scheme")] if spans else []), text("status"), text("name or reason")]
    rows_table(text("The first {count} of {records:,} answers", count=len(rows), records=records), columns, rows, whole=(1,))
    checks = [
        [row["discharge_id"] or "", row["coding_details"].replace("|", "\n")]
        for row in answers.to_pylist()
        if row.get("coding_details")
    ]
    if checks:
        rows_table(text("What a coder would check in them"), ["id", text("check")], checks)
    out.print(text("[dim]nothing was written; --output FILE keeps all answers, --coding-checks the checks beside them[/]"))


def summary(run: GroupRun) -> dict[str, Any]:
    """The run as plain values, with its time."""
    from drgsim.analysis.group_summary import group_summary
    from drgsim.version import __version__

    speed = round(run.counts.records / run.seconds) if run.seconds else None
    return {"drgsim": __version__, **group_summary(run), "seconds": round(run.seconds, 3), "records_per_second": speed}


def show_summary(run: GroupRun) -> None:
    """The run as a table on the terminal."""
    from drgsim.cli.markup import escape
    from drgsim.cli.spoken_table import SpokenTable
    from drgsim.cli.terminal import out, percent
    from drgsim.units.batch_grouper import STATUSES
    from drgsim.units.dip.catalogue_arrays import CompiledCatalogue

    counts, records = run.counts, run.counts.records
    table = SpokenTable(text("Grouped by {schemes}", schemes=joined(text(" and "), (scheme.id for scheme, _ in run.parts))))
    table.add_column("")
    table.add_column(text("records"), justify="right")
    table.add_column(text("share"), justify="right")
    table.add_row(text("records"), f"{records:,}", "")
    for scheme, part in run.parts if len(run.parts) > 1 else []:
        table.add_row(f"  {scheme.id}", f"{part.records:,}", percent(part.records, records))
    for status, number in zip(STATUSES, counts.status.tolist(), strict=True):
        if status == "ambiguous" and isinstance(run.scheme, CompiledCatalogue):
            continue  # DIP knows no ambiguous groups
        colour = _COLOURS[status] if number else "dim"
        table.add_row(f"[{colour}]{escape(STATUS_NAMES[status])}[/]", f"{number:,}", percent(number, records))
    for title, counted in ((text("Why not grouped"), counts.reasons), (text("Warnings"), counts.warnings)):
        if counted:
            table.add_section()
            table.add_row(f"[bold]{escape(title)}[/]", "", "")
            for code, number in counted.most_common(TOP):
                table.add_row(f"{escape(finding_name(code))} [dim]{escape(code)}[/]", f"{number:,}", percent(number, records))
            if len(counted) > TOP:
                table.add_row(text("[dim]... and {count} other kinds; --json lists all[/]", count=len(counted) - TOP), "", "")
    out.print(table)
    show_reading(run.layouts, run.kept_columns, run.noted)
    show_conversion(run.counts.conversion.to_dict() if run.counts.conversion else None)
    question = run.edition.question() if run.edition else None
    if question:
        out.print(f"[bold yellow]?[/] {escape(question.what)}: {escape(question.fix)}")
    _show_figures(run)
    if run.absent:
        out.print(
            text("[yellow]absent columns[/]: {names} — they count as missing in every record", names=", ".join(run.absent))
        )
    if not run.ids_complete:
        out.print(
            text(
                "[yellow]duplicate ids[/] were looked for among the first ids only: there are more than the memory bound holds"
            )
        )
    _show_end(run)


def _show_end(run: GroupRun) -> None:
    """How long it took, and what was written."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    told = [text("[dim]{seconds:.2f} s[/]", seconds=run.seconds)]
    if run.seconds:
        told.append(text("[dim]{speed:,.0f} records/s[/]", speed=run.counts.records / run.seconds))
    if run.output:
        told.append(text("wrote [bold]{output}[/]", output=escape(run.output)))
    out.print(joined(" · ", told))


def finding_name(code: str) -> str:
    """A reason or warning in words."""
    from drgsim.records.findings import BY_CODE

    return bilingual(BY_CODE[code].title, BY_CODE[code].title_zh)


def _show_figures(run: GroupRun) -> None:
    """Different groups and CMI of DRGs; types of kinds and points of DIP."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, percent, rows_table
    from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
    from drgsim.units.dip.dip_catalogue import KINDS

    for scheme, counts in run.parts:
        if isinstance(scheme, CompiledCatalogue):
            from drgsim.analysis.kindmix import kind_mix

            mix, records = kind_mix(counts, scheme), counts.records
            rows = [
                [bilingual(kind, KINDS[kind]), f"{cases:,}", percent(cases, records)] for kind, cases in mix.by_type.items()
            ]
            rows_table(text("Cases by type of kind"), ["", text("cases"), text("share")], rows, right=(1, 2))
            if mix.by_list:
                lists = ", ".join(f"{aux} {cases:,} ({percent(cases, records)})" for aux, cases in mix.by_list.items())
                out.print(text("with a level of an auxiliary list: {lists}", lists=lists))
            points = text("no scores")  # of a catalogue that states none
            if mix.mean_score is not None:
                points = text(
                    "points {points:,.2f} · mean score {mean_score:,.2f}", points=mix.points, mean_score=mix.mean_score
                )
            out.print(text("{kinds:,} different kinds · {points}", kinds=mix.kinds, points=points))
            continue
        from drgsim.analysis.casemix import case_mix

        groups = case_mix(counts, scheme)
        line = text("{groups} different groups", groups=groups.groups)
        if len(run.parts) > 1:
            line = text("{groups} different groups of {scheme}", groups=groups.groups, scheme=scheme.id)
        if groups.cmi is not None:
            line = text(
                "{line} · CMI {cmi:.4f} (weights {weights}, {share} of grouped cases)", line=line, cmi=groups.cmi,
                weights=escape(scheme.reference_weights), share=percent_of(groups.weighted_share),
            )  # fmt: skip
        out.print(line)
    _show_dates(run)


def _show_dates(run: GroupRun) -> None:
    """How the scheme was chosen, and the records that have no date to choose it by."""
    from drgsim.analysis.group_summary import date_notes
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, show_warning

    if run.by_date:
        out.print(text("[dim]scheme by date of discharge: {by_date}[/]", by_date=run.by_date))
    for note in date_notes(run):
        show_warning(note)
        out.print(f"  [dim]{escape(note.fix)}[/]")


def percent_of(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f} %"
