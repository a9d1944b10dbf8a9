"""The cap on high cases (高倍率占比上限): of a hospital's high cases only a share of its discharges keeps the high payment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import MISSING, exact
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def cap_extremes(ledger: Ledger) -> None:
    """Pay the standard to high cases beyond the share, the largest excess staying in."""
    spec = ledger.policy.file.extreme_cap
    high = ledger.is_class(CaseClass.HIGH) & (ledger.standard != MISSING)
    if spec is None or not high.any():
        return
    hospital = ledger.cases.hospital.ids
    sound = ledger.cases.faults < 0
    discharges = np.bincount(hospital[sound] + 1, None if ledger.weight is None else ledger.weight[sound])
    beyond = np.zeros(ledger.cases.size, np.bool_)
    for number in np.unique(hospital[high]):
        places = np.flatnonzero(high & (hospital == number))
        quota = int(exact(spec.value) * int(discharges[number + 1]))
        if ledger.discharges(high & (hospital == number)) > quota:
            beyond[places] = True
            beyond[rank_by_excess(ledger, places, quota)] = False
    ledger.decide(
        beyond,
        CaseClass.HIGH,
        text("high, beyond {share:.3%} of the hospital's discharges by excess: the standard", share=spec.value),
    )
    ledger.pay_standard(beyond)


def rank_by_excess(ledger: Ledger, places: NDArray[np.int64], quota: int) -> NDArray[np.int64]:
    """The ``quota`` cases with the largest cost above the standard.

    Equal ones are served by cost, group, hospital and discharge_id, so that the order of the cases never matters. A case that
    stands for several discharges takes as many places; it is in when all of them are.
    """
    cases, cost = ledger.cases, ledger.cost[places]
    excess = cost - ledger.standard[places]
    names = [np.array([*texts.values, ""])[texts.ids[places]] for texts in (cases.unit, cases.hospital)]
    ids = np.array(cases.ids.take(places).to_pylist()).astype(str)
    ranked = places[np.lexsort((ids, *reversed(names), -cost, -excess))]
    if ledger.weight is None:
        return ranked[: max(quota, 0)]
    return ranked[np.cumsum(ledger.weight[ranked]) <= quota]


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Who stays in depends on the other cases of the hospital."""
    return Repricing.KEPT if policy.file.extreme_cap is None else Repricing.REFUSED


RULE = Rule(
    "extreme_cap", "cap on high cases", "高倍率占比上限", Stage.AFTER_CURVE, cap_extremes, reads=("extreme_cap",),
    columns=("hospital_id",), classes=(CaseClass.HIGH,), repricing=_repricing,
)  # fmt: skip
