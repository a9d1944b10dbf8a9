"""Lines of Chinese at the terminal: they may end after every character, which the library that prints them does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from rich import _wrap
from rich.cells import cell_len
from rich.text import Text

# rich ends a line at spaces only, and Chinese has none; closing signs stay with what they close
_WIDE = "\u2e80-\u2fff\u3003-\u3007\u3012\u3013\u3021-\u9fff\uf900-\ufaff"
_OPENING, _CLOSING = "（《「『【〔“‘", "，。、；：？！）》」』】〕”’…"
_RUN = rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+)"
WORD = re.compile(rf"\s*(?:{_RUN}|[{_OPENING}]+|[{_CLOSING}])[{_CLOSING}]*\s*")


def _without_end(self: Text, size: int) -> None:
    """Take the space from the end of a line that is too long by it; rich counts characters here, not columns."""
    while self.plain.endswith(" ") and cell_len(self.plain) > size:
        self.right_crop(1)


@contextmanager
def wide_lines() -> Iterator[None]:
    """Let lines end after Chinese characters inside the block.

    Examples
    --------
    >>> [found[0] for found in WORD.finditer("写出（CSV、XLSX），再 use it。")]
    ['写', '出', '（CSV、', 'XLSX），', '再 ', 'use ', 'it。']
    """
    word, without_end = _wrap.re_word, Text.rstrip_end
    _wrap.re_word, Text.rstrip_end = WORD, _without_end  # type: ignore[method-assign]
    try:
        yield
    finally:
        _wrap.re_word, Text.rstrip_end = word, without_end  # type: ignore[method-assign]
