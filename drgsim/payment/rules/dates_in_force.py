"""When a policy and its values are in force: what is settled outside its dates is counted and said."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.discharge_dates import after, before
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage

# sections whose values decide what a case is paid, whatever its date; special review and exempt payment look at the date
IN_EVERY_CASE = (
    "relative_value", "unit_value", "reference", "coefficient", "curves", "group_classes", "ambiguous", "ungrouped",
    "age_factors", "stays", "readmission", "unstable", "per_diem", "single_disease", "extreme_cap", "patient_share",
)  # fmt: skip


def check_dates(ledger: Ledger) -> None:
    """Count the cases that lie outside the dates of the policy or of a value that is applied to them."""
    cases, file = ledger.cases, ledger.policy.file
    payable = cases.faults < 0
    dated = file.effective_from is not None or any(entry.own_start for entry in ledger.policy.parameters)
    if not dated:
        return
    undated = payable & (cases.discharged == MISSING)
    cases.warn(
        "settle-no-date",
        undated,
        text("there is no date of discharge: whether the policy's values were in force is not known"),
        text("state discharged"),
    )
    cases.warn(
        "settle-before-policy",
        payable & before(cases, file.effective_from),
        text(
            "discharged before {start}, when {policy} came into force; settled as if it had been",
            start=file.effective_from,
            policy=file.id,
        ),
        text("choose the policy of that year, or leave these cases out"),
    )
    end = file.effective_to
    if end is None and file.effective_from is not None:
        first = file.effective_from
        end = first.replace(year=first.year + 1, day=min(first.day, 28)) - timedelta(days=1)
    beyond = payable & after(cases, end)
    known = text("the end of the first year of {policy}; whether it still held then is not stated", policy=file.id)
    if file.effective_to is not None:
        known = text("when {policy} ended", policy=file.id)
    cases.warn(
        "settle-after-policy",
        beyond,
        text("discharged after {end}, {known}", end=end, known=known),
        text("choose the policy of that year"),
    )
    _check_values(ledger, payable)


def _check_values(ledger: Ledger, payable: NDArray[np.bool_]) -> None:
    """Count the cases that lie outside the dates of a single value."""
    cases, file = ledger.cases, ledger.policy.file
    paths = {parameter.path for parameter in ledger.policy.parameters}
    for parameter in ledger.policy.parameters:
        path, dot, number = parameter.path.partition(".earlier.")
        older = f"{path}.earlier.{int(number) + 1 if dot else 0}"
        if not path.startswith(IN_EVERY_CASE) or older in paths:  # the date of discharge chooses the older value
            continue
        outside = payable & (before(cases, parameter.own_start) & ~before(cases, file.effective_from))
        cases.warn(
            "settle-before-value",
            outside,
            text(
                "discharged before {path} came into force on {start}; applied all the same",
                path=path,
                start=parameter.own_start,
            ),
            text("state what held before under {section}, or choose another policy", section=path.split(".")[0]),
        )
        ended = payable & after(cases, parameter.own_end)
        cases.warn(
            "settle-after-value",
            ended,
            text("discharged after {path} ended on {end}; applied all the same", path=path, end=parameter.own_end),
        )


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Values that the day of discharge chooses differ between cases of one group."""
    return Repricing.REFUSED if _has_earlier(policy.file) else Repricing.KEPT


def _has_earlier(node: object) -> bool:
    if isinstance(node, BaseModel):
        return bool(getattr(node, "earlier", ())) or any(_has_earlier(value) for value in node.__dict__.values())
    if isinstance(node, dict):
        return any(_has_earlier(value) for value in node.values())
    return isinstance(node, list | tuple) and any(_has_earlier(value) for value in node)


RULE = Rule(
    "dates_in_force", "dates in force", "生效日期", Stage.TERMS, check_dates,
    reads=IN_EVERY_CASE, columns=("discharged",), repricing=_repricing,
)  # fmt: skip
