"""What stands at the head of a report beside its figures: how much is unpaid and why, and at which prices the rest is paid."""

from __future__ import annotations

from collections.abc import Mapping

from drgsim.accounts.settled_cases import Mask, PriceBasis, SettledCases
from drgsim.accounts.unpaid_cases import unpaid_reasons
from drgsim.language import Text, joined, text

MUCH_UNPAID = 0.1  # of the cases, for the headline to begin with it
OTHER_SCHEME, NO_VALUE = "settle-other-scheme", "settle-missing-weight"


def unpaid_lead(cases: SettledCases, own: Mask) -> Text | None:
    """How many of some cases are unpaid, the main reason and what to do; None where few are."""
    whole, unpaid = int(own.sum()), int((own & ~cases.paid).sum())
    if unpaid <= MUCH_UNPAID * whole:
        return None
    said = [text(
        "{unpaid:,} of {all:,} cases are not paid and stand in no amount below.", unpaid=unpaid, all=whole,
    )]  # fmt: skip
    for reason in unpaid_reasons(cases, own)[:1]:
        said.append(text("Main reason ({count:,} cases): {what}.", count=reason.cases, what=reason.what))
        problems = cases.settlement.problems
        if reason.code == NO_VALUE and any(problem.code == OTHER_SCHEME for problem in problems):
            said.append(text(
                "The cases are grouped by {schemes}, which {policy} does not pay by: name one that does with --policy, or give "
                "relative values with --weights.",
                schemes=", ".join(cases.schemes), policy=cases.settlement.ledger.policy.id,
            ))  # fmt: skip
        elif reason.fix:
            said.append(text("What to do: {fix}.", fix=reason.fix))
    return joined(" ", said)


def stated_prices(cases: SettledCases) -> Text | None:
    """That a hospital of a region is paid at the policy's own prices, where the bureau's report may scale them."""
    if cases.basis is not PriceBasis.POLICY:
        return None
    return text(
        "Paid at the prices that {policy} states. The bureau's report on this region (--for bureau) may pay at prices scaled "
        "to the level of its fund: margins there differ from these and may have the opposite sign.",
        policy=cases.settlement.ledger.policy.id,
    )  # fmt: skip


def scaled_prices(policy: str, factors: Mapping[str, float], first: int) -> Text | None:
    """That a region's cases are paid at scaled prices, and a hospital's own report at the policy's; None where they are not."""
    if not factors:
        return None
    listed = joined(
        text(", "),
        (
            f"{factor:.4f}" if level == "*" else text("level {level} {factor:.4f}", level=level, factor=factor)
            for level, factor in factors.items()
        ),
    )
    return text(
        "Paid at the prices of {policy} scaled to what the fund paid by item in {first} (assumption): {listed}. What "
        "pays without the region's budget (settle, the report for a hospital) takes the unscaled prices: margins there differ "
        "from these and may have the opposite sign.", policy=policy, first=first, listed=listed,
    )  # fmt: skip


def lead_with(*said: Text | None) -> Text:
    """What is said, in one text."""
    return joined(" ", [each for each in said if each])
