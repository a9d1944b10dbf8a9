"""``drgsim schemes diff``: what changes from one scheme to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import term, text

if TYPE_CHECKING:
    from drgsim.units.schemes.scheme_differences import SchemeDifference

NO_LEVEL = text("none")
_RELATIONS = {
    "renamed": term("of an ADRG", "renamed"), "split": term("of an ADRG", "split"), "merged": term("of an ADRG", "merged"),
    "new": term("of an ADRG", "new"), "gone": term("of an ADRG", "gone"),
}  # fmt: skip
SHOWN = 15  # rows of one sort on the terminal


def diff(
    before: Annotated[str, typer.Argument(help="Id of a scheme, or the folder of a pack.")],
    after: Annotated[str, typer.Argument(help="The scheme to compare it with.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="All of it: a workbook (.xlsx), or a folder of CSV tables.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all differences as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Print every row, not only the first of each sort.")] = False,
) -> None:
    """Compare two schemes: MDCs, ADRGs, groups, rules, codes moved, CC changes."""
    from drgsim.api import scheme_diff_verb
    from drgsim.cli.terminal import out, print_json

    result = scheme_diff_verb.schemes_diff(before, after, html=html)
    found = result.difference
    if output is not None:
        result.save(output, formats="csv", replace=True)
    if as_json:
        print_json(found.as_dict())
        return
    out.print(f"[bold]{found.before} → {found.after}[/]")
    if found.is_empty:
        out.print(text("no difference"))
    else:
        _show(found, None if full else SHOWN)
    for path in (html, output):
        if path is not None:
            out.print(text("wrote [bold]{output}[/]", output=path))


def _show(found: SchemeDifference, most: int | None) -> None:
    from drgsim.cli.terminal import out, rows_table

    summary = found.summary()
    lines = [
        [level.upper(), *(f"{summary[f'{level}_{change}']:,}" for change in ("added", "removed", "changed"))]
        for level in ("mdc", "adrg", "drg")
    ]  # fmt: skip
    rows_table(text("Codes of groups"), ["", text("added"), text("removed"), text("changed")], lines, right=(1, 2, 3))
    out.print(
        text(
            "{diagnosis_moved:,} diagnoses and {procedure_moved:,} procedures are listed by other rows; "
            "{severity_changed:,} diagnoses change between none, CC and MCC; {exclusion_changed:,} more "
            "change by what excludes them",
            diagnosis_moved=summary["diagnosis_moved"],
            procedure_moved=summary["procedure_moved"],
            severity_changed=summary["severity_changed"],
            exclusion_changed=summary["exclusion_changed"],
        )
    )
    _show_successions(found, most)
    for level in ("mdc", "adrg", "drg"):
        table = [
            [row.code, row.change, ", ".join(row.aspects), row.name_after or row.name_before,
             f"+{row.codes_added:,} −{row.codes_removed:,}" if row.codes_added or row.codes_removed else ""]
            for row in found.rows if row.level == level
        ]  # fmt: skip
        _table(
            level.upper(), [text("code"), text("change"), text("what"), text("name"), text("codes")], table, most, right=(4,)
        )
    moves = [[move.code, move.name, " ".join(move.before) or "–", " ".join(move.after) or "–"] for move in found.moves]
    _table(text("Codes listed by other rows"), [text("code"), text("name"), found.before, found.after], moves, most)
    _show_levels(found, most)


def _show_successions(found: SchemeDifference, most: int | None) -> None:
    for relation, title in _RELATIONS.items():
        rows = []
        for line in found.successions:
            if line.relation == relation:
                parts = zip(line.after, line.names_after, line.shared, strict=True)
                after = "\n".join(f"{code} {name} ({shared:,})" for code, name, shared in parts)
                rows.append([f"{line.before} {line.name_before}".strip() or "–", after or "–"])
        _table(text("ADRG {title} (codes in common)", title=title), [found.before, found.after], rows, most)
    divided = [[f"{line.adrg} {line.name}", " ".join(line.before), " ".join(line.after)] for line in found.subdivisions]
    _table(text("ADRGs divided into other DRGs"), ["ADRG", found.before, found.after], divided, most)


def _show_levels(found: SchemeDifference, most: int | None) -> None:
    from drgsim.cli.terminal import rows_table

    levels, words = found.level_changes(), ("MCC", "CC", "none")
    if levels:
        rows = [
            [NO_LEVEL if was == "none" else was, *(f"{levels[was, now]:,}" if (was, now) in levels else "–" for now in words)]
            for was in words
        ]
        title = text("Diagnoses as MCC and CC")
        rows_table(
            title,
            [
                found.before,
                *(text("{level} in {scheme}", level=NO_LEVEL if now == "none" else now, scheme=found.after) for now in words),
            ],
            rows,
            right=(1, 2, 3),
        )
    changes = [
        [change.code, change.name, change.before or "–", change.after or "–",
         f"+{change.excluded_by_added:,} −{change.excluded_by_removed:,}"]
        for change in found.severities
    ]  # fmt: skip
    _table(
        text("MCC, CC and what excludes them"),
        [text("code"), text("name"), text("before"), text("after"), text("excluded by")],
        changes,
        most,
        right=(4,),
    )


def _table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], most: int | None, *, right: Sequence[int] = ()
) -> None:
    """The first rows of a table, or all of them."""
    from drgsim.cli.terminal import rows_table

    rows = list(rows)
    shown = rows[:most]
    if len(shown) < len(rows):
        title = text(
            "{title} (the first {most} of {count:,}; --full or --output for all)", title=title, most=most, count=len(rows)
        )
    if rows:
        rows_table(title, columns, shown, right=right, whole=(0,) if len(columns) > 3 else ())
