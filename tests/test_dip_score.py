"""Scores for the national kinds from a region's own history: ``drgsim dip score``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.authoring.dip.catalogue_scoring import score_catalogue
from drgsim.authoring.dip.dip_history import _marks, read_history
from drgsim.authoring.dip.dip_spec import load_spec
from drgsim.cli.main import app
from drgsim.errors import InputError
from drgsim.records.case_table import open_source
from drgsim.region.hospital_list import GroupCoefficients
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from tests.test_dip_build import FILES

SETTINGS = {"core.minimum_cases": 5}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> drgsim.CatalogueTables:
    return drgsim.dip_score(FILES, tmp_path_factory.mktemp("scored") / "mine", core=5)


def test_grouping_the_history_by_the_scored_catalogue_gives_the_cases_that_were_counted(
    scored: drgsim.CatalogueTables,
) -> None:
    built, catalogue = scored.built, scored.catalogue
    levels = [f"{built.entries[split.kind].code}_{split.aux}{split.level}" for split in built.splits]
    codes = [*(entry.code for entry in built.entries), *levels]
    expected = dict(zip(built.history.mark.tolist(), (codes[at] for at in built.line_of_case()), strict=True))
    grouper = DipGrouper(catalogue)
    found: list[tuple[int, str]] = []
    for path in FILES:
        for batch in open_source(path).batches(grouper.input_columns):
            answers = grouper.group_batch(batch)[0]
            found += zip(_marks(batch.column("discharge_id")).tolist(), answers.column("dip").to_pylist(), strict=True)
    times = Counter(mark for mark, _ in found)  # the sample has ids that come twice
    compared = [(expected[mark], code) for mark, code in found if times[mark] == 1 and mark in expected]
    assert len(compared) > 0.9 * len(found)
    assert [pair for pair in compared if pair[0] != pair[1]] == []


def test_a_score_is_the_mean_of_the_kind_over_the_mean_of_all(scored: drgsim.CatalogueTables) -> None:
    built = scored.built
    place = int(built.measured.cases.argmax())
    history, kept = built.history, built.measured.kept
    weights = load_spec("dip-3.0").file.history.year_weights.value
    means, alls = [], []
    for year in range(len(history.years)):
        own = kept & (history.year == year) & (built.kind == place)
        means.append(history.cost[own].mean() / 100)
        alls.append(history.cost[kept & (history.year == year)].mean() / 100)
    mean = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
    overall = sum(w * m for w, m in zip(weights, alls, strict=True)) / sum(weights)
    kind = scored.catalogue.by_code[built.entries[place].code]
    assert kind.score == pytest.approx(1000 * mean / overall, abs=1e-4)
    assert kind.mean_cost == pytest.approx(mean, abs=0.005)
    assert kind.cases == built.measured.cases[place]


def test_kinds_with_enough_cases_stay_and_the_rest_is_comprehensive(scored: drgsim.CatalogueTables) -> None:
    catalogue, national = scored.catalogue, load_catalogue("dip-3.0")
    assert catalogue.scored
    assert {"first", "merged", "split", "core_national", "comprehensive", "chapter"} <= set(catalogue.counts)
    for kind in catalogue.kinds:
        published = national.by_code.get(kind.code)
        if published and not kind.aux:
            same = ("dx", "procedure", "related", "condition", "anywhere", "kind")
            assert [getattr(kind, name) for name in same] == [getattr(published, name) for name in same]
            assert kind.kind == "first" or kind.cases >= 15  # five a year
        assert kind.score is not None or kind.kind == "blank"
    assert catalogue.excluded == national.excluded
    assert catalogue.primary_care == national.primary_care
    assert catalogue.readings["excluded_diagnoses"] == national.readings["excluded_diagnoses"]
    assert any("too few cases" in note for note in catalogue.notes)


def test_no_case_is_lost_between_kinds(scored: drgsim.CatalogueTables) -> None:
    built = scored.built
    assert built.measured.cases.sum() == built.history.size == built.history.read - sum(built.history.left_out.values())
    assert built.history.left_out["dip_excluded"] > 0


def test_coverage_takes_as_many_kinds_as_it_needs() -> None:
    catalogue, spec = load_catalogue("dip-3.0"), load_spec("dip-3.0").changed({"core.rule": "coverage", "core.coverage": 0.6})
    history = read_history(FILES, spec, catalogue=catalogue)
    built = score_catalogue(history, catalogue, spec)
    assert 0.55 < built.coverage < 0.95


def test_the_result_groups_and_settles(scored: drgsim.CatalogueTables, tmp_path: Path) -> None:
    folder = scored.catalogue.folder
    cases = pq.read_table(FILES[-1]).slice(0, 800)
    grouped = drgsim.group(cases, folder).to_pandas()
    assert grouped["score"].notna().sum() > 0.8 * len(grouped)
    given = GroupCoefficients({}, {("3", ""): 1.2, ("2", ""): 1.2, ("1", ""): 1.2})
    settled = drgsim.settle(
        cases, "national/dip-3.0-draft", scheme=folder, weights=folder, coefficients=given, budget=1_000_000,
        hospitals=FILES[0].parent / "hospitals.csv",
    )  # fmt: skip
    paid = settled.to_pandas().merge(grouped[["discharge_id", "kind"]], on="discharge_id")
    ordinary = paid[paid["relative_value"].notna() & (paid["coefficient"] > 0)]
    assert set(ordinary.loc[ordinary["kind"] == "primary", "coefficient"]) == {1.0}
    assert 1.2 in set(ordinary.loc[ordinary["kind"] != "primary", "coefficient"])


def test_a_history_without_its_years_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dip-years"):
        drgsim.dip_score(FILES[:1], tmp_path / "x")


def test_the_command_writes_the_same_bytes(scored: drgsim.CatalogueTables, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app, ["dip", "score", *map(str, reversed(FILES)), "-o", str(tmp_path / "mine"), "--core", "5"], catch_exceptions=False
    )
    assert told.exit_code == 0, told.output
    assert "too few cases" in told.output
    for name in ("scheme.toml", "kinds.csv", "sets.csv", "excluded_codes.csv", "primary_care.csv"):
        assert (tmp_path / "mine" / name).read_bytes() == (scored.catalogue.folder / name).read_bytes(), name
