"""Capitation is one model (rule book 4.5): stated or derived amounts, one switch or two, a year has one capitation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.case_bills import UNITS
from drgsim.payment.capitation import capitation_paid, capitation_pot, derived_amount
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.runner import Outcome
from tests.sample_region import YEAR
from tests.simulating import baseline_of, by_path, plan, region, run, runner

CAPITATION = UNITS.index("capitation")
SCENARIO = {"capitation.conditions": ["diabetes", "hypertension"]}
TERMS = {"budget.active": True, "budget.capitation.use": True, "budget.capitation.risk": 1.1}


def outcome(changes: dict[str, Any]) -> Outcome:
    return run(by_path(baseline_of("beijing/2024"), changes))


def closed(found: Outcome) -> BudgetYear:
    assert found.budget is not None
    return found.budget


def stated_pot() -> int:
    """150 yuan for diabetes and 60 for hypertension per registered patient, x 1.1, fen."""
    return capitation_pot(
        [(15_000, region().registered(YEAR, "diabetes")), (6_000, region().registered(YEAR, "hypertension"))], 1.1
    )


def test_golden_pot_and_what_is_kept_of_it() -> None:
    pot = capitation_pot([(120_000, 1000)], 1.1)
    assert (pot, pot - 125_000_000) == (132_000_000, 7_000_000)
    assert capitation_paid(pot, 125_000_000) == pot  # the surplus stays with the hospitals
    assert capitation_paid(pot, 125_000_000, kept_share=0) == 125_000_000
    assert capitation_paid(pot, 140_000_000) == pot
    assert capitation_paid(pot, 140_000_000, overspend_share=1) == 140_000_000
    assert derived_amount(120_000, 10, "1.5") == 18_000


def test_the_terms_alone_pay_heads_times_amount() -> None:
    year = closed(outcome(TERMS))
    assert year.units[:, CAPITATION].sum() == pytest.approx(stated_pot(), abs=len(year.figures.hospitals))


def test_both_switches_pay_one_capitation_at_the_stated_amount() -> None:
    found = outcome({**TERMS, **SCENARIO})
    year = closed(found)
    assert year.units[:, CAPITATION].sum() == pytest.approx(stated_pot(), abs=2)  # not the sum of two
    lines = runner().lines(found.setup, YEAR)
    members = lines.state.capitated
    levels = {region().level(lines.state.hospital.values[place]) for place in np.unique(lines.state.hospital.ids[members])}
    assert levels <= {"1", "2"}  # the consortium of the terms
    by_item = int(lines.money[Measure.FUND][members].sum())
    assert found.adjustments["capitation"].sum() == pytest.approx(stated_pot() - by_item, abs=2)


def test_the_scenario_alone_pays_the_amount_of_last_year() -> None:
    alone, closing = outcome(SCENARIO), outcome({**SCENARIO, "budget.active": True})
    assert (alone.adjustments["capitation"] == closing.adjustments["capitation"]).all()
    lines = runner().lines(alone.setup, YEAR)
    by_item = int(lines.money[Measure.FUND][lines.state.capitated].sum())
    paid = by_item + int(alone.adjustments["capitation"].sum())
    assert closed(closing).units[:, CAPITATION].sum() == pytest.approx(paid, abs=2)


def test_a_simulated_year_takes_its_own_stays_out_of_the_groups() -> None:
    """Under the terms' capitation the stays that leave the groups are those of the scenario, at its prices."""
    plain = closed(outcome({"budget.active": True, "cases.volume": "*2"}))
    paid = closed(outcome({**TERMS, "cases.volume": "*2"}))
    at = plain.figures.years.index(YEAR)
    member = paid.figures.registered[:, at].any(axis=1)
    left = np.where(member[:, None], paid.figures.capitated[:, at].sum(axis=1), 0)
    assert left.sum() > 0
    others = [place for place in range(len(UNITS)) if place != CAPITATION]
    assert (plain.units[:, others] - paid.units[:, others] == left[:, others]).all()


def test_a_rate_without_effect_is_refused() -> None:
    with pytest.raises(Exception, match="amounts per head are stated"):
        plan("{budget.active: true, budget.capitation.use: true, capitation.conditions: [diabetes], capitation.rate: 1.2}")
