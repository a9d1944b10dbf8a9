"""``drgsim new``: commented files to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import text

if TYPE_CHECKING:
    from drgsim.api.new_verbs import NewFiles

app = typer.Typer(
    help="Write commented files to begin with: a form for discharges, a region, a scenario, a policy, a scheme, a map.",
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="New or empty folder.", show_default=False)]


@app.command("input")
def new_input(folder: Folder) -> None:
    """A workbook for discharges with lists of what a cell may hold, and the same rows as CSV."""
    from drgsim.api import new_verbs

    _show(
        new_verbs.new_input(folder), text("try it with: drgsim group {file} --scheme chs-drg-2.0", file=folder / "input.xlsx")
    )


@app.command("region")
def new_region(folder: Folder) -> None:
    """A region of three hospitals that budgets and scenarios take as it is."""
    from drgsim.api import new_verbs

    _show(
        new_verbs.new_region(folder),
        text("try it with: drgsim budget {file} --policy beijing/2024 --output budget", file=folder),
    )


@app.command("scenario")
def new_scenario(folder: Folder) -> None:
    """A scenario with one change, and what else could be changed as comments."""
    from drgsim.api import new_verbs

    file = folder / "scenario.yaml"
    _show(
        new_verbs.new_scenario(folder), text("try it with: drgsim simulate REGION --scenario {file} --output whatif", file=file)
    )


@app.command("policy")
def new_policy(
    folder: Folder,
    base: Annotated[str, typer.Option("--base", help="Policy that the values are taken from.")] = "beijing/2024",
    name: Annotated[
        str | None, typer.Option("--name", help="Region and year, such as my-city/2026; the folder's by default.")
    ] = None,
) -> None:
    """A policy after another one; every value in it is an assumption until a source replaces it."""
    from drgsim.api import new_verbs

    said = text("try it with: drgsim policy check {file}, then drgsim settle FILE --policy {file} --output paid", file=folder)
    _show(new_verbs.new_policy(folder, base=base, name=name), said)


@app.command("scheme")
def new_scheme(
    folder: Folder,
    base: Annotated[str, typer.Option("--base", help="Scheme that the new one differs from.")] = "chs-drg-2.0",
    name: Annotated[str | None, typer.Option("--name", help="Id of the scheme; the folder's name by default.")] = None,
) -> None:
    """A city's scheme on a base, as drgsim schemes new."""
    from drgsim.api import new_verbs

    said = text("try it with: drgsim schemes check {file}", file=folder)
    _show(new_verbs.new_scheme(folder, base=base, name=name), said)


@app.command("map")
def new_map(folder: Folder) -> None:
    """A mapping of columns with every column that drgsim knows."""
    from drgsim.api import new_verbs

    said = text("use it with: drgsim group FILE --map-file {file}; drgsim map FILE makes guesses", file=folder / "map.yaml")
    _show(new_verbs.new_map(folder), said)


def _show(made: NewFiles, said: str) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    listed = ", ".join(made.files[:_SHOWN]) + (", ..." if len(made.files) > _SHOWN else "")
    wrote = text("wrote {folder}: {files}", folder=made.folder, files=listed)
    out.print(escape(wrote), soft_wrap=True)
    out.print(escape(said), soft_wrap=True)


_SHOWN = 12  # files that are named
