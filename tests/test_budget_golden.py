"""Golden numbers of budgets, read from YAML that a policy person can read and check by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drgsim.budgets.budget_index import STEPS
from drgsim.budgets.budget_year import BudgetYear, budget_year
from drgsim.budgets.sharing import settled
from drgsim.budgets.sharing_formula import SettlementBand, shared_settlement
from drgsim.budgets.terms import load_terms
from drgsim.money import fen, money_column
from drgsim.region.hospital_year_sums import MONTHS
from tests.budget_figures import figures

FOLDER = Path(__file__).parent / "cases" / "budget"


def _entries(name: str) -> list[Any]:
    entries = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return [pytest.param(entry, id=f"section {entry['section']}: {entry['name']}") for entry in entries]


def yuan(amount: int) -> str:
    return str(money_column(np.array([amount], np.int64)).to_pylist()[0])


@pytest.mark.parametrize("entry", _entries("sharing.yaml"))
def test_sharing(entry: dict[str, Any]) -> None:
    schedule = load_terms("general").file.sharing.schedules[entry["schedule"]]
    due = np.array([fen(amount) for amount in entry["due"]], np.int64)
    factors = np.full(due.size, entry.get("kept_factor", 1.0))
    answer = settled(due, np.full(due.size, fen(entry["index"]), np.int64), schedule, factors)
    assert [yuan(amount) for amount in answer] == entry["settled"]


def test_section_5_as_the_single_hospital_formula_has_it() -> None:
    bands = [
        SettlementBand(0.9, divide_by=0.9),
        SettlementBand(1.0),
        SettlementBand(1.1, share=0.6),
        SettlementBand(None),
    ]
    due = np.arange(1, 15_001, 37, dtype=np.int64)
    schedule = load_terms("general").file.sharing.schedules["example-ratio"]
    expected = [shared_settlement(int(amount), 10_000, bands) for amount in due]
    assert settled(due, np.full(due.size, 10_000), schedule).tolist() == expected


@pytest.mark.parametrize("entry", _entries("years.yaml"))
def test_year(entry: dict[str, Any]) -> None:
    terms = load_terms(entry.get("terms", "general")).changed({"index.base": "bills", **entry.get("changes", {})})
    region = figures(entry["years"], entry["hospitals"], entry["fund"])
    year = budget_year(region, terms, entry["years"][-1])
    expect = entry["expect"]
    assert set(expect) <= {"reserve", "adjustment_fund", "balance", "steps", "index", "settled", "procurement_kept", "ledger"}
    for name in ("reserve", "adjustment_fund", "balance"):
        if name in expect:
            assert yuan(getattr(year.fund, name)) == expect[name], name
    of_hospital = {"index": year.index.index, "settled": year.settled, "procurement_kept": year.procurement_kept}
    for name, values in of_hospital.items():
        for hospital, amount in expect.get(name, {}).items():
            assert yuan(int(values[region.hospitals.index(hospital)])) == amount, (name, hospital)
    for hospital, steps in expect.get("steps", {}).items():
        row = year.index.waterfall[region.hospitals.index(hospital)]
        assert {step: yuan(int(row[STEPS.index(step)])) for step in steps} == steps
    for hospital, lines in expect.get("ledger", {}).items():
        assert _sums(year, region.hospitals.index(hospital), set(lines)) == lines


def _sums(year: BudgetYear, place: int, wanted: set[str]) -> dict[str, str]:
    """Due or paid by line of the ledger, which must end at zero and run in the order of time."""
    lines = year.cash.lines(place)
    assert lines[-1][-1] == 0
    assert [month for month, *_ in lines] == sorted(month for month, *_ in lines)
    totals: dict[str, Decimal] = {}
    for _, line, due, paid, _ in lines:
        totals[line] = totals.get(line, Decimal(0)) + Decimal(due or paid) / 100
    return {line: f"{totals.get(line, Decimal(0)):.2f}" for line in wanted}


def test_the_months_of_a_year_of_twelve_equal_months_use_the_index_evenly() -> None:
    region = figures([2023, 2024], {"A": {"level": "3", "spending": [120_000, 0], "due": [0, 116_400]}}, 120_000)
    year = budget_year(region, load_terms("general").changed({"index.base": "bills"}), 2024)
    assert year.warnings.to_date[0].tolist() == [fen(970 * 10 * month) for month in range(1, MONTHS + 1)]
    assert year.warnings.ratio[0].tolist() == [1.0] * MONTHS
    assert not year.warnings.warned.any()
    assert year.warnings.attention.all()
