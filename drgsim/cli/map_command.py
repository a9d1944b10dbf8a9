"""``drgsim map``: what the columns of a file are; and what is shown when a file's columns were not understood."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import FormatOption, MapFileOption, MapOption, SheetOption, input_options
from drgsim.language import bilingual, spoken, text

if TYPE_CHECKING:
    from rich.console import Console

    from drgsim.errors import DrgsimError
    from drgsim.records.column_guesses import ColumnGuess

MAP_FILE = "map.yaml"


def map_columns(
    records: Annotated[str, typer.Argument(metavar="FILE", help="Case-mix file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Mapping to write, for --map-file.")] = Path(MAP_FILE),
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the columns as JSON and write no file.")] = False,
) -> None:
    """Say what each column of a file is, and write a mapping to check and use.

    Guesses go by names and cells. Nothing is grouped by them before you use the file with --map-file.
    """
    from drgsim.api import mapping_verb
    from drgsim.cli.terminal import out, print_json
    from drgsim.records.case_table import own_columns
    from drgsim.results.whole_outputs import write_text

    reading = input_options(format, maps, map_file, "yb2", sheets, own_columns())
    found = mapping_verb.map_columns(records, reading=reading)
    if as_json:
        print_json({**found.record, "table": found.to_arrow().to_pylist()})
        return
    write_text(output, found.yaml, replace=False)
    show_guesses(found.guesses, found.missing, out)
    out.print(text("wrote [bold]{output}[/]: check it, then use it with --map-file {output}", output=output))


def show_guesses(guesses: Sequence[ColumnGuess], missing: Sequence[str], console: Console) -> None:
    """The columns of a file beside what they may be."""
    from drgsim.cli.markup import escape
    from drgsim.cli.spoken_table import SpokenTable

    table = SpokenTable(text("The file's columns"))
    for title in (text("column"), text("cell"), text("may be"), text("because")):
        table.add_column(title, overflow="ellipsis", no_wrap=True, min_width=14 if title == "because" else None)
    for guess in guesses:
        meant = column_name(guess.canonical) if guess.canonical else "?"
        sample = " ".join(guess.sample.split())[:20]
        table.add_row(escape(guess.own), escape(sample), meant, guess.why, style="" if guess.canonical else "dim")
    console.print(table)
    for name in missing:
        console.print(text("[yellow]no column looks like {name}[/], which is needed", name=column_name(name)))


def column_name(name: str) -> str:
    """A canonical column; for readers of Chinese with its title."""
    from drgsim.records.schema import columns

    return bilingual(name, f"{name} {columns()[name].title_zh}")


def offer_mapping(error: DrgsimError) -> None:
    """Show what the columns of a file may be that was refused for them, and write that as a mapping into this folder."""
    from drgsim.cli.terminal import err
    from drgsim.errors import InputError, OutputError

    if not isinstance(error, InputError):  # a wrong call is told at once: guesses wait for numba and Arrow
        return
    from drgsim.records.column_guesses import UnknownColumns, mapping_text, still_missing
    from drgsim.results.whole_outputs import write_text

    if not isinstance(error, UnknownColumns):
        return
    missing = still_missing(error.guesses)
    show_guesses(error.guesses, missing, err)
    free = (Path(f"map{number}.yaml") for number in ("", *(f"-{n}" for n in range(2, 10_000))))
    target = next(path for path in free if not path.exists())
    file = error.problems[0].where.partition(",")[0]
    try:
        write_text(target, spoken(mapping_text(error.guesses, file, missing)), replace=False)
    except OutputError:  # a folder that cannot be written to: what is shown has to do
        return
    err.print(text("wrote [bold]{target}[/]: check it, then run again with --map-file {target}", target=target))
