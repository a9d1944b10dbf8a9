"""Files of parameters: read YAML strictly, say what is wrong in the file's own words, change one value by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from drgsim.errors import Problem, did_you_mean
from drgsim.payment.model import Evidence, Evident


def evident_nodes(node: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and model of everything in a file that carries evidence, in the order of the file."""
    if isinstance(node, Evident) or hasattr(node, "evidence"):
        yield path, node
    for name, value in node.__dict__.items():
        place = f"{path}.{name}" if path else name
        entries = enumerate(value) if isinstance(value, tuple) else value.items() if isinstance(value, dict) else ()
        if isinstance(value, BaseModel):
            yield from evident_nodes(value, place)
        for key, child in entries:
            if isinstance(child, BaseModel):
                yield from evident_nodes(child, f"{place}.{key}")


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


def apply_change(
    raw: dict[str, Any], path: str, change: float | str | bool, source: str, problems: list[Problem], kind: str = "this policy"
) -> None:
    """Change one value in the YAML; its evidence becomes an assumption with the scenario as source."""
    node: Any = raw
    parts = path.split(".")
    holder: dict[str, Any] | None = None
    for place, part in enumerate(parts):
        key: Any = int(part) if isinstance(node, list) and part.isdigit() else part
        if isinstance(node, dict) and "values" in node and key not in node:
            node = node["values"]
            keys = {str(known): known for known in node}
            key = keys.get(".".join(parts[place:]), key)
        try:
            old = node[key]
        except (KeyError, IndexError, TypeError):
            known = [str(name) for name in node] if isinstance(node, dict) else []
            fix = did_you_mean(str(key), known) or (f"the names here are {', '.join(known)}" if known else "")
            problems.append(Problem("policy-unknown-path", f"{path} is no parameter of {kind}", where=path, fix=fix))
            return
        if isinstance(old, dict) and "evidence" in old:
            holder = old
        if isinstance(old, dict | list):
            node = old
            continue
        node[key] = _new(old, change)
        break
    else:
        if not isinstance(node, dict) or "value" not in node:
            what = f"{path} holds several values; name one of them"
            problems.append(Problem("policy-unknown-path", what, where=path))
            return
        node["value"] = _new(node["value"], change)
    if holder is not None:
        holder["evidence"], holder["source"] = Evidence.ASSUMPTION.value, source


def _new(old: Any, change: float | str | bool) -> Any:
    if isinstance(change, str) and change[:1] in "*+-" and isinstance(old, int | float):
        amount = float(change[1:])
        return old * amount if change[0] == "*" else old + amount if change[0] == "+" else old - amount
    return change
