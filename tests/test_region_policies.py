"""Policies of regions that a tool makes from restated facts: golden cases to the fen, and what must hold for all of them."""

from __future__ import annotations

import csv
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from drgsim.money import MISSING, exact
from drgsim.parameters.evidence import Evidence
from drgsim.payment.curve import curve_book, settle_exactly
from drgsim.payment.curve_kernel import apply_curves
from drgsim.payment.policy import Policy, PolicyError, load_policy
from drgsim.payment.settlement import Settlement, settle
from tests.conftest import ROOT
from tests.payment_policies import MADE_POLICIES, SAID, amounts, codes_of, keyed, policy_with, settled, table_of, value

CASES = Path(__file__).parent / "cases" / "payment" / "regions.csv"
NAMES = {"group": "drg", "level": "hospital_level", "hospital": "hospital_id", "id": "discharge_id"}
policy_of = lru_cache(load_policy)


def _goldens() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    with CASES.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            found.setdefault(row["policy"], []).append(row)
    return found


def _settled(name: str, rows: list[dict[str, str]]) -> Settlement:
    columns = [name for name in rows[0] if name not in ("policy", "amount", "case_class", "amount_as_coded")]
    cases = {NAMES.get(column, column): pa.array([row[column] or None for row in rows], pa.string()) for column in columns}
    return settle(pa.table(cases), policy_of(name))


def test_golden_cases_of_every_region_to_the_fen() -> None:
    goldens = _goldens()
    assert set(goldens) == set(MADE_POLICIES) - {"sichuan-province/undated"}, "of which no values are stated"
    assert sum(map(len, goldens.values())) == 876
    wrong = []
    for name, rows in goldens.items():
        settlement = _settled(name, rows)
        classes = settlement.table["case_class"].to_pylist()
        for row, amount, case_class in zip(rows, amounts(settlement), classes, strict=True):
            same_class = case_class == row["case_class"] or (case_class, row["case_class"]) in OTHER_WORDS
            if amount != row["amount"] or not same_class:
                wrong.append((row["id"], amount, row["amount"], case_class, row["case_class"]))
    assert wrong == []


OTHER_WORDS = {("by_item", "ambiguous"), ("ambiguous", "normal")}  # a mark named as a class; QY paid the standard


def test_slips_are_settled_as_they_are_meant_and_told() -> None:
    slips = [row for rows in _goldens().values() for row in rows if row["amount_as_coded"]]
    assert len(slips) == 17
    for name in {row["policy"] for row in slips}:
        assert any(note.startswith("In the source: ") for note in policy_of(name).file.notes), name


def test_every_value_carries_its_evidence() -> None:
    for name in MADE_POLICIES:
        policy = policy_of(name)
        assert policy.id == name
        for parameter in policy.parameters:
            assert parameter.source in policy.file.sources, (name, parameter.path)
            assert parameter.evidence in (Evidence.SECONDARY, Evidence.ASSUMPTION), (name, parameter.path)
            if parameter.source == "rulebook-g":
                assert parameter.evidence is Evidence.ASSUMPTION, (name, parameter.path)


def test_kernel_equals_the_oracle_around_every_limit() -> None:
    wrong = []
    for name in MADE_POLICIES:
        book = curve_book(policy_of(name).file.curves)
        for place, curve in enumerate(book.rows):
            limits = [float(piece.upper) for piece in curve.pieces if piece.upper is not None]
            ratios = sorted({0.1, 7.5, *limits, *(limit * (1 + step) for limit in limits for step in (-1e-5, 1e-5))})
            cost = np.array([round(ratio * 8000_00 * 1.1) for ratio in ratios])
            same = [np.full(cost.size, number) for number in (1.6, 1.1, 8000.0, 7900.0)]
            row = np.full(cost.size, place, np.int32)
            piece, _, _, _, amount, doubtful = apply_curves(cost, np.ones(cost.size), *same, row, book.arrays)
            for case in np.flatnonzero(~doubtful):
                answer = settle_exactly(
                    curve, int(cost[case]), relative_value=exact(1.6), coefficient=exact(1.1), mean=exact(8000),
                    unit_value=exact(7900),
                )  # fmt: skip
                if (answer.piece, answer.amount) != (piece[case], amount[case]):
                    wrong.append((name, curve.name, ratios[case]))
    assert wrong == []


@pytest.fixture(scope="module")
def plain_cases() -> pa.Table:
    """Cases of hospitals of which only the level is known."""
    rng = np.random.default_rng(5)
    size = 120
    weight = np.round(rng.lognormal(0, 0.8, size), 2) + 0.05
    return pa.table({
        "drg": [f"G{number}" for number in rng.integers(0, 9, size)], "hospital_id": ["H"] * size,
        "hospital_level": rng.choice(["1", "2", "3"], size), "insurance": rng.choice(["employee", "resident"], size),
        "relative_weight": weight, "group_mean_cost": np.round(weight * 9000, 2), "los_days": rng.integers(1, 70, size),
        "discharge_way": rng.integers(1, 6, size), "age": rng.integers(0, 90, size),
        "total_cost": np.round(weight * 9000 * rng.lognormal(0, 0.9, size), 2),
    })  # fmt: skip


def test_mere_levels_are_enough_or_the_reason_is_told(plain_cases: pa.Table) -> None:
    for name in MADE_POLICIES:
        policy = policy_of(name)
        settlement = settle(plain_cases, policy)
        paid = settlement.amount != MISSING
        assert (settlement.amount[paid] >= 0).all()
        assert paid.all() or any(problem.code.startswith("settle-missing") for problem in settlement.problems), name
        if policy.file.hospital_classes is not None and paid.any():
            assert "settle-assumed-class" in codes_of(settlement), name
        order = np.random.default_rng(3).permutation(plain_cases.num_rows)
        assert (settle(plain_cases.take(order), policy).amount == settlement.amount[order]).all(), name


# -- the parts that these policies brought -----------------------------------------------------------------------------
CURVE = {"unit": "ratio", **SAID}


def _paid(folder: Path, **columns: object) -> list[str]:
    return amounts(settled(folder, drg="A", insurance="employee", hospital_level="3", **columns))


def test_bands_by_payer_have_low_limits_of_their_own(tmp_path: Path) -> None:
    curve = {
        **CURVE, "bands": [{"when": {"payers": ["resident"]}, "L": 0.5}, {"L": 0.3}],
        "pieces": [{"case_class": "low", "upto": "L", "pays": "actual"}, {"case_class": "normal", "pays": "k"}],
    }  # fmt: skip
    folder = policy_with(tmp_path, {"curves": {"main": curve}})
    paid = settled(folder, drg="A", relative_value=1.0, total_cost=[12000.0, 12000.0], insurance=["resident", "employee"])
    assert amounts(paid) == ["12000.00", "30000.00"]


def test_the_multiple_of_the_class_need_not_be_that_of_the_payment(tmp_path: Path) -> None:
    curve = {
        **CURVE, "bands": [{"K": 3, "E": 2}],
        "pieces": [
            {"case_class": "normal", "upto": "K", "closed": True, "pays": "k"}, {"case_class": "high", "pays": "k + x - E"},
        ],
    }  # fmt: skip
    folder = policy_with(tmp_path, {"curves": {"main": curve}})
    assert _paid(folder, relative_value=1.0, total_cost=[90000.0, 120000.0]) == ["30000.00", "90000.00"]


COURSES = [
    {"title": "transfer", "title_zh": "转院", "ways": [2], "days_upto": 3, "pays": "by_item", **SAID},
    {"title": "long", "title_zh": "长", "days_from": 21, "ratio_over": 1, "case_class": "normal", "pays": 1.1, **SAID},
]  # fmt: skip


def test_special_courses_concern_normal_cases_and_the_first_entry_decides(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"courses": COURSES})
    paid = settled(
        folder, drg="A", relative_value=1.0, total_cost=[20000.0, 20000.0, 31000.0, 29000.0, 90000.0],
        los_days=[3, 4, 21, 21, 21], discharge_way=["2", "2", "1", "1", "1"],
    )  # fmt: skip
    assert amounts(paid) == ["20000.00", "30000.00", "33000.00", "30000.00", "60000.00"]
    assert paid.table["case_class"].to_pylist() == ["incomplete", "normal", "normal", "normal", "high"]


def test_a_multiple_of_the_standard_is_rounded_once() -> None:
    """1.1139 x 10,845 x 1.1 = 13,288.27005, where 1.1 x the standard in whole fen (12,080.25) would give 13,288.28."""
    paid = settled(
        ROOT / "payment_tables" / "kunming" / "2024", drg="BT25", relative_weight=1.1139, total_cost=[33027.31],
        hospital_level="3", insurance="resident", los_days=51,
    )  # fmt: skip
    assert amounts(paid) == ["13288.27"]


def test_a_formula_below_zero_pays_nothing_and_says_so() -> None:
    """Aba, k 0.6 and w 1: 30,000 yuan are r = 11.9 and x = 7.17, 8,000 are r = 3.19 and x = 1.91: k + x - 3 = -0.49."""
    paid = settled(
        ROOT / "payment_tables" / "aba" / "2024", drg="AA19", relative_weight=1.0, total_cost=[30000.0, 8000.0, 7000.0],
        coefficient=0.6, hospital_level="3", insurance="employee",
    )  # fmt: skip
    assert amounts(paid) == ["18940.24", "0.00", "2382.60"]
    told = [problem for problem in paid.problems if problem.code == "settle-below-zero"]
    assert len(told) == 1
    assert told[0].what.startswith("1 ")


def test_a_case_says_itself_what_no_table_says_of_its_group() -> None:
    """Handan's table lists groups and marks none as 基础病组: cases that name the mark have the one price of all levels."""
    columns = {"relative_weight": 1.2, "total_cost": [9000.0, 9000.0], "hospital_level": "3", "insurance": "employee"}
    paid = settled(ROOT / "payment_tables" / "handan" / "2025", drg="AA19", kind=["基础病组", None], **columns)
    assert amounts(paid) == ["6789.60", "11557.20"]  # 1.2 x 5,658 and 1.2 x 9,631


def test_a_mark_of_a_case_does_not_overrule_a_table_that_marks_groups() -> None:
    """Changzhi's table marks 18 groups as 分级诊疗; another group stays outside whatever the case says."""
    columns = {"relative_weight": 1.2, "total_cost": [9000.0, 9000.0], "hospital_level": "3", "insurance": "employee"}
    paid = settled(ROOT / "payment_tables" / "changzhi" / "2024", drg="AA19", kind=["分级诊疗", None], **columns)
    assert len(set(amounts(paid))) == 1


def _class(**more: object) -> dict[str, dict[str, object]]:
    entry = {"title": "marked", "title_zh": "标记", "kinds": ["m"], **SAID, **more}
    return {"group_classes": {"marked": entry}}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"coefficient_cap": value(0.8)}, "24000.00"),
        ({"coefficient_by": keyed({"3/employee": 0.9})}, "27000.00"),
        ({"coefficient_by": keyed({"2": 0.9})}, "30000.00"),
        ({"value_factor": value(1.04)}, "31200.00"),
        ({"pays": "by_item", "cost_share": value(0.8)}, "16000.00"),
        ({"pays": "daily"}, "240000.00"),
    ],
)
def test_what_a_class_of_groups_may_say(tmp_path: Path, entry: dict[str, object], expected: str) -> None:
    folder = policy_with(tmp_path, _class(**entry))
    assert _paid(folder, kind="m", relative_value=1.0, total_cost=20000.0, los_days=8) == [expected]
    assert _paid(folder, relative_value=1.0, total_cost=20000.0, los_days=8) == ["30000.00"]


def test_cases_without_a_group_may_get_a_share_of_the_bill(tmp_path: Path) -> None:
    folder = policy_with(
        tmp_path, {"ungrouped": value("by_item", cost_share=0.7), "ambiguous": value("by_item", cost_share=0.8)}
    )
    paid = settled(folder, drg=["0000", "BQY"], total_cost=[10000.01, 10000.0], insurance="employee")
    assert amounts(paid) == ["7000.01", "8000.00"]


def test_short_stays_by_item(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"stays": {"short_days": value(2)}})
    assert _paid(folder, relative_value=1.0, total_cost=[5000.0, 5000.0], los_days=[2, 3]) == ["5000.00", "30000.00"]


def test_where_the_mean_cost_is_the_price_the_unit_value_is_a_factor(tmp_path: Path) -> None:
    more = {"reference": {"mean_from_table": True, "sets_price": value(True)}, "unit_value": keyed({"*": 0.9})}
    folder = policy_with(tmp_path, {**more, "method": "points"})
    paid = _paid(folder, relative_weight=2.0, group_mean_cost=[10000.0, 12345.67], total_cost=9000.0)
    assert paid == ["9000.00", "11111.10"]
    lacking = settled(folder, drg="A", relative_weight=2.0, total_cost=9000.0, insurance="employee")
    assert "settle-missing-weight" in codes_of(lacking) or "settle-missing-mean" in codes_of(lacking)


def test_the_table_goes_with_the_list_of_the_region() -> None:
    with_table = [name for name in MADE_POLICIES if policy_of(name).prices is not None]
    assert len(with_table) > 35
    chengdu: Policy = policy_of("chengdu/2024")
    assert chengdu.prices is not None
    assert not any(code.endswith("QY") for code in chengdu.prices.codes)


def test_rehabilitation_of_zhenjiang_is_paid_by_steps_of_days() -> None:
    """XR2: 27.7342 mean days, 0.0509 a day: 30 days are 5.09 x (27.7342 + 0.8 x 2.2658) points; XR1: 10 days of 4.1818."""
    cases = {
        "drg": ["XR29", "XR19", "BY21", "XR39", "XS19"], "los_days": [30, 10, 9, 14, 30], "total_cost": 9000.0,
        "insurance": ["employee", "resident", "employee", "employee", "employee"], "hospital_level": "3",
        "relative_weight": [None, None, 5.0, None, 1.0],
    }  # fmt: skip
    paid = settle(table_of(**cases), load_policy("zhenjiang/2025"))
    points = [
        Decimal("5.09") * (Decimal("27.7342") + Decimal("0.8") * Decimal("2.2658")),
        Decimal("9.75") * (Decimal("4.1818") * Decimal("1.4") + Decimal("0.3") * (10 - Decimal("6.2727"))),
        Decimal("5.22") * 9,
        Decimal("5.47") * 14,
    ]
    expected = [str((each * price).quantize(Decimal("0.01"))) for each, price in zip(points, (92, 80, 92, 92), strict=True)]
    assert amounts(paid)[:4] == expected == ["13836.19", "5438.71", "4322.16", "7045.36"]
    assert paid.table["case_class"].to_pylist() == [*["per_diem"] * 4, "normal"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean_days": {"B": 3}},
        {"steps": [{"upto": 1, "factor": 1}]},
        {"steps": [{"upto": 2, "factor": 1}, {"upto": 1, "factor": 0.8}, {"factor": 0.3}]},
    ],
)
def test_steps_of_days_that_are_not_whole_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    by_day = {"weights": {"A": 0.1}, "mean_days": {"A": 3}, "steps": [{"factor": 1}], "unit": "weight per day", **SAID}
    load_policy(policy_with(tmp_path / "good", _class(pays="daily", by_day=by_day)))
    with pytest.raises(PolicyError):
        load_policy(policy_with(tmp_path / "bad", _class(pays="daily", by_day={**by_day, **wrong})))


def test_a_region_whose_values_are_not_stated_is_settled_by_its_curve_within_a_budget() -> None:
    cases = {"drg": "FR25", "relative_weight": 1.0, "los_days": 5, "insurance": "employee", "hospital_level": "3"}
    bills = [8000.0] * 8 + [9000.0, 2000.0]
    paid = settle(table_of(**cases, total_cost=bills), load_policy("sichuan-province/undated"), budget={"employee": 70_000.0})
    assert paid.table["case_class"].to_pylist() == ["normal"] * 9 + ["low"]
    assert sum(map(Decimal, amounts(paid))) == pytest.approx(70_000, abs=10)
