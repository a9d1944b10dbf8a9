"""Incomplete stays (住院过程不完整) have a curve of their own."""

from __future__ import annotations

import numpy as np

from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import Stays
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage


def point_to_curve(ledger: Ledger) -> None:
    """Point incomplete stays to their curve."""
    spec, terms = ledger.policy.file.stays, ledger.terms
    if spec.incomplete_curve is None:
        return
    row = ledger.lookup.rows_of(spec.incomplete_curve, terms.relative_value, terms.coefficient)
    terms.row = np.where(_incomplete(spec, ledger.cases) & ledger.open_cases, row, terms.row).astype(np.int32)


def _incomplete(spec: Stays, cases: Cases) -> Mask:
    """Stays that are marked, or that ended in one of the ways that the policy names."""
    ways = () if spec.incomplete_ways is None else spec.incomplete_ways.value
    return np.asarray(cases.flags["incomplete"] | np.isin(cases.discharge_way, ways))


def _repricing(policy: Policy, cases: Cases) -> Repricing:
    """Cases of one group have two curves as soon as one of them is incomplete."""
    spec = policy.file.stays
    differs = spec.incomplete_curve is not None and _incomplete(spec, cases).any()
    return Repricing.REFUSED if differs else Repricing.KEPT


RULE = Rule(
    "incomplete_stay", "incomplete stays", "住院过程不完整", Stage.TERMS, point_to_curve, reads=("stays", "curves"),
    columns=("incomplete", "discharge_way"), classes=(CaseClass.INCOMPLETE,), repricing=_repricing,
)  # fmt: skip
