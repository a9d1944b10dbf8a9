"""DIP catalogues from history: golden numbers of sections 3.1-3.5, the same catalogue whatever the order, the round trip."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drgsim.authoring.dip.auxiliary_splits import Split, try_list
from drgsim.authoring.dip.built_catalogue import built_files, kind_lines, remarks, sizes
from drgsim.authoring.dip.catalogue_building import Built, build
from drgsim.authoring.dip.catalogue_evaluation import Explained, _words, evaluate, stability
from drgsim.authoring.dip.catalogue_writer import write_catalogue
from drgsim.authoring.dip.combinations import BLANK_PRINCIPAL, NONE, UNKNOWN_CODE, Combinations, combine
from drgsim.authoring.dip.core_list import ALONE, core_list, standing_sets, within
from drgsim.authoring.dip.dip_history import REASONS, DipHistory, _marks, read_history
from drgsim.authoring.dip.dip_spec import DipSpec, load_spec
from drgsim.authoring.dip.hospital_levels import levels_of
from drgsim.authoring.dip.kind_figures import scores
from drgsim.authoring.dip.level_means import level_means
from drgsim.authoring.dip.year_totals import YearTotals
from drgsim.costs.year_means import mean_over_years
from drgsim.errors import DrgsimError
from drgsim.payment.own_weights import with_relative_values
from drgsim.payment.policy import load_policy
from drgsim.records.encode import EncodedLists
from drgsim.records.read import open_source
from drgsim.units.dip.dip_grouper import DipGrouper
from tests.sample_region import SAMPLE, YEARS, discharges

FILES = [*map(discharges, YEARS)]
SMALL = {"core.per": "history", "auxiliary.period": "history", "auxiliary.minimum_cases": 15}
NAMES = ["angiography", "ultrasound"]


# -- golden numbers ----------------------------------------------------------------------------------------------------
def _standing(related: list[list[str]], **more: Any) -> list[str]:
    sets = [tuple(sorted(NAMES.index(name) for name in each)) for each in related]
    found = standing_sets(sets, **more)
    return ["principal procedure alone" if at == ALONE else " + ".join(related[at]) for at in found]


def _score(method: str, mean: float, overall: float, reference: float | None = None, quota: float | None = None) -> float:
    settings = load_spec("dip-2.0").file.score
    given_value = settings.scale.model_copy(update={"value": quota})
    chosen = settings.model_copy(update={"method": settings.method.model_copy(update={"value": method}), "quota": given_value})
    return float(scores(np.array([mean]), overall, chosen, reference)[0])


def _coefficient(level: float, group: float, score: float) -> list[float]:
    """By the code that splits kinds: cases of a level at ``level`` yuan, so many others that the mean is ``group``."""
    fen = np.array([level] * 40 + [2 * group - level] * 40) * 100
    allowed, _, _, mean, _ = try_list(fen.astype(np.int64), np.repeat([2, 1], 40), np.zeros(80, int), 1, [0, 1], 30)
    coefficient = float(mean[0, 2] / (fen.mean() / 100))
    assert allowed[0] == 0b11
    return [coefficient, round(score * coefficient, 4)]


CALCULATIONS: dict[str, Any] = {
    "standing": _standing,
    "rise": lambda means: [each / means[0] - 1 for each in means[1:]],
    "mean_of_years": lambda means, cases, weights, mode: float(
        mean_over_years([np.multiply(means, cases)], [cases], weights, mode)[0]
    ),
    "score": _score,
    "coefficient": _coefficient,
}
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "dip" / "build.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"section {case['section']}: {case['name']}")
def test_golden_number(case: dict[str, Any]) -> None:
    got = CALCULATIONS[case["calculate"]](**case["with"])
    if case["calculate"] == "standing":
        assert got == case["expect"]
    else:
        assert got == pytest.approx(case["expect"], abs=1e-5)


# -- properties of the steps -------------------------------------------------------------------------------------------
families = st.lists(
    st.tuples(st.lists(st.integers(0, 5), max_size=4).map(lambda x: tuple(sorted(x))), st.integers(1, 60), st.integers(1, 99)),
    min_size=1, max_size=12, unique_by=lambda row: row[0],
)  # fmt: skip


@given(families, st.integers(1, 40), st.sampled_from([None, 0.0, 0.1, 0.5]))
def test_every_set_goes_to_the_largest_standing_set_within_it(
    rows: list[tuple[tuple[int, ...], int, int]], least: int, increase: float | None
) -> None:
    related, cases, means = (list(column) for column in zip(*rows, strict=True))
    found = standing_sets(related, cases, [float(mean) for mean in means], least, increase)
    standing = [place for place, at in enumerate(found) if at == place]
    for place, at in enumerate(found):
        inside = [other for other in standing if within(related[other], related[place])]
        if at == ALONE:
            assert not [other for other in inside if other != place] or not related[place]
        else:
            assert at in inside
            assert len(related[at]) == max(len(related[other]) for other in inside)
            assert cases[at] >= least
    assert all(related[place] for place in standing), "the principal procedure alone needs no line of its own here"


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(-2, 4), max_size=4)), min_size=1, max_size=30), st.randoms())
def test_combinations_do_not_depend_on_order(rows: list[tuple[int, list[int]]], random: Any) -> None:
    simple = np.array([False, False, False, True, True])

    def numbered(chosen: list[tuple[int, list[int]]]) -> list[tuple[int, tuple[int, ...]]]:
        ids = np.array([code for _, codes in chosen for code in codes], np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(codes) for _, codes in chosen])]).astype(np.int64)
        number, found = combine(np.array([dx for dx, _ in chosen], np.int32), EncodedLists(ids, offsets), tuple("ABCD"), simple)
        keys = [tuple(row[row != NONE].tolist()) for row in found.procedures]
        ordered = list(zip(found.diagnosis.tolist(), found.procedures.tolist(), strict=True))
        assert ordered == sorted(ordered), "combinations are sorted by what they are"
        return [(int(found.diagnosis[at]), keys[at]) for at in number]

    def listed(codes: list[int]) -> tuple[int, ...]:
        """The first procedure that is not simple leads; without any, nothing was done."""
        named = [{-1: UNKNOWN_CODE, -2: BLANK_PRINCIPAL}.get(code, code) for code in codes]
        if not any(code == UNKNOWN_CODE or (code >= 0 and not simple[code]) for code in named):
            return ()
        lead = next(at for at, code in enumerate(named) if code < 0 or not simple[code])
        return named[lead], *sorted(named[:lead] + named[lead + 1 :])

    expected = [(dx, listed(codes)) for dx, codes in rows]
    assert numbered(rows) == expected
    places = list(range(len(rows)))
    random.shuffle(places)
    assert numbered([rows[place] for place in places]) == [expected[place] for place in places]


costs = st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 10**12))


@given(st.lists(costs, max_size=40), st.lists(st.integers(-1, 2), min_size=6, max_size=6))
def test_totals_add_up_to_the_fen(rows: list[tuple[int, int, int]], into: list[int]) -> None:
    group, year, fen = (np.array([row[at] for row in rows], np.int64) for at in range(3))
    joined = YearTotals.of(group, year, fen, 6, 3).joined(np.array(into), 3)
    for place in range(3):
        used = np.array(into, np.int64)[group] == place if rows else np.zeros(0, bool)
        assert int(joined.fen[place].sum()) == int(fen[used].sum())
        assert int(joined.cases[place].sum()) == int(used.sum())


# -- the sample region -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def spec() -> DipSpec:
    return load_spec("dip-2.0").changed(SMALL)


@pytest.fixture(scope="module")
def covering(history: DipHistory, spec: DipSpec) -> dict[str, Built]:
    """Both methods with as many kinds as cover 95 % of the discharges."""
    wide = spec.changed({"core.rule": "coverage"})
    return {method: build(history, wide, method=method) for method in ("list", "cluster")}


@pytest.fixture(scope="module")
def history(spec: DipSpec) -> DipHistory:
    return read_history(FILES, spec)


@pytest.fixture(scope="module", params=["list", "cluster"])
def built(request: pytest.FixtureRequest, history: DipHistory, spec: DipSpec) -> Built:
    return build(history, spec, method=request.param)


def test_everything_that_counts_has_one_kind_and_costs_add_up(built: Built, history: DipHistory) -> None:
    assert built.measured.cases.sum() == history.size == history.read - sum(history.left_out.values())
    assert built.measured.totals.fen.sum() == history.cost[built.measured.kept].sum()
    codes = [entry.code for entry in built.entries]
    assert len(set(codes)) == len(codes)


def test_all_payers_count(history: DipHistory) -> None:
    tables = [pq.read_table(path, columns=["insurance", "total_cost"]) for path in FILES]
    assert pc.sum(pc.equal(pa.concat_tables(tables)["insurance"], "self")).as_py() > 500
    assert history.read == sum(table.num_rows for table in tables)
    assert set(history.left_out) <= set(REASONS)


def test_core_kinds_cover_what_is_asked_for_and_no_more(covering: dict[str, Built]) -> None:
    for built in covering.values():
        least = built.structure.minimum_cases
        assert 0.95 <= built.coverage < 0.95 + (least + 1) / built.history.size, "the last kind taken was needed"
        assert {"chapter", "blank"} <= {entry.kind for entry in built.entries}, "the rest is gathered"
    alone = covering["list"]
    assert alone.structure.minimum_cases == 1
    assert any("too small for core.rule coverage" in remark for remark in remarks(alone))


@pytest.mark.parametrize(("share", "codes"), [(0.9, "AB"), (0.95, "ABC"), (0.97, "ABCD"), (1.0, "ABCDE")])
def test_of_kinds_of_the_last_size_the_first_codes_are_taken(share: float, codes: str) -> None:
    """A 80, B 12, and C, D, E in this order, of which the last two have as many cases: 4, 2, 2."""
    combinations = Combinations(np.arange(5), tuple("ABCDE"), np.full((5, 1), NONE))
    core = load_spec("dip-2.0").file.core
    rule = {
        "rule": core.rule.model_copy(update={"value": "coverage"}),
        "coverage": core.coverage.model_copy(update={"value": share}),
    }
    cases = np.array([80, 12, 4, 2, 2])
    found = core_list(combinations, cases, np.full(5, 100.0), 1, core.model_copy(update=rule), 0.1)
    assert "".join(combinations.diagnoses[at] for at in found.diagnosis) == codes
    assert found.coverage >= share


def test_a_related_procedure_of_the_last_size_covers_nothing_by_itself() -> None:
    """Its cases count with the principal procedure alone, so one of the two families of this size is what 80 % needs."""
    procedures = np.array([[0, NONE], [0, 1], [0, NONE], [0, NONE]])
    combinations = Combinations(np.array([0, 0, 1, 2]), ("A", "B", "C"), procedures)
    core = load_spec("dip-2.0").file.core
    rule = {
        "rule": core.rule.model_copy(update={"value": "coverage"}),
        "coverage": core.coverage.model_copy(update={"value": 0.8}),
    }
    found = core_list(combinations, np.array([10, 3, 3, 3]), np.array([1.0, 9, 1, 1]), 1, core.model_copy(update=rule), 0.1)
    assert [combinations.diagnoses[at] for at in found.diagnosis] == ["A", "B"]
    assert found.related == ((), ())
    assert found.kind.tolist() == [0, 0, 1, -1]


def test_scores_are_mean_over_mean(built: Built) -> None:
    """Where nothing is trimmed and years count alike, cases x score average to 1000."""
    spec = built.spec.changed(
        {"history.year_weights": [1, 1, 1], "history.year_mode": "case_weighted", "trimming.method": "none"}
    )
    plain = build(built.history, spec, method=built.method)
    assert np.average(plain.score, weights=plain.measured.cases) == pytest.approx(1000, abs=1e-3)


def test_clustering_has_fewer_kinds_that_predict_better(covering: dict[str, Built]) -> None:
    plain, clustered = covering["list"], covering["cluster"]
    assert len(clustered.entries) < 0.9 * len(plain.entries)
    # squares of the few largest bills decide a RIV, and which half has them is a draw: they are cut at the 99th percentile
    cost = np.minimum(plain.history.cost, np.quantile(plain.history.cost, 0.99).astype(np.int64))
    for at in range(3):
        half = replace(plain.history, cost=cost, mark=plain.history.mark >> np.uint64(3 * at))
        (kinds, levels, drgs, both), (own, *_) = (
            evaluate(replace(each, history=half)).explained for each in (plain, clustered)
        )
        # what the same discharges tell of themselves is no proof: thousands of kinds of a case or two explain almost everything
        assert kinds.riv > max(drgs.riv, own.riv)
        assert min(kinds.riv, own.riv) > max(kinds.riv_out, own.riv_out)
        assert own.riv_out > kinds.riv_out
        assert own.riv - own.riv_out < 0.9 * (kinds.riv - kinds.riv_out)
        assert own.cv_out < 0.95 * kinds.cv_out
    assert both.groups > max(kinds.groups, drgs.groups)
    assert levels.cases == kinds.cases == drgs.cases


def test_merged_combinations_are_of_one_class_and_diagnosis(covering: dict[str, Built], history: DipHistory) -> None:
    clustered = covering["cluster"]
    place = {code: at for at, code in enumerate(history.book.procedures.codes)}
    assert max(len(entry.lines) for entry in clustered.entries) > 1
    for entry in clustered.entries:
        if entry.kind != "core":
            continue
        assert len({line.dx for line in entry.lines}) == 1
        classes = {int(history.class_of_procedure[place[line.procedure]]) if line.procedure else 0 for line in entry.lines}
        assert len(classes) == 1


def test_scores_of_larger_kinds_predict_better(built: Built) -> None:
    rows = evaluate(built).prediction
    errors = [row.error for row in rows if row.kinds >= 20]  # the mean of the four or five largest kinds is a draw
    assert len(errors) > 1
    assert errors == sorted(errors, reverse=True)
    assert all(row.error < 0.75 * errors[0] for row in rows if row.cases > 500 and row.error != errors[0])
    assert all(row.error < 3 * row.chance for row in rows), "errors have the size that chance gives them"


def test_what_looks_equal_has_no_winner() -> None:
    def of(riv: float, riv_out: float) -> Explained:
        return Explained("", "", 10, 2, 0.0, riv, riv, riv_out, 0.5, 0.5)

    equal = _words([of(0.5, 0.49996), of(0.5, 0.5), of(0.49997, 0.50004), of(0.5, 0.5)])
    assert "50.0% and 50.0%: both predict equally well." in equal[0]
    assert "lose 0.0% and DRGs 0.0%" in "".join(equal)
    assert "-0.0%" not in "".join(equal)
    assert "51.0% and 50.0%: kinds predict better." in _words([of(0.5, 0.51), of(0, 0), of(0.5, 0.5), of(0, 0)])[0]


def test_resampled_histories_give_much_the_same_kinds(built: Built) -> None:
    found = stability(built, samples=2)
    assert found.least > 0.7
    assert found.mean == stability(built, samples=2).mean


def test_two_cost_populations_are_split_by_what_can_be_seen() -> None:
    """One diagnosis and operation, two populations: a related procedure tells them apart and becomes a kind of its own."""
    spec = load_spec("dip-2.0").changed(SMALL | {"core.minimum_cases": 30, "combinations.minimum_increase": 20.0})
    rng = np.random.default_rng(3)
    cases = [
        {
            "discharge_id": f"D{at}", "sex": 1, "age": 60, "diagnoses": "I21.001", "discharged": f"{2022 + at % 3}-06-01",
            "procedures": "36.0700|88.5600" if at % 2 else "36.0700", "los_days": 7, "discharge_way": 1,
            "total_cost": float(round(rng.lognormal(11.5 if at % 2 else 9.2, 0.2), 2)),
        }
        for at in range(600)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        pd.DataFrame(cases).to_csv(path, index=False)
        past = read_history([path], spec)
    codes = [entry.code for entry in build(past, spec, method="cluster").entries if entry.kind == "core"]
    assert codes == ["I21.0:36.0700", "I21.0:36.0700_88.5600"]
    assert [entry.code for entry in build(past, spec).entries if entry.kind == "core"] == ["I21.0:36.0700"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "method"),
    [("dip-1.0", "list"), ("dip-2.0", "list"), ("dip-2.0", "cluster"), ("dip-3.0-draft", "list"), ("dip-3.0", "list")],
)
def test_grouping_the_history_by_its_catalogue_gives_the_same_kinds(name: str, method: str, tmp_path: Path) -> None:
    spec = load_spec(name).changed(SMALL | {"core.minimum_cases": 8})
    history = read_history(FILES, spec)
    own = build(history, spec, method=method)
    catalogue = write_catalogue(tmp_path / "built", built_files(own, id="built", title="t", title_zh="题"))
    levels = [f"{own.entries[split.kind].code}_{split.aux}{split.level}" for split in own.splits]
    codes = [*(entry.code for entry in own.entries), *levels]
    expected = dict(zip(history.mark.tolist(), (codes[at] for at in own.line_of_case()), strict=True))
    grouper = DipGrouper(catalogue)
    found: list[tuple[int, str]] = []
    for path in FILES:
        for batch in open_source(path).batches(grouper.input_columns):
            codes_of_batch = grouper.group_batch(batch)[0].column("dip").to_pylist()
            found += zip(_marks(batch.column("discharge_id")).tolist(), codes_of_batch, strict=True)
    times = Counter(mark for mark, _ in found)  # the sample has ids that come twice
    compared = [(expected[mark], code) for mark, code in found if times[mark] == 1 and mark in expected]
    assert len(compared) == sum(times[mark] == 1 for mark in expected) > 0.95 * history.read
    assert [pair for pair in compared if pair[0] != pair[1]] == []
    assert any(kind.aux for kind in catalogue.kinds), "auxiliary levels are part of the round trip"
    if name.startswith("dip-3.0"):
        assert catalogue.counts["first"] >= 1, "the sample has newborns of low weight"


def test_order_of_cases_and_files_never_matters(spec: DipSpec, tmp_path: Path) -> None:
    table = pa.concat_tables([pq.read_table(path) for path in FILES])
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    for name, part in (("a", shuffled.slice(0, 3000)), ("b", shuffled.slice(3000))):
        pq.write_table(part, tmp_path / f"{name}.parquet")
    texts = [
        built_files(build(read_history(paths, spec), spec, method="list"), id="x", title="t", title_zh="题")
        for paths in (FILES, [tmp_path / "b.parquet", tmp_path / "a.parquet"])
    ]
    assert texts[0] == texts[1]


def test_auxiliary_levels_are_large_enough_and_lower_the_spread(built: Built) -> None:
    least, fall = built.spec.file.auxiliary.minimum_cases.value, built.spec.file.auxiliary.minimum_fall.value
    assert built.splits
    for split in built.splits:
        assert split.cases >= least
        assert split.fall >= (built.spec.file.clustering.split_fall.value if built.hidden[split.kind] else fall)
        assert split.coefficient == pytest.approx(split.mean / _group_mean(built, split))
        assert built.lists.is_for(split.aux, built.entries[split.kind].lines[0].dx)
    assert len([line for line in kind_lines(built) if line.aux]) >= len(built.splits)


def _group_mean(built: Built, split: Split) -> float:
    used = (built.kind == split.kind) & built.measured.kept
    return float(built.history.cost[used].mean()) / 100


def test_of_several_lists_the_highest_level_counts(built: Built) -> None:
    """A second list with a dearer level for the same cases takes them over."""
    split = max(built.splits, key=lambda each: each.cases)
    bit = next(b for b in range(len(built.lists.levels)) if built.lists.levels[b].aux not in ("first", split.aux))
    name = built.lists.levels[bit].aux
    dearest = max(each.coefficient for each in built.splits if each.kind == split.kind)
    dearer = replace(split, aux=name, level=built.lists.levels[bit].level, bit=bit, coefficient=dearest * 2)
    marked = replace(
        built, history=replace(built.history, mask=built.history.mask | (1 << bit)), splits=(*built.splits, dearer)
    )
    line = marked.line_of_case()
    assert (line[built.kind == split.kind] == len(built.entries) + len(built.splits)).all()


def test_the_types_of_kinds_add_up(built: Built) -> None:
    counted = sizes(built)
    assert counted["core"] == counted["core_conservative"] + counted["core_surgical"]
    assert counted["merged"] == 0 if built.method == "list" else counted["merged"] > 0


# -- history that is not what it should be -----------------------------------------------------------------------------
def _written(path: Path, change: Any) -> Path:
    pq.write_table(change(pq.read_table(FILES[0]).slice(0, 400)), path)
    return path


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda t: t.drop_columns(["total_cost"]), "dip-no-cost-column", "a history without cost makes no catalogue"),
        (lambda t: t.set_column(t.schema.get_field_index("total_cost"), "total_cost", pa.nulls(t.num_rows, pa.float64())),
         "dip-nothing-left", "none of the 400 discharges can be used: 400 without a cost"),
        (lambda t: t, "dip-years", f"the history has the year {YEARS[0]}, but dip-2.0 weighs 3 years 1:2:7"),
    ],
    ids=["no cost column", "no cost", "one year of three"],
)  # fmt: skip
def test_a_history_that_cannot_do_is_explained(tmp_path: Path, change: Any, code: str, words: str) -> None:
    path = _written(tmp_path / "history.parquet", change)
    with pytest.raises(DrgsimError) as caught:
        build(read_history([path], load_spec("dip-2.0")), load_spec("dip-2.0"))
    assert code in str(caught.value)
    assert words in str(caught.value)


def test_a_gap_between_years_is_no_history(history: DipHistory, spec: DipSpec) -> None:
    gap = replace(history, years=(YEARS[0], *(year + 1 for year in YEARS[1:])))
    with pytest.raises(DrgsimError, match=f"{YEARS[1]} is missing between them"):
        build(gap, spec)


def test_two_years_do_with_weights_for_two(tmp_path: Path) -> None:
    spec = load_spec("dip-2.0").changed(SMALL | {"history.year_weights": [3, 7]})
    own = build(read_history(FILES[1:], spec), spec)
    assert own.history.years == YEARS[1:]


def test_without_dates_each_file_is_a_year_and_that_is_said(tmp_path: Path, spec: DipSpec) -> None:
    paths = []
    for path in FILES:
        pq.write_table(pq.read_table(path).drop_columns(["discharged", "admitted"]), tmp_path / path.name)
        paths.append(tmp_path / path.name)
    found = read_history(paths, spec)
    assert found.years == (1, 2, 3)
    assert "each file counts as a year" in found.notes[0]


@pytest.fixture(scope="module")
def levelled(spec: DipSpec) -> Built:
    table = pd.read_csv(SAMPLE / "hospitals.csv", dtype=str)
    return build(read_history(FILES, spec, hospitals=dict(zip(table.id, table.level, strict=True))), spec)


def test_means_by_level_are_of_the_cases_that_trimming_keeps(levelled: Built) -> None:
    """By hand for each kind that has a mean: the years' means of the level, weighed 1:2:7."""
    history, means = levelled.history, level_means(levelled)
    assert set(np.unique(history.level)) == {1, 2, 3}
    shown = [(kind, at) for kind, at in np.argwhere(~np.isnan(means)) if kind < len(levelled.entries)]
    assert len(shown) > 50
    for kind, at in shown:
        used = levelled.measured.kept & (levelled.kind == kind) & (history.level == at + 1)
        assert used.sum() >= 15
        of_year = [history.cost[used & (history.year == year)] / 100 for year in range(3)]
        there = [year for year in range(3) if of_year[year].size]
        weights = [(1, 2, 7)[year] for year in there]
        assert means[kind, at] == pytest.approx(np.average([of_year[year].mean() for year in there], weights=weights))
    few = np.bincount(levelled.kind[levelled.measured.kept & (history.level == 3)], minlength=len(levelled.entries)) < 15
    assert np.isnan(means[: len(few), 2][few]).all()


def test_payment_finds_the_means_by_level(levelled: Built, tmp_path: Path) -> None:
    files = built_files(levelled, id="levelled", title="t", title_zh="题")
    catalogue = write_catalogue(tmp_path / "levelled", files)
    assert any(kind.level_means and kind.level_means[2] for kind in catalogue.kinds)
    policy, _ = with_relative_values(load_policy("taian/2025"), tmp_path / "levelled")
    assert policy.prices is not None
    kind = next(kind for kind in catalogue.kinds if kind.level_means[2])
    assert policy.prices.numbers["mean_cost_3"][policy.prices.places[kind.code]] == kind.level_means[2]


def test_without_levels_there_is_one_mean_and_that_is_said(built: Built) -> None:
    assert "mean_cost_1" not in built_files(built, id="x", title="t", title_zh="题")["kinds.csv"].splitlines()[0]
    assert any("no levels of hospitals are known" in remark for remark in remarks(built))


def test_levels_of_the_discharges_go_before_those_of_hospitals() -> None:
    batch = pa.RecordBatch.from_pydict({"hospital_id": ["A", "A", "B", None], "=level": ["三级甲等", "", "9", None]})
    assert levels_of(batch, "=level", {"A": "2", "B": "1"}).tolist() == [3, 2, 1, 0]


def test_one_file_without_dates_is_no_year_1(tmp_path: Path) -> None:
    path = _written(tmp_path / "history.parquet", lambda t: t.drop_columns(["discharged", "admitted"]))
    with pytest.raises(DrgsimError) as caught:
        build(read_history([path], load_spec("dip-2.0")), load_spec("dip-2.0"))
    assert "no discharge has a date of discharge: one file counts as one year, but dip-2.0 weighs 3 years" in str(caught.value)
    assert "year 1" not in str(caught.value)


def test_costs_that_do_not_count_are_told_apart(tmp_path: Path, spec: DipSpec) -> None:
    costs = ["-5", "-1", "?", "", "0"]

    def change(table: pa.Table) -> pa.Table:
        own = [*costs, *(str(9_000 + at) for at in range(table.num_rows - len(costs)))]
        return table.set_column(table.schema.get_field_index("total_cost"), "total_cost", pa.array(own))

    left_out = read_history([_written(tmp_path / "history.parquet", change)], spec).left_out
    expected = {"cost_negative": 2, "cost_unreadable": 1, "no_cost": 1, "cost_zero": 1}
    assert {name: number for name, number in left_out.items() if "cost" in name} == expected


def test_kinds_of_one_case_and_missing_years_are_told(history: DipHistory, spec: DipSpec) -> None:
    thin = build(history, spec.changed({"core.minimum_cases": 1}))
    text = "\n".join(remarks(thin))
    assert "core kinds rest on one case" in text
    core = thin.structure.core[: thin.measured.cases.size]
    for at, year in enumerate(YEARS):
        absent = int((core & (thin.measured.year_cases[:, at] == 0)).sum())
        assert f"{absent:,} core kinds have no case in {year}" in text, "kinds of one case are absent from two years"
    single = np.flatnonzero((thin.measured.cases == 1) & thin.structure.core)[0]
    case = int(np.flatnonzero(thin.kind == single)[0])
    assert thin.measured.mean[single] == pytest.approx(history.cost[case] / 100), "its own cost, nothing is averaged"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [("core.minimum_case", 5, "did you mean core.minimum_cases?"), ("core.rule", "often", "core.rule"),
     ("core.minimum_cases", -4, "greater than 0"), ("auxiliary.minimum_cases", 0, "greater than 0"),
     ("core.coverage", 95, "give a share above 0, up to 1"), ("auxiliary.minimum_fall", 0, "give a share above 0")],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_told(path: str, value: Any, words: str) -> None:
    with pytest.raises(DrgsimError) as caught:
        load_spec("dip-2.0").changed({path: value})
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_parameter_has_a_source_and_drafts_are_assumptions() -> None:
    for name in ("dip-1.0", "dip-2.0", "dip-3.0", "dip-3.0-draft"):
        spec = load_spec(name)
        assert all(parameter.source in spec.file.sources for parameter in spec.parameters)
    draft = load_spec("dip-3.0-draft")
    assert len(draft.assumptions) == len(draft.parameters)


@pytest.mark.slow
def test_every_setting_moves_the_catalogue(history: DipHistory, spec: DipSpec) -> None:
    """A parameter that changes nothing would be a promise that nobody keeps."""
    changes: dict[str, Any] = {
        "history.year_weights": [7, 2, 1], "history.year_mode": "case_weighted", "trimming.minimum_cases": 5,
        "trimming.high": 80, "trimming.method": "none", "trimming.low": 20, "combinations.minimum_increase": 0.6,
        "core.minimum_cases": 30, "core.per": "year", "core.rule": "coverage", "comprehensive.minimum_cases": 40,
        "comprehensive.chapter_minimum_cases": 90, "score.scale": 100, "auxiliary.minimum_cases": 60,
        "auxiliary.minimum_fall": 0.5, "auxiliary.lists": ["age"], "auxiliary.period": "last_year",
        "clustering.material": 0.5, "clustering.penalty": 20.0, "clustering.prior_cases": 500,
        "clustering.farthest": 5.0, "clustering.split_fall": 0.0001,
    }  # fmt: skip
    rules = {method: _content(build(history, spec, method=method)) for method in ("list", "cluster")}
    unmoved = []
    for path, value in changes.items():
        changed = spec.changed({path: value})
        past = read_history(FILES, changed) if path == "auxiliary.lists" else history  # levels are read with the history
        method = "cluster" if path.startswith(("clustering", "checks")) else "list"
        if _content(build(past, changed, method=method)) == rules[method]:
            unmoved.append(path)
    assert not unmoved
    # a kind of two cost populations is split for a small fall of its CV, unless no CV counts as high
    ready = spec.changed({"clustering.split_fall": 0.0001, "auxiliary.minimum_fall": 0.9})
    calm = ready.changed({"checks.cv_auxiliary": 99.0})
    assert _content(build(history, ready, method="cluster")) != _content(build(history, calm, method="cluster"))


def _content(own: Built) -> tuple[str, str]:
    files = built_files(own, id="x", title="t", title_zh="题")
    return files["kinds.csv"], files.get("auxiliary.csv", "")
