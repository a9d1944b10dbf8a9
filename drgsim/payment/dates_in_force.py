"""When a policy and its values are in force: what is settled outside its dates is counted and said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drgsim.money import MISSING

if TYPE_CHECKING:
    from drgsim.payment.grouped_cases import Cases
    from drgsim.payment.ledger import Ledger

Mask = NDArray[np.bool_]
# sections whose values decide what a case is paid, whatever its date; special review and exempt payment look at the date
IN_EVERY_CASE = (
    "relative_value", "unit_value", "reference", "coefficient", "curves", "group_classes", "ambiguous", "ungrouped",
    "age_factors", "stays", "readmission", "unstable", "per_diem", "single_disease", "extreme_cap", "patient_share",
)  # fmt: skip


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


def check_dates(ledger: Ledger) -> None:
    """Count the cases that lie outside the dates of the policy or of a value that is applied to them."""
    cases, file = ledger.cases, ledger.policy.file
    payable = cases.faults < 0
    dated = file.effective_from is not None or any(entry.own_start for entry in ledger.policy.parameters)
    if not dated:
        return
    undated = payable & (cases.discharged == MISSING)
    cases.warn(
        "settle-no-date", undated, "there is no date of discharge: whether the policy's values were in force is not known",
        "state discharged",
    )  # fmt: skip
    cases.warn(
        "settle-before-policy", payable & before(cases, file.effective_from),
        f"discharged before {file.effective_from}, when {file.id} came into force; settled as if it had been",
        "choose the policy of that year, or leave these cases out",
    )  # fmt: skip
    end = file.effective_to
    if end is None and file.effective_from is not None:
        first = file.effective_from
        end = first.replace(year=first.year + 1, day=min(first.day, 28)) - timedelta(days=1)
    beyond = payable & after(cases, end)
    known = f"when {file.id} ended" if file.effective_to is not None else f"the end of the first year of {file.id}; whether it "
    known += "" if file.effective_to is not None else "still held then is not stated"
    cases.warn("settle-after-policy", beyond, f"discharged after {end}, {known}", "choose the policy of that year")
    paths = {parameter.path for parameter in ledger.policy.parameters}
    for parameter in ledger.policy.parameters:
        path, dot, number = parameter.path.partition(".earlier.")
        older = f"{path}.earlier.{int(number) + 1 if dot else 0}"
        if not path.startswith(IN_EVERY_CASE) or older in paths:  # the date of discharge chooses the older value
            continue
        outside = payable & (before(cases, parameter.own_start) & ~before(cases, file.effective_from))
        cases.warn(
            "settle-before-value", outside, f"discharged before {path} came into force on {parameter.own_start}; applied all "
            "the same", f"state what held before under {path.split('.')[0]}, or choose another policy",
        )  # fmt: skip
        ended = payable & after(cases, parameter.own_end)
        cases.warn("settle-after-value", ended, f"discharged after {path} ended on {parameter.own_end}; applied all the same")
