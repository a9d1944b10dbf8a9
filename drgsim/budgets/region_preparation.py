"""From a region's folder to the figures of its hospitals: group, settle year by year, add up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.budgets.budget_weights import GIVEN, Weighted, weighted
from drgsim.budgets.case_bills import by_item
from drgsim.budgets.coding_quality import coding_quality
from drgsim.budgets.hospital_figures import HospitalFigures, figures_of, indicator_names
from drgsim.budgets.terms import BudgetTerms
from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import Text, joined, text
from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases, read_cases
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.own_weights import has_given_values
from drgsim.payment.policy import Policy
from drgsim.payment.settlement import Settlement, settle
from drgsim.records.vocabulary import INSURANCES
from drgsim.region.region_folder import RegionFolder, read_region
from drgsim.units.schemes.schemes_in_force import undated_scheme

PRICE_STEPS = 8
PRICE_TOLERANCE = 1e-4  # a step of all factors below this ends the search
MOST_UNPAID = 0.5  # share of a hospital's insured cases that may be without payment
Progress = Callable[[float, int], None]


@dataclass(frozen=True)
class PreparedRegion:
    """A region ready for budget years.

    Attributes
    ----------
    figures
        Figures of its hospitals.
    region
        What the folder states beside the cases.
    policy
        The policy that the cases of the last year were settled by, at the price level of ``price_factors``.
    price_factors
        Factors on the policy's unit value by level (``*`` for all); none where its own prices hold.
    settlements
        Year -> settled cases.
    problems, notes
        What was doubtful, and what was done to the input.
    weights
        Where relative values come from if not from the policy: ``source`` (``given``, ``history``), ``scheme``, ``scale``, and
        of a history ``years``: year -> the years that its weights are from.
    """

    figures: HospitalFigures
    region: RegionFolder
    policy: Policy
    price_factors: dict[str, float]
    settlements: dict[int, Settlement]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    weights: Mapping[str, Any] = field(default_factory=dict)


def prepare(
    folder: str | Path | RegionFolder,
    policy: Policy,
    terms: BudgetTerms,
    *,
    scheme: str | None = None,
    changed: Policy | None = None,
    check_coding: bool = False,
    progress: Progress | None = None,
) -> PreparedRegion:
    """Read a region, group its discharges where they have no group, and settle every year by itself.

    Where the policy states no unit value, each year's budget of the fund, patients' share included, gives it. Where it has no
    table of groups and is given none, weights come from the region's own discharges of the years before.

    Parameters
    ----------
    folder, policy, terms
        The region, the policy that pays, and the terms of the budget.
    scheme
        Scheme to group by, instead of the policy's; the national one where a DRG policy without a table names none.
    changed
        The policy with other values, which pays. The price level belongs to the policy before them, so that a higher rate
        stays one.
    check_coding
        Measure coding quality by the rules of ``drgsim validate`` where none is entered, instead of the share of records
        with a plain group.
    progress
        Called with the share done and the number of records.

    Raises
    ------
    InputError
        The folder lacks files or holds what it may not.
    """
    region = _with_fund(folder, terms)
    chosen = scheme or policy.file.scheme or _national(policy)
    tables, by, notes = _grouped_years(region, chosen, progress)
    if by not in (scheme, policy.file.scheme, GIVEN):
        notes.append(text("{policy} names no scheme: the national one is assumed, {by}", policy=policy.id, by=by))
    if check_coding:
        measured = coding_quality(region.discharges, _scheme(chosen, policy))
        region = replace(region, indicators={**measured, **region.indicators})
        notes.append(text("coding quality: share of records without an error by the rules of drgsim validate"))
    paying = weighted(policy, changed or policy, tables, region, by)
    notes += paying.notes
    factors = _price_level(paying, terms, tables, region, notes)
    used = scale_prices(paying.changed, factors)
    by_year = {year: paying.of_year(used, year) for year in tables}
    settlements = {year: settle_year(table, by_year[year][0], region, year) for year, table in tables.items()}
    notes += [*(note for _, told in by_year.values() for note in told), *_payment_notes(policy, settlements)]
    used = by_year[region.years[-1]][0]
    figures = figures_of(list(settlements.values()), terms, region)
    _check_paid(figures, settlements, used)
    problems = _joined(settlements)
    if progress is not None:
        progress(1.0, sum(table.num_rows for table in tables.values()))
    return PreparedRegion(figures, region, used, factors, settlements, tuple(problems), tuple(notes), paying.described)


def _with_fund(folder: str | Path | RegionFolder, terms: BudgetTerms) -> RegionFolder:
    """The region, where its indicators are those of the terms and a budget of the fund is known."""
    region = folder if isinstance(folder, RegionFolder) else read_region(folder)
    region.check_indicators(indicator_names(terms.file.quality))
    if not region.fund:
        fix = text("state it in fund.csv (year, insurance, budget_yuan)")
        raise InputError.single("budget-no-fund", text("no budget of the fund is known"), where=str(region.folder), fix=fix)
    return region


def _grouped_years(
    region: RegionFolder, scheme: str | None, progress: Progress | None
) -> tuple[dict[int, pa.Table], str, list[str]]:
    """Year -> grouped discharges, the scheme that grouped them (``given`` where none had to), what was done in reading."""
    tables: dict[int, pa.Table] = {}
    notes: list[str] = []
    for year, path in region.discharges.items():
        tables[year], said = read_grouped([path], scheme)
        notes += [written for written in said if written not in notes]
        if progress is not None:
            progress(0.8 * len(tables) / len(region.discharges), sum(table.num_rows for table in tables.values()))
    grouped = scheme is not None and any(f"grouped by {scheme}" in note for note in notes)
    return tables, scheme if scheme is not None and grouped else GIVEN, notes


def _price_level(
    paying: Weighted, terms: BudgetTerms, tables: Mapping[int, pa.Table], region: RegionFolder, notes: list[str]
) -> dict[str, float]:
    """Factors on prices at which the first year gives what the fund paid by item, if the terms ask for them; they are told."""
    level, first = terms.file.measure.price_level.value, region.years[0]
    if level == "policy" or paying.policy.file.unit_value is None:
        return {}
    factors = price_factors(paying.of_year(paying.policy, first)[0], tables[first], region, level == "level")
    if factors:
        listed = joined(
            text(", "),
            (
                f"{factor:.4f}" if key == "*" else text("level {level} {factor:.4f}", level=key, factor=factor)
                for key, factor in factors.items()
            ),
        )
        notes.append(text(
            "prices of {policy} scaled to what the fund paid by item in {first} (assumption): {listed}",
            policy=paying.policy.id, first=first, listed=listed,
        ))  # fmt: skip
    return factors


def _payment_notes(policy: Policy, settlements: Mapping[int, Settlement]) -> list[str]:
    """What groups would have paid for cases that the policy only simulates, and where its price comes from."""
    notes: list[str] = []
    for year, settlement in settlements.items():
        if settlement.shadow is not None:
            whole = settlement.summaries["all"].to_pylist()[0]
            notes.append(text(
                "{year}: groups would pay {shadow_payment:,.2f} yuan for {shadow_cases:,} cases that are "
                "simulated and paid by item, {shadow_margin:+,.2f} against their cost", year=year,
                shadow_payment=whole["shadow_payment"], shadow_cases=whole["shadow_cases"],
                shadow_margin=whole["shadow_margin"],
            ))  # fmt: skip
    if any(settlement.unit_values for settlement in settlements.values()):
        notes.append(
            text(
                "{policy} states no unit value: the fund's budget of each year gives it, patients' share included",
                policy=policy.id,
            )
        )
    return notes


def _national(policy: Policy) -> str | None:
    """The scheme of a DRG policy that has neither a scheme nor groups of its own; kinds of DIP have no national list."""
    own = policy.prices is not None and not has_given_values(policy)
    return undated_scheme() if policy.file.by_groups and policy.file.method != "dip" and not own else None


def _scheme(scheme: str | None, policy: Policy) -> str:
    """The scheme that records are grouped by.

    Raises
    ------
    UsageError
        Neither the call nor the policy names one.
    """
    found = scheme or policy.file.scheme
    if found is None:
        what = text("{policy} names no scheme by which the coded records could be checked", policy=policy.id)
        raise UsageError([Problem("budget-no-scheme", what, fix=text("name one with --scheme"))])
    return found


def _joined(settlements: Mapping[int, Settlement]) -> list[Problem]:
    """Problems of all years; what differs in the number of cases only is told once, with the number of every year."""
    found: dict[tuple[str, str], dict[int, Problem]] = {}
    for year, settlement in settlements.items():
        for problem in settlement.problems:
            rest = problem.what.lstrip("0123456789")
            found.setdefault((problem.code, rest), {})[year] = problem
    result = []
    for (_, rest), by_year in found.items():
        first = next(iter(by_year.values()))
        numbers = {year: problem.what.removesuffix(rest) for year, problem in by_year.items()}
        listed = ", ".join(f"{year}: {number}" if number else str(year) for year, number in numbers.items())
        total = str(sum(int(number) for number in numbers.values())) if all(numbers.values()) else ""
        what = text("{what} ({years})", what=_with_number(first.what, total, rest), years=listed)
        result.append(replace(first, what=what))
    return result


def _with_number(what: str, number: str, rest: str) -> str:
    """A sentence with another number at its beginning, in every language."""
    if number and isinstance(what, Text):
        first = next((name for _, name, _, _ in Formatter().parse(what.template) if name), None)
        if first is not None and str(what.values[first]) == what.removesuffix(rest):
            return Text(what.template, {**what.values, first: int(number)}, what.context)
    return f"{number}{rest}"


def _check_paid(figures: HospitalFigures, settlements: Mapping[int, Settlement], policy: Policy) -> None:
    """Refuse hospitals most of whose cases the policy cannot pay: they would seem to use none of their index."""
    reasons = [problem.what for problem in _joined(settlements) if "not paid" in problem.what]
    why = max(reasons, key=lambda written: int(written.split()[0]), default="")
    fix = text("choose a policy that has the groups and the hospital's level, name another --scheme, or leave the hospital out")
    problems = []
    for row in np.flatnonzero((figures.unpaid > MOST_UNPAID * figures.cases).any(axis=1)):
        name, unpaid, cases = figures.hospitals[row], figures.unpaid[row].sum(), figures.cases[row].sum()
        what = text(
            "{policy} cannot pay {unpaid} of {cases} insured cases of {name}", policy=policy.id, unpaid=unpaid, cases=cases,
            name=name,
        )  # fmt: skip
        problems.append(Problem("budget-mostly-unpaid", what, where=name, why=why, fix=fix))
    if problems:
        raise InputError(problems)


def settle_year(table: pa.Table, policy: Policy, region: RegionFolder, year: int) -> Settlement:
    """Settle the cases of a year; a policy without a unit value gets it from the fund's budget of the year."""
    if policy.file.unit_value is not None or policy.file.budget is not None or policy.file.relative_value.standard_from_table:
        return settle(table, policy, hospitals=region.hospitals)
    fund = {payer: amount for payer, amount in region.fund.get(year, {}).items() if amount > 0}
    beside = region.fund_beside(year, fund)
    budget = {payer: (amount - beside[payer]) / 100 for payer, amount in fund.items() if amount > beside[payer]}
    if not budget:
        fix = text("state it in fund.csv, or choose a policy that states a unit value")
        what = text(
            "{policy} states no unit value, and no budget of {year} is known that it could follow from", policy=policy.id,
            year=year,
        )  # fmt: skip
        raise UsageError([Problem("budget-no-unit-value", what, where=str(year), fix=fix)])
    cases = read_cases(table, region.hospitals, policy.file.method)
    share = fund_share(cases, cases.faults < 0)
    settled = settle(table, policy, hospitals=region.hospitals, budget=budget, fund_share=share)
    paid = fund_share(cases, settled.amount != MISSING)  # what the policy refuses takes nothing from the budget
    if paid == share:
        return settled
    return settle(table, policy, hospitals=region.hospitals, budget=budget, fund_share=paid)


def fund_share(cases: Cases, paid: NDArray[np.bool_]) -> float:
    """Share of the cost of paid insured cases that the fund pays by item; it turns its budget into one of total cost."""
    cost, patient = cases.money["total_cost"], cases.money["patient_paid"]
    used = paid & (cost > 0) & (patient != MISSING) & (cases.insurance != INSURANCES.index("self"))
    total = int(cost[used].sum())
    return float((total - int(np.minimum(patient, cost)[used].sum())) / total) if total else 1.0


def price_factors(policy: Policy, table: pa.Table, region: RegionFolder, by_level: bool) -> dict[str, float]:
    """Factors on prices at which a table's cases give what the fund paid by item, in all (``*``) or at each level.

    They are found in a few steps, because cases move between the pieces of the curve as prices move; none where the policy
    states no unit value that could be scaled.
    """
    if policy.file.unit_value is None:
        return {}
    levels = sorted({region.level(name) for name in region.hospitals} - {""}) if by_level else []
    factors = dict.fromkeys(levels or ["*"], 1.0)
    for _ in range(PRICE_STEPS):
        settlement = settle(table, scale_prices(policy, factors), hospitals=region.hospitals)
        cases = settlement.ledger.cases
        owed, spent = settlement.fund_payment, by_item(cases)
        used = (owed != MISSING) & (cases.insurance != INSURANCES.index("self"))
        level, names = cases.plain_levels
        level_of = np.array(names)[level]
        largest = 0.0
        for key in factors:
            members = used & ((level_of == key) | (key == "*"))
            if int(owed[members].sum()) > 0:
                step = int(spent[members].sum()) / int(owed[members].sum())
                factors[key] *= step
                largest = max(largest, abs(step - 1))
        if largest < PRICE_TOLERANCE:
            break
    return factors


def scale_prices(policy: Policy, factors: Mapping[str, float]) -> Policy:
    """The policy with unit values times a factor by level; keys without a level are spread over the levels.

    A scenario scales its changed policy by the factors of the unchanged one.
    """
    if not factors or policy.file.unit_value is None:
        return policy
    values: dict[str, float] = {}
    for key, value in policy.file.unit_value.values.items():
        own = [level for level in factors if key.split("/")[0].startswith(level)]
        if "*" in factors or own:
            values[key] = value * factors[own[0] if own else "*"]
            continue
        for level, factor in factors.items():
            values[level if key == "*" else f"{level}/{key}"] = value * factor
    entry = {
        **policy.file.unit_value.model_dump(mode="json"), "values": values, "source": "price-level", "evidence": "assumption",
    }  # fmt: skip
    title = {"title": text("scaled to the price level of the region")}
    raw = {**policy.raw, "unit_value": entry, "sources": {**policy.raw["sources"], "price-level": title}}
    relative = policy.file.relative_value
    if relative.standard_from_table:
        raw["relative_value"] = {**policy.raw["relative_value"], "standard_from_table": False}
        relative = relative.model_copy(update={"standard_from_table": False})
    read = type(policy.file).model_validate(raw)
    sources = {**policy.file.sources, "price-level": read.sources["price-level"]}
    file = policy.file.model_copy(  # not as read: relative values of one's own are no part of the file that was read
        update={"unit_value": read.unit_value, "sources": sources, "relative_value": relative}
    )
    mark = hashlib.sha256((policy.digest + repr(sorted(factors.items()))).encode()).hexdigest()
    return replace(policy, file=file, raw=raw, digest=mark)
