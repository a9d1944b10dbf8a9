"""The quick way of simulation walks the rules of settling: equal to the fen for every rule, or it steps aside."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest

from drgsim.money import MISSING
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import BY_CURVE, Ledger
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.rules import rule_list
from drgsim.payment.rules.settlement_rule import Repricing, Rule, Stage, kept
from drgsim.payment.single_disease_table import SingleDiseases
from drgsim.simulation import repricing
from drgsim.simulation.explore import Evaluator, grid_table
from drgsim.simulation.headlines import headlines
from drgsim.simulation.runner import Outcome, Runner
from drgsim.simulation.setup import Setup, first_setup
from drgsim.simulation.simulated_region import Cohort
from tests.payment_policies import keyed, value
from tests.sample_region import YEAR
from tests.simulating import by_path, frequent_groups, plan, region, same

GROUPS = frequent_groups()[:2]
SAID = {"source": "test", "evidence": "assumption"}
PRICES: tuple[dict[str, Any], ...] = (
    {"rate.base": "*1"}, {"rate.base": "*1.0731"}, {"outlier.high.multiple": "*0.7", "outlier.low.ratio": "*1.3"},
)  # fmt: skip
SHARE = {"mode": value("ratio"), "floor_at_zero": value(True), "benefit_ratio": keyed({"*": 0.7})}
BY_COST = {"unit": "ratio", **SAID, "pieces": [{"case_class": "incomplete", "pays": "x"}]}
FLAT = {"unit": "ratio", **SAID, "bands": [{"K": 10_000}], "pieces": [  # every bill far from both limits
    {"case_class": "low", "upto": 1e-6, "pays": "actual"}, {"case_class": "normal", "upto": "K", "closed": True, "pays": "k"},
    {"case_class": "high", "pays": "actual"},
]}  # fmt: skip
CLASS = {"title": "test", "title_zh": "测试", **SAID}


@dataclass(frozen=True)
class Variant:
    """A policy and cases in which a rule or a section decides something.

    ``sections`` go into Beijing's policy of 2024; ``marks`` are columns of the cases, from their number and a draw of 0 to 1;
    ``decides`` is a class that must occur, ``refused`` whether the quick way must step aside.
    """

    sections: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    decides: str = "normal"
    refused: bool = False


CHOICE = {"from_history": {"groups": value(20), "maximum_cv": value(1), "by": value("cost")}}
EARLIER = {"values": {"*": 15000}, "unit": "yuan", **SAID}
SOMETIMES, RARELY = (lambda draw: draw < 0.1), (lambda draw: draw < 0.01)
RULES = {
    "unstable_groups": Variant(
        {"unstable": {"group_class": "wild", "maximum_cv": value(0.4), "minimum_cases": value(5), "detect": value("cases")},
         "group_classes.wild": {**CLASS, "curve": "by_cost"}, "curves.by_cost": BY_COST}, decides="incomplete", refused=True,
    ),
    "dates_in_force": Variant(
        {"unit_value": keyed({"*": 20425}, "yuan", effective_from=date(YEAR, 6, 1), earlier=[EARLIER])}, refused=True
    ),
    "incomplete_stay": Variant(
        {"stays.incomplete_curve": "by_cost", "curves.by_cost": BY_COST}, {"incomplete": SOMETIMES}, decides="incomplete",
        refused=True,
    ),
    "readmission": Variant({"readmission": {"within_days": value(300), "factor": value(0.5)}}),
    "self_pay": Variant(decides="self_pay"),
    "by_item": Variant({}, {"by_item": SOMETIMES}, decides="by_item"),
    "member_institutions": Variant({"members": {"levels": ["3"], **SAID, "unit": "hospitals"}}, decides="by_item"),
    "simulated_payment": Variant({"shadow": value(True)}, decides="by_item", refused=True),
    "single_disease": Variant(decides="fixed"),
    "no_group": Variant({"ungrouped": value("standard")}, decides="unpaid"),
    "group_classes": Variant(
        {"group_classes.fixed": {**CLASS, "pays": "standard", "groups": [*GROUPS]}}, decides="fixed", refused=True
    ),
    "daily_value": Variant(
        {"group_classes.daily": {**CLASS, "pays": "daily", "groups": ["FR23", "ES23"]}}, decides="per_diem", refused=True
    ),
    "per_diem": Variant(
        {"per_diem": {"rate": keyed({"*": 0.07}), "rate_unit": "point"}}, {"per_diem": SOMETIMES}, decides="per_diem",
        refused=True,
    ),
    "chosen_groups": Variant({"group_selection": CHOICE}, decides="by_item"),
    "long_stay": Variant({"stays.long_days": value(15)}, decides="over_60_days"),
    "payment_curve": Variant(decides="high"),
    "special_course": Variant(
        {"courses": [{"title": "long", "title_zh": "长", "days_from": 6, "ratio_over": 1, "case_class": "incomplete",
                      "pays": 1.1, "source": "test", "evidence": "assumption"}]}, decides="incomplete", refused=True,
    ),
    "exempt_payment": Variant(
        {"unit_value": keyed({"*": 4000}, "yuan")},
        {"exempt_cost": lambda draw: 800_000 * (draw < 0.5), "exempt_mean_cost": lambda draw: 10_000 + 0 * draw},
        decides="exempt",
    ),
    "extreme_cap": Variant({"extreme_cap": value(0.002)}, decides="high", refused=True),
    "special_review": Variant(
        {"special_review": {"quota": value(0.003), "pays": value("adjusted"), "adjusted_factor": value(1.2)}},
        {"special_review": SOMETIMES}, decides="special_review", refused=True,
    ),
}  # fmt: skip
SECTIONS = {
    "by_combination own value": Variant({}, {"relative_weight": lambda draw: 0.5 + draw}, refused=True),
    "by_combination own mean": Variant({}, {"group_mean_cost": lambda draw: 5000 + 9000 * draw}, refused=True),
    "by_combination mean of cases": Variant({"reference": {"from_cases": value(True)}}, refused=True),
    "by_combination value of cases": Variant(
        {"group_classes.blank": {**CLASS, "groups": ["0000"], "value_from_cases": value(True)}}, refused=True
    ),
    "deduction_of": Variant({"patient_share": SHARE}, refused=True),
    "pot_of": Variant({"budget": keyed({"employee": 5e7, "resident": 5e7}, "yuan")}, refused=True),
    "closes": Variant({}, {}, {"budget.active": True}, refused=True),
}
ALL = {**RULES, **SECTIONS}
FREELY = {  # what was refused without need once
    "payment per day in yuan": Variant(
        {"per_diem": {"rate": keyed({"*": 900}), "day_cap": value(9)}}, {"per_diem": SOMETIMES}, decides="per_diem"
    ),
    "hospitals by item": Variant({}, {}, {"hospitals.level.2.in_drg": False}, "by_item"),
    "capitation": Variant({}, {}, {"capitation.conditions": ["diabetes"]}, "by_item"),
    "a technology beside the group": Variant(
        {}, {}, {"new_technology.x": {"adrg": [frequent_groups("adrg")[0]], "share": 0.2, "cost": 9000, "exempt": True}}
    ),
    "nothing paid": Variant({"group_classes.out": {**CLASS, "pays": "nothing", "groups": [GROUPS[0]]}}, decides="fixed"),
    "ages": Variant({"age_factors": [{**value(1.1), "age_below": 18}]}),
    **{  # prices at which patients pay more than many amounts, and all that some hospitals are owed
        f"the fund's part by {net}": Variant(
            {"patient_share.net": value(net), "unit_value": keyed({"*": 3500}, "yuan"), "curves.main": FLAT},
            {"by_item": RARELY},
        )
        for net in ("case", "hospital_month", "hospital_year")
    },
    "a fund that takes back": Variant(
        {"patient_share.floor_at_zero": value(False), "unit_value": keyed({"*": 2000}, "yuan")}, {"by_item": SOMETIMES}
    ),
}  # fmt: skip


class Marked(Runner):
    """A runner whose cases carry marks."""

    def __init__(self, marks: dict[str, Any]) -> None:
        super().__init__(region())
        self.marks = marks
        self._cohorts: dict[tuple[str, int], Cohort] = {}

    def cohort(self, setup: Setup, year: int) -> Cohort:
        key = setup.scheme, year
        if key not in self._cohorts:
            cohort = super().cohort(setup, year)
            cases, draw = cohort.cases, np.random.default_rng(7).random(cohort.size)
            new: dict[str, dict[str, Any]] = {
                "flags": dict(cases.flags),
                "numbers": dict(cases.numbers),
                "money": dict(cases.money),
            }
            for name, mark in self.marks.items():
                kind = next(kind for kind, columns in new.items() if name in columns)
                new[kind][name] = np.asarray(mark(draw)).astype(new[kind][name].dtype)
            changed = replace(cases, **new, present=cases.present | set(self.marks))  # type: ignore[arg-type]
            self._cohorts[key] = replace(cohort, cases=changed)
        return self._cohorts[key]


@cache
def policy_of(name: str) -> Policy:
    base = load_policy("beijing/2024")
    raw = deepcopy(dict(base.raw))
    raw["sources"]["test"] = {"title": "made up for a test"}
    raw["relative_value"]["standard_from_table"] = False
    for path, section in {**ALL, **FREELY}[name].sections.items():
        first, _, second = path.partition(".")
        if second:
            raw.setdefault(first, {})[second] = deepcopy(section)
        else:
            raw[first] = deepcopy(section)
    policy = base.rebuilt(raw, name)
    if name == "single_disease":
        diseases = {(GROUPS[0], "", ""): (600_000, 200_000), (GROUPS[1], "3", ""): (500_000, 90_000)}
        policy = replace(policy, single_diseases=SingleDiseases(diseases))
    return policy


@cache
def runner_of(name: str) -> Runner:
    return Marked({**ALL, **FREELY}[name].marks)


@cache
def setups(name: str) -> tuple[Setup, ...]:
    """The setup of a variant and the same at other prices."""
    base = by_path(first_setup(policy_of(name)), {**ALL, **FREELY}[name].changes)
    return base, *(by_path(base, changes) for changes in PRICES)


@cache
def in_full(name: str, place: int) -> Outcome:
    return runner_of(name).run(setups(name)[place], YEAR)


def disagreements(name: str, prepared: repricing.PreparedCases) -> list[int]:
    """Places of the setups for which the quick way gives something else than settling."""
    runner = runner_of(name)
    return [
        place for place, setup in enumerate(setups(name))
        if not same(repricing.rerun(runner, prepared, setup, YEAR), in_full(name, place))
    ]  # fmt: skip


def force(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let one rule say that no price changes it."""
    rules = tuple(replace(rule, repricing=kept) if rule.name == name else rule for rule in rule_list.RULES)
    assert rules != rule_list.RULES
    monkeypatch.setattr(rule_list, "RULES", rules)


def test_every_rule_has_a_variant_and_says_what_it_is() -> None:
    assert [rule.name for rule in rule_list.RULES] == list(RULES)
    assert [rule.stage for rule in rule_list.RULES] == sorted(rule.stage for rule in rule_list.RULES)
    file = policy_of("payment_curve").file
    for rule in rule_list.RULES:
        assert all((rule.title, rule.title_zh))
        assert set(rule.reads) <= set(type(file).model_fields), rule.name


@pytest.mark.parametrize("name", [*ALL, *FREELY])
def test_the_quick_way_agrees_with_settling_or_steps_aside(name: str) -> None:
    variant = {**ALL, **FREELY}[name]
    found = runner_of(name).lines(setups(name)[0], YEAR).settlement.table["case_class"].to_pylist()
    assert variant.decides in found
    prepared = repricing.prepare(runner_of(name), setups(name)[0], YEAR)
    assert (prepared is None) == variant.refused
    if prepared is not None:
        assert disagreements(name, prepared) == []


@pytest.mark.parametrize("name", [name for name in FREELY if name.startswith("the fund's part")])
def test_the_quick_way_nets_by_how_often_a_case_counts(name: str) -> None:
    runner, base = runner_of(name), setups(name)[0]
    lines = runner.lines(base, YEAR)
    drawn = lines.state.parts * np.random.default_rng(3).integers(0, 4, lines.state.parts.size)
    prepared = repricing.prepare(runner, base, YEAR)
    assert prepared is not None
    outcome = runner.outcome(base, YEAR, lines, drawn, whole=False)
    assert same(repricing.rerun(runner, prepared, base, YEAR, drawn), outcome)
    shares = lines.settlement.parts
    assert (shares.fund != shares.before_netting).any()


@pytest.mark.parametrize("name", [*(name for name, variant in RULES.items() if variant.refused), "exempt_payment"])
def test_a_rule_that_hides_what_prices_do_to_it_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(monkeypatch, name)
    prepared = repricing.prepare(runner_of(name), setups(name)[0], YEAR)
    assert prepared is not None
    assert disagreements(name, prepared)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_that_hides_what_it_looks_at_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = name.partition(" ")[0]
    nothing = np.zeros(runner_of(name).cohort(setups(name)[0], YEAR).size, np.int64)
    answer = {"by_combination": True, "deduction_of": nothing, "pot_of": {}, "closes": False}[guard]
    monkeypatch.setattr(repricing, guard, lambda *given: answer)
    prepared = repricing.prepare(runner_of(name), setups(name)[0], YEAR)
    assert prepared is not None
    assert disagreements(name, prepared)


# -- a rule put into the list ----------------------------------------------------------------------------------------------
def _lesser(ledger: Ledger) -> None:
    """Pay the lesser of bill and standard."""
    where = ledger.is_class(*BY_CURVE) & (ledger.standard != MISSING)
    ledger.decide(where, CaseClass.NORMAL, "the lesser of bill and standard")
    ledger.pay_yuan(where, np.minimum(ledger.cost, ledger.standard))


def _lesser_before(ledger: Ledger) -> None:
    where = ledger.open_cases & (ledger.standard != MISSING)
    ledger.decide(where, CaseClass.FIXED, "the lesser of bill and standard")
    ledger.pay_yuan(where, np.minimum(ledger.cost, ledger.standard))


@pytest.mark.parametrize(
    "rule",
    [
        Rule("lesser", "lesser", "取低", Stage.AFTER_CURVE, _lesser),
        Rule("lesser", "lesser", "取低", Stage.AFTER_CURVE, _lesser, repricing=lambda policy, cases: Repricing.AGAIN),
        Rule("lesser", "lesser", "取低", Stage.BEFORE_CURVE, _lesser_before),
        Rule("lesser", "lesser", "取低", Stage.BEFORE_CURVE, _lesser_before, repricing=lambda policy, cases: Repricing.AGAIN),
    ],
    ids=["silent", "again", "before", "before again"],
)
def test_a_new_rule_changes_both_ways_equally(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = "baseline: {policy: beijing/2024, changes: {rate.source: fund}}\n"
    scenario = plan("{outlier.low.ratio: '*1.2'}", baseline=baseline, more="grid: {rate.base: ['*1', '*1.05']}\n")
    runner = Runner(region())
    before = headlines(runner.run(scenario.setup, YEAR), region())
    monkeypatch.setattr(rule_list, "RULES", (*rule_list.RULES, rule))
    in_full = headlines(runner.run(scenario.setup, YEAR), region())
    assert in_full["fund.payment"] < before["fund.payment"]
    evaluator = Evaluator(runner, scenario, YEAR)
    quick = rule.stage is Stage.AFTER_CURVE and rule.repricing(load_policy("beijing/2024"), None) is Repricing.AGAIN  # type: ignore[arg-type]
    assert (evaluator.prepared(scenario.setup) is not None) == quick
    for changes in PRICES:
        setup = by_path(scenario.setup, changes)
        assert same(evaluator.outcome(setup), runner.run(setup, YEAR)), changes
    first = grid_table(scenario, runner, YEAR).to_pylist()[0]
    assert first["fund.payment"] == in_full["fund.payment"]
    assert first["fund.balance"] == in_full["fund.balance"]


def test_a_draw_counts_cases_alike_on_both_ways() -> None:
    name = "exempt_payment"
    runner, (setup, *_) = runner_of(name), setups(name)
    prepared = repricing.prepare(runner, setup, YEAR)
    assert prepared is not None
    drawn = np.random.default_rng(3).poisson(1.0, prepared.lines.cases.size)
    state = replace(prepared.lines.state, parts=prepared.lines.state.parts * drawn)
    quick = repricing.rerun(runner, prepared, setup, YEAR, state.parts)
    assert same(quick, runner.outcome(setup, YEAR, runner.lines(setup, YEAR, state), whole=False))
