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


def test_names_of_an_archive_in_any_encoding_or_in_none(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", as_csv(tmp_path / "abcd.csv")).read_bytes()
    marked = bytearray(whole)
    for head, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        marked[marked.index(head) + flags] |= 8  # names are UTF-8
    for name in ("9月".encode("gb18030")[:4].ljust(4), "é_éa".encode("cp437"), b"\xff\xfe\xfdd"):
        (tmp_path / "b.zip").write_bytes(whole.replace(b"abcd", name))
        assert rows_of(tmp_path / "b.zip") == WANTED
        (tmp_path / "c.zip").write_bytes(bytes(marked).replace(b"abcd", name))
        assert code_of(tmp_path / "c.zip") == "input-broken-file"


def test_parts_that_cannot_be_unpacked_are_told(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", as_csv(tmp_path / "a.csv")).read_bytes()
    for head, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = whole.index(head) + place
        whole = whole[:at] + b"\x62\x00" + whole[at + 2 :]  # packed as PPMd
    (tmp_path / "b.zip").write_bytes(whole)
    assert code_of(tmp_path / "b.zip") == "input-broken-file"


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
