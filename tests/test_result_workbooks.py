"""Workbooks that verbs write: titles in both languages, what they rest on, charts; drgsim reads its own back."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

import drgsim
from drgsim.language import LANGUAGES, speaking
from drgsim.records.case_table import read_case_files
from drgsim.records.input_options import InputOptions
from drgsim.records.read import read_table
from drgsim.records.schema import columns, header_key, header_names
from drgsim.records.vocabulary import words
from drgsim.results.result import Result
from drgsim.results.result_titles import FILE, column_title, shown_columns, titles
from drgsim.results.table_files import write_table
from drgsim.results.workbook import STYLES, open_workbook
from drgsim.results.workbook_about import About
from tests.commands import run
from tests.reading_chinese import english_in
from tests.sample_region import SAMPLE, YEAR

DISCHARGES = SAMPLE / f"discharges-{YEAR}.parquet"
HOSPITALS = SAMPLE / "hospitals.csv"
CHINESE = re.compile(r"[一-鿿]")
SHORT = {"MDC", "CMI"}  # in every language


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first discharges of the sample."""
    path = tmp_path_factory.mktemp("few") / "few.parquet"
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(DISCHARGES).slice(0, 400), path)
    return path


@pytest.fixture(scope="module")
def results(few: Path) -> dict[str, Result]:
    policy = "beijing/2024"
    changes = {"rate.base": "*1.03"}
    run_ = drgsim.simulate(SAMPLE, policy=policy, changes=changes, solve="rate.base", target="fund.balance=0")
    return {
        "group": drgsim.group(few, "chs-drg-2.0"),
        "group by kinds": drgsim.group(few, "dip-taian-2025"),
        "settle": drgsim.settle(few, policy, hospitals=HOSPITALS, scheme="chs-drg-2.0", clearing=True, prepay=0.9),
        "weights": drgsim.weights([few], scheme="chs-drg-2.0"),
        "budget": drgsim.budget(SAMPLE, policy),
        "simulate": run_,
        "compare": drgsim.compare(run_, run_),
        "migrate": drgsim.migrate([few], "chs-drg-1.1", "chs-drg-2.0"),
        "schemes diff": drgsim.schemes_diff("chs-drg-1.1", "chs-drg-2.0"),
        "atlas": drgsim.atlas(few, hospitals=HOSPITALS, policies=[policy]),
        "validate": drgsim.validate(few, "chs-drg-2.0"),
        "report to a hospital": drgsim.report_on(few, policy, hospitals=HOSPITALS),
        "report to a bureau": drgsim.report_on(few, policy, hospitals=HOSPITALS, audience="bureau"),
        "report for research": drgsim.report_on(few, policy, hospitals=HOSPITALS, audience="research"),
        "policies": drgsim.policies(),
        "schemes": drgsim.schemes(),
    }


def written(result: Result, language: str, folder: Path) -> openpyxl.Workbook:
    path = folder / f"{language}.xlsx"
    with speaking(language):
        result.save(path)
    return openpyxl.load_workbook(path)


# -- titles ---------------------------------------------------------------------------------------------------------------
def test_every_column_of_every_result_has_a_title_in_both_languages(results: dict[str, Result]) -> None:
    missing = {
        f"{kind}: {table}.{column}"
        for kind, result in results.items()
        for table, content in result.tables.items()
        for language in LANGUAGES
        for column, shown in shown_columns(content.column_names, language).items()
        if column_title(shown, table) is None and column_title(column, table) is None
        if column not in ("fund.balance", "fund.payment", "hospital.margin", "patient.payment")
    }
    assert missing == set()
    assert {table for result in results.values() for table in result.tables if ("table", table) not in titles()} == set()


def test_the_file_of_titles_is_sound() -> None:
    assert len(titles()) == len(FILE.read_text(encoding="utf-8").splitlines()) - 1, "an id stands twice"
    for (of, name), title in titles().items():
        assert of in ("column", "table", "word"), name
        assert str(title.said), name
        said = title.said.spoken("zh")
        assert CHINESE.search(said) or said in SHORT, name
        assert title.look in ("", "plain", *STYLES), name


def test_titles_of_columns_that_are_read_are_names_of_them() -> None:
    """A sheet that was copied out of its workbook is still understood."""
    own = {header_key(str(alias)): name for name, known in words()["columns"].items() for alias in (name, *known)}
    for name in columns():
        title = titles()["column", name].said
        assert [header_names()[header_key(title.spoken(language))] for language in LANGUAGES] == [name] * 2, name
    for written, name in (("drg", "drg"), ("dip", "dip"), ("drg_name", "unit_name"), ("dip_name", "unit_name")):
        title = titles()["column", written].said
        assert [own[header_key(title.spoken(language))] for language in LANGUAGES] == [name] * 2, written


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_headers_and_first_sheets_speak_the_language(results: dict[str, Result], language: str, tmp_path: Path) -> None:
    for kind, result in results.items():
        book = written(result, language, tmp_path / kind)
        about = book.worksheets[0]
        cells = [str(cell.value) for row in about.iter_rows() for cell in row if cell.value is not None]
        assert any(cell.startswith("drgsim ") and cell[7].isdigit() for cell in cells), kind
        for sheet in book.worksheets[1:]:
            if sheet.freeze_panes is None:
                continue  # a page of lines
            headers = [str(cell.value) for cell in next(sheet.iter_rows(max_row=1))]
            speaks = [bool(CHINESE.search(header)) for header in headers if header not in SHORT]
            assert all(speaks) if language == "zh" else not any(speaks), (kind, sheet.title, headers)
            assert sheet.auto_filter.ref or sheet.max_row == 1, (kind, sheet.title)


# -- what a workbook says ------------------------------------------------------------------------------------------------
def test_a_settlement_says_what_it_rests_on(results: dict[str, Result], tmp_path: Path) -> None:
    book = written(results["settle"], "zh", tmp_path)
    rows: dict[str, str] = {}
    for label, value, *_ in book.worksheets[0].iter_rows(values_only=True):
        rows.setdefault(str(label), str(value))
    assert (rows["命令"], rows["支付政策"]) == ("drgsim settle", "beijing/2024")
    assert rows["支付政策摘要值"] == str(results["settle"].record["policy_digest"])[:16]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d – \d{4}-\d\d-\d\d", rows["出院日期"])
    assert "没有来源" in rows["假设"]
    links = [cell.hyperlink.location for row in book.worksheets[0].iter_rows() for cell in row if cell.hyperlink]
    assert {link.strip("'").partition("'!")[0] for link in links} == set(book.sheetnames[1:])
    cases = book["病例"]
    looks = {str(head.value): cell.number_format for head, cell in zip(cases[1], cases[2], strict=True)}
    assert (looks["总费用"], looks["费用倍率"]) == ("#,##0.00", "0.0000")


def test_charts_lie_where_a_director_looks(results: dict[str, Result], tmp_path: Path) -> None:
    for kind, charts in {"settle": 2, "budget": 2, "simulate": 1, "migrate": 1}.items():
        book = written(results[kind], "zh", tmp_path / kind)
        assert [len(sheet._charts) for sheet in book.worksheets] == [0, charts] + [0] * (len(book.worksheets) - 2), kind
        assert book.worksheets[1].title == "总览"


def test_chinese_columns_count_double_in_widths(tmp_path: Path) -> None:
    table = pa.table({"a": ["合" * 14], "b": ["a" * 14], "note": ["字" * 400]})
    with open_workbook(tmp_path / "a.xlsx", About("t")) as book:
        book.add_table("cases", table)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[1]
    widths = [sheet.column_dimensions[letter].width for letter in "ABC"]
    assert [round(width) for width in widths] == [30, 16, 49]


def test_no_text_is_a_formula_wherever_it_stands(tmp_path: Path) -> None:
    bad = "=HYPERLINK(1)"
    with open_workbook(tmp_path / "a.xlsx", About(bad, bad, bad, [(bad, bad)], [bad])) as book:
        book.add_table(bad, pa.table({bad: [bad], "+1": ["@SUM(A1)"], "-1": ["-1"]}), titles={"+1": "+2"})
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        assert not [name for name in parts.namelist() if "sheet" in name and b"<f>" in parts.read(name)]


# -- there and back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("kept", [True, False])
def test_groups_in_a_workbook_are_settled_as_they_were(few: Path, language: str, kept: bool, tmp_path: Path) -> None:
    plain, book = tmp_path / "a.parquet", tmp_path / "a.xlsx"
    with speaking(language):
        for target in (plain, book):
            drgsim.group_files([few], "chs-drg-2.0", target, keep_input=kept)
    first, second = (read_case_files([path], InputOptions(), strict=False).records for path in (plain, book))
    names = [name for name in first.column_names if name != "file"]
    assert set(names) <= set(second.column_names)
    for name in ("discharge_id", "drg", "drg_name", "status", "warnings"):
        assert [each or None for each in second[name].to_pylist()] == [each or None for each in first[name].to_pylist()], name
    if kept:
        paid = [drgsim.settle(path, "beijing/2024", hospitals=HOSPITALS).record for path in (plain, book)]
        assert paid[0]["amount_yuan"] == paid[1]["amount_yuan"]
        assert paid[0]["paid"] == paid[1]["paid"] > 250


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_own_weights_come_from_a_workbook(results: dict[str, Result], few: Path, language: str, tmp_path: Path) -> None:
    with speaking(language):
        results["weights"].save(tmp_path / "weights.xlsx")
        results["weights"].save(tmp_path / "weights.parquet")
    book = read_table(tmp_path / "weights.xlsx")
    assert book.column_names == results["weights"].to_arrow().column_names
    paid = [
        drgsim.settle(few, "beijing/2024", hospitals=HOSPITALS, scheme="chs-drg-2.0", weights=tmp_path / f"weights.{form}")
        for form in ("xlsx", "parquet")
    ]
    assert paid[0].record["amount_yuan"] == paid[1].record["amount_yuan"]


def test_a_column_of_the_input_keeps_its_name_beside_a_title_that_is_alike(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text(
        "病案号,性别,年龄,主要诊断编码,手术,病组编码\n1,1,70,I50.101,,XX99\n2,2,3,J18.000,,YY99\n", encoding="utf-8"
    )
    with speaking("zh"):
        drgsim.group_files([source], "chs-drg-2.0", tmp_path / "b.xlsx", keep_input=True)
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx").active
    header = [cell.value for cell in sheet[1]]
    assert header[:6] == ["病案号", "性别", "年龄", "主要诊断编码", "手术", "病组编码"]
    assert "病组编码 (drg)" in header
    back = read_table(tmp_path / "b.xlsx")
    assert back["病组编码"].to_pylist() == ["XX99", "YY99"]
    assert back["drg"].to_pylist() == drgsim.group(source, "chs-drg-2.0").to_arrow()["drg"].to_pylist()


def test_raw_cells_are_a_table_alone_under_its_own_names(tmp_path: Path, few: Path) -> None:
    run("--raw", "group", str(few), "--scheme", "chs-drg-2.0", "-o", str(tmp_path / "a.xlsx"), "-q")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert len(book.worksheets) == 1
    assert [cell.value for cell in book.active[1]][:4] == ["discharge_id", "mdc", "adrg", "drg"]


def test_a_first_sheet_of_someone_else_is_no_list_of_columns(tmp_path: Path) -> None:
    write_table(
        tmp_path / "a.xlsx", pa.table({"a": ["1"], "b": ["x"], "drgsim": ["y"]}), about=About("t", kept=("a", "b", "drgsim"))
    )
    assert read_table(tmp_path / "a.xlsx").to_pylist() == [{"a": "1", "b": "x", "drgsim": "y"}]


@pytest.mark.parametrize("kind", ["settle", "budget", "simulate", "migrate", "group"])
def test_labels_of_a_chinese_workbook_hold_no_english_sentence(results: dict[str, Any], kind: str, tmp_path: Path) -> None:
    book = written(results[kind], "zh", tmp_path)
    labels = [sheet.cell(row, 1).value for sheet in book.worksheets[:2] for row in range(1, sheet.max_row + 1)]
    assert [label for label in labels if english_in(str(label or ""))] == []
