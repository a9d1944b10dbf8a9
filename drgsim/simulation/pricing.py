"""What a setup pays with: the table of relative values, the unit value and the budget, once the year's cases are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

import numpy as np

from drgsim.errors import InputError, Problem
from drgsim.language import text
from drgsim.money import MISSING, allocate, exact, round_half_away
from drgsim.parameters.evidence import Evidence, Keyed
from drgsim.payment.grouped_cases import with_hospitals
from drgsim.payment.policy import Policy
from drgsim.payment.price_table import PriceTable
from drgsim.payment.selection_from_history import is_open, selected
from drgsim.payment.settlement import settle_cases
from drgsim.payment.weights_from_history import compares_with_table, table_from_history, with_history, years_of_history
from drgsim.records.vocabulary import PAYERS
from drgsim.simulation.balancing_rate import Spending, balancing_rates
from drgsim.simulation.scenario import ScenarioError
from drgsim.simulation.scenario_cases import PART, State, edited, first_state, settled_cases
from drgsim.simulation.setup import Setup, short_code
from drgsim.simulation.setup_hospitals import hospitals_of
from drgsim.simulation.simulated_region import Cohort, Region

ROUNDS = 4  # of the search for the rates of all payers


@dataclass
class Memory:
    """What several runs have in common and is worked out once: tables of weights, rates from the fund, notes on these."""

    tables: dict[tuple[str, int], PriceTable] = field(default_factory=dict)
    rates: dict[tuple[str, ...], dict[str, float]] = field(default_factory=dict)
    selections: dict[tuple[str, int], Policy] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pricing:
    """Policy with the final table and unit value; the budget (yuan by payer, patients' shares included) if points decide."""

    policy: Policy
    budget: Mapping[str, float] | None
    rates: Mapping[str, float]


def pricing(setup: Setup, region: Region, year: int, memory: Memory, state: State) -> Pricing:
    """Work out table, unit value and budget of a setup for a year, whose cases are ``state``."""
    policy = with_table(setup, region, year, memory)
    if setup.by_points:
        return Pricing(_without_standards(policy), _gross(_for_cases(setup, region, year), state), {})
    source = setup.settings["rate.source"]
    if source == "policy":
        return Pricing(policy, None, {})
    rates = _rates(setup, region, year, memory)
    for change in setup.rate:
        rates = {payer: change.apply(value) for payer, value in rates.items()}
    for payer, value in rates.items():
        if not value > 0:
            what = text("the unit value of {payer} would be {value:,.4f} yuan; it must be above 0", payer=payer, value=value)
            fix = text('change rate.base by less, or by a factor such as "*0.97"')
            raise ScenarioError([Problem("scenario-impossible-value", what, where="rate.base", fix=fix)])
    return Pricing(with_rates(policy, rates), None, rates)


def fund_of(setup: Setup, region: Region, year: int) -> dict[str, int]:
    """The fund's budget of a year by payer, fen, with the changes of the setup.

    A year without a budget takes that of :meth:`Region.fund_year`; where a yearly budget is active, with its ``fund.growth``
    for each year since then, as :func:`drgsim.budgets.budget_year.fund_of` does it.
    """
    stated = region.fund_year(year)
    if stated is None:
        return {}
    fund = {payer: amount for payer, amount in region.fund[stated].items() if amount > 0}
    if stated < year and setup.budget is not None and setup.settings["budget.active"]:
        growth = (1 + exact(setup.budget.file.fund.growth.value)) ** (year - stated)
        amounts = np.array(list(fund.values()), np.int64)
        grown = allocate(round_half_away(int(amounts.sum()) * growth), amounts)
        fund = dict(zip(fund, grown.tolist(), strict=True))
    for change in setup.fund:
        payer = change.path.removeprefix("fund.budget").strip(".")
        for name, amount in fund.items():
            if payer in ("", name):
                fund[name] = round_half_away(exact(change.apply(amount / 100)) * 100)
    return fund


def _for_cases(setup: Setup, region: Region, year: int) -> dict[str, int]:
    """What the fund's budget leaves for the cases, fen by payer: payments.csv states what else it pays, such as outpatients."""
    fund = fund_of(setup, region, year)
    beside = region.fund_beside(year, fund)
    return {payer: amount - beside[payer] for payer, amount in fund.items() if amount > beside[payer]}


def _gross(fund: Mapping[str, int], state: State) -> dict[str, float]:
    """Yuan by payer with what the patients of these cases pay, since amounts are theirs too (rule book 2.2).

    Refused records are paid nothing, so that their patients' shares are not shared out either.
    """
    cases, patient = state.cohort.cases, state.patient
    sound = (patient != MISSING) & (patient >= 0) & (state.cost != MISSING) & (cases.faults < 0)
    gross = {}
    for payer, amount in fund.items():
        of_payer = sound & (cases.insurance == PAYERS.index(payer))
        paid = int((patient[of_payer] * state.parts[of_payer]).sum())
        gross[payer] = (amount + round_half_away(Fraction(paid, PART))) / 100
    return gross


def _rates(setup: Setup, region: Region, year: int, memory: Memory) -> dict[str, float]:
    """The rate by payer at which the fund's budget is just spent on this year's or last year's cases as they were recorded.

    (F / rho) / T (rule book 1.5) leaves out what the curve and the floor of the fund's part add; the search starts around it.
    Of several rates that just spend the budget the smallest counts. In fen, as rates are published.
    """
    basis = plain(setup.rate_basis or setup)
    source = setup.settings["rate.source"]
    of_year = min(year, region.years[-1])
    if source == "last_year":
        earlier = [each for each in region.years if each < of_year]
        if not earlier:
            what = text("{year} is the first year of the region; a rate from the year before cannot be worked out", year=year)
            raise InputError([Problem("scenario-out-of-scope", what, fix=text("set rate.source: fund"))])
        of_year = max(earlier)
    key = (basis.digest, source, str(year))
    if key not in memory.rates:
        state = edited(first_state(basis.cohort(region, of_year)), basis, region)
        table = _without_standards(with_table(basis, region, year, memory))
        memory.rates[key] = _balancing(state, basis, table, _for_cases(basis, region, year), region, memory.notes)
    return memory.rates[key]


def plain(setup: Setup) -> Setup:
    """A setup without what it does to the cases, the rate, the fund and the weights: how cases as recorded are paid."""
    settings = {**setup.settings, "capitation.conditions": []}
    return replace(
        setup, cases=(), technologies=(), rounds=(), rate=(), fund=(), weights=(), rate_basis=None, settings=settings
    )


def _balancing(
    state: State, setup: Setup, policy: Policy, fund: Mapping[str, int], region: Region, notes: list[str]
) -> dict[str, float]:
    """The smallest rate by payer that just spends the fund, from half to twice what the points method would give.

    Further ones are told in ``notes``.
    """
    start = settle_cases(settled_cases(state, setup, region), policy, budget=_gross(fund, state)).unit_values
    rates = {payer: round(value, 2) for payer, value in start.items()}

    def spending(payer: str, rate: int) -> Spending:
        settled = settle_cases(settled_cases(state, setup, region), with_rates(policy, {**rates, payer: rate / 100}))
        ledger = settled.ledger
        paid = (state.cohort.cases.insurance == PAYERS.index(payer)) & (settled.amount != MISSING)
        standard = np.where(ledger.standard == MISSING, ledger.amount, ledger.standard)
        parts, netting = settled.parts, settled.parts.netting
        cell = {"cells": netting.cell[paid] if netting.cell.size else None, "case": np.arange(paid.sum())}.get(netting.level)
        return Spending(
            rate, int(parts.fund[paid].sum()), parts.before_netting[paid], ledger.amount[paid], standard[paid],
            ledger.cost[paid], ledger.case_class[paid], cell,
        )  # fmt: skip

    found: dict[str, list[int]] = {}
    for _ in range(ROUNDS):
        for payer, value in start.items():
            low, high = _range_of(value)
            found[payer] = list(balancing_rates(partial(spending, payer), fund[payer], low, high))
            if found[payer]:
                rates[payer] = found[payer][0] / 100
        # a quota over the cases of all payers makes what one of them is paid depend on the rates of the others
        if all(
            _just_spends(partial(spending, payer), round(rates[payer] * 100), fund[payer]) for payer in found if found[payer]
        ):
            break
    for payer, every in found.items():
        whose, used = text("the fund's budget of {payer} under {policy}", payer=payer, policy=policy.id), f"{rates[payer]:,.2f}"
        if not every:
            between = " to ".join(f"{rate / 100:,.2f}" for rate in _range_of(start[payer]))
            notes.append(
                text(
                    "no rate from {between} yuan just spends {whose}; the unit value of the points method, {used}, is used",
                    between=between,
                    whose=whose,
                    used=used,
                )
            )
        elif every[1:]:
            others = ", ".join(f"{rate / 100:,.2f}" for rate in every[1:6]) + (", ..." if every[6:] else "")
            notes.append(
                text(
                    "{count} rates just spend {whose}, for a higher rate makes high cases normal and normal ones "
                    "low; the smallest is used, {used}; the others: {others}",
                    count=len(every),
                    whose=whose,
                    used=used,
                    others=others,
                )
            )
    return rates


def _range_of(value: float) -> tuple[int, int]:
    """Rates (fen) between which the one that spends the fund is looked for: half to twice a unit value (yuan)."""
    return max(int(value * 50), 1), int(value * 200) + 1


def _just_spends(spending: Callable[[int], Spending], rate: int, fund: int) -> bool:
    return spending(rate).total <= fund < spending(rate + 1).total


def with_rates(policy: Policy, rates: Mapping[str, float]) -> Policy:
    """The policy with unit values that follow from the fund."""
    keyed = Keyed(
        values=dict(rates), unit=text("yuan per unit"), source=text("from the fund's budget"), evidence=Evidence.DERIVED
    )
    policy = _without_standards(policy)
    return replace(policy, file=policy.file.model_copy(update={"unit_value": keyed}))


def _without_standards(policy: Policy) -> Policy:
    """The policy without published standards: weight x unit value decides."""
    if not policy.file.relative_value.standard_from_table:
        return policy
    value = policy.file.relative_value.model_copy(update={"standard_from_table": False})
    return replace(policy, file=policy.file.model_copy(update={"relative_value": value}))


def with_table(setup: Setup, region: Region, year: int, memory: Memory) -> Policy:
    """The policy with the table of relative values that a setup asks for, and what it leaves to the past."""
    policy = _with_values(setup, region, year, memory)
    if not is_open(policy):
        return policy
    key = (
        repr((policy.digest, setup.scheme, setup.settings["weights.source"], setup.weights, setup.hospitals, setup.by_points)),
        year,
    )
    if key not in memory.selections:
        years = years_of_history(region.years, year)
        history = [with_hospitals(setup.cohort(region, each).cases, hospitals_of(setup, region)) for each in years]
        found, told = selected(
            policy, history, text("the discharges of {names}", names=", ".join(map(str, years))), setup.by_points
        )
        memory.selections[key] = found
        memory.notes += [problem.what for problem in told if problem.what not in memory.notes]
    return memory.selections[key]


def _with_values(setup: Setup, region: Region, year: int, memory: Memory) -> Policy:
    """The policy with the table of relative values that a setup asks for."""
    policy = setup.policy
    if setup.settings["weights.source"] == "history":
        key = (f"{setup.scheme} {setup.policy.file.method == 'dip'} {compares_with_table(policy)}", year)
        if key not in memory.tables:
            memory.tables[key] = _table_from_history(setup, region, year)
        policy = with_history(policy, memory.tables[key])
    if not setup.weights or policy.prices is None:
        return policy
    return replace(policy, prices=_weighted(setup, policy.prices, setup.cohort(region, year)))


def _table_from_history(setup: Setup, region: Region, year: int) -> PriceTable:
    """Relative weights of the groups from the years before (from the year itself where there is none), all cases alike."""
    history = {each: setup.cohort(region, each).cases for each in years_of_history(region.years, year)}
    return table_from_history(history, setup.cohort(region, year).cases, setup.policy)


def _weighted(setup: Setup, prices: PriceTable, cohort: Cohort) -> PriceTable:
    """Changed relative values, and standards in the same proportion; the total over the year's cases is kept if asked for."""
    factor = np.ones(len(prices.codes))
    for edit in setup.weights:
        factor[[short_code(edit.kind, code) == edit.code for code in prices.codes]] *= edit.factor
    if setup.settings["weights.keep_total"]:
        count = np.zeros(len(prices.codes))
        places = np.array([prices.places.get(code, -1) for code in cohort.cases.unit.values] + [-1])[cohort.cases.unit.ids]
        np.add.at(count, places[places >= 0], 1.0)
        weight = np.nan_to_num(prices.relative_value[1]) * count
        factor *= weight.sum() / (weight * factor).sum()
    changed = {prices.relative_value[0], "standard"}
    numbers = {
        name: np.round(column * factor, 10) if name in changed or name.startswith("standard_") else column
        for name, column in prices.numbers.items()
    }
    return replace(prices, numbers=numbers)
