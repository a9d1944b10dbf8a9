"""drgsim against the auditor, case by case and to the fen: every shipped policy, at its limits and on the sample region."""

from __future__ import annotations

import ast
import csv
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.payment.policy import policy_names
from tests.audit.audited_case import Given, Paid, Stay
from tests.audit.case_audit import Audit
from tests.audit.limit_cases import LimitCases
from tests.audit.plain_numbers import fen, number
from tests.audit.policy_text import PolicyText
from tests.conftest import ROOT

TABLES, REGION = ROOT / "payment_tables", ROOT / "data" / "samples" / "region"
POLICIES = policy_names()
NOT_AUDITED: dict[str, str] = {}  # rule of a policy file -> why the auditor leaves policies with it out; entries may only go
PRICES = {"rate": Fraction(12000), "points": Fraction(80), "dip": Fraction(10)}  # where a policy states none
BUDGETS: list[tuple[dict[str, Fraction], Fraction]] = [
    ({"*": Fraction(90_000_000)}, Fraction(1)),
    ({"employee": Fraction(95_000_000), "resident": Fraction(40_000_000)}, Fraction(13, 20)),
    ({"employee": Fraction(50_000_000)}, Fraction(1)),
    ({"*": Fraction(1000)}, Fraction(1)),
]
SAMPLE_COLUMNS = (
    "discharge_id",
    "hospital_id",
    "patient_id",
    "age",
    "admitted",
    "discharged",
    "los_days",
    "insurance",
    "total_cost",
    "patient_paid",
    "discharge_way",
)
INCLUDED = [  # example sections, beside policies of every kind: prices by weight, standards by group, points, budgets
    f"{policy}+examples/{section}"
    for section in ("psychiatric", "single-disease", "tcm", "primary-care")
    for policy in ("beijing/2022", "beijing/2024", "zhejiang/2025")
] + ["beijing/2024+examples/psychiatric+examples/single-disease+examples/tcm"]


@cache
def _policy(name: str) -> PolicyText:
    folder, *include = name.split("+")
    return PolicyText(TABLES / folder, TABLES, include)


# -- the auditor itself ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", POLICIES)
def test_the_auditor_knows_every_rule_of_every_policy(name: str) -> None:
    unknown = [rule for rule in _policy(name).unknown() if rule not in NOT_AUDITED]
    assert not unknown, (
        f"{name} uses rules that the auditor lacks: teach tests/audit/case_audit.py, or list them in NOT_AUDITED"
    )


def test_the_list_of_what_is_not_audited_holds_nothing_else() -> None:
    assert {rule for name in POLICIES for rule in _policy(name).unknown()} == set(NOT_AUDITED)


def test_the_auditor_imports_nothing_that_computes_for_drgsim() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong = [name for name in names if name.split(".")[0] in {"drgsim", "numpy", "pandas", "pyarrow", "scipy"}]
            assert not wrong, f"{path.name} imports {wrong}"


# -- comparing ---------------------------------------------------------------------------------------------------------
COMPARED = (
    "case_class", "amount", "fund_payment", "above_standard", "standard", "shadow_class", "shadow_amount", "patient_paid",
    "other_paid", "cost_ratio", "coefficient", "rule",
)  # fmt: skip


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.table({name: [row.get(name) for row in rows] for name in rows[0]})


def _compared(
    name: str, rows: Sequence[Mapping[str, Any]] | Sequence[Stay], given_: Given, table: pa.Table | None = None, **more: Any
) -> list[Paid]:
    """Settle by both, and fail with the first differences."""
    stays = [row if isinstance(row, Stay) else Stay(row) for row in rows]
    audit = Audit(_policy(name), stays, given_)
    options: dict[str, Any] = dict(more)
    if given_.unit_value is not None:
        options["unit_value"] = {key: float(value) for key, value in given_.unit_value.items()}
    if given_.budget is not None:
        options["budget"] = {key: float(value) for key, value in given_.budget.items()}
        options["fund_share"] = float(given_.fund_share)
    if given_.hospitals is not None:
        options["hospitals"] = _table([{"hospital_id": key, **entry} for key, entry in given_.hospitals.items()])
    policy = name if "+" in name else TABLES / name
    paid = drgsim.settle(_table([stay.row for stay in stays]) if table is None else table, policy, **options)
    found = paid.cases.select([key for key in COMPARED if key in paid.cases.column_names]).to_pylist()
    wrong = []
    for mine, theirs in zip(audit.cases, found, strict=True):
        by_units = mine.curve is not None and mine.amount is not None  # else the standard is a price that nothing is paid by
        left, right = _of_audit(mine, by_units), _of_engine(theirs, by_units)
        if left != right or not _near(mine, theirs):
            wrong.append(f"{dict(mine.row)}\n  audit {left} {mine.why}\n  drgsim {right} {theirs['rule']}")
    assert not wrong, f"{len(wrong)} of {len(stays)} cases differ under {name}:\n" + "\n".join(wrong[:5])
    return audit.cases


def _of_audit(case: Paid, by_units: bool) -> tuple[Any, ...]:
    standard = fen(case.standard) if by_units and case.standard is not None else None
    shadow = (case.shadow.case_class, case.shadow.amount) if case.shadow else (None, None)
    return (case.case_class, case.amount, case.fund, case.above, standard, *shadow)


def _of_engine(row: Mapping[str, Any], by_units: bool) -> tuple[Any, ...]:
    names = ("amount", "fund_payment", "above_standard", "standard", "shadow_amount")
    amounts = [None if row.get(name) is None else int(row[name].scaleb(2)) for name in names]
    shadow = (row.get("shadow_class"), amounts[4])
    return (row["case_class"], *amounts[:3], amounts[3] if by_units else None, *shadow)


def _near(case: Paid, row: Mapping[str, Any]) -> bool:
    """Ratios and coefficients, which are no money, to nine digits; and that who pays adds up to the amount."""
    if row["amount"] is None:
        return True
    parts = sum(row[name] or 0 for name in ("fund_payment", "patient_paid", "other_paid", "above_standard"))
    pairs = [(case.ratio, row["cost_ratio"]), (case.coefficient, row["coefficient"])] if case.used else []
    return parts == row["amount"] and all(
        mine is None or abs(float(mine) - theirs) <= 1e-9 * max(1.0, abs(theirs)) for mine, theirs in pairs
    )


def _price(name: str) -> Given:
    stated = _policy(name).at("unit_value") is not None
    return Given(unit_value=None if stated else {"*": PRICES[_policy(name).at("method")]})


# -- cases at every limit ----------------------------------------------------------------------------------------------
@lru_cache(maxsize=4)
def _limits(name: str) -> tuple[list[Stay], pa.Table]:
    """Cases at every limit of a policy, for the auditor and as a table."""
    rows = LimitCases(_policy(name), _price(name)).rows
    return [Stay(row) for row in rows], _table(rows)


@pytest.mark.parametrize("name", [*POLICIES, *INCLUDED])
def test_cases_at_every_limit(name: str) -> None:
    stays, table = _limits(name)
    cases = _compared(name, stays, _price(name), table)
    found = {case.case_class for case in cases} | {case.shadow.case_class for case in cases if case.shadow}
    assert {"normal", "self_pay", "by_item", "unpaid"} <= found
    missing = _breakpoints(_policy(name)) - _met(_policy(name), cases)
    assert not missing, f"no case lies at these limits of {name}: (curve, band, piece, below | at | above) {sorted(missing)}"
    budget, share = BUDGETS[(*POLICIES, *INCLUDED).index(name) % len(BUDGETS)]
    _compared(name, stays, Given(budget=budget, fund_share=share), table)


@pytest.mark.parametrize("budget", range(len(BUDGETS)))
@pytest.mark.parametrize("name", ["beijing/2024", "qingyang/2023", "zhejiang/2025", "zhoukou/2023", "taian/2025"])
def test_every_budget_gives_the_unit_value(name: str, budget: int) -> None:
    stays, table = _limits(name)
    _compared(name, stays, Given(budget=BUDGETS[budget][0], fund_share=BUDGETS[budget][1]), table)


Breakpoint = tuple[str, int, int, str]


def _breakpoints(policy: PolicyText) -> set[Breakpoint]:
    """Every limit of every band of every curve, from three sides."""
    return {
        (name, band, piece, side)
        for name, curve in policy.raw.get("curves", {}).items()
        for band, _ in enumerate(curve.get("bands", [{}]))
        for piece, told in enumerate(curve["pieces"])
        if "upto" in told
        for side in ("below", "at", "above")
    }


def _met(policy: PolicyText, cases: Sequence[Paid]) -> set[Breakpoint]:
    """Limits that a case lies at, or at most two fen beside."""
    names = {id(curve): name for name, curve in policy.raw.get("curves", {}).items()}
    found = set()
    for each in cases:
        case = each.shadow or each
        if case.used is None or id(case.used) not in names or case.compared is None or case.cost is None:
            continue
        for piece, told in enumerate(case.used["pieces"]):
            limit = case.limits.get(told.get("upto"), told.get("upto"))
            if limit is None:
                continue
            distance = (case.cost - Fraction(limit) * case.compared) * 100
            if abs(distance) <= 2:
                side = "at" if not distance else "above" if distance > 0 else "below"
                found.add((names[id(case.used)], case.band, piece, side))
    return found


@pytest.mark.parametrize("name", ["jinhua/undated", "zhejiang/2025", "national/dip-3.0-draft", "yinchuan/2023", "suzhou/2023"])
def test_coefficients_of_hospitals_and_lists(name: str) -> None:
    """Of the case, of the class, of hospital and group, of the hospital, of the level, by default: the first that is there."""
    rows = [row for row in LimitCases(_policy(name), _price(name)).rows if row["group_mean_cost"] is None]
    group = next(row[kind] for row in rows for kind in ("drg", "dip") if row.get(kind))
    hospitals = {
        "H0": {"level": "3", "grade": "甲等", "coefficient": "1.07"}, "H1": {"level": "2", "grade": "", "coefficient": "0.93"},
        "H2": {"level": "1", "grade": "", "coefficient": ""}, "N1": {"level": "3", "grade": "", "coefficient": ""},
    }  # fmt: skip
    listed = {("H0", group): Fraction("1.21"), ("H1", "*"): Fraction("1.11"), ("*", group): Fraction("0.99")}
    table = _table([{"hospital_id": key[0], "group": key[1], "coefficient": float(value)} for key, value in listed.items()])
    stated = _price(name).unit_value
    _compared(name, rows, Given(hospitals=hospitals, unit_value=stated))
    _compared(name, rows, Given(hospitals=hospitals, coefficients=listed, unit_value=stated), coefficients=table)


def test_weights_of_ones_own_with_means_and_unstable_groups() -> None:
    """Zhejiang: mean cost of the table, and groups of fewer than 5 cases or CV above 1 are paid the points of their cost."""
    table = [
        {"drg": "ES21", "weight": 1.2, "mean_cost": 12000.0, "cases": 90, "cv": 1.0},
        {"drg": "ES31", "weight": 0.8, "mean_cost": 7000.0, "cases": 4, "cv": 0.2},
        {"drg": "ES33", "weight": 0.5, "mean_cost": 4100.5, "cases": 5, "cv": 1.01},
        {"drg": "RB15", "weight": 2.5, "mean_cost": None, "cases": 50, "cv": 0.5},
    ]
    policy = _policy("zhejiang/2025")
    rows: list[dict[str, Any]] = []
    for row in LimitCases(policy, _price("zhejiang/2025")).rows:
        rows += [
            row | {"drg": entry["drg"], "discharge_id": f"{row['discharge_id']}{entry['drg']}", "patient_id": None}
            for entry in table[:: 1 + len(rows) % 3]
        ]
    texts = {str(entry["drg"]): {key: "" if value is None else str(value) for key, value in entry.items()} for entry in table}
    for given_ in (
        Given(weights=texts, unit_value={"*": Fraction(90)}),
        Given(weights=texts, budget={"*": Fraction(40_000_000)}),
    ):
        _compared("zhejiang/2025", rows, given_, weights=pa.Table.from_pylist(table))


# -- the sample region -------------------------------------------------------------------------------------------------
@cache
def _sample() -> pa.Table:
    return drgsim.read(max(REGION.glob("discharges-*.parquet"))).to_arrow()


@cache
def _national_weights() -> dict[str, str]:
    with (TABLES / "national" / "2.0" / "weights.csv").open(encoding="utf-8", newline="") as file:
        return {row["drg"]: row["weight"] for row in csv.DictReader(file)}


@cache
def _hospitals() -> dict[str, dict[str, str]]:
    with (REGION / "hospitals.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: {"level": row["level"], "grade": row["grade"]} for row in csv.DictReader(file)}


@cache
def _year(scheme: str, weighted: bool) -> tuple[list[Stay], pa.Table]:
    """The newest year, grouped once for all policies of a scheme; national weights where a policy ships no table."""
    grouped = drgsim.group(_sample(), scheme).to_arrow()
    kind = "dip" if "dip" in grouped.column_names else "drg"
    table = _sample().select(SAMPLE_COLUMNS).append_column(kind, grouped.column(kind).cast(pa.string()))
    if weighted:
        weights = [_national_weights().get(group) for group in table.column(kind).to_pylist()]
        table = table.append_column("relative_weight", pa.array([float(weight) if weight else None for weight in weights]))
    return [Stay(row) for row in table.to_pylist()], table


@pytest.mark.slow
@pytest.mark.parametrize("name", [*POLICIES, INCLUDED[-1]])
def test_the_newest_year_of_the_sample(name: str) -> None:
    policy = _policy(name)
    stays, table = _year(policy.at("scheme") or "chs-drg-2.0", not policy.table)
    _compared(name, stays, Given(hospitals=_hospitals(), unit_value=_price(name).unit_value), table)


# -- files of any kind -------------------------------------------------------------------------------------------------
AMOUNTS = st.integers(min_value=0, max_value=6_000_000)
CASES = st.lists(
    st.fixed_dictionaries({
        "drg": st.sampled_from(["A", "A", "B", "", "0000", "BQY"]),
        "hospital_id": st.sampled_from(["H1", "H2"]),
        "hospital_level": st.sampled_from(["1", "2", "3", "3a", ""]),
        "insurance": st.sampled_from(["employee", "employee", "resident", "self", ""]),
        "relative_weight": st.sampled_from([0.5, 1.0, 1.2, 2.0, 3.1, None]),
        "coefficient": st.sampled_from([None, 0.9, 1.0, 1.13]),
        "los_days": st.sampled_from([3, 60, 61, None]),
        "total_cost": st.one_of(st.none(), AMOUNTS),
        "patient_paid": st.one_of(st.none(), AMOUNTS),
        "discharged": st.sampled_from(["2024-12-31", "2025-01-01", None]),
        "group_mean_cost": st.sampled_from([None, 8000.0]),
    }),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(
    cases=CASES, budget=st.one_of(st.none(), st.integers(min_value=10_000, max_value=400_000)),
    name=st.sampled_from(["qingyang/2023", "ningbo/2022", "zhoukou/2023", "harbin/2022", "jining/undated", "national/2.0"]),
)  # fmt: skip
def test_small_files(cases: list[dict[str, Any]], budget: int | None, name: str) -> None:
    rows: list[dict[str, Any]] = []
    for place, case in enumerate(cases):
        money = {key: None if case[key] is None else case[key] / 100 for key in ("total_cost", "patient_paid")}
        rows.append({**case, **money, "discharge_id": f"C{place}", "patient_id": f"P{place}", "admitted": None})
    given_ = _price(name) if budget is None else Given(budget={"*": Fraction(budget)})
    audit = _compared(name, rows, given_)
    assert sum(case.amount or 0 for case in audit) == sum(
        (case.fund or 0) + (case.above or 0) + _patients(case) for case in audit if case.amount is not None
    )


def _patients(case: Paid) -> int:
    if case.case_class == "self_pay":
        return case.amount or 0
    return fen(number(case.row.get("patient_paid")) or Fraction(0)) + fen(number(case.row.get("other_paid")) or Fraction(0))
