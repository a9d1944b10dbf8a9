"""Arrow columns of any type as the few types that drgsim works on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text

EXACT_FLOATS = 2.0**53  # up to which a float keeps every digit of a whole number
_VIEWS = ("string_view", "binary_view", "list_view", "large_list_view")


def one_chunk(batch: pa.RecordBatch | pa.Table, name: str) -> pa.Array:
    """A column of a batch or table as one plain array (dictionaries decoded); all missing where there is no such column."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = batch.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds lists, in any of Arrow's layouts."""
    return str(kind).startswith(("list<", "large_list<", "fixed_size_list<", "list_view<", "large_list_view<"))


def to_text(column: pa.Array, name: str = "") -> pa.Array:
    """A column as strings, missing values kept.

    Lists of codes are joined by ``|`` (a missing element keeps its place); whole floating numbers lose their decimal point;
    bytes are UTF-8.

    Raises
    ------
    InputError
        ``input-unreadable-type`` for a type that has no text, such as a struct.
    """
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_dictionary(kind):
        return to_text(column.dictionary_decode(), name)
    try:
        if is_list(kind):
            return _joined(column)
        if pa.types.is_floating(kind):
            return _numbers_as_text(column)
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise InputError.single(
            "input-unreadable-type",
            text(
                "the column {name} has the type {kind}, which holds no text: {error}",
                name=name or text("of codes"),
                kind=kind,
                error=words_of(error, UNREAD),
            ),
            where=name,
            fix=text("give codes as text or as lists of text, numbers as numbers or text"),
        ) from error


def _joined(column: pa.Array) -> pa.Array:
    if str(column.type).startswith(_VIEWS) or pa.types.is_fixed_size_list(column.type):
        column = column.cast(pa.large_list(column.type.value_type))
    elements = to_text(column.flatten())
    if isinstance(elements, pa.ChunkedArray):
        elements = elements.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int64()))
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    joined = pc.binary_join(pa.LargeListArray.from_arrays(offsets, pc.fill_null(elements.cast(pa.string()), "")), "|")
    return pc.if_else(column.is_null(), pa.scalar(None, pa.string()), joined) if column.null_count else joined


def _numbers_as_text(column: pa.Array) -> pa.Array:
    """Numbers as a person writes them; NaN counts as missing."""
    values = [None if value is None or value != value else value for value in column.to_pylist()]
    return pa.array([None if value is None else number_text(value) for value in values], pa.string())


def distinct_texts(column: pa.Array) -> tuple[list[str], NDArray[np.intp]]:
    """The different texts of a column, so that Python looks at each once, and the place of every row's text among them.

    A missing text has the place after the last.

    Examples
    --------
    >>> distinct_texts(pa.array(["a", None, "b", "a"]))
    (['a', 'b'], array([0, 2, 1, 0], dtype=int32))
    """
    encoded = column.dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    return texts, encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)


def number_text(value: float) -> str:
    """A number without a needless decimal point; one with more digits than a float keeps in the notation that says so.

    Examples
    --------
    >>> number_text(2.0), number_text(36.0601), number_text(2.0**60)
    ('2', '36.0601', '1.152921504606847E+18')
    """
    if EXACT_FLOATS <= abs(value) < float("inf"):
        return repr(float(value)).upper()
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def plain_strings(batch: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
    """The same batch with dictionary columns as plain strings."""
    fields = [pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f for f in batch.schema]
    return batch.cast(pa.schema(fields))


def with_unique_dictionaries(table: pa.Table) -> pa.Table:
    """The same table with one dictionary per column that names each value once.

    Arrow writes a dictionary whose values repeat with as many bytes as it claims, the last of them whatever the memory held:
    files of the same table would differ, and could carry what they must not.
    """
    table = table.unify_dictionaries()
    for place, field in enumerate(table.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        column = table.column(place)
        values = column.chunk(0).dictionary if column.num_chunks else None
        if values is None or len(unique := pc.unique(values)) == len(values):
            continue
        place_of = pc.index_in(values, unique)
        chunks = [pa.DictionaryArray.from_arrays(place_of.take(chunk.indices), unique) for chunk in column.chunks]
        table = table.set_column(place, field.name, pa.chunked_array(chunks))
    return table


def as_cells(batch: pa.RecordBatch | pa.Table, *, times_as_text: bool = False) -> pa.RecordBatch | pa.Table:
    """The same batch with every column of a type that a sheet or a CSV file can hold.

    Lists are joined by ``|``, structs become JSON, bytes UTF-8, NaN a missing value; a sheet wants times as text too, and
    takes dates as they are.
    """
    columns = [_as_cells(column, name, times_as_text) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    return type(batch).from_arrays(columns, batch.schema.names)


def _as_cells(column: pa.Array | pa.ChunkedArray, name: str, times_as_text: bool) -> pa.Array | pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(pa.string())
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array(
            [_as_cells(chunk, name, times_as_text) for chunk in column.chunks], None if column.num_chunks else kind
        )
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_struct(kind) or pa.types.is_map(kind) or (is_list(kind) and pa.types.is_nested(kind.value_type)):
        return pa.array(
            [None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in column.to_pylist()]
        )
    if is_list(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return to_text(column, name)
    return column.cast(pa.string()) if times_as_text and pa.types.is_temporal(kind) and not pa.types.is_date(kind) else column


def ids_of(batch: pa.RecordBatch | pa.Table) -> pa.Array:
    """The ids of a batch as text, whatever type the file gives them."""
    ids = to_text(one_chunk(batch, "discharge_id"), "discharge_id")
    return ids if pa.types.is_string(ids.type) else ids.cast(pa.string())


def column_of(values: list[Any]) -> pa.Array:
    """An Arrow column of Python values; mixed types become text as a person would read them, lists are joined by ``|``."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if isinstance(value, list | tuple) or type(value).__name__ == "ndarray":
        return "|".join(_text(part) or "" for part in value)
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    return number_text(value) if isinstance(value, float) else str(value)
