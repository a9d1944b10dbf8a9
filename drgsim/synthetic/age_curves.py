"""Curves of age: weights by band of years, named ones and those that a disease states itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NEWBORN_DAYS = 28


@dataclass(frozen=True)
class AgeBand:
    """Ages from ``low`` to ``high`` in completed years with a weight; ``newborn``: the first 28 days of life."""

    low: int
    high: int
    weight: float
    newborn: bool = False


def band_edges(band: str) -> tuple[int, int]:
    """First and last year of a band.

    Examples
    --------
    >>> band_edges("30-44"), band_edges("5")
    ((30, 44), (5, 5))
    """
    low, _, high = band.partition("-")
    return int(low), int(high or low)


def age_bands(curve: Mapping[str, float], newborn: bool = False) -> tuple[AgeBand, ...]:
    """The bands of a curve with a weight above 0; ``newborn``: the whole curve is about the first 28 days.

    Examples
    --------
    >>> age_bands({"newborn": 1, "0": 2, "1-4": 0, "5-9": 3})[-1]
    AgeBand(low=5, high=9, weight=3, newborn=False)
    """
    bands = []
    for band, weight in curve.items():
        first = newborn or band == "newborn"
        low, high = (0, 0) if first else band_edges(band)
        if weight > 0:
            bands.append(AgeBand(low, high, weight, first))
    return tuple(bands)


def typical_age(bands: tuple[AgeBand, ...]) -> float:
    """Median of a curve in years, ages spread evenly within bands.

    Examples
    --------
    >>> typical_age(age_bands({"20-29": 1, "30-39": 1, "40-49": 1}))
    35.0
    """
    half, passed = sum(band.weight for band in bands) / 2, 0.0
    for band in sorted(bands, key=lambda each: each.low):
        if passed + band.weight >= half:
            return band.low + (half - passed) / band.weight * (band.high - band.low + 1)
        passed += band.weight
    return float(bands[-1].high)


# shapes that every folder of priors knows; people.yaml may state them otherwise
USUAL_CURVES: dict[str, dict[str, float]] = {
    "newborn": {"newborn": 1},
    "infant": {"0": 1},
    "child": {"0": 1, "1-3": 4, "4-6": 3, "7-12": 2.5, "13-16": 0.8},
    "child_mixed": {"0": 0.8, "1-3": 3, "4-6": 2.4, "7-14": 2, "15-40": 1.2, "41-64": 1.8, "65-90": 2.2},
    "any_mixed": {"0": 0.2, "1-6": 1, "7-17": 1, "18-40": 2.5, "41-64": 4, "65-92": 3.5},
    "young_mixed": {"5-17": 1.6, "18-40": 4, "41-64": 3, "65-85": 1.2},
    "young": {"15-17": 0.3, "18-29": 3, "30-44": 4, "45-55": 1},
    "mother": {"18-24": 1.6, "25-29": 4, "30-34": 3.4, "35-39": 1.2, "40-45": 0.3},
    "women": {"20-29": 2, "30-39": 3, "40-49": 3, "50-55": 1},
    "adult": {"15-17": 0.1, "18-29": 1, "30-44": 2.5, "45-59": 4, "60-74": 3.2, "75-90": 1},
    "adult_mixed": {"15-17": 0.1, "18-29": 1, "30-44": 2, "45-59": 4, "60-74": 4, "75-90": 2},
    "older": {"30-44": 0.7, "45-54": 2, "55-64": 3.6, "65-74": 4, "75-84": 2.2, "85-95": 0.5},
    "elder": {"45-54": 0.7, "55-64": 2.2, "65-74": 4, "75-84": 3.6, "85-98": 1.2},
}
