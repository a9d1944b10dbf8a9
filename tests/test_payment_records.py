"""Records that are refused or contradict themselves never change what others are paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drgsim.errors import UsageError
from drgsim.payment.grouped_cases import read_cases
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import Settlement, settle_cases
from tests.payment_policies import amounts, codes_of, policy_with, settled, table_of, value


# -- costs that contradict each other ----------------------------------------------------------------------------------
def test_exempt_items_cannot_cost_more_than_the_stay(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"exempt": {"total_multiple": value(2), "cost_share": value(0.64)}})
    columns = {"drg": "A", "relative_value": 1.0, "exempt_mean_cost": 12000.0, "total_cost": 75000.0}
    result = settled(folder, exempt_cost=[50000.0, 80000.0, 75000.0], **columns)
    assert result.table["case_class"].to_pylist() == ["exempt", "high", "exempt"]
    plain = settled(folder, **columns)
    assert amounts(result) == ["68000.00", amounts(plain)[0], "93000.00"]
    assert codes_of(result)["settle-exempt-above-total"].startswith("1 cases")


def test_shares_above_the_bill_are_questioned() -> None:
    columns = {"drg": "AE19", "total_cost": [100.0, 100.0, 100.0, 100.0], "patient_paid": [60.0, 60.0, 101.0, None]}
    result = settled("beijing/2022", other_paid=[40.0, 41.0, None, 100.0], **columns)
    assert codes_of(result)["settle-paid-above-total"].startswith("2 cases")
    assert "settle-paid-above-total" not in codes_of(settled("beijing/2022", drg="AE19", total_cost=[100.0]))


# -- readmission -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("later", [{"total_cost": -5.0}, {"insurance": "self"}, {"total_cost": None}])
def test_refused_records_and_stays_of_self_payers_halve_nothing(later: dict[str, Any]) -> None:
    both = {"total_cost": [10000.0, later.get("total_cost", 10000.0)], "insurance": ["employee", later.get("insurance")]}
    options = {"unit_value": {"*": 100}}
    columns = {"drg": "ES15", "relative_value": 120.0, "coefficient": 1.0, "group_mean_cost": 10000.0, "hospital_id": "H",
               "patient_id": "P", "admitted": ["2025-01-01", "2025-01-10"],
               "discharged": ["2025-01-05", "2025-01-12"]}  # fmt: skip
    assert settled("zhejiang/2025", None, options, **columns, **both).table["points"].to_pylist()[0] == 120
    sound = {"total_cost": 10000.0, "insurance": "employee"}
    assert settled("zhejiang/2025", None, options, **columns, **sound).table["points"].to_pylist() == [60, 120]


# -- means and values of the cases -------------------------------------------------------------------------------------
def _weighted(policy: str, weight: list[float], **columns: Any) -> Settlement:
    cases = read_cases(table_of(**columns), None, "dip")
    return settle_cases(cases, load_policy(policy), weight=np.array(weight), budget={"*": 1e6})


def test_means_of_the_cases_leave_out_refused_and_free_records() -> None:
    columns = {"relative_value": 1000.0, "coefficient": 1.0, "hospital_level": "3", "dip": "A", "insurance": "employee"}
    plain = settled("national/dip-1.0", None, {"budget": {"*": 1e6}}, total_cost=[6000.0, 10000.0], **columns)
    assert plain.table["reference_cost"].to_pylist() == [8000, 8000]
    more = settled(
        "national/dip-1.0", None, {"budget": {"*": 1e6}}, total_cost=[6000.0, 10000.0, 0.0, 90000.0, -3.0],
        patient_paid=[0.0, 0.0, 0.0, -1.0, 0.0], **columns,
    )  # fmt: skip
    assert more.table["reference_cost"].to_pylist()[:3] == [8000, 8000, 8000], "the case without a cost is compared as well"
    assert more.table["case_class"].to_pylist()[2:] == ["low", "unpaid", "unpaid"]


def test_values_and_means_count_each_case_by_its_weight() -> None:
    columns = {"coefficient": 1.0, "hospital_level": "3", "insurance": "employee"}
    weighted = _weighted("taian/2025", [3.0, 1.0, 2.0], dip=["KBBZ", "KBBZ", "A02.0"],
                         group_mean_cost=[None, None, 12000.0], total_cost=[5000.0, 7000.0, 12000.0], **columns)  # fmt: skip
    repeated = settled("taian/2025", None, {"budget": {"*": 1e6}}, dip=["KBBZ"] * 4 + ["A02.0"] * 2,
                       group_mean_cost=[None] * 4 + [12000.0] * 2,
                       total_cost=[5000.0] * 3 + [7000.0] + [12000.0] * 2, **columns)  # fmt: skip
    assert weighted.table["relative_value"].to_pylist() == repeated.table["relative_value"].take([0, 3, 4]).to_pylist()
    assert weighted.table["amount"].to_pylist() == repeated.table["amount"].take([0, 3, 4]).to_pylist()


# -- what a line says of its case ----------------------------------------------------------------------------------------
def test_a_line_says_whose_case_it_is_and_what_it_cost() -> None:
    result = settled("beijing/2022", drg=["AE19", "ZZ99", None], drg_name=["as grouped", "a new group", None], hospital_id="H1",
                     discharge_department=["心内科", "", None], total_cost=[40855.04, 9000.0, None],
                     relative_value=1.0)  # fmt: skip
    names = ("hospital_id", "department", "unit", "unit_name", "total_cost")
    lines = [[str(line[name]) for name in names] for line in result.table.select(names).to_pylist()]
    assert lines == [
        ["H1", "心内科", "AE19", "肾移植", "40855.04"],  # the policy's own name goes first
        ["H1", "None", "ZZ99", "a new group", "9000.00"],
        ["H1", "None", "None", "None", "None"],
    ]
    assert result.table.to_pandas()["rule"].notna().all(), "texts stand once in their dictionary"


# -- numbers without end -----------------------------------------------------------------------------------------------
def test_numbers_without_end_are_refused() -> None:
    with pytest.raises(UsageError, match="finite number above 0: employee=inf"):
        settled("qingyang/2023", None, {"unit_value": {"employee": float("inf")}}, drg="A", relative_value=1.0, total_cost=1.0)
    with pytest.raises(UsageError, match="not by employee and resident"):
        settled("qingyang/2023", None, {"budget": {"*": float("inf")}}, drg="A", relative_value=1.0, total_cost=1.0)
    result = settled("qingyang/2023", drg="A", relative_value=["inf", "1"], total_cost=[9000.0, 9000.0], hospital_level="3",
                     insurance="employee")  # fmt: skip
    assert amounts(result)[0] == "None"
    assert (
        codes_of(result)["settle-bad-relative_value"]
        == "1 cases are not paid: relative_value is not a number above 0, up to 100,000,000"
    )
