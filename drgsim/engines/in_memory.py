"""Group tables in memory: a frame, an Arrow table or dictionaries in, the same with answers out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgsim.engines.grouper_of import AnyScheme, grouper_of
from drgsim.errors import InputError, Problem, UsageError
from drgsim.records.arrow import column_of, ids_of, plain_strings
from drgsim.records.case_file import BATCH_ROWS
from drgsim.records.duplicates import SeenIds
from drgsim.records.input_options import InputOptions
from drgsim.records.read import to_canonical

if TYPE_CHECKING:
    import pandas as pd


def group(
    records: pa.Table | pa.RecordBatch | pd.DataFrame | Sequence[dict[str, Any]],
    scheme: AnyScheme,
    options: InputOptions | None = None,
) -> Any:
    """Group a table of discharges.

    Parameters
    ----------
    records
        A pandas DataFrame, an Arrow table, or a list of dictionaries, with canonical columns or their aliases. Every
        record stands
        for itself: duplicate ids are noted and never mixed.
    scheme
        A DRG scheme or DIP catalogue, or its id or folder.
    options
        Layout, own column names and edition of the codes, where they are not the usual ones.

    Returns
    -------
    DataFrame or Table
        The grouper's result columns for every record in the same order; a DataFrame (with the same index) for a DataFrame,
        else an Arrow table.

    Raises
    ------
    InputError
        When a required column is missing or has a type that holds no text.
    UsageError
        When ``records`` is no table.

    Examples
    --------
    >>> record = {"discharge_id": 1, "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": ""}
    >>> group([record], "chs-drg-2.0").to_pylist()[0]["drg"]
    'FR15'
    >>> group([record], "dip-taian-2025").to_pylist()[0]["dip"]
    'I21.0'
    """
    options = options or InputOptions()
    table, index = _as_table(records)
    canonical = to_canonical(table, options=options)
    ids = canonical.column("discharge_id")
    grouper = grouper_of(scheme, options.code_version)
    canonical = canonical.select([name for name in grouper.input_columns if name in canonical.schema.names]).combine_chunks()
    seen = SeenIds()
    parts = canonical.to_batches(max_chunksize=BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=canonical.schema)]
    noted = [seen.note(ids_of(part)) for part in parts]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        batches = [plain_strings(answers) for answers, _ in pool.map(grouper.group_batch, parts, noted)]
    result = pa.Table.from_batches(batches)
    result = result.set_column(0, "discharge_id", ids)  # as the caller has them, text or numbers
    if index is None:
        return result
    frame = result.to_pandas()
    frame.index = index
    return frame


def _as_table(records: Any) -> tuple[pa.Table, Any]:
    """Records as an Arrow table, and the index of a DataFrame."""
    if isinstance(records, pa.RecordBatch):
        return pa.Table.from_batches([records]), None
    if isinstance(records, pa.Table):
        return records, None
    if hasattr(records, "columns") and hasattr(records, "iloc"):
        return _from_frame(records), records.index
    if hasattr(records, "__arrow_c_stream__"):  # polars and other Arrow-backed frames
        return pa.table(records), None
    if (
        isinstance(records, Sequence)
        and not isinstance(records, str)
        and all(isinstance(record, Mapping) for record in records)
    ):
        names = dict.fromkeys(str(name) for record in records for name in record)
        return pa.table({name: column_of([record.get(name) for record in records]) for name in names}), None
    raise UsageError(
        [
            Problem(
                "group-unknown-records",
                f"a {type(records).__name__} is no table of discharges",
                fix="give a pandas DataFrame, an Arrow table or a list of dictionaries; for files call group_files",
            )
        ]
    )


def _from_frame(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table; a column of mixed types becomes text, as a person would read it."""
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError.single(
            "input-duplicate-column",
            f"the frame names {', '.join(map(repr, twice))} twice",
            fix="give every column its own name",
        )
    arrays = {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        try:
            arrays[name] = pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            arrays[name] = column_of(column.tolist())
    return pa.table(arrays)
