"""drgsim against the auditor on budget years: index, score, sharing, cover, cash and warnings, to the fen."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.budgets.budget_year import BudgetYear, budget_years
from drgsim.budgets.case_bills import UNITS
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.terms import load_terms
from drgsim.budgets.terms_model import INDICATORS
from drgsim.region.region_tables import Advance
from tests.audit.liquidity_audit import liquidity, pooled
from tests.audit.year_audit import YearAudit, run_years
from tests.audit.year_facts import Facts, Year, pool_terms, terms_text
from tests.conftest import ROOT

TABLES, REGION = ROOT / "payment_tables", ROOT / "data" / "samples" / "region"
LINES = ("prepayment", "monthly")
VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "example-ratio": {"sharing.use": "example-ratio"},
    "contract": {"sharing.use": "contract-harbin", "sharing.carry_over": "true"},
    "by item": {"sharing.use": "by-item", "fund.cover": "full"},
    "at most": {"fund.closing": "at_most", "index.growth": "-0.1"},
    "actual figures": {"index.timing": "actual", "warning.season": "even"},
    "growth over the lag": {"index.lag": "compounded"},
    "bills": {"index.base": "bills", "index.overspend.borne": "1", "index.overspend.unborne": "0.25"},
    "settled with parts of overspends": {"index.overspend.borne": "0.5", "index.overspend.unborne": "0.3"},
    "scored over the region": {"quality.compare": "region", "cash.good_standing": "75", "cash.deposit": "0.1"},
    "months until 90 %": {"cash.monthly_cap": "0.9"},
    "by visit": {"outpatient.pays": "by_visit", "outpatient.growth": "0.04"},
    "by head, bills": {"outpatient.pays": "by_head", "index.base": "bills", "index.lag": "compounded"},
    "overspend carried over": {"sharing.carry_overspend": "0.5", "sharing.carry_over": "true"},
    "overspend carried over, by ratio": {
        "sharing.use": "example-ratio", "sharing.carry_overspend": "1", "index.growth": "-0.2",
    },
    "late and dear": {
        "cash.payment_lag": "3", "cash.clearing_month": "4", "cash.opening_days": "12", "cash.expense_share": "0.93",
    },
    "paid ahead": {
        "cash.advance.months": "1.5", "cash.advance.largest": "2", "cash.advance.month": "2",
        "cash.advance.recovered": [7, 15],
    },
    "paid ahead by level": {"cash.advance.months": "0.7", "cash.advance.levels": ["2", "1"], "cash.advance.month": "11"},
}  # fmt: skip


def _fraction(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def _facts(figures: HospitalFigures) -> Facts:
    indicators = [
        [
            {
                name: None if np.isnan(value) else _fraction(value)
                for name, value in zip(figures.indicator_names, row, strict=True)
            }
            for row in hospital
        ]
        for hospital in figures.indicators
    ]
    return Facts(
        levels=[list(keys) for keys in figures.levels], years=list(figures.years), spending=figures.spending.sum(2).tolist(),
        owed=figures.payment.sum(3).tolist(), cases=figures.cases.tolist(), people=figures.people.tolist(),
        weight=[[_fraction(value) for value in row] for row in figures.weight], weighted=figures.weighted.tolist(),
        cost=figures.cost.tolist(), patient=figures.patient.tolist(), low_weight=figures.low_weight.tolist(),
        indicators=indicators, savings=figures.savings.tolist(), procurement=figures.procurement.tolist(),
        deductions=figures.deductions.tolist(), moved=figures.moved.tolist(), season=figures.spending.sum(0).tolist(),
        outpatient=figures.stated[..., UNITS.index("outpatient")].tolist(), visits=figures.visits.tolist(),
        heads=figures.heads.tolist(), outpatient_cost=figures.outpatient_cost.tolist(), stated=figures.stated.sum(3).tolist(),
        bills=figures.bills.tolist(), others=figures.others.tolist(), negotiated=figures.negotiated.tolist(),
        negotiated_share=[[_fraction(share) for share in row] for row in figures.negotiated_share], advances=[
            (figures.hospitals.index(loan.hospital), loan.amount, _month(loan.paid), loan.recovered and _month(loan.recovered))
            for loan in figures.advances
        ],
    )  # fmt: skip


def _month(day: date) -> int:
    return 12 * day.year + day.month - 1


def _changed(name: str, changes: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
    """The same terms for both: by path for drgsim, in the text for the auditor."""
    text = deepcopy(terms_text(TABLES, name))
    for path, value in changes.items():
        section, key, *inner = path.split(".")
        text[section][key] = text[section][key] | {inner[0] if inner else "value": value}
    return load_terms(name).changed({path: _typed(value) for path, value in changes.items()}), text


def _typed(value: Any) -> Any:
    """A text of the auditor as drgsim takes it."""
    if isinstance(value, dict):
        return {key: _typed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return value
    if value in ("true", "false"):
        return value == "true"
    number = str(value).lstrip("-").replace(".", "").isdigit()
    return (int(value) if str(value).isdigit() else float(value)) if number else value


def _compare(figures: HospitalFigures, years: list[BudgetYear], audits: list[YearAudit]) -> None:
    assert [year.year for year in years] == [audit.facts.years[audit.at] for audit in audits]
    size = figures.size
    for theirs, audit in zip(years, audits, strict=True):
        mine = audit.found
        assert theirs.index.index.tolist() == mine.index
        assert theirs.scores.score.tolist() == pytest.approx(
            [float("nan") if score is None else float(score) for score in mine.scores], nan_ok=True
        )
        assert theirs.recorded.tolist() == mine.recorded
        assert theirs.procurement_kept.tolist() == audit.kept
        assert theirs.settled.tolist() == mine.settled
        assert theirs.in_base.tolist() == pytest.approx([float(amount) for amount in mine.counted], abs=1e-3)
        for name in LINES:
            assert theirs.cash.paid[name].reshape(size, -1).sum(1).tolist() == [lines[name] for lines in mine.cash], name
        assert (-theirs.cash.due["deposit_forfeited"]).tolist() == [lines["deposit_forfeited"] for lines in mine.cash]
        assert theirs.carried_out.tolist() == [lines["carried_out"] for lines in mine.cash]
        assert theirs.carried_overspend.tolist() == mine.carried
        assert theirs.overspend_brought.tolist() == audit.brought
        loans = sum(
            amounts.reshape(size, -1).sum(1) for name, amounts in theirs.cash.paid.items() if name.startswith("advance")
        )
        assert (theirs.cash.received - loans).tolist() == [lines["due"] for lines in mine.cash], "what is due is what is paid"
        assert {name: getattr(theirs.fund, name) for name in mine.fund} == mine.fund
        assert np.abs(theirs.warnings.used - np.array(mine.used, np.float64)).max() <= 1, "months are rounded one by one"
        to_date = np.array(mine.to_date, np.float64)
        assert np.abs(theirs.warnings.to_date - to_date).max() <= 1
        assert theirs.warnings.used[:, -1].tolist() == mine.recorded, "December is what clearing counts"


def _compare_liquidity(years: list[BudgetYear], facts: Facts, text: Mapping[str, Any], found: list[tuple[int, Year]]) -> None:
    for theirs, mine in zip(years, liquidity(facts, text, found), strict=True):
        for name in ("fund", "others", "expenses", "ahead", "balance"):
            assert getattr(theirs.liquidity, name).tolist() == getattr(mine, name), name
        assert theirs.liquidity.balance_without.tolist() == mine.without


def _audited(figures: HospitalFigures, name: str, changes: Mapping[str, Any]) -> None:
    terms, text = _changed(name, changes)
    facts = _facts(figures)
    audits = run_years(facts, text, figures.fund.tolist())
    years = list(budget_years(figures, terms))
    _compare(figures, years, audits)
    _compare_liquidity(years, facts, text, [(audit.at, audit.found) for audit in audits])


# -- the sample region -------------------------------------------------------------------------------------------------
@cache
def _figures(policy: str, terms: str) -> HospitalFigures:
    return drgsim.budget(REGION, policy, terms=terms).prepared.figures


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["beijing/2024", "harbin/2024"])
def test_the_sample_region(name: str, variant: str) -> None:
    _audited(_figures("beijing/2024", name), name, VARIANTS[variant])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ningbo/2022", "zhoukou/2023", "suzhou/2023", "national/2.0"])
def test_the_sample_region_under_other_policies(policy: str) -> None:
    _audited(_figures(policy, "general"), "general", {})


# -- figures of any kind -----------------------------------------------------------------------------------------------
def _made(seed: int, zeros: bool) -> HospitalFigures:
    """Four hospitals and three years, with outpatient care, amounts that were negotiated and money paid ahead.

    With ``zeros`` a hospital stands still in one year, one opens late, one has no score, and one treats outpatients only.
    """
    draw = np.random.default_rng(seed)
    shape, months, care = (4, 3), (4, 3, 12), UNITS.index("outpatient")
    payment, stated = np.zeros((*months, len(UNITS)), np.int64), np.zeros((*months, len(UNITS)), np.int64)
    stated[..., care] = draw.integers(0, 2_000_001, months) * draw.integers(0, 2, shape)[..., None]
    stated[..., UNITS.index("by_item")] = draw.integers(0, 30_001, months)
    payment[..., UNITS.index("drg")] = draw.integers(0, 9_000_001, months)
    payment[..., UNITS.index("by_item")] = draw.integers(0, 50_001, months)
    spending, cases = draw.integers(0, 9_000_001, months), draw.integers(1, 400, shape)
    cost = spending.sum(2) + draw.integers(1, 9_000_001, shape)
    nothing = np.zeros(shape, np.int64)
    indicators = draw.uniform(0, 1.3, (*shape, len(INDICATORS)))
    weight = np.round(cases * draw.uniform(0.5, 2, shape), 4)
    if zeros:
        for array in (spending, payment, cases, cost, stated):
            array[3, 2] = 0
            array[1, :2] = 0  # opens in the last year
        for array in (spending, payment, cases, cost):
            array[2] = 0
        weight = np.where(cases > 0, weight, 0.0)
        indicators[2] = np.nan
        indicators[0, :, 3] = np.nan
    visits = draw.integers(1, 900, shape) * (stated[..., care].sum(2) > 0)
    agreed = draw.integers(-20_000_000, 20_000_001, shape) * draw.integers(0, 2, shape)
    return HospitalFigures(
        hospitals=("H1", "H2", "H3", "H4"), names=("", "", "", ""), levels=(("3a", "3"), ("2",), ("1",), ("2",)),
        years=(2024, 2025, 2026), spending=spending + stated.sum(3), payment=payment + stated,
        capitated=np.zeros_like(payment), conditions=(), registered=np.zeros((*shape, 0), np.int64), cost=cost,
        patient=draw.integers(0, cost + 1), cases=cases,
        people=np.minimum(draw.integers(1, 400, shape), cases), weighted=cases, weight=weight,
        low_weight=draw.integers(0, spending.sum(2) + 1), indicator_names=INDICATORS, indicators=indicators,
        savings=draw.integers(0, 5_000_001, shape),
        procurement=draw.integers(0, 1_000_001, (*shape, 3)) * (cases > 0)[:, :, None],
        deductions=draw.integers(0, 100_001, shape), moved=np.zeros(shape, np.int64), unpaid=np.zeros(shape, np.int64),
        fund=draw.integers(100_000_000, 300_000_000, 3), insured=np.array([1000, 1000, 1000]), stated=stated,
        visits=visits, heads=np.minimum(draw.integers(1, 500, shape), visits),
        outpatient_cost=stated[..., care].sum(2) + draw.integers(0, 3_000_001, shape) * (visits > 0),
        negotiated=nothing + agreed, negotiated_share=draw.integers(-10, 11, shape) / 100 * draw.integers(0, 2, shape),
        bills=spending + draw.integers(0, 900_001, months), others=draw.integers(0, 900_001, months),
        advances=(
            Advance("H1", 7_000_001, date(2025, 3, 4), None, ""), Advance("H4", 100, date(2026, 1, 4), date(2027, 2, 1), ""),
            Advance("H2", 3_000_000, date(2025, 11, 4), date(2026, 5, 6), ""),
        ),
    )  # fmt: skip


def _apart(seed: int) -> HospitalFigures:
    """Figures of two pools, and of both together."""
    first = _made(seed, False)
    pools = {
        "employee": replace(first, advances=()),
        "resident": replace(_made(seed + 1, False), advances=(), indicators=first.indicators),
    }
    sums = {
        name: sum(getattr(pool, name) for pool in pools.values())
        for name in (
            "spending", "payment", "capitated", "cost", "patient", "cases", "people", "weighted", "weight", "low_weight",
            "savings", "procurement", "deductions", "moved", "unpaid", "fund", "insured", "stated", "visits", "heads",
            "outpatient_cost", "negotiated", "bills", "others",
        )
    }  # fmt: skip
    return replace(first, pools=pools, **sums)


def _audited_apart(figures: HospitalFigures, changes: Mapping[str, Any]) -> None:
    terms, text = _changed("general", {**changes, "pools.use": "apart"})
    years = list(budget_years(figures, terms))
    audits = {}
    for payer, pool in figures.pools.items():
        audits[payer] = run_years(_facts(pool), pool_terms(text, payer), pool.fund.tolist())
        _compare(pool, [year.pools[payer] for year in years], audits[payer])
    both = list(zip(*audits.values(), strict=True))
    for year, parts in zip(years, both, strict=True):
        assert year.index.index.tolist() == np.sum([part.found.index for part in parts], axis=0).tolist()
        assert year.settled.tolist() == np.sum([part.found.settled for part in parts], axis=0).tolist()
        assert year.fund.paid == sum(part.found.fund["paid"] for part in parts)
    found = [(parts[0].at, pooled([part.found for part in parts])) for parts in both]
    _compare_liquidity(years, _facts(figures), text, found)


POOLS: dict[str, dict[str, Any]] = {
    "alike": {},
    "residents by ratio": {"pools.changes.values": {"resident": {"sharing.use": "example-ratio", "fund.reserve": "0.04"}}},
    "employees carry over, and are paid ahead": {
        "pools.changes.values": {"employee": {"sharing.carry_over": "true", "index.base": "bills"}},
        "sharing.carry_overspend": "0.5", "cash.advance.months": "1", "cash.advance.largest": "3", "cash.payment_lag": "2",
    },
}  # fmt: skip


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(min_value=0, max_value=10_000), variant=st.sampled_from(sorted(POOLS)))
def test_pools_of_any_kind(seed: int, variant: str) -> None:
    _audited_apart(_apart(seed), POOLS[variant])


@pytest.mark.parametrize("variant", POOLS)
def test_the_sample_region_with_pools_apart(variant: str) -> None:
    figures = drgsim.budget(REGION, "beijing/2024", terms="general", changes={"budget.pools.use": "apart"}).prepared.figures
    _audited_apart(figures, POOLS[variant])
    for name in ("spending", "payment", "procurement", "deductions", "savings", "cases", "bills", "fund"):
        parts = [getattr(pool, name) for pool in figures.pools.values()]
        assert np.array_equal(sum(parts), getattr(figures, name)), name


@settings(max_examples=80, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(min_value=0, max_value=10_000), zeros=st.booleans(), variant=st.sampled_from(sorted(VARIANTS)))
def test_figures_of_any_kind(seed: int, zeros: bool, variant: str) -> None:
    _audited(_made(seed, zeros), "general", VARIANTS[variant])
