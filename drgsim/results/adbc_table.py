"""Results as tables of databases through ADBC, which takes columns of Arrow as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from drgsim.records.database_address import AdbcAddress, quoted
from drgsim.records.read_adbc import find_table


def check_adbc_table(address: AdbcAddress, names: list[str]) -> None:
    """Refuse a table that is there and does not have the columns of a result.

    Raises
    ------
    OutputError
        ``output-exists``.
    """
    with closing(address.connect()) as connection:
        found = find_table(address, connection)
    if found is None:
        return
    there = {str(column["column_name"]).lower() for column in found["table_columns"] or ()}
    if there != {name.lower() for name in names} or "view" in str(found["table_type"]).lower():
        raise address.is_no_result()


def load_adbc_table(address: AdbcAddress, batches: Iterator[pa.RecordBatch]) -> None:
    """Write beside the table and rename, in one transaction; where tables are made outside of it, what is half written goes."""
    first = next(batches, None)
    if first is None:
        return
    beside = replace(address, table=f"{address.table}_part_{os.getpid()}")

    def rows() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    with closing(address.connect()) as connection, closing(connection.cursor()) as cursor:
        try:
            reader = pa.RecordBatchReader.from_batches(first.schema, rows())
            cursor.adbc_ingest(beside.table, reader, mode="create", db_schema_name=address.schema)
            if find_table(address, connection) is not None:
                cursor.execute(f"DROP TABLE {address.quoted}")
            cursor.execute(f"ALTER TABLE {beside.quoted} RENAME TO {quoted(address.table)}")
            connection.commit()
        except BaseException:
            with suppress(Exception):
                connection.rollback()
            _drop(beside, connection)
            raise


def _drop(beside: AdbcAddress, connection: Any) -> None:
    with suppress(Exception), closing(connection.cursor()) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {beside.quoted}")
        connection.commit()
