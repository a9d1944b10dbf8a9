"""Tables of databases, read and written: SQLite, and a PostgreSQL server that the test starts."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest

import drgsim
from drgsim.errors import DrgsimError
from drgsim.records.database_address import address_of
from drgsim.records.read import open_source
from drgsim.results.database_table import DatabaseWriter
from tests.commands import run
from tests.test_workbooks import HEADER, ROWS

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("adbc_driver_sqlite")
pytest.importorskip("adbc_driver_postgresql")
GROUPS = ["FM39", "ES35", "GE29"]


def cases(times: int = 1) -> pd.DataFrame:
    frame = pd.DataFrame(ROWS * times, columns=HEADER)
    return frame.assign(病案号=[f"{number:06d}" for number in range(len(frame))])


def opened(url: str) -> Any:
    """An engine for the database of a URL, whichever way drgsim goes."""
    return sqlalchemy.create_engine(url.removeprefix("adbc+").replace("postgresql:", "postgresql+psycopg:"))


def filled(url: str, frame: pd.DataFrame, table: str = "discharges") -> str:
    """The URL of a table that holds the frame."""
    engine = opened(url)
    frame.to_sql(table, engine, index=False)
    engine.dispose()
    return f"{url}?table={table}"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = opened(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sqlalchemy.text(query))]
    engine.dispose()
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of Debian's package, started for the tests on this machine's own address."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    where, port = programs[-1].parent, free_port()
    with TemporaryDirectory(prefix="drgsim-postgresql-") as name:
        folder = Path(name)
        user: dict[str, Any] = {}
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres")
            user = {"user": "postgres"}

        def call(program: str, *words: str) -> None:
            command = [str(where / program), "-D", str(folder / "data"), *words]
            with (folder / "said").open("ab") as said:  # no pipe: the server would keep it open
                subprocess.run(command, check=True, stdout=said, stderr=said, cwd=folder, timeout=120, **user)

        call("initdb", "-U", "drgsim", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-l", str(folder / "log"), "-w", "-o", f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off", "start")
        try:
            yield f"postgresql+psycopg://drgsim:secret@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "fast", "-w", "stop")


@pytest.fixture(
    params=[
        "sqlite",
        "adbc+sqlite",
        pytest.param("postgresql", marks=pytest.mark.database),
        pytest.param("adbc+postgresql", marks=pytest.mark.database),
    ]
)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if "sqlite" in request.param:
        return f"{request.param}:///{tmp_path / 'cases.db'}"
    server: str = request.getfixturevalue("postgresql")
    name = f"t{abs(hash(request.node.name))}"
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    made = f"{server.removesuffix('/postgres')}/{name}"
    return made.replace("postgresql+psycopg:", "adbc+postgresql:") if "adbc" in request.param else made


def test_discharges_of_a_table_are_grouped_into_a_table(database: str) -> None:
    source, target = filled(database, cases(30)), f"{database}?table=answers"
    done = drgsim.group_files([source], output=target)
    assert done.status["grouped"] == 90
    wanted = drgsim.group(cases(30)).to_pandas()
    found = rows(database, "SELECT discharge_id, drg FROM answers ORDER BY discharge_id")
    assert found == list(zip(wanted.discharge_id, wanted.drg, strict=True))
    drgsim.group_files([source], output=target)  # an earlier result gives way
    assert len(rows(database, "SELECT * FROM answers")) == 90
    assert "secret" not in repr(done.record)


def test_a_table_that_is_no_result_is_never_replaced(database: str) -> None:
    source = filled(database, cases())
    with pytest.raises(DrgsimError) as caught:
        drgsim.group_files([source], output=source)
    assert [problem.code for problem in caught.value.problems] == ["output-exists"]
    assert len(rows(database, "SELECT * FROM discharges")) == 3


def test_nothing_half_written_is_left(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = filled(database, cases(3)), f"{database}?table=answers"
    drgsim.group_files([source], output=target)
    before = rows(database, "SELECT * FROM answers")
    whole = DatabaseWriter.batches

    def breaks_off(writer: DatabaseWriter) -> Iterator[Any]:
        yield from whole(writer)
        raise ZeroDivisionError

    monkeypatch.setattr(DatabaseWriter, "batches", breaks_off)
    with pytest.raises((ZeroDivisionError, DrgsimError)):
        drgsim.group_files([source], output=target)
    monkeypatch.undo()
    assert rows(database, "SELECT * FROM answers") == before
    engine = opened(database)
    assert sorted(sqlalchemy.inspect(engine).get_table_names()) == ["answers", "discharges"]
    engine.dispose()


def test_types_of_a_database_come_as_they_are(database: str) -> None:
    text = (
        "CREATE TABLE t (病案号 NUMERIC(20), 性别 CHAR(1), 年龄 INTEGER, 主要诊断编码 VARCHAR(20), 手术操作编码1 TEXT, "
        "总费用 NUMERIC(12, 2))"
    )
    engine = opened(database)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(text))
        connection.execute(sqlalchemy.text("INSERT INTO t VALUES (123456789012345678, '1', 67, 'I21.001', '36.0601', 1234.50)"))
        connection.execute(sqlalchemy.text("CREATE VIEW v AS SELECT * FROM t"))
    engine.dispose()
    for name in ("t", "v"):
        answer = drgsim.group(f"{database}?table={name}").to_arrow().to_pylist()[0]
        assert answer["drg"] == "FM39"
        if "postgresql" in database:
            assert answer["discharge_id"] == "123456789012345678"


def test_a_table_is_settled_and_validated_as_a_file_is(database: str, tmp_path: Path) -> None:
    frame = cases().assign(医保类型="职工", 个人支付="1000")
    frame.to_csv(tmp_path / "a.csv", index=False)
    source = filled(database, frame)
    by_table = drgsim.settle(source, "beijing/2024", scheme="chs-drg-2.0")
    by_file = drgsim.settle(tmp_path / "a.csv", "beijing/2024", scheme="chs-drg-2.0")
    assert by_table.settlement.summaries["all"].to_pylist() == by_file.settlement.summaries["all"].to_pylist()


def test_refusals_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    filled(url, cases())
    for text, code in (
        (f"{url}?table=discharge", "database-no-table"),
        (url, "database-url"),
        (f"sqlite:///{tmp_path / 'none.db'}?table=t", "input-not-found"),
        (f"adbc+{url}?table=discharge", "database-no-table"),
        (f"adbc+{url}", "database-url"),
        (f"adbc+sqlite:///{tmp_path / 'none.db'}?table=t", "input-not-found"),
        ("nosuch://u:secret@h/d?table=t", "database-not-installed"),
        ("adbc+nosuch://u:secret@h/d?table=t", "database-not-installed"),
        ("adbc+postgresql://u:secret@127.0.0.1:1/d?table=t", "database-not-read"),
        ("adbc+postgresql://u:secret@h:x/d?table=t", "database-url"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/d?table=t", "database-not-read"),
    ):
        with pytest.raises(DrgsimError) as caught:
            open_source(text)
        assert [problem.code for problem in caught.value.problems] == [code]
        assert "secret" not in str(caught.value)
        assert caught.value.problems[0].fix
    assert not (tmp_path / "none.db").exists()
    assert "secret" not in str(address_of("oracle+oracledb://u:secret@h/d?table=HIS.CASES").shown)
    assert address_of("oracle+oracledb://u:secret@h/d?table=HIS.CASES").schema == "HIS"
    assert "secret" not in address_of("adbc+postgresql://u:secret@h/d?table=HIS.CASES").shown
    assert address_of("adbc+postgresql://u:secret@h/d?table=HIS.CASES").schema == "HIS"


def test_what_is_missing_without_the_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    with pytest.raises(DrgsimError, match="drgsim\\[database\\]"):
        open_source("sqlite:///x.db?table=t")


def test_rows_come_in_the_order_of_the_key_with_whole_numbers_as_they_were_typed(database: str) -> None:
    text = "CREATE TABLE k (病案号 INTEGER PRIMARY KEY, 性别 TEXT, 年龄 DOUBLE PRECISION, 诊断 TEXT, 手术 TEXT, 科室 TEXT)"
    engine = opened(database)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(text))
        for number, age in ((3, 67.0), (1, 0.5), (2, None)):
            row = {"n": number, "a": age}
            connection.execute(sqlalchemy.text("INSERT INTO k VALUES (:n, '1', :a, 'I21.001|I10.x00', NULL, '内科')"), row)
    engine.dispose()
    read = drgsim.read(f"{database}?table=k").to_arrow()
    assert [str(each) for each in read["discharge_id"].to_pylist()] == ["1", "2", "3"]
    ages = read["age"].to_pylist()
    assert ages in ([0.5, None, 67.0], ["0.5", None, "67"])  # SQLite gives texts
    assert read["procedures"].to_pylist() == [None] * 3


def test_a_database_on_the_command_line(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "cases.db")
    cases().to_sql("discharges", connection, index=False)
    connection.close()
    run(
        "group",
        "sqlite:///cases.db?table=discharges",
        "-o",
        "sqlite:///out.db?table=answers",
        "--source-column",
        "source",
        cwd=tmp_path,
    )
    connection = sqlite3.connect(tmp_path / "out.db")
    found = connection.execute("SELECT drg, source FROM answers").fetchall()
    connection.close()
    assert found == [(group, "table discharges of cases.db") for group in GROUPS]
