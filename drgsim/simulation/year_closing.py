"""Close a simulated year hospital by hospital against budget indexes (BJ-GBI, :mod:`drgsim.budgets`).

The past that the index starts from is that of the baseline: the region's discharges, settled as the baseline settles them.
The year itself is the scenario's, and where several years are simulated each is the newest history of the next. Figures of
the past are worked out once and shared; a year of a scenario replaces one slice of small arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.budget_year import BudgetYear, budget_year
from drgsim.budgets.hospital_figures import MONTHS, UNITS, HospitalFigures, by_item, chronic_stays, figures_of, units_of
from drgsim.budgets.terms import BudgetTerms
from drgsim.errors import Problem
from drgsim.money import MISSING
from drgsim.payment.settlement import Settlement
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.case_totals import Measure, whole
from drgsim.simulation.pricing import fund_of, plain
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
        fund = sum(fund_of(setup, self.region, year).values())
        capitated = bool(setup.settings["capitation.conditions"])
        return budget_year(figures, setup.budget, year, before=before, fund=fund or None, capitated=capitated)

    def after(self, before: BudgetYear, setup: Setup, year: int) -> HospitalFigures:
        """Figures that go on from a simulated year: its spending, cases, weight and people are the newest history."""
        assert setup.budget is not None
        if _measure(before.terms) != _measure(setup.budget):
            what = "the years before were measured by other terms (budget.measure, budget.capitation, budget.quality.targets)"
            fix = "change these in the baseline or the changes, not from year to year"
            raise ScenarioError([Problem("scenario-out-of-scope", what, where=f"years, {year}", fix=fix)])
        figures = before.figures
        while figures.years[-1] < year:
            figures = _repeated(figures)
        return figures

    def past(self, setup: Setup, year: int) -> HospitalFigures:
        """Figures of all years up to ``year`` as the baseline settles them; a year beyond the data repeats the last one."""
        basis = plain(setup.rate_basis or setup)
        region, terms = self.region, setup.budget
        assert terms is not None
        years = [each for each in region.years if each <= year]
        if not [each for each in years if each < year]:
            what = f"a budget of {year} needs discharges of an earlier year; the region has {', '.join(map(str, region.years))}"
            raise ScenarioError(
                [Problem("scenario-out-of-scope", what, fix="set budget.active: false, or choose a later year")]
            )
        measure = _measure(terms)
        key = (f"{basis.digest} {measure}", str(years))
        if key not in self._past:
            region.check_indicators(tuple(terms.file.quality.targets))
            settlements = [self.settled(basis, each) for each in years]
            known = replace(region, discharges={each: region.discharges[each] for each in years})
            self._past[key] = figures_of(settlements, terms, known)
        figures = self._past[key]
        while figures.years[-1] < year:
            figures = _repeated(figures)
        return figures


def _measure(terms: BudgetTerms) -> str:
    """Everything of the terms that figures are taken by."""
    file = terms.file
    return repr((file.measure, file.capitation.groups, file.capitation.levels, sorted(file.quality.targets)))


def _repeated(figures: HospitalFigures) -> HospitalFigures:
    """The figures with one more year, equal to the last; its fund is unknown until it is stated."""
    changed: dict[str, object] = {"years": (*figures.years, figures.years[-1] + 1)}
    for name in (
        "spending", "payment", "capitated", "registered", "cost", "patient", "cases", "people", "weight", "weighted",
        "low_weight",
        "indicators", "savings", "procurement", "deductions", "moved", "unpaid",
    ):  # fmt: skip
        values = getattr(figures, name)
        changed[name] = np.concatenate([values, values[:, -1:]], axis=1)
    changed["fund"] = np.append(figures.fund, -1)
    changed["insured"] = np.append(figures.insured, figures.insured[-1])
    return replace(figures, **changed)  # type: ignore[arg-type]


def with_year(
    figures: HospitalFigures, year: int, lines: Lines, parts: NDArray[np.int64], beside: dict[str, int], terms: BudgetTerms
) -> HospitalFigures:
    """The figures with one year replaced by settled cases, as the year itself and as history of the years after it.

    Quality indicators stay, but for the share of high cases. Cases say nothing of how many patients a simulated discharge
    belongs to: different patients move with the hospital's insured cases.
    """
    at = figures.years.index(year)
    cases, row = lines.cases, {name: place for place, name in enumerate(figures.hospitals)}
    hospital = np.array([row.get(name, -1) for name in lines.state.hospital.values] + [-1])[lines.state.hospital.ids]
    insured = (hospital >= 0) & lines.marks.paid & (cases.insurance != INSURANCES.index("self"))
    dated = np.where(cases.discharged == MISSING, 0, cases.discharged).astype("datetime64[D]").astype("datetime64[M]")
    month = dated.astype(np.int64) % MONTHS
    size, fund = figures.size, lines.money[Measure.FUND]
    unit = np.where(lines.state.capitated, UNITS.index("capitation"), units_of(lines.settlement))
    cell, shape = (hospital * MONTHS + month) * len(UNITS) + unit, (size, MONTHS, len(UNITS))
    payment = _sums(cell, fund, parts, insured, int(np.prod(shape))).reshape(shape)
    chronic = _sums(cell, fund, parts, insured & chronic_stays(cases, terms), payment.size).reshape(shape)
    for name, amount in beside.items():
        if name in row:
            payment[row[name], -1, UNITS.index("capitation")] += amount
    measures = {"cost": Measure.COST, "patient": Measure.PATIENT}
    owed = {name: _sums(hospital, lines.money[measure], parts, insured, size) for name, measure in measures.items()}
    state, spec = lines.state, terms.file.measure
    treated = (hospital >= 0) & (state.cost != MISSING) & (state.cost >= 0) & (cases.insurance != INSURANCES.index("self"))
    weighted = treated & (lines.weight > 0)
    count = np.rint(_count(hospital, parts, treated, size)).astype(np.int64)
    people = figures.people[:, at].astype(np.float64)
    people *= np.divide(count, figures.cases[:, at], out=np.ones(size), where=figures.cases[:, at] > 0)
    by_bill = spec.spending.value == "by_item"
    spent = by_item(cases) + state.exempt - state.exempt_patient if by_bill else fund
    spending = _sums(hospital * MONTHS + month, spent, parts, treated, size * MONTHS).reshape(size, MONTHS)
    if not by_bill:
        spending[:, -1] += [beside.get(name, 0) for name in figures.hospitals]
    light = weighted & (lines.weight <= spec.low_weight.value)
    high, paid = _count(hospital, parts, insured & lines.marks.high, size), _count(hospital, parts, insured, size)
    indicators = figures.indicators.copy()
    share = np.divide(high, paid, out=np.full(size, np.nan), where=paid > 0)
    place = figures.indicator_names.index("high_cost_share")
    indicators[:, at, place] = np.where(np.isnan(share), indicators[:, at, place], share)
    change = {
        "payment": payment, "capitated": chronic, **owed, "cases": count, "spending": spending,
        "people": np.where(figures.cases[:, at] > 0, np.rint(people).astype(np.int64), count),
        "low_weight": _sums(hospital, spent, parts, light, size),
        "unpaid": np.rint(_count(hospital, parts, treated & ~lines.marks.paid, size)).astype(np.int64),
        "weight": np.bincount(hospital[weighted], (lines.weight * parts)[weighted] / PART, size),
        "weighted": np.rint(_count(hospital, parts, weighted, size)).astype(np.int64),
    }  # fmt: skip
    replaced = {}
    for name, values in change.items():
        whole_array = getattr(figures, name).copy()
        whole_array[:, at] = values
        replaced[name] = whole_array
    return replace(figures, **replaced, indicators=indicators)


def _sums(
    cell: NDArray[np.int64], amounts: NDArray[np.int64], parts: NDArray[np.int64], where: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    total = np.zeros(size, np.int64)
    np.add.at(total, cell[where], amounts[where] * parts[where])
    return whole(total[:, None])[:, 0]


def _count(cell: NDArray[np.int64], parts: NDArray[np.int64], where: NDArray[np.bool_], size: int) -> NDArray[np.float64]:
    return np.bincount(cell[where], parts[where], size) / PART
