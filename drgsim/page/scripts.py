"""The scripts of a page, readable in ``js``, in the order in which they need each other."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("js")
# what groups and prices, in the page and in its worker
ENGINE = (
    "arrays.js", "fractions.js", "codes.js", "cells.js", "records.js", "drg.js", "dip.js", "prices.js", "columns.js",
    "tables.js", "batch.js", "worker.js",
)  # fmt: skip
# what people see
ROOMS = ("search.js", "dom.js", "case_form.js", "case_answer.js", "file_room.js", "app.js")


def joined_scripts(names: tuple[str, ...]) -> str:
    """Scripts one after the other, as a page and its worker run them."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
