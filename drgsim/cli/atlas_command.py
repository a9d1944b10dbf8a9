"""``drgsim atlas``: the same cases under every policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    SheetOption,
    input_options,
)
from drgsim.language import text

if TYPE_CHECKING:
    from drgsim.api.atlas_verb import Atlas

CASES, VALUES = "Whose cases", "Relative values"
SHOWN = 12
_EFFECTS = {"unit_value": text("unit value"), "coefficient": text("coefficient"), "curve": text("curve")}


def atlas(
    inputs: InputsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables and page.", show_default=False)],
    policies: Annotated[
        list[str] | None, typer.Option("--policies", "-p", help="Names with * and ?, such as 'sichuan*' or '*/2026'; all.")
    ] = None,
    reference: Annotated[str, typer.Option("--reference", help="Policy to compare with, or median.")] = "median",
    hospitals: Annotated[
        Path | None, typer.Option(rich_help_panel=CASES, help="hospitals.csv: hospital_id, level, grade, coefficient.")
    ] = None,
    hospital: Annotated[str | None, typer.Option(rich_help_panel=CASES, help="Only the cases of this hospital.")] = None,
    level: Annotated[
        str | None, typer.Option(rich_help_panel=CASES, help="Level (3, 三甲) instead of what the cases say.")
    ] = None,
    insurance: Annotated[
        str | None, typer.Option(rich_help_panel=CASES, help="employee or resident instead of what the cases say.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(rich_help_panel=VALUES, help="Common weights of your own: folder of drgsim weights, or table."),
    ] = None,
    weights_from: Annotated[
        str | None, typer.Option(rich_help_panel=VALUES, help="Common weights: national or history (these cases).")
    ] = None,
    own_tables: Annotated[
        bool, typer.Option("--own-tables/--common-only", rich_help_panel=VALUES, help="Let policies use their own tables.")
    ] = True,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme where there is no group.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    as_json: Annotated[bool, typer.Option("--json", help="Print the table of policies as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Settle the same cases under all policies: a ranked chart, and what makes the difference.

    Writes tables (CSV, Parquet, XLSX), a page and run.json. What is not paid, and why, stands in doubts and left_out.
    """
    from drgsim.api import atlas_verb
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.records.case_table import own_columns
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    check_output(output, [*inputs, *(side for side in (hospitals, weights) if side is not None)])
    with progress_bar(text("Settling"), quiet or as_json) as progress:
        found = atlas_verb.atlas(
            inputs, policies=policies or (), reference=reference, hospitals=hospitals, hospital=hospital, level=level,
            insurance=insurance, weights=weights, weights_from=weights_from, own_tables=own_tables, scheme=scheme,
            reading=reading, progress=progress,
        )  # fmt: skip
    found.save_folder(output, ("csv", "parquet", "xlsx", "html"), replace=True)
    if as_json:
        print_json([{name: _plain(value) for name, value in row.items()} for row in found.to_arrow().to_pylist()])
    elif not quiet:
        _show(found, output)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _show(found: Atlas, output: Path) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table, show_note
    from drgsim.report.atlas_tables import left_out_reasons

    rows = found.to_arrow().to_pylist()
    middle = found.reference.policy.id
    at = next(place for place, row in enumerate(rows) if row["policy"] == middle)
    near = {*range(SHOWN), *range(at - 1, at + 2), *range(len(rows) - SHOWN, len(rows))}
    lines, last = [], -1
    for place in sorted(place for place in near if 0 <= place < len(rows)):
        row = rows[place]
        if place > last + 1:
            lines.append(["…", "", "", "", "", ""])
        last = place
        effect = {name: float(row[f"effect_{name}"]) for name in _EFFECTS}
        largest = max(effect, key=lambda name: abs(effect[name]))
        why = text("reference")
        if row["policy"] != middle:
            why = text("{effect} {amount:+,.0f}", effect=_EFFECTS[largest], amount=effect[largest] / 10_000)
        lines.append([
            str(row["rank"]), row["policy"], f"{100 * (row['payment_to_cost'] or 0):.1f} %",
            f"{float(row['payment']) / 10_000:,.0f}", f"{row['unpaid']:,}", why,
        ])  # fmt: skip
    title = text("{cases:,} cases under {count} policies", cases=rows[0]["cases"], count=len(rows))
    rows_table(
        title,
        ["#", text("policy"), text("/ cost"), text("10,000 yuan"), text("unpaid"), text("most of it")],
        lines,
        right=(0, 2, 3, 4),
        whole=(1, 5),
    )
    for note in found.notes:
        show_note(note.what)
    if found.left_out_for:
        reasons = [[str(count), reason, fix] for count, reason, fix in left_out_reasons(found.left_out_for)]
        title = text("Policies left out (left_out.csv names them)")
        rows_table(title, ["", text("why"), text("what to do")], reasons, right=(0,))
    out.print(text("open [bold]{output}[/] in a browser", output=escape(str(output / "atlas.html"))), soft_wrap=True)
