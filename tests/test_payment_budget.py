"""What a budget does to cases: too small a budget, payers outside it, and what costs are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from drgsim.money import MISSING
from drgsim.payment.own_weights import with_relative_values
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from tests.payment_policies import amounts, codes_of, keyed, policy_with, settled, value

QINGYANG = {"drg": "A", "relative_value": 1.0, "hospital_level": "3", "insurance": "employee"}


def _settled(budget: dict[str, float], policy: str | Path = "qingyang/2023", **columns: Any) -> Any:
    return settled(policy, None, {"budget": budget}, **columns)


# -- too small ---------------------------------------------------------------------------------------------------------
def test_a_budget_that_fixed_amounts_use_up_leaves_nothing_for_units() -> None:
    result = _settled({"*": 1000.0}, **QINGYANG, by_item=[1, 0, 0], total_cost=[20000.0, 6000.0, 2000.0])
    assert amounts(result) == ["20000.00", "None", "None"], "no published value stands in for the budget's"
    assert result.table["case_class"].to_pylist() == ["by_item", "unpaid", "unpaid"]
    assert result.table["unit_value"].to_pylist()[1:] == [None, None]
    assert not result.unit_values
    problems = [problem for problem in result.problems if problem.code == "settle-budget-too-small"]
    assert len(problems) == 1
    assert problems[0].what.startswith("2 cases are not paid")
    assert "1,000.00 yuan to share, and 20,000.00 yuan are fixed" in problems[0].what
    assert "nothing is left" in result.table["rule"][1].as_py()


def test_published_standards_do_not_stand_in_for_a_budget_that_is_used_up(tmp_path: Path) -> None:
    table = {"file": "w.csv", "unit": "weight", "source": "test", "evidence": "assumption"}
    spec = {"relative_value": {"unit": "weight", "scale": value(1), "table": table, "standard_from_table": True}}
    folder = policy_with(tmp_path, spec, {"w.csv": "drg,weight,standard\nA,1,30000\nC,,1500\n"})
    result = _settled({"*": 1000.0}, folder, drg=["A", "C"], total_cost=[30000.0, 1500.0])
    assert amounts(result) == ["None", "1500.00"]
    assert "settle-budget-too-small" in codes_of(result)


def test_special_review_may_use_up_a_budget(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"special_review": {"quota": value(1), "pays": value("by_item")}})
    columns = {"drg": "A", "relative_value": 1.0, "special_review": [1, 0], "total_cost": [90000.0, 9000.0]}
    result = _settled({"*": 60000.0}, folder, **columns)
    assert amounts(result) == ["90000.00", "None"]
    assert codes_of(result)["settle-budget-too-small"].startswith("1 cases are not paid")


# -- cost ratios -------------------------------------------------------------------------------------------------------
def test_costs_are_compared_with_the_price_of_the_budget_and_not_with_the_published_one() -> None:
    result = _settled({"*": 8000.0}, **QINGYANG, total_cost=[6000.0, 1500.0, 20000.0, 2000.0])
    expected = 8000 / (4 * 1.4)  # yuan per weight if every case were normal
    assert result.table["reference_cost"].to_pylist() == pytest.approx([expected * 1.4] * 4)
    assert result.table["cost_ratio"].to_pylist() == pytest.approx([3, 0.75, 10, 1])
    assert result.table["case_class"].to_pylist() == ["high", "normal", "high", "normal"]
    units = [1.4 * (1 + 0.7 * 0.5), 1.4, 1.4 * (1 + 0.7 * 7.5), 1.4]
    assert result.unit_values["*"] == pytest.approx(8000 / sum(units))
    assert sum(result.amount.tolist()) == pytest.approx(800000, abs=2)


def test_a_stated_mean_cost_goes_before_the_price_of_the_budget() -> None:
    result = _settled({"*": 8000.0}, **QINGYANG, group_mean_cost=[10000.0, None], total_cost=[14000.0, 4000.0])
    assert result.table["cost_ratio"].to_pylist() == pytest.approx([1, 1])


def test_a_case_exactly_at_the_limit_is_decided_by_the_price_of_the_budget() -> None:
    """The ratio is too near to K for floats: fractions decide, and with the same mean."""
    limit = 2.5 * 5000
    result = _settled({"*": 10000.0}, **QINGYANG, total_cost=[limit, 5000.0])
    assert result.table["case_class"].to_pylist() == ["normal", "normal"]
    above = _settled({"*": 10000.0}, **QINGYANG, total_cost=[limit + 0.01, 5000.0])
    assert above.table["case_class"].to_pylist() == ["high", "normal"]


def test_a_case_that_cannot_be_paid_has_no_part_in_the_expected_price() -> None:
    """Harbin pays by level: a case whose level is not known moved the cost ratios of all others."""
    columns = {"drg": "A", "relative_value": [2.0, 1.0], "insurance": "employee", "hospital_level": ["3", None]}
    result = settled("harbin/2022", None, {"budget": {"*": 40000.0}}, **columns, total_cost=[20000.0, 9000.0])
    assert result.table["case_class"].to_pylist() == ["normal", "unpaid"]
    assert result.table["cost_ratio"][0].as_py() == pytest.approx(0.5)


def test_a_bill_that_needs_no_price_is_paid_where_the_budget_leaves_nothing_for_units() -> None:
    columns = {"drg": "A", "relative_value": 1.0, "hospital_level": "3", "insurance": "employee"}
    result = _settled({"*": 1000.0}, by_item=[1, 0, 0], group_mean_cost=[None, 10000.0, None],
                      total_cost=[20000.0, 1000.0, 1000.0], **columns)  # fmt: skip
    assert amounts(result) == ["20000.00", "1000.00", "None"], "0.1 of a stated mean is low, whatever the price"


def test_what_is_paid_the_standard_counts_in_the_expected_price(tmp_path: Path) -> None:
    said = {"title": "fixed", "title_zh": "定额", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {"group_classes": {"fixed": {**said, "groups": ["F"], "pays": "standard"}}})
    result = _settled({"*": 80000.0}, folder, drg=["F", "A"], relative_value=[1.0, 3.0], total_cost=[500000.0, 50000.0])
    assert result.table["reference_cost"].to_pylist()[1] == 60000


# -- payers ------------------------------------------------------------------------------------------------------------
def test_cases_whose_payer_has_no_part_in_the_budget_are_not_paid_beside_it() -> None:
    columns = {
        "drg": "A", "relative_value": 100.0, "coefficient": 1.0, "group_mean_cost": 9000.0, "total_cost": [9000.0] * 6,
        "insurance": ["employee", "外星", None, "resident", "自费", None], "by_item": [0, 0, 0, 0, 0, 1],
    }  # fmt: skip
    both = _settled({"employee": 10000.0, "resident": 5000.0}, "ningbo/2022", **columns)
    assert amounts(both) == ["10000.00", "None", "None", "5000.00", "9000.00", "9000.00"]
    problem = next(p for p in both.problems if p.code == "settle-outside-budget")
    assert problem.what.startswith("2 cases are not paid")
    assert "18,000.00 yuan" in problem.what
    assert problem.where == "insurance blank or unknown"
    one = _settled({"employee": 10000.0}, "ningbo/2022", **columns)
    assert one.amount.tolist() == [1_000_000, MISSING, MISSING, MISSING, 900_000, 900_000]
    whole = _settled({"*": 40000.0 + 9000.0}, "ningbo/2022", **columns)
    assert amounts(whole) == ["10000.00"] * 4 + ["9000.00"] * 2
    assert "settle-outside-budget" not in codes_of(whole)


def test_points_per_day_outside_the_budget_are_not_paid(tmp_path: Path) -> None:
    rate = {"values": {"*": 5}, "unit": "points per day", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {"per_diem": {"rate": rate, "rate_unit": "point"}})
    columns = {"drg": "A", "relative_value": 1.0, "per_diem": 1, "los_days": 10.0, "total_cost": 900.0}
    result = _settled({"employee": 1000.0}, folder, insurance=["employee", "resident"], **columns)
    assert amounts(result) == ["1000.00", "None"]


def test_a_blank_payer_is_questioned_where_values_differ_by_payer(tmp_path: Path) -> None:
    columns = {"drg": "A", "relative_value": 1.0, "total_cost": 30000.0, "insurance": ["employee", None]}
    folder = policy_with(tmp_path, {"unit_value": keyed({"employee": 40000, "*": 30000}, "yuan")})
    result = settled(folder, **columns)
    assert amounts(result) == ["40000.00", "30000.00"]
    assert codes_of(result)["settle-blank-insurance"].startswith("1 cases")
    assert "settle-blank-insurance" not in codes_of(_settled({"*": 60000.0}, folder, **columns)), "one value for all payers"
    assert "settle-blank-insurance" not in codes_of(settled(policy_with(tmp_path / "other"), **columns))


def test_section_2_4_mean_costs_of_weights_decide_who_is_a_low_case_whatever_the_budget(tmp_path: Path) -> None:
    """A case of 3,800 in a group with a mean of 10,000 is low (r 0.38) at every budget; ratios followed the budget."""
    (tmp_path / "weights.csv").write_text("drg,weight,mean_cost\nA,1,10000\nB,1.2,12000\n")
    policy, doubts = with_relative_values(load_policy("zhejiang/2025"), tmp_path)
    assert "settle-weights-mean" in [doubt.code for doubt in doubts]
    cases = pa.table({
        "drg": ["A", "A", "B", "B"], "coefficient": [1.0] * 4, "insurance": ["employee"] * 4,
        "total_cost": [3800.0, 9000.0, 6000.0, 14000.0],
    })  # fmt: skip
    for budget in (40_000.0, 32_000.0):
        result = settle(cases, policy, budget={"*": budget}, unstable="never")
        assert result.table["cost_ratio"].to_pylist() == [0.38, 0.9, 0.5, 14 / 12]
        assert result.table["case_class"].to_pylist() == ["low", "normal", "low", "normal"]
        assert result.table["points"].to_pylist() == pytest.approx([38, 100, 84, 120])
        assert "settle-mean-by-price" not in [problem.code for problem in result.problems]
    bare, _ = with_relative_values(load_policy("zhejiang/2025"), _without_mean(tmp_path))
    told = [problem.code for problem in settle(cases, bare, budget={"*": 40_000.0}, unstable="never").problems]
    assert "settle-mean-by-price" in told


def _without_mean(folder: Path) -> Path:
    path = folder / "bare.csv"
    path.write_text("drg,weight\nA,1\nB,1.2\n")
    return path
