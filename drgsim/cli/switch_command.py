"""``drgsim switch``: what a switch of the grouping scheme does to every hospital, in money."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    MapFileOption,
    MapOption,
    PageOption,
    SheetOption,
    check_page,
    input_options,
    write_page,
)
from drgsim.language import bilingual, text

if TYPE_CHECKING:
    from drgsim.api.switch_verb import Switched

SIDES, VALUES = "The two sides", "Weights and intervals"
SHOWN = 10
_WAN = 10_000


def switch(
    inputs: Annotated[list[Path], typer.Argument(help="Region folder, or files of discharges.", show_default=False)],
    before: Annotated[
        str, typer.Option("--from", rich_help_panel=SIDES, help="What is left: id or folder of a scheme or DIP catalogue.")
    ] = "chs-drg-2.0",
    after: Annotated[str, typer.Option("--to", rich_help_panel=SIDES, help="What is switched to.")] = "chs-drg-3.0",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for tables, workbook and page.")] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", rich_help_panel=SIDES, help="Who pays; the national rules by default.")
    ] = None,
    policy_to: Annotated[
        str | None, typer.Option("--policy-to", rich_help_panel=SIDES, help="Who pays after it, where it is another (DIP).")
    ] = None,
    keep: Annotated[str, typer.Option(help="What stays the same: budget, rate or weight.")] = "budget",
    weights: Annotated[
        str, typer.Option(rich_help_panel=VALUES, help="Of both sides: history or reference (national weights).")
    ] = "history",
    weights_from: Annotated[
        str | None, typer.Option(rich_help_panel=VALUES, help="Of the side that is left: payment table, file or folder.")
    ] = None,
    weights_to: Annotated[str | None, typer.Option(rich_help_panel=VALUES, help="Of the other side.")] = None,
    hospitals: Annotated[Path | None, typer.Option(help="hospitals.csv, where the input is no region.")] = None,
    year: Annotated[int | None, typer.Option(help="Year of the discharges; the last one by default.")] = None,
    draws: Annotated[
        int, typer.Option(rich_help_panel=VALUES, help="Draws of cases for intervals (40 or more); 0: none.", min=0)
    ] = 100,
    seed: Annotated[int, typer.Option(rich_help_panel=VALUES, help="Seed of the draws.")] = 1,
    level: Annotated[float, typer.Option(rich_help_panel=VALUES, help="Level of the intervals.", min=0.5, max=0.999)] = 0.95,
    with_cases: Annotated[bool, typer.Option("--cases", help="Write every case on both sides too.")] = False,
    language: Annotated[
        str | None, typer.Option("--language", help="Of the page: zh or en.", show_default="that of the run")
    ] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """What a switch of the scheme does to every hospital, in money, and what to do before.

    Groups the same cases twice and settles them by both sides. With --output: tables (CSV, Parquet), a workbook, a page for the
    director, summary.json.
    """
    from drgsim.api import switch_verb
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.records.case_table import own_columns
    from drgsim.results.run_record import plain
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    if output is not None:
        check_output(output, [*inputs, *(side for side in (hospitals,) if side is not None)])
    check_page(page, inputs, output)
    with progress_bar(text("Switching"), quiet or as_json) as progress:
        found = switch_verb.switch(
            list(inputs), before, after, policy=policy, policy_to=policy_to, keep=keep, weights=weights,
            weights_from=weights_from, weights_to=weights_to, hospitals=hospitals, year=year, draws=draws, seed=seed,
            level=level, with_cases=with_cases, language=language, reading=reading, progress=progress,
        )  # fmt: skip
    if output is not None:
        found.save_folder(output, ("csv", "parquet", "xlsx", "html"), replace=True)
    if as_json:
        print_json(plain(found.summary))
    elif not quiet:
        _show(found, output)
    write_page(found, page, quiet or as_json)


def _show(found: Switched, output: Path | None) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table, show_note

    switch = found.switch
    left, right = (side.choice.name for side in switch.sides)
    title = f"{left} → {right}: {switch.region.folder.name} {switch.year}"
    lines = [[bilingual(row["title"], row["title_zh"]), *(_figure(row, name) for name in ("from", "to", "change"))]
             for row in found.headline.to_pylist()]  # fmt: skip
    rows_table(title, ["", text("before"), text("after"), text("change")], lines, right=(1, 2, 3))
    steps = [row for row in found.waterfall.to_pylist() if row["scope"] == "all"]
    rows_table(
        text("From old to new payment"), [text("step"), text("cases"), text("10,000 yuan")],
        [[bilingual(row["step_en"], row["step_zh"]), f"{row['cases']:,}", f"{float(row['amount']) / _WAN:,.2f}"]
         for row in steps],
        right=(1, 2),
    )  # fmt: skip
    hospitals = sorted(found.hospitals.to_pylist(), key=lambda row: -abs(float(row["payment_change"])))
    rows_table(
        text("Hospitals that change most ({count})", count=len(hospitals)),
        [text("hospital"), text("10,000 yuan"), "%", text("interval"), ""],
        [_hospital(row) for row in hospitals[:SHOWN]], right=(1, 2, 3), whole=(1, 2, 3, 4),
    )  # fmt: skip
    out.print(
        text(
            "to look at before the switch: {entries:,} entries, {cases:,} cases",
            entries=found.work.num_rows,
            cases=found.work_cases.num_rows,
        )
    )
    out.print(
        text("kept: {keep} {budget_source}", keep=escape(switch.options.keep), budget_source=escape(switch.budget_source))
    )
    for note in found.notes:
        show_note(note.what)
    if output is not None:
        out.print(text("open [bold]{output}[/] in a browser", output=escape(str(output / "switch.html"))), soft_wrap=True)


def _figure(row: dict[str, Any], name: str) -> str:
    value, unit = row[name], row["unit"]
    if value is None:
        return "–"
    sign = "+" if name == "change" and value else ""
    if unit == "cases":
        return f"{value:{sign},.0f}"
    if unit == "yuan":
        signed = f"{value / _WAN:{sign},.2f}"
        return text("{amount} 万", amount=signed)
    return f"{value:{sign},.4f}" if unit == "weight per case" else f"{value:{sign},.2f}"


def _hospital(row: dict[str, Any]) -> list[str]:
    words = {"wins": text("wins"), "loses": text("loses"), "unclear": text("unclear"), "same": text("same")}
    share, low = row["payment_change_share"], row["change_low"]
    ends = "–" if low is None else f"{low / _WAN:+,.1f} … {row['change_high'] / _WAN:+,.1f}"
    return [
        row["name"] or row["hospital_id"] or "–", f"{float(row['payment_change']) / _WAN:+,.2f}",
        "–" if share is None else f"{100 * share:+.2f}", ends, words[row["verdict"]],
    ]  # fmt: skip
