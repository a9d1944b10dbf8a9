"""The national workbook of 3.0 as NHSA publishes it, rebuilt from the shipped pack by code of its own, gives the pack again."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

import drgsim
from drgsim.assets import asset_root
from drgsim.authoring.schemes.workbook_import import read_corrections, read_workbook
from drgsim.units.schemes.pack import load_scheme

Rows = list[list[Any]]
PACK = asset_root("groupers") / "chs-drg-3.0"
# names of the official file and of the pack, from the published workbook
NAMES = {"OP_AC1_1": "OP1_AC1", "OP_AC1_2": "OP2_AC1", "DI_OF1_2": "DI2_OF1", "DI_OF1": "DI_OF1", "OP_JA1_5": "OP5_JA1"}


def _official(text: str) -> str:
    """Every set with a number as the official file writes it: number after DI or OP."""
    return re.sub(r"(DI|OP)_([A-Z]\w\w)_(\d)", r"\1\3_\2", text)


def _table(name: str) -> list[dict[str, str]]:
    with (PACK / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _groups() -> dict[str, Rows]:
    kinds = {row["adrg"]: row["kind"] for row in _table("adrg")}
    mdc_of = {row["adrg"]: row["mdc"] for row in _table("adrg")}
    adrgs: Rows = []
    for row in _table("adrg"):
        code, sort = row["adrg"], float(row["order"])
        if code == "O00":
            sort = 18  # the official file has the fall-back of MDCO before OZ1, which has 20
        if kinds[code] == "ambiguous" and row["mdc"] != "MDCU":
            sort = 990
        named = kinds[code] not in ("ambiguous", "fallback")
        rule = _official(row["rule"]).replace(" or ", " OR ").replace(" and ", "_x000D_\nand ", 1)
        adrgs.append(["", code, row["name"] + "_x000D_" if named else "", "" if rule == "1" else rule, row["mdc"], sort])
    drgs: Rows = []
    for row in _table("drg"):
        named = kinds[row["adrg"]] not in ("ambiguous", "fallback")
        rule = _official(row["rule"])
        drgs.append([row["drg"], row["name"] if named else "", rule, row["adrg"], mdc_of[row["adrg"]], float(row["order"])])
    mdcs: Rows = []
    for row in _table("mdc"):
        mdcs.append([row["mdc"], row["name"], "" if row["mdc"] == "MDCA" else _official(row["rule"]), int(row["order"])])
    drgs.append(["0000", "未入组", "", "0000", "", 1])
    return {"MDC": mdcs, "ADRG": adrgs, "DRG": drgs}


def official_sheets() -> dict[str, Rows]:
    """Sheets with the official names of sets, repeats, 无, ``_x000D_``, and without the corrections published later."""
    sheets = _groups()
    sets = [[_official(row["set"]), row["code"]] for row in _table("sets")]
    sheets["集合"] = sets[:8] + sets + [[name, f" {code}"] for name, code in sets[100:108]] + [["OP_UNUSED", "17.4200"]] * 2
    sheets["CC"] = [[row["code"], "", row["exclusion"] or "无", row["level"]] for row in _table("cc")]
    later = {(exclusion, code) for exclusion, code, _ in read_corrections("published")}
    sheets["排除表"] = [
        [row["exclusion"], row["code"]] for row in _table("exclusions") if (row["exclusion"], row["code"]) not in later
    ]
    return sheets


HEADERS = {
    "MDC": ["MDC编码", "MDC名称", "MDC规则", "排序"],
    "ADRG": ["", "ADRG编码", "ADRG名称", "ADRG规则", "MDC", "排序"],
    "DRG": ["DRG编码", "DRG名称", "DRG规则", "ADRG", "MDC", "排序"],
    "集合": ["集合ID", "ICD编码"],
    "CC": ["编码", "名称", "排除表ID", "类型"],
    "排除表": ["排除表ID", "ICD编码"],
}


def write_official(path: Path, sheets: dict[str, Rows]) -> Path:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            titled = [["按病组（DRG）付费3.0版分组方案"]] if name == "MDC" else []
            for at, row in enumerate([*titled, HEADERS[name], *rows]):
                sheet.write_row(at, 0, [cell if cell != "" else None for cell in row])
    return path


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_official(
        tmp_path_factory.mktemp("official") / "按病组（DRG）付费3.0版分组方案配置信息.xlsx", official_sheets()
    )


def test_the_rebuilt_workbook_has_the_size_and_the_names_of_the_official_one() -> None:
    sheets = official_sheets()
    used = {name for row in sheets["ADRG"] for name in re.findall(r"(?:DI|OP)\d*_\w+", row[3])}
    assert set(NAMES.values()) <= used
    assert sum(bool(re.search(r"(DI|OP)\d_", row[3])) for row in sheets["ADRG"]) == 42
    assert len(sheets["排除表"]) == 21_036
    assert [row[3] for row in sheets["CC"]].count("MCC") == 1_581
    assert sum(row[2] == "无" for row in sheets["CC"]) == 14


@pytest.mark.slow
def test_the_official_workbook_gives_the_shipped_pack(workbook: Path, tmp_path: Path) -> None:
    pack = drgsim.schemes_import(workbook, "chs-drg-3.0", tmp_path / "mine", corrections="published")
    assert not pack.unread
    told = "\n".join(pack.notices)
    assert "16 rows of sheet 集合 stand twice; kept once" in told
    assert "14 rows of sheet CC have 无" in told
    assert re.search(r"put where their kind is tried .*: PQY, P00, .*OQY, O00", told)
    assert told.count("correction applied") == 7
    again, shipped = load_scheme(tmp_path / "mine"), load_scheme("chs-drg-3.0")
    for part in ("mdcs", "sets", "severities", "exclusions", "sites", "regroup", "counts", "title_zh"):
        assert getattr(again, part) == getattr(shipped, part), part
    for name in ("sets", "cc", "exclusions", "local_codes"):  # line for line; the pack has the order of its source
        lines = [sorted((folder / f"{name}.csv").read_text("utf-8").splitlines()) for folder in (tmp_path / "mine", PACK)]
        assert lines[0] == lines[1], name
    assert drgsim.schemes_diff(tmp_path / "mine", "chs-drg-3.0").difference.is_empty


@pytest.mark.slow
def test_without_the_corrections_the_comparison_names_what_they_change(workbook: Path, tmp_path: Path) -> None:
    drgsim.schemes_import(workbook, "as-published", tmp_path / "mine")
    found = drgsim.schemes_diff(tmp_path / "mine", "chs-drg-3.0").difference
    assert not found.rows
    assert not found.moves
    assert sum(change.excluded_by_added for change in found.severities) > 0


@pytest.mark.parametrize(("name", "official"), NAMES.items())
def test_names_of_sets(name: str, official: str) -> None:
    assert _official(name) == official
    assert name in load_scheme("chs-drg-3.0").sets


def test_two_sets_that_would_get_one_name_are_refused(tmp_path: Path) -> None:
    sheets = _groups()
    sheets["ADRG"] = [["", "FB1", "甲", "ZYSS in OP1_FB1 and QTSS in OP_FB1_1", "MDCF", 1]]
    sheets["DRG"] = [["FB19", "甲", "1", "FB1", "MDCF", 1]]
    sheets["MDC"] = [["MDCF", "循环", "", 1]]
    sheets["集合"] = [["OP1_FB1", "35.2200"], ["OP_FB1_1", "35.2300"]]
    sheets["CC"], sheets["排除表"] = [["I10.x00x002", "", "EX_1", "CC"]], [["EX_1", "I10.x00x002"]]
    with pytest.raises(drgsim.DrgsimError, match="would both be called OP_FB1_1"):
        read_workbook(write_official(tmp_path / "w.xlsx", sheets), "x")
