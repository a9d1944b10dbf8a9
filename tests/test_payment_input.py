"""What settling reads: any layout that grouping reads, own column names, weights and coefficients of one's own."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from drgsim.cli.main import app
from drgsim.errors import InputError, UsageError
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.own_weights import with_relative_values
from drgsim.payment.policy import load_policy
from drgsim.payment.settlement import settle
from drgsim.records.input_options import InputOptions
from tests.conftest import ROOT
from tests.payment_policies import table_of
from tests.sample_region import SAMPLE, YEARS, discharges

RUN = CliRunner()
FORMATS = ROOT / "data" / "samples" / "formats"


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _cases(folder: Path) -> list[dict[str, object]]:
    return pq.read_table(folder / "cases.parquet").to_pylist()


# -- layouts -----------------------------------------------------------------------------------------------------------
def test_a_front_page_is_grouped_and_settled_in_one_command(tmp_path: Path) -> None:
    header = "A48,A01,A12C,A14,B12,B15,B20,B34C,A46C,C03C,C06x01C,C14x01C,C35x01C,D01,D09"
    line = "0012,H1,1,65,2025-03-01,2025-03-09,8,1,1,I21.001,I10.x00,,,15000,3000"
    path = _write(tmp_path / "hqms.csv", f"{header}\n{line}\n")
    command = ["settle", str(path), "-p", "beijing/2024", "-o", str(tmp_path / "out")]
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    case = _cases(tmp_path / "out")[0]
    assert (case["discharge_id"], case["unit"]) == ("0012", "FR15")
    assert case["amount"] is not None
    assert "1 cases grouped by beijing-2024" in result.output


def test_a_grouped_file_may_come_in_another_layout_with_own_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "grouped.csv", "A48,D01,我的病组,倍\n7,12000,X,1.5\n")
    maps = ["--map", "我的病组=drg", "--map", "倍=relative_value"]
    command = ["settle", str(path), "-p", "beijing/2024", "-o", str(tmp_path / "out"), *maps]
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    case = _cases(tmp_path / "out")[0]
    assert (case["discharge_id"], case["unit"], str(case["amount"])) == ("7", "X", "30637.50")
    wrong = RUN.invoke(app, [*command, "--map", "倍=relativ_value"])
    assert wrong.exit_code != 0


def test_codes_of_another_edition_are_converted_before_grouping() -> None:
    table, notes = read_grouped([FORMATS / "records.csv"], "chs-drg-2.0", InputOptions(code_version="gl2"))
    assert "drg" in table.column_names
    assert any("codes converted from gl2" in note for note in notes)


def test_titles_above_the_header_and_lines_that_do_not_fit(tmp_path: Path) -> None:
    text = "结算明细,,\n病组编码,总费用,权重\nX,9000,1\nY,1\nZ,8000,2\n"
    table, _ = read_grouped([_write(tmp_path / "c.csv", text)], None)
    settlement = settle(table, load_policy("beijing/2024"))
    assert [str(amount) for amount in settlement.table["amount"].to_pylist()] == ["20425.00", "None", "8000.00"]


def test_files_whose_columns_differ_in_type_go_together(tmp_path: Path) -> None:
    pq.write_table(table_of(drg=["X"], total_cost=[9000.0], hospital_id=[7], relative_value=1.0), tmp_path / "a.parquet")
    _write(tmp_path / "b.csv", "drg,total_cost,hospital_id,relative_value\nY,8000,H9,1\n")
    table, _ = read_grouped([tmp_path / "a.parquet", tmp_path / "b.csv"], None)
    assert table["hospital_id"].to_pylist() == ["7", "H9"]
    assert settle(table, load_policy("beijing/2024")).amount.tolist() == [2042500, 2042500]


def test_a_file_without_groups_needs_a_scheme(tmp_path: Path) -> None:
    path = _write(tmp_path / "c.csv", "discharge_id,total_cost\n1,5\n")
    with pytest.raises(InputError, match="no scheme is known"):
        read_grouped([path], None)


# -- weights of one's own ----------------------------------------------------------------------------------------------
def test_weights_become_points_by_the_scale_of_the_policy(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.csv", "drg,weight\nBR23,1.2\n")
    policy, doubts = with_relative_values(load_policy("ningbo/2022"), path)
    assert not doubts
    cases = table_of(drg="BR23", coefficient=1.1, total_cost=[12000.0, 5000.0, 30000.0])
    amounts = [str(amount) for amount in settle(cases, policy).table["amount"].to_pylist()]
    assert amounts == ["12276.00", "4543.61", "17217.64"], "rule book 2.5"
    assert policy.digest != load_policy("ningbo/2022").digest


def test_values_in_the_unit_of_the_policy_and_a_scale_of_ones_own(tmp_path: Path) -> None:
    points = _write(tmp_path / "p.csv", "病组编码,点数\nBR23,120\n")
    for path, scale in ((points, None), (_write(tmp_path / "v.csv", "unit,relative_value\nBR23,1.2\n"), 100.0)):
        policy, doubts = with_relative_values(load_policy("ningbo/2022"), path, scale)
        assert policy.prices is not None
        assert policy.prices.relative_value[1].tolist() == [120]
        assert not doubts
    _, doubts = with_relative_values(load_policy("ningbo/2022"), tmp_path / "v.csv")
    assert doubts[0].code == "settle-weights-unit"


def test_own_weights_replace_published_standards_and_keep_classes_and_coefficients(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.csv", "drg,weight\nAE19,2\nWB19,3\nNEW1,1\n")
    policy, _ = with_relative_values(load_policy("beijing/2022"), path)
    cases = table_of(drg=["AE19", "WB19", "NEW1", "AG29"], total_cost=[50000.0] * 4)
    settlement = settle(cases, policy)
    assert [str(amount) for amount in settlement.table["amount"].to_pylist()] == ["40855.04", "50000.00", "20427.52", "None"]
    assert settlement.table["case_class"].to_pylist() == ["normal", "by_item", "normal", "unpaid"]
    suzhou, _ = with_relative_values(load_policy("suzhou/2023"), path)
    leveled = settle(table_of(drg="AE19", hospital_level=["3"], total_cost=[9000.0]), suzhou)
    assert leveled.table["coefficient"].to_pylist() == [1.2], "the table of groups still states coefficients"


def test_a_group_that_the_table_lacks_says_what_to_do() -> None:
    settlement = settle(table_of(drg=["ZZ99"], total_cost=[9000.0]), load_policy("ningbo/2022"))
    problem = next(p for p in settlement.problems if p.code == "settle-missing-weight")
    assert "publishes no table of groups" in problem.what
    assert "drgsim weights" in problem.fix
    assert "--weights" in problem.fix


def test_mistakes_in_weights_are_reported_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.csv", "drg,weight\nA,1\nA,2\n,3\nB,heavy\nC,0\nD,\n")
    with pytest.raises(InputError) as caught:
        with_relative_values(load_policy("ningbo/2022"), path)
    found = sorted(problem.code for problem in caught.value.problems)
    assert found == ["weights-no-group", "weights-not-a-number", "weights-not-a-number", "weights-twice"]
    with pytest.raises(InputError, match="no column of values"):
        with_relative_values(load_policy("ningbo/2022"), _write(tmp_path / "x.csv", "drg,heaviness\nA,1\n"))
    with pytest.raises(UsageError, match="not above 0"):
        with_relative_values(load_policy("ningbo/2022"), path, 0.0)


@pytest.mark.slow
def test_the_sample_region_is_settled_by_points_without_a_script(tmp_path: Path) -> None:
    history = str(discharges(YEARS[1]))
    weighed = RUN.invoke(app, ["weights", history, "-s", "chs-drg-2.0", "-o", str(tmp_path / "w")])
    assert weighed.exit_code == 0, weighed.output
    command = ["settle", history, "-p", "ningbo/2022", "-s", "chs-drg-2.0", "--hospitals", str(SAMPLE / "hospitals.csv"),
               "--weights", str(tmp_path / "w"), "-o", str(tmp_path / "out"), "--json"]  # fmt: skip
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["paid"] > 0.99 * record["cases"]
    assert "weights.csv" in record["inputs"]
    with (tmp_path / "w" / "weights.csv").open(encoding="utf-8-sig") as file:
        weights = {row["drg"]: float(row["weight"]) for row in csv.DictReader(file) if row["weight"]}
    for case in _cases(tmp_path / "out")[:200]:
        if case["unit"] in weights:
            assert case["relative_value"] == pytest.approx(100 * weights[str(case["unit"])])


def test_options_that_make_no_sense_together(tmp_path: Path) -> None:
    path = _write(tmp_path / "c.csv", "drg,total_cost\nA,1\n")
    command = ["settle", str(path), "-p", "ningbo/2022", "-o", str(tmp_path / "o")]
    for wrong in (["--weights-scale", "100"], ["--unstable", "tabel"]):
        assert isinstance(RUN.invoke(app, [*command, *wrong]).exception, UsageError)


def test_inputs_are_never_overwritten(tmp_path: Path) -> None:
    path = _write(tmp_path / "c.csv", "drg,relative_value,total_cost\nA,1,20000\n")
    before = path.read_bytes()
    for output in (path, tmp_path):
        result = RUN.invoke(app, ["settle", str(path), "-p", "beijing/2024", "-o", str(output)])
        assert isinstance(result.exception, UsageError)
        assert "is also an input" in str(result.exception)
    other = RUN.invoke(app, ["settle", str(path), "-p", "beijing/2024", "-o", str(tmp_path / "o.xls")])
    assert "cannot tell the format to write" in str(other.exception)
    weighed = RUN.invoke(app, ["weights", str(path), "-o", str(tmp_path)])
    assert isinstance(weighed.exception, UsageError)
    assert path.read_bytes() == before
