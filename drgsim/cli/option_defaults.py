"""Defaults of options from a configuration file and from the environment, and where each comes from.

``drgsim.toml`` stands in the folder of the call, or in the user's configuration folder. A key is the long name of an option;
at the top it holds for every command that has the option, in a table (``[group]``, ``[policy.show]``) for that command.
Variables are ``DRGSIM_OPTION`` and ``DRGSIM_COMMAND_OPTION``. What is nearer to the call wins: the command line, variables, the
file of the folder, the file of the user; of each the word for one command before that for all.
The table ``[columns."H01"]`` keeps what the columns of the files of H01 are.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drgsim import limits
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import language_of, text
from drgsim.language.chosen import LANGUAGE_VARIABLE

if TYPE_CHECKING:
    from drgsim.records.input_options import KeptColumns

CONFIG_FILE = "drgsim.toml"
PREFIX = "DRGSIM_"
LANGUAGE = "lang"  # the option of drgsim itself that files and variables may set
COLUMNS = "columns"  # the table of mappings that are kept for files
OTHER_VARIABLES = ("DRGSIM_CACHE_DIR", "DRGSIM_DEBUG", "DRGSIM_HIGHEST_AMOUNT", LANGUAGE_VARIABLE)  # read where they are used
_YES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_SPOKEN = text("write zh or en")
Options = dict[str, Any]  # by long name, with _ for -


@dataclass(frozen=True)
class OptionDefault:
    """A default that somebody set.

    Attributes
    ----------
    command
        Words of the command, such as ``policy show``; empty for every command that has the option.
    option
        Long name of the option without dashes.
    value
        As the command takes it.
    source
        The file, or the variable.
    used
        False where something nearer to the call sets the same.
    """

    command: str
    option: str
    value: Any
    source: str
    used: bool = True


@dataclass
class OptionDefaults:
    """All defaults that are set.

    Attributes
    ----------
    entries
        The nearest to the call first.
    by_command
        As click takes them: nested by the words of commands, down to parameters.
    doubts
        Variables that name no option.
    columns
        Mappings of columns kept for files (``[columns."H01"]``), the nearest to the call first.
    """

    entries: list[OptionDefault] = field(default_factory=list)
    by_command: dict[str, Any] = field(default_factory=dict)
    doubts: list[Problem] = field(default_factory=list)
    columns: list[KeptColumns] = field(default_factory=list)


def config_files() -> list[Path]:
    """Where a configuration file may stand, the nearest to the call first."""
    from platformdirs import user_config_path

    return [Path.cwd() / CONFIG_FILE, user_config_path("drgsim", appauthor=False) / CONFIG_FILE]


def read_defaults(root: Any, environment: Mapping[str, str] | None = None) -> OptionDefaults:
    """Defaults from the environment and the configuration files.

    Raises
    ------
    UsageError
        ``config-broken``, ``config-unknown-key``, ``config-bad-value``; all problems of all files at once.
    """
    commands = dict(_commands(root))
    found = OptionDefaults()
    environment = os.environ if environment is None else environment
    layers = [[*_spoken_by(environment, found.doubts), *_of_environment(environment, commands, found.doubts)]]
    problems: list[Problem] = []
    for path in config_files():
        if path.is_file():
            content = _read(path, problems)
            problems += limits.set_limits(content.pop(limits.TABLE, {}), str(path))
            found.columns += _kept_columns(content.pop(COLUMNS, {}), path, problems)
            language = _language_entry(content.pop(LANGUAGE, None), path, problems)
            layers.append([*language, *_entries(content, "", path, commands, problems)])
    if problems:
        raise UsageError(problems)
    taken: set[tuple[str, str]] = set()
    for layer in layers:
        for entry in sorted(layer, key=lambda each: not each.command):  # for one command before for all
            own = [""] if entry.option == LANGUAGE else [entry.command] if entry.command else commands
            uses = [word for word in own if entry.option == LANGUAGE or entry.option in commands[word]]
            free = [word for word in uses if (word, entry.option) not in taken]
            for word in free:
                taken.add((word, entry.option))
                if entry.option != LANGUAGE:  # chosen before any command is called
                    _put(found.by_command, word, commands[word][entry.option].name or "", entry.value)
            found.entries.append(OptionDefault(entry.command, entry.option, entry.value, entry.source, bool(free)))
    return found


def set_language(environment: Mapping[str, str] | None = None) -> str | None:
    """The language that the environment or a configuration file sets; None where neither does."""
    layers = [_spoken_by(os.environ if environment is None else environment, [])]
    layers += [_language_entry(_read(path, []).get(LANGUAGE), path, []) for path in config_files() if path.is_file()]
    return next((str(entry.value) for layer in layers for entry in layer), None)


def _spoken_by(environment: Mapping[str, str], doubts: list[Problem]) -> list[OptionDefault]:
    word = environment.get(LANGUAGE_VARIABLE, "")
    if word and language_of(word) is None:
        doubts.append(
            Problem("config-bad-value", text("{variable} is {word!r}", variable=LANGUAGE_VARIABLE, word=word), fix=_SPOKEN)
        )
    return [OptionDefault("", LANGUAGE, language_of(word) or "en", LANGUAGE_VARIABLE)] if word else []


def _language_entry(word: Any, path: Path, problems: list[Problem]) -> list[OptionDefault]:
    language = language_of(word) if isinstance(word, str) else None
    if word is not None and language is None:
        problems.append(
            Problem("config-bad-value", text("{key} is {word!r}", key=LANGUAGE, word=word), where=str(path), fix=_SPOKEN)
        )
    return [OptionDefault("", LANGUAGE, language, str(path))] if language else []


def _put(tree: dict[str, Any], words: str, parameter: str, value: Any) -> None:
    for word in words.split():
        tree = tree.setdefault(word, {})
    tree[parameter] = value


def _commands(command: Any, words: str = "") -> Iterator[tuple[str, Options]]:
    """Words of every command with its options."""
    below = getattr(command, "commands", None)
    if below:
        for name, each in below.items():
            yield from _commands(each, f"{words} {name}".strip())
        return
    options: Options = {}
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.is_eager:
            for name in parameter.opts:
                if name.startswith("--"):
                    options[name[2:].replace("-", "_")] = parameter
    yield words, options


# -- environment --------------------
def _of_environment(
    environment: Mapping[str, str], commands: Mapping[str, Options], doubts: list[Problem]
) -> list[OptionDefault]:
    names: dict[str, tuple[str, str]] = {}
    for options in commands.values():
        for option in options:
            names.setdefault(f"{PREFIX}{option}".upper(), ("", option))
    for words, options in commands.items():
        for option in options:
            names[f"{PREFIX}{words.replace(' ', '_')}_{option}".upper()] = (words, option)
    entries = []
    for variable in sorted(name for name in environment if name.startswith(PREFIX)):
        if variable in OTHER_VARIABLES or variable in limits.VARIABLES:
            continue
        if variable not in names:
            near = did_you_mean(variable, [*names, *OTHER_VARIABLES, *limits.VARIABLES])
            doubts.append(
                Problem(
                    "config-unknown-variable",
                    text("{variable} is no variable of drgsim and does nothing", variable=variable),
                    fix=near,
                )
            )
            continue
        words, option = names[variable]
        parameter = commands[words][option] if words else next(each[option] for each in commands.values() if option in each)
        entries.append(OptionDefault(words, option, _typed(parameter, environment[variable]), variable))
    return entries


def _typed(parameter: Any, word: str) -> Any:
    """A text as an option takes it; several values are separated by ``;``."""
    if parameter.multiple:
        return [part.strip() for part in word.split(";") if part.strip()]
    if getattr(parameter, "is_flag", False):
        return _YES.get(word.strip().lower(), word)
    return word


# -- files --------------------
def kept_columns() -> list[KeptColumns]:
    """The mappings of columns that configuration files keep; what is wrong with one is said where all defaults are read."""
    found = [(path, _read(path, [])) for path in config_files() if path.is_file()]
    return [kept for path, content in found for kept in _kept_columns(content.get(COLUMNS, {}), path, [])]


def _read(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # numbers of too many digits and nesting as well
        problems.append(
            Problem(
                "config-broken",
                text("{path} cannot be read: {error}", path=path.name, error=error),
                where=str(path),
                fix=text("write TOML"),
            )
        )
        return {}


def _kept_columns(tables: Any, path: Path, problems: list[Problem]) -> list[KeptColumns]:
    """``[columns."H01"]``: columns of the files of H01 and what they are."""
    if not tables:
        return []
    from drgsim.records.case_table import own_columns
    from drgsim.records.input_options import KeptColumns
    from drgsim.records.layout import canonical_name

    kept = []
    for files, maps in tables.items() if isinstance(tables, Mapping) else [(COLUMNS, None)]:
        where = f"{path}: [{COLUMNS}.{files!r}]"
        if not isinstance(maps, Mapping) or not all(isinstance(name, str) for name in maps.values()):
            fix = text(
                'write [{columns}."H01"] for the files of H01, and below it lines such as "主诊" = "principal_diagnosis"',
                columns=COLUMNS,
            )
            problems.append(
                Problem("config-bad-value", text("{files!r} is no table of columns", files=files), where=where, fix=fix)
            )
            continue
        pairs = []
        for own, name in maps.items():
            canonical, problem = (name, None) if name in own_columns() else canonical_name(own, name, where)
            pairs.append((own, canonical))
            problems += [problem] if problem else []
        kept.append(KeptColumns(files, tuple(pairs), str(path)))
    return kept


def _entries(
    table: Mapping[str, Any], words: str, path: Path, commands: Mapping[str, Options], problems: list[Problem]
) -> Iterator[OptionDefault]:
    inside = {each for each in commands if not words or each == words or each.startswith(f"{words} ")}
    own = commands.get(words, {}) if words else {name: one for each in commands.values() for name, one in each.items()}
    groups = {each[len(words) :].split()[0] for each in inside if each != words}
    for key, value in table.items():
        option = key.replace("-", "_")
        if isinstance(value, Mapping) and key in groups:
            yield from _entries(value, f"{words} {key}".strip(), path, commands, problems)
        elif option not in own:
            near = did_you_mean(option, [*own, *groups])
            where = f"{path}: [{words.replace(' ', '.')}]" if words else str(path)
            what = text("{key!r} is no option of {words}", key=key, words="drgsim " + words if words else text("any command"))
            problems.append(
                Problem("config-unknown-key", what, where=where, fix=near or text("drgsim COMMAND --help lists options"))
            )
        elif (fault := _fault(own[option], value)) is not None:
            problems.append(
                Problem("config-bad-value", f"{key} {fault}", where=str(path), fix=text("see drgsim COMMAND --help"))
            )
        else:
            yield OptionDefault(words, option, _from_file(own[option], value, path.parent), str(path))


def _fault(parameter: Any, value: Any) -> str | None:
    """What is wrong with the kind of a value, if anything; the command checks the rest."""
    if isinstance(value, Mapping):
        return text("is a table")
    if isinstance(value, list) != bool(parameter.multiple):
        return text("takes a list") if parameter.multiple else text("takes one value")
    if getattr(parameter, "is_flag", False) != isinstance(value, bool):
        return text("is true or false") if getattr(parameter, "is_flag", False) else text("takes a value, not true or false")
    return None


def _from_file(parameter: Any, value: Any, folder: Path) -> Any:
    """A value of a file; a path is beside the file that names it."""
    values = value if isinstance(value, list) else [value]
    if _is_path(parameter):
        values = [str(folder / each) for each in values]
    return [str(each) for each in values] if isinstance(value, list) else values[0]


def _is_path(parameter: Any) -> bool:
    """Whether an option takes a path; typer names its kind in one of two ways, by its edition."""
    described = getattr(parameter, "type_descriptor", None)
    kind = described.annotation if described is not None else getattr(parameter, "type", None)
    return "path" in f"{kind}".lower()
