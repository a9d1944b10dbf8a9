"""Quality of the coded record: every rule on a record that breaks it, and against the truth of the sample region."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from drgsim.errors import UsageError
from drgsim.quality.code_facts import code_facts
from drgsim.quality.file_check import check_files
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import SEVERITIES, changed_thresholds, chosen_rules, rules, thresholds
from drgsim.records.cells import read_days, read_fen
from drgsim.records.findings import FINDINGS
from drgsim.report.quality_workbook import QualityWorkbook
from drgsim.units.schemes.one_sex_codes import one_sex_diagnoses
from drgsim.units.schemes.scheme import Scheme
from tests.commands import run
from tests.conftest import ROOT
from tests.sample_region import YEARS, discharges
from tools.measure_quality import MEANT, measure

REGION = [*map(discharges, YEARS)]
SOUND: dict[str, Any] = {
    "discharge_id": "1", "hospital_id": "H1", "patient_id": "P1", "sex": "1", "birth_date": "1954-05-01", "age": "69",
    "admitted": "2024-03-01", "discharged": "2024-03-08", "los_days": "7", "discharge_department": "心内科",
    "diagnoses": "I50.101|N18.900", "procedures": "", "total_cost": "100.00", "cost_drugs": "60.10", "cost_other": "39.90",
    "patient_paid": "30.00", "fund_paid": "70.00", "ventilator_hours": "",
}  # fmt: skip


def check(tmp_path: Path, *records: dict[str, Any], scheme: str | Path = "chs-drg-2.0", **options: Any) -> QualityReport:
    source = tmp_path / "cases.csv"
    rows = [
        {**SOUND, "discharge_id": str(number), "patient_id": f"P{number}", **record} for number, record in enumerate(records)
    ]
    pd.DataFrame(rows).to_csv(source, index=False)
    return check_files([source], scheme, **options)


def found(report: QualityReport) -> dict[str, int]:
    return {count.rule.code: count.records for count in report.findings}


# -- registry ---------------------------------------------------------------------------------------------------------
def test_the_registry_holds_every_finding_of_grouping_once() -> None:
    assert set(rules()) >= {f.code for f in FINDINGS} - {"principal_unknown", "principal_grey", "age_dates_conflict"}
    for rule in rules().values():
        assert rule.severity in SEVERITIES
        assert all((rule.title, rule.title_zh, rule.fix, rule.fix_zh))
    assert {t.evidence for t in thresholds().values()} <= {"official", "derived", "assumption"}


def test_the_document_lists_rules_and_thresholds_as_registered() -> None:
    text = (ROOT / "docs" / "validate.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (error|warning|info) \| (.*) \| (.*) \|$", text, re.M)
    assert listed == [(r.code, r.severity, r.title, r.title_zh) for r in rules().values()]
    limits = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (.*) \| (official|derived|assumption) \| (.*) \|$", text, re.M)
    assert limits == [(t.name, f"{t.value:g}", t.unit, t.evidence, t.source) for t in thresholds().values()]


def test_bad_settings_are_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lone_diagnosis_stay_days") as error:
        changed_thresholds(["lone_diagnosis_stay_day=3", "newborn_days=x", "newborn_days=-1"])
    assert [p.code for p in error.value.problems] == ["quality-unknown-path", *["quality-bad-value"] * 2]
    with pytest.raises(UsageError, match="did you mean sex_missing") as error:
        check(tmp_path, {}, chosen=chosen_rules(["sex_misssing"], severity="fatal"))
    assert [p.code for p in error.value.problems] == ["rule-unknown", "severity-unknown"]


# -- rules ------------------------------------------------------------------------------------------------------------
def test_a_sound_record_has_no_finding(tmp_path: Path) -> None:
    report = check(tmp_path, {})
    assert (found(report), report.passed, report.unchecked) == ({}, True, [])
    assert report.cost_columns == ["cost_drugs", "cost_other"]


@pytest.mark.parametrize(
    ("changes", "code", "value"),
    [
        ({"diagnoses": "O80.000|Z37.001", "age": "30", "birth_date": ""}, "sex_conflict_diagnosis", "O80.000"),
        ({"diagnoses": "I50.101|N80.000"}, "sex_conflict_diagnosis", "N80.000"),
        ({"diagnoses": "I50.101|C61.x00", "sex": "2"}, "sex_conflict_diagnosis", "C61.x00"),
        ({"procedures": "68.4100"}, "sex_conflict_procedure", "68.4100"),
        ({"procedures": "60.2100", "sex": "2"}, "sex_conflict_procedure", "60.2100"),
        ({"diagnoses": "I50.101|P07.300"}, "newborn_code_after_first_year", "P07.300"),
        (
            {"diagnoses": "P59.902|E87.600", "age": "0", "age_days": "60", "birth_date": ""},
            "newborn_code_after_28_days",
            "P59.902",
        ),
        ({"diagnoses": "O80.000|Z37.001", "sex": "2"}, "childbearing_code_outside_age", "O80.000"),
        ({"diagnoses": "I50.101|N18.900|I50.101"}, "principal_repeated", "I50.101"),
        ({"diagnoses": "I50.101|N18.900|n18.900"}, "diagnosis_repeated", "N18.900"),
        ({"diagnoses": "G01*|A39.000"}, "asterisk_principal", "G01*"),
        ({"diagnoses": "G01.x00|A39.000"}, "asterisk_principal", "G01.x00"),
        ({"diagnoses": "S96.000|N18.900"}, "principal_grey_code", "S96.000"),
        ({"diagnoses": "I50.101|X99.999x999"}, "other_diagnosis_unknown", "X99.999x999"),
        ({"diagnoses": "I50.101|N18.900", "procedures": "51.2300"}, "procedure_outside_mdc", "51.2300"),
        ({"diagnoses": "I50.101", "los_days": "15", "discharged": "2024-03-16"}, "other_diagnoses_missing", "15"),
        ({"admitted": "soon"}, "date_unreadable", "soon"),
        ({"birth_date": "2024-03-02"}, "born_after_admission", "2024-03-02"),
        ({"discharged": "2024-02-28"}, "discharged_before_admission", "2024-02-28"),
        ({"los_days": "8"}, "stay_contradicts_dates", "住院天数 8"),
        ({"los_days": "0"}, "stay_contradicts_dates", "住院天数 0"),
        ({"age": "59"}, "age_contradicts_birth_date", "年龄 59"),
        (
            {"age": "0", "birth_date": "2024-01-01", "age_days": "30", "diagnoses": "J18.900|E87.600"},
            "age_days_contradict_birth_date",
            "日龄 30",
        ),
        ({"fund_paid": "seventy"}, "cost_unreadable", "seventy"),
        ({"total_cost": ""}, "cost_missing", ""),
        ({"total_cost": "0", "cost_drugs": "0", "cost_other": "0", "patient_paid": "0", "fund_paid": "0"}, "cost_zero", ""),
        ({"cost_drugs": "-1.00", "cost_other": "101.00"}, "cost_negative", "100"),
        ({"patient_paid": "-1.00", "fund_paid": "101.00"}, "payment_negative", "-1.0"),
        ({"cost_other": "39.91"}, "cost_parts_do_not_sum", "分项合计 100.01 · 总费用 100.0"),
        ({"fund_paid": "69.99"}, "payments_do_not_sum", "支付合计 99.99"),
        ({"discharge_id": ""}, "id_missing", ""),
        ({"age": "999"}, "age_impossible", "999"),
    ],
)
def test_each_rule_finds_what_it_is_for(tmp_path: Path, changes: dict[str, Any], code: str, value: str) -> None:
    report = check(tmp_path, changes, {})
    assert found(report).get(code) == 1, found(report)
    (sample,) = next(count.samples for count in report.findings if count.rule.code == code)
    assert value in sample.value
    assert report.by_severity[rules()[code].severity] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"discharged": "2024-03-01", "los_days": "0"},
        {"discharged": "2024-03-01", "los_days": "1"},  # a stay within one day counts as 0 or 1
        {"admitted": "2024/3/1 23:50:00", "discharged": "20240308"},
        {"age": "70"},  # running years
        {"cost_drugs": "", "cost_other": "100.00"},  # a blank part is nothing
        {"cost_drugs": "0.1", "cost_other": "0.2", "total_cost": "0.3", "patient_paid": "0.1", "fund_paid": "0.2"},
        {"diagnoses": "A01.002+G01*|N18.900"},  # the pair is the right spelling
        {"diagnoses": "A01.002†G01＊|N18.900"},
        {"sex": "2", "diagnoses": "O80.000|Z37.001", "age": "30", "birth_date": "1993-12-01"},
    ],
)
def test_what_is_in_order_is_not_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert found(check(tmp_path, changes)) == {}


def test_duplicates_are_found_across_files(tmp_path: Path) -> None:
    stay = {"patient_id": "P"}
    assert found(check(tmp_path, stay, {**stay, "hospital_id": "H2"}, {**stay, "admitted": "2024-3-1"})) == {
        "discharge_duplicate": 1
    }
    assert "discharge_duplicate" not in found(check(tmp_path, {"patient_id": ""}, {"patient_id": ""}))
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    for path in (one, other):
        pd.DataFrame([SOUND]).to_csv(path, index=False)
    report = check_files([one, other])
    assert found(report) == {"discharge_duplicate": 1, "id_duplicate": 1}
    assert report.findings[0].samples[0].file == "other.csv"


def test_cost_is_compared_with_the_mean_of_the_group(tmp_path: Path) -> None:
    usual = {"cost_drugs": "100", "cost_other": "0", "total_cost": "100"}
    dear = {"cost_drugs": "9000", "cost_other": "0", "total_cost": "9000", "patient_paid": "9000", "fund_paid": "0"}
    report = check(tmp_path, *[usual] * 30, {**dear, "diagnoses": "I50.101"}, dear)
    assert found(report)["cost_far_above_group"] == 2
    assert found(report)["other_diagnoses_missing"] == 1
    assert "本组均值" in report.findings[-1].samples[0].value
    few = check(tmp_path, *[usual] * 3, dear)
    assert "cost_far_above_group" not in found(few)
    assert "cost_far_above_group" in found(
        check(tmp_path, *[usual] * 8, dear, limits=changed_thresholds(["group_least_cases=5"]))
    )


def test_a_broken_line_is_that_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    pd.DataFrame([SOUND]).to_csv(source, index=False)
    with source.open("a", encoding="utf-8") as file:
        file.write("2,H1\n")
    assert found(check_files([source])) == {"line_broken": 1}


def test_columns_that_are_not_there_are_said_and_not_guessed(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    names = ["discharge_id", "sex", "age", "diagnoses", "procedures"]
    pd.DataFrame([SOUND])[names].to_csv(source, index=False)
    report = check_files([source])
    assert found(report) == {}
    assert "birth_date" in report.unchecked
    assert "total_cost" in report.unchecked


# -- what codes know -----------------------------------------------------------------------------------------------
def test_the_sex_of_a_principal_diagnosis_comes_from_the_schemes_rules(scheme: Scheme) -> None:
    sexes = one_sex_diagnoses(scheme)
    ids = {code: number for number, code in enumerate(scheme.book.diagnoses.codes)}
    assert [sexes[ids[code]] for code in ("O80.000", "N40.x00", "I50.101", "D36.709")] == [2, 1, 0, 0]
    icd = code_facts(scheme).sex[2:]
    assert not ((sexes > 0) & (icd > 0) & (sexes != icd)).any()  # scheme and ICD-10 never contradict each other


def test_misfit_is_found_without_ambiguous_groups(tmp_path: Path) -> None:
    misfit = {"diagnoses": "I50.101|N18.900", "procedures": "51.2300"}
    report = check(tmp_path, misfit, {}, scheme="chs-drg-1.1")
    assert found(report) == {"procedure_in_other_mdcs": 1}


def test_dates_and_money_from_typed_columns() -> None:
    times = pa.array(["2024-03-01T22:00:00", None]).cast(pa.timestamp("s"))
    assert read_days(times).values[0] == read_days(pa.array(["2024年3月1日"])).values[0]
    assert list(read_fen(pa.array(["0.29", "1e30"])).values) == [29, 0]
    assert list(read_fen(pa.array(["0.29", "1e30"])).broken) == [False, True]


# -- measured, written ------------------------------------------------------------------------------------------------
def test_what_was_broken_on_purpose_is_found() -> None:
    kinds, codes = measure([str(path) for path in REGION])
    assert set(kinds) <= set(MEANT)
    assert len(kinds) >= len(MEANT) - 2, "of 200 records few may be of a rare kind"
    assert {kind: (n, n) for kind, (n, _) in kinds.items()} == kinds
    exact = ("age_contradicts_birth_date", "discharged_before_admission", "stay_contradicts_dates", "cost_parts_do_not_sum",
             "payment_negative", "payments_do_not_sum", "id_duplicate", "sex_missing", "cost_zero")  # fmt: skip
    assert {code: codes[code][1] for code in exact} == dict.fromkeys(exact, 0)
    text = (ROOT / "docs" / "validate.md").read_text(encoding="utf-8")
    for kind, (records, caught) in kinds.items():
        assert f"| `{kind}` | {records:,} | {caught:,} |" in text


def test_the_workbook_for_the_coding_department(tmp_path: Path) -> None:
    target = tmp_path / "report.xlsx"
    done = run("validate", str(REGION[0]), "--output", str(target), code=1)
    assert "wrote" in done.stdout
    book = CalamineWorkbook.from_path(str(target))
    assert book.sheet_names == ["About", "Overview", "Findings", "By hospital", "By department"]
    report = check_files(REGION[:1])
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    assert len(sheets["Findings"]) - 1 == sum(found(report).values())
    hospitals, departments = sheets["By hospital"], sheets["By department"]
    assert sum(row[1] for row in hospitals[1:]) == sum(row[2] for row in departments[1:]) == report.records
    assert sum(row[2] for row in hospitals[1:]) == sum(row[3] for row in departments[1:]) == sum(found(report).values())
    first = target.read_bytes()
    run("validate", str(REGION[0]), "--output", str(target), code=1)
    assert target.read_bytes() == first


def test_the_sheet_says_what_it_left_out(tmp_path: Path) -> None:
    with QualityWorkbook(tmp_path / "r.xlsx", most=10) as sink:
        report = check_files(REGION[:1], sink=sink)
        sink.finish(report)
    assert (sink.written, sink.left_out) == (10, sum(found(report).values()) - 10)
    summary = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name("Overview").to_python()
    assert any(f"{sink.left_out:,} more" in str(row[0]) for row in summary)


def test_the_command_by_severity_and_rule(tmp_path: Path) -> None:
    table = tmp_path / "findings.csv"
    values = json.loads(run("validate", str(REGION[0]), "--json", "--severity", "error", "-o", str(table), code=1).stdout)
    assert {finding["severity"] for finding in values["findings"]} == {"error"}
    assert len(pd.read_csv(table)) == sum(finding["records"] for finding in values["findings"])
    assert sum(hospital["records"] for hospital in values["hospitals"]) == values["records"]
    assert "✓ no record has an error" in run("validate", str(REGION[0]), "--only", "other_diagnoses_missing").stdout
    assert "did you mean" in run("validate", str(REGION[0]), "--only", "sex_mising", code=2).stderr
    assert "also an input" in run("validate", str(table), "-o", str(table), code=2).stderr
    assert run("validate", str(REGION[0]), "--quiet", code=1).stdout == ""
