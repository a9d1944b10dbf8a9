"""The rare pathways of the synthetic region: made again byte for byte, codes in use, groups as stated, companions harmless."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

from drgsim.synthetic.prior_files import BUNDLED
from tools.make_synth_templates import COLUMNS, SCHEMES, TARGET, Tail, tail_text
from tools.synth_grouper import MadeUpCase, SchemeLists
from tools.tail_treatments import CodeBook, TreatmentLines, longest


def split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (BUNDLED / "tail.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def made_up(row: dict[str, str], companion: str = "") -> MadeUpCase:
    low, high = int(row["min_age"]), int(row["max_age"])
    birth = [int(gram) for gram in row["birth_weight"].split("-")] if row["birth_weight"] else None
    return MadeUpCase(
        (row["diagnosis"], *split(row["others"])),
        (*split(row["procedures"]), *split(companion)),
        float(row["male"]) >= 0.5,
        -1 if row["age"] == "newborn" else (low + high) // 2,
        sum(birth) // 2 if birth else None,
    )


def test_codes_are_in_the_dictionaries_and_in_use(rows: list[dict[str, str]]) -> None:
    book = CodeBook()
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        assert {row["diagnosis"], *split(row["others"])} <= book.diagnoses.keys(), row
        companions = [part.rpartition(":")[0] for part in split(row["with"])]
        assert {*split(row["procedures"]), *companions} <= book.procedures.keys(), row


def test_weights_shares_and_ages_are_possible(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert float(row["weight"]) >= 0
        assert sum(float(part.partition(":")[2]) for part in split(row["levels"])) == pytest.approx(1, abs=0.011)
        assert int(row["min_age"]) <= int(row["max_age"])
        assert 0 <= float(row["deaths"]) < 1


def test_no_row_stands_twice(rows: list[dict[str, str]]) -> None:
    keys = [
        tuple(row[name] for name in ("diagnosis", "others", "procedures", "age", "min_age", "max_age", "birth_weight"))
        for row in rows
    ]
    assert len(keys) - len(set(keys)) < len(keys) / 20  # one treatment may serve a group of each scheme


def test_deaths_are_those_of_the_disease_and_not_of_the_ward(rows: list[dict[str, str]]) -> None:
    light = ("J20", "J06", "Z08", "Z09", "Z47", "M16", "G80", "H81", "K61", "N39", "T18", "Z37")
    seen = {row["diagnosis"][:3] for row in rows}
    assert len(seen & set(light)) > 8
    assert [
        row for row in rows if row["diagnosis"].startswith(light) and float(row["deaths"]) > 0.001 and row["ward"] != "icu"
    ] == []
    grave = [row for row in rows if row["diagnosis"].startswith(("I50", "J96", "K72", "R57", "Z51.100x004"))]
    assert grave
    assert min(float(row["deaths"]) for row in grave) > 0.01


def test_light_illnesses_and_rare_ones_are_seldom_in_the_tail(rows: list[dict[str, str]]) -> None:
    most = {"A01": 0.2, "G80": 5, "J20": 10, "Z08": 10}
    weight = {head: sum(float(row["weight"]) for row in rows if row["diagnosis"].startswith(head)) for head in most}
    assert {head: found for head, found in weight.items() if found > most[head]} == {}


def test_nobody_is_born_grown_up_and_no_child_has_an_illness_of_the_old(rows: list[dict[str, str]]) -> None:
    assert {row["age"] for row in rows if row["diagnosis"].startswith("Z37")} == {"mother"}
    assert {row["age"] for row in rows if row["diagnosis"].startswith("Z38")} <= {"newborn"}
    long_ventilation = [row for row in rows if row["procedures"].startswith("96.72") and row["age"] != "newborn"]
    assert long_ventilation
    assert min(int(row["min_age"]) for row in long_ventilation if row["ward"] == "icu") >= 15


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_rules_answer_the_group_alone_and_with_each_companion(rows: list[dict[str, str]], scheme: str) -> None:
    own = [row for row in rows if row["scheme"] == scheme]
    tried = [(row, part.rpartition(":")[0]) for row in own for part in ("", *split(row["with"]))]
    answers = SchemeLists(scheme).groups([made_up(row, companion) for row, companion in tried])
    wrong = [
        (row["adrg"], adrg, row["title"], companion)
        for (row, companion), (adrg, _) in zip(tried, answers, strict=True)
        if adrg != row["adrg"]
    ]
    assert wrong == []


@pytest.mark.slow
def test_the_file_is_made_again_byte_for_byte_and_reaches_every_adrg() -> None:
    tail = Tail()
    tail.choose_all()
    assert tail_text(tail) == TARGET.read_text(encoding="utf-8")
    assert tail.lines.unknown == []
    for place, lists in enumerate(tail.lists):
        have = tail.reached(place)[0]
        assert [code for code, adrg in lists.adrgs.items() if adrg.kind != "fallback" and not have.get(code)] == []
    share = sum(one.cases for one in tail.chosen) / sum(tail.reached(0)[0].values())
    assert 0.1 <= share <= 0.15


def test_lines_resolve_to_codes_of_the_named_site() -> None:
    lines = TreatmentLines()
    templates = lines.of_line("S52.2~尺骨 | 79.32~尺骨 + 78.03 | ward=orthopaedics emergency=0.9 &S52.3")
    assert templates
    names = lines.book.procedures
    for one in templates:
        assert "尺骨" in names[one.procedures[0]]
        assert (one.ward, one.emergency, one.others[0][:5]) == ("orthopaedics", 0.9, "S52.3")
    assert longest({"81": 1, "81.5": 2}, "81.5400") == 2
    by_line: dict[str, int] = defaultdict(int)
    for one in lines.treatments():
        by_line[one.line] += 1
    assert min(by_line.values()) > 0
