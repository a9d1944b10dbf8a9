"""Tables and views of databases, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text
from drgsim.records.case_file import BATCH_ROWS, CaseFile
from drgsim.records.database_address import DatabaseAddress
from drgsim.records.input_options import GROUPING, InputOptions, Purpose


class DatabaseSource(CaseFile):
    """A table or view of a database, in the order of its primary key where it has one.

    Decimals become texts, so that ids of many digits and amounts stay exact. SQLite, whose columns hold anything, gives texts.
    """

    def __init__(self, address: DatabaseAddress, options: InputOptions, purpose: Purpose = GROUPING) -> None:
        self._address = address
        self._engine = self._address.engine()
        address.check_file()
        with self._address.told(InputError, "database-not-read"):
            self._types, self._key, count = self._look()
        super().__init__(self._address.path, list(self._types), options, purpose=purpose)
        self.rows = count

    def _look(self) -> tuple[dict[str, pa.DataType], list[str], int]:
        """Types of the columns, the primary key and the number of rows."""
        from sqlalchemy import func, inspect, select
        from sqlalchemy.exc import NoSuchTableError

        address = self._address
        seen = inspect(self._engine)
        try:
            described = seen.get_columns(address.table, address.schema)
        except NoSuchTableError as error:
            raise address.unknown([*seen.get_table_names(address.schema), *seen.get_view_names(address.schema)]) from error
        types = {str(column["name"]): _type_of(column["type"], address.kind) for column in described}
        key = seen.get_pk_constraint(address.table, address.schema)["constrained_columns"]
        with self._engine.connect() as connection:
            count = connection.execute(select(func.count()).select_from(self._table())).scalar_one()
        return types, list(key), int(count)

    def _table(self) -> Any:
        from sqlalchemy import table

        return table(self._address.table, schema=self._address.schema)

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        from sqlalchemy import column, select

        wanted = list(names) or list(self._types)[:1]
        query: Any = (
            select(*(column(name) for name in wanted)).select_from(self._table()).order_by(*(column(key) for key in self._key))
        )
        read = 0
        with self._address.told(InputError, "database-not-read"), self._engine.connect() as connection:
            result = connection.execution_options(stream_results=True, yield_per=BATCH_ROWS).execute(query)
            for part in result.partitions(BATCH_ROWS):
                read += len(part)
                self.done = read / (self.rows or 1)
                cells = zip(*part, strict=True)
                arrays = [self._array(name, column) for name, column in zip(wanted, cells, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, wanted)

    def _array(self, name: str, cells: Sequence[Any]) -> pa.Array:
        kind = self._types[name]
        try:
            return pa.array(map(_as_text, cells) if pa.types.is_string(kind) else cells, kind)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InputError.single(
                "database-not-read",
                text(
                    "the column {name} of {path} is declared as {kind} and holds something else: {error}",
                    name=name,
                    path=self.path,
                    kind=kind,
                    error=words_of(error, UNREAD),
                ),
                where=self._address.shown,
                fix=text("correct the cells, or give a view that casts the column to text"),
            ) from error


def _type_of(declared: Any, kind: str) -> pa.DataType:
    """The Arrow type of a column of a database."""
    try:
        python: type = declared.python_type
    except NotImplementedError:
        return pa.string()
    if kind == "sqlite":
        return pa.string()
    types: dict[type, Callable[[], pa.DataType]] = {
        bool: pa.bool_, int: pa.int64, float: pa.float64, datetime: lambda: pa.timestamp("us"), date: pa.date32,
    }  # fmt: skip
    return types[python]() if python in types and not getattr(declared, "timezone", False) else pa.string()


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
