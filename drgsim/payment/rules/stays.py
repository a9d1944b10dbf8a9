"""Rules that look at the stay and not at its cost: long and incomplete stays, readmission, payment per day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, MISSING, product_fen, round_floats
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger, Mask
from drgsim.payment.policy_model import CaseClass
from drgsim.records.vocabulary import INSURANCES


def settle_long_stays(ledger: Ledger) -> None:
    """Stays longer than the limit are paid by item."""
    limit = ledger.policy.file.stays.long_days
    if limit is None:
        return
    unknown = ledger.open_cases & np.isnan(ledger.cases.numbers["los_days"])
    ledger.cases.warn(
        "settle-no-days", unknown, f"the stay is not known: whether it is longer than {limit.value:g} days cannot be told",
        "state los_days, or admitted and discharged",
    )  # fmt: skip
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

    A stay counts as followed when a later one of the same patient, hospital and group was admitted 0 to ``within_days`` days
    after its discharge and was not planned. Records that are refused, and stays that the patient pays, do not count.
    """
    spec, cases = ledger.policy.file.readmission, ledger.cases
    if spec is None:
        return
    paid = (cases.faults < 0) & (cases.insurance != INSURANCES.index("self"))
    followed = stays_followed(cases, spec.within_days.value, spec.except_groups, paid)
    if not followed.size:
        return
    ledger.terms.factor = ledger.terms.factor.copy()
    ledger.terms.factor[followed] *= spec.factor.value
    where = np.zeros(cases.size, np.bool_)
    where[followed] = True
    cases.warn(
        "settle-readmission", where & ledger.open_cases,
        f"the patient came back within {spec.within_days.value} days in the same group; the points of the earlier stay count "
        f"{spec.factor.value:g}", "mark returns that were planned in the column planned",
    )  # fmt: skip


def stays_followed(
    cases: Cases, within: int, except_groups: tuple[str, ...] = (), among: Mask | None = None
) -> NDArray[np.int64]:
    """Places of the stays after which the same patient came back, unplanned, to the same hospital in the same group.

    Parameters
    ----------
    within
        Days from discharge to the next admission, at most.
    except_groups
        Beginnings of groups that do not count.
    among
        Records that are looked at; the others are neither followed nor returns. Default: all.
    """
    known = (cases.patient.ids >= 0) & (cases.admitted != MISSING) & (cases.discharged != MISSING) & (cases.unit.ids >= 0)
    if among is not None:
        known &= among
    if except_groups:
        excepted = np.array([code.startswith(except_groups) for code in cases.unit.values] + [False])
        known &= ~excepted[cases.unit.ids]
    places = np.flatnonzero(known)
    if not places.size:
        return places
    order = places[
        np.lexsort((
            cases.money["total_cost"][places], cases.discharged[places], cases.admitted[places], cases.unit.ids[places],
            cases.hospital.ids[places], cases.patient.ids[places],
        ))
    ]  # fmt: skip
    return _followed(cases, order, within)


def _followed(cases: Cases, order: NDArray[np.int64], within: int) -> NDArray[np.int64]:
    """Of cases in the order of patient, hospital, group and admission: those with an unplanned return.

    For each case the first later admission on or after its discharge is looked up among the unplanned ones.
    """
    keys = np.stack([cases.patient.ids[order], cases.hospital.ids[order], cases.unit.ids[order]])
    family = np.r_[0, np.cumsum((keys[:, 1:] != keys[:, :-1]).any(axis=0))].astype(np.int64)
    admitted, discharged = cases.admitted[order], cases.discharged[order]
    first = int(min(admitted.min(), discharged.min()))
    width = int(max(admitted.max(), discharged.max())) - first + 1
    returns = np.flatnonzero(~cases.flags["planned"][order])
    if not returns.size:
        return returns
    own = np.arange(order.size)
    place = np.searchsorted(family[returns] * width + admitted[returns] - first, family * width + discharged - first)
    place = np.maximum(place, np.searchsorted(returns, own, side="right"))  # a stay of one day does not follow itself
    there = place < returns.size
    later = returns[np.where(there, place, 0)]
    back = there & (family[later] == family) & (admitted[later] - discharged <= within)
    return order[back]


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
        ledger.pay_yuan(members, product_fen(paid_days, rate))


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
