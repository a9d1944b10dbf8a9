"""Members, chosen groups and groups that are simulated only: worked by hand, and against a plain recomputation."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

import pyarrow as pa
import pytest

import drgsim
from drgsim.errors import DrgsimError, InputError
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.policy import PolicyError, load_policy
from drgsim.payment.settlement import settle
from drgsim.region.hospital_list import hospitals_by_id
from tests.payment_policies import SAID, amounts, codes_of, keyed, policy_with, settled, table_of, value
from tests.sample_region import YEARS, discharges

MEMBERS = {"unit": "hospitals", **SAID}
CHOICE = {"from_history": {"groups": value(2), "maximum_cv": value(1), "by": value("cost")}}
FIVE = {"drg": ["A", "A", "B", "B", "C"], "relative_weight": 1.0, "total_cost": [20000.0, 40000, 1000, 90000, 5000]}


def test_hospitals_that_are_no_members_are_paid_by_item(tmp_path: Path) -> None:
    """Two hospitals with the same case of 20,000, price 30,000: the member is paid 30,000, the other its bill."""
    policy = policy_with(tmp_path, {"members": {"hospitals": ["H1"], **MEMBERS}})
    paid = settled(policy, drg="A", relative_weight=1.0, total_cost=20000.0, hospital_id=["H1", "H2"])
    assert amounts(paid) == ["30000.00", "20000.00"]
    assert paid.table["case_class"].to_pylist() == ["normal", "by_item"]


def test_a_level_joins_the_members(tmp_path: Path) -> None:
    hospitals = hospitals_by_id({"H1": {"level": "三甲"}, "H2": {"level": 2}, "H3": {"level": 1}})
    policy = policy_with(tmp_path, {"members": {"hospitals": ["H1"], "levels": [2], **MEMBERS}})
    paid = settled(policy, hospitals, drg="A", relative_weight=1.0, total_cost=20000.0, hospital_id=["H1", "H2", "H3"])
    assert amounts(paid) == ["30000.00", "30000.00", "20000.00"]


def test_the_list_of_hospitals_names_the_members_of_a_policy(tmp_path: Path) -> None:
    hospitals = hospitals_by_id({"H1": {"level": 3, "member_of": "other; test/2024"}, "H2": {"level": 3, "member_of": "other"}})
    policy = policy_with(tmp_path, {"members": {"count": 5, **MEMBERS}})
    cases: dict[str, Any] = {"drg": "A", "relative_weight": 1.0, "total_cost": 20000.0, "hospital_id": ["H1", "H2", "H2"]}
    paid = settled(policy, hospitals, **cases)
    assert amounts(paid) == ["30000.00", "20000.00", "20000.00"]
    assert "as hospitals.csv names them" in codes_of(paid)["settle-members"]


def test_what_is_only_simulated_is_not_told_as_paid(tmp_path: Path) -> None:
    hospitals = hospitals_by_id({"H1": {"level": 3}, "H2": {"level": 2}})
    cases: dict[str, Any] = {"drg": ["A", "A", "A"], "relative_weight": 1.0, "total_cost": 20000.0, "hospital_id": "H1"}
    policy = policy_with(tmp_path, {"members": {"count": 1, "levels": [3], **MEMBERS}, "group_selection": CHOICE})
    paid = codes_of(settled(policy, hospitals, **cases))
    told = codes_of(settle(table_of(**cases), load_policy(policy).changed({"shadow": True}), hospitals=hospitals))
    assert paid["settle-members"].startswith("test/2024 pays 1 hospital by groups and all others by item: H1")
    assert told["settle-members"].startswith("test/2024 simulates 1 hospital without paying by groups: H1")
    assert paid["settle-groups-chosen"].startswith("test/2024 pays 1 group by their prices and all others by item")
    assert told["settle-groups-chosen"].startswith("test/2024 simulates 1 group without paying by them")


def test_no_members_are_told_as_none(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, {"members": {"count": 6, "levels": [3], **MEMBERS}})
    cases: dict[str, Any] = {"drg": "A", "relative_weight": 1.0, "total_cost": 20000.0, "hospital_id": ["H1", "H1"]}
    paid = settled(policy, hospitals_by_id({"H1": {"level": 2}}), **cases)
    assert amounts(paid) == ["20000.00", "20000.00"]
    told = codes_of(paid)["settle-members"]
    assert told.startswith("test/2024 has no members, and every case is paid by item: no hospital of level 3 has a discharge")


def test_members_that_nobody_names_are_the_largest_of_their_level(tmp_path: Path) -> None:
    """H1 (two cases) and H3 (one) are tertiary; H2 has three cases and is not; one member is asked for: H1."""
    hospitals = hospitals_by_id({"H1": {"level": 3}, "H2": {"level": 2}, "H3": {"level": 3}})
    policy = policy_with(tmp_path, {"members": {"count": 1, "levels": [3], **MEMBERS}})
    where = ["H2", "H3", "H1", "H2", "H1", "H2"]
    paid = settled(policy, hospitals, drg="A", relative_weight=1.0, total_cost=20000.0, hospital_id=where)
    assert paid.table["case_class"].to_pylist() == ["by_item", "by_item", "normal", "by_item", "normal", "by_item"]
    assert "the 1 hospital of level 3 with most discharges" in codes_of(paid)["settle-members"]


def test_a_member_that_is_no_hospital_is_refused(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, {"members": {"hospitals": ["H1", "H7", "H8"], **MEMBERS}})
    case: dict[str, Any] = {"drg": "A", "relative_weight": 1.0, "total_cost": 20000.0, "hospital_id": ["H1"]}
    with pytest.raises(InputError) as caught:
        settled(policy, hospitals_by_id({"H1": {"level": 3}, "H2": {"level": 3}}), **case)
    assert [problem.code for problem in caught.value.problems] == ["settle-unknown-member"] * 2
    alone = settled(policy, **case)  # the file of one member, without a list of all hospitals
    assert amounts(alone) == ["30000.00"]
    assert "H7, H8" in codes_of(alone)["settle-members-absent"]


def test_a_case_without_a_hospital_is_not_paid(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, {"members": {"hospitals": ["H1"], **MEMBERS}})
    paid = settled(policy, drg="A", relative_weight=1.0, total_cost=20000.0, hospital_id=["H1", ""])
    assert amounts(paid) == ["30000.00", "None"]
    assert "settle-no-hospital" in codes_of(paid)


@pytest.mark.parametrize("wrong", [{}, {"count": 0}, {"levels": ["hospital"]}])
def test_members_that_name_nobody_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        load_policy(policy_with(tmp_path, {"members": {**wrong, **MEMBERS}}))


def test_groups_of_largest_cost_with_a_small_spread_are_chosen(tmp_path: Path) -> None:
    """CV of A is 1/3, of B 0.978; C has one case and none. By cost B (91,000) goes before A (60,000); below 0.9 B is out."""
    policy = policy_with(tmp_path, {"group_selection": CHOICE})
    both = settled(policy, **FIVE)
    assert both.table["case_class"].to_pylist() == ["normal", "normal", "normal", "high", "by_item"]
    assert codes_of(both)["settle-groups-chosen"].startswith("test/2024 pays 2 groups")
    one = settle(table_of(**FIVE), load_policy(policy).changed({"group_selection.from_history.groups": 1}))
    assert one.table["case_class"].to_pylist() == ["by_item", "by_item", "normal", "high", "by_item"]
    tight = settle(table_of(**FIVE), load_policy(policy).changed({"group_selection.from_history.maximum_cv": 0.9}))
    assert tight.table["case_class"].to_pylist() == ["normal", "normal", "by_item", "by_item", "by_item"]
    assert "2 were asked for" in codes_of(tight)["settle-groups-chosen"]


def test_groups_may_be_named(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, {"group_selection": {"groups": ["C"]}})
    assert settled(policy, **FIVE).table["case_class"].to_pylist() == ["by_item"] * 4 + ["normal"]
    with pytest.raises(PolicyError, match="from_history"):
        load_policy(policy_with(tmp_path, {"group_selection": {}}))


def test_a_table_of_weights_chooses_the_groups(tmp_path: Path) -> None:
    """Of the table A costs 5 x 1,000 = 5,000, B 2 x 9,000 = 18,000 with CV 1.2, C 3 x 2,000 = 6,000: C, then A."""
    path = tmp_path / "weights.csv"
    path.write_text("drg,weight,cases,mean_cost,cv\nA,1,5,1000,0.5\nB,1,2,9000,1.2\nC,1,3,2000,0.99\n", encoding="utf-8")
    cases = pa.table({"drg": ["A", "B", "C"], "total_cost": [20000.0] * 3})
    paid = drgsim.settle(cases, load_policy(policy_with(tmp_path, {"group_selection": CHOICE})), weights=path)
    assert paid.cases["case_class"].to_pylist() == ["normal", "by_item", "normal"]
    assert paid.record["selection"]["groups"]["groups"] == ["A", "C"]


def test_the_price_of_a_weight_may_come_from_the_past(tmp_path: Path) -> None:
    """A costs 60,000 for two weights of 1, B 91,000 for two: 151,000 / 4 = 37,750 yuan per weight; C does not count."""
    extra = {"group_selection": CHOICE, "unit_value_from_history": value(True), "unit_value": None}
    paid = settled(policy_with(tmp_path, extra), **FIVE)
    assert amounts(paid)[:3] == ["37750.00"] * 3
    assert "37,750.00 yuan" in codes_of(paid)["settle-unit-value-of-history"]
    by_budget = settled(policy_with(tmp_path, extra), options={"budget": {"*": 200_000}}, **FIVE)
    assert "settle-unit-value-of-history" not in codes_of(by_budget)
    assert by_budget.unit_values
    given = settled(policy_with(tmp_path, {**extra, "unit_value": keyed({"*": 30000}, "yuan")}), **FIVE)
    assert amounts(given)[0] == "30000.00"


def test_simulated_groups_are_paid_by_item_and_told_beside_it(tmp_path: Path) -> None:
    """Price 30,000: cases of 20,000 and 40,000 would be paid 30,000, one of 90,000 30,000 x (1 + 3 - 2) = 60,000."""
    policy = policy_with(tmp_path, {"shadow": value(True)})
    cases: dict[str, Any] = {"drg": ["A", "A", "B"], "relative_weight": 1.0, "total_cost": [20000.0, 40000, 90000],
                             "hospital_id": ["H1", "H1", "H2"]}  # fmt: skip
    paid = settled(policy, **cases)
    assert amounts(paid) == ["20000.00", "40000.00", "90000.00"]
    assert paid.table["shadow_class"].to_pylist() == ["normal", "normal", "high"]
    assert [str(each) for each in paid.table["shadow_margin"].to_pylist()] == ["10000.00", "-10000.00", "-30000.00"]
    rows = paid.summaries["hospital"].to_pylist()
    assert [(row["hospital"], row["shadow_payment"], row["shadow_margin"]) for row in rows] == [
        ("H1", Decimal("60000.00"), Decimal("0.00")), ("H2", Decimal("60000.00"), Decimal("-30000.00"))
    ]  # fmt: skip
    plain = settled(policy_with(tmp_path), **cases)
    assert plain.shadow is None
    assert "shadow_amount" not in plain.table.column_names


def test_a_shadow_settlement_pays_what_the_policy_would_pay_in_earnest(tmp_path: Path) -> None:
    """Property: on the sample the shadow amounts are those of the same policy without the switch, also by points."""
    year, _ = read_grouped([discharges()], "beijing-2024")
    for given in ({"unit_value": {"*": 12000.0}}, {"budget": {"*": 9e7}, "fund_share": 0.65}):
        earnest = settle(year, load_policy("beijing/2024"), **given)  # type: ignore[arg-type]
        policy = load_policy("beijing/2024").changed({"shadow": True})
        beside = settle(year, policy, **given)  # type: ignore[arg-type]
        assert beside.shadow is not None
        known = beside.shadow.known
        assert known.sum() > 0.5 * year.num_rows
        assert (beside.shadow.amount[known] == earnest.amount[known]).all()
        assert (beside.amount[known] == beside.ledger.cost[known]).all()


def test_acute_psychiatric_stays_are_simulated(tmp_path: Path) -> None:
    """Days 10 of at most 15: by item 20,000, and 30,000 by the group; 40 days at 300 yuan: 12,000 and no shadow."""
    per_diem = {"rate": keyed({"*": 300}, "yuan per day"), "acute_days": value(15, "days")}
    extra = {"per_diem": per_diem, "group_classes": {"psychiatric": {
        "title": "psychiatry", "title_zh": "精神", "starts": ["T"], "pays": "per_diem", **SAID}}}  # fmt: skip
    cases: dict[str, Any] = {
        "drg": ["TR15", "TR15", "A"],
        "relative_weight": 1.0,
        "total_cost": 20000.0,
        "los_days": [10, 40, 10],
    }
    paid = settled(policy_with(tmp_path, extra), **cases)
    assert amounts(paid) == ["20000.00", "12000.00", "30000.00"]
    assert [str(each) for each in paid.table["shadow_amount"].to_pylist()] == ["30000.00", "None", "None"]


# -- Beijing's pilot and trial ---------------------------------------------------------------------------------------------
def _plain_choice(path: Path, scheme: str, hospitals: set[str], number: int) -> list[str]:
    """The groups of largest cost with CV below 1 at some hospitals, with lists and the standard library alone."""
    table, _ = read_grouped([path], scheme)
    patients = table["patient_paid"].to_pylist()
    costs = defaultdict(list)
    for place, (code, hospital, cost) in enumerate(
        zip(table["drg"].to_pylist(), table["hospital_id"].to_pylist(), table["total_cost"].to_pylist(), strict=True)
    ):
        negative = patients[place] is not None and float(patients[place]) < 0
        if hospital in hospitals and code not in ("", "0000", None) and not code.endswith("QY") and cost and not negative:
            costs[code].append(float(cost))
    fits = [code for code, each in costs.items() if len(each) > 1 and pstdev(each) / mean(each) < 1]
    return sorted(sorted(fits, key=lambda code: (-round(sum(costs[code]), 2), code))[:number])


@pytest.mark.parametrize(("name", "number"), [("beijing/2011-pilot", 108), ("beijing/2018-shadow", 312)])
def test_the_groups_of_beijing_against_a_plain_recomputation(name: str, number: int) -> None:
    path = discharges(YEARS[0])
    paid = drgsim.settle(path, name, hospitals=path.parent / "hospitals.csv")
    chosen = paid.record["selection"]
    assert load_policy(name).file.group_selection.from_history.groups.value == number  # type: ignore[union-attr]
    wanted = _plain_choice(path, "chs-drg-1.1", set(chosen["members"]["hospitals"]), number)
    assert chosen["groups"]["groups"] == wanted


def test_unknown_words_of_hospitals_are_told() -> None:
    with pytest.raises(DrgsimError, match="member"):
        hospitals_by_id({"H1": {"memberof": "x"}})
