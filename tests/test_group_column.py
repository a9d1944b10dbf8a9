"""Discharges that state both a DRG and a DIP kind: the policy decides which one is paid, the same way everywhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.payment.grouped_cases import read_cases
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.simulation.runner import Runner
from drgsim.simulation.setup import first_setup
from drgsim.simulation.simulated_region import Region

DIP, DRG = "national/dip-3.0-draft", "beijing/2024"
CASES = {
    "discharge_id": ["1", "2", "3", "4"], "hospital_id": ["H1", "H1", "H2", "H2"], "hospital_level": ["3", "3", "2", "2"],
    "insurance": ["employee", "resident"] * 2, "discharged": ["2024-03-01"] * 4, "total_cost": [900.0, 1000.0, 1100.0, 1200.0],
    "patient_paid": [100.0] * 4, "relative_value": [100.0, 110.0, 120.0, 130.0],
    "drg": ["BR23", "BR25", "BR23", "BR25"], "dip": ["I63.9:x", "I63.9:y", "I21.0:x", "I21.0:y"],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A region whose discharges state both groups."""
    pq.write_table(pa.table(CASES), tmp_path / "discharges-2024.parquet")
    (tmp_path / "hospitals.csv").write_text("hospital_id,level,coefficient\nH1,3,1\nH2,2,1\n", encoding="utf-8")
    (tmp_path / "fund.csv").write_text("year,insurance,budget_yuan\n2024,employee,1000\n2024,resident,1200\n", encoding="utf-8")
    return tmp_path


def test_settling_and_simulation_pay_the_same_column(folder: Path) -> None:
    policy, table = load_policy(DIP), pa.table(CASES)
    region = Region.of(folder)
    _, simulated, pricing = Runner(region).settlement(first_setup(policy), 2024)
    settled = settle(table, policy, hospitals=region.hospitals, budget=pricing.budget)
    assert simulated.table["unit"].to_pylist() == settled.table["unit"].to_pylist() == CASES["dip"]
    assert simulated.amount.tolist() == settled.amount.tolist()


@pytest.mark.parametrize(("method", "kind"), [("dip", "dip"), ("rate", "drg"), ("points", "drg"), ("", "drg")])
def test_the_method_of_the_policy_decides(folder: Path, method: str, kind: str) -> None:
    assert read_cases(pa.table(CASES), method=method).unit.values == list(dict.fromkeys(CASES[kind]))
    other = {"drg": "DRG编码", "dip": "病种编码"}
    renamed = pa.table({other.get(name, name): values for name, values in CASES.items()})
    assert read_cases(renamed, method=method).unit.values == list(dict.fromkeys(CASES[kind]))
    cohort = Region.of(folder).cohort(2024, "given", method)
    assert cohort.cases.unit.values == list(dict.fromkeys(CASES[kind]))


def test_weights_follow_the_policy_or_the_scheme() -> None:
    history = pa.table(CASES).drop_columns(["relative_value"])
    assert set(drgsim.weights(history).weights["drg"].to_pylist()) == set(CASES["drg"])
    assert set(drgsim.weights(history, policy=DIP, years="1").weights["dip"].to_pylist()) == set(CASES["dip"])
    assert set(drgsim.weights(history, scheme="dip-taian-2025").weights["dip"].to_pylist()) == set(CASES["dip"])
    assert set(drgsim.weights(history, policy=DRG, years="1").weights["drg"].to_pylist()) == set(CASES["drg"])
