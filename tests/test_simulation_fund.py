"""The fund of a year without a budget: simulated as ``drgsim budget`` takes it, and told."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from drgsim.budgets.budget_year import fund_of as budget_fund_of
from drgsim.simulation.pricing import _gross, fund_of
from drgsim.simulation.scenario_cases import first_state
from drgsim.simulation.session import further_notes
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region, make_cohort
from drgsim.simulation.study import Study
from tests.sample_region import YEAR, YEARS, hospitals_by_size
from tests.simulating import baseline_of, by_path, region

FIRST, SECOND, _ = YEARS
FUND = {
    FIRST: {"employee": 1_795_000_001, "resident": 2_099_000_003},
    SECOND: {"employee": 1_859_000_033, "resident": 2_073_000_077},
}


@cache
def unstated() -> Region:
    """The sample without the fund's budget of the year."""
    return replace(region(), fund=FUND)


@pytest.fixture
def active() -> Setup:
    return baseline_of("beijing/2024", "{rate.source: fund, budget.active: true}")


@pytest.mark.parametrize("growth", [0.0, 0.05, 0.0333, -0.2])
@pytest.mark.parametrize("year", [*YEARS, YEAR + 2])
def test_an_unstated_year_grows_as_in_the_budget(active: Setup, growth: float, year: int) -> None:
    setup = by_path(active, {"budget.fund.growth": growth})
    assert setup.budget is not None
    years = (FIRST, SECOND, *range(YEAR, year + 1))
    known = [sum(FUND.get(each, {"": -1}).values()) for each in years]
    figures = cast("Any", SimpleNamespace(years=years, fund=pa.array(known).to_numpy()))
    found = fund_of(setup, unstated(), year)
    assert sum(found.values()) == budget_fund_of(figures, setup.budget, year)
    assert set(found) == {"employee", "resident"}


def test_without_a_yearly_budget_the_last_known_fund_stands() -> None:
    assert fund_of(baseline_of("beijing/2024"), unstated(), YEAR) == FUND[SECOND]
    assert fund_of(baseline_of("beijing/2024"), unstated(), FIRST - 2) == FUND[FIRST], "else the first"
    assert fund_of(baseline_of("beijing/2024"), replace(region(), fund={}), YEAR) == {}


def test_a_fund_that_is_not_stated_is_told(active: Setup) -> None:
    carrying = by_path(active, {"budget.sharing.carry_over": True})

    def notes(of: Region, setup: Setup, *years: int) -> list[str]:
        tables = {"years": pa.table({"year": list(years)})} if years else {}
        result = SimpleNamespace(plan=SimpleNamespace(baseline=active, setup=setup))
        return further_notes(cast("Study", SimpleNamespace(region=of, year=YEAR, tables=tables, results=[result])))

    assert notes(region(), active) == []
    told = notes(unstated(), active)
    assert len(told) == 1
    assert told[0].startswith(f"fund of {YEAR} not stated, taken from {SECOND}, with budget.fund.growth")
    told = notes(region(), carrying, YEAR, YEAR + 1, YEAR + 1)
    assert [text.split(",")[0] for text in told[:-1]] == [f"fund of {YEAR + 1} not stated"]
    assert told[-1].startswith("budget.sharing.carry_over moves when")
    assert unstated().fund_notes([FIRST - 1]) == [f"fund of {FIRST - 1} not stated, taken from {FIRST}"]


def test_section_2_2_patients_of_refused_records_add_nothing_to_the_budget() -> None:
    name = hospitals_by_size()[0]
    case = {"discharge_id": "1", "sex": "1", "age": 60, "diagnoses": "I63.900", "procedures": "", "hospital_id": name,
            "insurance": "employee", "discharged": f"{YEAR}-05-01", "total_cost": 10_000.0, "patient_paid": 4_000.0,
            }  # fmt: skip
    refused = [{**case, "discharge_id": "2", "hospital_id": "H999"}, {**case, "discharge_id": "3", "total_cost": -1.0}]
    cohort = make_cohort(pa.Table.from_pylist([case, *refused]), YEAR, "chs-drg-2.0", region().hospitals)
    assert _gross({"employee": 600_000}, first_state(cohort)) == {"employee": 10_000.0}
