"""Figures of groups and hospitals for research and for the bureau: a second, plain implementation; the order never matters."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.accounts.case_divisions import case_divisions
from drgsim.accounts.group_spread import CAP, explained, group_table, histogram
from drgsim.accounts.hospital_balance import hospital_balance, unit_value_table
from drgsim.accounts.split_hints import CaseProcedures, Division, SplitLimits, split_hints
from drgsim.api.payment_verbs import Settled
from drgsim.engines.grouper_of import grouper_of
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.weight_estimation import CostHistory, estimate_weights
from drgsim.units.schemes.pack import load_scheme
from tests.sample_region import YEARS, discharges

CODES = ("FA11", "FA13", "FA15", "FB19", "GA11", "GA13", "GZ19")


def history(seed: int, size: int = 500) -> CostHistory:
    """Costs of a few groups; GA11 is cheaper than GA13, and one case of GZ19 costs a fortune."""
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, len(CODES), size)
    mean = np.array([20_000, 9_000, 8_500, 5_000, 3_000, 6_000, 2_000, 1_000])[group]
    cost = np.round(mean * np.exp(rng.normal(0, 0.4, size)), 2)
    cost[rng.integers(0, size, 5)] = np.nan
    days = rng.integers(1, 80, size).astype(float)
    dearest = np.flatnonzero(group == 6)[0]
    cost[dearest], days[dearest] = 900_000, 20
    return CostHistory(CODES, group, cost, np.full(size, 2026), days)


def shuffled(past: CostHistory, seed: int) -> tuple[CostHistory, np.ndarray]:
    order = np.random.default_rng(seed).permutation(past.cost.size)
    return CostHistory(past.codes, past.group[order], past.cost[order], past.year[order], past.days[order]), order


def usable(past: CostHistory) -> list[tuple[str, float]]:
    return [
        (past.codes[g], c)
        for g, c, d in zip(past.group.tolist(), past.cost.tolist(), past.days.tolist(), strict=True)
        if g >= 0 and c > 0 and d <= 60
    ]


def plain_measures(cases: list[tuple[str, float]]) -> tuple[float, float, float, float]:
    """R2, CV of all, CV within groups weighted by cases, mean error over the mean."""
    groups = defaultdict(list)
    for code, cost in cases:
        groups[code].append(cost)
    costs = [cost for _, cost in cases]
    mean = statistics.fmean(costs)
    within = sum(sum((c - statistics.fmean(own)) ** 2 for c in own) for own in groups.values())
    total = sum((c - mean) ** 2 for c in costs)
    cv = sum(len(own) * statistics.pstdev(own) / statistics.fmean(own) for own in groups.values()) / len(costs)
    error = sum(sum(abs(c - statistics.fmean(own)) for c in own) for own in groups.values()) / len(costs) / mean
    return 1 - within / total, statistics.pstdev(costs) / mean, cv, error


@pytest.mark.parametrize("seed", range(3))
def test_measures_agree_with_a_plain_implementation(seed: int) -> None:
    past = history(seed)
    weights = estimate_weights(past)
    lines = {line.way: line for line in explained(past, weights) if line.scope == "all"}
    cases = usable(past)
    costs = sorted(cost for _, cost in cases)
    at = CAP * (len(costs) - 1)
    low = math.floor(at)
    cap = costs[low] + (at - low) * (costs[min(low + 1, len(costs) - 1)] - costs[low])
    kept = [(past.codes[g], c) for g, c, k in zip(past.group, past.cost, weights.kept, strict=True) if k]
    for way, own in (("untrimmed", cases), ("trimmed", kept), ("capped", [(g, min(c, cap)) for g, c in cases])):
        line = lines[way]
        assert (line.r2, line.cv_all, line.cv_within, line.error) == pytest.approx(plain_measures(own))
        assert line.cases == len(own)
    assert lines["logarithms"].r2 == pytest.approx(plain_measures([(g, math.log(c)) for g, c in cases])[0])
    assert lines["untrimmed"].r2 < lines["capped"].r2, "one case of 900,000 yuan"


@pytest.mark.parametrize("seed", range(3))
def test_the_table_of_groups_agrees_with_a_plain_implementation(seed: int) -> None:
    past = history(seed)
    rows = {row["group"]: row for row in group_table(past, estimate_weights(past)).to_pylist()}
    groups = defaultdict(list)
    for code, cost in usable(past):
        groups[code].append(cost)
    squares = {code: sum((c - statistics.fmean(own)) ** 2 for c in own) for code, own in groups.items()}
    for code, own in groups.items():
        row, quartiles = rows[code], statistics.quantiles(own, n=4, method="inclusive")
        assert [row["p25"], row["p50"], row["p75"]] == pytest.approx(quartiles)
        assert row["cv"] == pytest.approx(statistics.pstdev(own) / statistics.fmean(own), abs=1e-6)
        assert row["unexplained_share"] == pytest.approx(squares[code] / sum(squares.values()), abs=1e-6)
        farthest = max((c - statistics.fmean(own)) ** 2 for c in own)
        assert row["largest_share"] == pytest.approx(farthest / squares[code], abs=1e-6)
    assert set(rows) == set(groups)
    assert "one_case" in rows["GZ19"]["flags"]
    assert "high_cv" in rows["GZ19"]["flags"]
    assert "inverted" in rows["GA11"]["flags"]
    assert "alike" in rows["FA13"]["flags"]
    assert sum(row["cost_share"] for row in rows.values()) == pytest.approx(1, abs=1e-4)


def test_the_order_of_cases_never_matters_to_groups() -> None:
    past = history(7)
    turned, _ = shuffled(past, 1)
    one, two = (group_table(each, estimate_weights(each)) for each in (past, turned))
    assert one.equals(two)
    for a, b in zip(explained(past, estimate_weights(past)), explained(turned, estimate_weights(turned)), strict=True):
        assert vars(a) == pytest.approx(vars(b), nan_ok=True)


def planted(seed: int, size: int = 900) -> dict[str, Any]:
    """One group in which an age and a procedure make costs differ, one in which nothing does."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, size)
    old, done = rng.random(size) < 0.4, rng.random(size) < 0.2
    factor = np.where((group == 0) & old, 1.6, 1.0) * np.where((group == 0) & done, 2.0, 1.0)
    cost = np.round(5000 * factor * np.exp(rng.normal(0, 0.2, size)), 2)
    ids = np.where(done, 1, 0)  # procedure 1 where it was done; 0 is done to everybody
    procedures = CaseProcedures(np.stack([ids, ids], 1).ravel(), np.arange(0, 2 * size + 1, 2), ("01.0", "02.0"), ("a", "b"))
    return {
        "cost": cost, "group": group, "codes": ("AA19", "AB19"),
        "divisions": [Division("age", text("aged {years} or more", years=65), old)], "procedures": procedures,
    }  # fmt: skip


def test_hints_find_what_makes_costs_differ_and_nothing_where_nothing_does() -> None:
    data = planted(1)
    found = split_hints(**data, limits=SplitLimits(cv=0.0)).to_pylist()
    assert {(row["group"], row["kind"], row["code"]) for row in found} >= {("AA19", "age", ""), ("AA19", "procedure", "02.0")}
    assert {row["group"] for row in found} == {"AA19"}
    cost, group, old = data["cost"], data["group"], data["divisions"][0].members
    age = next(row for row in found if row["kind"] == "age")
    yes, no = ([float(c) for c in cost[(group == 0) & side]] for side in (old, ~old))
    mean = statistics.fmean(yes + no)
    squares = sum((c - mean) ** 2 for c in yes + no)
    between = len(yes) * (statistics.fmean(yes) - mean) ** 2 + len(no) * (statistics.fmean(no) - mean) ** 2
    assert (age["cases_yes"], age["cases_no"]) == (len(yes), len(no))
    assert [age["mean_yes"], age["mean_no"]] == pytest.approx([statistics.fmean(yes), statistics.fmean(no)], abs=0.01)
    assert age["gain"] == pytest.approx(between / squares, abs=1e-6)


def test_the_order_of_cases_never_matters_to_hints() -> None:
    data = planted(2)
    order = np.random.default_rng(5).permutation(data["cost"].size)
    procedures = data["procedures"]
    turned = {
        **data, "cost": data["cost"][order], "group": data["group"][order],
        "divisions": [Division(each.kind, each.title, each.members[order]) for each in data["divisions"]],
        "procedures": CaseProcedures(
            procedures.ids.reshape(-1, 2)[order].ravel(), procedures.offsets, procedures.codes, procedures.names
        ),
    }  # fmt: skip
    assert split_hints(**data).equals(split_hints(**turned))


def test_limits_of_hints_hold() -> None:
    data = planted(3)
    assert split_hints(**data, limits=SplitLimits(cv=0.0, ratio=5)).num_rows == 0
    assert split_hints(**data, limits=SplitLimits(cv=0.0, part=10_000)).num_rows == 0
    assert split_hints(**data, limits=SplitLimits(cv=0.0, most=1)).num_rows == 1


def test_questions_are_asked_of_real_discharges() -> None:
    scheme = load_scheme("chs-drg-2.0")
    table = pq.read_table(discharges(YEARS[0])).slice(0, 400)
    divisions, procedures = case_divisions(table, grouper_of(scheme), scheme.book)
    members = {str(each.title): each.members for each in divisions}
    ages = np.array(table["age"].to_pylist(), float)
    assert (members["aged 65 or more"] == (ages >= 65)).all()
    assert members["female"].sum() == pc.sum(pc.equal(table["sex"], 2)).as_py()
    listed = [bool(cell) for cell in table["procedures"].to_pylist()]
    assert members["with any procedure"].tolist() == listed
    first = next(place for place, there in enumerate(listed) if there)
    codes = [procedures.codes[place] for place in procedures.ids[procedures.offsets[first] : procedures.offsets[first + 1]]]
    assert codes == table["procedures"][first].as_py().split("|")


def test_a_histogram_counts_every_case_once() -> None:
    costs = np.exp(np.random.default_rng(3).normal(8, 1, 1000))
    found = histogram(costs)
    assert found.counts.sum() == 1000
    for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False):
        assert abs(((costs >= low) & (costs < high)).sum() - count) <= 1, "but for rounding at an edge"
    assert histogram(np.zeros(0)).counts.size == 0


# -- hospitals -------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def settled() -> Settled:
    table = pq.read_table(discharges(YEARS[-1]))
    return drgsim.settle(table, "beijing/2024", hospitals=drgsim.sample_path("region/hospitals.csv"))


def test_margins_are_taken_apart_to_the_fen(settled: Settled) -> None:
    balance = hospital_balance(settled.settlement)
    assert (balance.of_prices + balance.of_costs == balance.margin).all()
    assert balance.of_costs.sum() == 0, "over all hospitals the usual cost is the cost"
    summary = {row["hospital"]: row for row in settled.by_hospital.to_pylist()}
    for row in balance.table.to_pylist():
        assert (row["cost"], row["payment"] - row["cost"]) == (summary[row["hospital"]]["cost"], row["margin"])
        assert row["margin"] == summary[row["hospital"]]["margin"]


def test_the_usual_cost_agrees_with_a_plain_implementation(settled: Settled) -> None:
    rows = [row for row in settled.cases.to_pylist() if row["amount"] is not None]
    groups: dict[str, list[Fraction]] = defaultdict(list)

    def real(row: dict[str, Any]) -> bool:
        return row["unit"] is not None and row["unit"] != "0000" and not row["unit"].endswith("QY")

    for row in rows:
        if real(row):
            groups[row["unit"]].append(Fraction(row["total_cost"]))
    usual: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        own = groups[row["unit"]] if real(row) else [Fraction(row["total_cost"])]
        usual[row["hospital_id"]] += sum(own, Fraction(0)) / len(own)
    balance = hospital_balance(settled.settlement)
    found = dict(zip(balance.hospitals, balance.usual.tolist(), strict=True))
    assert found.keys() == usual.keys()
    for name, amount in usual.items():
        assert abs(found[name] - 100 * amount) <= 1, "a fen is given to whom it falls"


def test_the_order_of_cases_never_matters_to_hospitals(settled: Settled) -> None:
    table = pq.read_table(discharges(YEARS[-1]))
    order = np.random.default_rng(1).permutation(table.num_rows)
    turned = drgsim.settle(table.take(pa.array(order)), "beijing/2024", hospitals=drgsim.sample_path("region/hospitals.csv"))
    assert hospital_balance(turned.settlement).table.equals(hospital_balance(settled.settlement).table)
    assert unit_value_table(turned.settlement).equals(unit_value_table(settled.settlement))


def test_unit_values_add_up(settled: Settled) -> None:
    rows = unit_value_table(settled.settlement).to_pylist()
    ledger = settled.settlement.ledger
    there = (settled.settlement.amount != MISSING) & ~np.isnan(ledger.terms.unit_value) & ~np.isnan(ledger.units)
    assert sum(row["cases"] for row in rows) == there.sum()
    assert 100 * sum(row["payment"] for row in rows) == int(settled.settlement.amount[there].sum())
    assert all(row["least"] <= row["paid_per_unit"] <= row["most"] for row in rows)
