"""Cells of workbooks of every form: errors and formulas without a value are named, what a spreadsheet changes comes back."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.records.code_dictionaries import national_codes
from drgsim.records.damaged_codes import fitting_codes

HEADER = ["病案号", "性别", "年龄", "出生日期", "入院日期", "主要诊断编码", "其他诊断编码1", "手术编码1", "手术编码2", "总费用"]
Rows = Sequence[Sequence[Any]]


def by_openpyxl(path: Path, rows: Rows) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def by_xlsxwriter(path: Path, rows: Rows) -> Path:
    with xlsxwriter.Workbook(path.with_suffix(".xlsx"), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, place, cell)
                elif cell != "":
                    sheet.write(number, place, cell)
    return path.with_suffix(".xlsx")


def by_xlwt(path: Path, rows: Rows) -> Path:
    book = xlwt.Workbook()
    sheet, day = book.add_sheet("病案"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write(number, place, cell, day)
            elif cell != "":
                sheet.write(number, place, cell)
    book.save(str(path.with_suffix(".xls")))
    return path.with_suffix(".xls")


WRITERS = [by_openpyxl, by_xlsxwriter, by_xlwt]


def answers(source: Any) -> list[dict[str, Any]]:
    return drgsim.group(source, "chs-drg-2.0").to_arrow().to_pylist()  # type: ignore[no-any-return]


# -- what comes back from a spreadsheet --------------------
ALL = national_codes()
DIAGNOSES = st.sampled_from([code for code in ALL.diagnoses.codes if code not in ALL.diagnoses.grey])
PROCEDURES = st.sampled_from([code for code in ALL.procedures.codes if code not in ALL.procedures.grey])
DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 28)).filter(lambda day: day.day < 29)


@st.composite
def records(draw: st.DrawFn) -> tuple[list[str], list[Any]]:
    """A record as it was entered, and as a spreadsheet may hold it."""
    age, admitted = draw(st.integers(2, 95)), draw(DAYS)
    born = date(admitted.year - age, admitted.month, admitted.day)
    codes = [draw(PROCEDURES) for _ in range(2)]
    cost = draw(st.integers(100, 10**8))
    plain = [draw(st.from_regex(r"[1-9][0-9]{5,12}", fullmatch=True)), draw(st.sampled_from("12")), str(age), str(born),
             str(admitted), draw(DIAGNOSES), draw(DIAGNOSES), *codes, f"{cost / 100:.2f}"]  # fmt: skip
    held: list[Any] = list(plain)
    for place in (0, 1, 2, 9):
        if draw(st.booleans()):
            held[place] = float(plain[place]) if place == 9 else int(plain[place])
    for place, day in ((3, born), (4, admitted)):
        if draw(st.booleans()):
            held[place] = datetime(day.year, day.month, day.day)
    for place, code in zip((7, 8), codes, strict=True):
        if fitting_codes(code) == (code,):  # a spreadsheet reads it as a number
            held[place] = float(code)
    return plain, held


@pytest.mark.parametrize("write", WRITERS)
@given(rows=st.lists(records(), min_size=1, max_size=12, unique_by=lambda pair: pair[0][0]))
@settings(max_examples=12, deadline=None, phases=[Phase.generate])
def test_a_round_trip_through_a_spreadsheet_changes_no_answer(
    tmp_path_factory: Any, write: Callable[[Path, Rows], Path], rows: list[tuple[list[str], list[Any]]]
) -> None:
    path = write(tmp_path_factory.mktemp("trip") / "trip", [HEADER, *(held for _, held in rows)])
    entered = answers([dict(zip(HEADER, plain, strict=True)) for plain, _ in rows])
    came_back = answers(path)
    shown = ("discharge_id", "mdc", "adrg", "drg", "severity", "status", "reason")
    assert [[row[name] for name in shown] for row in came_back] == [[row[name] for name in shown] for row in entered]
    for (plain, held), row in zip(rows, came_back, strict=True):
        turned = any(str(held[place]) != plain[place] for place in (7, 8))
        assert ("procedure_restored" in (row["warnings"] or "")) == turned
    costs = drgsim.read(path).to_arrow().column("total_cost").to_pylist()
    assert all(math.isclose(float(cost), float(plain[9])) for cost, (plain, _) in zip(costs, rows, strict=True))


@pytest.mark.parametrize("write", WRITERS)
@given(code=PROCEDURES.filter(lambda code: fitting_codes(code) == (code,)))
@settings(max_examples=12, deadline=None, phases=[Phase.generate])
def test_a_date_in_the_place_of_a_procedure_is_one_code_or_a_finding(
    tmp_path_factory: Any, write: Callable[[Path, Rows], Path], code: str
) -> None:
    month, day = int(code[:2]), int(code[3:5])
    if not (1 <= month <= 12 and 1 <= day <= 28):
        return
    held = ["1", "1", "40", "", "", "J18.900", "", datetime(2024, month, day), "", "1"]
    [row] = answers(write(tmp_path_factory.mktemp("day") / "day", [HEADER, held]))
    fitting = fitting_codes(f"2024-{month:02d}-{day:02d}") or ()
    assert (row["warnings"] or "").count("procedure_restored") == (len(fitting) == 1)
    assert (row["warnings"] or "").count("procedure_damaged") == (len(fitting) != 1)


# -- cells without a value --------------------
RECORDS = [["1", "2", 72, "", "", "J18.900", "", "", "", 1], ["2", "2", 72, "", "", "J18.900", "J96.000", "", "", 1]]
FAULTS = {(1, 2): "#FORMULA!", (1, 6): "#N/A", (2, 6): "#REF!", (2, 7): "#FORMULA!"}


def xls_with_faults(path: Path) -> Path:
    book = xlwt.Workbook()
    book.add_sheet("说明").write(0, 0, "x")
    sheet = book.add_sheet("病案")
    for number, row in enumerate([HEADER, *RECORDS]):
        for place, cell in enumerate(row):
            if (number, place) not in FAULTS:
                sheet.write(number, place, cell)
    sheet.write(1, 2, xlwt.Formula("60+12"))
    sheet.write(2, 7, xlwt.Formula('CONCATENATE("51.";"2300")'))
    sheet.row(1).set_cell_error(6, 0x2A)
    sheet.row(2).set_cell_error(6, 0x17)
    book.save(str(path))
    return path


def ods_with_faults(path: Path) -> Path:
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    faults = {
        (1, 2): ("", "=60+12", ""), (1, 6): ('office:value-type="string"', "=NA()", "#N/A"),
        (2, 6): ('office:value-type="float" office:value="0"', "=A1", "#REF!"), (2, 7): ("", "=A1", ""),
    }  # fmt: skip
    cells = {
        place: f'<table:table-cell table:formula="of:{formula}" {kind}><text:p>{text}</text:p></table:table-cell>'
        for place, (kind, formula, text) in faults.items()
    }
    rows = ""
    for number, row in enumerate([HEADER, *RECORDS]):
        rows += "<table:table-row>"
        for place, cell in enumerate(row):
            plain = f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            rows += cells.get((number, place), plain if cell != "" else "<table:table-cell/>")
        rows += "</table:table-row>"
    body = f'<office:spreadsheet><table:table table:name="病案">{rows}</table:table></office:spreadsheet>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
        archive.writestr(
            "content.xml", f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>"
        )
    return path


def xlsb_with_faults(path: Path) -> Path:
    def record(kind: int, body: bytes = b"") -> bytes:
        name = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        return name + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    def cell(number: int, place: int, value: Any) -> bytes:
        start, tail = struct.pack("<II", place, 0), struct.pack("<HI", 0, 0)
        return {
            (1, 2): record(9, start + struct.pack("<d", 0) + tail), (1, 6): record(3, start + b"\x2a"),
            (2, 6): record(11, start + b"\x17" + tail), (2, 7): record(8, start + text("") + tail),
        }.get((number, place)) or (record(6, start + text(str(value))) if value != "" else b"")  # fmt: skip

    sheet = record(129) + record(148, struct.pack("<IIII", 0, 2, 0, 9)) + record(145)
    for number, row in enumerate([HEADER, *RECORDS]):
        sheet += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        sheet += b"".join(cell(number, place, value) for place, value in enumerate(row))
    sheet += record(146) + record(130)
    book = (
        record(131)
        + record(143)
        + record(156, struct.pack("<II", 0, 1) + text("rId1") + text("病案"))
        + record(144)
        + record(132)
    )
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{types}"/>')
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{rels}"><Relationship Id="rId1" '
                         f'Type="{link}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>')  # fmt: skip
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


@pytest.mark.parametrize(
    ("make", "name"), [(xls_with_faults, "a.xls"), (ods_with_faults, "a.ods"), (xlsb_with_faults, "a.xlsb")]
)
def test_errors_and_formulas_without_a_value_are_named(tmp_path: Path, make: Callable[[Path], Path], name: str) -> None:
    done = drgsim.group(make(tmp_path / name), "chs-drg-2.0")
    told = " ".join(done.record["left_out"])
    places = ("C2", "G2", "G3", "H3")
    assert all(f"{fault} ({place})" in told for fault, place in zip(FAULTS.values(), places, strict=True)), told
    rows = done.to_arrow().to_pylist()
    assert [(row["status"], row["reason"]) for row in rows] == [("invalid", "code_unreadable")] * 2
    assert "age_unreadable" in rows[0]["warnings"]


def test_formulas_that_were_never_calculated_are_no_zeros(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, RECORDS[1])
        sheet.write_formula(1, 2, "=60+12")  # its value is written as 0, which would be an age of 0
    [row] = answers(path)
    assert "age_unreadable" in row["warnings"]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, RECORDS[1])
        sheet.write_formula(1, 2, "=60+12", None, 72)
        sheet.write_formula(1, 9, "=1-1", None, 0)  # beside a value, 0 is one
    [row] = answers(path)
    assert (row["drg"], row["warnings"]) == ("ES31", None)
