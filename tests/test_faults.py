"""Faults found in groupers that are in use: none of them here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drgsim
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.scheme import Scheme

pytestmark = pytest.mark.jit_off
HEART_FAILURE = {"discharge_id": "1", "sex": "1", "age": "70", "diagnoses": "I50.101|J96.000", "procedures": ""}
PRETERM = {"discharge_id": "n", "sex": "1", "age": "0", "age_days": "3", "diagnoses": "P07.300", "procedures": ""}


def one(scheme: Scheme | str, **changes: Any) -> dict[str, Any]:
    record = {**HEART_FAILURE, **changes}
    answer: dict[str, Any] = drgsim.group([record], scheme).to_arrow().to_pylist()[0]
    return answer


def warnings(answer: dict[str, Any]) -> set[str]:
    return set((answer["warnings"] or "").split("|")) - {""}


def test_the_plain_record_is_plain(scheme: Scheme) -> None:
    answer = one(scheme)
    assert (answer["mdc"], answer["adrg"], answer["drg"]) == ("MDCF", "FR2", "FR21")
    assert (answer["status"], answer["severity"], answer["reason"], answer["warnings"]) == ("grouped", "MCC", None, None)


@pytest.mark.parametrize(("sex", "age"), [(1, 29), ("1", "29"), (" 1 ", "29 "), ("1.0", "29.0"), (1.0, 29.0), ("１", "２９")])
def test_sex_and_age_may_arrive_as_text(scheme: Scheme, sex: Any, age: Any) -> None:
    answer = one(scheme, sex=sex, age=age, diagnoses="N40.x00", procedures="")
    assert answer["mdc"] == "MDCM"
    assert warnings(answer) == set()


@pytest.mark.parametrize("word", ["2", "女", "F", "female", "女性"])
def test_words_for_the_sex(scheme: Scheme, word: str) -> None:
    assert one(scheme, sex=word, age="29", diagnoses="O80.000|Z37.001", procedures="")["adrg"] == "OR1"


@pytest.mark.parametrize("blank", [None, "", " ", "-", "NULL"])
def test_a_blank_age_is_missing_and_not_a_newborn(scheme: Scheme, blank: str | None) -> None:
    answer = one(scheme, age=blank, diagnoses="P07.300", procedures="")
    assert answer["mdc"] is None
    assert "age_missing" in warnings(answer)


def test_a_newborn_without_a_weight_is_said(scheme: Scheme) -> None:
    answer = one(scheme, **PRETERM)
    assert "newborn_weight_missing" in warnings(answer)
    assert answer["drg"] == "0000"
    assert one(scheme, **PRETERM, birth_weight_g="1800")["adrg"] == "PS2"
    assert "newborn_weight_missing" not in warnings(one(scheme, **PRETERM, birth_weight_g="1800"))


@pytest.mark.parametrize("sex", ["9", "0", "x", "3", 9])
def test_a_sex_other_than_1_or_2_counts_as_missing_and_is_said(scheme: Scheme, sex: Any) -> None:
    answer = one(scheme, sex=sex, age="29", diagnoses="O80.000|Z37.001", procedures="")
    assert warnings(answer) == {"sex_unreadable"}
    assert (answer["drg"], answer["reason"], answer["mdc_hint"]) == ("0000", "mdc_rule_not_met", "MDCO")
    missing = one(scheme, sex=None, age="29", diagnoses="O80.000|Z37.001", procedures="")
    assert warnings(missing) == {"sex_missing"}
    assert missing["drg"] == "0000"


@pytest.mark.parametrize("diagnoses", [" I50.101| J96.000", "i50.101|j96.000 ", "Ｉ50.101｜J96.000", "I50.101、J96.000"])
def test_spelling_never_loses_a_cc_or_the_group(scheme: Scheme, diagnoses: str) -> None:
    assert one(scheme, diagnoses=diagnoses)["drg"] == "FR21"


def test_nothing_leaks_from_one_record_to_the_next(scheme: Scheme) -> None:
    bad = {**HEART_FAILURE, "sex": "9", "age": "abc", "diagnoses": "Z99.999x999|X99.999x999", "procedures": "99.9999x999"}
    answers = (
        drgsim.group([bad, HEART_FAILURE, {**HEART_FAILURE, "diagnoses": ""}, HEART_FAILURE], scheme).to_arrow().to_pylist()
    )
    alone = one(scheme)
    for answer in (answers[1], answers[3]):
        assert {**answer, "warnings": None} == alone
        assert set((answer["warnings"] or "").split("|")) == {"id_duplicate"}


def test_a_duplicate_id_is_noted_and_never_mixed(scheme: Scheme) -> None:
    records = [HEART_FAILURE, {**HEART_FAILURE, "diagnoses": "O80.000|Z37.001", "sex": "2", "procedures": ""}, HEART_FAILURE]
    answers = drgsim.group(records, scheme).to_arrow().to_pylist()
    assert [answer["drg"] for answer in answers] == ["FR21", "OR19", "FR21"]
    assert [answer["warnings"] for answer in answers] == [None, "id_duplicate", "id_duplicate"]


def test_the_input_file_is_left_as_it_was(scheme: Scheme, tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    pd.DataFrame([HEART_FAILURE]).to_csv(source, index=False)
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    drgsim.group_files([source], scheme, tmp_path / "out.csv")
    with pytest.raises(drgsim.DrgsimError, match="also an input"):
        drgsim.group_files([source], scheme, source)
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "out.csv"]


# -- status and reason ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"diagnoses": ""}, "invalid", "principal_missing"),
        ({"diagnoses": None}, "invalid", "principal_missing"),
        ({"diagnoses": "|I10.x00"}, "invalid", "principal_missing"),
        ({"age": "-1"}, "invalid", "age_impossible"),
        ({"age": "999"}, "invalid", "age_impossible"),
        ({"age": "inf"}, "invalid", "age_impossible"),
        ({"age_days": "-3"}, "invalid", "age_days_impossible"),
        ({"birth_weight_g": "-3"}, "invalid", "weight_impossible"),
        ({"los_days": "-1"}, "invalid", "los_impossible"),
        ({"icu_hours": "-1"}, "invalid", "icu_hours_impossible"),
        ({"diagnoses": "Z99.999x999"}, "ungroupable", "principal_unknown"),
        ({"diagnoses": "Z01.000"}, "ungroupable", "principal_grey"),
        ({"diagnoses": "X80.x00"}, "ungroupable", "principal_in_no_mdc"),
        ({"diagnoses": "O80.000|Z37.001", "sex": "1"}, "ungroupable", "mdc_rule_not_met"),
        ({**PRETERM}, "ungroupable", "no_group_in_mdc"),
        ({"diagnoses": "I50.101", "procedures": "51.2300"}, "ambiguous", "procedure_outside_mdc"),
        ({"diagnoses": "N70.000", "sex": "1"}, "ambiguous", "ambiguous_diagnosis"),
    ],
)
def test_status_and_reason(scheme: Scheme, changes: dict[str, Any], status: str, reason: str) -> None:
    answer = one(scheme, **changes)
    assert (answer["status"], answer["reason"]) == (status, reason)
    assert (answer["drg"] == "0000") == (status in ("invalid", "ungroupable"))


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"diagnoses": "Z99.999x999"}, "principal_unknown_code"),
        ({"diagnoses": "Z01.000"}, "principal_grey_code"),
        ({"diagnoses": "I50.101|X99.999x999"}, "other_diagnosis_unknown"),
        ({"procedures": "99.9999x999"}, "procedure_unknown"),
        ({"procedures": "00.0100"}, "principal_procedure_grey"),
        ({"procedures": "|36.0601"}, "principal_procedure_missing"),
        ({"age": "seventy"}, "age_unreadable"),
        ({"age": "70.5"}, "age_fraction"),
        ({"age": "0"}, "age_days_missing"),
        ({"age": "0", "age_days": "x"}, "age_days_unreadable"),
        ({"age": "70", "age_days": "3"}, "age_conflict"),
        ({"age": "0", "age_days": "4000"}, "age_conflict"),
        ({"birth_weight_g": "heavy"}, "weight_unreadable"),
        ({"los_days": "?"}, "los_unreadable"),
        ({"icu_hours": "?"}, "icu_hours_unreadable"),
        ({"discharge_id": ""}, "id_missing"),
    ],
)
def test_every_doubt_is_said(scheme: Scheme, changes: dict[str, Any], warning: str) -> None:
    assert warning in warnings(one(scheme, **changes))


def test_a_doubt_never_changes_the_group(scheme: Scheme) -> None:
    plain = one(scheme)["drg"]
    for doubt in ({"age": "70.5"}, {"age_days": "3"}, {"sex": "9"}, {"birth_weight_g": "?"}, {"los_days": "?"}, {"age": "?"}):
        answer = one(scheme, **doubt)
        assert answer["drg"] == plain
        assert warnings(answer)


@pytest.mark.parametrize(("age", "days"), [("0", "0"), ("0", "364"), ("0", "366"), ("1", "365"), ("1", "367"), ("70", "25568")])
def test_ages_that_agree(scheme: Scheme, age: str, days: str) -> None:
    assert "age_conflict" not in warnings(one(scheme, age=age, age_days=days))


def test_columns_that_the_scheme_asks_for_and_the_file_lacks(scheme: Scheme) -> None:
    assert DrgGrouper(scheme).absent_columns(["sex", "age"]) == ["age_days", "birth_weight_g"]
