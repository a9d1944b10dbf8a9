"""What a budget needs to know of every hospital: arrays by hospital, year and month, taken once from settled cases.

A budget year is then a matter of small arrays: it can be computed again for thousands of scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.case_bills import UNITS, CaseBills, bills_of, month_of
from drgsim.budgets.indicator_formula import FACTS, names_in
from drgsim.budgets.measured_indicators import measured
from drgsim.budgets.stated_figures import StatedFigures
from drgsim.budgets.terms import BudgetTerms
from drgsim.budgets.terms_model import INDICATORS, QualityTerms
from drgsim.errors import InputError
from drgsim.language import text
from drgsim.money import MISSING, allocate
from drgsim.parameters.evidence import Keyed
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.settlement import Settlement
from drgsim.records.vocabulary import PAYERS
from drgsim.region.hospital_year_sums import MONTHS, Floats, HospitalCells, Ints
from drgsim.region.region_folder import RegionFolder
from drgsim.region.region_tables import Advance


@dataclass(frozen=True)
class HospitalFigures:
    """Figures of every hospital; H hospitals, Y years, 12 months, U units of payment, money in fen.

    Attributes
    ----------
    hospitals, names, levels
        Ids in the order of the arrays, names, and level keys of each (the nearest first).
    years
        Years of discharge, one after the other.
    spending
        (H, Y, 12) what the fund spent: the history that the index starts from.
    payment
        (H, Y, 12, U) what the fund owes by unit of payment, in the order of :data:`UNITS`.
    capitated
        (H, Y, 12, U) the part of ``payment`` that capitation would replace.
    registered
        (H, Y, C) people registered for capitation by condition, in the order of ``conditions``.
    cost, patient
        (H, Y) total cost and what patients paid, insured cases.
    cases, people, weight, weighted
        (H, Y) insured discharges, different patients, sum of relative weights (1 = the mean case), cases with a weight.
    low_weight
        (H, Y) part of ``spending`` in groups that lower levels could treat.
    indicators
        (H, Y, K) quality indicators in the order of ``indicator_names``; NaN where not measured.
    savings, procurement, deductions, moved
        (H, Y) savings from procurement prices; (H, Y, 3) surplus from procurement by class; (H, Y) amounts entered by hand.
    stated
        (H, Y, 12, U) the part of ``payment`` that payments.csv states beside the discharges; ``spending`` holds it too.
    visits, heads, outpatient_cost
        (H, Y) outpatient visits and patients, and what the visits cost.
    bills, others
        (H, Y, 12) total cost of insured cases, and the part of it that patients and other funds pay by item.
    negotiated, negotiated_share, reasons
        (H, Y) fen and share of the index that were negotiated; (hospital, year) -> why.
    advances
        Money paid ahead to single hospitals.
    unpaid
        (H, Y) cases that no rule could pay.
    fund
        (Y,) budget of the fund, -1 where unknown.
    insured
        (Y,) insured people, 0 where unknown.
    pools
        Payer -> the same of its cases and its fund, where employees and residents have budgets apart; quality is that of all.
    """

    hospitals: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    years: tuple[int, ...]
    spending: Ints
    payment: Ints
    capitated: Ints
    conditions: tuple[str, ...]
    registered: Ints
    cost: Ints
    patient: Ints
    cases: Ints
    people: Ints
    weight: Floats
    weighted: Ints
    low_weight: Ints
    indicator_names: tuple[str, ...]
    indicators: Floats
    savings: Ints
    procurement: Ints
    deductions: Ints
    moved: Ints
    stated: Ints
    visits: Ints
    heads: Ints
    outpatient_cost: Ints
    bills: Ints
    others: Ints
    negotiated: Ints
    negotiated_share: Floats
    unpaid: Ints
    fund: Ints
    insured: Ints
    reasons: Mapping[tuple[str, int], str] = field(default_factory=dict)
    advances: tuple[Advance, ...] = ()
    pools: Mapping[str, HospitalFigures] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of hospitals."""
        return len(self.hospitals)

    @cached_property
    def level(self) -> NDArray[np.str_]:
        """(H,) plain level such as 3, empty where unknown."""
        return np.array([keys[-1] if keys else "" for keys in self.levels], np.str_)

    @cached_property
    def _level_entries(self) -> tuple[tuple[tuple[str, ...], ...], NDArray[np.intp]]:
        entries = tuple(sorted(set(self.levels)))
        return entries, np.array([entries.index(keys) for keys in self.levels], np.intp)

    def by_level(self, keyed: Keyed) -> Floats:
        """(H,) a parameter by level of the hospital; the nearest key wins, then ``*``, then 0."""
        entries, place = self._level_entries
        return np.array([next((keyed.values[key] for key in (*keys, "*") if key in keyed.values), 0.0) for keys in entries])[
            place
        ]

    def at_levels(self, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """(H,) whether the hospital has one of the levels."""
        entries, place = self._level_entries
        return np.array([bool(set(keys) & set(wanted)) for keys in entries], np.bool_)[place]


def figures_of(settlements: Settlement | Sequence[Settlement], terms: BudgetTerms, region: RegionFolder) -> HospitalFigures:
    """Add up settled cases by hospital, year and month.

    Parameters
    ----------
    settlements
        Cases with their payment; several where years were settled apart. Years must not be shared between them, because
        different patients are counted in each.
    terms
        Only ``measure``, ``capitation.groups`` and the names of indicators matter here; all else may change later
        without new figures.
    region
        What the region states beside the cases.

    Raises
    ------
    InputError
        No case has a day of discharge.

    Notes
    -----
    The order of the cases never matters: money and counts are sums of integers, and shares are quotients of sums.
    """
    parts = [settlements] if isinstance(settlements, Settlement) else list(settlements)
    hospitals = sorted({*region.hospitals, *(name for part in parts for name in part.ledger.cases.hospital.values)})
    dates = [part.ledger.cases.discharged for part in parts]
    found = np.unique(np.concatenate([_year(days[days != MISSING]) for days in dates]))
    years = tuple(int(year) for year in found if not region.years or year in region.years)
    if not years:
        what, fix = text("no case has a day of discharge"), text("state discharged (出院日期) in the discharges")
        if region.years:
            what = text("no case has a day of discharge in {years}", years=", ".join(map(str, region.years)))
        raise InputError.single("budget-no-dates", what, why=text("figures are taken by year and month"), fix=fix)
    apart = PAYERS if terms.file.pools.use.value == "apart" else ()
    whole, pools = _Sums(tuple(hospitals), years, terms), [_Sums(tuple(hospitals), years, terms, payer) for payer in apart]
    for part in parts:
        cases, bills = part.ledger.cases, bills_of(part, terms)
        cells = whole.cells(cases)
        whole.measure(part, cells)
        for sums in (whole, *pools):
            sums.add(bills, cells, cases)
    StatedFigures(region, whole.hospitals, years).enter_indicators(whole.indicator_names, whole.indicators)
    levels = _levels(whole.hospitals, region, parts)
    figures = whole.finish(region, levels, None)
    if not pools:
        return figures
    spent = np.stack([pool.months["spending"].sum(axis=2) for pool in pools], axis=2)
    made = {pool.payer: replace(pool.finish(region, levels, spent), indicators=figures.indicators) for pool in pools}
    return replace(figures, pools=made)


class _Sums:
    """Adds up settled cases, of all payers or of one."""

    def __init__(self, hospitals: tuple[str, ...], years: tuple[int, ...], terms: BudgetTerms, payer: str = "") -> None:
        self.hospitals, self.years, self.terms, self.payer = hospitals, years, terms, payer
        self.conditions = tuple(terms.file.capitation.groups)
        shape = (len(hospitals), len(years))
        self.months = {name: np.zeros((*shape, MONTHS), np.int64) for name in ("spending", "bills", "others")}
        self.units = {name: np.zeros((*shape, MONTHS, len(UNITS)), np.int64) for name in ("payment", "capitated")}
        self.indicator_names = indicator_names(terms.file.quality)
        self.indicators = np.full((*shape, len(self.indicator_names)), np.nan)
        names = ("cost", "patient", "cases", "people", "weighted", "low_weight", "unpaid", "capitated_people")
        self.counts = {name: np.zeros(shape, np.int64) for name in names}
        self.weight = np.zeros(shape)

    def add(self, bills: CaseBills, cells: HospitalCells, cases: Cases) -> None:
        """Count cases; those of another payer do not belong here."""
        if self.payer:
            bills = bills.of_payer(self.payer)
        sums = bills.sums(cells, self.terms)
        self.weight += sums.pop("weight")
        for held in (self.months, self.units):
            for name in held:
                held[name] += sums.pop(name)
        for name, values in sums.items():
            self.counts[name] += values.astype(np.int64)
        self.counts["people"] += _people(cells, cases, bills.insured)
        self.counts["capitated_people"] += _people(cells, cases, bills.insured & bills.chronic)

    def measure(self, settlement: Settlement, cells: HospitalCells) -> None:
        """Take the indicators of the settled cases."""
        days = self.terms.file.measure.readmission_days.value
        for name, values in measured(settlement, cells, days).items():
            kind = self.indicator_names.index(name)
            self.indicators[..., kind] = np.where(np.isnan(values), self.indicators[..., kind], values)

    def cells(self, cases: Cases) -> HospitalCells:
        """Cases at their hospital, year and month of discharge; those without a date or of another year count nowhere."""
        year, month = _year(cases.discharged), month_of(cases)
        column = np.searchsorted(self.years, year).clip(0, len(self.years) - 1)
        row = np.array([self.hospitals.index(name) for name in cases.hospital.values] + [-1])[cases.hospital.ids]
        inside = (cases.discharged != MISSING) & (np.asarray(self.years)[column] == year)
        return HospitalCells(len(self.hospitals), len(self.years), np.where(inside, row, -1), column, month)

    def finish(self, region: RegionFolder, levels: tuple[tuple[str, ...], ...], parts: Ints | None) -> HospitalFigures:
        """The figures, with what the region states beside the cases."""
        stated = StatedFigures(region, self.hospitals, self.years, self.payer, parts)
        arrays = stated.arrays()
        counts: dict[str, Any] = {name: values for name, values in self.counts.items() if name != "capitated_people"}
        months: dict[str, Any] = {**self.months, "spending": self.months["spending"] + arrays["stated"].sum(axis=3)}
        return HospitalFigures(
            hospitals=self.hospitals, names=tuple(region.name(name) for name in self.hospitals), levels=levels,
            years=self.years, payment=self.units["payment"] + arrays["stated"], capitated=self.units["capitated"],
            conditions=self.conditions, registered=self._registered(region, levels), weight=self.weight,
            indicator_names=self.indicator_names, indicators=self.indicators, fund=stated.fund(), insured=stated.insured(),
            reasons=stated.reasons(), advances=region.advances, **months, **counts, **arrays,
        )  # fmt: skip

    def _registered(self, region: RegionFolder, levels: tuple[tuple[str, ...], ...]) -> Ints:
        """Registered patients of the region, shared among the consortium's hospitals by the chronic patients they treat."""
        wanted = set(self.terms.file.capitation.levels.value)
        member = np.array([bool(wanted & set(keys)) for keys in levels], np.bool_)
        result = np.zeros((*self.weight.shape, len(self.conditions)), np.int64)
        for column, year in enumerate(self.years):
            treated = np.where(member, self.counts["capitated_people"][:, column], 0)
            for place, condition in enumerate(self.conditions):
                people = region.registered(year, condition, self.payer)
                if people and treated.sum():
                    result[:, column, place] = allocate(people, treated)
        return result


def indicator_names(terms: QualityTerms) -> tuple[str, ...]:
    """Measured indicators, those that the terms have targets for, and those that only their formulas use."""
    used = [name for target in terms.targets.values() if target.formula for name in names_in(target.formula)]
    return tuple(dict.fromkeys((*INDICATORS, *terms.targets, *(name for name in used if name not in FACTS))))


def _people(cells: HospitalCells, cases: Cases, where: NDArray[np.bool_]) -> Ints:
    """Different patients; a case without a patient's id counts as one."""
    named = where & cells.inside & (cases.patient.ids >= 0)
    width = len(cases.patient.values) + 1
    first = np.zeros(cases.size, np.bool_)
    first[np.flatnonzero(named)[np.unique(cells.cell[named] * width + cases.patient.ids[named], return_index=True)[1]]] = True
    return cells.yearly(first | (where & ~named))


def _levels(hospitals: tuple[str, ...], region: RegionFolder, parts: list[Settlement]) -> tuple[tuple[str, ...], ...]:
    found = {name: region.level_keys(name) for name in region.hospitals}
    for part in parts:
        cases = part.ledger.cases
        for number, name in enumerate(cases.hospital.values):
            if name not in found:
                entries = np.unique(cases.level[cases.hospital.ids == number])
                found[name] = min(cases.levels[entry] for entry in entries)
    return tuple(found.get(name, ()) for name in hospitals)


def _year(days: Ints) -> Ints:
    return periods_of(days, "Y") + 1970
