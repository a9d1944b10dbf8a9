"""Small files that ask for much are refused within little memory, and every refusal says which limit and how to raise it."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgsim import limits
from drgsim.cli.main import app
from drgsim.cli.option_defaults import read_defaults
from drgsim.errors import DrgsimError, InputError, UsageError
from drgsim.records import parquet_sizes
from drgsim.records.case_file import broken_file
from drgsim.records.header import HeaderTest, distinct_names
from drgsim.records.input_options import RAW, InputOptions
from drgsim.records.read import open_source
from tests.commands import run
from tests.conftest import ROOT
from tests.test_workbooks import WANTED, as_csv, rows_of

MEMORY = 3 << 29  # bytes of addresses that a call may have: 1.5 GiB, of which Python, Arrow and numba take a half
READ = """
import resource, sys
from drgsim.errors import DrgsimError
from drgsim.records.read import open_source
import drgsim.records.read_sheet, drgsim.records.read_csv, drgsim.records.read_json
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + int(sys.argv[2]),) * 2)
try:
    for batch in open_source(sys.argv[1]).batches(("diagnoses",)):
        pass
except DrgsimError as error:
    print(error.problems[0].code, "|", error.problems[0].fix)
"""
HEADER = "discharge_id,sex,age,diagnoses,procedures"
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
BOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(path: Path, rows: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in BOOK.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/sheet1.xml", SHEET.format(rows))
    return path


def cell(place: str, text: str, sign: str = '"') -> str:
    return f"<c r={sign}{place}{sign} t='inlineStr'><is><t>{text}</t></is></c>"


def table(more: str = "") -> str:
    rows = [HEADER.split(","), ["1", "1", "70", "I50.101", ""]]
    written = [
        f'<row r="{number}">' + "".join(cell(f"{'ABCDE'[place]}{number}", text) for place, text in enumerate(row)) + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    return "".join(written) + more


def far_value(path: Path) -> Path:
    return workbook(path / "far.xlsx", table(f'<row r="1048576">{cell("XFD1048576", "x")}</row>'))


def far_value_in_other_signs(path: Path) -> Path:
    return workbook(path / "signs.xlsx", table(f"<row r = '1048576'>{cell('XFD1048576', 'x', chr(39))}</row>"))


def huge_workbook(path: Path) -> Path:
    file = workbook(path / "huge.xlsx", table())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(1100):
            part.write(bytes(1 << 20))
    return file


def repeated_cells(path: Path) -> Path:
    cells = (
        '<table:table-cell office:value-type="string" table:number-columns-repeated="16384">'
        "<text:p>x</text:p></table:table-cell>"
    )
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="a"><table:table-row table:number-rows-repeated="1048576">'
        f"{cells}</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path / "repeated.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return path / "repeated.ods"


def wide_spans(path: Path) -> Path:
    file = path / "spans.html"
    file.write_text("<table>" + f"<tr>{'<td colspan=16384>x</td>' * 10}</tr>" * 1000 + "</table>")
    return file


def many_columns(path: Path) -> Path:
    file = path / "columns.csv"
    file.write_text(f"{HEADER},{','.join(f'c{number}' for number in range(100_000))}\n1,1,70,I50.101,\n")
    return file


def columns_of(diagnoses: pa.Array, rows: int) -> pa.Table:
    blank = pa.nulls(rows, pa.string())
    return pa.table({name: diagnoses if name == "diagnoses" else blank for name in HEADER.split(",")})


def text_meant_often(path: Path, keep_type: bool = True) -> Path:
    """A dictionary of one text of 10 kB, which each of 65,536 records means."""
    often = pa.DictionaryArray.from_arrays(pa.array([0] * 65_536, pa.int32()), pa.array(["x" * 10_000]))
    pq.write_table(columns_of(often, 65_536), path / "often.parquet", compression="zstd", store_schema=keep_type)
    return path / "often.parquet"


def plain_text_meant_often(path: Path) -> Path:
    return text_meant_often(path, keep_type=False)


def long_text_that_packs_well(path: Path) -> Path:
    text = pa.array(["\0" * (1 << 22)], pa.large_string())
    pq.write_table(columns_of(text, 1), path / "long.parquet", compression="zstd", use_dictionary=False)
    return path / "long.parquet"


def rows_without_cells(path: Path) -> Path:
    with zipfile.ZipFile(path / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.html", f"<table>{'<tr>' * 2_000_000}</table>")
    return path / "rows.zip"


def elements_without_end(path: Path) -> Path:
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    with zipfile.ZipFile(path / "elements.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("elements.xml", f'<Workbook xmlns="{space}"><Worksheet><Table>{"<a/>" * 2_000_000}')
    return path / "elements.zip"


def elements_of_ods(path: Path) -> Path:
    with zipfile.ZipFile(path / "elements.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", f"<a>{'<b/>' * 2_000_000}</a>")
    return path / "elements.ods"


def sheet_in_another_folder(path: Path) -> Path:
    file = workbook(path / "moved.xlsx", table(f'<row r="1048576">{cell("XFD1048576", "x")}</row>'))
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            moved = name.replace("worksheets/sheet1.xml", "theme/theme1.xml")
            archive.writestr(moved, data.replace(b"worksheets/sheet1.xml", b"theme/theme1.xml"))
    return file


def far_value_of_xlsb(path: Path) -> Path:
    """A sheet of two rows, the last of a spreadsheet, as records of BIFF12: kind, size, content."""
    rows = b"".join(b"\x00\x11" + row.to_bytes(4, "little") + bytes(13) + b"\x02\x0c" + column.to_bytes(4, "little") + bytes(8)
                    for row, column in ((0, 0), (1_048_575, 16_383)))  # fmt: skip
    with zipfile.ZipFile(path / "far.xlsb", "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
        archive.writestr("xl/worksheets/sheet1.bin", b"\x91\x01\x00" + rows + b"\x92\x01\x00")
    return path / "far.xlsb"


def false_sizes(path: Path) -> Path:
    """A workbook whose list of parts says that a part of 1.1 GB has 100 bytes."""
    file = huge_workbook(path)
    data = bytearray(file.read_bytes())
    real = (1100 << 20).to_bytes(4, "little")
    at = data.rindex(real)
    data[at : at + 4] = (100).to_bytes(4, "little")
    file.write_bytes(data)
    return file


BOMBS: list[Callable[[Path], Path]] = [
    far_value, far_value_in_other_signs, huge_workbook, repeated_cells, wide_spans, many_columns, text_meant_often,
    plain_text_meant_often, long_text_that_packs_well, rows_without_cells, elements_without_end,
    elements_of_ods, sheet_in_another_folder, far_value_of_xlsb, false_sizes,
]  # fmt: skip


LOWER = {  # limits of bombs that would take long to make
    rows_without_cells: {"DRGSIM_LIMIT_CELLS": "1000000"}, elements_without_end: {"DRGSIM_LIMIT_CELLS": "1000000"},
    elements_of_ods: {"DRGSIM_LIMIT_CELLS": "1000000"}, long_text_that_packs_well: {"DRGSIM_LIMIT_RECORD_BYTES": "1000000"},
}  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory of a process is measured on Linux")
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_small_files_that_ask_for_much_are_refused_in_little_memory(tmp_path: Path, bomb: Callable[[Path], Path]) -> None:
    path = bomb(tmp_path)
    assert path.stat().st_size < 2_000_000
    words = [sys.executable, "-c", READ, str(path), str(MEMORY)]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | LOWER.get(bomb, {}), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    code, _, fix = done.stdout.partition(" | ")
    if bomb is false_sizes:  # what is read of a part ends where its size is said to be
        assert code == "input-broken-file"
        return
    assert code == "input-too-large"
    assert "DRGSIM_LIMIT_" in fix
    assert "drgsim.toml" in fix


@pytest.mark.parametrize("command", ["validate", "explain --id 1", "group -s chs-drg-2.0 -o out.csv", "map"])
def test_little_is_shown_of_a_long_cell(tmp_path: Path, command: str) -> None:
    x, y, three = ((sign * 900_000)[:900_000] for sign in ("x[/]", "y[\\[b]", "3"))
    (tmp_path / "a.csv").write_text(f"{HEADER}\n1,1,70,I50.101,{x}\n2,1,70,{y},\n{three},1,,,\n")
    verb, *options = command.split()
    done = run(verb, "a.csv", *options, cwd=tmp_path, code=None)
    assert done.returncode in (0, 1)
    assert len(done.stdout + done.stderr) < 30_000


def test_nulls_without_number_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_sizes, "_LARGE", 1 << 20)
    rows = 1_000_000
    pq.write_table(columns_of(pa.nulls(rows), rows), tmp_path / "a.parquet", compression="zstd", row_group_size=rows)
    with pytest.raises(InputError, match="times its size") as caught:
        list(open_source(tmp_path / "a.parquet").batches(("diagnoses",)))
    assert caught.value.problems[0].code == "input-too-large"
    monkeypatch.setenv("DRGSIM_LIMIT_GROWTH", "1000000")
    with pytest.raises(InputError, match="input-no-rows"):  # which blank rows are
        list(open_source(tmp_path / "a.parquet").batches(("diagnoses",)))


def test_batches_of_long_texts_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_sizes, "BATCH_BYTES", 10_000)
    table = columns_of(pa.array([f"I50.101|{'x' * 90}"] * 400), 400).set_column(
        0, "discharge_id", pa.array(map(str, range(400)))
    )
    for name, rows in (("a.parquet", 400), ("b.parquet", 7)):
        pq.write_table(table, tmp_path / name, row_group_size=rows)
        batches = list(open_source(tmp_path / name).batches(("discharge_id", "diagnoses")))
        assert max(batch.num_rows for batch in batches) <= 100
        assert [text for batch in batches for text in batch.column("discharge_id").to_pylist()] == list(map(str, range(400)))


def test_too_little_memory_is_no_fault_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        broken_file(tmp_path, pa.ArrowMemoryError("malloc failed"))


def test_a_file_below_the_limits_is_read_as_before(tmp_path: Path) -> None:
    source = open_source(workbook(tmp_path / "a.xlsx", table(f'<row r="4000">{cell("E4000", "")}</row>')))
    batches = list(source.batches(("discharge_id", "diagnoses")))
    assert [batch.column("diagnoses").to_pylist() for batch in batches] == [["I50.101"]]
    assert rows_of(as_csv(tmp_path / "b.csv")) == WANTED


@pytest.mark.parametrize(("name", "value"), [("unpacked_bytes", "100000"), ("columns", "4")])
def test_limits_are_set_by_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(f"{HEADER}\n".encode() + b"1,1,70,I50.101,\n" * 100_000))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", gzip.decompress(packed.read_bytes()))
    monkeypatch.setenv(f"DRGSIM_LIMIT_{name.upper()}", value)
    for path in (packed, tmp_path / "a.zip"):
        with pytest.raises(InputError) as caught:
            list(open_source(path).batches(("diagnoses",)))
        assert [problem.code for problem in caught.value.problems] == ["input-too-large"]
        assert str(path) in caught.value.problems[0].where
        assert f"DRGSIM_LIMIT_{name.upper()}" in caught.value.problems[0].fix
    monkeypatch.setenv(f"DRGSIM_LIMIT_{name.upper()}", "1000000000000")
    assert sum(batch.num_rows for batch in open_source(packed).batches(("diagnoses",))) == 100_000


def test_long_json_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRGSIM_LIMIT_JSON_BYTES", "1000000")
    for name, text in (("a.json", '[{"a": "' + "x" * 4_000_000), ("b.jsonl", "x" * 4_000_000)):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError) as caught:
            list(open_source(tmp_path / name).batches(("diagnoses",)))
        assert caught.value.problems[0].code == "input-too-large"


@pytest.mark.parametrize(
    "text", ["[" * 900 + "]" * 900, "[" * 100_000, '{"input":' * 900 + "1" + "}" * 900, '[{"setlinfo":' * 300]
)
def test_nested_json_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DrgsimError):
        list(open_source(tmp_path / "a.json").batches(("diagnoses",)))


def test_limits_are_set_by_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    command = typer.main.get_command(app)
    monkeypatch.setattr(limits, "_set", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drgsim.toml").write_text("[limits]\ncells = 7\n")
    assert read_defaults(command, {"DRGSIM_LIMIT_COLUMNS": "9"}).doubts == []
    assert limits.limit("cells") == 7
    monkeypatch.setenv("DRGSIM_LIMIT_CELLS", "8")
    assert limits.limit("cells") == 8
    (tmp_path / "drgsim.toml").write_text("[limits]\ncels = 7\ncolumns = true\njson_bytes = -1\n")
    with pytest.raises(UsageError) as caught:
        read_defaults(command, {})
    assert [problem.code for problem in caught.value.problems] == ["config-unknown-key", "config-bad-value", "config-bad-value"]
    monkeypatch.setenv("DRGSIM_LIMIT_CELLS", "many")
    with pytest.raises(UsageError, match="limit-bad-value"):
        limits.limit("cells")


def test_a_call_ends_after_its_seconds(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "drgsim", "synth", "-o", str(tmp_path / "out"), "--cases", "3000000"]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "DRGSIM_LIMIT_SECONDS": "1"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "limit-seconds" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_many_names_take_no_square_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRGSIM_LIMIT_COLUMNS", "1000000")
    names = [f"c{number}" for number in range(200_000)]
    assert distinct_names(names, HeaderTest(InputOptions(), RAW), tmp_path, "line 1") == names
