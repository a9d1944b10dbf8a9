"""Stays that a scenario takes out of payment by groups and pays per head; the one capitation of its year.

``capitation.conditions`` names the patients. Their amount per head is what the budget's terms state where ``budget.active``
and ``budget.capitation.use`` are true, else what the policy states, else ``capitation.rate`` x last year's spending per head.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from drgsim.budgets.terms_model import CapitationTerms
from drgsim.money import FEN_PER_YUAN, MISSING, allocate, exact
from drgsim.payment.capitation import capitation_paid, capitation_pot, derived_amount
from drgsim.records.vocabulary import INSURANCES
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.scenario_cases import PART, terms_of_capitation
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region


def stated_amount(setup: Setup, condition: str) -> Fraction | None:
    """Fen per head and year with the risk factor, where terms or policy state an amount for the condition."""
    terms: CapitationTerms | None = terms_of_capitation(setup)
    if terms is not None and condition in terms.per_head.values:
        return exact(terms.per_head.values[condition]) * FEN_PER_YUAN * exact(terms.risk.value)
    of_policy = setup.policy.file.capitation
    keyed = of_policy.per_head if of_policy is not None else None
    return exact(keyed.values[condition]) * FEN_PER_YUAN if keyed is not None and condition in keyed.values else None


def capitation_balance(
    setup: Setup, region: Region, year: int, lines: Lines, parts: NDArray[np.int64], hospitals: list[str]
) -> NDArray[np.int64]:
    """(H,) fen that the fund pays per head less what it paid by item for the same stays, shared by spending on them."""
    result = np.zeros(len(hospitals), np.int64)
    if not setup.settings["capitation.conditions"]:
        return result
    place = {name: number for number, name in enumerate(hospitals)}
    row = np.array([place.get(name, -1) for name in lines.state.hospital.values] + [place.get("", -1)])[
        lines.state.hospital.ids
    ]
    for condition in setup.settings["capitation.conditions"]:
        amount = stated_amount(setup, condition)
        if amount is None:
            amount = _amount_of_last_year(setup, region, year, condition)
        if amount is None:
            continue
        mine = lines.state.cohort.condition(condition) & lines.state.capitated & (row >= 0)
        spent = np.zeros(len(hospitals), np.int64)
        np.add.at(spent, row[mine], (lines.money[Measure.FUND] * parts)[mine])
        spent = spent // PART
        cost = int(spent.sum())
        if cost > 0:
            pot = capitation_pot([(amount, region.registered(year, condition))])
            shares = (kept_share(setup), setup.settings["capitation.overspend_share"])
            result += allocate(capitation_paid(pot, cost, *shares) - cost, spent)
    return result


def kept_share(setup: Setup) -> float:
    """Share of a surplus that hospitals keep: of the setup, of the policy, else all."""
    own, spec = setup.settings["capitation.kept_share"], setup.policy.file.capitation
    if own is not None:
        return float(own)
    return spec.kept_share.value if spec is not None and spec.kept_share is not None else 1.0


def _amount_of_last_year(setup: Setup, region: Region, year: int, condition: str) -> Fraction | None:
    """Fen per head by the spending of the last year before; None where nobody was registered then."""
    last = max([each for each in region.years if each < year] or [year])
    heads = region.registered(last, condition)
    if not heads:
        return None
    cohort = setup.cohort(region, last)
    cost, patient = cohort.cases.money["total_cost"], cohort.cases.money["patient_paid"]
    insured = cohort.condition(condition) & (cost != MISSING) & (cohort.cases.insurance != INSURANCES.index("self"))
    spent = int((cost - np.where(patient == MISSING, 0, patient))[insured].sum())
    return derived_amount(spent, heads, setup.settings["capitation.rate"])
