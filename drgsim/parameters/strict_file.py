"""The one reader of YAML files of parameters: every mistake is named at once, with its path and the nearest known word.

The codes begin with the kind of file, such as ``policy``: ``-unreadable``, ``-duplicate-name``, ``-unknown-name``,
``-missing-name``, ``-bad-value``, ``-unknown-source``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from drgsim.errors import UNREAD, Problem, did_you_mean, words_of
from drgsim.language import joined, text
from drgsim.parameters.evident_values import nodes
from drgsim.parameters.fault_words import fault_words
from drgsim.parameters.model_shape import Shape, shape_of
from drgsim.parameters.plausible_range import range_of

M = TypeVar("M", bound=BaseModel)
DEEPEST = 50  # mappings and lists inside one another; no model comes near it
MOST_ENTRIES = 1_000_000  # aliases of aliases can make a short file endless
LARGEST = 1e300  # of a whole number
# reads what is sound several times as fast, where libyaml is there; what it refuses PyYAML judges in its own words
FAST_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]\d+")  # 5e-05, which is a text to YAML 1.1
# what PyYAML lets through from the text of a value that is not what its tag says
_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read_strict(
    path: Path, kind: str, problems: list[Problem], where: str = "", fix: str = "", words: re.Pattern[str] | None = None
) -> tuple[dict[str, Any] | None, bytes]:
    """The mapping that a YAML file holds, and the bytes read; None where there is none, for reasons added to ``problems``.

    Parameters
    ----------
    path
        The file, UTF-8 with or without a byte order mark.
    kind
        Begins the code of the problems, such as ``policy``.
    problems
        Takes what is wrong.
    where
        Names the file in messages; by default its name.
    fix
        What to do where the file is no YAML at all.
    words
        Plain words that stay texts although YAML would take them for numbers, such as codes of procedures.
    """
    where = where or path.name
    text = read_text(path, kind, problems, where)
    return (None, b"") if text is None else (parse_strict(text, kind, problems, where, fix, words), text.encode())


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_text(path: Path, kind: str, problems: list[Problem], where: str) -> str | None:
    """The text of a file, UTF-8 with or without a byte order mark; None where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        problems.append(
            Problem(
                f"{kind}-unreadable",
                text("{file} cannot be read: {error}", file=path.name, error=words_of(error, UNREAD)),
                where=where,
            )
        )
        return None


def parse_strict(
    content: str, kind: str, problems: list[Problem], where: str, fix: str = "", words: re.Pattern[str] | None = None
) -> dict[str, Any] | None:
    """The mapping that a YAML text holds, see :func:`read_strict`.

    Examples
    --------
    >>> problems = []
    >>> parse_strict("day: 2024-02-30", "policy", problems, "here")
    >>> problems[0].code, problems[0].what[:63]
    ('policy-unreadable', "here is no YAML: '2024-02-30' is not what it looks like: day is")
    """
    raw = parse_value(content, kind, problems, where, fix, words)
    if isinstance(raw, dict):
        return raw
    if not any(problem.code == f"{kind}-unreadable" for problem in problems):
        problems.append(
            Problem(f"{kind}-unreadable", text("{where} holds no mapping of parameters", where=where), where=where, fix=fix)
        )
    return None


def parse_value(
    content: str, kind: str, problems: list[Problem], where: str, fix: str = "", words: re.Pattern[str] | None = None
) -> Any:
    """What a YAML text holds, None where it is no YAML or nests without end."""
    before = len(problems)
    try:
        try:
            raw = yaml.load(content, Loader=_strict_loader(FAST_LOADER, kind, problems, where, words))
        except (yaml.YAMLError, *_UNFIT):
            del problems[before:]
            raw = yaml.load(content, Loader=_strict_loader(yaml.SafeLoader, kind, problems, where, words))
    except (yaml.YAMLError, RecursionError, *_UNFIT) as error:
        said = _words_of_yaml(error)
        fix = text('put changes in quotes: "*1.03"') if "alias" in said else fix
        problems.append(
            Problem(f"{kind}-unreadable", text("{where} is no YAML: {said}", where=where, said=said), where=where, fix=fix)
        )
        return None
    problems += unfit_values(raw, kind, where)
    return None if any(problem.code == f"{kind}-unreadable" for problem in problems[before:]) else raw


def _words_of_yaml(error: Exception) -> str:
    """What a reader of YAML found; other readers than those of English are told the place."""
    if isinstance(error, RecursionError):
        return text("it nests too deeply")
    return words_of(error, UNREAD)


def _strict_loader(
    base: type[yaml.SafeLoader], kind: str, problems: list[Problem], where: str, words: re.Pattern[str] | None = None
) -> type[yaml.SafeLoader]:
    """A YAML loader that reports keys that stand twice instead of keeping the last, and names the line of a broken value."""

    class Loader(base):  # type: ignore[misc, valid-type]
        def resolve(self, kind_of_node: Any, value: Any, implicit: Any) -> Any:
            if words is not None and kind_of_node is yaml.ScalarNode and implicit[0] and words.fullmatch(value):
                return self.DEFAULT_SCALAR_TAG
            if kind_of_node is yaml.ScalarNode and implicit[0] and _EXPONENT.fullmatch(value):
                return "tag:yaml.org,2002:float"
            return super().resolve(kind_of_node, value, implicit)

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except _UNFIT as error:
                given = node.value if isinstance(node, yaml.ScalarNode) else node.tag
                what = f"{given[:40]!r} is not what it looks like: {error}"
                raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from error

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    place = text("{where}: line {line}", where=where, line=key.start_mark.line + 1)
                    problems.append(
                        Problem(f"{kind}-duplicate-name", text("{key} stands twice in one place", key=key.value), where=place)
                    )
                elif isinstance(key, yaml.ScalarNode):
                    seen.add(key.value)
            mapping: dict[Any, Any] = super().construct_mapping(node, deep)
            return mapping

    return Loader


def unfit_values(raw: Any, kind: str, where: str) -> list[Problem]:
    """Numbers that are not finite or absurdly large, texts that are no Unicode, and nesting without end."""
    problems: list[Problem] = []
    entries = 0
    stack: list[tuple[str, Any, int]] = [("", raw, 0)]
    while stack:
        path, node, depth = stack.pop()
        entries += 1
        if depth > DEEPEST or entries > MOST_ENTRIES:
            what = (
                text("{where} nests more than {deepest} deep", where=where, deepest=DEEPEST)
                if depth > DEEPEST
                else text("{where} holds over {most_entries:,} entries", where=where, most_entries=MOST_ENTRIES)
            )
            return [
                *problems,
                Problem(f"{kind}-unreadable", what, where=where, fix=text("write it without anchors and aliases")),
            ]
        if isinstance(node, dict | list):
            inside = node.items() if isinstance(node, dict) else enumerate(node)
            stack += [(f"{path}.{key}" if path else str(key), child, depth + 1) for key, child in inside]
        elif fault := _unfit(node):
            problems.append(Problem(f"{kind}-bad-value", joined(" ", [path, fault]), where=joined(": ", [where, path])))
    return problems[::-1]


def _unfit(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return text("is {value}, no finite number", value=value)
    if isinstance(value, int) and abs(value) > LARGEST:
        return text("is a number of over 300 digits")
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        return text("holds half a character (a lone surrogate)")
    return ""


def validated(model: type[M], raw: Mapping[str, Any], kind: str, where: str, problems: list[Problem]) -> M | None:
    """The contents of a file by its model, None where they are wrong, for reasons added to ``problems``.

    Beside what the model asks for, every ``source`` must be one of ``sources`` (of files that have such a list), numbers lie in
    the range of their usual unit (:mod:`drgsim.parameters.plausible_range`), and true, false or a text is no number.
    """
    try:
        file = model.model_validate(raw)
    except ValidationError as error:
        problems.extend(fault_problem(fault, where, model, kind) for fault in error.errors())
        return None
    found = [
        Problem(f"{kind}-bad-value", joined(" ", [path, wrong]), where=joined(": ", [where, path]))
        for path, wrong in _unfit_numbers(file, raw, "", shape_of(model))
    ]
    known = list(getattr(file, "sources", ()))
    for path, node in nodes(file) if hasattr(file, "sources") else ():
        source = getattr(node, "source", None)
        if path.startswith("sources."):
            continue  # a source may state how good it is itself
        if source not in known and (source is not None or getattr(node, "evidence", None) is not None):
            what = text("{path} names the source {source!r}, which sources does not list", path=path, source=source or "")
            fix = did_you_mean(source or "", known) or text("the sources are {known}", known=", ".join(known))
            found.append(Problem(f"{kind}-unknown-source", what, where=joined(": ", [where, path]), fix=fix))
    problems += found
    return None if found else file


def _unfit_numbers(node: Any, raw: Any, path: str, shape: Shape) -> Iterator[tuple[str, str]]:
    """Places where a number is beyond its range, or where the file says something else of which a generous model made one."""
    if isinstance(raw, dict):
        known = node if isinstance(node, dict) else getattr(node, "__dict__", {})
        for key, child in raw.items():
            if str(key) in known:
                below = shape.at(str(key)) or Shape(usual=shape.usual)
                yield from _unfit_numbers(known[str(key)], child, f"{path}.{key}" if path else str(key), below)
    elif isinstance(raw, list) and isinstance(node, tuple | list):
        for place, (part, child) in enumerate(zip(node, raw, strict=False)):
            yield from _unfit_numbers(part, child, f"{path}.{place}", shape.at(str(place)) or Shape(usual=shape.usual))
    elif isinstance(raw, bool):
        if not isinstance(node, bool | str):
            yield path, text("is {raw}, no number", raw=str(raw).lower())
    elif isinstance(node, int | float) and not isinstance(node, bool):
        wrong = (
            text("is the text {raw!r}, no number", raw=raw[:40]) if isinstance(raw, str) else range_of(shape.usual).fault(node)
        )
        if wrong:
            yield path, wrong


def fault_problem(fault: Mapping[str, Any], where: str, model: type[BaseModel], kind: str) -> Problem:
    """What pydantic found wrong, in the words of drgsim, with the nearest known name."""
    path = ".".join(str(part) for part in fault["loc"])
    place = joined(": ", [where, path])
    if fault["type"] == "extra_forbidden":
        known = _names_at(model, fault["loc"][:-1])
        word = str(fault["loc"][-1])
        fix = did_you_mean(word, known) or (text("the names here are {known}", known=", ".join(known)) if known else "")
        return Problem(f"{kind}-unknown-name", text("{path} is no parameter", path=path), where=place, fix=fix)
    if fault["type"] == "missing":
        what = text("{path} is missing", path=path)
        return Problem(f"{kind}-missing-name", what, where=place, fix=text("state it, with its evidence"))
    options = [word.strip(" '\"") for word in str(fault.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(",")]
    fix = did_you_mean(str(fault.get("input", "")), options) if options != [""] else ""
    what = text("{path}: {fault}", path=path, fault=fault_words(fault))
    return Problem(f"{kind}-bad-value", what, where=place, fix=fix)


def _names_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Names that the model knows at a place in the file."""
    shape = shape_of(model)
    for part in location:
        below = shape.at(str(part))
        if below is None:
            return []
        shape = below
    return shape.names
