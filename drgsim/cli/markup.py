"""Texts within the markup of the terminal."""

from __future__ import annotations

from rich import markup

from drgsim.language import spoken


def escape(said: object) -> str:
    """A text in the language of the reader whose brackets are no markup.

    Examples
    --------
    >>> escape("[bold]")
    '\\\\[bold]'
    """
    return markup.escape(str(spoken(said)))
