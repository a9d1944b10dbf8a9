"""A city's rules from its published list of codes and names."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from drgsim.assets import asset_root
from drgsim.authoring.schemes.group_names import read_name
from drgsim.authoring.schemes.overlay_writer import derived_pack_files, skeleton_files
from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.authoring.schemes.scheme_from_list import Derivation, derive_groups, read_group_list
from drgsim.errors import InputError
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.pack_check import check_pack
from drgsim.units.schemes.rule_language import print_rule
from drgsim.units.schemes.scheme_summaries import catalogue

PAYMENTS = Path(__file__).resolve().parents[2] / "shared" / "payments"
DERIVED = sorted(entry.id for entry in catalogue() if entry.coverage.get("evidence") == "derived")


def derive(*listed: tuple[str, str]) -> Derivation:
    """Derive a few rows; all other ADRGs keep the groups of 2.0."""
    base = load_scheme("chs-drg-2.0")
    adrgs = {code[:3] for code, _ in listed}
    others = [(drg.code, drg.name) for drg in base.drgs.values() if drg.adrg not in adrgs]
    return derive_groups(base, [*others, *listed])


def rules(derivation: Derivation, adrg: str) -> list[tuple[str, str]]:
    return [(row.drg, row.rule) for row in derivation.rows if row.adrg == adrg]


# -- words -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "severity", "conditions"),
    [
        ("，伴严重合并症或并发症", "MCC", ()),
        ("，伴一般并发症或合并症", "CC", ()),
        ("，伴合并症和并发症", "ANY", ()),
        ("，伴严重或一般并发症与合并症", "ANY", ()),
        ("，不伴严重并发症与合并症", "NOT_MCC", ()),
        ("，不伴合并症或并发症★", "NONE", ()),
        ("，小于等于6岁", "ALL", ("NL <= 6",)),
        ("，年龄≤19岁", "ALL", ("NL <= 19",)),
        ("，6岁及以下", "ALL", ("NL <= 6",)),
        ("，6岁以上", "ALL", ("NL >= 6",)),
        ("，＜17岁，伴合并症或并发症", "ANY", ("NL < 17",)),
        ("，年龄大于等于65周岁", "ALL", ("NL >= 65",)),
        ("，大于70岁", "ALL", ("NL > 70",)),
        ("，18天及以上", "ALL", ("ZYTS >= 18",)),
        ("，11-17天", "ALL", ("ZYTS >= 11 and ZYTS <= 17",)),
        ("，1-2天", "ALL", ("ZYTS <= 2",)),
        ("，＞60天", "ALL", ("ZYTS > 60",)),
        ("，ICU＞120小时", "ALL", ("ICUXS > 120",)),
        ("，ICU1-120小时", "ALL", ("ICUXS >= 1 and ICUXS <= 120",)),
        ("，死亡病例", "ALL", ("LYFS in {5}",)),
        ("（日间）", "ALL", ("ZYTS <= 1",)),
    ],
)
def test_words_of_a_name(words: str, severity: str, conditions: tuple[str, ...]) -> None:
    reading = read_name(f"脑卒中{words}", "7", "脑卒中")
    assert (reading.severity, reading.conditions, reading.unknown) == (severity, conditions, ())


def test_words_inside_the_name_of_the_adrg_are_no_condition() -> None:
    reading = read_name("新生儿（出生年龄＜29天）腹部手术", "9", "新生儿（出生年龄＜29天）腹部手术")
    assert (reading.severity, reading.conditions) == ("ALL", ())


# -- one ADRG --------------------------------------------------------------------------------------------------------------
def test_special_rows_stand_before_general_ones() -> None:
    found = derive(
        ("BR13", "脑卒中，伴合并症或并发症"), ("BR15", "脑卒中，不伴合并症或并发症"),
        ("BR1B", "脑卒中，小于等于6岁，伴合并症或并发症"), ("BR1C", "脑卒中，小于等于6岁，不伴合并症或并发症"),
    )  # fmt: skip
    assert rules(found, "BR1") == [
        ("BR1B", "NL <= 6 and QTZD in {MCC, CC}"), ("BR1C", "NL <= 6"), ("BR13", "QTZD in {MCC, CC}"), ("BR15", "1"),
    ]  # fmt: skip
    assert found.complete


def test_three_ways_by_cc() -> None:
    found = derive(
        ("FR25", "心力衰竭、休克，不伴合并症或并发症"), ("FR21", "心力衰竭、休克，伴严重合并症或并发症"),
        ("FR23", "心力衰竭、休克，伴一般合并症或并发症"),
    )  # fmt: skip
    assert rules(found, "FR2") == [("FR21", "QTZD in MCC"), ("FR23", "QTZD in {MCC, CC}"), ("FR25", "1")]


def test_upper_end_decides_what_and_above_means() -> None:
    rows = [("RN18", "，1-2天"), ("RN16", "，3-7天"), ("RN14", "，8-14天"), ("RN12", "，14天以上")]
    found = derive(*((code, f"恶性及增生性疾病的化学治疗和／或其他治疗{words}") for code, words in rows))
    assert dict(rules(found, "RN1"))["RN12"] == "ZYTS > 14"
    assert found.complete


def test_a_named_procedure_needs_a_person_and_never_holds() -> None:
    found = derive(("CB49", "玻璃体、视网膜、脉络膜手术"), ("CB46", "玻璃体、视网膜、脉络膜手术，玻璃体药物注射术"))
    assert [(row.drg, row.rule) for row in found.open_rows] == [("CB46", "not 1")]
    assert "玻璃体药物注射术" in found.to_do()[0]
    assert not found.complete


def test_half_a_split_needs_a_person() -> None:
    found = derive(("PS11", "极度发育不全（出生体重＜1500g），伴严重合并症或并发症"))
    assert "has only this row of PS1" in found.open_rows[0].needs


def test_rows_worded_alike_need_a_person() -> None:
    found = derive(
        ("BR15A", "脑卒中，不伴合并症或并发症"), ("BR15B", "脑卒中，不伴合并症或并发症"), ("BR13", "脑卒中，伴合并症或并发症")
    )
    assert {row.drg for row in found.open_rows} >= {"BR15A", "BR15B"}


def test_a_name_of_its_own_is_not_what_the_others_leave() -> None:
    found = derive(
        ("AH21", "有创呼吸机支持≥96小时，伴严重合并症或并发症"), ("AH25", "有创呼吸机支持≥96小时，不伴严重合并症或并发症"),
        ("AH2Z", "ECMO"),
    )  # fmt: skip
    assert [row.drg for row in found.open_rows] == ["AH2Z"]


def test_intensive_care_without_hours_is_an_assumption() -> None:
    found = derive(
        ("BR18", "脑卒中，伴重症监护"), ("BR13", "脑卒中，伴合并症或并发症"), ("BR15", "脑卒中，不伴合并症或并发症"),
    )  # fmt: skip
    assert [(row.drg, row.rule) for row in found.assumptions] == [("BR18", "ICUXS > 0")]
    assert not found.complete


def test_missing_and_strange_adrgs_are_told() -> None:
    base = load_scheme("chs-drg-2.0")
    listed = [(drg.code, drg.name) for drg in base.drgs.values() if drg.adrg != "BR1"]
    found = derive_groups(base, [*listed, ("BX99", "没有的组"), ("0000", "空白病组"), ("WQY", "歧义组")])
    assert found.missing == ["BR1"]
    assert found.strangers == [("BX99", "没有的组")]
    assert found.left_out == [("0000", "空白病组")]
    assert any("WQY" in note for note in found.notes)


def test_words_and_code_that_disagree() -> None:
    found = derive(("BR13", "脑卒中，不伴合并症或并发症"), ("BR15", "脑卒中，不伴合并症或并发症"))
    assert rules(found, "BR1") == [("BR13", "QTZD in {MCC, CC}"), ("BR15", "1")]
    assert "disagree" in next(row.doubt for row in found.rows if row.drg == "BR13")


# -- lists and packs -------------------------------------------------------------------------------------------------------
def test_a_list_is_read_whatever_its_titles_and_encoding(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("DRG编码,DRG名称\nBR19,脑卒中\n".encode("gb18030"))
    assert read_group_list(path) == [("BR19", "脑卒中")]


def test_a_bad_list_tells_everything(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("drg,name\nBR19,脑卒中\n0R19,x\nOR19,y\n,z\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_group_list(path)
    assert [problem.code for problem in error.value.problems] == ["list-duplicate-row", "list-row-without-code"]
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column of codes"):
        read_group_list(path)


def test_a_derived_pack_is_usable_and_says_where_rules_come_from(tmp_path: Path) -> None:
    base = load_scheme("chs-drg-2.0")
    found = derive(("CB49", "玻璃体、视网膜、脉络膜手术"), ("CB46", "玻璃体、视网膜、脉络膜手术，玻璃体药物注射术"))
    folder = write_pack(
        tmp_path / "my-city", derived_pack_files(base, found, {"id": "my-city", "title_zh": "x", "title_en": "x"})
    )
    assert load_scheme(folder).counts["drg"] == 634
    assert any("CB46" in finding.what for finding in check_pack(folder).advice)
    with (folder / "derivation.csv").open(encoding="utf-8", newline="") as file:
        told = {row["drg"]: row for row in csv.DictReader(file)}
    assert told["CB46"]["evidence"] == "open"
    assert told["AA19"]["evidence"] == "base"


def test_a_skeleton_groups_like_its_base(tmp_path: Path) -> None:
    base = load_scheme("chs-drg-2.0")
    folder = write_pack(tmp_path / "my-city", skeleton_files(base, {"id": "my-city", "title_zh": "x", "title_en": "x"}))
    assert load_scheme(folder).mdcs == base.mdcs


@pytest.mark.parametrize("scheme", ["beijing-2024", "tianjin-2025"])
def test_cities_of_2_0_that_ship(scheme: str) -> None:
    loaded = load_scheme(scheme)
    assert (loaded.counts["drg"], loaded.counts["adrg"]) == (682, 409)
    assert check_pack(scheme).advice == []


@pytest.mark.slow
@pytest.mark.skipif(not PAYMENTS.is_dir(), reason="the published lists are not beside the checkout")
@pytest.mark.parametrize("scheme", DERIVED)
def test_derived_packs_follow_from_the_published_lists(scheme: str) -> None:
    derivation = derive_groups(load_scheme("chs-drg-2.0"), read_group_list(PAYMENTS / f"{scheme}.csv"))
    assert derivation.complete
    shipped = load_scheme(scheme)
    assert {(drg.code, drg.name, print_rule(drg.rule)) for drg in shipped.drgs.values()} == {
        (row.drg, row.name, row.rule) for row in derivation.rows
    }


@pytest.mark.parametrize("scheme", ["chs-drg-2.0", "nanping-2023", "beijing-2022"])
def test_derivation_finds_the_rules_of_a_transcribed_scheme_from_its_names(scheme: str) -> None:
    known = load_scheme(scheme)
    bare = tuple(
        replace(mdc, adrgs=tuple(replace(adrg, drgs=adrg.drgs if adrg.kind == "ambiguous" else ()) for adrg in mdc.adrgs))
        for mdc in known.mdcs
    )
    found = derive_groups(replace(known, mdcs=bare), [(drg.code, drg.name) for drg in known.drgs.values()])
    same = sum(row.rule == print_rule(known.drgs[row.drg].rule) for row in found.rows)
    assert same / len(known.drgs) > 0.98


def test_patterns_name_no_place_or_group() -> None:
    text = (asset_root("groupers").parent / "drgsim" / "authoring" / "schemes" / "name_patterns.yaml").read_text(
        encoding="utf-8"
    )
    assert not any(word in text for word in ("北京", "天津", "beijing", "tianjin"))
