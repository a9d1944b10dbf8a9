"""Payment of single cases beside the curve: exempt payment, special review, and the cap on high cases."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, MISSING, exact, round_half_away, to_fen
from drgsim.payment.dates_in_force import after, before
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy_model import CaseClass

BY_CURVE = (CaseClass.NORMAL, CaseClass.HIGH, CaseClass.LOW, CaseClass.INCOMPLETE)


def rank_by_excess(ledger: Ledger, places: NDArray[np.int64], quota: int) -> NDArray[np.int64]:
    """The ``quota`` cases with the largest cost above the standard.

    Equal ones are served by cost, group, hospital and discharge_id, so that the order of the cases never matters. A case that
    stands for several discharges takes as many places; it is in when all of them are.
    """
    cases, cost = ledger.cases, ledger.cost[places]
    excess = cost - ledger.standard[places]
    names = [np.array([*texts.values, ""])[texts.ids[places]] for texts in (cases.unit, cases.hospital)]
    ids = np.array(cases.ids.take(places).to_pylist()).astype(str)
    ranked = places[np.lexsort((ids, *reversed(names), -cost, -excess))]
    if ledger.weight is None:
        return ranked[: max(quota, 0)]
    return ranked[np.cumsum(ledger.weight[ranked]) <= quota]


def review(ledger: Ledger) -> None:
    """Special review (特例单议): applications with a loss, ranked by it, up to the quota of the pool's discharges."""
    spec, cases = ledger.policy.file.special_review, ledger.cases
    applied = cases.flags["special_review"] & (cases.faults < 0)
    if spec is None or not applied.any():
        return
    start = max((day for day in (spec.quota.effective_from, spec.pays.effective_from) if day is not None), default=None)
    early = applied & before(cases, start)
    cases.warn("settle-review-early", early, f"applied for special review, which began on {start}; paid as other cases")
    applied &= ~early
    open_to_it = ledger.is_class(*BY_CURVE, CaseClass.EXEMPT) & (ledger.standard != MISSING)
    loss = open_to_it & (ledger.cost > ledger.standard)
    cases.warn(
        "settle-review-refused", applied & ~loss,
        "applied for special review, but are paid by another rule or cost no more than the standard; paid as other cases",
    )  # fmt: skip
    applied &= loss
    pool = int(ledger.discharges((cases.faults < 0) & ~ledger.is_class(CaseClass.SELF_PAY)))
    quota = int(exact(spec.quota.value) * pool)
    accepted = np.zeros(cases.size, np.bool_)
    accepted[rank_by_excess(ledger, np.flatnonzero(applied), quota)] = True
    cases.warn("settle-review-quota", applied & ~accepted, f"special review beyond the quota of {quota} of {pool} discharges")
    if spec.pays.value == "by_item" or spec.adjusted_factor is None:
        ledger.decide(accepted, CaseClass.SPECIAL_REVIEW, "special review: paid by item (the actual cost)")
        ledger.pay_yuan(accepted, ledger.cost)
    else:
        factor = exact(spec.adjusted_factor.value)
        ledger.decide(accepted, CaseClass.SPECIAL_REVIEW, f"special review: standard x {float(factor):g}")
        amounts = np.zeros(cases.size, np.int64)
        for place in np.flatnonzero(accepted):
            amounts[place] = round_half_away(Fraction(int(ledger.standard[place])) * factor)
        ledger.pay_yuan(accepted, amounts)


def cap_extremes(ledger: Ledger) -> None:
    """Of a hospital's high cases only a share of its discharges keeps the high payment; the rest gets the standard."""
    spec = ledger.policy.file.extreme_cap
    high = ledger.is_class(CaseClass.HIGH) & (ledger.standard != MISSING)
    if spec is None or not high.any():
        return
    hospital = ledger.cases.hospital.ids
    sound = ledger.cases.faults < 0
    discharges = np.bincount(hospital[sound] + 1, None if ledger.weight is None else ledger.weight[sound])
    beyond = np.zeros(ledger.cases.size, np.bool_)
    for number in np.unique(hospital[high]):
        places = np.flatnonzero(high & (hospital == number))
        quota = int(exact(spec.value) * int(discharges[number + 1]))
        if ledger.discharges(high & (hospital == number)) > quota:
            beyond[places] = True
            beyond[rank_by_excess(ledger, places, quota)] = False
    ledger.decide(beyond, CaseClass.HIGH, f"high, beyond {spec.value:.3%} of the hospital's discharges by excess: the standard")
    ledger.pay_standard(beyond)


def exempt(ledger: Ledger) -> None:
    """Exempt payment (除外支付): standard + actual cost of the exempt items - the group's mean cost of their class.

    A case qualifies when total > multiple x mean cost and exempt / total > share, both exclusive, within the validity dates.
    """
    spec, cases = ledger.policy.file.exempt, ledger.cases
    cost, item = ledger.cost, cases.money["exempt_cost"]
    if spec is None or not ((item != MISSING) & (item > 0)).any():
        return
    candidates = (item != MISSING) & (item > 0) & (cases.faults < 0) & (ledger.standard != MISSING)
    candidates &= ledger.is_class(CaseClass.NORMAL, CaseClass.HIGH, CaseClass.LOW)
    above = candidates & (item > cost)
    cases.warn(
        "settle-exempt-above-total", above, "exempt_cost is above total_cost, of which it is a part; paid as ordinary cases",
        "correct the costs in the source",
    )  # fmt: skip
    candidates &= ~above
    candidates &= _valid(ledger, candidates)
    mean = cases.money["exempt_mean_cost"].copy()
    for name in cases.exempt_class.values:
        column = f"mean_{name}"
        if ledger.policy.prices is not None and column in ledger.policy.prices.numbers:
            values = to_fen(np.append(ledger.policy.prices.numbers[column], np.nan))[ledger.terms.place]
            of_class = cases.exempt_class.ids == cases.exempt_class.values.index(name)
            mean = np.where((mean == MISSING) & of_class, values, mean)
    unknown = candidates & (mean == MISSING)
    cases.warn(
        "settle-exempt-mean", unknown, "exempt items, but no mean cost of their class in the group; paid as an ordinary case",
        "state exempt_mean_cost (yuan)",
    )  # fmt: skip
    multiple, share = exact(spec.total_multiple.value), exact(spec.cost_share.value)
    qualified = np.zeros(cases.size, np.bool_)
    for place in np.flatnonzero(candidates & ~unknown).tolist():
        exact_values = ledger.terms.exact_values(place, exact(ledger.policy.file.relative_value.scale.value))
        group_mean = exact_values["mean"] or Fraction(0)
        total = Fraction(int(cost[place]))
        if total > multiple * group_mean * FEN_PER_YUAN and Fraction(int(item[place])) > share * total:
            qualified[place] = True
    ledger.decide(
        qualified, CaseClass.EXEMPT,
        f"exempt payment: total > {spec.total_multiple.value:g} x mean and exempt share > {spec.cost_share.value:.0%}: "
        "standard + exempt cost - mean cost of its class",
    )  # fmt: skip
    ledger.pay_standard(qualified)
    ledger.extra[qualified] = (item - mean)[qualified]


def _valid(ledger: Ledger, candidates: Mask) -> Mask:
    """Where the exempt item is on the list on the day of discharge; without a list only the policy's dates count."""
    spec, cases = ledger.policy.file.exempt, ledger.cases
    assert spec is not None
    day = cases.discharged
    entries = ledger.policy.exempt_list
    starts = [spec.total_multiple.effective_from, spec.valid_from.value if spec.valid_from is not None else None]
    start = max((entry for entry in starts if entry is not None), default=None)
    end = spec.valid_to.value if spec.valid_to is not None else None
    valid = ~before(cases, start) & ~after(cases, end)
    if entries is not None:
        dates = [entries.get(code) for code in cases.exempt_code.values]
        first = np.array([2**40 if entry is None else entry[0] for entry in dates] + [2**40])[cases.exempt_code.ids]
        last = np.array([-(2**40) if entry is None else entry[1] for entry in dates] + [-(2**40)])[cases.exempt_code.ids]
        valid &= (day >= first) & (day <= last)
    if start is not None or end is not None or entries is not None:
        undated = candidates & (day == MISSING)
        cases.warn(
            "settle-exempt-no-date", undated, "exempt items without a date of discharge: whether they were on the list is not "
            "known; paid as ordinary cases", "state discharged",
        )  # fmt: skip
        valid &= day != MISSING
    cases.warn(
        "settle-exempt-dates", candidates & ~valid & (day != MISSING),
        "exempt items that were not on the list on the day of discharge; paid as ordinary cases",
        sample=cases.exempt_code.sample(candidates & ~valid),
    )  # fmt: skip
    return np.asarray(valid)
