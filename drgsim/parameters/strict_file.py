"""What every YAML file of parameters has in common: keys stand once, and each mistake is named with its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from drgsim.errors import Problem, did_you_mean


def strict_loader(problems: list[Problem], where: str, kind: str) -> type[yaml.SafeLoader]:
    """A YAML loader that reports keys that stand twice instead of keeping the last.

    ``kind`` begins the code of the problems, such as ``policy``.
    """

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen:
                    place = f"{where}: line {key.start_mark.line + 1}"
                    problems.append(Problem(f"{kind}-duplicate-name", f"{key.value} stands twice in one place", where=place))
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader


def fault_problem(fault: Mapping[str, Any], where: str, model: type[BaseModel], kind: str) -> Problem:
    """What pydantic found wrong, in the words of drgsim, with the nearest known name."""
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _fields_at(model, fault["loc"][:-1])
        word = str(fault["loc"][-1])
        fix = did_you_mean(word, known) or (f"the names here are {', '.join(known)}" if known else "")
        return Problem(f"{kind}-unknown-name", f"{path} is no parameter", where=f"{where}: {path}", fix=fix)
    if fault["type"] == "missing":
        what = f"{path} is missing"
        return Problem(f"{kind}-missing-name", what, where=f"{where}: {path}", fix="state it, with its evidence")
    message = str(fault["msg"]).removeprefix("Value error, ")
    options = [word.strip(" '\"") for word in str(fault.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(",")]
    fix = did_you_mean(str(fault.get("input", "")), options) if options != [""] else ""
    return Problem(f"{kind}-bad-value", f"{path}: {message}", where=f"{where}: {path}", fix=fix)


def _fields_at(start: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Names that the model knows at a place in the file."""
    model: Any = start
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            entry = model.model_fields.get(str(part))
            model = entry.annotation if entry is not None else None
        model = _inner(model)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(annotation: Any) -> Any:
    """The model inside an optional, a mapping or a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner(argument)
        if inner is not None:
            return inner
    return None
