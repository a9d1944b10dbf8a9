"""Change a file of parameters by path: values that stand there, and values and sections that its model knows.

A change is a plain value, ``"*1.03"``, ``"+5"`` or ``"-5"`` relative to the old number, or a mapping of what stands below the
path. What is changed or added is an assumption of the one who changes it, unless the mapping states its own evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from drgsim.errors import Problem, nearest_word
from drgsim.language import text
from drgsim.parameters.evidence import Evidence, Evident
from drgsim.parameters.model_shape import Shape, shape_of

MARKS = "*+-"


def relative_change(written: Any) -> float | None:
    """The number of a relative change, None for everything else; not finite where a mark stands before no number.

    Examples
    --------
    >>> relative_change("*1.03"), relative_change("-5"), relative_change(5), relative_change("+x")
    (1.03, 5.0, None, nan)
    """
    if not isinstance(written, str) or written[:1] not in tuple(MARKS):
        return None
    try:
        return float(written[1:])
    except ValueError:
        return math.nan


def value_at(raw: Mapping[str, Any], path: str) -> Any:
    """The value at a path of a file's YAML, None where there is none; ``values`` and ``value`` are passed through."""
    node: Any = raw
    parts = path.split(".")
    for place, part in enumerate(parts):
        if isinstance(node, dict) and "values" in node and part not in node:
            node = node["values"]
            rest = ".".join(parts[place:])
            known = {str(key): value for key, value in node.items()}
            if rest in known:
                return known[rest]
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict):
            node = {str(key): value for key, value in node.items()}.get(part)
        else:
            return None
    return node["value"] if isinstance(node, dict) and "value" in node else node


@dataclass
class ChangeByPath:
    """One change of the YAML of a file, made in place.

    Attributes
    ----------
    path
        Words joined by dots, such as ``unit_value.employee`` or ``curves.main.bands.0.K``.
    source
        Named as source of the changed values.
    kind, called
        The kind of file, which begins the codes, and what messages call it.
    problems
        Takes what is wrong.
    """

    path: str
    source: str
    kind: str
    called: str
    problems: list[Problem]

    def apply(self, raw: dict[str, Any], model: type[BaseModel], written: Any) -> None:
        """Change the value at the path, or put it there where the model knows it."""
        self._put(raw, shape_of(model), self.path.split("."), 0, written, None)

    # -- walking ---------------------------------------------------------------------------------------------------------
    def _put(self, node: Any, shape: Shape, parts: list[str], place: int, written: Any, holder: dict[str, Any] | None) -> None:
        if isinstance(node, dict) and "values" in shape.names and parts[place] not in shape.names:
            node, shape = node.setdefault("values", {}), shape.at("values") or shape
            parts = [*parts[:place], ".".join(parts[place:])]
        part, last = parts[place], place == len(parts) - 1
        if isinstance(node, list):
            key: Any = int(part) if part.isascii() and part.isdigit() and len(part) < 9 and int(part) < len(node) else None
            old = node[key] if key is not None else None
        else:
            key = {str(name): name for name in node}.get(part, part)
            old = node.get(key)
        below = shape.at(part)
        if key is None or below is None or (not last and below.model is None and below.entries is None):
            self._unknown(part, parts, place, node, shape)
            return
        if isinstance(old, dict) and "evidence" in old:
            holder = old
        if old is None and not self._may_add(part, last, node, shape, written):
            self._unknown(part, parts, place, node, shape)
            return
        if not last:
            if old is None:
                old = node[key] = self._filled(below, {}, "")
                holder = old if isinstance(old, dict) and "evidence" in old else holder
            if not isinstance(old, dict | list):
                self._unknown(parts[place + 1], parts, place + 1, {}, below)
                return
            self._put(old, below, parts, place + 1, written, holder)
            return
        if holder is not None:
            holder["evidence"], holder["source"] = Evidence.ASSUMPTION.value, self.source
        node[key] = self._filled(below, written, part) if old is None else self._changed(old, below, written, holder)

    def _may_add(self, part: str, last: bool, node: Any, shape: Shape, written: Any) -> bool:
        """Fields of a model may be added, and whole entries of its mappings; keys of numbers where they are known words."""
        if shape.model is not None:
            return True
        if not last or not isinstance(node, dict):
            return False
        if shape.at(part) == Shape(usual=shape.usual):
            return not node or (shape.usual is not None and shape.usual.payers)
        return isinstance(written, Mapping)

    def _unknown(self, part: str, parts: list[str], place: int, node: Any, shape: Shape) -> None:
        known = list(dict.fromkeys([*map(str, node if isinstance(node, dict) else ()), *shape.names]))
        near = nearest_word(part, known)
        here = text("the names here are {known}", known=", ".join(known)) if known else ""
        fix = text("did you mean {name}?", name=".".join([*parts[:place], near, *parts[place + 1 :]])) if near else here
        self._wrong("unknown-path", text("{path} is no parameter of {called}", path=self.path, called=self.called), fix)

    def _wrong(self, code: str, what: str, fix: str = "") -> None:
        self.problems.append(Problem(f"{self.kind}-{code}", what, where=self.path, fix=fix))

    # -- values that stand there -----------------------------------------------------------------------------------------
    def _changed(self, old: Any, shape: Shape, written: Any, holder: dict[str, Any] | None) -> Any:
        if isinstance(old, dict) and isinstance(written, Mapping):
            stated = {name: each for name, each in written.items() if name in Evident.model_fields and name in shape.names}
            for name, each in written.items():
                if name not in stated:
                    self._put(old, shape, [str(name)], 0, each, holder)
            return old | stated
        if isinstance(old, dict) and "value" in old:
            return old | {"value": self._new(old["value"], written)}
        if isinstance(old, list) and isinstance(written, list | tuple) and shape.entries is not None:
            return [self._filled(shape.at("0") or shape, each, "") for each in written]
        if isinstance(old, dict | list):
            self._wrong("unknown-path", text("{path} holds several values; name one of them", path=self.path))
            return old
        return self._new(old, written)

    def _new(self, old: Any, written: Any) -> Any:
        if isinstance(written, tuple):
            written = list(written)
        amount = relative_change(written)
        number = isinstance(old, int | float) and not isinstance(old, bool)
        if amount is None or (isinstance(old, str) and not number):
            return written
        if not number or not math.isfinite(amount):
            what = text("is no change") if number else text("cannot change what is no number")
            fix = text('write a plain value, or for a number "*1.03", "+5" or "-5"')
            self._wrong("bad-value", text("{path}: {written!r} {what}", path=self.path, written=written, what=what), fix)
            return old
        new = old * amount if written[0] == "*" else old + amount if written[0] == "+" else old - amount
        if not math.isfinite(new):
            self._wrong("bad-value", text("{path} would be {new}, no finite number", path=self.path, new=new))
        return new

    # -- values that are added -------------------------------------------------------------------------------------------
    def _filled(self, shape: Shape, written: Any, key: str) -> Any:
        """What is written, with the unit, source and evidence that the model asks for."""
        if shape.model is None:
            if shape.entries is not None and isinstance(written, Mapping):
                return {name: self._filled(shape.at(str(name)) or shape, each, str(name)) for name, each in written.items()}
            if shape.entries is not None and isinstance(written, list | tuple):
                return [self._filled(shape.at("0") or shape, each, "") for each in written]
            if relative_change(written) is not None:
                self._wrong(
                    "bad-value",
                    text("{path}: there is no value that {written!r} could change", path=self.path, written=written),
                    text("write a plain value"),
                )
            return written
        whole = _as_mapping(written, shape.names)
        if whole is None:
            return written
        result = {}
        for name, each in whole.items():
            below = shape.at(str(name))
            result[name] = each if below is None else self._filled(below, each, "")
        if shape.evident:
            if shape.usual is not None and "unit" in shape.names:
                result.setdefault("unit", shape.usual.unit)
            result.setdefault("source", self.source)
            result.setdefault("evidence", Evidence.ASSUMPTION.value)
        for name in ("title", "title_zh"):
            if key and name in shape.names:
                result.setdefault(name, key)
        return result


def _as_mapping(written: Any, names: list[str]) -> Mapping[str, Any] | None:
    """What is written for a model with these fields as a mapping of them; None for a bare value that fits none of them."""
    if not isinstance(written, Mapping):
        field = next((name for name in ("value", "values", "file") if name in names), None)
        return None if field is None else {field: {"*": written} if field == "values" else written}
    if "values" in names and "values" not in written:
        keys = {name: each for name, each in written.items() if name not in names}
        return {"values": keys} | {name: each for name, each in written.items() if name in names}
    return written
