"""Results as tables of databases, whole or not at all: gathered on disk, then written in one transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import OutputError
from drgsim.leftovers import scratch_folder
from drgsim.records.arrow import as_cells
from drgsim.records.database_address import AdbcAddress, DatabaseAddress, address_of
from drgsim.results.adbc_table import check_adbc_table, load_adbc_table

_ROWS = 5_000  # that one statement inserts


class DatabaseWriter:
    """Gathers batches for a table of a database; nothing reaches the database before all are there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "rows.arrow"
        self._writer: Any = None
        self.schema: pa.Schema | None = None

    def encode(self, batch: pa.RecordBatch) -> object:
        """The part of the work that may run in any thread."""
        cells = as_cells(batch)
        arrays = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in cells.columns]
        return pa.RecordBatch.from_arrays(arrays, cells.schema.names)

    def write(self, encoded: object) -> None:
        """Keep an encoded batch; batches come in order."""
        batch: pa.RecordBatch = encoded
        if self._writer is None:
            self.schema = batch.schema
            self._writer = pa.ipc.new_file(str(self._file), batch.schema)
        self._writer.write_batch(batch.cast(self.schema) if batch.schema != self.schema else batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was written, batch by batch."""
        if self._writer is None:
            return
        self._writer.close()
        with pa.memory_map(str(self._file)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


@contextmanager
def open_database_writer(url: str, names: list[str], *, replace: bool = True) -> Iterator[DatabaseWriter]:
    """A writer whose rows become the table that the URL names, in one transaction at the end; none after an exception.

    A table that is there gives way only when it has the columns of an earlier result.

    Raises
    ------
    OutputError
        ``output-exists``, ``database-not-written``.
    """
    address = address_of(url)
    address.check_driver()
    wanted = names if replace else []
    with address.told(OutputError, "database-not-written"):
        if isinstance(address, AdbcAddress):
            check_adbc_table(address, wanted)
        else:
            _check_table(address, wanted)
    with scratch_folder() as folder:
        writer = DatabaseWriter(Path(folder))
        yield writer
        with address.told(OutputError, "database-not-written"):
            if isinstance(address, AdbcAddress):
                load_adbc_table(address, writer.batches())
            else:
                _load(address, writer.batches())


def _check_table(address: DatabaseAddress, names: list[str]) -> None:
    """Refuse a table that is there and does not have the columns of a result."""
    from sqlalchemy import inspect

    seen = inspect(address.engine())
    if not seen.has_table(address.table, address.schema):
        return
    there = {str(column["name"]).lower() for column in seen.get_columns(address.table, address.schema)}
    if there != {name.lower() for name in names} or address.table in seen.get_view_names(address.schema):
        raise address.is_no_result()


def _load(address: DatabaseAddress, batches: Iterator[pa.RecordBatch]) -> None:
    """Write beside the table and rename; where tables are made outside transactions, what is half written is removed."""
    from sqlalchemy import Column, MetaData, Table, inspect

    beside, engine = f"{address.table}_part_{os.getpid()}", address.engine()
    table: Any = None
    try:
        with engine.begin() as connection:
            for batch in batches:
                if table is None:
                    columns = [Column(field.name, _sql_type(field.type)) for field in batch.schema]
                    table = Table(beside, MetaData(schema=address.schema), *columns)
                    table.create(connection)
                for start in range(0, batch.num_rows, _ROWS):
                    connection.execute(table.insert(), batch.slice(start, _ROWS).to_pylist())
            if table is None:
                return
            if inspect(connection).has_table(address.table, address.schema):
                Table(address.table, MetaData(schema=address.schema)).drop(connection)
            quoted = connection.dialect.identifier_preparer
            connection.exec_driver_sql(f"ALTER TABLE {quoted.format_table(table)} RENAME TO {quoted.quote(address.table)}")
    except BaseException:
        with suppress(Exception):
            if table is not None:
                table.drop(engine, checkfirst=True)
        raise


def _sql_type(kind: pa.DataType) -> Any:
    from sqlalchemy import VARCHAR, BigInteger, Boolean, Date, DateTime, Float, Text

    if pa.types.is_boolean(kind):
        return Boolean()
    if pa.types.is_integer(kind):
        return BigInteger()
    if pa.types.is_floating(kind):
        return Float(53)
    if pa.types.is_date(kind):
        return Date()
    if pa.types.is_timestamp(kind):
        return DateTime()
    return Text().with_variant(VARCHAR(4000), "oracle")
