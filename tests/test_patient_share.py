"""Who pays an amount: the fund, patients and other funds, case by case and netted by hospital (rule book 1.6, 2.2, 3.7)."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.money import MISSING
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from tests.payment_policies import SAID, value

SHARES = ("case", "hospital_month", "hospital_year")
HUNDREDTHS = st.integers(0, 4_000_000).map(lambda n: n / 100)
CASE = st.fixed_dictionaries({
    "hospital_id": st.sampled_from(["A", "B", ""]), "insurance": st.sampled_from(["employee", "resident", "self"]),
    "relative_value": st.integers(1, 40).map(lambda n: n / 10), "patient_paid": HUNDREDTHS,
    "other_paid": st.sampled_from([0.0, 700.0]), "total_cost": HUNDREDTHS.map(lambda n: n + 100),
    "discharged": st.sampled_from(["2024-01-31", "2024-02-01", "2025-02-01", None]),
})  # fmt: skip


def policy_netting(net: str | None, floor: bool = True) -> Any:
    base = load_policy("qingyang/2023")
    raw = {**base.raw, "patient_share": {"mode": value("remainder"), "floor_at_zero": value(floor)}}
    raw["sources"] = {**raw["sources"], "test": {"title": "made up for a test"}}
    if net is not None:
        raw["patient_share"]["net"] = value(net)
    return base.rebuilt(raw, "netting")


POLICIES = {(net, floor): policy_netting(net, floor) for net in (*SHARES, None) for floor in (True, False)}


def plain(rows: list[dict[str, Any]], amounts: list[int], net: str | None, floor: bool) -> list[int]:
    """What the fund pays of each case, in whole fen, from the words of the rule alone."""
    left = []
    for row, amount in zip(rows, amounts, strict=True):
        taken = Fraction(str(row["patient_paid"])) + Fraction(str(row["other_paid"]))
        left.append(0 if row["insurance"] == "self" else amount - int(taken * 100))
    if not floor:
        return left
    whole: dict[Any, int] = defaultdict(int)
    keys = []
    for number, row in enumerate(rows):
        day = row["discharged"] or "none"
        period = {"case": str(number), "hospital_month": day[:7], "hospital_year": day[:4], None: day[:4]}[net]
        keys.append((row["hospital_id"], row["insurance"], period))
        whole[keys[-1]] += left[number]
    return [0 if whole[key] < 0 else fen for key, fen in zip(keys, left, strict=True)]


@pytest.mark.parametrize(("net", "floor"), list(POLICIES))
@given(rows=st.lists(CASE, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_fund_pays_what_hospitals_have_left_and_every_fen_has_a_payer(
    net: str | None, floor: bool, rows: list[dict[str, Any]]
) -> None:
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]} | {"drg": ["X"] * len(rows)})
    table = table.append_column("hospital_level", pa.array(["3"] * len(rows)))
    settled = settle(table.append_column("coefficient", pa.array([1.0] * len(rows))), POLICIES[net, floor])
    assert (settled.amount != MISSING).all()
    assert settled.fund_payment.tolist() == plain(rows, settled.amount.tolist(), net, floor)
    lines = settled.table.to_pylist()
    for line in lines:
        parts = ("fund_payment", "patient_paid", "other_paid", "above_standard")
        assert line["amount"] == sum(line[name] for name in parts)
        assert line["margin"] == line["amount"] - line["above_standard"] - line["total_cost"]
    for summary in settled.summaries.values():
        for row in summary.to_pylist():
            parts = ("fund_payment", "patient_paid", "other_paid", "above_standard")
            assert row["payment"] == sum(row[name] for name in parts)
            assert row["margin"] == row["payment"] - row["above_standard"] - row["cost"]
    assert sum(settled.parts.above_standard) <= 0 or not floor


@pytest.mark.parametrize("name", ["taian/2025", "yinchuan/2023", "zhoukou/2023", "ningbo/2022"])
def test_a_points_budget_closes_to_less_than_the_rounding_of_its_cases(name: str) -> None:
    """Budget of the fund + patients' parts = what the cases are paid, though a third of the patients pay above the standard."""
    rng, size = np.random.default_rng(5), 400
    policy = load_policy(name)
    scale = policy.file.relative_value.scale.value
    cost = np.round(rng.lognormal(9, 0.8, size), 2)
    patient = np.round(np.minimum(cost, rng.lognormal(8, 1.2, size)), 2)
    table = pa.table({
        "drg": [f"G{number}" for number in rng.integers(0, 9, size)], "hospital_id": rng.choice(["A", "B", "C"], size),
        "hospital_level": ["3"] * size, "hospital_grade": ["I"] * size, "insurance": rng.choice(["employee", "resident"], size),
        "relative_value": np.round(cost / 9000 * scale, 4), "coefficient": np.ones(size), "group_mean_cost": cost,
        "total_cost": cost, "patient_paid": patient, "los_days": np.full(size, 5), "discharged": ["2024-05-01"] * size,
    })  # fmt: skip
    of = {payer: table.column("insurance").to_numpy(zero_copy_only=False) == payer for payer in ("employee", "resident")}
    fund = dict.fromkeys(of, 1200000.0)
    budget = {payer: fund[payer] + float(patient[mine].sum()) for payer, mine in of.items()}
    settled = settle(table, policy, budget=budget)
    paid = settled.amount != MISSING
    assert paid.all(), settled.problems
    assert (settled.parts.before_netting < 0).mean() > 0.05
    for payer, mine in of.items():
        assert abs(int(settled.fund_payment[mine].sum()) - fund[payer] * 100) <= size / 2, (payer, SAID)
