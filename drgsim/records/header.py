"""Which line of a file is its header, and what its names must be, whatever the file is written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from drgsim.errors import InputError
from drgsim.records.input_options import InputOptions, Purpose
from drgsim.records.layout import known_headers
from drgsim.records.schema import header_key

HEADER_LINES = 10  # a title or a blank line may stand before the header


def header_test(options: InputOptions, purpose: Purpose) -> Callable[[Sequence[str]], bool]:
    """The test for a header: it names two columns of a discharge, in any layout, in the user's words or in the caller's.

    A table that is taken as it is starts with its header.
    """
    own = {header_key(name) for name, _ in options.maps} | {header_key(name) for name in purpose.also}

    def holds(names: Sequence[str]) -> bool:
        keys = [header_key(name) for name in names]
        return purpose.raw or sum(key in known_headers() or key in own for key in keys) >= 2

    return holds


def refuse_duplicates(names: Sequence[str], path: Path, place: str) -> None:
    """Two columns of one name could not be told apart.

    Raises
    ------
    InputError
        ``input-duplicate-column``.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError.single(
            "input-duplicate-column",
            f"the header names {', '.join(map(repr, twice))} twice",
            where=f"{path}, {place}",
            fix="give every column its own name",
        )
