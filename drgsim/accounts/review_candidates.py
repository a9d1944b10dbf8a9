"""Cases that a hospital may put forward for special review (特例单议), with the dossier of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.accounts.account_limits import account_limits
from drgsim.accounts.cost_categories import CategoryCosts
from drgsim.accounts.hospital_sums import HospitalCases
from drgsim.accounts.listed_cases import dearest_first
from drgsim.accounts.loss_reasons import Losses
from drgsim.accounts.reference_groups import ReferenceGroups, mean_of
from drgsim.money import FEN_PER_YUAN, MISSING, exact
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import BY_CURVE

MOST = 200


@dataclass(frozen=True)
class ReviewCandidates:
    """Cases for special review, the largest excess first.

    Attributes
    ----------
    places
        Of the cases among the settled ones.
    quota, quota_share
        How many cases the quota admits, and its share of the discharges.
    from_policy
        Whether the policy states the quota; else it is an assumption.
    eligible
        How many cases meet the criteria, the quota apart.
    """

    places: NDArray[np.int64]
    quota: int
    quota_share: float
    from_policy: bool
    eligible: int


@dataclass(frozen=True)
class CategoryLine:
    """One line of a dossier's costs: yuan of the case, mean of the group (None where unknown)."""

    category: int
    cost: float
    mean: float | None


def review_candidates(hospital: HospitalCases, losses: Losses, reference: ReferenceGroups) -> ReviewCandidates:
    """Insured cases settled by the curve that cost more than they bring and lie far above the standard or stayed long."""
    cases, limits = hospital.cases, account_limits()
    ledger = cases.settlement.ledger
    standard = ledger.standard
    priced = ledger.is_class(*BY_CURVE, CaseClass.EXEMPT) & (standard != MISSING)
    far = priced & (cases.cost > limits.review_cost_multiple.value * np.where(priced, standard, 0).astype(np.float64))
    with np.errstate(invalid="ignore"):
        long = cases.days > limits.long_stay_multiple.value * reference.steady.days[cases.group.ids]
    eligible = np.flatnonzero(losses.where & priced & (far | ledger.is_class(CaseClass.HIGH) | long))
    spec = ledger.policy.file.special_review
    share = spec.quota.value if spec is not None else limits.review_quota.value
    payable = hospital.own & (ledger.cases.faults < 0) & ~ledger.is_class(CaseClass.SELF_PAY)
    quota = int(exact(share) * int(payable.sum()))
    places = dearest_first(cases, eligible, cases.margin[eligible], min(quota, MOST)) if quota else eligible[:0]
    return ReviewCandidates(places, quota, float(share), spec is not None, int(eligible.size))


def dossier_costs(hospital: HospitalCases, costs: CategoryCosts, places: NDArray[np.int64]) -> list[list[CategoryLine]]:
    """Costs of some cases by category beside the mean of their group among all settled cases, where these are enough."""
    cases = hospital.cases
    everyone, least = np.ones(cases.size, np.bool_), account_limits().reference_cases.value
    means = [
        mean_of(fen.astype(np.float64), cases.group, everyone, least)[cases.group.ids[places]] / FEN_PER_YUAN
        for fen in costs.fen
    ]
    return [
        [
            CategoryLine(place, float(costs.fen[place, case] / FEN_PER_YUAN), None if np.isnan(mean[row]) else float(mean[row]))
            for place, mean in enumerate(means)
        ]
        for row, case in enumerate(places.tolist())
    ]
