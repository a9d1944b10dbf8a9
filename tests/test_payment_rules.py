"""Rules beside the curve: coefficients, dates, unstable groups, single diseases, readmission, review."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drgsim.errors import InputError
from drgsim.payment.grouped_cases import read_cases
from drgsim.payment.policy import PolicyError, load_policy
from drgsim.payment.rules import exempt_payment
from drgsim.payment.rules.settlement_rule import Repricing
from drgsim.payment.settlement import settle
from drgsim.region.hospital_list import GroupCoefficients, Hospital, read_group_coefficients
from tests.payment_policies import amounts, codes_of, keyed, policy_with, settled, table_of, value

NAN = float("nan")
COEFFICIENTS = "hospital_id,group,coefficient\nH1,A,1.2\n*,A,0.9\nH2,,1.1\n"


# -- coefficients ------------------------------------------------------------------------------------------------------
def test_the_nearest_coefficient_counts_and_the_rule_says_which(tmp_path: Path) -> None:
    table = {"file": "k.csv", "unit": "ratio", "source": "test", "evidence": "assumption"}
    spec = {"by_hospital": True, "table": table, "by": keyed({"3": 0.8}), "default": value(0.5)}
    folder = policy_with(tmp_path, {"coefficient": spec}, {"k.csv": COEFFICIENTS})
    result = settled(
        folder, {f"H{n}": Hospital("", "", 1.05 if n == 3 else NAN, "") for n in range(1, 5)},
        drg=["A", "A", "B", "B", "B", "B", "A"], hospital_id=["H1", "H4", "H2", "H3", "H4", "H4", "H1"],
        hospital_level=["3", "3", "3", "3", "3", None, "3"], coefficient=[None] * 6 + [1.4], relative_value=1.0,
        total_cost=30000.0, discharged="2024-05-01",
    )  # fmt: skip
    assert result.table["coefficient"].to_pylist() == [1.2, 0.9, 1.1, 1.05, 0.8, 0.5, 1.4]
    assert [rule.rpartition("; k ")[2] for rule in result.table["rule"].to_pylist()] == [
        "of the hospital and group", "of the group", "of the hospital", "of the hospital", "of the level", "by default",
        "of the case",
    ]  # fmt: skip
    assert "1 cases" in codes_of(result)["settle-assumed-coefficient"]


def test_coefficients_given_with_the_call_go_before_those_of_the_policy(tmp_path: Path) -> None:
    table = {"file": "k.csv", "unit": "ratio", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {"coefficient": {"table": table, "default": value(1)}}, {"k.csv": COEFFICIENTS})
    given = {"coefficients": GroupCoefficients({("H1", "A"): 1.3})}
    columns = {"drg": "A", "hospital_id": ["H1", "H9"], "relative_value": 1.0, "total_cost": 30000.0}
    assert settled(folder, None, given, **columns).table["coefficient"].to_pylist() == [1.3, 0.9]
    assert settled(folder, **columns).table["coefficient"].to_pylist() == [1.2, 0.9]


def test_one_coefficient_for_all_is_not_repeated_in_every_rule() -> None:
    result = settled("beijing/2024", drg="A", relative_value=1.0, total_cost=[20000.0])
    assert "; k " not in result.table["rule"][0].as_py()


def test_a_list_of_hospitals_whose_coefficients_do_not_count_is_questioned() -> None:
    hospital = {"H": Hospital("3", "", 1.3, "")}
    result = settled("suzhou/2023", hospital, drg="X", hospital_id="H", relative_value=1.0, total_cost=[9000.0])
    assert result.table["coefficient"].to_pylist() == [1.2]
    assert "settle-coefficient-unused" in codes_of(result)


def test_mistakes_in_coefficients_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text("hospital_id,drg,coefficient\nH1,A,1.2\nH1,A,1.3\n,,1\nH2,B,-1\nH3,B,\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_group_coefficients(path)
    assert [problem.code for problem in caught.value.problems] == [
        "coefficients-twice", "coefficients-no-key", "coefficients-number", "coefficients-number",
    ]  # fmt: skip
    table = {"file": "k.csv", "unit": "ratio", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {"coefficient": {"table": table}}, {"k.csv": "hospital,x\nH1,2\n"})
    with pytest.raises(PolicyError, match="no column group, coefficient"):
        load_policy(folder)


# -- dates -------------------------------------------------------------------------------------------------------------
def test_the_date_of_discharge_chooses_among_dated_values(tmp_path: Path) -> None:
    newest = keyed({"*": 33000}, effective_from="2024-07-01", earlier=[
        keyed({"employee": 31000, "*": 30500}, effective_from="2024-04-01"), keyed({"*": 30000}),
    ])  # fmt: skip
    folder = policy_with(tmp_path, {"unit_value": newest})
    result = settled(
        folder, drg="A", relative_value=1.0, insurance=["employee", "employee", "resident", "employee", None],
        discharged=["2024-07-01", "2024-06-30", "2024-04-01", "2024-03-31", None], total_cost=30000.0,
    )  # fmt: skip
    assert amounts(result) == ["33000.00", "31000.00", "30500.00", "30000.00", "33000.00"]
    assert codes_of(result)["settle-no-date"].startswith("1 cases")
    assert "settle-before-value" not in codes_of(result)


def test_dated_values_out_of_order_are_refused(tmp_path: Path) -> None:
    wrong = keyed({"*": 33000}, effective_from="2024-04-01", earlier=[keyed({"*": 1}, effective_from="2024-07-01")])
    with pytest.raises(PolicyError, match="from the newest to the oldest"):
        load_policy(policy_with(tmp_path, {"unit_value": wrong}))


def test_cases_outside_the_dates_are_counted_and_said(tmp_path: Path) -> None:
    long_days = value(60, "days", effective_from="2024-03-01", effective_to="2024-10-31")
    folder = policy_with(tmp_path, {"stays": {"long_days": long_days}})
    days = ["2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01", "2024-11-01", "2024-12-31", "2025-01-01"]
    found = codes_of(settled(folder, drg="A", relative_value=1.0, discharged=days, total_cost=30000.0))
    assert found["settle-before-policy"].startswith("1 cases: discharged before 2024-01-01")
    assert found["settle-before-value"].startswith("2 cases: discharged before stays.long_days")
    assert found["settle-after-value"].startswith("3 cases: discharged after stays.long_days ended on 2024-10-31")
    assert found["settle-after-policy"].startswith("1 cases: discharged after 2024-12-31")


def test_special_review_does_not_reach_back() -> None:
    columns = {"drg": "A", "relative_value": 1.0, "special_review": True, "total_cost": [40000.0] * 20}
    early = settled("beijing/2024", discharged="2025-08-14", **columns)
    assert set(early.table["case_class"].to_pylist()) == {"normal"}
    assert codes_of(early)["settle-review-early"].startswith("20 cases")
    later = settled("beijing/2024", discharged="2025-08-15", **columns)
    assert later.table["case_class"].to_pylist().count("special_review") == 1


# -- unstable groups ---------------------------------------------------------------------------------------------------
def _unstable(tmp_path: Path, detect: str) -> Path:
    actual = {"unit": "ratio", "source": "test", "evidence": "assumption", "pieces": [{"case_class": "by_item", "pays": "x"}]}
    main = {"unit": "ratio", "source": "test", "evidence": "assumption", "pieces": [{"case_class": "normal", "pays": "k"}]}
    said = {"title": "unstable groups", "title_zh": "非稳定组", "source": "test", "evidence": "assumption"}
    table = {"file": "w.csv", "unit": "weight", "source": "test", "evidence": "assumption"}
    return policy_with(tmp_path, {
        "curves": {"main": main, "actual": actual}, "group_classes": {"unstable": {**said, "curve": "actual"}},
        "unstable": {"group_class": "unstable", "maximum_cv": value(1), "minimum_cases": value(5), "detect": value(detect)},
        "relative_value": {"unit": "weight", "scale": value(1), "table": table},
    }, {"w.csv": "drg,weight,cases,cv\nA,1,100,0.4\nB,1,4,0.1\nC,1,90,1.01\nD,1,5,1\n"})  # fmt: skip


def test_unstable_groups_of_the_table_get_what_the_policy_says(tmp_path: Path) -> None:
    result = settled(_unstable(tmp_path, "table"), drg=["A", "B", "C", "D"], total_cost=45000.0)
    assert result.table["case_class"].to_pylist() == ["normal", "by_item", "by_item", "normal"]
    assert amounts(result) == ["30000.00", "45000.00", "45000.00", "30000.00"]
    assert codes_of(result)["settle-unstable-groups"].startswith("2 cases: 2 groups are unstable in the table")


def test_unstable_groups_among_the_cases(tmp_path: Path) -> None:
    groups = ["A"] * 5 + ["B"] * 4 + ["C"] * 6
    cost = [30000.0] * 9 + [1000.0] * 5 + [500000.0]
    folder = _unstable(tmp_path, "cases")
    classes = settled(folder, drg=groups, total_cost=cost).table["case_class"].to_pylist()
    assert classes == ["normal"] * 5 + ["by_item"] * 10
    never = settled(folder, None, {"unstable": "never"}, drg=groups, total_cost=cost)
    assert set(never.table["case_class"].to_pylist()) == {"normal"}


def test_not_knowing_which_groups_are_unstable_is_said() -> None:
    result = settled("zhejiang/2025", None, {"unit_value": {"*": 100}}, drg="A", relative_value=100.0, total_cost=[9000.0])
    assert "--unstable cases" in next(p.fix for p in result.problems if p.code == "settle-unstable-unknown")


# -- single diseases ---------------------------------------------------------------------------------------------------
AMOUNTS = """code,name,level,insurance,fund_amount,personal_limit
cataract,白内障,3,,6000,2000
cataract,白内障,2,employee,5000,1500
cataract,白内障,2,居民,4500,1800
"""


def _single(tmp_path: Path, text: str = AMOUNTS) -> Path:
    table = {"file": "single.csv", "unit": "yuan", "source": "test", "evidence": "assumption"}
    return policy_with(tmp_path, {"single_disease": {"table": table}}, {"single.csv": text})


def test_section_4_5_single_diseases_have_a_fixed_fund_amount_and_a_personal_limit(tmp_path: Path) -> None:
    result = settled(
        _single(tmp_path), drg="CB19", relative_value=1.0, single_disease=["cataract"] * 4 + [None, "cataract"],
        hospital_level=["3", "3", "3", "2", "3", "1"],
        insurance=["employee", "resident", "employee", "resident", "employee", "self"],
        total_cost=[7000.0, 9000.0, 5000.0, 9000.0, 30000.0, 4000.0], patient_paid=100.0,
    )  # fmt: skip
    assert result.table["case_class"].to_pylist() == ["fixed"] * 4 + ["normal", "self_pay"]
    assert [str(x) for x in result.table["fund_payment"].to_pylist()[:4]] == ["6000.00", "6000.00", "6000.00", "4500.00"]
    assert [str(x) for x in result.table["patient_paid"].to_pylist()[:4]] == ["1000.00", "2000.00", "0.00", "1800.00"]
    assert amounts(result)[:4] == ["7000.00", "8000.00", "6000.00", "6300.00"]
    assert result.fund_payment[5] == 0
    assert "single disease" in result.table["rule"][0].as_py()


def test_a_single_disease_without_an_amount_for_the_level_is_not_paid(tmp_path: Path) -> None:
    columns = {"relative_value": 1.0, "hospital_level": ["1", None], "total_cost": 9000.0}
    result = settled(_single(tmp_path), drg="cataract", **columns)
    assert amounts(result) == ["None", "None"]
    assert "settle-missing-single-disease" in codes_of(result)
    other = settled(_single(tmp_path), drg="A", single_disease="hernia", **columns)
    assert "settle-unknown-single-disease" in codes_of(other)


def test_mistakes_in_fixed_amounts_are_reported_at_once(tmp_path: Path) -> None:
    text = "code,level,insurance,fund_amount,personal_limit\nx,3,,-1,5\n,3,,1,5\ny,3,other,1,5\nz,3,,1,1\nz,3,,2,2\n"
    with pytest.raises(PolicyError) as caught:
        load_policy(_single(tmp_path, text))
    assert [problem.code for problem in caught.value.problems] == [
        "single-disease-number", "single-disease-no-code", "single-disease-payer", "single-disease-twice",
    ]  # fmt: skip


# -- readmission -------------------------------------------------------------------------------------------------------
def _stays(policy: str | Path, admitted: list[str], discharged: list[str], **more: object) -> list[float]:
    columns = {"drg": "ES15", "relative_value": 120.0, "coefficient": 1.0, "group_mean_cost": 10000.0, "total_cost": 10000.0,
               "hospital_id": "H", "patient_id": "P", **more}  # fmt: skip
    options = {"unit_value": {"*": 100}}
    return settled(policy, None, options, admitted=admitted, discharged=discharged, **columns).table["points"].to_pylist()


def test_section_2_1_a_stay_is_followed_whatever_lies_between() -> None:
    admitted = ["2025-01-01", "2025-01-03", "2025-01-12"]
    discharged = ["2025-01-05", "2025-01-04", "2025-01-14"]
    assert _stays("zhejiang/2025", admitted, discharged) == [60, 60, 120], "the second stay overlaps the first"
    chain = ["2025-01-01", "2025-01-10", "2025-01-20"], ["2025-01-05", "2025-01-15", "2025-01-25"]
    assert _stays("zhejiang/2025", *chain) == [60, 60, 120]


def test_section_2_1_two_stays_of_one_day_halve_one() -> None:
    day = ["2025-01-05"] * 2
    assert sorted(_stays("zhejiang/2025", day, day)) == [60, 120]
    assert _stays("zhejiang/2025", day[:1], day[:1], total_cost=[10000.0]) == [120], "no stay follows itself"


def test_section_2_1_the_window_is_closed_and_planned_returns_do_not_count() -> None:
    discharged = ["2025-01-05", "2025-02-05"]
    assert _stays("zhejiang/2025", ["2025-01-01", "2025-01-20"], discharged) == [60, 120]
    assert _stays("zhejiang/2025", ["2025-01-01", "2025-01-21"], discharged) == [120, 120]
    assert _stays("zhejiang/2025", ["2025-01-01", "2025-01-20"], discharged, planned=[0, 1]) == [120, 120]
    assert _stays("zhejiang/2025", ["2025-01-01", "2025-01-20"], discharged, planned=[1, 0]) == [60, 120]


def test_section_2_1_chemotherapy_and_radiotherapy_halve_nothing() -> None:
    dates = ["2025-01-01", "2025-01-20"], ["2025-01-05", "2025-01-25"]
    for group in ("RB15", "RC15", "RE19", "RU11", "RV13"):
        assert _stays("zhejiang/2025", *dates, drg=group) == [120, 120]
    assert _stays("zhejiang/2025", *dates, drg="RG15") == [60, 120]


@pytest.mark.parametrize(("scope", "other", "points"), [
    (None, "G", 120), ("hospital", "G", 120), ("hospital", "H", 60), ("region", "G", 60),
])  # fmt: skip
def test_section_2_1_a_return_to_another_hospital_counts_where_the_policy_says_so(
    scope: str | None, other: str, points: int, tmp_path: Path
) -> None:
    spec = {"within_days": value(15), "factor": value(0.5)} | ({} if scope is None else {"scope": value(scope)})
    result = settled(
        policy_with(tmp_path, {"readmission": spec}), drg="ES15", relative_value=1.0, total_cost=30000.0, patient_id="P",
        hospital_id=["H", other], admitted=["2024-01-01", "2024-01-20"], discharged=["2024-01-05", "2024-01-25"],
    )  # fmt: skip
    assert amounts(result) == [f"{points * 250:.2f}", "30000.00"]


def test_excepted_groups_may_come_back(tmp_path: Path) -> None:
    spec = {"within_days": value(15), "factor": value(0.5), "except_groups": ["RE1"]}
    folder = policy_with(tmp_path, {"readmission": spec})
    columns = {"relative_value": 1.0, "total_cost": 30000.0, "hospital_id": "H", "patient_id": ["P", "P", "Q", "Q"],
               "admitted": ["2024-01-01", "2024-01-20"] * 2, "discharged": ["2024-01-05", "2024-01-25"] * 2}  # fmt: skip
    result = settled(folder, drg=["RE15", "RE15", "ES15", "ES15"], **columns)
    assert amounts(result) == ["30000.00", "30000.00", "15000.00", "30000.00"]


# -- special review and exempt payment ---------------------------------------------------------------------------------
def test_self_payers_and_cases_without_a_loss_are_not_reviewed(tmp_path: Path) -> None:
    spec = {"special_review": {"quota": value(0.5), "pays": value("by_item")}}
    result = settled(
        policy_with(tmp_path, spec), drg="A", relative_value=1.0, special_review=True,
        insurance=["self", "employee", "employee", "employee"], total_cost=[90000.0, 20000.0, 50000.0, 40000.0],
    )  # fmt: skip
    assert result.table["case_class"].to_pylist() == ["self_pay", "normal", "special_review", "normal"]
    assert result.fund_payment[0] == 0, "the fund pays nothing for a self-payer"
    assert codes_of(result)["settle-review-refused"].startswith("2 cases")
    assert codes_of(result)["settle-review-quota"].startswith("1 cases: special review beyond the quota of 1 of 3")


def test_review_never_pays_less_than_the_curve() -> None:
    """A high case of Tai'an is paid 1000 x (115600 / 9000 - 1) scores, more than its bill: review would take 2844.40 away."""
    columns = {"dip": "A02.0", "relative_value": 1000.0, "group_mean_cost": 9000.0, "special_review": True}
    policy = load_policy("taian/2025").changed({"special_review.quota": 0.5})
    result = settle(table_of(**columns, total_cost=[115600.0, 17000.0]), policy, unit_value={"*": 10})
    assert result.table["case_class"].to_pylist() == ["high", "special_review"]
    assert amounts(result) == ["118444.44", "17000.00"], "the quota serves the case that has a loss"


def test_review_takes_no_place_for_a_bill_that_is_paid_already() -> None:
    columns = {"drg": "A", "relative_value": 1.0, "group_mean_cost": 10000.0, "special_review": True}
    policy = load_policy("beijing/2024").changed({"special_review.quota": 0.5})
    result = settle(table_of(**columns, total_cost=[90000.0, 29000.0]), policy, unit_value={"*": 12000})
    assert result.table["case_class"].to_pylist() == ["high", "special_review"]
    assert amounts(result) == ["90000.00", "29000.00"]


def test_an_unpayable_case_is_not_said_to_be_refused_review(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"special_review": {"quota": value(1), "pays": value("by_item")}})
    result = settled(folder, drg="A", relative_value=1.0, special_review=True, total_cost=[None, 50000.0])
    assert result.table["case_class"].to_pylist() == ["unpaid", "special_review"]
    assert "settle-cost-missing" in codes_of(result)
    assert "settle-review-refused" not in codes_of(result), "it says of its cases that they are paid"


def test_a_reviewed_exempt_case_is_paid_its_cost_and_no_more(tmp_path: Path) -> None:
    spec = {"special_review": {"quota": value(1), "pays": value("by_item")},
            "exempt": {"total_multiple": value(2), "cost_share": value(0.64)}}  # fmt: skip
    columns = {"drg": "A", "relative_value": 1.0, "exempt_cost": 70000.0, "exempt_mean_cost": 12000.0, "total_cost": 99000.0}
    plain = settled(policy_with(tmp_path, spec), special_review=[False], **columns)
    assert amounts(plain) == ["88000.00"]
    assert amounts(settled(policy_with(tmp_path, spec), special_review=[True], **columns)) == ["99000.00"]


def test_prices_decide_exempt_payment_by_the_mean_of_the_table(tmp_path: Path) -> None:
    columns = {"drg": "A", "exempt_cost": [70000.0], "exempt_class": "drug", "total_cost": 99000.0}
    for mean, dependence in (("mean_drug", Repricing.AGAIN), ("mean_service", Repricing.KEPT)):
        table = {"file": "weights.csv", "unit": "weight", "source": "test", "evidence": "assumption"}
        spec = {"exempt": {"total_multiple": value(2), "cost_share": value(0.64)},
                "relative_value": {"unit": "weight", "scale": value(1), "table": table}}  # fmt: skip
        policy = load_policy(policy_with(tmp_path, spec, {"weights.csv": f"drg,weight,{mean}\nA,1,12000\n"}))
        assert exempt_payment.RULE.repricing(policy, read_cases(table_of(**columns))) is dependence
        classes = [
            settle(table_of(**columns), policy.changed({"unit_value.*": price})).table["case_class"][0].as_py()
            for price in (30000, 60000)
        ]
        assert (classes[0] == "exempt", classes[1]) == (dependence is Repricing.AGAIN, "normal")


def test_exempt_items_need_a_date_where_the_list_has_one(tmp_path: Path) -> None:
    spec = {"exempt": {"total_multiple": value(2), "cost_share": value(0.64), "valid_from": value("2024-03-01")}}
    result = settled(
        policy_with(tmp_path, spec), drg="A", relative_value=1.0, exempt_cost=70000.0, exempt_mean_cost=12000.0,
        total_cost=75000.0, discharged=["2024-03-01", "2024-02-29", None],
    )  # fmt: skip
    assert result.table["case_class"].to_pylist() == ["exempt", "high", "high"]
    assert {"settle-exempt-no-date", "settle-exempt-dates"} <= set(codes_of(result))


def test_a_readmitted_case_that_falls_back_to_the_standard_keeps_its_halved_points(tmp_path: Path) -> None:
    spec = {"extreme_cap": value(0.0001), "readmission": {"within_days": value(15), "factor": value(0.5)}}
    result = settled(
        policy_with(tmp_path, spec), drg="A", relative_value=1.0, patient_id="P", hospital_id="H",
        total_cost=[90000.0, 30000.0],
        admitted=["2024-01-01", "2024-01-20"], discharged=["2024-01-05", "2024-01-25"],
    )  # fmt: skip
    assert amounts(result) == ["15000.00", "30000.00"]


def test_the_auxiliary_coefficient_belongs_to_the_standard() -> None:
    result = settled("national/dip-1.0", None, {"unit_value": {"*": 2}}, dip="X", relative_value=900.0, coefficient=0.95,
                     auxiliary_coefficient=1.2, group_mean_cost=8000.0, total_cost=[8000.0])  # fmt: skip
    assert str(result.table["standard"][0]) == amounts(result)[0] == "2052.00"


def test_equal_losses_are_ranked_alike_in_any_order(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"special_review": {"quota": value(0.5), "pays": value("by_item")}})
    cost, weights = [50000.0, 80000.0], [1.0, 2.0]
    paid = []
    for order in ([0, 1], [1, 0]):
        columns = {"relative_value": [weights[n] for n in order], "total_cost": [cost[n] for n in order]}
        paid.append(sorted(settled(folder, drg="A", special_review=True, **columns).amount.tolist()))
    assert paid[0] == paid[1] == [3_000_000, 8_000_000]


def test_days_that_cannot_be_paid_use_up_no_cap(tmp_path: Path) -> None:
    spec = {"per_diem": {"rate": keyed({"employee": 100}, "yuan a day"), "day_cap": value(20, "days")}}
    result = settled(
        policy_with(tmp_path, spec), drg="A", per_diem=True, total_cost=5000.0, patient_id=["P", "P", "Q", "Q"],
        discharged=["2024-03-01", "2024-04-01"] * 2, los_days=[None, 10.0, 15.0, 10.0],
        insurance=["employee", "employee", "resident", "employee"],
    )  # fmt: skip
    assert amounts(result) == ["None", "1000.00", "None", "1000.00"]
    assert {"settle-missing-days", "settle-missing-per-diem-rate"} <= set(codes_of(result))


def test_per_diem_amounts_are_rounded_as_written() -> None:
    result = settled("tianjin/2025", drg="TB19", per_diem_rate=1.005, los_days=[3, 1], total_cost=9000.0)
    assert amounts(result) == ["3.02", "1.01"]


def test_odd_cases_are_said(tmp_path: Path) -> None:
    result = settled(
        policy_with(tmp_path), discharge_id=["1", "1", "2"], drg="A", relative_value=1.0, insurance=["职工", "离休", "居民"],
        total_cost=[0.0, 30000.0, 30000.0],
    )  # fmt: skip
    found = codes_of(result)
    assert found["settle-cost-zero"].startswith("1 cases")
    assert found["settle-duplicate-id"].startswith("1 cases")
    assert next(p.where for p in result.problems if p.code == "settle-unknown-insurance") == "离休"
    assert (result.amount > 0).sum() == 3
    assert np.all(result.fund_payment >= 0)


def test_marks_and_dates_in_any_words_and_what_cannot_be_read(tmp_path: Path) -> None:
    spec = {"special_review": {"quota": value(1), "pays": value("by_item")}, "stays": {"long_days": value(60)}}
    result = settled(
        policy_with(tmp_path, spec), drg="A", relative_value=1.0, special_review=["是", "否", "也许", "-", "y"],
        admitted=["2024年1月1日", "20240101", "2024/1/1 08:00", "soon", ""],
        discharged=["2024-03-02", "2024-03-01", "2024-01-01", "2024-03-01", None], total_cost=40000.0,
    )  # fmt: skip
    assert result.table["case_class"].to_pylist() == ["over_60_days", "normal", "normal", "normal", "special_review"]
    found = codes_of(result)
    assert found["settle-unknown-special_review"].startswith("1 cases")
    assert found["settle-unreadable-admitted"].startswith("1 cases")
    assert found["settle-days-counted"].startswith("3 cases")
    assert found["settle-no-days"].startswith("2 cases")
    assert result.ledger.cases.numbers["los_days"][:3].tolist() == [61, 60, 1]


def test_words_that_mean_nothing_are_blank(tmp_path: Path) -> None:
    result = settled(policy_with(tmp_path), drg=["A", "-"], hospital_id=["NULL", "H1"], relative_value=[1.0, None],
                     total_cost=30000.0, los_days=[-3, 5], discharged="2024-05-05")  # fmt: skip
    assert result.summaries["hospital"]["hospital"].to_pylist() == ["H1", ""]
    assert codes_of(result)["settle-negative-los_days"].startswith("1 cases")
    assert codes_of(result)["settle-ungrouped"].startswith("1 cases are not paid")


# -- budgets and standards ---------------------------------------------------------------------------------------------
def test_classes_paid_the_standard_share_in_a_budget(tmp_path: Path) -> None:
    said = {"title": "fixed", "title_zh": "定额", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {"group_classes": {"fixed": {**said, "groups": ["F"], "pays": "standard"}}})
    columns = {"drg": ["F", "A"], "relative_value": [1.0, 3.0], "total_cost": [500000.0, 50000.0], "insurance": "employee"}
    result = settled(folder, None, {"budget": {"*": 80000.0}}, **columns)
    assert result.table["case_class"].to_pylist() == ["fixed", "normal"]
    assert amounts(result) == ["20000.00", "60000.00"]
    assert amounts(settled(folder, **columns)) == ["30000.00", "90000.00"]


def test_a_budget_goes_before_published_standards(tmp_path: Path) -> None:
    table = {"file": "w.csv", "unit": "weight", "source": "test", "evidence": "assumption"}
    spec = {"relative_value": {"unit": "weight", "scale": value(1), "table": table, "standard_from_table": True}}
    rows = "drg,weight,standard\nA,1,30000.01\nB,2,60000.02\nC,,1234.56\n"
    columns = {"drg": ["A", "B", "C"], "total_cost": [30000.0, 60000.0, 1234.0]}
    folder = policy_with(tmp_path, spec, {"w.csv": rows})
    assert amounts(settled(folder, **columns)) == ["30000.01", "60000.02", "1234.56"]
    result = settled(folder, None, {"budget": {"*": 31234.56}}, **columns)
    assert amounts(result) == ["10000.00", "20000.00", "1234.56"], "what has no weight keeps its published amount"
