"""Runs of scenarios: the same as settling, sums that close to the fen, changes that do what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.money import MISSING, from_parts
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.simulation import repricing as fast
from drgsim.simulation.behaviour import active
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.decompose import EFFECTS, decompose, split
from drgsim.simulation.headlines import headlines
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import parse_change
from drgsim.simulation.scenario_cases import PART, edited, first_state
from drgsim.simulation.setup_changes import apply
from drgsim.simulation.simulated_region import Region, make_cohort
from drgsim.simulation.study import run_plan
from tests.sample_region import YEAR, hospitals_by_size
from tests.simulating import baseline_of, by_path, device_groups, frequent_groups, plan, region, run, runner, same

FUND_RATE = "{rate.source: fund}"
FREQUENT = frequent_groups("adrg")[0]


def sample_table(scheme: str) -> pa.Table:
    """The discharges of the year with their groups, as settling reads them."""
    cohort = region().cohort(YEAR, scheme)
    table = region()._tables[YEAR]
    codes = pa.array([*cohort.cases.unit.values, None], pa.string()).take(
        pa.array(cohort.cases.unit.ids % (len(cohort.cases.unit.values) + 1))
    )
    return table.append_column("drg", codes)


def test_a_run_without_changes_is_settling() -> None:
    outcome = run(baseline_of("beijing/2024", "{}"))
    settled = settle(sample_table("beijing-2024"), load_policy("beijing/2024"), hospitals=region().hospitals)
    paid = settled.amount != MISSING
    assert outcome.by_payer.money["payment"].sum() == settled.amount[paid].sum()
    assert outcome.by_payer.money["fund"].sum() == settled.fund_payment[paid].sum()
    by_hospital = {row["hospital"]: row for row in settled.summaries["hospital"].to_pylist()}
    for name, amount in zip(outcome.hospitals, outcome.by_hospital("payment"), strict=True):
        if name in by_hospital:
            assert int(by_hospital[name]["payment"] * 100) == amount


@pytest.mark.parametrize("capped", [True, False])
def test_whole_discharges_count_as_so_many_rows(capped: bool) -> None:
    """A case that stands for three discharges is worth what three such rows are worth, in a points budget too."""
    table = sample_table("beijing-2024").slice(0, 900)
    times = np.arange(900) % 3 + 1
    rows = np.repeat(np.arange(900), times)
    longer = table.take(pa.array(rows)).set_column(0, "discharge_id", pa.array([f"r{n}" for n in range(rows.size)]))
    policy = load_policy("national/2.0")
    assert policy.file.extreme_cap is not None
    if not capped:
        policy = replace(policy, file=policy.file.model_copy(update={"extreme_cap": None}))
    budget = {"employee": 4_000_000.0, "resident": 4_000_000.0}
    many = settle(longer, policy, hospitals=region().hospitals, budget=budget)
    from drgsim.payment.grouped_cases import read_cases
    from drgsim.payment.settlement import settle_cases

    few = settle_cases(read_cases(table, region().hospitals), policy, budget=budget, weight=times.astype(float))
    amounts = np.where(few.amount == MISSING, 0, few.amount)
    if capped:  # a case is in or out of the cap as a whole: then a few cases may differ
        total = int(many.amount[many.amount != MISSING].sum())
        assert abs(int((amounts * times).sum()) - total) < total // 50
    else:
        assert few.unit_values == pytest.approx(many.unit_values, rel=1e-12)
        assert np.repeat(amounts, times).tolist() == np.where(many.amount == MISSING, 0, many.amount).tolist()


@pytest.mark.parametrize("policy", ["beijing/2024", "beijing/2022", "xian/2024", "suzhou/2023", "lanzhou/2023", "tianjin/2025"])
def test_the_quick_way_is_settling_to_the_fen(policy: str) -> None:
    base = baseline_of(policy)
    prepared = fast.prepare(runner(), base, YEAR)
    assert prepared is not None
    for changes in (
        {"rate.base": "*1.03"}, {"outlier.high.multiple": "*0.8"}, {"outlier.low.ratio": "*1.2", "rate.base": "*0.9"},
        {"rate.base": "*1.3771"}, {"weights.mdc.F": "*1.1"},
    ):  # fmt: skip
        setup = by_path(base, changes)
        assert same(fast.rerun(runner(), prepared, setup, YEAR), run(setup)), changes


@settings(max_examples=8)
@given(rate=st.floats(0.5, 2), low=st.floats(0.05, 0.9), high=st.floats(1.05, 6), volume=st.floats(0.5, 1.5))
def test_the_quick_way_is_settling_for_any_value(rate: float, low: float, high: float, volume: float) -> None:
    cut = {"procurement.cut.drugs.mdc.E": 0.3, "procurement.kept_share": 0.4}
    base = by_path(baseline_of("beijing/2024"), {"cases.volume.level.2": f"*{volume}", **cut})
    prepared = fast.prepare(runner(), base, YEAR)
    assert prepared is not None
    setup = by_path(base, {"rate.base": f"*{rate}", "outlier.low.ratio": low, "outlier.high.multiple.tertiary": high})
    assert same(fast.rerun(runner(), prepared, setup, YEAR), runner().run(setup, YEAR))


@pytest.mark.parametrize(
    "changes",
    [
        {"payment.method": "points"}, {"stay.long_days": 20}, {"budget.active": True}, {"capitation.conditions": ["diabetes"]},
        {"hospitals.level.2.in_drg": False},
    ],
)  # fmt: skip
def test_the_quick_way_refuses_what_it_does_not_cover(changes: dict[str, object]) -> None:
    base = baseline_of("beijing/2024")
    setup = by_path(base, changes)
    prepared = fast.prepare(runner(), setup, YEAR)
    first = fast.prepare(runner(), base, YEAR)
    assert first is not None
    assert prepared is None or fast.structure_of(setup) != first.structure
    with pytest.raises(ValueError, match="cases of its own"):
        fast.rerun(runner(), first, setup, YEAR)


# -- sums -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{}, {"cases.volume.level.2": "*1.0333"}, {"budget.active": True, "cases.volume": "*0.97"}])
def test_every_split_has_the_same_sum(changes: dict[str, object]) -> None:
    outcome = run(by_path(baseline_of("beijing/2024"), changes))
    for name, values in outcome.by_payer.money.items():
        assert values.sum() == outcome.by_group.money[name].sum() == outcome.by_department.money[name].sum(), name
    if outcome.budget is not None:
        account = outcome.budget.fund
        assert outcome.by_payer.money["fund"].sum() + outcome.adjusted.sum() + outcome.stated == account.paid
        assert headlines(outcome, region())["fund.balance"] * 100 == pytest.approx(account.balance, abs=1e-6)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_rounding_parts_keeps_the_sum(parts: list[int]) -> None:
    column = np.array(parts, np.int64)[:, None]
    rounded = from_parts(column, PART)[:, 0]
    assert abs(int(rounded.sum()) * PART - sum(parts)) <= PART // 2
    assert (abs(rounded * PART - column[:, 0]) < PART).all()


@pytest.mark.parametrize(
    "changes",
    [
        "{rate.base: '*1.03'}", "{outlier.high.multiple: 2}", "{cases.volume.age.65+: '*1.1', cases.price.drugs: '*0.9'}",
        "{payment.method: points}", "{policy: beijing/2022}", "{hospitals.level.2.in_drg: false}",
        "{procurement.cut.consumables: 0.3, procurement.kept_share: 0.4}", "{capitation.conditions: [diabetes, hypertension]}",
        "{budget.active: true}", f"{{new_technology.x: {{adrg: [{FREQUENT}], share: 0.2, cost: 9000, exempt: true}}}}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["sequential", "shapley"])
def test_effects_sum_to_the_change_of_the_fund(changes: str, method: str) -> None:
    result = run_plan(plan(changes), runner(), YEAR, {})
    effects = decompose(result.baseline, result.outcome, method)  # type: ignore[arg-type]
    for place in range(len(result.outcome.hospitals)):
        change = sum(int(effects[name][place]) for name in EFFECTS)
        old, new = (
            int(outcome.by_hospital("fund")[place] + outcome.adjusted[place]) for outcome in (result.baseline, result.outcome)
        )
        assert change == new - old


amounts = st.tuples(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**9), st.integers(0, 10**9))


@given(amounts, amounts)
def test_both_ways_of_splitting_sum_and_shapley_has_no_order(one: tuple[int, ...], two: tuple[int, ...]) -> None:
    for method in ("sequential", "shapley"):
        assert sum(split(one, two, method)) == two[3] - one[3]  # type: ignore[arg-type]
    forward, back = split(one, two, "shapley"), split(two, one, "shapley")  # type: ignore[arg-type]
    if min(*one, *two) > 0:
        assert all(abs(a + b) <= 1 for a, b in zip(forward, back, strict=True))


# -- changes do what they say ---------------------------------------------------------------------------------------------
def test_volume_and_price_move_only_the_cases_that_are_meant() -> None:
    setup = by_path(
        baseline_of("beijing/2024"), {"cases.volume.level.3": "*1.1", "cases.price.drugs.insurance.employee": "*0.5"}
    )
    first = first_state(region().cohort(YEAR, setup.scheme))
    state = edited(first, setup, region())
    cases = state.cohort.cases
    tertiary = np.array([region().level(name) == "3" for name in cases.hospital.values] + [False])[cases.hospital.ids]
    assert set(state.parts[tertiary]) == {11_000}
    assert set(state.parts[~tertiary]) == {PART}
    employee = (cases.insurance == 0) & (first.cost != MISSING)
    expected = first.cost[employee] - np.rint(first.cohort.costs["drugs"][employee] * 0.5)
    assert abs(state.cost[employee] - np.maximum(expected, 0)).max() <= 1
    assert (state.cost[~employee] == first.cost[~employee]).all()
    assert state.unit is first.unit  # what a scenario leaves alone is shared, not copied


def test_patients_pay_in_proportion_when_prices_fall() -> None:
    """To the fen of every case; what patients paid beside a bill of 0 has no price that could fall."""
    setup = baseline_of("beijing/2024")
    old, new = run(setup), run(by_path(setup, {"cases.price.all": "*0.8"}))
    lines = runner().lines(setup, YEAR, first_state(runner().cohort(setup, YEAR)))
    kept = int(lines.money[Measure.PATIENT, lines.marks.paid & (lines.state.cost == 0)].sum())
    before, after = (int(outcome.by_payer.money["patient"].sum()) for outcome in (old, new))
    assert after == pytest.approx(kept + 0.8 * (before - kept), abs=lines.cases.size / 2)
    assert 0 <= kept < 0.01 * before
    figures = [headlines(outcome, region()) for outcome in (old, new)]
    assert figures[1]["patient.payment"] == after / 100
    assert figures[1]["hospital.cost"] == pytest.approx(figures[0]["hospital.cost"] * 0.8, rel=1e-6)


def test_the_fund_takes_back_its_share_of_a_price_fall() -> None:
    cut = {f"procurement.cut.consumables.adrg.{device_groups()[0]}": 0.82}
    kept, shared = (run(by_path(baseline_of("beijing/2024"), {**cut, "procurement.kept_share": share})) for share in (1.0, 0.5))
    saving = kept.by_payer.money["saving"].sum()
    assert saving > 0
    assert (kept.adjustments["procurement"] == 0).all()
    assert shared.adjustments["procurement"].sum() == pytest.approx(-saving / 2, abs=len(shared.hospitals))


JOINT = {
    "discharge_id": ["1"], "hospital_id": ["H1"], "sex": [1], "age": [58], "los_days": [6], "insurance": ["employee"],
    "discharged": ["2024-11-25"], "diagnoses": ["S72.010|E78.500"], "procedures": ["81.5202|00.8700x001"],
    "total_cost": ["10321.96"], "cost_consumables": ["6602.93"], "cost_other": ["3719.03"], "patient_paid": ["1222.45"],
}  # fmt: skip


def test_a_joint_that_is_paid_its_bill_hands_the_fall_of_its_price_on(tmp_path: Path) -> None:
    """A bill of 10,321.96 is 4,907.56 after the fall, and both are paid: 2,707.20 to take back are nobody's surplus."""
    pq.write_table(pa.table(JOINT), tmp_path / "discharges-2024.parquet")
    (tmp_path / "hospitals.csv").write_text("hospital_id,level\nH1,1\n", encoding="utf-8")
    base = baseline_of("beijing/2024", "{}")
    one = Runner(Region.of(tmp_path))
    cut = {"procurement.cut.consumables.adrg.IC2": 0.82, "procurement.kept_share": 0.5}
    shared = apply(base, [parse_change(path, value) for path, value in cut.items()], one.region)[0]
    old, new = (one.lines(setup, 2024) for setup in (base, shared))
    assert [lines.money[Measure.PAYMENT].tolist() for lines in (old, new)] == [[1_032_196], [490_756]]
    assert new.state.saving.tolist() == [541_440]
    assert new.money[Measure.SAVING].tolist() == [0]
    assert one.run(shared, 2024).adjustments["procurement"].sum() == 0


def test_the_fund_takes_back_no_saving_that_the_payment_has_handed_on() -> None:
    changes = {f"procurement.cut.consumables.adrg.{adrg}": 0.82 for adrg in device_groups()}
    shared = by_path(baseline_of("beijing/2024"), {**changes, "procurement.kept_share": 0.5})
    old, new = (runner().lines(setup, YEAR) for setup in (baseline_of("beijing/2024"), shared))
    fell = new.state.saving > 0
    payment = old.money[Measure.PAYMENT] - new.money[Measure.PAYMENT]
    surplus = np.where(new.marks.priced, np.clip(new.state.saving - payment, 0, None), 0)[fell]
    assert (new.money[Measure.SAVING][fell] == surplus).all()
    outcome, hospital = run(shared), new.cases.hospital
    for place, name in enumerate(outcome.hospitals):
        own = surplus[hospital.ids[fell] == hospital.values.index(name)].sum() if name in hospital.values else 0
        assert outcome.adjustments["procurement"][place] == pytest.approx(-own / 2, abs=1), name


@pytest.mark.parametrize("policy", ["beijing/2022", "taian/2025", "zhejiang/2025"])
def test_what_is_left_of_a_saving_is_between_nothing_and_all_of_it(policy: str) -> None:
    """Curves that follow the cost hand some of a price fall on by themselves."""
    base = baseline_of(policy, "{weights.source: history}")
    new = runner().lines(by_path(base, {"procurement.cut.consumables": 0.5}), YEAR)
    kept = new.money[Measure.SAVING]
    assert (kept >= 0).all()
    assert (kept <= new.state.saving).all()
    assert kept.sum() > 0
    handed_on = new.marks.priced & (kept < new.state.saving)
    assert handed_on.any()


def test_capitation_pays_what_it_says() -> None:
    outcome = run(by_path(baseline_of("beijing/2024"), {"capitation.conditions": ["diabetes"], "capitation.rate": 0.5}))
    last = region().cohort(YEAR - 1, "beijing-2024")
    member = last.condition("diabetes") & (last.cases.insurance != 2) & (last.cases.money["total_cost"] != MISSING)
    spent = int((last.cases.money["total_cost"] - last.cases.money["patient_paid"])[member].sum())
    pot = spent * 0.5 * region().registered(YEAR, "diabetes") / region().registered(YEAR - 1, "diabetes")
    own = runner().lines(outcome.setup, YEAR)
    by_item = int(own.money[Measure.FUND][own.state.capitated].sum())
    assert pot < by_item  # an overspend: the fund pays the pot and no more
    assert outcome.adjustments["capitation"].sum() == pytest.approx(pot - by_item, abs=2)


def test_a_technology_beside_the_group_costs_the_fund_its_part() -> None:
    table = {"adrg": [FREQUENT], "share": 0.5, "cost": 10_000, "exempt": True, "patient_share": 0.3}
    base, new = baseline_of("beijing/2024"), by_path(baseline_of("beijing/2024"), {"new_technology.robot": table})
    old, after = runner().lines(base, YEAR), runner().lines(new, YEAR)
    gets = after.state.exempt > 0
    assert 0 < gets.sum() < (after.state.cohort.adrg.ids == after.state.cohort.adrg.values.index(FREQUENT)).sum()
    insured = gets & after.marks.paid & (after.cases.insurance != 2)
    assert (after.money[Measure.PAYMENT] - old.money[Measure.PAYMENT])[insured] == pytest.approx(1_000_000)
    assert (after.money[Measure.FUND] - old.money[Measure.FUND])[insured] == pytest.approx(700_000)


def test_hospitals_out_of_drg_are_paid_by_item() -> None:
    name = hospitals_by_size("2")[0]
    outcome = run(by_path(baseline_of("beijing/2024"), {f"hospitals.hospital.{name}.in_drg": False}))
    place = outcome.hospitals.index(name)
    assert outcome.by_hospital("payment")[place] == outcome.by_hospital("cost")[place]
    assert outcome.by_hospital("inside")[place] == 0


def test_a_rate_from_the_fund_spends_the_budget() -> None:
    figures = headlines(run(baseline_of("beijing/2024")), region())
    assert abs(figures["fund.balance"]) < 100  # rates have two decimals
    ahead = headlines(run(baseline_of("beijing/2024", "{rate.source: last_year}")), region())
    assert ahead["fund.balance"] < -1_000_000  # the year grew beyond what the rate was made for


def test_a_curve_does_not_move_the_rate_in_silence() -> None:
    base = baseline_of("beijing/2024")
    assert run(by_path(base, {"outlier.high.multiple": 2.5})).unit_values == run(base).unit_values
    assert run(by_path(base, {"scheme": "chs-drg-2.0", "weights.source": "history"})).unit_values != run(base).unit_values


def test_weights_keep_their_total() -> None:
    base = baseline_of("beijing/2024")
    new = by_path(base, {"weights.mdc.F": "*1.3"})
    old_weight, weight = run(base).by_payer.weight.sum(), run(new).by_payer.weight.sum()
    assert weight == pytest.approx(old_weight, rel=0.01)
    free = run(by_path(base, {"weights.keep_total": False, "weights.mdc.F": "*1.3"})).by_payer.weight.sum()
    assert free > old_weight * 1.01


def test_weights_from_history_pay_every_group_that_occurs() -> None:
    outcome = run(by_path(baseline_of("national/2.0"), {"weights.source": "history"}))
    codes = [problem.code for problem in outcome.problems]
    assert "settle-missing-weight" not in codes


# -- the order of cases ---------------------------------------------------------------------------------------------------
def test_the_order_of_cases_does_not_matter() -> None:
    from drgsim.region.region_folder import read_region

    own = region()
    table = own.cohort(YEAR, "beijing-2024") and own._tables[YEAR]
    turned = Region.of(read_region(own.folder))
    turned._cohorts[YEAR, "beijing-2024", False] = make_cohort(
        table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows))), YEAR, "beijing-2024", own.hospitals
    )
    setup = plan(
        "{rate.base: '*1.02', behaviour.coding.drift: 0.1, behaviour.splitting.share: 0.1, behaviour.shift.share: 0.1, "
        f"new_technology.x: {{adrg: [{FREQUENT}], share: 0.3, cost: 5000}}}}"
    )
    here = run_plan(setup, runner(), YEAR, {})
    other = Runner(turned)
    other.memory.rates.update(runner().memory.rates)
    assert active(setup.setup)
    there = run_plan(setup, other, YEAR, {})
    assert same(here.baseline, there.baseline)
    assert same(here.outcome, there.outcome)


# -- behaviour ------------------------------------------------------------------------------------------------------------
def behave(changes: str) -> tuple[dict[str, float], dict[str, float]]:
    """Headlines of the static and the behavioural scenario."""
    result = run_plan(plan(changes), runner(), YEAR, {})
    assert result.static is not None
    return headlines(result.static, region()), headlines(result.outcome, region())


def test_behaviour_is_off_by_default() -> None:
    assert not active(plan("{rate.base: '*1.03'}").setup)
    assert run_plan(plan("{rate.base: '*1.03'}"), runner(), YEAR, {}).static is None


def test_costs_follow_payment_and_stays_follow_costs() -> None:
    static, moved = behave("{rate.base: '*0.9', behaviour.cost_response.elasticity: 0.5, behaviour.stay.elasticity: 1}")
    assert moved["hospital.cost"] < static["hospital.cost"]
    assert moved["days.per_case"] < static["days.per_case"]
    assert moved["cases"] == static["cases"]


def test_costs_fall_where_groups_replace_payment_by_item() -> None:
    base = "baseline: {policy: beijing/2024, changes: {rate.source: fund, hospitals.level.2.in_drg: false}}\n"
    result = run_plan(
        plan("{hospitals.level.2.in_drg: true, behaviour.cost_response.new_prospective: 0.062}", base), runner(), YEAR, {}
    )
    assert result.static is not None
    secondary = [place for place, name in enumerate(result.outcome.hospitals) if region().level(name) == "2"]
    before = result.static.by_hospital("cost")[secondary].sum()
    after = result.outcome.by_hospital("cost")[secondary].sum()
    inside = 1 - after / before
    assert 0.05 < inside < 0.062  # cases outside the groups keep their cost


def test_volume_follows_payment() -> None:
    static, moved = behave("{rate.base: '*1.1', behaviour.volume.elasticity: 0.5}")
    assert moved["cases"] > static["cases"] * 1.01


def test_coding_drift_raises_the_case_mix_and_nothing_that_patients_pay() -> None:
    static, moved = behave("{rate.base: '*1.0', behaviour.coding.drift: 0.2}")
    assert moved["cmi"] > static["cmi"]
    assert moved["patient.payment"] == static["patient.payment"]
    assert moved["cases"] == static["cases"]


def test_splitting_doubles_stays_and_shift_keeps_their_number() -> None:
    static, moved = behave("{rate.base: '*1.0', behaviour.splitting.share: 0.2}")
    assert moved["cases"] > static["cases"]
    assert moved["days.per_case"] < static["days.per_case"]
    static, moved = behave("{rate.base: '*1.0', behaviour.shift.share: 0.5}")
    assert moved["cases"] == static["cases"]
    assert moved["hospital.cost"] < static["hospital.cost"]


def test_what_happens_to_more_hospitals_happens_to_the_same_ones_first() -> None:
    """Whoever is picked at 5 % is picked at 10 % too: draws belong to the case."""
    setup = plan("{rate.base: '*1.0', behaviour.coding.drift: 0.05}").setup
    from drgsim.simulation.behaviour import respond, without_behaviour

    before = runner().lines(baseline_of("beijing/2024"), YEAR)
    moved = []
    for drift in (0.05, 0.1):
        asked = replace(setup, settings={**setup.settings, "behaviour.coding.drift": drift})
        state = respond(asked, before, runner().lines(without_behaviour(asked), YEAR), region())
        moved.append(state.unit.ids != before.state.unit.ids)
    assert moved[0].sum() < moved[1].sum()
    assert not (moved[0] & ~moved[1]).any()


def test_a_run_keeps_sums_and_no_cases() -> None:
    """Memory must not grow with the number of scenarios: nothing in an outcome is as long as the cases."""
    outcome = run(by_path(baseline_of("beijing/2024"), {"cases.volume": "*1.01"}))
    size = region().cohort(YEAR, "beijing-2024").size

    def lengths(value: object) -> list[int]:
        if isinstance(value, np.ndarray):
            return [value.size]
        if isinstance(value, dict):
            return [length for entry in value.values() for length in lengths(entry)]
        if hasattr(value, "__dict__"):
            return [length for entry in vars(value).values() for length in lengths(entry)]
        return []

    kept = [
        length
        for name in ("by_payer", "by_group", "by_department", "adjustments")
        for length in lengths(getattr(outcome, name))
    ]
    assert kept
    assert max(kept) < size / 5


def test_other_arrays_are_shared_with_the_cohort() -> None:
    setup = by_path(baseline_of("beijing/2024"), {"cases.volume": "*1.01", "cases.price.drugs": "*0.9"})
    first = first_state(region().cohort(YEAR, setup.scheme))
    state = edited(first, setup, region())
    assert state.days is first.days
    assert state.hospital is first.hospital
    assert state.saving is first.saving
