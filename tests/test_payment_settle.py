"""Settling as a user meets it: bad input, hospitals, special rules, files."""

from __future__ import annotations

import csv
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.cli.main import app
from drgsim.errors import InputError, UsageError
from drgsim.money import MISSING
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.records.vocabulary import level_keys
from drgsim.region.hospital_list import Hospital, read_hospitals
from tests.payment_policies import codes_of, policy_with, settled

RUN = CliRunner()


def test_bad_input_is_counted_and_has_no_amount() -> None:
    settlement = settled(
        "qingyang/2023",
        drg=["A", "A", "A", "A", "A", "A"],
        relative_value=[1.0, 1.0, 1.0, None, 1.0, 1.0],
        total_cost=["-5", "", "viel", "100", "9000", "9000"],
        hospital_level=["3", "3", "3", "3", None, "3"],
        insurance=["employee", "employee", "employee", "employee", "employee", None],
    )
    assert (settlement.amount == MISSING).all()
    assert set(settlement.table["case_class"].to_pylist()) == {"unpaid"}
    found = codes_of(settlement)
    for code in (
        "settle-cost-negative", "settle-cost-missing", "settle-cost-unreadable", "settle-missing-weight",
        "settle-missing-level", "settle-missing-unit-value",
    ):  # fmt: skip
        assert found[code].startswith("1 cases are not paid"), code
    assert settlement.table["amount"].null_count == 6
    assert "below 0" in settlement.table["rule"][0].as_py()


def test_an_unknown_hospital_is_reported_by_name() -> None:
    settlement = settled(
        "suzhou/2023", {"H1": Hospital("3", "", float("nan"), "")}, drg="X", relative_value=1.0,
        hospital_id=["H1", "H9"], total_cost=[9000.0, 9000.0],
    )  # fmt: skip
    assert [str(value) for value in settlement.table["amount"].to_pylist()] == ["10473.96", "None"]
    problem = next(p for p in settlement.problems if p.code == "settle-unknown-hospital")
    assert problem.where == "H9"


def test_groups_that_the_table_lacks_are_named() -> None:
    settlement = settled("beijing/2022", drg=["AE19", "ZZ99"], total_cost=[1000.0, 1000.0])
    problem = next(p for p in settlement.problems if p.code == "settle-missing-weight")
    assert problem.where == "ZZ99"
    assert settlement.table["amount"].null_count == 1


def test_columns_override_the_tables() -> None:
    settlement = settled("beijing/2022", drg="AE19", relative_value=[1.0], total_cost=[20000.0])
    assert settlement.table["relative_value"].to_pylist() == [1.0]
    assert str(settlement.table["amount"][0]) == "20427.52"


def test_weights_given_to_a_points_policy_are_questioned() -> None:
    settlement = settled("ningbo/2022", drg="A", relative_value=[1.2], total_cost=[12000.0])
    assert "settle-relative-value-unit" in codes_of(settlement)


def test_an_assumed_coefficient_is_said() -> None:
    settlement = settled("ningbo/2022", drg="A", relative_value=[120.0], total_cost=[12000.0])
    assert "settle-assumed-coefficient" in codes_of(settlement)
    hospital = {"H": Hospital("3", "a", 1.1, "")}
    own = settled("ningbo/2022", hospital, drg="A", hospital_id="H", relative_value=[120.0], total_cost=[12000.0])
    assert str(own.table["amount"][0]) == "12276.00"
    assert "settle-assumed-coefficient" not in codes_of(own)


def test_self_pay_patients_cost_the_fund_nothing() -> None:
    settlement = settled("beijing/2022", drg="AE19", insurance=["自费"], total_cost=[1000.0])
    assert settlement.table["case_class"].to_pylist() == ["self_pay"]
    assert settlement.fund_payment.tolist() == [0]


def test_ambiguous_and_ungrouped_follow_the_policy() -> None:
    settlement = settled("beijing/2022", drg=["BQY", "0000", None], total_cost=[10.0, 20.0, 30.0])
    assert settlement.table["case_class"].to_pylist() == ["ambiguous", "ungrouped", "ungrouped"]
    assert settlement.amount.tolist() == [1000, 2000, 3000]


def test_quanzhou_pays_ungrouped_cases_the_published_standard() -> None:
    settlement = settled("quanzhou/undated", drg="0000", hospital_grade="A", hospital_level="3", total_cost=[1500.0])
    assert str(settlement.table["amount"][0]) == "1526.63"


def test_extreme_cases_beyond_the_cap_get_the_standard() -> None:
    cost = [10_000.0] * 38 + [90_000.0, 50_000.0]
    settlement = settle(
        pa.table({"drg": ["A"] * 40, "relative_value": [1.0] * 40, "hospital_level": ["3"] * 40, "hospital_id": ["H"] * 40,
                  "total_cost": cost}),
        load_policy("national/2.0"), unit_value={"*": 10_000},
    )  # fmt: skip
    assert settlement.amount[-2:].tolist() == [9_000_000, 5_000_000], "5 % of 40 are two cases"
    more = settle(
        pa.table({"drg": ["A"] * 39, "relative_value": [1.0] * 39, "hospital_level": ["3"] * 39, "hospital_id": ["H"] * 39,
                  "total_cost": cost[1:]}),
        load_policy("national/2.0"), unit_value={"*": 10_000},
    )  # fmt: skip
    assert more.amount[-2:].tolist() == [9_000_000, 1_000_000], "the smaller excess falls back to the standard"


def test_per_diem_days_are_capped_by_year_and_patient(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {
        "per_diem": {
            "rate": {"values": {"*": 250}, "unit": "yuan per day", "source": "test", "evidence": "assumption"},
            "day_cap": {"value": 40, "unit": "days a year", "source": "test", "evidence": "assumption"},
            "acute_days": {"value": 7, "unit": "days", "source": "test", "evidence": "assumption"},
        },
    })  # fmt: skip
    settlement = settled(
        str(folder), drg="T", relative_value=1.0, per_diem=1, patient_id=["P", "P", "Q", "P", "Q"],
        discharged=["2024-03-01", "2024-01-31", "2024-05-01", "2025-01-31", "2024-06-01"],
        los_days=[30, 30, 30, 30, 5], total_cost=[9000.0, 9000.0, 9000.0, 9000.0, 800.0],
    )  # fmt: skip
    assert settlement.amount.tolist() == [250_000, 750_000, 750_000, 750_000, 80_000]
    assert settlement.table["case_class"].to_pylist() == ["per_diem"] * 4 + ["by_item"]


def test_exempt_status_is_lost_on_procurement_listing(tmp_path: Path) -> None:
    entry = {"unit": "x", "source": "test", "evidence": "assumption"}
    folder = policy_with(tmp_path, {
        "exempt": {"total_multiple": {"value": 2, **entry}, "cost_share": {"value": 0.64, **entry},
                   "table": {"file": "exempt.csv", **entry}},
    })  # fmt: skip
    (folder / "exempt.csv").write_text("code,valid_from,valid_to,listed\nN1,2024-01-01,2026-12-31,2025-06-01\n")
    settlement = settled(
        str(folder), drg="A", relative_value=1.0, total_cost=[75000.0] * 4, exempt_cost=50000.0, exempt_mean_cost=12000.0,
        exempt_code=["N1", "N1", "N1", "N2"], discharged=["2024-05-01", "2025-06-01", "2023-12-31", "2024-05-01"],
    )  # fmt: skip
    assert settlement.table["case_class"].to_pylist() == ["exempt", "high", "high", "high"]


# -- hospitals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("level", "grade", "keys"),
    [("3", "甲等", ("3a", "3")), ("三级甲等", "", ("3a", "3")), ("2b", "", ("2b", "2")), ("3", "A", ("3a", "A", "3"))],
)
def test_levels_in_any_words(level: str, grade: str, keys: tuple[str, ...]) -> None:
    assert level_keys(level, grade) == keys


def test_hospital_files_report_all_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "hospitals.csv"
    path.write_text("id,level,coefficient\nH1,3,1.1\nH1,3,x\n,2,1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_hospitals(path)
    assert [problem.code for problem in caught.value.problems] == [
        "hospitals-duplicate", "hospitals-coefficient", "hospitals-no-id",
    ]  # fmt: skip


def test_a_wrong_budget_is_refused() -> None:
    table = pa.table({"drg": ["A"], "relative_value": [1.0], "total_cost": [1.0]})
    with pytest.raises(UsageError, match="employee and resident"):
        settle(table, load_policy("national/2.0"), budget={"employees": 5})


# -- commands ----------------------------------------------------------------------------------------------------------
def _write_cases(path: Path) -> None:
    rows = [["discharge_id", "drg", "total_cost", "patient_paid", "hospital_id"], ["001", "AE19", "100000", "2000", "01"],
            ["002", "ZZ99", "5", "0", "01"]]  # fmt: skip
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)


def test_settle_command_writes_cases_summaries_and_record(tmp_path: Path) -> None:
    _write_cases(tmp_path / "cases.csv")
    result = RUN.invoke(app, ["settle", str(tmp_path / "cases.csv"), "-p", "beijing/2022", "-o", str(tmp_path / "out.csv")])
    assert result.exit_code == 0, result.output
    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["discharge_id"] for row in rows] == ["001", "002"], "leading zeros stay"
    assert rows[0]["amount"] == "118507.00"
    assert rows[0]["fund_payment"] == "116507.00"
    assert rows[1]["amount"] == ""
    record = json.loads((tmp_path / "out.summaries" / "run.json").read_text(encoding="utf-8"))
    assert (record["cases"], record["paid"], record["amount_yuan"]) == (2, 1, "118507.00")
    assert record["assumptions"]
    assert "ZZ99" in result.output
    again = RUN.invoke(app, ["settle", str(tmp_path / "cases.csv"), "-p", "beijing/2022", "-o", str(tmp_path / "folder")])
    assert again.exit_code == 0
    assert (tmp_path / "folder" / "cases.parquet").is_file()


def test_settle_command_leaves_foreign_folders_alone(tmp_path: Path) -> None:
    _write_cases(tmp_path / "cases.csv")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    result = RUN.invoke(app, ["settle", str(tmp_path / "cases.csv"), "-p", "beijing/2022", "-o", str(tmp_path / "mine")])
    assert result.exit_code != 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    _write_cases(tmp_path / "cases.csv")
    for name in ("a", "b"):
        RUN.invoke(app, ["settle", str(tmp_path / "cases.csv"), "-p", "beijing/2022", "-o", str(tmp_path / name)])
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_set_changes_a_parameter_for_one_run(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("drg,relative_value,coefficient,hospital_level,total_cost\nA,1,1,3,9000\n")
    command = ["settle", str(tmp_path / "c.csv"), "-p", "suzhou/2023", "-o", str(tmp_path / "o"), "--set", "unit_value.*=*1.1"]
    assert RUN.invoke(app, [*command, "--json"]).exit_code == 0
    record = json.loads((tmp_path / "o" / "run.json").read_text(encoding="utf-8"))
    assert record["amount_yuan"] == "9601.13"
    assert "unit_value" in record["assumptions"]


def test_no_cases_give_empty_results() -> None:
    for name in ("beijing/2022", "taian/2025", "suzhou/2023"):
        empty = pa.table({"drg": pa.array([], pa.string()), "total_cost": pa.array([], pa.float64())})
        settlement = settle(empty, load_policy(name))
        assert settlement.table.num_rows == 0
        assert settlement.summaries["hospital"].num_rows == 0


def test_a_million_cases_need_no_row_loop() -> None:
    size = 20_000
    rng = np.random.default_rng(0)
    table = pa.table({
        "drg": rng.choice(["AE19", "AG29"], size), "total_cost": np.round(rng.uniform(1e4, 9e5, size), 2),
    })  # fmt: skip
    assert (settle(table, load_policy("beijing/2022")).amount != MISSING).all()


@pytest.mark.parametrize("given", [{"unit_value": {"*": 9000}}, {"changes": {"unit_value.*": "*0.3"}}])
def test_a_unit_value_that_published_standards_leave_idle_is_told(given: dict[str, Any]) -> None:
    """Beijing publishes 25,654 yuan for ES31; a case that states its own relative value is paid by the unit value."""
    row = {"total_cost": 9000, "insurance": "employee", "hospital_level": "3", "drg": "ES31"}
    paid = drgsim.settle([row, row | {"relative_value": 1.0}], "beijing/2024", **given)
    told = {problem.code: problem.what for problem in paid.notes}
    assert told["settle-idle-unit-value"].startswith("1 cases: ")
    assert str(paid.cases["amount"][0]) == "25654.00"
    assert "settle-idle-unit-value" not in {problem.code for problem in drgsim.settle([row], "beijing/2024").notes}


def test_half_fen_of_one_unit_value_are_decided_exactly_whatever_the_cost() -> None:
    """Weights with four decimals x 20,425 yuan end on half a fen in every fourth case; equal terms are asked about once."""
    rows = [
        {"relative_value": number / 10_000, "total_cost": cost, "insurance": "employee", "hospital_level": "3", "drg": "X"}
        for number in range(5_001, 5_101)
        for cost in (9_000, 11_000, 13_000, 1_500_000)
    ]
    table = settle(pa.Table.from_pylist(rows), load_policy("beijing/2024")).table
    ties = 0
    for row, told in zip(rows, table.to_pylist(), strict=True):
        exactly = Decimal(repr(row["relative_value"])) * 20_425
        ties += exactly * 1_000 % 10 == 5
        if told["case_class"] == "normal":
            assert told["amount"] == exactly.quantize(Decimal("0.01"), ROUND_HALF_UP)
        else:
            assert (told["case_class"], told["amount"]) == ("high", row["total_cost"])
    assert ties > 50
