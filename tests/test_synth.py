"""The parts of the synthetic region: same seed same bytes, refusals, drawing, money."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.errors import DrgsimError, OutputError, UsageError
from drgsim.synthetic import generate_region, parse_years
from drgsim.synthetic import synthetic_region as region_module
from drgsim.synthetic.discharge_batches import drop_repeats
from drgsim.synthetic.draw_plan import DrawPlan, make_plan
from drgsim.synthetic.invented_hospitals import make_hospitals
from drgsim.synthetic.stay_costs import CATEGORIES, pay, split_cost
from drgsim.synthetic.synth_files import fen_to_decimal, join_codes, to_arrow
from drgsim.synthetic.synth_parameters import load_parameters, parse_parameters
from drgsim.synthetic.synth_tables import Choices, load_tables


@pytest.fixture(scope="module")
def plan() -> DrawPlan:
    parameters = load_parameters()
    hospitals = make_hospitals(12, parameters, np.random.default_rng(3))
    return make_plan(load_tables(), parameters, hospitals, (2022, 2023, 2024))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# -- same bytes ------------------------------------------------------------------------------------------------------
def test_same_seed_same_bytes_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate_region(tmp_path / name, hospitals=5, cases=3_000, seed=seed, dirty=0.02)
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
    made = generate_region(tmp_path / "a", hospitals=3, cases=1_001, progress=lambda done, total: seen.append((done, total)))
    generate_region(tmp_path / "b", hospitals=3, cases=1_001)
    assert made.cases == 1_001
    assert seen == [(400, 1_001), (800, 1_001), (1_001, 1_001)]
    assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.parametrize(
    ("hospitals", "cases", "years"), [(1, 1, (2023,)), (2, 7, (2022, 2023)), (3, 150, (2020,)), (999, 999, (2024,))]
)
def test_small_regions(tmp_path: Path, hospitals: int, cases: int, years: tuple[int, ...]) -> None:
    made = generate_region(tmp_path / "r", hospitals=hospitals, cases=cases, years=years)
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
        generate_region(tmp_path / "r", **request)  # type: ignore[arg-type]
    assert code in {problem.code for problem in caught.value.problems}
    assert caught.value.exit_code == 2
    assert not (tmp_path / "r").exists()


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        generate_region(tmp_path / "r", hospitals=0, cases=0, seed=-1, dirty=2)
    assert len(caught.value.problems) == 4


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(OutputError, match="there already"):
        generate_region(tmp_path, hospitals=2, cases=10)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_region_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_region(tmp_path / "r", hospitals=2, cases=100, progress=stop)
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


def test_tables_cover_every_group() -> None:
    tables = load_tables()
    assert sum(not name.endswith("QY") and name != "0000" for name in tables.drg) == 634
    assert set(tables.template_adrg.tolist()) == set(range(len(tables.adrg)))
    assert tables.allowed.any(axis=1).all()
    assert (tables.cost_index > 0).all()
    assert (tables.mean_los_days >= 1).all()


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


@given(st.lists(st.floats(60, 3_000_000), min_size=1, max_size=40), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_cost_and_payers_split_exactly(plan: DrawPlan, yuan: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = len(yuan)
    batch = {
        "group": rng.integers(0, len(plan.tables.drg), count),
        "procedures": rng.integers(-1, 3, (count, 7)),
        "level": rng.integers(0, 3, count),
        "insurance": rng.integers(0, 3, count),
    }
    batch["fen"] = split_cost(plan, batch, np.array(yuan), rng)
    assert batch["fen"].shape == (count, len(CATEGORIES))
    assert (batch["fen"] >= 0).all()
    assert (batch["fen"].sum(axis=1) == np.rint(np.array(yuan) * 100)).all()
    pay(plan, batch, rng)
    assert (batch["patient_fen"] + batch["fund_fen"] == batch["total_fen"]).all()
    assert (batch["fund_fen"] >= 0).all()
    assert (batch["fund_fen"][batch["insurance"] == 2] == 0).all()


def test_codes_are_joined_principal_first() -> None:
    words = pa.array(["A", "B", "", "C"])
    rows = np.array([[0, -1, 3], [2, 1, -1], [-1, -1, -1]], dtype=np.int32)
    assert join_codes(rows, words).to_pylist() == ["A|C", "|B", ""]


def test_price_cut_is_the_only_difference_rulebook_0(plan: DrawPlan) -> None:
    """The consumables of the cut groups fall by exactly 38.3 %, 44.9 % and 33.0 % from the second year on."""
    from drgsim.synthetic.stay_costs import _time

    assert sorted(cut["fall"] for cut in plan.parameters["time.vbp"]) == [0.330, 0.383, 0.449]
    for cut in plan.parameters["time.vbp"]:
        group = next(i for i, name in enumerate(plan.tables.drg) if name[:3] in cut["adrg"])
        batch = {
            "group": np.full(2, group),
            "year": np.array([0, 1]),
            "level": np.full(2, 1),
            "fen": np.full((2, len(CATEGORIES)), 100_000, dtype=np.int64),
        }
        _time(plan, batch, np.random.default_rng(0))
        place = CATEGORIES.index("consumables")
        assert batch["fen"][0].tolist() == [100_000] * len(CATEGORIES)
        assert batch["fen"][1, place] == round(100_000 * (1 - cut["fall"]))


# -- intended groups -------------------------------------------------------------------------------------------------
def test_cases_land_in_the_group_they_were_drawn_for(plan: DrawPlan) -> None:
    from drgsim.records.batch_encoding import prepare_batch
    from drgsim.units.drg.drg_kernel import EncodedForDrg, group_encoded
    from drgsim.units.schemes.compiled_scheme import compile_scheme

    batch = region_module.make_batch(plan, 30_000, 0.0, np.random.SeedSequence(4))
    scheme = compile_scheme("chs-drg-2.0")
    table = to_arrow(plan, batch, 1)
    ready = prepare_batch(table, scheme.diagnoses, scheme.procedures, scheme.text_words, scheme.variables)
    encoded = EncodedForDrg(*ready.diagnoses, *ready.procedures, ready.numbers, ready.texts, ready.invalid)
    got = np.array([*scheme.drg_codes, "0000"], dtype=object)[group_encoded(scheme.arrays, encoded).drg]
    assert (got == np.array(plan.tables.drg, dtype=object)[batch["group"]]).mean() > 0.99


def test_summary_is_plain(tmp_path: Path) -> None:
    made = generate_region(tmp_path / "r", hospitals=4, cases=200)
    assert set(dataclasses.asdict(made)["by_level"]) == {"3", "2", "1"}


def test_the_sample_is_small_whole_and_labelled() -> None:
    sample = Path(__file__).parent.parent / "data" / "samples" / "region"
    assert sum(path.stat().st_size for path in sample.iterdir()) < 6_000_000
    assert "合成数据" in (sample / "README.md").read_text(encoding="utf-8")
    assert sum(pq.read_metadata(path).num_rows for path in sample.glob("discharges-*.parquet")) == 20_000
    assert len((sample / "hospitals.csv").read_text(encoding="utf-8").splitlines()) == 13
