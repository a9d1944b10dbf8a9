"""The parts of the synthetic region: same seed same bytes, refusals, drawing, money."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.errors import DrgsimError, OutputError, UsageError
from drgsim.synthetic import RegionRequest, generate_region, parse_years
from drgsim.synthetic import synthetic_region as region_module
from drgsim.synthetic.choices import Choices, chance, intercepts, normal_nodes
from drgsim.synthetic.discharge_batches import draw_cases
from drgsim.synthetic.draw_plan import DrawPlan, make_plan
from drgsim.synthetic.invented_hospitals import make_hospitals
from drgsim.synthetic.item_bills import item_bill
from drgsim.synthetic.price_changes import CONSUMABLES, cut_prices
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.region_priors import load_priors
from drgsim.synthetic.sparse_columns import Columns, drop_repeats, in_slots, join_codes
from drgsim.synthetic.stay_payers import pay
from drgsim.synthetic.synth_files import fen_to_decimal, to_arrow
from drgsim.synthetic.synth_parameters import load_parameters, parse_parameters


@pytest.fixture(scope="module")
def plan() -> DrawPlan:
    parameters = load_parameters()
    priors = load_priors()
    hospitals = make_hospitals(12, parameters, priors.people.coding_habit, np.random.default_rng(3))
    return make_plan(priors, parameters, hospitals, (2024, 2025, 2026))


@pytest.fixture(scope="module")
def cases(plan: DrawPlan) -> Columns:
    return draw_cases(plan, 20_000, np.random.default_rng(8))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# -- same bytes ------------------------------------------------------------------------------------------------------
def test_same_seed_same_bytes_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate_region(tmp_path / name, RegionRequest(hospitals=5, cases=3_000, seed=seed, dirty=0.02))
    a, b, c = (content(tmp_path / name) for name in "abc")
    assert a == b
    assert all(a[name] != c[name] for name in a if name.startswith("discharges"))


def test_a_batch_depends_on_its_own_seed_only(plan: DrawPlan) -> None:
    seeds = np.random.SeedSequence(9).spawn(2)
    alone = region_module.make_batch(plan, 500, 0.01, seeds[1])
    region_module.make_batch(plan, 700, 0.01, seeds[0])
    again = region_module.make_batch(plan, 500, 0.01, np.random.SeedSequence(9).spawn(2)[1])
    assert to_arrow(plan, alone, 1).equals(to_arrow(plan, again, 1))


def test_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_module, "BATCH", 400)
    seen: list[tuple[int, int]] = []
    made = generate_region(
        tmp_path / "a", RegionRequest(hospitals=3, cases=1_001), progress=lambda done, total: seen.append((done, total))
    )
    generate_region(tmp_path / "b", RegionRequest(hospitals=3, cases=1_001))
    assert made.cases == 1_001
    assert seen == [(400, 1_001), (800, 1_001), (1_001, 1_001)]
    assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.parametrize(
    ("hospitals", "cases", "years"), [(1, 1, (2023,)), (2, 7, (2022, 2023)), (3, 150, (2020,)), (999, 999, (2024,))]
)
def test_small_regions(tmp_path: Path, hospitals: int, cases: int, years: tuple[int, ...]) -> None:
    made = generate_region(tmp_path / "r", RegionRequest(hospitals=hospitals, cases=cases, years=years))
    assert made.cases == cases
    assert sum(1 for _ in (tmp_path / "r").glob("discharges-*.parquet")) == len(years)


# -- refusals --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "2024-2022", "22-24", "2022-", "abc", "2022,2023", "1990-2050"])
def test_years_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the years") as caught:
        parse_years(text)
    assert caught.value.problems[0].code == "synth-years"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hospitals": 0}, "synth-hospitals"),
        ({"hospitals": 1000}, "synth-hospitals"),
        ({"cases": 3}, "synth-cases"),
        ({"cases": 10**9}, "synth-cases"),
        ({"seed": -1}, "synth-seed"),
        ({"dirty": -0.1}, "synth-dirty"),
        ({"dirty": 0.6}, "synth-dirty"),
        ({"dirty": float("nan")}, "synth-dirty"),
    ],
)
def test_requests_that_make_no_sense(tmp_path: Path, change: dict[str, float], code: str) -> None:
    request: dict[str, float] = {"hospitals": 5, "cases": 100, "seed": 1, "dirty": 0.0, **change}
    with pytest.raises(UsageError) as caught:
        generate_region(tmp_path / "r", RegionRequest(**request))  # type: ignore[arg-type]
    assert code in {problem.code for problem in caught.value.problems}
    assert caught.value.exit_code == 2
    assert not (tmp_path / "r").exists()


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        generate_region(tmp_path / "r", RegionRequest(hospitals=0, cases=0, seed=-1, dirty=2))
    assert len(caught.value.problems) == 4


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(OutputError, match="there already"):
        generate_region(tmp_path, RegionRequest(hospitals=2, cases=10))
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_region_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_region(tmp_path / "r", RegionRequest(hospitals=2, cases=100), progress=stop)
    assert list(tmp_path.iterdir()) == []


# -- parameters and tables -------------------------------------------------------------------------------------------
def test_every_parameter_carries_its_evidence() -> None:
    entries = load_parameters().describe()
    assert len(entries) > 40
    assert all(entry.unit and entry.source for entry in entries)
    assert {entry.evidence for entry in entries} <= {"official", "secondary", "assumption", "derived"}


@pytest.mark.parametrize(
    "tree",
    [
        {"a": {"value": 1, "unit": "x", "source": "y"}},
        {"a": {"value": 1, "unit": "x", "source": "y", "evidence": "rumour"}},
        {"a": {"value": 1, "unit": "x", "source": "y", "evidence": "official", "note": "z"}},
        {"a": 5},
    ],
)
def test_parameters_without_evidence_are_refused(tree: dict[str, object]) -> None:
    with pytest.raises(DrgsimError, match="synth-parameter"):
        parse_parameters(tree)


# -- drawing ---------------------------------------------------------------------------------------------------------
@given(st.lists(st.lists(st.floats(0.01, 100), max_size=6), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_choices_stay_inside_their_own_list(weights: list[list[float]], seed: int) -> None:
    lists = [([100 * place + i for i in range(len(w))], w) for place, w in enumerate(weights)]
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(lists), 200)
    drawn = Choices(lists).draw(rows, rng.random(200))
    for row, item in zip(rows, drawn, strict=True):
        assert item in lists[row][0] if lists[row][0] else item == -1


def test_choices_follow_the_weights() -> None:
    rng = np.random.default_rng(1)
    drawn = Choices([([0], [1.0]), ([7, 8], [1.0, 3.0])]).draw(np.ones(20_000, dtype=int), rng.random(20_000))
    assert (drawn == 8).mean() == pytest.approx(0.75, abs=0.02)


@given(st.lists(st.lists(st.integers(-1, 4), min_size=4, max_size=4), min_size=1, max_size=20))
def test_drop_repeats_keeps_the_first(rows: list[list[int]]) -> None:
    for before, after in zip(rows, drop_repeats(np.array(rows, dtype=np.int32)).tolist(), strict=True):
        kept = [code for code in after if code >= 0]
        assert kept == list(dict.fromkeys(code for code in before if code >= 0))


# -- money -----------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=50))
def test_fen_become_decimals_exactly(fen: list[int]) -> None:
    array = fen_to_decimal(np.array(fen, dtype=np.int64))
    array.validate(full=True)
    assert [int(x.as_py() * 100) for x in array] == fen


@given(st.lists(st.integers(6_000, 10**9), min_size=1, max_size=40), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_payers_split_bills_exactly(plan: DrawPlan, fen: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = len(fen)
    batch = {
        "fen": np.repeat(np.array(fen)[:, None] // len(CATEGORIES), len(CATEGORIES), axis=1),
        "level": rng.integers(0, 3, count),
        "insurance": rng.integers(0, 3, count),
    }
    pay(plan, batch, rng)
    assert (batch["patient_fen"] + batch["fund_fen"] == batch["total_fen"]).all()
    assert (batch["fund_fen"] >= 0).all()
    assert (batch["fund_fen"][batch["insurance"] == 2] == 0).all()


def test_a_bill_adds_up_what_the_record_holds(plan: DrawPlan, cases: Columns) -> None:
    """The bills of some cases again, item by item, from the price list and not from its arrays."""
    yuan, _ = item_bill(plan, cases)
    prices, effect = plan.priors.prices, plan.parameters["cost.severity_effect"]
    rows = np.concatenate([np.arange(40), np.flatnonzero(cases["icu_hours"] > 0)[:10], np.argsort(-yuan.sum(axis=1))[:10]])
    for row in rows:
        pathway = plan.pathways.pathways[cases["pathway"][row]]
        ward = prices.wards[pathway.ward]
        days, hours = int(cases["los_days"][row]), max(int(cases["icu_hours"][row]), 0)
        usual = plan.pathways.stay[cases["pathway"][row], cases["level"][row]]
        earlier = (days / usual) ** (plan.parameters["cost.days_elasticity"] - 1)
        heavier = np.exp(effect * cases["severity"][row] - effect**2 / 2)
        codes = [plan.procedures[code] for code in cases["procedures"][row] if code >= 0]
        bill = {}
        for name in CATEGORIES:
            daily = pathway.day.get(name, getattr(ward, name)) * (earlier if name != "nursing" else 1)
            daily += pathway.day.get("bed", ward.bed) if name == "nursing" else 0
            daily *= heavier if name in ("drugs", "examinations") else 1
            icu = getattr(prices.icu_day, name) + (prices.icu_day.bed if name == "nursing" else 0)
            air = getattr(prices.ventilator_day, name) + (prices.ventilator_day.bed if name == "nursing" else 0)
            done = [getattr(prices.price_of(code), name) for code in codes]
            once = sum(done) if name != "operation" or not done else max(done) + 0.5 * (sum(done) - max(done))
            every_day = sum(prices.price_of(code).daily.get(name, 0) for code in codes)
            bill[name] = (days - hours / 24) * daily + hours / 24 * icu + max(cases["ventilator_hours"][row], 0) / 24 * air
            bill[name] += once + every_day * days + pathway.extra.get(name, 0)
            bill[name] += cases["added_yuan"][row][CATEGORIES.index(name)]
        bill["examinations"] += ward.admission if pathway.admission is None else pathway.admission
        assert yuan[row] == pytest.approx([bill[name] for name in CATEGORIES])


def test_costs_look_at_no_group() -> None:
    folder = Path(region_module.__file__).parent
    readers = [path.name for path in folder.glob("*.py") if "groups.csv" in path.read_text(encoding="utf-8")]
    assert readers == []
    assert "group" not in {name for path in ("item_bills.py", "price_arrays.py") for name in _names(folder / path)}


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_codes_are_joined_principal_first() -> None:
    words = pa.array(["A", "B", "", "C"])
    rows = np.array([[0, -1, 3], [2, 1, -1], [-1, -1, -1]], dtype=np.int32)
    assert join_codes(rows, words).to_pylist() == ["A|C", "|B", ""]


def test_price_cut_is_the_only_difference_rulebook_0(plan: DrawPlan) -> None:
    """The devices of the cut procedures fall by exactly 38.3 %, 44.9 % and 33.0 % from the second year on."""
    cuts = plan.parameters["time.vbp"]
    assert sorted(cut["fall"] for cut in cuts) == [0.330, 0.383, 0.449]
    for place, cut in enumerate(cuts):
        coded = [code for code, of in zip(plan.procedures, plan.changes.cut_of, strict=True) if of == place]
        assert coded
        assert all(code.startswith(tuple(cut["procedures"])) for code in coded)
        batch = {
            "year": np.array([0, 1]),
            "fen": np.full((2, len(CATEGORIES)), 100_000, dtype=np.int64),
            "device_fen": np.zeros((2, len(cuts)), dtype=np.int64),
        }
        batch["device_fen"][:, place] = 80_000
        cut_prices(plan.changes, batch)
        assert batch["fen"][0].tolist() == [100_000] * len(CATEGORIES)
        assert batch["fen"][1, CONSUMABLES] == 100_000 - round(80_000 * cut["fall"])
        assert batch["fen"][1].sum() == batch["fen"][0].sum() - round(80_000 * cut["fall"])
        assert batch["device_fen"][1, place] == 80_000 - round(80_000 * cut["fall"])


# -- drawing by priors -----------------------------------------------------------------------------------------------
@given(st.lists(st.floats(0.0005, 0.9), min_size=1, max_size=8), st.floats(0, 2))
@settings(max_examples=40, deadline=None)
def test_intercepts_keep_the_share(share: list[float], slope: float) -> None:
    places, weight = normal_nodes()
    a = intercepts(np.array(share), np.full((len(share), 1), slope) * places[None, :], weight)
    assert (weight * chance(a[:, None] + slope * places)).sum(axis=1) == pytest.approx(share, rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 99)), max_size=40))
def test_slots_hold_the_codes_of_each_row_in_order(pairs: list[tuple[int, int]]) -> None:
    rows, codes = np.array([row for row, _ in pairs], dtype=int), np.array([code for _, code in pairs], dtype=np.int32)
    slots = in_slots(rows, codes, 7)
    for row in range(7):
        assert [code for code in slots[row] if code >= 0] == [code for at, code in pairs if at == row]


def test_one_principal_treatment_and_no_code_twice(plan: DrawPlan, cases: Columns) -> None:
    for row in range(2_000):
        pathway = plan.pathways.pathways[cases["pathway"][row]]
        done = [plan.procedures[code] for code in cases["procedures"][row] if code >= 0]
        diagnoses = [plan.diagnoses[code] for code in cases["diagnoses"][row] if code >= 0]
        assert len(set(done)) == len(done)
        assert len(set(diagnoses)) == len(diagnoses)
        assert diagnoses[0] in pathway.codes
        assert len(diagnoses) <= plan.parameters["case_mix.most_diagnoses"]
        sets = [list(one.codes) for one in pathway.procedures] or [[]]
        assert any(done[: len(one)] == one for one in sets)
        assert set(done) <= {code for one in sets for code in one} | set(pathway.usual) | set(pathway.rare)


def test_hours_on_the_ventilator_agree_with_codes_and_days(plan: DrawPlan) -> None:
    cases = draw_cases(plan, 60_000, np.random.default_rng(5))
    held = np.where(cases["procedures"] >= 0, plan.ventilation[cases["procedures"]], 0).max(axis=1)
    hours = cases["ventilator_hours"]
    assert (held == 2).sum() > 20
    assert (hours[held == 2] >= 96).all()
    assert ((hours[held == 1] > 0) & (hours[held == 1] < 96)).all()
    assert (hours <= cases["los_days"] * 24).all()
    assert (cases["icu_hours"] <= cases["los_days"] * 24).all()


def test_nobody_returns_after_death_or_while_in_hospital(plan: DrawPlan, cases: Columns) -> None:
    order = np.lexsort((cases["admitted"], cases["head"]))
    now, before = order[1:], order[:-1]
    again = cases["head"][now] == cases["head"][before]
    assert again.sum() > 300
    now, before = now[again], before[again]
    assert (cases["admitted"][now] > cases["discharged"][before]).all()
    assert not cases["died"][before].any()
    assert (cases["sex"][now] == cases["sex"][before]).all()
    assert (plan.pathways.disease[cases["pathway"][now]] == plan.pathways.disease[cases["pathway"][before]]).all()
    assert cases["discharged"].max() <= plan.days.last
    assert cases["discharged"].min() >= plan.days.first


def test_summary_is_plain(tmp_path: Path) -> None:
    made = generate_region(tmp_path / "r", RegionRequest(hospitals=4, cases=200))
    assert set(dataclasses.asdict(made)["by_level"]) == {"3", "2", "1"}


def test_the_sample_is_small_whole_and_labelled() -> None:
    sample = Path(__file__).parent.parent / "data" / "samples" / "region"
    assert sum(path.stat().st_size for path in sample.iterdir()) < 6_000_000
    assert "合成数据" in (sample / "README.md").read_text(encoding="utf-8")
    assert sum(pq.read_metadata(path).num_rows for path in sample.glob("discharges-*.parquet")) == 20_000
    assert len((sample / "hospitals.csv").read_text(encoding="utf-8").splitlines()) == 13
