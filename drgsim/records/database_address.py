"""Tables of databases as users name them: the URL of SQLAlchemy with the table, ``sqlite:///cases.db?table=discharges``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drgsim.errors import InputError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_URL = re.compile(r"[A-Za-z][\w+.-]+://")
INSTALL = 'pip install "drgsim[database]"'
_DRIVERS = {
    "postgresql": "psycopg",
    "oracle": "oracledb",
    "mysql": "pymysql",
    "mssql": "pyodbc",
    "dm": "dmPython and dmSQLAlchemy",
}


def is_database(name: object) -> bool:
    """Whether a name is the URL of a database and no path.

    Examples
    --------
    >>> is_database("sqlite:///cases.db?table=discharges"), is_database("C:/cases.csv"), is_database("9月.csv")
    (True, False, False)
    """
    return isinstance(name, str) and _URL.match(name) is not None


def file_or_url(name: str | Path) -> str | Path:
    """A URL as it is, since a path would lose its slashes; anything else as a path."""
    return name if isinstance(name, str) and is_database(name) else Path(name)


@dataclass(frozen=True)
class DatabaseAddress:
    """A table of a database.

    Attributes
    ----------
    url
        Where the database is, for SQLAlchemy.
    table, schema
        The table or view, and the schema that it is in (None for the user's own).
    """

    url: URL
    table: str
    schema: str | None

    @property
    def path(self) -> Path:
        """The name that messages and records call it by; no password is in it."""
        database = (self.url.database or "").replace("\\", "/").rpartition("/")[2]
        return Path(f"table {self.table} of {database or self.url.get_backend_name()}")

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return f"{self.url.render_as_string(hide_password=True)}, table {self.table}"

    def engine(self) -> Engine:
        """A connection to be opened, none kept open between uses.

        Raises
        ------
        UsageError
            ``database-not-installed``: no driver for this kind of database is installed.
        """
        from sqlalchemy import create_engine, event
        from sqlalchemy.exc import NoSuchModuleError
        from sqlalchemy.pool import NullPool

        kind = self.url.get_backend_name()
        try:
            engine = create_engine(self.url, poolclass=NullPool)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            fix = f"install its driver: pip install {_DRIVERS.get(kind, 'the driver that its maker names')}"
            what = f"no driver for {self.url.drivername} is installed ({error})"
            raise UsageError.single("database-not-installed", what, where=self.shown, fix=fix) from error
        if kind == "sqlite":  # its driver begins transactions late, after tables were made; so does not this one

            @event.listens_for(engine, "connect")
            def _no_transactions(connection: Any, _: Any) -> None:
                connection.isolation_level = None

            @event.listens_for(engine, "begin")
            def _begin(connection: Any) -> None:
                connection.exec_driver_sql("BEGIN")

        return engine

    @contextmanager
    def told(self, error_class: type[InputError] | type[Any], code: str) -> Iterator[None]:
        """Tell errors of the database as errors of drgsim, without the password."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            cause = " ".join(str(getattr(error, "orig", None) or error).split())
            password = self.url.password
            cause = cause.replace(str(password), "***") if password else cause
            raise error_class.single(
                code,
                f"{self.path} cannot be used: {cause[:300]}",
                where=self.shown,
                fix="check the URL, the table and your rights",
            ) from error


def address_of(url: str) -> DatabaseAddress:
    """The table that a URL names.

    Raises
    ------
    UsageError
        ``database-not-installed``, ``database-url``: no URL, or one without ``?table=``.
    """
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError as error:
        what = "tables of databases are read with SQLAlchemy, which is not installed"
        raise UsageError.single("database-not-installed", what, fix=f"install it: {INSTALL}") from error
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        kind = url.partition(":")[0]
        fix = "write KIND+DRIVER://USER:PASSWORD@HOST/DATABASE?table=TABLE, such as sqlite:///cases.db?table=discharges"
        raise UsageError.single("database-url", f"the URL of {kind} cannot be read", fix=fix) from error
    named = parsed.query.get("table")
    if not isinstance(named, str) or not named.strip():
        shown = parsed.render_as_string(hide_password=True)
        raise UsageError.single(
            "database-url", f"{shown} names no table", where=shown, fix="add ?table=TABLE or ?table=SCHEMA.TABLE"
        )
    schema, _, table = named.strip().rpartition(".")
    return DatabaseAddress(parsed.difference_update_query(["table"]), table, schema or None)
