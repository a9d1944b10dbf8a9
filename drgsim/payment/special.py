"""Rules outside the curve: stays, per diem, exempt payment, special review, caps and readmission."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from drgsim.payment.cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.model import CaseClass, GroupClass
from drgsim.payment.money import FEN_PER_YUAN, MISSING, exact, round_floats, round_half_away, to_fen

UNGROUPED_CODES = ("", "0000")
AMBIGUOUS_ENDING = "QY"


def settle_unusual_groups(ledger: Ledger) -> None:
    """Self-payers, cases without a group, and groups that the policy pays another way."""
    cases, file = ledger.cases, ledger.policy.file
    self_pay = ledger.open_cases & (cases.insurance == 2)
    ledger.decide(self_pay, CaseClass.SELF_PAY, "self-pay patient: the bill is the patient's, the fund pays nothing")
    ledger.pay_yuan(self_pay, ledger.cost)
    by_item = ledger.open_cases & cases.flags["by_item"]
    ledger.decide(by_item, CaseClass.BY_ITEM, "outside the groups: paid by item (the actual cost)")
    ledger.pay_yuan(by_item, ledger.cost)
    priced = ~np.isnan(ledger.terms.relative_value)
    codes = cases.unit.values
    blank = np.array([code in UNGROUPED_CODES for code in codes] + [True])[cases.unit.ids]
    ambiguous = np.array([code.endswith(AMBIGUOUS_ENDING) for code in codes] + [False])[cases.unit.ids]
    for where, case_class, spec, words in (
        (blank & ~priced, CaseClass.UNGROUPED, file.ungrouped, "no group"),
        (ambiguous & ~priced, CaseClass.AMBIGUOUS, file.ambiguous, "ambiguous group"),
    ):
        rest = ledger.open_cases & where
        if spec is None:
            cases.fault(
                f"settle-{case_class}", rest, f"{words}, and the policy does not say what such cases are paid",
                f"set {case_class} in the policy, or correct the records",
            )  # fmt: skip
        else:
            _pay_as(ledger, rest, spec.value, case_class, f"{words}: paid {_PAYS_WORDS.get(spec.value, spec.value)}")
    for number, name in enumerate(ledger.terms.class_names):
        if name:
            entry = file.group_classes[name]
            members = ledger.open_cases & (ledger.terms.group_class == number)
            _settle_class(ledger, members, entry)


_PAYS_WORDS = {"by_item": "by item (the actual cost)", "standard": "the standard whatever the cost", "nothing": "nothing"}


def _settle_class(ledger: Ledger, members: Mask, entry: GroupClass) -> None:
    words = f"{entry.title} ({entry.title_zh})"
    if entry.pays == "per_diem":
        ledger.cases.flags["per_diem"] = ledger.cases.flags["per_diem"] | members
    elif entry.pays == "by_item":
        _pay_as(ledger, members, "by_item", CaseClass.BY_ITEM, f"{words}: paid by item (the actual cost)")
    elif entry.pays == "standard":
        _pay_as(ledger, members & (ledger.standard != MISSING), "standard", CaseClass.FIXED, f"{words}: fixed amount")
    elif entry.pays == "nothing":
        _pay_as(ledger, members, "nothing", CaseClass.FIXED, f"{words}: not paid by this policy")


def _pay_as(ledger: Ledger, where: Mask, pays: str, case_class: CaseClass, rule: str) -> None:
    ledger.decide(where, case_class, rule)
    if pays == "by_item":
        ledger.pay_yuan(where, ledger.cost)
    elif pays == "standard":
        ledger.pay_yuan(where, ledger.standard)
    else:
        ledger.pay_yuan(where, 0)


def settle_long_stays(ledger: Ledger) -> None:
    """Stays longer than the limit are paid by item."""
    limit = ledger.policy.file.stays.long_days
    if limit is None:
        return
    long = ledger.open_cases & (ledger.cases.numbers["los_days"] > limit.value)
    ledger.decide(long, CaseClass.OVER_60_DAYS, f"stay longer than {limit.value:g} days: paid by item (the actual cost)")
    ledger.pay_yuan(long, ledger.cost)


def incomplete_stays(ledger: Ledger) -> None:
    """Point incomplete stays (住院过程不完整) to their own curve."""
    spec = ledger.policy.file.stays
    if spec.incomplete_curve is None:
        return
    incomplete = ledger.cases.flags["incomplete"]
    if spec.incomplete_ways is not None:
        incomplete = incomplete | np.isin(ledger.cases.discharge_way, spec.incomplete_ways.value)
    terms = ledger.terms
    row = ledger.resolver.rows_of(spec.incomplete_curve, terms.relative_value, terms.coefficient)
    terms.row = np.where(incomplete & ledger.open_cases, row, terms.row).astype(np.int32)


def halve_readmitted(ledger: Ledger) -> None:
    """Multiply the factor of a stay after which the same patient came back to the same hospital in the same group.

    A stay counts as followed when another one of the same patient, hospital and group was admitted 0 to ``within_days``
    days after its discharge.
    """
    spec, cases = ledger.policy.file.readmission, ledger.cases
    if spec is None:
        return
    followed = stays_followed(cases, int(spec.within_days.value))
    if not followed.size:
        return
    ledger.terms.factor = ledger.terms.factor.copy()
    ledger.terms.factor[followed] *= spec.factor.value
    count = np.zeros(cases.size, np.bool_)
    count[followed] = True
    cases.warn(
        "settle-readmission", count & ledger.open_cases,
        f"the patient came back within {spec.within_days.value} days in the same group; paid {spec.factor.value:g} of it",
    )  # fmt: skip


def stays_followed(cases: Cases, days: int) -> NDArray[np.int64]:
    """Places of the stays after which the same patient came back to the same hospital in the same group within n days."""
    known = (cases.patient.ids >= 0) & (cases.admitted != MISSING) & (cases.discharged != MISSING) & (cases.unit.ids >= 0)
    if not known.any():
        return np.empty(0, np.int64)
    places = np.flatnonzero(known)
    order = places[
        np.lexsort((
            cases.money["total_cost"][places], cases.discharged[places], cases.admitted[places], cases.unit.ids[places],
            cases.hospital.ids[places], cases.patient.ids[places],
        ))
    ]  # fmt: skip
    before, after = order[:-1], order[1:]
    same = (
        (cases.patient.ids[before] == cases.patient.ids[after])
        & (cases.hospital.ids[before] == cases.hospital.ids[after])
        & (cases.unit.ids[before] == cases.unit.ids[after])
    )
    gap = cases.admitted[after] - cases.discharged[before]
    followed: NDArray[np.int64] = before[same & (gap >= 0) & (gap <= days)]
    return followed


def settle_per_diem(ledger: Ledger) -> None:
    """Per-diem stays (按床日): days within the yearly cap x rate; short acute stays are paid by item."""
    spec, cases = ledger.policy.file.per_diem, ledger.cases
    members = ledger.open_cases & cases.flags["per_diem"]
    if not members.any():
        return
    days = cases.numbers["los_days"]
    if spec is not None and spec.acute_days is not None:
        acute = members & (days <= spec.acute_days.value)
        rule = f"acute stay of at most {spec.acute_days.value} days: group simulated, paid by item"
        ledger.decide(acute, CaseClass.BY_ITEM, rule)
        ledger.pay_yuan(acute, ledger.cost)
        members = members & ~acute
    rate = cases.numbers["per_diem_rate"]
    if spec is not None and spec.rate is not None:
        rate = np.where(np.isnan(rate), ledger.resolver.keyed(spec.rate), rate)
    cases.fault(
        "settle-missing-per-diem-rate", members & np.isnan(rate), "the stay is paid per day, but no rate per day is known",
        "set per_diem.rate in the policy, or state per_diem_rate",
    )  # fmt: skip
    cases.fault(
        "settle-missing-days", members & ~(days >= 0), "the stay is paid per day, but los_days is missing", "state los_days"
    )
    members &= ledger.open_cases
    paid_days = np.where(members, days, 0.0)
    rule = "per day: days x rate"
    if spec is not None and spec.day_cap is not None:
        paid_days = _capped(ledger, members, paid_days, spec.day_cap.value, spec.day_cap_per)
        rule = f"per day: days x rate, at most {spec.day_cap.value} days a year per {spec.day_cap_per}"
    ledger.decide(members, CaseClass.PER_DIEM, rule)
    if spec is not None and spec.rate_unit == "point":
        ledger.units[members] = (paid_days * rate)[members]
        ledger.in_yuan[members] = False
        amounts, _ = round_floats(ledger.units * ledger.terms.unit_value * FEN_PER_YUAN)
        ledger.amount[members] = amounts[members]
    else:
        ledger.pay_yuan(members, to_fen(paid_days * rate))


def _capped(ledger: Ledger, members: Mask, days: NDArray[np.float64], cap: int, per: str) -> NDArray[np.float64]:
    """Days that the cap leaves, served in the order of discharge within a year."""
    cases = ledger.cases
    owner = cases.patient.ids if per == "patient" else cases.hospital.ids
    places = np.flatnonzero(members)
    owner_of = owner[places].astype(np.int64)
    owner_of = np.where(owner_of < 0, np.int64(1 << 32) + places, owner_of)  # unknown owners share no cap
    when = cases.discharged[places]
    years = np.where(when == MISSING, 0, when).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    ids = np.array(cases.ids.take(places).to_pylist()).astype(str)
    order = np.lexsort((ids, when, years, owner_of))
    running = np.cumsum(days[places][order])
    start = np.r_[True, (np.diff(owner_of[order]) != 0) | (np.diff(years[order]) != 0)]
    base = np.maximum.accumulate(np.where(start, np.r_[0.0, running[:-1]], 0.0))
    used_before = np.r_[0.0, running[:-1]] - base
    result = days.copy()
    result[places[order]] = np.clip(cap - used_before, 0.0, days[places][order])
    return result


def rank_by_excess(ledger: Ledger, places: NDArray[np.int64], quota: int) -> NDArray[np.int64]:
    """The ``quota`` cases with the largest cost above the standard; equal ones by discharge_id, so order never matters.

    A case that stands for several discharges takes as many places; it is in when all of them are.
    """
    excess = ledger.cost[places] - ledger.standard[places]
    ids = np.array(ledger.cases.ids.take(places).to_pylist()).astype(str)
    ranked = places[np.lexsort((ids, -excess))]
    if ledger.weight is None:
        return ranked[: max(quota, 0)]
    return ranked[np.cumsum(ledger.weight[ranked]) <= quota]


def review(ledger: Ledger) -> None:
    """Special review (特例单议): applications, ranked by excess, up to the quota of the pool's discharges."""
    spec, cases = ledger.policy.file.special_review, ledger.cases
    applied = cases.flags["special_review"] & (cases.faults < 0) & (ledger.standard != MISSING)
    if spec is None or not applied.any():
        return
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
    terms = ledger.terms
    ledger.decide(beyond, CaseClass.HIGH, f"high, beyond {spec.value:.3%} of the hospital's discharges by excess: the standard")
    ledger.units[beyond] = (terms.relative_value * terms.coefficient)[beyond]
    ledger.in_yuan[beyond] = False
    ledger.amount[beyond] = ledger.standard[beyond]


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
    candidates &= _valid(ledger)
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
    ledger.units[qualified] = (ledger.terms.relative_value * ledger.terms.coefficient)[qualified]
    ledger.in_yuan[qualified] = False
    ledger.extra[qualified] = (item - mean)[qualified]
    ledger.amount[qualified] = ledger.standard[qualified]


def _valid(ledger: Ledger) -> Mask:
    """Where the exempt item is on the list on the day of discharge; without a list only the policy's dates count."""
    spec, cases = ledger.policy.file.exempt, ledger.cases
    assert spec is not None
    day = cases.discharged
    valid = np.ones(cases.size, np.bool_)
    if spec.valid_from is not None:
        valid &= (day == MISSING) | (day >= np.datetime64(spec.valid_from.value).astype(np.int64))
    if spec.valid_to is not None:
        valid &= (day == MISSING) | (day <= np.datetime64(spec.valid_to.value).astype(np.int64))
    entries = ledger.policy.exempt_list
    if entries is not None:
        for number, code in enumerate([*cases.exempt_code.values, ""]):
            of_code = cases.exempt_code.ids == (number if code else -1)
            entry = entries.get(code)
            if entry is None:
                valid &= ~of_code
                continue
            start, end = entry
            valid &= ~of_code | (day == MISSING) | ((day >= start) & (day <= end))
    return np.asarray(valid)
