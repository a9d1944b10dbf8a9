"""Help of commands, and what typer and click say of a call, in the language of the reader.

Help is written where options are, as plain English; :func:`help_texts` gives all of it to the catalogue, and
:func:`spoken_calls` puts the translation into the commands of one call. English needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from inspect import cleandoc
from typing import Any

from drgsim.language import Text, current_language, spoken, term, text
from drgsim.language.catalogue import translated

# what typer and click say of themselves, in all their editions; names in braces stand for what they put in
_FIXED = (
    text("Arguments"), text("Options"), text("Commands"), text("Error"), text("Aborted."), text("[required]"),
    text("[default: {}]"), text("[env var: {}]"), text("(deprecated) "),
    text("Try [blue]'{command_path} {help_option}'[/] for help."),
)  # fmt: skip
_MESSAGES = (
    text("Missing command."), text("Missing option {name}."), text("Missing argument {name}."),
    text("Missing parameter: {name}"),
    text("No such command {name}. Did you mean {others}?"), text("No such command {name}."),
    text("No such option: {name} (Possible options: {others})"), text("No such option: {name} Did you mean {others}?"),
    text("No such option: {name}"),
    text("Got unexpected extra argument ({words})"), text("Got unexpected extra arguments ({words})"),
    text("Got unexpected extra argument(s) ({words})"),
    text("Option {name} requires an argument."), text("Option {name} requires {number} arguments."),
    text("Option {name} does not take a value."), text("Argument {name} takes {number} values."),
    text("Invalid value for {name}: {reason}"), text("Invalid value: {reason}"),
    text("Input should be a valid integer, unable to parse string as an integer"), text("Input should be a valid integer"),
    text("Input should be a valid number, unable to parse string as a number"),
    text("Input should be greater than or equal to {least}"), text("Input should be less than or equal to {most}"),
    text("Input should be a finite number"), text("Input should be a valid boolean, unable to interpret input"),
    text("{value} is not a valid integer."), text("{value} is not a valid int."), text("{value} is not a valid float."),
    text("{value} is not a valid boolean."), text("{value} is not in the range {range}."),
    text("{value} is not one of {others}."),
    text("Path {name} does not exist."), text("File {name} does not exist."), text("Directory {name} does not exist."),
)  # fmt: skip
_USAGE = (text("Usage: "), text("[OPTIONS]"), text("COMMAND [ARGS]..."))
_KINDS = {
    "path": term("kind of a value", "path"), "int": term("kind of a value", "whole number"),
    "float": term("kind of a value", "number"), "str": term("kind of a value", "text"),
}  # fmt: skip
OWN_OPTIONS = (
    text("Show this message and exit."), text("Install completion for the current shell."),
    text("Show completion for the current shell, to copy it or customize the installation."),
)  # fmt: skip


def help_texts(command: Any) -> Iterator[str]:
    """Help, titles of panels and the like of a command and of those below it, as the catalogue holds them."""
    for _, _, written in _helps(command):
        yield plain_help(written)


def plain_help(written: str) -> str:
    """Help as one line for each paragraph, whatever its lines in the code.

    Examples
    --------
    >>> plain_help("Settle every discharge\\n    and sum up.\\n\\n    More.")
    'Settle every discharge and sum up.\\n\\nMore.'
    """
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", cleandoc(written)))


def _helps(command: Any) -> Iterator[tuple[Any, str, str]]:
    """(object, attribute, words) of a command, its parameters and all below it."""
    for each in (command, *command.params):
        for name in ("help", "short_help", "rich_help_panel", "epilog", "show_default"):
            written = getattr(each, name, None)
            if isinstance(written, str) and written:
                yield each, name, written
    for below in getattr(command, "commands", {}).values():
        yield from _helps(below)


def said_by_click(message: str) -> str:
    """What click says of a call, as a text where it is known.

    Examples
    --------
    >>> spoken(said_by_click("Missing option '--policy' / '-p'."), "en")
    "Missing option '--policy' / '-p'."
    """
    for shape, pattern in _patterns():
        if found := pattern.fullmatch(message):
            return Text(
                shape, {name: said_by_click(value) if name == "reason" else value for name, value in found.groupdict().items()}
            )
    return message


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    shapes = [each.template for each in _MESSAGES]
    return [(shape, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(shape)), re.DOTALL)) for shape in shapes]


@contextmanager
def spoken_calls(command: Any) -> Iterator[None]:
    """Let a command, made for one call, and what shows its help speak the current language inside the block."""
    language = current_language()
    if language == "en":
        yield
        return
    from typer import rich_utils

    from drgsim.cli.wide_lines import wide_lines

    for each, name, written in list(_helps(command)):
        setattr(each, name, translated(language, plain_help(written)))
    for each in _all_commands(command):
        _speak_of_itself(each)
    known = {each.template: each for each in _FIXED}
    before = {name: value for name, value in vars(rich_utils).items() if isinstance(value, str) and value in known}
    try:
        for name, value in before.items():
            setattr(rich_utils, name, spoken(known[value]))
        with wide_lines():
            yield
    finally:
        for name, value in before.items():
            setattr(rich_utils, name, value)


def _all_commands(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _all_commands(below)


def _speak_of_itself(command: Any) -> None:
    """Usage, the option of help and kinds of values of one command."""
    usage, help_option = command.get_usage, command.get_help_option

    def spoken_usage(context: Any) -> str:
        line = usage(context)
        for words in _USAGE:
            line = line.replace(words, spoken(words), 1)
        return str(line)

    def spoken_help_option(context: Any) -> Any:
        option = help_option(context)
        if option is not None and option.help in OWN_OPTIONS:
            option.help = translated(current_language(), option.help)
        if option is not None:
            _name_kind(option)
        return option

    command.get_usage, command.get_help_option = spoken_usage, spoken_help_option
    for parameter in command.params:
        _name_kind(parameter)


def _name_kind(parameter: Any) -> None:
    """Let the help name the kind of a value in the reader's language, where this edition of typer names it."""
    if not hasattr(parameter, "display_type_rich") or parameter.metavar is not None:
        return
    shown = parameter.display_type_rich

    def spoken_kind(ctx: Any) -> str | None:
        if getattr(parameter, "is_flag", False):
            return None  # true or false is what an option without a value says by itself
        kind = shown(ctx=ctx)
        for name, word in _KINDS.items():
            kind = kind and re.sub(rf"\b{name}\b", spoken(word), kind)
        return kind and kind.replace("list[", "").replace("]", "…")  # type: ignore[no-any-return]

    parameter.display_type_rich = spoken_kind
