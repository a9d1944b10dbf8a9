"""Tables in archives, packed files and standard input."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drgsim.errors import DrgsimError
from drgsim.records.input_options import InputOptions
from drgsim.records.read import open_source
from tests.conftest import ROOT
from tests.test_workbooks import WANTED, as_csv, as_html, code_of, rows_of


def zipped(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def test_the_one_table_of_an_archive_is_read_and_messages_name_the_archive(tmp_path: Path) -> None:
    table, litter = as_csv(tmp_path / "9月.csv"), tmp_path / ".DS_Store"
    litter.write_bytes(b"x")
    assert rows_of(zipped(tmp_path / "a.zip", table, litter)) == WANTED
    assert rows_of(zipped(tmp_path / "b.zip", as_html(tmp_path / "page.xls"))) == WANTED
    assert rows_of(zipped(tmp_path / "c.zip", tmp_path / "a.zip")) == WANTED
    assert open_source(tmp_path / "a.zip").path == tmp_path / "a.zip"
    assert code_of(zipped(tmp_path / "d.zip", table, tmp_path / "page.xls")) == "input-zip-several"
    assert code_of(zipped(tmp_path / "e.zip", litter)) == "input-zip-empty"
    broken = tmp_path / "f.zip"
    broken.write_bytes((tmp_path / "a.zip").read_bytes()[:120])
    assert code_of(broken) == "input-broken-file"


def test_packed_files(tmp_path: Path) -> None:
    for name, file in (("a.csv.gz", as_csv(tmp_path / "a.csv")), ("b.xls.gz", as_html(tmp_path / "b.xls"))):
        (tmp_path / name).write_bytes(gzip.compress(file.read_bytes()))
        assert rows_of(tmp_path / name) == WANTED
    (tmp_path / "c.xls.gz").write_bytes(gzip.compress((tmp_path / "b.xls").read_bytes() * 50)[:-40])
    assert code_of(tmp_path / "c.xls.gz") == "input-broken-file"


def test_the_folder_of_an_archive_goes_with_its_reader(tmp_path: Path) -> None:
    source = open_source(zipped(tmp_path / "a.zip", as_csv(tmp_path / "a.csv")))
    inner = source.held[1].path  # type: ignore[index]
    assert inner.is_file()
    del source
    assert not inner.exists()


def test_standard_input_may_be_looked_at_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (as_csv(tmp_path / "a.csv").read_bytes(), as_html(tmp_path / "b.xls").read_bytes()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert rows_of("-") == WANTED
        assert open_source("-").path.name == "standard input"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DrgsimError, match="standard input is empty"):
        open_source("-", InputOptions())


def test_a_pipe_through_the_program(tmp_path: Path) -> None:
    source, target = as_csv(tmp_path / "a.csv"), tmp_path / "out.csv"
    command = [sys.executable, "-m", "drgsim", "group", "-", "-o"]
    with source.open("rb") as stdin:
        done = subprocess.run([*command, "-"], stdin=stdin, capture_output=True, cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "drgsim", "group", str(source), "-o", str(target), "-q"], cwd=ROOT, check=True)
    assert done.stdout == target.read_bytes()
    assert "records" in done.stderr.decode()
