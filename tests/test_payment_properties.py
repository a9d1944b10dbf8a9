"""What must hold for every policy that ships: bounds, order, jumps, sums, and the kernel against the oracle."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from drgsim.money import MISSING, allocate, exact, fen, money_column, to_fen
from drgsim.payment.case_class import CLASSES
from drgsim.payment.curve import breaks, curve_book, settle_exactly
from drgsim.payment.curve_kernel import apply_curves
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.settlement import Settlement, settle
from tests.payment_policies import WRITTEN_POLICIES, policy_with

POLICIES = WRITTEN_POLICIES  # those made by a tool: tests/test_region_policies.py
FEW = examples(max_examples=60, deadline=None)
policy_of = lru_cache(load_policy)


def _cases(policy: Policy, seed: int, size: int = 300) -> pa.Table:
    """Cases of any class, with a relative value of their own so that tables do not matter."""
    rng = np.random.default_rng(seed)
    scale, reference = policy.file.relative_value.scale.value, policy.file.reference.mean_cost
    if reference is not None:
        scale *= 9000 / reference.values["*"]
    weight = np.round(rng.lognormal(0, 0.8, size), 2) + 0.05
    table = {
        "discharge_id": [f"D{number:05d}" for number in range(size)],
        "drg": [f"G{number}" for number in rng.integers(0, 30, size)],
        "hospital_id": [f"H{number}" for number in rng.integers(0, 6, size)],
        "patient_id": [f"P{number}" for number in rng.integers(0, size // 3, size)],
        "relative_value": np.round(weight * scale, 4),
        "coefficient": np.round(rng.uniform(0.6, 1.4, size), 3),
        "group_mean_cost": np.round(weight * 9000, 2),
        "insurance": rng.choice(["employee", "resident"], size),
        "hospital_level": rng.choice(["1", "3"], size),
        "hospital_grade": ["I"] * size,
        "total_cost": np.round(weight * 9000 * rng.lognormal(0, 0.9, size), 2),
        "patient_paid": np.round(rng.uniform(0, 5000, size), 2),
        "special_review": rng.random(size) < 0.1,
        "los_days": rng.integers(1, 70, size),
        "age": rng.integers(0, 90, size),
        "admitted": [f"2024-01-{day:02d}" for day in rng.integers(1, 28, size)],
        "discharged": [f"2024-02-{day:02d}" for day in rng.integers(1, 28, size)],
    }
    return pa.table(table)


def _price(policy: Policy) -> dict[str, float] | None:
    return {"*": 9000 / policy.file.relative_value.scale.value} if policy.file.unit_value is None else None


def hospital_and_payer(settlement: Settlement) -> tuple[list[int], list[int]]:
    cases = settlement.ledger.cases
    return cases.hospital.ids.tolist(), cases.insurance.tolist()


@pytest.mark.parametrize("name", POLICIES)
def test_no_payment_below_zero_and_parts_sum_to_the_whole(name: str) -> None:
    policy = policy_of(name)
    settlement = settle(_cases(policy, 1), policy, unit_value=_price(policy))
    paid = settlement.amount != MISSING
    assert paid.sum() > 250, settlement.problems
    assert (settlement.amount[paid] >= 0).all()
    assert (
        sum(settlement.summaries["all"]["above_standard"].to_pylist()) == 0
    )  # no hospital's patients paid more than it is owed
    for hospital, payer in {*zip(*hospital_and_payer(settlement), strict=True)}:
        mine = paid & (np.array(hospital_and_payer(settlement)) == np.array([[hospital], [payer]])).all(axis=0)
        assert settlement.fund_payment[mine].sum() >= 0
    whole = settlement.summaries["all"]["payment"].to_pylist()[0]
    assert whole == Decimal(int(settlement.amount[paid].sum())) / 100
    for dimension in ("hospital", "department", "group", "insurance", "case_class"):
        assert sum(settlement.summaries[dimension]["payment"].to_pylist()) == whole
        assert sum(settlement.summaries[dimension]["cases"].to_pylist()) == settlement.ledger.cases.size
    cost = settlement.ledger.cases.money["total_cost"]
    margin = settlement.summaries["all"]["margin"].to_pylist()[0]
    assert margin == whole - Decimal(int(cost[paid].sum())) / 100


@pytest.mark.parametrize("name", POLICIES)
def test_the_order_of_cases_never_matters(name: str) -> None:
    policy = policy_of(name)
    table = _cases(policy, 2)
    order = np.random.default_rng(3).permutation(table.num_rows)
    first = settle(table, policy, unit_value=_price(policy))
    second = settle(table.take(order), policy, unit_value=_price(policy))
    assert (first.amount[order] == second.amount).all()
    assert (first.fund_payment[order] == second.fund_payment).all()
    for dimension, summary in first.summaries.items():
        assert summary.equals(second.summaries[dimension]), dimension
    budget = {"employee": 1_000_000.0, "resident": 1_500_000.0}
    values = [settle(cases, policy, budget=budget).unit_values for cases in (table, table.take(order))]
    assert values[0] == values[1]


@pytest.mark.parametrize("name", POLICIES)
def test_every_rule_says_in_words_what_decided(name: str) -> None:
    policy = policy_of(name)
    rules = settle(_cases(policy, 4), policy, unit_value=_price(policy)).table["rule"].to_pylist()
    assert all(rules)


CURVES = [(name, curve) for name in POLICIES for curve in curve_book(policy_of(name).file.curves).rows]


@FEW
@given(
    data=st.data(),
    cost=st.integers(0, 50_000_000),
    weight=st.decimals("0.05", "40", places=4),
    k=st.decimals("0.3", "2", places=4),
    unit=st.decimals("1", "20000", places=4),
    mean=st.decimals("50", "300000", places=2),
)
def test_kernel_equals_the_oracle(data: Any, cost: int, weight: Decimal, k: Decimal, unit: Decimal, mean: Decimal) -> None:
    name, curve = data.draw(st.sampled_from(CURVES))
    book = curve_book(policy_of(name).file.curves)
    row = next(place for place, entry in enumerate(book.rows) if (entry.name, entry.band) == (curve.name, curve.band))
    numbers = [np.array([float(value)]) for value in (1.0, weight, k, mean, unit)]
    piece, case_class, ratio, units, amount, doubtful = apply_curves(
        np.array([cost]), *numbers, np.array([row], np.int32), book.arrays
    )
    settled = settle_exactly(
        curve, cost, relative_value=exact(str(weight)), coefficient=exact(str(k)), mean=exact(str(mean)),
        unit_value=exact(str(unit)),
    )  # fmt: skip
    assert ratio[0] == pytest.approx(float(settled.ratio), rel=1e-12)
    if not doubtful[0]:
        assert piece[0] == settled.piece
        assert CLASSES[case_class[0]] == curve.pieces[settled.piece].case_class
        assert int(np.floor(amount[0] + 0.5)) == settled.amount
        if not np.isnan(units[0]):
            assert units[0] == pytest.approx(float(settled.units or 0), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("name", "curve"), CURVES, ids=[f"{name}-{c.name}-{c.band}" for name, c in CURVES])
def test_each_piece_is_monotone_in_cost(name: str, curve: Any) -> None:
    for k in (Fraction(7, 10), Fraction(1), Fraction(13, 10)):
        for number, piece in enumerate(curve.pieces):
            lower = curve.pieces[number - 1].upper if number else Fraction(0)
            upper = piece.upper if piece.upper is not None else lower + 5
            if piece.terms is None:
                continue
            steps = [lower + (upper - lower) * step / 7 for step in range(8)]
            paid = [curve.paid(number, r * k if curve.with_coefficient else r, k) for r in steps]
            assert paid == sorted(paid)


@pytest.mark.parametrize(
    ("name", "ratios", "coefficients"),
    [
        ("zhoukou/2023", (3, 2.5, 2, 1.5, 1.3), (0.8, 1.0, 1.2)),
        ("qingyang/2023", (2, 2.5), (0.8, 1.0, 1.4)),
        ("yinchuan/2023", (1.4, 2.5), (0.58, 1.0)),
        ("ningbo/2022", (3, 2, 1.5), (1.0,)),
        ("zhejiang/2025", (0.8,), (0.9, 1.0, 1.1)),
        ("national/dip-1.0", (2,), (0.9, 1.0, 1.2)),
    ],
)
def test_section_2_4_curves_are_continuous(name: str, ratios: tuple[float, ...], coefficients: tuple[float, ...]) -> None:
    for curve in (row for row in curve_book(policy_of(name).file.curves).rows if row.name == "main"):
        for k in coefficients:
            for point in breaks(curve, k):
                if point.ratio in ratios:
                    assert point.jump == pytest.approx(0, abs=1e-12), (name, k, point)


@pytest.mark.parametrize("k", [0.9, 1.0, 1.1, 1.25])
def test_section_2_4_ningbo_jumps_by_w_K_k_minus_1(k: float) -> None:
    policy = policy_of("ningbo/2022")
    for curve, band in zip(curve_book(policy.file.curves).rows, policy.file.curves["main"].bands, strict=True):
        assert breaks(curve, k)[-1].jump == pytest.approx((band.K or 0) * (k - 1))


def test_section_1_8_harbin_jumps_by_70_percent_of_the_standard() -> None:
    for curve in curve_book(policy_of("harbin/2022").file.curves).rows:
        assert breaks(curve, 1.0)[-1].jump == pytest.approx(0.7)


@FEW
@given(st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=20))
def test_money_columns_hold_every_fen(amounts: list[int]) -> None:
    got = money_column(np.array(amounts, np.int64)).to_pylist()
    assert got == [Decimal(amount) / 100 for amount in amounts]


@FEW
@given(st.integers(-(10**11), 10**11), st.lists(st.floats(0, 1000), min_size=1, max_size=12).filter(lambda s: sum(s) > 1e-6))
def test_allocated_parts_sum_to_the_whole(amount: int, shares: list[float]) -> None:
    parts = allocate(amount, shares)
    assert parts.sum() == amount
    ideal = np.array(shares) / sum(shares) * amount
    assert (np.abs(parts - ideal) <= 1 + abs(amount) * 1e-9).all()


@FEW
@given(st.decimals("-100000", "100000", places=3))
def test_rounding_is_half_away_from_zero(yuan: Decimal) -> None:
    expected = int((abs(yuan) * 100).to_integral_value(rounding="ROUND_HALF_UP")) * (-1 if yuan < 0 else 1)
    assert fen(str(yuan)) == expected
    assert to_fen([float(yuan)])[0] == expected


def test_a_tie_of_half_a_fen_is_rounded_as_written() -> None:
    # 1.13 x 100.5 = 113.565 exactly; as a float it lies below
    table = pa.table({"drg": ["A"], "relative_value": [1.13], "hospital_level": ["3"], "total_cost": [100.0]})
    settlement = settle(table, policy_of("national/2.0"), unit_value={"*": 100.5})
    assert str(settlement.table["amount"][0]) == "113.57"


@pytest.mark.parametrize("name", ["zhejiang/2025", "national/2.0", "taian/2025", "tianjin/2025"])
def test_a_budget_is_paid_out_to_the_rounding_of_each_case(name: str) -> None:
    policy = policy_of(name)
    budget = {"employee": 4_000_000.0, "resident": 4_200_000.0}
    settlement = settle(_cases(policy, 5), policy, budget=budget)
    held = policy.file.adjustment_fund.value if policy.file.adjustment_fund else 0.0
    for row in settlement.summaries["insurance"].to_pylist():
        if row["insurance"] in budget:
            target = budget[row["insurance"]] * (1 - held)
            assert float(row["payment"]) == pytest.approx(target, abs=0.005 * row["cases"])


PERTURBED = (
    "unit_value.", "reference.", "curves.main.pieces.", "curves.main.bands.", "stays.long_days", "age_factors.", "extreme_cap",
)  # fmt: skip


def _keys(policy: Policy) -> list[str]:
    return list(policy.file.unit_value.values) if policy.file.unit_value is not None else []


def _numeric_paths(node: Any, path: str = "") -> list[str]:
    if isinstance(node, dict):
        return [found for key, child in node.items() for found in _numeric_paths(child, f"{path}.{key}" if path else str(key))]
    if isinstance(node, list):
        return [found for place, child in enumerate(node) for found in _numeric_paths(child, f"{path}.{place}")]
    number = isinstance(node, int | float) and not isinstance(node, bool)
    return [path] if number and path.startswith(PERTURBED) and not path.endswith("age_below") else []


def _in_earnest(policy: Policy) -> Policy:
    """The policy paying every case by its group: of made-up costs a rule that asks for a small spread chooses no group."""
    sections = dict.fromkeys(("members", "group_selection", "shadow"))
    return policy.rebuilt({**policy.raw, **sections}, "in earnest") if policy.file.group_selection else policy


@pytest.mark.parametrize("name", POLICIES)
def test_every_number_of_the_curve_and_the_price_moves_a_payment(name: str) -> None:
    policy = _in_earnest(policy_of(name))
    rng = np.random.default_rng(7)
    table = _cases(policy, 6, 1500).drop_columns(["group_mean_cost"])
    classed = any(key.startswith(("IV", "I/")) for key in _keys(policy))
    grades = ["I", "II", "III", "IV"] if classed else ["S", "a"]
    for column, words in (("hospital_level", ["1", "2", "3"]), ("hospital_grade", grades)):
        table = table.set_column(table.column_names.index(column), column, pa.array(rng.choice(words, 1500)))
    before = settle(table, policy, unit_value=_price(policy))
    paths = [path for path in _numeric_paths(dict(policy.raw)) if ".when." not in path]
    assert paths
    for path in paths:
        plain = path.replace(".values.", ".").removesuffix(".value")
        after = settle(table, policy.changed({plain: "*1.07"}), unit_value=_price(policy))
        moved = (before.amount != after.amount) | (before.ledger.case_class != after.ledger.case_class)
        assert moved.any(), path


STAY = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 30), st.integers(0, 6), st.booleans())


@FEW
@given(st.lists(STAY, min_size=1, max_size=14))
def test_a_stay_is_followed_as_the_rule_says(stays: list[tuple[int, int, int, int, bool]]) -> None:
    """The search of settling against the rule read word by word, stay by stay."""
    patient, unit, start, length, planned = map(list, zip(*stays, strict=True))
    end = [first + days for first, days in zip(start, length, strict=True)]
    cost = [1000.0 + number for number in range(len(stays))]  # no two stays are equal
    day = [f"2025-{1 + number // 28:02d}-{1 + number % 28:02d}" for number in range(60)]
    table = pa.table({
        "drg": [f"G{name}" for name in unit], "patient_id": [f"P{name}" for name in patient], "hospital_id": ["H"] * len(stays),
        "relative_value": [100.0] * len(stays), "coefficient": [1.0] * len(stays), "group_mean_cost": [1000.0] * len(stays),
        "admitted": [day[number] for number in start], "discharged": [day[number] for number in end], "planned": planned,
        "total_cost": cost, "los_days": [1] * len(stays),
    })  # fmt: skip
    points = settle(table, policy_of("zhejiang/2025"), unit_value={"*": 1}).table["points"].to_pylist()
    rank = [(start[n], end[n], cost[n]) for n in range(len(stays))]
    real = np.array([np.datetime64(text) for text in day]).astype(int)
    for this in range(len(stays)):
        followed = any(
            patient[other] == patient[this] and unit[other] == unit[this] and rank[other] > rank[this] and not planned[other]
            and 0 <= real[start[other]] - real[end[this]] <= 15
            for other in range(len(stays))
        )  # fmt: skip
        assert points[this] == pytest.approx(50 if followed else 100), (this, stays)


LENGTHS = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 5)), min_size=1, max_size=30)


@FEW
@given(stays=LENGTHS, cap=st.integers(1, 400), seed=st.integers(0, 3))
def test_days_above_the_cap_are_not_paid_whatever_the_order(
    stays: list[tuple[int, int]], cap: int, seed: int, tmp_path_factory: Any
) -> None:
    entry = {"unit": "days", "source": "test", "evidence": "assumption"}
    spec = {"per_diem": {"rate": {"values": {"*": 100}, **entry}, "day_cap": {"value": cap, **entry}}}
    policy = load_policy(policy_with(tmp_path_factory.mktemp("cap"), spec))
    days, patient = map(list, zip(*stays, strict=True))
    table = pa.table({
        "discharge_id": [f"{number:03d}" for number in range(len(days))], "drg": ["T"] * len(days), "per_diem": [1] * len(days),
        "relative_value": [1.0] * len(days), "patient_id": [f"P{name}" for name in patient], "los_days": days,
        "discharged": ["2024-06-30"] * len(days), "total_cost": [1.0] * len(days),
    })  # fmt: skip
    order = np.random.default_rng(seed).permutation(len(days))
    first, second = settle(table, policy).amount, settle(table.take(order), policy).amount
    assert (first[order] == second).all()
    for name in set(patient):
        mine = [place for place, owner in enumerate(patient) if owner == name]
        assert first[mine].sum() == 10_000 * min(sum(days[place] for place in mine), cap)
