"""Weights from history: identity, recovery of known weights, steps, evaluation, command."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.analysis.metrics import riv
from drgsim.cli.main import app
from drgsim.costs.trimming import TrimRule, trim
from drgsim.errors import UsageError
from drgsim.payment.group_evaluation import evaluate
from drgsim.payment.history_tables import read_history
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights, WeightSettings, estimate_weights
from drgsim.synthetic.discharge_batches import draw_cases
from drgsim.synthetic.draw_plan import make_plan
from drgsim.synthetic.invented_hospitals import make_hospitals
from drgsim.synthetic.item_bills import draw_bill
from drgsim.synthetic.region_priors import load_priors
from drgsim.synthetic.synth_parameters import load_parameters

RUN = CliRunner()
NONE = TrimRule("none")


def _region(seed: int, size: int = 60_000, groups: int = 60) -> tuple[CostHistory, np.ndarray]:
    """Costs generated with known weights: mean of a group = weight x 10 000, log-normal around it."""
    rng = np.random.default_rng(seed)
    codes = tuple(f"{chr(65 + place // 12)}{chr(65 + place // 3 % 12)}1{'135'[place % 3]}" for place in range(groups))
    true = np.sort(rng.lognormal(0, 0.7, groups).reshape(-1, 3))[:, ::-1].ravel()
    share = rng.dirichlet(np.full(groups, 3.0))
    group = rng.choice(groups, size, p=share)
    sigma = 0.5
    cost = true[group] * 10_000 * rng.lognormal(-(sigma**2) / 2, sigma, size)
    year = rng.integers(2021, 2024, size)
    days = np.minimum(np.ceil(cost / 1500), 60)  # none of the stays that are left out
    return CostHistory(codes, group.astype(np.int64), cost, year, days, {"drug": cost * 0.4, "care": cost * 0.6}), true


def _total(weights: object) -> tuple[float, float]:
    used = ~np.isnan(weights.weight)  # type: ignore[attr-defined]
    count = weights.statistics.count[used]  # type: ignore[attr-defined]
    return float((count * weights.weight[used]).sum()), float(count.sum())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "settings",
    [
        WeightSettings(),
        WeightSettings(NONE, {2021: 1, 2022: 2, 2023: 7}),
        WeightSettings(TrimRule("percentile", 2.5, 97.5), {2021: 2, 2022: 3, 2023: 5}, "case_weighted"),
        WeightSettings(TrimRule("multiple", 0.3, 3), minimum_cases=700, smoothing=50, monotone=True),
        WeightSettings(minimum_cases=700, unstable="parent"),
        WeightSettings(minimum_cases=700, unstable="drop"),
        WeightSettings(target_shares={"drug": 0.3, "care": 0.7}, policy_factors={"AA11": 1.2}),
    ],
)
def test_section_1_4_total_weight_is_the_number_of_cases(settings: WeightSettings) -> None:
    history, _ = _region(1)
    total, count = _total(estimate_weights(history, settings))
    assert total == pytest.approx(count, rel=1e-12)


def test_known_weights_come_back_within_their_standard_errors() -> None:
    history, true = _region(2, 200_000)
    weights = estimate_weights(history, WeightSettings(NONE))
    expected = true / true[history.group].mean()
    z = (weights.weight - expected) / weights.standard_error
    assert np.abs(z).max() < 4.5
    assert (np.abs(z) < 2).mean() > 0.9
    assert z.std() == pytest.approx(1, abs=0.35)


def test_standard_errors_are_calibrated() -> None:
    """Forty samples of a region with known shares and means: two standard errors hold the true weight in 95 % of cases."""
    rng = np.random.default_rng(9)
    groups, size, sigma = 30, 12_000, 0.5
    true, share = rng.lognormal(0, 0.7, groups), rng.dirichlet(np.full(groups, 3.0))
    share[0] += 0.5  # a group that is half of all cases: much of its error is that of the overall mean
    share /= share.sum()
    expected = true / (share * true).sum()
    z = []
    for _ in range(40):
        group = rng.choice(groups, size, p=share)
        cost = true[group] * 10_000 * rng.lognormal(-(sigma**2) / 2, sigma, size)
        history = CostHistory(tuple(f"G{n}" for n in range(groups)), group, cost, np.zeros(size, np.int64), np.ones(size))
        weights = estimate_weights(history, WeightSettings(NONE))
        z.append((weights.weight - expected) / weights.standard_error)
    scores = np.array(z)
    assert (np.abs(scores) < 2).mean() == pytest.approx(0.9545, abs=0.015)
    assert scores.std() == pytest.approx(1, abs=0.05)
    assert scores[:, 0].std() == pytest.approx(1, abs=0.35)


@pytest.mark.slow
def test_weights_of_the_synthetic_region_come_back_within_their_standard_errors() -> None:
    """The region's generator, drawn 400 000 cases long, is the truth; a history of 100 000 other cases estimates it."""
    parameters, priors = load_parameters(), load_priors()
    hospitals = make_hospitals(24, parameters, priors.people.coding_habit, np.random.default_rng(1))
    plan = make_plan(priors, parameters, hospitals, (2024,))

    def draw(cases: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        batch = draw_cases(plan, cases, rng)
        draw_bill(plan, batch, rng)
        # a disease stands for a group here: what matters is that cases of one kind have one distribution of cost
        return plan.pathways.disease[batch["pathway"]].astype(np.int64), batch["fen"].sum(axis=1) / 100

    def weights(group: np.ndarray, cost: np.ndarray) -> EstimatedWeights:
        zeros = np.zeros(group.size, np.int64)
        history = CostHistory(tuple(plan.pathways.disease_ids), group, cost, zeros, zeros.astype(float))
        return estimate_weights(history, WeightSettings(NONE))

    parts = [draw(100_000, 100 + number) for number in range(4)]
    truth = weights(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    estimate = weights(*draw(100_000, 11))
    large = estimate.statistics.count >= 100
    assert large.sum() > 150
    z = ((estimate.weight - truth.weight) / np.hypot(estimate.standard_error, truth.standard_error))[large]
    assert (np.abs(z) < 2).mean() == pytest.approx(0.95, abs=0.04)
    assert z.std() == pytest.approx(1, abs=0.15)


def test_trimming_keeps_the_known_ratios() -> None:
    history, true = _region(3, 200_000)
    weights = estimate_weights(history, WeightSettings(TrimRule("iqr", 1.5, 1.5)))
    ratio = weights.weight / (true / true[history.group].mean())
    assert np.abs(ratio - ratio.mean()).max() < 0.06


def test_severity_is_monotone_after_pooling() -> None:
    codes = ("AA11", "AA13", "AA15", "AB19")
    group = np.repeat([0, 1, 2, 3], [10, 20, 30, 5])
    cost = np.repeat([9000.0, 12000.0, 6000.0, 5000.0], [10, 20, 30, 5])
    history = CostHistory(codes, group, cost, np.full(group.size, 2023), np.ones(group.size))
    weights = estimate_weights(history, WeightSettings(NONE, monotone=True))
    assert weights.mean_cost.tolist() == [11000, 11000, 6000, 5000]
    assert weights.flags[0] == ("pooled",)
    assert weights.flags[2] == ()


def test_small_groups_move_towards_their_parent() -> None:
    group = np.repeat([0, 1], [2, 98])
    cost = np.repeat([1000.0, 2000.0], [2, 98])
    history = CostHistory(("AA11", "AA13"), group, cost, np.full(100, 2023), np.ones(100))
    weights = estimate_weights(history, WeightSettings(NONE, minimum_cases=5, smoothing=8))
    assert weights.mean_cost[0] == pytest.approx((2 * 1000 + 8 * 1980) / 10)
    assert weights.flags[0] == ("few_cases", "smoothed")


def test_resource_structure_keeps_the_total_cost() -> None:
    history = CostHistory(
        ("AA19", "AB19"), np.array([0, 1]), np.array([1000.0, 1000.0]), np.array([1, 1]), np.ones(2),
        {"drug": np.array([900.0, 100.0]), "care": np.array([100.0, 900.0])},
    )  # fmt: skip
    weights = estimate_weights(history, WeightSettings(NONE, target_shares={"drug": 0.25, "care": 0.75}))
    assert weights.mean_cost.tolist() == pytest.approx([600, 1400])
    assert weights.overall_mean == pytest.approx(1000)


def test_evaluation_before_and_after_trimming() -> None:
    history, _ = _region(4)
    weights = estimate_weights(history)
    lines = evaluate(history, weights)
    before, after = (next(line for line in lines if line.scope == "all" and line.trimmed is state) for state in (False, True))
    assert before.cases == history.cost.size
    assert after.cases == int(weights.kept.sum()) < before.cases
    assert after.riv > before.riv
    assert before.riv == pytest.approx(riv(history.cost, history.group), rel=1e-12)
    assert before.r2_days == pytest.approx(riv(history.days, history.group), rel=1e-12)
    assert before.cv == pytest.approx(history.cost.std() / history.cost.mean(), rel=1e-12)
    third = history.group >= 48
    last = next(line for line in lines if line.scope == "E" and not line.trimmed)
    assert last.riv == pytest.approx(riv(history.cost[third], history.group[third]), rel=1e-12)
    scopes = {line.scope for line in lines}
    assert {"all", "A", "B"} <= scopes
    assert sum(line.cases for line in lines if not line.trimmed and line.scope != "all") == before.cases


def test_trimming_leaves_out_missing_costs_and_ungrouped_cases() -> None:
    assert trim([1.0, float("nan"), 2.0], [0, 0, -1], NONE).tolist() == [True, False, False]
    with pytest.raises(ValueError, match="make no sense"):
        TrimRule("percentile", 90, 10)


def test_costs_that_cannot_be_used_are_told_apart() -> None:
    table = pa.table({
        "discharge_id": list("abcdefg"), "drg": ["AA11", "AA11", "AA11", "AA11", "BB11", "BB11", "AA11"],
        "total_cost": ["100", "-5", "?", "", "0", "-1", "200"], "discharged": ["2024-01-01"] * 7,
    })  # fmt: skip
    past, problems = read_history(table)
    assert np.isnan(past.cost).sum() == 5
    assert {problem.code: problem.what for problem in problems} == {
        "weights-no-cost": "1 cases are not used: the total cost is missing",
        "weights-cost-unreadable": "1 cases are not used: the total cost is no number",
        "weights-cost-negative": "2 cases are not used: the total cost is below 0",
        "weights-cost-zero": "1 cases are not used: the total cost is 0",
        "weights-group-without-cost": "groups without a usable cost: BB11",
    }


LONG = {
    "drg": ["AA11"] * 3 + ["BB11"] * 3, "total_cost": [9000, 11000, 90000, 4000, 6000, 20000],
    "los_days": [9, 11, 61, 5, 60, 90],
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "limit", "weights"),
    [
        ({}, 60, [1.333333, 0.666667]),  # (9000 + 11000) / 2 over 7500
        ({"policy": "beijing/2024"}, 60, [1.333333, 0.666667]),
        ({"long_days": 70}, 70, [1.527778, 0.208333]),  # 36666.67 and 5000 over 24000
        ({"policy": "taian/2025"}, 0, [1.571429, 0.428571]),  # Tai'an pays long stays as others
        ({"long_days": 0}, 0, [1.571429, 0.428571]),
    ],
)
def test_section_1_2_stays_that_payment_leaves_out_give_no_weight(
    options: dict[str, Any], limit: float, weights: list[float]
) -> None:
    result = drgsim.weights(pa.table(LONG), trim="none", **options)
    assert result.weights["weight"].to_pylist() == weights
    told = {note.code: note.what for note in result.notes}
    left_out = sum(days > limit for days in LONG["los_days"]) if limit else 0
    assert told.get("weights-long-stays", "0").split()[0] == str(left_out)
    assert (f"stays over {limit:g} days left out" if limit else "stays of any length") in result.record["settings"]
    assert {line.cases for line in result.lines if line.scope == "all"} == {6 - left_out}


def test_command(tmp_path: Path) -> None:
    history, _ = _region(5, 5_000)
    table = pa.table({
        "discharge_id": np.arange(5_000), "drg": np.array(history.codes)[history.group],
        "total_cost": np.round(history.cost, 2),
        "los_days": history.days, "discharged": [f"{year}-06-30" for year in history.year],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "h.parquet")
    command = ["weights", str(tmp_path / "h.parquet"), "-o", str(tmp_path / "w"), "--years", "1:2:7", "--monotone"]
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "mean_of_means" in result.output
    with (tmp_path / "w" / "weights.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["drg", "weight", "mean_cost", "mean_los_days", "cases", "cv"]
    record = json.loads((tmp_path / "w" / "run.json").read_text(encoding="utf-8"))
    assert "years: 2021: 1; 2022: 2; 2023: 7, mean_of_means" in record["settings"]
    by_policy = RUN.invoke(app, [*command[:4], "--policy", "zhejiang/2025"])
    assert "2021: 2; 2022: 3; 2023: 5" in by_policy.output
    group = history.codes[0]
    for wrong in (["--years", "1:2"], ["--trim", "irq"], ["--target", "drug=1"], ["--target", "a=-1", "--target", "b=2"],
                  *(["--factor", f"{group}={factor}"] for factor in ("0", "-1", "inf", "nan"))):  # fmt: skip
        assert isinstance(RUN.invoke(app, [*command[:4], *wrong]).exception, UsageError), wrong


def test_numbers_that_cannot_be_said_are_null_in_the_record_and_a_dash_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text(
        "discharge_id,drg,total_cost,discharged,los_days\n1,G1,8000,2024-01-05,5\n", encoding="utf-8"
    )
    result = RUN.invoke(app, ["weights", str(tmp_path / "h.csv"), "-o", str(tmp_path / "w")])
    assert result.exit_code == 0, result.output
    assert "nan" not in result.output
    assert "–" in result.output
    text = (tmp_path / "w" / "run.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert json.loads(text)["evaluation"][0]["riv"] is None
    printed = RUN.invoke(app, ["weights", str(tmp_path / "h.csv"), "-o", str(tmp_path / "w"), "--json"])
    assert json.loads(printed.output)["evaluation"][0]["riv"] is None
