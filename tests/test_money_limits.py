"""Money at its borders: what no case costs is told and counts as missing, and no sum wraps to below 0."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.authoring.dip.year_totals import YearTotals
from drgsim.errors import InputError, UsageError
from drgsim.money import HIGHEST_AMOUNT, HIGHEST_LIMIT, HIGHEST_VARIABLE, MISSING, add_at, exact_sum, highest_amount, total
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.records.cells import read_fen

INT64 = 2**63
CASE = {"drg": "FR25", "insurance": "employee", "hospital_level": "3", "los_days": 5}


@given(
    amounts=st.lists(st.tuples(st.integers(0, 2), st.integers(-INT64 + 1, INT64 - 1) | st.integers(-5, 5)), max_size=9),
    start=st.lists(st.integers(-INT64 + 1, INT64 - 1) | st.just(0), min_size=3, max_size=3),
)
def test_sums_by_place_are_exact_or_refused(amounts: list[tuple[int, int]], start: list[int]) -> None:
    sums = np.array(start, np.int64)
    exactly = [first + sum(amount for place, amount in amounts if place == at) for at, first in enumerate(start)]
    places, added = (np.array([each[side] for each in amounts], np.int64) for side in (0, 1))
    if all(abs(each) < INT64 for each in exactly):
        add_at(sums, places, added)
        assert sums.tolist() == exactly
    else:
        with pytest.raises(InputError, match="money-sum-too-large"):
            add_at(sums, places, added)
        assert sums.tolist() == start


def test_years_of_groups_are_summed_exactly_beyond_what_a_double_holds() -> None:
    fen = np.array([2**53, 1, 1, 2**52 + 1], np.int64)
    totals = YearTotals.of(np.zeros(4, np.int64), np.array([0, 0, 0, 1]), fen, 1, 2)
    assert totals.fen.tolist() == [[2**53 + 2, 2**52 + 1]]


def _settled(*costs: Any, **more: Any) -> Any:
    table = pa.Table.from_pylist([{"discharge_id": str(n), **CASE, **more, "total_cost": c} for n, c in enumerate(costs)])
    return settle(table, load_policy("beijing/2024"))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("cost", [HIGHEST_AMOUNT + 0.01, "99999999999999999", 2.0**63, 9.3e16, "1e308", float("inf"), -1e17])
def test_a_cost_that_no_case_has_is_told_and_not_paid(cost: Any) -> None:
    settled = _settled(str(cost), "12000")
    (told,) = [problem for problem in settled.problems if problem.code == "settle-cost-implausible"]
    assert "1 cases" in told.what
    assert "100,000,000 yuan" in told.what
    assert settled.amount[0] == MISSING
    assert settled.amount[1] > 0
    assert "settle-cost-missing" not in {problem.code for problem in settled.problems}


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_limit_itself_is_paid() -> None:
    settled = _settled(str(HIGHEST_AMOUNT), insurance="self")
    assert not [problem for problem in settled.problems if "implausible" in problem.code]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", ["patient_paid", "other_paid", "fund_paid", "deductible", "own_pay"])
@pytest.mark.parametrize("value", ["1e17", "inf", "1e308"])
def test_other_amounts_have_the_same_limit(name: str, value: str) -> None:
    settled = _settled("12000", **{name: value})
    assert f"settle-bad-{name}" in {problem.code for problem in settled.problems}
    assert settled.amount[0] == MISSING


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "value"),
    [("coefficient", "1001"), ("relative_weight", "1e9"), ("relative_value", "inf"), ("group_mean_cost", "1e300"),
     ("coefficient", "-1")],
)  # fmt: skip
def test_numbers_of_a_case_have_limits(name: str, value: str) -> None:
    settled = _settled("12000", **{name: value})
    assert f"settle-bad-{name}" in {problem.code for problem in settled.problems}


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_payment_that_no_case_gets_is_told_and_not_paid() -> None:
    settled = _settled("12000", relative_weight=str(HIGHEST_AMOUNT), coefficient="1000")
    assert "settle-amount-implausible" in {problem.code for problem in settled.problems}
    assert settled.amount[0] == MISSING


def test_the_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HIGHEST_VARIABLE, "5000")
    assert highest_amount() == 500_000
    read = read_fen(pa.array(["5000", "5000.01", "-5000.01"]))
    assert (read.there.tolist(), read.beyond.tolist()) == ([True, False, False], [False, True, True])
    assert "settle-cost-implausible" in {problem.code for problem in _settled("5001").problems}


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e10", "much", "true"])
def test_a_limit_that_makes_no_sense_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HIGHEST_VARIABLE, text)
    with pytest.raises(UsageError, match="usage-bad-highest-amount"):
        highest_amount()


def test_sums_of_cases_at_the_highest_limit_fit() -> None:
    assert 90_000_000 * HIGHEST_LIMIT * 100 < INT64


@given(st.lists(st.integers(-INT64 + 1, INT64 - 1), max_size=40))
def test_sums_are_those_of_python_and_never_wrap(amounts: list[int]) -> None:
    array = np.array(amounts, np.int64)
    assert exact_sum(array) == total(array) == sum(amounts)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("cost", ["99999999999999999", "1e308", "inf"])
def test_weights_and_catalogues_leave_such_costs_out(cost: str) -> None:
    rows = [{"drg": "FR25" if n % 2 else "BR23", "total_cost": cost if n == 0 else 1000.0 + n} for n in range(8)]
    table = pa.Table.from_pylist([{**row, "total_cost": str(row["total_cost"])} for row in rows])
    made = drgsim.weights(table)
    assert "weights-cost-implausible" in {note.code for note in made.notes if hasattr(note, "code")}
    assert max(made.weights["mean_cost"].to_pylist()) < 2000


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_costs_that_are_all_zero_give_no_weights() -> None:
    table = pa.Table.from_pylist([{"drg": "FR25", "total_cost": 0} for _ in range(4)])
    made = drgsim.weights(table)
    assert made.weights.num_rows == 0 or all(weight is None for weight in made.weights["weight"].to_pylist())
    assert "weights-cost-zero" in {note.code for note in made.notes if hasattr(note, "code")}


def test_a_settlement_number_in_the_column_of_cost_reaches_no_sum(tmp_path: Path) -> None:
    result = drgsim.settle(
        pa.Table.from_pylist([{**CASE, "total_cost": cost} for cost in ("11011520240300123", "12000", "15000")]), "beijing/2024"
    )
    assert Decimal(result.record["amount_yuan"]) > 0
    for table in result.tables.values():
        for name, column in zip(table.column_names, table.columns, strict=True):
            if pa.types.is_decimal(column.type) and name.startswith(("amount", "total_cost", "fund_payment")):
                assert all(value is None or 0 <= value < 10**6 for value in column.to_pylist())


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("weight", ["0", "1e-300", "1e300", "inf", "nan", "-1", "0.5"])
def test_weights_of_a_price_table_have_limits_and_a_standard_without_weight_is_paid(weight: str, tmp_path: Path) -> None:
    folder = tmp_path / "beijing" / "2024"
    shutil.copytree(load_policy("beijing/2024").folder, folder)
    for path in folder.glob("*.csv"):
        header, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        if "weight" in header.split(","):
            place = header.split(",").index("weight")
            rows = [",".join([*line.split(",")[:place], weight, *line.split(",")[place + 1 :]]) for line in lines]
            path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    if weight in ("0", "0.5"):
        table = pa.Table.from_pylist([{"discharge_id": "1", **CASE, "total_cost": 12000}])
        assert settle(table, load_policy(folder)).amount.size == 1
        return
    with pytest.raises(drgsim.DrgsimError, match="policy-table-number"):
        load_policy(folder)
