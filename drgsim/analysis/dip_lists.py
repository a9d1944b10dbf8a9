"""How the supervision lists of DIP are judged.

Each compares a discharge with its own kind in the same input: the lists say where to look, they are no verdict. Limits:
:mod:`drgsim.analysis.dip_limits`.

=================  ===================================================================================================
coding             病案质量: principal diagnosis or procedure missing, unknown or grey, unknown codes, ages that contradict
repeat             二次入院: same patient, hospital and category of principal diagnosis within some days, not planned
low_standard       低标入院: no complication, no operative procedure, a short stay at a fraction of the kind's mean cost
extra_long         超长住院: stay above the kind's mean by some standard deviations
low_risk_death     低风险死亡: death in a kind whose mortality is low among kinds (rule book 1.9)
=================  ===================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgsim.analysis.dip_limits import SupervisionFile
from drgsim.analysis.metrics import risk_levels
from drgsim.costs.statistics import group_statistics

LISTS = {
    "coding": ("coding faults", "病案编码疑点"),
    "repeat": ("repeat admission", "二次入院"),
    "low_standard": ("low-standard admission", "低标入院"),
    "extra_long": ("extra-long stay", "超长住院"),
    "low_risk_death": ("death in a low-risk kind", "低风险病种死亡"),
}


@dataclass(frozen=True)
class Judged:
    """Lists of each discharge, and what they were judged by.

    ``flags`` has an array per list; ``thin`` marks records with few diagnoses; ``gap`` days since the stay before of the same
    patient and hospital (NaN: none); ``cost_ratio`` cost over the mean of the kind, ``usual_stay`` its mean stay, ``risk`` its
    mortality (NaN where the kind has too few cases).
    """

    flags: dict[str, NDArray[np.bool_]]
    thin: NDArray[np.bool_]
    gap: NDArray[np.float64]
    cost_ratio: NDArray[np.float64]
    usual_stay: NDArray[np.float64]
    risk: NDArray[np.float64]
    overall_risk: float


def judge(frame: pd.DataFrame, limits: SupervisionFile) -> Judged:
    """Judge discharges.

    Parameters
    ----------
    frame
        One row per discharge: hospital_id, patient_id, dip, grouped, severity, diagnosis, other_diagnoses, operated, faulty,
        admitted and discharged (days), stay (days), died, yuan.
    limits
        The limits of the lists.
    """
    kind, names = pd.factorize(frame.dip, sort=True)
    size = len(names)
    number = np.bincount(kind[kind >= 0], minlength=size)
    cost, stay, others, death = (
        group_statistics(frame[name].to_numpy(np.float64), kind, size) for name in ("yuan", "stay", "other_diagnoses", "died")
    )
    known = (number >= limits.reference_cases.value) & _grouped_kinds(frame, kind, size)

    def of_case(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(known, values, np.nan)[kind]

    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = frame.yuan.to_numpy() / of_case(cost.mean)
        days = frame.stay.to_numpy()
        usual, spread = of_case(stay.mean), of_case(stay.deviation)
        longest = np.maximum(usual + limits.long_deviations.value * spread, limits.long_at_least.value)
        died = frame.died.to_numpy(np.bool_)
        low_risk = np.zeros(size, np.bool_)
        low_risk[known] = risk_levels(death.mean[known]) == 0
        flags = {
            "coding": frame.faulty.to_numpy(np.bool_),
            "low_standard": (frame.severity.astype(str) == "none").to_numpy() & ~frame.operated.to_numpy(np.bool_) & ~died
            & (days <= limits.low_longest_stay.value) & (ratio < limits.low_cost_ratio.value),
            "extra_long": days > longest,
            "low_risk_death": died & low_risk[kind],
        }  # fmt: skip
        thin = frame.other_diagnoses.to_numpy() < limits.quality_few_diagnoses.value * of_case(others.mean)
    gap = days_since_last_stay(frame, limits.repeat_same_characters.value)
    category = frame.diagnosis.astype(str)
    planned = category.str.startswith(limits.repeat_planned.value).to_numpy()
    flags["repeat"] = (gap <= limits.repeat_within_days.value) & ~planned
    overall = float(died.mean()) if died.size else float("nan")
    return Judged({name: flags[name] for name in LISTS}, thin, gap, ratio, usual, of_case(death.mean), overall)


def _grouped_kinds(frame: pd.DataFrame, kind: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    return np.bincount(kind, frame.grouped.to_numpy(np.float64), minlength=size) > 0


def days_since_last_stay(frame: pd.DataFrame, characters: int) -> NDArray[np.float64]:
    """Days from the discharge before to this admission: same patient, hospital and beginning of the principal diagnosis.

    Examples
    --------
    >>> stays = pd.DataFrame({
    ...     "hospital_id": ["H1"] * 3, "patient_id": ["P1"] * 3, "diagnosis": ["J18.900", "J18.000", "I10.x00"],
    ...     "admitted": [10.0, 18.0, 30.0], "discharged": [15.0, 25.0, 31.0],
    ... })
    >>> days_since_last_stay(stays, 3).tolist()
    [nan, 3.0, nan]
    """
    usable = (frame.patient_id != "") & frame.admitted.notna() & frame.discharged.notna()
    own = pd.DataFrame({
        "hospital": frame.hospital_id.astype(str), "patient": frame.patient_id.astype(str),
        "category": frame.diagnosis.astype(str).str[:characters], "admitted": frame.admitted, "discharged": frame.discharged,
    })[usable]  # fmt: skip
    own = own.sort_values(["hospital", "patient", "category", "admitted", "discharged"], kind="stable")
    same = (own[["hospital", "patient", "category"]] == own[["hospital", "patient", "category"]].shift()).all(axis=1)
    gap = (own.admitted - own.discharged.shift()).where(same & (own.admitted >= own.discharged.shift()))
    aligned = pd.Series(np.nan, index=frame.index)
    aligned.loc[own.index] = gap
    return np.asarray(aligned.to_numpy(), np.float64)


def hospital_table(frame: pd.DataFrame, judged: Judged) -> pd.DataFrame:
    """One row per hospital, sorted by id.

    ``coding_quality_index`` is the mean of three shares x 100: records without a coding fault, records in a kind, records that
    are not thin in diagnoses. ``deaths_expected`` is what the hospital's kinds would have at the region's mortality.
    """
    risk = np.where(np.isnan(judged.risk), judged.overall_risk, judged.risk)
    table = pd.DataFrame({
        "hospital_id": frame.hospital_id.astype(str), "cases": 1, "grouped": frame.grouped.astype(float),
        "sound": 1.0 - judged.flags["coding"], "full": 1.0 - judged.thin, "deaths": frame.died.astype(int),
        "deaths_expected": risk, **{name: flag.astype(int) for name, flag in judged.flags.items()},
    }).groupby("hospital_id", sort=True).sum()  # fmt: skip
    found = pd.DataFrame({"cases": table.cases})
    found["coding_quality_index"] = (100 * (table.sound + table.grouped + table.full) / (3 * table.cases)).round(2)
    for name in LISTS:
        found[f"{name}_cases"] = table[name]
        found[f"{name}_share"] = (table[name] / table.cases).round(6)
    found["deaths"] = table.deaths
    found["deaths_expected"] = table.deaths_expected.round(3)
    found["death_ratio"] = (table.deaths / table.deaths_expected.where(table.deaths_expected > 0)).round(4)
    return found.reset_index()


def case_table(frame: pd.DataFrame, judged: Judged) -> pd.DataFrame:
    """One row per discharge and list that it is on, by list, hospital and id."""
    parts = []
    for name, flag in judged.flags.items():
        at = np.flatnonzero(flag)
        chosen = frame.iloc[at]
        parts.append(pd.DataFrame({
            "list": name, "hospital_id": chosen.hospital_id.astype(str), "discharge_id": chosen.discharge_id.astype(str),
            "patient_id": chosen.patient_id.astype(str), "dip": chosen.dip.astype(str),
            "diagnosis": chosen.diagnosis.astype(object).fillna("").astype(str), "stay_days": chosen.stay,
            "usual_stay_days": judged.usual_stay[at].round(2), "total_cost": chosen.yuan,
            "cost_over_mean": judged.cost_ratio[at].round(4), "days_since_last_stay": judged.gap[at],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True).sort_values(
        ["list", "hospital_id", "discharge_id"], kind="stable", ignore_index=True
    )
