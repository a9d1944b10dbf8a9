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
from tests.audit.case_audit import Audit, Given, Paid
from tests.audit.limit_cases import LimitCases
from tests.audit.plain_numbers import fen, number
from tests.audit.policy_text import PolicyText
from tests.conftest import ROOT

TABLES, REGION = ROOT / "payment_tables", ROOT / "data" / "samples" / "region"
POLICIES = policy_names()
NOT_AUDITED = {  # rule of a policy file -> why the auditor leaves policies with it out; entries may only go
    "group_selection": "needs the history of a region: which groups are paid is chosen from it",
    "unit_value_from_history": "needs the history of a region: the price follows from it",
    "members": "stands only beside the two above",
    "shadow": "stands only beside the two above",
    **dict.fromkeys((
        "ambiguous pays standard",
        "courses",
        "reference.sets_price", "coefficient.table",

        "group_classes.pays=daily",
    ), "not written yet"),
}  # fmt: skip
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
)
STRATUM = 25  # of the sample, without the marker slow: one in so many, and all that is unusual


@cache
def _policy(name: str) -> PolicyText:
    return PolicyText(TABLES / name)


def _audited() -> list[str]:
    return [name for name in POLICIES if not set(_policy(name).unknown())]


def _some(every: int) -> list[str]:
    """All policies that were written one by one, and of those made from the table of regions one in so many."""
    names = _audited()
    made = [name for name in names if "tools/make_region_policies.py" in (TABLES / name / "policy.yaml").read_text("utf-8")]
    return [name for name in names if name not in made or made.index(name) % every == 0]


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
def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.table({name: [row.get(name) for row in rows] for name in rows[0]})


def _compared(name: str, rows: Sequence[Mapping[str, Any]], given_: Given, **more: Any) -> list[Paid]:
    """Settle by both, and fail with the first differences."""
    audit = Audit(_policy(name), rows, given_)
    options: dict[str, Any] = dict(more)
    if given_.unit_value is not None:
        options["unit_value"] = {key: float(value) for key, value in given_.unit_value.items()}
    if given_.budget is not None:
        options["budget"] = {key: float(value) for key, value in given_.budget.items()}
        options["fund_share"] = float(given_.fund_share)
    if given_.hospitals is not None:
        options["hospitals"] = _table([{"hospital_id": key, **entry} for key, entry in given_.hospitals.items()])
    paid = drgsim.settle(_table(rows), TABLES / name, **options)
    wrong = []
    for mine, theirs in zip(audit.cases, paid.cases.to_pylist(), strict=True):
        by_units = mine.curve is not None and mine.amount is not None  # else the standard is a price that nothing is paid by
        left, right = _of_audit(mine, by_units), _of_engine(theirs, by_units)
        if left != right or not _near(mine, theirs):
            wrong.append(f"{dict(mine.row)}\n  audit {left} {mine.why}\n  drgsim {right} {theirs['rule']}")
    assert not wrong, f"{len(wrong)} of {len(rows)} cases differ under {name}:\n" + "\n".join(wrong[:5])
    return audit.cases


def _of_audit(case: Paid, by_units: bool) -> tuple[Any, ...]:
    standard = fen(case.standard) if by_units and case.standard is not None else None
    return (case.case_class, case.amount, case.fund, case.above, standard)


def _of_engine(row: Mapping[str, Any], by_units: bool) -> tuple[Any, ...]:
    names = ("amount", "fund_payment", "above_standard", "standard")
    amounts = [None if row[name] is None else fen(Fraction(str(row[name]))) for name in names]
    return (row["case_class"], *amounts[:3], amounts[3] if by_units else None)


def _near(case: Paid, row: Mapping[str, Any]) -> bool:
    """Ratios and coefficients, which are no money, to nine digits; and that who pays adds up to the amount."""
    if row["amount"] is None:
        return True
    parts = sum(Fraction(str(row[name] or 0)) for name in ("fund_payment", "patient_paid", "other_paid", "above_standard"))
    pairs = [(case.ratio, row["cost_ratio"]), (case.coefficient, row["coefficient"])] if case.used else []
    return parts == Fraction(str(row["amount"])) and all(
        mine is None or abs(float(mine) - theirs) <= 1e-9 * max(1.0, abs(theirs)) for mine, theirs in pairs
    )


def _price(name: str) -> Given:
    stated = _policy(name).at("unit_value") is not None
    return Given(unit_value=None if stated else {"*": PRICES[_policy(name).at("method")]})


# -- cases at every limit ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", _audited())
def test_cases_at_every_limit(name: str) -> None:
    cases = _compared(name, LimitCases(_policy(name), _price(name)).rows, _price(name))
    assert {"normal", "self_pay", "by_item", "unpaid"} <= {case.case_class for case in cases}


@pytest.mark.parametrize("name", _audited())
def test_a_budget_gives_the_unit_value(name: str) -> None:
    rows = LimitCases(_policy(name), _price(name)).rows
    budget, share = BUDGETS[POLICIES.index(name) % len(BUDGETS)]
    _compared(name, rows, Given(budget=budget, fund_share=share))


@pytest.mark.slow
@pytest.mark.parametrize("budget", range(len(BUDGETS)))
@pytest.mark.parametrize("name", _some(4))
def test_every_budget_gives_the_unit_value(name: str, budget: int) -> None:
    rows = LimitCases(_policy(name), _price(name)).rows
    _compared(name, rows, Given(budget=BUDGETS[budget][0], fund_share=BUDGETS[budget][1]))


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
@lru_cache(maxsize=1)
def _sample() -> pa.Table:
    newest = max(REGION.glob("discharges-*.parquet"))
    return drgsim.read(newest).to_arrow()


@lru_cache(maxsize=1)
def _strata() -> pa.Table:
    """One case in :data:`STRATUM`, long stays, self-payers of a day, the dearest and the cheapest."""
    table = _sample()
    costs = [float(cost or 0) for cost in table.column("total_cost").to_pylist()]
    ranked = sorted(range(len(costs)), key=costs.__getitem__)
    days = table.column("los_days").to_pylist()
    chosen = (
        set(ranked[::STRATUM])
        | set(ranked[:10])
        | set(ranked[-20:])
        | {place for place, stay in enumerate(days) if (stay or 0) > 58}
    )
    return table.take(pa.array(sorted(chosen)))


@lru_cache(maxsize=64)
def _grouped(scheme: str, whole: bool) -> list[str]:
    grouped = drgsim.group(_sample() if whole else _strata(), scheme).to_arrow()
    return list(grouped.column("dip" if "dip" in grouped.column_names else "drg").to_pylist())


@lru_cache(maxsize=1)
def _national_weights() -> dict[str, str]:
    with (TABLES / "national" / "2.0" / "weights.csv").open(encoding="utf-8", newline="") as file:
        return {row["drg"]: row["weight"] for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def _hospitals() -> dict[str, dict[str, str]]:
    with (REGION / "hospitals.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: {"level": row["level"], "grade": row["grade"]} for row in csv.DictReader(file)}


def _sample_rows(name: str, whole: bool) -> list[dict[str, Any]]:
    """The sample, grouped by the policy's scheme; national weights where a policy ships no table."""
    policy, table = _policy(name), _sample() if whole else _strata()
    scheme = policy.at("scheme") or "chs-drg-2.0"
    groups = _grouped(scheme, whole)
    kind = "dip" if policy.at("method") == "dip" else "drg"
    rows = [{**row, kind: group} for row, group in zip(table.select(SAMPLE_COLUMNS).to_pylist(), groups, strict=True)]
    if not policy.table:
        weights = _national_weights()
        rows = [{**row, "relative_weight": float(weights[row[kind]]) if weights.get(row[kind]) else None} for row in rows]
    return rows


@pytest.mark.parametrize("name", _audited())
def test_the_sample_in_strata(name: str) -> None:
    _compared(name, _sample_rows(name, False), Given(hospitals=_hospitals(), unit_value=_price(name).unit_value))


@pytest.mark.slow
@pytest.mark.parametrize("name", _some(8))
def test_the_newest_year_of_the_sample(name: str) -> None:
    _compared(name, _sample_rows(name, True), Given(hospitals=_hospitals(), unit_value=_price(name).unit_value))


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
