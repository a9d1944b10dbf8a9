"""Headline figures of a run: one number each, with unit and title, from the sums of the run."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from drgsim.simulation.runner import Outcome
from drgsim.simulation.simulated_region import Region


@lru_cache(maxsize=1)
def headline_names() -> dict[str, dict[str, str]]:
    """Name -> unit, title and Chinese title, in the order of reports."""
    entries = yaml.safe_load(Path(__file__).with_name("headlines.yaml").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in entries}


def headlines(outcome: Outcome, region: Region) -> dict[str, float]:
    """All headline figures; money in yuan, exact to the fen; NaN where a figure does not exist.

    Margins compare what hospitals receive for all cases, adjustments included, with the cost of the cases. The Gini
    coefficient and the Herfindahl index (sum of squared shares, 1 = one hospital has all) are over hospitals with cases.
    """
    money, counts = outcome.by_payer.money, outcome.by_payer.counts
    payment, cost = outcome.by_hospital("payment") + outcome.adjusted, outcome.by_hospital("cost")
    total = {name: int(values.sum()) for name, values in money.items()}
    fund, budget = total["fund"] + int(outcome.adjusted.sum()) + outcome.stated, sum(outcome.fund.values())
    received, spent = int(payment.sum()), total["cost"]
    cases, active = float(counts["cases"].sum()), cost > 0
    rate = np.divide(payment - cost, cost, out=np.full(cost.size, math.nan), where=active)
    tertiary = np.array([region.level(name) == "3" for name in outcome.hospitals])
    paid, priced = float(counts["paid"].sum()), float(counts["priced"].sum())
    insured = region.insured.get(min(outcome.year, region.years[-1]), 0)
    figures = {
        "fund.budget": budget / 100 if budget else math.nan,
        "fund.payment": fund / 100,
        "fund.balance": (budget - fund) / 100 if budget else math.nan,
        "hospital.payment": received / 100,
        "hospital.cost": spent / 100,
        "hospital.margin": (received - spent) / 100,
        "hospital.margin_rate": _over(received - spent, spent),
        "hospital.gaining": _over(float((rate[active] >= 0).sum()), float(active.sum())),
        "budget.surplus_share": math.nan,
        "budget.surplus": math.nan,
        "budget.overspend": math.nan,
        "liquidity.least_days": math.nan,
        "liquidity.least_days_without": math.nan,
        "liquidity.short": math.nan,
        "liquidity.paid_ahead": math.nan,
        "patient.payment": total["patient"] / 100,
        "patient.share": _over(total["patient"], spent),
        "cases": cases,
        "cmi": _over(float(outcome.by_payer.weight.sum()), priced),
        "cost.per_case": _over(spent / 100, paid),
        "fund.per_insured": _over(fund / 100, insured),
        "days.per_case": _over(float(outcome.by_payer.days.sum()), cases),
        "high.share": _over(float(counts["high"].sum()), paid),
        "low.share": _over(float(counts["low"].sum()), paid),
        "by_item.share": _over(total["payment"] - total["inside"], total["payment"]),
        "shadow.payment": total["shadow"] / 100 if total["shadow_cost"] else math.nan,
        "shadow.margin": (total["shadow"] - total["shadow_cost"]) / 100 if total["shadow_cost"] else math.nan,
        "concentration.gini": gini(payment[active]),
        "concentration.herfindahl": herfindahl(payment[active]),
        "equity.margin_spread": _spread(rate[active], cost[active]),
        "equity.level_gap": _over(int((payment - cost)[tertiary].sum()), int(cost[tertiary].sum()))
        - _over(int((payment - cost)[~tertiary].sum()), int(cost[~tertiary].sum())),
    }
    return {**figures, **outcome.indicators}


def _over(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def gini(amounts: NDArray[np.int64]) -> float:
    """Gini coefficient: 0 when all are equal, near 1 when one has all.

    Examples
    --------
    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    ordered = np.sort(np.maximum(amounts, 0)).astype(np.float64)
    if not ordered.sum() > 0:
        return math.nan
    ranks = np.arange(1, ordered.size + 1)
    return float((2 * ranks - ordered.size - 1) @ ordered / (ordered.size * ordered.sum()))


def herfindahl(amounts: NDArray[np.int64]) -> float:
    """Sum of squared shares.

    Examples
    --------
    >>> herfindahl(np.array([1, 1, 1, 1]))
    0.25
    """
    total = float(np.maximum(amounts, 0).sum())
    return float(((np.maximum(amounts, 0) / total) ** 2).sum()) if total > 0 else math.nan


def _spread(rates: NDArray[np.float64], weight: NDArray[np.int64]) -> float:
    if not weight.sum() > 0:
        return math.nan
    mean = float(np.average(rates, weights=weight))
    return float(math.sqrt(np.average((rates - mean) ** 2, weights=weight)))
