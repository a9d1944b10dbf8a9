"""The date of discharge against a day on which something begins or ends."""

from __future__ import annotations

from datetime import date
from typing import Literal

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


def periods_of(days: NDArray[np.int64], unit: Literal["M", "Y"]) -> NDArray[np.int64]:
    """Months or years since 1970 in which days lie (days since 1970); 0 where a day is not known.

    Examples
    --------
    >>> periods_of(np.array([31, MISSING]), "M"), periods_of(np.array([400, MISSING]), "Y")
    (array([1, 0]), array([1, 0]))
    """
    known = np.where(days == MISSING, 0, days).astype("datetime64[D]")
    return known.astype(f"datetime64[{unit}]").astype(np.int64)


def number_of(day: date) -> int:
    """Days since 1970.

    Examples
    --------
    >>> number_of(date(1970, 1, 11))
    10
    """
    return day.toordinal() - date(1970, 1, 1).toordinal()
