"""Files of parameters: read YAML strictly, and say what is wrong in the file's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from drgsim.errors import Problem, did_you_mean


def strict_loader(problems: list[Problem], where: str) -> type[yaml.SafeLoader]:
    """A YAML loader that reports keys that stand twice instead of keeping the last."""

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen:
                    place = f"{where}: line {key.start_mark.line + 1}"
                    problems.append(Problem("policy-duplicate-name", f"{key.value} stands twice in one place", where=place))
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader


def problem_of(fault: Mapping[str, Any], where: str, model: type[BaseModel]) -> Problem:
    """What pydantic found, in words of the file, with the nearest known name."""
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _fields_at(fault["loc"][:-1], model)
        word = str(fault["loc"][-1])
        fix = did_you_mean(word, known) or (f"the names here are {', '.join(known)}" if known else "")
        return Problem("policy-unknown-name", f"{path} is no parameter", where=f"{where}: {path}", fix=fix)
    if fault["type"] == "missing":
        return Problem("policy-missing-name", f"{path} is missing", where=f"{where}: {path}", fix="state it, with its evidence")
    message = str(fault["msg"]).removeprefix("Value error, ")
    options = [word.strip(" '\"") for word in str(fault.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(",")]
    fix = did_you_mean(str(fault.get("input", "")), options) if options != [""] else ""
    return Problem("policy-bad-value", f"{path}: {message}", where=f"{where}: {path}", fix=fix)


def _fields_at(location: tuple[Any, ...], top: type[BaseModel]) -> list[str]:
    """Names that the model knows at a place in the file."""
    model: Any = top
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
