"""Files with column names of their own: what is guessed, offered and used."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.errors import DrgsimError
from drgsim.records.column_guesses import ColumnGuess, UnknownColumns, guess_columns, mapping_text
from drgsim.records.input_options import InputOptions
from drgsim.records.schema import columns
from tests.commands import run
from tests.test_exported_values import EXPORTS, GOLDEN

FILE = [  # column, cell, what it is
    ("住院号", "2024090001", "discharge_id"), ("患者", "测试甲", ""), ("性别", "男", "sex"), ("岁数", "67岁", "age"),
    ("入院", "45537", "admitted"), ("出院", "45546", "discharged"), ("科室", "心内科", "admission_department"),
    ("主诊ICD", "I21.001", "principal_diagnosis"), ("次诊1", "I10.x00x002", "other_diagnoses"),
    ("次诊2", "", "other_diagnoses"),
    ("手术1", "36.0601", "procedures"), ("手术2", "88.5600", "procedures"), ("费别", "职工", "insurance"),
    ("住院总费用", "42,315.66", "total_cost"), ("医保报销", "28,110.20", "fund_paid"),
]  # fmt: skip


def own_file(path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(zip(*(row[:2] for row in FILE), strict=True))
    return path


def test_a_refused_file_comes_with_a_mapping_that_works(tmp_path: Path) -> None:
    source = own_file(tmp_path / "own.csv")
    done = run("group", str(source), "-o", "out.csv", cwd=tmp_path, code=3)
    assert "input-missing-column" in done.stderr
    assert "principal_diagnosis" in done.stderr
    assert "--map-file map.yaml" in done.stderr
    run("group", str(source), "-o", "out.csv", "--map-file", "map.yaml", cwd=tmp_path)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        assert [row["drg"] for row in csv.DictReader(file)] == ["FM39"]
    run("group", str(source), "-o", "out.csv", cwd=tmp_path, code=3)
    assert sorted(path.name for path in tmp_path.glob("map*.yaml")) == ["map-2.yaml", "map.yaml"]  # nothing is overwritten


def test_map_says_what_every_column_is(tmp_path: Path) -> None:
    found = drgsim.map_columns(own_file(tmp_path / "own.csv"))
    assert found.to_arrow()["canonical"].to_pylist() == [row[2] for row in FILE]
    assert found.missing == []
    run("map", str(tmp_path / "own.csv"), "-o", str(tmp_path / "m.yaml"))
    assert (tmp_path / "m.yaml").read_text(encoding="utf-8") == found.yaml
    assert drgsim.read(tmp_path / "own.csv", map_file=tmp_path / "m.yaml").to_arrow()["age"].to_pylist() == ["67岁"]
    assert "output-exists" in run("map", str(tmp_path / "own.csv"), "-o", str(tmp_path / "m.yaml"), code=3).stderr


def test_what_has_no_column_is_said(tmp_path: Path) -> None:
    source = tmp_path / "short.csv"
    source.write_text("住院号,性别,岁数,备注\n1,男,3,x\n", encoding="utf-8")
    assert drgsim.map_columns(source).missing == ["diagnoses", "procedures"]
    with pytest.raises(DrgsimError) as caught:
        drgsim.group(source)
    assert isinstance(caught.value, UnknownColumns)


def test_codes_are_found_by_their_cells_alone() -> None:
    guesses = guess_columns({"a": ["I21.001", "J18.900"], "b": ["I10.x00", ""], "c": ["36.0601", ""], "d": ["男", "女"]}, {})
    assert [guess.canonical for guess in guesses] == ["principal_diagnosis", "other_diagnoses", "procedures", "sex"]


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=40), st.sampled_from(["", *columns()]), st.text()),
        unique_by=lambda row: row[0].strip(),
    )
)
def test_a_mapping_file_says_what_was_guessed_whatever_the_names(rows: list[tuple[str, str, str]]) -> None:
    guesses = [ColumnGuess(own, sample, name, "name" if name else "") for own, name, sample in rows]
    text = mapping_text(guesses, "file.csv", ["age"])
    assert (yaml.safe_load(text) or {}) == {own: name for own, name, _ in rows if name}


def test_a_mapping_of_several_columns_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("A48+A49: discharge_id\n", encoding="utf-8")
    assert InputOptions.of(map_file=tmp_path / "m.yaml").maps == (("A48+A49", "discharge_id"),)


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the exports are not there")
def test_an_export_with_columns_of_its_own_goes_by_the_mapping_that_is_offered(tmp_path: Path) -> None:
    source = EXPORTS / "v6-homemade.xlsx"
    (tmp_path / "map.yaml").write_text(drgsim.map_columns(source).yaml, encoding="utf-8")
    cases = drgsim.read(source, map_file=tmp_path / "map.yaml")
    assert drgsim.group(cases).to_arrow()["drg"].to_pylist() == GOLDEN
    settled = drgsim.settle(cases, "beijing/2024").record
    assert (settled["amount_yuan"], settled["fund_payment_yuan"]) == ("433917.71", "289622.01")
