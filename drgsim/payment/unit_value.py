"""Where unit values come from: given with the call, a budget (总额), or a floating value between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from drgsim.errors import Problem, UsageError
from drgsim.language import joined, text
from drgsim.money import FEN_PER_YUAN, MISSING, Number, exact, fen, round_half_away, total
from drgsim.parameters.evidence import Evidence, Keyed
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import INSURANCES, PAYERS, policy_key, wrong_keys

WITH_THE_CALL = text("given with the call")
GIVEN = (WITH_THE_CALL, "--set", "changed")  # sources of a unit value that is not the policy's own


def with_unit_value(policy: Policy, values: Mapping[str, float]) -> Policy:
    """The policy with unit values (yuan) given with the call, by the keys of :class:`drgsim.parameters.evidence.Keyed`.

    Raises
    ------
    UsageError
        A key names no level or payer, or a value is not a finite number above 0 (``settle-bad-unit-value``).
    """
    if odd := wrong_keys(values):
        raise UsageError(
            [Problem("settle-bad-unit-value", text("a unit value belongs to a level, a payer or both: {odd}", odd=odd))]
        )
    wrong = ", ".join(f"{key}={value:g}" for key, value in values.items() if not 0 < value < float("inf"))
    if wrong:
        fix = text("give yuan per unit, such as employee=7.5")
        raise UsageError(
            [Problem("settle-bad-unit-value", text("a unit value is a finite number above 0: {wrong}", wrong=wrong), fix=fix)]
        )
    spelt = {policy_key(key): value for key, value in values.items()}
    given = Keyed(values=spelt, unit=text("yuan per unit"), source=WITH_THE_CALL, evidence=Evidence.ASSUMPTION)
    return replace(policy, file=policy.file.model_copy(update={"unit_value": given}))


def pot_of(policy: Policy, budget: Mapping[str, float] | None, fund_share: float) -> dict[str, int]:
    """Fen to share out by payer: the budget given with the call (yuan), else the policy's, over the fund's share of the cost.

    Raises
    ------
    UsageError
        An unknown payer, an amount or share that makes no sense.
    """
    given = budget if budget is not None else policy.file.budget.values if policy.file.budget is not None else {}
    source = {policy_key(payer): amount for payer, amount in given.items()}
    wrong = [payer for payer in source if payer not in (*PAYERS, "*")]
    if (
        wrong
        or len(source) < len(given)
        or ("*" in source and len(source) > 1)
        or any(not 0 < amount < float("inf") for amount in source.values())
    ):
        raise UsageError(
            [
                Problem(
                    "settle-bad-budget",
                    text("the budget {budget} is not by employee and resident, or * for all", budget=dict(given)),
                    fix=text("for instance employee=100000000 resident=60000000, in yuan"),
                )
            ]
        )
    if not 0 < fund_share <= 1:
        raise UsageError(
            [
                Problem(
                    "settle-bad-fund-share",
                    text("the fund's share of the cost is {share:g}, not in 0 to 1", share=fund_share),
                )
            ]
        )
    return {payer: fen(exact(float(amount)) / exact(fund_share)) for payer, amount in source.items()}


def refuse_outside(ledger: Ledger) -> None:
    """Cases whose payer has no part in the budget have no unit value: a published one would be paid on top of it.

    What is fixed in yuan, and self-payers, stay as they are.
    """
    pot = ledger.pot
    if not pot:
        return
    outside = ledger.open_cases | ledger.in_units & (ledger.cases.faults < 0)
    for payer in ("self", *pot):
        outside &= ~ledger.paid_by(payer)
    cost = total(np.where(outside, ledger.cost, MISSING)) / FEN_PER_YUAN
    payers = np.unique(ledger.cases.insurance[outside]).tolist()
    ledger.cases.fault(
        "settle-outside-budget", outside,
        text("their payer has no part in the budget ({pot}); their cost is {cost:,.2f} yuan", pot=', '.join(pot), cost=cost),
        text("state the insurance of every case, and give a budget for each payer or one amount for all"),
        sample=joined(text(", "),
                      (INSURANCES[place] if place >= 0 else text("insurance blank or unknown") for place in payers)),
    )  # fmt: skip


def doubt_payer(ledger: Ledger) -> None:
    """Say where cases of an unknown payer get the value for all although the policy's values differ by payer."""
    file, prices, has_budget = ledger.policy.file, ledger.policy.prices, bool(ledger.pot)
    keyed = [None if has_budget else file.unit_value, file.coefficient.by, file.reference.mean_cost]
    keys = [key for entry in keyed if entry is not None for key in entry.values]
    names = [*keys, *(prices.numbers if prices is not None and not has_budget else ())]
    if any(name.replace("/", "_").endswith(PAYERS) for name in names):
        ledger.cases.warn(
            "settle-blank-insurance",
            ledger.open_cases & (ledger.cases.insurance < 0),
            text(
                "the insurance is blank or unknown, and the policy's values differ by payer; its value for all payers is used"
            ),
            text("state insurance: employee (职工), resident (居民) or self (自费)"),
        )


def floating_value(budget_value: Number, settlement_value: Number, base_share: Number) -> Fraction:
    """Floating point value (浮动点值): base share x budget value + the rest x settlement value.

    The draft of DIP 3.0 names the shares 8:2 and 7:3 of base and increment only; that they weigh the two point values is an
    assumption.

    Examples
    --------
    >>> float(floating_value(7, 6.5, 0.8))
    6.9
    """
    share = exact(base_share)
    return share * exact(budget_value) + (1 - share) * exact(settlement_value)


def float_values(ledger: Ledger, values: Mapping[str, float], budget_value: Mapping[str, float]) -> dict[str, float]:
    """Unit values between the budget's and the settlement's, as the policy says."""
    spec = ledger.policy.file.floating
    if spec is None:
        what = text("{policy} has no floating value, so that a budget value cannot count", policy=ledger.policy.id)
        raise UsageError([Problem("settle-no-floating", what, fix=text("set floating.base_share in the policy"))])
    strangers = sorted(set(values) - set(budget_value) - ({*values} if "*" in budget_value else set()))
    if strangers or any(not 0 < value < float("inf") for value in budget_value.values()):
        fix = text("give one above 0 for each payer of the budget, or * for all")
        raise UsageError(
            [Problem("settle-bad-budget-value", text("the budget value is {value}", value=dict(budget_value)), fix=fix)]
        )
    floating = {}
    for payer, value in values.items():
        base = budget_value.get(payer, budget_value.get("*", value))
        floating[payer] = float(floating_value(base, value, spec.base_share.value))
        ledger.set_unit_value(payer, floating[payer])
    return floating


def tell_idle_unit_value(ledger: Ledger) -> None:
    """A unit value that was given changes nothing where the region publishes standards: say for how many cases."""
    spec = ledger.policy.file.unit_value
    if spec is None or ledger.pot or spec.source not in GIVEN:
        return
    idle = ledger.open_cases & ~np.isnan(ledger.terms.published)
    ledger.cases.warn(
        "settle-idle-unit-value",
        idle,
        text("the unit value that was given changes nothing, as the group has a published standard"),
        text(
            "pay relative value x unit value with --set relative_value.standard_from_table=false, or "
            "move the standards in proportion with drgsim simulate and rate.base"
        ),
        sample=ledger.cases.unit.sample(idle),
    )


def tell_missed_budget(ledger: Ledger) -> None:
    """A floating value pays more or less than the budget: say how much."""
    for payer, amount in ledger.pot.items():
        paid = total(np.where(ledger.paid_by(payer), ledger.amount, MISSING))
        missed = paid - (amount - round_half_away(exact(amount) * exact(ledger.held)))
        words = text("{missed:,.2f} yuan less than the budget", missed=abs(missed) / FEN_PER_YUAN)
        if missed > 0:
            words = text("{missed:,.2f} yuan more than the budget", missed=missed / FEN_PER_YUAN)
        who = text("all payers") if payer == "*" else payer
        ledger.cases.problems.append(
            Problem(
                "settle-floating-budget",
                text(
                    "{who}: the floating value pays {paid:,.2f} yuan, {words}", who=who, paid=paid / FEN_PER_YUAN, words=words
                ),
            )
        )
