"""Workbooks and pages as hospitals send them: several sheets, merged headers, wrong names, passwords, damage."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.errors import DrgsimError
from drgsim.records.case_table import read_case_files
from drgsim.records.input_options import InputOptions
from drgsim.records.joined_sheets import codes_by_id
from drgsim.records.read import open_source, read_table
from tests.test_exported_values import EXPORTS, GOLDEN, grouped

HEADER = ["病案号", "性别", "年龄", "主要诊断编码", "其他诊断编码1", "手术操作编码1", "总费用"]
ROWS = [
    ["1", "1", "67", "I21.001", "I10.x00x002", "36.0601", "42315.66"],
    ["2", "2", "3", "J18.000", "", "", "3210.55"],
    ["3", "1", "45", "K35.800x001", "K65.000", "47.0901", "9988.08"],
]


def workbook(path: Path, sheets: dict[str, list[list[Any]]], hidden: str = "") -> Path:
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name == hidden:
            sheet.hide()
    book.close()
    return path


def rows_of(path: Path | str, options: InputOptions | None = None) -> list[tuple[str, str]]:
    """Id and diagnoses of every record."""
    table = read_case_files([Path(path)], options or InputOptions()).records
    return list(zip(table.column("discharge_id").to_pylist(), table.column("diagnoses").to_pylist(), strict=True))


WANTED = [("1", "I21.001|I10.x00x002"), ("2", "J18.000"), ("3", "K35.800x001|K65.000")]


def code_of(path: Path, options: InputOptions | None = None) -> str:
    with pytest.raises(DrgsimError) as caught:
        read_case_files([path], options or InputOptions())
    assert all(problem.fix for problem in caught.value.problems)
    return caught.value.problems[0].code


# -- which sheets --------------------
def test_sheets_beside_the_discharges_are_left_out_and_told(tmp_path: Path) -> None:
    summary = [["科室", "出院人次", "总费用"], ["儿科", 2, 7330.55], ["产科", 1, 1.0]]
    old = [HEADER, ["9", "1", "1", "A09.000", "", "", "1"]]
    path = workbook(tmp_path / "a.xlsx", {"汇总": summary, "9月": [["某院明细"], HEADER, *ROWS], "旧": old}, hidden="旧")
    assert rows_of(path) == WANTED
    noted = read_case_files([path], InputOptions()).noted
    assert sorted(noted.values()) == [2, 2]
    assert any("汇总" in name for name in noted)
    assert any("hidden" in name and "旧" in name for name in noted)


def test_a_sheet_that_is_named_is_read_whatever_stands_beside_it(tmp_path: Path) -> None:
    other = [[*HEADER, "drg"], ["9", "1", "1", "A09.000", "", "", "1", "GZ15"]]
    path = workbook(tmp_path / "a.xlsx", {"一": [HEADER, *ROWS], "二": other}, hidden="二")
    assert rows_of(path) == WANTED
    for name in ("二", "2"):
        assert rows_of(path, InputOptions.of(sheets=[name])) == [("9", "A09.000")]
    assert code_of(path, InputOptions.of(sheets=["三"])) == "input-no-sheet"


def test_sheets_whose_columns_differ_only_beside_the_discharge_are_read_together(tmp_path: Path) -> None:
    other = [["备注", *HEADER], ["x", *ROWS[2]]]
    path = workbook(tmp_path / "a.xlsx", {"一": [HEADER, *ROWS[:2]], "二": other})
    assert rows_of(path) == WANTED
    assert read_case_files([path], InputOptions()).records.column("备注").to_pylist() == [None, None, "x"]


def test_front_page_diagnoses_and_procedures_are_joined_by_id(tmp_path: Path) -> None:
    front = [["病案号", "性别", "年龄", "总费用"], *([row[0], row[1], row[2], row[6]] for row in ROWS)]
    diagnoses = [["病案号", "序号", "诊断编码"], ["1", 2, "I10.x00x002"], ["1", 1, "I21.001"], ["3", 1, "K35.800x001"],
                 ["2", 1, "J18.000"], ["3", 2, "K65.000"], ["77", 1, "A09.000"]]  # fmt: skip
    procedures = [["病案号", "序号", "手术编码"], ["1", 1, "36.0601"], ["3", 1, "47.0901"]]
    path = workbook(tmp_path / "a.xlsx", {"首页": front, "诊断": diagnoses, "手术": procedures})
    cases = read_case_files([path], InputOptions())
    assert rows_of(path) == WANTED
    assert cases.records.column("procedures").to_pylist() == ["36.0601", None, "47.0901"]
    assert [number for name, number in cases.noted.items() if "front page lacks" in name] == [1]
    front.append(front[1])
    assert code_of(workbook(tmp_path / "b.xlsx", {"首页": front, "诊断": diagnoses, "手术": procedures})) == "input-join-ids"


def test_a_front_page_with_the_principal_code_gets_the_others(tmp_path: Path) -> None:
    sheets = {
        "首页": [
            ["病案号", "性别", "年龄", "主要诊断编码", "手术编码1"],
            ["1", "2", "72", "J18.900", ""],
            ["2", "2", "72", "J18.900", ""],
        ],
        "诊断": [["病案号", "诊断编码"], ["1", "J96.000"], ["1", "J18.900"]],
    }
    rows = drgsim.group(workbook(tmp_path / "a.xlsx", sheets), "chs-drg-2.0").to_arrow().to_pylist()
    assert [row["drg"] for row in rows] == ["ES31", "ES35"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["I10", "J18", "K35", "A09"])), max_size=12), st.randoms())
def test_numbered_codes_come_in_their_order_however_the_rows_lie(codes: list[tuple[str, str]], chance: Any) -> None:
    places: dict[str, int] = {}
    rows = []
    for key, code in codes:
        places[key] = places.get(key, 0) + 1
        rows.append((key, code, places[key]))
    wanted = {key: "|".join(code for each, code, _ in rows if each == key) for key in places}
    chance.shuffle(rows)
    found = codes_by_id([row[0] for row in rows], [row[1] for row in rows], {"序号": [row[2] for row in rows]})
    assert found == wanted


# -- headers --------------------
FIRST, LAST = ["病案号", "性别", "年龄"], ["手术操作编码1", "总费用"]
TWO = ["主要诊断编码", "其他诊断编码1"]


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ([*FIRST, "诊断", "", *LAST], ["", "", "", *TWO, "", ""]),
        (["病案号", "基本信息", "", "诊断", "", "手术", "费用"], ["", "性别", "年龄", *TWO, *LAST]),
        (HEADER, ["", "", "岁", "", "", "", "元"]),
        ([*FIRST, "主要诊断", "其他诊断", "手术操作", "总费用"], ["", "", "", "编码", "编码", "编码", ""]),
    ],
)
def test_headers_of_two_lines(tmp_path: Path, upper: list[str], lower: list[str]) -> None:
    path = workbook(tmp_path / "a.xlsx", {"一": [["某院出院病人明细表"], upper, lower, *ROWS]})
    assert rows_of(path) == WANTED


def test_a_record_below_the_header_is_no_second_line_of_it(tmp_path: Path) -> None:
    odd = ["主要诊断编码", "1", "30", "O80.000", "其他诊断编码1", "", "1"]  # an id that reads like a header
    path = workbook(tmp_path / "a.xlsx", {"一": [HEADER, odd, *ROWS]})
    assert len(rows_of(path)) == 4


# -- content and name --------------------
def as_html(path: Path, encoding: str = "gb2312") -> Path:
    cells = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in [HEADER, *ROWS]]
    title = "<tr><th colspan=7>出院病人明细</th></tr>"
    page = f'<html><meta charset="{encoding}"><table>{title}{"".join(cells)}</table></html>'
    path.write_bytes(page.encode("gb18030" if encoding == "gb2312" else encoding))
    return path


def as_csv(path: Path, sign: str = ",") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=sign).writerows([HEADER, *ROWS])
    path.write_text(text.getvalue(), encoding="gb18030")
    return path


def as_xls(path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一")
    for number, row in enumerate([HEADER, *ROWS]):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell)
    book.save(str(path))
    return path


def as_xml(path: Path) -> Path:
    rows = [
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row) + "</Row>"
        for row in [HEADER, *ROWS]
    ]
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    path.write_text(
        f'<?xml version="1.0"?>\n<Workbook xmlns="{space}" xmlns:ss="{space}"><Worksheet ss:Name="一"><Table>{"".join(rows)}'
        "</Table></Worksheet></Workbook>",
        encoding="utf-8",
    )
    return path


def test_a_file_is_what_its_content_says(tmp_path: Path) -> None:
    assert rows_of(as_html(tmp_path / "page.xls")) == WANTED
    assert rows_of(as_html(tmp_path / "page8.xls", "utf-8")) == WANTED
    assert rows_of(as_csv(tmp_path / "csv.xlsx")) == WANTED
    assert rows_of(as_csv(tmp_path / "tab.xls", "\t")) == WANTED
    assert rows_of(as_xls(tmp_path / "wps.et")) == WANTED
    assert rows_of(as_xls(tmp_path / "old.xlsx")) == WANTED
    assert rows_of(as_xml(tmp_path / "xml.xls")) == WANTED
    assert rows_of(workbook(tmp_path / "new.xls", {"一": [HEADER, *ROWS]})) == WANTED
    assert rows_of(workbook(tmp_path / "new.csv", {"一": [HEADER, *ROWS]})) == WANTED


def test_merged_cells_of_a_page_keep_their_columns(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(
        "<table><tr><td rowspan=2>病案号<td rowspan=2>性别<td rowspan=2>年龄<td colspan=2>诊断<td rowspan=2>手术操作编码1</tr>"
        "<tr><td>主要诊断编码<td>其他诊断编码1</tr><tr><td>1<td>1<td>67<td>I21.001<td>I10.x00x002<td>36.0601</tr></table>",
        encoding="utf-8",
    )
    assert rows_of(page) == WANTED[:1]


def test_what_cannot_be_read_is_refused_with_the_cause_in_words(tmp_path: Path) -> None:
    good = workbook(tmp_path / "good.xlsx", {"一": [HEADER, *ROWS]}).read_bytes()
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(good[: len(good) // 2])
    with pytest.raises(DrgsimError) as caught:
        open_source(cut)
    assert "cut off or damaged" in str(caught.value)
    assert "EOCD" not in str(caught.value)
    old = bytearray(as_xls(tmp_path / "old.xls").read_bytes())
    cut.with_suffix(".xls").write_bytes(old[: len(old) // 3])
    with pytest.raises(DrgsimError, match="cut off or damaged"):
        open_source(cut.with_suffix(".xls"))
    start = old.find(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    old[start + 20 : start + 22] = b"\x2f\x00"  # the record after the first says that a password follows
    locked = tmp_path / "locked.xls"
    locked.write_bytes(old)
    assert code_of(locked) == "input-password"
    compound = tmp_path / "locked.xlsx"
    compound.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    assert code_of(compound) == "input-password"


def test_a_table_beside_the_cases_may_be_any_of_these(tmp_path: Path) -> None:
    assert read_table(as_xls(tmp_path / "et.et")).num_columns == 7
    assert read_table(as_csv(tmp_path / "csv.xlsx")).num_columns == 7


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the exports are not there")
def test_an_export_on_three_sheets() -> None:
    found = [row["drg"] for row in grouped(EXPORTS / "v12-three-sheets.xlsx")]
    newborn = 9  # of age 0, without a birth date or an age in days: that it is a newborn, no sheet says
    assert found[newborn] == "0000"
    assert [*found[:newborn], *found[newborn + 1 :]] == [*GOLDEN[:newborn], *GOLDEN[newborn + 1 :]]
    settled = drgsim.settle(EXPORTS / "v12-three-sheets.xlsx", "beijing/2024")
    assert (settled.record["cases"], settled.record["paid"]) == (22, 22)
