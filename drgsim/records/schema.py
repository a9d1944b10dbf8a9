"""The canonical discharge columns, their units and the names under which files have them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from drgsim.records.code_dictionaries import fold

BROKEN_LINE = "__broken_line"  # marks records made from a line whose cells do not fit the header


@dataclass(frozen=True)
class Column:
    """A canonical column.

    Attributes
    ----------
    name, title_zh, unit
        Canonical English name, Chinese name, and unit (empty for codes and texts).
    required
        Whether grouping refuses a file without it.
    aliases
        Other names that files use for it; ``{1-40}`` in one stands for numbered columns.
    part
        The code list that this column is a part of (its principal code, or the others); empty for the rest.
    """

    name: str
    title_zh: str
    unit: str
    required: bool
    aliases: tuple[str, ...]
    part: str = ""


@lru_cache(maxsize=1)
def columns() -> dict[str, Column]:
    """Canonical name -> column, in canonical order."""
    entries = yaml.safe_load(Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8"))
    return {
        name: Column(
            name,
            entry["zh"],
            entry.get("unit", ""),
            entry.get("required", False),
            tuple(entry.get("aliases", ())),
            entry.get("part", ""),
        )
        for name, entry in entries.items()
    }


def header_key(name: str) -> str:
    """Spelling of a header that ignores case, blanks, full-width characters and the difference of ``-``, ``_`` and space.

    Examples
    --------
    >>> header_key("\\ufeff Birth-Weight_G "), header_key("主要诊断")
    ('BIRTHWEIGHTG', '主要诊断')
    """
    return fold(name).replace("_", "").replace("-", "")


@lru_cache(maxsize=1)
def header_names() -> dict[str, str]:
    """Header key -> canonical name, aliases included, numbered ones left out."""
    return {
        header_key(name): column.name
        for column in columns().values()
        for name in (column.name, *column.aliases)
        if "{" not in name
    }
