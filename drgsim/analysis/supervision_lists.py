"""How the supervision lists are judged, of DRG and DIP alike.

Each compares a discharge with its own kind (DRG or DIP kind) in the same input: the lists say where to look, they are no
verdict. Limits: :mod:`drgsim.analysis.supervision_limits`.

=================  ===================================================================================================
coding             病案质量: principal diagnosis or procedure missing, unknown or grey, unknown codes, ages that contradict
repeat             二次入院: same patient, hospital and category of principal diagnosis within some days, not planned
split_stay         分解住院线索: a repeat after a discharge to home, and both stays together cost what one stay of the kind does
low_standard       低标入院: no complication, no operative procedure, a short stay at a fraction of the kind's mean cost
extra_long         超长住院: stay above the kind's mean by some standard deviations
severity_misfit    费用与严重程度不符: a group of higher severity, at a fraction of the mean cost of the family's lighter groups
low_risk_death     低风险死亡: death in a kind whose mortality is low among kinds (rule book 1.9)
=================  ===================================================================================================
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgsim.analysis.metrics import risk_levels
from drgsim.analysis.supervision_limits import SupervisionFile
from drgsim.analysis.supervision_words import SEVERITY
from drgsim.costs.statistics import group_statistics
from drgsim.units.batch_grouper import SEVERITIES

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_PATIENT = ("hospital_id", "patient_id", "admitted", "discharged")
ASKS = {  # list -> columns without which it cannot be made
    "coding": (), "repeat": _PATIENT, "split_stay": (*_PATIENT, "total_cost"),
    "low_standard": ("total_cost", "los_days"), "extra_long": ("los_days",),
    "severity_misfit": ("total_cost", "los_days"), "low_risk_death": ("discharge_way",),
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """Lists of each discharge, and what they were judged by; NaN where a kind has too few cases, or nothing is known.

    Attributes
    ----------
    flags
        List -> the discharges on it, for every list that could be made.
    missing
        List that could not be made -> the columns that it lacks.
    thin
        Records with few diagnoses.
    gap
        Days since the stay before of the same patient, hospital and category.
    cost_ratio, pair_ratio, lighter_ratio
        Cost over the mean of the kind; of this and the stay before over the mean of the kind; over the mean of the lighter
        groups of the family.
    usual_stay, risk, overall_risk
        Mean stay and mortality of the kind, mortality of all.
    severe, severe_risk
        Cases of higher severity in families that have groups by severity, and the share of them in the family; both are NaN
        elsewhere.
    """

    flags: dict[str, Mask]
    missing: dict[str, tuple[str, ...]]
    thin: Mask
    gap: Floats
    cost_ratio: Floats
    pair_ratio: Floats
    lighter_ratio: Floats
    usual_stay: Floats
    risk: Floats
    overall_risk: float
    severe: Floats
    severe_risk: Floats


def judge(frame: pd.DataFrame, limits: SupervisionFile, absent: Collection[str] = ()) -> Judged:
    """Judge discharges.

    Parameters
    ----------
    frame
        One row per discharge: hospital_id, patient_id, group, family, priced, grouped, severity, diagnosis, other_diagnoses,
        operated, faulty, admitted and discharged (days), stay (days), went_home, died, yuan.
    limits
        The limits of the lists.
    absent
        Columns that the input lacks: lists that ask for them are left out.
    """
    kind, names = pd.factorize(frame.group, sort=True)
    size = len(names)
    number = np.bincount(kind[kind >= 0], minlength=size)
    cost, stay, others, death = (
        group_statistics(frame[name].to_numpy(np.float64), kind, size) for name in ("yuan", "stay", "other_diagnoses", "died")
    )
    known = (number >= limits.reference_cases.value) & (
        np.bincount(kind[kind >= 0], frame.grouped.to_numpy(np.float64)[kind >= 0], minlength=size) > 0
    )

    def of_case(values: Floats) -> Floats:
        return np.append(np.where(known, values, np.nan), np.nan)[kind]

    yuan, days, died = frame.yuan.to_numpy(np.float64), frame.stay.to_numpy(np.float64), frame.died.to_numpy(np.bool_)
    before, gap = stay_before(frame, limits.repeat_same_characters.value)
    lighter = lighter_groups(frame, limits.reference_cases.value)
    low_risk = np.append(np.zeros(size, np.bool_), False)
    low_risk[:-1][known] = risk_levels(death.mean[known]) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, lighter_ratio = yuan / of_case(cost.mean), yuan / lighter.cost
        pair_ratio = np.where(before >= 0, (yuan + yuan[before]) / of_case(cost.mean), np.nan)
        usual, spread = of_case(stay.mean), of_case(stay.deviation)
        longest = np.maximum(usual + limits.long_deviations.value * spread, limits.long_at_least.value)
        planned = _starts(frame.diagnosis, limits.repeat_planned.value)
        home = frame.went_home.to_numpy(np.bool_)
        flags = {
            "coding": frame.faulty.to_numpy(np.bool_),
            "repeat": (gap <= limits.repeat_within_days.value) & ~planned,
            "split_stay": (gap <= limits.split_within_days.value) & ~planned & (before >= 0) & home[before]
            & (pair_ratio <= limits.split_cost_ratio.value),
            "low_standard": _is(frame.severity, "none") & ~frame.operated.to_numpy(np.bool_) & ~died
            & (days <= limits.low_longest_stay.value) & (ratio < limits.low_cost_ratio.value),
            "extra_long": days > longest,
            "severity_misfit": (lighter_ratio < limits.severe_cost_ratio.value) & (days <= lighter.stay) & ~died & home,
            "low_risk_death": died & low_risk[kind],
        }  # fmt: skip
        thin = frame.other_diagnoses.to_numpy() < limits.quality_few_diagnoses.value * of_case(others.mean)
    missing = {name: lacks for name, asked in ASKS.items() if (lacks := tuple(each for each in asked if each in absent))}
    return Judged(
        {name: flags[name] for name in ASKS if name not in missing}, missing, thin, gap, ratio, pair_ratio, lighter_ratio,
        usual, of_case(death.mean), float(died.mean()) if died.size else float("nan"), lighter.severe, lighter.severe_risk,
    )  # fmt: skip


def stay_before(frame: pd.DataFrame, characters: int) -> tuple[NDArray[np.int64], Floats]:
    """Place of the stay before (-1: none) and days from its discharge to this admission.

    Of the same patient, hospital and beginning of the principal diagnosis; stays that overlap have none.

    Examples
    --------
    >>> stays = pd.DataFrame({
    ...     "hospital_id": ["H1"] * 3, "patient_id": ["P1"] * 3, "diagnosis": ["J18.900", "J18.000", "I10.x00"],
    ...     "admitted": [10.0, 18.0, 30.0], "discharged": [15.0, 25.0, 31.0],
    ... })
    >>> before, gap = stay_before(stays, 3)
    >>> before.tolist(), gap.tolist()
    ([-1, 0, -1], [nan, 3.0, nan])
    """
    before, gap = np.full(len(frame), -1, np.int64), np.full(len(frame), np.nan)
    usable = np.flatnonzero((frame.patient_id != "") & frame.admitted.notna() & frame.discharged.notna())
    if not usable.size:
        return before, gap
    diagnosis = frame.diagnosis.astype("category")
    beginnings = pd.factorize(np.array([str(code)[:characters] for code in diagnosis.cat.categories], object))[0]
    keys = [
        np.append(beginnings, -1)[diagnosis.cat.codes.to_numpy()[usable]],
        pd.factorize(frame.patient_id.to_numpy()[usable])[0], pd.factorize(frame.hospital_id)[0][usable],
    ]  # fmt: skip
    admitted, discharged = frame.admitted.to_numpy()[usable], frame.discharged.to_numpy()[usable]
    order = np.lexsort((_ties(frame, usable, [*keys, admitted, discharged]), discharged, admitted, *keys))
    same = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    days = admitted[order][1:] - discharged[order][:-1]
    found = np.flatnonzero(same & (days >= 0))
    later = usable[order[found + 1]]
    before[later], gap[later] = usable[order[found]], days[found]
    return before, gap


def _ties(frame: pd.DataFrame, usable: NDArray[np.int64], keys: list[NDArray[np.generic]]) -> NDArray[np.int64]:
    """An order for stays that are alike in all keys, by cost and id, so that the order of the input never matters."""
    rank = np.zeros(usable.size, np.int64)
    alike = np.flatnonzero(pd.DataFrame(dict(enumerate(keys))).duplicated(keep=False))
    own = [name for name in ("yuan", "discharge_id") if name in frame.columns]
    if alike.size and own:
        tied = frame[own].iloc[usable[alike]].astype({name: str for name in own if name == "discharge_id"})
        rank[alike[np.lexsort([tied[name].to_numpy() for name in own[::-1]])]] = np.arange(alike.size)
    return rank


@dataclass(frozen=True)
class Lighter:
    """Of each case of higher severity: mean cost and stay of the lighter groups of its family, NaN where it has none.

    ``severe`` marks cases of higher severity, and ``severe_risk`` is their share in the family, where a family has groups by
    severity; both are NaN elsewhere.
    """

    cost: Floats
    stay: Floats
    severe: Floats
    severe_risk: Floats


def lighter_groups(frame: pd.DataFrame, least: int) -> Lighter:
    """What the lighter groups of the family cost, for cases that a severity puts into a group of another price.

    A family is an ADRG, or a DIP kind with its auxiliary levels; lighter is a lower severity in another group of it. At least
    ``least`` cases make a mean.
    """
    tier = np.full(len(frame), -1, np.int64)
    for place, name in enumerate(SEVERITIES):
        tier[_is(frame.severity, name)] = place
    family, families = pd.factorize(frame.family)
    priced, prices = pd.factorize(frame.priced)
    yuan, days = frame.yuan.to_numpy(np.float64), frame.stay.to_numpy(np.float64)
    used = (tier >= 0) & (family >= 0) & (priced >= 0) & frame.grouped.to_numpy(np.bool_)
    tiers = len(SEVERITIES)
    f, p, t = (np.where(used, values, 0) for values in (family, priced, tier))

    def below(values: Floats) -> Floats:
        """Sum of a value over the lower severities of the family in groups of another price, by case."""
        there = used & ~np.isnan(values)
        filled = np.where(there, values, 0.0)
        sums = []
        for ids, size in ((f, len(families)), (p, len(prices))):
            cells = np.bincount(ids * tiers + t, filled, minlength=max(size, 1) * tiers).reshape(-1, tiers)
            sums.append((np.cumsum(cells, axis=1) - cells)[ids, t])
        return np.where(used, sums[0] - sums[1], 0.0)

    ones = np.ones(len(frame))
    count, costed, stayed = (below(np.where(np.isnan(values), np.nan, 1.0)) for values in (ones, yuan, days))
    split = np.zeros(max(len(families), 1), np.bool_)
    apart = used & (count > 0)
    split[family[apart]] = True  # families with at least one case that a severity puts into another group
    judged = used & split[f]
    severe = np.where(judged, apart, np.nan)
    members = np.maximum(np.bincount(f[judged], minlength=split.size), 1)
    share = np.bincount(f[judged], apart[judged], minlength=split.size) / members
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = count >= least
        cost = np.where(enough & (costed > 0), below(yuan) / costed, np.nan)
        stay = np.where(enough & (stayed > 0), below(days) / stayed, np.nan)
    return Lighter(cost, stay, severe, np.where(judged, share[f], np.nan))


def _is(column: pd.Series, word: str) -> Mask:
    values = column.astype("category")
    hit = np.array([*(each == word for each in values.cat.categories), False], np.bool_)
    return hit[values.cat.codes.to_numpy()]


def _starts(column: pd.Series, beginnings: tuple[str, ...]) -> Mask:
    """Whether a code starts with one of some beginnings."""
    codes = column.astype("category")
    hit = np.array([*(str(code).startswith(beginnings) for code in codes.cat.categories), False], np.bool_)
    return hit[codes.cat.codes.to_numpy()]


def hospital_table(frame: pd.DataFrame, judged: Judged) -> pd.DataFrame:
    """One row per hospital, sorted by id.

    ``coding_quality_index`` is the mean of three shares x 100: records without a coding fault, records in a kind, records that
    are not thin in diagnoses. ``severe_expected`` and ``deaths_expected`` are what the hospital's families and kinds would have
    at the shares of all hospitals.
    """
    risk = np.where(np.isnan(judged.risk), judged.overall_risk, judged.risk)
    table = pd.DataFrame({
        "hospital_id": frame.hospital_id.astype(str), "cases": 1, "grouped": frame.grouped.astype(float),
        "sound": 1.0 - judged.flags["coding"], "full": 1.0 - judged.thin, "deaths": frame.died.astype(int),
        "deaths_expected": risk, "severe": np.nan_to_num(judged.severe), "severe_expected": np.nan_to_num(judged.severe_risk),
        **{name: flag.astype(int) for name, flag in judged.flags.items()},
    }).groupby("hospital_id", sort=True).sum()  # fmt: skip
    found = pd.DataFrame({"cases": table.cases})
    found["coding_quality_index"] = (100 * (table.sound + table.grouped + table.full) / (3 * table.cases)).round(2)
    for name in judged.flags:
        found[f"{name}_cases"] = table[name]
        found[f"{name}_share"] = (table[name] / table.cases).round(6)
    found["severe_cases"] = table.severe.astype(np.int64)
    found["severe_expected"] = table.severe_expected.round(3)
    found["deaths"] = table.deaths
    found["deaths_expected"] = table.deaths_expected.round(3)
    found["death_ratio"] = (table.deaths / table.deaths_expected.where(table.deaths_expected > 0)).round(4)
    return found.reset_index()


def comparison_table(frame: pd.DataFrame, judged: Judged, limits: SupervisionFile) -> pd.DataFrame:
    """One row per list and hospital: cases, share, what the share of all hospitals would give, and whether to look.

    ``deviations`` is the distance from what is expected in standard deviations of a binomial count; ``look`` says that it is
    above the limit, so that chance does not explain it. The row ``severity`` compares the cases of higher severity with what
    the families of the hospital would have at the shares of all hospitals.
    """
    hospital, names = pd.factorize(frame.hospital_id.astype(str), sort=True)
    size = len(names)
    cases = np.bincount(hospital, minlength=size)
    rows = []
    for name, flag in judged.flags.items():
        share = float(flag.mean()) if flag.size else 0.0
        found = np.bincount(hospital, flag, minlength=size)
        rows.append(_compared(name, names, cases, found, cases * share, cases * share * (1 - share)))
    there = ~np.isnan(judged.severe)
    risk = np.where(there, judged.severe_risk, 0.0)
    found = np.bincount(hospital, np.nan_to_num(judged.severe), minlength=size)
    variance = np.bincount(hospital, risk * (1 - risk), minlength=size)
    rows.append(
        _compared(SEVERITY, names, np.bincount(hospital, there, minlength=size), found,
                  np.bincount(hospital, risk, minlength=size), variance)
    )  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    table["look"] = (table.deviations >= limits.chance_deviations.value) & (table["cases"] >= limits.reference_cases.value)
    return table


def _compared(
    name: str, names: Any, of: NDArray[Any], found: NDArray[Any], expected: NDArray[Any], variance: NDArray[Any]
) -> pd.DataFrame:
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.DataFrame({
            "list": name, "hospital_id": [str(each) for each in names], "of": of.astype(np.int64),
            "cases": found.astype(np.int64),
            "share": np.round(np.where(of > 0, found / of, np.nan), 6), "expected": np.round(expected, 3),
            "deviations": np.round(np.where(variance > 0, (found - expected) / np.sqrt(variance), 0.0), 3),
        })  # fmt: skip


def case_table(frame: pd.DataFrame, judged: Judged, key: str = "dip") -> pd.DataFrame:
    """One row per discharge and list that it is on, by list, hospital and id; ``key`` names the column of kinds."""
    parts = []
    for name, flag in judged.flags.items():
        at = np.flatnonzero(flag)
        chosen = frame.iloc[at]
        parts.append(pd.DataFrame({
            "list": name, "hospital_id": chosen.hospital_id.astype(str), "discharge_id": chosen.discharge_id.astype(str),
            "patient_id": chosen.patient_id.astype(str), key: chosen.group.astype(str),
            "diagnosis": chosen.diagnosis.astype(object).fillna("").astype(str), "stay_days": chosen.stay,
            "usual_stay_days": judged.usual_stay[at].round(2), "total_cost": chosen.yuan,
            "cost_over_mean": judged.cost_ratio[at].round(4), "days_since_last_stay": judged.gap[at],
            "both_over_mean": judged.pair_ratio[at].round(4), "cost_over_lighter": judged.lighter_ratio[at].round(4),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True).sort_values(
        ["list", "hospital_id", "discharge_id"], kind="stable", ignore_index=True
    )
