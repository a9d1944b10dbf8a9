"""Rounds of procurement: falls by ADRG, surplus kept by class of product, the task's completion in the quality score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drgsim.money import exact, round_half_away
from drgsim.region.region_tables import PROCUREMENT_CLASSES
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import ScenarioError, load_scenario, parse_scenario
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.study import plan_of
from tests.payment_policies import keyed, policy_with
from tests.simulating import HEAD, YEAR, plan, region, runner

HEADER = "discharge_id,hospital_id,drg,adrg,insurance,total_cost,patient_paid,cost_consumables,relative_weight\n"
CASES = """a,H1,FL29,FL2,employee,60000,0,40000,3
b,H1,BE25,BE2,employee,80000,0,50000,3
c,H1,IC39,IC3,employee,40000,0,20000,3
d,H2,FL29,FL2,employee,60000,0,40000,3
e,H2,BV39,BV3,employee,10000,0,1000,3
"""
ROUNDS = """
  procurement.round.electrophysiology: {adrg: [FL2]}
  procurement.round.neuro_intervention: {adrg: [BE2]}
  procurement.round.sports_medicine: {adrg: [IC3]}
"""
LINKED = {"procurement": {
    "kept_share": keyed({"selected_within_volume": 1, "selected_beyond_volume": 0.7, "not_selected": 0.5}),
    "price_fall": keyed({"electrophysiology": 0.383, "neuro_intervention": 0.449, "sports_medicine": 0.33}),
}}  # fmt: skip


def _region(tmp_path: Path, procurement: bool = True) -> Region:
    """Two hospitals; H1 uses 60 % within the task, 30 % beyond it, 10 % not selected, H2 states nothing."""
    (tmp_path / "discharges-2024.csv").write_text(HEADER + CASES, encoding="utf-8")
    (tmp_path / "hospitals.csv").write_text("hospital_id,level\nH1,3\nH2,3\n", encoding="utf-8")
    if procurement:
        (tmp_path / "procurement.csv").write_text(
            "year,hospital_id,savings_yuan,selected_within_volume_yuan,selected_beyond_volume_yuan,not_selected_yuan,completion\n"
            "2023,H1,100,60,30,10,0.9\n", encoding="utf-8",
        )  # fmt: skip
    return Region.of(tmp_path)


def _taken(region: Region, changes: str) -> list[int]:
    """Fen that the fund takes back of H1 and H2 under a policy of 30,000 yuan; every case is worth three weights."""
    policy = policy_with(region.folder, LINKED)
    scenario = parse_scenario(f"{HEAD}changes:{changes}\n", "test")
    outcome = Runner(region).run(plan_of([scenario], policy, region).setup, 2024)
    return [int(each) for each in outcome.adjustments["procurement"][:2]]


def test_three_rounds_by_hand(tmp_path: Path) -> None:
    """Saved at H1: 40,000 x 0.383 = 15,320; 50,000 x 0.449 = 22,450; 20,000 x 0.33 = 6,600; at H2 15,320.

    All cost less than their standard of 90,000 and are paid it, so that nothing is handed on. H1 keeps 0.6 + 0.3 x 0.7 +
    0.1 x 0.5 = 0.86: it hands back 0.14 x (15,320 + 22,450 + 6,600) = 6,211.80. H2, which states no classes, keeps all.
    """
    assert _taken(_region(tmp_path), ROUNDS) == [-621_180, 0]


def test_the_mix_of_a_round_goes_before_that_of_the_region(tmp_path: Path) -> None:
    """Half not selected: half of the half of 15,320 is handed back by both hospitals: 3,830."""
    changes = "\n  procurement.round.electrophysiology: {adrg: [FL2], mix: {selected_within_volume: 0.5, not_selected: 0.5}}"
    assert _taken(_region(tmp_path), changes) == [-383_000, -383_000]


def test_completion_divides_what_is_selected(tmp_path: Path) -> None:
    """The task done 1.25 times: 1 / 1.25 = 0.8 of what is selected lies within it; H1: 0.72 within, 0.18 beyond, 0.1 not.

    Of 15,320 H1 hands back 0.18 x 0.3 + 0.1 x 0.5 = 0.104: 1,593.28; H2, all of whose products are selected, 0.2 x 0.3: 919.20.
    """
    changes = "\n  procurement.round.electrophysiology: {adrg: [FL2]}\n  procurement.completion.all: 1.25"
    assert _taken(_region(tmp_path), changes) == [-159_328, -91_920]
    below = "\n  procurement.round.electrophysiology: {adrg: [FL2]}\n  procurement.completion.hospital.H2: 0.5"
    assert _taken(_region(tmp_path), below)[1] == 0


def test_a_case_that_is_paid_its_bill_hands_its_fall_on(tmp_path: Path) -> None:
    assert _taken(_region(tmp_path), ROUNDS + "  hospitals.members: [H2]\n") == [0, 0]
    assert _taken(_region(tmp_path), ROUNDS + "  hospitals.members: [H1]\n") == [-621_180, 0]


def test_kept_shares_follow_the_policy(tmp_path: Path) -> None:
    """With 0 kept of what was not selected H1 hands back 0.3 x 0.3 + 0.1 x 1 = 0.19 of 44,370: 8,430.30."""
    assert _taken(_region(tmp_path), ROUNDS + "  procurement.kept_share.not_selected: 0\n")[0] == -843_030


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ("{procurement.round.hips: {adrg: [IC3]}}", "scenario-bad-value"),
        ("{procurement.round.x: {adrg: [QQ9], fall: 0.2}}", "scenario-out-of-scope"),
        ("{procurement.round.x: {adrg: [IC3], fall: 0.2, category: screws}}", "scenario-unknown-path"),
        ("{procurement.round.x: {adrg: [IC3], fall: 1.2}}", "scenario-bad-value"),
        ("{procurement.round.x: {adrg: [IC3], fall: 0.2, mix: {not_selected: 0.5}}}", "scenario-bad-value"),
        ("{procurement.round.x: {adrg: [IC3], fall: 0.2, mix: {not_selekted: 1}}}", "scenario-bad-value"),
        (
            "{procurement.round.x: {adrg: [IC3], fall: .2}, procurement.round.y: {adrg: [IC3], fall: .1}}",
            "scenario-bad-value",
        ),
        ("{procurement.round.x: {adrg: [IC3], fall: 0.2}, procurement.kept_share: 0.5}", "scenario-out-of-scope"),
        ("{procurement.completion.all: 1}", "scenario-out-of-scope"),
        ("{policy: xian/2024, procurement.round.x: {adrg: [IC3], fall: 0.2}}", "scenario-out-of-scope"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: str, code: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(changes)
    assert {problem.code for problem in caught.value.problems} == {code}


def test_the_shipped_scenario_against_a_plain_recomputation() -> None:
    """What is taken back, from the cases' savings with fractions: split by procurement.csv, times what is not kept."""
    scenario = plan_of([load_scenario("procurement-linkage")], None, region())
    setup = scenario.setup
    lines = runner().lines(setup, YEAR)
    outcome = runner().outcome(setup, YEAR, lines)
    spec = setup.policy.file.procurement
    assert spec is not None
    assert [round(one.fall, 3) for one in setup.rounds] == [0.383, 0.449, 0.33]
    kept = [exact(spec.kept_share.values[name]) for name in PROCUREMENT_CLASSES]
    adrg, hospital = lines.state.cohort.adrg, lines.state.hospital
    saved: dict[tuple[str, str], int] = {}
    for place, fen in enumerate(lines.money[Measure.SAVING].tolist()):
        name = next((one.name for one in setup.rounds if adrg.values[adrg.ids[place]] in one.adrg), "")
        key = (hospital.values[hospital.ids[place]], name)
        saved[key] = saved.get(key, 0) + fen
    assert sum(saved.values())
    for row, name in enumerate(outcome.hospitals):
        amounts, wanted = _surplus(name), 0
        whole = sum(amounts)
        within, beyond, rest = (exact(amount) / whole for amount in amounts) if whole else (exact(1), exact(0), exact(0))
        mix = (within + beyond, exact(0), rest)  # the task is done: what is selected lies within it
        lost = sum((share * (1 - of) for share, of in zip(mix, kept, strict=True)), exact(0))
        for one in setup.rounds:
            wanted -= round_half_away(saved.get((name, one.name), 0) * lost)
        assert abs(int(outcome.adjustments["procurement"][row]) - wanted) <= 3 * len(setup.rounds), name


def _surplus(hospital: str) -> list[int]:
    stated: dict[str, Any] = dict(region().surplus)
    last = max((year for name, year in stated[PROCUREMENT_CLASSES[0]] if name == hospital and year <= YEAR), default=0)
    return [stated[each].get((hospital, last), 0) for each in PROCUREMENT_CLASSES]


def test_completion_moves_the_quality_score() -> None:
    """All indicators but one stay: a task done to 70 % is worth nothing, one that is done all of its points (budget terms)."""
    base = "baseline: {policy: beijing/2024, changes: {rate.source: fund, budget.active: true}}\n"
    scores = []
    for completion in (0.7, 1):
        outcome = runner().run(plan(f"{{procurement.completion.all: {completion}}}", baseline=base).setup, YEAR)
        assert outcome.budget is not None
        scores.append(outcome.budget.scores.score)
        place = outcome.budget.figures.indicator_names.index("procurement_completion")
        assert set(outcome.budget.scores.points[:, place].round(6).tolist()) == {0.0 if completion == 0.7 else 100.0}
    assert (scores[1] > scores[0]).all()
