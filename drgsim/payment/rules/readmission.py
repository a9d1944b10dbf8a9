"""Readmission (再入院): the stay after which the same patient came back in the same group counts less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept
from drgsim.records.vocabulary import INSURANCES


def halve_readmitted(ledger: Ledger) -> None:
    """Multiply the factor of a stay after which the same patient came back in the same group, to the same hospital or any.

    A stay counts as followed when a later one of the same patient and group, in the policy's scope, was admitted 0 to
    ``within_days`` days after its discharge and was not planned. Records that are refused, and stays that the patient pays, do
    not count.
    """
    spec, cases = ledger.policy.file.readmission, ledger.cases
    if spec is None:
        return
    paid = (cases.faults < 0) & (cases.insurance != INSURANCES.index("self"))
    anywhere = spec.scope is not None and spec.scope.value == "region"
    followed = stays_followed(cases, spec.within_days.value, spec.except_groups, paid, anywhere)
    if not followed.size:
        return
    ledger.terms.factor = ledger.terms.factor.copy()
    ledger.terms.factor[followed] *= spec.factor.value
    where = np.zeros(cases.size, np.bool_)
    where[followed] = True
    cases.warn(
        "settle-readmission",
        where & ledger.open_cases,
        text(
            "the patient came back within {days} days in the same group; the points of the earlier stay count {factor:g}",
            days=spec.within_days.value,
            factor=spec.factor.value,
        ),
        text("mark returns that were planned in the column planned"),
    )


def stays_followed(
    cases: Cases, within: int, except_groups: tuple[str, ...] = (), among: Mask | None = None, anywhere: bool = False
) -> NDArray[np.int64]:
    """Places of the stays after which the same patient came back, unplanned, in the same group.

    Parameters
    ----------
    within
        Days from discharge to the next admission, at most.
    except_groups
        Beginnings of groups that do not count.
    among
        Records that are looked at; the others are neither followed nor returns. Default: all.
    anywhere
        Whether a return to another hospital counts; else only to the same one.
    """
    known = (cases.patient.ids >= 0) & (cases.admitted != MISSING) & (cases.discharged != MISSING) & (cases.unit.ids >= 0)
    if among is not None:
        known &= among
    if except_groups:
        excepted = np.array([code.startswith(except_groups) for code in cases.unit.values] + [False])
        known &= ~excepted[cases.unit.ids]
    places = np.flatnonzero(known)
    if not places.size:
        return places
    hospital = np.zeros_like(cases.hospital.ids) if anywhere else cases.hospital.ids
    order = places[
        np.lexsort((
            cases.money["total_cost"][places], cases.discharged[places], cases.admitted[places], cases.unit.ids[places],
            hospital[places], cases.patient.ids[places],
        ))
    ]  # fmt: skip
    return _followed(cases, order, within, hospital)


def _followed(cases: Cases, order: NDArray[np.int64], within: int, hospital: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of cases in the order of patient, hospital, group and admission: those with an unplanned return.

    For each case the first later admission on or after its discharge is looked up among the unplanned ones.
    """
    keys = np.stack([cases.patient.ids[order], hospital[order], cases.unit.ids[order]])
    family = np.r_[0, np.cumsum((keys[:, 1:] != keys[:, :-1]).any(axis=0))].astype(np.int64)
    admitted, discharged = cases.admitted[order], cases.discharged[order]
    first = int(min(admitted.min(), discharged.min()))
    width = int(max(admitted.max(), discharged.max())) - first + 1
    returns = np.flatnonzero(~cases.flags["planned"][order])
    if not returns.size:
        return returns
    own = np.arange(order.size)
    place = np.searchsorted(family[returns] * width + admitted[returns] - first, family * width + discharged - first)
    place = np.maximum(place, np.searchsorted(returns, own, side="right"))  # a stay of one day does not follow itself
    there = place < returns.size
    later = returns[np.where(there, place, 0)]
    back = there & (family[later] == family) & (admitted[later] - discharged <= within)
    return np.asarray(order[back])


RULE = Rule(
    "readmission", "readmission", "再入院", Stage.TERMS, halve_readmitted, reads=("readmission",),
    columns=("patient_id", "hospital_id", "admitted", "discharged", "planned", "insurance"), repricing=kept,
)  # fmt: skip
