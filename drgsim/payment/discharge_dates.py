"""The date of discharge against a day on which something begins or ends."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases

Mask = NDArray[np.bool_]


def before(cases: Cases, day: date | None) -> Mask:
    """Where a case was discharged before a day; never where either is not known."""
    if day is None:
        return np.zeros(cases.size, np.bool_)
    return np.asarray((cases.discharged != MISSING) & (cases.discharged < number_of(day)))


def after(cases: Cases, day: date | None) -> Mask:
    """Where a case was discharged after a day; never where either is not known."""
    if day is None:
        return np.zeros(cases.size, np.bool_)
    return np.asarray((cases.discharged != MISSING) & (cases.discharged > number_of(day)))


def number_of(day: date) -> int:
    """Days since 1970.

    Examples
    --------
    >>> number_of(date(1970, 1, 11))
    10
    """
    return day.toordinal() - date(1970, 1, 1).toordinal()
