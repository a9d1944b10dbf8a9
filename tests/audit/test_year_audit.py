"""drgsim against the auditor on budget years: index, score, sharing, cover, cash and warnings, to the fen."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
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
from tests.audit.year_audit import Facts, YearAudit, run_years, terms_text
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
}


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
    )  # fmt: skip


def _changed(name: str, changes: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
    """The same terms for both: by path for drgsim, in the text for the auditor."""
    text = deepcopy(terms_text(TABLES, name))
    for path, value in changes.items():
        section, key, *inner = path.split(".")
        text[section][key][inner[0] if inner else "value"] = value
    typed = {path: value == "true" if value in ("true", "false") else value for path, value in changes.items()}
    numbers = {
        path: float(value) if str(value).lstrip("-").replace(".", "").isdigit() else value for path, value in typed.items()
    }
    return load_terms(name).changed(numbers), text


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
        assert theirs.cash.received.tolist() == [lines["due"] for lines in mine.cash], "what is due is what is paid"
        assert {name: getattr(theirs.fund, name) for name in mine.fund} == mine.fund
        assert np.abs(theirs.warnings.used - np.array(mine.used, np.float64)).max() <= 1, "months are rounded one by one"
        to_date = np.array(mine.to_date, np.float64)
        assert np.abs(theirs.warnings.to_date - to_date).max() <= 1
        assert theirs.warnings.used[:, -1].tolist() == mine.recorded, "December is what clearing counts"


def _audited(figures: HospitalFigures, name: str, changes: Mapping[str, str]) -> None:
    terms, text = _changed(name, changes)
    audits = run_years(_facts(figures), text, figures.fund.tolist())
    _compare(figures, list(budget_years(figures, terms)), audits)


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
    """Four hospitals and three years; with ``zeros`` a hospital that stands still in one year, and one without a score."""
    draw = np.random.default_rng(seed)
    shape, months = (4, 3), (4, 3, 12)
    spending = draw.integers(0, 9_000_001, months)
    payment = np.zeros((*months, len(UNITS)), np.int64)
    payment[..., UNITS.index("drg")] = draw.integers(0, 9_000_001, months)
    payment[..., UNITS.index("by_item")] = draw.integers(0, 50_001, months)
    cases = draw.integers(1, 400, shape)
    cost = spending.sum(2) + draw.integers(1, 9_000_001, shape)
    nothing = np.zeros(shape, np.int64)
    indicators = draw.uniform(0, 1.3, (*shape, len(INDICATORS)))
    weight = np.round(cases * draw.uniform(0.5, 2, shape), 4)
    if zeros:
        for array in (spending, payment, cases, cost):
            array[3, 2] = 0
            array[1, :2] = 0  # opens in the last year
        weight = np.where(cases > 0, weight, 0.0)
        indicators[2] = np.nan
        indicators[0, :, 3] = np.nan
    return HospitalFigures(
        hospitals=("H1", "H2", "H3", "H4"), names=("", "", "", ""), levels=(("3a", "3"), ("2",), ("1",), ("2",)),
        years=(2024, 2025, 2026), spending=spending, payment=payment, capitated=np.zeros_like(payment), conditions=(),
        registered=np.zeros((*shape, 0), np.int64), cost=cost, patient=draw.integers(0, cost + 1), cases=cases,
        people=np.minimum(draw.integers(1, 400, shape), cases), weighted=cases, weight=weight,
        low_weight=draw.integers(0, spending.sum(2) + 1), indicator_names=INDICATORS, indicators=indicators,
        savings=draw.integers(0, 5_000_001, shape),
        procurement=draw.integers(0, 1_000_001, (*shape, 3)) * (cases > 0)[:, :, None],
        deductions=draw.integers(0, 100_001, shape), moved=np.zeros(shape, np.int64), unpaid=np.zeros(shape, np.int64),
        fund=draw.integers(100_000_000, 300_000_000, 3), insured=np.array([1000, 1000, 1000]), stated=np.zeros_like(payment),
        visits=nothing, heads=nothing, outpatient_cost=nothing, negotiated=nothing, negotiated_share=nothing.astype(np.float64),
        bills=spending, others=np.zeros_like(spending),
    )  # fmt: skip


@settings(max_examples=80, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(min_value=0, max_value=10_000), zeros=st.booleans(), variant=st.sampled_from(sorted(VARIANTS)))
def test_figures_of_any_kind(seed: int, zeros: bool, variant: str) -> None:
    _audited(_made(seed, zeros), "general", VARIANTS[variant])
