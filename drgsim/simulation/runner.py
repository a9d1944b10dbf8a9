"""Run a setup: cases, price, settlement, adding up, and what is settled beside the cases. One run keeps sums, never cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.liquidity import Liquidity
from drgsim.errors import Problem
from drgsim.money import exact, round_half_away
from drgsim.payment.grouped_cases import WORKERS
from drgsim.payment.selection_from_history import selection_record
from drgsim.payment.settlement import Settlement, settle_cases
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.capitated_stays import capitation_balance
from drgsim.simulation.case_lines import Lines, lines_of, payer_rows, totals_of
from drgsim.simulation.case_totals import NOTHING, Totals, check_size
from drgsim.simulation.pricing import Memory, Pricing, fund_of, pricing
from drgsim.simulation.procurement_rounds import taken_back
from drgsim.simulation.scenario_cases import State, edited, first_state, settled_cases
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Cohort, Region
from drgsim.simulation.year_closing import Closing, closes

WITHIN_VOLUME = "selected_within_volume"
ADJUSTMENTS = ("capitation", "procurement", "sharing")
ADJUSTMENTS_ZH = {"capitation": "按人头清算", "procurement": "集采结余上缴", "sharing": "总额结余超支分担"}


@dataclass(frozen=True)
class Outcome:
    """The sums of one run.

    Attributes
    ----------
    setup, year
        What was run.
    by_payer
        Totals by hospital and insurance; names are ``hospital/insurance``.
    by_group, by_department
        Totals by group and by department of discharge.
    hospitals
        Names of the hospitals in the order of the adjustments.
    adjustments
        Name of :data:`ADJUSTMENTS` -> fen per hospital that the fund pays beside the cases (below 0: takes back).
    fund
        Payer -> budget of the fund, fen.
    budget
        Result of the yearly budget, where it closes the year.
    unit_values
        Payer -> yuan per unit, where the fund or the budget decided.
    stated
        Fen that the fund owes beside the discharges (payments.csv): it spends them, and no case or margin knows of them.
    selection
        Members and groups that were paid by groups, where the policy does not pay all alike.
    """

    setup: Setup
    year: int
    by_payer: Totals
    by_group: Totals
    by_department: Totals
    hospitals: tuple[str, ...]
    adjustments: Mapping[str, NDArray[np.int64]]
    fund: Mapping[str, int]
    unit_values: Mapping[str, float]
    problems: tuple[Problem, ...]
    budget: BudgetYear | None = None
    stated: int = 0
    indicators: Mapping[str, float] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)

    def by_hospital(self, measure: str) -> NDArray[np.int64]:
        """Fen of a measure per hospital."""
        values = self.by_payer.money[measure]
        return np.asarray(values.reshape(len(self.hospitals), -1).sum(1))

    def counts_by_hospital(self, name: str) -> NDArray[np.float64]:
        """Discharges of a count per hospital."""
        return np.asarray(self.by_payer.counts[name].reshape(len(self.hospitals), -1).sum(1))

    @property
    def adjusted(self) -> NDArray[np.int64]:
        """Fen per hospital over all adjustments."""
        return np.asarray(sum(self.adjustments.values(), np.zeros(len(self.hospitals), np.int64)))


class Runner:
    """Runs setups on a region; grouping, tables and rates that runs have in common are worked out once."""

    def __init__(self, region: Region) -> None:
        self.region, self.memory = region, Memory()
        self.closing = Closing(region, lambda setup, year: self.settlement(setup, year)[1])

    def cohort(self, setup: Setup, year: int) -> Cohort:
        """The discharges of a year; a year beyond the data has those of the last one."""
        return setup.cohort(self.region, year)

    def settlement(self, setup: Setup, year: int, state: State | None = None) -> tuple[State, Settlement, Pricing]:
        """Settle the cases of a year; ``state`` replaces the cases that the setup alone would give."""
        if state is None:
            state = edited(first_state(self.cohort(setup, year)), setup, self.region)
        price = pricing(setup, self.region, year, self.memory, state)
        cases = settled_cases(state, setup, self.region)
        return state, settle_cases(cases, price.policy, budget=price.budget, weight=state.weight), price

    def lines(self, setup: Setup, year: int, state: State | None = None) -> Lines:
        """Settled cases of a year as arrays, see :meth:`settlement`."""
        state, settlement, price = self.settlement(setup, year, state)
        return lines_of(state, settlement.ledger.cases, price, settlement)

    def run(self, setup: Setup, year: int, before: Outcome | None = None) -> Outcome:
        """Settle a year and add it up; ``before`` is the year before, whose surplus may be carried over."""
        return self.outcome(setup, year, self.lines(setup, year), before=before)

    def outcome(
        self, setup: Setup, year: int, lines: Lines, parts: NDArray[np.int64] | None = None, before: Outcome | None = None,
        whole: bool = True,
    ) -> Outcome:  # fmt: skip
        """Add up settled cases; ``parts`` counts them otherwise than their state does, as a bootstrap draw.

        ``whole=False`` leaves out groups and departments, which headline figures do not need.
        """
        counted = lines.state.parts if parts is None else parts
        lines = lines if parts is None else lines.counted(parts)
        check_size(lines.money, counted, f"year {year}")
        hospitals, payer = payer_rows(lines, self.region)
        department = lines.cases.department
        wanted: list[tuple[NDArray[Any], list[str]]] = [
            (payer, [f"{hospital}/{name}" for hospital in hospitals for name in (*INSURANCES, "")])
        ]
        if whole:
            wanted += [(lines.state.unit.ids, lines.state.unit.values), (department.ids, department.values)]
        with ThreadPoolExecutor(WORKERS) as pool:  # the kernel that adds up does not hold the interpreter
            added = list(pool.map(lambda one: totals_of(one[0], one[1], lines, counted), wanted))
        by_payer, by_group, by_department = added if whole else (added[0], NOTHING, NOTHING)
        adjustments = self.beside(setup, year, lines, counted, by_payer, hospitals)
        budget = None
        indicators: dict[str, float] = {}
        stated = stated_beside(self.region, year, hospitals)
        if closes(setup):
            budget = self.closing.year(
                setup, year, lines, counted, adjustments["capitation"], tuple(hospitals), before.budget if before else None
            )
            paid = dict(zip(budget.figures.hospitals, budget.received.tolist(), strict=True))
            fund = by_payer.money["fund"].reshape(len(hospitals), -1).sum(1)
            owed = fund + adjustments["capitation"]
            plain = zip(hospitals, owed + stated, strict=True)
            final = np.array([paid.get(name, int(amount)) for name, amount in plain], np.int64)
            adjustments["sharing"] = final - owed - stated
            indicators = _index_figures(budget)
        return Outcome(
            setup, year, by_payer, by_group, by_department, tuple(hospitals), adjustments, fund_of(setup, self.region, year),
            dict(lines.unit_values) or dict(lines.pricing.rates), lines.problems, budget, int(stated.sum()), indicators,
            selection_record(lines.pricing.policy),
        )  # fmt: skip

    def beside(
        self, setup: Setup, year: int, lines: Lines, parts: NDArray[np.int64], by_payer: Totals, hospitals: list[str]
    ) -> dict[str, NDArray[np.int64]]:
        """What the fund pays beside the cases, before the year is closed: capitation and procurement; sharing is 0 yet."""
        return {
            "capitation": capitation_balance(setup, self.region, year, lines, parts, hospitals),
            "procurement": self._procurement(setup, year, lines, parts, by_payer, len(hospitals)),
            "sharing": np.zeros(len(hospitals), np.int64),
        }

    def _procurement(
        self, setup: Setup, year: int, lines: Lines, parts: NDArray[np.int64], by_payer: Totals, hospitals: int
    ) -> NDArray[np.int64]:
        """What the fund takes back of what procurement saves in cases paid by groups and their payment has not handed on."""
        if setup.rounds:
            return taken_back(setup, self.region, year, lines, parts)
        saving = by_payer.money["saving"].reshape(hospitals, -1).sum(1)
        kept, spec = setup.settings["procurement.kept_share"], setup.policy.file.procurement
        if kept is None:
            kept = spec.kept_share.values.get(WITHIN_VOLUME, 1.0) if spec is not None else 1.0
        taken = 1 - exact(kept)
        return np.array([-round_half_away(int(amount) * taken) for amount in saving], np.int64)


def stated_beside(region: Region, year: int, hospitals: Sequence[str]) -> NDArray[np.int64]:
    """(H,) what payments.csv states for a year; a year beyond the data has that of the last one."""
    place = {name: number for number, name in enumerate(hospitals)}
    result = np.zeros(len(hospitals), np.int64)
    for (hospital, stated, *_), amount in region.payments.items():
        if stated == min(year, region.years[-1]) and hospital in place:
            result[place[hospital]] += amount
    return result


def _index_figures(budget: BudgetYear) -> dict[str, float]:
    """Headline figures of a budget year."""
    has = budget.index.index > 0
    surplus = budget.surplus[has]
    return {
        "budget.surplus_share": float((surplus > 0).mean()) if has.any() else float("nan"),
        "budget.surplus": int(surplus[surplus > 0].sum()) / 100,
        "budget.overspend": -int(surplus[surplus < 0].sum()) / 100,
        **_liquidity_figures(budget.liquidity),
    }


def _liquidity_figures(found: Liquidity) -> dict[str, float]:
    """Least days of cash, and how many hospitals are short of it in some month, with and without money paid ahead."""
    spends = found.expenses.sum(axis=1) > 0
    if not spends.any():
        return {}
    with_it, without = found.days(found.balance)[spends], found.days(found.balance_without)[spends]
    return {
        "liquidity.least_days": float(np.median(with_it.min(axis=1))),
        "liquidity.least_days_without": float(np.median(without.min(axis=1))),
        "liquidity.short": float((with_it.min(axis=1) < 0).mean()),
        "liquidity.paid_ahead": int((found.balance - found.balance_without).sum(axis=0).max()) / 100,
    }
