"""The rate that just spends the fund's budget: the smallest of several, and the others told."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.money import MISSING
from drgsim.payment.case_class import CLASSES
from drgsim.payment.settlement import Settlement, settle_cases
from drgsim.records.vocabulary import PAYERS
from drgsim.simulation.balancing_rate import Spending, balancing_rates
from drgsim.simulation.pricing import with_rates
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario_cases import settled_cases
from tests.sample_region import YEAR
from tests.simulating import baseline_of, region

Cases = list[tuple[int, int]]


def spending_of(cases: Cases, rate: int) -> Spending:
    """Cost above three standards, and below 0.4 of one, is paid itself; cases are of a cost and a weight of 1 to 3."""
    cost, weight = np.array(cases, np.int64).T
    standard = weight * rate
    case_class = np.where(cost > 3 * standard, 1, np.where(10 * cost < 4 * standard, 2, 0)).astype(np.int8)
    amount = np.where(case_class == 0, standard, cost)
    return Spending(rate, int(amount.sum()), amount, amount, standard, cost, case_class)


def left_for_cases() -> dict[str, int]:
    """The fund's budget by payer less what payments.csv states, fen."""
    fund = region().fund[YEAR]
    beside = region().fund_beside(YEAR, fund)
    return {payer: amount - beside[payer] for payer, amount in fund.items()}


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 3)), min_size=1, max_size=8), st.integers(100, 20_000))
def test_the_search_finds_what_trying_every_rate_finds(cases: Cases, fund: int) -> None:
    totals = {rate: spending_of(cases, rate).total for rate in range(50, 1500)}
    tried = [rate for rate in range(50, 1499) if totals[rate] <= fund < totals[rate + 1]]
    assert list(balancing_rates(lambda rate: spending_of(cases, rate), fund, 50, 1499)) == tried


@pytest.mark.parametrize("name", ["beijing/2024", "national/2.0"])
def test_every_rate_that_is_used_or_told_just_spends_the_fund(name: str) -> None:
    runner, base = Runner(region()), baseline_of(name)
    lines = runner.lines(base, YEAR)
    rates = dict(lines.pricing.rates)
    assert set(rates) == set(region().fund[YEAR])
    for payer, used in rates.items():
        notes = [note for note in runner.memory.notes if f"budget of {payer} " in note]
        others = [float(word.replace(",", "")) for note in notes for word in re.findall(r"[0-9][0-9,]*\.[0-9]{2}", note)]
        fund, mine = left_for_cases()[payer], lines.cases.insurance == PAYERS.index(payer)
        assert used == min([used, *others])
        for rate in {used, *others}:
            spent = []
            for fen in (0.0, 0.01):
                cases = settled_cases(lines.state, base, region())
                settled = settle_cases(cases, with_rates(lines.pricing.policy, {**rates, payer: rate + fen}))
                spent.append(int(settled.fund_payment[mine & (settled.amount != MISSING)].sum()))
            assert spent[0] <= fund < spent[1], (payer, rate)


def test_of_two_rates_that_spend_the_fund_the_smaller_is_taken_and_the_other_told() -> None:
    base = baseline_of("beijing/2024")
    lines = Runner(region()).lines(base, YEAR)
    cases, start = settled_cases(lines.state, base, region()), dict(lines.pricing.rates)
    of_resident = lines.cases.insurance == PAYERS.index("resident")

    def settled(fen: int) -> Settlement:
        return settle_cases(cases, with_rates(lines.pricing.policy, {**start, "resident": fen / 100}))

    def spent(fen: int) -> int:
        found = settled(fen)
        return int(found.fund_payment[of_resident & (found.amount != MISSING)].sum())

    # a high case costs the fund less from the rate on at which it is a normal one: that rate, between two that bracket it
    low, high = round(100 * start["resident"]), round(102 * start["resident"])
    classes = [settled(fen).ledger.case_class for fen in (low, high)]
    turned = np.flatnonzero(of_resident & (classes[0] == CLASSES.index("high")) & (classes[1] == CLASSES.index("normal")))
    dearest = turned[np.argmax(lines.cases.money["total_cost"][turned])]
    while high - low > 1:
        middle = (low + high) // 2
        still = settled(middle).ledger.case_class[dearest] == classes[0][dearest]
        low, high = (middle, high) if still else (low, middle)
    assert spent(high) < spent(low)
    fund = (spent(low) + spent(high)) // 2
    beside = region().fund[YEAR]["resident"] - left_for_cases()["resident"]
    runner = Runner(replace(region(), fund={YEAR: {**region().fund[YEAR], "resident": fund + beside}}))
    taken = runner.lines(base, YEAR).pricing.rates["resident"]
    assert taken < low / 100
    (note,) = [note for note in runner.memory.notes if "resident" in note]
    others = [float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*\.\d\d", note)]
    assert max(others) >= high / 100
    for rate in {taken, *others}:
        assert spent(round(100 * rate)) <= fund < spent(round(100 * rate) + 1), rate


def test_a_budget_that_no_rate_spends_is_told() -> None:
    rich = replace(region(), fund={YEAR: {payer: 9 * amount for payer, amount in region().fund[YEAR].items()}})
    runner = Runner(rich)
    assert runner.lines(baseline_of("beijing/2024"), YEAR).pricing.rates
    assert any("no rate from" in note and "employee" in note for note in runner.memory.notes)
