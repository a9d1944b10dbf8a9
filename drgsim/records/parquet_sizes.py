"""How much memory a batch of a Parquet file may come to, told before it is read: a text may be stored once and meant often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drgsim import limits

BATCH_BYTES = 1 << 28  # that the texts of a batch may come to
_LARGE = 1 << 28  # bytes: what comes to less is no matter, however small its file
_PROBED = 1000  # row groups whose dictionaries are looked at; of further ones, what all their values take counts


def batch_rows(file: Any, content: Path, names: Sequence[str], most: int, shown: Path) -> int:
    """Rows that a batch may have so that its columns take no more than some memory.

    Parameters
    ----------
    file
        The open ``ParquetFile``.
    content
        Where it lies.
    names
        Columns to be read.
    most
        Rows of a batch at most.
    shown
        The file as messages call it.

    Raises
    ------
    InputError
        ``input-too-large``: one record takes more than the limit ``record_bytes``.
    """
    longest, wanted = 0, set(names)
    for group in range(file.num_row_groups):
        sizes = _sizes(file.metadata.row_group(group), wanted)
        if not sizes or sum(each.all_values for each in sizes) <= longest:
            continue
        found = _longest_texts(content, group, sizes) if group < _PROBED else {}
        longest = max(longest, sum(each.of_a_row(found.get(each.path)) for each in sizes))
    limits.check("record_bytes", longest, shown)
    return max(1, min(most, BATCH_BYTES // max(longest, 1)))


def check_growth(size: int, content: Path, shown: Path) -> None:
    """Refuse a file of which ``size`` bytes were unpacked, where that is more than the limits allow.

    Raises
    ------
    InputError
        ``input-too-large``.
    """
    limits.check("unpacked_bytes", size, shown)
    if size > _LARGE:
        limits.check("growth", size // max(content.stat().st_size, 1), shown)


class _Size:
    """What a column of a row group takes, as the file states it."""

    def __init__(self, column: Any, rows: int) -> None:
        self.path: str = column.path_in_schema
        self.all_values: int = column.total_uncompressed_size
        self.may_repeat = bool(column.has_dictionary_page) and column.physical_type == "BYTE_ARRAY"
        self._rows, self._values = max(rows, 1), column.num_values

    def of_a_row(self, longest: int | None) -> int:
        """Bytes of a row: those of its texts where each is as long as the longest, or the mean of what is stored."""
        stored: int = -(-self.all_values // self._rows)
        if not self.may_repeat:
            return stored
        repeated = self.all_values if longest is None else longest
        return max(stored, int(-(-repeated * self._values // self._rows)))


def _sizes(group: Any, wanted: set[str]) -> list[_Size]:
    columns = (group.column(place) for place in range(group.num_columns))
    return [_Size(column, group.num_rows) for column in columns if column.path_in_schema.partition(".")[0] in wanted]


def _longest_texts(content: Path, group: int, sizes: Iterable[_Size]) -> dict[str, int]:
    """The longest text of the dictionaries of a row group, by column; only its first row is read."""
    import pyarrow.parquet as pq

    paths = [each.path for each in sizes if each.may_repeat]
    if not paths:
        return {}
    names = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    with pq.ParquetFile(content, read_dictionary=paths, memory_map=True) as file:
        first = next(file.iter_batches(batch_size=1, row_groups=[group], columns=names), None)
    found: dict[str, int] = {}
    if first is None:
        return {}
    for path in paths:
        name = path.partition(".")[0]
        lengths = [pc.max(pc.binary_length(each)).as_py() or 0 for each in _dictionaries(first.column(name))]
        if lengths:
            found[path] = max(lengths)
    return found


def _dictionaries(column: pa.Array) -> Iterator[pa.Array]:
    """Dictionaries of texts of an array and of those within it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield column.dictionary.cast(pa.large_binary()) if not pa.types.is_binary(kind.value_type) else column.dictionary
    elif pa.types.is_struct(kind):
        for child in column.flatten():
            yield from _dictionaries(child)
    elif pa.types.is_map(kind):
        yield from _dictionaries(column.keys)
        yield from _dictionaries(column.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _dictionaries(column.values)
