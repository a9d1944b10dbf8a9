"""What a budget needs to know of every hospital: arrays by hospital, year and month, taken once from settled cases.

A budget year is then a matter of small arrays: it can be computed again for thousands of scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drgsim.analysis.metrics import risk_levels
from drgsim.budgets.case_bills import MICRO, UNITS, bills_of, micro, month_of, sound_cost
from drgsim.budgets.terms import BudgetTerms
from drgsim.budgets.terms_model import INDICATORS
from drgsim.errors import InputError
from drgsim.money import MISSING, allocate
from drgsim.parameters.evidence import Keyed
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.rules.no_group import AMBIGUOUS_ENDING, UNGROUPED_CODES
from drgsim.payment.rules.readmission import stays_followed
from drgsim.payment.settlement import Settlement
from drgsim.region.hospital_year_sums import MONTHS, Floats, HospitalCells, Ints
from drgsim.region.region_folder import PROCUREMENT_CLASSES, RegionFolder

DIED = 5


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
    unpaid
        (H, Y) cases that no rule could pay.
    fund
        (Y,) budget of the fund, -1 where unknown.
    insured
        (Y,) insured people, 0 where unknown.
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
    unpaid: Ints
    fund: Ints
    insured: Ints

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
        wanted = f" in {', '.join(map(str, region.years))}" if region.years else ""
        what, fix = f"no case has a day of discharge{wanted}", "state discharged (出院日期) in the discharges"
        raise InputError.single("budget-no-dates", what, why="figures are taken by year and month", fix=fix)
    sums = _Sums(tuple(hospitals), years, terms)
    for part in parts:
        sums.add(part)
    return sums.finish(region, parts)


class _Sums:
    def __init__(self, hospitals: tuple[str, ...], years: tuple[int, ...], terms: BudgetTerms) -> None:
        self.hospitals, self.years, self.terms = hospitals, years, terms
        self.conditions = tuple(terms.file.capitation.groups)
        shape = (len(hospitals), len(years))
        self.spending = np.zeros((*shape, MONTHS), np.int64)
        self.payment = np.zeros((*shape, MONTHS, len(UNITS)), np.int64)
        self.capitated = np.zeros_like(self.payment)
        hand = [name for name in terms.file.quality.targets if name not in INDICATORS]
        self.indicator_names = (*INDICATORS, *hand)
        self.indicators = np.full((*shape, len(self.indicator_names)), np.nan)
        names = ("cost", "patient", "cases", "people", "weighted", "low_weight", "unpaid", "capitated_people")
        self.counts = {name: np.zeros(shape, np.int64) for name in names}
        self.weight = np.zeros(shape)

    def add(self, settlement: Settlement) -> None:
        cases = settlement.ledger.cases
        cells = self._cells(cases)
        bills = bills_of(settlement, self.terms)
        sums = bills.sums(cells, self.terms)
        self.weight += sums.pop("weight")
        for name in ("payment", "capitated", "spending"):
            getattr(self, name)[...] += sums.pop(name)
        for name, values in sums.items():
            self.counts[name] += values.astype(np.int64)
        self.counts["people"] += self._people(cells, cases, bills.insured)
        self.counts["capitated_people"] += self._people(cells, cases, bills.insured & bills.chronic)
        self._measure(settlement, cells)

    def _cells(self, cases: Cases) -> HospitalCells:
        """Cases at their hospital, year and month of discharge; those without a date or of another year count nowhere."""
        year, month = _year(cases.discharged), month_of(cases)
        column = np.searchsorted(self.years, year).clip(0, len(self.years) - 1)
        row = np.array([self.hospitals.index(name) for name in cases.hospital.values] + [-1])[cases.hospital.ids]
        inside = (cases.discharged != MISSING) & (np.asarray(self.years)[column] == year)
        return HospitalCells(len(self.hospitals), len(self.years), np.where(inside, row, -1), column, month)

    def _people(self, cells: HospitalCells, cases: Cases, where: NDArray[np.bool_]) -> Ints:
        """Different patients; a case without a patient's id counts as one."""
        named = where & cells.inside & (cases.patient.ids >= 0)
        width = len(cases.patient.values) + 1
        first = np.zeros(cases.size, np.bool_)
        first[np.flatnonzero(named)[np.unique(cells.cell[named] * width + cases.patient.ids[named], return_index=True)[1]]] = (
            True
        )
        return cells.yearly(first | (where & ~named))

    def _measure(self, settlement: Settlement, cells: HospitalCells) -> None:
        """Indicators over all cases whose cost is known, self-payers included: quality does not ask who pays."""
        ledger, cases, column = settlement.ledger, settlement.ledger.cases, cells.year
        known = cells.inside & sound_cost(cases.money["total_cost"])
        codes = cases.unit.values
        plain = [code not in UNGROUPED_CODES and not code.endswith(AMBIGUOUS_ENDING) for code in codes]
        grouped = known & np.array([*plain, False], np.bool_)[cases.unit.ids]
        cost, days = cases.money["total_cost"], cases.numbers["los_days"]
        stay = grouped & (days >= 0)
        died = cases.discharge_way == DIED
        group = np.where(grouped, cases.unit.ids, 0)
        count = np.bincount(group[grouped], minlength=max(len(codes), 1))
        deaths = np.bincount(group[grouped & died], minlength=max(len(codes), 1))
        low_risk = grouped & (risk_levels(deaths / np.maximum(count, 1)) == 0)[group]
        back = np.zeros(cases.size, np.bool_)
        back[stays_followed(cases, self.terms.file.measure.readmission_days.value)] = True
        paid = known & (ledger.amount != MISSING)
        own = cases.money["own_pay"]
        has_own = known & (own != MISSING) & (own >= 0) & (cost > 0)
        place = group * len(self.years) + column  # groups are compared within their year
        measured = {
            "cost_index": (grouped, _over_mean(cost.astype(np.float64), place, grouped), None),
            "time_index": (stay, _over_mean(days, place, stay), None),
            "low_risk_mortality": (low_risk, died.astype(np.float64), None),
            "readmission": (known & (cases.patient.ids >= 0), back.astype(np.float64), None),
            "high_cost_share": (paid, ledger.is_class(CaseClass.HIGH).astype(np.float64), None),
            "own_pay_share": (has_own, own / MICRO, cost / MICRO),
            "coding": (known, grouped.astype(np.float64), None),
        }
        for name, (where, values, over) in measured.items():
            total = cells.yearly(where, micro(values))
            base = cells.yearly(where, micro(np.ones(cases.size) if over is None else over))
            kind = self.indicator_names.index(name)
            share = total / np.maximum(base, 1)
            self.indicators[..., kind] = np.where(base > 0, share, self.indicators[..., kind])

    def finish(self, region: RegionFolder, parts: list[Settlement]) -> HospitalFigures:
        index = {name: row for row, name in enumerate(self.hospitals)}
        for (hospital, year, name), value in region.indicators.items():
            if hospital in index and year in self.years and name in self.indicator_names:
                self.indicators[index[hospital], self.years.index(year), self.indicator_names.index(name)] = value
        for (hospital, year, month, unit), amount in region.payments.items():
            if hospital in index and year in self.years:
                place = (index[hospital], self.years.index(year), month - 1)
                self.payment[(*place, UNITS.index(unit))] += amount
                self.spending[place] += amount
        levels = self._levels(region, parts)
        by_year = {name: self._entered(getattr(region, name), index) for name in ("savings", "deductions", "moved")}
        classes = [self._entered(region.surplus.get(kind, {}), index) for kind in PROCUREMENT_CLASSES]
        counts = {name: values for name, values in self.counts.items() if name != "capitated_people"}
        return HospitalFigures(
            hospitals=self.hospitals, names=tuple(region.name(name) for name in self.hospitals), levels=levels,
            years=self.years, spending=self.spending, payment=self.payment, capitated=self.capitated,
            conditions=self.conditions, registered=self._registered(region, levels), weight=self.weight,
            indicator_names=self.indicator_names, indicators=self.indicators, procurement=np.stack(classes, axis=2),
            fund=np.array([sum(region.fund[year].values()) if year in region.fund else -1 for year in self.years], np.int64),
            insured=np.array([region.insured.get(year, 0) for year in self.years], np.int64), **by_year, **counts,
        )  # fmt: skip

    def _levels(self, region: RegionFolder, parts: list[Settlement]) -> tuple[tuple[str, ...], ...]:
        found = {name: region.level_keys(name) for name in region.hospitals}
        for part in parts:
            cases = part.ledger.cases
            for number, name in enumerate(cases.hospital.values):
                if name not in found:
                    entries = np.unique(cases.level[cases.hospital.ids == number])
                    found[name] = min(cases.levels[entry] for entry in entries)
        return tuple(found.get(name, ()) for name in self.hospitals)

    def _entered(self, amounts: Mapping[tuple[str, int], int], index: dict[str, int]) -> Ints:
        result = np.zeros(self.weight.shape, np.int64)
        for (hospital, year), amount in amounts.items():
            if hospital in index and year in self.years:
                result[index[hospital], self.years.index(year)] += amount
        return result

    def _registered(self, region: RegionFolder, levels: tuple[tuple[str, ...], ...]) -> Ints:
        """Registered patients of the region, shared among the consortium's hospitals by the chronic patients they treat."""
        wanted = set(self.terms.file.capitation.levels.value)
        member = np.array([bool(wanted & set(keys)) for keys in levels], np.bool_)
        result = np.zeros((*self.weight.shape, len(self.conditions)), np.int64)
        for column, year in enumerate(self.years):
            treated = np.where(member, self.counts["capitated_people"][:, column], 0)
            for place, condition in enumerate(self.conditions):
                people = region.registered(year, condition)
                if people and treated.sum():
                    result[:, column, place] = allocate(people, treated)
        return result


def _year(days: Ints) -> Ints:
    years: Ints = np.where(days == MISSING, 0, days).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return years


def _over_mean(values: Floats, place: Ints, where: NDArray[np.bool_]) -> Floats:
    """Each value over the mean of its place."""
    total = np.bincount(place[where], values[where])
    count = np.bincount(place[where])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total / count)[np.where(where, place, 0)]
        return np.where(where & (mean > 0), values / mean, 0.0)
