"""Supervision lists of DRG and DIP: a second, plain implementation, what was planted, and that the order never matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drgsim.analysis.supervision import Supervision, supervise
from drgsim.analysis.supervision_limits import SupervisionFile, supervision_settings
from drgsim.analysis.supervision_lists import ASKS, judge, stay_before
from drgsim.analysis.supervision_words import SEVERITY, WORDS
from drgsim.errors import InputError
from drgsim.language import spoken
from tests.sample_region import YEARS, discharges

FILES = [discharges(year) for year in YEARS]
LIMITS = supervision_settings()


@pytest.fixture(scope="module")
def drg() -> Supervision:
    return supervise(FILES, "chs-drg-2.0")


@pytest.fixture(scope="module")
def truth() -> pd.Series:
    frames = [pd.read_parquet(path, columns=["discharge_id", "truth"]) for path in FILES]
    return pd.concat(frames).set_index("discharge_id").truth


def invented(seed: int, size: int = 400) -> pd.DataFrame:
    """Discharges of a few patients in a few kinds, so that every list is met."""
    rng = np.random.default_rng(seed)
    family = rng.integers(0, 3, size)
    tier = rng.integers(0, 3, size)
    split = np.where(family == 2, 0, tier)  # the last family has one group for all severities
    admitted = rng.integers(0, 120, size).astype(float)
    stay = 1 + np.floor(rng.exponential(7, size))
    letters = np.array(["FA1", "FB1", "FC1"])
    group = pd.Series([f"{letters[f]}{9 if f == 2 else 5 - 2 * s}" for f, s in zip(family, split, strict=True)])
    return pd.DataFrame({
        "discharge_id": [f"D{n:04d}" for n in range(size)], "hospital_id": rng.choice(["H1", "H2", "H3"], size),
        "patient_id": rng.choice([*(f"P{n}" for n in range(25)), ""], size), "group": group, "family": letters[family],
        "priced": group, "grouped": rng.random(size) < 0.95, "severity": np.array(["none", "CC", "MCC"])[tier],
        "diagnosis": rng.choice(["I21.000", "I21.900", "J18.900", "Z51.100"], size),
        "other_diagnoses": rng.integers(0, 6, size), "operated": rng.random(size) < 0.3, "faulty": rng.random(size) < 0.05,
        "admitted": admitted, "discharged": admitted + stay, "stay": stay, "went_home": rng.random(size) < 0.8,
        "died": rng.random(size) < 0.02, "yuan": np.round(np.exp(rng.normal(8 + 0.4 * tier, 0.6, size)), 2),
    })  # fmt: skip


def plainly(frame: pd.DataFrame, limits: SupervisionFile) -> dict[str, set[str]]:
    """The lists again, case by case, as their definitions read."""
    cases: list[dict[str, Any]] = frame.to_dict("records")
    kinds = defaultdict(list)
    for case in cases:
        kinds[case["group"]].append(case)
    found: dict[str, set[str]] = {name: set() for name in ASKS}
    for case in cases:
        name, own = case["discharge_id"], kinds[case["group"]]
        if case["faulty"]:
            found["coding"].add(name)
        earlier = _before(case, cases, limits.repeat_same_characters.value)
        planned = case["diagnosis"].startswith(limits.repeat_planned.value)
        gap = None if earlier is None else case["admitted"] - earlier["discharged"]
        if gap is not None and gap <= limits.repeat_within_days.value and not planned:
            found["repeat"].add(name)
        if len(own) < limits.reference_cases.value or not any(each["grouped"] for each in own):
            continue
        mean = _mean(each["yuan"] for each in own)
        usual = _mean(each["stay"] for each in own)
        spread = sqrt(_mean((each["stay"] - usual) ** 2 for each in own))
        if case["stay"] > max(usual + limits.long_deviations.value * spread, limits.long_at_least.value):
            found["extra_long"].add(name)
        low = case["yuan"] < limits.low_cost_ratio.value * mean and case["stay"] <= limits.low_longest_stay.value
        if low and case["severity"] == "none" and not case["operated"] and not case["died"]:
            found["low_standard"].add(name)
        if gap is not None and earlier is not None and gap <= limits.split_within_days.value and not planned:
            together = case["yuan"] + earlier["yuan"]
            if earlier["went_home"] and together <= limits.split_cost_ratio.value * mean:
                found["split_stay"].add(name)
    return {**found, "severity_misfit": {case["discharge_id"] for case in cases if _misfits(case, cases, limits)}}


def _misfits(case: dict[str, Any], cases: list[dict[str, Any]], limits: SupervisionFile) -> bool:
    lighter = _lighter(case, cases)
    if len(lighter) < limits.reference_cases.value or not case["went_home"] or case["died"]:
        return False
    light = case["yuan"] < limits.severe_cost_ratio.value * _mean(each["yuan"] for each in lighter)
    return bool(light and case["stay"] <= _mean(each["stay"] for each in lighter))


def _before(case: dict[str, Any], cases: list[dict[str, Any]], characters: int) -> dict[str, Any] | None:
    """The stay right before in the order of admission, unless it overlaps."""
    if not case["patient_id"]:
        return None

    def order(each: dict[str, Any]) -> tuple[Any, ...]:
        return each["admitted"], each["discharged"], each["yuan"], each["discharge_id"]

    alike = [
        each for each in cases
        if all(each[key] == case[key] for key in ("patient_id", "hospital_id"))
        and each["diagnosis"][:characters] == case["diagnosis"][:characters] and order(each) < order(case)
    ]  # fmt: skip
    last = max(alike, key=order, default=None)
    return last if last is not None and case["admitted"] >= last["discharged"] else None


def _lighter(case: dict[str, Any], cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rank = {"none": 0, "CC": 1, "MCC": 2}
    if not case["grouped"]:
        return []
    return [
        each for each in cases
        if each["grouped"] and each["family"] == case["family"] and each["priced"] != case["priced"]
        and rank[each["severity"]] < rank[case["severity"]]
    ]  # fmt: skip


def _mean(values: Iterator[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", range(4))
def test_a_second_plain_implementation_makes_the_same_lists(seed: int) -> None:
    frame = invented(seed)
    judged = judge(frame, LIMITS)
    expected = plainly(frame, LIMITS)
    for name in ASKS:
        if name != "low_risk_death":
            assert set(frame.discharge_id[judged.flags[name]]) == expected[name], name


def test_the_invented_discharges_meet_every_list() -> None:
    found = [plainly(invented(seed), LIMITS) for seed in range(4)]
    assert all(any(each[name] for each in found) for name in ASKS if name != "low_risk_death")


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_discharges_never_matters(seed: int) -> None:
    frame = invented(seed)
    frame = pd.concat([frame, frame.head(40).assign(discharge_id=lambda f: f.discharge_id + "b")], ignore_index=True)
    turned = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    one, two = judge(frame, LIMITS), judge(turned, LIMITS)
    for name in ASKS:
        assert set(frame.discharge_id[one.flags[name]]) == set(turned.discharge_id[two.flags[name]]), name


def test_a_stay_that_overlaps_has_none_before_it() -> None:
    stays = pd.DataFrame({
        "hospital_id": ["H1"] * 2, "patient_id": ["P1"] * 2, "diagnosis": ["J18.900"] * 2, "admitted": [1.0, 3.0],
        "discharged": [5.0, 9.0],
    })  # fmt: skip
    assert stay_before(stays, 3)[0].tolist() == [-1, -1]


def test_severe_cases_are_compared_within_their_families(drg: Supervision) -> None:
    """Over all hospitals, as many are expected as found; by hospital, the families decide what is expected."""
    rows = drg.comparison[drg.comparison["list"] == SEVERITY]
    assert rows.expected.sum() == pytest.approx(rows["cases"].sum(), abs=0.01)
    assert drg.hospitals.severe_cases.sum() == rows["cases"].sum()
    others = drg.comparison[drg.comparison["list"] != SEVERITY]
    for _, own in others.groupby("list"):
        assert own.expected.sum() == pytest.approx(own["cases"].sum(), abs=0.01)
        assert own["of"].sum() == drg.records
    assert (drg.comparison.look == (
        (drg.comparison.deviations >= LIMITS.chance_deviations.value) & (drg.comparison["of"] >= LIMITS.reference_cases.value)
    )).all()  # fmt: skip


def test_what_was_planted_is_found_more_often_than_chance_would(drg: Supervision, truth: pd.Series) -> None:
    """Signals, not verdicts: most cases on a list are ordinary, but planted ones are there many times as often."""
    for name, planted, least in (
        ("split_stay", "split", 30),
        ("severity_misfit", "upcoded", 8),
        ("low_standard", "low_standard", 20),
    ):
        listed = truth.index.isin(drg.cases.discharge_id[drg.cases["list"] == name])
        of = truth.str.contains(planted).to_numpy()
        assert listed[of].mean() > least * listed[~of].mean(), name


def test_dip_cases_have_the_same_lists_by_their_kinds() -> None:
    found = supervise(FILES[:1], "dip-taian-2025")
    assert set(found.cases["list"]) <= set(ASKS)
    assert "dip" in found.cases.columns
    assert found.scheme == "dip-taian-2025"


def test_lists_that_lack_a_column_are_left_out_and_told(tmp_path: Any) -> None:
    frame = pd.read_parquet(FILES[0]).head(300).drop(columns=["patient_id", "los_days"])
    frame.to_parquet(tmp_path / "cases.parquet")
    with pytest.raises(InputError) as refused:
        supervise([tmp_path / "cases.parquet"], "chs-drg-2.0")
    assert [problem.what.split()[-1] for problem in refused.value.problems] == ["patient_id", "los_days"]
    found = supervise([tmp_path / "cases.parquet"], "chs-drg-2.0", strict=False)
    assert found.missing == {"repeat": ("patient_id",), "split_stay": ("patient_id",)}, "a stay follows from its dates"
    assert "repeat_cases" not in found.hospitals.columns
    assert set(found.comparison["list"]) == {*ASKS, SEVERITY} - {"repeat", "split_stay"}


def test_words_accuse_nobody() -> None:
    """Every list has words in both languages with what may explain it; none speaks of fraud or of a verdict."""
    assert set(WORDS) == {*ASKS, SEVERITY}
    for words in WORDS.values():
        for part in (words.title, words.what, words.innocent):
            both = spoken(part, "en") + spoken(part, "zh")
            assert spoken(part, "zh") != spoken(part, "en")
            assert not any(word in both for word in ("fraud", "cheat", "illegal", "骗保", "欺诈", "违规", "违法", "套取"))
