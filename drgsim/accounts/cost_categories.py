"""Costs of cases by category (药品、耗材、检查检验 ...), from whatever columns a file has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from drgsim.language import Text, bilingual
from drgsim.records.arrow import one_chunk
from drgsim.records.cells import read_fen
from drgsim.records.schema import header_key

Fen = NDArray[np.int64]


@dataclass(frozen=True)
class CostCategory:
    """A category: its id, its title, and the sets of columns that may hold its parts."""

    id: str
    title: Text
    columns: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=1)
def categories() -> tuple[CostCategory, ...]:
    """All categories in the order of their file."""
    entries: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("cost_categories.yaml").read_text(encoding="utf-8"))
    return tuple(
        CostCategory(name, bilingual(entry["title"], entry["title_zh"]), tuple(tuple(each) for each in entry["columns"]))
        for name, entry in entries.items()
    )


@dataclass(frozen=True)
class CategoryCosts:
    """Costs of cases by category.

    Attributes
    ----------
    categories
        Those that the file states.
    fen
        (categories, cases); 0 where a case states none.
    columns
        The columns of the file that were added up, by category.
    """

    categories: tuple[CostCategory, ...]
    fen: Fen
    columns: tuple[tuple[str, ...], ...]

    @property
    def known(self) -> bool:
        """Whether the file states any part."""
        return bool(self.categories)


def chosen_columns(names: Iterable[str]) -> list[tuple[CostCategory, tuple[str, ...]]]:
    """Which columns of a file hold which category.

    Examples
    --------
    >>> [(category.id, columns) for category, columns in chosen_columns(["总费用", "西药费", "中成药费", "护理费"])]
    [('drugs', ('西药费', '中成药费')), ('nursing', ('护理费',))]
    """
    known = {header_key(name): name for name in names}
    found = []
    for category in categories():
        sets = [tuple(known[header_key(name)] for name in columns if header_key(name) in known) for columns in category.columns]
        fullest = max(sets, key=len)
        if fullest:
            found.append((category, fullest))
    return found


def category_costs(table: pa.Table) -> CategoryCosts:
    """The costs of the records of a table by category."""
    chosen = chosen_columns(table.column_names)
    fen = np.zeros((len(chosen), table.num_rows), np.int64)
    for place, (_, columns) in enumerate(chosen):
        for name in columns:
            fen[place] += read_fen(one_chunk(table, name)).values
    return CategoryCosts(tuple(category for category, _ in chosen), fen, tuple(columns for _, columns in chosen))
