"""The functions for payment take files, frames, tables and results alike, print nothing, and pay what the commands pay."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgsim
from tests.sample_region import YEAR, discharges
from tests.test_cli import run

POLICY = "beijing/2024"
REGION = drgsim.sample_path("region")
HOSPITALS = REGION / "hospitals.csv"
CASES = discharges()


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    """Some discharges of the sample region."""
    return pq.read_table(CASES).slice(0, 400)


@pytest.fixture(scope="module")
def paid(cases: pa.Table) -> drgsim.Settled:
    return drgsim.settle(cases, POLICY, hospitals=HOSPITALS)


def test_every_source_of_cases_and_hospitals_gives_the_same(
    cases: pa.Table, paid: drgsim.Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(cases, tmp_path / "cases.parquet")
    frame = pd.read_csv(HOSPITALS, dtype=str)
    table = pa.Table.from_pandas(frame)
    for source, hospitals in (
        (tmp_path / "cases.parquet", str(HOSPITALS)),
        ([str(tmp_path / "cases.parquet")], frame),
        (cases.to_pandas(), table),
        (drgsim.read(cases), HOSPITALS),
        (drgsim.group(cases, "beijing-2024"), HOSPITALS),
    ):
        other = drgsim.settle(source, drgsim.load_policy(POLICY), hospitals=hospitals)
        assert other.cases["amount"].to_pylist() == paid.cases["amount"].to_pylist()
        assert other.record["inputs"].keys() in ({"cases.parquet", "hospitals.csv"}, {"cases.parquet", "hospitals"},
                                                 {"cases", "hospitals"}, {"cases", "hospitals.csv"})  # fmt: skip
    assert capsys.readouterr() == ("", "")


def test_the_function_pays_what_the_command_pays(tmp_path: Path) -> None:
    run("settle", str(CASES), "--policy", POLICY, "--hospitals", str(HOSPITALS), "--set", "unit_value.*=*1.03",
        "--clearing", "--prepay", "0.9", "--output", "settled", cwd=tmp_path)  # fmt: skip
    paid = drgsim.settle(
        CASES, POLICY, hospitals=HOSPITALS, changes={"unit_value.*": "*1.03"}, clearing=True, prepay=0.9
    )  # fmt: skip
    written = pq.read_table(tmp_path / "settled" / "cases.parquet")
    assert written["amount"].to_pylist() == paid.cases["amount"].to_pylist()
    assert paid.clearing is not None
    clearing = pd.read_csv(tmp_path / "settled" / "clearing.csv", dtype=str)
    assert clearing["clearing"].tolist() == [str(amount) for amount in paid.clearing["clearing"].to_pylist()]


def test_a_settlement_is_saved_as_tables_workbook_and_page(paid: drgsim.Settled, tmp_path: Path) -> None:
    paid.save(tmp_path / "out", formats=["parquet", "xlsx", "html"])
    assert {path.name for path in (tmp_path / "out").glob("*.parquet")} == {f"{name}.parquet" for name in paid.tables}
    page = (tmp_path / "out" / "settle.html").read_text(encoding="utf-8")
    assert "Classes of cases" in page
    assert paid.notes[0].what in page
    assert (tmp_path / "out" / "settle.xlsx").is_file()
    with pytest.raises(drgsim.DrgsimError, match="output-exists"):
        paid.save(tmp_path / "out")


def test_weights_and_coefficients_go_from_result_to_result(cases: pa.Table) -> None:
    weights = drgsim.weights(cases, scheme="chs-drg-2.0", settings=drgsim.WeightSettings(monotone=True))
    first = weights.weights.to_pylist()[0]
    paid = drgsim.settle(cases, POLICY, hospitals=HOSPITALS, weights=weights)
    row = next(row for row in paid.cases.to_pylist() if row["unit"] == first["drg"])
    assert row["relative_value"] == pytest.approx(first["weight"])
    found = drgsim.coefficients(cases, "taian/2025", scheme="dip-taian-2025", hospitals=HOSPITALS, years="1")
    again = drgsim.settle(cases, "taian/2025", scheme="dip-taian-2025", hospitals=HOSPITALS, budget=1e6, coefficients=found)
    assert set(found.levels["level"].to_pylist()) == {"1", "2", "3"}
    assert again.settlement.unit_values.keys() == {"*"}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda cases: drgsim.settle(cases, POLICY, weights_scale=2.0), "usage-no-weights"),
        (lambda cases: drgsim.settle(cases, POLICY, prepay=0.5), "usage-no-clearing"),
        (lambda cases: drgsim.settle(cases, POLICY, unstable="tabel"), "usage-unknown-word"),
        (lambda cases: drgsim.settle(cases, "bejing/2024"), "policy-unknown"),
        (lambda cases: drgsim.weights(cases), "settle-not-grouped"),
        (lambda cases: drgsim.weights(cases, scheme="chs-drg-2.0", trim="pct"), "weights-bad-option"),
        (lambda cases: drgsim.weights(cases, scheme="chs-drg-2.0", years="1:2"), "weights-bad-option"),
        (lambda cases: drgsim.policy_explain(POLICY, "unit_valu"), "policy-unknown-path"),
        (lambda cases: drgsim.policy_check("payment_tables"), "policy-no-file"),
        (lambda cases: drgsim.simulate(REGION, {"changes": {"rate.bse": 1}}, policy=POLICY), "scenario-unknown-path"),
    ],
)
def test_a_mistake_is_an_error_with_a_code(cases: pa.Table, call, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(drgsim.DrgsimError) as error:
        call(cases)
    assert code in [problem.code for problem in error.value.problems]


def test_policies_are_checked_by_name_or_folder(tmp_path: Path) -> None:
    named = drgsim.policy_check(POLICY)
    assert named.ok
    assert named.parameters == drgsim.policy_show(POLICY).parameters
    (tmp_path / "policy.yaml").write_text("id: x/2024\n", encoding="utf-8")
    broken = drgsim.policy_check(tmp_path)
    assert not broken.ok
    assert len(broken.notes) > 3


def test_a_budget_takes_a_region_that_was_read(tmp_path: Path) -> None:
    year = drgsim.budget(drgsim.load_region(REGION), POLICY, years=[YEAR], changes={"budget.index.growth": 0.1})
    assert year.record == drgsim.budget(REGION, POLICY, years=[YEAR], changes={"budget.index.growth": 0.1}).record
    folder = year.save(tmp_path / "budget", formats=["parquet", "xlsx", "html"])
    run("budget", str(REGION), "--policy", POLICY, "--year", str(YEAR), "--set", "budget.index.growth=0.1", "-o", "b",
        cwd=tmp_path)  # fmt: skip
    for path in (tmp_path / "b").iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_simulations_are_compared_from_folders_and_in_memory(tmp_path: Path) -> None:
    what = drgsim.simulate(REGION, "rate-plus-3")
    more = drgsim.simulate(REGION, [{"title": "more", "changes": {"rate.base": "*1.04"}}], policy=POLICY)
    what.save(tmp_path / "what")
    here, there = drgsim.compare(what, more), drgsim.compare(tmp_path / "what", more)
    assert here.headlines == there.headlines
    assert here.hospitals == there.hospitals
    here.save(tmp_path / "two.xlsx")
    assert (tmp_path / "two.xlsx").is_file()


def test_groups_of_another_scheme_than_the_policys_are_told(cases: pa.Table, paid: drgsim.Settled) -> None:
    other = drgsim.group(cases, "chs-drg-2.0")
    for source, options in ((other, {}), (cases, {"scheme": "chs-drg-2.0"})):
        note = next(note for note in drgsim.settle(source, POLICY, **options).notes if note.code == "settle-other-scheme")
        assert note.where == "chs-drg-2.0"
        assert "beijing-2024" in note.fix
    weights = pa.table({"drg": ["FR15"], "weight": [1.0]})
    for result in (
        paid,
        drgsim.settle(drgsim.group(cases, "beijing-2024"), POLICY),
        drgsim.settle(other, POLICY, weights=weights),
        drgsim.settle(other, "national/2.0"),
    ):
        assert "settle-other-scheme" not in {note.code for note in result.notes}
