"""The workbook of the national DIP catalogue 3.0, rebuilt from the shipped pack by code of its own, gives the pack again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

import drgsim
from drgsim.authoring.dip.national_workbook import is_dip_workbook, read_national_workbook
from drgsim.errors import SchemeError
from drgsim.units.dip.catalogue_files import load_catalogue
from tests.commands import run
from tests.dip_national_tables import PACK, from_pack
from tests.dip_national_tables import _read as read_pack

Rows = list[list[Any]]
SPLIT = "三、诊断辅助细分"
DIAGNOSIS, NAME, PROCEDURE, RELATED = "主要诊断编码", "主要诊断名称", "主要手术操作编码", "相关手术操作编码"
HEADERS = {
    "一、先期分组病种": ["序号", "病种名称", "诊断编码", "手术操作编码", "手术操作位置", "年龄", "出生体重"],
    "二、合并病种": ["序号", DIAGNOSIS, NAME, PROCEDURE, RELATED],
    f"{SPLIT}-烧伤类病种": [
        "类别", "序号", DIAGNOSIS, "烧伤程度", "其他诊断编码", "烧伤面积", PROCEDURE, "主要手术操作名称", RELATED,
    ],
    f"{SPLIT}-肿瘤类病种": ["类别", "序号", DIAGNOSIS, NAME, "其他诊断编码", "其他诊断名称", "手术操作编码", "手术操作名称"],
    f"{SPLIT}-结核类病种": ["类别", "序号", DIAGNOSIS, NAME, PROCEDURE, "主要手术操作名称", "是否耐药", "耐药规则"],
    "四、基本病种": ["序号", DIAGNOSIS, NAME, PROCEDURE],
    "附表-结核耐药诊断列表": ["诊断编码", "诊断名称"],
    "附表-排除诊断列表": ["诊断编码", "诊断名称"],
    "附表-排除手术操作列表": ["手术操作编码", "手术操作名称", "处理方式"],
    "附表-基层病种列表": ["序号", DIAGNOSIS, NAME, PROCEDURE, "主要手术操作名称"],
}  # fmt: skip
USES = {
    "conservative": "按保守治疗入组", "never_principal": "不作为主要手术操作",
    "principal_only_with": "仅特定主要诊断时可作为主要手术操作",
}  # fmt: skip
WITH_DIAGNOSIS = "主要诊断含耐药拓展码（附表—结核耐药诊断列表）或其他诊断包含U84.300（耐抗结核药物）"


def official_sheets() -> dict[str, Rows]:
    """Rows of the sheets: codes in lines of a cell, joined cells blank below the first, numbers as Excel has them."""
    tables = from_pack()
    names = {row["code"].partition("-")[2]: row["dx_name"] for row in read_pack(PACK / "kinds.csv")}
    lines = lambda cell: cell.replace("|", "_x000D_\n")  # noqa: E731
    pre = [
        [float(row["seq"]), names[row["seq"]], "P07" if row["weight"] else "", lines(row["procedures"]),
         "任意位置" if row["place"] == "any" else "", "＜29天" if row["weight"] else "",
         "＜1000g" if row["weight"] == "0-999" else row["weight"]]
        for row in tables["pre"]
    ]  # fmt: skip
    merged = [
        [float(row["seq"]), row["diagnosis"], names[row["seq"]], lines(row["procedures"]), lines(row["related"])]
        for row in tables["merged"]
    ]
    for above, row in reversed(list(pairwise(merged))):  # cells that were joined
        if row[1:3] == above[1:3]:
            row[1] = row[2] = ""
    burn = [
        ["FZ", float(row["seq"]), lines(row["diagnosis"]), names[row["seq"]].split("，")[0], lines(row["other"]),
         names[row["seq"]].split("，")[1], lines(row["procedures"]), "", lines(row["related"])]
        for row in tables["burn"]
    ]  # fmt: skip
    tumour = [
        ["FZ", float(row["seq"]), row["diagnosis"], *[names[row["seq"]].split("，")[0], row["other"]],
         names[row["seq"]].partition("，")[2], row["procedures"], ""]
        for row in tables["tumour"]
    ]  # fmt: skip
    tb = [
        ["FZ", float(row["seq"]), row["diagnosis"], names[row["seq"]].rpartition("，")[0], lines(row["procedures"]), "",
         row["resistant"], WITH_DIAGNOSIS if row["by_principal"] == "True" else "其他诊断包含U84.300（耐抗结核药物）"]
        for row in tables["tb"]
    ]  # fmt: skip
    basic = [[float(row["seq"]), row["diagnosis"], names[row["seq"]], lines(row["procedures"])] for row in tables["basic"]]
    care = [
        [place, row["dx"], row["dx_name"], row["procedure"].replace("|", " "), row["procedure_name"]]
        for place, row in enumerate(read_pack(PACK / "primary_care.csv"), start=1)
    ]
    uses = [[row["code"], "", USES[row["use"]]] for row in tables["excluded_procedures"]]
    rows = [
        pre, merged, burn, tumour, tb, basic + basic[-1:], [[row["code"], ""] for row in tables["tb_resistant"]],
        [[row["code"], ""] for row in tables["excluded_diagnoses"]], uses, care,
    ]  # fmt: skip
    return dict(zip(HEADERS, rows, strict=True)) | {"说明": [["x"]]}


def write_official(path: Path, sheets: dict[str, Rows]) -> Path:
    """A title above every table, and a row of groups of columns above that of burns."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            above = [[name], ["", "", "主要诊断"]] if "烧伤" in name else [[name]]
            for at, row in enumerate([*above, HEADERS.get(name, ["说明"]), *rows]):
                sheet.write_row(at, 0, [cell if cell != "" else None for cell in row])
    return path


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_official(tmp_path_factory.mktemp("official") / "按病种分值（DIP）付费3.0版分组方案.xlsx", official_sheets())


def test_the_official_workbook_gives_the_shipped_catalogue(workbook: Path, tmp_path: Path) -> None:
    pack = drgsim.schemes_import(workbook, "dip-3.0", tmp_path / "mine")
    assert pack.counts == {"first": 19, "merged": 1725, "split": 113, "core_national": 3268}
    assert "1 rows of sheet 四、基本病种 stand twice; kept once" in pack.notices
    assert "sheets that are not read: 说明" in pack.notices
    for name in ("kinds.csv", "sets.csv", "excluded_codes.csv", "primary_care.csv"):
        assert (tmp_path / "mine" / name).read_bytes() == (PACK / name).read_bytes(), name
    found = drgsim.dip_diff(tmp_path / "mine", "dip-3.0").diff
    assert found.is_empty
    assert load_catalogue(tmp_path / "mine").sources[0] == f"workbook {workbook.name}"


def test_the_commands_import_and_prove_it(workbook: Path, tmp_path: Path) -> None:
    shown = run("schemes", "import", str(workbook), "--id", "dip-3.0", "--output", "mine", cwd=tmp_path).stdout
    assert "1,725 merged" in shown
    assert "no difference" in run("dip", "diff", "mine", "dip-3.0", cwd=tmp_path).stdout
    assert json.loads(run("dip", "diff", "mine", "dip-3.0", "--json", cwd=tmp_path).stdout)["equal"] is True
    excluded = tmp_path / "mine" / "excluded_codes.csv"
    excluded.write_text(
        excluded.read_text(encoding="utf-8").replace("diagnosis,A00.000,never_principal,\n", ""), encoding="utf-8"
    )
    found = drgsim.dip_diff(tmp_path / "mine", "dip-3.0").diff
    assert (found.is_empty, found.parts) == (False, ("excluded codes 排除编码",))


Change = Callable[[dict[str, Rows]], object]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: s.pop("附表-基层病种列表"), "workbook-missing-sheet"),
        (lambda s: s["附表-排除手术操作列表"].append(["00.0100", "", "？"]), "workbook-unknown-use"),
        (lambda s: s["四、基本病种"].append(["", "A01.0", "", ""]), "workbook-broken-row"),
        (lambda s: s["四、基本病种"].append([5125, "A01.0", "", ""]), "workbook-duplicate-row"),
        (lambda s: s["一、先期分组病种"].append([20, "x", "P07", "", "", "＜29天", "light"]), "workbook-unreadable-number"),
    ],
)
def test_what_is_wrong_is_told_with_sheet_and_row(tmp_path: Path, change: Change, code: str) -> None:
    sheets = official_sheets()
    change(sheets)
    path = write_official(tmp_path / "w.xlsx", sheets)
    assert is_dip_workbook(path)
    with pytest.raises(SchemeError) as error:
        read_national_workbook(path)
    assert [problem.code for problem in error.value.problems] == [code]
