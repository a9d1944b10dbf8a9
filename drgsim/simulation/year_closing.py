"""Close a simulated year hospital by hospital against budget indexes (BJ-GBI, :mod:`drgsim.budgets`).

The past that the index starts from is that of the baseline: the region's discharges, settled as the baseline settles them.
The year itself is the scenario's, and where several years are simulated each is the newest history of the next. Figures of
the past are worked out once and shared; a year of a scenario replaces one slice of small arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.budget_year import BudgetYear, budget_year
from drgsim.budgets.case_bills import UNITS, CaseBills, by_item, chronic_stays, month_of, sound_cost, units_of, zero
from drgsim.budgets.hospital_figures import HospitalFigures, figures_of, indicator_names
from drgsim.budgets.terms import BudgetTerms
from drgsim.budgets.years_ahead import repeated
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import allocate
from drgsim.payment.settlement import Settlement
from drgsim.records.vocabulary import INSURANCES
from drgsim.region.hospital_year_sums import HospitalCells
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.pricing import fund_of, plain
from drgsim.simulation.procurement_rounds import with_completion
from drgsim.simulation.scenario import ScenarioError
from drgsim.simulation.scenario_cases import PART
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region


def closes(setup: Setup) -> bool:
    """Whether the year is closed against a budget."""
    return bool(setup.settings["budget.active"])


@dataclass
class Closing:
    """Closes years of one region; ``settled`` settles a year as a setup says, for the past."""

    region: Region
    settled: Callable[[Setup, int], Settlement]

    def __post_init__(self) -> None:
        self._past: dict[tuple[str, str], HospitalFigures] = {}

    def year(
        self, setup: Setup, year: int, lines: Lines, parts: NDArray[np.int64], beside: NDArray[np.int64],
        hospitals: tuple[str, ...], before: BudgetYear | None = None,
    ) -> BudgetYear:  # fmt: skip
        """Budget year of settled cases.

        Parameters
        ----------
        lines, parts
            Settled cases of the year, and how often each counts.
        beside
            Fen per hospital that are settled beside the cases and count against the index (capitation).
        hospitals
            Hospitals in the order of ``beside``.
        before
            The budget year before, which may carry surplus over.
        """
        assert setup.budget is not None
        past = self.past(setup, year) if before is None else self.after(before, setup, year)
        figures = with_year(past, year, lines, parts, dict(zip(hospitals, beside.tolist(), strict=True)), setup.budget)
        figures = with_completion(figures, year, setup, self.region)
        fund = fund_of(setup, self.region, year)
        capitated = bool(setup.settings["capitation.conditions"])
        return budget_year(figures, setup.budget, year, before=before, fund=fund or None, capitated=capitated)

    def after(self, before: BudgetYear, setup: Setup, year: int) -> HospitalFigures:
        """Figures that go on from a simulated year: its spending, cases, weight and people are the newest history."""
        assert setup.budget is not None
        if _measure(before.terms) != _measure(setup.budget):
            what = text(
                "the years before were measured by other terms (budget.measure, budget.capitation, budget.quality.targets)"
            )
            fix = text("change these in the baseline or the changes, not from year to year")
            raise ScenarioError([Problem("scenario-out-of-scope", what, where=f"years, {year}", fix=fix)])
        figures = before.figures
        while figures.years[-1] < year:
            figures = repeated(figures)
        return figures

    def past(self, setup: Setup, year: int) -> HospitalFigures:
        """Figures of all years up to ``year`` as the baseline settles them; a year beyond the data repeats the last one."""
        basis = plain(setup.rate_basis or setup)
        region, terms = self.region, setup.budget
        assert terms is not None
        years = [each for each in region.years if each <= year]
        if not [each for each in years if each < year]:
            what = text(
                "a budget of {year} needs discharges of an earlier year; the region has {names}",
                year=year,
                names=", ".join(map(str, region.years)),
            )
            raise ScenarioError(
                [Problem("scenario-out-of-scope", what, fix=text("set budget.active: false, or choose a later year"))]
            )
        measure = _measure(terms)
        key = (f"{basis.digest} {measure}", str(years))
        if key not in self._past:
            region.check_indicators(indicator_names(terms.file.quality))
            settlements = [self.settled(basis, each) for each in years]
            known = replace(region, discharges={each: region.discharges[each] for each in years})
            self._past[key] = figures_of(settlements, terms, known)
        figures = self._past[key]
        while figures.years[-1] < year:
            figures = repeated(figures)
        return figures


def _measure(terms: BudgetTerms) -> str:
    """Everything of the terms that figures are taken by."""
    file = terms.file
    return repr(
        (file.measure, file.capitation.groups, file.capitation.levels, indicator_names(file.quality), file.pools.use.value)
    )


def with_year(
    figures: HospitalFigures,
    year: int,
    lines: Lines,
    parts: NDArray[np.int64],
    beside: dict[str, int],
    terms: BudgetTerms,
    payer: str = "",
) -> HospitalFigures:
    """The figures with one year replaced by settled cases, as the year itself and as history of the years after it.

    Quality indicators stay, but for the share of high cases, which is that of insured cases here. Cases say nothing of how
    many patients a simulated discharge belongs to: different patients move with the hospital's insured cases.
    """
    at = figures.years.index(year)
    state, cases, spec = lines.state, lines.cases, terms.file.measure
    row = {name: place for place, name in enumerate(figures.hospitals)}
    hospital = np.array([row.get(name, -1) for name in state.hospital.values] + [-1], np.int64)[state.hospital.ids]
    cells = HospitalCells(figures.size, 1, hospital, np.zeros(cases.size, np.int64), month_of(cases), parts, PART)
    insured = sound_cost(state.cost) & (cases.insurance != INSURANCES.index("self"))
    paid, fund = insured & lines.marks.paid, lines.money[Measure.FUND]
    by_bill = spec.spending.value == "by_item"
    item = by_item(cases) + state.exempt - state.exempt_patient
    spent, others = item if by_bill else fund, np.where(insured, state.cost - item, 0)
    unit = np.where(state.capitated, UNITS.index("capitation"), units_of(lines.settlement))
    bills = CaseBills(
        insured, paid, chronic_stays(cases, terms), state.cost, zero(state.patient), fund, spent, others, lines.weight, unit,
        cases.insurance,
    )  # fmt: skip
    if payer:
        bills = bills.of_payer(payer)
    change = {name: values[:, 0] for name, values in bills.sums(cells, terms).items()}
    beside_of = np.array([beside.get(name, 0) for name in figures.hospitals], np.int64)
    change["payment"][:, -1, UNITS.index("capitation")] += beside_of
    if not by_bill:
        change["spending"][:, -1] += beside_of
    stated = figures.stated[:, at]  # beside the cases, which say nothing of it
    change["payment"] += stated
    change["spending"] += stated.sum(axis=2)
    known, count = figures.cases[:, at], change["cases"]
    people = figures.people[:, at] * np.divide(count, known, out=np.ones(figures.size), where=known > 0)
    change["people"] = np.where(known > 0, np.rint(people).astype(np.int64), count)
    high, all_paid = cells.yearly(paid & lines.marks.high)[:, 0], cells.yearly(paid)[:, 0]
    place = figures.indicator_names.index("high_cost_share")
    change["indicators"] = figures.indicators[:, at].copy()
    change["indicators"][all_paid > 0, place] = (high / np.maximum(all_paid, 1))[all_paid > 0]
    replaced: dict[str, Any] = {}
    for name, values in change.items():
        replaced[name] = getattr(figures, name).copy()
        replaced[name][:, at] = values
    pools = _pools_with_year(figures, year, lines, parts, beside, terms)
    whole = replaced["indicators"]
    return replace(figures, **replaced, pools={name: replace(pool, indicators=whole) for name, pool in pools.items()})


def _pools_with_year(
    figures: HospitalFigures, year: int, lines: Lines, parts: NDArray[np.int64], beside: dict[str, int], terms: BudgetTerms
) -> dict[str, HospitalFigures]:
    """The pools with the year's cases of their payers; what is settled beside the cases is divided as they spent before."""
    at = figures.years.index(year)
    spent = np.stack([pool.spending[:, at].sum(axis=1) for pool in figures.pools.values()], axis=1) if figures.pools else None
    result = {}
    for place, (payer, pool) in enumerate(figures.pools.items()):
        assert spent is not None
        own = {
            name: int(allocate(beside[name], of_hospital if of_hospital.any() else np.ones(of_hospital.size))[place])
            for name, of_hospital in zip(figures.hospitals, spent, strict=True)
            if name in beside
        }
        result[payer] = with_year(pool, year, lines, parts, own, terms, payer)
    return result
