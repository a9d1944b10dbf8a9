"""Every method that a policy may name pays by it, from a file to the simulated year."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from drgsim.api.payment_verbs import settle
from drgsim.payment.policy import PolicyError, load_policy
from drgsim.payment.policy_model import PolicyFile
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.runner import Runner
from drgsim.simulation.setup import first_setup
from tests.payment_policies import amounts, codes_of, keyed, policy_with, settled, value
from tests.simulating import YEAR, by_path, region

METHODS = get_args(PolicyFile.model_fields["method"].annotation)
BY_GROUP = ["normal", "ungrouped", "ambiguous", "self_pay"]
BY_BUDGET = ["29600.00", "400.00", "70000.00", "5000.00"]  # 100 000 less 70 400 by item, for half a unit
CASES: dict[str, Any] = {
    "total_cost": [9000.0, 400.0, 70000.0, 5000.0], "los_days": [9, 1, 70, 5],
    "insurance": ["employee", "resident", "", "self"],
    "drg": ["A", "0000", "BQY", "A"], "relative_weight": [0.5, None, None, 0.5],
}  # fmt: skip
PER_DAY = {"per_diem": {"rate": keyed({"employee": 300, "*": 250}, "yuan a day")}}


def sections(method: str) -> dict[str, Any]:
    """What a policy of the method needs beside the method."""
    return {"method": method, "ungrouped": value("by_item"), "ambiguous": value("by_item"),
            **(PER_DAY if method == "per_diem" else {})}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "budget", "paid", "classes"),
    [
        ("rate", {}, ["15000.00", "400.00", "70000.00", "5000.00"], BY_GROUP),
        ("points", {"*": 100_000}, BY_BUDGET, BY_GROUP),
        ("dip", {"*": 100_000}, BY_BUDGET, BY_GROUP),
        ("by_item", {}, ["9000.00", "400.00", "70000.00", "5000.00"], ["by_item", "by_item", "by_item", "self_pay"]),
        ("per_diem", {}, ["2700.00", "250.00", "17500.00", "5000.00"], ["per_diem", "per_diem", "per_diem", "self_pay"]),
    ],
)  # fmt: skip
def test_each_method_pays(tmp_path: Path, method: str, budget: dict[str, float], paid: list[str], classes: list[str]) -> None:
    name = "dip" if method == "dip" else "drg"
    cases = {name if column == "drg" else column: entry for column, entry in CASES.items()}
    settlement = settled(policy_with(tmp_path, sections(method)), options={"budget": budget or None}, **cases)
    assert settlement.table["case_class"].to_pylist() == classes
    assert amounts(settlement) == paid


def test_no_method_stands_without_a_test() -> None:
    tested = next(mark for mark in test_each_method_pays.pytestmark if mark.name == "parametrize").args[1]  # type: ignore[attr-defined]
    assert {case[0] for case in tested} == set(METHODS)


@pytest.mark.parametrize("method", ["by_item", "per_diem"])
def test_methods_without_groups_need_neither_groups_nor_a_curve(tmp_path: Path, method: str) -> None:
    folder = policy_with(tmp_path, {**sections(method), "curves": {}, "coefficient": {}, "unit_value": None})
    path = tmp_path / "september.csv"
    path.write_text("discharge_id,total_cost,los_days,insurance\na,1234.56,3,employee\nb,88,,resident\n", encoding="utf-8")
    result = settle(path, folder)
    lines = result.cases.to_pylist()
    expected = {"by_item": ["1234.56", "88.00"], "per_diem": ["900.00", "None"]}
    assert [str(line["amount"]) for line in lines] == expected[method]
    assert lines[1]["case_class"] == {"by_item": "by_item", "per_diem": "unpaid"}[method], "a stay of unknown length"


@pytest.mark.parametrize("section", [{}, {"per_diem": {"rate_unit": "yuan"}}])
def test_a_policy_per_day_without_a_rate_is_refused(tmp_path: Path, section: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=r"per_diem\.rate") as refused:
        load_policy(policy_with(tmp_path, {"method": "per_diem", **section}))
    assert [problem.code for problem in refused.value.problems] == ["policy-no-rate"]
    with pytest.raises(PolicyError, match="policy-no-rate"):
        load_policy("beijing/2024").changed({"method": "per_diem"})


def test_a_fixed_rate_per_day_is_needed(tmp_path: Path) -> None:
    rate = {"per_diem": {"rate": keyed({"resident": 30}, "yuan a day")}}
    settlement = settled(
        policy_with(tmp_path, {"method": "per_diem", **rate}), total_cost=[100.0, 100.0], los_days=2,
        per_diem_rate=[40.0, None], insurance="employee",
    )  # fmt: skip
    assert amounts(settlement) == ["80.00", "None"]
    assert "settle-missing-per-diem-rate" in codes_of(settlement)


@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("per_case", "pays: standard"),
        ("capitation", "section capitation"),
        ("by_itm", "by_item"),
        ("point", "did you mean points"),
    ],
)
def test_other_methods_are_refused(tmp_path: Path, method: str, hint: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(policy_with(tmp_path, {"method": method}))
    (problem,) = refused.value.problems
    assert problem.code == "policy-bad-value"
    assert hint in f"{problem.what}; {problem.fix}"


@pytest.mark.parametrize(("method", "rate"), [("by_item", "policy"), ("per_diem", "policy"), ("by_item", "fund")])
def test_a_year_is_simulated_by_them(tmp_path: Path, method: str, rate: str) -> None:
    setup = first_setup(load_policy(policy_with(tmp_path, {**sections(method), "curves": {}, "unit_value": None})))
    setup = replace(setup, settings={**setup.settings, "rate.source": rate})
    runner = Runner(region())
    outcome = runner.run(setup, YEAR)
    lines = runner.lines(setup, YEAR)
    insured = lines.marks.paid & (lines.cases.insurance != 2)
    ledger = lines.settlement.ledger
    per_day = 25_000 + 5_000 * (lines.cases.insurance == 0)
    expected = ledger.cost if method == "by_item" else ledger.cases.numbers["los_days"] * per_day
    assert (ledger.amount[insured] == expected[insured]).all()
    assert outcome.by_payer.money["payment"].sum() == lines.money[Measure.PAYMENT].sum()
    more = runner.run(by_path(setup, {"cases.price.drugs": "*1.5"}), YEAR)
    grows = more.by_payer.money["fund"].sum() > outcome.by_payer.money["fund"].sum()
    assert grows == (method == "by_item"), "only payment by item follows the bill"
