"""Check the budget model against published facts: a panel of institutions under item-based payment, then a total budget.

The panel is drawn from the hospitals of a region. Every year an institution spends more by what is needed and by what its
regime induces: growth = need + induced x (share of one more yuan that it would be paid) + its own luck. The index, the
sharing and the fund are those of :func:`drgsim.budgets.budget_year.budget_year`; only growth and planned budgets are
assumed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from drgsim.assets import asset_root
from drgsim.budgets.budget_year import BudgetYear, budget_year
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.sharing import marginal_share
from drgsim.budgets.terms import BudgetError, BudgetTerms, load_terms
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import exact, round_half_away
from drgsim.parameters.evidence import Keyed, Source, Strict, Value
from drgsim.parameters.strict_file import read_strict, validated
from drgsim.payment.level_keys import ByLevel
from drgsim.region.hospital_year_sums import MONTHS, Floats

DEFAULT = "beijing/calibration.yaml"
HISTORY = 3  # years before the first regime, from which the first base is taken
FACTS = {
    "surplus_before": text("in surplus before"),
    "growth_before": text("growth before"),
    "surplus_after": text("in surplus after"),
    "growth_after": text("growth after"),
}
_QUANTILES = np.linspace(-2.0, 2.0, 41)


class PublishedFigures(Strict):
    """The published figures."""

    surplus_before: Value[float]
    surplus_after: Value[float]
    growth_before: Value[float]
    growth_after: Value[float]


class Panel(Strict):
    """How many institutions there are, and how they are drawn."""

    institutions: ByLevel
    size_spread: Value[Annotated[float, Field(ge=0)]]
    seed: Value[int]


class Behaviour(Strict):
    """How spending grows; see the file."""

    need_growth: Value[float]
    induced_growth: Value[float]
    spread: Value[Annotated[float, Field(ge=0)]]
    expectation_spread: Value[Annotated[float, Field(ge=0)]]


class Regime(Strict):
    """Years under the same terms: ``changes`` of the terms by path, and the budget planned on the year before."""

    name: str
    title: str
    title_zh: str
    years: tuple[int, int]
    planned_growth: Value[float]
    changes: dict[str, float | str | bool] = Field(default_factory=dict)


class Settings(Strict):
    """A calibration file."""

    id: str
    title: str
    title_zh: str
    terms: str
    sources: dict[str, Source]
    facts: PublishedFigures
    tolerance: Keyed
    panel: Panel
    behaviour: Behaviour
    regimes: tuple[Regime, Regime]


@dataclass(frozen=True)
class Calibration:
    """What came out.

    Attributes
    ----------
    settings, digest
        The file and its SHA-256.
    years
        The budget years, regime after regime.
    regime
        Name of the regime of each year.
    growth
        Growth of the fund's spending per insured person in each year.
    results
        Name of the fact -> (published, reproduced).
    """

    settings: Settings
    digest: str
    years: tuple[BudgetYear, ...]
    regime: tuple[str, ...]
    growth: tuple[float, ...]
    results: Mapping[str, tuple[float, float]]

    def tolerance(self, name: str) -> float:
        """Largest difference of a figure that counts as reproduced, by its first word."""
        return self.settings.tolerance.values.get(name.split("_")[0], 0.0)

    def within(self, name: str) -> bool:
        """Whether a figure lies within its tolerance."""
        fact, model = self.results[name]
        return abs(model - fact) <= self.tolerance(name)

    @property
    def reproduced(self) -> bool:
        """Whether every figure does."""
        return all(self.within(name) for name in self.results)

    @property
    def table(self) -> pa.Table:
        """One row per year."""
        return pa.table({
            "year": pa.array([year.year for year in self.years], pa.int16()),
            "regime": list(self.regime),
            "institutions": [year.figures.size for year in self.years],
            "in_surplus": [float(year.in_surplus.mean()) for year in self.years],
            "growth_per_head": list(self.growth),
            "budget": [year.fund.budget / 100 for year in self.years],
            "index": [year.fund.index / 100 for year in self.years],
            "due": [int(year.recorded.sum()) / 100 for year in self.years],
            "paid": [year.fund.paid / 100 for year in self.years],
            "scaling": [year.index.scaling for year in self.years],
        })  # fmt: skip


def load_settings(path: Path | None = None) -> tuple[Settings, str]:
    """Read a calibration file, by default the one that ships, and its digest.

    Raises
    ------
    BudgetError
        The file is missing or has mistakes: all of them.
    """
    path = path or asset_root("payment_tables") / DEFAULT
    problems: list[Problem] = []
    raw, content = read_strict(path, "calibration", problems)
    settings = validated(Settings, raw, "calibration", path.name, problems) if raw is not None else None
    if settings is None:
        raise BudgetError(problems)
    if settings.regimes[0].years[1] + 1 != settings.regimes[1].years[0]:
        problems.append(
            Problem("calibration-regimes", text("the second regime must start the year after the first ends"), path.name)
        )
    if problems:
        raise BudgetError(problems)
    return settings, hashlib.sha256(content).hexdigest()


def calibrate(figures: HospitalFigures, settings: Settings, digest: str = "", terms: BudgetTerms | None = None) -> Calibration:
    """Run the regimes one after the other on a panel drawn from a region's hospitals.

    Parameters
    ----------
    figures
        Figures of the region; the last year serves as the picture of an institution.
    settings, digest
        The file, see :func:`load_settings`.
    terms
        Terms instead of those that the file names.

    Raises
    ------
    BudgetError
        The region has no hospital of a level that the panel asks for.
    """
    base = terms or load_terms(settings.terms)
    rng = np.random.Generator(np.random.PCG64(settings.panel.seed.value))
    first, last = settings.regimes[0].years[0] - HISTORY, settings.regimes[1].years[1]
    panel = draw_panel(figures, settings.panel, tuple(range(first, last + 1)), rng)
    by_year = {year: regime for regime in settings.regimes for year in range(regime.years[0], regime.years[1] + 1)}
    of_regime = {regime.name: base.changed(regime.changes, settings.id) for regime in settings.regimes}
    behaviour = settings.behaviour
    expected = np.ones(panel.size)
    done: list[BudgetYear] = []
    before = 0
    growth: list[float] = []
    for place, year in enumerate(panel.years):
        regime = by_year.get(year, settings.regimes[0])
        terms = of_regime[regime.name]
        if place:
            paid_share = expected_share(expected, terms, behaviour.expectation_spread.value)
            rise = behaviour.need_growth.value + behaviour.induced_growth.value * paid_share
            rise = rise + behaviour.spread.value * rng.standard_normal(panel.size)
            _grow(panel, place, rise)
        spent = int(panel.spending[:, place].sum())
        if year in by_year:
            planned = _planned(int(panel.spending[:, place - 1].sum()), regime, terms)
            done.append(budget_year(panel, terms, year, before=done[-1] if done else None, fund=planned))
            expected = np.clip(np.nan_to_num(done[-1].ratio, nan=1.0), 0.8, 1.2)
            spent = done[-1].fund.paid
            growth.append(spent / before - 1)
        before = spent
    names = tuple(by_year[year.year].name for year in done)
    ends = [regime.years[1] - settings.regimes[0].years[0] for regime in settings.regimes]
    facts = settings.facts
    results = {
        "surplus_before": (facts.surplus_before.value, float(done[ends[0]].in_surplus.mean())),
        "growth_before": (facts.growth_before.value, growth[ends[0]]),
        "surplus_after": (facts.surplus_after.value, float(done[ends[1]].in_surplus.mean())),
        "growth_after": (facts.growth_after.value, growth[ends[1]]),
    }
    return Calibration(settings, digest, tuple(done), names, tuple(growth), results)


def draw_panel(figures: HospitalFigures, spec: Panel, years: tuple[int, ...], rng: np.random.Generator) -> HospitalFigures:
    """Institutions drawn with replacement from a region's hospitals of the same level, of different size.

    Spending of the first year is that of the region's last year times the size; later years are filled in by the caller.
    """
    places: list[np.ndarray] = []
    for level, count in spec.institutions.values.items():
        alike = np.flatnonzero(figures.level == level)
        if not alike.size:
            raise BudgetError.single(
                "budget-no-level", text("the region has no hospital of level {level}, which the panel asks for", level=level),
                where=level,
                fix=text("take a region that has hospitals of every level"),
            )  # fmt: skip
        places.append(rng.choice(alike, int(count)))
    chosen = np.concatenate(places)
    size = np.exp(rng.normal(0.0, spec.size_spread.value, chosen.size))
    shape = (chosen.size, len(years))
    start = np.maximum(np.rint(figures.spending[chosen, -1] * size[:, None]).astype(np.int64), 1)
    spending = np.zeros((*shape, MONTHS), np.int64)
    spending[:, 0] = start
    payment = np.zeros((*shape, MONTHS, len(UNITS)), np.int64)
    nothing = np.zeros(shape, np.int64)

    def constant(values: np.ndarray) -> np.ndarray:
        return np.repeat(values[chosen, -1:], len(years), axis=1)

    return replace(
        figures,
        hospitals=tuple(f"I{number:04d}" for number in range(1, chosen.size + 1)),
        names=tuple(f"合成机构 {number}" for number in range(1, chosen.size + 1)),
        levels=tuple(figures.levels[place] for place in chosen),
        years=years, spending=spending, payment=payment, capitated=np.zeros_like(payment),
        registered=np.zeros((*shape, len(figures.conditions)), np.int64),
        cost=constant(figures.cost), patient=constant(figures.patient), cases=constant(figures.cases),
        people=constant(figures.people), weight=constant(figures.weight), weighted=constant(figures.weighted),
        low_weight=nothing, indicators=constant(figures.indicators), savings=nothing,
        procurement=np.zeros((*shape, figures.procurement.shape[2]), np.int64), deductions=nothing, moved=nothing,
        stated=np.zeros_like(payment), bills=np.zeros_like(spending), others=np.zeros_like(spending),
        visits=nothing, heads=nothing, outpatient_cost=nothing, negotiated=nothing, negotiated_share=np.zeros(shape),
        reasons={}, advances=(), pools={}, unpaid=nothing, fund=np.full(len(years), -1, np.int64),
        insured=np.ones(len(years), np.int64),
    )  # fmt: skip


def expected_share(ratio: Floats, terms: BudgetTerms, spread: float) -> Floats:
    """(H,) share of one more yuan that would be paid, over the ratios that an institution thinks possible."""
    weights = np.exp(-(_QUANTILES**2) / 2)
    shares = marginal_share(np.maximum(ratio[:, None] + spread * _QUANTILES, 0.0), terms.schedule)
    result: Floats = shares @ (weights / weights.sum())
    return result


def _grow(panel: HospitalFigures, place: int, rise: Floats) -> None:
    """Fill in a year of the panel: spending and payment grow from the year before, spread over the same months."""
    before = panel.spending[:, place - 1]
    panel.spending[:, place] = np.maximum(np.rint(before * np.maximum(1 + rise, 0.5)[:, None]), 0).astype(np.int64)
    panel.payment[:, place, :, UNITS.index("by_item")] = panel.spending[:, place]


def _planned(spent: int, regime: Regime, terms: BudgetTerms) -> int:
    """Budget of the fund: last year's spending with the planned growth, and what is set aside on top of it."""
    aside = exact(terms.file.fund.reserve.value) + exact(terms.file.fund.adjustment_fund.value)
    return round_half_away(spent * (1 + exact(regime.planned_growth.value)) / (1 - aside))
