"""The values of a file of parameters, listed with unit, date, source and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from drgsim.parameters.evidence import Evidence


@dataclass(frozen=True)
class Parameter:
    """One parameter with its evidence, as reports and ``drgsim policy show`` list it.

    ``effective_from`` is the day that the value states, else that of its file, else ``unknown``; ``own_start`` and
    ``own_end`` are the days that the value itself states, None where those of the file hold. ``source`` is a key of the file's
    sources, ``source_title`` what that source is.
    """

    path: str
    value: Any
    unit: str
    effective_from: str
    source: str
    evidence: Evidence
    note: str
    own_start: date | None = None
    own_end: date | None = None
    source_title: str = ""


def nodes(node: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and model of everything in a file, in the order of the file."""
    for name, value in node.__dict__.items():
        place = f"{path}.{name}" if path else name
        entries = enumerate(value) if isinstance(value, tuple) else value.items() if isinstance(value, dict) else ()
        inside = [(place, value), *((f"{place}.{key}", child) for key, child in entries)]
        for below, child in inside:
            if isinstance(child, BaseModel):
                yield below, child
                yield from nodes(child, below)


def evident_nodes(file: BaseModel) -> Iterator[tuple[str, Any]]:
    """Path and model of everything in a file that carries evidence, in the order of the file."""
    return ((path, node) for path, node in nodes(file) if getattr(node, "evidence", None) is not None)


def parameters_of(file: BaseModel) -> Iterator[Parameter]:
    """Every value that carries evidence, in the order of the file; models say themselves how they are ``shown``."""
    start, sources = getattr(file, "effective_from", None), getattr(file, "sources", {})
    for path, node in evident_nodes(file):
        own = getattr(node, "effective_from", None)
        yield Parameter(
            path, node.shown, node.unit, str(own or start or "unknown"), node.source or "", node.evidence, node.note, own,
            getattr(node, "effective_to", None), sources[node.source].title if node.source in sources else "",
        )  # fmt: skip
