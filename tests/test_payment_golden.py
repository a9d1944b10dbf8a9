"""Every golden number of the rule book that concerns payment, read from YAML that a policy person can read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from drgsim.analysis import metrics
from drgsim.budgets.sharing_formula import SettlementBand, shared_settlement
from drgsim.costs.trimming import TrimRule, limits, trim
from drgsim.money import exact
from drgsim.parameters.evidence import Evidence, Keyed, Value
from drgsim.payment.clearing import due, prepayment
from drgsim.payment.coefficient_history import CoefficientSettings, ScoredHistory, estimate_coefficients
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.policy_model import PatientShare
from drgsim.payment.procurement import kept_surplus
from drgsim.payment.settlement import Settlement, settle
from drgsim.payment.unit_value import floating_value
from drgsim.payment.weight_estimation import CostHistory, WeightSettings, adjust, estimate_weights
from drgsim.region.hospital_list import Hospital

FOLDER = Path(__file__).parent / "cases" / "payment"
NEAR = 1e-6


def _entries(*names: str) -> list[Any]:
    entries = [entry for name in names for entry in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))]
    return [pytest.param(entry, id=f"section {entry['section']}: {entry['name']}") for entry in entries]


def _table(columns: dict[str, Any]) -> pa.Table:
    size = max(len(value) for value in columns.values() if isinstance(value, list))
    filled = {name: value if isinstance(value, list) else [value] * size for name, value in columns.items()}
    if not {"drg", "dip"} & set(filled):
        filled["drg"] = ["given"] * size
    return pa.table(filled)


def _with_ratio(policy: Policy, ratio: float) -> Policy:
    tags = {"unit": "", "source": "test", "evidence": Evidence.ASSUMPTION}
    share = PatientShare(
        mode=Value[str](value="ratio", **tags),
        floor_at_zero=Value[bool](value=True, **tags),
        benefit_ratio=Keyed(values={"*": ratio}, **tags),
    )
    return replace(policy, file=policy.file.model_copy(update={"patient_share": share}))


def _settle(entry: dict[str, Any]) -> Settlement:
    policy = load_policy(entry["policy"])
    if "ratio" in entry:
        policy = _with_ratio(policy, entry["ratio"])
    columns = dict(entry["cases"])
    listed = columns.pop("hospitals", None)
    hospitals = {columns["hospital_id"]: Hospital("", "", listed, "")} if listed else None
    if "levels" in entry:
        hospitals = {name: Hospital(level, "", float("nan"), "") for name, level in entry["levels"].items()}
    return settle(
        _table(columns),
        policy,
        hospitals=hospitals,
        budget_value=entry.get("budget_value"),
        budget=entry.get("budget"),
        fund_share=entry.get("fund_share", 1.0),
        unit_value=entry.get("unit_value"),
    )


@pytest.mark.parametrize("entry", _entries("rates.yaml", "points.yaml"))
def test_case(entry: dict[str, Any]) -> None:
    settlement = _settle(entry)
    assert entry["expect"], "a case without expectation proves nothing"
    for name, expected in entry["expect"].items():
        got = settlement.table[name].to_pylist()
        if isinstance(expected[0], str):
            assert [str(value) for value in got] == expected, (name, settlement.problems)
        else:
            assert got == pytest.approx(expected, abs=NEAR), (name, settlement.problems)


def _trim(values: list[float], method: Any, low: float, high: float) -> dict[str, float]:
    x, group = np.array(values, float), np.zeros(len(values), np.int64)
    rule = TrimRule(method, low, high)
    lower, upper = limits(x, group, rule)
    kept = trim(x, group, rule)
    return {"low": lower[0], "high": upper[0], "kept": int(kept.sum()), "mean": x[kept].mean()}


def _groups(values: list[float], group: list[int]) -> dict[str, Any]:
    statistics = metrics.group_statistics(values, group)
    ones = np.ones(len(values))
    history = CostHistory(("AA1", "AB1", "AC1"), np.array(group), np.array(values, float), ones.astype(np.int64), ones)
    weight = estimate_weights(history, WeightSettings(trim=TrimRule("none"))).weight
    return {"riv": metrics.riv(values, group), "cv": statistics.cv, "sample_cv": statistics.sample_cv, "weight": weight}


def _adjust(weight: list[float], count: list[float], factor: float, place: int) -> dict[str, Any]:
    codes = tuple("ABC")
    new = adjust(np.array(weight), np.array(count, float), codes, {codes[place]: factor})
    return {"weight": new, "total": float((new * count).sum())}


def _years(means: list[float], cases: list[int], weights: list[float], mode: Any) -> float:
    cost = np.repeat(np.array(means, float), cases)
    year = np.repeat(np.arange(len(means)), cases)
    history = CostHistory(("AA1",), np.zeros(cost.size, np.int64), cost, year, np.ones(cost.size))
    settings = WeightSettings(TrimRule("none"), dict(enumerate(weights)), mode)
    return float(estimate_weights(history, settings).mean_cost[0])


def _kept(policy: str, surplus: dict[str, int]) -> int:
    procurement = load_policy(policy).file.procurement
    assert procurement is not None
    return sum(kept_surplus(surplus, procurement.kept_share.values).values())


def _review(policy: str, discharges: int, applied: int) -> int:
    cost = 15_000.0 + np.arange(discharges) / 10  # below the multiple of the curve, which would pay a high bill by itself
    table = pa.table({
        "discharge_id": np.arange(discharges),
        "drg": ["A"] * discharges,
        "relative_value": np.full(discharges, 1.0 if policy.startswith("beijing") else 1000.0),
        "group_mean_cost": np.full(discharges, 10_000.0),
        "special_review": np.arange(discharges) < applied,
        "total_cost": cost,
    })  # fmt: skip
    settlement = settle(table, load_policy(policy), unit_value={"*": 10})
    accepted = np.array([name == "special_review" for name in settlement.table["case_class"].to_pylist()])
    assert np.flatnonzero(accepted).min() == applied - accepted.sum(), "the largest excess goes first"
    assert (settlement.amount[accepted] == np.round(cost[accepted] * 100).astype(np.int64)).all(), "paid by item"
    return int(accepted.sum())


def _bands(costs: list[int], budget: int) -> list[int]:
    schedule = [
        SettlementBand(0.9, divide_by=0.9),
        SettlementBand(1.0),
        SettlementBand(1.1, share=0.6),
        SettlementBand(None),
    ]
    return [shared_settlement(cost, budget, schedule) for cost in costs]


def _score(mean: float, overall: float) -> float:
    """Score of the first of two kinds with one case each, whose costs have this mean."""
    cost = np.array([mean, 2 * overall - mean])
    history = CostHistory(("A", "B"), np.array([0, 1]), cost, np.zeros(2, np.int64), np.ones(2))
    scale = load_policy("national/dip-1.0").file.relative_value.scale.value
    return float(estimate_weights(history, WeightSettings(TrimRule("none"))).weight[0] * scale)


def _cleared(units: float, unit_value: float, fund_share: float, assessment: float, deductions: int) -> int:
    return due(exact(units) * exact(unit_value) * exact(fund_share) * 100, assessment, deductions)


def _point_value(cost: list[float], score: list[float], weights: Any = ()) -> float:
    """Budget point value of one hospital's years."""
    years = np.arange(len(cost))
    place = np.zeros(years.size, np.int64)
    history = ScoredHistory(("3",), ("A",), np.array([0]), place, years, np.array(cost, float), np.array(score, float))
    return estimate_coefficients(history, CoefficientSettings(dict(enumerate(weights)))).point_value


def _coefficients(
    level: list[str], cost: list[float], score: list[float], year: Any = None, weights: Any = None
) -> list[float]:
    names = sorted(set(level))
    place = np.array([names.index(name) for name in level])
    years = np.array(year or [2024] * len(level))
    history = ScoredHistory(
        tuple(names), tuple(names), np.arange(len(names)), place, years, np.array(cost, float), np.array(score, float)
    )
    return estimate_coefficients(history, CoefficientSettings(weights or {})).level.tolist()


CALCULATIONS: dict[str, Any] = {
    "trim": _trim,
    "groups": _groups,
    "adjust": _adjust,
    "prepayment": prepayment,
    "risk_levels": lambda mortality: [metrics.RISK_LEVELS[level] for level in metrics.risk_levels(mortality)],
    "cmi": metrics.cmi,
    "index": metrics.consumption_index,
    "years": _years,
    "yearly_clearing": _cleared,
    "kept_surplus": _kept,
    "bands": _bands,
    "review": _review,
    "score": _score,
    "budget_point_value": _point_value,
    "floating_value": lambda **given: float(floating_value(**given)),
    "coefficients": _coefficients,
}


@pytest.mark.parametrize("entry", _entries("calculations.yaml"))
def test_calculation(entry: dict[str, Any]) -> None:
    got, expected = CALCULATIONS[entry["calculate"]](**entry["with"]), entry["expect"]
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert np.asarray(got[name]) == pytest.approx(np.asarray(value), abs=NEAR), name
    elif isinstance(expected, list) and isinstance(expected[0], str):
        assert got == expected
    else:
        assert got == pytest.approx(expected, abs=NEAR)
