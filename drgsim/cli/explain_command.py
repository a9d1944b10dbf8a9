"""``drgsim explain``: why a discharge has its group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import CodeVersionOption, FormatOption, MapFileOption, MapOption, SchemeOption, input_options
from drgsim.cli.group_command import DEFAULT_SCHEME

if TYPE_CHECKING:
    from rich.tree import Tree

    from drgsim.records.input_options import InputOptions
    from drgsim.units.drg.drg_narrative import TreeLine

_STYLES = {"title": "bold", "good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "": ""}
MOST_SHOWN = 5


def explain(
    source: Annotated[
        Path | None, typer.Argument(metavar="[INPUT]", help="Case-mix file to take the record from.", show_default=False)
    ] = None,
    record_id: Annotated[str | None, typer.Option("--id", help="Id of the record in INPUT.")] = None,
    diagnoses: Annotated[str | None, typer.Option(help='Diagnosis codes, principal first: "I21.001|I10.x00".')] = None,
    procedures: Annotated[str, typer.Option(help="Procedure codes, principal first.")] = "",
    sex: Annotated[str | None, typer.Option(help="1 male 男, 2 female 女.")] = None,
    age: Annotated[str | None, typer.Option(help="Age in years.")] = None,
    age_days: Annotated[str | None, typer.Option(help="Age in days, under one year.")] = None,
    weight: Annotated[str | None, typer.Option(help="Birth weight in grams.")] = None,
    los: Annotated[str | None, typer.Option(help="Length of stay in days.")] = None,
    icu_hours: Annotated[str | None, typer.Option(help="Hours in intensive care.")] = None,
    discharge_way: Annotated[str | None, typer.Option(help="Discharge way 离院方式, 1-5 or 9.")] = None,
    department: Annotated[str | None, typer.Option(help="Admission department 入院科室.")] = None,
    scheme: SchemeOption = DEFAULT_SCHEME,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    code_version: CodeVersionOption = "yb2",
    brief: Annotated[bool, typer.Option("--brief", help="Show what matched and leave out the rest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole trace as JSON.")] = False,
) -> None:
    """Show every rule that was tried for one discharge, and why it matched or not. 入组路径解释

    Either a record of a file (INPUT --id ID), or codes typed here (--diagnoses ...).
    """
    from rich.markup import escape

    from drgsim.cli.terminal import out, print_json
    from drgsim.engines.grouper_of import explain as explain_record
    from drgsim.records.input_options import InputOptions
    from drgsim.units.dip.dip_narrative import DipExplanation, kind_lines
    from drgsim.units.drg.drg_narrative import explanation_lines

    if source is not None and diagnoses is not None:
        _refuse("explain takes a record of a file or codes typed here, not both", "leave out the file or --diagnoses")
    options = input_options(format, maps, map_file, code_version)
    if source is not None:
        records = _find(source, record_id, options)
    else:
        typed = {
            "diagnoses": diagnoses,
            "procedures": procedures,
            "sex": sex,
            "age": age,
            "age_days": age_days,
            "birth_weight_g": weight,
            "los_days": los,
            "icu_hours": icu_hours,
            "discharge_way": discharge_way,
            "admission_department": department,
        }
        if diagnoses is None:
            _refuse("explain needs a record", "name a file and an id (drgsim explain cases.csv --id 17), or give --diagnoses")
        records = [{name: value for name, value in typed.items() if value is not None}]
    explanations = [explain_record(record, scheme, InputOptions(code_version=code_version)) for record in records[:MOST_SHOWN]]
    if as_json:
        values = [explanation.to_dict() for explanation in explanations]
        print_json(values[0] if len(values) == 1 else values)
        return
    if len(records) > 1:
        out.print(
            f"[yellow]{len(records)} records have the id {escape(str(record_id))}[/]; "
            f"each is explained on its own, the first {MOST_SHOWN} at most"
        )
    for explanation in explanations:
        if isinstance(explanation, DipExplanation):
            lines = kind_lines(explanation, brief=brief)
        else:
            lines = explanation_lines(explanation, brief=brief)
        for line in lines:
            out.print(_tree(line))


def _tree(line: TreeLine) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(line.text, style=_STYLES[line.style]), guide_style="dim")
    for below in line.below:
        tree.children.append(_tree(below))
    return tree


def _find(path: Path, record_id: str | None, options: InputOptions) -> list[dict[str, Any]]:
    """All records of a file with this id."""
    import pyarrow.compute as pc

    from drgsim.errors import InputError, Problem
    from drgsim.records.case_file import BROKEN_LINE
    from drgsim.records.read import open_source
    from drgsim.units.drg.drg_grouper import INPUT_COLUMNS

    if record_id is None:
        _refuse("explain needs to know which record", "add --id with the record's id")
    found: list[dict[str, Any]] = []
    for batch in open_source(path, options).batches(INPUT_COLUMNS):
        ids = pc.utf8_trim_whitespace(batch.column("discharge_id").cast("string"))
        found += batch.filter(pc.equal(ids, str(record_id).strip())).to_pylist()
    if not found:
        raise InputError.single(
            "explain-unknown-id",
            f"{path.name} has no record with the id {record_id}",
            where=str(path),
            fix="the id is the one in the column discharge_id (or its alias) of the file",
        )
    broken = [record[BROKEN_LINE] for record in found if record.get(BROKEN_LINE) is not None]
    if broken:
        raise InputError(
            [
                Problem(
                    "explain-broken-line",
                    f"the record {record_id} has no cells to explain: its line does not fit the header",
                    where=f"{path}, line {line}",
                    why="drgsim group answers such a record with status invalid, reason line_broken",
                    fix="give the line as many cells as the header, then explain it",
                )
                for line in broken
            ]
        )
    return found


def _refuse(what: str, fix: str) -> None:
    from drgsim.errors import Problem, UsageError

    raise UsageError([Problem("explain-without-record", what, fix=fix)])
