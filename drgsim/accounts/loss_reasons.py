"""Why single cases lose: high, low, no plain group, coding, a long stay, one category of cost that is dear."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.account_limits import account_limits
from drgsim.accounts.cost_categories import CategoryCosts
from drgsim.accounts.hospital_sums import HospitalCases
from drgsim.accounts.reference_groups import ReferenceGroups, mean_of
from drgsim.accounts.settled_cases import Mask, SettledCases
from drgsim.language import Text, term
from drgsim.money import MISSING, exact_sum, money_column
from drgsim.payment.case_class import CaseClass
from drgsim.payment.rules.no_group import is_group
from drgsim.records.arrow import distinct_texts, one_chunk, to_text


class LossReason(StrEnum):
    """Why a case loses; a case may have several."""

    HIGH = "high"
    LOW = "low"
    NO_GROUP = "no_group"
    CODING = "coding"
    LONG_STAY = "long_stay"
    DEAR_CATEGORY = "dear_category"
    OTHER = "other"


TITLES: dict[LossReason, Text] = {
    LossReason.HIGH: term("why a case loses", "costs far above the standard (high case)"),
    LossReason.LOW: term("why a case loses", "paid as a low case"),
    LossReason.NO_GROUP: term("why a case loses", "no plain group (ungrouped or QY)"),
    LossReason.CODING: term("why a case loses", "doubts about the coding"),
    LossReason.LONG_STAY: term("why a case loses", "long stay"),
    LossReason.DEAR_CATEGORY: term("why a case loses", "one category of cost is dear"),
    LossReason.OTHER: term("why a case loses", "none of these: costs above the standard"),
}
REASONS = tuple(LossReason)
# doubts about the record that may have moved its group; others, such as odd dates, move none
_OF_CODES = (
    "principal_unknown_code", "principal_grey_code", "other_diagnosis_unknown", "other_diagnosis_grey", "procedure_unknown",
    "principal_procedure_grey", "principal_procedure_missing", "other_procedure_grey", "age_conflict",
)  # fmt: skip


@dataclass(frozen=True)
class Losses:
    """Cases of a hospital that cost more than they bring.

    Attributes
    ----------
    where
        Which of all settled cases.
    reasons
        (reasons, cases) for all settled cases; meaningful where they lose.
    dear
        Place of the category of cost that is dearest against the group's mean, -1 where none is dear.
    """

    where: Mask
    reasons: NDArray[np.bool_]
    dear: NDArray[np.int8]

    def codes(self, case: int) -> list[LossReason]:
        """Reasons of one case."""
        return [reason for place, reason in enumerate(REASONS) if self.reasons[place, case]]


def losses_of(hospital: HospitalCases, reference: ReferenceGroups, costs: CategoryCosts) -> Losses:
    """The losing cases of a hospital with their reasons."""
    cases = hospital.cases
    margin = cases.margin
    where = hospital.own & (margin != MISSING) & (margin < 0)
    dear = dear_category(cases, costs)
    found = {
        LossReason.HIGH: cases.settlement.ledger.is_class(CaseClass.HIGH),
        LossReason.LOW: cases.settlement.ledger.is_class(CaseClass.LOW),
        LossReason.NO_GROUP: without_group(cases),
        LossReason.CODING: doubtful_coding(cases),
        LossReason.LONG_STAY: long_stays(cases, reference),
        LossReason.DEAR_CATEGORY: dear >= 0,
    }
    known = np.stack([found[reason] for reason in REASONS[:-1]])
    return Losses(where, np.vstack([known, ~known.any(axis=0)]), dear)


def without_group(cases: SettledCases) -> Mask:
    """Cases without a group, or with an ambiguous one."""
    return np.array([not is_group(code) for code in cases.group.values] + [True])[cases.group.ids]


def doubtful_coding(cases: SettledCases) -> Mask:
    """Cases of which grouping noted a doubt about codes."""
    if "warnings" not in cases.table.column_names:
        return np.zeros(cases.size, np.bool_)
    texts, at = distinct_texts(to_text(one_chunk(cases.table, "warnings"), "warnings").cast(pa.string()))
    doubts = np.array([bool(set((words or "").split("|")) & {*_OF_CODES}) for words in texts] + [False])
    return np.asarray(doubts[at])


def long_stays(cases: SettledCases, reference: ReferenceGroups) -> Mask:
    """Stays that are long for their group, or beyond the days that many regions pay outside the groups."""
    limits = account_limits()
    mean = reference.steady.days[cases.group.ids]
    with np.errstate(invalid="ignore"):
        return np.asarray((cases.days > limits.long_stay_multiple.value * mean) | (cases.days > limits.long_stay_days.value))


def dear_category(cases: SettledCases, costs: CategoryCosts) -> NDArray[np.int8]:
    """The category in which a case lies furthest above the mean of its group, in yuan, where that is a multiple of it."""
    limits = account_limits()
    excess, which = np.zeros(cases.size), np.full(cases.size, -1, np.int8)
    everyone = np.ones(cases.size, np.bool_)
    for place in range(len(costs.categories)):
        fen = costs.fen[place].astype(np.float64)
        mean = mean_of(fen, cases.group, everyone, limits.reference_cases.value)[cases.group.ids]
        over = np.where(fen > limits.dear_category_multiple.value * mean, fen - mean, 0.0)
        which = np.where(over > excess, place, which).astype(np.int8)
        excess = np.maximum(excess, over)
    return which


def reason_table(losses: Losses, cases: SettledCases) -> pa.Table:
    """Losing cases and what they lose by reason; a case with several reasons stands under each, ``all`` counts it once."""
    rows = [*(losses.where & losses.reasons[place] for place in range(len(REASONS))), losses.where]
    return pa.table({
        "reason": [*map(str, REASONS), "all"],
        "cases": [int(row.sum()) for row in rows],
        "loss": money_column(np.array([exact_sum(cases.margin[row]) for row in rows], np.int64)),
    })  # fmt: skip
