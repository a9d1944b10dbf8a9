"""What a run is set up with: everything that decides it beside the discharges themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drgsim.budgets.terms import GENERAL, BudgetError, BudgetTerms, load_terms
from drgsim.language import text
from drgsim.payment.policy import Policy
from drgsim.simulation.paths import settings
from drgsim.simulation.scenario import Change
from drgsim.simulation.simulated_region import GIVEN, Cohort, Region
from drgsim.simulation.technology import Technology

Selector = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseEdit:
    """A factor on a field of the cases that a selector picks: volume, price or cut of a category, days."""

    field: str
    category: str
    selector: Selector
    change: Change


@dataclass(frozen=True)
class HospitalEdit:
    """A change of the hospitals of a level, of one hospital, or of all."""

    kind: str
    key: str
    field: str
    change: Change


@dataclass(frozen=True)
class WeightEdit:
    """A factor on the relative values of an MDC, an ADRG or a group."""

    kind: str
    code: str
    factor: float


@dataclass(frozen=True)
class ProcurementRound:
    """A round of volume-based procurement: in some ADRGs the price of a category falls by a share.

    ``mix`` are the shares of the surplus by class of product, in the order of ``region_folder.PROCUREMENT_CLASSES``; None where
    the region's procurement.csv says them.
    """

    name: str
    adrg: tuple[str, ...]
    category: str
    fall: float
    mix: tuple[float, ...] | None

    @property
    def words(self) -> str:
        """What it is, in one line."""
        shares = "/".join(f"{share:.0%}" for share in self.mix or ())
        adrg, fall = "/".join(self.adrg), f"-{self.fall:.1%}"
        said = text("{category} of {adrg} {fall}", category=self.category, adrg=adrg, fall=fall)
        if not shares:
            return said
        return text("{said}; products within, beyond the task, not selected: {shares}", said=said, shares=shares)


@dataclass(frozen=True)
class Setup:
    """Everything that decides a run beside the discharges themselves.

    Attributes
    ----------
    policy, scheme
        The policy with its changed parameters, and the scheme that groups the cases.
    settings
        Path -> value of everything that no policy states.
    rate, fund
        Changes of the unit value and of the fund's budget, carried out when these are known.
    rate_basis
        Setup that a unit value from the fund follows from: the baseline's, so that a changed curve does not move the rate in
        silence; None for this setup itself.
    budget
        Terms of the yearly budget; they count while ``budget.active`` is true.
    """

    policy: Policy
    scheme: str
    settings: Mapping[str, Any] = field(default_factory=settings)
    rate: tuple[Change, ...] = ()
    fund: tuple[Change, ...] = ()
    cases: tuple[CaseEdit, ...] = ()
    hospitals: tuple[HospitalEdit, ...] = ()
    weights: tuple[WeightEdit, ...] = ()
    technologies: tuple[Technology, ...] = ()
    rounds: tuple[ProcurementRound, ...] = ()
    rate_basis: Setup | None = None
    budget: BudgetTerms | None = None

    @property
    def by_points(self) -> bool:
        """Whether the unit value follows from the budget and everyone's cases."""
        method = self.settings["payment.method"]
        return method == "points" or (method == "policy" and self.policy.file.method in ("points", "dip"))

    def cohort(self, region: Region, year: int) -> Cohort:
        """The discharges of a year in the groups that the policy pays; a year beyond the data has those of the last one."""
        return region.cohort(min(year, region.years[-1]), self.scheme, self.policy.file.method)

    @property
    def digest(self) -> str:
        """SHA-256 over all that is in it."""
        basis = self.rate_basis.digest if self.rate_basis is not None else ""
        parts = (
            self.policy.digest, self.scheme, sorted((k, repr(v)) for k, v in self.settings.items()), self.rate, self.fund,
            self.cases, self.hospitals, self.weights, self.technologies, self.rounds, basis,
            self.budget.digest if self.budget is not None else "",
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Step:
    """One change, described: the value before and after, with its unit."""

    path: str
    title: str
    title_zh: str
    old: str
    new: str
    unit: str


def first_setup(policy: Policy) -> Setup:
    """The setup of a policy before any change."""
    return Setup(policy, policy.file.scheme or GIVEN, budget=terms_of(policy))


def terms_of(policy: Policy) -> BudgetTerms:
    """Terms of the yearly budget that lie beside a policy, else the general ones."""
    try:
        return load_terms(policy)
    except BudgetError as error:
        if [problem.code for problem in error.problems] != ["budget-no-terms"]:
            raise
        return load_terms(GENERAL)


def short_code(kind: str, code: str) -> str:
    """MDC letter, ADRG or group of a CHS-DRG code."""
    return code[:1] if kind == "mdc" else code[:3] if kind == "adrg" else code
