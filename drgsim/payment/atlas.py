"""One case-mix under many policies (支付图谱): what each pays, and what makes the difference to a reference.

For every case under a policy, in fen:

    price     = relative weight x unit value            the common weights at the policy's price
    standard  = relative value x unit value x coefficient
    amount    = what the curve and the rules make of it

The difference of two policies is the sum of four parts over the cases that both pay, and of the cases that only one pays:
unit value, own weights, coefficient, curve and rules. The parts are sums of whole fen and add up to the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, MISSING, round_floats
from drgsim.payment.atlas_weights import COMMON, CommonWeights, known_share, own_values, weighed
from drgsim.payment.case_class import CLASSES, CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import BY_CURVE
from drgsim.payment.policy import Policy
from drgsim.payment.settlement import Settlement, settle_cases

Fen = NDArray[np.int64]
EFFECTS = ("unit_value", "weights", "coefficient", "curve", "coverage")
EFFECTS_ZH = {
    "unit_value": "费率或点值", "weights": "自有权重", "coefficient": "系数", "curve": "支付曲线与规则", "coverage": "覆盖病例",
}  # fmt: skip
LEAST_PRICE = 300.0  # yuan: no mean case costs less, so that a lower price is one of scores that no weight leads to
MOST = 0.9  # of the cases, for a policy to stand in the ranking before those that pay fewer
_SETTLE_ALONE = text("drgsim settle INPUT with --policy, and --budget or --unit-value")
_FIXES = {  # in the words of the atlas
    "settle-missing-level": text("give --hospitals hospitals.csv, or one --level for all cases"),
    "settle-missing-unit-value": _SETTLE_ALONE,
}
NEARLY_ALL = 0.99  # of the cases, for a policy to be the median


@dataclass(frozen=True)
class AtlasEntry:
    """The cases under one policy.

    Attributes
    ----------
    policy, weights, own_share
        The policy that paid, where relative values come from (``own`` or ``common``), and the share of the cases whose group
        its own table knows.
    settlement
        What each case is paid.
    steps
        (4, cases) fen: price at common weights, price at own relative values, standard, amount; 0 where unpaid.
    weight
        Common weight of each case, NaN where it has no group.
    """

    policy: Policy
    weights: str
    own_share: float
    settlement: Settlement
    steps: Fen
    weight: NDArray[np.float64]

    @property
    def paid(self) -> NDArray[np.bool_]:
        """Cases with an amount."""
        return np.asarray(self.settlement.amount != MISSING)

    @property
    def payment(self) -> int:
        """Fen paid in all."""
        return int(self.steps[3].sum())

    @property
    def reach(self) -> float:
        """Share of the cases that are paid."""
        return float(self.paid.mean()) if self.paid.size else 0.0

    def against(self, other: AtlasEntry) -> dict[str, int]:
        """Parts of the difference of the payments, fen, by :data:`EFFECTS`; they add up to it."""
        both = self.paid & other.paid
        own, others = self.steps[:, both].sum(axis=1), other.steps[:, both].sum(axis=1)
        apart = np.diff(own, prepend=0) - np.diff(others, prepend=0)
        coverage = int(self.steps[3, ~other.paid].sum()) - int(other.steps[3, ~self.paid].sum())
        return dict(zip(EFFECTS, [*(int(part) for part in apart), coverage], strict=True))

    def count(self, *classes: CaseClass) -> tuple[int, int]:
        """Cases of some classes and fen paid for them."""
        members = self.settlement.ledger.is_class(*classes) & self.paid
        return int(members.sum()), int(self.settlement.amount[members].sum())


def settle_everywhere(
    cases: Cases, policies: Sequence[Policy], common: CommonWeights, *, own: bool = True,
    progress: Callable[[float, int], None] | None = None,
) -> tuple[list[AtlasEntry], list[tuple[Policy, Problem]]]:  # fmt: skip
    """Settle the same cases under every policy that can pay them.

    Parameters
    ----------
    cases
        Read once; each policy has its own copy of faults and flags.
    policies
        The policies.
    common
        Weights for policies without a table that knows the cases.
    own
        Whether a policy's own table is used at all.
    progress
        Called after each policy with the share done and the number of policies done.

    Returns
    -------
    tuple
        The entries, the highest payment for the cost first, and the policies left out with the reason.
    """
    entries, left_out = [], []
    for number, policy in enumerate(policies, start=1):
        reason = _reason_against(policy)
        share = known_share(cases, own_values(policy)) if own and reason is None else 0.0
        used, source = weighed(policy, common, share) if reason is None else (policy, COMMON)
        if reason is None and source == COMMON:
            reason = _reason_against_weights(used)
        if reason is None:
            entry = _entry(cases, used, source, share, common)
            if entry.settlement.ledger.is_class(*BY_CURVE).any():
                entries.append(entry)
            else:
                reason = _reason_unpaid(entry)
        if reason is not None:
            left_out.append((policy, reason))
        if progress is not None:
            progress(number / len(policies), number)
    return sorted(entries, key=_rank), left_out


def _rank(entry: AtlasEntry) -> tuple[bool, float, str]:
    """Policies that leave many cases unpaid come last: their ratio is that of a few."""
    cost = int(entry.settlement.ledger.cost[entry.paid].sum())
    return entry.reach < MOST, -entry.payment / cost if cost else 0.0, entry.policy.id


def median_entry(entries: Sequence[AtlasEntry]) -> AtlasEntry:
    """The policy in the middle of those that pay nearly all cases, or of all where none does; entries in order of rank."""
    wide = [entry for entry in entries if entry.reach >= NEARLY_ALL] or list(entries)
    return wide[len(wide) // 2]


def _entry(cases: Cases, policy: Policy, source: str, share: float, common: CommonWeights) -> AtlasEntry:
    settlement = settle_cases(replace(cases.fresh(), problems=[]), policy)
    return AtlasEntry(policy, source, share, settlement, _steps(settlement, source, common), common.of_cases(cases))


def _steps(settlement: Settlement, source: str, common: CommonWeights) -> Fen:
    """Price at common weights, price at own values, standard and amount of each case; equal where a step is not known."""
    ledger = settlement.ledger
    terms, file = ledger.terms, ledger.policy.file
    paid = settlement.amount != MISSING
    own, _ = round_floats(terms.relative_value * terms.unit_value * FEN_PER_YUAN)
    price, scale = own, file.relative_value.scale.value
    if source != COMMON and _prices_weights(ledger.policy):
        unit_value = np.where(np.isnan(terms.published), terms.unit_value, np.nan)  # a published standard implies its own
        at_common, _ = round_floats(common.of_cases(ledger.cases) * scale * unit_value * FEN_PER_YUAN)
        price = np.where(at_common == MISSING, own, at_common)
    amount = np.where(paid, settlement.amount, 0)
    own = np.where(own == MISSING, amount, own)
    price = np.where(price == MISSING, own, price)
    standard = np.where(ledger.standard == MISSING, own, ledger.standard)
    return np.where(paid, np.stack([price, own, standard, amount]), 0)


def _prices_weights(policy: Policy) -> bool:
    """Whether weights times the policy's scale are units of its price."""
    values = policy.file.unit_value.values.values() if policy.file.unit_value is not None else ()
    usual = max(values, default=0.0) * policy.file.relative_value.scale.value
    return usual >= LEAST_PRICE and not policy.file.reference.prices


def _reason_against(policy: Policy) -> Problem | None:
    """Why a policy cannot pay groups of DRG at prices of its own."""
    file = policy.file
    if file.method == "dip":
        what = text("it pays DIP kinds, and the cases are grouped by DRG")
        return Problem("atlas-other-units", what, fix=text("drgsim dip group INPUT, then drgsim settle with --policy"))
    if not file.by_groups:
        what = text("it pays every case by method {method}, whatever its group", method=file.method)
        return Problem("atlas-no-groups", what, fix=text("drgsim settle INPUT with --policy"))
    if file.unit_value is None and not _has_standards(policy):
        return Problem("atlas-no-price", text("it states no unit value; the price follows from a budget"), fix=_SETTLE_ALONE)
    return None


def _has_standards(policy: Policy) -> bool:
    return policy.file.relative_value.standard_from_table


def _reason_against_weights(policy: Policy) -> Problem | None:
    if policy.file.unit_value is None:
        what = text("its price stands in the standards of its own groups, which these cases are not of")
        return Problem(
            "atlas-no-price", what, fix=text("group the cases by {scheme}", scheme=policy.file.scheme or text("its scheme"))
        )
    if not policy.file.reference.prices and not _prices_weights(policy):
        what = text("its scores are no multiple of a weight that is stated, and its table does not know the cases")
        return Problem("atlas-no-scale", what, fix=_SETTLE_ALONE)
    return None


def _reason_unpaid(entry: AtlasEntry) -> Problem:
    """The fault that most cases have under a policy that pays none."""
    cases = entry.settlement.ledger.cases
    found = np.bincount(cases.faults[cases.faults >= 0], minlength=len(cases.fault_words))
    if not found.any():
        return Problem("atlas-nothing-paid", text("no case is paid"))
    words = cases.fault_words[int(found.argmax())]
    problem = next(problem for problem in entry.settlement.problems if problem.what.endswith(f"are not paid: {words}"))
    return replace(problem, fix=_FIXES[problem.code]) if problem.code in _FIXES else problem


def class_counts(entry: AtlasEntry) -> dict[str, tuple[int, int]]:
    """Cases and fen by how cases are paid: normal, high, low, other."""
    named = {name: (CaseClass(name),) for name in ("normal", "high", "low")}
    rest = tuple(name for name in CLASSES if name not in named and name is not CaseClass.UNPAID)
    return {name: entry.count(*classes) for name, classes in {**named, "other": rest}.items()}
