"""The accounts of a hospital: revenue, cost and margin, who loses and why, what the records and one more CC are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from drgsim.accounts.account_limits import account_limits
from drgsim.accounts.category_accounts import category_table
from drgsim.accounts.coding_work import CodingWork, coding_work
from drgsim.accounts.cost_categories import CategoryCosts, category_costs
from drgsim.accounts.hospital_sums import HospitalCases, HospitalSums, cases_of_hospital
from drgsim.accounts.listed_cases import Places, dearest_first, listed_columns
from drgsim.accounts.loss_reasons import Losses, losses_of, reason_table
from drgsim.accounts.record_texts import RecordTexts, record_texts
from drgsim.accounts.reference_groups import ReferenceGroups, reference_of_cases, reference_of_file
from drgsim.accounts.review_candidates import ReviewCandidates, review_candidates
from drgsim.accounts.settled_cases import SettledCases
from drgsim.accounts.severity_steps import worth_of_steps
from drgsim.engines.grouper_of import means_dip
from drgsim.units.schemes.pack import load_scheme

MOST_CASES = 500  # single cases in the list of losses


@dataclass(frozen=True)
class HospitalAccounts:
    """Figures of one hospital.

    Attributes
    ----------
    hospital
        Its cases among all settled ones.
    reference
        What it is compared with.
    sums
        Sums by group, department, doctor, month, payer and class.
    losses
        Losing cases with their reasons.
    costs
        Costs by category.
    """

    hospital: HospitalCases
    reference: ReferenceGroups
    sums: HospitalSums
    losses: Losses
    costs: CategoryCosts

    @cached_property
    def coding(self) -> CodingWork:
        """Records to mend."""
        return coding_work(self.hospital)

    @cached_property
    def review(self) -> ReviewCandidates:
        """Candidates for special review."""
        return review_candidates(self.hospital, self.losses, self.reference)

    @cached_property
    def review_texts(self) -> RecordTexts:
        """Codes of the candidates in words."""
        return record_texts(self.hospital.cases, self.review.places)

    @cached_property
    def losing_places(self) -> Places:
        """Places of the losing cases that are listed, the largest loss first."""
        places = np.flatnonzero(self.losses.where)
        return dearest_first(self.hospital.cases, places, self.hospital.cases.margin[places], MOST_CASES)

    @cached_property
    def losing_cases(self) -> pa.Table:
        """Single cases that lose most, with their reasons."""
        places = self.losing_places
        dear = [self.losses.dear[place] for place in places.tolist()]
        categories = pa.array([self.costs.categories[place].id if place >= 0 else "" for place in dear], pa.string())
        return pa.table(
            {**listed_columns(self.hospital.cases, places), "reasons": self._reasons(places), "dear_category": categories}
        )

    def _reasons(self, places: Places) -> pa.Array:
        return pa.array(["|".join(self.losses.codes(place)) for place in places.tolist()], pa.string())

    @cached_property
    def one_more_cc(self) -> pa.Table | None:
        """What one more CC is worth by group; None where a DIP catalogue, several schemes or nobody known grouped."""
        schemes = self.hospital.cases.schemes
        if len(schemes) != 1 or means_dip(schemes[0]):
            return None
        return worth_of_steps(self.hospital, load_scheme(schemes[0]))

    @cached_property
    def tables(self) -> Mapping[str, pa.Table]:
        """All figures as tables."""
        sums, places = self.sums, self.review.places
        review = {**listed_columns(self.hospital.cases, places),
                  "reasons": self._reasons(places)}  # fmt: skip
        more = {} if self.one_more_cc is None else {"one_more_cc": self.one_more_cc}
        return {
            "overview": sums.whole, "groups": sums.groups, "departments": sums.departments, "doctors": sums.doctors,
            "months": sums.months, "classes": sums.classes, "insurances": sums.insurances,
            "loss_reasons": reason_table(self.losses, self.hospital.cases), "losing_cases": self.losing_cases,
            "cost_categories": category_table(self.hospital, self.costs), "coding_kinds": self.coding.kinds,
            "coding_cases": self.coding.cases, **more, "review_cases": pa.table(review),
        }  # fmt: skip


def hospital_accounts(
    cases: SettledCases, hospital: str | None = None, benchmark: tuple[pa.Table, str] | None = None
) -> HospitalAccounts:
    """The accounts of a hospital among settled cases.

    Parameters
    ----------
    hospital
        Its id; the one with most cases where None.
    benchmark
        Figures of other hospitals by group, and the name of their file.

    Raises
    ------
    UsageError
        ``report-unknown-hospital``.
    InputError
        As :func:`drgsim.accounts.reference_groups.reference_of_file`.
    """
    chosen = cases_of_hospital(cases, hospital)
    least = account_limits().reference_cases.value
    reference = reference_of_file(cases, *benchmark) if benchmark is not None else reference_of_cases(cases, chosen.own, least)
    costs = category_costs(cases.table)
    return HospitalAccounts(chosen, reference, HospitalSums(chosen, reference), losses_of(chosen, reference, costs), costs)
