"""``drgsim migrate``: the same discharges under two schemes."""

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
    PageOption,
    SheetOption,
    check_page,
    input_options,
    write_page,
)
from drgsim.cli.group_command import STATUS_NAMES
from drgsim.language import joined, text

if TYPE_CHECKING:
    from drgsim.analysis.migration import Migration

MOST = 8
_WEIGHTS = "CSV with drg and weight, a payment table, or 'estimated'; by default one method for both schemes."


def migrate(
    inputs: InputsArgument,
    before: Annotated[str, typer.Option("--from", help="Scheme that is left: id, or folder of a pack.", show_default=False)],
    after: Annotated[str, typer.Option("--to", help="Scheme that is moved to: id, or folder of a pack.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables and page.", show_default=False)],
    weights_from: Annotated[str | None, typer.Option("--weights-from", help=_WEIGHTS)] = None,
    weights_to: Annotated[str | None, typer.Option("--weights-to", help="As --weights-from.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    least_share: Annotated[
        float, typer.Option("--least-share", help="Smallest share of a group that makes a split or merge.", min=0.0, max=1.0)
    ] = 0.05,
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Move between scheme versions: flows, splits and merges, hospitals.

    Groups the same discharges by both schemes and writes tables (CSV, Parquet, XLSX) and a page with a Sankey chart.
    """
    from drgsim.api import migration_verbs
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.report.migration_report import migration_summary

    reading = input_options(format, maps, map_file, code_version, sheets)
    check_page(page, inputs, output)
    with progress_bar(text("Grouping twice"), quiet or as_json) as progress:
        moved = migration_verbs.migrate(
            list(inputs), before, after, output=output, weights_from=weights_from, weights_to=weights_to,
            least_share=least_share, reading=reading, progress=progress,
        )  # fmt: skip
    if as_json:
        print_json(migration_summary(moved.migration))
    elif not quiet:
        _show(moved.migration, output)
    write_page(moved, page, quiet or as_json)


def _show(migration: Migration, output: Path) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, percent, rows_table, show_note

    total = migration.cases
    before, after = migration.before.scheme.id, migration.after.scheme.id
    rows = [[text("{level} code differs", level=level.upper()), f"{n:,}", percent(n, total)]
            for level in ("mdc", "adrg", "drg") for n in [migration.moved(level)]]  # fmt: skip
    rows += [
        [text("{before} → {after}", before=STATUS_NAMES[a], after=STATUS_NAMES[b]), f"{n:,}", percent(n, total)]
        for (a, b), n in migration.status().most_common()
    ]
    rows_table(
        text("{before} → {after}: {total:,} cases", before=before, after=after, total=total),
        ["", text("cases"), text("share")],
        rows,
        right=(1, 2),
    )
    groups = migration.groups()
    for change, title in (("split", text("Groups that split most")), ("merged", text("Groups that merge most"))):
        chosen = sorted((g for g in groups if g.change == change), key=lambda g: (g.parts[0].cases - g.cases, g.drg))
        lines = []
        for g in chosen[:MOST]:
            parts = [
                joined(" ", (p.answer.drg if p.answer.grouped else STATUS_NAMES[p.answer.status], percent(p.cases, g.cases)))
                for p in g.parts
                if p.share >= migration.least_share
            ]
            lines.append([g.drg, g.name, f"{g.cases:,}", joined(text(", "), parts)])
        if lines:
            rows_table(
                text("{title} ({count:,})", title=title, count=len(chosen)),
                ["DRG", text("name"), text("cases"), text("parts")],
                lines,
                right=(2,),
            )
    moves = sorted(migration.hospitals, key=lambda m: -abs(m.change or 0))[:MOST]
    if moves:
        lines = [
            [m.hospital or "–", f"{m.cases:,}", _number(m.cmi_before), _number(m.cmi_after),
             "–" if m.change is None else f"{100 * m.change:+.1f} %", f"{m.rank_before or '–'} → {m.rank_after or '–'}"]
            for m in moves
        ]  # fmt: skip
        columns = [text("hospital"), text("cases"), "CMI", "→ CMI", text("relative"), text("rank")]
        rows_table(text("Hospitals whose relative CMI moves most"), columns, lines, right=(1, 2, 3, 4, 5))
    for note in migration.notes():
        show_note(note)
    out.print(text("open [bold]{output}[/] in a browser", output=escape(str(output / "migrate.html"))), soft_wrap=True)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
