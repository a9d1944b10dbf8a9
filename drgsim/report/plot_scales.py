"""Scales of the axes of a plot: from values to pixels, and the round values at which an axis has its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

_STEPS = (1, 2, 2.5, 5, 10)  # marks are at round multiples of these
LEAST_LOG = 1e-9


@dataclass(frozen=True)
class PlotScale:
    """From a value to its place, in pixels from the axis' beginning."""

    low: float
    high: float
    length: float
    log: bool
    count: int = 0

    @classmethod
    def of(cls, axis: Any, values: Sequence[float], length: float, room: float) -> PlotScale:
        """The scale of an axis for what is drawn; ``room`` is the share that is kept free at ends that are not given."""
        if axis.names:
            return cls(-0.5, len(axis.names) - 0.5, length, False, len(axis.names))
        values = [value for value in values if value > 0] if axis.log else list(values)
        values += [0.0] if axis.zero and not axis.log else []
        low, high = min(values, default=0.0 if not axis.log else 1.0), max(values, default=1.0 if not axis.log else 10.0)
        low, high = (low if axis.low is None else axis.low), (high if axis.high is None else axis.high)
        if axis.log:
            span = (log10(high) - log10(low)) or 1.0
            low = low if axis.low is not None else 10 ** (log10(low) - room * span)
            return cls(low, high if axis.high is not None else 10 ** (log10(high) + room * span), length, True)
        span = (high - low) or abs(high) or 1.0
        if axis.low is None and low != 0.0:
            low -= room * span
        if axis.high is None and high != 0.0:
            high += room * span
        return cls(low, high if high > low else low + span, length, False)

    def at(self, value: float) -> float:
        """Pixels of a value."""
        if self.log:
            low, high = log10(self.low), log10(self.high)
            return self.length * (log10(max(value, LEAST_LOG)) - low) / ((high - low) or 1.0)
        return self.length * (value - self.low) / (self.high - self.low)

    def marks(self, most: int) -> list[float]:
        """Round values, at most about so many."""
        if self.count:
            step = ceil(self.count / max(most, 1))
            return [float(place) for place in range(0, self.count, step)]
        return _log_marks(self.low, self.high, most) if self.log else _marks(self.low, self.high, most)


def _marks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most, 1)
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def _log_marks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten; with 2 and 5 between them where there are few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power
            for power in powers
            for factor in factors
            if low * 0.999 <= factor * 10.0**power <= high * 1.001
        ]
        if len(found) <= most:
            return found
    return found[:: ceil(len(found) / max(most, 1))]
