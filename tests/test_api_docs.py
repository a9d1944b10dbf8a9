"""The public functions say what they take and give, docs/api.md repeats it, and the command line offers the same."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

import drgsim
from drgsim.cli.main import app
from drgsim.records.input_options import InputOptions
from tests.conftest import ROOT
from tools.make_api_docs import TARGET, VERBS, entries, page, sections

FUNCTIONS = {name: getattr(drgsim, name) for name in drgsim._HOMES if inspect.isfunction(getattr(drgsim, name))}
CLASSES = {name: getattr(drgsim, name) for name in drgsim._HOMES if inspect.isclass(getattr(drgsim, name))}
RAISE_NOTHING = {
    "policy_schema", "scenario_check", "scenario_paths", "scenarios", "scheme_ids", "schemes", "schemes_check",
}  # fmt: skip


def test_the_page_is_what_the_docstrings_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "run python -m tools.make_api_docs"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_what_it_takes_gives_and_raises(name: str) -> None:
    function = FUNCTIONS[name]
    parts = sections(function.__doc__ or "")
    takes = list(inspect.signature(function).parameters)
    told = [each.strip(" *") for term, said in entries(parts.get("Parameters", "")) if said for each in term.split(",")]
    assert told == takes
    assert parts[""]
    assert parts["Returns"].strip()
    assert ("Raises" in parts) is (name not in RAISE_NOTHING)
    assert ">>> " in parts["Examples"]
    assert list(parts) == [title for title in ("", "Parameters", "Returns", "Raises", "Notes", "Examples") if title in parts]


@pytest.mark.parametrize("name", [name for name, member in CLASSES.items() if issubclass(member, drgsim.Result)])
def test_a_result_tells_what_it_holds(name: str) -> None:
    parts = sections(CLASSES[name].__doc__ or "")
    assert parts[""]
    assert parts["Attributes"].strip()


def _documented() -> Iterator[tuple[str, Any]]:
    """Public functions and classes, and the methods of these."""
    yield from FUNCTIONS.items()
    for name, member in CLASSES.items():
        yield name, member
        yield from ((f"{name}.{each}", value) for each, value in vars(member).items() if inspect.isfunction(value))


def _codes() -> tuple[set[str], re.Pattern[str]]:
    """Literals of the program, and a pattern for codes that it puts together, such as ``settle-unknown-{name}``."""
    literals, composed = set(), []
    for path in (ROOT / "drgsim").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
                if re.fullmatch(r"[a-z*]+(-[a-z*]+)+", text) and re.search("-(bad|unknown)-", text):
                    composed.append(text.replace("*", "[a-z]+"))
    kinds = "|".join(re.escape(literal) for literal in literals if literal.isalpha())
    composed += [f"(?:{kinds})-{ending}" for ending in ("unknown-path", "bad-value") if ending in literals]
    return literals, re.compile("|".join(composed))


def test_every_code_that_a_docstring_names_is_one_of_the_program() -> None:
    literals, composed = _codes()
    told = {
        (name, code)
        for name, member in _documented()
        for code in re.findall(r"``([a-z]+(?:-[a-z]+)+)``", sections(member.__doc__ or "").get("Raises", ""))
    }
    assert len(told) > 100
    assert [(name, code) for name, code in sorted(told) if code not in literals and not composed.fullmatch(code)] == []


def test_no_docstring_names_a_function_that_is_not_there() -> None:
    named = set(re.findall(r"`drgsim\.(\w+)`", page())) - {"api"}
    assert named <= {*drgsim.__all__}


def test_examples_are_run_with_the_tests() -> None:
    assert "--doctest-modules" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# -- the command line offers the same -------------------------------------------------------------------------------------
# functions beside the commands: what loads and lists, the two sides of drgsim group, and what synth --export-priors does
NO_COMMAND = {"group_files", "load_policy", "load_region", "load_scheme", "read", "sample_path", "scheme_ids", "synth_priors"}
# options that only say how a result is shown or where it is put
SHOWING = {
    "*": {"as_json", "quiet", "page"},
    "group": {"output", "min_grouped"}, "settle": {"output"}, "weights": {"output"}, "coefficients": {"output"},
    "report_on": {"output"},
    "budget": {"output"}, "atlas": {"output"}, "simulate": {"output"}, "compare": {"output"}, "calibrate": {"output"},
    "policy_schema": {"output"}, "map_columns": {"output"},
    "policy_plot": {"output"}, "explain": {"brief"}, "schemes": {"coverage"}, "schemes_check": {"strict"},
    "schemes_diff": {"full", "output"}, "schemes_prove": {"full"}, "synth": {"output", "export_priors"}, "switch": {"output"},
    "grouper_page": {"output"},
}  # fmt: skip
# options that a function has under another name: what several values on the command line are, is a mapping or a list there
RENAMED = {
    "inputs": ("records", "cases", "inputs"), "source": ("record",), "change": ("changes",), "year": ("years",),
    "scenario": ("scenarios",),
}  # fmt: skip
# a discharge that is typed option by option is a mapping in Python
TYPED = {
    "diagnoses", "procedures", "sex", "age", "age_days", "weight", "los", "icu_hours", "discharge_way", "department",
    "discharged",
}  # fmt: skip
WEIGHING = {
    "trim": "trim",
    "low": "trim",
    "high": "trim",
    "target": "settings",
    "factor": "settings",
}  # parts of one value each
READING = ("format", "maps", "map_file", "code_version", "sheets", "source_column")


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


NO_FUNCTION = {"config show"}  # of the command line alone: functions take what they are given
COMMANDS = {name: each for name, each in _commands(typer.main.get_command(app)) if name not in NO_FUNCTION}


def _verb(command: str) -> str:
    return VERBS.get(command, command.replace(" ", "_"))


def test_the_page_says_how_commands_and_functions_are_named() -> None:
    assert {_verb(command) for command in COMMANDS} | NO_COMMAND == {*FUNCTIONS}
    head = page().split("\n## ")[0]
    assert all(f"`{command}` is `drgsim.{verb}`" in head for command, verb in VERBS.items())


def _same(option: Any, default: Any) -> bool:
    """Whether an option and a parameter have the same default; None and an empty list are both nothing."""
    nothing = (None, (), [])
    if option in nothing or default in nothing:
        return option in nothing and default in nothing
    return bool((str(option) if isinstance(option, Path) else option) == default)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_a_function_with_the_same_defaults(command: str) -> None:
    verb = _verb(command)
    takes = inspect.signature(FUNCTIONS[verb]).parameters
    settings = {field.name: field.default for field in fields(drgsim.WeightSettings)}
    for option in COMMANDS[command].params:
        name = option.name
        if name in SHOWING["*"] | SHOWING.get(verb, set()) or (verb == "explain" and name in TYPED):
            continue
        if name in READING:
            assert "reading" in takes
            assert _same(option.default, inspect.signature(drgsim.read).parameters[name].default)
        elif verb == "weights" and name in WEIGHING:
            assert WEIGHING[name] in takes
        elif verb == "weights" and name in settings and name not in takes:
            assert "settings" in takes
            assert _same(option.default, settings[name])
        else:
            (found,) = [each for each in (name, *RENAMED.get(name, ())) if each in takes]
            given = option.required or found == "record"  # in Python there is no explaining without a record
            assert given or _same(option.default, takes[found].default), f"{command}: {name}"


def test_reading_has_the_same_defaults_in_every_spelling() -> None:
    takes = inspect.signature(drgsim.read).parameters
    assert takes["code_version"].default == InputOptions().code_version
    assert takes["format"].default == InputOptions().format


def test_grouping_of_tables_and_of_files_has_the_same_defaults() -> None:
    one, other = (inspect.signature(verb).parameters for verb in (drgsim.group, drgsim.group_files))
    assert all(one[name].default == other[name].default for name in one if name in other)
