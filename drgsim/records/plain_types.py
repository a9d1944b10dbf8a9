"""Columns of any Arrow type as the plain ones that drgsim works on: one place where what others wrote becomes ours.

Plain are texts (UTF-8, 32-bit offsets), numbers and decimals, truth values, dates, and times without a zone.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text
from drgsim.records.arrow import is_list, to_text
from drgsim.records.schema import header_key, header_names
from drgsim.records.text_encoding import sniff_encoding

MOST_BYTES = 1 << 31  # of a column of texts with 32-bit offsets
_SNIFFED = 1 << 20
Columns = TypeVar("Columns", pa.RecordBatch, pa.Table)


def plain_columns(given: Columns) -> Columns:
    """The same batch or table with every column of a plain type; columns that are plain are passed on untouched.

    Raises
    ------
    InputError
        ``input-duplicate-column``: two columns have one name; ``input-unreadable-type``: a column of records is of a type such
        as a struct, which holds no text; ``input-damaged-column``: the bytes of a column contradict its type.
    """
    names = given.schema.names
    refuse_twice(names)
    columns = [_plain_of(column, name) for name, column in zip(names, given.columns, strict=True)]
    return type(given).from_arrays(columns, names) if columns else given


def refuse_twice(names: Sequence[str], where: str = "") -> None:
    """Refuse a table that names a column twice.

    Raises
    ------
    InputError
        ``input-duplicate-column``.
    """
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        what, fix = (
            text("the table names {twice} twice", twice=", ".join(map(repr, sorted(twice)))),
            text("give every column its own name"),
        )
        raise InputError.single("input-duplicate-column", what, where=where, fix=fix)


def _plain_of(column: pa.Array | pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    if _becomes_json(column.type) and header_key(name) in header_names():
        raise InputError.single(
            "input-unreadable-type",
            text("the column {name} has the type {type}, which holds no text", name=name, type=column.type),
            where=name,
            fix=text("give codes as text or as lists of text, numbers as numbers or text"),
        )
    try:
        if not isinstance(column, pa.ChunkedArray):
            return plain_column(column, name)
        chunks = [plain_column(chunk, name) for chunk in column.chunks]
        return pa.chunked_array(chunks or [plain_column(pa.array([], column.type), name)])
    except MemoryError:  # an error of Arrow as well
        raise
    except (pa.ArrowException, UnicodeError, ValueError, OverflowError) as error:
        raise InputError.single(
            "input-damaged-column",
            text(
                "the column {name} has the type {type} and cannot be read as it: {error}",
                name=name,
                type=column.type,
                error=words_of(error, UNREAD),
            ),
            where=name,
            fix=text("write it as text, numbers or dates"),
        ) from error


def plain_column(column: pa.Array, name: str = "") -> pa.Array:
    """One array as an array of a plain type.

    Dictionaries are decoded; other layouts of texts become texts, bytes are read in their encoding; lists of values are joined
    by ``|``, maps, structs and lists of lists become JSON; times of day, durations and intervals become texts, times of a zone
    what its clocks showed; numbers of 16 bits become longer ones, unsigned ones of 64 bits decimals.
    What a type becomes depends on the type alone, so that the batches of a file stay alike.

    Examples
    --------
    >>> plain_column(pa.array(["I10", None]).dictionary_encode()).to_pylist()
    ['I10', None]
    >>> plain_column(pa.array([b"I10", "主要诊断".encode("gb18030")])).to_pylist()
    ['I10', '主要诊断']
    >>> plain_column(pa.array([["I10", None], []])).to_pylist(), plain_column(pa.array([{"a": 1}])).to_pylist()
    (['I10|', ''], ['{"a": 1}'])
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _uuids(column) if kind.extension_name == "arrow.uuid" else plain_column(column.storage, name)
    if pa.types.is_dictionary(kind):
        return plain_column(column.dictionary_decode(), name)
    if pa.types.is_run_end_encoded(kind):
        return plain_column(pc.run_end_decode(column), name)
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if _holds_bytes(kind):
        return _texts(column)
    if pa.types.is_nested(kind):
        return _nested(column, name)
    if pa.types.is_temporal(kind):
        return _temporal(column)
    return _number(column)


def _holds_bytes(kind: pa.DataType) -> bool:
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    others = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in (*texts, *others)) and not pa.types.is_decimal(kind)


def _texts(column: pa.Array) -> pa.Array:
    """Texts or bytes as UTF-8; what is no UTF-8 is read in the encoding that its first bytes tell."""
    kind = column.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.large_binary())
    elif kind in (pa.string(), pa.large_string()):
        column = column.cast(pa.binary() if kind == pa.string() else pa.large_binary())  # without a copy
    wanted = pa.string() if column.nbytes < MOST_BYTES else pa.large_string()
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:
        cells = column.to_pylist()
    encoding = sniff_encoding(b"\n".join(cell for cell in cells if cell)[:_SNIFFED])
    encoding = "gb18030" if encoding == "utf-16" else encoding
    return pa.array([None if cell is None else cell.decode(encoding, errors="replace") for cell in cells], wanted)


def _uuids(column: pa.Array) -> pa.Array:
    cells = column.storage.to_pylist()
    return pa.array([None if cell is None else str(uuid.UUID(bytes=cell)) for cell in cells], pa.string())


def _nested(column: pa.Array, name: str) -> pa.Array:
    kind = column.type
    if not _becomes_json(kind):
        if not pa.types.is_list(kind) or not _is_plain(kind.value_type):
            wide = pa.large_list(kind.value_type)
            column = pa.array(column.to_pylist(), wide) if "view" in str(kind).partition("<")[0] else column.cast(wide)
            values = plain_column(column.values, name)
            column = pa.LargeListArray.from_arrays(column.offsets, values, mask=column.is_null() if column.null_count else None)
        return to_text(column, name)
    cells = column.to_pylist()
    return pa.array(
        [None if cell is None else json.dumps(cell, ensure_ascii=False, default=_json_text) for cell in cells], pa.string()
    )


def _becomes_json(kind: pa.DataType) -> bool:
    """Whether a type holds values in values: good to keep beside the records, not to read a record from."""
    return pa.types.is_nested(kind) and not (is_list(kind) and not pa.types.is_nested(kind.value_type))


def _is_plain(kind: pa.DataType) -> bool:
    return bool(kind == pa.string() or pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _json_text(cell: Any) -> str:
    return cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell)


def _temporal(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return pc.local_timestamp(column) if kind.tz else column
    if pa.types.is_date(kind):
        return column
    if pa.types.is_duration(kind):
        seconds = column.cast(pa.int64()).to_pylist()
        unit = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[kind.unit]
        return pa.array([None if each is None else _duration(each / unit) for each in seconds], pa.string())
    if pa.types.is_time(kind):
        return column.cast(pa.string())
    return pa.array([None if cell is None else str(cell) for cell in column.to_pylist()], pa.string())


def _duration(seconds: float) -> str:
    """A duration as a text of which whole days can be read.

    Examples
    --------
    >>> _duration(3 * 86_400), _duration(90_000)
    ('3 days', '1 day, 1:00:00')
    """
    days, rest = divmod(seconds, 86_400)
    return f"{days:.0f} days" if rest == 0 else str(timedelta(seconds=seconds))


def _number(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_float16(kind):
        return column.cast(pa.float32()).cast(pa.float64())
    if pa.types.is_uint64(kind):
        return column.cast(pa.decimal128(20, 0))
    if pa.types.is_decimal(kind) and not pa.types.is_decimal128(kind):
        return column.cast(pa.decimal128(38, kind.scale)) if kind.bit_width < 128 else column.cast(pa.string())
    return column
