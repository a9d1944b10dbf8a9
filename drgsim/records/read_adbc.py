"""Tables and views of databases as ADBC drivers hand them out: columns of Arrow, without Python objects on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from drgsim.errors import InputError
from drgsim.records.case_file import BATCH_ROWS, CaseFile
from drgsim.records.database_address import AdbcAddress, quoted
from drgsim.records.input_options import GROUPING, InputOptions, Purpose

# SQLite, whose columns hold anything, gives texts; whole numbers among them without a fraction, as ids are
_SQLITE_TEXT = (
    "CASE WHEN typeof({0}) = 'real' AND {0} = CAST({0} AS INTEGER) THEN CAST(CAST({0} AS INTEGER) AS TEXT) "
    "ELSE CAST({0} AS TEXT) END AS {0}"
)


class AdbcSource(CaseFile):
    """A table or view of a database, in the order of its primary key where the driver tells one.

    Decimals, times with a zone and what Arrow has no plain type for become texts in the database.
    """

    def __init__(self, address: AdbcAddress, options: InputOptions, purpose: Purpose = GROUPING) -> None:
        self._address = address
        address.check_driver()
        address.check_file()
        with address.told(InputError, "database-not-read"), closing(address.connect()) as connection:
            found = find_table(address, connection)
            if found is None:
                raise address.unknown(table_names(address, connection))
            self._key = _primary_key(found)
            schema = connection.adbc_get_table_schema(address.table, db_schema_filter=address.schema)
            self._types = {field.name: _plain_type(field.type, address.kind) for field in schema}
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"SELECT count(*) FROM {address.quoted}")
                count = cursor.fetchone()[0]
        super().__init__(address.path, list(self._types), options, purpose=purpose)
        self.rows = int(count)

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        wanted = list(names) or list(self._types)[:1]
        query = f"SELECT {', '.join(map(self._selected, wanted))} FROM {self._address.quoted}"
        if self._key:
            query += f" ORDER BY {', '.join(map(quoted, self._key))}"
        schema = pa.schema([(name, self._types[name] or pa.string()) for name in wanted])
        read = 0
        with (
            self._address.told(InputError, "database-not-read"),
            closing(self._address.connect()) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(query)
            for batch in _in_batches(cursor.fetch_record_batch(), schema):
                read += batch.num_rows
                self.done = read / (self.rows or 1)
                yield batch

    def _selected(self, name: str) -> str:
        if self._address.kind == "sqlite":
            return _SQLITE_TEXT.format(quoted(name).replace("{", "{{").replace("}", "}}"))
        return quoted(name) if self._types[name] else f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"


def find_table(address: AdbcAddress, connection: Any) -> dict[str, Any] | None:
    """What the driver tells of the table; None where there is none."""
    return next((found for found in _tables(address, connection, "all") if found["table_name"] == address.table), None)


def table_names(address: AdbcAddress, connection: Any) -> list[str]:
    """Tables and views beside it."""
    return [found["table_name"] for found in _tables(address, connection, "tables")]


def _tables(address: AdbcAddress, connection: Any, depth: str) -> Iterator[dict[str, Any]]:
    filters = {"table_name_filter": address.table} if depth == "all" else {}  # a pattern of LIKE: it may find others too
    told = connection.adbc_get_objects(depth=depth, **filters).read_all().to_pylist()
    own = address.schema or (connection.adbc_current_db_schema if address.kind != "sqlite" else None)
    for catalog in told:
        for schema in catalog["catalog_db_schemas"] or ():
            if not own or schema["db_schema_name"] == own:
                yield from schema["db_schema_tables"] or ()


def _primary_key(table: dict[str, Any]) -> list[str]:
    keys = [each for each in table["table_constraints"] or () if each["constraint_type"] == "PRIMARY KEY"]
    return list(keys[0]["constraint_column_names"]) if keys else []


def _plain_type(kind: pa.DataType, database: str) -> pa.DataType | None:
    """The type that a column is read as; None where the database is to make a text of it."""
    if database == "sqlite":
        return None
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_timestamp(kind):
        return None if kind.tz else pa.timestamp("us")
    same = (pa.bool_(), pa.float64(), pa.date32(), pa.string())
    return kind if kind in same else pa.string() if pa.types.is_large_string(kind) else None


def _in_batches(reader: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of the usual size; drivers have sizes of their own."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        held.append(batch.cast(schema))
        rows += batch.num_rows
        if rows >= BATCH_ROWS:
            yield from _joined(held)
            held, rows = [], 0
    yield from _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if batches:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches(max_chunksize=BATCH_ROWS)
