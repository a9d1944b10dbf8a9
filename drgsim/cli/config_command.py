"""``drgsim config``: which defaults are set, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from drgsim.language import term, text

app = typer.Typer(help="Defaults of options from drgsim.toml and DRGSIM_* variables.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    """Defaults of options from drgsim.toml and DRGSIM_* variables."""


@app.command()
def show(ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Show which defaults are set, which mappings of columns are kept, and where each comes from.

    A key of drgsim.toml is the long name of an option: scheme = "beijing-2024" at the top holds for every command, under
    [group] for that command. DRGSIM_SCHEME and DRGSIM_GROUP_SCHEME do the same, and win. [columns."H01"] keeps what the
    columns of the files of H01 are.
    """
    from drgsim.cli.markup import escape
    from drgsim.cli.option_defaults import config_files, read_defaults
    from drgsim.cli.terminal import out, print_json, rows_table

    found = read_defaults(ctx.find_root().command)
    files = [(path, path.is_file()) for path in config_files()]
    if as_json:
        print_json({
            "files": [{"path": str(path), "found": there} for path, there in files],
            "defaults": [vars(entry) for entry in found.entries],
            "columns": [{"files": each.files, "maps": dict(each.maps), "source": each.source} for each in found.columns],
            "unknown_variables": [problem.what.split()[0] for problem in found.doubts],
        })  # fmt: skip
        return
    for path, there in files:
        if there:
            out.print(f"[green]✓[/] {escape(path)}")
        else:
            out.print(f"[dim]–[/] {escape(path)} [dim]({escape(text('no such file'))})[/]")
    rows = [
        [
            entry.command or text("every command"),
            entry.option.replace("_", "-"),
            f"{entry.value}",
            entry.source,
            "" if entry.used else "–",
        ]
        for entry in found.entries
    ]
    if rows:
        rows_table(text("Defaults"), [text("command"), text("option"), text("value"), term("of a value", "from"), ""], rows)
        if any(not entry.used for entry in found.entries):
            out.print(text("[dim]– something nearer to the call sets the same[/]"))
    else:
        out.print(text("no default is set"))
    if found.columns:
        pairs = [[each.files, own, name, each.source] for each in found.columns for own, name in each.maps]
        rows_table(
            text("Columns kept for files"),
            [text("files"), text("column"), term("of a column", "is"), term("of a value", "from")],
            pairs,
        )
