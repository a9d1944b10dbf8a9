"""The national workbook: a file in the official layout is read with all its quirks, and an export reads back equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.authoring.schemes.workbook_export import write_workbook
from drgsim.authoring.schemes.workbook_groups import kind_of
from drgsim.authoring.schemes.workbook_import import read_workbook
from drgsim.errors import DrgsimError, InputError, SchemeError
from drgsim.units.drg.drg_reference import Discharge, trace_discharge
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import print_rule, sets_of
from drgsim.units.schemes.scheme import Scheme

Rows = list[list[Any]]
WITHOUT_AMBIGUOUS = "ASTXY"  # MDCs for which 3.0 has no ambiguous group
HEADERS = {
    "MDC": ["MDC编码", "MDC名称", "MDC规则", "排序"],
    "ADRG": ["", "ADRG编码", "ADRG名称", "ADRG规则", "MDC", "排序"],
    "DRG": ["DRG编码", "DRG名称", "DRG规则", "ADRG", "MDC", "排序"],
    "集合": ["集合ID", "ICD编码"],
    "CC": ["编码", "名称", "排除表ID", "类型"],
    "排除表": ["排除表ID", "ICD编码"],
}


def official_workbook() -> dict[str, Rows]:
    """Rows of the sheets: MDCs F and O of 2.0 rewritten, the others with fall-back and QY rows, constructs new in 3.0."""
    base = load_scheme("chs-drg-2.0")
    sheets: dict[str, Rows] = {name: [] for name in HEADERS}
    sets: set[str] = set()
    for place, mdc in enumerate(base.mdcs, start=1):
        letter = mdc.code[-1]
        rule = "" if letter == "A" else print_rule(mdc.rule).replace(" and ", " AND ")
        sheets["MDC"].append([mdc.code, mdc.name, rule, place])
        sets |= sets_of(mdc.rule)
        sort = 0
        kept = [a for a in mdc.adrgs if a.kind != "ambiguous" and letter in "FO"]
        if letter != "A" and letter not in WITHOUT_AMBIGUOUS:
            condition = "XSRTL < 29 and ZYSS in OP_VALID" if letter == "P" else "ZYSS in OP_VALID"
            sheets["ADRG"].append(["", f"{letter}QY", f"{letter}QY歧义组", condition, mdc.code, 50])
            sheets["DRG"].append([f"{letter}QY", f"{letter}QY歧义组", "1", f"{letter}QY", mdc.code, 1])
            sets.add("OP_VALID")
        for adrg in kept:
            sort += 1 if adrg.kind == "surgical" else 100
            text = print_rule(adrg.rule).replace(" in ", "  in\n_x000D_", 1)
            sheets["ADRG"].append(["", adrg.code, adrg.name + "_x000D_", text, mdc.code, sort])
            sets |= sets_of(adrg.rule)
            for at, drg in enumerate(adrg.drgs, start=1):
                sheets["DRG"].append([drg.code, drg.name, print_rule(drg.rule), adrg.code, mdc.code, 10 * at])
        if letter != "A":  # unnamed fall-back groups
            sheets["ADRG"].append(["", f"{letter}00", "", "1", mdc.code, 9999])
            sheets["DRG"].append([f"{letter}000", "", "", f"{letter}00", mdc.code, 1])
    sheets["ADRG"].append(["", "AH1", "机器人辅助", "length(OP_FB2 ∩ {ZYSS, QTSS}) >= 2", "MDCA", 1])
    sheets["DRG"] += [
        ["AH10", "机器人辅助手术", "QTSS in OP_ROBOT", "AH1", "MDCA", 1],
        ["AH1C", "6岁以下，伴严重", "NL < 6 AND QTZD in MCC", "AH1", "MDCA", 2],
        ["AH1E", "70岁及以上", "NL >= 70 OR (not XB = 1 and {ZYZD, QTZD} in DI_O00)", "AH1", "MDCA", 3],
        ["AH15", "其他", "", "AH1", "MDCA", 4],
        ["0000", "未入组", "", "0000", "", 1],
    ]
    sets |= {"OP_FB2"}
    sheets["集合"] = [[name, code] for name in sorted(sets) for code in sorted(base.sets.get(name, ()))]
    sheets["集合"] += [["OP_ROBOT", "17.4200"], ["OP_ROBOT", "17.4200x999"], ["OP_NOBODY", "17.4200"]]
    for code, entry in base.severities.items():
        if entry.exclusion in ("103", "104"):
            sheets["CC"].append([code, base.book.diagnoses.name(code), f"EX_{entry.exclusion}", entry.level])
    sheets["排除表"] = [
        [f"EX_{name}", code] for name in ("103", "104") for code in sorted(base.exclusions[name]) if code != "P39.800"
    ]
    return sheets


def write_sheets(path: Path, sheets: dict[str, Rows], *, titles: int = 0, headers: dict[str, list[str]] | None = None) -> Path:
    """Write sheets as the official file has them: a title row above the MDCs, none elsewhere; ``titles`` adds rows on top."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            top = titles + (1 if name == "MDC" else 0)
            for at in range(top):
                sheet.write_string(at, 0, "按病组（DRG）付费分组方案（3.0版）")
            for column, title in enumerate((headers or HEADERS)[name]):
                sheet.write_string(top, column, title)
            for at, row in enumerate(rows, start=top + 1):
                for column, cell in enumerate(row):
                    if cell != "":
                        sheet.write(at, column, cell)
    return path


Change = Callable[[dict[str, Rows]], None]


@pytest.fixture(scope="module")
def sheets() -> dict[str, Rows]:
    return official_workbook()


@pytest.fixture(scope="module")
def imported(sheets: dict[str, Rows], tmp_path_factory: pytest.TempPathFactory) -> Scheme:
    folder = tmp_path_factory.mktemp("workbook")
    reading = read_workbook(write_sheets(folder / "CHS-DRG3.0.xlsx", sheets), "chs-drg-3.0", corrections="published")
    return load_scheme(write_pack(folder / "anywhere", reading.files))


def spoil(sheets: dict[str, Rows], change: Change) -> dict[str, Rows]:
    copy = {name: [list(row) for row in rows] for name, rows in sheets.items()}
    change(copy)
    return copy


# -- the official layout ---------------------------------------------------------------------------------------------------
def test_counts_and_kinds(imported: Scheme) -> None:
    assert imported.counts["mdc"] == 26
    assert imported.counts["qy"] == 21
    assert imported.counts["fallback_adrg"] == 25
    assert imported.counts["adrg"] == 1 + sum(
        adrg.code[0] in "FO" for adrg in imported.adrgs.values() if adrg.kind not in ("ambiguous", "fallback")
    )
    assert imported.title_zh == "按病组（DRG）付费分组方案（3.0版）"


def test_empty_rules_hold_always_and_the_order_is_that_of_the_sort_column(imported: Scheme) -> None:
    assert print_rule(imported.mdcs[0].rule) == "1"
    assert [drg.code for drg in imported.adrgs["AH1"].drgs] == ["AH10", "AH1C", "AH1E", "AH15"]
    assert print_rule(imported.drgs["AH15"].rule) == "1"
    codes = [adrg.code for mdc in imported.mdcs if mdc.code == "MDCF" for adrg in mdc.adrgs]
    assert codes[-1] == "F00"
    assert codes.index("FB1") < codes.index("FQY") < codes.index("FR1")


def test_rules_and_names_are_clean_of_line_breaks(imported: Scheme) -> None:
    base = load_scheme("chs-drg-2.0")
    for adrg in imported.mdcs[11].adrgs:
        if adrg.kind not in ("ambiguous", "fallback"):
            assert (adrg.name, adrg.rule) == (base.adrgs[adrg.code].name, base.adrgs[adrg.code].rule)


def test_the_imported_pack_groups_at_once(imported: Scheme) -> None:
    base = load_scheme("chs-drg-2.0")
    two = sorted(base.sets["OP_FB2"])[:2]
    for age, procedures, drg in ((40, [*two, "17.4200"], "AH10"), (75, two, "AH1E"), (40, two, "AH15")):
        trace = trace_discharge(Discharge(diagnoses=["I05.000"], procedures=procedures, age=age), imported)
        assert trace.drg == drg
    assert trace_discharge(Discharge(diagnoses=["I50.900"], procedures=[], age=40), imported).drg.startswith("FR2")


def test_published_corrections_are_applied_and_told(sheets: dict[str, Rows], imported: Scheme, tmp_path: Path) -> None:
    assert "P39.800" in imported.exclusions["EX_104"]
    assert any("correction applied: EX_104 P39.800" in note for note in imported.notes)
    plain = read_workbook(write_sheets(tmp_path / "w.xlsx", sheets), "x")
    assert "EX_104,P39.800\n" not in plain.files["exclusions.csv"]


def test_what_is_left_out_is_told(imported: Scheme) -> None:
    told = "\n".join(imported.notes)
    assert "0000 left out" in told
    assert "OP_NOBODY" in told
    assert "1 codes outside the national dictionaries" in told
    assert imported.book.procedures.find("17.4200x999") >= 0


@pytest.mark.parametrize("titles", [0, 1, 3])
def test_headers_are_found_by_their_words(sheets: dict[str, Rows], imported: Scheme, tmp_path: Path, titles: int) -> None:
    headers = dict(HEADERS, DRG=["DRG 代码", "名称", "入组条件", "所属ADRG", "所属MDC", "顺序"])
    reading = read_workbook(write_sheets(tmp_path / "w.xlsx", sheets, titles=titles, headers=headers), "chs-drg-3.0")
    assert reading.counts["drg"] == imported.counts["drg"]


# -- what is wrong ---------------------------------------------------------------------------------------------------------
def test_every_unreadable_rule_is_told_with_sheet_and_row(sheets: dict[str, Rows], tmp_path: Path) -> None:
    def change(s: dict[str, Rows]) -> None:
        s["MDC"][3][2] = "ZYZD inn DI_B00"
        s["DRG"][-5][2] = "QTSS in (OP_ROBOT"
        s["ADRG"][-1][3] = "length(OP_FB2 ∩ {ZYSS}) >="

    path = write_sheets(tmp_path / "w.xlsx", spoil(sheets, change))
    with pytest.raises(SchemeError) as error:
        read_workbook(path, "x")
    places = [problem.where for problem in error.value.problems if problem.code == "workbook-unreadable-rule"]
    assert places == [
        "w.xlsx, sheet MDC, row 6", f"w.xlsx, sheet ADRG, row {len(sheets['ADRG']) + 1}",
        f"w.xlsx, sheet DRG, row {len(sheets['DRG']) - 3}",
    ]  # fmt: skip
    reading = read_workbook(path, "x", keep_unread=True)
    scheme = load_scheme(write_pack(tmp_path / "x", reading.files))
    assert print_rule(scheme.drgs["AH10"].rule) == "not 1"
    assert sum("rule not read" in note for note in scheme.notes) == 3


@pytest.mark.parametrize(
    ("sheet", "row", "code"),
    [
        ("DRG", ["XX19", "x", "1", "XX1", "MDCX", 1], "workbook-unknown-parent"),
        ("ADRG", ["", "FZ1", "x", "ZYZD in DI_NONE", "MDCF", 1], "workbook-duplicate-row"),
        ("ADRG", ["", "FZ9", "x", "ZYZD in DI_NONE", "MDCF", 1], "workbook-unknown-set"),
        ("ADRG", ["", "FZ9", "x", "1", "MDCF", "last"], "workbook-unreadable-number"),
        ("ADRG", ["", "FZ9", "x", "1", "MDCF", 1], "workbook-adrg-without-drg"),
        ("CC", ["I10.x00x002", "x", "EX_103", "major"], "workbook-unknown-level"),
        ("CC", ["I10.x00x002", "x", "EX_999", "CC"], "workbook-unknown-exclusion"),
        ("集合", ["OP_ROBOT", ""], "workbook-broken-row"),
    ],
)
def test_a_contradiction_is_told(sheets: dict[str, Rows], tmp_path: Path, sheet: str, row: list[Any], code: str) -> None:
    path = write_sheets(tmp_path / "w.xlsx", spoil(sheets, lambda s: s[sheet].append(row)))
    with pytest.raises(SchemeError) as error:
        read_workbook(path, "x")
    assert code in {problem.code for problem in error.value.problems}


def test_a_missing_sheet_and_a_file_that_is_no_workbook(sheets: dict[str, Rows], tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="no sheet 排除表"):
        read_workbook(write_sheets(tmp_path / "w.xlsx", {name: rows for name, rows in sheets.items() if name != "排除表"}), "x")
    (tmp_path / "no.xlsx").write_text("no workbook", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        read_workbook(tmp_path / "no.xlsx", "x")


def test_a_folder_that_is_no_pack_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(DrgsimError, match="never replaced"):
        write_pack(tmp_path / "mine", {"scheme.toml": ""}, replace=True)
    assert (tmp_path / "mine" / "thesis.txt").is_file()


# -- there and back --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("name", ["chs-drg-2.0", "zhejiang-2022"])
def test_export_then_import_gives_an_equal_pack(name: str, tmp_path: Path) -> None:
    scheme = load_scheme(name)
    reading = read_workbook(write_workbook(scheme, tmp_path / "out.xlsx"), scheme.id)
    again = load_scheme(write_pack(tmp_path / name, reading.files))
    for part in (
        "mdcs",
        "sets",
        "severities",
        "exclusions",
        "sites",
        "regroup",
        "sources",
        "notes",
        "coverage",
        "title_zh",
        "counts",
    ):
        assert getattr(again, part) == getattr(scheme, part), part
    if not scheme.is_overlay:  # byte for byte
        assert all(
            (scheme.folder / file).read_text(encoding="utf-8") == text
            for file, text in reading.files.items()
            if file != "scheme.toml"
        )


def test_kinds_follow_from_the_letters_of_the_code() -> None:
    for adrg in load_scheme("chs-drg-2.0").adrgs.values():
        assert kind_of(adrg.code) == adrg.kind
