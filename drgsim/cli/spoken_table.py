"""The table of the terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from drgsim.cli.markup import escape
from drgsim.language import spoken


class SpokenTable(Table):
    """A table whose titles and cells stand in the language of the reader."""

    def __init__(self, title: str = "") -> None:
        super().__init__(
            title=escape(title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )

    def add_column(self, header: Any = "", *more: Any, **options: Any) -> None:
        """Add a column, whose title is no markup."""
        super().add_column(escape(header), *more, **options)

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row, whose cells may hold markup."""
        super().add_row(*map(spoken, cells), **options)
