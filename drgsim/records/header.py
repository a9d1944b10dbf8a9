"""Which line of a file is its header, and what its names must be, whatever the file is written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from drgsim import limits
from drgsim.errors import InputError
from drgsim.language import text
from drgsim.records.input_options import InputOptions, Purpose
from drgsim.records.layout import known_headers
from drgsim.records.schema import columns, header_key

HEADER_LINES = 10  # a title or a blank line may stand before the header


class HeaderTest:
    """The test for a header: it names two columns of a discharge, in any layout, in the user's words or in the caller's.

    A table that is taken as it is starts with its header.
    """

    def __init__(self, options: InputOptions, purpose: Purpose) -> None:
        self._own = {header_key(part) for name, _ in options.maps for part in (name, *name.split("+"))}
        self._own |= {header_key(name) for name in purpose.also}
        self._raw = purpose.raw

    def knows(self, name: str) -> bool:
        """Whether some layout, the user or the caller has a column of this name; numbered ones too (其他诊断编码3)."""
        key = header_key(name)
        return key in known_headers() or key in self._own or (key[-1:].isdecimal() and key.rstrip("0123456789") in _numbered())

    def matters(self, name: str) -> bool:
        """Whether a column of this name may be read."""
        return self._raw or self.knows(name)

    def known(self, names: Sequence[str]) -> int:
        """How many of the names are known."""
        return sum(map(self.knows, names))

    def __call__(self, names: Sequence[str]) -> bool:
        """Whether the names are a header."""
        return self._raw or sum(key in known_headers() or key in self._own for key in map(header_key, names)) >= 2

    def first(self, rows: Sequence[Sequence[str]]) -> tuple[int, list[str]] | None:
        """The header among the first rows: how many rows it ends after, and its names; None where none is one.

        A header may stand in two rows, as where cells over others are merged (诊断 above 主要诊断编码 and 其他诊断编码1).
        """
        head = [list(row) for row in rows[: HEADER_LINES + 1]]
        for at, upper in enumerate(head[:HEADER_LINES]):
            lower = head[at + 1] if at + 1 < len(head) else []
            both = self.in_two_rows(upper, lower)
            if both is not None:
                return at + 2, both
            if self(upper):
                return at + 1, upper
        return None

    def in_two_rows(self, upper: Sequence[str], lower: Sequence[str]) -> list[str] | None:
        """The names of a header that two rows make together; None if they make none, as where the lower one is a record."""
        names = None if self._raw or not any(lower) or len(lower) != len(upper) else self._joined(upper, lower)
        return names if names is not None and self(names) else None

    def _joined(self, upper: Sequence[str], lower: Sequence[str]) -> list[str] | None:
        """Each name with what stands below it; None where that belongs to no name."""
        names, group, understood = [], "", True
        for place, (above, below) in enumerate(zip(upper, lower, strict=True)):
            group = above or group
            if not below or below == above or below in _UNITS:
                names.append(above)
                continue
            ways = [below, group + below]
            name = next((way for way in ways if self.knows(way)), "")
            if not name and above and self.knows(above) and not _opens_group(upper, lower, place):
                return None  # something of its own stands under a name: a record
            understood = understood and bool(name)
            names.append(name or ways[lower.count(below) > 1])
        more = self.known(names) - max(self.known(upper), self.known(lower))
        return names if more > 0 or (more == 0 and understood and self(upper)) else None


_UNITS = frozenset(("岁", "天", "日", "元", "克", "小时", "分钟", "次", "g", "kg", "h", "d"))


def _opens_group(upper: Sequence[str], lower: Sequence[str], place: int) -> bool:
    """Whether a name stands over several columns: the cell after it is blank, and has something below."""
    return place + 1 < len(upper) and not upper[place + 1] and bool(lower[place + 1])


@lru_cache(maxsize=1)
def _numbered() -> frozenset[str]:
    """Keys of numbered columns without their number, for those whose number comes last."""
    found = {
        header_key(name.partition("{")[0]) for column in columns().values() for name in column.aliases if name.endswith("}")
    }
    return frozenset(found)


def distinct_names(names: Sequence[str], test: HeaderTest, path: Path, place: str) -> list[str]:
    """Names of which none comes twice: a second 手术日期, which nobody reads, is ``手术日期 (2)``.

    Raises
    ------
    InputError
        ``input-duplicate-column``: two columns of a name that is read could not be told apart.
    """
    limits.check("columns", len(names), path, place)
    found: list[str] = []
    so_far: Counter[str] = Counter()
    for name in names:
        so_far[name] += 1
        number = so_far[name]
        found.append(f"{name} ({number})" if name and number > 1 else name)
    twice = sorted(name for name, number in so_far.items() if name and number > 1 and test.matters(name))
    twice += sorted({name for name, number in Counter(found).items() if name and number > 1} - {*twice})
    if twice:
        raise InputError.single(
            "input-duplicate-column",
            text("the header names {twice} twice", twice=", ".join(map(repr, twice))),
            where=text("{path}, {place}", path=path, place=place),
            fix=text("give every column its own name"),
        )
    return found
