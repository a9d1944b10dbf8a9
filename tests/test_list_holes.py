"""Principal diagnoses that lists hold and groups do not take: found from lists, as grouping does, told by explain."""

from __future__ import annotations

import csv
from dataclasses import replace

import pandas as pd
import pytest

import drgsim
from drgsim.units.schemes.hole_findings import hole_findings, why_ungrouped
from drgsim.units.schemes.list_holes import list_holes, listed_by
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.pack_check import check_pack
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Adrg, Drg, Mdc, Scheme
from tests.conftest import SHARED

HOLES = SHARED / "cases-public" / "holes11_codes.tsv"


def small(scheme: Scheme, sets: dict[str, set[str]], *adrgs: tuple[str, str, str], mdc: str = "ZYZD in DI_X00") -> Scheme:
    """A scheme of one MDC."""
    rows = tuple(
        Adrg(code, "MDCX", code, kind, parse_rule(rule), (Drg(f"{code}9", code, "", parse_rule("1")),))
        for code, kind, rule in adrgs
    )
    return replace(
        scheme, id="small", chain=("small",), mdcs=(Mdc("MDCX", "x", parse_rule(mdc), rows),),
        sets={name: frozenset(codes) for name, codes in sets.items()},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "outside", "unplaced"),
    [
        ("ZYZD in DI_XR1", {"A02.000"}, {"A01.000"}),
        ("ZYZD in DI_XR1 or NL >= 18", {"A02.000"}, set()),
        ("ZYZD in DI_XR1 and QTZD not in MCC", {"A02.000"}, {"A01.000"}),
        ("ZYZD not in DI_XR1", set(), {"A03.000"}),
        ("length(DI_XR1 ∩ {ZYZD, QTZD}) >= 1", set(), {"A01.000"}),
        ("{ZYSS, QTSS} not in OP_X1", set(), set()),
        ("ZYSS in OP_X1", set(), {"A01.000", "A03.000"}),
    ],
)
def test_holes_of_one_list(scheme: Scheme, rule: str, outside: set[str], unplaced: set[str]) -> None:
    sets = {"DI_X00": {"A01.000", "A03.000"}, "DI_XR1": {"A02.000", "A03.000"}, "OP_X1": {"00.0102"}}
    holes = list_holes(small(scheme, sets, ("XR1", "medical", rule)))
    assert holes.outside.get("XR1", frozenset()) == outside
    assert holes.unplaced.get("MDCX", frozenset()) == unplaced
    assert holes.ungrouped == outside | unplaced


def test_a_group_outside_its_adrg_is_told(scheme: Scheme) -> None:
    sets = {"DI_X00": {"A01.000"}, "OP_XB1": {"00.0102"}, "OP_XB1A": {"00.0200x001"}}
    made = small(scheme, sets, ("XB1", "surgical", "ZYSS in OP_XB1"), ("XR1", "medical", "1"))
    adrg = made.mdcs[0].adrgs[0]
    special = replace(adrg, drgs=(Drg("XB1A", "XB1", "", parse_rule("ZYSS in OP_XB1A")), *adrg.drgs))
    made = replace(made, mdcs=(replace(made.mdcs[0], adrgs=(special, made.mdcs[0].adrgs[1])),))
    found = {finding.code: finding.what for finding in hole_findings(made)}
    assert found["pack-row-outside-adrg"].endswith(": XB1A")


def test_holes_of_1_1_are_the_codes_that_grouping_leaves_without_a_group() -> None:
    scheme = load_scheme("chs-drg-1.1")
    several = frozenset[str]().union(*(scheme.sets[name] for name in scheme.sites))  # multiple trauma asks for two injuries
    codes = sorted({code for mdc in scheme.mdcs for row in (mdc, *mdc.adrgs) for code in listed_by(row, scheme)} - several)
    people = [
        {"diagnoses": code, "procedures": None, "sex": sex, "age": age, "age_days": age_days, "birth_weight_g": 3000}
        for code in codes for sex, age, age_days in ((1, 40, None), (2, 40, None), (2, 0, 5), (2, 0, 200))
    ]  # fmt: skip
    frame = pd.DataFrame(people).assign(discharge_id=range(len(people)))
    frame["drg"] = list(drgsim.group(frame, scheme).to_pandas().drg)
    never = frame.groupby("diagnoses").drg.agg(lambda found: set(found) == {"0000"})
    assert set(never.index[never]) == set(list_holes(scheme).ungrouped) - several


@pytest.mark.skipif(not HOLES.is_file(), reason="the list of holes is not beside the checkout")
def test_every_known_hole_of_1_1_is_found_and_explained() -> None:
    scheme = load_scheme("chs-drg-1.1")
    with HOLES.open(encoding="utf-8", newline="") as file:
        known = {row[0] for row in csv.reader(file, delimiter="\t")}
    assert len(known) == 210
    assert known <= list_holes(scheme).ungrouped
    assert all(why_ungrouped(code, scheme) for code in sorted(known)[::20])


# -- what people read ------------------------------------------------------------------------------------------------------
def test_check_has_a_code_for_every_finding() -> None:
    report = check_pack("chs-drg-1.1")
    assert report.advice == []
    assert [finding.code for finding in report.lists] == [
        "pack-codes-outside-mdc", "pack-codes-without-adrg", "pack-codes-ungrouped", "pack-codes-in-no-list"
    ]  # fmt: skip
    assert "WZ1 76" in report.lists[0].what
    checked = drgsim.schemes_check("suzhou-2023")
    assert any("as in chs-drg-1.1" in finding.what for finding in checked.lists)


@pytest.mark.parametrize(
    ("scheme_id", "codes", "words"),
    [
        (
            "suzhou-2023",
            {"diagnoses": "T20.300x005"},
            "WR1 takes T20.300x005 in its list, but the list of its MDC (MDCW) lacks it",
        ),
        ("chs-drg-1.1", {"diagnoses": "A00.900"}, "MDCG lists A00.900, but none of its ADRGs takes it without a procedure"),
        ("chs-drg-1.1", {"diagnoses": "D46.700"}, "RA1 lists it, for cases with a procedure"),
        ("chs-drg-2.0", {"diagnoses": "K43.902"}, "no list of chs-drg-2.0 holds K43.902; chs-drg-1.1 has it in GZ1"),
        ("chs-drg-2.0", {"diagnoses": "I50.101", "procedures": "93.9000x002"}, "93.9000x002 is a valid procedure (OP_VALID)"),
    ],
)
def test_explain_says_that_the_table_does_it(scheme_id: str, codes: dict[str, str], words: str) -> None:
    explanation = drgsim.explain({**codes, "sex": 1, "age": 60}, scheme_id)
    assert words in str(explanation)


def test_explain_says_nothing_of_tables_where_they_are_not_the_reason() -> None:
    assert "分组表" not in str(drgsim.explain({"diagnoses": "I50.101", "sex": 1, "age": 60}, "chs-drg-2.0"))
    assert "分组表" not in str(drgsim.explain({"diagnoses": "X99.999x999", "sex": 1, "age": 60}, "chs-drg-2.0"))
