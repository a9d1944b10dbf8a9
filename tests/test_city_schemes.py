"""Packs made from conditions of a public grouper: conditions read, accounts compared, and the source answered case by case."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from drgsim.authoring.schemes.scheme_from_list import DerivedRow
from drgsim.units.schemes.pack import find_pack, load_scheme
from drgsim.units.schemes.rule_language import Always, And, CodeIn, Compare, Not, Or, Rule, TextIn, print_rule
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Scheme
from tests.conftest import SHARED
from tools.city_conditions import UnreadCondition, condition_rule
from tools.city_groups import Account, composed_rows
from tools.city_lists import read_lists

FACTS = SHARED / "schemes-2026"
CITIES = yaml.safe_load((Path(__file__).parents[1] / "tools" / "city_schemes.yaml").read_text(encoding="utf-8"))["schemes"]


def turned(text: str) -> str:
    return print_rule(condition_rule(text, lambda number, variable: f"{'DI' if 'ZD' in variable else 'OP'}_L{number}"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1", "1"),
        ("_1.zdList.length > 1 and _1.mccList.length > 0", "QTZD in MCC"),
        ("_1.zdList.length > 1 and (_1.mccList.length > 0 or _1.ccList.length > 0) and _1.age < 7",
         "QTZD in {MCC, CC} and NL < 7"),
        ("_1.inHospitalDays < 5 and ('2' == _1.leavingType or '5' == _1.leavingType)", "ZYTS < 5 and LYFS in {2, 5}"),
        ("LIST1.includes(_1.zdList[0]) and _1.ssList.length > 0 and LIST2.includes(_1.ssList[0])",
         "ZYZD in DI_L1 and ZYSS in OP_L2"),
        ("_1.ssList.length > 1 and LIST3.includes(_1.ssList[0]) and _9(_1.ssList.slice(1), LIST4)",
         "ZYSS in OP_L3 and QTSS in OP_L4"),
        ("_1.ssList.length > 0 and _9(_1.ssList, LIST1) and _9(_1.ssList, LIST2)",
         "{ZYSS, QTSS} in OP_L1 and {ZYSS, QTSS} in OP_L2"),
        ("LIST0.includes(_1.zdList[0])) { if ((_2('x'), (function (_3) { if (_3.icuHours > 120) return (_2('y'), 1); })(_1))",
         "ICUXS > 120"),
        ("(function (_6) { let _3 = LIST1; if (_6.ssList.length > 0 and _3.includes(_6.ssList[0])) return (_2(1), 1); })(_4))",
         "ZYSS in OP_L1"),
        ("_1.icu and _1.icu.length > 0) return (_2(1), 1)", "ICUXS > 0"),
    ],
)  # fmt: skip
def test_a_condition_becomes_a_rule(text: str, rule: str) -> None:
    assert turned(text) == rule


@pytest.mark.parametrize(
    "text", ["?", "'1' == _1.charges", "_1.ssList[0] == _1.ssList[1]", "_1.ssList.length > 0 and [].includes(_1.ssList[0])"]
)
def test_a_condition_that_the_language_cannot_say_is_no_rule(text: str) -> None:
    with pytest.raises(UnreadCondition):
        turned(text)


# -- names and conditions --------------------------------------------------------------------------------------------------
def row(drg: str, rule: str, evidence: str = "derived") -> DerivedRow:
    return DerivedRow(drg, "AA1", f"name of {drg}", rule, evidence, "words")


def composed(named: list[DerivedRow], **conditions: str) -> tuple[list[tuple[str, str, str]], Account]:
    account = Account()
    read = {
        drg: parse_rule(text) if text else UnreadCondition("the source tells no condition") for drg, text in conditions.items()
    }
    rows = composed_rows(named, list(conditions), read, account)
    return [(each.drg, each.rule, each.evidence) for each in rows], account


def test_a_condition_fills_what_no_word_says() -> None:
    rows, account = composed([row("AA1S", "not 1", "open"), row("AA19", "1", "open")], AA1S="ZYSS in OP_AA1S", AA19="1")
    assert rows == [("AA1S", "ZYSS in OP_AA1S", "secondary"), ("AA19", "1", "secondary")]
    assert account.only_condition == 2


def test_a_name_with_another_number_counts() -> None:
    rows, account = composed([row("AA1P", "NL >= 60"), row("AA19", "1")], AA1P="NL >= 55", AA19="1")
    assert rows[0] == ("AA1P", "NL >= 60", "derived")
    assert account.refused == {"NL >= 55: the name says NL >= 60": ["AA1P"]}


def test_a_row_that_the_source_never_reaches_is_tried_before_the_rest() -> None:
    named = [row("AA16", "NL < 18 and QTZD not in {MCC, CC}"), row("AA11", "QTZD in MCC"), row("AA15", "1")]
    rows, account = composed(named, AA11="QTZD in MCC", AA15="1", AA16="NL < 18")
    assert [drg for drg, _, _ in rows] == ["AA16", "AA11", "AA15"]
    assert account.moved == ["AA16"]
    rows, _ = composed([row("AA17", "not 1", "open"), row("AA19", "1")], AA19="1", AA17="LYFS in {5}")
    assert [drg for drg, _, _ in rows] == ["AA17", "AA19"]


def test_day_surgery_asks_for_the_day_and_the_listed_codes() -> None:
    rows, account = composed([row("AA16", "ZYTS <= 1"), row("AA19", "1")], AA16="ZYZD in DI_AA16 and ZYSS in OP_AA16", AA19="1")
    assert rows[0] == ("AA16", "ZYZD in DI_AA16 and ZYSS in OP_AA16 and ZYTS <= 1", "assumption")
    assert account.both == ["AA16"]


def test_lists_of_a_city_are_changes_of_its_base(tmp_path: Path) -> None:
    base = load_scheme("chs-drg-2.0")
    some = sorted(base.sets["OP_AA1"])[0]
    lines = [
        "table,id,list,change,code", f"adrg,AA1,0.0,-,{some}", "adrg,AA1,0.1,+,39.9500x007螺旋", "adrg,AA1,0.1,+,T81.400x00!",
        f"valid_procedures,,,+,{some}", "mdc,MDCN,,-,C79.821",
    ]  # fmt: skip
    (tmp_path / "lists_vs_chs_drg_20.csv").write_text("\n".join(lines), encoding="utf-8")
    lists = read_lists(base, tmp_path)
    assert lists.of_group("AA1S", "AA1", 1, "ZYSS") == "OP_AA1S"
    with pytest.raises(UnreadCondition):
        lists.of_group("AA1T", "AA1", 2, "ZYSS")
    lists.change_base()
    changes = set(lists.changes)
    assert ("OP_AA1S", "39.9500x007", "+") in changes
    assert ("OP_AA1", some, "-") in changes
    assert (("OP_VALID", some, "+") in changes) == (some not in base.sets["OP_VALID"])
    assert (("DI_N00", "C79.821", "-") in changes) == ("C79.821" in base.sets["DI_N00"])
    assert "T81.400x00!" in lists.notes[-1]


# -- the source, answered case by case -------------------------------------------------------------------------------------
Held = Callable[[frozenset[str], str], bool]
_PLACES = {
    "zdList first": "ZYZD",
    "ssList first": "ZYSS",
    "zdList others": "QTZD",
    "ssList others": "QTSS",
    "ssList any": "ZYSS|QTSS",
}


def source_answer(
    rows: list[dict[str, str]], lists: Mapping[str, frozenset[str]], case: Mapping[str, object], held: Held
) -> str:
    """The first row whose condition holds, read by another way than the tool's: as an expression of Python."""

    def listed(number: str, place: str) -> bool:
        return held(lists[f"{rows[0]['adrg']} 0.{number}"], _PLACES[place])

    for each in rows:
        text = each["condition"]
        for alias, known in re.findall(r"let (_\d+) = (LIST\d+)", text):
            text = text.replace(alias, known)
        text = text.rsplit("if (", 1)[-1].split(") return (")[0]
        text = re.sub(r"LIST(\d+)\.includes\(_\d+\.(\w+)\[0\]\)", r"listed('\1', '\2 first')", text)
        text = re.sub(r"_\d+\(_\d+\.(\w+)\.slice\(1\), LIST(\d+)\)", r"listed('\2', '\1 others')", text)
        text = re.sub(r"_\d+\(_\d+\.(\w+), LIST(\d+)\)", r"listed('\2', '\1 any')", text)
        text = re.sub(r"_\d+\.(\w+)(\.length)?", lambda found: found[1], text)
        if eval(text, {"listed": listed, **case}):
            return each["drg"]
    return "none"


def readable(text: str) -> bool:
    """Whether a cell is a code, or one with its Chinese name after it."""
    return re.fullmatch(r"[A-Z]?[0-9][0-9.xA-Z+*]*(\s*[^\x00-\x7f].*)?", text) is not None


def random_case(draw: random.Random) -> dict[str, object]:
    level, icu_hours = draw.choice(["none", "CC", "MCC"]), draw.choice([0, 5, 121])
    return {
        "mccList": level == "MCC", "ccList": level == "CC", "zdList": 3, "ssList": 3, "icu": icu_hours > 0,
        "age": draw.choice([0, 6, 7, 16, 17, 18, 60, 80]), "weight": draw.choice([1200, 2000]),
        "inHospitalDays": draw.choice([1, 2, 4, 8, 16, 31, 70]), "icuHours": icu_hours,
        "leavingType": draw.choice("125"),
    }  # fmt: skip


def rule_holds(rule: Rule, scheme: Scheme, case: Mapping[str, object], held: Held) -> bool:
    match rule:
        case Always():
            return True
        case Not(inner):
            return not rule_holds(inner, scheme, case, held)
        case And(rules):
            return all(rule_holds(each, scheme, case, held) for each in rules)
        case Or(rules):
            return any(rule_holds(each, scheme, case, held) for each in rules)
        case CodeIn(variables, sets):
            if sets[0] in ("MCC", "CC"):
                return any(case[f"{name.lower()}List"] for name in sets)
            return held(scheme.sets[sets[0]], "|".join(variables))
        case TextIn(_, words):
            return case["leavingType"] in words
        case Compare(variable, operator, value):
            number = case[{"NL": "age", "ZYTS": "inHospitalDays", "ICUXS": "icuHours", "XSRTZ": "weight"}[variable]]
            return bool(eval(f"{number} {operator} {value}"))
    raise AssertionError(rule)


@pytest.mark.slow
@pytest.mark.skipif(not FACTS.is_dir(), reason="the facts are not beside the checkout")
@pytest.mark.parametrize("city", CITIES)
def test_a_pack_answers_as_the_conditions_of_its_source(city: str) -> None:
    """Every ADRG that follows the source in rules and order: the same group for the same truth of lists and numbers."""
    scheme, folder = load_scheme(city), FACTS / CITIES[city]["folder"]
    lists = {
        f"{owner} {number}": frozenset(re.sub(r"\s*[^\x00-\x7f].*", "", text) for _, text in entries if readable(text))
        for (_, owner, number), entries in read_lists(load_scheme(CITIES[city]["base"]), folder).listed.items()
    }
    by_adrg: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader((folder / "drg.csv").open(encoding="utf-8", newline="")):
        by_adrg.setdefault(row["adrg"], []).append(row)
    derived = scheme.folder / "derivation.csv"
    own = {row["drg"]: row for row in csv.DictReader(derived.open(encoding="utf-8", newline=""))} if derived.is_file() else {}
    draw, compared = random.Random(7), 0
    for adrg, rows in by_adrg.items():
        rows.sort(key=lambda row: int(row["order"]))
        drgs = scheme.adrgs[adrg].drgs
        followed = all(own.get(drg.code, {"evidence": "base"})["evidence"] in ("base", "secondary") for drg in drgs)
        if [row["drg"] for row in rows] != [drg.code for drg in drgs] or not followed:
            continue
        compared += 1
        for _ in range(12):
            case, truth = random_case(draw), random.Random(draw.random())
            answers: dict[tuple[frozenset[str], str], bool] = {}

            def held(codes: frozenset[str], place: str, answers: dict[tuple[frozenset[str], str], bool] = answers) -> bool:
                return answers.setdefault((codes, place), truth.random() < 0.5)  # noqa: B023

            source = source_answer(rows, lists, case, held)
            pack = next((drg.code for drg in drgs if rule_holds(drg.rule, scheme, case, held)), "none")
            assert (adrg, pack) == (adrg, source), (case, [row["condition"] for row in rows])
    assert compared > 0.75 * len(by_adrg)


def test_every_city_pack_ships_with_its_evidence() -> None:
    for city, entry in CITIES.items():
        scheme = load_scheme(city)
        assert scheme.chain[-1] == entry["base"]
        assert scheme.coverage["evidence"] == "secondary"
        assert any("conditions against names" in note for note in scheme.notes)


def test_no_ambiguous_row_goes_before_the_procedures_of_its_mdc() -> None:
    """A stent is taken by its own group, not by FQY: the row for what no group takes comes after surgery and procedures."""
    packs = sorted(find_pack("chs-drg-2.0").parent.glob("*/adrg.csv"))
    assert len(packs) > 30
    for pack in packs:
        with pack.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for mdc in {row["mdc"] for row in rows}:
            kinds = [row["kind"] for row in rows if row["mdc"] == mdc]
            later = kinds[kinds.index("ambiguous") :] if "ambiguous" in kinds else []
            assert not {"surgical", "procedure"} & set(later), (pack.parent.name, mdc)
