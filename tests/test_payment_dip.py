"""The money side of DIP: coefficients from history, classes of kinds, floating point value, prepayment and clearing."""

from __future__ import annotations

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from drgsim.cli.main import app
from drgsim.errors import InputError, UsageError
from drgsim.payment.clearing import Assessment, monthly_prepayments, read_assessments, yearly_clearing
from drgsim.payment.coefficient_history import CoefficientSettings, ScoredHistory, estimate_coefficients
from drgsim.payment.history_tables import read_scored
from drgsim.payment.own_weights import with_relative_values
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.region.hospital_list import GroupCoefficients, Hospital
from tests.conftest import ROOT
from tests.payment_policies import amounts, codes_of, keyed, policy_with, settled, table_of, value

RUN = CliRunner()
DRAFT = "national/dip-3.0-draft"
CATALOGUE = """code,dx,procedure,related,operation_class,kind,score,mean_cost,cases,cv
K35.9:47.0100,K35.9,47.0100,,,core,900,8000,100,0.4
I10.x,I10.x,,,,core,500,4500,200,0.5
J20.9,J20.9,,,,primary,300,2700,300,0.3
G1,A00,,,conservative,comprehensive,400,3600,50,0.6
G1,A01,,,conservative,comprehensive,400,3600,50,0.6
"""


# -- what a cost is compared with --------------------------------------------------------------------------------------
def test_section_3_6_a_low_case_with_an_auxiliary_coefficient_is_paid_its_bill() -> None:
    """DIP 3.0: below half of the standard S k x auxiliary, the actual cost; the standard here is 1000 x 10 x 1.2 = 12000."""
    columns = {"dip": "K1", "relative_value": 1000.0, "auxiliary_coefficient": 1.2}
    result = settled(DRAFT, None, {"unit_value": {"*": 10}}, **columns, total_cost=[5500.0, 6000.0, 24000.0])
    assert amounts(result) == ["5500.00", "12000.00", "12000.00"]
    assert result.table["case_class"].to_pylist() == ["low", "normal", "high"]
    assert result.table["cost_ratio"].to_pylist() == pytest.approx([5500 / 12000, 0.5, 2])
    budget = settled(DRAFT, None, {"budget": {"*": 24000.0}}, **columns, total_cost=[6000.0, 6000.0])
    assert budget.table["cost_ratio"].to_pylist() == pytest.approx([0.5, 0.5]), "the expected price has it too"


def test_a_blank_kind_without_a_cost_is_of_its_kind() -> None:
    result = settled("taian/2025", None, {"unit_value": {"*": 10}}, dip="KBBZ", total_cost=[8000.0, 0.0])
    assert amounts(result) == ["3931.20", "0.00"]


# -- kinds of a catalogue ----------------------------------------------------------------------------------------------
def _catalogue(tmp_path: Path, text: str = CATALOGUE) -> Any:
    path = tmp_path / "kinds.csv"
    path.write_text(text, encoding="utf-8")
    return with_relative_values(load_policy(DRAFT), path)[0]


def test_section_3_4_kinds_of_a_catalogue_have_the_coefficients_of_their_class(tmp_path: Path) -> None:
    policy = _catalogue(tmp_path)
    given = GroupCoefficients({("H1", ""): 1.1}, {("3", ""): 1.05})
    cases = table_of(
        dip=["K35.9:47.0100", "I10.x", "J20.9", "G1"], hospital_id="H1", hospital_level="3", total_cost=[9000.0] * 4
    )
    result = settle(cases, policy, unit_value={"*": 10}, coefficients=given)
    assert result.table["coefficient"].to_pylist() == [1.1, 1.05, 1.0, 1.05]
    assert result.table["relative_value"].to_pylist() == [900, 500, 300, 400]
    rules = result.table["rule"].to_pylist()
    assert [rule.rpartition("; k ")[2] for rule in rules] == [
        "of the hospital", "of the level", "of the group's class", "of the level",
    ]  # fmt: skip


def test_a_primary_care_case_of_a_wider_kind_has_no_coefficient_of_its_hospital(tmp_path: Path) -> None:
    # the kind is a core one, the case stands on the primary-care list: its own word goes before that of the table
    policy = _catalogue(tmp_path)
    given = GroupCoefficients({("H1", ""): 1.1}, {("3", ""): 1.05})
    cases = table_of(
        dip=["K35.9:47.0100", "K35.9:47.0100", "I10.x", "I10.x"], kind=["primary", "core", "primary", ""], hospital_id="H1",
        hospital_level="3", total_cost=[9000.0] * 4,
    )  # fmt: skip
    result = settle(cases, policy, unit_value={"*": 10}, coefficients=given)
    assert result.table["coefficient"].to_pylist() == [1.0, 1.1, 1.0, 1.05]


def test_lines_of_one_kind_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="G1 stands twice"):
        _catalogue(
            tmp_path, CATALOGUE.replace("G1,A01,,,conservative,comprehensive,400", "G1,A01,,,conservative,comprehensive,4")
        )


def test_the_score_of_grouping_counts_where_no_table_does() -> None:
    result = settled(DRAFT, None, {"unit_value": {"*": 10}}, dip="X", score=[900.0], kind="primary", total_cost=9000.0)
    assert result.table["relative_value"].to_pylist() == [900]
    assert result.table["coefficient"].to_pylist() == [1]


def test_coefficients_of_levels_choose_the_nearest(tmp_path: Path) -> None:
    given = {"coefficients": GroupCoefficients({}, {("3", ""): 1.05, ("3a", ""): 1.1, ("3", "A"): 1.2})}
    columns = {"drg": ["B", "B", "A", "A"], "hospital_level": ["3", "3", "3", "2"], "hospital_grade": ["", "甲等", "甲等", ""]}
    result = settled(policy_with(tmp_path), None, given, relative_value=1.0, total_cost=30000.0, **columns)
    assert result.table["coefficient"].to_pylist() == [1.05, 1.1, 1.2, 1]


# -- coefficients from history -----------------------------------------------------------------------------------------
def _history(level: list[int], cost: list[float], cases: int = 50) -> ScoredHistory:
    """Hospitals with equal scores, of levels 1 to 3, and what their scores cost."""
    count = len(level)
    hospital = np.repeat(np.arange(count), cases)
    return ScoredHistory(
        tuple(f"H{n}" for n in range(count)), ("1", "2", "3"), np.array(level) - 1, hospital,
        np.full(hospital.size, 2024), np.repeat(cost, cases).astype(float), np.full(hospital.size, 1000.0),
    )  # fmt: skip


HOSPITALS = st.lists(st.tuples(st.integers(1, 3), st.floats(1000, 30000)), min_size=2, max_size=12)


@given(HOSPITALS, st.sampled_from(["level", "hospital"]))
def test_section_3_4_coefficients_never_fall_from_a_level_to_a_higher_one(hospitals: Any, own: Any) -> None:
    level, cost = map(list, zip(*hospitals, strict=True))
    found = estimate_coefficients(_history(level, cost), CoefficientSettings(own=own))
    for low, high in ((a, b) for a in range(len(level)) for b in range(len(level)) if level[a] < level[b]):
        assert found.hospital[low] <= found.hospital[high] + 1e-9
    known = found.level[~np.isnan(found.level)]
    assert (np.diff(known) >= 0).all()
    assert found.hospital.mean() == pytest.approx(1, abs=2e-4), "the sum of score x k stays"


def test_a_bonus_is_added_to_the_coefficient_of_the_level() -> None:
    history = _history([2, 2, 3], [8000, 8000, 14000])
    base = estimate_coefficients(history)
    assert base.hospital.tolist() == [0.8, 0.8, 1.4]
    found = estimate_coefficients(history, CoefficientSettings(bonus={"H1": 0.05}))
    assert found.hospital.tolist() == [0.8, 0.85, 1.4]
    inverted = estimate_coefficients(history, CoefficientSettings(bonus={"H1": 0.9}))
    assert inverted.hospital[1] == inverted.hospital[2] == pytest.approx(1.55)
    with pytest.raises(InputError, match="H9"):
        estimate_coefficients(history, CoefficientSettings(bonus={"H9": 0.1}))


@pytest.mark.parametrize("own", ["level", "hospital"])
def test_a_bonus_that_leaves_no_coefficient_above_0_is_refused(own: Any) -> None:
    history = _history([2, 2, 3], [8000, 8000, 14000])
    with pytest.raises(InputError) as caught:
        estimate_coefficients(history, CoefficientSettings(own=own, bonus={"H1": -2.0, "H2": -1.4, "H0": -0.1}))
    assert [problem.code for problem in caught.value.problems] == ["coefficients-bonus"] * 2
    assert "bonus -2 of H1 makes its coefficient -1.2000" in caught.value.problems[0].what


def test_small_hospitals_have_the_coefficient_of_their_level() -> None:
    found = estimate_coefficients(_history([2, 2, 3], [4000, 12000, 14000], 20), CoefficientSettings(own="hospital"))
    assert found.hospital.tolist() == [0.8, 0.8, 1.4]


def test_every_year_of_the_history_needs_a_weight() -> None:
    with pytest.raises(InputError, match="2024 have no weight"):
        estimate_coefficients(_history([2, 3], [1, 2]), CoefficientSettings({2023: 1.0}))


def test_kinds_without_coefficient_and_incomplete_cases_are_not_history() -> None:
    table = table_of(
        dip="X", score=[1000.0, 1000.0, 1000.0, None, 1000.0], kind=["core", "primary", "core", "core", "core"],
        hospital_id=["H2", "H2", "H1", "H1", "H1"], hospital_level=["3", "3", "2", "2", None],
        total_cost=[9.0, 9.0, 5.0, 5.0, 5.0],
    )  # fmt: skip
    history, problems = read_scored(table, load_policy(DRAFT))
    assert (history.hospitals, history.levels) == (("H1", "H2"), ("2", "3"))
    assert history.cost.tolist() == [9.0, 5.0]
    assert {problem.code for problem in problems} >= {"coefficients-fixed", "coefficients-no-score", "coefficients-no-level"}


def test_coefficients_of_a_history_settle_the_next_year(tmp_path: Path) -> None:
    lines = ["discharge_id,dip,score,hospital_id,total_cost,discharged"]
    for number in range(120):
        hospital = f"H{number % 3}"
        lines.append(f"{number},X,1000,{hospital},{(8000, 10000, 15000)[number % 3]},{2022 + number % 2}-05-0{1 + number % 9}")
    (tmp_path / "history.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "hospitals.csv").write_text("hospital_id,level\nH0,2\nH1,2\nH2,3\nH3,3\n", encoding="utf-8")
    command = ["coefficients", str(tmp_path / "history.csv"), "-p", DRAFT, "--hospitals", str(tmp_path / "hospitals.csv"),
               "-o", str(tmp_path / "k"), "--years", "1:2"]  # fmt: skip
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "budget point value" in result.output
    record = json.loads((tmp_path / "k" / "run.json").read_text(encoding="utf-8"))
    assert record["budget_point_value"] == pytest.approx(11)
    with (tmp_path / "k" / "coefficients.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["coefficient"] for row in rows] == ["0.8182", "0.8182", "1.3636", "0.8182", "1.3636"]
    (tmp_path / "next.csv").write_text("dip,score,hospital_id,total_cost\nX,1000,H0,9000\nX,1000,H3,9000\n", encoding="utf-8")
    own = ["--hospitals", str(tmp_path / "hospitals.csv"), "--coefficients", str(tmp_path / "k" / "coefficients.csv")]
    settle_it = ["settle", str(tmp_path / "next.csv"), "-p", DRAFT, "--unit-value", "11", "-o", str(tmp_path / "o.csv"), *own]
    assert RUN.invoke(app, settle_it).exit_code == 0
    with (tmp_path / "o.csv").open(encoding="utf-8-sig") as file:
        assert [row["amount"] for row in csv.DictReader(file)] == ["9000.20", "14999.60"]
    assert RUN.invoke(app, [*command, "--years", "1:2:7"]).exit_code != 0
    assert RUN.invoke(app, [*command, "--own", "hospitals"]).exit_code != 0


# -- floating point value ----------------------------------------------------------------------------------------------
def test_a_floating_value_needs_a_policy_that_has_one_and_every_payer() -> None:
    columns = {"dip": "A", "relative_value": 900.0, "coefficient": 1.0, "group_mean_cost": 9000.0, "total_cost": [9000.0]}
    options = {"budget": {"employee": 1e6, "resident": 1e6}, "budget_value": {"employee": 7.0}}
    with pytest.raises(UsageError, match="no floating value"):
        settled("national/dip-1.0", None, options, insurance="employee", **columns)
    with pytest.raises(UsageError, match="budget value is"):
        settled(DRAFT, None, options, insurance=["employee", "resident"], **{**columns, "total_cost": 9000.0})


# -- prepayment and clearing -------------------------------------------------------------------------------------------
def _year(tmp_path: Path, **more: Any) -> Any:
    folder = policy_with(tmp_path, {"method": "dip", "clearing": {"basis": value("share", "rule")},
                                    "prepayment": value(0.9, "share of the month")})  # fmt: skip
    columns = {"dip": "A", "relative_value": 1.0, "total_cost": 30000.0, "insurance": "employee", **more}
    return settled(folder, None, {"unit_value": {"*": 7.0}}, **columns)


def test_section_3_7_yearly_clearing_of_a_million_scores(tmp_path: Path) -> None:
    year = _year(tmp_path, relative_value=[600_000.0, 400_000.0], hospital_id="H1", total_cost=5_000_000.0)
    cleared = yearly_clearing(year, None, {"H1": Assessment(0.98, 1_200_000)}, fund_share=0.65).to_pylist()[0]
    assert (cleared["units"], str(cleared["amount"]), str(cleared["due"])) == (1_000_000, "7000000.00", "4447000.00")


def test_section_1_6_monthly_prepayment_by_hospital(tmp_path: Path) -> None:
    year = _year(
        tmp_path, relative_value=[1000.0, 714.285714, 1000.0, 1000.0], hospital_id=["H1", "H1", "H1", "H2"],
        discharged=["2024-03-01", "2024-03-31", "2024-04-01", "2024-04-01"], patient_paid=[2000.0, 500.0, 9000.0, None],
        total_cost=7000.0,
    )  # fmt: skip
    rows = monthly_prepayments(year, 0.9).to_pylist()
    assert [(row["hospital_id"], row["month"], str(row["prepaid"])) for row in rows] == [
        ("H1", "2024-03", "8550.00"), ("H1", "2024-04", "0.00"), ("H2", "2024-04", "6300.00"),
    ]  # fmt: skip


def test_self_payers_and_unpaid_cases_are_not_prepaid(tmp_path: Path) -> None:
    year = _year(tmp_path, hospital_id="H1", insurance=["self", "employee", "employee"], total_cost=[9.0, -1.0, 9.0])
    row = monthly_prepayments(year, 0.9).to_pylist()[0]
    assert (row["cases"], row["month"], str(row["amount"])) == (1, "", "7.00")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 12), st.integers(0, 900_000)), min_size=1, max_size=40))
def test_prepaid_and_cleared_sum_to_what_is_due(tmp_path_factory: Any, cases: list[tuple[int, int, int]]) -> None:
    hospital, month, score = map(list, zip(*cases, strict=True))
    year = _year(
        tmp_path_factory.mktemp("p"), hospital_id=[f"H{n}" for n in hospital], relative_value=[s / 100 + 0.01 for s in score],
        discharged=[f"2024-{m:02d}-15" for m in month], patient_paid=1.0,
    )  # fmt: skip
    prepaid = monthly_prepayments(year, 0.9)
    judged = {f"H{hospital[0]}": Assessment(0.97, 12_345)}
    cleared = yearly_clearing(year, prepaid, judged, 0.65)
    for row in cleared.to_pylist():
        assert row["prepaid"] + row["clearing"] == row["due"]
        ideal = float(row["amount"]) * 0.65 * row["assessment"] - float(row["deductions"])
        assert float(row["due"]) == pytest.approx(ideal, abs=0.0051)
    assert sum(prepaid["amount"].to_pylist()) == sum(cleared["amount"].to_pylist()) == Decimal(int(year.amount.sum())) / 100
    assert sum(prepaid["prepaid"].to_pylist()) == sum(cleared["prepaid"].to_pylist())


@pytest.mark.parametrize(("net", "owed"), [("case", "20000.00"), ("hospital_month", "20000.00"), ("hospital_year", "19000.00")])
def test_clearing_by_cases_owes_what_the_fund_pays_for_them(tmp_path: Path, net: str, owed: str) -> None:
    share = {"mode": value("remainder"), "floor_at_zero": value(True), "net": value(net)}
    year = settled(policy_with(tmp_path, {"patient_share": share}), drg="A", relative_value=1.0, hospital_id=["H1", "H1"],
                   total_cost=30000.0, patient_paid=[10000.0, 31000.0], discharged=["2024-02-01", "2024-03-01"])  # fmt: skip
    assert [str(fen) for fen in yearly_clearing(year, fund_share=0.5)["owed"].to_pylist()] == [owed]


def test_assessments_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("hospital_id,assessment,deductions\nH1,0.98,12000\nH2,,\n", encoding="utf-8")
    assert read_assessments(path) == {"H1": Assessment(0.98, 1_200_000), "H2": Assessment()}
    path.write_text("hospital_id,assessment\nH1,-1\nH1,1\n,1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_assessments(path)
    assert [p.code for p in caught.value.problems] == ["assessment-number", "assessment-hospital", "assessment-hospital"]
    with pytest.raises(InputError, match="H9"):
        yearly_clearing(_year(tmp_path, hospital_id=["H1"]), None, {"H9": Assessment()})


def test_clearing_command(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "dip,score,hospital_id,total_cost,discharged,patient_paid\nA,1000,H1,9000,2024-03-05,2000\nA,500,H2,4000,2024-04-05,1000\n",
        encoding="utf-8",
    )
    (tmp_path / "a.csv").write_text("hospital_id,assessment,deductions\nH1,0.95,100\n", encoding="utf-8")
    command = ["settle", str(tmp_path / "c.csv"), "-p", DRAFT, "--unit-value", "7", "--fund-share", "0.65",
               "-o", str(tmp_path / "o"), "--clearing", "--assessment", str(tmp_path / "a.csv")]  # fmt: skip
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    with (tmp_path / "o" / "clearing.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(r["hospital_id"], r["owed"], r["due"], r["prepaid"], r["clearing"]) for r in rows] == [
        ("H1", "4550.00", "4222.50", "4500.00", "-277.50"), ("H2", "2275.00", "2275.00", "2250.00", "25.00"),
    ]  # fmt: skip
    assert (tmp_path / "o" / "prepayment.csv").is_file()
    for wrong in ([*command[:-3], "--prepay", "0.9"], ["settle", *command[1:2], "-p", "beijing/2024", *command[4:-2]]):
        assert isinstance(RUN.invoke(app, wrong).exception, UsageError), wrong


def test_hospital_lists_and_dated_coefficients_go_together(tmp_path: Path) -> None:
    spec = {"by_hospital": True, "by": keyed({"3": 1.2}, effective_from="2024-07-01", earlier=[keyed({"3": 1.1})])}
    hospitals = {"H1": Hospital("3", "", 1.3, ""), "H2": Hospital("3", "", float("nan"), "")}
    result = settled(policy_with(tmp_path, {"coefficient": spec}), hospitals, drg="A", relative_value=1.0, total_cost=30000.0,
                     hospital_id=["H1", "H2", "H2"], discharged=["2024-08-01", "2024-08-01", "2024-06-30"])  # fmt: skip
    assert result.table["coefficient"].to_pylist() == [1.3, 1.2, 1.1]
    assert "settle-before-value" not in codes_of(result)


def test_section_3_6_blank_kinds_are_worth_their_mean_cost(tmp_path: Path) -> None:
    """1000 C / M x 0.4368 x 0.9 whatever the score: M, the mean of all cases, is 8000."""
    columns = {"coefficient": 1.0, "hospital_level": "3", "group_mean_cost": [None, None, 12000.0]}
    result = settled("taian/2025", None, {"unit_value": {"*": 10}}, dip=["KBBZ", "KBBZ", "A02.0"],
                     total_cost=[5000.0, 7000.0, 12000.0], **columns)  # fmt: skip
    assert result.table["points"].to_pylist()[:2] == pytest.approx([1000 * 5 / 8 * 0.39312, 1000 * 7 / 8 * 0.39312])
    assert codes_of(result)["settle-value-of-cases"].startswith("2 cases")


def test_a_table_goes_before_the_score_of_grouping() -> None:
    result = settled("taian/2025", None, {"unit_value": {"*": 10}}, dip=["A02.0", "new"], score=[1.0, 333.0], coefficient=1.0,
                     group_mean_cost=4000.0, total_cost=4000.0)  # fmt: skip
    assert result.table["relative_value"].to_pylist() == [420.2102, 333]


@pytest.mark.slow
def test_discharges_are_grouped_by_a_catalogue_and_settled_in_one_command(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "discharge_id,sex,age,los_days,diagnoses,procedures,total_cost,discharged\n"
        "1,1,50,3,I10.x00,,3000,2025-03-01\n2,1,50,3,K35.200,47.0100,9000,2025-03-01\n",
        encoding="utf-8",
    )
    command = ["settle", str(tmp_path / "c.csv"), "-p", "taian/2025", "--unit-value", "10", "-o", str(tmp_path / "o.csv")]
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    with (tmp_path / "o.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["unit"] == "K35.2:47.0100"
    assert all(row["amount"] for row in rows)


def test_costs_are_compared_with_the_price_at_the_budget_value() -> None:
    """Half of 900 x 10 is 4500: a cost below it is low although the settlement value is 6."""
    columns = {"dip": ["A", "B"], "relative_value": 900.0, "coefficient": 1.0, "total_cost": [4400.0, 9000.0]}
    options = {"budget": {"*": 10800.0}, "budget_value": {"*": 10.0}}
    result = settled(DRAFT, None, options, **columns)
    assert result.table["case_class"].to_pylist() == ["low", "normal"]
    assert "all payers: the floating value pays" in codes_of(result)["settle-floating-budget"]
    assert codes_of(result)["settle-floating-budget"].endswith("yuan more than the budget")
    plain = settled(DRAFT, None, {"budget": {"*": 10800.0}}, **columns)
    assert plain.table["case_class"].to_pylist() == ["normal", "normal"]


def test_a_catalogue_that_history_built_groups_and_prices_the_next_discharges(tmp_path: Path) -> None:
    """A folder of a catalogue is scheme and table of scores at once."""
    folder = tmp_path / "catalogue"
    shutil.copytree(ROOT / "groupers" / "dip-taian-2025", folder)
    lines = ["discharge_id,sex,age,los_days,diagnoses,procedures,total_cost"]
    (tmp_path / "c.csv").write_text("\n".join([*lines, "1,1,50,3,K35.200,47.0100,9000"]), encoding="utf-8")
    command = ["settle", str(tmp_path / "c.csv"), "-p", DRAFT, "--weights", str(folder), "--unit-value", "10"]
    result = RUN.invoke(app, [*command, "-o", str(tmp_path / "o.csv")])
    assert result.exit_code == 0, result.output
    with (tmp_path / "o.csv").open(encoding="utf-8-sig") as file:
        row = next(csv.DictReader(file))
    assert (row["unit"], row["relative_value"], row["amount"]) == ("K35.2:47.0100", "1419.3016", "14193.02")
