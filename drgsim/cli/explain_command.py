"""``drgsim explain``: why a discharge has its group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    MapFileOption,
    MapOption,
    SchemeOption,
    SheetOption,
    input_options,
)
from drgsim.cli.group_command import DEFAULT_SCHEME
from drgsim.language import spoken, text

if TYPE_CHECKING:
    from rich.tree import Tree

    from drgsim.units.drg.drg_narrative import TreeLine

_STYLES = {"title": "bold", "good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "": ""}


def explain(
    source: Annotated[
        Path | None, typer.Argument(metavar="[INPUT]", help="Case-mix file to take the record from.", show_default=False)
    ] = None,
    record_id: Annotated[str | None, typer.Option("--id", help="Id of the record in INPUT.")] = None,
    diagnoses: Annotated[str | None, typer.Option(help='Diagnosis codes, principal first: "I21.001|I10.x00".')] = None,
    procedures: Annotated[str, typer.Option(help="Procedure codes, principal first.")] = "",
    sex: Annotated[str | None, typer.Option(help="1 male, 2 female.")] = None,
    age: Annotated[str | None, typer.Option(help="Age in years.")] = None,
    age_days: Annotated[str | None, typer.Option(help="Age in days, under one year.")] = None,
    weight: Annotated[str | None, typer.Option(help="Birth weight in grams.")] = None,
    los: Annotated[str | None, typer.Option(help="Length of stay in days.")] = None,
    icu_hours: Annotated[str | None, typer.Option(help="Hours in intensive care.")] = None,
    discharge_way: Annotated[str | None, typer.Option(help="Discharge way, 1-5 or 9.")] = None,
    department: Annotated[str | None, typer.Option(help="Admission department.")] = None,
    discharged: Annotated[
        str | None, typer.Option(help="Date of discharge, which chooses the scheme where none is named.")
    ] = None,
    scheme: SchemeOption = DEFAULT_SCHEME,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    brief: Annotated[bool, typer.Option("--brief", help="Show what matched and leave out the rest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole trace as JSON.")] = False,
) -> None:
    """Show every rule that was tried for one discharge, and why it matched or not.

    Either a record of a file (INPUT --id ID), or codes typed here (--diagnoses ...).
    """
    from drgsim.api.explaining_verbs import MOST_EXPLAINED
    from drgsim.api.explaining_verbs import explain as explained
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, print_json
    from drgsim.records.input_options import InputOptions

    if source is not None and diagnoses is not None:
        _refuse(
            text("explain takes a record of a file or codes typed here, not both"), text("leave out the file or --diagnoses")
        )
    if source is None and diagnoses is None:
        _refuse(
            text("explain needs a record"),
            text("name a file and an id (drgsim explain cases.csv --id 17), or give --diagnoses"),
        )
    reading = input_options(format, maps, map_file, code_version, sheets)
    if source is not None:
        found = explained(source, scheme, record_id=record_id, reading=reading)
    else:
        typed = {
            "diagnoses": diagnoses, "procedures": procedures, "sex": sex, "age": age, "age_days": age_days,
            "birth_weight_g": weight, "los_days": los, "icu_hours": icu_hours, "discharge_way": discharge_way,
            "admission_department": department, "discharged": discharged,
        }  # fmt: skip
        typed = {name: value for name, value in typed.items() if value is not None}
        found = explained(typed, scheme, reading=InputOptions(code_version=code_version))
    if as_json:
        values = found.dicts()
        print_json(values[0] if len(values) == 1 else values)
        return
    if found.records > 1:
        out.print(
            text(
                "[yellow]{records} records have the id {record_id}[/]; each is explained on its own, the first {most} at most",
                records=found.records,
                record_id=escape(str(record_id)),
                most=MOST_EXPLAINED,
            )
        )
    for line in found.lines(brief=brief):
        out.print(_tree(line))


def _tree(line: TreeLine) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(spoken(line.text), style=_STYLES[line.style]), guide_style="dim")
    for below in line.below:
        tree.children.append(_tree(below))
    return tree


def _refuse(what: str, fix: str) -> None:
    from drgsim.errors import Problem, UsageError

    raise UsageError([Problem("explain-without-record", what, fix=fix)])
