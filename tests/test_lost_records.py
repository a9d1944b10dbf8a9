"""Records in = records out, whatever is broken in a file: each is grouped, refused at its own place, or counted as left out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from drgsim.engines.file_to_file import group_files
from drgsim.errors import InputError
from drgsim.records import csv_text
from drgsim.records.case_table import whole_table
from drgsim.records.csv_text import CsvText
from drgsim.records.header import HeaderTest
from drgsim.records.input_options import GROUPING, InputOptions
from drgsim.records.read import open_source
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.side_rows import BLANKS, HEADERS, SIGNATURES, TOTALS
from drgsim.units.schemes.scheme import Scheme
from tests.plain_csv import plain_records
from tests.test_layouts import settlement

HEADER = ["discharge_id", "sex", "age", "diagnoses", "procedures", "name"]
LEFT_OUT = (BLANKS, HEADERS, SIGNATURES, TOTALS)

# -- every reader --------------------
CELL = st.one_of(
    st.none(), st.sampled_from(["", "1", "-", "合计", "I50.101|J96.000", "x" * 40, "a\nb", 'say "no"', "é王,;\t", "\ufffd"])
)
RECORDS = st.lists(st.tuples(*[CELL] * len(HEADER)), min_size=1, max_size=12)


def as_csv(path: Path, rows: list[tuple[Any, ...]], encoding: str = "utf-8") -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    path.write_bytes(text.getvalue().encode(encoding))


def as_zip(path: Path, rows: list[tuple[Any, ...]]) -> None:
    as_csv(path.with_suffix(".inner"), rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".inner"), "cases.csv")


def as_gz(path: Path, rows: list[tuple[Any, ...]]) -> None:
    as_csv(path, rows)
    path.write_bytes(gzip.compress(path.read_bytes()))


def as_lists(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [settlement(number, [(row[3] or "", "1", "1")], gend=row[1], age=row[2]) for number, row in enumerate(rows)]


def as_json(path: Path, rows: list[tuple[Any, ...]]) -> None:
    path.write_text(json.dumps(as_lists(rows)), encoding="utf-8")


def as_jsonl(path: Path, rows: list[tuple[Any, ...]]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in as_lists(rows)), encoding="utf-8")


def as_xlsx(path: Path, rows: list[tuple[Any, ...]]) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for number, row in enumerate([HEADER, *rows]):
        sheet.write_row(number, 0, [cell or "" for cell in row])
    book.close()


def as_xls(path: Path, rows: list[tuple[Any, ...]]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for number, row in enumerate([HEADER, *rows]):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell or "")
    book.save(str(path))


def as_parquet(path: Path, rows: list[tuple[Any, ...]]) -> None:
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table([pa.array(cells, pa.string()) for cells in columns], names=HEADER), path)


def as_database(path: Path, rows: list[tuple[Any, ...]]) -> None:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"CREATE TABLE cases ({', '.join(HEADER)})")
        connection.executemany(f"INSERT INTO cases VALUES ({', '.join('?' * len(HEADER))})", rows)
    connection.close()


WRITERS: dict[str, Callable[[Path, list[tuple[Any, ...]]], None]] = {
    "a.csv": as_csv, "a.gb.csv": lambda path, rows: as_csv(path, rows, "gb18030"),
    "a.16.csv": lambda path, rows: as_csv(path, rows, "utf-16"), "a.csv.gz": as_gz, "a.zip": as_zip, "a.json": as_json,
    "a.jsonl": as_jsonl, "a.xlsx": as_xlsx, "a.xls": as_xls, "a.parquet": as_parquet, "a.db": as_database,
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
@given(rows=RECORDS)
def test_every_reader_keeps_or_counts_every_record(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[tuple[Any, ...]]
) -> None:
    first, last = [
        (f"D{end}", "1", "2", "I10", "", "") for end in ("0", "Z")
    ]  # blank rows after the last are no rows of a sheet
    rows = [first, *((f"D{n}" if n % 3 else row[0], *row[1:]) for n, row in enumerate(rows)), last]
    path = tmp_path_factory.mktemp("records") / name
    WRITERS[name](path, rows)
    source = open_source(f"sqlite:///{path}?table=cases" if name == "a.db" else path)
    read = sum(batch.num_rows for batch in source.batches(["discharge_id", "diagnoses"], keep=True))
    assert read + sum(source.noted[each] for each in LEFT_OUT) == len(rows)


# -- broken lines of CSV --------------------
PIECE = st.sampled_from(
    [",", '"', '""', '","', '",', ',"', "\n", "x", "I10", "王", "\r", " ", "1,70", "\r\n", "y" * 70, ",,,,,"]
)


def marks_of(block: csv_text.CleanBlock) -> list[int]:
    """Of each record of a block the number of its line where it is broken, else 0."""
    return [0] * block.records if block.broken is None else block.broken.tolist()


@given(
    lines=st.lists(st.lists(PIECE, max_size=9).map("".join), min_size=1, max_size=25),
    block=st.sampled_from([64, 200, 1 << 23]),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
)
def test_no_line_is_lost_among_lines_broken_at_random(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], block: int, encoding: str
) -> None:
    """Records are those of a second implementation; the id that a line begins with is the id of one, or
    stands in a cell or a broken record that holds line breaks."""
    path = tmp_path_factory.mktemp("lines") / "a.csv"
    whole = "D0,1,70,I10,,whole\n"
    text = ",".join(HEADER) + "\n" + whole + "".join(f"D{n}E,1,70,I10,{line}\n" for n, line in enumerate(lines))
    path.write_bytes(text.encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK", block)
        patch.setattr(csv_text, "_LONGEST_CELL", 60)
        table = whole_table(open_source(path))
        marks = [mark for block in CsvText(path, HeaderTest(InputOptions(), GROUPING)).clean() for mark in marks_of(block)]
    below = text.partition("\n")[2].replace("\r\n", "\n").replace("\r", " ")
    records = plain_records(below.replace("王", "w"), len(HEADER), longest=60)
    assert [mark and mark - 1 for mark in marks] == [record.line if record.broken else 0 for record in records]
    cells = "\0".join(cell for column in table.columns for cell in column.cast(pa.string()).to_pylist() if cell)
    own = below.splitlines()
    cells += "".join(own[number] for at, size, torn in records if torn for number in range(at - 1, at - 1 + size))
    assert [n for n in range(len(lines)) if f"D{n}E" not in cells] == []


@given(
    kinds=st.lists(
        st.sampled_from(["whole", "long", "short", "open", "quoted", "more", "fewer", "huge"]), min_size=1, max_size=30
    ),
    block=st.sampled_from([50, 300, 1 << 23]),
)
def test_every_broken_line_is_one_record_at_its_own_place(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], block: int
) -> None:
    ways = {
        "whole": "1,70,I10,,x", "long": "1,70,I10,,x,y", "short": "1,70", "open": '1,70,I10,,"x',
        "quoted": '1,70,I10,,"a,\n\nb"', "more": '1,70,I10,,"a,\n\nb",y', "fewer": '1,"7\n0"',
        "huge": '1,70,I10,,"' + "z" * 400 + '"',
    }  # fmt: skip
    path = tmp_path_factory.mktemp("kinds") / "a.csv"
    path.write_text(",".join(HEADER) + "\n" + "".join(f"D{n},{ways[kind]}\n" for n, kind in enumerate(kinds)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK", block)
        patch.setattr(csv_text, "_LONGEST_CELL", 100)
        table = whole_table(open_source(path))
    assert table.column("discharge_id").to_pylist() == [f"D{n}" for n in range(len(kinds))]
    marks = table.column(BROKEN_LINE).to_pylist() if BROKEN_LINE in table.column_names else [None] * len(kinds)
    line, expected = 2, []
    for kind in kinds:
        expected.append(None if kind in ("whole", "quoted") else line)
        line += 1 + ways[kind].count("\n")
    assert marks == expected


@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "a", 'b"c', "d\ne", "f\n\n,g", ",", '"\n"']), min_size=1, max_size=11), max_size=9
    ),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    block=st.sampled_from([50, 1 << 23]),
)
def test_what_a_writer_of_csv_wrote_is_as_many_records_whatever_cells_they_have(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoting: Any, block: int
) -> None:
    text = io.StringIO()
    rows = [[f"D{n}", *row] for n, row in enumerate([["1", "2", "I10", "", ""], *rows])]
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([HEADER, *rows])
    path = tmp_path_factory.mktemp("written") / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK", block)
        table = whole_table(open_source(path))
    assert table.column("discharge_id").to_pylist() == [row[0] for row in rows]
    marks = table.column(BROKEN_LINE).to_pylist() if BROKEN_LINE in table.column_names else [None] * len(rows)
    assert [mark is not None for mark in marks] == [len(row) != len(HEADER) for row in rows]


def test_the_same_bytes_may_be_one_record_or_two() -> None:
    """Why a rule has to decide: a cell too many beside a line break between quotes, or two lines with a stray quote each."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["D1", "x\nD2,y", "z", "w"])
    assert text.getvalue() == 'D1,"x\n' + 'D2,y",z,w\n'
    assert plain_records(text.getvalue(), 3) == [(1, 2, True)]  # its quotes are regular: one record


def test_a_long_quoted_cell_without_line_breaks_costs_its_own_record_only(tmp_path: Path, scheme: Scheme) -> None:
    lines = [f"D{n},1,70,I50.101|J96.000,,x" for n in range(10)]
    lines[3] = lines[3][:-1] + '"' + "x" * (3 << 19) + '"'
    path = tmp_path / "a.csv"
    path.write_text("\n".join([",".join(HEADER), *lines]), encoding="utf-8")
    run = group_files([path], scheme, tmp_path / "out.parquet")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column("discharge_id").to_pylist() == [f"D{n}" for n in range(10)]
    assert (out.column("status").to_pylist().count("grouped"), run.counts.reasons["line_broken"]) == (9, 1)


# -- what lines have in common --------------------
def broken(path: Path, header: str, line: str, number: int = 30) -> dict[str, int]:
    path.write_text(header + "\n" + "".join(line.format(n) + "\n" for n in range(number)), encoding="utf-8")
    source = open_source(path)
    assert sum(batch.num_rows for batch in source.batches(["discharge_id"])) == number
    return dict(source.noted)


ADDRESS = "discharge_id,sex,age,diagnoses,procedures,address,total_cost"


def said(cells: int, cause: str) -> str:
    return f"7 columns in the header, {cells} in the lines 列数与表头不符: {cause}?"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("D{},1,70,I10.x00,,West Road 1, Block 2,1234.50", said(8, "an unquoted comma in column 6 (address)")),
        ("D{},1,70,I10.x00,,West Road 1,1,234.50", said(8, "an unquoted comma in column 6 or 7 (address, total_cost)")),
        ("D{},1,70,I10.x00,,12.50", said(6, "a cell left out, or a line break in a cell that is not quoted")),
        ("D{};1;70;I10.x00;;West Road;12,50", said(2, "a semicolon between the cells, where the header has a comma")),
        ('D{},1,70,"I10.x00,,West Road,12.50', "lines with a quote that is not closed 引号未闭合"),
    ],
)
def test_lines_that_are_all_broken_say_what_they_have_in_common(tmp_path: Path, line: str, told: str) -> None:
    assert broken(tmp_path / "a.csv", ADDRESS, line) == {told: 30}


def test_time_for_broken_lines_grows_with_their_number(tmp_path: Path) -> None:
    """In proportion: eight times the lines took sixty times as long before, half an hour for a file of a million."""

    def seconds(number: int) -> float:
        started = time.process_time()
        broken(tmp_path / "a.csv", ADDRESS, "D{},1,70,I10.x00,," + "West Road " * 20 + ", Block 2,1234.50", number)
        return time.process_time() - started

    seconds(100)  # compiles
    few, many = min(seconds(4_000), seconds(4_000)), seconds(32_000)
    assert many < 25 * few


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "LONGEST_LINE", 1 << 12)
    monkeypatch.setattr(csv_text, "BLOCK", 1 << 10)
    path = tmp_path / "a.csv"
    path.write_text(ADDRESS + "\nD1,1,70,I10,,,5\n" + "x" * 9_000, encoding="utf-8")
    with pytest.raises(Exception, match="line of more than") as caught:
        list(open_source(path).batches(["discharge_id"]))
    assert caught.value.problems[0].code == "input-long-line"  # type: ignore[attr-defined]
    assert caught.value.problems[0].where.endswith("line 3")  # type: ignore[attr-defined]


def test_a_file_of_unknown_columns_and_no_records_is_refused_with_a_code(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("discharge_id,what\n", encoding="utf-8")
    with pytest.raises(InputError, match="input-layout-unknown"):
        group_files([tmp_path / "cases.csv"], "chs-drg-2.0", tmp_path / "out.csv")
