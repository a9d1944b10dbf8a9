"""Checks that a coder expects, on records made by hand; and what is read from cells that hold more than a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.errors import DrgsimError
from drgsim.quality.file_check import check_files
from drgsim.records.code_dictionaries import national_codes, split_codes
from drgsim.records.code_mending import mend_lists, read_codes
from drgsim.records.code_suggestions import specific_codes, suggested_codes
from drgsim.records.encode import build_code_table, encode_lists
from drgsim.units.drg.drg_grouper import DrgGrouper
from tests.commands import run

BOOK = national_codes()
TABLE = build_code_table(BOOK.diagnoses)
SOUND = {"discharge_id": "1", "sex": "1", "age": "67", "diagnoses": "I21.001", "procedures": ""}


# -- cells ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "cell",
    [
        "I21.001 急性前壁心肌梗死", "I21.001（急性前壁心肌梗死）", "I21.001(STEMI)", "I21.001\t", "'I21.001", '="I21.001"',
        "’I21.001",
        "[I21.001]急性", "【I21.001】急性", "I21.001-急性", "I21.001：急性",
        "I21.001 ST段抬高型心肌梗死", "I21.001 2型", "I21 .001",
        "Ｉ２１。００１", "I21.001 Acute MI",
    ],
)  # fmt: skip
def test_a_code_is_read_from_a_cell_that_holds_more(cell: str) -> None:
    assert split_codes(f"{cell}|E11.900") == ["I21.001", "E11.900"]
    encoded = encode_lists(pa.array([f"{cell}、E11.900"]), TABLE)
    assert encoded.ids.tolist() == [BOOK.diagnoses.find("I21.001"), BOOK.diagnoses.find("E11.900")]


def test_a_cross_is_an_x() -> None:
    assert split_codes("I10.×00|I10.х00|I10.Ｘ00") == ["I10.X00"] * 3


@pytest.mark.parametrize("cell", ["急性心肌梗死", "肺炎 J18.900", "I21.001急性I21.0", "2型糖尿病"])
def test_a_cell_that_is_not_certain_stays_unknown_or_whole(cell: str) -> None:
    assert BOOK.diagnoses.find(split_codes(cell)[0]) in (-1, BOOK.diagnoses.find("I21.001"))


def _mended(text: str) -> list[str]:
    column = pa.array([text])
    encoded, _ = mend_lists(column, encode_lists(column, TABLE), TABLE, BOOK.diagnoses)
    return [BOOK.diagnoses.codes[number] if number >= 0 else "?" for number in encoded.ids]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A01.002+|G01*", ["A01.002+G01*"]),
        ("I10.x00|A01.002|E11.900|G01*", ["I10.x00", "A01.002+G01*", "E11.900"]),
        ("A01.002+|G05.0*", ["?", "?"]),  # no such pair
        ("G01*|A01.002+", ["?", "?"]),  # the manifestation in front is an error of the record
        ("A01.002+", ["?"]),
        ("A01.002|G01", ["?", "?"]),  # nothing says that these are halves
        ("A00.000 霍乱，由于O1群霍乱弧菌，霍乱生物型所致、E11.900 糖尿病", ["A00.000", "E11.900"]),
        ("A00.000 霍乱、高血压", ["A00.000", "?"]),  # no part of the name
        ("A08.301EB病毒性肠炎", ["A08.301"]),
    ],
)
def test_what_the_dictionary_makes_certain_is_mended_in_both_ways(text: str, codes: list[str]) -> None:
    assert _mended(text) == codes
    found = [BOOK.diagnoses.find(code) for code in read_codes(text, BOOK.diagnoses)]
    assert [BOOK.diagnoses.codes[number] if number >= 0 else "?" for number in found] == codes


@given(
    numbers=st.lists(st.integers(0, len(BOOK.diagnoses.codes) - 1), min_size=1, max_size=4),
    around=st.sampled_from(["{} {}", "{}（{}）", "{}\t{}", "{}-{}", "'{}"]),
    sign=st.sampled_from(["|", ";", "\n"]),
)
def test_codes_with_their_names_are_the_codes(numbers: list[int], around: str, sign: str) -> None:
    names = [BOOK.diagnoses.names[number] for number in numbers]
    plain = [name for name in names if not any(mark in name for mark in "；;|｜") and not name[:2].isdigit()]
    if len(plain) == len(names):
        text = sign.join(around.format(BOOK.diagnoses.codes[n], BOOK.diagnoses.names[n]) for n in numbers)
        assert _mended(text) == [BOOK.diagnoses.codes[number] for number in numbers]


# -- suggestions ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        ("diagnoses", "I10", "I10.x00"), ("diagnoses", "J18900", "J18.900"), ("diagnoses", "J18.9", "J18.900"),
        ("diagnoses", "l21.O01", "I21.001"), ("diagnoses", "A01.002", "A01.002+G01*"), ("diagnoses", "肺炎 J18.900", "J18.900"),
        ("procedures", "39.95", "39.9500"), ("procedures", "0.66", "00.6600"), ("procedures", "311x00", "31.1x00"),
    ],
)  # fmt: skip
def test_unknown_codes_have_suggestions(kind: str, text: str, first: str) -> None:
    assert suggested_codes(text, getattr(BOOK, kind))[0] == first


def test_known_codes_and_nonsense_have_none() -> None:
    assert suggested_codes("I21.001", BOOK.diagnoses) == suggested_codes("", BOOK.diagnoses) == []
    assert suggested_codes("?", BOOK.diagnoses) == []


def test_specific_codes_are_below_the_grey_one_and_usable() -> None:
    for kind in ("diagnoses", "procedures"):
        codes = getattr(BOOK, kind)
        for grey in sorted(codes.grey)[::40]:
            below = specific_codes(grey, codes)
            assert not set(below) & codes.grey
            assert all(code.startswith(grey[:4]) for code in below)


# -- records ----------------------------------------------------------------------------------------------------------
def _found(tmp_path: Path, changes: dict[str, Any]) -> dict[str, str]:
    record = SOUND | changes
    path = tmp_path / "cases.csv"
    path.write_text(
        "\n".join(",".join(f'"{cell}"' for cell in line) for line in (record, record.values())) + "\n", encoding="utf-8"
    )
    return {count.rule.code: count.samples[0].value for count in check_files([path], "chs-drg-2.0").findings}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"procedures": "88.5500|36.0700"}, "other_procedure_more_specific", "36.0700 "),
        ({"procedures": "88.5500|36.0700"}, "other_procedure_more_specific", "→ FM39"),
        ({"diagnoses": "I50.101|K80.000x004", "procedures": "51.2300"}, "procedure_fits_other_mdc", "MDCH"),
        ({"diagnoses": "I50.101|K80.000x004", "procedures": "51.2300"}, "procedure_fits_other_mdc", "K80.000x004 "),
        ({"sex": "2", "age": "28", "diagnoses": "O80.000|Z37.000"}, "delivery_without_outcome", "Z37.000"),
        ({"sex": "2", "age": "28", "diagnoses": "O80.000|Z37.000"}, "other_diagnosis_grey", "Z37.000x001"),
        ({"diagnoses": "I21.001|I51.500"}, "other_diagnosis_grey", "(MCC)"),
        ({"diagnoses": "J18900"}, "principal_unknown_code", "J18900 → J18.900?"),
        ({"procedures": "96.7101", "ventilator_hours": "120"}, "ventilation_contradicts_hours", "120"),
        ({"procedures": "96.7201", "ventilator_hours": "95"}, "ventilation_contradicts_hours", "95"),
        ({"procedures": "", "ventilator_hours": "95"}, "ventilation_not_coded", "95"),
        ({"procedures": "96.7201", "ventilator_hours": ""}, "ventilation_hours_missing", "96.7201"),
        ({"diagnoses": "A01.002+|G01*"}, "pair_joined", ""),
    ],
)
def test_each_check_finds_what_it_is_for(tmp_path: Path, changes: dict[str, Any], code: str, says: str) -> None:
    found = _found(tmp_path, changes)
    assert says in found.get(code, "nothing"), found


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"procedures": "36.0700|88.5500"}, "other_procedure_more_specific"),
        ({"procedures": "36.0700|88.5500"}, "principal_procedure_not_highest"),
        ({"sex": "2", "age": "28", "diagnoses": "O80.000|Z37.000x001"}, "delivery_without_outcome"),
        ({"procedures": "96.7201", "ventilator_hours": "96"}, "ventilation_contradicts_hours"),
        ({"procedures": "93.9000x002", "ventilator_hours": "9"}, "ventilation_not_coded"),
        ({"procedures": "36.0700"}, "procedure_fits_other_mdc"),
    ],
)
def test_a_sound_choice_is_not_named(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    assert code not in _found(tmp_path, changes)


def test_the_groups_of_the_sample_of_cells_are_those_of_plain_codes() -> None:
    grouper = DrgGrouper("chs-drg-2.0")
    plain = {
        "discharge_id": ["1"],
        "sex": ["1"],
        "age": ["67"],
        "diagnoses": ["I21.001|I10.x00x002"],
        "procedures": ["36.0601"],
    }
    named = plain | {
        "diagnoses": ["I21.001（急性前壁心肌梗死）|I10.×00x002 高血压病1级"],
        "procedures": ["36.0601 药物洗脱冠状动脉支架植入"],
    }
    answers = [grouper.group_batch(pa.table(each).to_batches()[0])[0] for each in (plain, named)]
    assert answers[0].to_pylist() == answers[1].to_pylist()
    assert answers[0].to_pylist()[0]["drg"][:3] == "FM3"


def test_an_explanation_has_the_checks_of_its_record() -> None:
    explained = drgsim.explain({"diagnoses": "I21.001|I51.500", "procedures": "88.5500|36.0700", "sex": "1", "age": 67})
    assert [doubt.rule.code for doubt in explained.doubts[0]] == ["other_procedure_more_specific", "other_diagnosis_grey"]
    assert explained.drg == "FM59"  # no check changes a group
    assert "→ FM39" in str(explained)
    assert explained.to_dict()["coding_checks"][0]["value"].endswith("FM39")
    assert drgsim.explain({"diagnoses": "K35.300", "sex": "1", "age": 29}, "dip-taian-2025").doubts == ((),)


# -- beside the groups ------------------------------------------------------------------------------------------------
RECORDS = [
    SOUND | {"discharge_id": "a", "procedures": "39.9500|36.0700"},
    SOUND | {"discharge_id": "b", "sex": "2", "age": "30", "diagnoses": "O80.900", "procedures": "73.5900x001"},
    SOUND | {"discharge_id": "c", "diagnoses": "I50.101|K80.000x004", "procedures": "51.2300", "ventilator_hours": 3},
    SOUND | {"discharge_id": "d"},
]


def test_checks_stand_beside_each_record_and_change_no_group(tmp_path: Path) -> None:
    plain = drgsim.group(RECORDS).to_arrow()
    beside = drgsim.group(RECORDS, coding_checks=True).to_arrow()
    assert beside.drop_columns(["coding_checks", "coding_details"]) == plain
    first, second, third, last = beside.to_pylist()
    assert first["coding_checks"] == "other_procedure_more_specific"
    assert "36.0700 药物洗脱冠状动脉支架置入 → FM" in first["coding_details"]
    assert second["coding_checks"] == "delivery_without_outcome"
    assert third["coding_checks"].split("|")[:1] == ["procedure_fits_other_mdc"]
    assert "ventilation_not_coded" in third["coding_checks"]
    assert last["coding_checks"] is last["coding_details"] is None
    source, target = tmp_path / "cases.csv", tmp_path / "out.csv"
    pd.DataFrame(RECORDS).to_csv(source, index=False)
    run("group", str(source), "-o", str(target), "--coding-checks", "-q")
    assert "other_procedure_more_specific" in target.read_text(encoding="utf-8-sig")
    assert "What a coder would check" in run("group", str(source)).stdout  # the first answers are always checked


def test_checks_of_a_broken_line_and_of_dip(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    source.write_text("discharge_id,sex,age,diagnoses,procedures\n1,2,30,O80.900,\n2,2,30\n", encoding="utf-8")
    run("group", str(source), "-o", str(tmp_path / "out.parquet"), "--coding-checks", "-q")
    assert pq.read_table(tmp_path / "out.parquet")["coding_checks"].to_pylist() == ["delivery_without_outcome", None]
    with pytest.raises(DrgsimError, match="coding checks") as caught:
        drgsim.group(RECORDS, "dip-taian-2025", coding_checks=True)
    assert caught.value.problems[0].code == "coding-checks-need-drg"
    assert "What a coder would check" not in run("group", str(source), "--scheme", "dip-taian-2025").stdout
