"""Cases, mean cost, spread and score of every kind of a catalogue that is being built."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.dip_spec import KindTrimming, ScoreSettings
from drgsim.authoring.dip.year_totals import YearTotals, kept_cases
from drgsim.costs.statistics import group_statistics
from drgsim.costs.year_means import YearMode, mean_over_years
from drgsim.errors import InputError, Problem
from drgsim.language import text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """Figures of kinds, one entry per kind.

    Attributes
    ----------
    totals
        Cases kept by trimming and their costs, by year.
    cases, year_cases
        All cases, and by year (kinds x years).
    mean, cv, score
        Mean cost in yuan with the years weighed; coefficient of variation of the kept cases (population); score.
    overall
        Mean cost of all kept cases, weighed alike.
    kept
        Which discharges trimming kept.
    """

    totals: YearTotals
    cases: Ints
    year_cases: Ints
    mean: Floats
    cv: Floats
    score: Floats
    overall: float
    kept: NDArray[np.bool_]


def measure(
    cost: Ints, year: Ints, kind: Ints, kinds: int, weights: Floats, mode: YearMode, trimming: KindTrimming
) -> Measured:
    """Measure kinds; scores are 1000 m / M until :func:`scored` gives them their own.

    Parameters
    ----------
    cost, year, kind
        Fen, place of the year and kind of each discharge.
    kinds
        Number of kinds.
    weights, mode
        Weights of the years, and how years are joined.
    trimming
        Within kind and year.
    """
    years = weights.size
    kept = kept_cases(cost, kind, year, years, trimming.rule, trimming.minimum_cases.value)
    totals = YearTotals.of(np.where(kept, kind, -1), year, cost, kinds, years)
    mean = totals.mean(weights, mode)
    statistics = group_statistics(cost[kept] / 100.0, kind[kept], kinds)
    overall = float(mean_over_years(totals.fen.sum(0) / 100.0, totals.cases.sum(0), weights, mode))
    year_cases = np.bincount(kind * years + year, minlength=kinds * years).reshape(kinds, years)
    return Measured(totals, year_cases.sum(1), year_cases, mean, statistics.cv, 1000.0 * mean / overall, overall, kept)


def scores(mean: Floats, overall: float, settings: ScoreSettings, reference_mean: float | None = None) -> Floats:
    """Scores S of kinds with mean cost m (rule book 3.2).

    ``mean``: S = scale x m / M with the mean M of all cases; ``reference``: S = scale x m / mean of the reference kind;
    ``quota``: S = m / quota.

    Examples
    --------
    >>> from drgsim.authoring.dip.dip_spec import load_spec
    >>> settings = load_spec("dip-2.0").file.score
    >>> scores(np.array([7120.0]), 8500.0, settings).round(6).tolist()
    [837.647059]
    """
    if settings.method.value == "quota":
        assert settings.quota is not None, "the specification is checked"
        return mean / settings.quota.value
    base = reference_mean if settings.method.value == "reference" else overall
    if base is None or not base > 0:
        name = settings.reference_kind.value if settings.reference_kind else ""
        raise InputError(
            [
                Problem(
                    "dip-no-reference-kind",
                    text("the reference kind {name!r} is not in the catalogue that was built", name=name),
                    where="score.reference_kind",
                    fix=text("name a kind that the history has"),
                )
            ]
        )
    return settings.scale.value * mean / base
