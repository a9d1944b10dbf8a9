"""What a reader of a budget must know beside its figures."""

from __future__ import annotations

from drgsim.budgets.outpatient_unit import PLACE as OUTPATIENT
from drgsim.budgets.region_preparation import PreparedRegion
from drgsim.budgets.terms import BudgetTerms
from drgsim.language import joined, text


def remarks(prepared: PreparedRegion, terms: BudgetTerms) -> list[str]:
    """What a reader must know beside the figures."""
    result = [*terms.told, *prepared.notes]
    if prepared.region.absent:
        result.append(
            text("the region states no {names}: nothing is assumed in their place", names=", ".join(prepared.region.absent))
        )
    result += _parts_at_work(prepared, terms)
    once = terms.file.index.lag.value == "once"
    if once and terms.file.fund.closing.value == "exact" and (growth := terms.file.index.growth.value):
        result.append(text(
            "index.growth ({growth:.3g} %) cancels where fund.closing is exact: all indices are scaled "
            "to the fund's budget; it moves only what limits, procurement, moved services and hospitals "
            "without a history set against it", growth=100 * growth,
        ))  # fmt: skip
    unpaid = int(prepared.figures.unpaid.sum())
    if unpaid:
        result.append(text("{unpaid} insured cases could not be paid by the policy and use none of the index", unpaid=unpaid))
    return result


def _parts_at_work(prepared: PreparedRegion, terms: BudgetTerms) -> list[str]:
    """Which parts of the model, beside those that always work, this run rests on; all of them are assumptions."""
    figures, file = prepared.figures, terms.file
    result: list[str] = []
    if hospitals := int((figures.visits > 0).any(axis=1).sum() or figures.stated[..., OUTPATIENT].any(axis=(1, 2)).sum()):
        how = (
            text("in the index, paid {way}", way=file.outpatient.pays.value)
            if file.outpatient.use.value
            else text("left outside of the budget")
        )
        result.append(text("outpatient care of {hospitals} hospitals: {how} (assumption)", hospitals=hospitals, how=how))
    if file.pools.use.value == "apart":
        result.append(
            text("employees and residents apart: what names no payer is divided as the fund spends on the cases (assumption)")
        )
    if file.index.lag.value == "compounded":
        result.append(
            text("growth, price_wage and technology count for every year from a base year to the budget year (assumption)")
        )
    if agreed := int(((figures.negotiated != 0) | (figures.negotiated_share != 0)).sum()):
        result.append(text("{agreed} indices hold what was negotiated with the hospital (adjustments.csv)", agreed=agreed))
    if file.cash.advance.months or figures.advances:
        paid = [text("{count} advances of advances.csv", count=len(figures.advances))]
        if file.cash.advance.months:
            paid.insert(0, text("{months:g} months of the index by rule", months=file.cash.advance.months))
        result.append(text("paid ahead beside January: {paid}; no revenue", paid=joined(text(", "), paid)))
    return result
