"""The accounts of a hospital: exact sums, a second plain way to each figure, and sentences where a file holds nothing."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import drgsim
from drgsim.accounts.account_limits import account_limits
from drgsim.accounts.hospital_accounts import HospitalAccounts, hospital_accounts
from drgsim.accounts.loss_reasons import TITLES, LossReason
from drgsim.accounts.settled_cases import PriceBasis
from drgsim.accounts.severity_steps import severity_steps
from drgsim.language import speaking, spoken
from drgsim.report.hospital_money_cards import quadrant_plot
from drgsim.report.hospital_page import hospital_page
from drgsim.report.page_parts import NamedCode
from drgsim.report.plot_drawing import plot_drawings
from tests.commands import run
from tests.conftest import SHARED
from tests.reading_chinese import english_in
from tests.sample_region import SAMPLE, discharges, hospitals_by_size

POLICY = "beijing/2024"
MONEY = ("cost", "payment", "patient_paid", "other_paid", "fund_payment", "above_standard", "margin")
CATEGORIES = {"drugs", "consumables", "examinations", "operation", "nursing", "other"}
Row = dict[str, Any]


@cache
def region_report() -> drgsim.Report:
    """The last year of the sample region with doctors, for its largest hospital."""
    frame = pd.read_parquet(discharges())
    frame["doctor"] = [f"医师{place % 9}" if place % 10 else None for place in range(len(frame))]
    return drgsim.report_on(frame, POLICY, hospitals=SAMPLE / "hospitals.csv")


@cache
def accounts() -> HospitalAccounts:
    return hospital_accounts(region_report().settled)


@cache
def own_cases() -> list[Row]:
    """The hospital's cases by a settlement of its own, with columns of the discharges."""
    grouped = drgsim.group(discharges(), "beijing-2024")
    paid = drgsim.settle(grouped, POLICY, hospitals=SAMPLE / "hospitals.csv").cases.to_pylist()
    records = grouped.cases.to_pylist()
    chosen = hospitals_by_size()[0]
    return [{**record, **case} for record, case in zip(records, paid, strict=True) if case["hospital_id"] == chosen]


@cache
def all_cases() -> pd.DataFrame:
    return pd.read_parquet(discharges())


def test_the_largest_hospital_is_chosen() -> None:
    assert accounts().hospital.id == hospitals_by_size()[0]
    assert accounts().hospital.hospitals == len(hospitals_by_size())


@pytest.mark.parametrize("table", ["groups", "departments", "doctors", "months", "classes", "insurances"])
def test_sums_by_anything_come_to_the_whole_to_the_fen(table: str) -> None:
    whole, rows = accounts().sums.whole.to_pylist()[0], getattr(accounts().sums, table).to_pylist()
    assert len(rows) > 1
    for name in ("cases", "unpaid", *MONEY):
        assert sum(row[name] for row in rows) == whole[name]
    assert whole["margin"] == whole["payment"] - whole["above_standard"] - whole["cost"]


@pytest.mark.parametrize(("table", "of"), [("groups", "unit"), ("departments", "department"), ("classes", "case_class")])
def test_sums_are_those_of_a_plain_loop_over_the_settled_cases(table: str, of: str) -> None:
    plain: dict[str, Row] = defaultdict(lambda: defaultdict(Decimal))
    for case in own_cases():
        row = plain[case[of] or ""]
        row["cases"] += 1
        if case["amount"] is not None:
            row["cost"] += case["total_cost"]
            row["payment"] += case["amount"]
            row["margin"] += case["margin"]
            row["paid"] += 1
    key = {"groups": "group", "departments": "department", "classes": "case_class"}[table]
    made = {row[key]: row for row in getattr(accounts().sums, table).to_pylist()}
    assert made.keys() == plain.keys()
    for name, row in plain.items():
        assert {column: made[name][column] for column in ("cases", "cost", "payment", "margin")} == {
            column: row[column] for column in ("cases", "cost", "payment", "margin")
        }
        if row["paid"]:
            assert made[name]["margin_per_case"] == pytest.approx(float(row["margin"] / row["paid"]), abs=0.006)


def test_indices_compare_each_case_with_the_mean_of_its_group_in_the_region() -> None:
    grouped = drgsim.group(discharges(), "beijing-2024").cases.to_pandas()
    grouped["total_cost"] = grouped.total_cost.astype(float)
    costs, stays = grouped.groupby("drg").total_cost.mean(), grouped.groupby("drg").los_days.mean()
    plain = grouped[(grouped.drg != "0000") & ~grouped.drg.str.endswith("QY")]  # the others have no group in common
    own = plain[plain.hospital_id == hospitals_by_size()[0]]
    whole = accounts().sums.whole.to_pylist()[0]
    assert whole["cost_index"] == pytest.approx((own.total_cost / own.drg.map(costs)).mean(), rel=1e-6)
    assert whole["time_index"] == pytest.approx((own.los_days / own.drg.map(stays)).mean(), rel=1e-6)


def test_losing_cases_are_all_that_cost_more_than_they_bring_with_their_reasons() -> None:
    losing = {case["discharge_id"]: case for case in own_cases() if case["margin"] is not None and case["margin"] < 0}
    reasons = {row["reason"]: row for row in accounts().tables["loss_reasons"].to_pylist()}
    assert (reasons["all"]["cases"], reasons["all"]["loss"]) == (len(losing), sum(case["margin"] for case in losing.values()))
    listed = accounts().losing_cases.to_pylist()
    assert [row["discharge_id"] for row in listed] == sorted(losing, key=lambda each: (losing[each]["margin"], each))[:500]
    stays = drgsim.group(discharges(), "beijing-2024").cases.to_pandas().groupby("drg").los_days.agg(["mean", "size"])
    limits = account_limits()
    for row in listed:
        case, found = losing[row["discharge_id"]], row["reasons"].split("|")
        assert (LossReason.HIGH in found) == (case["case_class"] == "high")
        mean_days, cases = stays.loc[case["unit"]]
        long = cases >= limits.reference_cases.value and case["los_days"] > limits.long_stay_multiple.value * mean_days
        assert (LossReason.LONG_STAY in found) == (long or case["los_days"] > limits.long_stay_days.value)
        assert found
        assert LossReason.OTHER not in found or found == [LossReason.OTHER]
    assert all(spoken(title, "zh") != title for title in TITLES.values())


def test_a_dear_category_lies_above_the_multiple_of_its_mean_in_the_group() -> None:
    frame = drgsim.group(discharges(), "beijing-2024").cases.to_pandas()
    frame = frame.astype({f"cost_{name}": float for name in CATEGORIES})
    of_group = frame.groupby("drg")
    rows = [row for row in accounts().losing_cases.to_pylist() if row["dear_category"]]
    assert rows
    cases = frame.set_index("discharge_id")
    for row in rows[:40]:
        case, column = cases.loc[row["discharge_id"]], f"cost_{row['dear_category']}"
        above = {name: case[f"cost_{name}"] - of_group[f"cost_{name}"].mean()[case.drg] for name in CATEGORIES
                 if case[f"cost_{name}"] > 2 * of_group[f"cost_{name}"].mean()[case.drg]}  # fmt: skip
        assert above[row["dear_category"]] == pytest.approx(max(above.values()), abs=0.01), column


def test_costs_by_category_add_up_and_are_those_of_the_file() -> None:
    rows = accounts().tables["cost_categories"].to_pylist()
    whole = {row["category"]: row for row in rows if not row["department"]}
    own = all_cases()[all_cases().hospital_id == hospitals_by_size()[0]]
    assert set(whole) == CATEGORIES
    for name, row in whole.items():
        assert float(row["cost"]) == pytest.approx(float(own[f"cost_{name}"].sum()), abs=0.01)
        assert row["cost"] == sum(each["cost"] for each in rows if each["department"] and each["category"] == name)
        assert row["difference"] == row["grouped_cost"] - row["expected"]
    assert sum(row["share"] for row in whole.values()) == pytest.approx(1)
    grouped = drgsim.group(discharges(), "beijing-2024").cases.to_pandas().astype({"cost_drugs": float})
    means = grouped.groupby("drg").cost_drugs.mean()
    mine = grouped[grouped.hospital_id == hospitals_by_size()[0]]
    assert float(whole["drugs"]["expected"]) == pytest.approx(mine.drg.map(means).sum(), abs=1)


def test_one_more_cc_is_worth_what_settling_in_the_other_group_gives() -> None:
    rows = accounts().one_more_cc.to_pylist()[:8]  # type: ignore[union-attr]
    steps = {step.group: step for step in severity_steps(drgsim.load_scheme("beijing-2024"))}
    for row in rows:
        assert steps[row["group"]].to_group == row["to_group"]
        mine = [case for case in own_cases() if case["unit"] == row["group"]
                and case["case_class"] in ("normal", "high", "low", "incomplete")]  # fmt: skip
        asked = ["discharge_id", "hospital_id", "insurance", "los_days", "discharged"]
        moved = [{**{name: case[name] for name in asked}, "drg": row["to_group"], "total_cost": float(case["total_cost"])}
                 for case in mine]  # fmt: skip
        standard = drgsim.settle(moved, POLICY, hospitals=SAMPLE / "hospitals.csv").cases["standard"].to_pylist()
        gains = [there - case["standard"] for there, case in zip(standard, mine, strict=True)]
        assert row["cases"] == len(mine)
        assert float(row["worth"]) == pytest.approx(float(mean(gains)), abs=0.01)
        dear = [gain for gain, there, case in zip(gains, standard, mine, strict=True) if case["total_cost"] > there]
        assert (row["dear_cases"], row["dear_worth"]) == (len(dear), sum(dear, Decimal(0)))


def test_steps_lead_to_a_group_that_asks_for_a_severer_diagnosis_and_nothing_else() -> None:
    scheme = drgsim.load_scheme("chs-drg-2.0")
    steps = list(severity_steps(scheme))
    assert len(steps) > 100
    for step in steps:
        assert scheme.drgs[step.group].adrg == scheme.drgs[step.to_group].adrg
        assert step.level in str(scheme.drgs[step.to_group].rule)
        assert step.group[-1] > step.to_group[-1]  # 1 MCC, 3 CC, 5 neither


def test_candidates_for_review_lose_are_insured_and_stay_within_the_quota() -> None:
    review = accounts().review
    rows = accounts().tables["review_cases"].to_pylist()
    cases = {case["discharge_id"]: case for case in own_cases()}
    payable = [case for case in cases.values() if case["case_class"] not in ("unpaid", "self_pay")]
    share = drgsim.load_policy(POLICY).file.special_review.quota.value  # type: ignore[union-attr]
    assert review.from_policy
    assert review.quota == int(share * len(payable))
    assert rows
    assert len(rows) <= review.quota
    for row in rows:
        case = cases[row["discharge_id"]]
        assert case["margin"] < 0
        assert case["case_class"] not in ("self_pay", "by_item", "ungrouped", "ambiguous")
    assert [row["margin"] for row in rows] == sorted(row["margin"] for row in rows)


def test_records_to_mend_are_those_without_a_plain_group() -> None:
    found = drgsim.group(discharges(), "beijing-2024").cases.to_pandas()
    found = found[(found.hospital_id == hospitals_by_size()[0]) & (found.status != "grouped")]
    kinds = accounts().coding.kinds.to_pandas()
    for status in ("invalid", "ungroupable", "ambiguous"):
        assert kinds[kinds.kind == status].cases.sum() == (found.status == status).sum()
    assert set(found.discharge_id) <= set(accounts().coding.cases["discharge_id"].to_pylist())
    assert any(row["details"] for row in accounts().coding.cases.to_pylist())


def test_the_order_of_the_cases_does_not_matter() -> None:
    frame = all_cases().sample(400, random_state=3)
    one, other = (
        drgsim.report_on(each, POLICY, hospitals=SAMPLE / "hospitals.csv")
        for each in (frame, frame.sample(frac=1, random_state=5))
    )
    for name, table in one.tables.items():
        if name != "coding_kinds":  # names the first cases as samples
            assert table.equals(other.tables[name]), name


CASE: Row = {
    "discharge_id": "1", "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": "", "los_days": 9,
    "total_cost": 21000.0, "insurance": "employee",
}  # fmt: skip


def page_of(report: drgsim.Report, language: str = "en") -> str:
    with speaking(language):
        return hospital_page(hospital_accounts(report.settled))


def test_what_a_file_does_not_hold_is_said() -> None:
    shown = page_of(drgsim.report_on([CASE], POLICY))
    for said in (
        "names no doctors",
        "names no departments",
        "no dates of discharge",
        "no costs by category",
        "is of one hospital",
    ):
        assert said in shown, said


def test_groups_without_codes_are_taken_as_they_are() -> None:
    made = drgsim.report_on([{"discharge_id": "1", "drg": "FR15", "total_cost": 21000, "insurance": "employee"}], POLICY)
    shown = page_of(made)
    assert made.record["schemes"] == []
    assert "holds no diagnoses" in shown
    assert "not known which scheme" in shown
    assert made.to_arrow("groups")["margin"].to_pylist() == [Decimal("-8644.00")]


@pytest.mark.parametrize("policy", [None, "zhejiang/2025"])
def test_a_price_that_nobody_states_is_an_assumption_that_breaks_even(policy: str | None) -> None:
    cases = [
        {**CASE, "discharge_id": str(place), "total_cost": 15000.0 + 500 * place, "hospital_level": "3"} for place in range(9)
    ]
    weights = None if policy is None else pd.DataFrame({"drg": ["FR15", "FR19"], "weight": [1.1, 1.0]})
    made = drgsim.report_on(cases, policy, scheme="chs-drg-2.0", weights=weights)
    assert made.settled.basis is PriceBasis.BREAK_EVEN
    assert made.record["paid"] == 9
    assert abs(made.to_arrow("overview")["margin"][0].as_py()) < Decimal("0.10")  # half a fen for each case
    shown = page_of(made)
    assert "Assumption: one unit (weight or point) is worth" in shown
    assert "needs the region" in shown
    given = drgsim.report_on(cases, policy, scheme="chs-drg-2.0", weights=weights, unit_value=12000 if policy is None else 120)
    assert given.settled.basis is PriceBasis.GIVEN
    assert "Assumption: one unit" not in page_of(given)


def test_a_level_that_is_told_pays_the_cases_of_a_policy_by_levels() -> None:
    made = drgsim.report_on([CASE], "national/2.0", unit_value=12000, level="三级")
    assert made.record["paid"] == 1


def test_cases_that_no_rule_pays_are_told_with_the_reason() -> None:
    shown = page_of(drgsim.report_on([CASE], "national/2.0", unit_value=12000))
    assert "1 of 1 cases have no amount" in shown
    assert "the level of the hospital is not known" in shown


def test_a_headline_begins_with_what_is_unpaid_why_and_what_to_do() -> None:
    cases = [{**CASE, "discharge_id": str(place)} for place in range(9)] + [{**CASE, "discharge_id": "x", "insurance": "self"}]
    lead = str(drgsim.report_on(cases, None, scheme="chs-drg-2.0").lead)
    assert lead.startswith("9 of 10 cases are not paid")
    assert "--level 3" in lead
    assert "No group loses" not in lead
    kinds = drgsim.report_on(cases, None, scheme="dip-taian-2025")
    assert str(kinds.lead).startswith("9 of 10 cases are not paid")
    assert "--policy" in str(kinds.lead)
    assert "9 例未结算" in spoken(kinds.lead, "zh")
    told = drgsim.report_on(cases, None, scheme="chs-drg-2.0", level="3")
    assert "not paid" not in str(told.lead)


def test_cases_without_a_group_are_in_no_index() -> None:
    cases = [{"discharge_id": str(place), "drg": drg, "total_cost": cost, "los_days": 5, "insurance": "employee"}
             for place, (drg, cost) in enumerate([("FR15", 9000), ("FR15", 9000), ("0000", 1000), ("0000", 9000)])]  # fmt: skip
    made = drgsim.report_on(cases, POLICY)
    rows = {row["group"]: row["cost_index"] for row in made.to_arrow("groups").to_pylist()}
    assert rows == {"FR15": 1.0, "0000": None}
    assert "2 cases without a plain group" in page_of(made)


def test_groups_beyond_the_axis_are_labelled_with_their_margin_and_counted() -> None:
    rows: list[Row] = [
        {"group": NamedCode(f"G{n}", ""), "cases": n % 7 + 1, "margin_per_case": float(n), "cost": 100.0 + n, "cmi": 1.0}
        for n in range(100)
    ]
    rows[7]["margin_per_case"], rows[8]["margin_per_case"] = -90000.0, -70000.0
    plot = quadrant_plot(rows)
    assert "2 groups lie beyond it" in plot.caption
    for _, svg in plot_drawings(plot):
        assert ">G7 -90,000</text>" in svg
        assert ">G8 -70,000</text>" in svg
    assert "cut" not in quadrant_plot(rows[10:40]).caption


def test_the_first_sheet_names_the_hospital_and_counts_as_the_page(tmp_path: Path) -> None:
    with speaking("en"):
        region_report().save(tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[0]
    facts = {row[0]: row[1] for row in reversed(list(sheet.iter_rows(values_only=True))) if row[0]}  # the first of a name
    whole = accounts().sums.whole.to_pylist()[0]
    assert facts["Hospital"].startswith(accounts().hospital.id)
    assert (facts["Cases"], facts["Cost (yuan)"]) == (whole["cases"], float(whole["cost"]))
    count = facts["Assumptions"].split()[0]
    assert f"Rests on {count} assumptions" in page_of(region_report())
    assert region_report().to_arrow("assumptions").num_rows == int(count)


def test_a_benchmark_is_compared_with_group_by_group() -> None:
    table = pd.DataFrame(
        {"病组": ["FR15", "ES21"], "次均费用": [10500, 1], "平均住院日": [12, 1], "权重": [1.2, 1], "例数": [30, 10]}
    )
    made = drgsim.report_on([CASE, {**CASE, "discharge_id": "2", "total_cost": 10500}], POLICY, benchmark=table)
    whole = made.to_arrow("overview").to_pylist()[0]
    assert (whole["cost_index"], whole["time_index"]) == (1.5, 0.75)
    read = hospital_accounts(made.settled, benchmark=(drgsim.Result({"x": _arrow(table)}).to_arrow(), "benchmark")).reference
    assert read.cmi == pytest.approx((1.2 * 30 + 10) / 40)
    assert "2 of 2 cases have a group that the benchmark lists" in made._page()


def _arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame)


def test_a_benchmark_with_mistakes_names_all_of_them() -> None:
    with pytest.raises(drgsim.DrgsimError) as error:
        drgsim.report_on([CASE], POLICY, benchmark=pd.DataFrame({"drg": ["FR15", "FR15"], "mean_cost": ["?", "-3"]}))
    assert [problem.code for problem in error.value.problems] == ["benchmark-number", "benchmark-group-twice"]
    with pytest.raises(drgsim.DrgsimError) as error:
        drgsim.report_on([CASE], POLICY, benchmark=pd.DataFrame({"x": [1]}))
    assert [problem.code for problem in error.value.problems] == ["benchmark-missing-column"] * 2


def test_a_hospital_that_no_case_is_of_is_refused() -> None:
    with pytest.raises(drgsim.DrgsimError) as error:
        drgsim.report_on([{**CASE, "hospital_id": "H001"}], POLICY, hospital="H01")
    assert error.value.problems[0].code == "report-unknown-hospital"
    assert "H001" in error.value.problems[0].fix


def test_the_page_of_a_region_speaks_chinese_and_english() -> None:
    pages = {language: page_of(region_report(), language) for language in ("zh", "en")}
    for shown in pages.values():
        assert shown.count('<section class="card"') >= 13
        assert "<script" not in shown
        assert all(code in shown for code in accounts().review_texts.diagnoses[0][0][:1])
    assert "特病单议" in pages["zh"]
    assert "Candidates for special review" in pages["en"]
    body = pages["zh"].partition("</style>")[2].partition('id="rests"')[0]
    settlement = region_report().settled.settlement
    told = [*settlement.ledger.cases.fault_words, *(problem.fix for problem in settlement.problems)]  # the words of settling
    assert english_in(_plain(body), told) == []


def _plain(html: str) -> str:
    import re

    return re.sub(r"<[^>]+>", "\n", html)


@pytest.mark.parametrize("file", ["v1-clean.xlsx", "v3-gbk.csv", "v8-old.xls", "v12-three-sheets.xlsx"])
def test_exports_as_hospitals_send_them_become_reports(file: str, tmp_path: Path) -> None:
    path = SHARED / "intake" / file
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    done = run("report", str(path), "-p", POLICY, "-o", str(tmp_path / "report"))
    assert "report.html" in done.stdout
    assert sorted(each.name for each in (tmp_path / "report").iterdir()) == ["report.html", "report.xlsx", "run.json"]
    assert "22" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_the_workbook_is_in_the_words_of_the_reader(tmp_path: Path) -> None:
    for language, words in (
        ("zh", {"病组", "科室", "特病单议", "申报材料"}),
        ("en", {"Departments", "Special review", "Dossiers"}),
    ):
        with speaking(language):
            region_report().save(tmp_path / f"{language}.xlsx")
        book = openpyxl.load_workbook(tmp_path / f"{language}.xlsx")
        assert words <= set(book.sheetnames)
        assert len(book.worksheets[1]._charts) == 3
        losing = next(sheet for sheet in book if sheet.max_row == accounts().losing_cases.num_rows + 1)
        assert not any("|" in str(cell.value) or cell.data_type == "f" for row in losing.iter_rows() for cell in row)
    with speaking("zh"):
        shown = [str(cell.value) for sheet in openpyxl.load_workbook(tmp_path / "zh.xlsx").worksheets[1:-1]
                 for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]  # fmt: skip
    assert english_in("\n".join(shown)) == []


def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    done = run("report", str(discharges()), "--for", "nobody", "-o", str(tmp_path / "r"), code=2)
    assert "--for" in done.stderr
    assert "hospital" in done.stderr
    assert not (tmp_path / "r").exists()


def test_margins_are_numbers_and_no_case_is_counted_twice() -> None:
    margin = accounts().hospital.cases.margin
    assert margin.dtype == np.int64
    assert accounts().hospital.own.sum() == len(own_cases())
