"""Figures of hospitals from a handful of cases, worked out by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures, figures_of
from drgsim.budgets.terms import BudgetTerms, load_terms
from drgsim.payment.settlement import Settlement
from drgsim.region.hospital_list import Hospital
from drgsim.region.region_folder import RegionFolder
from tests.payment_policies import policy_with, settled, value

TERMS = load_terms("general")
HOSPITALS = {name: Hospital(level, "", float("nan"), name) for name, level in (("A", "3"), ("B", "1"), ("C", "1"))}
REGION = RegionFolder(
    Path("made-up"), {}, HOSPITALS, fund={2024: {"employee": 1_000_000}}, insured={2024: 500},
    heads={(2024, "hypertension"): 10, (2024, "diabetes"): 1},
)  # fmt: skip
# patient 1 comes back to A in the same group after 9 days, patient 2 after 40; patient 3 pays himself
CASES: dict[str, Any] = {
    "discharge_id": [f"D{number}" for number in range(1, 9)],
    "hospital_id": ["A", "A", "A", "A", "A", "B", "B", "C"],
    "patient_id": ["1", "1", "2", "2", "3", "4", "5", "6"],
    "drg": ["BR23", "BR23", "GE29", "GE29", "BR23", "FV25", "KS15", "FV25"],
    "relative_value": [0.5, 0.5, 1.0, 1.0, 0.5, 0.4, 0.6, 0.4],
    "admitted": [date(2024, 1, 1), date(2024, 1, 14), date(2024, 2, 1), date(2024, 3, 20), *[date(2024, 5, 1)] * 4],
    "discharged": [date(2024, 1, 5), date(2024, 1, 20), date(2024, 2, 9), date(2024, 3, 25), *[date(2024, 5, 6)] * 4],
    "los_days": [4, 6, 8, 5, 5, 5, 5, 5],
    "total_cost": [12000.0, 18000.0, 70000.0, 20000.0, 15000.0, 9000.0, 16000.0, 11000.0],
    "patient_paid": [3000.0, 5000.0, 20000.0, 6000.0, 15000.0, 2000.0, 4000.0, 2500.5],
    "own_paid": [600.0, 900.0, 0.0, 0.0, 0.0, 450.0, None, 1100.0],
    "discharge_way": [1, 1, 5, 1, 1, 1, 1, 1],
    "insurance": ["employee", "employee", "resident", "resident", "self", "resident", "resident", "resident"],
}


def taken(policy: Any, terms: BudgetTerms = TERMS, **columns: Any) -> tuple[HospitalFigures, Settlement]:
    settlement = settled(policy, HOSPITALS, **(CASES | columns))
    return figures_of(settlement, terms, REGION), settlement


def test_sums_by_hospital_and_month(tmp_path: Path) -> None:
    figures, _ = taken(policy_with(tmp_path))
    assert figures.hospitals == ("A", "B", "C")
    assert figures.years == (2024,)
    assert figures.cases[:, 0].tolist() == [4, 2, 1], "self-payers use none of the fund"
    assert figures.people[:, 0].tolist() == [2, 2, 1]
    assert figures.weight[:, 0].tolist() == [3.0, 1.0, 0.4]
    assert figures.spending[0, 0, :4].tolist() == [2_200_000, 5_000_000, 1_400_000, 0]
    assert figures.spending[2, 0].sum() == 849_950
    # standards 15000, 15000, 30000, 30000; the third costs 70000 / 30000 = 2.333 of it: 30000 x 1.3333
    assert figures.payment[0, 0, :, UNITS.index("drg")][:4].tolist() == [2_200_000, 2_000_000, 2_400_000, 0]
    assert figures.low_weight[:, 0].tolist() == [2_200_000, 1_900_000, 849_950]


def test_indicators_by_hand(tmp_path: Path) -> None:
    figures, _ = taken(policy_with(tmp_path))
    found = dict(zip(figures.indicator_names, figures.indicators[:, 0].T, strict=True))
    # BR23: 12000, 18000, 15000 over 15000; GE29: 70000, 20000 over 45000; FV25: 9000, 11000 over 10000
    assert found["cost_index"] == pytest.approx([(0.8 + 1.2 + 1 + 2) / 5, (0.9 + 1) / 2, 1.1], abs=1e-6)
    assert found["time_index"] == pytest.approx([(0.8 + 1.2 + 1 + 8 / 6.5 + 5 / 6.5) / 5, 1, 1], abs=1e-6)
    assert found["readmission"].tolist() == [0.2, 0, 0]
    assert found["high_cost_share"].tolist() == [0.2, 0, 0]
    assert found["own_pay_share"] == pytest.approx([1500 / 135000, 450 / 9000, 1100 / 11000])
    assert found["coding"].tolist() == [1, 1, 1]
    assert np.isnan(found["procurement_completion"]).all()
    # GE29 is the only group with a death: it is no low-risk group, the others are
    assert found["low_risk_mortality"].tolist() == [0, 0, 0]


def test_units_of_payment(tmp_path: Path) -> None:
    table = "code,name,level,insurance,fund_amount,personal_limit\nKS15,糖尿病,,,7000,4000\n"
    extra = {"single_disease": {"table": {"file": "single.csv", "unit": "yuan", "source": "test", "evidence": "assumption"}},
             "ambiguous": value("by_item", "rule")}  # fmt: skip
    policy = policy_with(tmp_path, extra, {"single.csv": table})
    groups = [*CASES["drg"][:2], "GEQY", *CASES["drg"][3:]]
    values = [*CASES["relative_value"][:2], None, *CASES["relative_value"][3:]]
    flags = ["", "", "", "1", "", "", "", ""]
    rates = [None, None, None, 1300.0, None, None, None, None]
    figures, settlement = taken(policy, drg=groups, relative_value=values, per_diem=flags, per_diem_rate=rates)
    by_unit = figures.payment[:, 0].sum(axis=1)
    assert settlement.problems == () or all("not paid" not in problem.what for problem in settlement.problems)
    # per diem: 5 days x 1300 less 6000 of the patient; by item: 70000 - 20000; single disease: the fund's 7000
    assert dict(zip(UNITS, by_unit[0].tolist(), strict=True)) == {
        "drg": 2_200_000, "dip": 0, "per_diem": 50_000, "single_disease": 0, "capitation": 0, "by_item": 5_000_000,
            "outpatient": 0,
    }  # fmt: skip
    assert by_unit[1].tolist() == [1_000_000, 0, 0, 700_000, 0, 0, 0]


def test_dip_is_a_unit_of_its_own() -> None:
    unit = ["A02.0"] * 8
    settlement = settled(
        "taian/2025", HOSPITALS, {"unit_value": {"*": 10.0}}, **(CASES | {"dip": unit, "relative_value": [400.0] * 8})
    )
    figures = figures_of(settlement, TERMS, REGION)
    assert figures.payment[..., UNITS.index("drg")].sum() == 0
    paid = settlement.fund_payment[(settlement.fund_payment > 0) & (settlement.ledger.cases.insurance != 2)]
    assert figures.payment.sum() == paid.sum() > 0


def test_chronic_stays_and_registered_patients(tmp_path: Path) -> None:
    figures, settlement = taken(policy_with(tmp_path))
    chronic = figures.capitated[:, 0].sum(axis=(1, 2))
    assert chronic.tolist() == [0, int(settlement.fund_payment[5:7].sum()), int(settlement.fund_payment[7])]
    # B treats two chronic patients, C one: ten people with hypertension fall 7 and 3, the one with diabetes to B
    assert figures.registered[:, 0].tolist() == [[0, 0], [1, 7], [0, 3]]


def test_history_may_be_what_the_units_give(tmp_path: Path) -> None:
    figures, _ = taken(policy_with(tmp_path), TERMS.changed({"measure.spending": "by_units"}))
    assert figures.spending.tolist() == figures.payment.sum(axis=3).tolist()


def test_cases_outside_of_the_years_are_left_out(tmp_path: Path) -> None:
    from dataclasses import replace

    settlement = settled(policy_with(tmp_path), HOSPITALS, **CASES)
    whole = figures_of(settlement, TERMS, REGION)
    late = [date(2025, 1, 3) if number == 3 else day for number, day in enumerate(CASES["discharged"])]
    other = settled(policy_with(tmp_path), HOSPITALS, **(CASES | {"discharged": late}))
    assert figures_of(other, TERMS, REGION).years == (2024, 2025)
    some = figures_of(other, TERMS, replace(REGION, discharges={2024: Path("made-up")}))
    assert some.spending.sum() == whole.spending.sum() - 1_400_000
    assert some.cases.sum() == whole.cases.sum() - 1
