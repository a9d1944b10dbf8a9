"""Verbs take discharges in every shape, hand them on to each other, and give the same answers as the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.errors import DrgsimError
from tests.conftest import ROOT

SAMPLES = ROOT / "data" / "samples" / "formats"
RECORDS = SAMPLES / "records.csv"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(RECORDS, dtype=str)


def shapes(frame: pd.DataFrame) -> dict[str, Any]:
    return {
        "path": RECORDS,
        "text": str(RECORDS),
        "list": [RECORDS],
        "frame": frame,
        "table": pa.Table.from_pandas(frame, preserve_index=False),
        "dictionaries": frame.to_dict("records"),
        "discharges": drgsim.read(RECORDS),
        "groups": drgsim.group(RECORDS, "chs-drg-1.1"),
    }


def test_every_shape_gives_the_same_groups(frame: pd.DataFrame) -> None:
    found = {name: drgsim.group(given).to_arrow()["drg"].to_pylist() for name, given in shapes(frame).items()}
    assert len({tuple(drgs) for drgs in found.values()}) == 1


def test_tables_and_files_are_checked_and_moved_alike(frame: pd.DataFrame) -> None:
    checked = {name: drgsim.validate(given).to_arrow("rules").to_pylist() for name, given in shapes(frame).items()}
    assert all(rules == checked["path"] for rules in checked.values())
    moved = [drgsim.migrate(given, "chs-drg-1.1", "chs-drg-2.0") for given in (RECORDS, frame, drgsim.read(RECORDS))]
    assert all(each.to_arrow("flow").equals(moved[0].to_arrow("flow")) for each in moved)


def test_a_record_is_found_in_every_shape(frame: pd.DataFrame) -> None:
    wanted = frame.discharge_id[3]
    found = {name: str(drgsim.explain(given, record_id=wanted)) for name, given in shapes(frame).items()}
    assert len(set(found.values())) == 1


@pytest.mark.parametrize("name", ["hqms.csv", "settlement-list.jsonl", "chinese-headers.xlsx", "grouper.csv"])
def test_reading_says_what_it_recognised(name: str) -> None:
    cases = drgsim.read(SAMPLES / name)
    assert len(cases) == len(pd.read_csv(RECORDS))
    made = {row["column"]: row["made_of"] for row in cases.to_arrow("columns").to_pylist()}
    assert {"sex", "age", "diagnoses", "procedures"} <= set(made)
    assert all(made.values())
    assert cases.layouts[0] in repr(cases)
    assert cases.layouts[0] in cases._repr_html_()
    assert cases.record["inputs"].keys() == {name}


def test_own_columns_come_after_the_canonical_ones(frame: pd.DataFrame) -> None:
    cases = drgsim.read(frame.rename(columns={"diagnoses": "主诊及其他"}).assign(ward="3"), maps={"主诊及其他": "diagnoses"})
    names = cases.to_arrow().column_names
    assert names[-1] == "ward"
    assert "diagnoses" in names
    assert "主诊及其他" not in names


def test_how_records_are_read_is_said_once() -> None:
    cases = drgsim.read(RECORDS, code_version="gl2")
    assert drgsim.group(cases).run.counts.conversion is not None
    with pytest.raises(DrgsimError, match="read-already"):
        drgsim.group(cases, reading=drgsim.InputOptions(code_version="yb2"))


def test_groups_go_on_to_settling_whatever_the_input_named_before(frame: pd.DataFrame) -> None:
    groups = drgsim.group(frame.assign(drg="0000", unit="XX"))
    assert groups.cases["drg"].to_pylist() == groups.to_arrow()["drg"].to_pylist()
    assert "unit" not in groups.cases.column_names
    paid = drgsim.settle(groups, "beijing/2024", unit_value=13000)
    assert paid.cases["unit"].to_pylist() == groups.to_arrow()["drg"].to_pylist()
    assert paid.cases.num_rows == len(frame)


def test_grouped_cases_without_codes_are_read_but_not_grouped() -> None:
    cases = drgsim.read(pd.DataFrame({"discharge_id": ["1"], "drg": ["FR21"], "total_cost": [9000]}))
    assert cases.to_arrow()["drg"].to_pylist() == ["FR21"]
    with pytest.raises(DrgsimError, match="input-missing-column"):
        drgsim.group(cases)


def test_a_line_that_does_not_fit_keeps_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("discharge_id,sex,age,diagnoses,procedures\n1,1,70,I50.101,\n2,1,70\n", encoding="utf-8")
    cases = drgsim.read(path)
    assert [note.code for note in cases.notes] == ["left-out", "line-broken"]
    assert cases.notes[0].what.startswith("5 columns in the header, 3 in the lines")
    assert "__broken_line" not in cases.to_arrow().column_names
    assert drgsim.group(cases).to_arrow()["reason"].to_pylist() == [None, "line_broken"]


def test_an_answer_is_kept_as_a_file_and_as_a_folder(tmp_path: Path, frame: pd.DataFrame) -> None:
    groups = drgsim.group(frame)
    drgsim.group_files([RECORDS], output=tmp_path / "files.csv")
    assert groups.save(tmp_path / "table.csv").read_bytes() == (tmp_path / "files.csv").read_bytes()
    groups.save(tmp_path / "kept", formats=["parquet", "xlsx"])
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        "answers.parquet",
        "groups.parquet",
        "group.xlsx",
        "run.json",
    }
    assert groups.to_pandas().index.equals(frame.index)
    whole = drgsim.group(frame, keep_input=True).to_pandas()
    assert list(whole.total_cost) == list(frame.total_cost)


def test_every_finding_is_there_when_it_is_asked_for(tmp_path: Path, frame: pd.DataFrame) -> None:
    checked = drgsim.validate(frame, findings=True, output=tmp_path / "findings.csv")
    written = pd.read_csv(tmp_path / "findings.csv", dtype=str)
    assert checked.to_arrow("findings").num_rows == len(written) > 0
    assert "findings" not in drgsim.validate(frame).tables


def test_tables_and_files_do_not_mix(frame: pd.DataFrame) -> None:
    with pytest.raises(DrgsimError, match="inputs-mixed"):
        drgsim.read([RECORDS, frame])
    with pytest.raises(DrgsimError, match="inputs-no-list"):
        drgsim.read([])
    with pytest.raises(DrgsimError, match="sample-unknown"):
        drgsim.sample_path("regoin")
