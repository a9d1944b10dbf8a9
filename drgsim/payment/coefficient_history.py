"""Hospital coefficients (医疗机构系数) from history: what a score costs in hospitals of a level, over what it costs in all.

    u_x = sum_y w_y cost_xy / sum_y w_y score_xy       k_x = u_x / u_pool       (rule book 3.3 and 3.4)

for a level or a hospital x and years y weighted 1:2:7. ``u_pool`` is the budget point value. Between levels coefficients are
never inverted: offenders are pooled by isotonic regression, weighted by cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem
from drgsim.language import text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CoefficientSettings:
    """How coefficients are made.

    Attributes
    ----------
    year_weights
        Year -> weight; empty: all years count alike.
    own
        ``level``: a hospital has the coefficient of its level (the base), plus its bonus; ``hospital``: that of its own cost.
    bonus
        Hospital -> what is added to the base for case mix, specialties or assessment.
    minimum_cases
        A hospital with fewer cases has the coefficient of its level whatever ``own`` says.
    digits
        Decimals of the coefficients.
    """

    year_weights: Mapping[int, float] = field(default_factory=dict)
    own: Literal["level", "hospital"] = "level"
    bonus: Mapping[str, float] = field(default_factory=dict)
    minimum_cases: int = 30
    digits: int = 4

    def describe(self) -> list[str]:
        """What was done, in sentences for the output."""
        years = "; ".join(f"{year}: {weight:g}" for year, weight in sorted(self.year_weights.items())) or text("all alike")
        own = text("cost per score of the level over that of all hospitals")
        if self.own == "hospital":
            own = text(
                "cost per score of the hospital over that of all, of its level below {minimum_cases} cases",
                minimum_cases=self.minimum_cases,
            )
        lines: list[str] = [
            text("years: {years}", years=years),
            text("coefficient: {own}", own=own),
            text("never lower in a higher level: pooled by cases (isotonic regression)"),
        ]
        return [*lines, text("bonus for {count} hospitals", count=len(self.bonus))] if self.bonus else lines


@dataclass(frozen=True)
class ScoredHistory:
    """Discharges of the past with their scores; one entry per case, hospitals and levels by number.

    ``level_of`` is the place in ``levels`` of each hospital, the levels from the lowest on.
    """

    hospitals: tuple[str, ...]
    levels: tuple[str, ...]
    level_of: Ints
    hospital: Ints
    year: Ints
    cost: Floats
    score: Floats


@dataclass(frozen=True)
class HospitalCoefficients:
    """Estimated coefficients.

    Attributes
    ----------
    point_value
        Budget point value: sum w cost / sum w score, yuan.
    level_ratio, level
        Cost per score of each level over that of all; the coefficient after pooling. NaN for a level without cases.
    hospital_ratio, hospital
        The same for each hospital.
    level_cases, hospital_cases
        Cases that they rest on.
    """

    history: ScoredHistory
    settings: CoefficientSettings
    point_value: float
    level_ratio: Floats
    level: Floats
    level_cases: Ints
    hospital_ratio: Floats
    hospital: Floats
    hospital_cases: Ints


def estimate_coefficients(history: ScoredHistory, settings: CoefficientSettings | None = None) -> HospitalCoefficients:
    """Estimate the coefficients of levels and hospitals.

    Raises
    ------
    InputError
        ``coefficients-year`` when a year of the history has no weight, ``coefficients-bonus`` when a bonus names no hospital or
        leaves no coefficient above 0.

    Examples
    --------
    >>> history = ScoredHistory(("A", "B"), ("2", "3"), np.array([0, 1]), np.array([0, 1]), np.array([2024, 2024]),
    ...                         np.array([5000.0, 7000.0]), np.array([1000.0, 1000.0]))
    >>> found = estimate_coefficients(history)
    >>> found.point_value, found.level.tolist()
    (6.0, [0.8333, 1.1667])
    """
    settings = settings or CoefficientSettings()
    _check(history, settings)
    weight = np.ones(history.cost.size)
    if settings.year_weights:
        years, place = np.unique(history.year, return_inverse=True)
        weight = np.array([settings.year_weights[int(year)] for year in years])[place]
    size = len(history.hospitals)
    cost = np.bincount(history.hospital, weight * history.cost, size)
    score = np.bincount(history.hospital, weight * history.score, size)
    cases = np.bincount(history.hospital, minlength=size).astype(np.int64)
    count = len(history.levels)
    by_level = [np.bincount(history.level_of, values, count) for values in (cost, score, cases)]
    pool = float(cost.sum() / score.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        hospital_ratio, level_ratio = cost / score / pool, by_level[0] / by_level[1] / pool
    level = _rising(level_ratio, np.arange(count), by_level[2], by_level[1])
    base = level[history.level_of]
    own = (
        np.where((cases >= settings.minimum_cases) & (score > 0), hospital_ratio, base) if settings.own == "hospital" else base
    )
    own = own + np.array([settings.bonus.get(name, 0.0) for name in history.hospitals])
    _check_bonus(history, settings, own)
    if settings.own == "hospital" or settings.bonus:
        own = _rising(own, history.level_of, cases, score, keep_total=settings.own == "hospital" and not settings.bonus)
    return HospitalCoefficients(
        history, settings, pool, level_ratio, np.round(level, settings.digits), by_level[2].astype(np.int64), hospital_ratio,
        np.round(own, settings.digits), cases,
    )  # fmt: skip


def _check(history: ScoredHistory, settings: CoefficientSettings) -> None:
    problems = []
    known = set(np.unique(history.year).tolist())
    if settings.year_weights and known - set(settings.year_weights):
        years = ", ".join(map(str, sorted(known - set(settings.year_weights))))
        fix = text("weigh every year of the history, with 0 where it is to be left out")
        problems.append(Problem("coefficients-year", text("the years {years} have no weight", years=years), fix=fix))
    strangers = sorted(set(settings.bonus) - set(history.hospitals))
    if strangers:
        what = text("a bonus is stated for hospitals that have no cases: {names}", names=", ".join(strangers[:5]))
        problems.append(Problem("coefficients-bonus", what, fix=text("correct hospital_id")))
    if problems:
        raise InputError(problems)


def _check_bonus(history: ScoredHistory, settings: CoefficientSettings, own: Floats) -> None:
    """A hospital is paid by its coefficient: one of 0 or less, before pooling hides it, pays nothing or worse."""
    problems = [
        Problem(
            "coefficients-bonus",
            text(
                "the bonus {bonus:g} of {name} makes its coefficient {value:.4f}, not above 0",
                bonus=settings.bonus[name],
                name=name,
                value=value,
            ),
            fix=text("a bonus is added to the coefficient, such as 0.05 or -0.02"),
        )
        for name, value in zip(history.hospitals, own.tolist(), strict=True)
        if name in settings.bonus and round(value, settings.digits) <= 0
    ]
    if problems:
        raise InputError(problems)


def _rising(values: Floats, level: Ints, cases: NDArray[Any], score: NDArray[Any], keep_total: bool = True) -> Floats:
    """Values that never fall from a level to a higher one: sorted by level and value, pooled where they fall.

    Pooling is weighted by cases; afterwards all are scaled so that the sum of score x k stays, if ``keep_total``.
    """
    from sklearn.isotonic import IsotonicRegression

    known = ~np.isnan(values) & (cases > 0)
    if not known.any():
        return values
    places = np.flatnonzero(known)
    order = places[np.lexsort((values[places], level[places]))]
    fitted = IsotonicRegression().fit_transform(np.arange(order.size), values[order], sample_weight=cases[order])
    result = values.copy()
    result[order] = fitted
    if keep_total:
        result = result * (float((score * values)[known].sum()) / float((score * result)[known].sum()))
    return result


# -- tables ------------------------------------------------------------------------------------------------------------
def coefficient_tables(found: HospitalCoefficients) -> dict[str, pa.Table]:
    """Tables to write: ``coefficients.csv`` for ``settle --coefficients``; ``levels.csv`` and ``hospitals.csv`` say why."""
    history = found.history
    levels = [level for level, value in zip(history.levels, found.level, strict=True) if not np.isnan(value)]
    names = [name for name, value in zip(history.hospitals, found.hospital, strict=True) if not np.isnan(value)]
    known = [found.hospital[~np.isnan(found.hospital)], found.level[~np.isnan(found.level)]]
    size = len(names) + len(levels)
    table = pa.table({
        "hospital_id": pa.array([*names, *([None] * len(levels))], pa.string()),
        "level": pa.array([*([None] * len(names)), *levels], pa.string()),
        "group": pa.array([None] * size, pa.string()),
        "coefficient": np.concatenate(known),
    })  # fmt: skip
    of_levels = pa.table({
        "level": pa.array(history.levels, pa.string()), "cases": found.level_cases,
        "cost_per_score": _column(found.level_ratio * found.point_value, 6), "ratio": _column(found.level_ratio, 6),
        "coefficient": _column(found.level, 6), "pooled": _shared(found.level),
    })  # fmt: skip
    of_hospitals = pa.table({
        "hospital_id": pa.array(history.hospitals, pa.string()),
        "level": pa.array([history.levels[place] for place in history.level_of], pa.string()), "cases": found.hospital_cases,
        "cost_per_score": _column(found.hospital_ratio * found.point_value, 6), "ratio": _column(found.hospital_ratio, 6),
        "bonus": [found.settings.bonus.get(name, 0.0) for name in history.hospitals],
        "coefficient": _column(found.hospital, 6),
    })  # fmt: skip
    return {"coefficients.csv": table, "levels.csv": of_levels, "hospitals.csv": of_hospitals}


def _column(values: Floats, digits: int) -> pa.Array:
    return pa.array(np.round(values, digits), from_pandas=True)


def _shared(coefficient: Floats) -> list[bool]:
    """Whether a level was pooled with another, whose coefficient it then shares."""
    return [bool((coefficient == value).sum() > 1) for value in coefficient]
