"""Moving between scheme versions: flows, splits and merges, hospitals, weights, files."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

import drgsim
from drgsim.analysis.grouped_twice import migrate_files
from drgsim.analysis.migration import Migration
from drgsim.errors import DrgsimError, InputError
from drgsim.report.migration_report import FILES, migration_tables, write_migration
from tests.commands import run
from tests.conftest import ROOT
from tests.sample_region import YEARS, discharges, hospitals_by_size

REGION = [*map(discharges, YEARS)]
BEFORE, AFTER = "chs-drg-2.0", "chs-drg-1.1"


@pytest.fixture(scope="module")
def migration() -> Migration:
    return migrate_files(REGION, BEFORE, AFTER)


@pytest.fixture(scope="module")
def grouped() -> pd.DataFrame:
    """The sample, grouped by each scheme apart."""
    frame = pd.concat([pq.read_table(path).to_pandas() for path in REGION], ignore_index=True)
    for name, scheme in (("from", BEFORE), ("to", AFTER)):
        answers = drgsim.group(
            frame[["discharge_id", "sex", "age", "age_days", "birth_weight_g", "diagnoses", "procedures"]], scheme
        ).to_pandas()
        frame[f"{name}_drg"], frame[f"{name}_status"] = answers.drg, answers.status
    return frame


def test_the_flow_is_what_grouping_apart_and_counting_gives(migration: Migration, grouped: pd.DataFrame) -> None:
    keys = ["from_drg", "from_status", "to_drg", "to_status"]
    expected = grouped.groupby(keys).total_cost.agg(["size", "sum"])
    flow = migration_tables(migration)["flow"].to_pandas().set_index(keys)
    assert len(flow) == len(expected)
    joined = expected.join(flow, how="inner")
    assert len(joined) == len(expected)
    assert (joined["size"] == joined.cases).all()
    assert (joined["sum"] == joined.cost_yuan).all()  # decimals: exact to the fen
    assert migration.fen == sum(int(cost * 100) for cost in grouped.total_cost)


def test_the_case_mix_index_is_the_mean_weight(grouped: pd.DataFrame) -> None:
    migration = migrate_files(REGION, BEFORE, BEFORE)
    assert migration.before.weights.label == migration.after.weights.label == "payment table national/2.0"
    weights = pd.read_csv(ROOT / "payment_tables" / "national" / "2.0" / "weights.csv").set_index("drg").weight.dropna()
    chosen = grouped[(grouped.from_status == "grouped") & grouped.from_drg.isin(weights.index)]
    expected = chosen.from_drg.map(weights).groupby(chosen.hospital_id).mean()
    assert {m.hospital: m.cmi_before for m in migration.hospitals} == pytest.approx(expected.to_dict())
    assert sorted(m.rank_before for m in migration.hospitals) == list(range(1, len(expected) + 1))
    assert [m.cmi_before for m in migration.hospitals] == pytest.approx(sorted(expected, reverse=True))


def mean_of_estimates(moved: Migration, side: str) -> float:
    """1, but for groups whose cases all have a cost of 0: these have no weight and are left out."""
    flow = migration_tables(moved)["flow"].to_pandas()
    plain = flow[flow[f"{side}_status"] == "grouped"].groupby(f"{side}_drg")[["cases", "cost_yuan"]].sum()
    weighed = plain.cases[plain.cost_yuan > 0].sum()
    assert weighed > 0.999 * plain.cases.sum()
    return float(plain.cases.sum() / weighed)


def test_estimated_weights_are_labelled_and_average_to_one(migration: Migration) -> None:
    assert migration.after.weights.label == "estimated from this input"
    assert migration.after.weights.evidence == "assumption"
    assert migration.cmi == pytest.approx((mean_of_estimates(migration, "from"), mean_of_estimates(migration, "to")))
    assert not any("different bases" in note or "not compared" in note for note in migration.notes())
    for weights in (("estimated", None), (None, "estimated")):
        both = migrate_files(REGION[:1], BEFORE, AFTER, weights=weights)
        assert both.cmi == pytest.approx((mean_of_estimates(both, "from"), mean_of_estimates(both, "to")))
        assert len(both.hospitals) == len(hospitals_by_size())


def test_a_table_on_one_side_and_an_estimate_on_the_other_compare_no_hospitals(tmp_path: Path) -> None:
    for weights in (("national/2.0", None), ("national/2.0", "estimated")):
        mixed = migrate_files(REGION[:1], BEFORE, AFTER, weights=weights)
        assert mixed.hospitals == []
        assert migration_tables(mixed)["hospitals"].num_rows == 0
        assert any("not compared" in note for note in mixed.notes())
    own = tmp_path / "w.csv"
    own.write_text("drg,weight\nFR21,1.5\n", encoding="utf-8")
    tables = migrate_files(REGION[:1], BEFORE, AFTER, weights=("national/2.0", str(own)))
    assert tables.hospitals
    assert any("different bases" in note for note in tables.notes())


@pytest.mark.parametrize("weights", [(None, None), ("estimated", None), ("national/2.0", "national/2.0")])
def test_an_overlay_without_a_difference_moves_no_figure(tmp_path: Path, weights: tuple[str | None, str | None]) -> None:
    drgsim.schemes_new(BEFORE, "null-overlay", output=tmp_path / "null")
    moved = migrate_files(REGION[:1], BEFORE, tmp_path / "null", weights=weights)
    assert len(moved.hospitals) == len(hospitals_by_size())
    for move in moved.hospitals:
        assert move.change == 0, move.hospital
        assert (move.cmi_before, move.relative_before, move.rank_before, move.grouped_before) == (
            move.cmi_after, move.relative_after, move.rank_after, move.grouped_after,
        )  # fmt: skip
    assert [moved.moved(level) for level in ("mdc", "adrg", "drg")] == [0, 0, 0]
    assert moved.cmi[0] == moved.cmi[1]
    for row in migration_tables(moved)["flow"].to_pylist():
        assert all(row[f"from_{name}"] == row[f"to_{name}"] for name in ("drg", "status", "weight", "weight_sum")), row


def test_splits_and_merges_are_shares_of_the_flow(migration: Migration) -> None:
    tables = migration_tables(migration)
    for name, side in (("splits", "from"), ("merges", "to")):
        frame = tables[name].to_pandas()
        parts = frame.groupby(f"{side}_drg")
        assert (parts.cases.sum() == parts[f"{side}_cases"].first()).all()
        assert parts.share.sum().round(3).eq(1).all()
        assert (parts.share.apply(lambda share: (share >= 0.05).sum()) > 1).all()
    groups = tables["groups"].to_pandas()
    grouped = {
        s: sum(n for pair, n in migration.status().items() if pair[i] == "grouped") for i, s in enumerate(("from", "to"))
    }
    assert groups.groupby("side").cases.sum().to_dict() == grouped
    gone = groups[(groups.side == "from") & ~groups.code_in_other_scheme]
    assert len(gone)
    assert not set(gone.drg) & set(drgsim.load_scheme(AFTER).drgs)


def test_a_scheme_against_itself_moves_nothing() -> None:
    same = migrate_files(REGION[:1], BEFORE, BEFORE)
    assert [same.moved(level) for level in ("mdc", "adrg", "drg")] == [0, 0, 0]
    assert {group.change for group in same.groups()} == {"kept"}
    assert all(m.change == 0 and m.rank_before == m.rank_after for m in same.hospitals)
    back = migrate_files(REGION[:1], AFTER, BEFORE)
    there = migrate_files(REGION[:1], BEFORE, AFTER)
    pairs = {(f.before, f.after): (f.cases, f.fen) for f in there.flows}
    assert {(f.after, f.before): (f.cases, f.fen) for f in back.flows} == pairs


def test_without_cost_and_hospitals(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    source.write_text("discharge_id,sex,age,diagnoses,procedures\n1,1,70,I50.101|J96.000,\n2,1,70,,\n", encoding="utf-8")
    plain = migrate_files([source], AFTER, BEFORE, weights=(None, "estimated"))
    assert (plain.has_cost, plain.hospitals, plain.cmi) == (False, [], (None, None))
    assert plain.status() == {("grouped", "grouped"): 1, ("invalid", "invalid"): 1}
    assert plain.before.weights.label == "none"
    write_migration(plain, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)


def test_own_weights_are_read_and_checked_whole(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("drg,weight\nFR21,1.5\nFR25,\n", encoding="utf-8")
    own = migrate_files(REGION[:1], BEFORE, AFTER, weights=(str(path), None))
    assert own.before.weights.by_drg == {"FR21": 1.5}
    assert own.cmi[0] == pytest.approx(1.5)
    path.write_text("drg,weight\nXX99,1\nFR21,much\nFR25,-1\nFR25,2\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        migrate_files(REGION[:1], BEFORE, AFTER, weights=(str(path), None))
    codes = [problem.code for problem in error.value.problems]
    assert codes == ["weights-unknown-drg", "weights-not-a-number", "weights-not-a-number", "weights-twice"]
    with pytest.raises(DrgsimError, match="no payment table"):
        migrate_files(REGION[:1], BEFORE, AFTER, weights=("nowhere/1.0", None))


def test_files_appear_whole_and_alike(migration: Migration, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write_migration(migration, first)
    write_migration(migration, second)
    write_migration(migration, second)  # an earlier result is replaced
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    with (first / "flow.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["cases"]) for row in rows) == sum(pq.read_metadata(path).num_rows for path in REGION)
    assert sum(Decimal(row["cost_yuan"]) for row in rows) == Decimal(migration.fen) / 100
    assert CalamineWorkbook.from_path(str(first / "migrate.xlsx")).sheet_names[2] == "Flow"
    page = (first / "migrate.html").read_text(encoding="utf-8")
    assert "Flow of cases" in page
    assert "estimated from this input" in page
    assert "src=" not in page
    (second / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(DrgsimError, match="other files"):
        write_migration(migration, second)
    assert (second / "mine.txt").is_file()


def test_the_command(tmp_path: Path) -> None:
    target = tmp_path / "out"
    arguments = ("migrate", str(REGION[0]), "--from", BEFORE, "--to", AFTER, "--output", str(target))
    done = run(*arguments)
    for words in ("Groups that split", "Groups that merge", "CMI", "estimated from this input", "migrate.html"):
        assert words in done.stdout
    summary = json.loads(run(*arguments, "--json").stdout)
    assert summary["cases_moved"]["mdc"] <= summary["cases_moved"]["adrg"] <= summary["cases_moved"]["drg"]
    assert summary["from"]["weights_evidence"] == summary["to"]["weights_evidence"] == "assumption"
    assert (
        "did you mean"
        in run("migrate", str(REGION[0]), "--from", BEFORE, "--to", "chs-drg-11", "-o", str(target), code=2).stderr
    )
