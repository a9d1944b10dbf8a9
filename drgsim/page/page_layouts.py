"""The names under which files have canonical columns, as data for a page: the tables that the engine itself uses."""

from __future__ import annotations

from typing import Any

from drgsim.page.page_codes import SIDES
from drgsim.records.layout import GENERAL, layouts
from drgsim.records.schema import columns
from drgsim.records.vocabulary import meanings


def page_layouts() -> dict[str, Any]:
    """Columns and layouts as JSON can hold them.

    Returns
    -------
    dict
        ``columns``: name, Chinese title, whether it is required, the list that it is a part of, aliases; ``layouts``: name,
        titles and the ways to have each canonical column, the special ones first (the general one has none); ``lists`` of
        codes; ``insurance``: header key of a word -> payer.
    """
    return {
        "columns": [
            {
                "name": name, "zh": column.title_zh, "required": column.required, "part": column.part,
                "aliases": [*column.aliases],
            }
            for name, column in columns().items()
        ],
        "layouts": [
            {
                "name": layout.name, "en": layout.title, "zh": layout.title_zh, "general": layout.name == GENERAL,
                "columns": {name: list(ways) for name, ways in layout.columns.items()},
            }
            for layout in layouts()
        ],
        "lists": list(SIDES),
        "insurance": meanings("insurance"),
    }  # fmt: skip
