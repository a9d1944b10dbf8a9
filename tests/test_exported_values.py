"""Cells as hospitals export them: ages, money, weights, damage by spreadsheets, rows that are no discharges."""

from __future__ import annotations

import csv
import json
import math
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.records.ages import AgeText, parse_age, read_ages
from drgsim.records.arrow import one_chunk
from drgsim.records.birth_weights import read_birth_weights
from drgsim.records.cell_numbers import parse_money
from drgsim.records.cells import read_days, read_fen
from drgsim.records.code_dictionaries import national_codes
from drgsim.records.damaged_codes import fitting_codes, restored_text
from drgsim.records.read import open_source, to_canonical
from tests.commands import run
from tests.conftest import SHARED

HEADER = [
    "病案号",
    "性别",
    "年龄",
    "出生日期",
    "入院日期",
    "主要诊断编码",
    "其他诊断编码1",
    "主要手术操作编码",
    "总费用",
    "统筹支付",
]
RECORD = ["A1", "1", "67", "1957-03-11", "2024-09-02", "J18.900", "J96.000", "", "4000", "2500"]
NAN = math.nan
EXPORTS = SHARED / "intake"  # 22 invented discharges of one month in shapes that hospitals send


def write_csv(folder: Path, *rows: list[Any], header: list[str] | None = None) -> Path:
    path = folder / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header or HEADER, *rows])
    return path


def record(**cells: Any) -> list[Any]:
    return [cells.get(name, cell) for name, cell in zip(HEADER, RECORD, strict=True)]


def grouped(path: Path | list[dict[str, Any]], scheme: str = "chs-drg-2.0") -> list[dict[str, Any]]:
    rows = drgsim.group(path, scheme).to_arrow().to_pylist()
    return [{name: "" if cell is None else cell for name, cell in row.items()} for row in rows]


# -- ages --------------------
@pytest.mark.parametrize(
    ("text", "years", "days", "estimated"),
    [
        ("67", 67, NAN, False), ("67岁", 67, NAN, False), ("６７周岁", 67, NAN, False), ("67 Y", 67, NAN, False),
        ("Y67", 67, NAN, False), ("3Y", 3, NAN, False), ("3岁2月", 3, NAN, False), ("1岁2月", 1, NAN, False),
        ("0岁5月", 0, 152, True), ("5月", 0, 152, True), ("5个月", 0, 152, True), ("2M", 0, 60, True), ("M2", 0, 60, True),
        ("14月", 1, NAN, False), ("1月3天", 0, 33, True), ("4天", 0, 4, False), ("4日", 0, 4, False), ("D4", 0, 4, False),
        ("30小时", 0, 1, False), ("6时20分", 0, 0, False), ("400天", 1, 400, False), ("新生儿", 0, 0, True),
        ("<1岁", 0, NAN, False), ("不足1岁", 0, NAN, False), ("55.0", 55, NAN, False), ("-", NAN, NAN, False),
    ],
)  # fmt: skip
def test_the_forms_of_ages(text: str, years: float, days: float, estimated: bool) -> None:
    read = parse_age(text)
    assert read is not None
    assert str(read) == str(AgeText(float(years), float(days), estimated))


@pytest.mark.parametrize("text", ["约60岁", "六十", "3-4岁", "岁", "12,5岁", "虚岁68", "#N/A", "1_0"])
def test_what_is_no_age(text: str) -> None:
    assert parse_age(text) is None


@given(st.integers(0, 149), st.sampled_from(["", "岁", "周岁", " 岁", "Y", "y", "岁 "]), st.booleans())
def test_years_in_any_spelling(years: int, unit: str, wide: bool) -> None:
    digits = str(years).translate(str.maketrans("0123456789", "０１２３４５６７８９")) if wide else str(years)
    read = parse_age(digits + unit)
    assert read is not None
    assert read.years == years
    assert math.isnan(read.days)


@given(st.integers(0, 11), st.integers(0, 30), st.sampled_from(["月", "个月", "M"]), st.sampled_from(["天", "日", "D"]))
def test_months_and_days_are_an_age_of_the_first_year(months: int, days: int, month: str, day: str) -> None:
    read = parse_age(f"{months}{month}{days}{day}")
    assert read is not None
    assert read.years == 0
    assert abs(read.days - (months * 30.4 + days)) <= 1


@given(st.dates(date(1930, 1, 1), date(2024, 12, 31)), st.integers(0, 36_500))
def test_ages_of_dates_are_those_of_the_calendar(born: date, lived: int) -> None:
    admitted = born + timedelta(days=lived)
    ages = read_ages({"birth_date": pa.array([str(born)]), "admitted": pa.array([admitted.strftime("%Y/%-m/%-d 08:30")])}, 1)
    whole = admitted.year - born.year - ((admitted.month, admitted.day) < (born.month, born.day))
    assert ages.years[0] == whole
    assert ages.days[0] == lived if whole == 0 else math.isnan(ages.days[0])
    assert not ages.contradicted[0]


def test_what_is_stated_counts_and_a_contradiction_is_a_finding(tmp_path: Path) -> None:
    [row] = grouped(write_csv(tmp_path, record(年龄="66岁")))
    assert "age_dates_conflict" in row["warnings"]
    [row] = grouped(write_csv(tmp_path, record()))
    assert "age_dates_conflict" not in row["warnings"]


@pytest.mark.parametrize("age", ["0", "", "4天", "新生儿", "不详"])
def test_a_newborn_reaches_its_group_by_its_dates(tmp_path: Path, age: str) -> None:
    newborn = record(年龄=age, 出生日期="2024/9/6", 入院日期="2024/9/6", 主要诊断编码="P22.000", 其他诊断编码1="")
    [row] = grouped(write_csv(tmp_path, newborn))
    assert row["drg"] == "PR15"


def test_ages_may_come_from_dates_alone(tmp_path: Path) -> None:
    header = [name for name in HEADER if name != "年龄"]
    rows = [[cell for name, cell in zip(HEADER, record(), strict=True) if name != "年龄"]]
    path = write_csv(tmp_path, *rows, header=header)
    assert [row["warnings"] for row in grouped(path)] == [""]
    assert "absent columns: birth_weight_g " in run("group", str(path), "-o", str(tmp_path / "o.csv")).stdout


def test_serial_days_of_a_spreadsheet_are_dates() -> None:
    assert read_days(pa.array(["45537", "45537.5", "9999"])).values[:2].tolist() == [19968.0, 19968.0]
    assert read_days(pa.array([45537.0, None])).values[0] == (date(2024, 9, 2) - date(1970, 1, 1)).days


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%dT09:00"]))
def test_days_are_those_of_the_calendar(day: date, form: str) -> None:
    text = day.strftime(form).zfill(len(datetime(2024, 1, 1).strftime(form)))
    assert read_days(pa.array([text])).values[0] == (day - date(1970, 1, 1)).days


# -- money --------------------
@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("12,345.60", 12345.60), ("￥12,345.60", 12345.60), ("¥12345.6元", 12345.60), ("12，345.60元", 12345.60),
        ("0.7万", 7000), ("0.7万元", 7000), ("１２３．４５", 123.45), ("(1,234.50)", -1234.5), ("（1,234.50）", -1234.5),
        ("12.00-", -12), ("-￥5", -5), ("￥-5", -5), ("5元整", 5), ("1,234,567", 1234567), (".5", 0.5), ("-", NAN), ("", NAN),
        (" 1 234.5 ", 1234.5),
    ],
)  # fmt: skip
def test_the_forms_of_money(text: str, yuan: float) -> None:
    read = parse_money(text)
    assert read is not None
    assert read == yuan or (math.isnan(read) and math.isnan(yuan))


@pytest.mark.parametrize(
    "text", ["1,2345", "12,34", "1.234,50", "1,,234", "--5", "(-5)", "(5", "5元5", "#VALUE!", "约5元", "万"]
)
def test_what_is_no_money(text: str) -> None:
    assert parse_money(text) is None


@given(
    st.integers(-10**10, 10**10), st.booleans(), st.sampled_from(["", "￥", "¥", "RMB"]), st.sampled_from(["", "元"]),
    st.sampled_from(["-", "brackets", "after"]),
)  # fmt: skip
def test_money_to_the_fen_in_any_spelling(fen: int, commas: bool, before: str, after: str, below: str) -> None:
    text = before + (f"{abs(fen) / 100:,.2f}" if commas else f"{abs(fen) / 100:.2f}") + after
    if fen < 0:
        text = {"-": f"-{text}", "brackets": f"({text})", "after": f"{text}-"}[below]
    assert read_fen(pa.array([text])).values.tolist() == [fen]


def settled(path: Path | list[dict[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    done = drgsim.settle(path, "beijing/2024")
    return done.cases.to_pylist()[0], {problem.code for problem in done.settlement.problems}


def test_the_fund_alone_gives_the_part_of_the_patient(tmp_path: Path) -> None:
    line, codes = settled(write_csv(tmp_path, record(总费用="￥4,000.00", 统筹支付="2,500元")))
    assert (float(line["total_cost"]), float(line["patient_paid"])) == (4000, 1500)
    assert "settle-patient-part-derived" in codes


def test_a_stated_part_of_the_patient_counts_and_is_not_derived(tmp_path: Path) -> None:
    line, codes = settled(write_csv(tmp_path, [*record(), "1200"], header=[*HEADER, "个人负担"]))
    assert float(line["patient_paid"]) == 1200
    assert "settle-patient-part-derived" not in codes


def test_the_part_of_the_patient_alone_leaves_the_fund_the_rest(tmp_path: Path) -> None:
    header = [*(name for name in HEADER if name != "统筹支付"), "个人负担"]
    by_patient, _ = settled(write_csv(tmp_path, [*record(总费用="4000")[:-1], "1500"], header=header))
    by_fund, _ = settled(write_csv(tmp_path, record(总费用="4000", 统筹支付="2500")))
    assert by_patient == by_fund


@pytest.mark.parametrize("fund", ["#N/A", "-5", "many"])
def test_no_case_is_paid_whose_part_of_the_fund_cannot_be_read(tmp_path: Path, fund: str) -> None:
    line, codes = settled(write_csv(tmp_path, record(统筹支付=fund)))
    assert line["amount"] is None
    assert "settle-bad-fund_paid" in codes


# -- rows that are no discharges --------------------
TOTALS = ["合计", "", "", "", "", "", "", "", "363,717.20", "219,421.50"]
SIDE_ROWS = [
    TOTALS, ["总 计", "22人次", "", "", "", "", "", "", "1", "1"], ["内科小计：", *[""] * 7, "1", "1"],
    ["平均", "", "54.3", "", "", "", "", "", "1", "1"], ["", "", "54.3", *[""] * 5, "1", "1"],
    ["制表人：张三", "", "", "审核人：", "", "", "", "", "", ""], HEADER, ["Total", *[""] * 7, "1", "1"],
    ["制表人：张三", "", "", "", "", "审核人：李四", "", "", "", ""], ["", "合计", *[""] * 6, "1", "1"],
    ["注：本表不含门诊", *[""] * 9], ["第1页 共3页", *[""] * 9], ["合计", "363717"],
]  # fmt: skip


@pytest.mark.parametrize("row", SIDE_ROWS)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_rows_that_are_no_discharges_are_left_out_and_counted(tmp_path: Path, row: list[str], kind: str) -> None:
    rows = [record(), row, record(病案号="A2")]
    path = write_csv(tmp_path, *rows)
    if kind != "csv":
        rows = [[*cells, *[""] * (len(HEADER) - len(cells))] for cells in rows]
        path = tmp_path / f"export.{kind}"
        if kind == "xlsx":
            book = openpyxl.Workbook()
            for cells in [HEADER, *rows]:
                book.active.append([cell or None for cell in cells])
            book.save(path)
        else:
            pq.write_table(pa.table({name: [cells[at] for cells in rows] for at, name in enumerate(HEADER)}), path)
    shown = json.loads(run("group", str(path), "-o", str(tmp_path / "o.csv"), "--json").stdout)
    assert shown["records"] == 2
    assert sum(number for name, number in shown["left_out"].items() if name.endswith("left_out")) == 1
    done = drgsim.settle(path, "beijing/2024")
    assert done.record["cases"] == done.record["paid"] == 2


@pytest.mark.parametrize(
    ("stay", "admitted", "discharged", "drg"),
    [
        ("", "2024-09-02", "2024-09-12", "RN14"),
        ("", "2024/9/2", "2024-09-02 18:00", "RN18"),  # a stay of one day
        ("5", "2024-09-02", "2024-09-12", "RN16"),  # what is stated counts
        ("", "2024-09-12", "2024-09-02", "RQY"),
        ("", "2024-09-02", "", "RQY"),
        ("many", "2024-09-02", "2024-09-12", "RQY"),
        (None, "2024-09-02", "2024-09-12", "RN14"),  # no such column
    ],
)
def test_days_of_stay_come_from_dates_where_a_scheme_asks_for_them(
    stay: str | None, admitted: str, discharged: str, drg: str
) -> None:
    case = {
        "discharge_id": "1", "sex": "1", "age": "55", "diagnoses": "Z51.102|C34.900x004", "procedures": "99.2503",
        "admitted": admitted, "discharged": discharged, **({} if stay is None else {"los_days": stay}),
    }  # fmt: skip
    (line,) = grouped([case], "beijing-2024")
    assert line["drg"] == drg
    assert ("los_missing" in line["warnings"]) == (drg == "RQY")
    assert drgsim.explain(case, scheme="beijing-2024").drg == drg


def test_a_settlement_tells_the_doubts_of_the_records_that_it_groups() -> None:
    case = {"discharge_id": "2.02E+09", "sex": "1", "age": "65", "diagnoses": "J18.900", "procedures": "3-12", "total_cost": 1}
    (told,) = [problem.what for problem in drgsim.settle([case], "beijing/2024").notes if "doubts about" in problem.what]
    assert "procedure_damaged 1" in told
    assert "id_rounded 1" in told


@pytest.mark.parametrize("name", ["手术及操作", "手术及操作编码", "手术操作代码"])
def test_one_column_of_procedures_is_known_by_its_usual_names(tmp_path: Path, name: str) -> None:
    header = [name if each == "主要手术操作编码" else each for each in HEADER]
    row = record(主要诊断编码="I21.001", 主要手术操作编码="36.0700")
    assert [line["drg"][:3] for line in grouped(write_csv(tmp_path, row, header=header))] == ["FM3"]


@pytest.mark.parametrize(("text", "cost"), [("$100", None), ("人民币100", 100.0), ("RMB 100", 100.0)])
def test_a_cost_in_dollars_is_not_one_in_yuan(tmp_path: Path, text: str, cost: float | None) -> None:
    line, codes = settled(write_csv(tmp_path, record(总费用=text, 统筹支付="")))
    assert (line["total_cost"] and float(line["total_cost"])) == cost
    assert ("settle-cost-unreadable" in codes) == (cost is None)


@pytest.mark.parametrize("name", ["合计", "病案001", "", "总计"])
def test_a_row_with_a_diagnosis_is_a_discharge(tmp_path: Path, name: str) -> None:
    assert len(grouped(write_csv(tmp_path, record(病案号=name), record()))) == 2


def test_an_invalid_record_is_never_paid(tmp_path: Path) -> None:
    line, codes = settled(write_csv(tmp_path, record(主要诊断编码="")))
    assert line["amount"] is None
    assert "settle-invalid-record" in codes
    done = drgsim.settle(
        [{"discharge_id": "1", "drg": "ES31", "status": "invalid", "total_cost": 5, "insurance": "employee"}], "beijing/2024"
    )
    assert done.record["paid"] == 0


# -- damage by spreadsheets --------------------
@pytest.mark.parametrize(
    ("text", "codes"),
    [("39.95", ("39.9500",)), ("0.66", ("00.6600",)), ("36.0601", ("36.0601",)), ("39.949999999999996", ("39.9500",)),
     ("99.99999", ()), ("39.9500x001", None), ("J18.9", None)],
)  # fmt: skip
def test_what_a_number_can_have_been(text: str, codes: tuple[str, ...] | None) -> None:
    assert fitting_codes(text) == codes


PLAIN = [code for code in national_codes().procedures.codes if code.replace(".", "").isdigit()]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes=st.lists(st.sampled_from(PLAIN), min_size=1, max_size=20), by_openpyxl=st.booleans())
def test_codes_that_a_workbook_holds_as_numbers_come_back(tmp_path: Path, codes: list[str], by_openpyxl: bool) -> None:
    path = tmp_path / "damaged.xlsx"
    rows = [HEADER, *(record(病案号=f"A{at}", 主要手术操作编码=float(code)) for at, code in enumerate(codes))]
    if by_openpyxl:
        book = openpyxl.Workbook()
        for cells in rows:
            book.active.append(cells)
        book.save(path)
    else:
        with xlsxwriter.Workbook(path) as written:
            sheet = written.add_worksheet()
            for at, cells in enumerate(rows):
                sheet.write_row(at, 0, cells)
    whole = write_csv(tmp_path, *(record(病案号=f"A{at}", 主要手术操作编码=code) for at, code in enumerate(codes)))
    answers, expected = grouped(path), grouped(whole)
    assert [row["drg"] for row in answers] == [row["drg"] for row in expected]
    for row, code in zip(answers, codes, strict=True):
        same = str(float(code)).rstrip("0").rstrip(".") == code
        assert ("procedure_restored" in row["warnings"]) != same
        assert restored_text(str(float(code))) == code


def test_every_code_that_reads_as_a_number_is_the_only_one_that_does() -> None:
    assert [code for code in PLAIN if fitting_codes(str(float(code))) != (code,)] == []


@pytest.mark.parametrize("text", ["3-12", "2024-03-12 00:00:00", "12-Mar", "3月12日", "2024-04-07", "4-7", "Apr-07", "38-12"])
def test_a_date_is_restored_only_where_one_code_fits(text: str) -> None:
    fitting = fitting_codes(text)
    assert fitting is not None
    [row] = grouped([dict(zip(HEADER, record(主要手术操作编码=text), strict=True))])
    assert ("procedure_restored" if len(fitting) == 1 else "procedure_damaged") in row["warnings"]


def test_kernel_and_explanation_read_a_restored_code_alike() -> None:
    given_record = dict(
        zip(HEADER, record(主要诊断编码="N18.500", 其他诊断编码1="I10.x00x002", 主要手术操作编码="39.95"), strict=True)
    )
    assert grouped([given_record])[0]["drg"] == drgsim.explain(given_record).drg == "LL15"


@pytest.mark.parametrize(
    ("name", "cell"),
    [("其他诊断编码1", "#N/A"), ("主要诊断编码", "#REF!"), ("主要手术操作编码", "#VALUE!"), ("其他诊断编码1", "########")],
)
def test_an_error_in_the_place_of_a_code_makes_the_record_invalid(tmp_path: Path, name: str, cell: str) -> None:
    [row] = grouped(write_csv(tmp_path, record(**{name: cell})))
    assert (row["status"], row["reason"]) == ("invalid", "code_unreadable")


def test_cells_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "formulas.xlsx"
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(record(年龄="=60+7"))
    book.active.append(record(病案号="A2", 其他诊断编码1='=CONCATENATE("J96",".000")'))
    book.active.append(record(病案号="A3"))
    book.active["G4"].value, book.active["G4"].data_type = "#N/A", "e"
    book.save(path)
    shown = json.loads(run("group", str(path), "-o", str(tmp_path / "o.csv"), "--json").stdout)
    told = " ".join(shown["left_out"])
    assert all(cell in told for cell in ("#FORMULA! (C2)", "#FORMULA! (G3)", "#N/A (G4)"))
    rows = grouped(path)
    assert [row["status"] for row in rows] == ["grouped", "invalid", "invalid"]
    assert "age_unreadable" in rows[0]["warnings"]


def test_a_formula_with_its_value_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "formulas.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, record())
        sheet.write_formula(1, 2, "=60+7", None, 67)
    [row] = grouped(path)
    assert (row["status"], row["warnings"]) == ("grouped", "")


# -- ids --------------------
def test_rounded_ids_are_said(tmp_path: Path) -> None:
    rows = grouped(write_csv(tmp_path, record(病案号="2.02E+09"), record(病案号="420102199001011234"), record(病案号="E+09")))
    assert ["id_rounded" in row["warnings"] for row in rows] == [True, False, False]
    path = tmp_path / "ids.xlsx"
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(record(病案号=420102199001011234))
    book.active.append(record(病案号=2024090001))
    book.save(path)
    rows = grouped(path)
    assert ["id_rounded" in row["warnings"] for row in rows] == [True, False]
    assert rows[1]["discharge_id"] == "2024090001"


def test_float_ids_of_parquet_are_said_where_they_lost_digits(tmp_path: Path) -> None:
    columns = {name: [cell, cell] for name, cell in zip(HEADER, RECORD, strict=True)}
    path = tmp_path / "ids.parquet"
    pq.write_table(pa.table({**columns, "病案号": [4.20102199001011e17, 123.0]}), path)
    shown = run("group", str(path), "-o", str(tmp_path / "o.csv")).stdout
    assert "id_rounded" in shown
    assert "123" in (tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()[2].split(",")[0]


# -- weights --------------------
@pytest.mark.parametrize(
    ("weights", "grams"),
    [
        (["3300", "900"], [3300, 900]), (["3.3", "0.9", ""], [3300, 900, NAN]), (["3300", "3.3", "28"], [3300, NAN, NAN]),
        (["28", "3.3"], [NAN, NAN]), (["3.3kg", "3300克", "3.1公斤"], [3300, 3300, 3100]), (["0", "-"], [0, NAN]),
    ],
)  # fmt: skip
def test_weights_in_grams_and_kilograms(tmp_path: Path, weights: list[str], grams: list[float]) -> None:
    path = write_csv(tmp_path, *([*record(), weight] for weight in weights), header=[*HEADER, "新生儿出生体重"])
    tables = [
        pa.Table.from_batches(open_source(path).batches(["birth_weight_g"])),
        to_canonical(pa.table([*([cell] * len(weights) for cell in RECORD), weights], [*HEADER, "出生体重"])),
    ]
    for table in tables:
        read = read_birth_weights(one_chunk(table, "birth_weight_g"))
        assert str(read.grams.tolist()) == str([float(weight) for weight in grams])


def test_weights_that_were_converted_or_left_out_are_said(tmp_path: Path) -> None:
    header = [*HEADER, "新生儿出生体重"]
    newborn = record(年龄="0", 出生日期="2024-09-06", 入院日期="2024-09-06", 主要诊断编码="P22.000", 其他诊断编码1="")
    [row] = grouped(write_csv(tmp_path, [*newborn, "3.3"], header=header))
    assert "weight_from_kilograms" in row["warnings"]
    assert row["drg"] == "PR15"
    rows = grouped(write_csv(tmp_path, [*newborn, "28"], [*newborn, "3300"], header=header))
    assert "weight_too_low" in rows[0]["warnings"]


# -- texts and golden files --------------------
@pytest.mark.parametrize("place", [0, 1])
def test_a_long_text_in_the_first_rows_is_no_fault(tmp_path: Path, place: int) -> None:
    header = [*HEADER, "备注"]
    rows = [[*record(), "x" * 131_073 if at == place else ""] for at in range(2)]
    assert len(grouped(write_csv(tmp_path, *rows, header=header))) == 2


# group of each of the 22 discharges that the exports hold, and the sums that they are settled at
GOLDEN = ["FM39", "ES35", "EX29", "OB19", "GE29", "CB59", "EQY", "IR29", "BR25", "PQY", "RN15", "0000", "GK35", "ES31", "NZ19",
          "LC19", "IU29", "0000", "JV29", "FR49", "OZ19", "LL15"]  # fmt: skip


@pytest.mark.parametrize("file", ["v1-clean.xlsx", "v2-title-totals.xlsx", "v3-gbk.csv", "v5-settlement-cn.csv", "v7-mixed.csv",
                                  "v8-old.xls", "v10-html.xls"])  # fmt: skip
def test_exports_as_hospitals_send_them(file: str) -> None:
    path = EXPORTS / file
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    assert [row["drg"] for row in grouped(path)] == GOLDEN
    done = drgsim.settle(path, "beijing/2024")
    assert (done.record["cases"], done.record["paid"]) == (22, 22)
    assert (done.record["amount_yuan"], done.record["fund_payment_yuan"]) == ("433917.71", "289622.01")
    assert sum(float(row["total_cost"]) for row in done.cases.to_pylist()) == pytest.approx(363_717.20)
