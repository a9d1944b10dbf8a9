"""Discharges handed in from Python as one Arrow table: a pandas frame, an Arrow table or batch, a list of dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.records.arrow import column_of
from drgsim.records.plain_types import plain_columns, refuse_twice

if TYPE_CHECKING:
    import pandas as pd


def python_table(records: Any) -> tuple[pa.Table, Any]:
    """Records as an Arrow table, and the index of a DataFrame (None for what has no index).

    Parameters
    ----------
    records
        A pandas DataFrame, an Arrow table or batch, any table with the Arrow C stream interface, or a list of dictionaries.

    Raises
    ------
    UsageError
        ``group-unknown-records`` when it is no table.
    InputError
        ``input-duplicate-column`` when a frame names a column twice.

    Examples
    --------
    >>> table, index = python_table([{"discharge_id": 1, "age": 70}, {"discharge_id": "b"}])
    >>> table.to_pylist(), index
    ([{'discharge_id': '1', 'age': 70}, {'discharge_id': 'b', 'age': None}], None)
    """
    if isinstance(records, pa.RecordBatch):
        return plain_columns(pa.Table.from_batches([records])), None
    if isinstance(records, pa.Table):
        return plain_columns(records), None
    if hasattr(records, "columns") and hasattr(records, "iloc"):
        return plain_columns(_from_frame(records)), records.index
    if hasattr(records, "__arrow_c_stream__"):  # polars and other Arrow-backed frames
        try:
            return plain_columns(pa.table(records)), None
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError):  # one column, such as a Series
            pass
    if (
        isinstance(records, Sequence)
        and not isinstance(records, str)
        and all(isinstance(record, Mapping) for record in records)
    ):
        names = dict.fromkeys(str(name) for record in records for name in record)
        return plain_columns(pa.table({name: column_of([record.get(name) for record in records]) for name in names})), None
    raise UsageError(
        [
            Problem(
                "group-unknown-records",
                text("a {type} is no table of discharges", type=type(records).__name__),
                fix=text("give a path, a pandas DataFrame, an Arrow table or a list of dictionaries"),
            )
        ]
    )


def _from_frame(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table; a column of mixed types becomes text, as a person would read it."""
    names = [str(name) for name in frame.columns]
    refuse_twice(names)
    arrays = {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        try:
            arrays[name] = pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            arrays[name] = column_of(column.tolist())
    return pa.table(arrays)
