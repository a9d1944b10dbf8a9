"""Columns and rows of exports: names that are understood and those that are not, quoted ids, words for nothing, blank rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.records import read_csv
from drgsim.records.read import open_source
from drgsim.records.side_rows import BLANKS
from tests.commands import run

NAMES = ["病案号", "性别", "年龄", "主要诊断编码"]
CELLS = ["1", "2", "72", "J18.900"]  # with J96.000 beside it ES31, without it ES35


def written(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def group_of(path: Path) -> str:
    return str(drgsim.group(path, "chs-drg-2.0").to_arrow().column("drg")[0].as_py())


# -- names --------------------
@pytest.mark.parametrize(
    "name",
    ["其他诊断1", "其他诊断01", "其他诊断编码（1）", "次要诊断1", "次要诊断编码1", "其它诊断1", "其它诊断编码_1",
     "出院其他诊断1", "次诊断1", "其他诊断1编码", "其他诊断编码1"],
)  # fmt: skip
def test_numbered_diagnoses_under_their_usual_names(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.csv", [*NAMES, name, "手术编码1"], [*CELLS, "J96.000", ""])
    assert group_of(path) == "ES31"


@pytest.mark.parametrize(
    "name", ["手术1", "手术操作1", "手术代码1", "手术及操作1", "手术及操作代码1", "主手术编码", "主要手术代码"]
)
def test_procedures_under_their_usual_names(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.csv", [*NAMES, name], ["1", "2", "72", "K80.000x004", "51.2300"])
    assert group_of(path) == "HC25"


def test_names_beside_codes_are_no_codes(tmp_path: Path) -> None:
    header = [*NAMES, "其他诊断1", "其他诊断编码1", "手术1", "手术编码1"]
    path = written(tmp_path / "a.csv", header, [*CELLS, "呼吸衰竭", "J96.000", "胆囊切除", ""])
    [row] = drgsim.group(path, "chs-drg-2.0").to_arrow().to_pylist()
    assert (row["drg"], row["warnings"]) == ("ES31", None)


def test_a_column_of_codes_that_is_not_read_is_told(tmp_path: Path) -> None:
    header = [*NAMES, "出院疾病2", "出院疾病名称2", "门诊诊断", "手术编码"]
    path = written(tmp_path / "a.csv", header, [*CELLS, "J96.000", "呼吸衰竭", "J18.900", ""])
    shown = run("group", str(path), "-o", str(tmp_path / "o.csv")).stdout
    assert "疑似编码列未读: 出院疾病2: 1" in " ".join(shown.split())
    told = drgsim.group(path, "chs-drg-2.0").record["left_out"]
    assert [name.rpartition(" ")[2] for name in told] == ["出院疾病2"]


def test_columns_that_nobody_reads_may_have_one_name(tmp_path: Path) -> None:
    header = [*NAMES, "其他诊断编码1", "手术编码1", "手术日期", "手术编码2", "手术日期"]
    rows = [header, [*CELLS, "J96.000", "", "", "", "2024-09-01"]]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    for path in (written(tmp_path / "a.csv", *rows), tmp_path / "a.xlsx"):
        assert group_of(path) == "ES31"
        assert drgsim.read(path).to_arrow()["手术日期 (2)"].to_pylist() == ["2024-09-01"]
        run("group", str(path), "--keep-input", "-o", str(tmp_path / "kept.xlsx"))
    again = written(tmp_path / "b.csv", [*NAMES, "主要诊断编码", "手术编码"], [*CELLS, "J96.000", ""])
    assert "input-duplicate-column" in run("group", str(again), "-o", str(tmp_path / "o.csv"), code=3).stderr


# -- cells --------------------
@pytest.mark.parametrize("word", ["无", "-", "—", "——", "/", "\\", "无手术", "未手术", "NULL", " 无 "])
def test_words_for_nothing_are_no_codes(tmp_path: Path, word: str) -> None:
    path = written(tmp_path / "a.csv", [*NAMES, "其他诊断编码1", "其他诊断编码2", "手术编码"], [*CELLS, word, "J96.000", word])
    [row] = drgsim.group(path, "chs-drg-2.0").to_arrow().to_pylist()
    assert (row["drg"], row["warnings"]) == ("ES31", None)


@given(
    st.text("0123456789AB-", min_size=1, max_size=12).filter(lambda text: text.strip("-") != ""),
    st.sampled_from([('="', '"'), ("'", ""), ("", "\t"), (" ", " "), ('"', '"'), ("‘", ""), ("", "")]),
)
@settings(max_examples=40, deadline=None)
def test_ids_lose_what_keeps_a_spreadsheet_from_counting(tmp_path_factory: Any, plain: str, marks: tuple[str, str]) -> None:
    path = written(
        tmp_path_factory.mktemp("ids") / "a.csv", [*NAMES, "手术编码"], [marks[0] + plain + marks[1], *CELLS[1:], ""]
    )
    [batch] = open_source(path).batches(["discharge_id"])
    assert batch.column("discharge_id").to_pylist() == [plain]


@given(
    st.lists(st.sampled_from(["", "3.3", "0.9", "4", "0", "2800", "28", "3.1kg"]), min_size=1, max_size=9),
    st.sampled_from([1, 2, 3]),
)
@settings(max_examples=40, deadline=None)
def test_the_unit_of_weights_does_not_hang_on_the_size_of_batches(tmp_path_factory: Any, weights: list[str], rows: int) -> None:
    path = written(
        tmp_path_factory.mktemp("weights") / "a.csv",
        [*NAMES, "手术编码", "出生体重"],
        *([*CELLS, "", weight] for weight in weights),
    )

    def read() -> list[str]:
        return [text for batch in open_source(path).batches(["birth_weight_g"]) for text in batch.column(0).to_pylist()]

    whole, size = read(), read_csv.BATCH_ROWS
    filled = [weight for weight in weights if weight not in ("", "0")]
    kilograms = bool(filled) and set(filled) <= {"3.3", "0.9", "4"}
    assert whole == [f"{weight}kg" if kilograms and weight in filled else weight or None for weight in weights]
    try:
        read_csv.BATCH_ROWS = rows
        assert read() == whole
    finally:
        read_csv.BATCH_ROWS = size


# -- rows --------------------
def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    header = [*NAMES, "手术编码"]
    path = written(tmp_path / "a.csv", header, [*CELLS, ""], [""] * 5, ["2", *CELLS[1:], ""])
    path.write_text(path.read_text(encoding="utf-8").replace("2,72,J18.900,\n", "2,72,J18.900,\n\n\n", 1), encoding="utf-8")
    book = openpyxl.Workbook()
    for row in (["出院病人"], [], header, [*CELLS, ""], [], [], [], ["2", *CELLS[1:], ""]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    for file in (path, tmp_path / "a.xlsx"):
        done = drgsim.group(file, "chs-drg-2.0")
        assert (done.record["records"], done.record["left_out"]) == (2, {BLANKS: 3})


def test_a_header_of_two_lines_in_a_csv_file(tmp_path: Path) -> None:
    upper = ["病案号", "性别", "年龄", "诊断", "", "手术"]
    lower = ["", "", "", "主要诊断编码", "其他诊断编码1", "手术编码"]
    path = written(tmp_path / "a.csv", ["某医院出院病人", "", "", "", "", ""], upper, lower, [*CELLS, "J96.000", ""])
    assert group_of(path) == "ES31"
    assert drgsim.group(path, "chs-drg-2.0").record["records"] == 1


def test_a_file_of_many_small_reads_is_the_same(tmp_path: Path) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([[*NAMES, "手术编码"], *([str(number), *CELLS[1:], ""] for number in range(300))])
    (tmp_path / "a.csv").write_text(text.getvalue().replace("\n", "\r"), encoding="utf-8-sig")
    assert drgsim.group(tmp_path / "a.csv", "chs-drg-2.0").record["records"] == 300
