"""Tables of databases as users name them: a URL with the table, ``sqlite:///cases.db?table=discharges``.

The URL is one of SQLAlchemy, or one for a driver of ADBC (Arrow Database Connectivity) with ``adbc+`` before it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from drgsim.errors import DrgsimError, InputError, OutputError, UsageError, did_you_mean, some_names, words_of
from drgsim.language import text

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_URL = re.compile(r"[A-Za-z][\w+.-]+://")
INSTALL = 'pip install "drgsim[database]"'
INSTALL_ADBC = 'pip install "drgsim[adbc]"'
ADBC = "adbc+"
_SHOWN = 12  # tables that a message names
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


class TableAddress(ABC):
    """A table or view of a database, however it is reached.

    Attributes
    ----------
    table, schema
        The table or view, and the schema that it is in (None for the user's own).
    """

    table: str
    schema: str | None

    @property
    @abstractmethod
    def kind(self) -> str:
        """The kind of database, such as ``postgresql``."""

    @property
    @abstractmethod
    def database(self) -> str:
        """Name of the database; of SQLite its file."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """The URL without its password, and the table."""

    @property
    @abstractmethod
    def password(self) -> str | None:
        """What no message may hold."""

    @abstractmethod
    def check_driver(self) -> None:
        """Refuse an address that no installed driver reaches.

        Raises
        ------
        UsageError
            ``database-not-installed``.
        """

    @abstractmethod
    def errors(self) -> type[Exception]:
        """What the driver raises."""

    @property
    def path(self) -> Path:
        """The name that messages and records call the table by; no password is in it."""
        database = self.database.replace("\\", "/").rpartition("/")[2]
        return Path(text("table {table} of {database}", table=self.table, database=database or self.kind))

    @contextmanager
    def told(self, error_class: type[DrgsimError], code: str) -> Iterator[None]:
        """Tell errors of the database as errors of drgsim, without the password."""
        try:
            yield
        except self.errors() as error:
            cause = " ".join(str(getattr(error, "orig", None) or error).split())
            cause = cause.replace(self.password, "***") if self.password else cause
            raise error_class.single(
                code,
                text("{path} cannot be used: {cause}", path=self.path, cause=cause[:300]),
                where=self.shown,
                fix=text("check the URL, the table and your rights"),
            ) from error

    def check_file(self) -> None:
        """SQLite makes the file of a wrong path instead of refusing it.

        Raises
        ------
        InputError
            ``input-not-found``.
        """
        path = self.database
        if self.kind == "sqlite" and path and path != ":memory:" and not Path(path).is_file():
            raise InputError.single(
                "input-not-found", text("there is no file {path}", path=path), where=self.shown, fix=text("check the path")
            )

    def unknown(self, names: Sequence[str]) -> InputError:
        """The error for a table that is not among those of the database."""
        return InputError.single(
            "database-no-table",
            text("the database has no table or view {table}", table=self.table),
            where=self.shown,
            fix=did_you_mean(self.table, names)
            or text("its tables are {names}", names=some_names(names, _SHOWN) or text("none")),
        )

    def is_no_result(self) -> OutputError:
        """The error for a table that is there and is no earlier result."""
        return OutputError.single(
            "output-exists", text("{path} is there already and is not an earlier result", path=self.path), where=self.shown,
            why=text("what is no earlier result is never replaced"), fix=text("name another table"),
        )  # fmt: skip


@dataclass(frozen=True)
class DatabaseAddress(TableAddress):
    """A table that SQLAlchemy reaches.

    Attributes
    ----------
    url
        Where the database is.
    table, schema
        As :class:`TableAddress` has them.
    """

    url: URL
    table: str
    schema: str | None

    @property
    def kind(self) -> str:
        return str(self.url.get_backend_name())

    @property
    def database(self) -> str:
        return self.url.database or ""

    @property
    def shown(self) -> str:
        return text(
            "{address}, table {table}",
            address=self.url.render_as_string(hide_password=True),
            table=self.table,
        )

    @property
    def password(self) -> str | None:
        return None if self.url.password is None else str(self.url.password)

    def check_driver(self) -> None:
        self.engine()

    def errors(self) -> type[Exception]:
        from sqlalchemy.exc import SQLAlchemyError

        return SQLAlchemyError

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

        try:
            engine = create_engine(self.url, poolclass=NullPool)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            fix = text(
                "install its driver: pip install {driver}",
                driver=_DRIVERS.get(self.kind, text("the driver that its maker names")),
            )
            what = text("no driver for {driver} is installed ({error})", driver=self.url.drivername, error=words_of(error))
            raise UsageError.single("database-not-installed", what, where=self.shown, fix=fix) from error
        if self.kind == "sqlite":  # its driver begins transactions late, after tables were made; so does not this one

            @event.listens_for(engine, "connect")
            def _no_transactions(connection: Any, _: Any) -> None:
                connection.isolation_level = None

            @event.listens_for(engine, "begin")
            def _begin(connection: Any) -> None:
                connection.exec_driver_sql("BEGIN")

        return engine


@dataclass(frozen=True)
class AdbcAddress(TableAddress):
    """A table that an ADBC driver reaches, which hands out columns of Arrow.

    Attributes
    ----------
    driver
        The kind of database: ``adbc_driver_KIND`` is the module of its driver.
    url
        The URL without ``adbc+`` and the table, as parts.
    table, schema
        As :class:`TableAddress` has them.
    """

    driver: str
    url: SplitResult
    table: str
    schema: str | None

    @property
    def kind(self) -> str:
        return self.driver

    @property
    def database(self) -> str:
        return unquote(self.url.path.removeprefix("/"))

    @property
    def shown(self) -> str:
        user, at, host = self.url.netloc.rpartition("@")
        hidden = f"{user.partition(':')[0]}:***" if ":" in user else user
        return text(
            "adbc+{address}, table {table}",
            address=urlunsplit(self.url._replace(netloc=hidden + at + host)),
            table=self.table,
        )

    @property
    def password(self) -> str | None:
        return None if self.url.password is None else unquote(self.url.password)

    def check_driver(self) -> None:
        self._driver()

    def errors(self) -> type[Exception]:
        import adbc_driver_manager

        return adbc_driver_manager.Error

    def _driver(self) -> Any:
        name = f"adbc_driver_{self.kind}"
        try:
            return import_module(f"{name}.dbapi")
        except ModuleNotFoundError as error:
            what = text("no ADBC driver for {kind} is installed ({error})", kind=self.kind, error=words_of(error))
            fix = text(
                "install it: {install_adbc}; for other databases pip install {replace}",
                install_adbc=INSTALL_ADBC,
                replace=name.replace("_", "-"),
            )
            raise UsageError.single("database-not-installed", what, where=self.shown, fix=fix) from error

    def connect(self) -> Any:
        """An open connection of the DBAPI, to be closed by the caller; nothing is kept before ``commit``.

        Raises
        ------
        UsageError
            ``database-not-installed``.
        """
        uri = self.database if self.kind == "sqlite" else urlunsplit(self.url)
        return self._driver().connect(uri)

    @property
    def quoted(self) -> str:
        """The table as SQL names it."""
        return ".".join(quoted(name) for name in (self.schema, self.table) if name)


def quoted(name: str) -> str:
    """A name as standard SQL spells it.

    Examples
    --------
    >>> quoted('主诊"1')
    '"主诊""1"'
    """
    return '"' + name.replace('"', '""') + '"'


def address_of(url: str) -> DatabaseAddress | AdbcAddress:
    """The table that a URL names.

    Raises
    ------
    UsageError
        ``database-not-installed``, ``database-url``: no URL, or one without ``?table=``.

    Examples
    --------
    >>> address_of("adbc+postgresql://me:secret@db/his?table=his.cases").shown
    'adbc+postgresql://me:***@db/his, table cases'
    """
    if url.lower().startswith(ADBC):
        return _adbc_address(url)
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError as error:
        what = text("tables of databases are read with SQLAlchemy, which is not installed")
        raise UsageError.single("database-not-installed", what, fix=text("install it: {install}", install=INSTALL)) from error
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        kind = url.partition(":")[0]
        fix = text("write KIND+DRIVER://USER:PASSWORD@HOST/DATABASE?table=TABLE, such as sqlite:///cases.db?table=discharges")
        raise UsageError.single("database-url", text("the URL of {kind} cannot be read", kind=kind), fix=fix) from error
    named = parsed.query.get("table")
    shown = parsed.render_as_string(hide_password=True)
    schema, table = _named_table(named if isinstance(named, str) else "", shown)
    return DatabaseAddress(parsed.difference_update_query(["table"]), table, schema)


def _adbc_address(url: str) -> AdbcAddress:
    try:
        parts = urlsplit(url[len(ADBC) :])
        _ = parts.port
    except ValueError as error:
        fix = text(
            "write adbc+KIND://USER:PASSWORD@HOST/DATABASE?table=TABLE, such as adbc+sqlite:///cases.db?table=discharges"
        )
        raise UsageError.single("database-url", text("the ADBC URL cannot be read"), fix=fix) from error
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    bare = parts._replace(query=urlencode([pair for pair in pairs if pair[0] != "table"]))
    named = next((value for name, value in pairs if name == "table"), "")
    schema, table = _named_table(named, AdbcAddress(parts.scheme, bare, "?", None).shown.rpartition(", table")[0])
    return AdbcAddress(parts.scheme, bare, table, schema)


def _named_table(named: str, shown: str) -> tuple[str | None, str]:
    """Schema and table of ``?table=``."""
    if not named.strip():
        fix = text("add ?table=TABLE or ?table=SCHEMA.TABLE")
        raise UsageError.single("database-url", text("{shown} names no table", shown=shown), where=shown, fix=fix)
    schema, _, table = named.strip().rpartition(".")
    return schema or None, table
